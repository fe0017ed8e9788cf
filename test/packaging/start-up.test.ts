/** What starting costs: which modules a command or an entry loads. Times depend on the machine; these lists do not. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ci } from '../shared-data.ts';

const root = new URL('../../', import.meta.url);
const program = fileURLToPath(new URL('dist/cli/main.js', root));
const built = existsSync(program);
if (!built && ci) throw new Error('dist/ is missing: npm run build');

/** The modules that a child loads, below the package's folder. */
function loaded(...args: readonly string[]): string[] {
  const preload = new URL('record-modules.js', import.meta.url).href;
  const run = spawnSync(process.execPath, ['--import', preload, ...args], {
    cwd: fileURLToPath(root),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  expect(run.status, run.stderr).toBe(0);
  return String(run.output[3])
    .split('\n')
    .filter((url) => url.startsWith('file:') && !url.endsWith('record-modules.js'))
    .map((url) => url.replace(/^.*?\/(dist|node_modules)\//, '$1/'));
}

const entry = (name: string): string[] => ['--input-type=module', '-e', `await import('${name}')`];

describe.skipIf(!built)('what is loaded', () => {
  it.each([[['--help']], [['--version']], [['batch', 'open', '--help']], [['send', '--help']]])(
    'by %j is commander and the commands’ names',
    (argv) => {
      const names = loaded(program, ...argv);
      expect(names.filter((name) => !name.startsWith('node_modules/commander/')).sort()).toEqual([
        'dist/cli/backend-names.js',
        'dist/cli/cli-error.js',
        'dist/cli/exit-codes.js',
        'dist/cli/main.js',
        'dist/cli/run.js',
      ]);
    },
  );

  it('by the root entry is no backend and no package', () => {
    const names = loaded(...entry('xmpp-e2e'));
    expect(names).toContain('dist/index.js');
    expect(
      names.filter((name) => /node_modules|backends\/(smime|openpgp)|\/(cms|x509|asn1|cli|stores|pool)\//.test(name)),
    ).toEqual([]);
  });

  it.each([
    ['smime', /openpgp/],
    ['openpgp', /smime|\/(cms|x509)\//],
  ])('by the entry of %s is nothing of the other backend', (name, other) => {
    const names = loaded(...entry(`xmpp-e2e/${name}`));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((one) => other.test(one))).toEqual([]);
  });

  it('by a command on one thread is neither the pool nor a client', () => {
    const names = loaded(program, 'vectors', 'verify', '--help');
    expect(names.filter((name) => /piscina|@xmpp|dist\/pool/.test(name))).toEqual([]);
  });
});
