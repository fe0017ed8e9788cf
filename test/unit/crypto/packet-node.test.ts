/** Signatures over a digest, and CFB mode, against the one-call functions of node:crypto and published vectors. */
import { constants, createHash, generateKeyPairSync, privateEncrypt, randomBytes, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { provider } from '#crypto';
import { parsePrivateKey } from '../../../src/crypto/private-key.ts';
import { parsePublicKey } from '../../../src/crypto/public-key.ts';
import { curvePrivateKey, curvePublicKey, rsaPublicKey } from '../../../src/crypto/raw-keys.ts';

const packets = provider.packets!;
const hashes = ['sha256', 'sha384', 'sha512'] as const;
const chunks = [randomBytes(100), new Uint8Array(0), randomBytes(33)];
const data = Buffer.concat(chunks);
const digested = (hash: (typeof hashes)[number]) => ({
  hash,
  digest: new Uint8Array(createHash(hash).update(data).digest()),
  chunks,
});

function pairOf(made: ReturnType<typeof generateKeyPairSync>) {
  return {
    made,
    privateKey: parsePrivateKey(new Uint8Array(made.privateKey.export({ format: 'der', type: 'pkcs8' }))),
    publicKey: parsePublicKey(new Uint8Array(made.publicKey.export({ format: 'der', type: 'spki' }))),
  };
}

const rsa = pairOf(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const long = pairOf(generateKeyPairSync('rsa', { modulusLength: 3072 }));
const p256 = pairOf(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }));
const p521 = pairOf(generateKeyPairSync('ec', { namedCurve: 'secp521r1' }));
const ed25519 = pairOf(generateKeyPairSync('ed25519' as 'ed448'));

describe.each(hashes)('%s', (hash) => {
  it.each([
    ['RSA-2048', rsa],
    ['RSA-3072', long],
  ])('%s signs as RSASSA-PKCS1-v1_5 does', async (_name, { made, privateKey, publicKey }) => {
    const signature = await packets.signDigested(privateKey, digested(hash));
    expect(Buffer.from(signature!).equals(sign(hash, data, made.privateKey))).toBe(true);
    expect(packets.verifyDigested(publicKey, digested(hash), signature!)).toBe(true);
    for (const other of hashes) {
      expect(packets.verifyDigested(publicKey, digested(other), signature!)).toBe(other === hash);
    }
  });

  it.each([
    ['P-256', p256],
    ['P-521', p521],
  ])('%s signs with r and s side by side', async (_name, { made, privateKey, publicKey }) => {
    const signature = (await packets.signDigested(privateKey, digested(hash)))!;
    expect(verify(hash, data, { key: made.publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    expect(packets.verifyDigested(publicKey, digested(hash), signature)).toBe(true);
    const inDer = sign(hash, data, made.privateKey);
    expect(packets.verifyDigested(publicKey, digested(hash), inDer)).toBe(false);
    expect(packets.verifyDigested(publicKey, digested(hash), new Uint8Array(signature.length))).toBe(false);
  });

  it('Ed25519 signs the digest', async () => {
    const signature = (await packets.signDigested(ed25519.privateKey, digested(hash)))!;
    expect(verify(null, digested(hash).digest, ed25519.made.publicKey, signature)).toBe(true);
    expect(packets.verifyDigested(ed25519.publicKey, digested(hash), signature)).toBe(true);
    expect(verify(null, data, ed25519.made.publicKey, signature)).toBe(false);
  });
});

describe('RSA signatures', () => {
  const right = digested('sha256');
  const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');
  const signed = (block: Uint8Array, padding: number = constants.RSA_PKCS1_PADDING) =>
    privateEncrypt({ key: rsa.made.privateKey, padding }, block);
  const verified = (signature: Uint8Array) => packets.verifyDigested(rsa.publicKey, right, signature);

  it('with the right block fit', () => {
    expect(verified(signed(Buffer.concat([prefix, right.digest])))).toBe(true);
  });

  it.each<[string, () => Uint8Array]>([
    ['octets behind the digest', () => signed(Buffer.concat([prefix, right.digest, Buffer.of(0)]))],
    ['a digest that is cut off', () => signed(Buffer.concat([prefix, right.digest.subarray(0, 31)]))],
    ['no DigestInfo', () => signed(right.digest)],
    [
      'a DigestInfo without NULL',
      () => {
        const short = Buffer.from('302f300b0609608648016503040201' + '0420', 'hex');
        return signed(Buffer.concat([short, right.digest]));
      },
    ],
    [
      'short padding and garbage behind (Bleichenbacher 2006)',
      () => {
        const head = Buffer.concat([Buffer.of(0, 1, ...new Array<number>(8).fill(255), 0), prefix, right.digest]);
        return signed(Buffer.concat([head, Buffer.alloc(256 - head.length, 7)]), constants.RSA_NO_PADDING);
      },
    ],
    [
      'padding of another octet',
      () => {
        const tail = Buffer.concat([Buffer.of(0), prefix, right.digest]);
        const head = Buffer.concat([Buffer.of(0, 1), Buffer.alloc(254 - tail.length, 0xfe)]);
        return signed(Buffer.concat([head, tail]), constants.RSA_NO_PADDING);
      },
    ],
    ['a number beyond the modulus', () => new Uint8Array(256).fill(255)],
    ['another length', () => new Uint8Array(255)],
    ['nothing', () => new Uint8Array(0)],
  ])('with %s do not', (_name, make) => {
    expect(verified(make())).toBe(false);
  });
});

describe('other keys', () => {
  it('neither sign nor verify', () => {
    const x25519 = pairOf(generateKeyPairSync('x25519' as 'ed448'));
    expect(packets.signDigested(x25519.privateKey, digested('sha256'))).toBeUndefined();
    expect(packets.verifyDigested(x25519.publicKey, digested('sha256'), new Uint8Array(64))).toBe(false);
  });
});

describe('raw keys', () => {
  it('are the keys that they were', () => {
    const { rsa: numbers } = rsa.publicKey;
    const zeros = (octets: Uint8Array): Uint8Array => Buffer.concat([Buffer.alloc(3), octets]);
    const again = rsaPublicKey(zeros(numbers!.modulus), zeros(numbers!.exponent));
    expect(Buffer.from(again.spki).equals(Buffer.from(rsa.publicKey.spki))).toBe(true);
    for (const [algorithm, { privateKey, publicKey }] of [
      ['ec', p256],
      ['ec', p521],
      ['ed25519', ed25519],
    ] as const) {
      expect(curvePublicKey(algorithm, publicKey.subjectPublicKey, publicKey.curve)).toMatchObject({
        algorithm,
        bits: publicKey.bits,
      });
      expect(curvePrivateKey(algorithm, privateKey.scalar!, privateKey.curve).scalar).toEqual(privateKey.scalar);
    }
  });

  it('of another length are none', () => {
    expect(() => curvePrivateKey('ec', new Uint8Array(31).fill(1), 'p256')).toThrow(/./);
    expect(() => curvePrivateKey('ec', new Uint8Array(32), 'p256')).toThrow(/./);
    expect(() => curvePublicKey('x25519', new Uint8Array(31))).toThrow(/./);
  });
});

describe('CFB mode', () => {
  it.each([
    // NIST SP 800-38A appendix F.3.13 and F.3.17, whose first block is the vector's own: with a vector of zeros the
    // block before the first one stands for it.
    ['2b7e151628aed2a6abf7158809cf4f3c', 16],
    ['603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 32],
  ])('with the key %s of %i octets', (key, length) => {
    const octets = Buffer.from(key, 'hex');
    expect(octets).toHaveLength(length);
    const vector = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
    const plaintext = Buffer.from('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51', 'hex');
    const expected = length === 16 ? '3b3fd92eb72dad20333449f8e83cfb4a' : 'dc7e84bfda79164b7ecd8486985d3860';
    // The first block encrypts to the vector when it is the key stream of zeros added to it.
    const stream = packets.encryptAesCfb(octets, new Uint8Array(16));
    const first = vector.map((octet, i) => octet ^ stream[i]!);
    const ciphertext = packets.encryptAesCfb(octets, Buffer.concat([first, plaintext]));
    expect(Buffer.from(ciphertext.subarray(0, 16)).equals(vector)).toBe(true);
    expect(Buffer.from(ciphertext.subarray(16, 32)).toString('hex')).toBe(expected);
    const opened = packets.decryptAesCfb(octets, ciphertext);
    expect(Buffer.from(opened.subarray(16)).equals(plaintext)).toBe(true);
  });

  it('of every length comes back', () => {
    const key = randomBytes(24);
    for (let length = 0; length < 50; length++) {
      const octets = new Uint8Array(randomBytes(length));
      expect(packets.decryptAesCfb(key, packets.encryptAesCfb(key, octets))).toEqual(octets);
    }
  });
});
