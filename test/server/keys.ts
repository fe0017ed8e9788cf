/** Keys for the accounts of a test: everybody has everybody's certificate on file. */
import { generateIdentity, openpgp } from '../../src/backends/openpgp/index.ts';
import { generateIdentity as generateSmimeIdentity, smime } from '../../src/backends/smime/index.ts';
import { utf8 } from '../../src/bytes.ts';
import { Jid, type SecurityBackend } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';

/** Gives each account its own backend. */
type Backends = ReadonlyMap<string, SecurityBackend>;

export const backendKinds = ['smime', 'openpgp'] as const;
export type BackendKind = (typeof backendKinds)[number];

/** Backends of one kind for bare JIDs. */
export function backendsFor(kind: BackendKind, jids: readonly string[]): Promise<Backends> {
  return kind === 'smime' ? smimeBackends(jids) : openpgpBackends(jids);
}

/** OpenPGP backends for bare JIDs. */
async function openpgpBackends(jids: readonly string[]): Promise<Backends> {
  const identities = await Promise.all(
    jids.map(async (text) => {
      const jid = Jid.parse(text);
      return { jid, ...(await generateIdentity({ jid, at: new Date(Date.now() - 60_000) })) };
    }),
  );
  return new Map(
    identities.map(({ jid, secretKeyArmored }) => {
      const store = memoryStore();
      store.addIdentity(jid, 'openpgp', { keys: utf8(secretKeyArmored), certificates: new Uint8Array() });
      for (const other of identities) {
        if (other.jid !== jid) store.fileCertificate(other.jid, 'openpgp', utf8(other.certificateArmored));
      }
      return [jid.toString(), openpgp({ store })];
    }),
  );
}

/** S/MIME backends for bare JIDs, with self-signed certificates on file. */
async function smimeBackends(jids: readonly string[]): Promise<Backends> {
  const identities = await Promise.all(
    jids.map(async (text) => {
      const jid = Jid.parse(text);
      return {
        jid,
        ...(await generateSmimeIdentity({ jid, algorithm: 'p256', at: new Date(Date.now() - 60_000) })),
      };
    }),
  );
  return new Map(
    identities.map(({ jid, keysPem, certificatesPem }) => {
      const store = memoryStore();
      store.addIdentity(jid, 'smime', { keys: keysPem, certificates: certificatesPem });
      for (const other of identities) {
        if (other.jid !== jid) store.fileCertificate(other.jid, 'smime', other.certificatesPem);
      }
      return [jid.toString(), smime({ store })];
    }),
  );
}
