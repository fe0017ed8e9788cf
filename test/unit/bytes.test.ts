import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asciiText,
  base64Decode,
  base64Encode,
  base64Text,
  concatBytes,
  equalBytes,
  hex,
  indexOfBytes,
  isPlainText,
  joinPieces,
  longText,
  octetPieces,
  rememberPlain,
  toCrlf,
  utf8,
  utf8Decode,
} from '../../src/bytes.ts';
import { E2eError } from '../../src/errors.ts';
import { encodeBase64Text } from '../../src/mime/transfer-encoding.ts';
import { element } from '../../src/xml/element.ts';
import { serializeXml } from '../../src/xml/serialize.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('UTF-8', () => {
  it('refuses lone surrogates, which TextEncoder would turn into U+FFFD', () => {
    expect(() => utf8('\ud800')).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
  });

  it.each([
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate (CESU-8)', [0xed, 0xa0, 0x80]],
    ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('refuses %s', (_, bytes) => {
    expect(() => utf8Decode(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
  });

  it('keeps a leading U+FEFF', () => {
    expect(utf8Decode(utf8('\ufeffa'))).toBe('\ufeffa');
  });
});

describe('base64', () => {
  it('agrees with Buffer and decodes itself, with lines and without', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0, 64), (bytes, lineLength) => {
        const encoded = base64Encode(bytes, lineLength);
        expect(text(encoded).replaceAll('\r\n', '')).toBe(Buffer.from(bytes).toString('base64'));
        expect(
          text(encoded)
            .split('\r\n')
            .every((line) => lineLength === 0 || line.length <= lineLength),
        ).toBe(true);
        expect(equalBytes(base64Decode(encoded), bytes)).toBe(true);
      }),
    );
    expect(base64Text(utf8('Hi'))).toBe('SGk=');
  });

  it('ignores white space anywhere and judges damaged text as the grammar does', () => {
    const strict = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(' ', '\t', '\n', '\r\n', '=', 'A', '/', '-', '\u0000')), {
          maxLength: 3,
        }),
        (bytes, damage) => {
          let damaged = Buffer.from(bytes).toString('base64');
          for (const [at, what] of damage) {
            const place = at % (damaged.length + 1);
            damaged = damaged.slice(0, place) + what + damaged.slice(place);
          }
          const bare = damaged.replace(/[ \t\r\n]/g, '');
          if (strict.test(bare))
            expect(text(base64Decode(utf8(damaged)))).toBe(Buffer.from(bare, 'base64').toString('latin1'));
          else
            expect(() => base64Decode(utf8(damaged))).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
        },
      ),
      { numRuns: 5000, seed: 64 },
    );
  });

  it.each([
    'A',
    'AA',
    'AAA',
    'AA=',
    'A===',
    'AAAA=',
    '=AAA',
    'AA==AAAA',
    'AB==',
    'AAB=',
    'QUJD*=DE??RA',
    'QQ\u00a0==',
    'AA-_',
    'AAAA=',
  ])('refuses %s, which a lax decoder reads as something else', (encoded) => {
    expect(() => base64Decode(utf8(encoded))).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
  });

  it('ignores space, tab, CR and LF alone', () => {
    expect(text(base64Decode(utf8(' Q\tU\r\nJ\nD ')))).toBe('ABC');
    expect(base64Decode(utf8('')).length).toBe(0);
  });
});

describe('plain text', () => {
  const digits = base64Text(new Uint8Array(3000), 64, '\n');

  it('is told of long texts only', () => {
    expect(isPlainText('a'.repeat(longText - 1))).toBe(false);
    expect(isPlainText('a'.repeat(longText))).toBe(true);
    expect(isPlainText(`${'a'.repeat(longText)}\0`)).toBe(false);
    expect(isPlainText(`${'a'.repeat(longText)}é`)).toBe(false);
  });

  it('is remembered once, and of the same text only', () => {
    // What is remembered need not be true here, so that it is seen to be remembered.
    const odd = `${digits}\0`;
    expect(rememberPlain(odd, 'head')).toBe(odd);
    expect(isPlainText(`${digits}\x01`)).toBe(false);
    expect(isPlainText(odd)).toBe(true);
    expect(isPlainText(odd)).toBe(false);
    rememberPlain(odd);
    rememberPlain(digits);
    expect(isPlainText(odd)).toBe(false);
  });

  it('is not remembered of a text with something in it that is not plain', () => {
    for (const other of ['\0', 'é', '\ud800', '\ufffe', '\x1f']) {
      const text = `${other}${digits}`;
      rememberPlain(text, 'a', other);
      expect(isPlainText(text)).toBe(false);
      expect(() => serializeXml(element('a', '', {}, [encodeBase64Text(new Uint8Array(3000), '\0')]))).toThrow(
        E2eError,
      );
    }
  });
});

describe('the CRLF map', () => {
  it('turns every line end into CRLF, once', () => {
    expect(text(toCrlf(utf8('a\nb\rc\r\nd\r\r\n\n')))).toBe('a\r\nb\r\nc\r\nd\r\n\r\n\r\n');
    fc.assert(
      fc.property(fc.array(fc.constantFrom(13, 10, 97)), (codes) => {
        const bytes = Uint8Array.from(codes);
        const mapped = toCrlf(bytes);
        expect(toCrlf(mapped)).toBe(mapped);
        expect(text(mapped)).toBe(text(bytes).replace(/\r\n|\r|\n/g, '\r\n'));
      }),
    );
  });
});

describe('byte strings', () => {
  it('joins octets and text as if each text were encoded alone', () => {
    const piece = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 80 }));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const octets = pieces.map((one) => (typeof one === 'string' ? utf8(one) : one));
        expect(joinPieces(pieces)).toEqual(concatBytes(...octets));
      }),
    );
  });

  it('leaves long octets as they are where pieces will do', () => {
    const [long, short] = [new Uint8Array(16_384), new Uint8Array(16_383)];
    const pieces = octetPieces(['a', short, long, 'é', 'b']);
    expect(pieces.map(({ length }) => length)).toEqual([16_384, 16_384, 3]);
    expect(pieces[1]).toBe(long);
    for (const half of ['\ud83d', '\ude00']) {
      expect(() => octetPieces([long, half])).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
    }
  });

  it('joins long texts as if they were one', () => {
    const long = 'It is the east, and Juliet is the sun.\r\n'.repeat(60);
    const piece = fc.constantFrom<(string | Uint8Array)[]>(
      ...[
        [long],
        ['a'],
        ['é'],
        [`${long}é`],
        ['😀'.repeat(1500)],
        [`${long}\ud83d`, '\ude00'],
        ['\ud83d', `\ude00${long}`],
      ],
      ...[[Uint8Array.of(0xff, 0x41)], [new Uint8Array(3000).fill(0x80)], [''], [new Uint8Array()]],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (lists) => {
        const octets = lists.map((list) => (typeof list[0] === 'string' ? utf8(list.join('')) : list[0]!));
        const joined = concatBytes(...octets);
        expect(joinPieces(lists.flat())).toEqual(joined);
        expect(concatBytes(...octetPieces(lists.flat()))).toEqual(joined);
      }),
    );
    for (const half of [`${long}\ud83d`, `\ude00${long}`]) {
      for (const pieces of [[half], [long, half], [half, long], [half, Uint8Array.of(1)], [half, half]]) {
        expect(() => joinPieces(pieces)).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
      }
    }
  });

  it.each([[['\ud83d', '\ude00']], [[Uint8Array.of(1), '\ud83d\ude00', Uint8Array.of(2)]]])(
    'takes a surrogate pair in one piece or two: %j',
    (pieces) => {
      expect(text(joinPieces(pieces))).toContain('\xf0\x9f\x98\x80');
    },
  );

  it.each([[['a', '\ud800']], [[Uint8Array.of(1), 'a\udc00']]])('joins no lone surrogate: %j', (pieces) => {
    expect(() => joinPieces(pieces, 'map')).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED', stage: 'map' }),
    );
  });

  it('decodes US-ASCII and nothing else', () => {
    expect(asciiText(Uint8Array.of(0, 0x41, 0x7f))).toBe('\0A\x7f');
    expect(asciiText(utf8('\u00e9'))).toBeUndefined();
  });

  it('are found, joined, compared and shown', () => {
    expect(indexOfBytes(utf8('aabaabaac'), utf8('aabaac'))).toBe(3);
    expect(indexOfBytes(utf8('abc'), utf8('cd'))).toBe(-1);
    expect(indexOfBytes(utf8('abc'), utf8(''), 2)).toBe(2);
    expect(hex(concatBytes(Uint8Array.of(0, 255), Uint8Array.of(16)))).toBe('00ff10');
    expect(equalBytes(utf8('ab'), utf8('ac'))).toBe(false);
    expect(equalBytes(utf8('ab'), utf8('abc'))).toBe(false);
  });
});
