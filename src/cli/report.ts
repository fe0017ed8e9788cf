/** What goes to stderr when a command fails: one line that says what is wrong and what to do. */

import { describeVerdict, E2eError, type E2eErrorCode } from '../index.ts';
import { CliError } from './cli-error.ts';
import { exitCodes, exitOf } from './exit-codes.ts';
import type { Io } from './io.ts';
import { forTerminal } from './terminal.ts';

const advice: Readonly<Partial<Record<E2eErrorCode, string>>> = {
  ERR_E2E_UNMAPPABLE: 'only messages to one person, directed presence and iq can be sealed',
  ERR_E2E_NO_SIGNING_KEY: 'make keys with `xmpp-e2e keygen`',
  ERR_E2E_NO_RECIPIENT_KEY:
    'see what is filed with `xmpp-e2e export --jid JID`, and file a valid one with `xmpp-e2e import`',
  ERR_E2E_MALFORMED: 'give one stanza at a time, as XML',
  ERR_E2E_NOT_SEALED: 'there is nothing to open',
  ERR_E2E_NO_DECRYPTION_KEY: 'is --as the address that it was sent to, and --home the right one?',
  ERR_E2E_SIGNER_UNKNOWN: 'ask the sender for a certificate and file it with `xmpp-e2e import --jid JID FILE`',
  ERR_E2E_SIGNER_UNTRUSTED: 'if you know it to be right, file it with `xmpp-e2e import --jid JID FILE`',
  ERR_E2E_WEAK_ALGORITHM: '`--policy rfc3923` reads the algorithms of 2004',
  ERR_E2E_TIMESTAMP: 'for a message of former times use --archive, and --at with the time of receipt',
  ERR_E2E_REPLAYED: 'to read it again use --archive',
};

/**
 * Reports an error and gives the exit code.
 *
 * @param json whether stderr carries one JSON object instead of a line
 */
export function report(io: Io, error: unknown, json: boolean): number {
  const { exit, line, object } = describe(error);
  io.stderr.write(
    json ? `${JSON.stringify({ v: 1, ok: false, error: object })}\n` : `xmpp-e2e: ${forTerminal(line)}\n`,
  );
  return exit;
}

interface Described {
  readonly exit: number;
  readonly line: string;
  readonly object: object;
}

/** The verdict as far as it had been found, with its words, for programs. */
function withVerdict(error: E2eError): object {
  const { verdict } = error;
  if (verdict === undefined) return error.toJSON();
  return { ...error.toJSON(), verdict: { ...verdict, words: describeVerdict(verdict) } };
}

function describe(error: unknown): Described {
  if (error instanceof CliError) {
    return { exit: exitCodes[error.exit], line: error.message, object: { code: error.exit, message: error.message } };
  }
  if (error instanceof E2eError) {
    const hint = advice[error.code];
    // The library speaks of a sealed object; here it may be any input.
    const message = error.code === 'ERR_E2E_MALFORMED' ? 'the input is malformed' : error.message;
    const line = message + (error.reason === undefined ? '' : `: ${error.reason}`);
    return {
      exit: exitCodes[exitOf[error.code]],
      line: hint === undefined ? line : `${line} (${hint})`,
      object: withVerdict(error),
    };
  }
  // A defect: its text could hold anything, keys included, so only its kind and place are told.
  const place = error instanceof Error ? /\n\s+at ([^\n]{1,200})/.exec(error.stack ?? '')?.[1] : undefined;
  const name = error instanceof Error ? error.name : typeof error;
  const line = `internal error (${name}${place === undefined ? '' : ` at ${place}`}); please report it`;
  return { exit: exitCodes.OTHER, line, object: { code: 'OTHER', message: line } };
}
