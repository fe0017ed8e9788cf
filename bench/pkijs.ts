/** The same CMS objects by pkijs, as its documentation shows, with certificates and CryptoKeys kept between calls. */
import { webcrypto } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { oids } from '../src/asn1/oids.ts';
import type { Contender } from './contender.ts';
import type { KeyFiles, Pair } from './people.ts';

const subtle = webcrypto.subtle;
const engine = new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as unknown as Crypto });

/** @returns undefined for Curve25519, which pkijs does not have */
export async function pkijsContender(pair: Pair, content: Uint8Array): Promise<Contender | undefined> {
  const { key } = pair.kind;
  if (key === 'ed25519') return undefined;
  const rsa = key !== 'p256';
  const signingAlgorithm = rsa
    ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    : { name: 'ECDSA', namedCurve: 'P-256' };
  const decryptionAlgorithm = rsa ? { name: 'RSA-OAEP', hash: 'SHA-256' } : { name: 'ECDH', namedCurve: 'P-256' };
  const pkcs8 = (files: KeyFiles): Uint8Array<ArrayBuffer> => der(files.keys);
  const signingKey = await subtle.importKey('pkcs8', pkcs8(pair.sender.files), signingAlgorithm, false, ['sign']);
  const decryptionKey = await subtle.importKey('pkcs8', pkcs8(pair.recipient.files), decryptionAlgorithm, false, [
    rsa ? 'decrypt' : 'deriveBits',
  ]);
  const signerCertificate = pkijs.Certificate.fromBER(der(pair.sender.files.certificates));
  const recipientCertificate = pkijs.Certificate.fromBER(der(pair.recipient.files.certificates));
  const plain = Uint8Array.from(content).buffer;

  const makeSignature = async (): Promise<ArrayBuffer> => {
    const digest = await engine.digest({ name: 'SHA-256' }, new Uint8Array(plain));
    const attribute = (type: string, value: asn1js.BaseBlock): pkijs.Attribute =>
      new pkijs.Attribute({ type, values: [value] });
    const signed = new pkijs.SignedData({
      version: 1,
      encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: pkijs.ContentInfo.DATA }),
      certificates: [signerCertificate],
      signerInfos: [
        new pkijs.SignerInfo({
          version: 1,
          sid: new pkijs.IssuerAndSerialNumber({
            issuer: signerCertificate.issuer,
            serialNumber: signerCertificate.serialNumber,
          }),
          signedAttrs: new pkijs.SignedAndUnsignedAttributes({
            type: 0,
            attributes: [
              attribute(oids.contentType, new asn1js.ObjectIdentifier({ value: pkijs.ContentInfo.DATA })),
              attribute(oids.signingTime, new asn1js.UTCTime({ valueDate: new Date() })),
              attribute(oids.messageDigest, new asn1js.OctetString({ valueHex: digest })),
            ],
          }),
        }),
      ],
    });
    await signed.sign(signingKey, 0, 'SHA-256', plain, engine);
    const info = new pkijs.ContentInfo({ contentType: pkijs.ContentInfo.SIGNED_DATA, content: signed.toSchema(true) });
    return info.toSchema().toBER(false);
  };
  const checkSignature = async (signature: ArrayBuffer): Promise<void> => {
    const signed = new pkijs.SignedData({ schema: pkijs.ContentInfo.fromBER(signature).content });
    if (!(await signed.verify({ signer: 0, data: plain }, engine))) throw new Error('pkijs signature does not fit');
  };
  const encryptData = async (data: ArrayBuffer): Promise<ArrayBuffer> => {
    const enveloped = new pkijs.EnvelopedData({ disableSplit: true });
    enveloped.addRecipientByCertificate(
      recipientCertificate,
      { oaepHashAlgorithm: 'SHA-256', kdfAlgorithm: 'SHA-256', kekEncryptionLength: 256 },
      undefined,
      engine,
    );
    // pkijs writes no AuthEnvelopedData.
    const cipher: AesKeyAlgorithm = { name: 'AES-CBC', length: 256 };
    await enveloped.encrypt(cipher, data, engine);
    const info = new pkijs.ContentInfo({
      contentType: pkijs.ContentInfo.ENVELOPED_DATA,
      content: enveloped.toSchema(),
    });
    return info.toSchema().toBER(false);
  };
  const decryptData = async (data: ArrayBuffer): Promise<ArrayBuffer> => {
    const enveloped = new pkijs.EnvelopedData({ schema: pkijs.ContentInfo.fromBER(data).content });
    const options = { recipientPrivateKey: decryptionKey, recipientCertificate };
    return enveloped.decrypt(0, options, engine);
  };

  const signature = await makeSignature();
  const encrypted = await encryptData(plain);
  const sealed = await encryptData(joined(plain, signature));
  return {
    sign: makeSignature,
    verify: () => checkSignature(signature),
    encrypt: () => encryptData(plain),
    decrypt: () => decryptData(encrypted),
    seal: async () => encryptData(joined(plain, await makeSignature())),
    open: async () => checkSignature((await decryptData(sealed)).slice(plain.byteLength)),
  };
}

function joined(...buffers: readonly ArrayBuffer[]): ArrayBuffer {
  return Uint8Array.from(Buffer.concat(buffers.map((buffer) => Buffer.from(buffer)))).buffer;
}

function der(pem: string): Uint8Array<ArrayBuffer> {
  const base64 = /-----BEGIN [^-]+-----([^-]+)-----END/.exec(pem)![1]!;
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}
