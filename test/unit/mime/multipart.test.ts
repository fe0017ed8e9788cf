import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { crlfText, equalBytes, utf8 } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits as limits, limitsWith } from '../../../src/limits.ts';
import { parseEntity, parseTextEntity } from '../../../src/mime/entity.ts';
import {
  multipartTextAround,
  parseMultipart,
  type ParseMultipartOptions,
  parseTextMultipart,
  serializeMultipart,
} from '../../../src/mime/multipart.ts';
import { corpus, corpusJson, hasCorpus, runs } from '../../shared-data.ts';

const crlf = (...lines: string[]): string => lines.join('\r\n');
const bin = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const split = (text: string | Uint8Array, options: Partial<ParseMultipartOptions> = {}): readonly Uint8Array[] =>
  parseMultipart(parseEntity(typeof text === 'string' ? bin(text) : text, { limits }), { limits, ...options });

/** The signed part of RFC 3923 example 2, with characters outside US-ASCII. */
const cpim = Buffer.from(
  crlf(
    'Content-type: Message/CPIM',
    '',
    'From: Juliet Capulet <im:juliet@example.com>',
    'To: Romeo Montague <im:romeo@example.net>',
    'DateTime: 2003-12-09T23:45:36.66Z',
    'Subject: Implóring',
    '',
    'Content-type: text/plain; charset=utf-8',
    'Content-ID: <1234567890@example.com>',
    '',
    'Wherefore art thou, Romeo? é😀',
  ),
).toString('latin1');

/** The frame of RFC 3923 example 2, its unquoted protocol and backslash fold included. */
const frame = (part: string): string =>
  crlf(
    'Content-Type: multipart/signed; boundary=next;',
    '              micalg=sha1;',
    '              protocol=application/pkcs7-signature',
    '',
    '--next',
    part,
    '--next',
    'Content-Type: application/pkcs7-signature',
    'Content-Disposition: attachment;handling=required;\\',
    '                                filename=smime.p7s',
    '',
    'AAAA',
    '',
    '--next--',
    '',
  );

describe('the first part keeps every octet', () => {
  test.each([
    ['RFC 3923 example 2', cpim],
    ['trailing white space', `${cpim}  \t\r\n x \r\n`],
    ['a final CRLF CRLF', `${cpim}\r\n\r\n`],
    ['no header block', '\r\nbody only'],
    ['a line that starts like a delimiter', `${cpim}\r\n--nextfoo\r\nx`],
    ['a line that starts like a close delimiter', `${cpim}\r\n--next--foo\r\nx`],
    ['bare LF', `${cpim}\nlf\r\ncrlf`],
    ['bare CR', `${cpim}\rcr`],
    ['NUL and 8-bit octets', `${cpim}\0\xff`],
    ['nothing', ''],
    ['a header field twice', crlf('Content-Type: text/plain', 'Content-Type: text/html', '', 'x')],
    [
      'a nested multipart',
      crlf('Content-Type: multipart/alternative; boundary=in', '', '--in', '', 'a', '--in', '', 'b', '--in--'),
    ],
    [
      'a nested boundary that continues ours',
      crlf('Content-Type: multipart/x; boundary=nextin', '', '--nextin', '', 'a', '--nextin--'),
    ],
    ['a delimiter after a bare LF', `${cpim}\n--next\r\nx`],
  ])('%s', (_, part) => {
    const [first, ...rest] = split(frame(part), { parts: 2 });
    expect(Buffer.from(first!).toString('latin1')).toBe(part);
    expect(rest).toHaveLength(1);
  });

  test('as a view of the input', () => {
    const bytes = bin(frame(cpim));
    expect(split(bytes)[0]!.buffer).toBe(bytes.buffer);
  });

  test('openssl-style transport padding after the delimiter', () => {
    expect(split(crlf('Content-Type: multipart/x; boundary=b', '', '--b \t', 'A: b', '', '--b-- \t')).length).toBe(1);
  });
});

describe('limits and counts', () => {
  const many = (count: number): string =>
    crlf(
      'Content-Type: multipart/x; boundary=b',
      '',
      ...Array.from({ length: count }, () => '--b\r\n\r\nx'),
      '--b--',
      '',
    );

  test.each([
    [15, true],
    [16, true],
    [17, false],
  ])('%i parts', (count, ok) => {
    if (ok) expect(split(many(count))).toHaveLength(count);
    else expect(() => split(many(count))).toThrow(expect.objectContaining({ code: 'ERR_E2E_LIMIT' }));
    expect(split(many(2), { limits: limitsWith({ mimeAlternatives: 1 }), parts: 2 })).toHaveLength(2);
  });

  test.each([1, 3])('%i parts where two must be', (count) => {
    expect(() => split(many(count), { parts: 2, stage: 'verify' })).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED', stage: 'verify' }),
    );
  });
});

test('a notice around the parts is skipped on request only', () => {
  const text = crlf(
    'Content-Type: multipart/signed; boundary=b',
    '',
    'This is an S/MIME signed message',
    '',
    '--b',
    'A: b',
    '--b--',
    'list footer',
  );
  expect(() => split(text)).toThrow(E2eError);
  expect(split(text, { surround: 'skip' })).toEqual([bin('A: b')]);
});

describe('serializeMultipart', () => {
  test('writes what RFC 1847 shows', () => {
    const bytes = serializeMultipart(
      'signed',
      { protocol: 'application/pkcs7-signature', micalg: 'sha-256' },
      [utf8('A: b\r\n\r\nx'), utf8('C: d\r\n\r\ny')],
      {
        boundary: 'next',
      },
    );
    expect(Buffer.from(bytes).toString()).toBe(
      crlf(
        'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=next',
        '',
        '--next',
        'A: b',
        '',
        'x',
        '--next',
        'C: d',
        '',
        'y',
        '--next--',
        '',
      ),
    );
  });

  test.each(['', 'a b ', 'x'.repeat(71), 'é', 'a"b', 'inside'])('refuses the boundary %j', (boundary) => {
    expect(() => serializeMultipart('mixed', {}, [utf8('x\r\n--inside')], { boundary })).toThrow(RangeError);
  });

  test('takes parts in pieces, and sees a boundary across them', () => {
    const options = { boundary: 'inside' };
    const whole = serializeMultipart('mixed', {}, [utf8('A: b\r\n\r\nbody'), utf8('\r\nlast')], options);
    const pieces = [[utf8('A: b\r\n\r\n'), utf8('bo'), utf8(''), utf8('dy')], [utf8('\r\nlast')]];
    expect(equalBytes(serializeMultipart('mixed', {}, pieces, options), whole)).toBe(true);
    expect(() => serializeMultipart('mixed', {}, [[utf8('x\r\n--ins'), utf8('ide')]], options)).toThrow(RangeError);
  });

  test('is undone by parseMultipart', () => {
    const part = fc.oneof(
      fc.uint8Array(),
      fc
        .array(fc.constantFrom('\r\n', '--', 'next', '\n', '\r', ' ', 'x'), { maxLength: 30 })
        .map((bits) => utf8(bits.join(''))),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const again = split(serializeMultipart('mixed', {}, parts));
        expect(again.length).toBe(parts.length);
        again.forEach((bytes, i) => expect(equalBytes(bytes, parts[i]!)).toBe(true));
      }),
      { numRuns: runs(3000), seed: 5 },
    );
  });
});

describe.skipIf(!hasCorpus('malformed-mime/index.json'))('messages of other projects', () => {
  interface Case {
    readonly file: string;
    readonly outerStructure: 'ok' | 'refuse';
    readonly boundary?: string;
    readonly reasons: readonly string[];
  }
  const cases = hasCorpus('malformed-mime/index.json')
    ? (corpusJson('malformed-mime/index.json') as { files: Case[] }).files
    : [];
  const toCrlfText = (bytes: Buffer): Buffer =>
    Buffer.from(bytes.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
  const read = (bytes: Uint8Array): readonly Uint8Array[] | undefined => {
    const entity = parseEntity(bytes, { limits });
    if (
      entity.contentType?.parameters.has('boundary') !== true &&
      entity.contentType?.type.startsWith('multipart/') !== true
    )
      return undefined;
    return parseMultipart(entity, { limits, surround: 'skip' });
  };

  test('the set is whole', () => expect(cases).toHaveLength(57));

  test.each(cases.map((row) => [row.file, row] as const))('%s', (_, { file, outerStructure, boundary }) => {
    const bytes = toCrlfText(corpus(`malformed-mime/${file}`));
    if (outerStructure === 'refuse') {
      expect(() => read(bytes)).toThrow(E2eError);
      return;
    }
    try {
      const parts = read(bytes);
      let at = 0;
      for (const part of parts ?? []) {
        // Independent of the parser: each part stands between two delimiter lines of the index's boundary.
        expect(part.buffer).toBe(bytes.buffer);
        const start = part.byteOffset - bytes.byteOffset;
        expect(start).toBeGreaterThan(at);
        at = start + part.length;
        expect(bytes.subarray(0, start).toString('latin1')).toMatch(/--[^\r\n]*\r\n$/);
        expect(bytes.subarray(at).toString('latin1').startsWith(`\r\n--${boundary!}`)).toBe(true);
      }
    } catch (error) {
      expect(error).toBeInstanceOf(E2eError);
    }
    // As content of a signature the file comes out byte for byte, whatever it holds.
    expect(equalBytes(split(serializeMultipart('signed', {}, [bytes, utf8('A: b\r\n\r\n')]))[0]!, bytes)).toBe(true);
  });

  test('the sound messages are read', () => {
    const sound = cases.filter((row) => row.outerStructure === 'ok');
    const refused = sound.filter(({ file }) => {
      try {
        read(toCrlfText(corpus(`malformed-mime/${file}`)));
        return false;
      } catch {
        return true;
      }
    });
    // Two delimiters in a row: no reading of RFC 2046 makes that a part.
    expect(refused.map((row) => row.file)).toEqual(['stalwart-malformed/000.eml']);
  });
});

describe('parts of text', () => {
  const options = { limits, parts: 2 } as const;
  const asText = (text: string): readonly string[] | undefined =>
    parseTextMultipart(parseTextEntity(text, { limits }), options);
  /** What is taken as text is taken as octets too, with the same parts. */
  const compared = (text: string): boolean => {
    let parts: readonly string[] | undefined;
    try {
      parts = asText(text);
    } catch (error) {
      // The header block.
      expect(error).toBeInstanceOf(E2eError);
      return false;
    }
    if (parts === undefined) return false;
    const octets = parseMultipart(parseEntity(utf8(crlfText(text)), { limits }), options);
    expect(parts.map((part) => Buffer.from(utf8(crlfText(part))).toString())).toEqual(
      octets.map((part) => Buffer.from(part).toString()),
    );
    return true;
  };
  const [before, after] = multipartTextAround('encrypted', { protocol: 'application/pgp-encrypted' }, [
    'Content-Type: application/pgp-encrypted\n\nVersion: 1\n',
    'Content-Type: application/octet-stream\n\n',
  ]);
  const text = `${before}-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n${after}`;
  const boundary = /[0-9a-f]{32}/.exec(text)![0];

  test('are those that were written', () => {
    expect(asText(text)?.map((part) => part.length)).toEqual([52, 100]);
    expect(compared(text)).toBe(true);
    expect(compared(text.trimEnd())).toBe(true);
  });

  test.each([
    ['a preamble', text.replace('\n\n', '\n\nhello\n')],
    ['a line end before the first delimiter', text.replace('\n\n', '\n\n\n')],
    ['an epilogue', `${text}hello`],
    ['a second close delimiter', `${text}--${boundary}--\n`],
    ['blanks behind a delimiter', text.replaceAll(`--${boundary}\n`, `--${boundary} \n`)],
    ['a line that starts like a delimiter', text.replace('AAAA', `--${boundary}x`)],
    ['a delimiter inside a line', text.replace('AAAA', `x--${boundary}`)],
    ['a third part', text.replace('AAAA', `\n--${boundary}\nContent-Type: a/b\n\nx`)],
    ['two delimiters in a row', text.replace(`--${boundary}\n`, `--${boundary}\n--${boundary}\n`)],
    ['a transfer encoding', `Content-Transfer-Encoding: base64\n${text}`],
    ['CR before a delimiter', text.replace(`Version: 1\n\n--`, `Version: 1\n\r--`)],
    ['CRLF before a delimiter', text.replace(`Version: 1\n\n--`, `Version: 1\n\r\n--`)],
    ['one part', text.replace(`\n--${boundary}\nContent-Type: application/octet-stream`, '')],
  ])('are left to the reader of octets with %s', (_, other) => {
    expect(asText(other)).toBeUndefined();
  });

  test('are left to the reader of octets where the limit is one part', () => {
    const few = limitsWith({ mimeParts: 1 });
    expect(parseTextMultipart(parseTextEntity(text, { limits }), { limits: few, parts: 2 })).toBeUndefined();
    expect(parseTextMultipart(parseEntity(utf8(crlfText(text)), { limits }), options)).toBeUndefined();
  });

  test('are the same as octets in any disguise', () => {
    const pieces = ['\n', '\n\n', '\r', ' ', '-', '--', `--${boundary}`, `--${boundary}--`, ':', 'é', 'boundary="x"'];
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
      { numRuns: runs(5_000) },
    );
    expect(taken).toBeGreaterThan(runs(5_000) / 20);
  });
});
