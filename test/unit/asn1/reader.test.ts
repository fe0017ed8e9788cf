import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareOctets, contextTag, parseBer, parseDer, tags } from '../../../src/asn1/reader.ts';
import { octetString } from '../../../src/asn1/values.ts';
import { E2eError, type E2eErrorCode } from '../../../src/errors.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { runs } from '../../shared-data.ts';

const options = { limits: defaultLimits };

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function codeOf(action: () => unknown): E2eErrorCode | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof E2eError) return error.code;
    throw error;
  }
}

describe('identifier and length octets (X.690 section 8.1)', () => {
  it('shows tag, class, form, header, content and the whole element without copying', () => {
    const input = bytes('30 03 02 01 05');
    const node = parseDer(input, options);
    expect([node.tag, node.tagClass, node.tagNumber, node.constructed, node.depth]).toEqual([16, 0, 16, true, 1]);
    expect(node.content.buffer).toBe(input.buffer);
    expect(node.header).toEqual(bytes('30 03'));
    expect(node.raw).toEqual(input);
    expect(node.length).toBe(3);
    const inner = node.sequence().expect(tags.integer);
    expect([inner.depth, inner.content[0]]).toEqual([2, 5]);
  });

  it('reads every class', () => {
    for (const [octet, tagClass] of [
      [0x01, 0],
      [0x41, 1],
      [0x81, 2],
      [0xc1, 3],
    ] as const) {
      expect(parseBer(Uint8Array.of(octet, 0), options).tagClass).toBe(tagClass);
    }
  });

  it('reads high tag numbers and never takes them for low ones', () => {
    const node = parseDer(bytes('9f 87 68 01 00'), options);
    expect([node.tagNumber, node.tag]).toEqual([1000, -1]);
  });

  it.each([
    ['nothing', ''],
    ['an identifier alone', '30'],
    ['length octets cut off', '30 82 01'],
    ['content cut off', '04 05 01 02'],
    ['a length of 2^64', '04 89 01 00 00 00 00 00 00 00 00'],
    ['the reserved length 0xff', '04 ff 00'],
    ['a length beyond 2^53', '04 88 ff ff ff ff ff ff ff ff'],
    ['end-of-contents as an element', '00 00'],
    ['a high tag number with a leading zero', '1f 80 21 00'],
    ['a high tag number below 31', '1f 1e 00'],
    ['a high tag number without end', '1f ff ff ff ff ff 00'],
    ['a high tag number cut off', '1f 85'],
    ['a high tag number without length', '1f 85 01'],
    ['a primitive of indefinite length', '04 80 00 00'],
    ['indefinite length without end', '30 80 02 01 05'],
    ['indefinite length with half an end', '30 80 00'],
    ['a broken end', '30 80 00 01 00'],
    ['octets behind it', '05 00 00'],
  ])('refuses %s', (_what, hex) => {
    expect(codeOf(() => parseBer(bytes(hex), options))).toBe('ERR_E2E_MALFORMED');
    expect(codeOf(() => parseDer(bytes(hex), options))).toBe('ERR_E2E_MALFORMED');
  });

  it.each([
    ['a long form for a short length', '04 81 03 01 02 03'],
    ['a leading zero in the length', `04 82 00 80 ${'00'.repeat(128)}`],
    ['indefinite length', '30 80 02 01 05 00 00'],
  ])('takes %s in BER, not in DER (X.690 section 10.1)', (_what, hex) => {
    expect(codeOf(() => parseBer(bytes(hex), options))).toBeUndefined();
    expect(codeOf(() => parseDer(bytes(hex), options))).toBe('ERR_E2E_MALFORMED');
  });

  it('carries the stage given', () => {
    try {
      parseBer(bytes('30'), { ...options, stage: 'verify' });
      expect.unreachable();
    } catch (error) {
      expect((error as E2eError).stage).toBe('verify');
    }
  });
});

describe('walking', () => {
  it('hands out elements in order, optional ones by tag, and notices what is left or missing', () => {
    const cursor = parseDer(bytes('30 08 80 01 aa 02 01 07 05 00'), options).sequence();
    expect(cursor.optional(contextTag(1))).toBeUndefined();
    expect(cursor.optional(contextTag(0))?.content).toEqual(bytes('aa'));
    expect(() => cursor.expect(tags.oid)).toThrow(E2eError);
    const rest = parseDer(bytes('30 03 02 01 07'), options).sequence();
    expect(() => rest.end()).toThrow(E2eError);
    rest.next();
    rest.end();
    expect(rest.done).toBe(true);
    expect(rest.optional(tags.integer)).toBeUndefined();
    expect(() => rest.next()).toThrow(E2eError);
  });

  it('refuses an element that ends beyond its parent', () => {
    const outer = parseBer(bytes('30 03 04 02 00'), options).sequence();
    expect(codeOf(() => outer.next())).toBe('ERR_E2E_MALFORMED');
  });

  it('asks for SEQUENCE and for constructed elements where they belong', () => {
    expect(codeOf(() => parseBer(bytes('31 00'), options).sequence())).toBe('ERR_E2E_MALFORMED');
    expect(codeOf(() => parseBer(bytes('10 00'), options).sequence())).toBe('ERR_E2E_MALFORMED');
    expect(codeOf(() => parseBer(bytes('a0 00'), options).explicit())).toBe('ERR_E2E_MALFORMED');
    expect(codeOf(() => parseBer(bytes('a0 04 05 00 05 00'), options).explicit())).toBe('ERR_E2E_MALFORMED');
    expect(parseBer(bytes('a0 02 05 00'), options).explicit().tag).toBe(tags.null);
  });

  it('checks the order of a SET OF in DER only (X.690 section 11.6)', () => {
    const unordered = bytes('31 06 02 01 05 02 01 04');
    expect(codeOf(() => parseDer(unordered, options).elements(9, true))).toBe('ERR_E2E_MALFORMED');
    expect(parseDer(unordered, options).elements(9)).toHaveLength(2);
    expect(parseBer(unordered, options).elements(9, true)).toHaveLength(2);
  });

  it('stops at the number of elements asked for', () => {
    const set = bytes('31 06 02 01 04 02 01 05');
    expect(parseDer(set, options).elements(2, true)).toHaveLength(2);
    expect(codeOf(() => parseDer(set, options).elements(1, true))).toBe('ERR_E2E_LIMIT');
  });

  it('orders octet strings as padded with zeros would stand', () => {
    expect(compareOctets(bytes('01'), bytes('02'))).toBeLessThan(0);
    expect(compareOctets(bytes('01'), bytes('01 00'))).toBeLessThan(0);
    expect(compareOctets(bytes('01'), bytes('01'))).toBe(0);
  });
});

describe('indefinite lengths', () => {
  /** Wraps content in indefinite-length sequences. */
  function nested(levels: number, inner = ''): Uint8Array {
    return bytes('3080'.repeat(levels) + inner + '0000'.repeat(levels));
  }

  it('finds the end of nested ones', () => {
    let node = parseBer(nested(5, '020107'), options);
    for (let level = 1; level < 5; level++) node = node.explicit();
    expect(node.explicit().content).toEqual(bytes('07'));
    expect(node.raw).toEqual(bytes('3080 020107 0000'));
  });

  it('joins the segments of constructed strings, nested ones too', () => {
    const node = parseBer(bytes('2480 0402 0102 2403 0401 03 2480 0401 04 0000 0000'), options);
    expect(octetString(node)).toEqual(bytes('01 02 03 04'));
    expect(codeOf(() => octetString(parseBer(bytes('2403 020105'), options)))).toBe('ERR_E2E_MALFORMED');
    expect(codeOf(() => octetString(parseDer(bytes('2403 040105'), options)))).toBe('ERR_E2E_MALFORMED');
  });

  it('keeps the depth limit on all ways: n - 1 and n pass, n + 1 does not', () => {
    const descend = (input: Uint8Array): void => {
      let node = parseBer(input, options);
      while (node.constructed && node.length > 0) node = node.children().next();
    };
    const definite = (levels: number): Uint8Array => {
      let inner = Buffer.alloc(0);
      for (let i = 0; i < levels; i++) {
        const length = inner.length < 128 ? [inner.length] : [0x82, inner.length >> 8, inner.length & 255];
        inner = Buffer.concat([Buffer.from([0x30, ...length]), inner]);
      }
      return inner;
    };
    const { asn1Depth } = defaultLimits;
    for (const make of [nested, definite]) {
      expect(codeOf(() => descend(make(asn1Depth - 1)))).toBeUndefined();
      expect(codeOf(() => descend(make(asn1Depth)))).toBeUndefined();
      expect(codeOf(() => descend(make(asn1Depth + 1)))).toBe('ERR_E2E_LIMIT');
    }
    expect(codeOf(() => parseBer(nested(100_000), options))).toBe('ERR_E2E_LIMIT');
  });
});

describe('any input', () => {
  it('gives a tree or one E2eError', () => {
    const stages = new Map<string, number>();
    const octets = fc.uint8Array({ maxLength: 64 });
    const shaped = fc
      .array(fc.constantFrom(0x30, 0x31, 0x24, 0x04, 0x80, 0x81, 0x00, 0xa0, 0x02, 0x1f), { maxLength: 40 })
      .map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(fc.oneof(octets, shaped), (input) => {
        const outcome = codeOf(() => {
          const open = [parseBer(input, options)];
          for (let node = open.pop(); node !== undefined; node = open.pop()) {
            if (node.constructed) open.push(...node.elements(1000));
          }
        });
        stages.set(outcome ?? 'read', (stages.get(outcome ?? 'read') ?? 0) + 1);
      }),
      { numRuns: runs(200_000), seed: 5652 },
    );
    expect(stages.get('read')).toBeGreaterThan(100);
    expect(stages.get('ERR_E2E_MALFORMED')).toBeGreaterThan(1000);
  });
});
