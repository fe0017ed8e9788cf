/** The README's snippets run as they stand. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readme-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('README', () => {
  it('has a program that prints what its comments say', () => {
    const programs = blocks('js').filter((block) => block.includes("from 'xmpp-e2e'"));
    expect(programs.length).toBeGreaterThanOrEqual(1);
    // Inside the package, so that its own name resolves to its exports.
    const file = join(root, 'dist', 'readme-snippet.mjs');
    try {
      writeFileSync(file, programs[0]!);
      const lines = execFileSync(process.execPath, [file], { encoding: 'utf8' }).trim().split('\n');
      expect(lines[0]).toMatch(/^<message .*<e2e xmlns="urn:ietf:params:xml:ns:xmpp-e2e">/);
      expect(lines.slice(-2)).toEqual(['Wherefore art thou?', 'juliet@example.com ok']);
    } finally {
      rmSync(file, { force: true });
    }
  });

  it('has a session on the command line that ends with the opened stanza', () => {
    const session = blocks('sh').find((block) => block.includes('xmpp-e2e keygen'))!;
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const program = join(bin, 'xmpp-e2e');
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/cli/main.js')}" "$@"\n`);
    chmodSync(program, 0o755);
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
    const output = execFileSync('bash', ['-euo', 'pipefail', '-c', session], {
      cwd: folder,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(output).toContain('NOT VERIFIED');
    expect(output.trim().split('\n').at(-1)).toContain('<body>Hi</body>');
  });

  it('names two commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const commands = blocks('sh').flatMap((block) =>
      [...block.matchAll(/npm (?:run (?:--silent )?)?(demo|test)\b/g)].map((match) => match[1]!),
    );
    expect(commands).toEqual(['demo', 'test']);
    for (const command of commands) expect(scripts).toHaveProperty(command);
  });

  it('links to files that exist', () => {
    for (const match of readme.matchAll(/\]\((?!https:)([^)]+)\)/g)) {
      expect(() => readFileSync(join(root, match[1]!)), match[1]).not.toThrow();
    }
  });
});
