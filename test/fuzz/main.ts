/**
 * Runs a coverage-guided fuzzer: `npm run fuzz -- TARGET [SECONDS] [FOLDER]`. Jazzer.js is not among the dependencies,
 * since its binary needs glibc 2.38; README.md says how to have it. What is found is left in FOLDER.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { seedsOf } from './seeds.ts';
import { targets } from './targets.ts';

const [target = '', seconds = '60', folder] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

if (!Object.hasOwn(targets, target))
  fail(`usage: npm run fuzz -- TARGET [SECONDS] [FOLDER]\ntargets: ${Object.keys(targets).join(' ')}`);
if (!/^\d{1,6}$/.test(seconds)) fail('SECONDS must be a number');

const work = folder === undefined ? mkdtempSync(join(tmpdir(), 'xmpp-e2e-fuzz-')) : resolve(folder);
const corpus = join(work, 'corpus', target);
mkdirSync(corpus, { recursive: true });
for (const [name, octets] of seedsOf(target)) writeFileSync(join(corpus, name), octets);
cpSync(join(here, '../../vectors/keys'), join(work, 'keys'), { recursive: true });
buildSync({
  entryPoints: [join(here, 'jazzer-entry.ts')],
  ...{ bundle: true, platform: 'node', format: 'cjs', outfile: join(work, 'fuzz-bundle.cjs'), logLevel: 'error' },
  conditions: ['xmpp-e2e-source'],
  // What is bundled asks where it is, to load modules of Node.
  define: { 'import.meta.url': '"file:///fuzz-bundle.cjs"' },
});

// Found from the folder too, where the fuzzer may be installed beside a binary that this machine cannot load.
function findFuzzer(): string | undefined {
  for (const from of [join(work, 'x.js'), fileURLToPath(import.meta.url)]) {
    try {
      return join(dirname(createRequire(from).resolve('@jazzer.js/core')), 'cli.js');
    } catch {
      // The next place.
    }
  }
  return undefined;
}

const prepared = `The bundle, the keys and the seeds are in ${work}.`;
const fuzzer = findFuzzer();
if (fuzzer === undefined) fail(`@jazzer.js/core is not installed. ${prepared}`);
const limits = [`-max_total_time=${seconds}`, '-max_len=8192', '-rss_limit_mb=2048', '-timeout=20'];
const mode = targets[target]!.constructor.name === 'AsyncFunction' ? [] : ['--sync'];
const { status, error } = spawnSync(
  process.execPath,
  [fuzzer, join(work, 'fuzz-bundle.cjs'), corpus, '-i', 'fuzz-bundle', ...mode, '--', ...limits],
  { cwd: work, stdio: 'inherit', env: { ...process.env, FUZZ_TARGET: target, FUZZ_KEYS: join(work, 'keys') } },
);
if (error !== undefined) fail(`${error.message}. ${prepared}`);
process.stdout.write(`${prepared}\n`);
process.exit(status ?? 1);
