/** The CMS codec beside pkijs, where that one works: what it writes is read, what is written it reads. */
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { type CertificateIdentifier, identifies } from '../../src/cms/certificate-identifier.ts';
import { decryptEnveloped } from '../../src/cms/decrypt.ts';
import { encryptContent } from '../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { signData } from '../../src/cms/sign.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { verifySigner } from '../../src/cms/verify.ts';
import type { KeyPairKind, KeyPair, SignatureAlgorithm } from '../../src/crypto/provider.ts';
import { defaultLimits } from '../../src/limits.ts';
import { type Certificate, parseCertificate } from '../../src/x509/certificate.ts';
import {
  commonName,
  keyIdentifier,
  signCertificate,
  subjectKeyIdExtension,
} from '../../src/x509/certificate-writer.ts';
import { defaultSignatureAlgorithm } from '../../src/cms/sign.ts';
import { nodeCrypto as crypto } from '../../src/crypto/node.ts';

const content = utf8('Content-Type: text/plain\r\n\r\nWherefore art thou?\r\n');
const policy = { sha1Signatures: false, unsignedAttributes: false };
const engine = new pkijs.CryptoEngine({ name: 'webcrypto', crypto: globalThis.crypto });
const buffer = (octets: Uint8Array): ArrayBuffer => octets.slice().buffer;

interface Person {
  readonly keys: KeyPair;
  readonly certificate: Certificate;
  readonly theirs: pkijs.Certificate;
}

const kinds = {
  rsa: { algorithm: 'rsa', bits: 2048 },
  p256: { algorithm: 'ec', curve: 'p256' },
  p384: { algorithm: 'ec', curve: 'p384' },
  p521: { algorithm: 'ec', curve: 'p521' },
} as const satisfies Record<string, KeyPairKind>;
type Name = keyof typeof kinds;
const names = Object.keys(kinds) as readonly Name[];
const curves = { p256: 'P-256', p384: 'P-384', p521: 'P-521' } as const;

const people = new Map<Name, Promise<Person>>();
function person(name: Name): Promise<Person> {
  let found = people.get(name);
  if (found === undefined) people.set(name, (found = make(name)));
  return found;
}

async function make(name: Name): Promise<Person> {
  const keys = await crypto.generateKeyPair(kinds[name]);
  const subject = commonName(name);
  const octets = await signCertificate(
    {
      serial: Uint8Array.of(0x42),
      issuer: subject,
      subject,
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2036-01-01T00:00:00Z'),
      publicKey: keys.publicKey,
      extensions: [subjectKeyIdExtension(await keyIdentifier(keys.publicKey, crypto))],
    },
    { key: keys.privateKey, algorithm: defaultSignatureAlgorithm(keys.publicKey) },
    crypto,
  );
  const theirs = pkijs.Certificate.fromBER(buffer(octets));
  return { keys, certificate: parseCertificate(octets, defaultLimits), theirs };
}

function named({ issuer, serial }: Certificate): CertificateIdentifier {
  return { kind: 'issuer-and-serial', issuer: issuer.raw, serial };
}

function signingKey({ privateKey }: KeyPair, { scheme }: SignatureAlgorithm, hash: string): Promise<CryptoKey> {
  const { curve } = privateKey;
  const algorithm =
    curve !== undefined
      ? { name: 'ECDSA', namedCurve: curves[curve] }
      : { name: scheme === 'rsa-pss' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash };
  return globalThis.crypto.subtle.importKey('pkcs8', buffer(privateKey.pkcs8), algorithm, false, ['sign']);
}

describe('signatures', () => {
  const hashes = ['SHA-256', 'SHA-384', 'SHA-512'];

  it.each(names)('of pkijs are read: %s', async (name) => {
    const { keys, certificate, theirs } = await person(name);
    for (const hash of hashes) {
      for (const detached of [true, false]) {
        const signedData = new pkijs.SignedData({
          version: 1,
          encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: '1.2.840.113549.1.7.1' }),
          certificates: [theirs],
          signerInfos: [
            new pkijs.SignerInfo({
              version: 1,
              sid: new pkijs.IssuerAndSerialNumber({ issuer: theirs.issuer, serialNumber: theirs.serialNumber }),
              signedAttrs: new pkijs.SignedAndUnsignedAttributes({
                type: 0,
                attributes: [
                  new pkijs.Attribute({
                    type: '1.2.840.113549.1.9.3',
                    values: [new asn1js.ObjectIdentifier({ value: '1.2.840.113549.1.7.1' })],
                  }),
                  new pkijs.Attribute({
                    type: '1.2.840.113549.1.9.4',
                    values: [
                      new asn1js.OctetString({
                        valueHex: await globalThis.crypto.subtle.digest(hash, buffer(content)),
                      }),
                    ],
                  }),
                ],
              }),
            }),
          ],
        });
        if (!detached) {
          signedData.encapContentInfo.eContent = new asn1js.OctetString({ valueHex: buffer(content) });
        }
        const key = await signingKey(keys, defaultSignatureAlgorithm(keys.publicKey), hash);
        await signedData.sign(key, 0, hash, buffer(content), engine);
        const info = new pkijs.ContentInfo({ contentType: '1.2.840.113549.1.7.2', content: signedData.toSchema(true) });
        const parsed = parseSignedData(new Uint8Array(info.toSchema().toBER()), defaultLimits);
        const verdict = await verifySigner({
          signedData: parsed,
          signerInfo: parsed.signerInfos[0]!,
          content: detached ? content : undefined,
          publicKey: certificate.publicKey,
          crypto,
          policy,
        });
        expect(verdict).toMatchObject({ outcome: 'good' });
      }
    }
  });

  it.each(names)('are read by pkijs: %s', async (name) => {
    const { keys, certificate } = await person(name);
    for (const detached of [true, false]) {
      const message = await signData({
        content,
        detached,
        signer: { privateKey: keys.privateKey, identifier: named(certificate) },
        certificates: [certificate.der],
        signingTime: new Date('2026-06-01T00:00:00Z'),
        crypto,
      });
      const theirs = new pkijs.SignedData({ schema: pkijs.ContentInfo.fromBER(buffer(message)).content });
      const data = detached ? { data: buffer(content) } : {};
      expect(await theirs.verify({ signer: 0, checkChain: false, ...data }, engine)).toBe(true);
      if (detached) {
        const other = theirs.verify({ signer: 0, checkChain: false, data: buffer(utf8('other')) }, engine);
        await expect(other).rejects.toThrow("Message digest doesn't match");
      }
    }
  });
});

describe('encryption', () => {
  const ciphers = [
    { name: 'AES-CBC', length: 128 },
    { name: 'AES-CBC', length: 256 },
  ] as const;

  it.each(names)('of pkijs is read: %s', async (name) => {
    const { keys, certificate, theirs } = await person(name);
    for (const cipher of ciphers) {
      const enveloped = new pkijs.EnvelopedData();
      enveloped.addRecipientByCertificate(
        theirs,
        { oaepHashAlgorithm: 'SHA-256', kdfAlgorithm: 'SHA-256' },
        undefined,
        engine,
      );
      await enveloped.encrypt(cipher, buffer(content), engine);
      const info = new pkijs.ContentInfo({ contentType: '1.2.840.113549.1.7.3', content: enveloped.toSchema() });
      const parsed = parseEnveloped(new Uint8Array(info.toSchema().toBER()), defaultLimits);
      const recipient = parsed.recipients.find((one) => identifies(one.identifier, certificate))!;
      const { privateKey } = keys;
      expect(await decryptEnveloped({ enveloped: parsed, recipient, privateKey, crypto })).toEqual(content);
    }
  });

  // Key agreement without ukm it cannot read, and AuthEnvelopedData it does not have.
  it.each(['aes128-cbc', 'aes256-cbc'] as const)('is read by pkijs: rsa, %s', async (cipher) => {
    const { keys, certificate, theirs } = await person('rsa');
    const recipients = [{ publicKey: keys.publicKey, identifier: named(certificate) }];
    const message = await encryptContent({ content, cipher, recipients, crypto });
    const enveloped = new pkijs.EnvelopedData({ schema: pkijs.ContentInfo.fromBER(buffer(message)).content });
    const recipientPrivateKey = buffer(keys.privateKey.pkcs8);
    const plain = await enveloped.decrypt(0, { recipientCertificate: theirs, recipientPrivateKey }, engine);
    expect(new Uint8Array(plain)).toEqual(content);
  });
});
