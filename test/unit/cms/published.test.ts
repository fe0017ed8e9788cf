/** Messages that other people published, with their verdicts. */
import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { octetString } from '../../../src/asn1/values.ts';
import { contextTag, parseBer, tags } from '../../../src/asn1/reader.ts';
import { base64Decode, concatBytes, indexOfBytes, utf8, utf8Decode } from '../../../src/bytes.ts';
import { identifies } from '../../../src/cms/certificate-identifier.ts';
import { decryptContent, decryptEnveloped } from '../../../src/cms/decrypt.ts';
import { type Enveloped, parseEnveloped } from '../../../src/cms/enveloped-data.ts';
import { parseSignedData } from '../../../src/cms/signed-data.ts';
import { type SignerVerdict, verifySigner } from '../../../src/cms/verify.ts';
import { parsePrivateKey } from '../../../src/crypto/private-key.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import { type Certificate, parseCertificate } from '../../../src/x509/certificate.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { corpus, corpusJson, hasCorpus } from '../../shared-data.ts';
import { codeOf, crypto, lax } from './support.ts';

const limits = limitsWith({ certificateBytes: 65_536 });

/** DER, PEM, or a MIME entity in base64. */
function octets(path: string): Uint8Array {
  const file = new Uint8Array(corpus(path));
  if (file[0] === 0x30) return file;
  const [block] = parsePem(file);
  if (block !== undefined) return block.der;
  const blank = /\r?\n\r?\n/.exec(utf8Decode(file))!;
  return base64Decode(file.subarray(blank.index + blank[0].length));
}

function certificate(path: string): Certificate {
  const block = parsePem(corpus(path)).find(({ label }) => label === 'CERTIFICATE')!;
  return parseCertificate(block.der, limits);
}

async function verify(message: Uint8Array, known: readonly Certificate[] = []): Promise<SignerVerdict | 'unknown'> {
  const signedData = parseSignedData(message, limits);
  const [signerInfo] = signedData.signerInfos;
  const carried = signedData.certificates.map((der) => parseCertificate(der, limits));
  const signer = [...carried, ...known].find((one) => identifies(signerInfo!.identifier, one));
  if (signer === undefined) return 'unknown';
  const { publicKey } = signer;
  return verifySigner({ signedData, signerInfo: signerInfo!, content: undefined, publicKey, crypto, policy: lax });
}

interface OpensslCase {
  readonly file: string;
  readonly operation: 'verify' | 'decrypt' | 'parse';
  readonly ok: boolean;
  readonly reason?: string;
  readonly recipientCertificate?: string;
  readonly recipientKey?: string;
  readonly kek?: { readonly keyHex: string };
  readonly content?: string;
  readonly contentFile?: string;
}

describe.skipIf(!hasCorpus('openssl-cms'))("OpenSSL's CMS test data", () => {
  const json = hasCorpus('openssl-cms') ? corpusJson('openssl-cms/expected-cms.json') : [];
  const cases = (Array.isArray(json) ? json : (json as { cases: unknown }).cases) as readonly OpensslCase[];
  const found = (name: string) => cases.find(({ file }) => file === `cms/${name}`)!;

  it('is complete', () => {
    expect(cases).toHaveLength(14);
  });

  it.each([
    ['bad_signtime_attr.cms', 'an attribute that must be signed is not'],
    ['no_ct_attr.cms', 'content type missing or of another type'],
    ['no_md_attr.cms', 'message digest missing or of another length'],
    ['ct_multiple_attr.cms', 'attribute occurs twice'],
  ])('%s: %s', async (name, reason) => {
    expect(found(name).ok).toBe(false);
    expect(await verify(octets(`openssl-cms/cms/${name}`))).toMatchObject({ outcome: 'bad', reason });
  });

  it('pkcs7-md4.pem: MD4 is not supported', async () => {
    expect(await codeOf(() => verify(octets('openssl-cms/cms/pkcs7-md4.pem')))).toBe('UNSUPPORTED');
  });

  it.each(['dh-malformed.der', 'ecdh-malformed.der', 'rsa-malformed.der', 'encDataWithTooLongIV.pem'])(
    '%s: refused before any key is used',
    async (name) => {
      expect(found(name).ok).toBe(false);
      const message = octets(`openssl-cms/cms/${name}`);
      const code = await codeOf(() => {
        const enveloped = parseEnveloped(message, defaultLimits);
        // A key agreement that cannot be read is somebody else's recipient.
        expect(enveloped.recipients.every(({ scheme }) => scheme === undefined)).toBe(true);
        const key = parsePem(corpus(`openssl-cms/${found(name).recipientKey!}`)).find(({ label }) =>
          label.endsWith('KEY'),
        );
        const privateKey = parsePrivateKey(key!.der);
        return decryptEnveloped({ enveloped, recipient: enveloped.recipients[0]!, privateKey, crypto });
      });
      expect(['MALFORMED', 'UNSUPPORTED']).toContain(code);
    },
  );

  it.each(['encryptedData.der', 'authenticated_attrs.pem'])('%s: not a type of S/MIME', async (name) => {
    const message = octets(`openssl-cms/cms/${name}`);
    expect(await codeOf(() => parseEnveloped(message, defaultLimits))).toBe('UNSUPPORTED');
    expect(await codeOf(() => parseSignedData(message, defaultLimits))).toBe('UNSUPPORTED');
  });

  /** The recipient of these has a key-encryption key, which the codec skips: the key is unwrapped here. */
  function kekKey(message: Uint8Array, kek: Uint8Array): Uint8Array {
    const content = parseBer(message, { limits: defaultLimits }).sequence();
    content.expect(tags.oid);
    const fields = content.next().explicit().sequence();
    fields.expect(tags.integer);
    const recipient = fields.expect(tags.set).children().expect(contextTag(2)).children();
    recipient.expect(tags.integer);
    recipient.expect(tags.sequence);
    recipient.expect(tags.sequence);
    const wrapped = octetString(recipient.expect(tags.octetString));
    const unwrap = createDecipheriv('id-aes128-wrap', kek, new Uint8Array(8).fill(0xa6));
    return concatBytes(unwrap.update(wrapped), unwrap.final());
  }

  it.each(['authenveloped_attrs.pem', 'bad_authenveloped_attrs.pem'])('%s: authenticated attributes', async (name) => {
    const { ok, kek, content } = found(name);
    const message = octets(`openssl-cms/cms/${name}`);
    const enveloped: Enveloped = parseEnveloped(message, defaultLimits);
    expect(enveloped.recipients).toEqual([]);
    expect(enveloped.encryption).toEqual({ cipher: 'aes128-gcm', aead: true, keyTransport: ['kek'] });
    expect(enveloped.additionalData?.[0]).toBe(0x31);
    const key = kekKey(message, Buffer.from(kek!.keyHex, 'hex'));
    if (ok) expect(utf8Decode(await decryptContent(enveloped, key, crypto))).toBe(content);
    else expect(await codeOf(() => decryptContent(enveloped, key, crypto))).toBe('DECRYPTION_FAILED');
  });

  it('ciphertext_from_1_1_1.cms: SHA-1 KDF and triple DES, two recipients', async () => {
    const { recipientKey, contentFile } = found('ciphertext_from_1_1_1.cms');
    const blocks = parsePem(corpus(`openssl-cms/${recipientKey!}`));
    const privateKey = parsePrivateKey(blocks.find(({ label }) => label === 'PRIVATE KEY')!.der);
    const own = parseCertificate(blocks.find(({ label }) => label === 'CERTIFICATE')!.der, limits);
    const enveloped = parseEnveloped(octets('openssl-cms/cms/ciphertext_from_1_1_1.cms'), defaultLimits);
    expect(enveloped.encryption).toMatchObject({ cipher: 'des-ede3-cbc', aead: false });
    expect(enveloped.recipients).toHaveLength(2);
    // The certificate was issued anew since, so that its serial number is another.
    const outcomes = await Promise.all(
      enveloped.recipients.map(async (recipient) => {
        if (recipient.kind !== 'key-agreement') return undefined;
        try {
          return await decryptEnveloped({ enveloped, recipient, privateKey, crypto });
        } catch {
          return undefined;
        }
      }),
    );
    expect(own.publicKey.algorithm).toBe('ec');
    const expected = new Uint8Array(corpus(`openssl-cms/${contentFile!}`));
    const canonical = utf8(utf8Decode(expected).replace(/\r?\n/g, '\r\n'));
    const plain = outcomes.find((one) => one !== undefined && indexOfBytes(one, canonical) >= 0);
    expect(plain).toBeDefined();
  });
});

describe.skipIf(!hasCorpus('rfc8591'))('the objects of RFC 8591 section 10', () => {
  const alice = () => certificate('rfc8591/alice.cert.pem');
  // UTCTime 190126061354Z in the octets; the notes beside them have the month wrong.
  const signingTime = new Date('2019-01-26T06:13:54Z');
  const text = 'Content-Type: text/plain\r\n\r\nWatson, come here - I want to see you.\r\n';

  it('figure 1: signed, with certificate', async () => {
    const message = octets('rfc8591/fig1-signed-with-certificate.der');
    expect(await verify(message)).toMatchObject({ outcome: 'good', algorithm: 'ecdsa-p256 sha256', signingTime });
    const signedData = parseSignedData(message, defaultLimits);
    expect(utf8Decode(signedData.eContent!)).toBe(text);
    expect(signedData.certificates).toEqual([alice().der]);
  });

  it('figure 2: signed, without certificate', async () => {
    const message = octets('rfc8591/fig2-signed-no-certificate.der');
    expect(await verify(message)).toBe('unknown');
    expect(await verify(message, [alice()])).toMatchObject({ outcome: 'good', signingTime });
    expect(utf8Decode(parseSignedData(message, defaultLimits).eContent!)).toBe(text);
  });

  it('figures 1 and 2: any changed octet of the content is noticed', async () => {
    for (const figure of ['fig1-signed-with-certificate', 'fig2-signed-no-certificate']) {
      const message = octets(`rfc8591/${figure}.der`);
      const start = indexOfBytes(message, utf8(text));
      for (let i = 0; i < text.length; i++) {
        const changed = message.slice();
        changed[start + i]! ^= 0x20;
        expect(await verify(changed, [alice()])).toMatchObject({ outcome: 'bad' });
      }
    }
  });

  it('figure 3: encrypted and authenticated, to a key that is not published', () => {
    const enveloped = parseEnveloped(octets('rfc8591/fig3-auth-enveloped.der'), defaultLimits);
    expect(enveloped).toMatchObject({
      kind: 'auth-enveloped-data',
      encryption: { cipher: 'aes128-gcm', aead: true, keyTransport: ['rsa-pkcs1v15'] },
      additionalData: undefined,
    });
    expect(enveloped.tag).toHaveLength(16);
    const [recipient] = enveloped.recipients;
    expect(recipient!.encryptedKey).toHaveLength(512);
    const { identifier } = recipient!;
    const serial = identifier.kind === 'issuer-and-serial' ? Buffer.from(identifier.serial).toString('hex') : '';
    expect(BigInt(`0x${serial}`)).toBe(9508519069068149774n);
  });
});
