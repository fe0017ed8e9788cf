/** What only the filed copy of my own certificate knows: a key file is not written again when a key is revoked. */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import type { SecurityBackend } from '../../../src/backends/backend.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import { at, backendOf, copyOf, juliet, nothing, open, person, type Person, refusal, romeo, seal } from './scene.ts';

const j = await person(juliet);
const r = await person(romeo);

/** The certificate of a person, revoked. */
async function revoked(who: Person, flag: library.enums.reasonForRevocation, date: Date): Promise<Uint8Array> {
  const { privateKey } = await library.revokeKey({
    key: await copyOf(who),
    reasonForRevocation: { flag },
    date,
    format: 'object',
  });
  return privateKey.toPublic().write();
}

/** Juliet's backend: her key file as it was, and a copy of her certificate filed beside it. */
function withCopy(copy: Uint8Array, filed: boolean): SecurityBackend {
  const store = memoryStore();
  store.addIdentity(juliet, 'openpgp', { keys: j.secret, certificates: nothing });
  store.fileCertificate(romeo, 'openpgp', r.certificate);
  return openpgp({
    store: {
      identities: (jid, backend) => store.identities(jid, backend),
      find: async (jid, backend) => (jid.equals(juliet) ? [{ certificates: copy, filed }] : store.find(jid, backend)),
    },
  });
}

const { keyCompromised, keySuperseded } = library.enums.reasonForRevocation;
const before = new Date(at.getTime() - 3_600_000);
const after = new Date(at.getTime() + 3_600_000);

describe.each([true, false])('a copy filed: %s', (filed) => {
  it('that is not revoked changes nothing', async () => {
    const mine = withCopy(j.certificate, filed);
    const sealed = await seal(mine, 'sign+encrypt', { recipients: [romeo, juliet] });
    expect((await open(backendOf(r, [j]), sealed)).signatures).toMatchObject([{ outcome: 'good' }]);
  });

  it.each([
    ['as compromised, whenever', keyCompromised, after],
    ['as superseded, before', keySuperseded, before],
  ])('that is revoked %s: neither signs nor is encrypted to', async (_, flag, date) => {
    const mine = withCopy(await revoked(j, flag, date), filed);
    for (const protection of ['sign', 'sign+encrypt'] as const) {
      await refusal(seal(mine, protection), 'ERR_E2E_NO_SIGNING_KEY', 'sign');
    }
    const request = { signer: juliet, recipients: [romeo, juliet] };
    await refusal(seal(mine, 'encrypt', request), 'ERR_E2E_NO_RECIPIENT_KEY', 'encrypt');
    expect(await mine.canSealTo(juliet, at)).toBe(false);
  });

  it('that will be superseded later still signs', async () => {
    const mine = withCopy(await revoked(j, keySuperseded, after), filed);
    const sealed = await seal(mine, 'sign+encrypt', { recipients: [romeo, juliet] });
    expect((await open(backendOf(r, [j]), sealed)).signatures).toMatchObject([{ outcome: 'good' }]);
  });

  it('that is revoked still decrypts what was sent before', async () => {
    const sealed = await seal(backendOf(r, [j]), 'sign+encrypt', { signer: romeo, recipients: [juliet] });
    const mine = withCopy(await revoked(j, keyCompromised, before), filed);
    const opened = await open(mine, sealed, { me: juliet, sender: romeo });
    expect(opened.signatures).toMatchObject([{ outcome: 'good' }]);
  });

  it('of another key changes nothing', async () => {
    const mine = withCopy(await revoked(await person(juliet), keyCompromised, before), filed);
    expect((await open(backendOf(r, [j]), await seal(mine, 'sign'))).signatures).toMatchObject([{ outcome: 'good' }]);
  });

  it('whose revocation another key made changes nothing', async () => {
    const other = await person(juliet);
    const forged = await copyOf(other);
    const revocation = (
      await library.revokeKey({
        key: forged,
        reasonForRevocation: { flag: keyCompromised },
        date: before,
        format: 'object',
      })
    ).privateKey.revocationSignatures;
    const copy = await copyOf(j);
    copy.revocationSignatures.push(...revocation);
    const mine = withCopy(copy.toPublic().write(), filed);
    expect((await open(backendOf(r, [j]), await seal(mine, 'sign'))).signatures).toMatchObject([{ outcome: 'good' }]);
  });
});
