/**
 * Keys and certificates by JID in standard files that openssl and gpg use as they are.
 *
 * Everything filed here was filed by an explicit act, so every contact's certificate counts as filed for its JID.
 * What was read is kept until the file changes, and the very same arrays come back: backends cache by them.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { KeyStore, StoredCertificate, StoredIdentity, Trust } from '../backends/backend.ts';
import { concatBytes } from '../bytes.ts';
import type { Jid } from '../jid/jid.ts';
import { candidateFiles, writeCandidate } from './candidates.ts';
import { checkHome, list, prepareHome } from './home.ts';
import { directoryName } from './jid-name.ts';
import { withLock } from './lock.ts';
import {
  asStoreError,
  checkOwnDirectory,
  makeOwnDirectory,
  readOwnFile,
  versionOfOwnFile,
  writeOwnFile,
} from './own-file.ts';

/** The key files of one identity. */
export interface IdentityFiles {
  /** S/MIME: PKCS #8 in PEM. OpenPGP: the armored secret key. */
  readonly keys: Uint8Array;
  /** S/MIME: certificates in PEM. OpenPGP: empty. */
  readonly certificates: Uint8Array;
}

/** Which certificates of a contact to keep when one is filed. */
export type FileMode = 'add' | 'replace';

/** A store in a directory. */
export interface DirectoryStore extends KeyStore {
  /** Absolute path of the home. */
  readonly path: string;
  /**
   * Files an identity of mine.
   *
   * @param jid its resource is ignored
   * @param replace whether an identity that is there is replaced; its private keys are then gone
   * @returns false where one is there and `replace` is false: nothing was changed
   * @throws {E2eError} STORE_FAILED
   */
  fileIdentity(jid: Jid, backend: string, files: IdentityFiles, replace?: boolean): Promise<boolean>;
  /**
   * Files a certificate of a contact: from now on it speaks for the JID.
   *
   * @param jid its resource is ignored
   * @param certificates S/MIME: PEM; OpenPGP: armored
   * @param mode `add` keeps those that are there
   * @throws {E2eError} STORE_FAILED
   */
  fileCertificate(jid: Jid, backend: string, certificates: Uint8Array, mode?: FileMode): Promise<void>;
  /**
   * Adds a certificate that arrived from somewhere: it speaks for nobody by itself, and counts only where a path to an
   * anchor vouches for it. Kept once, and no more than 16 of a JID: then the oldest goes.
   *
   * @param jid its resource is ignored
   * @param certificates DER or binary OpenPGP
   * @throws {E2eError} STORE_FAILED
   */
  addCandidate(jid: Jid, backend: string, certificates: Uint8Array): Promise<void>;
  /**
   * Files a trust anchor: from now on whoever it certifies is believed.
   *
   * @param certificates PEM or DER
   * @throws {E2eError} STORE_FAILED
   */
  fileAnchor(certificates: Uint8Array): Promise<void>;
  /**
   * The anchors and revocation lists of the home.
   *
   * @throws {E2eError} STORE_FAILED
   */
  trust(): Promise<Trust>;
}

/** Options of {@link directoryStore}. */
export interface DirectoryStoreOptions {
  /** Asked for when a private key is passphrase-protected. */
  readonly passphrase?: ((jid: Jid) => Promise<string>) | undefined;
}

interface Names {
  readonly key: string;
  readonly identityCertificate: string | undefined;
  readonly contact: string;
}

const names: Readonly<Record<string, Names>> = {
  smime: {
    key: 'smime.key.pem',
    identityCertificate: 'smime.cert.pem',
    contact: 'smime.cert.pem',
  },
  openpgp: {
    key: 'openpgp.key.asc',
    identityCertificate: undefined,
    contact: 'openpgp.cert.asc',
  },
};

const nothing: readonly never[] = Object.freeze([]);
const none = new Uint8Array();

/**
 * Opens a store in a directory. Nothing is written before the first act of filing, which makes the directory.
 *
 * @param path a home of ours, an empty directory, or nothing yet
 * @throws {E2eError} STORE_FAILED for a directory that is not ours
 */
export async function directoryStore(path: string, options: DirectoryStoreOptions = {}): Promise<DirectoryStore> {
  const home = await checkHome(path);
  return new Directory(home.path, options.passphrase);
}

interface Cached {
  readonly version: string;
  readonly value: unknown;
}

class Directory implements DirectoryStore {
  readonly path: string;
  readonly #passphrase: ((jid: Jid) => Promise<string>) | undefined;
  readonly #cache = new Map<string, Cached>();

  constructor(path: string, passphrase: ((jid: Jid) => Promise<string>) | undefined) {
    this.path = path;
    this.#passphrase = passphrase;
  }

  async identities(jid: Jid, backend: string): Promise<readonly StoredIdentity[]> {
    const files = names[backend];
    const directory = this.#of('identities', jid);
    if (files === undefined || !(await this.#usable('identities', directory))) return nothing;
    const paths = [join(directory, files.key)];
    if (files.identityCertificate !== undefined) paths.push(join(directory, files.identityCertificate));
    return this.#cached(paths, true, ([keys, certificates = none]): readonly StoredIdentity[] => {
      const ask = this.#passphrase;
      const bare = jid.bare();
      return [{ keys: keys!, certificates, passphrase: ask === undefined ? undefined : () => ask(bare) }];
    });
  }

  async find(jid: Jid, backend: string): Promise<readonly StoredCertificate[]> {
    const files = names[backend];
    const directory = this.#of('contacts', jid);
    if (files === undefined || !(await this.#usable('contacts', directory))) return nothing;
    const filed = await this.#cached([join(directory, files.contact)], false, (read) => stored(read, true));
    const others = await candidateFiles(join(directory, 'candidates'), backend);
    if (others.length === 0) return filed;
    const candidates = others.map((path) => this.#cached([path], false, (read) => stored(read, false)));
    return [...filed, ...(await Promise.all(candidates)).flat()];
  }

  async fileIdentity(jid: Jid, backend: string, files: IdentityFiles, replace = false): Promise<boolean> {
    const laid = namesOf(backend);
    const directory = await this.#prepare('identities', jid);
    return this.#locked(() => writeIdentity(directory, laid, files, replace));
  }

  async fileCertificate(jid: Jid, backend: string, certificates: Uint8Array, mode: FileMode = 'add'): Promise<void> {
    const { contact } = namesOf(backend);
    const path = join(await this.#prepare('contacts', jid), contact);
    await this.#locked(async () => {
      const old = mode === 'add' ? await readOwnFile(path, false) : undefined;
      if (old !== undefined && Buffer.from(old.bytes).includes(Buffer.from(certificates))) return;
      await writeOwnFile(path, old === undefined ? certificates : concatBytes(old.bytes, lineEnd, certificates));
    });
  }

  async addCandidate(jid: Jid, backend: string, certificates: Uint8Array): Promise<void> {
    namesOf(backend);
    const directory = join(await this.#prepare('contacts', jid), 'candidates');
    await this.#locked(() => writeCandidate(directory, backend, certificates));
  }

  async fileAnchor(certificates: Uint8Array): Promise<void> {
    await prepareHome(this.path);
    const directory = join(this.path, 'anchors');
    await makeOwnDirectory(directory);
    // Named by content, so that the same anchor is filed once and no anchor replaces another.
    const name = createHash('sha256').update(certificates).digest('hex').slice(0, 32);
    await this.#locked(() => writeOwnFile(join(directory, `${name}.pem`), certificates));
  }

  async trust(): Promise<Trust> {
    return { anchors: await this.#all('anchors'), crls: await this.#all('crls') };
  }

  async #all(part: string): Promise<readonly Uint8Array[]> {
    const directory = join(this.path, part);
    if (!(await checkOwnDirectory(directory))) return nothing;
    const files: Uint8Array[] = [];
    for (const name of [...(await list(directory))].sort()) {
      if (name.startsWith('.')) continue;
      const path = join(directory, name);
      const [bytes] = await this.#cached([path], false, (read) => read as readonly Uint8Array[]);
      if (bytes !== undefined) files.push(bytes);
    }
    return files;
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await withLock(join(this.path, 'lock'), work);
    } catch (error) {
      throw asStoreError(error, 'lock');
    }
  }

  #of(part: string, jid: Jid): string {
    return join(this.path, part, directoryName(jid));
  }

  async #usable(part: string, directory: string): Promise<boolean> {
    return (await checkOwnDirectory(join(this.path, part))) && (await checkOwnDirectory(directory));
  }

  async #prepare(part: string, jid: Jid): Promise<string> {
    await prepareHome(this.path);
    await makeOwnDirectory(join(this.path, part));
    const directory = this.#of(part, jid);
    await makeOwnDirectory(directory);
    return directory;
  }

  /** What `make` builds from some files; nothing where the first is absent; the same object while none changes. */
  async #cached<T>(
    paths: readonly string[],
    secret: boolean,
    make: (files: readonly (Uint8Array | undefined)[]) => readonly T[],
  ): Promise<readonly T[]> {
    const key = paths[0]!;
    const versions = await Promise.all(paths.map((path, i) => versionOfOwnFile(path, secret && i === 0)));
    if (versions[0] === undefined) {
      this.#cache.delete(key);
      return nothing;
    }
    const cached = this.#cache.get(key);
    if (cached?.version === versions.join()) return cached.value as readonly T[];
    const read = await Promise.all(paths.map((path, i) => readOwnFile(path, secret && i === 0)));
    if (read[0] === undefined) return nothing;
    const value = Object.freeze(make(read.map((file) => file?.bytes)));
    this.#cache.set(key, { version: read.map((file) => file?.version).join(), value });
    return value;
  }
}

function stored([certificates]: readonly (Uint8Array | undefined)[], filed: boolean): readonly StoredCertificate[] {
  return [{ certificates: certificates!, filed }];
}

async function writeIdentity(
  directory: string,
  { key, identityCertificate }: Names,
  files: IdentityFiles,
  replace: boolean,
): Promise<boolean> {
  const keyPath = join(directory, key);
  if (!replace && (await versionOfOwnFile(keyPath, false)) !== undefined) return false;
  if (identityCertificate === undefined) return writeOwnFile(keyPath, files.keys, replace);
  // Killed between any two of these writes, the directory still holds a key with its certificate.
  const certificatePath = join(directory, identityCertificate);
  const old = replace ? await readOwnFile(certificatePath, false) : undefined;
  const both = old === undefined ? files.certificates : concatBytes(files.certificates, lineEnd, old.bytes);
  await writeOwnFile(certificatePath, both);
  if (!(await writeOwnFile(keyPath, files.keys, replace))) return false;
  if (old !== undefined) await writeOwnFile(certificatePath, files.certificates);
  return true;
}

const lineEnd = Uint8Array.of(0x0a);

function namesOf(backend: string): Names {
  const found = names[backend];
  if (found === undefined) throw new TypeError(`no files are laid down for the backend ${backend}`);
  return found;
}
