/** What the tests of the stores share: temporary directories, and children that run this source. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect } from 'vitest';
import { E2eError, type E2eErrorCode } from '../../../src/errors.ts';

const made: string[] = [];

/** A new directory of mode 0700, removed by {@link removeDirectories}. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'xmpp-e2e-test-'));
  made.push(path);
  return path;
}

export function removeDirectories(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** Bundles a script of this folder, so that a child starts as fast as node does. */
export function bundle(script: string): string {
  const outfile = join(temporaryDirectory(), script.replace(/\.ts$/, '.mjs'));
  buildSync({
    entryPoints: [fileURLToPath(new URL(script, import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    conditions: ['xmpp-e2e-source'],
  });
  return outfile;
}

/** Starts a bundled script. */
export function start(script: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** All that a child writes until it ends. */
export async function outputOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}

/** Expects an E2eError of this code and returns it. */
export async function refusal(promise: Promise<unknown>, code: E2eErrorCode): Promise<E2eError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(E2eError);
  expect((error as E2eError).code).toBe(code);
  return error as E2eError;
}
