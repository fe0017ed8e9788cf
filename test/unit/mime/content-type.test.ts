import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { parseContentType, serializeContentType } from '../../../src/mime/content-type.ts';
import { E2eError } from '../../../src/errors.ts';
import { runs } from '../../shared-data.ts';

const entries = (value: string): [string, Record<string, string>] => {
  const { type, parameters } = parseContentType(value);
  return [type, Object.fromEntries(parameters)];
};

describe('parseContentType', () => {
  test.each<[string, string, Record<string, string>]>([
    ['text/plain', 'text/plain', {}],
    ['Message/CPIM', 'message/cpim', {}],
    ['text/plain; charset=utf-8', 'text/plain', { charset: 'utf-8' }],
    ['TEXT/Plain;CHARSET="UTF-8"', 'text/plain', { charset: 'UTF-8' }],
    ['a/b ;\t x=1 ; y="a b;c" ', 'a/b', { x: '1', y: 'a b;c' }],
    [String.raw`a/b; x="a\"b\\c"`, 'a/b', { x: String.raw`a"b\c` }],
    ['a/b; x=""', 'a/b', { x: '' }],
    // RFC 2045 section 5.1: quoted and unquoted spelling mean the same.
    ['text/plain; charset="us-ascii"', 'text/plain', { charset: 'us-ascii' }],
    // The spelling of RFC 3862 section 5.2 and RFC 3923, unfolded.
    [
      'multipart/signed; boundary=next;              micalg=sha1;              protocol=application/pkcs7-signature',
      'multipart/signed',
      { boundary: 'next', micalg: 'sha1', protocol: 'application/pkcs7-signature' },
    ],
    // The backslash fold of RFC 3923's examples.
    [
      'attachment/x;handling=required;\\                filename=smime.p7s',
      'attachment/x',
      { handling: 'required', filename: 'smime.p7s' },
    ],
    ['multipart/mixed; boundary=----=_Part_1:2?3', 'multipart/mixed', { boundary: '----=_Part_1:2?3' }],
    ['x/y; __proto__=1; constructor=2', 'x/y', { ['__proto__']: '1', constructor: '2' }],
  ])('%s', (value, type, parameters) => {
    expect(parseContentType(value).type).toBe(type);
    expect([...parseContentType(value).parameters]).toEqual(Object.entries(parameters));
  });

  test.each([
    '',
    'text',
    'text/',
    '/plain',
    'text /plain',
    'text/plain;',
    'text/plain; charset',
    'text/plain; charset=',
    'text/plain; charset =utf-8',
    'text/plain; charset= utf-8',
    'text/plain; charset=utf-8; charset=utf-8',
    'text/plain; charset=utf-8; CHARSET=utf-7',
    'text/plain; x="open',
    'text/plain; x="open\\',
    'text/plain; x="a"b',
    'text/plain (comment)',
    'text/plain; charset=utf-8 (comment)',
    'text/plain charset=utf-8',
    'text/plain;; charset=utf-8',
    'text/plain, text/html',
    'text/plain; \\ x=1',
    'text/plain; x=é',
    'téxt/plain',
  ])('refuses %j', (value) => {
    expect(() => parseContentType(value, 'unwrap')).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED', stage: 'unwrap' }),
    );
  });

  test('any text gives a type or an E2eError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab/;="\\ \t,():é')) }), (value) => {
        try {
          entries(value);
        } catch (error) {
          expect(error).toBeInstanceOf(E2eError);
        }
      }),
      { numRuns: runs(20_000), seed: 1 },
    );
  });
});

describe('serializeContentType', () => {
  test('quotes where a token cannot say it', () => {
    expect(
      serializeContentType('multipart/signed', { protocol: 'application/pkcs7-signature', micalg: 'sha-256' }),
    ).toBe('multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256');
    expect(serializeContentType('a/b', new Map([['x', '']]))).toBe('a/b; x=""');
  });

  test.each<[string, Record<string, string>]>([
    ['text', {}],
    ['text/', {}],
    ['te xt/a', {}],
    ['a/b', { 'x y': '1' }],
    ['a/b', { '': '1' }],
    ['a/b', { x: 'a\r\nb' }],
    ['a/b', { x: 'é' }],
  ])('refuses %s %j', (type, parameters) => {
    expect(() => serializeContentType(type, parameters)).toThrow(TypeError);
  });

  test('is undone by parseContentType', () => {
    const token = fc.string({ unit: fc.constantFrom(...Array.from("abcXYZ09-_.!#$%&'*+^`{|}~")), minLength: 1 });
    const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
    const parameters = fc.uniqueArray(fc.tuple(token, value), { selector: ([name]) => name.toLowerCase() });
    fc.assert(
      fc.property(token, token, parameters, (main, sub, list) => {
        const parsed = parseContentType(serializeContentType(`${main}/${sub}`, new Map(list)));
        expect(parsed.type).toBe(`${main}/${sub}`.toLowerCase());
        expect([...parsed.parameters]).toEqual(list.map(([name, text]) => [name.toLowerCase(), text]));
      }),
      { numRuns: runs(5000), seed: 2 },
    );
  });
});
