/**
 * Memory: many openings, one in ten of them hostile, leave nothing behind but the entries of the replay guard, and those
 * no more once it is full. Measured in a process of its own, after collection.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runs } from '../shared-data.ts';

const megabyte = 1_048_576;
/** As the documentation of `memoryReplayStore` says. */
const bytesPerEntry = 320;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'xmpp-e2e-memory-'));
  for (const script of ['opening', 'remembering']) {
    buildSync({
      entryPoints: [fileURLToPath(new URL(`${script}-process.ts`, import.meta.url))],
      ...{ bundle: true, platform: 'node', format: 'esm', outfile: join(folder, `${script}.mjs`) },
      ...{ conditions: ['xmpp-e2e-source'], logLevel: 'error' },
    });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function measure<T>(script: string, ...args: readonly number[]): Promise<T> {
  const child = spawn(process.execPath, ['--expose-gc', join(folder, `${script}.mjs`), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect([code, errors]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

interface Opening {
  readonly answered: number;
  readonly delivered: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly measured: readonly { readonly answered: number; readonly heap: number }[];
  readonly unhandled: number;
}

/** Growth of the heap from the first measurement, after a fifth of all, to the last. */
const growth = ({ measured }: Opening): number => measured.at(-1)!.heap - measured[0]!.heap;

function everythingAnswered(opening: Opening, count: number): void {
  const { answered, delivered, codes, unhandled } = opening;
  expect(answered).toBe(count);
  expect(delivered).toBe(count * 0.9);
  expect(Object.values(codes).reduce((sum, one) => sum + one, 0)).toBe(count * 0.1);
  expect(Object.keys(codes).length).toBeGreaterThan(4);
  expect(unhandled).toBe(0);
}

describe(`${runs(100_000)} openings`, () => {
  const count = runs(100_000);

  it('leave less than 1 MiB behind once the guard is full', { timeout: 1_800_000 }, async () => {
    const opening = await measure<Opening>('opening', count, Math.ceil(count / 20));
    everythingAnswered(opening, count);
    expect(growth(opening)).toBeLessThan(megabyte);
  });

  it('leave less than 1 MiB and the entries of a guard that is not full', { timeout: 1_800_000 }, async () => {
    const some = count / 2;
    const opening = await measure<Opening>('opening', some, count);
    everythingAnswered(opening, some);
    expect(growth(opening)).toBeLessThan(megabyte + some * 0.8 * bytesPerEntry);
  });
});

describe('the replay guard in memory', () => {
  it(`takes at most ${bytesPerEntry} bytes an entry, and none more once it is full`, { timeout: 300_000 }, async () => {
    interface Remembered {
      readonly entry: number;
      readonly device: number;
      readonly full: readonly number[];
    }
    const { entry, device, full } = await measure<Remembered>('remembering', 20_000);
    expect(entry).toBeGreaterThan(50);
    expect(entry).toBeLessThan(bytesPerEntry);
    // Where every entry is from a device of its own.
    expect(device).toBeLessThan(2 * bytesPerEntry);
    // The table that holds the entries is made anew once; then nothing grows.
    expect(full.at(-1)! - full[0]!).toBeLessThan(megabyte / 4);
  });
});
