/** The keys of test vectors: folders laid out like a home, public and never to be trusted outside of tests. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Jid, type SecurityBackend, type StoredIdentity } from '../index.ts';
import { type MemoryStore, memoryStore } from '../stores/index.ts';
import { type BackendName } from './backend-names.ts';
import { loadBackend } from './context.ts';

/** Loads the backends of a vector group over a folder of keys. */
export async function vectorBackends(folder: string, names: readonly BackendName[]): Promise<SecurityBackend[]> {
  const store = memoryStore();
  for (const jid of entries(join(folder, 'identities'))) addIdentity(store, folder, jid);
  for (const jid of entries(join(folder, 'contacts'))) addContact(store, folder, jid);
  const anchors = entries(join(folder, 'anchors')).map((name) => read(folder, 'anchors', name));
  const crls = entries(join(folder, 'crls')).map((name) => read(folder, 'crls', name));
  return Promise.all(names.map((name) => loadBackend(name, store, () => Promise.resolve({ anchors, crls }))));
}

function addIdentity(store: MemoryStore, folder: string, jid: string): void {
  const files = entries(join(folder, 'identities', jid));
  if (files.includes('smime.key.pem')) store.addIdentity(Jid.parse(jid), 'smime', smimeIdentity(folder, jid));
  if (files.includes('openpgp.key.asc')) {
    const keys = read(folder, 'identities', jid, 'openpgp.key.asc');
    store.addIdentity(Jid.parse(jid), 'openpgp', { keys, certificates: new Uint8Array() });
  }
}

function smimeIdentity(folder: string, jid: string): StoredIdentity {
  const keys = read(folder, 'identities', jid, 'smime.key.pem');
  return { keys, certificates: read(folder, 'identities', jid, 'smime.cert.pem') };
}

/** The own S/MIME keys in a folder of keys. */
export function vectorIdentities(folder: string): readonly StoredIdentity[] {
  return entries(join(folder, 'identities'))
    .filter((jid) => entries(join(folder, 'identities', jid)).includes('smime.key.pem'))
    .map((jid) => smimeIdentity(folder, jid));
}

function addContact(store: MemoryStore, folder: string, jid: string): void {
  const files = entries(join(folder, 'contacts', jid));
  for (const [file, backend] of [
    ['smime.cert.pem', 'smime'],
    ['openpgp.cert.asc', 'openpgp'],
  ] as const) {
    if (files.includes(file)) store.fileCertificate(Jid.parse(jid), backend, read(folder, 'contacts', jid, file));
  }
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function read(...path: readonly string[]): Uint8Array {
  return readFileSync(join(...path));
}
