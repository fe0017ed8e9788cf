/**
 * A replay store in a plain file that processes of one machine share (RFC 3923 section 6.9).
 *
 * `record` is check and insert in one step under a lock, and what it answers is on the disk first: neither a race of two
 * processes nor a kill at any moment lets one stanza be new twice. Calls that come while the disk works are answered
 * together by the next write.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { RecordOptions, ReplayEntry, ReplayOutcome, ReplayStore } from '../e2e/replay.ts';
import { instantOf } from '../time.ts';
import { withLock } from './lock.ts';
import { asStoreError, storeFailed, versionOfOwnFile, writeOwnFile } from './own-file.ts';
import { ReplayLog } from './replay-log.ts';

/** Bounds of a {@link fileReplayStore}. Stores that share a file must have the same. */
export interface FileReplayOptions {
  /** Entries kept, about 200 octets each: 100,000 unless given. The oldest goes first and raises the floor of its key. */
  readonly maxEntries?: number | undefined;
  /** Seconds for which an entry is kept: 30 days unless given. */
  readonly keepSeconds?: number | undefined;
}

/** A replay store whose every answer waits for the disk. */
export interface FileReplayStore extends ReplayStore {
  since(): Promise<bigint>;
  record(entry: ReplayEntry, options: RecordOptions): Promise<ReplayOutcome>;
  has(entry: ReplayEntry): Promise<boolean>;
}

/**
 * A replay store in a file.
 *
 * A last record cut short by a crash was never answered for and is dropped. Anything else that cannot be read rejects
 * with STORE_FAILED, and the stanza is refused: an attacker who could damage the file would otherwise replay at will.
 *
 * @param path the file, made at first use; its directory must exist, on a local file system
 * @throws {RangeError} for bounds that are not positive
 */
export function fileReplayStore(path: string, options: FileReplayOptions = {}): FileReplayStore {
  return new ReplayFile(resolve(path), options.maxEntries ?? 100_000, options.keepSeconds ?? 30 * 86_400);
}

interface Waiting {
  readonly entry: ReplayEntry;
  readonly options: RecordOptions;
  readonly resolve: (outcome: ReplayOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Loaded {
  readonly log: ReplayLog;
  /** The header of the file that was read: a rewritten one has another. */
  readonly file: string;
  /** How many octets of it were whole lines. */
  readonly position: number;
  /** How many octets it had. */
  readonly size: number;
}

/** At least the length of a header. */
const headerBytes = 128;
const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;

class ReplayFile implements FileReplayStore {
  readonly #path: string;
  readonly #maxEntries: number;
  readonly #keep: bigint;
  #loaded: Loaded | undefined;
  #waiting: Waiting[] = [];
  /** The batch whose answer is on its way. */
  #unanswered: readonly Waiting[] = [];
  /** The work before, so that one store never waits for its own lock. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, maxEntries: number, keepSeconds: number) {
    if (!Number.isSafeInteger(maxEntries) || maxEntries < 1)
      throw new RangeError('maxEntries must be a positive integer');
    if (!(keepSeconds > 0 && Number.isFinite(keepSeconds))) throw new RangeError('keepSeconds must be positive');
    this.#path = path;
    this.#maxEntries = maxEntries;
    this.#keep = BigInt(Math.round(keepSeconds * 1000)) * 1_000_000n;
  }

  since(): Promise<bigint> {
    return this.#exclusively(async (handle) => (await this.#load(handle)).log.since!);
  }

  async has(entry: ReplayEntry): Promise<boolean> {
    return this.#exclusively(async (handle) => (await this.#load(handle)).log.has(entry));
  }

  record(entry: ReplayEntry, options: RecordOptions): Promise<ReplayOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, options, resolve, reject });
      if (this.#waiting.length > 1) return;
      // Answered when the lock is free again.
      this.#exclusively((handle) => this.#flush(handle)).then(
        (answer) => {
          this.#unanswered = [];
          answer();
        },
        (error: unknown) => {
          // Reached where the lock or the file was not to be had, or the lock could not be given back.
          const unanswered = this.#unanswered.length > 0 ? this.#unanswered : this.#take();
          for (const waiting of unanswered) waiting.reject(error);
        },
      );
    });
  }

  #take(): readonly Waiting[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** @returns what answers the calls of one batch */
  async #flush(handle: FileHandle): Promise<() => void> {
    const batch = (this.#unanswered = this.#take());
    try {
      const loaded = await this.#load(handle);
      // What the state says from here on is not on the disk yet: after a failure the file is read again.
      this.#loaded = undefined;
      const outcomes: ReplayOutcome[] = [];
      let text = '';
      for (const { entry, options } of batch) {
        const { outcome, line } = loaded.log.record(entry, options);
        outcomes.push(outcome);
        text += line;
      }
      const position = loaded.position + (await append(handle, text, loaded));
      if (loaded.log.wasteful) {
        await writeOwnFile(this.#path, Buffer.from(loaded.log.rewritten(batch.at(-1)!.entry.received), 'latin1'));
      } else this.#loaded = { ...loaded, position, size: position };
      return () => batch.forEach((waiting, i) => waiting.resolve(outcomes[i]!));
    } catch (error) {
      const failure = error instanceof TypeError ? error : asStoreError(error, this.#path);
      return () => batch.forEach((waiting) => waiting.reject(failure));
    }
  }

  /** Brings the state up to what other processes wrote. */
  async #load(handle: FileHandle): Promise<Loaded> {
    const { size } = await handle.stat();
    const head = (await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0)).buffer.toString('latin1');
    const file = head.split('\n', 1)[0]!;
    const known = this.#loaded?.file === file ? this.#loaded : undefined;
    const log = known?.log ?? new ReplayLog({ maxEntries: this.#maxEntries, keep: this.#keep });
    const start = known?.position ?? 0;
    // Kept as it is, so that every later call fails too: what is missing may be what is replayed next.
    if (size < start) throw storeFailed('accepted records are missing from the replay file', this.#path);
    this.#loaded = undefined;
    const bytes = Buffer.alloc(size - start);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw storeFailed('the replay file shrank while it was read', this.#path);
      done += bytesRead;
    }
    const position = start + log.read(bytes);
    if (log.since === undefined) throw storeFailed('the replay file is damaged', this.#path);
    return (this.#loaded = { log, file, position, size });
  }

  /** Runs `work` alone: after the work before in this process, and under the lock between processes. */
  #exclusively<T>(work: (handle: FileHandle) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      try {
        return await withLock(`${this.#path}.lock`, async () => {
          const handle = await this.#open();
          try {
            return await work(handle);
          } finally {
            await handle.close();
          }
        });
      } catch (error) {
        throw error instanceof TypeError ? error : asStoreError(error, this.#path);
      }
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #open(): Promise<FileHandle> {
    if ((await versionOfOwnFile(this.#path, false)) === undefined) {
      if (this.#loaded !== undefined) throw storeFailed('the replay file was removed', this.#path);
      await writeOwnFile(this.#path, Buffer.from(ReplayLog.header(instantOf(new Date())), 'latin1'), false);
    }
    return open(this.#path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  }
}

async function append(handle: FileHandle, text: string, { position, size }: Loaded): Promise<number> {
  if (text === '') return 0;
  const bytes = Buffer.from(text, 'latin1');
  // Cuts off what a killed writer left after the last whole line.
  if (size > position) await handle.truncate(position);
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
  await handle.datasync();
  return bytes.length;
}
