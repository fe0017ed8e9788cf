/**
 * Certificates that a trusted authority should not have issued, or not for this: each is judged by this library, by
 * `openssl verify` and by pkijs (whose gaps are why paths are validated here, RFC 5280 section 6). A change of the last
 * two shows as a difference from the table, so that an upgrade cannot pass unseen.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import { der, derContext, derSequence } from '../../src/asn1/writer.ts';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { rfc3923Policy, strictPolicy } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { juliet } from '../people.ts';
import { hasProgram } from '../shared-data.ts';
import { cpim } from '../unit/e2e/scene.ts';
import {
  crypto,
  daysFromNow,
  issue,
  type Issued,
  type IssueOptions,
  serializeExtension,
} from '../unit/x509/support.ts';
import { forged, named, openBy, stanzaOf, trusting } from './certified.ts';
import { at } from './crafted.ts';

type Judge = 'accepts' | 'refuses';

interface Case {
  readonly ours: 'delivered' | 'ERR_E2E_SIGNER_UNTRUSTED' | 'ERR_E2E_WEAK_ALGORITHM';
  readonly openssl: Judge;
  readonly pkijs: Judge;
  /** From the one below the root down. */
  readonly cas?: readonly Partial<IssueOptions>[];
  readonly leaf?: Partial<IssueOptions> & { readonly bits?: number };
  /** Signed by another key than that of its issuer. */
  readonly damaged?: boolean;
}

const untrusted = 'ERR_E2E_SIGNER_UNTRUSTED';
const weak = 'ERR_E2E_WEAK_ALGORITHM';
const ecdsa = { scheme: 'ecdsa', hash: 'sha256' } as const;
const constraint = (host: string) =>
  serializeExtension(oids.nameConstraints, true, derSequence(derContext(0, derSequence(der(0x86, utf8(host))))));
const hostName = serializeExtension(
  oids.subjectAltName,
  false,
  derSequence(der(0x86, utf8(`im:${juliet}`)), der(0x86, utf8('https://capulet.example/juliet'))),
);

const cases: Readonly<Record<string, Case>> = {
  'as it should be': { ours: 'delivered', openssl: 'accepts', pkijs: 'accepts' },
  'as it should be, below two authorities': { ours: 'delivered', openssl: 'accepts', pkijs: 'accepts', cas: [{}, {}] },
  'for servers alone': {
    ...{ ours: untrusted, openssl: 'refuses', pkijs: 'accepts' },
    leaf: { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] },
  },
  'for encryption alone': {
    ...{ ours: untrusted, openssl: 'refuses', pkijs: 'accepts' },
    leaf: { keyUsage: ['keyEncipherment'] },
  },
  'RSA with 1024 bits': { ours: weak, openssl: 'accepts', pkijs: 'accepts', leaf: { bits: 1024 } },
  'signed with SHA-1': {
    ...{ ours: weak, openssl: 'accepts', pkijs: 'accepts' },
    leaf: { algorithm: { scheme: 'ecdsa', hash: 'sha1' } },
  },
  'an unknown critical extension': {
    ...{ ours: untrusted, openssl: 'refuses', pkijs: 'accepts' },
    leaf: { extensions: [...named, serializeExtension('1.2.3.4', true, derSequence())] },
  },
  'two below a pathLenConstraint of 0': {
    ...{ ours: untrusted, openssl: 'refuses', pkijs: 'accepts' },
    cas: [{ ca: 0 }, {}],
  },
  'by an end entity': { ours: untrusted, openssl: 'refuses', pkijs: 'refuses', cas: [{ ca: false }] },
  'by a CA that may not sign certificates': {
    ...{ ours: untrusted, openssl: 'refuses', pkijs: 'refuses' },
    cas: [{ keyUsage: ['cRLSign'] }],
  },
  'by a CA without basicConstraints': {
    ...{ ours: untrusted, openssl: 'refuses', pkijs: 'refuses' },
    cas: [{ noBasicConstraints: true }],
  },
  expired: { ours: untrusted, openssl: 'refuses', pkijs: 'refuses', leaf: { notAfter: daysFromNow(170) } },
  'not valid yet': { ours: untrusted, openssl: 'refuses', pkijs: 'refuses', leaf: { notBefore: daysFromNow(178) } },
  'by a CA for another host': {
    ...{ ours: untrusted, openssl: 'refuses', pkijs: 'refuses' },
    ...{ cas: [{ extensions: [constraint('.montague.example')] }], leaf: { extensions: [hostName] } },
  },
  'with a signature of another key': { ours: untrusted, openssl: 'refuses', pkijs: 'refuses', damaged: true },
};

interface World {
  readonly root: Issued;
  readonly cas: readonly Issued[];
  readonly leaf: Issued;
}

// pkijs has no Ed25519.
const p256 = async (): Promise<Issued['keys']> => crypto.generateKeyPair({ algorithm: 'ec', curve: 'p256' });

async function build({ cas = [], leaf: { bits, ...leaf } = {}, damaged = false }: Case): Promise<World> {
  const root = await issue({ subject: 'Root', ca: true, keys: await p256(), algorithm: ecdsa });
  let issuer = root;
  const below: Issued[] = [];
  for (const [i, ca] of cas.entries()) {
    issuer = await issue({ subject: `CA ${i}`, ca: true, issuer, keys: await p256(), algorithm: ecdsa, ...ca });
    below.push(issuer);
  }
  if (damaged) issuer = { ...issuer, keys: await p256() };
  const keys = bits === undefined ? await p256() : await crypto.generateKeyPair({ algorithm: 'rsa', bits });
  const options = { subject: 'Juliet', issuer, extensions: named, keys, algorithm: ecdsa, notAfter: daysFromNow(400) };
  return { root, cas: below, leaf: await issue({ ...options, ...leaf }) };
}

const folder = mkdtempSync(join(tmpdir(), 'misissued-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: globalThis.crypto })));

function openssl({ root, cas, leaf }: World): Judge {
  const file = (name: string, list: readonly Issued[]): string => {
    const path = join(folder, name);
    writeFileSync(path, concatBytes(...list.map(({ certificate }) => serializePem('CERTIFICATE', certificate.der))));
    return path;
  };
  const { status } = spawnSync('openssl', [
    ...['verify', '-purpose', 'smimesign', '-attime', String(at.getTime() / 1000), '-CAfile', file('root', [root])],
    ...(cas.length === 0 ? [] : ['-untrusted', file('cas', cas)]),
    file('leaf', [leaf]),
  ]);
  return status === 0 ? 'accepts' : 'refuses';
}

async function byPkijs({ root, cas, leaf }: World): Promise<Judge> {
  const read = ({ certificate }: Issued): pkijs.Certificate =>
    new pkijs.Certificate({ schema: asn1js.fromBER(certificate.der.slice().buffer).result });
  const engine = new pkijs.CertificateChainValidationEngine({
    certs: [...cas.map(read), read(leaf)],
    trustedCerts: [read(root)],
    checkDate: at,
  });
  const { result } = await engine.verify();
  return result ? 'accepts' : 'refuses';
}

async function ours({ root, cas, leaf }: World, bits: number | undefined): Promise<string[]> {
  const certificates = [leaf, ...cas].map(({ certificate }) => certificate.der);
  const algorithm = bits === undefined ? ecdsa : ({ scheme: 'rsa-pkcs1v15', hash: 'sha256' } as const);
  const stanza = stanzaOf(await forged(cpim(), { signer: leaf, algorithm, digest: 'sha256' }, { certificates }));
  const backend = trusting(memoryStore(), root);
  const judge = (policy: typeof strictPolicy): Promise<string> =>
    openBy(backend, stanza, { policy }).then(
      () => 'delivered',
      (error: unknown) => (error as { code: string }).code,
    );
  return [await judge(strictPolicy), await judge(rfc3923Policy)];
}

describe.each(Object.entries(cases))('a certificate %s', (_, one) => {
  it(`ends here in ${one.ours}, under every policy`, async () => {
    const [strict, rfc3923] = await ours(await build(one), one.leaf?.bits);
    // A SHA-1 signature on a certificate is what section 6.10 of RFC 3923 asks to read.
    const lax = one.leaf?.algorithm === undefined ? one.ours : rfc3923;
    expect([strict, rfc3923]).toEqual([one.ours, lax]);
  });

  it.skipIf(!hasProgram('openssl', 'version'))(`OpenSSL ${one.openssl} it`, async () => {
    expect(openssl(await build(one))).toBe(one.openssl);
  });

  it(`pkijs ${one.pkijs} it`, async () => {
    expect(await byPkijs(await build(one))).toBe(one.pkijs);
  });
});

it('counts at least 12 wrong ones', () => {
  expect(Object.values(cases).filter(({ ours }) => ours !== 'delivered').length).toBeGreaterThanOrEqual(12);
});
