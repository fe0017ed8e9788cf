/** Size is paid for once: twice the input takes about twice the time, and 16 MiB stay below a second or two. */
import { describe, expect, it } from 'vitest';
import { parseBer, parseDer } from '../../../src/asn1/reader.ts';
import { assertDer } from '../../../src/asn1/strict.ts';
import { octetString, oidValue } from '../../../src/asn1/values.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { cpuTime } from '../../cpu-time.ts';

const options = { limits: defaultLimits };

function element(identifier: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  return Buffer.concat([Uint8Array.of(identifier, 0x84, length >>> 24, length >>> 16, length >>> 8, length), content]);
}

function repeated(hex: string, size: number): Uint8Array {
  return Buffer.alloc(size - (size % (hex.length / 2)), hex, 'hex');
}

/** Milliseconds of the fastest of five runs. */
function time(action: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = cpuTime();
    try {
      action();
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
    }
    best = Math.min(best, cpuTime() - start);
  }
  return best;
}

const inputs: Record<string, (size: number) => () => unknown> = {
  'many small elements of a SET': (size) => {
    const input = element(0x31, repeated('020105', size));
    return () => {
      const cursor = parseBer(input, options).children();
      while (!cursor.done) cursor.next();
    };
  },
  'strict DER of many small elements': (size) => {
    const content = repeated('020105', size);
    const input = Buffer.concat([
      Uint8Array.of(0x30, 0x83, content.length >> 16, content.length >> 8, content.length),
      content,
    ]);
    return () => assertDer(input, options);
  },
  'a string of one-octet segments': (size) => {
    const input = element(0x24, repeated('040141', size));
    return () => octetString(parseBer(input, options));
  },
  'a string of indefinite-length segments': (size) => {
    const input = Buffer.concat([Buffer.from('2480', 'hex'), repeated('24800401410000', size), Buffer.alloc(2)]);
    return () => octetString(parseBer(input, options));
  },
  'indefinite lengths nested thirty deep, side by side': (size) => {
    const input = Buffer.concat([
      Buffer.from('3080', 'hex'),
      repeated('3080'.repeat(30) + '0000'.repeat(30), size),
      Buffer.alloc(2),
    ]);
    return () => {
      const open = [parseBer(input, options)];
      for (let node = open.pop(); node !== undefined; node = open.pop()) {
        const cursor = node.children();
        while (!cursor.done) open.push(cursor.next());
      }
    };
  },
};

describe('linear time', () => {
  it.each(Object.keys(inputs))('%s', (name) => {
    const make = inputs[name]!;
    // Small sizes are noise: go up until one run takes a few milliseconds.
    let size = 1 << 16;
    while (size < 1 << 18 && time(make(size)) < 4) size *= 2;
    let ratio = Number.POSITIVE_INFINITY;
    // Linear work takes 16 times as long, or somewhat more with a busy garbage collector; quadratic work 256 times.
    for (let attempt = 0; attempt < 5 && ratio >= 64; attempt++) ratio = time(make(size * 16)) / time(make(size));
    expect(ratio).toBeLessThan(64);
  });

  it('16 MiB of content are looked at once', () => {
    const input = element(0x04, new Uint8Array(1 << 24));
    expect(time(() => octetString(parseBer(input, options)))).toBeLessThan(100);
  });

  it('a SET of a million elements ends at the number asked for', () => {
    const input = element(0x31, repeated('020105', 3_000_000));
    expect(time(() => parseBer(input, options).elements(64))).toBeLessThan(100);
  });

  it('an OBJECT IDENTIFIER of 254 KB is refused at once', () => {
    const input = element(0x06, repeated('01', 254_000));
    expect(() => oidValue(parseBer(input, options))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }) as Error,
    );
    expect(time(() => oidValue(parseBer(input, options)))).toBeLessThan(100);
  });

  it('a million octets of nesting are refused at once', () => {
    const input = repeated('3080', 1 << 20);
    expect(time(() => parseBer(input, options))).toBeLessThan(100);
    expect(() => parseDer(input, options)).toThrow(E2eError);
  });
});
