import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { base64Text, equalBytes, utf8 } from '../../../src/bytes.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import { bareEntity, headerValue, parseEntity, parseTextEntity, serializeEntity } from '../../../src/mime/entity.ts';
import { decodeBody } from '../../../src/mime/transfer-encoding.ts';
import { runs } from '../../shared-data.ts';

const limits = defaultLimits;
const bin = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const parse = (text: string): ReturnType<typeof parseEntity> => parseEntity(bin(text), { limits });

describe('parseEntity', () => {
  test('gives views of the input, not copies', () => {
    const bytes = utf8('Content-Type: text/plain; charset=utf-8\r\nContent-ID: <1@example.com>\r\n\r\nWherefore?\r\n');
    const entity = parseEntity(bytes, { limits });
    expect(entity.raw).toBe(bytes);
    expect(entity.body.buffer).toBe(bytes.buffer);
    expect(new TextDecoder().decode(entity.body)).toBe('Wherefore?\r\n');
    expect(entity.headers).toEqual([
      { name: 'Content-Type', value: 'text/plain; charset=utf-8' },
      { name: 'Content-ID', value: '<1@example.com>' },
    ]);
    expect(entity.contentType?.type).toBe('text/plain');
    expect(headerValue(entity, 'content-id')).toBe('<1@example.com>');
    expect(headerValue(entity, 'subject')).toBeUndefined();
  });

  test('unfolds and trims space and tab only', () => {
    const entity = parseEntity(utf8('A: \u00a0x\r\n\t y \r\nContent-type:multipart/signed;\r\n   boundary=b\r\n\r\n'), {
      limits,
    });
    expect(entity.headers[0]).toEqual({ name: 'A', value: '\u00a0x\t y' });
    expect(entity.contentType?.parameters.get('boundary')).toBe('b');
  });

  test('defaults of RFC 2045: text/plain us-ascii, 7bit', () => {
    const entity = parse('\r\nbody');
    expect(entity.contentType?.type).toBe('text/plain');
    expect(entity.contentType?.parameters.get('charset')).toBe('us-ascii');
    expect(entity.transferEncoding).toBe('7bit');
    expect(parse('Content-Transfer-Encoding: BASE64\r\n\r\n').transferEncoding).toBe('base64');
  });

  test('keeps NUL, bare line ends and non-UTF-8 octets of the body', () => {
    const body = '\0\xff\n\r\n\r\x80';
    expect(equalBytes(parse(`A: b\r\n\r\n${body}`).body, bin(body))).toBe(true);
  });

  test.each([
    ['nothing at all', ''],
    ['no empty line', 'A: b\r\n'],
    ['no line end', 'A: b'],
    ['bare LF after a field', 'A: b\nC: d\r\n\r\n'],
    ['bare LF as empty line', 'A: b\r\n\nbody'],
    ['bare CR in a field', 'A: b\rc\r\n\r\n'],
    ['lone CR at the end', 'A: b\r'],
    ['NUL', 'A: b\0\r\n\r\n'],
    ['DEL', 'A: b\x7f\r\n\r\n'],
    ['escape', 'A: \x1b[2J\r\n\r\n'],
    ['not UTF-8', 'A: \xff\r\n\r\n'],
    ['overlong UTF-8', 'A: \xc0\xaf\r\n\r\n'],
    ['space before the colon', 'Content-Type : text/plain\r\n\r\n'],
    ['folded first line', ' A: b\r\n\r\n'],
    ['folded name', 'Content-\r\n Type: text/plain\r\n\r\n'],
    ['no colon', 'From sender Thu Jan 1\r\n\r\n'],
    ['empty name', ': b\r\n\r\n'],
    ['name that is not US-ASCII', 'Ä: b\r\n\r\n'],
    ['blank folded line', 'A: b\r\n \r\nContent-Type: text/html\r\n\r\n'],
    ['Content-Type twice', 'Content-Type: text/plain\r\ncontent-type: text/plain\r\n\r\n'],
    ['Content-ID twice', 'Content-ID: <a>\r\nCONTENT-ID: <a>\r\n\r\n'],
    ['MIME-Version twice', 'MIME-Version: 1.0\r\nMIME-Version: 1.0\r\n\r\n'],
    ['bad Content-Type', 'Content-Type: text\r\n\r\n'],
    ['comment in the transfer encoding', 'Content-Transfer-Encoding: base64 (really)\r\n\r\n'],
    ['empty transfer encoding', 'Content-Transfer-Encoding:\r\n\r\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parseEntity(bin(text), { limits, stage: 'verify' })).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED', stage: 'verify' }),
    );
  });

  test('counts the header block up to and with its empty line', () => {
    const block = `A: ${'x'.repeat(91)}\r\n\r\n`;
    expect(block.length).toBe(98);
    for (const [max, ok] of [
      [97, false],
      [98, true],
      [99, true],
    ] as const) {
      const attempt = (): unknown => parseEntity(bin(`${block}body`), { limits: limitsWith({ mimeHeaderBytes: max }) });
      if (ok) expect(attempt).not.toThrow();
      else expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_E2E_LIMIT' }));
    }
  });

  test('counts the fields', () => {
    for (const [count, ok] of [
      [63, true],
      [64, true],
      [65, false],
    ] as const) {
      const attempt = (): unknown => parse(`${'A: b\r\n'.repeat(count)}\r\n`);
      if (ok) expect(attempt).not.toThrow();
      else expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_E2E_LIMIT' }));
    }
  });

  test('a megabyte without line end ends at the limit', () => {
    expect(() => parseEntity(new Uint8Array(1 << 20).fill(0x61), { limits })).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }),
    );
  });
});

test('a bare entity has no content type', () => {
  const body = bin('\x30\x80');
  const raw = utf8('MIAA');
  expect(bareEntity(body, raw)).toEqual({ raw, headers: [], contentType: undefined, transferEncoding: 'binary', body });
  expect(bareEntity(body).raw).toBe(body);
});

describe('serializeEntity', () => {
  test.each([
    { name: 'A b', value: 'x' },
    { name: '', value: 'x' },
    { name: 'A:', value: 'x' },
    { name: 'A', value: 'x\r\nB: y' },
    { name: 'A', value: 'x\0' },
  ])('refuses $name: $value', (header) => {
    expect(() => serializeEntity([header], new Uint8Array())).toThrow(TypeError);
  });

  test('is undone by parseEntity', () => {
    const name = fc
      .string({ unit: fc.constantFrom(...Array.from('abcXYZ019-_!~')), minLength: 1 })
      .map((text) => `X-${text}`);
    const value = fc
      .string({ unit: 'grapheme' })
      .map((text) => text.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, '').replace(/^[ \t]+|[ \t]+$/g, ''))
      .filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(fc.array(fc.record({ name, value }), { maxLength: 20 }), fc.uint8Array(), (headers, body) => {
        const entity = parseEntity(serializeEntity(headers, body), { limits });
        expect(entity.headers).toEqual(headers);
        expect(equalBytes(entity.body, body)).toBe(true);
      }),
      { numRuns: runs(3000), seed: 3 },
    );
  });
});

describe('parseTextEntity', () => {
  const shown = (read: () => ReturnType<typeof parseEntity>): unknown => {
    try {
      const { raw, body, headers, contentType, transferEncoding } = read();
      return { raw: [...raw], body: [...body], headers, contentType, transferEncoding };
    } catch (error) {
      return error;
    }
  };

  test('reads text as parseEntity reads the same text with CRLF', () => {
    const piece = fc.constantFrom(
      ...['A: b', 'Content-Type: text/plain', 'Content-Type: x', 'content-transfer-encoding: base64', ' folded', '\t'],
      ...['\n', '\n', '\n', '\n\n', ':', 'é: ü', 'A: ö', 'YWJj', '\x7f', '\x00', ' '],
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    const small = limitsWith({ mimeHeaderBytes: 48, mimeHeaders: 3 });
    fc.assert(
      fc.property(text, fc.constantFrom(limits, small), (lines, limits) => {
        const options = { limits, stage: 'unwrap' } as const;
        const octets = utf8(lines.replaceAll('\n', '\r\n'));
        const expected = shown(() => parseEntity(octets, options));
        expect(shown(() => parseTextEntity(lines, options))).toEqual(expected);
      }),
      { numRuns: runs(20_000), seed: 7 },
    );
  });

  test('decodes base64 without the way over octets', () => {
    const octets = Uint8Array.from({ length: 1000 }, (_, i) => i * i);
    const text = `Content-Transfer-Encoding: base64\n\n${base64Text(octets, 64, '\n')}`;
    expect(decodeBody(parseTextEntity(text, { limits }))).toEqual(octets);
  });
});
