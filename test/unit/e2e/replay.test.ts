/** The replay store in memory and the entries of a guard, apart from any stanza. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ReplayOutcome } from '../../../src/e2e/replay.ts';
import {
  Jid,
  memoryReplayStore,
  type RecordOptions,
  type ReplayEntry,
  ReplayGuard,
  type ReplayStore,
} from '../../../src/index.ts';

const second = 1_000_000_000n;
const ordered: RecordOptions = { ordered: true, refuseDecreasing: false, decreasingWindow: 600n * second };
const refusing: RecordOptions = { ...ordered, refuseDecreasing: true };
const unordered: RecordOptions = { ...ordered, ordered: false };

/** The store in memory answers at once. */
const record = (store: ReplayStore, one: ReplayEntry, options: RecordOptions): ReplayOutcome =>
  store.record(one, options) as ReplayOutcome;

let number = 0;
/** A new entry, signed and received so many seconds after the beginning. */
function entry(signed: number, received = signed, more: Partial<ReplayEntry> = {}): ReplayEntry {
  const digest = createHash('sha256').update(`${number++}`).digest('hex');
  return {
    digest,
    key: 'k',
    clock: 'c',
    signed: BigInt(signed) * second,
    received: BigInt(received) * second,
    ...more,
  };
}

describe('the store in memory', () => {
  it('knows what it recorded, and nothing else', () => {
    const store = memoryReplayStore();
    const one = entry(1);
    expect([store.has(one), record(store, one, ordered), store.has(one), record(store, one, ordered)]).toEqual([
      ...[false, 'new', true, 'known'],
    ]);
    expect(store.has(entry(1))).toBe(false);
  });

  it('says since when it is complete', () => {
    expect(memoryReplayStore({ since: new Date(5000) }).since()).toBe(5n * second);
    const before = BigInt(Date.now()) * 1_000_000n;
    expect(memoryReplayStore().since()).toBeGreaterThanOrEqual(before);
  });

  it('tells times of one clock that do not increase', () => {
    const store = memoryReplayStore();
    expect(record(store, entry(10), ordered)).toBe('new');
    expect(record(store, entry(10), ordered)).toBe('decreasing');
    expect(record(store, entry(9), ordered)).toBe('decreasing');
    expect(record(store, entry(11), ordered)).toBe('new');
    expect(record(store, entry(5, 11, { clock: 'd' }), ordered)).toBe('new');
    expect(record(store, entry(5, 11), unordered)).toBe('new');
  });

  it('records what is out of order, unless that is refused', () => {
    const store = memoryReplayStore();
    const [late, again] = [entry(9), entry(8)];
    record(store, entry(10), ordered);
    expect([record(store, late, refusing), store.has(late)]).toEqual(['decreasing', false]);
    expect([record(store, again, ordered), store.has(again)]).toEqual(['decreasing', true]);
  });

  it('what is out of order, or without one, does not turn the clock back or forth', () => {
    const store = memoryReplayStore();
    record(store, entry(10), ordered);
    record(store, entry(5), ordered);
    expect(record(store, entry(7), refusing)).toBe('decreasing');
    record(store, entry(50), unordered);
    expect(record(store, entry(20), refusing)).toBe('new');
  });

  it('remembers order for as long as it is told to, the last moment included', () => {
    for (const [received, outcome] of [
      [610, 'decreasing'],
      [611, 'new'],
    ] as const) {
      const store = memoryReplayStore();
      record(store, entry(10, 10), ordered);
      expect(record(store, entry(9, received), ordered)).toBe(outcome);
    }
  });

  it('forgets the oldest for want of room, and what is not after it is known by its key', () => {
    const store = memoryReplayStore({ maxEntries: 2 });
    const entries = [entry(3), entry(1), entry(5), entry(7)];
    for (const one of entries) expect(record(store, one, unordered)).toBe('new');
    // The entries of 3 and 1 are gone: 3 is the floor.
    expect(entries.map((one) => store.has(one))).toEqual([true, true, true, true]);
    expect(store.has(entry(3))).toBe(true);
    expect(store.has(entry(2))).toBe(true);
    expect(store.has(entry(4))).toBe(false);
    expect(store.has(entry(2, 2, { key: 'other' }))).toBe(false);
    expect(record(store, entry(3), ordered)).toBe('known');
  });

  it('holds exactly as many as it is told', () => {
    const store = memoryReplayStore({ maxEntries: 2 });
    const entries = [entry(10), entry(20)];
    for (const one of entries) record(store, one, unordered);
    expect(store.has(entry(5))).toBe(false);
    record(store, entry(30), unordered);
    expect(store.has(entry(5))).toBe(true);
    expect(store.has(entry(15))).toBe(false);
  });

  it('forgets after so many seconds, 30 days unless told otherwise', () => {
    for (const [keepSeconds, keep] of [
      [10, 10],
      [undefined, 30 * 86_400],
    ] as const) {
      for (const [late, known] of [
        [keep, false],
        [keep + 1, true],
      ] as const) {
        const store = memoryReplayStore({ keepSeconds });
        record(store, entry(10, 0), unordered);
        record(store, entry(keep + 100, late), unordered);
        // Below the floor that a forgotten entry leaves.
        expect(store.has(entry(5))).toBe(known);
      }
    }
  });

  it('forgets the devices that were silent longest for want of room', () => {
    const store = memoryReplayStore({ maxEntries: 2, keepSeconds: 1_000_000 });
    const at = (clock: string, signed: number, key: string): ReplayEntry => entry(signed, 100, { clock, key });
    record(store, at('a', 50, '1'), ordered);
    record(store, at('b', 50, '2'), ordered);
    // Used again, so that b is the oldest when there is no room for three.
    record(store, at('a', 51, '3'), ordered);
    record(store, at('c', 50, '4'), ordered);
    expect(record(store, at('a', 40, '6'), ordered)).toBe('decreasing');
    expect(record(store, at('b', 40, '7'), ordered)).toBe('new');
  });
});

describe('the entries of a guard', () => {
  const facts = {
    me: Jid.parse('romeo@example.net/orchard'),
    from: Jid.parse('juliet@example.com/balcony'),
    fingerprint: 'ab',
    octets: new TextEncoder().encode('octets'),
    ...{ signed: 5n, received: 7n },
  };

  it('are made of my bare address, the key, the octets and the signed time', async () => {
    const made = await new ReplayGuard().entry(facts);
    const digest = createHash('sha256').update('romeo@example.net ab 5\noctets').digest('hex');
    expect(made).toEqual({
      ...{ digest, key: 'romeo@example.net ab', clock: 'romeo@example.net ab juliet@example.com/balcony' },
      ...{ signed: 5n, received: 7n },
    });
  });

  it('differ by each of these, and by nothing else', async () => {
    const guard = new ReplayGuard();
    const digest = async (more: object): Promise<string> => (await guard.entry({ ...facts, ...more })).digest;
    const one = await digest({});
    for (const same of [{ received: 8n }, { me: facts.me.bare() }, { from: facts.from.bare() }])
      expect(await digest(same)).toBe(one);
    const others = [
      { me: Jid.parse('mercutio@example.net') },
      { fingerprint: 'ac' },
      { octets: new Uint8Array() },
      { signed: 6n },
    ];
    for (const other of others) expect(await digest(other)).not.toBe(one);
  });

  it('are kept in memory unless a store is given', () => {
    const store = memoryReplayStore();
    expect(new ReplayGuard(store).store).toBe(store);
    expect(new ReplayGuard().store.has(entry(1))).toBe(false);
  });
});
