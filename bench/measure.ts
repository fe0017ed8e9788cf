/**
 * Interleaved timing. Every round gives each function one short block of calls, in an order that turns from round to
 * round, so that whatever slows the machine for a while slows all of them. A benchmark library that finishes one task
 * before it starts the next cannot do that.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** Before each turn what is young is collected, so that nobody pays for what another one left. */
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;

/** How long to measure. */
export interface Budget {
  /** Milliseconds for all functions together. */
  readonly time: number;
  /** Milliseconds of one block. */
  readonly block: number;
  /** Rounds are at least this many, whatever they take. */
  readonly rounds: number;
}

const warmUp = 500;

/** Medians in milliseconds, by name. */
export async function medians(
  functions: Readonly<Record<string, () => unknown>>,
  { time, block, rounds }: Budget,
): Promise<Record<string, number>> {
  const entries = Object.entries(functions);
  const samples = new Map<string, number[]>(entries.map(([name]) => [name, []]));
  for (const [, run] of entries) {
    // Compiled before it is measured.
    const until = performance.now() + time / (2 * entries.length);
    for (let calls = 0; calls === 0 || (calls < warmUp && performance.now() < until); calls++) await run();
  }
  const end = performance.now() + time;
  for (let round = 0; round < rounds || performance.now() < end; round++) {
    for (let i = 0; i < entries.length; i++) {
      const [name, run] = entries[(i + round) % entries.length]!;
      const taken = samples.get(name)!;
      collect({ type: 'minor' });
      const until = performance.now() + block;
      let started: number;
      do {
        started = performance.now();
        const result = run();
        if (result instanceof Promise) await result;
        taken.push(performance.now() - started);
      } while (performance.now() < until);
    }
  }
  return Object.fromEntries([...samples].map(([name, taken]) => [name, median(taken)]));
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
