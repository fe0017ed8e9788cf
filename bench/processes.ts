/** The openssl and gpg programs, one process for an operation and files between them. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from './contender.ts';
import { juliet, type Pair, romeo } from './people.ts';

/** Operations of a program, and how to clean up after them. */
export interface Processes {
  readonly name: string;
  readonly contender: Contender;
  readonly close: () => void;
}

/** @returns undefined where the program is missing or does not have these keys */
export function processes(pair: Pair, content: Uint8Array): Processes | undefined {
  const program = pair.kind.backend === 'smime' ? 'openssl' : 'gpg';
  // OpenSSL 3.0 has no X25519 in CMS, GnuPG 2 no version 6.
  if (pair.kind.backend === 'smime' ? pair.kind.key === 'ed25519' : pair.kind.v6) return undefined;
  const version = spawnSync(program, [program === 'gpg' ? '--version' : 'version']);
  if (version.error !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'xmpp-e2e-bench-'));
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, 'content'), content);
  try {
    return program === 'gpg' ? gpg(pair, folder) : openssl(pair, folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function run(program: string, folder: string, args: readonly string[]): void {
  const env = { ...process.env, GNUPGHOME: folder };
  const { status, stderr } = spawnSync(program, args, { cwd: folder, env });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.toString()}`);
}

function openssl({ kind, sender, recipient }: Pair, folder: string): Processes {
  writeFileSync(join(folder, 'juliet.key'), sender.files.keys, { mode: 0o600 });
  writeFileSync(join(folder, 'juliet.cert'), sender.files.certificates);
  writeFileSync(join(folder, 'romeo.key'), recipient.files.keys, { mode: 0o600 });
  writeFileSync(join(folder, 'romeo.cert'), recipient.files.certificates);
  const padding =
    kind.key === 'p256'
      ? ['-keyopt', 'ecdh_kdf_md:sha256']
      : ['-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256'];
  const cms = (...args: readonly string[]): void => run('openssl', folder, ['cms', '-binary', ...args]);
  const sign = (): void =>
    cms('-sign', '-in', 'content', '-signer', 'juliet.cert', '-inkey', 'juliet.key', '-md', 'sha256', '-out', 'signed');
  const encrypt = (file: string, out: string): void =>
    cms('-encrypt', '-aes-256-gcm', '-in', file, '-outform', 'DER', '-recip', 'romeo.cert', ...padding, '-out', out);
  const decrypt = (file: string, out: string): void =>
    cms('-decrypt', '-inform', 'DER', '-in', file, '-recip', 'romeo.cert', '-inkey', 'romeo.key', '-out', out);
  const verify = (file: string): void => cms('-verify', '-in', file, '-noverify', '-out', 'verified');
  sign();
  encrypt('signed', 'sealed');
  encrypt('content', 'encrypted');
  const contender: Contender = {
    sign,
    verify: () => verify('signed'),
    encrypt: () => encrypt('content', 'encrypted'),
    decrypt: () => decrypt('encrypted', 'decrypted'),
    seal: () => {
      sign();
      encrypt('signed', 'sealed');
    },
    open: () => {
      decrypt('sealed', 'opened');
      verify('opened');
    },
  };
  return { name: 'openssl', contender, close: () => rmSync(folder, { recursive: true, force: true }) };
}

function gpg({ sender, recipient }: Pair, folder: string): Processes {
  writeFileSync(join(folder, 'keys'), `${sender.files.keys}\n${recipient.files.keys}`, { mode: 0o600 });
  const common = ['--batch', '--yes', '--no-tty', '--quiet', '--trust-model', 'always'];
  const call = (...args: readonly string[]): void => run('gpg', folder, [...common, ...args]);
  call('--import', 'keys');
  const local = ['--local-user', `=xmpp:${juliet.toString()}`];
  const to = ['--recipient', `=xmpp:${romeo.toString()}`, '--compress-algo', 'none'];
  const sign = (): void => call(...local, '--output', 'signed', '--detach-sign', 'content');
  const encrypt = (): void => call(...to, '--output', 'encrypted', '--encrypt', 'content');
  const seal = (): void => call(...local, ...to, '--output', 'sealed', '--sign', '--encrypt', 'content');
  sign();
  encrypt();
  seal();
  const contender: Contender = {
    sign,
    encrypt,
    seal,
    verify: () => call('--verify', 'signed', 'content'),
    decrypt: () => call('--output', 'decrypted', '--decrypt', 'encrypted'),
    open: () => call('--output', 'opened', '--decrypt', 'sealed'),
  };
  const close = (): void => {
    spawnSync('gpgconf', ['--kill', 'all'], { env: { ...process.env, GNUPGHOME: folder } });
    rmSync(folder, { recursive: true, force: true });
  };
  return { name: 'gpg', contender, close };
}
