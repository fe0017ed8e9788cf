/**
 * The signed attributes that decide about a signature: RFC 5652 section 11, RFC 6211 (algorithm protection) and
 * RFC 5035 section 4 (signing certificate).
 *
 *     MessageDigest ::= OCTET STRING
 *     SigningTime ::= Time
 *
 *     CMSAlgorithmProtection ::= SEQUENCE {
 *         digestAlgorithm         DigestAlgorithmIdentifier,
 *         signatureAlgorithm  [1] SignatureAlgorithmIdentifier OPTIONAL,
 *         macAlgorithm        [2] MessageAuthenticationCodeAlgorithm OPTIONAL }
 *
 *     SigningCertificateV2 ::= SEQUENCE {
 *         certs     SEQUENCE OF ESSCertIDv2,
 *         policies  SEQUENCE OF PolicyInformation OPTIONAL }
 *
 *     ESSCertIDv2 ::= SEQUENCE {
 *         hashAlgorithm  AlgorithmIdentifier DEFAULT {algorithm id-sha256},
 *         certHash       OCTET STRING,
 *         issuerSerial   IssuerSerial OPTIONAL }
 */

import { type AlgorithmIdentifier, hasNoParameters, parseAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { timeElement, timeValue } from '../asn1/time.ts';
import { expectOid, octetString } from '../asn1/values.ts';
import { type DerElement, type DerPart, der, derOctetString, derOid, derSequence } from '../asn1/writer.ts';
import { equalBytes } from '../bytes.ts';
import { hashOf, serializeHash } from '../crypto/hash-algorithm.ts';
import type { HashName } from '../crypto/provider.ts';
import { type Attributes, serializeAttribute } from './attributes.ts';

/** The certificate that the signer says is its own (ESSCertIDv2). */
export interface SigningCertificate {
  /** undefined for a digest that is not supported. */
  readonly hash: HashName | undefined;
  /** The digest of the whole certificate. */
  readonly digest: Uint8Array;
}

/** What the signed attributes say. */
export interface SignedAttributes {
  /** Dotted decimal; undefined when the attribute is missing. */
  readonly contentType: string | undefined;
  readonly messageDigest: Uint8Array | undefined;
  readonly signingTime: Date | undefined;
  readonly algorithmProtection: AlgorithmProtection | undefined;
  readonly signingCertificateV2: SigningCertificate | undefined;
}

/** The algorithms that the signer used (RFC 6211). */
export interface AlgorithmProtection {
  readonly digestAlgorithm: AlgorithmIdentifier;
  /** undefined for the form that protects a MAC. */
  readonly signatureAlgorithm: AlgorithmIdentifier | undefined;
}

/**
 * Reads the attributes that decide; others are not looked at.
 *
 * @throws {E2eError} MALFORMED, also for more than one value of any of them (RFC 5652 section 11: single-valued)
 */
export function readSignedAttributes({ byType }: Attributes): SignedAttributes {
  const single = <T>(type: string, read: (node: Asn1Node) => T): T | undefined => {
    const values = byType.get(type);
    if (values === undefined) return undefined;
    if (values.length !== 1) throw values[0]!.malformed('attribute with several values');
    return read(values[0]!);
  };
  return {
    contentType: single(oids.contentType, expectOid),
    messageDigest: single(oids.messageDigest, digestValue),
    signingTime: single(oids.signingTime, timeValue),
    algorithmProtection: single(oids.cmsAlgorithmProtect, parseAlgorithmProtection),
    signingCertificateV2: single(oids.signingCertificateV2, parseSigningCertificateV2),
  };
}

function digestValue(node: Asn1Node): Uint8Array {
  if (node.tag !== tags.octetString) throw node.malformed('OCTET STRING expected');
  return octetString(node);
}

function parseAlgorithmProtection(node: Asn1Node): AlgorithmProtection {
  const fields = node.sequence();
  const digestAlgorithm = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  const signature = fields.optional(contextTag(1));
  const mac = fields.optional(contextTag(2));
  fields.end();
  // RFC 6211 section 2: exactly one of the two.
  if ((signature === undefined) === (mac === undefined)) throw node.malformed('CMSAlgorithmProtection');
  return {
    digestAlgorithm,
    signatureAlgorithm: signature === undefined ? undefined : parseAlgorithmIdentifier(signature),
  };
}

function parseSigningCertificateV2(node: Asn1Node): SigningCertificate {
  // RFC 5035 section 3: the first entry is the certificate of the signer.
  const certificate = node.sequence().expect(tags.sequence).children().next().sequence();
  const algorithm = certificate.optional(tags.sequence);
  const hash = algorithm === undefined ? 'sha256' : hashOf(parseAlgorithmIdentifier(algorithm));
  return { hash, digest: octetString(certificate.expect(tags.octetString)) };
}

/** Whether two identifiers name the same algorithm; absent parameters and NULL are the same (RFC 6211 section 3). */
export function sameAlgorithm(a: AlgorithmIdentifier, b: AlgorithmIdentifier): boolean {
  if (a.oid !== b.oid) return false;
  if (hasNoParameters(a) || hasNoParameters(b)) return hasNoParameters(a) && hasNoParameters(b);
  return equalBytes(a.parameters!.raw, b.parameters!.raw);
}

/** What to sign beside the content. */
export interface AttributesToSign {
  /** The digest of the content. */
  readonly messageDigest: Uint8Array;
  readonly digestAlgorithm: DerElement;
  readonly signatureAlgorithm: DerElement;
  readonly signingTime: Date | undefined;
  /** Further attributes. */
  readonly others: readonly DerPart[];
}

/** Writes contentType id-data, messageDigest, signingTime where given, CMSAlgorithmProtection, and others. */
export function serializeSignedAttributes(attributes: AttributesToSign): readonly DerPart[] {
  const { messageDigest, digestAlgorithm, signatureAlgorithm, signingTime, others } = attributes;
  const protection = derSequence(digestAlgorithm, der(0xa1, ...signatureAlgorithm.parts));
  return [
    serializeAttribute(oids.contentType, derOid(oids.data)),
    serializeAttribute(oids.messageDigest, derOctetString(messageDigest)),
    ...(signingTime === undefined ? [] : [serializeAttribute(oids.signingTime, timeElement(signingTime))]),
    serializeAttribute(oids.cmsAlgorithmProtect, protection),
    ...others,
  ];
}

/**
 * Writes the attribute signingCertificateV2.
 *
 * @param hash of the whole certificate
 * @param digest its value
 */
export function serializeSigningCertificateV2(hash: HashName, digest: Uint8Array): DerElement {
  // DER leaves the default out.
  const algorithm = hash === 'sha256' ? [] : [serializeHash(hash)];
  const certificate = derSequence(...algorithm, derOctetString(digest));
  return serializeAttribute(oids.signingCertificateV2, derSequence(derSequence(certificate)));
}
