/** Certificates on the command line: cert, PKCS #12, requests, version 6, passphrases by descriptor. */
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { serializePem } from '../../../src/backends/smime/index.ts';
import { serializeExtension } from '../../../src/x509/extension.ts';
import { serializeGeneralNames } from '../../../src/x509/general-names.ts';
import { corpus, corpusPath, hasCorpus, hasProgram } from '../../shared-data.ts';
import { type Issued, issue, issueCrl } from '../x509/support.ts';
import { cli, message, ok, removeDirectories, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const juliet = 'juliet@example.com';
const at = '2026-06-01T00:00:00Z';
const pem = ({ certificate }: Issued): string => Buffer.from(serializePem('CERTIFICATE', certificate.der)).toString();
const newHome = (): string => join(temporaryDirectory(), 'home');

describe('cert check', () => {
  let root: Issued;
  let intermediate: Issued;
  let leaf: Issued;
  let home: string;
  const check = (stdin: string, jid = juliet, when = at): ReturnType<typeof cli> =>
    cli(['cert', 'check', '--jid', jid, '--at', when], { home, stdin });

  beforeAll(async () => {
    root = await issue({ subject: 'Verona Root', ca: true });
    intermediate = await issue({ subject: 'Verona CA', ca: 0, issuer: root });
    const name = serializeGeneralNames([{ form: 'uniformResourceIdentifier', text: `im:${juliet}` }]);
    leaf = await issue({
      subject: 'Juliet',
      issuer: intermediate,
      extendedKeyUsage: [oids.emailProtection],
      extensions: [serializeExtension(oids.subjectAltName, false, name)],
    });
    home = newHome();
    await ok(['cert', 'import', '--anchor', '-'], { home, stdin: pem(root) });
  });

  it('follows the path to an anchor of the home', async () => {
    const { code, stdout } = await check(pem(leaf) + pem(intermediate));
    expect([code, stdout.split('\n').map((line) => line.split(' (')[0])]).toEqual([
      0,
      ['CN=Juliet', '  issued by CN=Verona CA', '  issued by CN=Verona Root', `  trusted for ${juliet}`, ''],
    ]);
  });

  it('says which certificate failed which rule, with exit code 115', async () => {
    const missing = await check(pem(leaf));
    expect([missing.code, missing.stdout]).toEqual([
      115,
      expect.stringMatching(/untrusted: .*issuer is missing.*at fault: CN=Juliet/),
    ]);
    const late = await check(pem(leaf) + pem(intermediate), juliet, '2030-01-01T00:00:00Z');
    expect([late.code, late.stdout]).toEqual([115, expect.stringMatching(/expired: .*at fault: CN=/)]);
    const other = await check(pem(leaf) + pem(intermediate), 'romeo@example.net');
    expect([other.code, other.stdout]).toEqual([
      115,
      expect.stringContaining(`does not name romeo@example.net, but ${juliet}`),
    ]);
    // An intermediate one that may not issue another CA, but did.
    const below = await issue({ subject: 'Too Deep CA', ca: true, issuer: intermediate });
    const deep = await issue({ subject: 'Deep', issuer: below });
    const refused = await check(pem(deep) + pem(below) + pem(intermediate));
    expect([refused.code, refused.stdout]).toEqual([
      115,
      expect.stringMatching(/untrusted: .*pathLenConstraint.*at fault: CN=Too Deep CA/),
    ]);
  });

  it('asks the revocation lists of the home', async () => {
    const second = newHome();
    await ok(['cert', 'import', '--anchor', '-'], { home: second, stdin: pem(root) });
    const list = await issueCrl({ issuer: intermediate, revoked: [{ serial: leaf.certificate.serial }] });
    mkdirSync(join(second, 'crls'), { mode: 0o700 });
    writeFileSync(join(second, 'crls', 'verona.crl'), list.der, { mode: 0o600 });
    const revoked = await cli(['cert', 'check', '--jid', juliet, '--at', at], {
      home: second,
      stdin: pem(leaf) + pem(intermediate),
    });
    expect([revoked.code, revoked.stdout]).toEqual([115, expect.stringMatching(/revoked: .*at fault: CN=Juliet/)]);
  });

  it('refuses what has no path', async () => {
    expect((await check('hello')).code).toBe(41);
    expect((await check(Buffer.from([0x99, 0, 1, 0]).toString('latin1'))).code).toBe(41);
    expect((await cli(['cert', 'check', '-'], { home })).code).toBe(19);
  });

  it('files anchors once, and nothing but CA certificates', async () => {
    await ok(['cert', 'import', '--anchor', '-'], { home, stdin: `a comment\n${pem(root)}` });
    expect(readdirSync(join(home, 'anchors'))).toHaveLength(1);
    const person = await cli(['cert', 'import', '--anchor', '-'], { home, stdin: pem(leaf) });
    expect([person.code, person.stderr]).toEqual([41, expect.stringContaining('CN=Juliet is no CA')]);
    expect((await cli(['cert', 'import', '-'], { home, stdin: pem(root) })).code).toBe(19);
    const made = await ok(['keygen', '--jid', juliet, '--backend', 'smime'], { home: newHome() });
    expect(made.stdout).toBe('');
  });
});

describe('cert show', () => {
  it.skipIf(!hasCorpus('rfc-personas'))('a certificate of RFC 9216, in PEM and in DER', async () => {
    const certificate = new X509Certificate(corpus('rfc-personas/alice-sign.cert.pem'));
    const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase().match(/.{4}/g)!.join(' ');
    const file = corpusPath('rfc-personas/alice-sign.cert.pem');
    for (const shown of [await ok(['cert', 'show', file]), await ok(['cert', 'show'], { stdin: certificate.raw })]) {
      expect(shown.stdout).toContain(`fingerprint: ${fingerprint}\n`);
      expect(shown.stdout).toContain('name: rfc822Name alice@smime.example\n');
      expect(shown.stdout).toContain('speaks of: no JID\n');
      expect(shown.stdout).toContain('valid: 2019-11-20T06:54:18.000Z to 2052-09-27T06:54:18.000Z\n');
      expect(shown.stdout).toContain('key: rsa2048\n');
    }
    expect((await ok(['cert', 'show', corpusPath('rfc-personas/ca-rsa.cert.pem')])).stdout).toMatch(
      /^X\.509 .* of a CA\n/,
    );
  });

  it.each(['smime', 'openpgp'])('my own certificate for %s', async (backend) => {
    const home = newHome();
    const made = await ok(['keygen', '--jid', juliet, '--backend', backend], { home });
    const { stdout } = await ok(['export', '--jid', juliet, '--backend', backend], { home });
    const shown = (await ok(['cert', 'show'], { stdin: stdout })).stdout;
    expect(shown).toContain(`speaks of: ${juliet}\n`);
    const fingerprint = /fingerprint: (.+)\n/.exec(shown)![1]!;
    expect(fingerprint).toMatch(/^([0-9a-f]{4} )+[0-9a-f]{4}$/);
    expect(made.stderr).toContain(fingerprint.replaceAll(' ', ''));
  });

  it('refuses what is no certificate', async () => {
    expect((await cli(['cert', 'show'], { stdin: 'hello' })).code).toBe(41);
    expect((await cli(['cert', 'show', '/nonexistent'])).code).toBe(61);
    expect((await cli(['cert', 'show'], { stdin: Buffer.from([0x30, 3, 1, 2, 3]) })).code).toBe(41);
    expect((await cli(['cert'])).code).toBe(19);
    expect((await cli(['cert', 'dance'])).code).toBe(69);
  });
});

describe.skipIf(!hasProgram('openssl', 'version'))('with openssl', () => {
  it('prints the request for a CA, which openssl verifies', async () => {
    const home = newHome();
    const { stdout } = await ok(['keygen', '--jid', juliet, '--backend', 'smime', '--csr'], { home });
    const run = spawnSync('openssl', ['req', '-verify', '-noout', '-text'], { input: stdout, encoding: 'utf8' });
    expect(`${run.stdout}${run.stderr}`).toMatch(/verify OK/);
    expect(run.stdout).toContain(`URI:im:${juliet}`);
    const wrong = await cli(['keygen', '--jid', juliet, '--backend', 'openpgp', '--csr'], { home });
    expect([wrong.code, wrong.stdout]).toEqual([37, '']);
  });

  it('imports my keys from PKCS #12, protected by its passphrase', async () => {
    const first = newHome();
    const directory = temporaryDirectory();
    const passphrase = join(directory, 'passphrase');
    writeFileSync(passphrase, 'correct horse\n');
    await ok(['keygen', '--jid', juliet, '--backend', 'smime'], { home: first });
    const both = ['--secret', ''].map(async (option) =>
      ok(['export', '--jid', juliet, ...(option === '' ? [] : [option])], { home: first }),
    );
    const input = (await Promise.all(both)).map(({ stdout }) => stdout).join('');
    const file = join(directory, 'juliet.p12');
    const made = spawnSync('openssl', ['pkcs12', '-export', '-passout', `file:${passphrase}`, '-out', file], { input });
    expect(made.status, made.stderr.toString()).toBe(0);

    const home = newHome();
    const env = { XMPP_E2E_PASSPHRASE_FILE: passphrase };
    const contact = await cli(['import', '--jid', juliet, file], { home, env });
    expect([contact.code, contact.stderr]).toEqual([41, expect.stringContaining('--identity')]);
    writeFileSync(passphrase, 'wrong\n');
    const wrong = await cli(['import', '--identity', '--jid', juliet, file], { home, env });
    expect([wrong.code, existsSync(home)]).toEqual([67, false]);
    writeFileSync(passphrase, 'correct horse\n');
    await ok(['import', '--identity', '--jid', juliet, file], { home, env });
    const key = readFileSync(join(home, 'identities', juliet, 'smime.key.pem'), 'latin1');
    expect(key).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    const self = message.replace('romeo@example.net/orchard', juliet);
    const wire = await ok(['seal'], { home: first, stdin: self });
    const opened = await ok(['open', '--as', juliet], { home, env, stdin: wire.stdout });
    expect(opened.stdout).toContain('Wherefore');
  });
});

it('makes keys of version 6, for OpenPGP only', async () => {
  const home = newHome();
  await ok(['keygen', '--jid', juliet, '--backend', 'openpgp', '--v6'], { home });
  const shown = await ok(['cert', 'show'], { stdin: (await ok(['export', '--jid', juliet], { home })).stdout });
  // RFC 9580 section 5.5.4.3: 32 octets, where version 4 has 20.
  expect(/fingerprint: (.+)\n/.exec(shown.stdout)![1]!.split(' ')).toHaveLength(16);
  expect((await cli(['keygen', '--jid', juliet, '--backend', 'smime', '--v6'], { home })).code).toBe(37);
});

it('reads a passphrase from a file descriptor, in place of the environment', async () => {
  const home = newHome();
  const descriptor = (text: string): string => {
    const file = join(temporaryDirectory(), 'passphrase');
    writeFileSync(file, text);
    return String(openSync(file, 'r'));
  };
  const env = { XMPP_E2E_PASSPHRASE_FILE: '/nonexistent' };
  const keygen = ['keygen', '--jid', juliet, '--backend', 'smime', '--passphrase-fd'];
  await ok([...keygen, descriptor('correct horse\n')], { home, env });
  const self = message.replace('romeo@example.net/orchard', juliet);
  const wire = await ok(['seal', '--passphrase-fd', descriptor('correct horse')], { home, env, stdin: self });
  expect(wire.stdout).toContain('<e2e');
  const cases: [string, number][] = [
    [descriptor('wrong\n'), 67],
    [descriptor(''), 31],
    [descriptor('x'.repeat(5000)), 31],
    ['9999', 31],
    ['0', 37],
    ['-1', 37],
  ];
  for (const [fd, code] of cases) {
    const result = await cli(['seal', '--passphrase-fd', fd], { home, env, stdin: self });
    expect([result.code, result.stdout], result.stderr).toEqual([code, '']);
  }
});
