import { describe, expect, it } from 'vitest';
import { assertDer } from '../../../src/asn1/strict.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { corpus, hasCorpus } from '../../shared-data.ts';

function check(hex: string): void {
  assertDer(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')), { limits: defaultLimits });
}

describe('strict DER down to the leaves (X.690 sections 10 and 11)', () => {
  it('takes what DER writes', () => {
    check('3106 020104 020105');
    check('3106 020104 020104');
    check('3107 a1020500 820101');
    check('3000');
    check('3015 0101ff 020105 03020480 040101 0500 06012a 0a0102');
  });

  it.each([
    ['SET OF out of order', '3106 020105 020104'],
    ['SET OF out of order, deep inside', '300a a008 3106 020105 020104'],
    ['SET out of order of tags too', '3107 a2020500 810101'],
    ['a BOOLEAN of 01', '3003 010101'],
    ['an INTEGER with a leading zero', '3004 02020005'],
    ['unused bits set', '3004 03020481'],
    ['a constructed OCTET STRING', '3005 2403 040101'],
    ['a constructed UTF8String', '3005 2c03 0c0141'],
    ['a primitive SEQUENCE', '3002 1000'],
    ['a NULL with content', '3003 050100'],
    ['an OBJECT IDENTIFIER with a padded arc', '3005 06032a8001'],
    ['a long length form deep inside', '3006 3081 03 020105'],
    ['indefinite length', '3080 0000'],
  ])('refuses %s', (_what, hex) => {
    expect(() => check(hex)).toThrow(E2eError);
  });

  it('refuses what lies deeper than the limit, without recursion', () => {
    const levels = 20_000;
    let length = 0;
    const headers: Buffer[] = [];
    for (let i = 0; i < levels; i++) {
      const header =
        length < 128
          ? Buffer.from([0x30, length])
          : length < 65_536
            ? Buffer.from(length < 256 ? [0x30, 0x81, length] : [0x30, 0x82, length >> 8, length & 255])
            : Buffer.from([0x30, 0x83, length >> 16, (length >> 8) & 255, length & 255]);
      headers.unshift(header);
      length += header.length;
    }
    expect(() => assertDer(Buffer.concat(headers), { limits: defaultLimits })).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }) as Error,
    );
  });

  it.skipIf(!hasCorpus('rfc-personas'))('takes the certificates of RFC 9216', () => {
    for (const name of ['alice-sign', 'bob-encrypt', 'carlos-sign', 'dana-encrypt', 'ca-rsa', 'ca-ed25519']) {
      const pem = corpus(`rfc-personas/${name}.cert.pem`).toString('latin1');
      const der = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
      expect(assertDer(der, { limits: defaultLimits }).endOffset).toBe(der.length);
    }
  });
});
