/** Several certificates of one JID, copies of one certificate, and my own. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/bytes.ts';
import { inlineSigned } from './forge.ts';
import { at, backendOf, bare, born, content, copyOf, expectOutcome, juliet, open, person, personOf } from './scene.ts';

import { types, j, r, withSigningSubkey, overKey } from './certificate-scene.ts';

describe('several certificates', () => {
  it('of one JID: any may sign, all are encrypted to', async () => {
    const second = await person(juliet, 'p256');
    const reader = backendOf(r, [j, second]);
    for (const { key } of [j, second]) {
      const opened = await open(reader, bare(await inlineSigned(content, key.keyPacket)));
      expect(expectOutcome(opened, 'good').fingerprint).toBe(key.getFingerprint());
    }
    expect(await reader.certificates(juliet)).toHaveLength(2);
  });

  it('in one file, armored or binary', async () => {
    const second = await person(juliet, 'p256');
    const binary = concatBytes(j.key.toPublic().write(), second.key.toPublic().write());
    for (const certificate of [binary, concatBytes(j.certificate, second.certificate)]) {
      const reader = backendOf(r, [{ ...j, certificate }]);
      expect(await reader.certificates(juliet)).toHaveLength(2);
    }
  });

  it('one that cannot be read does not hide the others', async () => {
    const reader = backendOf(r);
    const damaged = Uint8Array.from(j.key.toPublic().write());
    damaged[0] = 0;
    reader.store.fileCertificate(juliet, 'openpgp', damaged);
    reader.store.fileCertificate(juliet, 'openpgp', new Uint8Array(0));
    reader.store.fileCertificate(juliet, 'openpgp', j.certificate);
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket))), 'good');
  });

  it('a new version of one replaces what is cached', async () => {
    const reader = backendOf(r, [j]);
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket))), 'good');
    const key = await copyOf(j);
    key.revocationSignatures.push(await overKey(key, { type: types.keyRevocation, at: born, reason: 2 }));
    reader.store.fileCertificate(juliet, 'openpgp', key.toPublic().write());
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket))), 'revoked');
  });
});

describe('my own key', () => {
  const message = (): Promise<Uint8Array> => inlineSigned(content, j.key.keyPacket);

  it('counts as filed for me, without being among my contacts', async () => {
    const result = expectOutcome(await open(backendOf(j), bare(await message()), { me: juliet }), 'good');
    expect(result.identities[0]!.jid.equals(juliet)).toBe(true);
  });

  it('counts as filed where a mere candidate is at hand too', async () => {
    const mine = backendOf(j);
    mine.store.addCandidate(juliet, 'openpgp', j.certificate);
    expectOutcome(await open(mine, bare(await message()), { me: juliet }), 'good');
    expect(await mine.canSealTo(juliet, at)).toBe(true);
  });

  it('is revoked when either the key or a filed copy says so', async () => {
    const key = await copyOf(j);
    key.revocationSignatures.push(await overKey(key, { type: types.keyRevocation, at: born, reason: 2 }));
    const revoked = personOf(juliet, key);
    for (const mine of [backendOf(j, [revoked]), backendOf(revoked, [j])]) {
      expectOutcome(await open(mine, bare(await message()), { me: juliet }), 'revoked');
      expect(await mine.canSealTo(juliet, at)).toBe(false);
    }
  });

  it('may have names and subkeys that a filed copy lacks, and the other way round', async () => {
    const key = await withSigningSubkey();
    const stripped = await copyOf(personOf(juliet, key));
    stripped.subkeys = [];
    const signer = key.subkeys[0]!.keyPacket;
    const signed = await inlineSigned(content, signer);
    for (const mine of [
      backendOf(personOf(juliet, key), [personOf(juliet, stripped)]),
      backendOf(personOf(juliet, stripped), [personOf(juliet, key)]),
    ]) {
      expectOutcome(await open(mine, bare(signed), { me: juliet }), 'good');
    }
  });
});
