/**
 * Writes CMS SignedData (RFC 5652 section 5) field by field, right or wrong, for attacks and odd but allowed forms. It
 * shares nothing with the codec under test but the DER writer.
 */
import { createHash } from 'node:crypto';
import { oids } from '../../../src/asn1/oids.ts';
import { timeElement } from '../../../src/asn1/time.ts';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { base64Encode, concatBytes, utf8 } from '../../../src/bytes.ts';
import type { SignatureAlgorithm } from '../../../src/crypto/provider.ts';
import { serializeSignatureAlgorithm } from '../../../src/crypto/signature-algorithm.ts';
import { crypto, type Issued } from '../x509/support.ts';

type Hash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

export interface ForgedSigner {
  readonly signer: Issued;
  readonly algorithm: SignatureAlgorithm;
  readonly digest?: Hash | undefined;
  /** Names another digest than the one used. */
  readonly digestOid?: string | undefined;
  /** What the digest and the signature are about; the content of the message unless given. */
  readonly signedContent?: Uint8Array | undefined;
  /** The signed attributes; `null` for none. Those of RFC 5652 section 11 unless given. */
  readonly attributes?: ((digest: Uint8Array) => readonly DerPart[]) | null | undefined;
  readonly unsignedAttributes?: readonly DerPart[] | undefined;
  readonly sid?: 'issuer' | 'key' | DerPart | undefined;
  /** Replaces the signature. */
  readonly signature?: Uint8Array | undefined;
  /** Keeps the attributes in the order given, which need not be that of DER. */
  readonly unordered?: boolean | undefined;
}

export interface ForgedMessage {
  readonly signers: readonly ForgedSigner[];
  readonly content: Uint8Array;
  /** Inside the CMS object; detached unless given. */
  readonly eContent?: Uint8Array | undefined;
  readonly eContentType?: string | undefined;
  readonly certificates?: readonly Uint8Array[] | undefined;
  readonly crls?: readonly Uint8Array[] | undefined;
  readonly trailing?: Uint8Array | undefined;
}

export const ed25519: Pick<ForgedSigner, 'algorithm' | 'digest'> = {
  algorithm: { scheme: 'ed25519' },
  digest: 'sha512',
};

export function attribute(oid: string, ...values: readonly DerPart[]): DerPart {
  return derSequence(derOid(oid), der(0x31, ...values));
}

export const contentTypeAttribute = (oid: string = oids.data): DerPart => attribute(oids.contentType, derOid(oid));
export const digestAttribute = (digest: Uint8Array): DerPart => attribute(oids.messageDigest, derOctetString(digest));
export const timeAttribute = (at: Date): DerPart => attribute(oids.signingTime, timeElement(at));

export function hashOf(hash: Hash, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(data).digest());
}

/** The usual attributes. */
export const usual = (digest: Uint8Array): readonly DerPart[] => [contentTypeAttribute(), digestAttribute(digest)];

/** The DER of signed attributes as they are hashed: a SET OF. */
export function attributeSet(attributes: readonly DerPart[], unordered = false): Uint8Array {
  return encodeDer(unordered ? der(0x31, ...attributes) : derSetOf(attributes));
}

async function signerInfo(message: ForgedMessage, one: ForgedSigner): Promise<DerPart> {
  const { signer, algorithm, digest = 'sha256', attributes = usual, sid = 'issuer' } = one;
  const { certificate, keys } = signer;
  const data = one.signedContent ?? message.content;
  const set = attributes === null ? undefined : attributeSet(attributes(hashOf(digest, data)), one.unordered === true);
  const signature = one.signature ?? (await crypto.sign(keys.privateKey, algorithm, set ?? data));
  const identifier =
    sid === 'issuer'
      ? derSequence(certificate.issuer.raw, der(2, certificate.serial))
      : sid === 'key'
        ? der(0x80, certificate.subjectKeyId!)
        : sid;
  return derSequence(
    derInteger(sid === 'key' ? 3 : 1),
    identifier,
    derSequence(derOid(one.digestOid ?? oids[digest])),
    ...(set === undefined ? [] : [asContext0(set)]),
    algorithm.scheme === 'rsa-pkcs1v15'
      ? derSequence(derOid(oids.rsaEncryption), derNull)
      : serializeSignatureAlgorithm(algorithm),
    derOctetString(signature),
    ...(one.unsignedAttributes === undefined ? [] : [derContext(1, ...one.unsignedAttributes)]),
  );
}

function asContext0(set: Uint8Array): Uint8Array {
  const copy = set.slice();
  copy[0] = 0xa0;
  return copy;
}

/** Writes the message. */
export async function forge(message: ForgedMessage): Promise<Uint8Array> {
  const { signers, eContent, eContentType = oids.data } = message;
  const infos: DerPart[] = [];
  for (const one of signers) infos.push(await signerInfo(message, one));
  const digests = signers.map(({ digest = 'sha256' }) => derSequence(derOid(oids[digest])));
  const certificates = message.certificates ?? signers.map(({ signer }) => signer.certificate.der);
  const signed = derSequence(
    derInteger(1),
    der(0x31, ...digests),
    derSequence(derOid(eContentType), ...(eContent === undefined ? [] : [derContext(0, derOctetString(eContent))])),
    ...(certificates.length === 0 ? [] : [derContext(0, ...certificates)]),
    ...(message.crls === undefined ? [] : [derContext(1, ...message.crls)]),
    der(0x31, ...infos),
  );
  const object = encodeDer(derSequence(derOid(oids.signedData), derContext(0, signed)));
  return message.trailing === undefined ? object : concatBytes(object, message.trailing);
}

/** A multipart/signed around content and a detached signature (RFC 8551 section 3.5.3). */
export function multipartSigned(content: Uint8Array, cms: Uint8Array, micalg = 'sha-256'): Uint8Array {
  return concatBytes(
    utf8(
      `Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=${micalg}; boundary=b0\r\n\r\n--b0\r\n`,
    ),
    content,
    utf8(
      '\r\n--b0\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n',
    ),
    base64Encode(cms, 64),
    utf8('\r\n--b0--\r\n'),
  );
}

/** An application/pkcs7-mime entity. */
export function pkcs7Mime(cms: Uint8Array, smimeType = 'signed-data'): Uint8Array {
  return concatBytes(
    utf8(
      `Content-Type: application/pkcs7-mime; smime-type=${smimeType}; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n`,
    ),
    base64Encode(cms, 64),
  );
}
