/** `batch` as a process: memory, pipes that break, interruptions, kills, and GNU parallel. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ci, hasProgram, runs } from '../shared-data.ts';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const built = existsSync(program);
if (!built && ci) throw new Error('dist/ is missing: npm run build');

const scratch = mkdtempSync(join(tmpdir(), 'xmpp-e2e-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const juliet = join(scratch, 'juliet');
const romeo = join(scratch, 'romeo');
const openArgv = ['batch', 'open', '--as', 'romeo@example.net'];

function environment(home: string): NodeJS.ProcessEnv {
  return { ...process.env, XMPP_E2E_HOME: home, NO_COLOR: '1' };
}

function cli(home: string, args: readonly string[], input = '') {
  const options = { input, encoding: 'utf8', env: environment(home), maxBuffer: 1 << 28 } as const;
  return spawnSync(process.execPath, [program, ...args], options);
}

function ok(home: string, args: readonly string[], input = ''): string {
  const run = cli(home, args, input);
  expect(run.status, run.stderr).toBe(0);
  return run.stdout;
}

interface Answer {
  readonly id: string;
  readonly ok: boolean;
  readonly stanza: string;
}

function answers(text: string): Answer[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer);
}

function plain(count: number): string {
  const line = (n: number): string => {
    const stanza = `<message from="juliet@example.com/x" to="romeo@example.net/y" type="chat"><body>${n}</body></message>`;
    return `${JSON.stringify({ id: `m${n}`, stanza })}\n`;
  };
  return Array.from({ length: count }, (_, n) => line(n)).join('');
}

/** Sealed stanzas, one a line, with ids of their own. */
function sealed(count: number): string[] {
  const lines = answers(ok(juliet, ['batch', 'seal', '--backend', 'smime'], plain(Math.min(count, 500))));
  return Array.from({ length: count }, (_, n) => JSON.stringify({ id: `m${n}`, stanza: lines[n % 500]!.stanza }));
}

describe.skipIf(!built)('batch as a process', () => {
  beforeAll(() => {
    for (const [home, jid] of [
      [juliet, 'juliet@example.com'],
      [romeo, 'romeo@example.net'],
    ] as const) {
      ok(home, ['keygen', '--jid', jid, '--backend', 'smime']);
    }
    ok(romeo, ['import', '--jid', 'juliet@example.com', '-'], ok(juliet, ['export', '--jid', 'juliet@example.com']));
    ok(juliet, ['import', '--jid', 'romeo@example.net', '-'], ok(romeo, ['export', '--jid', 'romeo@example.net']));
  });

  it('answers the same with several jobs as with one', () => {
    const wire = `${sealed(300).join('\n')}\ngarbage\n`;
    const one = cli(romeo, openArgv, wire);
    const two = cli(romeo, [...openArgv, '--jobs', '2'], wire);
    expect([one.status, two.status]).toEqual([117, 117]);
    expect(two.stdout).toBe(one.stdout);
    const opened = cli(romeo, openArgv, ok(juliet, ['batch', 'seal', '--jobs', '2'], plain(200)));
    expect([opened.status, answers(opened.stdout).length]).toEqual([0, 200]);
  });

  it('opens 100,000 lines in bounded memory', { timeout: 1_800_000 }, () => {
    const count = runs(100_000);
    const file = join(scratch, 'many');
    const some = sealed(1000);
    const whole = Array.from({ length: count }, (_, n) => some[n % some.length]!).join('\n');
    writeFileSync(file, whole);
    const peakOf = (input: string): { peak: number; lines: number } => {
      const out = openSync(join(scratch, 'out'), 'w');
      const preload = new URL('peak-memory.js', import.meta.url).href;
      const args = ['--import', preload, program, ...openArgv];
      const from = openSync(input, 'r');
      const run = spawnSync(process.execPath, args, { env: environment(romeo), stdio: [from, out, 'pipe', 'pipe'] });
      closeSync(from);
      closeSync(out);
      expect(run.status, String(run.stderr)).toBe(0);
      const lines = readFileSync(join(scratch, 'out')).reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
      return { peak: Number(run.output[3]) / 1024, lines };
    };
    const few = join(scratch, 'few');
    writeFileSync(few, whole.slice(0, Math.ceil(whole.length / 10)).replace(/\n[^\n]*$/, ''));
    const small = peakOf(few);
    const large = peakOf(file);
    expect(large.lines).toBe(count);
    // The input alone is over 300 MB at the full count.
    expect(large.peak).toBeLessThan(350);
    expect(large.peak - small.peak).toBeLessThan(120);
  });

  it.each([1, 2])(
    'resumes after kills with every line answered once, with %i jobs',
    { timeout: 300_000 },
    async (jobs) => {
      const lines = plain(runs(4000));
      const file = join(scratch, `killed-${jobs}`);
      const argv = ['batch', 'seal', '--jobs', String(jobs), '--resume', file];
      let kills = 0;
      for (let wait = 400; kills < 4; wait += 150) {
        const child = spawn(process.execPath, [program, ...argv], {
          env: environment(juliet),
          stdio: ['pipe', 'ignore', 'ignore'],
        });
        child.stdin.on('error', () => undefined);
        child.stdin.end(lines);
        const timer = setTimeout(() => child.kill('SIGKILL'), wait);
        const signal = await new Promise((resolve) => child.on('exit', (_code, by) => resolve(by)));
        clearTimeout(timer);
        if (signal === null) break;
        kills++;
      }
      ok(juliet, argv, lines);
      const ids = answers(readFileSync(file, 'utf8')).map(({ id }) => id);
      expect(ids).toEqual(answers(lines).map(({ id }) => id));
      expect(kills).toBeGreaterThan(0);
    },
  );

  it('ends quietly where the reader goes away', async () => {
    const child = spawn(process.execPath, [program, ...openArgv], { env: environment(romeo) });
    let stderr = '';
    child.stderr.on('data', (data) => (stderr += String(data)));
    child.stdin.on('error', () => undefined);
    child.stdin.write(`${sealed(500).join('\n')}\n`);
    child.stdout.once('data', () => child.stdout.destroy());
    const timer = setInterval(() => child.stdin.write(`${sealed(1)[0]!}\n`), 200);
    const code = await new Promise((resolve) => child.on('exit', resolve));
    clearInterval(timer);
    expect([code, stderr]).toEqual([141, '']);
  });

  it('ends on an interruption with an answer to every line that was begun', async () => {
    const child = spawn(process.execPath, [program, ...openArgv], { env: environment(romeo) });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => (stdout += String(data)));
    child.stderr.on('data', (data) => (stderr += String(data)));
    child.stdin.write(`${sealed(20).join('\n')}\n`);
    while (!stdout.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    expect(stderr).toMatch(/^xmpp-e2e: interrupted[^\n]*\n$/);
    // Lines that were not begun have none: their place is after all that have.
    const ids = answers(stdout).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, n) => `m${n}`));
    expect(ids.length).toBeGreaterThan(0);
    expect(stdout.endsWith('\n')).toBe(true);
  });

  it.skipIf(!hasProgram('parallel'))('is run by GNU parallel as the README says', () => {
    const readme = readFileSync(new URL('../../src/cli/README.md', import.meta.url), 'utf8');
    const recipe = /^ *(parallel --pipe[^\n]*)$/m.exec(readme)![1]!;
    writeFileSync(join(scratch, 'xmpp-e2e'), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, {
      mode: 0o755,
    });
    const input = `${sealed(1100).join('\n')}\n`;
    writeFileSync(join(scratch, 'sealed.ndjson'), input);
    const env = { ...environment(romeo), PATH: `${scratch}:${process.env['PATH'] ?? ''}`, HOME: scratch };
    const run = spawnSync('sh', ['-c', recipe], { cwd: scratch, env, encoding: 'utf8' });
    expect(run.status, run.stderr).toBe(0);
    const opened = answers(readFileSync(join(scratch, 'opened.ndjson'), 'utf8'));
    expect(opened.every((one) => one.ok)).toBe(true);
    expect(opened.map(({ id }) => id)).toEqual(answers(input).map(({ id }) => id));
  });
});
