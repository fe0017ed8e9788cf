/** What `cert check` tells people about bad chains: which certificate failed which rule, in words. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { der, derContext, derSequence } from '../../../src/asn1/writer.ts';
import { serializePem } from '../../../src/backends/smime/index.ts';
import { utf8 } from '../../../src/bytes.ts';
import { serializeExtension } from '../../../src/x509/extension.ts';
import { serializeGeneralNames } from '../../../src/x509/general-names.ts';
import {
  crypto,
  daysFromNow,
  issue,
  issueCrl,
  type Issued,
  type IssueOptions,
  policyConstraintsExtension,
} from '../x509/support.ts';
import { cli, ok, removeDirectories, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const juliet = 'juliet@example.com';
const name = serializeExtension(
  oids.subjectAltName,
  false,
  serializeGeneralNames([{ form: 'uniformResourceIdentifier', text: `im:${juliet}` }]),
);
const unknown = serializeExtension('1.3.6.1.4.1.55555.9', true, derSequence());
const noHosts = serializeExtension(
  oids.nameConstraints,
  true,
  derSequence(derContext(0, derSequence(der(0x86, utf8('.example.com'))))),
);

let root: Issued;
let home: string;

beforeAll(async () => {
  root = await issue({ subject: 'Root', ca: true });
  home = join(temporaryDirectory(), 'home');
  await ok(['cert', 'import', '--anchor', '-'], { home, stdin: pem(root) });
});

function pem(...all: readonly Issued[]): string {
  return all.map(({ certificate }) => Buffer.from(serializePem('CERTIFICATE', certificate.der)).toString()).join('');
}

interface Chain {
  readonly ca?: Partial<IssueOptions>;
  readonly person?: Partial<IssueOptions>;
  /** The CA is left out of the file. */
  readonly alone?: boolean;
}

async function check({ ca: caOptions, person, alone }: Chain): Promise<string[]> {
  const ca = await issue({ subject: 'CA', issuer: root, ca: true, ...caOptions });
  const leaf = await issue({ subject: 'Juliet', issuer: ca, extensions: [name], ...person });
  const stdin = alone === true ? pem(leaf) : pem(leaf, ca);
  const { code, stdout } = await cli(['cert', 'check', '--jid', juliet, '--at', '2026-06-01T00:00:00Z', '-'], {
    home,
    stdin,
  });
  const lines = stdout
    .replace(/ \([0-9a-f]{16}…\)/g, '')
    .trimEnd()
    .split('\n');
  expect(code).toBe(lines.at(-1)!.startsWith('  trusted') ? 0 : 115);
  return lines;
}

const path = ['CN=Juliet', '  issued by CN=CA', '  issued by CN=Root'];

describe('cert check in words', () => {
  const server = ['1.3.6.1.5.5.7.3.1'];
  it.each<readonly [string, Chain, string, string]>([
    [
      'expired',
      { person: { notAfter: new Date('2026-05-31T12:00:00Z') } },
      'expired: the certificate expired at 2026-05-31T12:00:00Z',
      'Juliet',
    ],
    [
      'not valid yet',
      { ca: { notBefore: new Date('2026-06-02T00:00:00Z') } },
      'expired: the certificate is not valid before 2026-06-02T00:00:00Z',
      'CA',
    ],
    ['an end entity as issuer', { ca: { ca: false } }, 'untrusted: it issued a certificate and is no CA', 'CA'],
    [
      'a CA that may not',
      { ca: { keyUsage: ['cRLSign'] } },
      'untrusted: it issued a certificate, which its key usage does not allow',
      'CA',
    ],
    [
      'a CA for servers',
      { ca: { extendedKeyUsage: server } },
      'untrusted: its extended key usage lets it certify for other purposes only',
      'CA',
    ],
    [
      'a certificate for servers',
      { person: { extendedKeyUsage: server } },
      'untrusted: its extended key usage is for other purposes only',
      'Juliet',
    ],
    [
      'an unknown extension',
      { person: { extensions: [name, unknown] } },
      'untrusted: it has a critical extension that is not understood (1.3.6.1.4.1.55555.9)',
      'Juliet',
    ],
    [
      'name constraints',
      { ca: { extensions: [noHosts] } },
      'untrusted: a CA above has name constraints on URIs, and its URI has no host (im: and pres: have none)',
      'Juliet',
    ],
    [
      'policies',
      { ca: { extensions: [policyConstraintsExtension(0)] } },
      'untrusted: no acceptable certificate policy',
      'Juliet',
    ],
  ])('%s', async (_, chain, words, failing) => {
    expect((await check(chain)).slice(0, 4)).toEqual([...path, `  ${words}; at fault: CN=${failing}`]);
  });

  it('a short key', async () => {
    const keys = await crypto.generateKeyPair({ algorithm: 'rsa', bits: 1024 });
    expect(await check({ person: { keys } })).toEqual([
      ...path,
      '  weak: RSA key too short (1024 bits); at fault: CN=Juliet',
    ]);
  });

  it('too long a path', async () => {
    const ca = await issue({ subject: 'Upper', issuer: root, ca: 0 });
    const below = await issue({ subject: 'Lower', issuer: ca, ca: true });
    const leaf = await issue({ subject: 'Juliet', issuer: below, extensions: [name] });
    const { stdout } = await cli(['cert', 'check', '--jid', juliet, '--at', '2026-06-01T00:00:00Z', '-'], {
      home,
      stdin: pem(leaf, below, ca),
    });
    expect(
      stdout
        .replace(/ \([0-9a-f]{16}…\)/g, '')
        .trimEnd()
        .split('\n'),
    ).toEqual([
      'CN=Juliet',
      '  issued by CN=Lower',
      '  issued by CN=Upper',
      '  issued by CN=Root',
      '  untrusted: the path is longer than the pathLenConstraint of a CA above allows; at fault: CN=Lower',
    ]);
  });

  it('no path: a missing CA, and a forged signature', async () => {
    expect(await check({ alone: true })).toEqual([
      'CN=Juliet',
      '  untrusted: no path to a trust anchor: the certificate of its issuer is missing; at fault: CN=Juliet',
    ]);
    const stranger = await crypto.generateKeyPair({ algorithm: 'ed25519' });
    const ca = await issue({ subject: 'CA', issuer: root, ca: true });
    expect(await check({ person: { issuer: { ...ca, keys: stranger } } })).toEqual([
      'CN=Juliet',
      '  untrusted: its signature was not made by the key of its issuer; at fault: CN=Juliet',
    ]);
  });

  it('a revoked CA, by a list in the home', async () => {
    const second = join(temporaryDirectory(), 'home');
    await ok(['cert', 'import', '--anchor', '-'], { home: second, stdin: pem(root) });
    const ca = await issue({ subject: 'CA', issuer: root, ca: true });
    const leaf = await issue({ subject: 'Juliet', issuer: ca, extensions: [name] });
    const list = await issueCrl({ issuer: root, revoked: [{ serial: ca.certificate.serial, date: daysFromNow(-3) }] });
    mkdirSync(join(second, 'crls'), { mode: 0o700 });
    writeFileSync(join(second, 'crls', 'root.crl'), list.der, { mode: 0o600 });
    const { code, stdout } = await cli(['cert', 'check', '--jid', juliet, '--at', '2026-06-01T00:00:00Z', '-'], {
      home: second,
      stdin: pem(leaf, ca),
    });
    expect(code).toBe(115);
    expect(
      stdout
        .replace(/ \([0-9a-f]{16}…\)/g, '')
        .trimEnd()
        .split('\n'),
    ).toEqual([...path, '  revoked: certificate is revoked; at fault: CN=CA']);
  });

  it('names: none, and those of somebody else', async () => {
    expect(await check({ person: { extensions: [] } })).toEqual([
      ...path,
      `  names no JID, so that it cannot speak for ${juliet}`,
    ]);
    const names = serializeGeneralNames([{ form: 'xmppAddr', text: 'nurse@example.com' }]);
    const extensions = [serializeExtension(oids.subjectAltName, false, names)];
    expect(await check({ person: { extensions } })).toEqual([
      ...path,
      `  does not name ${juliet}, but nurse@example.com`,
    ]);
  });

  it('nothing wrong', async () => {
    expect(await check({})).toEqual([...path, `  trusted for ${juliet}`]);
  });
});
