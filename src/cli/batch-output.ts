/** Where the answers of `batch` go: stdout, or a file that is continued. */

import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CliError } from './cli-error.ts';
import type { Io, Output } from './io.ts';
import { linesOf } from './lines.ts';

/** Takes answers, no faster than they can be written. */
export interface BatchOutput {
  write(text: string): Promise<void>;
  close(): Promise<void>;
  /**
   * What was answered before, from the start: the digest of the next line of input that has its answer. It is to be
   * called for each line of input until it gives undefined.
   */
  answered(): Promise<string | undefined>;
}

const buffered = 65_536;

/** Answers to stdout. */
export function outputToStdout({ stdout }: Io): BatchOutput {
  return gathered(async (text) => {
    if (stdout.write(text) === false) await drained(stdout);
  });
}

function drained(output: Output): Promise<void> {
  return new Promise((resolve) => {
    if (output.once === undefined) resolve();
    else output.once('drain', resolve);
  });
}

/** Many short writes as few long ones; what is gathered goes at the latest in the next turn of the event loop. */
function gathered(send: (text: string) => Promise<void>): BatchOutput {
  let text = '';
  let sending: Promise<void> | undefined;
  const pump = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    while (text !== '') {
      const now = text;
      text = '';
      await send(now);
    }
    sending = undefined;
  };
  const begin = (): Promise<void> => {
    sending ??= pump();
    // Thrown where it is waited for.
    sending.catch(() => undefined);
    return sending;
  };
  return {
    async write(piece) {
      text += piece;
      const sent = begin();
      if (text.length >= buffered) await sent;
    },
    async close() {
      while (text !== '' || sending !== undefined) await begin();
    },
    answered: () => Promise.resolve(undefined),
  };
}

/**
 * Answers to a file, after those that it holds. A last line that was cut short, as by a kill, is cut off: its stanza
 * gets its answer again.
 *
 * @throws {CliError} BAD_DATA for a file that holds anything else
 */
export async function outputToFile(path: string): Promise<BatchOutput> {
  let file: FileHandle;
  try {
    file = await open(path, 'a+', 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unexpected failure';
    throw new CliError('MISSING_INPUT', `--resume: the file cannot be opened (${code})`);
  }
  const { size } = await file.stat();
  const end = await endOfLastLine(file, size);
  if (end < size) await file.truncate(end);
  const before = end === 0 ? undefined : answersIn(path, end);
  const output = gathered((text) => file.appendFile(text));
  return {
    write: (text) => output.write(text),
    async close() {
      try {
        await output.close();
        await file.datasync();
      } finally {
        await file.close();
      }
    },
    async answered() {
      const next = await before?.next();
      return next === undefined || next.done === true ? undefined : next.value;
    },
  };
}

async function endOfLastLine(file: FileHandle, size: number): Promise<number> {
  const block = Buffer.alloc(buffered);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    const last = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (last !== -1) return start + last + 1;
    end = start;
  }
  return 0;
}

/** Answers hold a verdict and a stanza, and are longer than what they answer. */
const maxAnswerBytes = 16_777_216;

async function* answersIn(path: string, end: number): AsyncGenerator<string, void, undefined> {
  for await (const line of linesOf(createReadStream(path, { end: end - 1 }), maxAnswerBytes)) {
    yield digestOf(line === undefined ? '' : Buffer.from(line).toString('utf8'));
  }
}

function digestOf(line: string): string {
  try {
    const { input } = JSON.parse(line) as { input?: unknown };
    if (typeof input === 'string') return input;
  } catch {
    // Said below.
  }
  throw new CliError('BAD_DATA', '--resume: the file holds a line that is no answer of batch');
}
