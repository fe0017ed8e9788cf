/**
 * Dates and base64 that lax readers take (V8 reads 30 February as 2 March, Buffer skips what is no base64): two readers
 * who differ about a time differ about a replay, and two spellings of one object make it look new.
 */
import { describe, expect, it } from 'vitest';
import { base64Decode, utf8 } from '../../src/bytes.ts';
import { E2E_NAMESPACE, E2eError, rfc3923Policy, strictPolicy } from '../../src/index.ts';
import { parseInstant } from '../../src/time.ts';
import { backendNames, people } from '../people.ts';
import { cpim } from '../unit/e2e/scene.ts';
import { crafted, openAs, refused } from './crafted.ts';

const dates = [
  '2026-02-30T12:00:00Z',
  '2026-11-22T24:00:00Z',
  '2026-11-22T12:60:00Z',
  '2026-11-22T12:00:60Z',
  '2026-11-22T12:00:61Z',
  '2026-11-31T12:00:00Z',
  '2025-02-29T12:00:00Z',
  '2026-00-22T12:00:00Z',
  '2026-11-00T12:00:00Z',
  '2026-11-22T12:00:00',
  '2026-11-22 12:00:00Z',
  '2026-11-22T12:00Z',
  '2026-11-22',
  '2026-11-22T12:00:00.Z',
  '2026-11-22T12:00:00,5Z',
  '2026-11-22T12:00:00+24:00',
  '2026-11-22T12:00:00+0000',
  '2026-11-22T12:00:00 Z',
  '+002026-11-22T12:00:00Z',
  '2026-W47-7T12:00:00Z',
  'Sun, 22 Nov 2026 12:00:00 GMT',
  '22 Nov 2026 12:00:00 UTC',
  '1795348800000',
  '2026-11-22T12:00:00Z\u0000',
  '２０２６-11-22T12:00:00Z',
] as const;

const base64 = [
  ['a character of base64url', 'QUJ-'],
  ['an underscore', 'QUJ_'],
  ['text after the padding', 'QUJDQQ==QUJD'],
  ['padding in the middle', 'QUI=QUJD'],
  ['what Buffer ends at', 'QUJD*=DE??RA'],
  ['no padding', 'QUI'],
  ['one digit too many', 'QUJDQ'],
  ['too much padding', 'QUI=='],
  ['padding alone', '===='],
  ['unused bits that are not zero', 'QUJ='],
  ['unused bits of two octets', 'QR=='],
  ['a no-break space', 'QU\u00a0JD'],
  ['a form feed', 'QU\fJD'],
  ['a NUL', 'QU\u0000JD'],
  ['a comma', 'QUJD,QUJD'],
  ['a percent escape', 'QUJD%3D'],
] as const;

describe('dates', () => {
  it.each(dates)('%j is none', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('of which V8 takes several for another time', () => {
    expect(dates.filter((text) => !Number.isNaN(Date.parse(text))).length).toBeGreaterThan(8);
  });
});

describe('base64', () => {
  it.each(base64)('with %s is none', (_, text) => {
    expect(() => base64Decode(utf8(text))).toThrow(E2eError);
    // Buffer takes every one of them.
    expect(Buffer.from(text, 'base64')).toBeInstanceOf(Buffer);
  });
});

describe.each(backendNames)('signed by Juliet, with %s', (name) => {
  it(`${dates.length} dates that are none are refused under every policy`, async () => {
    const { juliet: her, romeo: him } = await people(name);
    for (const date of dates) {
      const stanza = await crafted(her, him, cpim({ DateTime: date }));
      for (const policy of [strictPolicy, rfc3923Policy])
        await refused(openAs(him, stanza, { policy }), 'ERR_E2E_PAYLOAD_INVALID', 'ERR_E2E_TIMESTAMP').catch(
          (cause: unknown) => {
            throw new Error(date, { cause });
          },
        );
    }
  });

  it('an object has no other spelling than by white space', async () => {
    const { juliet: her, romeo: him } = await people(name);
    const stanza = await crafted(her, him, cpim());
    const e2e = stanza.first('e2e', E2E_NAMESPACE)!;
    const lines = e2e.text.split('\n');
    // A full line in the middle of the object.
    const full = [...lines.keys()].filter((i) => i < lines.length - 2 && /^[A-Za-z0-9+/]{60,}$/.test(lines[i]!));
    const place = full.at(-1);
    const respelt = (line: (old: string) => string) => {
      const changed = lines.map((old, i) => (i === place ? line(old) : old)).join('\n');
      return stanza.withChildren([e2e.withChildren([changed])]);
    };
    for (const insert of ['*', '-', '_', '=', '%', '\u00a0', ',']) {
      const spelt = respelt((old) => old.slice(0, 20) + insert + old.slice(20));
      await refused(openAs(him, spelt), 'ERR_E2E_MALFORMED', 'ERR_E2E_DECRYPTION_FAILED', 'ERR_E2E_UNSUPPORTED');
    }
    // The native decoder reads the low octet of a character: these would be the digits that they stand in for.
    for (const high of [0x01, 0x41, 0xff]) {
      const spelt = respelt(
        (old) => old.slice(0, 20) + String.fromCharCode((high << 8) | old.charCodeAt(20)) + old.slice(21),
      );
      await refused(openAs(him, spelt), 'ERR_E2E_MALFORMED', 'ERR_E2E_DECRYPTION_FAILED', 'ERR_E2E_UNSUPPORTED');
    }
    const spaced = respelt((old) => `${old.slice(0, 20)} \t\n${old.slice(20)}`);
    expect((await openAs(him, spaced)).verdict.sender).not.toBeNull();
  });
});
