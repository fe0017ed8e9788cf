/** Signature packets, read here and by openpgp.js: the same facts of each, or both refuse. */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { withoutFastPath } from '../../../src/backends/openpgp/fast/path.ts';
import { readSignature } from '../../../src/backends/openpgp/fast/read-signature.ts';
import { type MessageSignature } from '../../../src/backends/openpgp/library.ts';
import { runs } from '../../shared-data.ts';
import { mutate, type Next, random } from './mutate.ts';

/** All that a signature is judged by. */
function factsOf(signature: MessageSignature | undefined): unknown {
  if (signature === undefined) return undefined;
  const { unknownSubpackets, rawNotations, issuerKeyID } = signature;
  const numbers = signature.params as Readonly<Record<string, Uint8Array>>;
  const octets = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('hex');
  return {
    version: signature.version,
    types: [signature.signatureType, signature.publicKeyAlgorithm, signature.hashAlgorithm],
    created: signature.created.getTime(),
    expires: [signature.signatureNeverExpires, signature.signatureExpirationTime],
    keyId: issuerKeyID.bytes,
    fingerprint: octets(signature.issuerFingerprint),
    unknown: unknownSubpackets.map(({ type, critical, body }) => [type, critical, octets(body)]),
    data: [octets(signature.signatureData), octets(signature.signedHashValue), octets(signature.salt)],
    notations: rawNotations.some(({ critical }) => critical),
    revocationKey: signature.revocationKeyClass,
    params: Object.entries(numbers).map(([name, integer]) => [name, octets(integer)]),
  };
}

/** Whether it was read here, and to the same as there. */
async function compared(body: Uint8Array): Promise<boolean> {
  const read = library.SignaturePacket.prototype as unknown as { read: (bytes: Uint8Array) => void };
  const original = read.read;
  let asked = false;
  read.read = function (bytes) {
    asked = true;
    original.call(this, bytes);
  };
  let ours: MessageSignature | undefined;
  try {
    ours = readSignature(body);
  } finally {
    read.read = original;
  }
  const theirs = await withoutFastPath(() => Promise.resolve(readSignature(body)));
  expect(factsOf(ours)).toEqual(factsOf(theirs));
  return !asked;
}

const fingerprints: Readonly<Record<number, Buffer>> = {
  4: Buffer.from('00112233445566778899aabbccddeeff01234567', 'hex'),
  6: Buffer.from('00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef', 'hex'),
};

const subpacket = (type: number, ...content: readonly (Uint8Array | number)[]): Buffer => {
  const body = Buffer.concat(content.map((part) => (typeof part === 'number' ? Buffer.of(part) : part)));
  const { length } = body;
  const count =
    length + 1 < 192 ? Buffer.of(length + 1) : Buffer.of(192 + ((length + 1 - 192) >> 8), (length + 1 - 192) & 255);
  return Buffer.concat([count, Buffer.of(type), body]);
};

const created = subpacket(0x82, Buffer.of(0x66, 0, 0, 1));
const issuer = (version: number): Buffer => subpacket(33, version, fingerprints[version]!);
const keyIdOf = (version: number): Buffer =>
  version === 4 ? fingerprints[4]!.subarray(-8) : fingerprints[6]!.subarray(0, 8);

interface Made {
  readonly version?: 4 | 6;
  readonly type?: number;
  readonly algorithm?: number;
  readonly hashed: readonly Uint8Array[];
  readonly unhashed?: readonly Uint8Array[];
  readonly numbers?: Uint8Array;
}

const mpi = (bits: number): Buffer => {
  const octets = Buffer.alloc((bits + 7) >> 3, 0x11);
  octets[0] = 1 << ((bits - 1) & 7);
  return Buffer.concat([Buffer.of(bits >> 8, bits & 255), octets]);
};

const numbersOf: Readonly<Record<number, Buffer>> = {
  1: mpi(2048),
  3: mpi(2043),
  17: Buffer.concat([mpi(256), mpi(255)]),
  19: Buffer.concat([mpi(256), mpi(249)]),
  22: Buffer.concat([mpi(256), mpi(250)]),
  27: Buffer.alloc(64, 7),
  28: Buffer.alloc(114, 7),
};

function bodyOf({ version = 4, type = 0, algorithm = 22, hashed, unhashed = [], numbers }: Made): Buffer {
  const area = (subpackets: readonly Uint8Array[]): Buffer => {
    const octets = Buffer.concat(subpackets);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(octets.length);
    return Buffer.concat([count.subarray(version === 4 ? 2 : 0), octets]);
  };
  const salt = version === 6 ? [Buffer.of(32), Buffer.alloc(32, 9)] : [];
  const fields = [
    Buffer.of(version, type, algorithm, 10),
    area(hashed),
    area(unhashed),
    Buffer.of(0xab, 0xcd),
    ...salt,
  ];
  return Buffer.concat([...fields, numbers ?? numbersOf[algorithm] ?? Buffer.alloc(3)]);
}

describe('signatures that everybody makes', () => {
  const notation = subpacket(20, Buffer.from('000000000003000261404243ff', 'hex'));
  it.each<[string, Made]>([
    ['of GnuPG', { hashed: [issuer(4), created], unhashed: [subpacket(16, keyIdOf(4))] }],
    ['of GnuPG with a sender', { hashed: [issuer(4), created, subpacket(28, Buffer.from('r@example.net'))] }],
    ['of openpgp.js', { hashed: [created, subpacket(16, keyIdOf(4)), notation, issuer(4)] }],
    ['that names recipients', { hashed: [created, issuer(4), subpacket(35, 4, fingerprints[4]!), subpacket(0xa3, 6)] }],
    ['of version 6', { version: 6, algorithm: 27, hashed: [created, subpacket(0xa1, 6, fingerprints[6]!)] }],
    ['by RSA', { algorithm: 1, hashed: [created, issuer(4)] }],
    ['by RSA keys that only sign', { algorithm: 3, hashed: [created, issuer(4)] }],
    ['by ECDSA', { algorithm: 19, hashed: [created, issuer(4)] }],
  ])('%s are read here', async (_name, made) => {
    expect(await compared(bodyOf(made))).toBe(true);
  });

  const good = [created, issuer(4)];
  it.each<[string, Made]>([
    ['over text', { type: 1, hashed: good }],
    ['by DSA', { algorithm: 17, hashed: good }],
    ['by Ed448', { algorithm: 28, hashed: good }],
    ['by nobody knows what', { algorithm: 99, hashed: good }],
    ['without a time', { hashed: [issuer(4)] }],
    ['with two times', { hashed: [...good, created] }],
    ['with a long time', { hashed: [subpacket(2, Buffer.alloc(5, 1)), issuer(4)] }],
    ['without a fingerprint', { hashed: [created, subpacket(16, keyIdOf(4))] }],
    ['with two fingerprints', { hashed: [...good, issuer(4)] }],
    ['with a fingerprint of another version', { hashed: [created, issuer(6)] }],
    ['with a fingerprint that is too long', { hashed: [created, subpacket(33, 4, fingerprints[6]!)] }],
    ['with a key id of another key', { hashed: [...good, subpacket(16, Buffer.alloc(8, 1))] }],
    ['with a key id of another key unhashed', { hashed: good, unhashed: [subpacket(16, Buffer.alloc(8, 1))] }],
    ['with a key id that is too long', { hashed: [...good, subpacket(16, keyIdOf(4), 1)] }],
    ['with a key id in version 6', { version: 6, hashed: [created, issuer(6), subpacket(16, keyIdOf(6))] }],
    ['with a critical notation', { hashed: [...good, subpacket(0x94, Buffer.alloc(8))] }],
    ['with a life', { hashed: [...good, subpacket(3, Buffer.of(0, 0, 1, 0))] }],
    ['with a revoker', { hashed: [...good, subpacket(12, 0x80, 1, fingerprints[4]!)] }],
    ['with an unknown subpacket', { hashed: [...good, subpacket(99, 1)] }],
    ['with a long subpacket', { hashed: [...good, subpacket(20, Buffer.alloc(250))] }],
    ['with an empty subpacket', { hashed: [...good, Buffer.of(0)] }],
    ['with a subpacket that is cut off', { hashed: [...good, Buffer.of(9, 20, 1)] }],
    ['with more unhashed', { hashed: good, unhashed: [subpacket(100, 1)] }],
    ['with a rest behind the numbers', { hashed: good, numbers: Buffer.concat([numbersOf[22]!, Buffer.of(0)]) }],
    ['with one number', { hashed: good, numbers: mpi(256) }],
    ['with numbers that are cut off', { hashed: good, numbers: numbersOf[22]!.subarray(0, -1) }],
  ])('%s are left to openpgp.js', async (_name, made) => {
    expect(await compared(bodyOf(made))).toBe(false);
  });
});

describe('signatures made of anything', () => {
  const types = [2, 2, 3, 9, 11, 12, 16, 20, 24, 27, 28, 32, 33, 34, 35, 39, 60, 100];
  const some = (next: Next, version: number): Buffer => {
    switch (next(6)) {
      case 0:
        return created;
      case 1:
        return issuer(next(8) === 0 ? 10 - version : version);
      case 2:
        return subpacket(16, keyIdOf(next(8) === 0 ? 10 - version : version));
      case 3:
        return subpacket(35, version, fingerprints[version]!);
      default: {
        const content = Buffer.alloc(next(12) === 0 ? next(300) : next(40), next(256));
        return subpacket(types[next(types.length)]! | (next(4) === 0 ? 0x80 : 0), content);
      }
    }
  };

  it('have the same facts', { timeout: 600_000 }, async () => {
    const total = runs(30_000);
    const next = random(0x5195);
    const algorithms = Object.keys(numbersOf).map(Number);
    let here = 0;
    for (let i = 0; i < total; i++) {
      const version = next(3) === 0 ? 6 : 4;
      const hashed = [created, issuer(version), ...Array.from({ length: next(4) }, () => some(next, version))];
      const unhashed = Array.from({ length: Math.max(0, next(5) - 2) }, () => some(next, version));
      const type = next(9) === 0 ? next(256) : 0;
      const made = bodyOf({ version, type, algorithm: algorithms[next(algorithms.length)]!, hashed, unhashed });
      if (await compared(next(2) === 0 ? made : mutate(made, next, [0, 4, made.length - 64]))) here++;
    }
    expect(here).toBeGreaterThan(total / 20);
  });
});
