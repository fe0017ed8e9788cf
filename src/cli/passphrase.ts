/**
 * Passphrases: from the file descriptor of --passphrase-fd, from the file that XMPP_E2E_PASSPHRASE_FILE names, or asked
 * for on the terminal; never from argv.
 */

import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ReadStream } from 'node:tty';
import type { Jid } from '../index.ts';
import { CliError } from './cli-error.ts';
import type { Io } from './io.ts';
import { forTerminal } from './terminal.ts';

const variable = 'XMPP_E2E_PASSPHRASE_FILE';

const longest = 4096;
const descriptors = new WeakMap<Io, () => Promise<string>>();

/**
 * Has the passphrase of this run read from a file descriptor, once, when it is first needed.
 *
 * @param fd from 3: the lower ones are stdin, which carries the stanza, and the outputs
 */
export function usePassphraseDescriptor(io: Io, fd: number): void {
  let read: Promise<string> | undefined;
  descriptors.set(io, () => (read ??= readSecret(fd, '--passphrase-fd', 'passphrase')));
}

/**
 * Reads a secret from a file descriptor, without its last line end.
 *
 * @param option where the number was given, for the messages
 * @param what the kind of secret, for the messages
 * @throws {CliError} PASSPHRASE
 */
export async function readSecret(fd: number, option: string, what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of createReadStream('', { fd }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > longest) break;
      chunks.push(chunk);
    }
  } catch {
    throw new CliError('PASSPHRASE', `file descriptor ${fd} of ${option} cannot be read`);
  }
  const secret = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (length > longest) throw new CliError('PASSPHRASE', `file descriptor ${fd} holds more than a ${what}`);
  if (secret === '') throw new CliError('PASSPHRASE', `file descriptor ${fd} of ${option} holds no ${what}`);
  return secret;
}

/**
 * The passphrase of the file descriptor or of the file that the environment names, without its last line end.
 *
 * @returns undefined where neither is given
 * @throws {CliError} PASSPHRASE for a file that cannot be read or holds none
 */
export async function passphraseFromFile(io: Io): Promise<string | undefined> {
  const descriptor = descriptors.get(io);
  if (descriptor !== undefined) return descriptor();
  const path = io.env[variable];
  if (path === undefined || path === '') return undefined;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw new CliError('PASSPHRASE', `the file that ${variable} names cannot be read`);
  }
  const passphrase = text.replace(/\r?\n$/, '');
  if (passphrase === '') throw new CliError('PASSPHRASE', `the file that ${variable} names is empty`);
  return passphrase;
}

const failures = new WeakMap<Io, CliError>();

/**
 * Gets the passphrase for the keys of a JID.
 *
 * @throws {CliError} PASSPHRASE where there is neither a file nor a terminal; INTERRUPTED
 */
export async function passphraseFor(io: Io, jid: Jid): Promise<string> {
  try {
    return (
      (await passphraseFromFile(io)) ??
      (await ask(
        `Passphrase for the keys of ${jid.toString()}: `,
        `the keys are protected by a passphrase: set ${variable} to a file that holds it, or give --passphrase-fd N`,
      ))
    );
  } catch (error) {
    if (error instanceof CliError) failures.set(io, error);
    throw error;
  }
}

/** Why no passphrase was to be had in this run: a backend says only that the key is locked. */
export function passphraseFailure(io: Io): CliError | undefined {
  return failures.get(io);
}

/**
 * Asks for a secret. stdin carries the stanza, so the terminal itself is asked.
 *
 * @param otherwise what to do where there is no terminal
 * @throws {CliError} PASSPHRASE where there is none; INTERRUPTED
 */
export async function ask(question: string, otherwise: string): Promise<string> {
  let fd: number;
  try {
    fd = openSync('/dev/tty', 'r+');
  } catch {
    throw new CliError('PASSPHRASE', otherwise);
  }
  const terminal = new ReadStream(fd);
  writeSync(fd, forTerminal(question));
  terminal.setRawMode(true);
  try {
    return await readLine(terminal);
  } finally {
    terminal.setRawMode(false);
    writeSync(fd, '\n');
    terminal.destroy();
    try {
      closeSync(fd);
    } catch {
      // The stream closed it.
    }
  }
}

function readLine(terminal: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const line: string[] = [];
    terminal.setEncoding('utf8').on('data', (chunk) => {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n') resolve(line.join(''));
        // Ctrl-C and Ctrl-D: in raw mode they are characters.
        else if (character === '\u0003' || character === '\u0004')
          reject(new CliError('INTERRUPTED', 'no passphrase was given'));
        else if (character === '\u007f' || character === '\b') line.pop();
        else line.push(character);
      }
    });
    terminal.once('end', () => reject(new CliError('PASSPHRASE', 'no passphrase was given')));
  });
}
