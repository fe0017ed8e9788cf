/** Replay entries by number: one key, one clock, times one second apart. */
import { createHash } from 'node:crypto';
import type { RecordOptions, ReplayEntry } from '../../../src/e2e/replay.ts';

export const second = 1_000_000_000n;
export const epoch = 1_767_225_600n * second;

export const ordered: RecordOptions = { ordered: true, refuseDecreasing: false, decreasingWindow: 600n * second };
export const unordered: RecordOptions = { ...ordered, ordered: false };
export const refusing: RecordOptions = { ...ordered, refuseDecreasing: true };

export function entryOf(number: number, more: Partial<ReplayEntry> = {}): ReplayEntry {
  const time = epoch + BigInt(number) * second;
  return {
    digest: createHash('sha256').update(`entry ${number}`).digest('hex'),
    key: 'romeo@example.net 00ff',
    clock: 'romeo@example.net 00ff juliet@example.com/balcony',
    signed: time,
    received: time,
    ...more,
  };
}
