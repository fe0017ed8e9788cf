/**
 * A home directory of keys, contacts and state, marked as ours. A directory that holds anything else is never written.
 *
 *     HOME/xmpp-e2e-home                                          "xmpp-e2e home 1" LF
 *     HOME/identities/<jid>/{smime.key.pem,smime.cert.pem,openpgp.key.asc}
 *     HOME/contacts/<jid>/{smime.cert.pem,openpgp.cert.asc}
 *     HOME/contacts/<jid>/candidates/<backend>.<hash>             what arrived, trusted by nobody
 *     HOME/anchors/*                                              PEM or DER; named by content where filed by us
 *     HOME/crls/*                                                 PEM or DER, put there by hand
 *     HOME/replay  HOME/sending-clock  HOME/pins                  state of opening and sealing
 */

import { chmod, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  asStoreError,
  checkOwnDirectory,
  hasCode,
  makeOwnDirectory,
  readOwnFile,
  storeFailed,
  writeOwnFile,
} from './own-file.ts';

const markerName = 'xmpp-e2e-home';
const version = 1;
const marker = Buffer.from(`xmpp-e2e home ${version}\n`);

/** A checked home. */
export interface Home {
  /** Absolute. */
  readonly path: string;
  /** Whether it exists already; if not, the first {@link prepareHome} makes it. */
  readonly exists: boolean;
}

/**
 * Checks a home without writing anything.
 *
 * @param path a home, an empty directory, or nothing yet
 * @throws {E2eError} STORE_FAILED for a directory with other content, a home of a newer version, one that belongs to
 * another user or that others can write, and for a symbolic link
 */
export async function checkHome(path: string): Promise<Home> {
  const absolute = resolve(path);
  if (!(await checkOwnDirectory(absolute))) return { path: absolute, exists: false };
  const file = await readOwnFile(join(absolute, markerName), false);
  if (file === undefined) {
    // A temporary file is what a killed prepareHome leaves.
    const others = (await list(absolute)).filter((name) => !name.startsWith('.tmp.'));
    if (others.length > 0) throw storeFailed('a directory with other content, not a home of xmpp-e2e', absolute);
    return { path: absolute, exists: false };
  }
  const found = /^xmpp-e2e home (\d{1,6})\n$/.exec(Buffer.from(file.bytes).toString('latin1'))?.[1];
  if (found === undefined) throw storeFailed('the marker of the home is damaged', markerName);
  if (Number(found) !== version)
    throw storeFailed(`the home is of version ${Number(found)}, this program knows ${version}`);
  return { path: absolute, exists: true };
}

/**
 * Checks a home and makes it if it is not there.
 *
 * @returns its absolute path
 * @throws {E2eError} STORE_FAILED as {@link checkHome}, before anything is written
 */
export async function prepareHome(path: string): Promise<string> {
  const home = await checkHome(path);
  if (home.exists) return home.path;
  try {
    await mkdir(dirname(home.path), { recursive: true, mode: 0o700 });
    await makeOwnDirectory(home.path);
    await chmod(home.path, 0o700);
    await writeOwnFile(join(home.path, markerName), marker, false);
  } catch (error) {
    throw asStoreError(error, home.path);
  }
  return home.path;
}

/** The names in a directory; none where it is absent. */
export async function list(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw asStoreError(error, directory);
  }
}
