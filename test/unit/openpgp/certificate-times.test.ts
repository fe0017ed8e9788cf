/** When a key of a certificate counts: expiry and revocation (RFC 9580 sections 5.2.3 and 10.1). */
import { describe, expect, it } from 'vitest';
import { inlineSigned, makeSignature } from './forge.ts';
import {
  at,
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
  romeo,
  seal,
} from './scene.ts';

import {
  types,
  reasons,
  hash,
  later,
  j,
  r,
  rsa,
  withSigningSubkey,
  self,
  overKey,
  overSubkey,
  judged,
  sealable,
} from './certificate-scene.ts';

describe('expiry', () => {
  it('ends signing and encrypting at the second it names, and starts with the key', async () => {
    const { key } = await person(juliet, 'ed25519', { expiresAfterSeconds: 3600 });
    const end = new Date(born.getTime() + 3_600_000);
    const last = new Date(end.getTime() - 1000);
    expect((await judged(key, { signedAt: last }))[0]).toBe('good');
    expect(await judged(key, { signedAt: end })).toEqual(['expired', 'the key has expired']);
    // A receiver judges by its own time: what a signature says of itself proves nothing once a key may be stolen.
    expect((await judged(key, { signedAt: last, judgedAt: end }))[0]).toBe('expired');
    expect(await sealable(key, last)).toBe(true);
    expect(await sealable(key, end)).toBe(false);
    const summary = (await backendOf(r, [personOf(juliet, key)]).certificates(juliet))[0]!;
    expect(summary.notAfter).toEqual(end);
  });

  it('does not hold for a key that was renewed', async () => {
    const made = await person(juliet, 'ed25519', { expiresAfterSeconds: 3600 });
    const key = await copyOf(made);
    key.users[0]!.selfCertifications.push(await self(key, { type: 0x13, at: later(1, born), flags: 3, keyExpires: 0 }));
    key.subkeys[0]!.bindingSignatures.push(
      await overSubkey(key, 0, { type: types.subkeyBinding, at: later(1, born), flags: 12 }),
    );
    expect((await judged(key))[0]).toBe('good');
    expect(await sealable(key)).toBe(true);
    // An old copy beside the new one: merged, in any order.
    for (const filed of [
      [made.key, key],
      [key, made.key],
    ]) {
      expect((await judged(key, { filed }))[0]).toBe('good');
    }
  });

  it('holds for a signature and for a self-signature as well', async () => {
    const message = await inlineSigned(content, j.key.keyPacket, { expires: 60 });
    const reader = backendOf(r, [j]);
    expectOutcome(await open(reader, bare(message), { call: { at: new Date(at.getTime() + 59_000) } }), 'good');
    const late = await open(reader, bare(message), { call: { at: new Date(at.getTime() + 60_000) } });
    expectOutcome(late, 'expired', 'the signature has expired');
    const key = await copyOf(j);
    key.users[0]!.selfCertifications = [await self(key, { type: 0x13, at: born, flags: 3, expires: 60 })];
    expect((await judged(key))[0]).toBe('expired');
  });

  it('allows a clock that runs behind, and no more', async () => {
    const { key } = j;
    const skew = 300;
    const ahead = (seconds: number): Date => new Date(at.getTime() + seconds * 1000);
    expect((await judged(key, { signedAt: ahead(skew), judgedAt: at }))[0]).toBe('good');
    const fresh = await withSigningSubkey(ahead(skew));
    expect((await judged(fresh, { signedAt: ahead(skew), judgedAt: at }))[0]).toBe('good');
    // How far a signature itself may be ahead is for the caller's window; a key that is not yet valid is not.
    const tooFresh = await withSigningSubkey(ahead(skew + 1));
    expect((await judged(tooFresh, { signedAt: ahead(skew + 1), judgedAt: at }))[0]).toBe('expired');
  });

  it('is asked for the time of signing too', async () => {
    // A signature older than its key was made by somebody who chose the date.
    expect((await judged(j.key, { signedAt: new Date(born.getTime() - 1000), judgedAt: at }))[0]).toBe('bad');
    const key = await copyOf(j);
    key.users[0]!.selfCertifications = [
      await self(key, { type: 0x13, at: born, flags: 3, keyExpires: 3600 }),
      await self(key, { type: 0x13, at: later(-1), flags: 3, keyExpires: 0 }),
    ];
    expect((await judged(key, { signedAt: later(-2), judgedAt: at }))[0]).toBe('expired');
    expect((await judged(key))[0]).toBe('good');
  });

  it('does not keep old messages from their reader', async () => {
    const me = await person(romeo, 'ed25519', { expiresAfterSeconds: 3600 });
    const early = later(0.01, born);
    const sealed = await seal(backendOf(j, [me]), 'sign+encrypt', { call: { at: early } });
    expectOutcome(await open(backendOf(me, [j]), sealed), 'good');
  });
});

describe('revocation', () => {
  it.each([
    ['no reason', reasons.noReason, true],
    ['compromised', reasons.keyCompromised, true],
    ['superseded', reasons.keySuperseded, false],
    ['retired', reasons.keyRetired, false],
  ])('of the key: %s', async (_, reason, hard) => {
    const key = await copyOf(j);
    key.revocationSignatures.push(await overKey(key, { type: types.keyRevocation, at: later(10), reason }));
    expect((await judged(key))[0]).toBe(hard ? 'revoked' : 'good');
    expect((await judged(key, { signedAt: at, judgedAt: later(11) }))[0]).toBe('revoked');
    expect((await judged(key, { signedAt: later(11) }))[0]).toBe('revoked');
    expect(await sealable(key)).toBe(!hard);
    expect(await sealable(key, later(11))).toBe(false);
    // Filed beside a copy from before: the revocation counts, whichever comes first.
    expect((await judged(key, { filed: [j.key, key], judgedAt: later(11) }))[0]).toBe('revoked');
    expect((await judged(key, { filed: [key, j.key], judgedAt: later(11) }))[0]).toBe('revoked');
  });

  it('of the key counts even with SHA-1', async () => {
    const key = await copyOf(rsa);
    const revoked = { type: types.keyRevocation, at: later(-1), reason: reasons.keyCompromised, hash: hash.sha1 };
    key.revocationSignatures.push(await overKey(key, revoked));
    expect((await judged(key))[0]).toBe('revoked');
  });

  it('by another key revokes nothing', async () => {
    const key = await copyOf(j);
    const type = types.keyRevocation;
    key.revocationSignatures.push(
      await makeSignature(
        r.key.keyPacket,
        { key: key.keyPacket },
        { type, at: later(-1), reason: reasons.keyCompromised },
      ),
    );
    expect((await judged(key))[0]).toBe('good');
  });

  it('of a subkey leaves the rest alone', async () => {
    const key = await withSigningSubkey();
    const signer = key.subkeys[0]!.keyPacket;
    expect((await judged(key, { signer }))[0]).toBe('good');
    key.subkeys[0]!.revocationSignatures.push(
      await overSubkey(key, 0, { type: types.subkeyRevocation, at: later(1), reason: reasons.keySuperseded }),
    );
    expect((await judged(key, { signer }))[0]).toBe('good');
    expect((await judged(key, { signer, signedAt: later(2) }))[0]).toBe('revoked');
    expect((await judged(key, { signedAt: later(2) }))[0]).toBe('good');
    key.subkeys[1]!.revocationSignatures.push(
      await overSubkey(key, 1, { type: types.subkeyRevocation, at: later(1), reason: reasons.keyCompromised }),
    );
    expect(await sealable(key)).toBe(false);
  });
});
