import { describe, expect, it } from 'vitest';
import { oidName, oids } from '../../../src/asn1/oids.ts';
import { parseBer, parseDer } from '../../../src/asn1/reader.ts';
import { textValue } from '../../../src/asn1/text.ts';
import { timeElement, timeValue } from '../../../src/asn1/time.ts';
import {
  bitString,
  bitStringOctets,
  booleanValue,
  expectNull,
  expectOid,
  integerOctets,
  oidValue,
  smallInteger,
  unsignedOctets,
} from '../../../src/asn1/values.ts';
import {
  der,
  derBitString,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  derTrue,
  encodeDer,
  encodeDerInPieces,
} from '../../../src/asn1/writer.ts';
import {
  hasNoParameters,
  parseAlgorithmIdentifier,
  serializeAlgorithmIdentifier,
} from '../../../src/asn1/algorithm-identifier.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits } from '../../../src/limits.ts';

const options = { limits: defaultLimits };

function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function ber(hex: string) {
  return parseBer(octets(hex), options);
}

function strict(hex: string) {
  return parseDer(octets(hex), options);
}

describe('BOOLEAN (X.690 sections 8.2 and 11.1)', () => {
  it('is FF or 00 in DER, any octet in BER', () => {
    expect(booleanValue(strict('0101ff'))).toBe(true);
    expect(booleanValue(strict('010100'))).toBe(false);
    expect(booleanValue(ber('010101'))).toBe(true);
    expect(() => booleanValue(strict('010101'))).toThrow(E2eError);
    expect(() => booleanValue(ber('0100'))).toThrow(E2eError);
    expect(() => booleanValue(ber('2103 0101ff'))).toThrow(E2eError);
  });
});

describe('INTEGER (X.690 section 8.3)', () => {
  it('reads small numbers', () => {
    expect(smallInteger(ber('020100'))).toBe(0);
    expect(smallInteger(ber('02020080'))).toBe(128);
    expect(smallInteger(ber('02047fffffff'))).toBe(0x7fffffff);
  });

  it.each(['0200', '02020001', '0202ff80', '0202ffff'])('refuses %s, which is empty or not minimal', (hex) => {
    expect(() => integerOctets(ber(hex))).toThrow(E2eError);
  });

  it('tells negative and too large ones', () => {
    expect(integerOctets(ber('0201ff'))).toEqual(octets('ff'));
    for (const hex of ['0201ff', '02050080000000', '0206010000000000']) {
      expect(() => smallInteger(ber(hex))).toThrow(E2eError);
    }
    expect(unsignedOctets(ber('02020080'))).toEqual(octets('80'));
    expect(unsignedOctets(ber('020100'))).toEqual(octets('00'));
  });

  it('writes what it reads', () => {
    for (const value of [0, 1, 127, 128, 255, 256, 65_535, 0x7fffffff]) {
      expect(smallInteger(parseDer(encodeDer(derInteger(value)), options))).toBe(value);
    }
    expect(encodeDer(derInteger(octets('0000 80')))).toEqual(octets('02020080'));
    expect(encodeDer(derInteger(octets('')))).toEqual(octets('020100'));
  });
});

describe('BIT STRING (X.690 sections 8.6 and 11.2)', () => {
  it('reads whole octets and named bits', () => {
    expect(bitStringOctets(strict('0303 00 aabb'))).toEqual(octets('aabb'));
    expect(bitString(strict('0302 05 a0'))).toEqual({ unusedBits: 5, octets: octets('a0') });
    expect(bitString(strict('0301 00'))).toEqual({ unusedBits: 0, octets: octets('') });
    expect(encodeDer(derBitString(octets('aabb')))).toEqual(octets('0303 00 aabb'));
  });

  it('refuses unused bits that are set in DER, and impossible counts', () => {
    expect(bitString(ber('0302 05 a1')).unusedBits).toBe(5);
    for (const hex of ['0302 05 a1', '0300', '0302 08 00', '0301 01']) {
      expect(() => bitString(strict(hex))).toThrow(E2eError);
    }
    expect(() => bitStringOctets(strict('0302 05 a0'))).toThrow(E2eError);
  });
});

describe('OBJECT IDENTIFIER (X.690 section 8.19)', () => {
  it.each([
    ['0603 2a8648', '1.2.840'],
    ['0606 2a864886f70d', '1.2.840.113549'],
    ['0603 883703', '2.999.3'],
    ['0601 27', '0.39'],
    ['0601 28', '1.0'],
    ['0601 4f', '1.39'],
    ['0601 50', '2.0'],
    // An arc of 128 bits, as UUIDs are (X.667).
    ['0614 69 83f09da7ebcfdee0c7a1a7b2c0948cc8f9d776', '2.25.329800735698586629295641978511506172918'],
    ['0602 8001', undefined],
    ['0603 2a8001', undefined],
    ['0600', undefined],
  ])('%s is %s', (hex, dotted) => {
    if (dotted === undefined) expect(() => oidValue(ber(hex))).toThrow(E2eError);
    else {
      expect(oidValue(ber(hex))).toBe(dotted);
      expect(derOid(dotted)).toEqual(octets(hex));
    }
  });

  it('is read up to 64 octets: 63 and 64 pass, 65 do not', () => {
    for (const count of [63, 64])
      expect(oidValue(ber(`06${count.toString(16)}${'01'.repeat(count)}`))).toBeTypeOf('string');
    expect(() => oidValue(ber(`0641${'01'.repeat(65)}`))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }) as Error,
    );
  });

  it('writes and names every one of the registry', () => {
    for (const [name, oid] of Object.entries(oids)) {
      expect(oidValue(parseDer(derOid(oid), options))).toBe(oid);
      expect(oidName(oid)).toBe(name);
    }
    expect(new Set(Object.values(oids)).size).toBe(Object.keys(oids).length);
    expect(oidName('1.2.3')).toBeUndefined();
  });

  it('refuses to write what is none', () => {
    for (const text of ['', '1', '3.1', '1.40', '1.2.', '1..2', '1.-2', 'x']) {
      expect(() => derOid(text)).toThrow(RangeError);
    }
    expect(() => expectOid(ber('0500'))).toThrow(E2eError);
  });
});

describe('NULL', () => {
  it('is empty', () => {
    expectNull(ber('0500'));
    expect(() => expectNull(ber('050100'))).toThrow(E2eError);
    expect(() => expectNull(ber('0400'))).toThrow(E2eError);
  });
});

describe('Time (RFC 5280 section 4.1.2.5)', () => {
  function time(tag: number, text: string): Date {
    return timeValue(parseDer(encodeDer(der(tag, Buffer.from(text))), options));
  }

  it.each([
    [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [0x17, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [0x17, '000229120000Z', '2000-02-29T12:00:00.000Z'],
    [0x18, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
    [0x18, '00010101000000Z', '0001-01-01T00:00:00.000Z'],
    [0x18, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
  ])('%i %s is %s', (tag, text, iso) => {
    expect(time(tag, text).toISOString()).toBe(iso);
  });

  it.each([
    [0x17, '0001010000Z'],
    [0x17, '000101000000+0000'],
    [0x17, '010229000000Z'],
    [0x17, '001301000000Z'],
    [0x17, '000001000000Z'],
    [0x17, '000101240000Z'],
    [0x17, '000101006000Z'],
    [0x17, '000101000060Z'],
    [0x17, '00010100000 Z'],
    [0x17, '0001010000:0Z'],
    [0x18, '20500101000000.5Z'],
    [0x18, '20500101000000'],
    [0x18, '500101000000Z'],
    [0x16, '000101000000Z'],
  ])('%i %s is refused', (tag, text) => {
    expect(() => time(tag, text)).toThrow(E2eError);
  });

  it('writes UTCTime from 1950 to 2049 and GeneralizedTime otherwise', () => {
    for (const [iso, tag] of [
      ['1949-12-31T23:59:59.000Z', 0x18],
      ['1950-01-01T00:00:00.000Z', 0x17],
      ['2049-12-31T23:59:59.000Z', 0x17],
      ['2050-01-01T00:00:00.000Z', 0x18],
    ] as const) {
      const written = encodeDer(timeElement(new Date(iso)));
      expect(written[0]).toBe(tag);
      expect(timeValue(parseDer(written, options)).toISOString()).toBe(iso);
    }
    expect(() => timeElement(new Date(Number.NaN))).toThrow(RangeError);
    expect(() => timeElement(new Date(8.64e15))).toThrow(RangeError);
  });
});

describe('character strings', () => {
  it.each([
    ['0c03 e282ac', '€'],
    ['1302 4142', 'AB'],
    ['1202 3132', '12'],
    ['1603 61406', undefined],
    ['1602 6140', 'a@'],
    ['1a01 7e', '~'],
    ['1401 e9', 'é'],
    ['1e02 20ac', '€'],
    ['1c04 0001f600', '😀'],
    ['0c01 ff', undefined],
    ['0c02 c080', undefined],
    ['1601 80', undefined],
    ['1e01 20', undefined],
    ['1e02 d800', undefined],
    ['1c04 00110000', undefined],
    ['0401 41', undefined],
    ['2c03 0c0141', undefined],
  ])('%s is %s', (hex, text) => {
    if (text === undefined) expect(() => textValue(ber(hex))).toThrow(E2eError);
    else expect(textValue(ber(hex))).toBe(text);
  });
});

describe('the writer', () => {
  it('takes the shortest length form at every border', () => {
    for (const [length, header] of [
      [127, '047f'],
      [128, '048180'],
      [255, '0481ff'],
      [256, '04820100'],
      [65_535, '0482ffff'],
      [65_536, '0483010000'],
      [16_777_216, '048401000000'],
    ] as const) {
      const written = encodeDer(derOctetString(new Uint8Array(length)));
      expect(Buffer.from(written.subarray(0, header.length / 2)).toString('hex')).toBe(header);
      expect(parseDer(written, options).length).toBe(length);
    }
  });

  it('writes the same in pieces, and does not copy long octets', () => {
    const [long, short] = [new Uint8Array(16_384).fill(1), new Uint8Array(16_383).fill(2)];
    for (const part of [
      long,
      derNull,
      derInteger(5),
      derSequence(derOctetString(short)),
      derSequence(derInteger(1), derContext(0, derOctetString(long)), derOctetString(short, long), derNull),
    ]) {
      const pieces = encodeDerInPieces(part);
      expect(Buffer.concat(pieces).equals(encodeDer(part))).toBe(true);
      expect(pieces.filter((piece) => piece.length === long.length).every((piece) => piece === long)).toBe(true);
    }
  });

  it('orders a SET OF, tags and nests', () => {
    expect(encodeDer(derSetOf([derInteger(5), derNull, derInteger(4)]))).toEqual(octets('3108 020104 020105 0500'));
    expect(encodeDer(derSetOf([derNull], 0xa0))).toEqual(octets('a002 0500'));
    expect(encodeDer(derContext(3, derSequence(derTrue)))).toEqual(octets('a305 3003 0101ff'));
    const same = octets('0500');
    expect(encodeDer(same)).toBe(same);
  });
});

describe('AlgorithmIdentifier (RFC 5280 section 4.1.1.2)', () => {
  it('is written and read with and without parameters', () => {
    for (const parameters of [undefined, derNull, derOid('1.2.3')]) {
      const written = encodeDer(serializeAlgorithmIdentifier(oids.sha256, parameters));
      const read = parseAlgorithmIdentifier(parseDer(written, options));
      expect(read.oid).toBe(oids.sha256);
      expect(read.parameters?.raw).toEqual(parameters);
      expect(hasNoParameters(read)).toBe(parameters === undefined || parameters === derNull);
    }
  });

  it('holds an OBJECT IDENTIFIER and nothing behind the parameters', () => {
    expect(() => parseAlgorithmIdentifier(ber('3000'))).toThrow(E2eError);
    expect(() => parseAlgorithmIdentifier(ber('3002 0500'))).toThrow(E2eError);
    expect(() => parseAlgorithmIdentifier(ber('3007 06012a 0500 0500'))).toThrow(E2eError);
  });
});
