/**
 * SignedData (RFC 5652 section 5.1) and the certs-only form of it (RFC 8551 section 3.7):
 *
 *     SignedData ::= SEQUENCE {
 *         version               CMSVersion,
 *         digestAlgorithms      SET OF DigestAlgorithmIdentifier,
 *         encapContentInfo      EncapsulatedContentInfo,
 *         certificates      [0] IMPLICIT CertificateSet OPTIONAL,
 *         crls              [1] IMPLICIT RevocationInfoChoices OPTIONAL,
 *         signerInfos           SET OF SignerInfo }
 *
 *     EncapsulatedContentInfo ::= SEQUENCE {
 *         eContentType      ContentType,
 *         eContent      [0] EXPLICIT OCTET STRING OPTIONAL }
 */

import { parseAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { expectOid, octetString, smallInteger } from '../asn1/values.ts';
import {
  type DerElement,
  type DerPart,
  der,
  derContext,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  encodeDer,
} from '../asn1/writer.ts';
import { E2eError, type E2eStage } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { parseContentInfo, serializeContentInfo, unexpectedContentType } from './content-info.ts';
import { type SignerInfo, parseSignerInfo } from './signer-info.ts';

/** The limits that bear on SignedData. */
export type SignedDataLimits = Pick<
  Limits,
  'asn1Depth' | 'oidBytes' | 'certificateBytes' | 'certificates' | 'crls' | 'signatures'
>;

/** A signed object. Nothing in it is verified. */
export interface SignedData {
  /** 1, 3, 4 or 5. */
  readonly version: number;
  /** Dotted decimal. */
  readonly digestAlgorithms: readonly string[];
  /** Dotted decimal. */
  readonly eContentType: string;
  /** The content, unless it is detached. */
  readonly eContent: Uint8Array | undefined;
  /** X.509 certificates as received; attribute certificates and other kinds are left out. */
  readonly certificates: readonly Uint8Array[];
  /** X.509 revocation lists as received; other kinds of revocation information are left out. */
  readonly crls: readonly Uint8Array[];
  readonly signerInfos: readonly SignerInfo[];
}

/** More than any message needs: one digest algorithm for each signer. */
const mostDigestAlgorithms = 64;

/**
 * Reads SignedData in BER.
 *
 * @param ber exactly one ContentInfo
 * @param stage of the errors
 * @throws {E2eError} MALFORMED; LIMIT for too many certificates, revocation lists or signers; UNSUPPORTED for another
 * content type
 */
export function parseSignedData(ber: Uint8Array, limits: SignedDataLimits, stage: E2eStage = 'verify'): SignedData {
  const { contentType, content } = parseContentInfo(ber, { limits, stage });
  if (contentType !== oids.signedData) throw unexpectedContentType(content, contentType);
  const fields = content.sequence();
  const version = smallInteger(fields.expect(tags.integer));
  // RFC 5652 section 5.1: 1, 3, 4 or 5. 2 was never given out.
  if (version < 1 || version > 5 || version === 2) throw content.malformed('SignedData version');
  const digests = fields.expect(tags.set).elements(mostDigestAlgorithms);
  const encapsulated = fields.expect(tags.sequence).children();
  const eContentType = expectOid(encapsulated.next());
  const eContent = encapsulated.done ? undefined : octets(encapsulated.expect(contextTag(0)).explicit());
  encapsulated.end();
  const certificates = choices(fields.optional(contextTag(0)), limits.certificates, limits.certificateBytes);
  const crls = choices(fields.optional(contextTag(1)), limits.crls, Number.POSITIVE_INFINITY);
  const signerInfos = fields.expect(tags.set).elements(limits.signatures);
  fields.end();
  return {
    version,
    digestAlgorithms: digests.map((node) => parseAlgorithmIdentifier(sequenceOnly(node)).oid),
    eContentType,
    eContent,
    certificates,
    crls,
    signerInfos: signerInfos.map((node) => parseSignerInfo(sequenceOnly(node))),
  };
}

function sequenceOnly(node: Asn1Node): Asn1Node {
  if (node.tag !== tags.sequence) throw node.malformed('SEQUENCE expected');
  return node;
}

function octets(node: Asn1Node): Uint8Array {
  if (node.tag !== tags.octetString) throw node.malformed('OCTET STRING expected');
  return octetString(node);
}

/**
 * Certificates and revocation information (RFC 5652 sections 10.2.1 to 10.2.3): what is X.509 is untagged, all else tagged.
 *
 *     CertificateSet ::= SET OF CertificateChoices
 *     CertificateChoices ::= CHOICE {
 *         certificate              Certificate,
 *         extendedCertificate  [0] IMPLICIT ExtendedCertificate,
 *         v1AttrCert           [1] IMPLICIT AttributeCertificateV1,
 *         v2AttrCert           [2] IMPLICIT AttributeCertificateV2,
 *         other                [3] IMPLICIT OtherCertificateFormat }
 *
 *     RevocationInfoChoices ::= SET OF RevocationInfoChoice
 *     RevocationInfoChoice ::= CHOICE {
 *         crl        CertificateList,
 *         other  [1] IMPLICIT OtherRevocationInfoFormat }
 */
function choices(set: Asn1Node | undefined, most: number, mostOctets: number): readonly Uint8Array[] {
  if (set === undefined) return [];
  const found: Uint8Array[] = [];
  for (const node of set.elements(most)) {
    if (node.tag !== tags.sequence) continue;
    const { raw } = node;
    if (raw.length > mostOctets) {
      throw new E2eError('ERR_E2E_LIMIT', node.stage, { reason: 'certificate size' });
    }
    found.push(raw);
  }
  return found;
}

/** What to write as SignedData. */
export interface SignedDataParts {
  /** Absent for a detached signature and for certs-only. */
  readonly eContent?: Uint8Array | undefined;
  /** DER. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  /** DER. */
  readonly crls?: readonly Uint8Array[] | undefined;
  readonly digestAlgorithms: readonly DerPart[];
  readonly signerInfos: readonly DerPart[];
  /** Whether any signer is named by key identifier. */
  readonly byKeyIdentifier: boolean;
}

/** Writes SignedData over id-data. */
export function serializeSignedData(parts: SignedDataParts): Uint8Array {
  const { eContent, certificates = [], crls = [] } = parts;
  const fields: DerElement[] = [
    // RFC 5652 section 5.1: 3 when any SignerInfo has version 3, otherwise 1 for id-data and X.509 objects alone.
    derInteger(parts.byKeyIdentifier ? 3 : 1),
    derSetOf(parts.digestAlgorithms),
    derSequence(derOid(oids.data), ...(eContent === undefined ? [] : [derContext(0, derOctetString(eContent))])),
  ];
  if (certificates.length > 0) fields.push(derSetOf(certificates, 0xa0));
  if (crls.length > 0) fields.push(derSetOf(crls, 0xa1));
  fields.push(der(0x31, ...parts.signerInfos));
  return encodeDer(serializeContentInfo(oids.signedData, derSequence(...fields)));
}

/**
 * Writes a certs-only object: certificates and revocation lists, no content and no signer (RFC 8551 section 3.7).
 *
 * @param certificates DER
 * @param crls DER
 */
export function serializeCertificates(
  certificates: readonly Uint8Array[],
  crls: readonly Uint8Array[] = [],
): Uint8Array {
  return serializeSignedData({ certificates, crls, digestAlgorithms: [], signerInfos: [], byKeyIdentifier: false });
}
