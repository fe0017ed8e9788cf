/** An error of use: which exit code, and one line that says what to do. */

import { Jid } from '../index.ts';
import type { ExitName } from './exit-codes.ts';

/** Ends the command with an exit code and one line on stderr. */
export class CliError extends Error {
  readonly exit: ExitName;

  /**
   * @param exit the exit code's name
   * @param line what is wrong, and what to do about it
   */
  constructor(exit: ExitName, line: string) {
    super(line);
    this.exit = exit;
  }
}

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
