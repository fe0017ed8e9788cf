/** RSAES-OAEP and RSAES-PKCS1-v1_5, with padded blocks that a sender may make up (RFC 8017 section 7; RFC 3218). */
import { constants, createPublicKey, createHash, privateDecrypt, publicEncrypt } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import type { HashName, KeyPair } from '../../../src/crypto/provider.ts';
import { octets, providers } from './providers.ts';

const hashes: readonly HashName[] = ['sha1', 'sha256', 'sha384', 'sha512'];
const key = octets('00112233445566778899aabbccddeeff');
let pair: KeyPair;

beforeAll(async () => {
  pair = await nodeCrypto.generateKeyPair({ algorithm: 'rsa', bits: 2048 });
});

/** The raw RSA operation on a block of 256 octets. */
function raw(block: Uint8Array): Uint8Array {
  const publicKey = createPublicKey({ key: Buffer.from(pair.publicKey.spki), format: 'der', type: 'spki' });
  return new Uint8Array(publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block));
}

describe('RSAES-OAEP', () => {
  it('goes from every provider to every provider', async () => {
    for (const hash of hashes) {
      const parameters = { hash, mgfHash: hash };
      for (const sender of Object.values(providers)) {
        const ciphertext = await sender.encryptRsaOaep(pair.publicKey, parameters, key);
        for (const recipient of Object.values(providers)) {
          expect(await recipient.decryptRsaOaep(pair.privateKey, parameters, ciphertext)).toEqual(key);
        }
      }
    }
  });

  it('goes with every pair of hashes on Node', async () => {
    for (const hash of hashes) {
      for (const mgfHash of hashes) {
        const ciphertext = await nodeCrypto.encryptRsaOaep(pair.publicKey, { hash, mgfHash }, key);
        expect(await nodeCrypto.decryptRsaOaep(pair.privateKey, { hash, mgfHash }, ciphertext)).toEqual(key);
        if (hash === mgfHash) continue;
        expect(await nodeCrypto.decryptRsaOaep(pair.privateKey, { hash, mgfHash: hash }, ciphertext)).toBeUndefined();
        expect(
          await nodeCrypto.decryptRsaOaep(pair.privateKey, { hash: mgfHash, mgfHash }, ciphertext),
        ).toBeUndefined();
      }
    }
  });

  it('takes as much as fits, and says by TypeError what does not', async () => {
    const parameters = { hash: 'sha256', mgfHash: 'sha1' } as const;
    for (const length of [0, 1, 190]) {
      const data = new Uint8Array(length).fill(7);
      const ciphertext = await nodeCrypto.encryptRsaOaep(pair.publicKey, parameters, data);
      expect(await nodeCrypto.decryptRsaOaep(pair.privateKey, parameters, ciphertext)).toEqual(data);
    }
    expect(() => nodeCrypto.encryptRsaOaep(pair.publicKey, parameters, new Uint8Array(191))).toThrow(TypeError);
  });

  function mgf(seed: Uint8Array, length: number): Uint8Array {
    const blocks: Buffer[] = [];
    for (let i = 0; i * 32 < length; i++) {
      blocks.push(
        createHash('sha256')
          .update(seed)
          .update(Uint8Array.of(0, 0, 0, i))
          .digest(),
      );
    }
    return Buffer.concat(blocks).subarray(0, length);
  }

  /** A padded block, with a fault made in its parts before masking. */
  function padded(fault: (parts: { first: number; label: Uint8Array; padding: Uint8Array }) => void): Uint8Array {
    const parts = {
      first: 0,
      label: new Uint8Array(createHash('sha256').digest()),
      padding: Uint8Array.from([...new Uint8Array(256 - 66 - key.length), 1, ...key]),
    };
    fault(parts);
    const data = Uint8Array.from([...parts.label, ...parts.padding]);
    const seed = new Uint8Array(32).fill(0x5a);
    const maskedData = data.map((octet, i) => octet ^ mgf(seed, data.length)[i]!);
    const mask = mgf(maskedData, 32);
    return Uint8Array.from([parts.first, ...seed.map((octet, i) => octet ^ mask[i]!), ...maskedData]);
  }

  const faults: readonly (readonly [string, Parameters<typeof padded>[0]])[] = [
    ['a first octet of one (Manger)', (parts) => (parts.first = 1)],
    ['another label', (parts) => (parts.label[0]! ^= 1)],
    ['another last octet of the label', (parts) => (parts.label[31]! ^= 0x80)],
    ['no separator', (parts) => parts.padding.fill(0)],
    ['a two for a separator', (parts) => (parts.padding[parts.padding.length - key.length - 1] = 2)],
    ['an octet in the padding', (parts) => (parts.padding[3] = 0x80)],
  ];

  it.each(Object.entries(providers))('%s gives nothing for faults', async (_name, crypto) => {
    const parameters = { hash: 'sha256', mgfHash: 'sha256' } as const;
    expect(await crypto.decryptRsaOaep(pair.privateKey, parameters, raw(padded(() => undefined)))).toEqual(key);
    for (const [what, fault] of faults) {
      expect(await crypto.decryptRsaOaep(pair.privateKey, parameters, raw(padded(fault))), what).toBeUndefined();
    }
    for (const length of [0, 1, 255, 257]) {
      expect(await crypto.decryptRsaOaep(pair.privateKey, parameters, new Uint8Array(length))).toBeUndefined();
    }
    expect(await crypto.decryptRsaOaep(pair.privateKey, parameters, new Uint8Array(256).fill(255))).toBeUndefined();
  });

  it('agrees with node:crypto', async () => {
    for (let i = 0; i < 20; i++) {
      const ciphertext = await nodeCrypto.encryptRsaOaep(pair.publicKey, { hash: 'sha256', mgfHash: 'sha256' }, key);
      const options = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
      const privateKey = { key: Buffer.from(pair.privateKey.pkcs8), format: 'der', type: 'pkcs8', ...options } as const;
      const theirs = new Uint8Array(privateDecrypt(privateKey, ciphertext));
      expect(nodeCrypto.decryptRsaOaep(pair.privateKey, { hash: 'sha256', mgfHash: 'sha256' }, ciphertext)).toEqual(
        theirs,
      );
    }
  });
});

describe('RSAES-PKCS1-v1_5 with implicit rejection', () => {
  const decrypt = (ciphertext: Uint8Array, length = 16) =>
    nodeCrypto.decryptRsaPkcs1v15(pair.privateKey, ciphertext, length) as Uint8Array;

  function block(fault: (block: Uint8Array) => void = () => undefined, message: Uint8Array = key): Uint8Array {
    const octetsOf = new Uint8Array(256).fill(0x77);
    octetsOf[0] = 0;
    octetsOf[1] = 2;
    octetsOf[255 - message.length] = 0;
    octetsOf.set(message, 256 - message.length);
    fault(octetsOf);
    return raw(octetsOf);
  }

  it('recovers keys of every length', async () => {
    for (const length of [16, 24, 32]) {
      const own = nodeCrypto.randomBytes(length);
      expect(decrypt(await nodeCrypto.encryptRsaPkcs1v15(pair.publicKey, own), length)).toEqual(own);
    }
    expect(decrypt(block())).toEqual(key);
  });

  it.each<[string, (block: Uint8Array) => void]>([
    ['a first octet of one', (b) => (b[0] = 1)],
    ['a block type of one', (b) => (b[1] = 1)],
    ['a block type of zero', (b) => (b[1] = 0)],
    ['a zero in the first octet of the padding', (b) => (b[2] = 0)],
    ['a zero in the eighth octet of the padding', (b) => (b[9] = 0)],
    ['a zero in the last octet of the padding', (b) => (b[238] = 0)],
    ['no separator', (b) => (b[239] = 9)],
    ['a key one octet longer', (b) => ((b[239] = 9), (b[238] = 0))],
    ['a key one octet shorter', (b) => ((b[239] = 9), (b[240] = 0))],
    ['nothing but padding', (b) => b.fill(0x11, 2)],
    ['zeros', (b) => b.fill(0)],
  ])('gives other octets, the same each time, for %s', (_what, fault) => {
    const ciphertext = block(fault);
    const out = decrypt(ciphertext);
    expect(out).toHaveLength(16);
    expect(out).not.toEqual(key);
    expect(decrypt(ciphertext)).toEqual(out);
    // The length asked for decides nothing about what the octets are.
    expect(decrypt(ciphertext, 32).subarray(0, 16)).toEqual(out);
  });

  it('gives octets for a ciphertext of any length, and for one above the modulus', () => {
    for (const length of [0, 1, 255, 257, 1000]) expect(decrypt(new Uint8Array(length).fill(1))).toHaveLength(16);
    expect(decrypt(new Uint8Array(256).fill(255))).toHaveLength(16);
  });

  it('gives different octets for different ciphertexts and keys', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++)
      seen.add(Buffer.from(decrypt(block((b) => ((b[1] = 3), (b[9] = i + 1))))).toString('hex'));
    expect(seen.size).toBe(50);
    const other = await nodeCrypto.generateKeyPair({ algorithm: 'rsa', bits: 2048 });
    const garbage = new Uint8Array(256).fill(1);
    expect(nodeCrypto.decryptRsaPkcs1v15(other.privateKey, garbage, 16)).not.toEqual(decrypt(garbage));
  });
});

describe('RSASSA-PKCS1-v1_5 signatures that are made up', () => {
  const info = '3031300d060960864801650304020105000420';
  const message = octets('68656c6c6f');
  const digest = createHash('sha256').update(message).digest('hex');

  /** A block as only the private key makes it, since the attack with exponent 3 needs no other check to be missing. */
  async function verdicts(hex: string): Promise<readonly boolean[]> {
    const { privateDecrypt: open } = await import('node:crypto');
    const privateKey = { key: Buffer.from(pair.privateKey.pkcs8), format: 'der', type: 'pkcs8' } as const;
    const signature = open({ ...privateKey, padding: constants.RSA_NO_PADDING }, octets(hex));
    return Promise.all(
      Object.values(providers).map(async (crypto) =>
        crypto.verify(pair.publicKey, { scheme: 'rsa-pkcs1v15', hash: 'sha256' }, message, new Uint8Array(signature)),
      ),
    );
  }

  const full = (tail: string) => `0001${'ff'.repeat(256 - 3 - tail.length / 2)}00${tail}`;

  it('takes the one block that is right', async () => {
    expect(await verdicts(full(info + digest))).toEqual([true, true, true]);
  });

  it.each([
    [
      'garbage behind a short padding (Bleichenbacher 2006)',
      `0001${'ff'.repeat(8)}00${info}${digest}`.padEnd(512, '0'),
    ],
    ['no NULL', full(`302f300b0609608648016503040201 0420${digest}`.replace(' ', ''))],
    ['garbage in the parameters', full(`3033300f06096086480165030402010502aabb0420${digest}`)],
    ['another digest identifier', full(`3031300d0609608648016503040202 05000420${digest}`.replace(' ', ''))],
    ['block type two', `0002${'ff'.repeat(202)}00${info}${digest}`],
    ['padding that is not ff', `0001${'ee'.repeat(202)}00${info}${digest}`],
    ['a long length form', full(`308131300d060960864801650304020105000420${digest}`)],
    ['no DigestInfo', full(digest)],
  ])('refuses %s', async (_what, hex) => {
    expect(await verdicts(hex)).toEqual([false, false, false]);
  });
});
