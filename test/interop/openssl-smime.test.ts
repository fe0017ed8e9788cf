/** S/MIME with OpenSSL both ways: what we write it takes, and what it writes we open, with the test CA of its own command line. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  generateIdentity,
  type IdentityAlgorithm,
  openEntity,
  type OpenEntityOptions,
} from '../../src/backends/smime/index.ts';
import { base64Decode, concatBytes, toCrlf, utf8 } from '../../src/bytes.ts';
import { defaultLimits } from '../../src/limits.ts';
import { parseEntity } from '../../src/mime/entity.ts';
import { hasProgram } from '../shared-data.ts';
import { authorityConfiguration, type Openssl, openssl } from '../unit/smime/openssl.ts';
import { backendOf, type Person, strict, text } from '../unit/smime/support.ts';
import { Jid } from '../../src/jid/jid.ts';

const configuration = authorityConfiguration(`subjectAltName = @san
[san]
URI.1 = im:juliet@example.com
URI.2 = pres:juliet@example.com
email = juliet@example.com
otherName.1 = 1.3.6.1.5.5.7.8.5;UTF8:juliet@example.com
`);

const keyArguments: Readonly<Record<string, readonly string[]>> = {
  rsa2048: ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  rsa3072: ['RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
  p256: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  p521: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
};
const kinds = Object.keys(keyArguments);

interface Authority {
  readonly root: Uint8Array;
  readonly middle: Uint8Array;
  /** Paths of certificate and key by kind, issued by the root and by the intermediate CA. */
  readonly leaves: ReadonlyMap<string, { readonly certificate: string; readonly key: string; readonly person: Person }>;
}

/** Root -> leaf for RSA, root -> intermediate -> leaf for the curves. */
function authority(tool: Openssl): Authority {
  const config = tool.file('ca.cnf', configuration);
  const key = (name: string, kind: string): string => {
    tool.run(['genpkey', '-algorithm', ...keyArguments[kind]!, '-out', `${name}.key`]);
    return `${name}.key`;
  };
  const rootKey = key('root', 'p256');
  tool.run([
    'req',
    '-x509',
    '-new',
    '-key',
    rootKey,
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
  const issue = (name: string, keyFile: string, section: string, by: string): Uint8Array => {
    tool.run(['req', '-new', '-key', keyFile, '-subj', `/CN=${name}`, '-config', config, '-out', `${name}.csr`]);
    const signing = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', '365'];
    tool.run([
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signing,
      '-extfile',
      config,
      '-extensions',
      section,
      '-out',
      `${name}.pem`,
    ]);
    return tool.run(['x509', '-in', `${name}.pem`]);
  };
  const middle = issue('middle', key('middle', 'p384'), 'ca', 'root');
  const leaves = new Map<string, { certificate: string; key: string; person: Person }>();
  for (const kind of kinds) {
    const keyFile = key(kind, kind);
    const certificates = issue(kind, keyFile, 'ee', kind.startsWith('rsa') ? 'root' : 'middle');
    const keys = tool.run(['pkcs8', '-topk8', '-nocrypt', '-in', keyFile]);
    const person: Person = { jid: Jid.parse('juliet@example.com'), identity: { keys, certificates } };
    leaves.set(kind, { certificate: `${kind}.pem`, key: keyFile, person });
  }
  return { root: tool.run(['x509', '-in', 'root.pem']), middle, leaves };
}

describe.skipIf(!hasProgram('openssl', 'version'))('OpenSSL', () => {
  const tool = openssl();
  // Later than the certificates that are made below, which begin at the second they are made in.
  const now = new Date(Date.now() + 3_600_000);
  let ca: Authority;
  let message: string;

  beforeAll(() => {
    ca = authority(tool);
    message = tool.file('message', text);
  });

  const open = (octets: Uint8Array, more: Partial<OpenEntityOptions> = {}) =>
    openEntity(toCrlf(octets), { at: now, trust: { anchors: [ca.root] }, intermediates: [ca.middle], ...more });
  const verifyArguments = ['-CAfile', 'root.pem', '-purpose', 'smimesign'];
  /** The same person with the intermediate certificate beside the own one: it goes into signatures. */
  const withChain = ({ jid, identity }: Person): Person => ({
    jid,
    identity: { ...identity, certificates: concatBytes(identity.certificates, ca.middle) },
  });

  describe('takes what we sign', () => {
    it.each(kinds)('%s', async (kind) => {
      const { person } = ca.leaves.get(kind)!;
      const request = {
        ...strict,
        at: now,
        content: text,
        signer: person.jid,
        recipients: [],
        includeCertificate: true,
      };
      const signed = await backendOf({ own: [withChain(person)] }).sign({ ...request, profile: 'modern' });
      const shown = tool.run(['cms', '-verify', ...verifyArguments], signed);
      expect(shown).toEqual(text);
      const changed = signed.slice();
      changed[Buffer.from(signed).indexOf('Wherefore')]! ^= 1;
      expect(tool.attempt(['cms', '-verify', ...verifyArguments], changed).ok).toBe(false);
    });

    it('the profile of RFC 3923', async () => {
      const { person } = ca.leaves.get('rsa2048')!;
      const request = {
        ...strict,
        at: now,
        content: text,
        signer: person.jid,
        recipients: [],
        includeCertificate: true,
      };
      const signed = await backendOf({ own: [person] }).sign({ ...request, profile: 'rfc3923' });
      expect(tool.run(['cms', '-verify', ...verifyArguments], signed)).toEqual(text);
    });

    it.each<IdentityAlgorithm>(['p256', 'p384', 'rsa2048'])('self-signed %s of our own making', async (algorithm) => {
      const { keysPem: keys, certificatesPem: certificates } = await generateIdentity({
        jid: 'juliet@example.com',
        algorithm,
        at: new Date(),
      });
      const person: Person = { jid: Jid.parse('juliet@example.com'), identity: { keys, certificates } };
      const request = {
        ...strict,
        at: new Date(),
        content: text,
        signer: person.jid,
        recipients: [],
        includeCertificate: true,
      };
      const signed = await backendOf({ own: [person] }).sign({ ...request, profile: 'modern' });
      const pinned = tool.file('pinned.pem', certificates);
      expect(tool.run(['cms', '-verify', '-CAfile', pinned, '-partial_chain'], signed)).toEqual(text);
    });
  });

  describe('takes what we encrypt', () => {
    const trust = () => ({ trust: { anchors: [ca.root, ca.middle] } });
    const decrypt = (octets: Uint8Array, kind: string) =>
      tool.run(
        ['cms', '-decrypt', '-recip', ca.leaves.get(kind)!.certificate, '-inkey', ca.leaves.get(kind)!.key],
        octets,
      );

    it.each(kinds)('AuthEnvelopedData to %s', async (kind) => {
      const { person } = ca.leaves.get(kind)!;
      const backend = backendOf({ candidates: [person] }, trust());
      const request = { ...strict, at: now, content: text, recipients: [person.jid], hidden: false };
      const sealed = await backend.encrypt({ ...request, profile: 'modern' });
      expect(decrypt(sealed, kind)).toEqual(text);
    });

    it('EnvelopedData by the profile of RFC 3923', async () => {
      const { person } = ca.leaves.get('rsa2048')!;
      const backend = backendOf({ candidates: [person] }, trust());
      const request = { ...strict, at: now, content: text, recipients: [person.jid], hidden: false };
      const sealed = await backend.encrypt({ ...request, profile: 'rfc3923' });
      expect(decrypt(sealed, 'rsa2048')).toEqual(text);
    });

    it('mixed recipients, each by its own key', async () => {
      const people = kinds.map((kind) => ca.leaves.get(kind)!.person);
      const backend = backendOf({ candidates: people }, trust());
      const jid = people[0]!.jid;
      const sealed = await backend.encrypt({
        ...strict,
        at: now,
        content: text,
        recipients: [jid],
        hidden: false,
        profile: 'modern',
      });
      for (const kind of kinds) expect(decrypt(sealed, kind), kind).toEqual(text);
    });
  });

  describe('writes signatures that we open', () => {
    const sign = (kind: string, ...options: readonly string[]) => {
      const { certificate, key } = ca.leaves.get(kind)!;
      return tool.run(['cms', '-sign', '-in', message, '-binary', '-signer', certificate, '-inkey', key, ...options]);
    };

    it.each(kinds)('%s by default', async (kind) => {
      const opened = await open(sign(kind, '-certfile', 'middle.pem'), {
        intermediates: [],
        policy: { surround: 'skip' },
      });
      expect(opened.content).toEqual(text);
      expect(opened.trust).toBe('anchor');
      expect(opened.names).toEqual({
        emails: ['juliet@example.com'],
        jids: ['juliet@example.com'],
        subject: `CN=${kind}`,
      });
      expect(opened.signatures[0]!.chain).toHaveLength(kind.startsWith('rsa') ? 2 : 3);
    });

    it.each([
      ['opaque', ['-nodetach']],
      ['opaque, indefinite lengths', ['-nodetach', '-stream']],
      ['by key identifier', ['-keyid']],
      ['SHA-384', ['-md', 'sha384']],
      ['SHA-512', ['-md', 'sha512']],
      ['PSS', ['-keyopt', 'rsa_padding_mode:pss']],
      ['PSS with SHA-512', ['-md', 'sha512', '-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:64']],
      ['with signingCertificateV2', ['-cades']],
      ['without S/MIME capabilities', ['-nosmimecap']],
    ])('RSA %s', async (_what, options) => {
      const opened = await open(sign('rsa2048', ...options), { policy: { surround: 'skip' } });
      expect(opened.content).toEqual(text);
      expect(opened.signatures[0]!.outcome).toBe('good');
    });

    it('without certificates, for those who have them', async () => {
      const octets = sign('p256', '-nocerts');
      const { certificates } = ca.leaves.get('p256')!.person.identity;
      const policy = { surround: 'skip' } as const;
      await expect(open(octets, { policy })).rejects.toMatchObject({ code: 'ERR_E2E_SIGNER_UNKNOWN' });
      expect((await open(octets, { policy, intermediates: [ca.middle, certificates] })).trust).toBe('anchor');
      expect((await open(octets, { policy, certificates: [certificates], trust: undefined })).trust).toBe('pinned');
    });

    it('without signed attributes, where the policy takes it', async () => {
      const octets = sign('rsa2048', '-noattr');
      await expect(open(octets, { policy: { surround: 'skip' } })).rejects.toMatchObject({
        code: 'ERR_E2E_SIGNATURE_INVALID',
      });
      const opened = await open(octets, { policy: { surround: 'skip', unsignedAttributes: true } });
      expect(opened.content).toEqual(text);
    });

    it('with SHA-1, where the policy takes it', async () => {
      const octets = sign('rsa2048', '-md', 'sha1');
      await expect(open(octets, { policy: { surround: 'skip' } })).rejects.toMatchObject({
        code: 'ERR_E2E_WEAK_ALGORITHM',
      });
      expect((await open(octets, { policy: { surround: 'skip', sha1Signatures: true } })).signatures[0]!.outcome).toBe(
        'good',
      );
    });

    it('with text around the parts: refused by default', async () => {
      await expect(open(sign('p256'))).rejects.toMatchObject({
        code: 'ERR_E2E_MALFORMED',
        reason: expect.stringContaining('text'),
      });
    });

    it('by somebody whom nobody vouches for', async () => {
      const octets = sign('rsa2048');
      const policy = { surround: 'skip' } as const;
      await expect(open(octets, { policy, trust: undefined })).rejects.toMatchObject({
        code: 'ERR_E2E_SIGNER_UNTRUSTED',
      });
      const identity = (names: { readonly emails: readonly string[] }) => names.emails.includes('romeo@example.com');
      await expect(open(octets, { policy, identity })).rejects.toMatchObject({ code: 'ERR_E2E_SENDER_MISMATCH' });
    });

    it('with two signers', async () => {
      const { certificate, key } = ca.leaves.get('p384')!;
      const octets = sign('rsa2048', '-signer', certificate, '-inkey', key);
      await expect(open(octets, { policy: { surround: 'skip' } })).rejects.toMatchObject({
        code: expect.stringMatching(/LIMIT|SIGNATURE_INVALID/),
      });
    });
  });

  describe('writes encrypted objects that we open', () => {
    const encrypt = (kinds: readonly string[], ...options: readonly string[]) =>
      tool.run([
        'cms',
        '-encrypt',
        '-in',
        message,
        '-binary',
        ...options,
        ...kinds.flatMap((kind) => ['-recip', ca.leaves.get(kind)!.certificate]),
      ]);
    const old = { cbc: true, rsaPkcs1v15: true, tripleDes: true, unsigned: 'accept' } as const;
    const openWith = (kind: string, octets: Uint8Array, policy: OpenEntityOptions['policy'] = old) =>
      open(octets, { keys: [ca.leaves.get(kind)!.person.identity], policy });

    it.each(kinds)('to %s by default', async (kind) => {
      const opened = await openWith(kind, encrypt([kind]));
      expect(opened.content).toEqual(text);
      expect(opened.encryption).toMatchObject({
        aead: false,
        keyTransport: [kind.startsWith('rsa') ? 'rsa-pkcs1v15' : 'ecdh'],
      });
    });

    it.each([
      ['rsa2048', ['-aes-256-gcm', '-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256'], 'aes256-gcm'],
      ['p256', ['-aes-128-gcm'], 'aes128-gcm'],
      ['p384', ['-aes-256-gcm'], 'aes256-gcm'],
      ['p521', ['-aes-192-gcm'], 'aes192-gcm'],
      ['p256', ['-aes-256-gcm', '-keyopt', 'ecdh_kdf_md:sha256'], 'aes256-gcm'],
      ['p384', ['-aes-256-gcm', '-keyid'], 'aes256-gcm'],
    ])('AuthEnvelopedData to %s with %j, by the strict policy', async (kind, [cipher, ...options], expected) => {
      // -keyopt belongs to the recipient before it.
      const recipient = ['-recip', ca.leaves.get(kind)!.certificate, ...options];
      const octets = tool.run(['cms', '-encrypt', '-in', message, '-binary', cipher!, ...recipient]);
      const opened = await openWith(kind, octets, { unsigned: 'accept' });
      expect(opened.content).toEqual(text);
      expect(opened.encryption).toMatchObject({ cipher: expected, aead: true });
    });

    it.each([
      ['-aes128', 'aes128-cbc'],
      ['-aes192', 'aes192-cbc'],
      ['-aes256', 'aes256-cbc'],
      ['-des3', 'des-ede3-cbc'],
    ])('%s to RSA and a curve, where the policy takes it', async (option, cipher) => {
      const octets = encrypt(['rsa3072', 'p256'], option);
      for (const kind of ['rsa3072', 'p256']) {
        const opened = await openWith(kind, octets);
        expect(opened.content).toEqual(text);
        expect(opened.encryption?.cipher).toBe(cipher);
        await expect(openWith(kind, octets, { unsigned: 'accept' })).rejects.toMatchObject({
          code: 'ERR_E2E_WEAK_ALGORITHM',
        });
      }
    });

    it.each([[['-stream']], [['-keyid']], [['-outform', 'DER']]])('with %j', async (options) => {
      const octets = encrypt(['rsa2048'], '-aes256', ...options);
      const input = options.includes('DER') ? octets : toCrlf(octets);
      const opened = await openEntity(input, {
        at: now,
        keys: [ca.leaves.get('rsa2048')!.person.identity],
        policy: old,
      });
      expect(opened.content).toEqual(text);
    });

    it('unsigned: refused by default', async () => {
      const octets = encrypt(['p256'], '-aes-256-gcm');
      await expect(openWith('p256', octets, {})).rejects.toMatchObject({ code: 'ERR_E2E_UNSIGNED' });
    });

    it('signed inside', async () => {
      const { certificate, key } = ca.leaves.get('p256')!;
      const signed = tool.file(
        'signed',
        toCrlf(
          tool.run(['cms', '-sign', '-in', message, '-binary', '-nodetach', '-signer', certificate, '-inkey', key]),
        ),
      );
      const sealed = tool.run([
        'cms',
        '-encrypt',
        '-in',
        signed,
        '-binary',
        '-aes-256-gcm',
        '-recip',
        ca.leaves.get('p384')!.certificate,
      ]);
      const opened = await openWith('p384', sealed, {});
      expect(opened.content).toEqual(text);
      expect(opened.trust).toBe('anchor');
      expect(opened.encryption?.cipher).toBe('aes256-gcm');
    });
  });

  it('writes certs-only objects that we read', async () => {
    tool.run([
      'crl2pkcs7',
      '-nocrl',
      '-certfile',
      'p256.pem',
      '-certfile',
      'middle.pem',
      '-outform',
      'DER',
      '-out',
      'certs.p7c',
    ]);
    const base64 = tool.run(['base64', '-in', 'certs.p7c']);
    const octets = new Uint8Array(
      Buffer.concat([
        utf8(
          'Content-Type: application/pkcs7-mime; smime-type=certs-only; name=smime.p7c\r\nContent-Transfer-Encoding: base64\r\n\r\n',
        ),
        base64,
      ]),
    );
    expect(base64Decode(base64).length).toBeGreaterThan(0);
    const entity = parseEntity(octets, { limits: defaultLimits });
    const candidates = await backendOf({}).importCertificates(entity, defaultLimits);
    expect(candidates.map(({ summary }) => summary.subject).sort()).toEqual(['CN=middle', 'CN=p256']);
  });
});
