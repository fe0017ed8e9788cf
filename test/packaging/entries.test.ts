/** What a consumer gets: entries that load where they say they load, and declarations of our own. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>;
};
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [[name, target] as const],
);
const nodeOnly = ['./stores/node', './pool'];

async function bundle(file: string, platform: 'browser' | 'node'): Promise<Metafile> {
  const result = await build({
    entryPoints: [join(root, file)],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform,
    logLevel: 'silent',
  });
  return result.metafile;
}

/** The packages and files that an entry pulls in. */
async function inputs(file: string): Promise<string[]> {
  return Object.keys((await bundle(file, 'node')).inputs);
}

describe.each(entries)('%s', (name, target) => {
  it('exports something', async () => {
    const module = (await import(join(root, target.default))) as object;
    expect(Object.keys(module).length).toBeGreaterThan(0);
  });

  it.skipIf(nodeOnly.includes(name))('bundles for browsers without any module of Node', async () => {
    const metafile = await bundle(target.default, 'browser');
    const imported = Object.values(metafile.inputs).flatMap((input) => input.imports.map((one) => one.path));
    expect(imported.filter((path) => path.startsWith('node:'))).toEqual([]);
  });

  it('does not reach the command line or its parser', async () => {
    expect((await inputs(target.default)).filter((path) => /commander|dist\/cli/.test(path))).toEqual([]);
  });
});

describe('the root entry', () => {
  it('pulls in neither backend', async () => {
    const reached = await inputs('dist/index.js');
    expect(reached.filter((path) => /node_modules|backends\/(smime|openpgp)|cms\/|x509\//.test(path))).toEqual([]);
  });
});

/** The declarations that a consumer's compiler reads: those that the entries reach. */
function reachable(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const match of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]*)['"]/g)) {
    reachable(join(dirname(file), match[1]!.replace(/\.(ts|js)$/, '.d.ts')), seen);
  }
  return seen;
}

describe('the declarations', () => {
  it.each(entries)('of %s name no type of another package', (_, target) => {
    const foreign: string[] = [];
    for (const file of reachable(join(root, target.types))) {
      const text = readFileSync(file, 'utf8').replace(/\/\*.*?\*\//gs, '');
      for (const match of text.matchAll(/(?:from|import\()\s*['"]([^.#'"][^'"]*)['"]/g))
        foreign.push(`${file}: ${match[1]!}`);
      if (/\bBuffer\b|reference types/.test(text)) foreign.push(`${file}: Node`);
    }
    expect(foreign).toEqual([]);
  });
});
