/**
 * A server presents another key for a contact: in its directory, in a message, or both. What was filed stays what
 * counts, for verifying and for sealing, until somebody files the other one by an explicit act.
 */
import { describe, expect, it } from 'vitest';
import { generateIdentity as generateOpenpgp, openpgp } from '../../src/backends/openpgp/index.ts';
import { generateIdentity as generateSmime, smime } from '../../src/backends/smime/index.ts';
import { errorReply, Jid, rfc3923Policy, sealStanza, strictPolicy } from '../../src/index.ts';
import { memoryStore, type MemoryStore } from '../../src/stores/index.ts';
import { type BackendName, backendNames, juliet, people, type Person, romeo } from '../people.ts';
import { cpim } from '../unit/e2e/scene.ts';
import { at, crafted, openAs } from './crafted.ts';

const from = Jid.parse(juliet);
const born = new Date('2026-10-01T00:00:00Z');

/** Somebody with a newer key that names Juliet. */
async function impostor(name: BackendName, his: Uint8Array): Promise<Person & { readonly certificates: Uint8Array }> {
  const store = memoryStore();
  store.fileCertificate(Jid.parse(romeo), name, his);
  if (name === 'smime') {
    const { keysPem, certificatesPem } = await generateSmime({ jid: from, algorithm: 'p256', at: born, days: 3650 });
    store.addIdentity(from, name, { keys: keysPem, certificates: certificatesPem });
    return { jid: from, store, backend: smime({ store }), certificates: certificatesPem };
  }
  const made = await generateOpenpgp({ jid: from, algorithm: 'ed25519', at: born });
  const certificates = Buffer.from(made.certificateArmored);
  store.addIdentity(from, name, { keys: Buffer.from(made.secretKeyArmored), certificates: new Uint8Array() });
  return { jid: from, store, backend: openpgp({ store }), certificates };
}

async function certificatesOf(store: MemoryStore, jid: string, name: BackendName): Promise<Uint8Array> {
  return (await store.find(Jid.parse(jid), name))[0]!.certificates;
}

describe.each(backendNames)('another key for Juliet, with %s', (name) => {
  it('neither verifies nor is sealed to while it was merely received', async () => {
    const all = await people(name);
    const { juliet: her, romeo: him } = all;
    const other = await impostor(name, await certificatesOf(her.store, romeo, name));
    const store = memoryStore();
    const [identity] = await him.store.identities(him.jid, name);
    store.addIdentity(him.jid, name, identity!);
    const backend = name === 'smime' ? smime({ store }) : openpgp({ store });
    const reader: Person = { jid: him.jid, store, backend };
    const hers = await certificatesOf(him.store, juliet, name);
    store.fileCertificate(from, name, hers);
    store.addCandidate(from, name, other.certificates);
    const forged = await crafted(other, reader, cpim());
    for (const policy of [strictPolicy, rfc3923Policy]) {
      const error = await openAs(reader, forged, { policy }).then(
        () => undefined,
        (reason: unknown) => reason as Parameters<typeof errorReply>[1],
      );
      expect(error?.code).toMatch(/SIGNER_UNTRUSTED|SIGNER_UNKNOWN/);
      expect(errorReply(forged, error!, { mode: 'off', knownContact: true })).toBeUndefined();
    }
    expect((await openAs(reader, await crafted(her, reader, cpim()))).verdict.sender?.jid).toBe(juliet);

    // Sealed to the key that was filed: the other one cannot read it.
    const plain = `<message xmlns='jabber:client' from='${romeo}/o' to='${juliet}'><body>Hi</body></message>`;
    const sealed = await sealStanza(plain, { backend, at });
    other.store.fileCertificate(Jid.parse(romeo), name, await certificatesOf(her.store, romeo, name));
    const open = (person: Person) =>
      openAs(person, sealed).then(
        () => 'read',
        (reason: unknown) => (reason as { code: string }).code,
      );
    expect(await open(other)).toBe('ERR_E2E_NO_DECRYPTION_KEY');
    expect(await open(her)).toBe('read');

    // The explicit act.
    store.forget(from, name);
    store.fileCertificate(from, name, other.certificates);
    expect((await openAs(reader, forged)).verdict.sender?.jid).toBe(juliet);
    await expect(openAs(reader, await crafted(her, reader, cpim()))).rejects.toMatchObject({
      code: expect.stringMatching(/SIGNER_UNTRUSTED|SIGNER_UNKNOWN/) as string,
    });
  });

  it('with the filed one gone, nothing is believed and nothing is sealed', async () => {
    const { romeo: him, juliet: her } = await people(name);
    const other = await impostor(name, await certificatesOf(her.store, romeo, name));
    const store = memoryStore();
    const [identity] = await him.store.identities(him.jid, name);
    store.addIdentity(him.jid, name, identity!);
    store.addCandidate(from, name, other.certificates);
    const backend = name === 'smime' ? smime({ store }) : openpgp({ store });
    const forged = await crafted(other, { jid: him.jid, store, backend }, cpim());
    await expect(openAs({ jid: him.jid, store, backend }, forged)).rejects.toMatchObject({
      code: expect.stringMatching(/SIGNER_UNTRUSTED|SIGNER_UNKNOWN/) as string,
    });
    expect(await backend.canSealTo(from, at)).toBe(false);
    const plain = `<message xmlns='jabber:client' from='${romeo}/o' to='${juliet}'><body>Hi</body></message>`;
    await expect(sealStanza(plain, { backend, at })).rejects.toMatchObject({ code: 'ERR_E2E_NO_RECIPIENT_KEY' });
  });
});
