/** Juliet, Romeo and Mallory with real keys, each with the certificates of the others on file. */
import { generateIdentity as generateOpenpgp, openpgp } from '../src/backends/openpgp/index.ts';
import { generateIdentity as generateSmime, smime } from '../src/backends/smime/index.ts';
import { Jid, type SecurityBackend } from '../src/index.ts';
import { memoryStore, type MemoryStore } from '../src/stores/index.ts';

export const juliet = 'juliet@example.com';
export const romeo = 'romeo@example.net';
export const mallory = 'mallory@example.org';

export const backendNames = ['smime', 'openpgp'] as const;
export type BackendName = (typeof backendNames)[number];

/** One person's side. */
export interface Person {
  readonly jid: Jid;
  readonly store: MemoryStore;
  readonly backend: SecurityBackend;
}

/** Everybody's side, by name. */
export type People = Readonly<Record<'juliet' | 'romeo' | 'mallory', Person>>;

type Algorithm = 'ed25519' | 'p256' | 'rsa2048';

const made = new Map<string, Promise<People>>();

/** The people with keys of one kind, made once in a test file. */
export function people(
  name: BackendName,
  algorithm: Algorithm = name === 'smime' ? 'p256' : 'ed25519',
): Promise<People> {
  const key = `${name} ${algorithm}`;
  const known = made.get(key) ?? make(name, algorithm);
  made.set(key, known);
  return known;
}

async function make(name: BackendName, algorithm: Algorithm): Promise<People> {
  const jids = [juliet, romeo, mallory].map((jid) => Jid.parse(jid));
  const at = new Date('2026-01-01T00:00:00Z');
  const keys = await Promise.all(jids.map((jid) => keysOf(name, jid, algorithm, at)));
  const all = jids.map((jid, i): Person => {
    const store = memoryStore();
    store.addIdentity(jid, name, {
      keys: keys[i]!.keys,
      certificates: name === 'smime' ? keys[i]!.certificates : new Uint8Array(),
    });
    for (const [k, other] of jids.entries()) if (k !== i) store.fileCertificate(other, name, keys[k]!.certificates);
    return { jid, store, backend: name === 'smime' ? smime({ store }) : openpgp({ store }) };
  });
  return { juliet: all[0]!, romeo: all[1]!, mallory: all[2]! };
}

async function keysOf(
  name: BackendName,
  jid: Jid,
  algorithm: Algorithm,
  at: Date,
): Promise<{ keys: Uint8Array; certificates: Uint8Array }> {
  if (name === 'smime') {
    const { keysPem, certificatesPem } = await generateSmime({ jid, algorithm, at, days: 3650 });
    return { keys: keysPem, certificates: certificatesPem };
  }
  const { secretKeyArmored, certificateArmored } = await generateOpenpgp({ jid, algorithm, at });
  return { keys: Buffer.from(secretKeyArmored), certificates: Buffer.from(certificateArmored) };
}
