import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateOf, formatInstant, instantOf, parseInstant } from '../../src/time.ts';

const ns = (text: string): bigint | undefined => parseInstant(text)?.nanoseconds;

describe('RFC 3339 date-times', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['1985-04-12T23:20:50.52Z', 482196050_520_000_000n],
    ['1996-12-19T16:39:57-08:00', 851042397_000_000_000n],
    // RFC 3339 section 5.8: the leap second of 1990, in UTC and in Pacific Standard Time.
    ['1990-12-31T23:59:60Z', 662688000_000_000_000n],
    ['1990-12-31T15:59:60-08:00', 662688000_000_000_000n],
    ['1937-01-01T12:00:27.87+00:20', -1041337172_130_000_000n],
    ['0001-01-01T00:00:00Z', -62135596800_000_000_000n],
    ['9999-12-31T23:59:59.999999999Z', 253402300799_999_999_999n],
    ['2000-02-29t00:00:00z', 951782400_000_000_000n],
    ['2026-11-22T12:00:00.12345678901234567890Z', 1795348800_123_456_789n],
  ])('%s', (text, nanoseconds) => {
    expect(ns(text)).toBe(nanoseconds);
  });

  it.each([
    '2003-02-30T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T12:00:60Z',
    '0000-01-01T00:00:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+00:60',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.123456789012345678901Z',
    '2026-1-1T00:00:00Z',
    '+2026-01-01T00:00:00Z',
    '',
    `2026-01-01T00:00:00.${'0'.repeat(100_000)}Z`,
  ])('not %s', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('say whether they are in UTC', () => {
    expect(parseInstant('2026-01-01T00:00:00Z')?.utc).toBe(true);
    expect(parseInstant('2026-01-01T00:00:00+00:00')?.utc).toBe(true);
    // RFC 3339 section 4.3: an unknown local offset.
    expect(parseInstant('2026-01-01T00:00:00-00:00')?.utc).toBe(false);
    expect(parseInstant('2026-01-01T01:00:00+01:00')?.utc).toBe(false);
  });

  it('are written so that reading gives the same microsecond', () => {
    const range = { min: -62135596800_000_000n, max: 253402300799_999_999n };
    fc.assert(
      fc.property(fc.bigInt(range), (microseconds) => {
        const text = formatInstant(microseconds * 1000n);
        expect(ns(text)).toBe(microseconds * 1000n);
        expect(text).toMatch(/\.\d{3}(\d{3})?Z$/);
      }),
    );
  });

  it('cut what is below a microsecond towards the past', () => {
    expect(formatInstant(1_999n)).toBe('1970-01-01T00:00:00.000001Z');
    expect(formatInstant(-1n)).toBe('1969-12-31T23:59:59.999999Z');
  });

  it('become Dates and come from Dates', () => {
    const date = new Date('2026-11-22T12:00:00.123Z');
    expect(dateOf(instantOf(date)).getTime()).toBe(date.getTime());
  });
});
