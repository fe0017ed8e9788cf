/** S/MIME with gpgsm both ways: it signs and encrypts with RSA and CBC, and knows no GCM. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEntity } from '../../src/backends/smime/index.ts';
import { base64Decode } from '../../src/bytes.ts';
import { defaultLimits } from '../../src/limits.ts';
import { bareEntity, parseEntity } from '../../src/mime/entity.ts';
import { parseMultipart } from '../../src/mime/multipart.ts';
import { parsePem } from '../../src/x509/pem.ts';
import { hasProgram } from '../shared-data.ts';
import { multipartSigned } from '../unit/smime/forge.ts';
import { authorityConfiguration, openssl } from '../unit/smime/openssl.ts';
import { backendOf, type Person, strict, text } from '../unit/smime/support.ts';
import { Jid } from '../../src/jid/jid.ts';

const available = hasProgram('gpgsm') && hasProgram('openssl', 'version');

const configuration = authorityConfiguration(
  'subjectAltName = URI:im:juliet@example.com,otherName:1.3.6.1.5.5.7.8.5;UTF8:juliet@example.com\n',
  'digitalSignature,keyEncipherment',
);

describe.skipIf(!available)('gpgsm', () => {
  const tool = openssl();
  const home = join(mkdtempSync(join(tmpdir(), 'gpgsm-')), 'home');
  const now = new Date(Date.now() + 3_600_000);
  let person: Person;
  let root: Uint8Array;

  const gpgsm = (args: readonly string[], input: Uint8Array = new Uint8Array()): Uint8Array => {
    const run = spawnSync('gpgsm', ['--batch', '--yes', '--homedir', home, ...args], { input });
    if (run.status !== 0) throw new Error(run.stderr.toString());
    return new Uint8Array(run.stdout);
  };

  const secret = ['--pinentry-mode', 'loopback', '--passphrase-fd', '0'];

  beforeAll(() => {
    mkdirSync(home, { mode: 0o700 });
    const config = tool.file('ca.cnf', configuration);
    for (const name of ['root', 'juliet']) {
      tool.run(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', `${name}.key`]);
    }
    tool.run([
      'req',
      '-x509',
      '-new',
      '-key',
      'root.key',
      '-subj',
      '/CN=Root',
      '-days',
      '3650',
      '-config',
      config,
      '-extensions',
      'ca',
      '-out',
      'root.pem',
    ]);
    tool.run(['req', '-new', '-key', 'juliet.key', '-subj', '/CN=juliet', '-config', config, '-out', 'juliet.csr']);
    tool.run([
      'x509',
      '-req',
      '-in',
      'juliet.csr',
      '-CA',
      'root.pem',
      '-CAkey',
      'root.key',
      '-CAcreateserial',
      '-days',
      '365',
      '-extfile',
      config,
      '-extensions',
      'ee',
      '-out',
      'juliet.pem',
    ]);
    const unlocked = ['-in', 'juliet.pem', '-inkey', 'juliet.key', '-passout', 'pass:x'];
    const old = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'];
    const p12 = tool.run(['pkcs12', '-export', ...unlocked, ...old]);
    const keys = tool.run(['pkcs8', '-topk8', '-nocrypt', '-in', 'juliet.key']);
    root = tool.run(['x509', '-in', 'root.pem']);
    person = {
      jid: Jid.parse('juliet@example.com'),
      identity: { keys, certificates: tool.run(['x509', '-in', 'juliet.pem']) },
    };

    const fingerprint = tool.run(['x509', '-in', 'root.pem', '-noout', '-fingerprint', '-sha1']);
    writeFileSync(
      join(home, 'trustlist.txt'),
      `${Buffer.from(fingerprint).toString().split('=')[1]!.trim()} S relax\n`,
    );
    writeFileSync(join(home, 'gpgsm.conf'), 'disable-crl-checks\n');
    writeFileSync(join(home, 'gpg-agent.conf'), 'allow-loopback-pinentry\n');
    gpgsm(['--import', tool.file('root-copy.pem', root)]);
    gpgsm([...secret, '--import', tool.file('juliet.p12', p12)], Buffer.from('x\n'));
  });
  afterAll(() => {
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
    rmSync(join(home, '..'), { recursive: true, force: true });
  });

  const signing = { ...strict, content: text, recipients: [], includeCertificate: true } as const;

  it('verifies what we sign', async () => {
    for (const profile of ['modern', 'rfc3923'] as const) {
      const octets = await backendOf({ own: [person] }).sign({ ...signing, at: now, signer: person.jid, profile });
      const [content, second] = parseMultipart(parseEntity(octets, { limits: defaultLimits }), {
        limits: defaultLimits,
        parts: 2,
      });
      const signature = base64Decode(parseEntity(second!, { limits: defaultLimits }).body);
      const files = [tool.file('ours.p7s', signature), tool.file('ours', content!)];
      gpgsm(['--verify', ...files]);
      const changed = content!.slice();
      changed[changed.length - 5]! ^= 1;
      expect(() => gpgsm(['--verify', files[0]!, tool.file('changed', changed)])).toThrow();
    }
  });

  it('signs what we verify, detached and opaque', async () => {
    const message = tool.file('message', text);
    const options = { at: now, trust: { anchors: [root] } };
    const detached = gpgsm([...secret, '--detach-sign', '-u', '/CN=juliet', message], Buffer.from('x\n'));
    const opened = await openEntity(multipartSigned(text, detached), options);
    expect(opened.content).toEqual(text);
    expect(opened.names?.jids).toEqual(['juliet@example.com']);
    const opaque = gpgsm([...secret, '--sign', '-u', '/CN=juliet', message], Buffer.from('x\n'));
    expect((await openEntity(bareEntity(opaque), options)).content).toEqual(text);
  });

  it('decrypts what we encrypt by the profile of RFC 3923', async () => {
    const backend = backendOf({ filed: [person] });
    const request = { ...strict, at: now, content: text, recipients: [person.jid], hidden: false };
    const sealed = parseEntity(await backend.encrypt({ ...request, profile: 'rfc3923' }), { limits: defaultLimits });
    const file = tool.file('sealed.p7m', base64Decode(sealed.body));
    expect(gpgsm([...secret, '--decrypt', file], Buffer.from('x\n'))).toEqual(text);
  });

  it.each([
    ['AES', 'aes128-cbc'],
    ['AES256', 'aes256-cbc'],
    ['3DES', 'des-ede3-cbc'],
  ])('encrypts with %s what we decrypt', async (cipher, expected) => {
    const octets = gpgsm([
      '--cipher-algo',
      cipher,
      '--recipient',
      '/CN=juliet',
      '--encrypt',
      tool.file('message', text),
    ]);
    const policy = { cbc: true, rsaPkcs1v15: true, tripleDes: true, unsigned: 'accept' } as const;
    const opened = await openEntity(bareEntity(octets), { at: now, keys: [person.identity], policy });
    expect(opened.content).toEqual(text);
    expect(opened.encryption).toEqual({ cipher: expected, aead: false, keyTransport: ['rsa-pkcs1v15'] });
  });

  it('exports certificates that we read', () => {
    const pem = gpgsm(['--armor', '--export', '/CN=juliet']);
    expect(parsePem(pem).map(({ label }) => label)).toContain('CERTIFICATE');
  });
});
