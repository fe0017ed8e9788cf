/**
 * Distribution points of revocation lists (RFC 5280 sections 4.2.1.13 and 5.2.5).
 *
 *     CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
 *     DistributionPoint ::= SEQUENCE {
 *         distributionPoint [0] DistributionPointName OPTIONAL,
 *         reasons           [1] ReasonFlags OPTIONAL,
 *         cRLIssuer         [2] GeneralNames OPTIONAL }
 *     DistributionPointName ::= CHOICE {
 *         fullName                [0] GeneralNames,
 *         nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
 */

import { type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { bitString } from '../asn1/values.ts';
import { der, derSequence, encodeDer } from '../asn1/writer.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';
import { parseDer } from '../asn1/reader.ts';
import { type GeneralName, parseGeneralNames } from './general-names.ts';

/** The name of a distribution point. */
export type DistributionPointName =
  | { readonly fullName: readonly GeneralName[]; readonly relativeName: undefined }
  /** The RDN as a SET, to be put after the name of the issuer. */
  | { readonly fullName: undefined; readonly relativeName: Asn1Node };

/** One distribution point of a certificate. */
export interface DistributionPoint {
  readonly name: DistributionPointName | undefined;
  /** Bits of ReasonFlags; undefined for all reasons. */
  readonly reasons: number | undefined;
  readonly crlIssuer: readonly GeneralName[] | undefined;
}

/** ReasonFlags bits 1 to 8: every reason but `unused`. */
export const allReasons = 0x1fe;
const mostPoints = 256;

/**
 * Reads CRLDistributionPoints.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseDistributionPoints(node: Asn1Node): readonly DistributionPoint[] {
  if (node.tag !== tags.sequence) throw node.malformed('cRLDistributionPoints');
  const points = node.elements(mostPoints).map((element): DistributionPoint => {
    const inside = element.sequence();
    const name = inside.optional(contextTag(0));
    const reasons = inside.optional(contextTag(1));
    const crlIssuer = inside.optional(contextTag(2));
    inside.end();
    // Section 4.2.1.13: "MUST NOT consist of only the reasons field".
    if (name === undefined && crlIssuer === undefined) throw element.malformed('distribution point without a name');
    return {
      name: name === undefined ? undefined : parseDistributionPointName(name.explicit()),
      reasons: reasons === undefined ? undefined : parseReasonFlags(reasons),
      crlIssuer: crlIssuer === undefined ? undefined : parseGeneralNames(crlIssuer),
    };
  });
  if (points.length === 0) throw node.malformed('empty cRLDistributionPoints');
  return points;
}

/** @throws {E2eError} MALFORMED, LIMIT */
export function parseDistributionPointName(node: Asn1Node): DistributionPointName {
  if (node.tag === contextTag(0)) return { fullName: parseGeneralNames(node), relativeName: undefined };
  if (node.tag !== contextTag(1)) throw node.malformed('distribution point name');
  node.children();
  return { fullName: undefined, relativeName: node };
}

/**
 * Section 4.2.1.13, bit n of the result for bit n of the string:
 *
 *     ReasonFlags ::= BIT STRING {
 *         unused (0), keyCompromise (1), cACompromise (2), affiliationChanged (3), superseded (4),
 *         cessationOfOperation (5), certificateHold (6), privilegeWithdrawn (7), aACompromise (8) }
 *
 * @throws {E2eError} MALFORMED
 */
export function parseReasonFlags(node: Asn1Node): number {
  const { octets } = bitString(node);
  let flags = 0;
  for (let bit = 0; bit < 9; bit++) {
    if (((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) flags |= 1 << bit;
  }
  return flags;
}

/**
 * The comparison keys of a distribution point name, by which two names are found to share one (section 6.3.3 (b)(2)).
 *
 * @param issuer the name that a relative name is completed with
 */
export function distributionPointKeys(name: DistributionPointName, issuer: DistinguishedName): readonly string[] {
  if (name.fullName !== undefined) return name.fullName.map(generalNameKey).filter((key) => key !== undefined);
  const { relativeName } = name;
  const base = parseDer(issuer.raw, relativeName);
  const complete = encodeDer(derSequence(base.content, der(0x31, relativeName.content)));
  return [`directoryName:${parseDistinguishedName(parseDer(complete, relativeName)).key}`];
}

/** A key that equal general names share; undefined for forms that name no place of a list. */
export function generalNameKey(name: GeneralName): string | undefined {
  if (name.form === 'directoryName') return `directoryName:${name.name.key}`;
  if (name.form === 'uniformResourceIdentifier' || name.form === 'dNSName') return `${name.form}:${name.text}`;
  return undefined;
}
