/**
 * Compiles the benchmark as an application would be compiled. What runs TypeScript directly names every function as it
 * is made, which costs the many small ones more than they take.
 */
import { build } from 'esbuild';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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
