/**
 * What was accepted before: the digests of accepted stanzas and the newest signed time of each key and full JID
 * (RFC 3923 section 6.9). State is written in one step, and only for stanzas that passed every other check.
 */

import { concatBytes, hex, sha256, utf8 } from '../bytes.ts';
import type { Jid } from '../jid/jid.ts';

/** One accepted stanza. */
export interface ReplayEntry {
  /** Hexadecimal SHA-256 over my bare JID, the signing key, the signed octets and the signed time. */
  readonly digest: string;
  /** My bare JID and the signing key: whose floor an eviction raises. */
  readonly key: string;
  /** Key and outer full JID: whose times must increase. Several devices have several clocks. */
  readonly clock: string;
  /** Signed time, in nanoseconds since 1970. */
  readonly signed: bigint;
  /** When it is received, in nanoseconds since 1970. */
  readonly received: bigint;
}

/** How an entry stands to what the store knows. */
export type ReplayOutcome = 'new' | 'known' | 'decreasing';

/** How {@link ReplayStore.record} shall treat order. */
export interface RecordOptions {
  /** Whether the newest time of the entry's clock counts and is advanced: live stanzas only. */
  readonly ordered: boolean;
  /** Whether an entry out of order is left unrecorded. */
  readonly refuseDecreasing: boolean;
  /** For how long the newest time of a clock counts, in nanoseconds. */
  readonly decreasingWindow: bigint;
}

/**
 * Keeps replay state. `record` is one atomic step, also between processes that share a store. An entry at or before
 * the floor of its key (the newest time ever evicted for that key) is `known`.
 *
 * A rejection means that the state cannot be told; the stanza is then refused with STORE_FAILED.
 */
export interface ReplayStore {
  /** Since when every accepted stanza is in the store, in nanoseconds since 1970. */
  since(): bigint | Promise<bigint>;
  record(entry: ReplayEntry, options: RecordOptions): ReplayOutcome | Promise<ReplayOutcome>;
  /** Looks an entry up without writing. */
  has(entry: ReplayEntry): boolean | Promise<boolean>;
}

/** Bounds of a {@link memoryReplayStore}. */
export interface MemoryReplayOptions {
  /** Entries kept; the oldest goes first and raises the floor of its key. */
  readonly maxEntries?: number | undefined;
  /** Seconds for which an entry is kept: 30 days unless given. */
  readonly keepSeconds?: number | undefined;
  /** Since when the store counts as complete: now unless given. */
  readonly since?: Date | undefined;
}

/**
 * A replay store in memory: at most 320 bytes an entry, and as much again for each signing key and for each device whose
 * order is remembered.
 */
export function memoryReplayStore(options: MemoryReplayOptions = {}): ReplayStore {
  return new MemoryReplayStore(options);
}

interface Kept {
  readonly key: string;
  readonly signed: bigint;
  readonly received: bigint;
}

interface Newest {
  readonly signed: bigint;
  readonly received: bigint;
}

class MemoryReplayStore implements ReplayStore {
  readonly #maxEntries: number;
  readonly #keep: bigint;
  readonly #since: bigint;
  /** In order of arrival, which a Map keeps. */
  readonly #entries = new Map<string, Kept>();
  /** Each signing key once, so that its entries share one string. */
  readonly #keys = new Map<string, string>();
  readonly #floors = new Map<string, bigint>();
  readonly #newest = new Map<string, Newest>();

  constructor(options: MemoryReplayOptions) {
    this.#maxEntries = options.maxEntries ?? 100_000;
    this.#keep = BigInt(Math.round((options.keepSeconds ?? 30 * 86_400) * 1000)) * 1_000_000n;
    this.#since = BigInt((options.since ?? new Date()).getTime()) * 1_000_000n;
  }

  since(): bigint {
    return this.#since;
  }

  has(entry: ReplayEntry): boolean {
    const floor = this.#floors.get(entry.key);
    return this.#entries.has(entry.digest) || (floor !== undefined && entry.signed <= floor);
  }

  record(entry: ReplayEntry, options: RecordOptions): ReplayOutcome {
    this.#prune(entry.received);
    if (this.has(entry)) return 'known';
    const newest = options.ordered ? this.#newest.get(entry.clock) : undefined;
    const counts = newest !== undefined && entry.received - newest.received <= options.decreasingWindow;
    const decreasing = counts && entry.signed <= newest.signed;
    if (decreasing && options.refuseDecreasing) return 'decreasing';
    const { signed, received } = entry;
    this.#entries.set(entry.digest, { key: this.#shared(entry.key), signed, received });
    if (options.ordered && !decreasing) {
      // Re-inserted, so that the Map stays in order of use and pruning stops early.
      this.#newest.delete(entry.clock);
      this.#newest.set(entry.clock, { signed, received });
    }
    return decreasing ? 'decreasing' : 'new';
  }

  #shared(key: string): string {
    const known = this.#keys.get(key);
    if (known === undefined) this.#keys.set(key, key);
    return known ?? key;
  }

  #prune(now: bigint): void {
    for (const [digest, entry] of this.#entries) {
      if (this.#entries.size < this.#maxEntries && entry.received >= now - this.#keep) break;
      this.#entries.delete(digest);
      const floor = this.#floors.get(entry.key);
      if (floor === undefined || entry.signed > floor) this.#floors.set(entry.key, entry.signed);
    }
    for (const clock of this.#newest.keys()) {
      if (this.#newest.size <= this.#maxEntries) break;
      this.#newest.delete(clock);
    }
  }
}

/** What identifies an opened stanza to the guard. */
export interface ReplayFacts {
  readonly me: Jid;
  /** Outer full JID of the sender. */
  readonly from: Jid;
  /** Fingerprint of the signing key. */
  readonly fingerprint: string;
  /** The octets as the signature hashed them, in mapped form. */
  readonly octets: Uint8Array;
  readonly signed: bigint;
  readonly received: bigint;
}

/** Remembers what was accepted, through a store. One guard an account is enough; stores may be shared. */
export class ReplayGuard {
  readonly store: ReplayStore;

  /** @param store in memory unless given */
  constructor(store: ReplayStore = memoryReplayStore()) {
    this.store = store;
  }

  /** The store's entry for an opened stanza. */
  async entry(facts: ReplayFacts): Promise<ReplayEntry> {
    const me = facts.me.bare().toString();
    // Joined into one piece, since stores keep it: a template string would keep its parts as well.
    const key = [me, facts.fingerprint].join(' ');
    // Never over signature bytes: an ECDSA signature (r, s) has a second valid form (r, n-s) that would pass as new.
    const octets = concatBytes(utf8(`${key} ${facts.signed}\n`), facts.octets);
    const digest = hex(await sha256(octets));
    const clock = [key, facts.from.toString()].join(' ');
    return { digest, key, clock, signed: facts.signed, received: facts.received };
  }
}
