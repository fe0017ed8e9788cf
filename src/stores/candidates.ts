/**
 * Certificates that arrived for a JID, one file each, named by content. They are read with `filed: false`: by themselves
 * they speak for nobody.
 *
 *     HOME/contacts/<jid>/candidates/<backend>.<hash>             DER, or a binary OpenPGP certificate
 */

import { createHash } from 'node:crypto';
import { lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { list } from './home.ts';
import { maxCandidates } from './memory.ts';
import { asStoreError, checkOwnDirectory, makeOwnDirectory, writeOwnFile } from './own-file.ts';

/** The paths of the candidates of one backend, in the order of their names; none where there is no directory. */
export async function candidateFiles(directory: string, backend: string): Promise<readonly string[]> {
  if (!(await checkOwnDirectory(directory))) return [];
  const names = (await list(directory)).filter((name) => name.startsWith(`${backend}.`));
  return names.sort().map((name) => join(directory, name));
}

/**
 * Adds a candidate, once; the oldest goes where there are too many.
 *
 * @throws {E2eError} STORE_FAILED
 */
export async function writeCandidate(directory: string, backend: string, certificate: Uint8Array): Promise<void> {
  await makeOwnDirectory(directory);
  const files = await candidateFiles(directory, backend);
  const hash = createHash('sha256').update(certificate).digest('hex').slice(0, 32);
  const path = join(directory, `${backend}.${hash}`);
  if (files.includes(path)) return;
  if (files.length >= maxCandidates) {
    try {
      const aged = await Promise.all(files.map(async (file) => ({ file, time: (await lstat(file)).mtimeMs })));
      aged.sort((a, b) => a.time - b.time);
      await unlink(aged[0]!.file);
    } catch (error) {
      throw asStoreError(error, 'candidates');
    }
  }
  await writeOwnFile(path, certificate);
}
