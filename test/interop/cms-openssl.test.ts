/** The CMS codec and `openssl cms`, both ways, with every algorithm that both know. */
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { type CertificateIdentifier, identifies } from '../../src/cms/certificate-identifier.ts';
import { decryptEnveloped } from '../../src/cms/decrypt.ts';
import { encryptContent } from '../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { signData } from '../../src/cms/sign.ts';
import { parseSignedData, serializeCertificates } from '../../src/cms/signed-data.ts';
import { type SignaturePolicy, verifySigner } from '../../src/cms/verify.ts';
import { nodeCrypto as crypto } from '../../src/crypto/node.ts';
import { type PrivateKey, parsePrivateKey } from '../../src/crypto/private-key.ts';
import type { SignatureAlgorithm } from '../../src/crypto/provider.ts';
import { defaultLimits, limitsWith } from '../../src/limits.ts';
import { type Certificate, parseCertificate } from '../../src/x509/certificate.ts';
import { hasProgram } from '../shared-data.ts';
import { type Openssl, openssl } from '../unit/smime/openssl.ts';

interface Person {
  readonly name: string;
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
}

const content = utf8('Content-Type: text/plain\r\n\r\nWherefore art thou?\r\n');
const strict: SignaturePolicy = { sha1Signatures: false, unsignedAttributes: false };
const lax: SignaturePolicy = { sha1Signatures: true, unsignedAttributes: true };
const newKeys = {
  rsa: ['rsa:2048'],
  p256: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  p521: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
} as const;
type Name = keyof typeof newKeys;
const names = Object.keys(newKeys) as readonly Name[];

function makePerson(tool: Openssl, name: Name, id: string = name): Person {
  const file = (extension: string) => `${id}.${extension}`;
  tool.run([
    'req',
    '-x509',
    '-newkey',
    ...newKeys[name],
    '-nodes',
    '-keyout',
    file('key'),
    '-out',
    file('pem'),
    '-subj',
    `/CN=${id}`,
  ]);
  const certificate = tool.run(['x509', '-in', file('pem'), '-outform', 'DER']);
  const key = tool.run(['pkcs8', '-topk8', '-nocrypt', '-in', file('key'), '-outform', 'DER']);
  return { name: id, certificate: parseCertificate(certificate, defaultLimits), privateKey: parsePrivateKey(key) };
}

function identifier({ certificate }: Person, byKey: boolean): CertificateIdentifier {
  if (byKey) return { kind: 'key-identifier', keyIdentifier: certificate.subjectKeyId! };
  return { kind: 'issuer-and-serial', issuer: certificate.issuer.raw, serial: certificate.serial };
}

describe.skipIf(!hasProgram('openssl', 'version'))('openssl cms', () => {
  const tool = openssl();
  const people = new Map<Name, Person>();
  const person = (name: Name): Person => {
    let found = people.get(name);
    if (found === undefined) people.set(name, (found = makePerson(tool, name)));
    return found;
  };
  tool.file('content', content);

  async function verify(message: Uint8Array, who: Person, detached?: Uint8Array, policy = strict) {
    const signedData = parseSignedData(message, limitsWith({ signatures: 4 }));
    const signerInfo = signedData.signerInfos.find((one) => identifies(one.identifier, who.certificate))!;
    return verifySigner({
      signedData,
      signerInfo,
      content: detached,
      publicKey: who.certificate.publicKey,
      crypto,
      policy,
    });
  }

  const sign = (who: Person, ...flags: string[]) =>
    tool.run([
      'cms',
      '-sign',
      '-binary',
      '-in',
      'content',
      '-signer',
      `${who.name}.pem`,
      '-inkey',
      `${who.name}.key`,
      '-outform',
      'DER',
      ...flags,
    ]);
  const check = (message: Uint8Array, who: Person, detached: boolean) => {
    tool.file('signed', message);
    const flags = detached ? ['-content', 'content'] : [];
    return tool.attempt([
      'cms',
      '-verify',
      '-binary',
      '-inform',
      'DER',
      '-in',
      'signed',
      '-CAfile',
      `${who.name}.pem`,
      '-purpose',
      'any',
      ...flags,
    ]);
  };

  describe.each(names)('signatures by %s', (name) => {
    it('are read: every hash, detached and not, by issuer and by key, with and without certificates', async () => {
      const who = person(name);
      for (const hash of ['sha256', 'sha384', 'sha512']) {
        for (const detached of [true, false]) {
          for (const flags of [[], ['-keyid'], ['-nocerts'], ['-nosmimecap']]) {
            const message = sign(who, '-md', hash, ...flags, ...(detached ? [] : ['-nodetach']));
            const verdict = await verify(message, who, detached ? content : undefined);
            expect(verdict).toMatchObject({ outcome: 'good', hash });
            expect(verdict.signingTime).toBeInstanceOf(Date);
            const other = detached ? utf8('another content') : undefined;
            if (detached) expect((await verify(message, who, other)).outcome).toBe('bad');
          }
        }
      }
    });

    it('are read in indefinite-length BER', async () => {
      const who = person(name);
      const message = sign(who, '-stream', '-nodetach', '-md', 'sha256');
      expect(message[1]).toBe(0x80);
      expect((await verify(message, who)).outcome).toBe('good');
      expect(parseSignedData(message, defaultLimits).eContent).toEqual(content);
    });

    it('are read without signed attributes, and with SHA-1, by policy', async () => {
      const who = person(name);
      const bare = sign(who, '-noattr', '-md', 'sha256');
      expect((await verify(bare, who, content)).outcome).toBe('bad');
      expect((await verify(bare, who, content, lax)).outcome).toBe('good');
      const old = sign(who, '-md', 'sha1');
      expect((await verify(old, who, content)).outcome).toBe('weak');
      expect((await verify(old, who, content, lax)).outcome).toBe('good');
    });

    it('are written', async () => {
      const who = person(name);
      for (const byKey of [true, false]) {
        for (const detached of [true, false]) {
          const message = await signData({
            content,
            detached,
            signer: { privateKey: who.privateKey, identifier: identifier(who, byKey) },
            certificates: [who.certificate.der],
            signingTime: new Date(),
            crypto,
          });
          const outcome = check(message, who, detached);
          expect(outcome.stderr).toContain('successful');
          expect(outcome.stdout).toEqual(content);
        }
      }
    });
  });

  it.each(['20', '32', 'max'])('PSS with a salt of %s is read', async (salt) => {
    const who = person('rsa');
    const options = ['-keyopt', 'rsa_padding_mode:pss', '-keyopt', `rsa_pss_saltlen:${salt}`, '-md', 'sha256'];
    expect(await verify(sign(who, ...options), who, content)).toMatchObject({
      outcome: 'good',
      algorithm: 'rsa-pss sha256',
    });
  });

  it.each<SignatureAlgorithm>([
    { scheme: 'rsa-pss', hash: 'sha256', saltLength: 32 },
    { scheme: 'rsa-pkcs1v15', hash: 'sha1' },
    { scheme: 'rsa-pkcs1v15', hash: 'sha512' },
  ])('%j is written', async (algorithm) => {
    const who = person('rsa');
    const signer = { privateKey: who.privateKey, identifier: identifier(who, false), algorithm };
    const message = await signData({ content, detached: true, signer, certificates: [who.certificate.der], crypto });
    expect(check(message, who, true).stderr).toContain('successful');
  });

  it('two signers are reported, each judged for itself', async () => {
    const rsa = person('rsa');
    const p256 = person('p256');
    const message = sign(rsa, '-signer', 'p256.pem', '-inkey', 'p256.key', '-md', 'sha256');
    const signedData = parseSignedData(message, limitsWith({ signatures: 2 }));
    expect(signedData.signerInfos).toHaveLength(2);
    expect((await verify(message, rsa, content)).outcome).toBe('good');
    expect((await verify(message, p256, content)).outcome).toBe('good');
  });

  it('certs-only objects go both ways', () => {
    const { certificate } = person('p256');
    tool.file('certs.p7c', serializeCertificates([certificate.der]));
    const printed = Buffer.from(tool.run(['pkcs7', '-inform', 'DER', '-in', 'certs.p7c', '-print_certs'])).toString();
    expect(printed).toContain('CN = p256');
    const theirs = tool.run(['crl2pkcs7', '-nocrl', '-certfile', 'p256.pem', '-outform', 'DER']);
    expect(parseSignedData(theirs, defaultLimits).certificates).toEqual([certificate.der]);
  });

  const encrypt = (cipher: string, ...flags: string[]) =>
    tool.run(['cms', '-encrypt', '-binary', '-in', 'content', '-outform', 'DER', `-${cipher}`, ...flags]);
  async function decrypt(message: Uint8Array, who: Person) {
    const enveloped = parseEnveloped(message, defaultLimits);
    const recipient = enveloped.recipients.find((one) => identifies(one.identifier, who.certificate))!;
    const { privateKey } = who;
    return { enveloped, plain: await decryptEnveloped({ enveloped, recipient, privateKey, crypto }) };
  }

  describe.each(names)('encryption to %s', (name) => {
    const options =
      name === 'rsa'
        ? [
            [],
            ['-keyopt', 'rsa_padding_mode:oaep'],
            ['-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256'],
            ['-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha512', '-keyopt', 'rsa_mgf1_md:sha1'],
            ['-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha1', '-keyopt', 'rsa_mgf1_md:sha256'],
          ]
        : [
            [],
            ['-keyopt', 'ecdh_kdf_md:sha256'],
            ['-keyopt', 'ecdh_kdf_md:sha384'],
            ['-keyopt', 'ecdh_kdf_md:sha512'],
            ['-aes256-wrap'],
          ];
    const ciphers = ['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'des3', 'aes-128-gcm', 'aes-192-gcm', 'aes-256-gcm'];

    it.each(ciphers)('is read, with %s', async (cipher) => {
      const who = person(name);
      for (const flags of options) {
        for (const more of [[], ['-stream'], ['-keyid']]) {
          const message = encrypt(cipher, ...more, '-recip', `${who.name}.pem`, ...flags);
          const { enveloped, plain } = await decrypt(message, who);
          expect(plain).toEqual(content);
          expect(enveloped.encryption.aead).toBe(cipher.endsWith('gcm'));
        }
      }
    });

    it('is written', async () => {
      const who = person(name);
      const { publicKey } = who.certificate;
      for (const cipher of [
        'aes128-cbc',
        'aes192-cbc',
        'aes256-cbc',
        'aes128-gcm',
        'aes192-gcm',
        'aes256-gcm',
      ] as const) {
        for (const keyTransport of ['rsa-oaep', 'rsa-pkcs1v15'] as const) {
          for (const byKey of [true, false]) {
            const recipients = [{ publicKey, identifier: identifier(who, byKey) }];
            tool.file('sealed', await encryptContent({ content, recipients, cipher, keyTransport, crypto }));
            const run = [
              'cms',
              '-decrypt',
              '-binary',
              '-inform',
              'DER',
              '-in',
              'sealed',
              '-recip',
              `${name}.pem`,
              '-inkey',
              `${name}.key`,
            ];
            expect(tool.run(run)).toEqual(content);
          }
        }
      }
    });
  });

  it('to several recipients goes both ways', async () => {
    const all = names.map(person);
    const { plain } = await decrypt(
      encrypt('aes-256-gcm', ...all.flatMap((who) => ['-recip', `${who.name}.pem`])),
      all[3]!,
    );
    expect(plain).toEqual(content);
    const recipients = all.map((who) => ({ publicKey: who.certificate.publicKey, identifier: identifier(who, false) }));
    tool.file('sealed', await encryptContent({ content, recipients, cipher: 'aes256-gcm', crypto }));
    for (const { name } of all) {
      const run = [
        'cms',
        '-decrypt',
        '-inform',
        'DER',
        '-in',
        'sealed',
        '-recip',
        `${name}.pem`,
        '-inkey',
        `${name}.key`,
      ];
      expect(tool.run(run)).toEqual(content);
    }
  });

  it('PWRI and KEK recipients beside ours are skipped', async () => {
    const who = person('p256');
    const kek = ['-secretkey', '000102030405060708090A0B0C0D0E0F', '-secretkeyid', 'C0FEE0'];
    const message = encrypt('aes-128-cbc', ...kek, '-pwri_password', 'tiger', '-recip', 'p256.pem');
    const { enveloped, plain } = await decrypt(message, who);
    expect(plain).toEqual(content);
    expect(enveloped.recipients).toHaveLength(1);
    expect([...enveloped.encryption.keyTransport].sort()).toEqual(['ecdh', 'kek', 'password']);
  });

  it('half a mebibyte is read in pieces', async () => {
    const who = person('p256');
    const big = crypto.randomBytes(65_536);
    const large = concatBytes(...Array.from({ length: 8 }, () => big));
    tool.file('large', large);
    const flags = ['-outform', 'DER', '-aes-256-gcm', '-stream', '-recip', 'p256.pem'];
    const { plain } = await decrypt(tool.run(['cms', '-encrypt', '-binary', '-in', 'large', ...flags]), who);
    expect(Buffer.compare(plain, large)).toBe(0);
  });
});
