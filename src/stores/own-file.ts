/**
 * Files that belong to one user: read only if they are what they seem, written whole or not at all.
 *
 * Nothing here follows a symbolic link in its last step, so that no other local user can make us read or overwrite a
 * file of their choice.
 */

import { randomBytes } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { chmod, type FileHandle, link, lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { E2eError, type E2eErrorCode } from '../errors.ts';
import { isRunning, startOf } from './lock.ts';

/** A file's content, and the stat that tells whether it changed since. */
export interface OwnFile {
  readonly bytes: Uint8Array;
  readonly version: string;
}

const maxFileBytes = 4_194_304;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Names a state of a file: two equal names mean that nothing changed.
 *
 * @param stats of the file, with nanoseconds
 */
function versionOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

/**
 * Reads a file that must be a regular file of this user (or of root).
 *
 * @param path the file
 * @param secret whether it holds a private key: nobody else may then be able to read it
 * @returns undefined where there is no such file
 * @throws {E2eError} KEY_UNAVAILABLE for a private key that others can read; STORE_FAILED for a symbolic link, a file
 * of another user, one that others may write, one over 4 MiB, and for what the file system refuses
 */
export async function readOwnFile(path: string, secret: boolean): Promise<OwnFile | undefined> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK a FIFO in the place of the file would hang us.
    handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw storeFailed(
      hasCode(error, 'ELOOP') ? 'a symbolic link stands in the place of a file' : reasonOf(error),
      path,
    );
  }
  try {
    const stats = await handle.stat({ bigint: true });
    checkOwnFile(stats, path, secret);
    return { bytes: await handle.readFile(), version: versionOf(stats) };
  } catch (error) {
    throw asStoreError(error, path);
  } finally {
    await handle.close();
  }
}

/**
 * The state of a file without reading it, with the same checks as {@link readOwnFile}.
 *
 * @returns undefined where there is no such file
 * @throws {E2eError} as {@link readOwnFile}
 */
export async function versionOfOwnFile(path: string, secret: boolean): Promise<string | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    if (stats.isSymbolicLink()) throw storeFailed('a symbolic link stands in the place of a file', path);
    checkOwnFile(stats, path, secret);
    return versionOf(stats);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw asStoreError(error, path);
  }
}

function checkOwnFile(stats: BigIntStats, path: string, secret: boolean): void {
  if (!stats.isFile()) throw storeFailed('not a regular file', path);
  checkOwner(stats, path);
  const mode = Number(stats.mode);
  if (secret && (mode & 0o077) !== 0) {
    throw failed('ERR_E2E_KEY_UNAVAILABLE', 'other users can use this private key file (make it mode 600)', path);
  }
  if ((mode & 0o022) !== 0) throw storeFailed('other users can write this file (make it mode 600)', path);
  if (stats.size > BigInt(maxFileBytes)) throw storeFailed('the file is too large', path);
}

function checkOwner(stats: BigIntStats, path: string): void {
  const me = process.geteuid?.();
  if (me !== undefined && stats.uid !== BigInt(me) && stats.uid !== 0n) {
    throw storeFailed('it belongs to another user', path);
  }
}

/**
 * Checks that a directory is one, of this user, and that nobody else can put files into it.
 *
 * @returns false where there is nothing of that name
 * @throws {E2eError} STORE_FAILED
 */
export async function checkOwnDirectory(path: string): Promise<boolean> {
  let stats: BigIntStats;
  try {
    stats = await lstat(path, { bigint: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw asStoreError(error, path);
  }
  if (stats.isSymbolicLink()) throw storeFailed('a symbolic link stands in the place of a directory', path);
  if (!stats.isDirectory()) throw storeFailed('not a directory', path);
  checkOwner(stats, path);
  if ((Number(stats.mode) & 0o022) !== 0) {
    throw storeFailed('other users can write this directory (make it mode 700)', path);
  }
  return true;
}

/**
 * Makes a directory of mode 0700, or checks the one that is there.
 *
 * @throws {E2eError} STORE_FAILED
 */
export async function makeOwnDirectory(path: string): Promise<void> {
  if (await checkOwnDirectory(path)) return;
  try {
    await mkdir(path, { mode: 0o700 });
    // mkdir subtracts the umask; one that takes away the owner's own rights would lock us out.
    await chmod(path, 0o700);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (hasCode(error, 'EEXIST') && (await checkOwnDirectory(path))) return;
    throw asStoreError(error, path);
  }
}

const temporary = /^\.tmp\.(\d{1,10})\.(\d{1,20}|-)\.[0-9a-f]{24}$/;

/**
 * Writes a file in one step that survives a crash at any moment: a temporary file beside it, fsync, rename, fsync of
 * the directory. Whoever reads sees the old content or the new one, never a part.
 *
 * @param path the file; what stands there must be a regular file or nothing
 * @param bytes the whole content
 * @param replace false to refuse an existing file, also against another process that creates it meanwhile
 * @returns false where `replace` is false and the file exists
 * @throws {E2eError} STORE_FAILED
 */
export async function writeOwnFile(path: string, bytes: Uint8Array, replace = true): Promise<boolean> {
  const directory = dirname(path);
  const temp = join(directory, `.tmp.${process.pid}.${startOf(process.pid)}.${randomBytes(12).toString('hex')}`);
  try {
    await sweepTemporaryFiles(directory);
    const there = await versionOfOwnFile(path, false);
    if (there !== undefined && !replace) return false;
    const handle = await open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await handle.chmod(0o600);
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (replace) await rename(temp, path);
    else if (!(await linkNew(temp, path))) return false;
    await syncDirectory(directory);
    return true;
  } catch (error) {
    await unlink(temp).catch(() => undefined);
    throw asStoreError(error, path);
  }
}

/** Unlike a rename, a link never replaces what another process made since we looked. */
async function linkNew(temp: string, path: string): Promise<boolean> {
  try {
    await link(temp, path);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(temp);
  }
  return true;
}

/** Makes a rename or a new name in a directory durable. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what writers left that were killed: temporary files of processes that run no longer. */
async function sweepTemporaryFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const [, pid, start] = temporary.exec(name) ?? [];
    if (pid === undefined || isRunning(Number(pid), start)) continue;
    await unlink(join(directory, name)).catch(() => undefined);
  }
}

/** An error of a store; `path` is cut to the name of the file. */
export function storeFailed(reason: string, path?: string): E2eError {
  return failed('ERR_E2E_STORE_FAILED', reason, path);
}

function failed(code: E2eErrorCode, reason: string, path?: string): E2eError {
  return new E2eError(code, 'check', { reason, subject: path === undefined ? undefined : basename(path) });
}

/** Any thrown thing as the error of a store: an E2eError stays what it is. */
export function asStoreError(error: unknown, path?: string): E2eError {
  return error instanceof E2eError ? error : storeFailed(reasonOf(error), path);
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? 'unexpected failure' : `the system said ${code}`;
}

/** Whether an error of the file system has this code. */
export function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === code;
}
