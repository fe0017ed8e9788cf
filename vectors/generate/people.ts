/** The people of the security vectors, and their keys below `vectors/keys/`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateIdentity as generateOpenpgp } from '../../src/backends/openpgp/index.ts';
import { openpgp } from '../../src/backends/openpgp/index.ts';
import { generateIdentity as generateSmime, smime } from '../../src/backends/smime/index.ts';
import { Jid, type SecurityBackend } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';

export const juliet = 'juliet@example.com';
export const romeo = 'romeo@example.net';
/** A contact of Romeo with keys of his own, who means no good. */
export const mallory = 'mallory@example.org';
/** Somebody whose certificate Romeo has never seen. */
export const stranger = 'paris@example.com';

/** The day on which all keys begin. */
const begin = new Date('2026-01-01T00:00:00Z');

/** Files of one person in the form of one backend. */
interface Files {
  readonly keys: Uint8Array;
  readonly certificates: Uint8Array;
}

/** A backend that plays everybody, and where its keys were written. */
export interface Cast {
  readonly backend: SecurityBackend;
  /** Folder below `keys/`, as Romeo has it. */
  readonly folder: string;
}

function write(path: string, content: Uint8Array): void {
  const file = fileURLToPath(new URL(`../keys/${path}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

async function smimeFiles(jid: string, algorithm: 'p256' | 'rsa2048' | 'ed25519'): Promise<Files> {
  const made = await generateSmime({ jid, algorithm, days: 3650, at: begin });
  return { keys: made.keysPem, certificates: made.certificatesPem };
}

async function openpgpFiles(jid: string, algorithm: 'ed25519' | 'p256' | 'rsa2048', v6: boolean): Promise<Files> {
  const made = await generateOpenpgp({ jid: Jid.parse(jid), algorithm, v6, at: begin });
  const encoder = new TextEncoder();
  return { keys: encoder.encode(made.secretKeyArmored), certificates: encoder.encode(made.certificateArmored) };
}

async function cast(name: 'smime' | 'openpgp', folder: string, make: (jid: string) => Promise<Files>): Promise<Cast> {
  const all = memoryStore();
  const [keyFile, certificateFile] =
    name === 'smime' ? ['smime.key.pem', 'smime.cert.pem'] : ['openpgp.key.asc', 'openpgp.cert.asc'];
  for (const jid of [juliet, romeo, mallory, stranger]) {
    const files = await make(jid);
    all.addIdentity(Jid.parse(jid), name, name === 'smime' ? files : { ...files, certificates: new Uint8Array() });
    all.fileCertificate(Jid.parse(jid), name, files.certificates);
    if (jid === romeo) {
      write(`${folder}/identities/${jid}/${keyFile}`, files.keys);
      if (name === 'smime') write(`${folder}/identities/${jid}/${certificateFile}`, files.certificates);
    } else if (jid !== stranger) write(`${folder}/contacts/${jid}/${certificateFile}`, files.certificates);
  }
  return { folder, backend: name === 'smime' ? smime({ store: all }) : openpgp({ store: all }) };
}

/** S/MIME with self-signed certificates that Romeo has filed. */
export function smimeCast(algorithm: 'p256' | 'rsa2048' | 'ed25519'): Promise<Cast> {
  return cast('smime', `smime-${algorithm}`, (jid) => smimeFiles(jid, algorithm));
}

/** OpenPGP certificates that Romeo has filed. */
export function openpgpCast(algorithm: 'ed25519' | 'p256' | 'rsa2048', v6 = false): Promise<Cast> {
  return cast('openpgp', `openpgp-${algorithm}${v6 ? '-v6' : ''}`, (jid) => openpgpFiles(jid, algorithm, v6));
}
