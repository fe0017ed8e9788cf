/** Native and portable octet work must be the same function: one of them runs in browsers, the other on servers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Decode, base64Encode, concatBytes, utf8, utf8Decode } from '../../../src/bytes.ts';
import * as native from '../../../src/octets/node.ts';
import * as portable from '../../../src/octets/web.ts';

const octets = fc.uint8Array({ maxLength: 2000 });
const lineLengths = fc.constantFrom(0, 64);
const lineEnds = ['\r\n', '\n'] as const;

/** Base64 as others write it, in lines of any length. */
function linesOf(bytes: Uint8Array, length: number, end: string): string {
  const digits = Buffer.from(bytes).toString('base64');
  if (length === 0) return digits;
  let text = '';
  for (let i = 0; i < digits.length; i += length) text += digits.slice(i, i + length) + end;
  return text;
}

/** RFC 4648 section 4 with white space: the digits in fours, padded at the end, unused bits zero. */
function strict(text: string): Uint8Array | undefined {
  const digits = text.replaceAll(/[ \t\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits)) return undefined;
  const decoded = new Uint8Array(Buffer.from(digits, 'base64'));
  return Buffer.from(decoded).toString('base64') === digits ? decoded : undefined;
}

function decode(text: string | Uint8Array): Uint8Array | undefined {
  try {
    return base64Decode(text);
  } catch {
    return undefined;
  }
}

describe('native and portable octet work', () => {
  it('digests alike, "abc" as FIPS 180-4 has it', async () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(Buffer.from(native.sha256(utf8('abc'))).toString('hex')).toBe(abc);
    await fc.assert(
      fc.asyncProperty(octets, async (bytes) => {
        expect(native.sha256(bytes)).toEqual(await portable.sha256(bytes));
      }),
    );
  });

  it('encodes alike', () => {
    fc.assert(
      fc.property(octets, lineLengths, (bytes, length) => {
        expect(native.base64Octets(bytes, length)).toEqual(portable.base64Octets(bytes, length));
        for (const end of lineEnds) {
          const text = `a\n${linesOf(bytes, length, end)}b`;
          for (const { base64Lines } of [native, portable])
            expect(base64Lines([bytes], length, end, 'a\n', 'b')).toBe(text);
        }
      }),
    );
  });

  it('encodes pieces as the whole, wherever it was cut', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, lineLengths, (parts, length) => {
        const text = linesOf(concatBytes(...parts), length, '\n');
        for (const { base64Lines } of [native, portable]) expect(base64Lines(parts, length, '\n', '', '')).toBe(text);
      }),
    );
    const long = Uint8Array.from({ length: 30_000 }, (_, i) => (i * 7919) >> 3);
    for (const cut of [1, 47, 48, 49, 12_287, 12_288, 12_289, 29_999]) {
      const parts = [long.subarray(0, cut), long.subarray(cut), long.subarray(0, 5)];
      const text = linesOf(concatBytes(...parts), 64, '\n');
      for (const { base64Lines } of [native, portable])
        expect(base64Lines(parts, 64, '\n', '', '') === text).toBe(true);
    }
  });

  it.each([0, 64] as const)('encodes many octets as RFC 4648 has it, %i digits in a line', (length) => {
    const bytes = Uint8Array.from({ length: 40_000 }, (_, i) => (i * 7919) >> 3);
    const edges = [47, 48, 49, 50, 95, 96, 12_287, 12_288, 12_289, 12_335, 12_336, 24_575, 24_576, 24_577];
    for (const size of [0, 1, ...edges, 39_998, 39_999, 40_000]) {
      const part = bytes.subarray(0, size);
      for (const end of lineEnds) {
        const expected = `Head: x\n\n${linesOf(part, length, end)}=abc\n`;
        for (const { base64Lines } of [native, portable]) {
          expect(base64Lines([part], length, end, 'Head: x\n\n', '=abc\n') === expected, `${size}`).toBe(true);
        }
      }
      expect(native.base64Octets(part, length)).toEqual(portable.base64Octets(part, length));
      expect(native.base64Octets(part, length).constructor).toBe(Uint8Array);
    }
  });

  it('decodes US-ASCII, and leaves everything else to the decoder of UTF-8', () => {
    const text = 'It is the east, and Juliet is the sun.\r\n\0\x7f'.repeat(100);
    const bytes = Buffer.from(`xx${text}x`).subarray(2, -1);
    expect(native.decodeAscii(bytes)).toBe(text);
    for (const at of [0, 1, 2000, bytes.length - 1]) {
      for (const octet of [0x80, 0xc3, 0xe9, 0xff]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = octet;
        expect(native.decodeAscii(changed)).toBeUndefined();
        expect(() => utf8Decode(changed)).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
      }
    }
    for (const other of [text, `\ufeff${text}`, `${text}é`, `€${text}`, `${text}😀`]) {
      expect(utf8Decode(utf8(other))).toBe(other);
    }
    expect(portable.decodeAscii()).toBeUndefined();
  });

  it('counts the octets of a text alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud800', '\udc00'), (text, half) => {
        expect(native.utf8Length(text + half)).toBe(new TextEncoder().encode(text + half).length);
        expect(portable.utf8Length(text + half)).toBe(new TextEncoder().encode(text + half).length);
      }),
    );
  });

  it('finds alike', () => {
    const few = fc.array(fc.constantFrom(1, 2), { maxLength: 40 }).map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(few, few, fc.nat(50), (bytes, needle, from) => {
        fc.pre(needle.length > 0);
        expect(native.indexOfOctets(bytes, needle, from)).toBe(portable.indexOfOctets(bytes, needle, from));
      }),
    );
  });

  it('works on views of larger buffers', () => {
    const view = new Uint8Array(600).fill(7).subarray(300, 599);
    expect(native.base64Octets(view, 64)).toEqual(portable.base64Octets(view.slice(), 64));
    expect(base64Decode(native.base64Octets(view, 64))).toEqual(view.slice());
  });
});

describe('plain text', () => {
  const plain = /^[\t\n\r\x20-\x7f]*$/;

  it('is US-ASCII without control characters but TAB, LF and CR', () => {
    for (let unit = 0; unit < 0x300; unit++) {
      const character = String.fromCharCode(unit);
      for (const text of [character, `ab${character}`, `abc${character}defgh`]) {
        expect(native.isPlainText(text), `${unit}`).toBe(plain.test(text));
      }
    }
    for (const unit of [0x2028, 0xd83d, 0xdc00, 0xff00, 0xff41, 0xfffe, 0xffff, 0x0141, 0x4141]) {
      expect(native.isPlainText(`a${String.fromCharCode(unit)}`), `${unit}`).toBe(false);
    }
    expect(native.isPlainText('')).toBe(true);
  });

  it('is told wherever the odd character stands, and whatever stands beside it', () => {
    const fill = 'But soft, what light\n';
    for (const length of [16_383, 16_384, 16_385, 16_388, 32_767, 32_768, 32_771, 40_000]) {
      const text = fill.repeat(2000).slice(0, length);
      expect(native.isPlainText(text)).toBe(true);
      for (const at of [0, 1, 2, 3, 16_380, 16_382, 16_383, 16_384, 16_385, length - 2, length - 1]) {
        for (const odd of ['\0', '\b', '\v', '\x1f', '\x80', 'é', '\u0141', '\ufffe', '\ud800', '😀']) {
          expect(native.isPlainText(text.slice(0, at) + odd + text.slice(at + 1)), `${at} ${odd}`).toBe(false);
        }
        for (const odd of ['\t', '\r', '\x7f', '\r\n\t']) {
          expect(native.isPlainText(text.slice(0, at) + odd + text.slice(at + 1))).toBe(true);
        }
      }
    }
  });

  it.each([64, 76, 60])('is told in lines of %i digits of base64', (width) => {
    const bytes = Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7919) >> 3);
    const head = '<message><e2e>Content-Type: application/pkcs7-mime\n\n';
    for (const start of [head, '', 'x'.repeat(16_400), `${'x'.repeat(16_383)}\n`]) {
      const text = `${start}${linesOf(bytes, width, '\n')}</e2e></message>`;
      expect(native.isPlainText(text)).toBe(true);
      for (let at = 0; at < text.length; at += 997) {
        for (const odd of ['\0', '\x1f', '\x80', '\u0141', '\u010a', '\ud800', 'é', '=', '-', '~', ' ', '\n', 'A']) {
          for (const changed of [
            text.slice(0, at) + odd + text.slice(at + 1),
            text.slice(0, at) + odd + text.slice(at),
          ]) {
            if (native.isPlainText(changed) !== plain.test(changed)) expect.fail(`${at} ${JSON.stringify(odd)}`);
          }
        }
      }
      const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
      for (const at of [...ends.slice(0, 5), ...ends.slice(-5)]) {
        for (const odd of ['\0', '\v', '\u010a', '\u2028']) {
          expect(native.isPlainText(text.slice(0, at) + odd + text.slice(at + 1))).toBe(false);
        }
      }
    }
  });

  it('is nothing that fills the room for a piece with longer characters', () => {
    for (const character of ['é', '€', '😀', '\ud800', '\udc00']) {
      for (const before of [0, 1, 2, 3, 4]) {
        const text = 'a'.repeat(before) + character.repeat(20_000);
        expect(native.isPlainText(text)).toBe(false);
        expect(native.isPlainText('a'.repeat(16_384 - before) + text)).toBe(false);
      }
    }
  });

  it('is told as an expression tells it', () => {
    const unit = fc.oneof(
      { arbitrary: fc.constantFrom('a', '~', ' ', '\n', '\t', '\r'), weight: 60 },
      { arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), weight: 1 },
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 100 }), (text) => {
        expect(native.isPlainText(text)).toBe(plain.test(text));
      }),
    );
    expect(portable.isPlainText()).toBe(false);
  });
});

describe('base64 in even lines', () => {
  it.each(['\r\n', '\n', ''])('decodes as it was encoded, lines ended by %j, as text and as octets', (end) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 150, maxLength: 3000 }), (bytes) => {
        const text = linesOf(bytes, end === '' ? 0 : 64, end);
        expect(base64Decode(text)).toEqual(bytes);
        expect(base64Decode(utf8(text))).toEqual(bytes);
      }),
    );
  });

  it.each(['\r\n', '\n', ''])('refuses whatever the strict grammar refuses, lines ended by %j', (end) => {
    const bytes = Uint8Array.from({ length: 700 }, (_, i) => (i * 7919) >> 3);
    const text = linesOf(bytes, end === '' ? 0 : 64, end);
    // Characters that lax decoders skip, stop at, or read as digits of another alphabet.
    // The low octets of the last three are those of digits.
    const others = ['\u00a0', '\u2028', 'é', 'A', '==', '\u0141', '\u4142', '\uff2b'];
    for (const odd of ['-', '_', '=', ' ', '\t', '\n', '\r', '!', '\0', '\v', ...others]) {
      for (let at = 0; at < text.length; at += 29) {
        for (const cut of [0, 1]) {
          const changed = text.slice(0, at) + odd + text.slice(at + cut);
          expect(decode(changed), `${at} ${JSON.stringify(odd)}`).toEqual(strict(changed));
          expect(decode(utf8(changed))).toEqual(strict(changed));
        }
      }
    }
  });

  it.each([
    [64, '\n'],
    [64, '\r\n'],
    [76, '\r\n'],
    [4, '\n'],
    [16_384, '\n'],
    [20_000, '\n'],
    [0, ''],
  ])('judges many lines of %i digits as few', (width, end) => {
    for (const size of [40_000, 40_001, 40_002, 48 * 341, 48 * 342]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7919) >> 3);
      const text = linesOf(bytes, width, end);
      expect(Buffer.compare(base64Decode(text), bytes)).toBe(0);
      expect(Buffer.compare(base64Decode(utf8(text)), bytes)).toBe(0);
      expect(Buffer.compare(base64Decode(text.trimEnd()), bytes)).toBe(0);
      for (let at = 5; at < text.length; at += 4999) {
        for (const odd of ['-', '_', '=', ' ', '\n', '\r', '\0', '\u0141', 'é', 'A', '']) {
          for (const changed of [
            text.slice(0, at) + odd + text.slice(at + 1),
            text.slice(0, at) + odd + text.slice(at),
          ]) {
            const [got, expected] = [decode(changed), strict(changed)];
            if (
              (got === undefined) !== (expected === undefined) ||
              Buffer.compare(got ?? bytes, expected ?? bytes) !== 0
            ) {
              expect.fail(`${size} ${at} ${JSON.stringify(odd)}`);
            }
          }
        }
      }
    }
  });

  it('refuses unused bits and wrong padding at the end', () => {
    const text = Buffer.from(base64Encode(new Uint8Array(400), 64)).toString();
    for (const end of ['AA', 'AB==', 'AAB=', 'A===', 'AA=', 'AA==AA==', '====']) {
      expect(decode(text + end), end).toEqual(strict(text + end));
    }
  });
});

describe.each([
  ['native', native],
  ['portable', portable],
])('%s random octets', (_, { randomOctets }) => {
  it('come in any number and never twice', () => {
    for (const length of [0, 1, 12, 32, 64, 65, 5000]) expect(randomOctets(length).length).toBe(length);
    const drawn = Array.from({ length: 5000 }, () => Buffer.from(randomOctets(16)).toString('hex'));
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  it('share their memory with nothing', () => {
    const octets = randomOctets(32);
    expect(octets.buffer.byteLength).toBe(32);
  });
});
