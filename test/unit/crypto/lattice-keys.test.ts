/**
 * ML-DSA (FIPS 204) and ML-KEM (FIPS 203) keys and operations. Lengths are those of FIPS 204 table 2 and FIPS 203
 * table 3; where the runtime lacks the algorithms every use is a typed refusal, and reading keys is none.
 */
import { describe, expect, it } from 'vitest';
import {
  type DerPart,
  der,
  derBitString,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { concatBytes, equalBytes } from '../../../src/bytes.ts';
import type { E2eError } from '../../../src/errors.ts';
import type { MlDsaParameterSet, MlKemParameterSet } from '../../../src/crypto/lattice-keys.ts';
import { type PrivateKey, parsePrivateKey } from '../../../src/crypto/private-key.ts';
import type { CryptoProvider, KeyPair, KeyPairKind } from '../../../src/crypto/provider.ts';
import { type PublicKey, parsePublicKey } from '../../../src/crypto/public-key.ts';
import { octets, providers } from './providers.ts';

interface Row {
  readonly algorithm: 'ml-dsa' | 'ml-kem';
  readonly set: number;
  readonly oid: string;
  readonly publicLength: number;
  readonly expandedLength: number;
  readonly outputLength: number;
}

const arc = '2.16.840.1.101.3.4';
const rows: readonly Row[] = [
  { algorithm: 'ml-dsa', set: 44, oid: `${arc}.3.17`, publicLength: 1312, expandedLength: 2560, outputLength: 2420 },
  { algorithm: 'ml-dsa', set: 65, oid: `${arc}.3.18`, publicLength: 1952, expandedLength: 4032, outputLength: 3309 },
  { algorithm: 'ml-dsa', set: 87, oid: `${arc}.3.19`, publicLength: 2592, expandedLength: 4896, outputLength: 4627 },
  { algorithm: 'ml-kem', set: 512, oid: `${arc}.4.1`, publicLength: 800, expandedLength: 1632, outputLength: 768 },
  { algorithm: 'ml-kem', set: 768, oid: `${arc}.4.2`, publicLength: 1184, expandedLength: 2400, outputLength: 1088 },
  { algorithm: 'ml-kem', set: 1024, oid: `${arc}.4.3`, publicLength: 1568, expandedLength: 3168, outputLength: 1568 },
];

const seedLength = ({ algorithm }: Row): number => (algorithm === 'ml-dsa' ? 32 : 64);

function publicKey(oid: string, key: Uint8Array, ...parameters: readonly DerPart[]): PublicKey {
  return parsePublicKey(encodeDer(derSequence(derSequence(derOid(oid), ...parameters), derBitString(key))));
}

function privateKey(oid: string, inner: DerPart, ...parameters: readonly DerPart[]): PrivateKey {
  const algorithm = derSequence(derOid(oid), ...parameters);
  return parsePrivateKey(
    encodeDer(
      derSequence(derInteger(0), algorithm, derOctetString(inner instanceof Uint8Array ? inner : encodeDer(inner))),
    ),
  );
}

const malformed = expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }) as E2eError;
const unsupported = expect.objectContaining({ code: 'ERR_E2E_UNSUPPORTED' }) as E2eError;

describe.each(rows)('$algorithm-$set keys', (row) => {
  const { oid, algorithm, publicLength, expandedLength } = row;
  const seed = Uint8Array.from({ length: seedLength(row) }, (_, index) => index);
  const expanded = new Uint8Array(expandedLength);

  it('have their public length and no parameters', () => {
    const key = publicKey(oid, new Uint8Array(publicLength));
    expect(key).toMatchObject({ algorithm, oid });
    for (const length of [0, publicLength - 1, publicLength + 1]) {
      expect(() => publicKey(oid, new Uint8Array(length))).toThrow(malformed);
    }
    expect(() => publicKey(oid, new Uint8Array(publicLength), derNull)).toThrow(malformed);
  });

  it('are read as seed, as expanded key and as both', () => {
    const forms: readonly [DerPart, Uint8Array | undefined][] = [
      [der(0x80, seed), seed],
      [derOctetString(expanded), undefined],
      [derSequence(derOctetString(seed), derOctetString(expanded)), seed],
    ];
    for (const [form, expected] of forms) {
      const key = privateKey(oid, form);
      expect(key).toMatchObject({ algorithm, oid });
      expect(key.scalar === undefined ? undefined : Buffer.from(key.scalar)).toEqual(expected && Buffer.from(expected));
      expect(JSON.stringify(key)).not.toContain('scalar');
    }
  });

  it('are refused in any other form', () => {
    for (const form of [
      der(0x80, seed.subarray(1)),
      der(0x80, concatBytes(seed, seed)),
      derOctetString(expanded.subarray(1)),
      derOctetString(seed),
      derSequence(derOctetString(seed)),
      derSequence(derOctetString(expanded), derOctetString(seed)),
      derSequence(derOctetString(seed), derOctetString(expanded), derNull),
      derSequence(derOctetString(seed.subarray(1)), derOctetString(expanded)),
      der(0x81, seed),
      der(0xa0, derOctetString(seed)),
      derNull,
    ]) {
      expect(() => privateKey(oid, form)).toThrow(malformed);
    }
    expect(() => privateKey(oid, der(0x80, seed), derNull)).toThrow(malformed);
  });
});

function kind(row: Row): KeyPairKind {
  return row.algorithm === 'ml-dsa'
    ? { algorithm: 'ml-dsa', parameterSet: row.set as MlDsaParameterSet }
    : { algorithm: 'ml-kem', parameterSet: row.set as MlKemParameterSet };
}

const message = octets('00112233');

describe.each(Object.entries(providers))('%s', (_name, crypto) => {
  describe.each(rows.filter(({ algorithm }) => algorithm === 'ml-dsa'))('ML-DSA-$set', (row) => {
    const scheme = { scheme: 'ml-dsa', parameterSet: row.set as MlDsaParameterSet } as const;

    it.runIf(crypto.supports('ml-dsa'))('signs and verifies, and takes nothing else', async () => {
      const { publicKey: own, privateKey: secret } = await crypto.generateKeyPair(kind(row));
      const other = (await crypto.generateKeyPair(kind(row))).publicKey;
      const signature = await crypto.sign(secret, scheme, message);
      expect(signature).toHaveLength(row.outputLength);
      expect(await crypto.verify(own, scheme, message, signature)).toBe(true);
      expect(await crypto.verify(other, scheme, message, signature)).toBe(false);
      expect(await crypto.verify(own, scheme, octets('00112232'), signature)).toBe(false);
      expect(await crypto.verify(own, scheme, message, signature.subarray(1))).toBe(false);
      expect(await crypto.verify(own, scheme, message, concatBytes(signature, octets('00')))).toBe(false);
      for (const at of [0, 32, 1000, row.outputLength - 1]) {
        const changed = signature.slice();
        changed[at]! ^= 1;
        expect(await crypto.verify(own, scheme, message, changed)).toBe(false);
      }
      const another = rows.find(({ algorithm, set }) => algorithm === 'ml-dsa' && set !== row.set)!;
      const wrong = { scheme: 'ml-dsa', parameterSet: another.set as MlDsaParameterSet } as const;
      expect(await crypto.verify(own, wrong, message, signature)).toBe(false);
      await expect((async () => crypto.sign(secret, wrong, message))()).rejects.toThrow(TypeError);
    });

    it.runIf(!crypto.supports('ml-dsa'))('is refused with UNSUPPORTED', async () => {
      const own = publicKey(row.oid, new Uint8Array(row.publicLength));
      const secret = privateKey(row.oid, der(0x80, new Uint8Array(32)));
      await refusesAll([
        async () => crypto.generateKeyPair(kind(row)),
        async () => crypto.sign(secret, scheme, message),
      ]);
      const verify = async () => crypto.verify(own, scheme, message, new Uint8Array(row.outputLength));
      if (crypto.supports('ml-dsa-verify')) expect(await verify()).toBe(false);
      else await refusesAll([verify]);
    });
  });

  describe.each(rows.filter(({ algorithm }) => algorithm === 'ml-kem'))('ML-KEM-$set', (row) => {
    it.runIf(crypto.supports('ml-kem'))('agrees on a secret, and on another for another ciphertext', async () => {
      const { publicKey: peer, privateKey: secret } = await crypto.generateKeyPair(kind(row));
      const encapsulated = (await crypto.encapsulate(peer))!;
      expect(encapsulated.ciphertext).toHaveLength(row.outputLength);
      expect(encapsulated.secret).toHaveLength(32);
      const same = await crypto.decapsulate(secret, encapsulated.ciphertext);
      expect(same).toEqual(encapsulated.secret);
      const changed = encapsulated.ciphertext.slice();
      changed[7]! ^= 1;
      const rejected = (await crypto.decapsulate(secret, changed))!;
      expect(rejected).toHaveLength(32);
      expect(equalBytes(rejected, encapsulated.secret)).toBe(false);
      expect(await crypto.decapsulate(secret, changed)).toEqual(rejected);
      expect(await crypto.decapsulate(secret, changed.subarray(1))).toBeUndefined();
      expect(await crypto.decapsulate(secret, new Uint8Array())).toBeUndefined();
    });

    it.runIf(crypto.supports('ml-kem'))('takes no key with numbers out of range (FIPS 203 section 7.2)', async () => {
      const peer = publicKey(row.oid, new Uint8Array(row.publicLength).fill(0xff));
      expect(await crypto.encapsulate(peer)).toBeUndefined();
      const ec = await crypto.generateKeyPair({ algorithm: 'ec', curve: 'p256' });
      expect(await crypto.encapsulate(ec.publicKey)).toBeUndefined();
      expect(await crypto.decapsulate(ec.privateKey, new Uint8Array(row.outputLength))).toBeUndefined();
      expect(await crypto.agree((await crypto.generateKeyPair(kind(row))).privateKey, message)).toBeUndefined();
    });

    it.runIf(!crypto.supports('ml-kem'))('is refused with UNSUPPORTED', async () => {
      await refusesAll([
        async () => crypto.generateKeyPair(kind(row)),
        async () => crypto.encapsulate(publicKey(row.oid, new Uint8Array(row.publicLength))),
        async () =>
          crypto.decapsulate(privateKey(row.oid, der(0x80, new Uint8Array(64))), new Uint8Array(row.outputLength)),
      ]);
    });
  });
});

async function refusesAll(operations: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const operation of operations) await expect(operation()).rejects.toThrow(unsupported);
}

const capable = Object.entries(providers).filter(
  ([, crypto]) => crypto.supports('ml-dsa') && crypto.supports('ml-kem'),
);

/** Signs or encapsulates with one and verifies or decapsulates with the other. */
async function meet(row: Row, pair: KeyPair, one: CryptoProvider, other: CryptoProvider): Promise<void> {
  if (row.algorithm === 'ml-dsa') {
    const scheme = { scheme: 'ml-dsa', parameterSet: row.set as MlDsaParameterSet } as const;
    const signature = await one.sign(pair.privateKey, scheme, message);
    expect(await other.verify(pair.publicKey, scheme, message, signature)).toBe(true);
  } else {
    const { ciphertext, secret } = (await one.encapsulate(pair.publicKey))!;
    expect(await other.decapsulate(pair.privateKey, ciphertext)).toEqual(secret);
  }
}

it.runIf(capable.length > 1).each(rows)('$algorithm-$set of two providers fit each other', async (row) => {
  for (const [, maker] of capable) {
    const pair = await maker.generateKeyPair(kind(row));
    for (const [, one] of capable) for (const [, other] of capable) await meet(row, pair, one, other);
  }
});
