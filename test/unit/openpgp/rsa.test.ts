/** RSA session keys: the same key as the library recovers, and no oracle in what does not fit. */
import { constants, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import * as openpgp from 'openpgp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KeyPacket } from '../../../src/backends/openpgp/library.ts';
import { nativeRsa, recoverRsa } from '../../../src/backends/openpgp/rsa.ts';
import { at as noon } from './scene.ts';

describe.skipIf(!nativeRsa)('RSA session keys', () => {
  let secret: KeyPacket;
  let publicKey: KeyObject;

  beforeAll(async () => {
    const { privateKey } = await openpgp.generateKey({
      type: 'rsa',
      rsaBits: 2048,
      userIDs: { name: 'a' },
      format: 'object',
      date: noon,
    });
    secret = privateKey.subkeys[0]!.keyPacket as unknown as KeyPacket;
    const { n, e } = secret.publicParams as { n: Uint8Array; e: Uint8Array };
    const word = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    publicKey = createPublicKey({ key: { kty: 'RSA', n: word(n), e: word(e) }, format: 'jwk' });
  });

  function seal(session: Uint8Array): Uint8Array {
    const block = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, session);
    const start = block.findIndex((octet) => octet !== 0);
    const integer = block.subarray(start);
    const bits = integer.length * 8 - Math.clz32(integer[0]!) + 24;
    return Buffer.concat([Buffer.of(bits >> 8, bits & 255), integer]);
  }

  function checksum(key: Uint8Array): Buffer {
    const sum = key.reduce((total, octet) => total + octet, 0) & 0xffff;
    return Buffer.of(sum >> 8, sum & 255);
  }

  it.each([
    [9, 32],
    [8, 24],
    [7, 16],
  ])('cipher %i with %i octets, in version 3 and 6', async (cipher, length) => {
    const key = new Uint8Array(randomBytes(length));
    const named = seal(Buffer.concat([Buffer.of(cipher), key, checksum(key)]));
    expect(await recoverRsa(named, secret, cipher, true)).toEqual(key);
    const bare = seal(Buffer.concat([key, checksum(key)]));
    expect(await recoverRsa(bare, secret, cipher, false)).toEqual(key);
  });

  it('a ciphertext that starts with zeros', async () => {
    const key = new Uint8Array(randomBytes(32));
    // One in 128 to 256 does, by the modulus.
    for (let i = 0; i < 10_000; i++) {
      const sealed = seal(Buffer.concat([Buffer.of(9), key, checksum(key)]));
      if (sealed.length === 258) continue;
      expect(await recoverRsa(sealed, secret, 9, true)).toEqual(key);
      return;
    }
    throw new Error('no such ciphertext in 10,000 tries');
  });

  it('gives a random key of the right length, never an error, for anything else', async () => {
    const key = new Uint8Array(randomBytes(32));
    const right = Buffer.concat([Buffer.of(9), key, checksum(key)]);
    const wrong = [
      seal(Buffer.concat([Buffer.of(7), key, checksum(key)])),
      seal(Buffer.concat([Buffer.of(9), key, Buffer.of(0, 0)])),
      seal(right.subarray(1)),
      seal(Buffer.concat([right, Buffer.of(0)])),
      seal(Buffer.of()),
      Buffer.concat([Buffer.of(8, 0), randomBytes(256)]),
      Buffer.concat([Buffer.of(8, 0), Buffer.alloc(256, 0xff)]),
      Buffer.alloc(600),
      Buffer.of(),
    ];
    for (const ciphertext of wrong) {
      const first = await recoverRsa(ciphertext, secret, 9, true);
      expect(first).toHaveLength(32);
      expect(first).not.toEqual(key);
      expect(await recoverRsa(ciphertext, secret, 9, true)).not.toEqual(first);
    }
  });
});
