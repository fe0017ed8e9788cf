/** `xmpp-e2e vectors verify`: runs the test vectors that come with the package, or a folder of others. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from './cli-error.ts';
import type { Io } from './io.ts';
import { forTerminal } from './terminal.ts';
import { parseVectorFile } from './vector-file.ts';
import { runVector, vectorScene } from './vector-run.ts';

const shipped = fileURLToPath(new URL('../../vectors/', import.meta.url));

/**
 * Runs all vectors below a folder and prints how many passed.
 *
 * @param folder with `keys/` beside the files; the shipped vectors unless given
 * @throws {CliError} MISSING_INPUT for a folder without vectors; BAD_DATA for a bad file; OTHER if a vector failed
 */
export async function verifyVectors(io: Io, folder: string = shipped): Promise<void> {
  let passed = 0;
  let failed = 0;
  for (const path of vectorFiles(folder)) {
    const name = relative(folder, path);
    for (const group of parse(path, name).groups) {
      const scene = await vectorScene(group, folder);
      for (const vector of group.tests) {
        const difference = await runVector(vector, scene);
        if (difference === undefined) passed++;
        else {
          failed++;
          io.stderr.write(`${forTerminal(`${name} ${vector.id}: ${difference}`)}\n`);
        }
      }
    }
  }
  io.stdout.write(`${passed} passed, ${failed} failed\n`);
  if (failed > 0) throw new CliError('OTHER', `${failed} of ${passed + failed} vectors failed`);
}

/** The vector files below a folder. @throws {CliError} MISSING_INPUT where there are none */
export function vectorFiles(folder: string): readonly string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CliError('MISSING_INPUT', `${forTerminal(folder)} is no folder of test vectors`);
  }
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.json') && !/^(schema|keys|generate)[/\\]/.test(name)).sort();
  if (files.length === 0) throw new CliError('MISSING_INPUT', `there are no test vectors in ${forTerminal(folder)}`);
  return files.map((name) => join(folder, name));
}

function parse(path: string, name: string): ReturnType<typeof parseVectorFile> {
  try {
    return parseVectorFile(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CliError('BAD_DATA', forTerminal(`${name}: ${(error as Error).message}`));
  }
}
