/** Runs openssl on files in a folder of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface OpensslRun {
  readonly ok: boolean;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

export interface Openssl {
  /** Writes a file and gives its path. */
  file(name: string, content: Uint8Array | string): string;
  /** Runs and gives the outcome, whatever it is. */
  attempt(args: readonly string[], input?: Uint8Array): OpensslRun;
  /** Runs and gives the output, or throws. */
  run(args: readonly string[], input?: Uint8Array): Uint8Array;
}

/** To be called where tests are described; the folder goes when they are over. */
export function openssl(program = 'openssl', env: Readonly<Record<string, string>> = {}): Openssl {
  const folder = mkdtempSync(join(tmpdir(), 'openssl-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const attempt = (args: readonly string[], input?: Uint8Array): OpensslRun => {
    const run = spawnSync(program, args, {
      input: input ?? new Uint8Array(),
      cwd: folder,
      env: { ...process.env, ...env },
    });
    return { ok: run.status === 0, stdout: new Uint8Array(run.stdout), stderr: run.stderr.toString() };
  };
  return {
    attempt,
    file: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    run: (args, input) => {
      const { ok, stdout, stderr } = attempt(args, input);
      if (!ok) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
      return stdout;
    },
  };
}

/**
 * A configuration for a test CA: the extensions `ca`, and `ee` for end entities.
 *
 * @param more lines of `ee`, and sections behind it
 * @param keyUsage of end entities
 */
export function authorityConfiguration(more = '', keyUsage = 'digitalSignature,keyEncipherment,keyAgreement'): string {
  return `
[req]
distinguished_name = dn
prompt = no
[dn]
CN = x
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ee]
basicConstraints = critical,CA:FALSE
keyUsage = critical,${keyUsage}
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
${more}`;
}
