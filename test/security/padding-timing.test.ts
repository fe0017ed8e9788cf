/** The timing harness for RSA PKCS #1 v1.5 runs and reports; what it finds depends on the machine, and is not asserted. */
import { describe, expect, it } from 'vitest';
import { measurePadding, paddingHead, paddingLine, welch } from '../../bench/padding-timing.ts';

describe('the padding timing harness', () => {
  it('has a row for each fault, for the decoder and for the leaky control', { timeout: 60_000 }, async () => {
    const lines: string[] = [];
    const rows = await measurePadding(20, (line) => lines.push(line));
    expect(lines).toEqual(rows.map(paddingLine));
    const [head, rule] = paddingHead.split('\n');
    const columns = (line: string): number => line.split('|').length;
    for (const line of [rule!, ...lines]) expect(columns(line)).toBe(columns(head!));
    for (const decoder of ['ours', 'leaky']) {
      const faults = rows.filter((row) => row.decoder === decoder).map(({ fault }) => fault);
      expect(new Set(faults).size).toBe(7);
    }
    for (const { samples, valid, invalid, t } of rows) {
      expect(samples).toBeGreaterThan(1);
      expect(Math.min(valid, invalid)).toBeGreaterThan(0);
      expect(Number.isFinite(t)).toBe(true);
    }
  });

  it("computes Welch's t", () => {
    // Means 2 and 5, variances 1 and 4, three values each: -3 / sqrt(1/3 + 4/3).
    expect(welch([1, 2, 3], [3, 5, 7])).toBeCloseTo(-3 / Math.sqrt(5 / 3), 12);
    expect(welch([3, 5, 7], [1, 2, 3])).toBeCloseTo(3 / Math.sqrt(5 / 3), 12);
  });
});
