/** Every fuzz target on all that it starts from, and on what the fuzzer found: as ordinary tests. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpusOf, seedsOf } from './seeds.ts';
import { targets } from './targets.ts';

const folder = new URL('corpus/', import.meta.url).pathname;

describe.each(Object.keys(targets))('%s', (name) => {
  it('takes or refuses all that it starts from', async () => {
    const seeds = seedsOf(name, 1 << 20);
    expect(seeds.length).toBeGreaterThan(0);
    for (const [file, octets] of seeds) {
      await Promise.resolve(targets[name]!(new Uint8Array(octets))).catch((cause: unknown) => {
        throw new Error(`${name}: ${file}`, { cause });
      });
    }
  });

  it('takes or refuses every piece of it', async () => {
    for (const [, octets] of seedsOf(name).slice(0, 40)) {
      for (let part = 1; part < 8; part++) {
        await targets[name]!(new Uint8Array(octets.subarray(0, Math.floor((octets.length * part) / 8))));
        await targets[name]!(new Uint8Array(octets.subarray(Math.floor((octets.length * part) / 8))));
      }
    }
  });
});

describe('the corpus', () => {
  it('has a folder for each target and nothing else, and is small', () => {
    expect(existsSync(folder)).toBe(true);
    const folders = readdirSync(folder).sort();
    expect(folders).toEqual(Object.keys(targets).sort());
    let octets = 0;
    for (const name of folders) {
      expect(corpusOf(name).length).toBeGreaterThan(0);
      for (const [file] of corpusOf(name)) octets += statSync(join(folder, name, file)).size;
    }
    expect(octets).toBeLessThan(200_000);
  });
});
