/** Addresses on the command line. */

import { Jid } from '../index.ts';
import { CliError } from './cli-error.ts';

/**
 * Reads an address from the command line.
 *
 * @param option its name, for the message
 * @throws {CliError} BAD_DATA for what is no JID
 */
export function readJid(option: string, text: string): Jid {
  try {
    return Jid.parse(text);
  } catch {
    throw new CliError('BAD_DATA', `${option}: "${text}" is no XMPP address; write it like juliet@example.com`);
  }
}
