/**
 * Writes certificates (RFC 5280 section 4.1) and certification requests (RFC 2986 section 4):
 *
 *     CertificationRequest     ::= SEQUENCE { certificationRequestInfo CertificationRequestInfo,
 *                                             signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
 *     CertificationRequestInfo ::= SEQUENCE { version INTEGER (0), subject Name,
 *                                             subjectPKInfo SubjectPublicKeyInfo, attributes [0] IMPLICIT SET OF Attribute }
 */

import { oids } from '../asn1/oids.ts';
import { tags } from '../asn1/reader.ts';
import { timeElement } from '../asn1/time.ts';
import {
  type DerPart,
  der,
  derBitString,
  derContext,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  derTrue,
  encodeDer,
} from '../asn1/writer.ts';
import { utf8 } from '../bytes.ts';
import type { CryptoProvider, PrivateKey, PublicKey, SignatureAlgorithm } from '../crypto/provider.ts';
import { serializeSignatureAlgorithm } from '../crypto/signature-algorithm.ts';
import { type KeyUsage, keyUsages } from './certificate-extensions.ts';
import { serializeExtension } from './extension.ts';

/** A key that signs a certificate or request. */
export interface CertificateSigner {
  readonly key: PrivateKey;
  readonly algorithm: SignatureAlgorithm;
}

/** What a new certificate says. */
export interface CertificateContent {
  /** Big-endian, positive, at most 20 octets (section 4.1.2.2). */
  readonly serial: Uint8Array;
  /** DER names; see {@link commonName}. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: PublicKey;
  /** Written by {@link serializeExtension} or one of the functions below; empty for none. */
  readonly extensions: readonly DerPart[];
}

/**
 * Writes and signs a certificate of version 3.
 *
 * @returns DER
 */
export async function signCertificate(
  content: CertificateContent,
  signer: CertificateSigner,
  crypto: CryptoProvider,
): Promise<Uint8Array> {
  const algorithm = serializeSignatureAlgorithm(signer.algorithm);
  const tbs = encodeDer(
    derSequence(
      derContext(0, derInteger(2)),
      derInteger(content.serial),
      algorithm,
      content.issuer,
      derSequence(timeElement(content.notBefore), timeElement(content.notAfter)),
      content.subject,
      content.publicKey.spki,
      ...(content.extensions.length === 0 ? [] : [derContext(3, derSequence(...content.extensions))]),
    ),
  );
  return signed(tbs, algorithm, signer, crypto);
}

/**
 * Writes and signs a certification request.
 *
 * @param subject a DER name
 * @param extensions asked for (RFC 2985 section 5.4.2); empty for none
 * @returns DER
 */
export async function signCertificationRequest(
  subject: Uint8Array,
  publicKey: PublicKey,
  extensions: readonly DerPart[],
  signer: CertificateSigner,
  crypto: CryptoProvider,
): Promise<Uint8Array> {
  const extensionRequest = derSequence(derOid('1.2.840.113549.1.9.14'), derSetOf([derSequence(...extensions)]));
  const info = encodeDer(
    derSequence(
      derInteger(0),
      subject,
      publicKey.spki,
      derContext(0, ...(extensions.length === 0 ? [] : [extensionRequest])),
    ),
  );
  return signed(info, serializeSignatureAlgorithm(signer.algorithm), signer, crypto);
}

async function signed(
  tbs: Uint8Array,
  algorithm: DerPart,
  signer: CertificateSigner,
  crypto: CryptoProvider,
): Promise<Uint8Array> {
  const signature = await crypto.sign(signer.key, signer.algorithm, tbs);
  return encodeDer(derSequence(tbs, algorithm, derBitString(signature)));
}

/**
 * A name of one commonName (UTF8String), cut to the 64 characters that RFC 5280 appendix A.1 allows.
 *
 * @param text well-formed
 */
export function commonName(text: string): Uint8Array {
  const value = der(tags.utf8String, utf8(Array.from(text).slice(0, 64).join('')));
  return encodeDer(derSequence(derSetOf([derSequence(derOid(oids.commonName), value)])));
}

/** A critical basicConstraints extension. */
export function basicConstraintsExtension(ca: boolean, pathLength?: number): DerPart {
  const parts: DerPart[] = ca ? [derTrue] : [];
  if (pathLength !== undefined) parts.push(derInteger(pathLength));
  return serializeExtension(oids.basicConstraints, true, derSequence(...parts));
}

/** A critical keyUsage extension: a named bit list without trailing zeros (X.690 section 11.2.2). */
export function keyUsageExtension(usages: readonly KeyUsage[]): DerPart {
  const bits = usages.map((usage) => keyUsages.indexOf(usage));
  const last = Math.max(...bits);
  const octets = new Uint8Array(2 + (last >> 3));
  octets[0] = 7 - (last & 7);
  for (const bit of bits) octets[1 + (bit >> 3)]! |= 0x80 >> (bit & 7);
  return serializeExtension(oids.keyUsage, true, der(tags.bitString, octets));
}

/** An extendedKeyUsage extension. */
export function extendedKeyUsageExtension(purposes: readonly string[]): DerPart {
  return serializeExtension(oids.extKeyUsage, false, derSequence(...purposes.map(derOid)));
}

/** The key identifier of a key (section 4.2.1.2 (1)): SHA-1 of the content of subjectPublicKey. */
export async function keyIdentifier(publicKey: PublicKey, crypto: CryptoProvider): Promise<Uint8Array> {
  return crypto.digest('sha1', publicKey.subjectPublicKey);
}

/** A subjectKeyIdentifier extension. */
export function subjectKeyIdExtension(keyId: Uint8Array): DerPart {
  return serializeExtension(oids.subjectKeyIdentifier, false, derOctetString(keyId));
}

/** An authorityKeyIdentifier extension. */
export function authorityKeyIdExtension(keyId: Uint8Array): DerPart {
  return serializeExtension(oids.authorityKeyIdentifier, false, derSequence(der(0x80, keyId)));
}
