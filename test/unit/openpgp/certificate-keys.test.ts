/** Which keys of a certificate count: flags, bindings, algorithms (RFC 9580 sections 5.2.1, 5.2.3 and 10.1). */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { inlineSigned } from './forge.ts';
import {
  backendOf,
  bare,
  born,
  content,
  copyOf,
  expectOutcome,
  juliet,
  open,
  person,
  personOf,
  refusal,
  seal,
} from './scene.ts';

import {
  types,
  keyFlags,
  hash,
  later,
  j,
  r,
  rsa,
  withSigningSubkey,
  self,
  overSubkey,
  judged,
  sealable,
} from './certificate-scene.ts';

describe('key flags', () => {
  it('let a key do what they say and nothing else', async () => {
    const key = await copyOf(j);
    key.users[0]!.selfCertifications = [await self(key, { type: 0x13, at: born, flags: keyFlags.certifyKeys })];
    expect(await judged(key)).toEqual(['bad', 'the key may not sign']);
    expect(await sealable(key)).toBe(true);
    key.subkeys[0]!.bindingSignatures = [
      await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags: keyFlags.authentication }),
    ];
    expect(await sealable(key)).toBe(false);
  });

  it('are needed', async () => {
    const key = await copyOf(j);
    key.users[0]!.selfCertifications = [await self(key, { type: 0x13, at: born })];
    expect((await judged(key))[0]).toBe('bad');
  });

  it('of the newest self-signature count', async () => {
    const key = await copyOf(j);
    key.users[0]!.selfCertifications.push(await self(key, { type: 0x13, at: later(1, born), flags: 1 }));
    expect((await judged(key))[0]).toBe('bad');
    expect((await judged(key, { signedAt: born }))[0]).toBe('good');
  });

  it('do not make an encryption-only algorithm sign', async () => {
    const key = await copyOf(j);
    const { keyPacket } = key.subkeys[0]!;
    // A signature that claims to be from the ECDH subkey.
    const message = await inlineSigned(content, j.key.keyPacket);
    const id = Buffer.from(j.key.getKeyID().toHex(), 'hex');
    const other = Buffer.from(keyPacket.getKeyID().toHex(), 'hex');
    const claimed = Buffer.from(message.toString().length === 0 ? [] : message);
    for (let i = claimed.indexOf(id); i !== -1; i = claimed.indexOf(id)) other.copy(claimed, i);
    const opened = await open(backendOf(r, [j]), bare(claimed));
    expect(opened.signatures![0]!.outcome).not.toBe('good');
  });
});

describe('binding of subkeys', () => {
  it('needs the back-signature of a signing subkey (type 0x19)', async () => {
    const key = await withSigningSubkey();
    const signer = key.subkeys[0]!.keyPacket;
    const flags = keyFlags.signData;
    key.subkeys[0]!.bindingSignatures = [await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags })];
    expect(await judged(key, { signer })).toEqual(['bad', 'the signing key is not bound to the certificate']);
    // One made with the primary key is none.
    const wrong = await overSubkey(key, 0, { type: types.keyBinding, at: born });
    key.subkeys[0]!.bindingSignatures = [
      await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags, embedded: wrong }),
    ];
    expect((await judged(key, { signer }))[0]).toBe('bad');
    const embedded = await overSubkey(key, 0, { type: types.keyBinding, at: born }, signer);
    key.subkeys[0]!.bindingSignatures = [
      await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags, embedded }),
    ];
    expect((await judged(key, { signer }))[0]).toBe('good');
  });

  it('with an expired or weak back-signature does not hold', async () => {
    const key = await withSigningSubkey(born, 'rsa');
    const signer = key.subkeys[0]!.keyPacket;
    for (const [fields, outcome] of [
      [{ expires: 60 }, 'expired'],
      [{ hash: hash.sha1 }, 'weak'],
    ] as const) {
      const embedded = await overSubkey(key, 0, { type: types.keyBinding, at: born, ...fields }, signer);
      key.subkeys[0]!.bindingSignatures = [
        await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags: keyFlags.signData, embedded }),
      ];
      expect((await judged(key, { signer }))[0]).toBe(outcome);
    }
  });

  it('expires with the subkey', async () => {
    const key = await withSigningSubkey();
    const signer = key.subkeys[0]!.keyPacket;
    const embedded = await overSubkey(key, 0, { type: types.keyBinding, at: born }, signer);
    const binding = { type: types.subkeyBinding, at: born, flags: keyFlags.signData, embedded, keyExpires: 3600 };
    key.subkeys[0]!.bindingSignatures = [await overSubkey(key, 0, binding)];
    expect((await judged(key, { signer, signedAt: new Date(born.getTime() + 3_599_000) }))[0]).toBe('good');
    expect((await judged(key, { signer }))[0]).toBe('expired');
  });

  it('that is damaged is none', async () => {
    const key = await copyOf(j);
    const other = await withSigningSubkey();
    key.subkeys[0]!.bindingSignatures = [...other.subkeys[1]!.bindingSignatures];
    expect(await sealable(key)).toBe(false);
  });
});

describe('weak keys and self-signatures', () => {
  it.each([
    ['SHA-1', hash.sha1],
    ['RIPEMD-160', hash.ripemd],
    ['MD5', hash.md5],
  ])('%s in the self-signature', async (_, weak) => {
    const key = await copyOf(rsa);
    key.users[0]!.selfCertifications = [await self(key, { type: 0x13, at: born, flags: 3, hash: weak })];
    expect((await judged(key))[0]).toBe('weak');
    expect(await sealable(key)).toBe(false);
  });

  it('SHA-1 in the binding of the encryption subkey', async () => {
    const key = await copyOf(rsa);
    key.subkeys[0]!.bindingSignatures = [
      await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags: 12, hash: hash.sha1 }),
    ];
    expect(await sealable(key)).toBe(false);
  });

  it.each([
    ['SHA-1', hash.sha1],
    ['MD5', hash.md5],
  ])('%s in a message signature', async (_, weak) => {
    const message = await inlineSigned(content, rsa.key.keyPacket, { hash: weak });
    expectOutcome(await open(backendOf(r, [rsa]), bare(message)), 'weak', 'the hash is too weak');
  });

  it('RSA of 1024 bits', async () => {
    const config = { ...library.config, minRSABits: 1024 };
    const { privateKey } = await library.generateKey({
      type: 'rsa',
      rsaBits: 1024,
      userIDs: [{ name: 'xmpp:juliet@example.com' }],
      date: born,
      format: 'object',
      config,
    });
    expect((await judged(privateKey))[0]).toBe('weak');
    expect(await sealable(privateKey)).toBe(false);
    await refusal(seal(backendOf(personOf(juliet, privateKey), [r]), 'sign'), 'ERR_E2E_NO_SIGNING_KEY');
  });

  it('a key over the limit of RSA is not computed with', async () => {
    const big = await person(juliet, 'rsa3072');
    const limits = { ...(await import('../../../src/limits.ts')).defaultLimits, rsaMaxBits: 3071 };
    const message = await inlineSigned(content, big.key.keyPacket);
    const opened = await open(backendOf(r, [big]), bare(message), { call: { limits } });
    expectOutcome(opened, 'weak');
  });
});

describe('version 6', () => {
  it('takes flags and expiry from the direct-key signature', async () => {
    const made = await person(juliet, 'ed25519', { v6: true, expiresAfterSeconds: 3600 });
    expect((await judged(made.key, { signedAt: born }))[0]).toBe('good');
    expect((await judged(made.key))[0]).toBe('expired');
    const key = await copyOf(await person(juliet, 'ed25519', { v6: true }));
    (key as unknown as { directSignatures: unknown[] }).directSignatures = [];
    expect((await judged(key))[0]).not.toBe('good');
  });
});
