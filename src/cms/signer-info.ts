/**
 * SignerInfo (RFC 5652 section 5.3):
 *
 *     SignerInfo ::= SEQUENCE {
 *         version                 CMSVersion,      -- 1 by issuer and serial number, 3 by key identifier
 *         sid                     SignerIdentifier,
 *         digestAlgorithm         DigestAlgorithmIdentifier,
 *         signedAttrs         [0] IMPLICIT SignedAttributes OPTIONAL,
 *         signatureAlgorithm      SignatureAlgorithmIdentifier,
 *         signature               SignatureValue,  -- OCTET STRING
 *         unsignedAttrs       [1] IMPLICIT UnsignedAttributes OPTIONAL }
 */

import { type AlgorithmIdentifier, parseAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { type Asn1Limits, type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { octetString, smallInteger } from '../asn1/values.ts';
import { type CertificateIdentifier, parseCertificateIdentifier } from './certificate-identifier.ts';

/** One signature, not verified. */
export interface SignerInfo {
  /** Whose certificate. */
  readonly identifier: CertificateIdentifier;
  readonly digestAlgorithm: AlgorithmIdentifier;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** As received, under the implicit tag [0]. */
  readonly signedAttributes: Asn1Node | undefined;
  /** As received, under the implicit tag [1]. */
  readonly unsignedAttributes: Asn1Node | undefined;
  readonly signature: Uint8Array;
  /** The limits that it was read under. */
  readonly limits: Asn1Limits;
}

/**
 * Reads SignerInfo. Attributes are left for verification, where faults in them are a verdict.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseSignerInfo(node: Asn1Node): SignerInfo {
  const fields = node.sequence();
  const version = smallInteger(fields.expect(tags.integer));
  const identifier = parseCertificateIdentifier(fields.next());
  // RFC 5652 section 5.3: the version follows from the identifier. Some write 1 for both; others are of no CMS.
  if (version !== 1 && version !== 3) throw node.malformed('SignerInfo version');
  const digestAlgorithm = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  const signedAttributes = fields.optional(contextTag(0));
  const signatureAlgorithm = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  const signature = octetString(fields.expect(tags.octetString));
  const unsignedAttributes = fields.optional(contextTag(1));
  fields.end();
  return {
    identifier,
    digestAlgorithm,
    signatureAlgorithm,
    signedAttributes,
    unsignedAttributes,
    signature,
    limits: node.limits,
  };
}
