/** The sending clock in a file: strictly increasing across restarts and between processes (RFC 3923 section 6.9). */

import { resolve } from 'node:path';
import { type ClockStore, type SendingClock, sendingClock } from '../e2e/clock.ts';
import { withLock } from './lock.ts';
import { asStoreError, readOwnFile, storeFailed, writeOwnFile } from './own-file.ts';

const microsecond = 1000n;

/** A clock whose newest instant is in a file. */
export interface FileClock extends SendingClock, ClockStore {
  next(): Promise<bigint>;
}

/**
 * A clock in a file, which holds the newest instant handed out in nanoseconds since 1970.
 *
 * @param path the file, made at first use; its directory must exist
 * @param now milliseconds since 1970, `Date.now` unless given
 * @param ahead instants taken from the file at once, so that not every one waits for the disk; what is not used within a
 * second is given up
 * @returns a clock whose calls reject with STORE_FAILED where the file cannot be read or written: a time that is not
 * later than the one before would be refused by the recipient
 */
export function fileClock(path: string, now: () => number = Date.now, ahead = 1): FileClock {
  const file = resolve(path);
  const locked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await withLock(`${file}.lock`, work);
    } catch (error) {
      throw asStoreError(error, file);
    }
  };
  let taken: { next: bigint; readonly end: bigint; readonly until: number } | undefined;
  const take = (): Promise<bigint> =>
    locked(async () => {
      const first = await sendingClock(now, await read(file)).next();
      const end = first + BigInt(ahead) * microsecond;
      await write(file, end - microsecond);
      taken = { next: first + microsecond, end, until: now() + 1000 };
      return first;
    });
  let last: Promise<unknown> = Promise.resolve();
  const next = async (): Promise<bigint> => {
    if (taken === undefined || taken.next === taken.end || now() > taken.until) return take();
    const instant = taken.next;
    taken.next += microsecond;
    return instant;
  };
  return {
    read: () => read(file),
    write: (nanoseconds) => locked(() => write(file, nanoseconds)),
    next() {
      const instant = last.then(next);
      last = instant.catch(() => undefined);
      return instant;
    },
  };
}

async function read(file: string): Promise<bigint | undefined> {
  const content = await readOwnFile(file, false);
  if (content === undefined) return undefined;
  const digits = /^(\d{1,30})\n$/.exec(Buffer.from(content.bytes).toString('latin1'))?.[1];
  if (digits === undefined) throw storeFailed('the sending clock is damaged', file);
  return BigInt(digits);
}

async function write(file: string, nanoseconds: bigint): Promise<void> {
  await writeOwnFile(file, Buffer.from(`${nanoseconds}\n`));
}
