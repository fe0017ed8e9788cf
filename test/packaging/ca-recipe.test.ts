/** The recipe for a CA with openssl runs as it stands, and so does path validation alone, on its files. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../shared-data.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ca-recipe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The block of a language after a heading. */
function block(file: string, heading: string, language: string): string {
  const [, section = ''] = readFileSync(join(root, file), 'utf8').split(`\n${heading}\n`);
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(section)?.[1] ?? '';
}

const fingerprint = / \([0-9a-f]{16}…\)/g;

describe.skipIf(!hasProgram('openssl', 'version'))('a CA with openssl', () => {
  let stdout: string;
  let stderr: string;

  beforeAll(() => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const program = join(bin, 'xmpp-e2e');
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/cli/main.js')}" "$@"\n`);
    chmodSync(program, 0o755);
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
    const script = block('src/cli/README.md', '### A CA with openssl', 'sh');
    const run = spawnSync('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env, encoding: 'utf8' });
    ({ stdout, stderr } = run);
    expect(run.status, stderr).toBe(0);
  }, 120_000);

  it('certifies a person, whose message is opened and whose revocation is noticed', () => {
    const path = ['CN=juliet@example.com', '  issued by CN=Issuing CA,O=Capulet', '  issued by CN=Root,O=Capulet'];
    const lines = stdout.trim().replace(fingerprint, '').split('\n');
    expect(lines.filter((line) => !line.startsWith('<message'))).toEqual([
      ...path,
      '  trusted for juliet@example.com',
      ...path,
      '  revoked: certificate is revoked; at fault: CN=juliet@example.com',
      'exit code 115',
    ]);
    expect(lines.find((line) => line.startsWith('<message'))).toContain('<body>Hi</body>');
    expect(stderr).toContain(
      'signed by juliet@example.com (ecdsa-p256 sha256, a certificate below a trusted anchor, im: URI)',
    );
  });

  it('has files for path validation without any message', () => {
    const snippet = block('src/backends/smime/README.md', '## Paths without messages', 'js');
    expect(snippet).not.toBe('');
    const run = (name: string, code: string): string[] => {
      // Inside the package, so that its own name resolves to its exports.
      const file = join(root, 'dist', `${name}.mjs`);
      try {
        writeFileSync(file, code);
        const {
          status,
          stdout: printed,
          stderr: errors,
        } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
        expect(status, errors).toBe(0);
        return printed.trim().split('\n');
      } finally {
        rmSync(file, { force: true });
      }
    };
    const names = "[ 'juliet@example.com' ]";
    const path = "[ 'CN=juliet@example.com', 'CN=Issuing CA,O=Capulet', 'CN=Root,O=Capulet' ]";
    const tell = (lines: string[]): string[] => [
      ...lines.slice(0, 2),
      lines.slice(2, -2).join(' ').replace(/\s+/g, ' '),
      ...lines.slice(-2),
    ];
    expect(tell(run('path-snippet', snippet))).toEqual([
      'revoked',
      'certificate is revoked',
      path,
      'CN=juliet@example.com',
      names,
    ]);
    const before = snippet.replace(/^ *(?:crls|revocation): .*\n/gm, '');
    expect(tell(run('path-snippet-without-lists', before))).toEqual([
      'trusted',
      'valid path to a trust anchor',
      path,
      'undefined',
      names,
    ]);
  });
});
