/**
 * Compiles the benchmark as an application would be compiled. What runs TypeScript directly names every function as it
 * is made, which costs the many small ones more than they take.
 */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PoolRow } from './pool.ts';

type Measures = typeof import('./run.ts') & typeof import('./scale.ts');

/** The compiled measures. */
export interface Compiled {
  readonly measures: Measures;
  readonly url: string;
  readonly remove: () => void;
}

/** The file lies in this folder, so that what looks for files beside itself finds them. */
export async function compiled(): Promise<Compiled> {
  const file = fileURLToPath(new URL(`.compiled-${process.pid}.mjs`, import.meta.url));
  await build({
    stdin: {
      contents: "export * from './run.ts'; export * from './scale.ts';",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    conditions: ['xmpp-e2e-source', 'node'],
    outfile: file,
    logLevel: 'silent',
  });
  const { href } = new URL(`file://${file}`);
  const remove = (): void => rmSync(file, { force: true });
  process.once('exit', remove);
  return { measures: (await import(href)) as Measures, url: href, remove };
}

/** {@link measurePool} in a process of its own. */
export async function measurePoolCompiled(count: number, rounds: number): Promise<readonly PoolRow[]> {
  const folder = fileURLToPath(new URL(`.compiled-pool-${process.pid}`, import.meta.url));
  const here = fileURLToPath(new URL('.', import.meta.url));
  try {
    await build({
      entryPoints: [`${here}pool.ts`, `${here}pool-backends.ts`],
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'es2022',
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      logLevel: 'silent',
    });
    const url = pathToFileURL(`${folder}/pool.mjs`).href;
    const code = `import { measurePool } from '${url}'; console.log(JSON.stringify(await measurePool(${count}, ${rounds}, [1, 2])));`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code]);
    if (status !== 0) throw new Error(stderr.toString());
    return JSON.parse(stdout.toString()) as readonly PoolRow[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
