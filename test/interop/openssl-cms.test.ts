/** The CMS codec with openssl cms, option by option, both ways, below S/MIME: bytes and keys alone. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ContentCipher } from '../../src/cms/algorithms.ts';
import { type CertificateIdentifier, identifies } from '../../src/cms/certificate-identifier.ts';
import { decryptEnveloped } from '../../src/cms/decrypt.ts';
import { type WritableCipher, encryptContent } from '../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { signData } from '../../src/cms/sign.ts';
import { parseSignedData, serializeCertificates } from '../../src/cms/signed-data.ts';
import { type SignaturePolicy, verifySigner } from '../../src/cms/verify.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type PrivateKey, parsePrivateKey } from '../../src/crypto/private-key.ts';
import type { CryptoProvider, SignatureAlgorithm } from '../../src/crypto/provider.ts';
import { webCrypto } from '../../src/crypto/web.ts';
import { defaultLimits } from '../../src/limits.ts';
import { type Certificate, parseCertificate } from '../../src/x509/certificate.ts';
import { hasProgram } from '../shared-data.ts';
import { openssl } from '../unit/smime/openssl.ts';

const providers: readonly CryptoProvider[] = [nodeCrypto, webCrypto()];
const content = new Uint8Array(Buffer.from('Content-Type: text/plain; charset=utf-8\r\n\r\nArt thou not Romeo?\r\n'));

const keyArguments: Readonly<Record<string, readonly string[]>> = {
  rsa2048: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  rsa4096: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096'],
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  p521: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
};
const kinds = Object.keys(keyArguments);

interface Person {
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
  readonly certificatePath: string;
  readonly keyPath: string;
}

describe.skipIf(!hasProgram('openssl', 'version'))('openssl cms', () => {
  const tool = openssl();
  const people = new Map<string, Person>();
  let message = '';

  beforeAll(() => {
    message = tool.file('content', content);
    for (const kind of [...kinds, 'pss']) {
      const pss = ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'];
      const keyPath = tool.file(`${kind}.key`, tool.run(['genpkey', ...(keyArguments[kind] ?? pss)]));
      const pem = tool.run(['req', '-x509', '-new', '-key', keyPath, '-subj', `/CN=${kind}`, '-days', '2', '-sha256']);
      const certificatePath = tool.file(`${kind}.pem`, pem);
      const der = tool.run(['x509', '-in', certificatePath, '-outform', 'DER']);
      const pkcs8 = tool.run(['pkcs8', '-topk8', '-nocrypt', '-in', keyPath, '-outform', 'DER']);
      people.set(kind, {
        certificate: parseCertificate(der, defaultLimits),
        privateKey: parsePrivateKey(pkcs8),
        certificatePath,
        keyPath,
      });
    }
  }, 120_000);

  function identifierOf({ certificate }: Person, byKey = false): CertificateIdentifier {
    if (byKey) return { kind: 'key-identifier', keyIdentifier: certificate.subjectKeyId! };
    return { kind: 'issuer-and-serial', issuer: certificate.issuer.raw, serial: certificate.serial };
  }

  async function open(object: Uint8Array, person: Person, crypto: CryptoProvider): Promise<Uint8Array> {
    const enveloped = parseEnveloped(object, defaultLimits);
    const recipient = enveloped.recipients.find((one) => identifies(one.identifier, person.certificate))!;
    return decryptEnveloped({ enveloped, recipient, privateKey: person.privateKey, crypto });
  }

  function supports(crypto: CryptoProvider, object: Uint8Array): boolean {
    const { cipher, encryption, recipients } = parseEnveloped(object, defaultLimits);
    if (cipher.name === 'des-ede3-cbc') return crypto.supports('triple-des');
    if (encryption.keyTransport.includes('rsa-pkcs1v15')) return crypto.supports('rsa-pkcs1v15-decrypt');
    const [first] = recipients;
    const scheme = first!.kind === 'key-transport' ? first!.scheme : undefined;
    return scheme?.name !== 'rsa-oaep' || scheme.hash === scheme.mgfHash || crypto.supports('oaep-mixed-hash');
  }

  describe('writes encrypted objects that we open', () => {
    const ciphers: readonly (readonly [string, ContentCipher])[] = [
      ['-aes-128-cbc', 'aes128-cbc'],
      ['-aes-192-cbc', 'aes192-cbc'],
      ['-aes-256-cbc', 'aes256-cbc'],
      ['-des3', 'des-ede3-cbc'],
      ['-aes-128-gcm', 'aes128-gcm'],
      ['-aes-192-gcm', 'aes192-gcm'],
      ['-aes-256-gcm', 'aes256-gcm'],
    ];
    const oaep = ['-keyopt', 'rsa_padding_mode:oaep'];
    const rsaOptions: readonly (readonly string[])[] = [
      [],
      oaep,
      [...oaep, '-keyopt', 'rsa_oaep_md:sha256'],
      [...oaep, '-keyopt', 'rsa_oaep_md:sha512'],
      [...oaep, '-keyopt', 'rsa_oaep_md:sha256', '-keyopt', 'rsa_mgf1_md:sha1'],
      [...oaep, '-keyopt', 'rsa_oaep_md:sha384', '-keyopt', 'rsa_mgf1_md:sha512'],
    ];
    const curveOptions: readonly (readonly string[])[] = [
      [],
      ['-keyopt', 'ecdh_kdf_md:sha256'],
      ['-keyopt', 'ecdh_kdf_md:sha384'],
      ['-keyopt', 'ecdh_kdf_md:sha512'],
    ];

    it.each(kinds)('to %s, with every cipher and key encryption', async (kind) => {
      const person = people.get(kind)!;
      let opened = 0;
      for (const [flag, cipher] of ciphers) {
        for (const options of kind.startsWith('rsa') ? rsaOptions : curveOptions) {
          const to = ['-recip', person.certificatePath, ...options];
          const object = tool.run(['cms', '-encrypt', '-binary', flag, '-in', message, '-outform', 'DER', ...to]);
          expect(parseEnveloped(object, defaultLimits).cipher.name).toBe(cipher);
          for (const crypto of providers) {
            if (!supports(crypto, object)) continue;
            expect(await open(object, person, crypto), `${flag} ${options.join(' ')}`).toEqual(content);
            opened++;
          }
        }
      }
      expect(opened).toBeGreaterThan(40);
    });

    it.each([[['-stream']], [['-keyid']], [['-stream', '-keyid']]])('with %j', async (options) => {
      for (const kind of ['rsa2048', 'p256']) {
        const person = people.get(kind)!;
        for (const flag of ['-aes-128-cbc', '-aes-256-gcm']) {
          // -keyid goes with the recipient that follows.
          const to = [...options, '-recip', person.certificatePath];
          const object = tool.run(['cms', '-encrypt', '-binary', flag, '-in', message, '-outform', 'DER', ...to]);
          expect(await open(object, person, nodeCrypto)).toEqual(content);
        }
      }
    });

    it('to many, in one object', async () => {
      const to = kinds.flatMap((kind) => ['-recip', people.get(kind)!.certificatePath]);
      const object = tool.run(['cms', '-encrypt', '-binary', '-aes-256-gcm', '-in', message, '-outform', 'DER', ...to]);
      expect(parseEnveloped(object, defaultLimits).recipients).toHaveLength(kinds.length);
      for (const kind of kinds) expect(await open(object, people.get(kind)!, nodeCrypto)).toEqual(content);
    });
  });

  describe('opens what we encrypt', () => {
    const ciphers: readonly WritableCipher[] = [
      'aes128-cbc',
      'aes192-cbc',
      'aes256-cbc',
      'aes128-gcm',
      'aes192-gcm',
      'aes256-gcm',
    ];

    it.each(kinds)('to %s, with every cipher, by both identifiers', async (kind) => {
      const person = people.get(kind)!;
      await Promise.all(
        ciphers.flatMap((cipher) =>
          providers.flatMap((crypto) =>
            [false, true].map(async (byKey) => {
              const recipient = { publicKey: person.certificate.publicKey, identifier: identifierOf(person, byKey) };
              const object = await encryptContent({ content, recipients: [recipient], cipher, crypto });
              const path = tool.file(`${kind}-${cipher}-${crypto.name}-${String(byKey)}`, object);
              const from = ['-inform', 'DER', '-in', path, '-recip', person.certificatePath, '-inkey', person.keyPath];
              expect(tool.run(['cms', '-decrypt', '-binary', ...from])).toEqual(content);
            }),
          ),
        ),
      );
    });

    it('with PKCS #1 v1.5', async () => {
      const person = people.get('rsa2048')!;
      const recipient = { publicKey: person.certificate.publicKey, identifier: identifierOf(person) };
      const request = { content, recipients: [recipient], cipher: 'aes128-cbc', keyTransport: 'rsa-pkcs1v15' } as const;
      const path = tool.file('v15', await encryptContent({ ...request, crypto: nodeCrypto }));
      const from = ['-inform', 'DER', '-in', path, '-recip', person.certificatePath, '-inkey', person.keyPath];
      expect(tool.run(['cms', '-decrypt', '-binary', ...from])).toEqual(content);
    });
  });

  describe('writes signatures that we verify', () => {
    const pss = ['-keyopt', 'rsa_padding_mode:pss'];
    const common: readonly (readonly string[])[] = [
      [],
      ['-md', 'sha256'],
      ['-md', 'sha384'],
      ['-md', 'sha512'],
      ['-nodetach'],
      ['-nodetach', '-stream'],
      ['-keyid'],
      ['-nosmimecap'],
      ['-cades'],
      ['-nocerts'],
    ];
    const options: Readonly<Record<string, readonly (readonly string[])[]>> = {
      rsa2048: [
        ...common,
        pss,
        ['-md', 'sha512', ...pss],
        [...pss, '-keyopt', 'rsa_pss_saltlen:20'],
        [...pss, '-keyopt', 'rsa_pss_saltlen:0'],
      ],
      rsa4096: [[]],
      p256: common,
      p384: common,
      p521: common,
      pss: [pss, ['-md', 'sha384', ...pss]],
    };

    it.each(Object.keys(options))('by %s', async (kind) => {
      const person = people.get(kind)!;
      for (const extra of options[kind]!) {
        const by = ['-signer', person.certificatePath, '-inkey', person.keyPath, ...extra];
        const object = tool.run(['cms', '-sign', '-binary', '-in', message, '-outform', 'DER', ...by]);
        const signedData = parseSignedData(object, defaultLimits);
        const inside = extra.includes('-nodetach');
        expect(signedData.eContent).toEqual(inside ? content : undefined);
        const [signerInfo] = signedData.signerInfos;
        expect(identifies(signerInfo!.identifier, person.certificate)).toBe(true);
        for (const crypto of providers) {
          const detached = inside ? undefined : content;
          const request = { signedData, signerInfo: signerInfo!, content: detached, crypto } as const;
          const policy = { sha1Signatures: false, unsignedAttributes: false };
          const verify = (publicKey = person.certificate.publicKey) => verifySigner({ ...request, publicKey, policy });
          expect(await verify(), extra.join(' ')).toMatchObject({ outcome: 'good' });
          if (extra.includes('-cades')) {
            const digest = await crypto.digest('sha256', person.certificate.der);
            expect((await verify()).signingCertificateV2).toEqual({ hash: 'sha256', digest });
          }
          const other = [...people.values()].find(
            (one) =>
              one !== person &&
              one.privateKey.algorithm === person.privateKey.algorithm &&
              one.privateKey.bits === person.privateKey.bits,
          );
          if (other !== undefined) expect((await verify(other.certificate.publicKey)).outcome).toBe('bad');
          if (inside) continue;
          const changed = { ...request, content: content.slice(1), publicKey: person.certificate.publicKey, policy };
          expect((await verifySigner(changed)).outcome).toBe('bad');
        }
      }
    });
  });

  describe('verifies what we sign', () => {
    const algorithms: Readonly<Record<string, readonly (SignatureAlgorithm | undefined)[]>> = {
      rsa2048: [
        undefined,
        { scheme: 'rsa-pkcs1v15', hash: 'sha384' },
        { scheme: 'rsa-pkcs1v15', hash: 'sha512' },
        { scheme: 'rsa-pss', hash: 'sha256', saltLength: 32 },
        { scheme: 'rsa-pss', hash: 'sha512', saltLength: 64 },
      ],
      rsa4096: [undefined],
      p256: [undefined, { scheme: 'ecdsa', hash: 'sha512' }],
      p384: [undefined],
      p521: [undefined],
      pss: [undefined],
    };

    it.each(Object.keys(algorithms))('by %s', async (kind) => {
      const person = people.get(kind)!;
      for (const algorithm of algorithms[kind]!) {
        for (const crypto of providers) {
          for (const [detached, byKey] of [
            [true, false],
            [false, true],
          ] as const) {
            const signer = { privateKey: person.privateKey, identifier: identifierOf(person, byKey), algorithm };
            const certificates = [person.certificate.der];
            const signingTime = new Date();
            const object = await signData({ content, detached, signer, certificates, signingTime, crypto });
            const path = tool.file('signed', object);
            const from = ['-inform', 'DER', '-in', path, '-CAfile', person.certificatePath, '-purpose', 'any'];
            const beside = detached ? ['-content', message] : [];
            expect(tool.run(['cms', '-verify', '-binary', ...from, ...beside])).toEqual(content);
            if (!detached) continue;
            const wrong = tool.file('wrong', content.slice(1));
            expect(tool.attempt(['cms', '-verify', '-binary', ...from, '-content', wrong]).ok).toBe(false);
          }
        }
      }
    });
  });

  it('reads our certs-only objects, and we read its own', () => {
    const all = kinds.map((kind) => people.get(kind)!);
    const ours = tool.file('ours', serializeCertificates(all.map((one) => one.certificate.der)));
    const pem = Buffer.from(tool.run(['pkcs7', '-inform', 'DER', '-in', ours, '-print_certs'])).toString('latin1');
    expect(pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(kinds.length);
    const files = all.flatMap((one) => ['-certfile', one.certificatePath]);
    const theirs = parseSignedData(tool.run(['crl2pkcs7', '-nocrl', ...files, '-outform', 'DER']), defaultLimits);
    expect(theirs.signerInfos).toEqual([]);
    expect(theirs.certificates).toEqual(all.map((one) => one.certificate.der));
  });

  const signFlags = ['cms', '-sign', '-binary', '-outform', 'DER'];

  it('writes without signed attributes and with SHA-1, which hangs on the policy', async () => {
    const person = people.get('rsa2048')!;
    const by = ['-in', message, '-signer', person.certificatePath, '-inkey', person.keyPath];
    const outcome = async (options: readonly string[], policy: SignaturePolicy) => {
      const signedData = parseSignedData(tool.run([...signFlags, ...by, ...options]), defaultLimits);
      const { publicKey } = person.certificate;
      const [signerInfo] = signedData.signerInfos;
      const request = { signedData, signerInfo: signerInfo!, content, publicKey, crypto: nodeCrypto, policy };
      return (await verifySigner(request)).outcome;
    };
    const strict = { sha1Signatures: false, unsignedAttributes: false };
    const lax = { sha1Signatures: true, unsignedAttributes: true };
    expect(await outcome(['-noattr'], strict)).toBe('bad');
    expect(await outcome(['-noattr'], lax)).toBe('good');
    expect(await outcome(['-md', 'sha1'], strict)).toBe('weak');
    expect(await outcome(['-md', 'sha1'], lax)).toBe('good');
  });

  it('writes two signers, which we report and judge one by one', async () => {
    const signers = ['rsa2048', 'p256'].map((kind) => people.get(kind)!);
    const by = signers.flatMap((one) => ['-signer', one.certificatePath, '-inkey', one.keyPath]);
    const object = tool.run([...signFlags, '-in', message, ...by]);
    const signedData = parseSignedData(object, { ...defaultLimits, signatures: 2 });
    expect(signedData.signerInfos).toHaveLength(2);
    const policy = { sha1Signatures: false, unsignedAttributes: false };
    for (const { certificate } of signers) {
      const signerInfo = signedData.signerInfos.find((one) => identifies(one.identifier, certificate))!;
      const request = { signedData, signerInfo, content, publicKey: certificate.publicKey, crypto: nodeCrypto, policy };
      expect((await verifySigner(request)).outcome).toBe('good');
    }
  });

  it('writes password and key-encryption-key recipients, which we skip', async () => {
    const person = people.get('p256')!;
    const kek = ['-secretkey', '000102030405060708090A0B0C0D0E0F', '-secretkeyid', 'C0FEE0'];
    const to = [...kek, '-pwri_password', 'tiger', '-recip', person.certificatePath];
    const object = tool.run(['cms', '-encrypt', '-binary', '-aes-128-cbc', '-in', message, '-outform', 'DER', ...to]);
    const { recipients, encryption } = parseEnveloped(object, defaultLimits);
    expect(recipients).toHaveLength(1);
    expect([...encryption.keyTransport].sort()).toEqual(['ecdh', 'kek', 'password']);
    expect(await open(object, person, nodeCrypto)).toEqual(content);
  });

  it('writes half a mebibyte in pieces of indefinite length', async () => {
    const person = people.get('p256')!;
    const large = nodeCrypto.randomBytes(65_536);
    const file = tool.file('large', Buffer.concat(Array.from({ length: 8 }, () => large)));
    for (const flag of ['-aes-128-cbc', '-aes-256-gcm']) {
      const to = ['-recip', person.certificatePath, '-outform', 'DER', '-stream'];
      const object = tool.run(['cms', '-encrypt', '-binary', flag, '-in', file, ...to]);
      const opened = await open(object, person, nodeCrypto);
      expect(opened).toHaveLength(8 * 65_536);
      expect(Buffer.compare(opened.subarray(-65_536), large)).toBe(0);
    }
  });
});
