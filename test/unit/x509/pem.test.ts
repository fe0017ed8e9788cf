import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { utf8, utf8Decode } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { parsePem, parsePemOrDer, serializePem } from '../../../src/x509/pem.ts';
import { runs } from '../../shared-data.ts';

const block = '-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n';

describe('PEM (RFC 7468)', () => {
  it('writes lines of 64 characters and reads them back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (der) => {
        const pem = serializePem('X509 CRL', der);
        const lines = utf8Decode(pem).split('\n');
        expect(lines.every((line) => line.length <= 64)).toBe(true);
        expect(parsePem(pem)).toEqual([{ label: 'X509 CRL', der }]);
      }),
      { numRuns: runs(1000), seed: 7468 },
    );
  });

  it.each([
    ['several blocks', block + block, 2],
    ['explanatory text around (section 2)', `Subject: CN=x\n${block}more text\n${block}bye`, 2],
    ['CRLF', block.replaceAll('\n', '\r\n'), 1],
    ['CR', block.replaceAll('\n', '\r'), 1],
    ['blanks after the boundary', block.replaceAll('-----\n', '----- \t\n'), 1],
    ['no line end at the end', block.trimEnd(), 1],
    ['lines of any length', '-----BEGIN X-----\nA\nQ\n ID\nBA\n==\n-----END X-----', 1],
    ['nothing', '', 0],
    ['text alone', 'hello\n-----BEGIN\n', 0],
  ])('reads %s', (_what, text, count) => {
    expect(parsePem(utf8(text))).toHaveLength(count);
  });

  it.each([
    ['a block without end', '-----BEGIN CERTIFICATE-----\nAQID\n'],
    ['another label at the end', '-----BEGIN A-----\nAQID\n-----END B-----\n'],
    ['a block in a block', '-----BEGIN A-----\n-----BEGIN A-----\nAQID\n-----END A-----\n'],
    ['headers of RFC 1421', '-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END A-----\n'],
    ['what is no base64', '-----BEGIN A-----\nAQ*D\n-----END A-----\n'],
    ['a wrong padding', '-----BEGIN A-----\nAQI\n-----END A-----\n'],
  ])('refuses %s', (_what, text) => {
    expect(() => parsePem(utf8(text))).toThrow(E2eError);
  });

  it('counts blocks', () => {
    expect(parsePem(utf8(block.repeat(3)), 3)).toHaveLength(3);
    expect(() => parsePem(utf8(block.repeat(4)), 3)).toThrow(expect.objectContaining({ code: 'ERR_E2E_LIMIT' }));
  });

  it('takes DER for what it is', () => {
    const der = Uint8Array.of(0x30, 0);
    expect(parsePemOrDer(der)).toEqual([{ label: 'DER', der }]);
    expect(parsePemOrDer(utf8(block))).toHaveLength(1);
    expect(parsePemOrDer(new Uint8Array())).toEqual([]);
    expect(() => parsePemOrDer(utf8('neither'))).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }));
  });
});
