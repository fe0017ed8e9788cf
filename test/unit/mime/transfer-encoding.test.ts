import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { equalBytes, utf8 } from '../../../src/bytes.ts';
import { defaultLimits as limits } from '../../../src/limits.ts';
import { type Entity, parseEntity } from '../../../src/mime/entity.ts';
import { decodeBody, encodeBase64Body } from '../../../src/mime/transfer-encoding.ts';
import { runs } from '../../shared-data.ts';

const entity = (encoding: string, body: string | Uint8Array): Entity => {
  const head = utf8(`Content-Transfer-Encoding: ${encoding}\r\n\r\n`);
  return parseEntity(Buffer.concat([head, typeof body === 'string' ? Buffer.from(body, 'latin1') : body]), { limits });
};
const decoded = (encoding: string, body: string): string =>
  Buffer.from(decodeBody(entity(encoding, body))).toString('latin1');

test.each(['7bit', '8bit', 'binary', '8BIT'])('%s is the identity', (encoding) => {
  expect(decoded(encoding, 'a\0\xff\r\n\nb')).toBe('a\0\xff\r\n\nb');
});

test.each([
  ['x-uuencode', 'ERR_E2E_UNSUPPORTED'],
  ['none', 'ERR_E2E_UNSUPPORTED'],
])('refuses %s', (encoding, code) => {
  expect(() => decodeBody(entity(encoding, ''), 'decrypt')).toThrow(
    expect.objectContaining({ code, stage: 'decrypt' }),
  );
});

describe('base64', () => {
  test('ignores line ends only', () => expect(decoded('base64', 'aGVs\r\nbG8 =\n')).toBe('hello'));

  test.each(['aGVsbG8', 'aGVsbG8==', 'aGVsbG9=', 'aGVs*bG8=', 'aGVsbG8=aGVs', 'aGVs-_==', '====', 'a'])(
    'refuses %s',
    (text) => {
      expect(() => decoded('base64', text)).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
    },
  );

  test('lines of 64 characters, undone by decodeBody', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const encoded = encodeBase64Body(bytes);
        for (const line of Buffer.from(encoded).toString().split('\r\n')) expect(line.length).toBeLessThanOrEqual(64);
        expect(equalBytes(decodeBody(entity('base64', encoded)), bytes)).toBe(true);
        expect(equalBytes(Buffer.from(Buffer.from(encoded).toString(), 'base64'), bytes)).toBe(true);
      }),
      { numRuns: runs(2000), seed: 4 },
    );
  });
});

describe('quoted-printable', () => {
  test.each([
    // RFC 2045 section 6.7.
    [
      "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
      "Now's the time for all folk to come to the aid of their country.",
    ],
    ['=3D=e2=82=AC', '=\xe2\x82\xac'],
    ['a=20\r\nb=09', 'a \r\nb\t'],
    ['a b\tc', 'a b\tc'],
    ['', ''],
    ['=\r\n', ''],
    ['=00=0D=0A', '\0\r\n'],
  ])('%j', (text, expected) => expect(decoded('quoted-printable', text)).toBe(expected));

  test.each([
    '=',
    '=4',
    '=4G',
    '=G4',
    '= 4',
    'a \r\nb',
    'a\t\r\nb',
    'a ',
    'a\t',
    '\xe9',
    'a\nb',
    'a\rb',
    '=\n',
    '=\r',
    '\0',
    '\x7f',
  ])('refuses %j', (text) => {
    expect(() => decoded('quoted-printable', text)).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
  });
});
