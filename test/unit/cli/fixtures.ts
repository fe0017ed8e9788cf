/** A terminal, a pipe and an environment for commands that run inside the test process. */
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io, Output } from '../../../src/cli/io.ts';
import { run } from '../../../src/cli/run.ts';

const made: string[] = [];

/** A new directory, removed by {@link removeDirectories}. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'xmpp-e2e-test-'));
  made.push(path);
  return path;
}

export function removeDirectories(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** What a command did. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run. */
export interface Surroundings {
  readonly stdin?: string | Uint8Array;
  /** The home, by environment. */
  readonly home?: string;
  /** stdin is a terminal that nobody types at. */
  readonly typing?: boolean;
  /** stdout and stderr are terminals. */
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly env?: Record<string, string>;
}

/** Runs a command in this process. */
export async function cli(argv: readonly string[], surroundings: Surroundings = {}): Promise<Result> {
  const { stdin = '', home, typing = false, terminal = false, columns, env = {} } = surroundings;
  const written = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr'): Output => ({
    isTTY: terminal,
    columns,
    write: (data) => (written[name] += typeof data === 'string' ? data : Buffer.from(data).toString('utf8')),
  });
  const io: Io = {
    stdin: {
      isTTY: typing,
      async *[Symbol.asyncIterator]() {
        if (typing) await new Promise(() => undefined);
        else yield await Promise.resolve(typeof stdin === 'string' ? Buffer.from(stdin) : stdin);
      },
    },
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: home === undefined ? env : { XMPP_E2E_HOME: home, ...env },
  };
  return { code: await run(argv, io), ...written };
}

/** Every entry below a directory, with what would show a change. */
export function snapshot(path: string): string[] {
  return (readdirSync(path, { recursive: true }) as string[]).sort().map((name) => {
    const stats = lstatSync(join(path, name));
    return `${name} ${stats.mode} ${stats.isFile() ? readFileSync(join(path, name), 'hex') : ''}`;
  });
}

/** Two homes whose owners have each other's certificates. */
export interface Pair {
  readonly juliet: string;
  readonly romeo: string;
}

/** Makes a pair of homes by the commands themselves. */
export async function pair(...backends: readonly ('smime' | 'openpgp')[]): Promise<Pair> {
  const juliet = join(temporaryDirectory(), 'juliet');
  const romeo = join(temporaryDirectory(), 'romeo');
  for (const backend of backends) {
    const people = [
      ['juliet@example.com', juliet],
      ['romeo@example.net', romeo],
    ] as const;
    for (const [jid, home] of people) await ok(['keygen', '--jid', jid, '--backend', backend], { home });
    for (const [i, [jid, home]] of people.entries()) {
      const certificate = await ok(['export', '--jid', jid, '--backend', backend], { home });
      await ok(['import', '--jid', jid, '-'], { home: people[1 - i]![1], stdin: certificate.stdout });
    }
  }
  return { juliet, romeo };
}

/** Runs a command that must succeed. */
export async function ok(argv: readonly string[], surroundings: Surroundings = {}): Promise<Result> {
  const result = await cli(argv, surroundings);
  if (result.code !== 0) throw new Error(`${argv.join(' ')} ended with ${result.code}: ${result.stderr}`);
  return result;
}

export const message =
  '<message xmlns="jabber:client" from="juliet@example.com/balcony" to="romeo@example.net/orchard" type="chat" id="m1">' +
  '<body>Wherefore art thou?</body></message>';
