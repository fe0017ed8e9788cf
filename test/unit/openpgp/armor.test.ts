/** ASCII armor (RFC 4880 section 6), against the library's and GnuPG's. */
import fc from 'fast-check';
import * as openpgp from 'openpgp';
import { describe, expect, it } from 'vitest';
import {
  armorText,
  armorType,
  isArmored,
  readArmor,
  readArmorText,
  readOneArmor,
  writeArmor,
} from '../../../src/backends/openpgp/armor.ts';
import { wrapEncrypted, wrapEncryptedText } from '../../../src/backends/openpgp/mime.ts';
import { crc24 } from '../../../src/backends/openpgp/crc24.ts';
import { crlfText, utf8 } from '../../../src/bytes.ts';
import { cpuTime } from '../../cpu-time.ts';

const read = (text: string) => readOneArmor(utf8(text), 'MESSAGE', 'unwrap');
const data = Uint8Array.from({ length: 100 }, (_, i) => i);
const good = new TextDecoder().decode(writeArmor('MESSAGE', data, true));

describe('armor', () => {
  it('reads its own writing, with and without checksum', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, checksum) => {
        expect(readOneArmor(writeArmor('SIGNATURE', bytes, checksum), 'SIGNATURE', 'unwrap')).toEqual(bytes);
      }),
    );
  });

  it('is what the library writes, checksum included', () => {
    const theirs = openpgp.armor(openpgp.enums.armor.message, data, undefined, undefined, undefined, true);
    expect(good.split('\r\n').at(-3)).toBe(theirs.trim().split('\n').at(-2));
    expect(read(theirs)).toEqual(data);
  });

  it.each([
    ['headers', good.replace('\r\n\r\n', '\r\nVersion: GnuPG v2\r\nComment: äöü\r\nHash:\r\n\r\n')],
    ['LF', good.replaceAll('\r\n', '\n')],
    ['blank lines around', `\r\n \r\n${good}\r\n\r\n`],
    ['trailing blanks', good.replaceAll('\r\n', ' \t\r\n')],
    ['no checksum', good.replace(/=....\r\n/, '')],
    // RFC 9580 section 6.1: a wrong checksum is no reason to refuse.
    ['a wrong checksum', good.replace(/=....\r\n/, '=AAAA\r\n')],
    ['no line end at the end', good.trimEnd()],
  ])('takes %s', (_, text) => expect(read(text)).toEqual(data));

  it.each([
    ['text before', `hello\r\n${good}`],
    ['text after', `${good}hello`],
    ['text on the last line', good.replace(/-----\r\n$/, '-----hello')],
    ['no end', good.slice(0, -30)],
    ['another end', good.replace('END PGP MESSAGE', 'END PGP SIGNATURE')],
    ['an end inside a line', good.replace('\r\n-----END', '-----END')],
    ['no empty line', good.replace('\r\n\r\n', '\r\n')],
    ['a header that is none', good.replace('\r\n\r\n', '\r\nhello\r\n\r\n')],
    ['17 headers', good.replace('\r\n\r\n', `\r\n${'A: b\r\n'.repeat(18)}\r\n`)],
    ['a long header', good.replace('\r\n\r\n', `\r\nA: ${'b'.repeat(300)}\r\n\r\n`)],
    ['no base64', good.replace('AAEC', 'A*EC')],
    ['two armors', good + good],
    ['another type', new TextDecoder().decode(writeArmor('SIGNATURE', data, true))],
    ['nothing', ' \r\n'],
  ])('refuses %s', (_, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }) as Error);
  });

  it.each(['SIGNED MESSAGE', 'MESSAGE, PART 1/2', 'ARMORED FILE'])('does not support %s', (type) => {
    const text = good.replaceAll('PGP MESSAGE', `PGP ${type}`);
    expect(armorType(utf8(text))).toBeUndefined();
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'ERR_E2E_UNSUPPORTED' }) as Error);
  });

  it('tells armor from octets', () => {
    expect(isArmored(utf8(`\r\n ${good}`))).toBe(true);
    expect(isArmored(utf8('-----BEGIN CMS-----'))).toBe(false);
    expect(isArmored(new Uint8Array())).toBe(false);
    expect(armorType(utf8(good))).toBe('MESSAGE');
    expect(armorType(data)).toBeUndefined();
  });

  it('reads several blocks of a key file', () => {
    const two = writeArmor('PUBLIC KEY BLOCK', data, true);
    const blocks = readArmor(utf8(new TextDecoder().decode(two).repeat(2)), 'parse');
    expect(blocks).toEqual([
      { type: 'PUBLIC KEY BLOCK', data },
      { type: 'PUBLIC KEY BLOCK', data },
    ]);
  });

  it('takes time in proportion to the length', () => {
    const time = (size: number): number => {
      const bytes = utf8('-----BEGIN PGP MESSAGE-----\r\n\r\n'.repeat(size / 32));
      const times = Array.from({ length: 5 }, () => {
        const start = cpuTime();
        expect(() => readArmor(bytes, 'unwrap')).toThrow();
        return cpuTime() - start;
      });
      return Math.min(...times);
    };
    time(1 << 16);
    // Sixteen times the length; quadratic time would be 256 times as much.
    expect(time(1 << 20)).toBeLessThan(64 * Math.max(time(1 << 16), 0.1));
  });
});

describe('CRC-24', () => {
  it('is 21CF02 for the digits, as catalogues of checksums have it, and right for every length', () => {
    expect(Buffer.from(crc24(utf8('123456789'))).toString('hex')).toBe('21cf02');
    for (let length = 0; length < 70; length++) {
      const data = Uint8Array.from({ length }, (_, i) => (i * 151 + length * 7) & 255);
      // Bit by bit, as RFC 4880 section 6.1 writes it.
      let crc = 0xb704ce;
      for (const octet of data) {
        crc ^= octet << 16;
        for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x800000) === 0 ? 0 : 0x1864cfb);
      }
      expect(Buffer.from(crc24(data)).readUIntBE(0, 3)).toBe(crc & 0xffffff);
    }
  });
});

describe('armor as text', () => {
  it('is the same with LF line ends, and so is the PGP/MIME around it', () => {
    const lf = (octets: Uint8Array) => new TextDecoder().decode(octets).replaceAll('\r\n', '\n');
    // The boundary is random.
    const fixed = (text: string) => text.replaceAll(/[0-9a-f]{32}/g, 'boundary');
    for (const checksum of [true, false]) {
      for (const length of [0, 1, 47, 48, 49, 96, 100, 5000]) {
        const octets = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
        expect(armorText('MESSAGE', octets, checksum)).toBe(lf(writeArmor('MESSAGE', octets, checksum)));
        const whole = fixed(lf(wrapEncrypted(octets, checksum)));
        for (const cut of [0, 1, 48, 100]) {
          const pieces = [octets.subarray(0, cut), octets.subarray(cut)];
          expect(fixed(wrapEncryptedText(pieces, checksum))).toBe(whole);
        }
      }
    }
  });
});

describe('armor as text', () => {
  const text = armorText('MESSAGE', data, true);
  /** What is taken as text is taken as octets too. */
  const compared = (other: string): boolean => {
    const octets = readArmorText('MESSAGE', other);
    if (octets !== undefined) expect(octets).toEqual(readOneArmor(utf8(crlfText(other)), 'MESSAGE', 'unwrap'));
    return octets !== undefined;
  };

  it.each([
    ['a checksum', text],
    ['no checksum', armorText('MESSAGE', data, false)],
    ['a wrong checksum', text.replace(/=....\n-/, '=AAAA\n-')],
    ['no line end at the end', text.trimEnd()],
    ['nothing inside', armorText('MESSAGE', new Uint8Array(), false)],
    ['nothing but a checksum', armorText('MESSAGE', new Uint8Array(), true)],
    ['a blank line before the end', text.replace(/=....\n/, '\n')],
  ])('takes %s', (_, other) => expect(compared(other)).toBe(true));

  it.each([
    ['headers', text.replace('\n\n', '\nVersion: GnuPG v2\n\n')],
    ['CRLF', crlfText(text)],
    ['CR in the middle', text.replace('\n', '\r')],
    ['text before', `hello\n${text}`],
    ['text behind', `${text}hello`],
    ['a second armor', text + text],
    ['another type', armorText('SIGNATURE', data, true)],
    ['no end', text.slice(0, -10)],
    ['an end in the middle of a line', text.replace('\n-----END', '-----END')],
    ['a checksum that is not in its own line', text.replace('\n=', '=')],
    ['what is no base64', text.replace('AAEC', 'AA-C')],
    ['characters outside US-ASCII', text.replace('AAEC', 'AA\u0141C')],
    ['padding in a line of its own', text.replace('Yw==', 'Yw\n==')],
    ['padding that looks like a checksum', text.replace(/==\n=....\n/, '\n=   =\n')],
    ['padding behind CR', text.replace(/==\n=....\n/, '\r=   =\n')],
    ['digits behind the checksum', text.replace(/(=....\n)/, '$1AAAA\n')],
  ])('leaves %s to the reader of octets', (_, other) => expect(compared(other)).toBe(false));

  it('is the same as octets in any disguise', () => {
    const pieces = [
      '\n',
      '\r',
      ' ',
      '=',
      '\n=AAAA',
      'A',
      '-',
      '-----',
      '-----END PGP MESSAGE-----',
      '\u00e9',
      '\ufeff',
    ];
    let taken = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(text.length), fc.nat(3), fc.constantFrom('', ...pieces)), { maxLength: 3 }),
        (edits) => {
          let edited = text;
          for (const [at, cut, piece] of edits) edited = edited.slice(0, at) + piece + edited.slice(at + cut);
          if (compared(edited)) taken++;
        },
      ),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(250);
  });
});
