/** CMS objects that others published, with the verdicts that came with them. */
import { describe, expect, it } from 'vitest';
import { parseContentInfo } from '../../../src/cms/content-info.ts';
import { decryptContent, decryptEnveloped } from '../../../src/cms/decrypt.ts';
import { type Enveloped, parseEnveloped } from '../../../src/cms/enveloped-data.ts';
import { identifies } from '../../../src/cms/certificate-identifier.ts';
import { parseSignedData } from '../../../src/cms/signed-data.ts';
import { signData } from '../../../src/cms/sign.ts';
import { encryptContent } from '../../../src/cms/encrypt.ts';
import { verifySigner } from '../../../src/cms/verify.ts';
import { hex } from '../../../src/bytes.ts';
import { nodeCrypto as crypto } from '../../../src/crypto/node.ts';
import { type PrivateKey, parsePrivateKey } from '../../../src/crypto/private-key.ts';
import { oids } from '../../../src/asn1/oids.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { type Certificate, parseCertificate } from '../../../src/x509/certificate.ts';
import { corpus, corpusJson, hasCorpus } from '../../shared-data.ts';
import { codeOf, lax, strict, verdictOf } from './support.ts';

/** The DER of the first PEM block of a kind, or the file itself. */
function block(path: string, kind = '[A-Z0-9 ]+'): Uint8Array {
  const file = corpus(path);
  const text = file.toString('latin1');
  const match = new RegExp(`-----BEGIN ${kind}-----([^-]+)-----END`).exec(text);
  if (match !== null) return new Uint8Array(Buffer.from(match[1]!, 'base64'));
  // An S/MIME file: header fields, an empty line, base64.
  const body = /^(?:[A-Za-z-]+:.*\r?\n(?:[ \t].*\r?\n)*)+\r?\n([A-Za-z0-9+/=\s]+)$/.exec(text);
  return new Uint8Array(body === null ? file : Buffer.from(body[1]!, 'base64'));
}

function certificate(path: string): Certificate {
  return parseCertificate(block(path, 'CERTIFICATE'), defaultLimits);
}

function privateKey(path: string): PrivateKey {
  return parsePrivateKey(block(path, 'PRIVATE KEY'));
}

interface CmsCase {
  readonly file: string;
  readonly operation: 'verify' | 'decrypt' | 'parse';
  readonly ok: boolean;
  readonly reason?: string;
}

describe.skipIf(!hasCorpus('openssl-cms'))("the data of OpenSSL's own tests", () => {
  const cases = (
    hasCorpus('openssl-cms') ? (corpusJson('openssl-cms/expected-cms.json') as { cases: CmsCase[] }) : { cases: [] }
  ).cases;
  const file = (name: string): Uint8Array => block(`openssl-cms/cms/${name}`);
  const covered = new Set<string>();

  it.each([
    ['bad_signtime_attr.cms', 'an attribute that must be signed is not'],
    ['no_ct_attr.cms', 'content type missing or of another type'],
    ['no_md_attr.cms', 'message digest missing or of another length'],
    ['ct_multiple_attr.cms', 'attribute occurs twice'],
  ])('%s is bad: %s', async (name, reason) => {
    covered.add(`cms/${name}`);
    const signed = parseSignedData(file(name), defaultLimits);
    const signer = certificateOf(signed.certificates, signed.signerInfos[0]!.identifier);
    for (const policy of [strict, lax]) {
      expect(await verdictOf(file(name), signer.publicKey, { policy })).toMatchObject({ outcome: 'bad', reason });
    }
  });

  it('an MD4 digest is UNSUPPORTED', async () => {
    covered.add('cms/pkcs7-md4.pem');
    const code = await codeOf(async () => {
      const signed = parseSignedData(file('pkcs7-md4.pem'), { ...defaultLimits, signatures: 8 });
      const { publicKey } = certificateOf(signed.certificates, signed.signerInfos[0]!.identifier);
      const signerInfo = signed.signerInfos[0]!;
      await verifySigner({ signedData: signed, signerInfo, content: undefined, publicKey, crypto, policy: lax });
    });
    expect(code).toBe('UNSUPPORTED');
  });

  it.each([
    ['dh-malformed.der', undefined],
    ['ecdh-malformed.der', 'ecdh-key.pem'],
  ])('%s, without usable parameters, opens nothing', async (name, key) => {
    covered.add(`cms/${name}`);
    const code = await codeOf(async () => {
      const enveloped = parseEnveloped(file(name), defaultLimits);
      const recipient = enveloped.recipients[0]!;
      const own = key === undefined ? await anyKey() : privateKey(`openssl-cms/cms/${key}`);
      await decryptEnveloped({ enveloped, recipient, privateKey: own, crypto });
    });
    expect(code).toBe('UNSUPPORTED');
  });

  it('an OAEP label without its octets is MALFORMED', async () => {
    covered.add('cms/rsa-malformed.der');
    expect(await codeOf(() => parseEnveloped(file('rsa-malformed.der'), defaultLimits))).toBe('MALFORMED');
  });

  it('a nonce of 17 octets is MALFORMED', async () => {
    covered.add('cms/encDataWithTooLongIV.pem');
    expect(await codeOf(() => parseEnveloped(file('encDataWithTooLongIV.pem'), defaultLimits))).toBe('MALFORMED');
  });

  it.each([
    ['encryptedData.der', oids.encryptedData],
    ['authenticated_attrs.pem', oids.authData],
  ])('%s is a type that S/MIME does not use', async (name, type) => {
    covered.add(`cms/${name}`);
    expect(parseContentInfo(file(name), { limits: defaultLimits }).contentType).toBe(type);
    expect(await codeOf(() => parseEnveloped(file(name), defaultLimits))).toBe('UNSUPPORTED');
    expect(await codeOf(() => parseSignedData(file(name), defaultLimits))).toBe('UNSUPPORTED');
  });

  describe('AuthEnvelopedData with authenticated attributes', () => {
    const kek = Uint8Array.from(Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'));

    /** The key that the only recipient, one with a key-encryption key, gets. */
    async function keyOf(message: Uint8Array): Promise<Uint8Array> {
      // KEKRecipientInfo ends with the wrapped key: 24 octets behind 04 18.
      const at = Buffer.from(message).indexOf(Buffer.from('0418', 'hex'));
      return (await crypto.unwrapKey(kek, message.subarray(at + 2, at + 26)))!;
    }

    it('opens with them as additional data', async () => {
      covered.add('cms/authenveloped_attrs.pem');
      const message = file('authenveloped_attrs.pem');
      const enveloped = parseEnveloped(message, defaultLimits);
      expect(enveloped).toMatchObject({
        kind: 'auth-enveloped-data',
        recipients: [],
        encryption: { cipher: 'aes128-gcm', aead: true, keyTransport: ['kek'] },
      });
      const content = await decryptContent(enveloped, await keyOf(message), crypto);
      expect(Buffer.from(content).toString()).toBe('Hello AuthEnvelopedData world\n');
      // A reader that forgets them must not get there.
      const forgetful: Enveloped = { ...enveloped, additionalData: undefined };
      expect(await codeOf(async () => decryptContent(forgetful, await keyOf(message), crypto))).toBe(
        'DECRYPTION_FAILED',
      );
    });

    it('does not open with one octet of them changed', async () => {
      covered.add('cms/bad_authenveloped_attrs.pem');
      const message = file('bad_authenveloped_attrs.pem');
      const enveloped = parseEnveloped(message, defaultLimits);
      expect(await codeOf(async () => decryptContent(enveloped, await keyOf(message), crypto))).toBe(
        'DECRYPTION_FAILED',
      );
    });
  });

  it('a message of OpenSSL 1.1.1: SHA-1 KDF, triple DES, indefinite lengths, two recipients', async () => {
    covered.add('cms/ciphertext_from_1_1_1.cms');
    const enveloped = parseEnveloped(file('ciphertext_from_1_1_1.cms'), defaultLimits);
    expect(enveloped.encryption).toMatchObject({ cipher: 'des-ede3-cbc', aead: false });
    const own = certificate('openssl-cms/smime-certs/smec3.pem');
    const recipient = enveloped.recipients.find(({ identifier }) => identifies(identifier, own))!;
    const key = privateKey('openssl-cms/smime-certs/smec3.pem');
    const content = await decryptEnveloped({ enveloped, recipient, privateKey: key, crypto });
    const expected = corpus('openssl-cms/cms/smcont.txt').toString('latin1').replaceAll(/\r?\n/g, '\r\n');
    expect(
      Buffer.from(content)
        .toString('latin1')
        .replace(/^Content-Type: text\/plain\r\n\r\n/, ''),
    ).toBe(expected);
  });

  it('every case of the list was run', () => {
    expect([...covered].sort()).toEqual(cases.map((one) => one.file).sort());
  });

  it('encrypting to an RSA key with an impossible modulus is NO_RECIPIENT_KEY', async () => {
    const { publicKey, issuer, serial } = certificate('openssl-cms/smime-certs/badrsa.pem');
    const identifier = { kind: 'issuer-and-serial', issuer: issuer.raw, serial } as const;
    for (const keyTransport of ['rsa-oaep', 'rsa-pkcs1v15'] as const) {
      expect(
        await codeOf(async () =>
          encryptContent({
            content: new Uint8Array(9),
            recipients: [{ publicKey, identifier }],
            cipher: 'aes128-gcm',
            keyTransport,
            crypto,
          }),
        ),
      ).toBe('NO_RECIPIENT_KEY');
    }
  });
});

function certificateOf(certificates: readonly Uint8Array[], identifier: Parameters<typeof identifies>[0]): Certificate {
  const all = certificates.map((der) => parseCertificate(der, defaultLimits));
  return all.find((one) => identifies(identifier, one))!;
}

async function anyKey(): Promise<PrivateKey> {
  return (await crypto.generateKeyPair({ algorithm: 'ec', curve: 'p256' })).privateKey;
}

describe.skipIf(!hasCorpus('rfc8591'))('the objects of RFC 8591', () => {
  const alice = (): Certificate => certificate('rfc8591/alice.cert.pem');

  it.each([
    ['fig1-signed-with-certificate.der', 1],
    ['fig2-signed-no-certificate.der', 0],
  ])('%s verifies', async (name, certificates) => {
    const message = block(`rfc8591/${name}`);
    const signed = parseSignedData(message, defaultLimits);
    expect(signed.certificates).toHaveLength(certificates);
    expect(Buffer.from(signed.eContent!).toString()).toBe(
      'Content-Type: text/plain\r\n\r\nWatson, come here - I want to see you.\r\n',
    );
    expect(identifies(signed.signerInfos[0]!.identifier, alice())).toBe(true);
    expect(await verdictOf(message, alice().publicKey)).toMatchObject({
      outcome: 'good',
      algorithm: 'ecdsa-p256 sha256',
      signingTime: new Date('2019-01-26T06:13:54Z'),
    });
    const other = signed.eContent!.slice();
    expect(await verdictOf(message, alice().publicKey, { detached: other })).toMatchObject({ outcome: 'bad' });
    const start = Buffer.from(message).indexOf(other);
    for (let i = 0; i < other.length; i++) {
      const changed = message.slice();
      changed[start + i]! ^= 0x20;
      expect(await verdictOf(changed, alice().publicKey)).toMatchObject({ outcome: 'bad' });
    }
  });

  it('the encrypted one is told apart without a key', () => {
    const enveloped = parseEnveloped(block('rfc8591/fig3-auth-enveloped.der'), defaultLimits);
    expect(enveloped.encryption).toEqual({ cipher: 'aes128-gcm', aead: true, keyTransport: ['rsa-pkcs1v15'] });
    expect(enveloped.tag).toHaveLength(16);
    const [recipient] = enveloped.recipients;
    expect(recipient!.encryptedKey).toHaveLength(512);
    expect(recipient!.identifier).toMatchObject({ kind: 'issuer-and-serial', issuer: alice().issuer.raw });
    const { serial } = recipient!.identifier as { readonly serial: Uint8Array };
    expect(BigInt(`0x${hex(serial)}`)).toBe(9508519069068149774n);
  });
});

describe.skipIf(!hasCorpus('rfc-personas'))('the people of RFC 9216', () => {
  it.each(['alice', 'bob', 'carlos', 'dana'])('%s signs and reads', async (name) => {
    const signing = certificate(`rfc-personas/${name}-sign.cert.pem`);
    const reading = certificate(`rfc-personas/${name}-encrypt.cert.pem`);
    const content = new Uint8Array(Buffer.from('Content-Type: text/plain\r\n\r\nhello\r\n'));
    for (const identifier of [
      { kind: 'issuer-and-serial', issuer: signing.issuer.raw, serial: signing.serial },
      { kind: 'key-identifier', keyIdentifier: signing.subjectKeyId! },
    ] as const) {
      const signer = { privateKey: privateKey(`rfc-personas/${name}-sign.key.pem`), identifier };
      const signed = await signData({ content, detached: true, signer, certificates: [signing.der], crypto });
      const { certificates, signerInfos } = parseSignedData(signed, defaultLimits);
      expect(certificates).toEqual([signing.der]);
      expect(identifies(signerInfos[0]!.identifier, signing)).toBe(true);
      expect(await verdictOf(signed, signing.publicKey, { detached: content })).toMatchObject({ outcome: 'good' });
    }
    const identifier = { kind: 'issuer-and-serial', issuer: reading.issuer.raw, serial: reading.serial } as const;
    const sealed = await encryptContent({
      content,
      recipients: [{ publicKey: reading.publicKey, identifier }],
      cipher: 'aes256-gcm',
      crypto,
    });
    const enveloped = parseEnveloped(sealed, defaultLimits);
    const recipient = enveloped.recipients.find((one) => identifies(one.identifier, reading))!;
    const own = privateKey(`rfc-personas/${name}-encrypt.key.pem`);
    expect(await decryptEnveloped({ enveloped, recipient, privateKey: own, crypto })).toEqual(content);
  });
});
