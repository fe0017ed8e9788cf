/** Reading CMS takes time in proportion to the octets, whatever they are made of; limits stop at their number. */
import { beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../src/asn1/writer.ts';
import { concatBytes } from '../../src/bytes.ts';
import { looksLikeAttributes } from '../../src/cms/attributes.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { verifySigner } from '../../src/cms/verify.ts';
import type { KeyPair } from '../../src/crypto/provider.ts';
import { E2eError, type E2eErrorCode } from '../../src/errors.ts';
import { defaultLimits, limitsWith } from '../../src/limits.ts';
import {
  attribute,
  content,
  contentInfo,
  contentTypeAttribute,
  crypto,
  digestAttribute,
  keyPair,
  lax,
  signedMessage,
} from '../unit/cms/support.ts';
import { cpuTime } from '../cpu-time.ts';

/** No size stops these. */
const open = limitsWith({ certificateBytes: 1e9, decryptedBytes: 1e9 });

let keys: KeyPair;
beforeAll(async () => {
  keys = await keyPair('p256');
});

function many(size: number, hex: string): Uint8Array {
  const piece = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return new Uint8Array(Buffer.alloc(Math.floor(size / piece.length) * piece.length, piece));
}

function signed(fields: {
  readonly inside?: DerPart;
  readonly certificates?: Uint8Array;
  readonly signers?: Uint8Array;
}): Uint8Array {
  const { inside, certificates, signers = new Uint8Array() } = fields;
  return contentInfo(
    oids.signedData,
    derSequence(
      derInteger(1),
      der(0x31),
      derSequence(derOid(oids.data), ...(inside === undefined ? [] : [derContext(0, inside)])),
      ...(certificates === undefined ? [] : [der(0xa0, certificates)]),
      der(0x31, signers),
    ),
  );
}

function enveloped(recipients: Uint8Array, ciphertext: DerPart = der(0x80, new Uint8Array(16))): Uint8Array {
  const algorithm = derSequence(derOid(oids.aes128Cbc), derOctetString(new Uint8Array(16)));
  const info = derSequence(derOid(oids.data), algorithm, ciphertext);
  return contentInfo(oids.envelopedData, derSequence(derInteger(0), der(0x31, recipients), info));
}

/** KeyTransRecipientInfo of an algorithm that nobody knows. */
const recipient = '3013 020100 3005 3000 020101 3003 06012a 0402 0000';
const shapes: Readonly<Record<string, (size: number) => readonly [Uint8Array, (bytes: Uint8Array) => unknown]>> = {
  'content in one-octet segments': (size) => [
    signed({ inside: der(0x24, many(size, '040141')) }),
    (bytes) => parseSignedData(bytes, open),
  ],
  'content in nested indefinite segments': (size) => [
    signed({ inside: der(0x24, many(size, '2480 2480 040141 0000 0000')) }),
    (bytes) => parseSignedData(bytes, open),
  ],
  // As many as the limits allow, and larger and larger: the number itself is bounded, see below.
  certificates: (size) => [
    signed({
      certificates: concatBytes(
        ...Array.from({ length: 32 }, () => encodeDer(derSequence(derOctetString(new Uint8Array(size >> 5))))),
      ),
    }),
    (bytes) => parseSignedData(bytes, open),
  ],
  'ciphertext in segments': (size) => [
    enveloped(many(21, recipient), der(0xa0, many(size, '0408 0000000000000000'), many(20, '0408 0000000000000000'))),
    (bytes) => parseEnveloped(bytes, open),
  ],
  recipients: (size) => [
    enveloped(
      concatBytes(
        ...Array.from({ length: 64 }, () =>
          encodeDer(
            derSequence(
              derInteger(0),
              derSequence(derSequence(), derInteger(1)),
              derSequence(derOid('1.2.3')),
              der(0x24, many(size >> 6, '040141')),
            ),
          ),
        ),
      ),
    ),
    (bytes) => parseEnveloped(bytes, open),
  ],
  'content that is nearly a set of attributes': (size) => [
    // The last octets are none.
    encodeDer(der(0x31, many(size, '3006 06012a 3101 00'), Uint8Array.of(5, 0))),
    (bytes) => looksLikeAttributes(bytes, { limits: defaultLimits }),
  ],
};

function time(bytes: Uint8Array, action: (bytes: Uint8Array) => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = cpuTime();
    try {
      action(bytes);
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
    }
    least = Math.min(least, cpuTime() - start);
  }
  return least;
}

// Sixteen times the octets take about 16 times the time, and somewhat more where many small objects wake the garbage
// collector; a quadratic step takes 256 times as much.
describe('sixteen times the octets', () => {
  it.each(Object.keys(shapes))('%s', (name) => {
    const shape = shapes[name]!;
    let size = 1 << 15;
    while (size < 1 << 17 && time(...shape(size)) < 3) size *= 2;
    let ratio = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 6 && ratio >= 64; attempt++) {
      ratio = time(...shape(size * 16)) / Math.max(time(...shape(size)), 0.2);
    }
    expect(ratio).toBeLessThan(64);
  });
});

describe('limits stop at their number, and early', () => {
  function codeOf(action: () => unknown): E2eErrorCode | undefined {
    try {
      action();
      return undefined;
    } catch (error) {
      if (error instanceof E2eError) return error.code;
      throw error;
    }
  }

  it('certificates, signers and recipients: n - 1 and n pass, n + 1 does not', () => {
    const piece = '3003 020101';
    const { certificates, recipients } = defaultLimits;
    for (const [count, code] of [
      [certificates - 1, undefined],
      [certificates, undefined],
      [certificates + 1, 'ERR_E2E_LIMIT'],
      [1_000_000, 'ERR_E2E_LIMIT'],
    ] as const) {
      const message = signed({ certificates: many(count * 5, piece) });
      const start = cpuTime();
      expect(codeOf(() => parseSignedData(message, defaultLimits))).toBe(code);
      expect(cpuTime() - start).toBeLessThan(100);
    }
    const { length } = many(21, recipient);
    for (const [count, code] of [
      [recipients - 1, undefined],
      [recipients, undefined],
      [recipients + 1, 'ERR_E2E_LIMIT'],
      [100_000, 'ERR_E2E_LIMIT'],
    ] as const) {
      const message = enveloped(many(count * length, recipient));
      expect(codeOf(() => parseEnveloped(message, defaultLimits))).toBe(code);
    }
    expect(codeOf(() => parseSignedData(signed({ signers: many(5_000_000, piece) }), defaultLimits))).toBe(
      'ERR_E2E_LIMIT',
    );
  });

  it('attributes: 256 pass, 257 do not, and a hundred thousand are no work', async () => {
    const scheme = { scheme: 'ecdsa', hash: 'sha256' } as const;
    for (const [count, result] of [
      [256, 'good'],
      [257, 'ERR_E2E_LIMIT'],
      [30_000, 'ERR_E2E_LIMIT'],
    ] as const) {
      const others = Array.from({ length: count - 2 }, (_, i) => attribute(`1.2.3.${i}`, derNull));
      for (const [attributes, unsigned] of [
        [[contentTypeAttribute, digestAttribute(), ...others], []],
        [
          [contentTypeAttribute, digestAttribute()],
          [...others, attribute('1.2.4', derNull), attribute('1.2.5', derNull)],
        ],
      ] as const) {
        const message = await signedMessage({ keys, scheme, digest: 'sha256', attributes, unsigned });
        const signedData = parseSignedData(message, defaultLimits);
        const signerInfo = signedData.signerInfos[0]!;
        const start = cpuTime();
        const request = { signedData, signerInfo, content, publicKey: keys.publicKey, crypto, policy: lax };
        const outcome = await Promise.resolve()
          .then(() => verifySigner(request))
          .then((verdict) => verdict.outcome)
          .catch((error: unknown) => (error as E2eError).code);
        expect(outcome).toBe(result);
        expect(cpuTime() - start).toBeLessThan(100);
      }
    }
  });

  it('a certificate beyond its size', () => {
    const { certificateBytes } = defaultLimits;
    for (const [size, code] of [
      [certificateBytes, undefined],
      [certificateBytes + 1, 'ERR_E2E_LIMIT'],
    ] as const) {
      const certificate = derSequence(derOctetString(new Uint8Array(size - 8)));
      expect(certificate.length).toBe(size);
      const message = contentInfo(
        oids.signedData,
        derSequence(derInteger(1), der(0x31), derSequence(derOid(oids.data)), der(0xa0, certificate), der(0x31)),
      );
      expect(codeOf(() => parseSignedData(message, defaultLimits))).toBe(code);
    }
  });

  it('16 MiB of ciphertext, before it is looked at', () => {
    const message = enveloped(many(21, recipient), der(0x80, new Uint8Array(1 << 24)));
    const start = cpuTime();
    expect(codeOf(() => parseEnveloped(message, defaultLimits))).toBe('ERR_E2E_LIMIT');
    expect(cpuTime() - start).toBeLessThan(100);
  });

  it('an OBJECT IDENTIFIER of 254 KB as a content type', () => {
    const oid = der(6, new Uint8Array(254_000).fill(1));
    const bytes = encodeDer(derSequence(oid, derContext(0, derSequence())));
    const start = cpuTime();
    expect(codeOf(() => parseSignedData(bytes, defaultLimits))).toBe('ERR_E2E_LIMIT');
    expect(codeOf(() => parseEnveloped(bytes, defaultLimits))).toBe('ERR_E2E_LIMIT');
    expect(cpuTime() - start).toBeLessThan(100);
  });
});
