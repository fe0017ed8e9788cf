/**
 * A replay store in IndexedDB, which the tabs and workers of one origin share (RFC 3923 section 6.9): `record` is one
 * read-write transaction, and those come one after another.
 *
 *     accepted  order -> { digest, key, clock, signed, received }      index "digest"
 *     floors    key   -> signed                                        nanoseconds since 1970, as bigint
 *     newest    clock -> { signed, received, used }                    index "used": milliseconds
 *     facts     "since" -> nanoseconds
 */

import type { RecordOptions, ReplayEntry, ReplayOutcome, ReplayStore } from '../e2e/replay.ts';
import { storeFailed } from './browser-failure.ts';

/** Bounds of a {@link browserReplayStore}. */
export interface BrowserReplayOptions {
  /** Of the database: `xmpp-e2e replay` unless given. */
  readonly name?: string | undefined;
  /** Entries kept: 100,000 unless given. The oldest goes first and raises the floor of its key. */
  readonly maxEntries?: number | undefined;
  /** Seconds for which an entry is kept: 30 days unless given. */
  readonly keepSeconds?: number | undefined;
}

/** A replay store whose every answer is that of the database. */
export interface BrowserReplayStore extends ReplayStore {
  since(): Promise<bigint>;
  record(entry: ReplayEntry, options: RecordOptions): Promise<ReplayOutcome>;
  has(entry: ReplayEntry): Promise<boolean>;
  /** Closes the database. */
  close(): void;
}

interface Newest {
  readonly signed: bigint;
  readonly received: bigint;
}

const stores = ['accepted', 'floors', 'newest', 'facts'] as const;

/**
 * Opens a replay store, and makes it at first use.
 *
 * A browser may throw its data away where space is short (`navigator.storage.persist()` asks it not to): the new store
 * is then younger than what it has not seen, and what claims to be delayed from before is refused.
 *
 * @throws {E2eError} STORE_FAILED where the browser keeps no data (some private modes)
 * @throws {RangeError} for bounds that are not positive
 */
export async function browserReplayStore(options: BrowserReplayOptions = {}): Promise<BrowserReplayStore> {
  const { name = 'xmpp-e2e replay', maxEntries = 100_000, keepSeconds = 30 * 86_400 } = options;
  if (!(maxEntries >= 1) || !(keepSeconds > 0)) throw new RangeError('bounds of a replay store must be positive');
  const keep = BigInt(Math.round(keepSeconds * 1000)) * 1_000_000n;
  const database = await open(name);
  // A page that deletes the database must not wait for us; whatever is asked afterwards is refused.
  database.onversionchange = () => database.close();

  /** Runs one transaction: an exception in it takes everything back. */
  const run = async <T>(mode: IDBTransactionMode, work: (at: At) => Promise<T>): Promise<T> => {
    try {
      const transaction = database.transaction([...stores], mode, { durability: 'strict' });
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
      });
      // Waited for below, or of no more interest.
      done.catch(() => undefined);
      let result: T;
      try {
        result = await work((store) => transaction.objectStore(store));
      } catch (error) {
        transaction.abort();
        throw error;
      }
      await done;
      return result;
    } catch (error) {
      throw storeFailed(error);
    }
  };

  return {
    since: () => run('readonly', (at) => get<bigint>(at('facts'), 'since')),
    has: (entry) => run('readonly', (at) => isKnown(at, entry)),
    record: (entry, how) =>
      run('readwrite', async (at) => {
        await prune(at, entry.received - keep, maxEntries);
        if (await isKnown(at, entry)) return 'known';
        const newest = how.ordered ? await get<Newest | undefined>(at('newest'), entry.clock) : undefined;
        const counts = newest !== undefined && entry.received - newest.received <= how.decreasingWindow;
        const decreasing = counts && entry.signed <= newest.signed;
        if (decreasing && how.refuseDecreasing) return 'decreasing';
        const { signed, received } = entry;
        await settled(at('accepted').add({ ...entry }));
        if (how.ordered && !decreasing) {
          await settled(at('newest').put({ signed, received, used: Date.now() }, entry.clock));
          await forgetOldest(at, maxEntries);
        }
        return decreasing ? 'decreasing' : 'new';
      }),
    close: () => database.close(),
  };
}

type At = (store: (typeof stores)[number]) => IDBObjectStore;

async function isKnown(at: At, { digest, key, signed }: ReplayEntry): Promise<boolean> {
  const floor = await get<bigint | undefined>(at('floors'), key);
  if (floor !== undefined && signed <= floor) return true;
  return (await settled(at('accepted').index('digest').count(digest))) > 0;
}

/** Makes room for one more, the oldest first: what is forgotten must not be new again. */
async function prune(at: At, oldest: bigint, maxEntries: number): Promise<void> {
  let size = await settled(at('accepted').count());
  const cursors = at('accepted').openCursor();
  for (let cursor = await settled(cursors); cursor !== null; cursor = await settled(cursors)) {
    const { key, signed, received } = cursor.value as ReplayEntry;
    if (size < maxEntries && received >= oldest) return;
    const floor = await get<bigint | undefined>(at('floors'), key);
    if (floor === undefined || signed > floor) await settled(at('floors').put(signed, key));
    await settled(cursor.delete());
    size--;
    cursor.continue();
  }
}

async function forgetOldest(at: At, maxEntries: number): Promise<void> {
  let size = await settled(at('newest').count());
  if (size <= maxEntries) return;
  const cursors = at('newest').index('used').openCursor();
  for (let cursor = await settled(cursors); cursor !== null && size > maxEntries; cursor = await settled(cursors)) {
    await settled(cursor.delete());
    size--;
    cursor.continue();
  }
}

async function open(name: string): Promise<IDBDatabase> {
  try {
    const request = globalThis.indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      const database = request.result;
      const accepted = database.createObjectStore('accepted', { autoIncrement: true });
      accepted.createIndex('digest', 'digest', { unique: true });
      database.createObjectStore('floors');
      database.createObjectStore('newest').createIndex('used', 'used');
      database.createObjectStore('facts').put(BigInt(Date.now()) * 1_000_000n, 'since');
    };
    return await settled(request);
  } catch (error) {
    throw storeFailed(error);
  }
}

/** @returns what the store holds, which nobody but this file wrote */
function get<T>(store: IDBObjectStore, key: string): Promise<T> {
  return settled(store.get(key) as IDBRequest<T>);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // Handlers, not listeners: a cursor's request succeeds again and again.
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('failed'));
  });
}
