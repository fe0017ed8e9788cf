/**
 * Access to what lies outside the package: third-party test data beside the checkout, and external programs. Where
 * something is absent a test is skipped visibly, and fails where CI=true.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../shared/', import.meta.url);

/** Whether full counts are asked for and nothing may be missing. */
export const ci: boolean = process.env['CI'] === 'true';

/** The absolute path of a file or folder of test data, whether it exists or not. */
export function corpusPath(path: string): string {
  return fileURLToPath(new URL(`corpora/${path}`, root));
}

/** Whether the test data is at hand. With CI=true its absence is an error. */
export function hasCorpus(path: string): boolean {
  const found = existsSync(corpusPath(path));
  if (!found && ci) throw new Error(`test data is missing: corpora/${path}`);
  return found;
}

/** The bytes of a file of test data. */
export function corpus(path: string): Buffer {
  return readFileSync(corpusPath(path));
}

/** A JSON file of test data. */
export function corpusJson(path: string): unknown {
  return JSON.parse(corpus(path).toString('utf8'));
}

/** Whether an external program is installed. With CI=true its absence is an error. */
export function hasProgram(name: string, versionFlag = '--version'): boolean {
  const found = spawnSync(name, [versionFlag]).error === undefined;
  if (!found && ci) throw new Error(`a program is missing: ${name}`);
  return found;
}

/** Whether the tests run once for each mutant. */
const mutating = process.env['STRYKER_MUTATOR_WORKER'] !== undefined;

/** The count of a long seeded run: all of it with CI=true, a tenth otherwise, and a hundredth for each mutant. */
export function runs(full: number): number {
  if (mutating) return Math.ceil(full / 100);
  return ci ? full : Math.ceil(full / 10);
}
