/** Native and portable octet work must be the same function: one of them runs in browsers, the other on servers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Decode, base64Encode, base64Text, utf8 } from '../../../src/bytes.ts';
import * as native from '../../../src/octets/node.ts';
import * as portable from '../../../src/octets/web.ts';

const octets = fc.uint8Array({ maxLength: 2000 });
const lineLengths = fc.constantFrom(0, 4, 60, 64, 76, 256);

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
  it('encodes alike, in lines of any length', () => {
    fc.assert(
      fc.property(octets, lineLengths, (bytes, length) => {
        expect(native.base64Octets(bytes, length)).toEqual(portable.base64Octets(bytes, length));
        for (const end of ['\r\n', '\n']) {
          expect(native.base64Lines(bytes, length, end)).toBe(portable.base64Lines(bytes, length, end));
        }
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

describe('base64 in even lines', () => {
  it.each(['\r\n', '\n', ''])('decodes as it was encoded, lines ended by %j, as text and as octets', (end) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 150, maxLength: 3000 }), (bytes) => {
        const text = base64Text(bytes, end === '' ? 0 : 64, end);
        expect(base64Decode(text)).toEqual(bytes);
        expect(base64Decode(utf8(text))).toEqual(bytes);
      }),
    );
  });

  it.each(['\r\n', '\n', ''])('refuses whatever the strict grammar refuses, lines ended by %j', (end) => {
    const bytes = Uint8Array.from({ length: 700 }, (_, i) => (i * 7919) >> 3);
    const text = base64Text(bytes, end === '' ? 0 : 64, end);
    // Characters that lax decoders skip, stop at, or read as digits of another alphabet.
    for (const odd of ['-', '_', '=', ' ', '\t', '\n', '\r', '!', '\0', '\v', '\u00a0', '\u2028', 'é', 'A', '==']) {
      for (let at = 0; at < text.length; at += 29) {
        for (const cut of [0, 1]) {
          const changed = text.slice(0, at) + odd + text.slice(at + cut);
          expect(decode(changed), `${at} ${JSON.stringify(odd)}`).toEqual(strict(changed));
          expect(decode(utf8(changed))).toEqual(strict(changed));
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
