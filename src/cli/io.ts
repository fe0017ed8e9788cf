/** The streams and the surroundings of one run, so that a test can be the terminal. */

import { E2eError, defaultLimits, parseXml, type XmlElement } from '../index.ts';
import { CliError } from './cli-error.ts';
import { forTerminal } from './terminal.ts';

/** A stream to write to. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  /** False asks to wait for `drain` before more is written. */
  write(data: string | Uint8Array): unknown;
  once?(event: 'drain', listener: () => void): unknown;
}

/** A stream to read from. */
export interface Input extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean | undefined;
}

/** What a command sees of the world. */
export interface Io {
  readonly stdin: Input;
  /** The result, and nothing else. */
  readonly stdout: Output;
  /** Verdicts, reports and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Has a function called when the user interrupts, in place of ending the program at once. A second interruption ends it.
   *
   * @returns what takes it back
   */
  onInterrupt?(call: () => void): () => void;
}

const maxInput = 4_194_304;

/**
 * Reads all of stdin.
 *
 * @param what the kind of input, for the messages
 * @param usage an example for somebody who gave none
 * @throws {CliError} MISSING_INPUT where stdin is a terminal (a hint instead of a hang) or empty
 * @throws {E2eError} LIMIT for more than 4 MiB
 */
export async function readInput(io: Io, what: string, usage: string): Promise<Uint8Array> {
  if (io.stdin.isTTY === true) throw new CliError('MISSING_INPUT', `pipe ${what} in, for example: ${usage}`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    length += bytes.length;
    if (length > maxInput) throw new E2eError('ERR_E2E_LIMIT', 'parse', { reason: 'the input is over 4 MiB' });
    chunks.push(bytes);
  }
  const input = Buffer.concat(chunks);
  if (input.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))) {
    throw new CliError('MISSING_INPUT', `stdin is empty; pipe ${what} in, for example: ${usage}`);
  }
  return input;
}

/**
 * Reads one stanza from stdin. Unqualified names are of `jabber:client`, as in a stream.
 *
 * @throws {CliError} MISSING_INPUT
 * @throws {E2eError} MALFORMED for anything but one XML element, LIMIT
 */
export async function readStanza(io: Io, usage: string): Promise<XmlElement> {
  const input = await readInput(io, 'one stanza', usage);
  const maxBytes = defaultLimits.stanzaBytes;
  if (input.length > maxBytes) {
    throw new E2eError('ERR_E2E_LIMIT', 'parse', { reason: `the stanza exceeds ${maxBytes} octets` });
  }
  const text = decodeUtf8(input);
  // A file may end, or begin, with line ends that belong to no document.
  return parseXml(text.trim(), { declaration: true, defaultNamespace: 'jabber:client' });
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new E2eError('ERR_E2E_MALFORMED', 'parse', { reason: 'the input is not UTF-8' });
  }
}

/**
 * Writes XML that somebody else made: on one line, so that no text inside can look like a line of ours, and on a
 * terminal without characters that act on it.
 *
 * @param xml serialized, so that a line feed can only stand in text, where `&#xA;` means the same
 */
export function writeForeignXml(output: Output, xml: string): void {
  const line = xml.replaceAll('\n', '&#xA;');
  output.write(`${output.isTTY === true ? forTerminal(line, (code) => `&#x${code};`) : line}\n`);
}

/** Writes text line by line, on a terminal without characters that act on it. */
export function writeText(output: Output, text: string): void {
  output.write(
    output.isTTY === true
      ? text
          .split('\n')
          .map((line) => forTerminal(line))
          .join('\n')
      : text,
  );
}
