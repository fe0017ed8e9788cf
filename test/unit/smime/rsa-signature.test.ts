/**
 * How RSA keys sign: the option `rsaSignature` for keys under rsaEncryption, and keys under id-RSASSA-PSS, which make
 * PSS signatures alone and may be restricted further (RFC 4055 sections 1.2 and 3.3). OpenSSL makes the keys.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExternalPrivateKey } from '../../../src/backends/backend.ts';
import { smime, type SmimeOptions } from '../../../src/backends/smime/index.ts';
import { parseSignedEntity } from '../../../src/backends/smime/verify.ts';
import { base64Decode } from '../../../src/bytes.ts';
import { signatureAlgorithmOf } from '../../../src/crypto/signature-algorithm.ts';
import { hashOf } from '../../../src/crypto/hash-algorithm.ts';
import { parsePrivateKey } from '../../../src/crypto/private-key.ts';
import type { SignatureAlgorithm } from '../../../src/crypto/provider.ts';
import { webCrypto } from '../../../src/crypto/web.ts';
import { E2eError } from '../../../src/errors.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { parseEntity } from '../../../src/mime/entity.ts';
import { parseMultipart } from '../../../src/mime/multipart.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { hasProgram } from '../../shared-data.ts';
import { crypto } from '../x509/support.ts';
import { openssl } from './openssl.ts';
import { at, backendOf, entityOf, person, type Person, storeOf, strict, text } from './support.ts';

const limits = defaultLimits;

function algorithmOf(signed: Uint8Array): SignatureAlgorithm | undefined {
  const [signerInfo] = parseSignedEntity(entityOf(signed), limits).signedData.signerInfos;
  return signatureAlgorithmOf(signerInfo!.signatureAlgorithm, hashOf(signerInfo!.digestAlgorithm));
}

const signing = (signer: Person, when = at) =>
  ({ ...strict, at: when, content: text, signer: signer.jid, recipients: [], includeCertificate: true }) as const;

async function outcome(signed: Uint8Array, signer: Person, when = at): Promise<string> {
  const request = { ...strict, at: when, entity: entityOf(signed), sender: signer.jid, me: undefined };
  return (await backendOf({ filed: [signer] }).verify(request)).signatures[0]!.outcome;
}

describe('the option rsaSignature', () => {
  let juliet: Person;
  beforeAll(async () => {
    juliet = await person('juliet@capulet.example', 'rsa2048');
  });

  const rows: readonly [SmimeOptions['rsaSignature'], SignatureAlgorithm, string][] = [
    [undefined, { scheme: 'rsa-pkcs1v15', hash: 'sha256' }, 'sha-256'],
    [{ scheme: 'rsa-pkcs1v15' }, { scheme: 'rsa-pkcs1v15', hash: 'sha256' }, 'sha-256'],
    [{ scheme: 'rsa-pkcs1v15', hash: 'sha384' }, { scheme: 'rsa-pkcs1v15', hash: 'sha384' }, 'sha-384'],
    [{ scheme: 'rsa-pkcs1v15', hash: 'sha512' }, { scheme: 'rsa-pkcs1v15', hash: 'sha512' }, 'sha-512'],
    [{ scheme: 'rsa-pss' }, { scheme: 'rsa-pss', hash: 'sha256', saltLength: 32 }, 'sha-256'],
    [{ scheme: 'rsa-pss', hash: 'sha384' }, { scheme: 'rsa-pss', hash: 'sha384', saltLength: 48 }, 'sha-384'],
    [{ scheme: 'rsa-pss', hash: 'sha512' }, { scheme: 'rsa-pss', hash: 'sha512', saltLength: 64 }, 'sha-512'],
  ];

  it.each(rows)('%j', async (rsaSignature, algorithm, micalg) => {
    for (const provider of [crypto, webCrypto()]) {
      const signed = await backendOf({ own: [juliet] }, { rsaSignature, crypto: provider }).sign({
        ...signing(juliet),
        profile: 'modern',
      });
      expect(algorithmOf(signed)).toEqual(algorithm);
      expect(Buffer.from(signed).toString('latin1')).toContain(`micalg=${micalg}`);
      expect(await outcome(signed, juliet)).toBe('good');
      const other = await person('juliet@capulet.example', 'rsa2048');
      expect(await outcome(signed, other)).not.toBe('good');
    }
  });

  it('does not change the profile of RFC 3923, nor keys of other kinds', async () => {
    const rsaSignature = { scheme: 'rsa-pss', hash: 'sha512' } as const;
    const old = await backendOf({ own: [juliet] }, { rsaSignature }).sign({ ...signing(juliet), profile: 'rfc3923' });
    expect(algorithmOf(old)).toEqual({ scheme: 'rsa-pkcs1v15', hash: 'sha1' });
    const nurse = await person('nurse@capulet.example', 'p256');
    const signed = await backendOf({ own: [nurse] }, { rsaSignature }).sign({ ...signing(nurse), profile: 'modern' });
    expect(algorithmOf(signed)).toEqual({ scheme: 'ecdsa', hash: 'sha256' });
  });

  it('is told to a key service', async () => {
    const key = parsePrivateKey(parsePem(juliet.identity.keys as Uint8Array)[0]!.der);
    const asked: string[] = [];
    const keys: ExternalPrivateKey = {
      async sign(data, hash, scheme) {
        asked.push(`${scheme} ${hash}`);
        const salt = { sha256: 32, sha384: 48, sha512: 64 }[hash];
        return crypto.sign(key, { scheme: scheme as 'rsa-pss', hash, saltLength: salt }, data);
      },
    };
    const own = [{ jid: juliet.jid, identity: { keys, certificates: juliet.identity.certificates } }];
    for (const scheme of ['rsa-pss', 'rsa-pkcs1v15'] as const) {
      const backend = backendOf({ own }, { rsaSignature: { scheme, hash: 'sha384' } });
      expect(await outcome(await backend.sign({ ...signing(juliet), profile: 'modern' }), juliet)).toBe('good');
    }
    expect(asked).toEqual(['rsa-pss sha384', 'rsa-pkcs1v15 sha384']);
  });

  it.each([{ scheme: 'pss' }, { scheme: 'rsa-pss', hash: 'sha1' }, { scheme: 'rsa-pss', salt: 0 }, {}])(
    'refuses %j',
    (rsaSignature) => {
      expect(() => smime({ store: storeOf({}), rsaSignature: rsaSignature as never })).toThrow(TypeError);
    },
  );
});

const configuration = `
[req]
distinguished_name = dn
[dn]
[ee]
keyUsage = critical,digitalSignature
extendedKeyUsage = emailProtection
subjectAltName = otherName:1.3.6.1.5.5.7.8.5;UTF8:juliet@capulet.example
`;

describe.skipIf(!hasProgram('openssl', 'version'))('keys under id-RSASSA-PSS', () => {
  const tool = openssl();
  const now = new Date(Date.now() + 3_600_000);
  const restrict = (hash: string, salt: number): string[] =>
    [`rsa_pss_keygen_md:${hash}`, `rsa_pss_keygen_mgf1_md:${hash}`, `rsa_pss_keygen_saltlen:${salt}`].flatMap(
      (option) => ['-pkeyopt', option],
    );
  const make = (name: string, restriction: readonly string[], digest: string): Person => {
    const options = ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048', ...restriction];
    const key = tool.file(`${name}.key`, tool.run(['genpkey', ...options]));
    const config = tool.file('pss.cnf', configuration);
    const request = ['req', '-x509', '-new', '-key', key, '-subj', '/CN=juliet', '-days', '9', `-${digest}`];
    const certificates = tool.run([...request, '-config', config, '-extensions', 'ee']);
    tool.file(`${name}.pem`, certificates);
    return {
      jid: Jid.parse('juliet@capulet.example'),
      identity: { keys: tool.run(['pkey', '-in', key]), certificates },
    };
  };

  it.each([
    ['unrestricted', [], 'sha256', { hash: 'sha256', saltLength: 32 }],
    ['sha256 and 32 octets', restrict('sha256', 32), 'sha256', { hash: 'sha256', saltLength: 32 }],
    ['sha384 and 20 octets', restrict('sha384', 20), 'sha384', { hash: 'sha384', saltLength: 48 }],
    ['sha512 and 100 octets', restrict('sha512', 100), 'sha512', { hash: 'sha512', saltLength: 100 }],
  ] as const)('%s: we sign what OpenSSL takes and the other way round', async (name, restriction, digest, expected) => {
    const file = name.replaceAll(' ', '-');
    const juliet = make(file, restriction, digest);
    for (const provider of [crypto, webCrypto()]) {
      const backend = backendOf({ own: [juliet] }, { crypto: provider });
      const signed = await backend.sign({ ...signing(juliet, now), profile: 'modern' });
      expect(algorithmOf(signed)).toEqual({ scheme: 'rsa-pss', ...expected });
      expect(await outcome(signed, juliet, now)).toBe('good');
      const [content, second] = parseMultipart(parseEntity(signed, { limits }), { limits, parts: 2 });
      const signature = tool.file('signature', base64Decode(parseEntity(second!, { limits }).body));
      const from = ['-inform', 'DER', '-in', signature, '-content', tool.file('content', content!)];
      tool.run(['cms', '-verify', '-binary', '-CAfile', `${file}.pem`, '-purpose', 'any', ...from]);
    }
    const by = ['-signer', `${file}.pem`, '-inkey', `${file}.key`, '-md', digest];
    const pss = ['-keyopt', 'rsa_padding_mode:pss', '-keyopt', `rsa_pss_saltlen:${expected.saltLength}`];
    const theirs = tool.run(['cms', '-sign', '-binary', '-nodetach', '-outform', 'DER', ...by, ...pss], text);
    expect(await outcome(wrapped(theirs), juliet, now)).toBe('good');
  });

  it('a signature outside of the restrictions is none', async () => {
    const juliet = make('strict', restrict('sha384', 48), 'sha384');
    // The same key under an identifier without restrictions, as somebody who has it could write.
    const bare = tool.run(['rsa', '-in', 'strict.key', '-traditional']);
    const der = parsePem(bare)[0]!.der;
    const { signData } = await import('../../../src/cms/sign.ts');
    const { parseCertificate } = await import('../../../src/x509/certificate.ts');
    const certificate = parseCertificate(parsePem(juliet.identity.certificates)[0]!.der, limits);
    const pkcs8 = tool.run(['pkcs8', '-topk8', '-nocrypt', '-inform', 'DER', '-outform', 'DER'], der);
    const privateKey = parsePrivateKey(pkcs8);
    const sign = (algorithm: SignatureAlgorithm) =>
      signData({
        content: text,
        detached: false,
        signer: {
          privateKey,
          identifier: { kind: 'issuer-and-serial', issuer: certificate.issuer.raw, serial: certificate.serial },
          algorithm,
        },
        certificates: [certificate.der],
        crypto,
      });
    const verdicts: string[] = [];
    for (const algorithm of [
      { scheme: 'rsa-pss', hash: 'sha384', saltLength: 48 },
      { scheme: 'rsa-pss', hash: 'sha384', saltLength: 47 },
      { scheme: 'rsa-pss', hash: 'sha256', saltLength: 48 },
      { scheme: 'rsa-pss', hash: 'sha512', saltLength: 64 },
      { scheme: 'rsa-pkcs1v15', hash: 'sha384' },
    ] as const) {
      verdicts.push(await outcome(wrapped(await sign(algorithm)), juliet, now));
    }
    expect(verdicts).toEqual(['good', 'bad', 'bad', 'bad', 'bad']);
  });

  it('that allow SHA-1 alone do not sign', async () => {
    const juliet = make('sha1', restrict('sha1', 20), 'sha1');
    const request = backendOf({ own: [juliet] }).sign({ ...signing(juliet, now), profile: 'modern' });
    const error = await request.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(E2eError);
    expect(error).toMatchObject({ code: 'ERR_E2E_NO_SIGNING_KEY' });
  });
});

/** Opaque signed data as an entity. */
function wrapped(cms: Uint8Array): Uint8Array {
  const head =
    'Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n';
  const lines = Buffer.from(cms)
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\r\n');
  return new Uint8Array(Buffer.from(head + lines));
}
