/** The benchmark runs, and every contender's result is right; how fast it is depends on the machine. */
import { describe, expect, it } from 'vitest';
import { kinds, operations } from '../../bench/contender.ts';
import { median, medians } from '../../bench/measure.ts';
import { isSlow } from '../../bench/openssl-speed.ts';
import { table } from '../../bench/report.ts';
import { quickPlan, runPlan } from '../../bench/run.ts';

const minimal = {
  ...quickPlan,
  sizes: [1024],
  budget: { time: 0, block: 0, rounds: 1 },
  warmUp: 0,
  processCalls: 0,
  opensslSpeed: false,
};

describe('the benchmark', () => {
  it('has a row for every kind of key and operation, each with a floor', { timeout: 120_000 }, async () => {
    const result = await runPlan(minimal, () => undefined);
    expect(result.rows.map(({ kind, operation }) => `${kind} ${operation}`)).toEqual(
      kinds.flatMap(({ title }) => operations.map((operation) => `${title} ${operation}`)),
    );
    for (const row of result.rows) {
      expect(row.ours, row.kind).toBeGreaterThan(0);
      expect(row.raw, row.kind).toBeGreaterThan(0);
      expect(row.library === undefined, row.kind).toBe(row.kind === 'S/MIME Curve25519');
    }
    expect(result.formats).toHaveLength(1);
    expect(JSON.parse(JSON.stringify(result))).toMatchObject({ rows: expect.any(Array), versions: expect.any(Object) });
    const lines = table(result).split('\n');
    for (const { title } of kinds) {
      expect(lines.filter((line) => line.startsWith(`| ${title} `))).toHaveLength(operations.length);
    }
  });

  it('takes turns', async () => {
    const order: string[] = [];
    const functions = { a: () => order.push('a'), b: () => order.push('b') };
    const taken = await medians(functions, { time: 0, block: 0, rounds: 3 });
    expect(order.slice(2).join('')).toBe('abbaab');
    expect(Object.keys(taken)).toEqual(['a', 'b']);
    expect(median([3, 1, 2])).toBe(2);
  });

  it('fails where raw is no floor', () => {
    const row = { key: 'p256', operation: 'sign', openssl: 20 } as const;
    expect(isSlow({ ...row, raw: 31 })).toBe(true);
    expect(isSlow({ ...row, raw: 29 })).toBe(false);
  });
});
