/** AES-OCB against RFC 7253 appendix A. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E2eError } from '../../../src/errors.ts';
import type { CryptoProvider } from '../../../src/crypto/provider.ts';
import { octets, providers } from './providers.ts';

const sequence = '000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F2021222324252627';

/** Last octet of the nonce, octets of associated data and of plaintext, ciphertext with tag. */
const samples: readonly (readonly [number, number, number, string])[] = [
  [0, 0, 0, '785407BFFFC8AD9EDCC5520AC9111EE6'],
  [1, 8, 8, '6820B3657B6F615A5725BDA0D3B4EB3A257C9AF1F8F03009'],
  [2, 8, 0, '81017F8203F081277152FADE694A0A00'],
  [3, 0, 8, '45DD69F8F5AAE72414054CD1F35D82760B2CD00D2F99BFA9'],
  [4, 16, 16, '571D535B60B277188BE5147170A9A22C3AD7A4FF3835B8C5701C1CCEC8FC3358'],
  [5, 16, 0, '8CF761B6902EF764462AD86498CA6B97'],
  [6, 0, 16, '5CE88EC2E0692706A915C00AEB8B2396F40E1C743F52436BDF06D8FA1ECA343D'],
  [
    15,
    0,
    40,
    '4412923493C57D5DE0D700F753CCE0D1D2D95060122E9F15A5DDBFC5787E50B5CC55EE507BCB084E479AD363AC366B95A98CA5F3000B1479',
  ],
];

const capable: readonly (readonly [string, CryptoProvider])[] = Object.entries(providers).filter(([, crypto]) =>
  crypto.supports('aes-ocb'),
);

it('is there on Node and nowhere in WebCrypto', () => {
  expect(capable.map(([name]) => name)).toEqual(['node:crypto']);
  const web = providers['WebCrypto of the runtime']!;
  const parameters = { key: new Uint8Array(16), nonce: new Uint8Array(12) };
  expect(() => web.encryptAesOcb(parameters, new Uint8Array(1))).toThrow(E2eError);
  expect(() => web.decryptAesOcb(parameters, new Uint8Array(17))).toThrow(E2eError);
});

describe.each(capable)('AES-OCB of %s', (_name, crypto) => {
  it.each(samples)('gives sample %i of the RFC, and takes it', async (last, adLength, length, expected) => {
    const key = octets('000102030405060708090A0B0C0D0E0F');
    const nonce = octets(`BBAA9988776655443322110${last.toString(16)}`);
    const additionalData = octets(sequence).subarray(0, adLength);
    const plaintext = octets(sequence).subarray(0, length);
    const sealed = await crypto.encryptAesOcb({ key, nonce, additionalData }, plaintext);
    expect(sealed).toEqual(octets(expected));
    expect(Object.getPrototypeOf(sealed)).toBe(Uint8Array.prototype);
    expect(await crypto.decryptAesOcb({ key, nonce, additionalData }, sealed)).toEqual(plaintext);
  });

  it.each([
    [16, '67E944D23256C5E0B6C61FA22FDF1EA2'],
    [24, 'F673F2C3E7174AAE7BAE986CA9F29E17'],
    [32, 'D90EB8E9C977C88B79DD793D7FFA161C'],
  ])('passes the long test of the RFC with keys of %i octets', async (keyLength, expected) => {
    const key = new Uint8Array(keyLength);
    key[keyLength - 1] = 128;
    const nonceOf = (n: number): Uint8Array => octets(n.toString(16).padStart(24, '0'));
    const none = new Uint8Array(0);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < 128; i++) {
      const zeros = new Uint8Array(i);
      parts.push(
        await crypto.encryptAesOcb({ key, nonce: nonceOf(3 * i + 1), additionalData: zeros }, zeros),
        await crypto.encryptAesOcb({ key, nonce: nonceOf(3 * i + 2) }, zeros),
        await crypto.encryptAesOcb({ key, nonce: nonceOf(3 * i + 3), additionalData: zeros }, none),
      );
    }
    const all = Uint8Array.from(Buffer.concat(parts));
    expect(await crypto.encryptAesOcb({ key, nonce: nonceOf(385), additionalData: all }, none)).toEqual(
      octets(expected),
    );
  });

  it('refuses what was changed anywhere, cut, or made under other data', async () => {
    const key = crypto.randomBytes(32);
    const nonce = crypto.randomBytes(15);
    const additionalData = octets('00aabb');
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 70 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (data, at, bits) => {
          const sealed = await crypto.encryptAesOcb({ key, nonce, additionalData }, data);
          expect(await crypto.decryptAesOcb({ key, nonce, additionalData }, sealed)).toEqual(data);
          const changed = sealed.slice();
          changed[at % changed.length]! ^= bits;
          expect(await crypto.decryptAesOcb({ key, nonce, additionalData }, changed)).toBeUndefined();
          expect(await crypto.decryptAesOcb({ key, nonce, additionalData }, sealed.subarray(1))).toBeUndefined();
          expect(await crypto.decryptAesOcb({ key, nonce, additionalData }, sealed.subarray(0, -1))).toBeUndefined();
          expect(await crypto.decryptAesOcb({ key, nonce }, sealed)).toBeUndefined();
        },
      ),
      { numRuns: 100, seed: 7253 },
    );
    for (let length = 0; length < 16; length++) {
      expect(await crypto.decryptAesOcb({ key, nonce }, new Uint8Array(length))).toBeUndefined();
    }
  });
});
