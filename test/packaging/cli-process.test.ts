/**
 * The built program as a process: start-up, exit codes, pipes, terminals, races, and openssl and gpg at work on the very
 * files of its home.
 */
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ci, hasProgram } from '../shared-data.ts';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const built = existsSync(program);
if (!built && ci) throw new Error('dist/ is missing: npm run build');

const scratch = mkdtempSync(join(tmpdir(), 'xmpp-e2e-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const juliet = join(scratch, 'juliet');
const romeo = join(scratch, 'romeo');
const message =
  '<message from="juliet@example.com/balcony" to="romeo@example.net/orchard" type="chat"><body>Wherefore?</body></message>';

type Run = SpawnSyncReturns<string>;

function cli(home: string, args: readonly string[], input = ''): Run {
  const env = { ...process.env, XMPP_E2E_HOME: home, NO_COLOR: '1' };
  return spawnSync(process.execPath, [program, ...args], { input, encoding: 'utf8', env });
}

function ok(home: string, args: readonly string[], input = ''): string {
  const run = cli(home, args, input);
  expect(run.stderr, args.join(' ')).not.toMatch(/internal error/);
  expect(run.status, run.stderr).toBe(0);
  return run.stdout;
}

function tool(
  name: string,
  args: readonly string[],
  input: string | Buffer = '',
  env: NodeJS.ProcessEnv = process.env,
): string {
  const run = spawnSync(name, args, { input, encoding: 'utf8', env });
  expect(run.status, `${name} ${args.join(' ')}: ${run.stderr}`).toBe(0);
  return run.stdout;
}

/** What is inside `<e2e/>`, with the line ends of MIME. */
function objectIn(wire: string): string {
  return /<!\[CDATA\[([^]*)\]\]>/.exec(wire)![1]!.replaceAll('\n', '\r\n');
}

describe.skipIf(!built)('the built program', () => {
  beforeAll(() => {
    for (const backend of ['smime', 'openpgp']) {
      ok(juliet, ['keygen', '--jid', 'juliet@example.com', '--backend', backend]);
      ok(romeo, ['keygen', '--jid', 'romeo@example.net', '--backend', backend]);
      const certificates = [
        ok(juliet, ['export', '--jid', 'juliet@example.com', '--backend', backend]),
        ok(romeo, ['export', '--jid', 'romeo@example.net', '--backend', backend]),
      ];
      ok(romeo, ['import', '--jid', 'juliet@example.com', '-'], certificates[0]);
      ok(juliet, ['import', '--jid', 'romeo@example.net', '-'], certificates[1]);
    }
  });

  it('begins with the line that lets a shell start it', () => {
    expect(readFileSync(program, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
  });

  it('shows its help without loading a cryptographic library', () => {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      ok(juliet, ['--help']);
      best = Math.min(best, performance.now() - start);
    }
    // 150 ms on an idle machine; others may be at work here, so a wide margin still tells an engine that loads (80 ms each).
    expect(best).toBeLessThan(450);
    const imports = spawnSync(
      'strace',
      ['-f', '-e', 'trace=openat,open', process.execPath, program, 'seal', '--help'],
      { encoding: 'utf8' },
    );
    if (imports.error === undefined) expect(imports.stderr).not.toMatch(/node_modules\/(openpgp|pkijs|asn1js)\//);
  });

  it.each(['smime', 'openpgp'])('passes a stanza through a pipe with %s', (backend) => {
    const wire = ok(juliet, ['seal', '--backend', backend], message);
    const opened = cli(romeo, ['open', '--as', 'romeo@example.net'], wire);
    expect(opened.status, opened.stderr).toBe(0);
    expect(opened.stdout).toContain('<body>Wherefore?</body>');
    const again = cli(romeo, ['open', '--as', 'romeo@example.net'], wire);
    expect([again.status, again.stdout]).toEqual([113, '']);
    expect(ok(romeo, ['open', '--as', 'romeo@example.net', '--archive'], wire)).toBe(opened.stdout);
  });

  it.each<[number, string[], string]>([
    [17, ['seal'], message.replace('romeo@example.net', 'mercutio@example.net')],
    [41, ['seal'], message + message],
    [41, ['seal'], message.replace('chat', 'groupchat')],
    [41, ['seal'], '<presence from="juliet@example.com/x"/>'],
    [61, ['seal'], ''],
    [79, ['seal', '--from', 'nurse@example.com'], message],
    [59, ['keygen', '--jid', 'juliet@example.com', '--backend', 'smime'], ''],
    [69, ['steal'], ''],
    [37, ['seal', '--loudly'], message],
    [19, ['open'], message],
    [114, ['open', '--as', 'juliet@example.com'], message],
  ])('ends with %i after bad use: %s', (status, args, input) => {
    const run = cli(juliet, args, input);
    expect(run.status, run.stderr).toBe(status);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(/^xmpp-e2e: [^\n]+\n$/);
  });

  it('refuses a home that is not ours', () => {
    const foreign = join(scratch, 'foreign');
    tool('mkdir', ['-m', '700', foreign]);
    writeFileSync(join(foreign, 'secring.gpg'), 'x');
    const run = cli(foreign, ['keygen', '--jid', 'juliet@example.com', '--backend', 'openpgp']);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('not a home of xmpp-e2e');
    expect(readdirSync(foreign)).toEqual(['secring.gpg']);
  });

  it('lets one of many processes that race for a stanza have it', async () => {
    const wire = ok(juliet, ['seal', '--backend', 'openpgp'], message);
    const env = { ...process.env, XMPP_E2E_HOME: romeo };
    const codes = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise<number | null>((resolve) => {
            const child = spawn(process.execPath, [program, 'open', '--as', 'romeo@example.net'], {
              env,
              stdio: ['pipe', 'ignore', 'ignore'],
            });
            child.on('close', resolve);
            child.stdin.end(wire);
          }),
      ),
    );
    expect(codes.sort()).toEqual([0, 113, 113, 113]);
  });

  it('is quiet when its reader goes away, and cleans up', () => {
    const temporary = join(scratch, 'cut');
    tool('mkdir', [temporary]);
    const run = spawnSync('sh', ['-c', '"$0" "$1" demo | head -n 1', process.execPath, program], {
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: temporary },
    });
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('ends with 130 when interrupted, and cleans up', async () => {
    const temporary = join(scratch, 'interrupted');
    tool('mkdir', [temporary]);
    const child = spawn(process.execPath, [program, 'demo'], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const end = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGINT');
    child.stdout.resume();
    expect(await end).toBe(130);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it.skipIf(!hasProgram('script'))('asks the terminal for a passphrase, without an echo', () => {
    const home = join(scratch, 'locked');
    const file = join(scratch, 'passphrase');
    writeFileSync(file, 'correct horse\n');
    const env = { ...process.env, XMPP_E2E_HOME: home };
    const args = ['keygen', '--jid', 'juliet@example.com', '--backend', 'openpgp'];
    const made = spawnSync(process.execPath, [program, ...args], { env: { ...env, XMPP_E2E_PASSPHRASE_FILE: file } });
    expect(made.status).toBe(0);
    const stanza = join(scratch, 'self.xml');
    writeFileSync(stanza, message.replace('romeo@example.net', 'juliet@example.com'));
    const sealed = join(scratch, 'self-sealed.xml');
    const command = `cat ${stanza} | ${process.execPath} ${program} seal > ${sealed}`;
    const run = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      input: 'correct horse\r',
      env,
      timeout: 20_000,
    });
    expect(run.stdout).toContain('Passphrase for the keys of juliet@example.com: ');
    expect(readFileSync(sealed, 'utf8')).toContain('<e2e ');
    const mute = spawnSync('setsid', ['sh', '-c', command], { encoding: 'utf8', env, timeout: 20_000 });
    expect(mute.status).toBe(31);
  });

  it.skipIf(!hasProgram('script'))('hints at a pipe instead of hanging on a terminal', () => {
    const command = `XMPP_E2E_HOME=${juliet} ${process.execPath} ${program} seal`;
    const run = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      stdio: ['inherit', 'pipe', 'pipe'],
      timeout: 20_000,
    });
    expect(run.status).toBe(61);
    expect(run.stdout).toContain('pipe one stanza in, for example: xmpp-e2e seal < message.xml');
  });

  it('demonstrates everything in less than ten seconds, without a home, and leaves nothing', () => {
    const temporary = join(scratch, 'tmp');
    tool('mkdir', [temporary]);
    const env = { PATH: process.env['PATH'], TMPDIR: temporary, HOME: '/nonexistent' };
    const start = performance.now();
    const run = spawnSync(process.execPath, [program, 'demo'], { encoding: 'utf8', env });
    expect(run.status, run.stderr).toBe(0);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(run.stderr).toBe('');
    expect(run.stdout).not.toContain('\u001b');
    for (const line of run.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(140);
    expect(readdirSync(temporary)).toEqual([]);
  });

  describe.skipIf(!hasProgram('openssl', 'version'))('openssl on the files of the home', () => {
    const own = (home: string, jid: string, name: string): string => join(home, 'identities', jid, `smime.${name}.pem`);

    it('reads the key and the certificate, which belong together', () => {
      const key = tool('openssl', ['pkey', '-in', own(juliet, 'juliet@example.com', 'key'), '-pubout']);
      expect(tool('openssl', ['x509', '-in', own(juliet, 'juliet@example.com', 'cert'), '-noout', '-pubkey'])).toBe(
        key,
      );
      expect(tool('openssl', ['x509', '-in', own(juliet, 'juliet@example.com', 'cert'), '-noout', '-text'])).toContain(
        'im:juliet@example.com',
      );
    });

    it('decrypts and verifies what was sealed', () => {
      const wire = ok(juliet, ['seal', '--backend', 'smime'], message);
      const sealed = join(scratch, 'sealed.eml');
      writeFileSync(sealed, objectIn(wire));
      const signed = join(scratch, 'signed.eml');
      const decrypt = [
        'cms',
        '-decrypt',
        '-in',
        sealed,
        '-inkey',
        own(romeo, 'romeo@example.net', 'key'),
        '-recip',
        own(romeo, 'romeo@example.net', 'cert'),
        '-out',
        signed,
      ];
      tool('openssl', decrypt);
      const filed = join(romeo, 'contacts/juliet@example.com/smime.cert.pem');
      const content = tool('openssl', ['cms', '-verify', '-in', signed, '-CAfile', filed, '-purpose', 'any']);
      expect(content).toContain('Wherefore?');
    });

    it('makes keys and a certificate that can be imported, sealed with and opened', () => {
      const home = join(scratch, 'imported');
      const [key, certificate] = [join(scratch, 'nurse.key'), join(scratch, 'nurse.crt')];
      const names = 'subjectAltName=URI:im:nurse@example.com,otherName:1.3.6.1.5.5.7.8.5;UTF8:nurse@example.com';
      const request = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '30',
        '-subj',
        '/CN=Nurse',
      ];
      tool('openssl', [
        ...request,
        '-addext',
        names,
        '-addext',
        'basicConstraints=critical,CA:FALSE',
        '-keyout',
        key,
        '-out',
        certificate,
      ]);
      ok(
        home,
        ['import', '--identity', '--jid', 'nurse@example.com', '-'],
        readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'),
      );
      const self = message
        .replace('juliet@example.com', 'nurse@example.com')
        .replace('romeo@example.net', 'nurse@example.com');
      const wire = ok(home, ['seal'], self);
      expect(ok(home, ['open', '--as', 'nurse@example.com'], wire)).toContain('Wherefore?');
      const der = join(scratch, 'nurse.der');
      tool('openssl', ['x509', '-in', certificate, '-outform', 'DER', '-out', der]);
      ok(juliet, ['import', '--jid', 'nurse@example.com', der]);
      tool('openssl', ['x509', '-in', join(juliet, 'contacts/nurse@example.com/smime.cert.pem'), '-noout']);
    });
  });

  describe.skipIf(!hasProgram('gpg'))('gpg on the files of the home', () => {
    const gnupg = join(scratch, 'gnupg');
    const env = { ...process.env, GNUPGHOME: gnupg };
    const gpg = (args: readonly string[], input: string | Buffer = ''): string =>
      tool('gpg', ['--batch', '--yes', '--quiet', '--trust-model', 'always', ...args], input, env);
    beforeAll(() => tool('mkdir', ['-m', '700', gnupg]));
    afterAll(() => spawnSync('gpgconf', ['--kill', 'all'], { env }));

    it('imports the secret key and decrypts what was sealed', () => {
      gpg(['--import', join(romeo, 'identities/romeo@example.net/openpgp.key.asc')]);
      gpg(['--import', join(romeo, 'contacts/juliet@example.com/openpgp.cert.asc')]);
      const wire = ok(juliet, ['seal', '--backend', 'openpgp'], message);
      const armor = /-----BEGIN PGP MESSAGE-----[^]*-----END PGP MESSAGE-----/.exec(objectIn(wire))![0];
      const run = spawnSync('gpg', ['--batch', '--quiet', '--trust-model', 'always', '--decrypt'], {
        input: armor,
        encoding: 'utf8',
        env,
      });
      expect(run.stdout).toContain('Wherefore?');
      expect(run.stderr).toMatch(/Good signature from "xmpp:juliet@example\.com"/);
    });

    it('makes a key that can be imported, as armor and as packets, and used', () => {
      const home = join(scratch, 'from-gpg');
      gpg(['--passphrase', '', '--quick-generate-key', 'xmpp:nurse@example.com', 'ed25519', 'sign', 'never']);
      const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(
        gpg(['--with-colons', '--list-keys', 'xmpp:nurse@example.com']),
      )![1]!;
      gpg(['--passphrase', '', '--quick-add-key', fingerprint, 'cv25519', 'encrypt', 'never']);
      const secret = join(scratch, 'nurse.gpg');
      gpg(['--output', secret, '--export-secret-keys', fingerprint]);
      ok(home, ['import', '--identity', '--jid', 'nurse@example.com', secret]);
      gpg(['--import', join(home, 'identities/nurse@example.com/openpgp.key.asc')]);
      const self = message
        .replace('juliet@example.com', 'nurse@example.com')
        .replace('romeo@example.net', 'nurse@example.com');
      expect(ok(home, ['open', '--as', 'nurse@example.com'], ok(home, ['seal'], self))).toContain('Wherefore?');
      const certificate = join(scratch, 'nurse-public.gpg');
      gpg(['--output', certificate, '--export', fingerprint]);
      ok(juliet, ['import', '--jid', 'nurse@example.com', certificate]);
      expect(gpg(['--show-keys', join(juliet, 'contacts/nurse@example.com/openpgp.cert.asc')])).toContain(fingerprint);
      const exported = join(scratch, 'exported.asc');
      writeFileSync(exported, ok(home, ['export', '--jid', 'nurse@example.com']));
      expect(gpg(['--show-keys', exported])).toContain(fingerprint);
      expect(readFileSync(exported, 'latin1')).not.toContain('PRIVATE');
    });
  });

  it('keeps key files private, and refuses them when they are not', () => {
    const copy = join(scratch, 'copy');
    tool('cp', ['-a', juliet, copy]);
    const key = join(copy, 'identities/juliet@example.com/openpgp.key.asc');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    chmodSync(key, 0o640);
    expect(cli(copy, ['seal', '--backend', 'openpgp'], message).status).toBe(67);
  });
});
