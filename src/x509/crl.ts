/**
 * Certificate revocation lists (RFC 5280 section 5), read strictly as DER.
 *
 *     CertificateList ::= SEQUENCE { tbsCertList TBSCertList, signatureAlgorithm AlgorithmIdentifier,
 *                                    signatureValue BIT STRING }
 *     TBSCertList ::= SEQUENCE {
 *         version             INTEGER OPTIONAL,   -- v2 if present
 *         signature           AlgorithmIdentifier,
 *         issuer              Name,
 *         thisUpdate          Time,
 *         nextUpdate          Time OPTIONAL,
 *         revokedCertificates SEQUENCE OF SEQUENCE {
 *             userCertificate    INTEGER,
 *             revocationDate     Time,
 *             crlEntryExtensions Extensions OPTIONAL } OPTIONAL,
 *         crlExtensions   [0] EXPLICIT Extensions OPTIONAL }
 */

import { type AlgorithmIdentifier, parseAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type Asn1Node, type Asn1Options, contextTag, parseDer, tags } from '../asn1/reader.ts';
import { timeValue } from '../asn1/time.ts';
import { bitStringOctets, booleanValue, integerOctets, octetString, smallInteger } from '../asn1/values.ts';
import { hex, equalBytes } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';
import { type DistributionPointName, parseDistributionPointName, parseReasonFlags } from './distribution-point.ts';
import { type Extension, openExtension, parseExtensions } from './extension.ts';
import { parseGeneralNames } from './general-names.ts';

/** What a list covers (section 5.2.5). */
export interface IssuingDistributionPoint {
  readonly name: DistributionPointName | undefined;
  readonly onlyUserCertificates: boolean;
  readonly onlyCaCertificates: boolean;
  readonly onlyAttributeCertificates: boolean;
  /** Bits of ReasonFlags; undefined for all reasons. */
  readonly onlySomeReasons: number | undefined;
  readonly indirect: boolean;
  /** The value as it stands: a delta list has the same scope as its base exactly when these are equal. */
  readonly raw: Uint8Array;
}

/** One entry of a list. */
export interface CrlEntry {
  readonly revocationDate: Date;
  /** CRLReason (section 5.3.1); 0 where absent. */
  readonly reason: number;
  /** When the key is thought to have been compromised (section 5.3.2). */
  readonly invalidityDate: Date | undefined;
}

/** A revocation list. */
export interface Crl {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly authorityKeyId: Uint8Array | undefined;
  /** Content octets of cRLNumber, unsigned. */
  readonly number: Uint8Array | undefined;
  /** BaseCRLNumber of a delta list. */
  readonly baseNumber: Uint8Array | undefined;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** A critical extension of the list or of an entry is unknown: the list proves nobody's good standing. */
  readonly unknownCritical: boolean;
  /**
   * The entry of a certificate.
   *
   * @param issuerKey comparison key of the name of the certificate's issuer
   * @param serial content octets of its serial number
   */
  entry(issuerKey: string, serial: Uint8Array): CrlEntry | undefined;
}

/** Octets of a list: far beyond what a stanza carries, within what a caller's file holds. */
const mostOctets = 64 * 1024 * 1024;
const mostEntries = 2_000_000;

const processed: ReadonlySet<string> = new Set([
  oids.authorityKeyIdentifier,
  oids.issuerAltName,
  oids.crlNumber,
  oids.deltaCrlIndicator,
  oids.issuingDistributionPoint,
  oids.freshestCrl,
]);
const processedInEntries: ReadonlySet<string> = new Set([oids.reasonCode, oids.invalidityDate, oids.certificateIssuer]);

/**
 * Reads a revocation list.
 *
 * @param octets DER
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseCrl(octets: Uint8Array, limits: Limits = defaultLimits): Crl {
  if (octets.length > mostOctets) throw new E2eError('ERR_E2E_LIMIT', 'parse', { reason: 'revocation list too large' });
  const options: Asn1Options = { limits };
  const der = octets.slice();
  const outer = parseDer(der, options).sequence();
  const tbsNode = outer.expect(tags.sequence);
  const signatureAlgorithm = parseAlgorithmIdentifier(outer.expect(tags.sequence));
  const signature = bitStringOctets(outer.expect(tags.bitString));
  outer.end();

  const tbs = tbsNode.sequence();
  const versionNode = tbs.optional(tags.integer);
  if (versionNode !== undefined && smallInteger(versionNode) !== 1) throw tbsNode.malformed('version of a list');
  const inner = parseAlgorithmIdentifier(tbs.expect(tags.sequence));
  if (!equalBytes(inner.node.raw, signatureAlgorithm.node.raw)) {
    throw tbsNode.malformed('signature algorithms of a revocation list differ');
  }
  const issuer = parseDistinguishedName(tbs.next());
  const thisUpdate = timeValue(tbs.next());
  const nextUpdateNode = tbs.optional(tags.utcTime) ?? tbs.optional(tags.generalizedTime);
  const revoked = tbs.optional(tags.sequence);
  const extensionsNode = tbs.optional(contextTag(0));
  tbs.end();
  if (extensionsNode !== undefined && versionNode === undefined) throw tbsNode.malformed('extensions need version 2');
  const extensions: ReadonlyMap<string, Extension> =
    extensionsNode === undefined ? new Map() : parseExtensions(extensionsNode.explicit());
  const point = openExtension(extensions, oids.issuingDistributionPoint, options);
  const issuingDistributionPoint = point === undefined ? undefined : parseIssuingDistributionPoint(point);
  const entries = parseEntries(revoked, issuer.key, issuingDistributionPoint?.indirect === true, options);
  const keyId = openExtension(extensions, oids.authorityKeyIdentifier, options)?.sequence().optional(contextTag(0));
  const unknownExtension = [...extensions].some(([oid, { critical }]) => critical && !processed.has(oid));
  return {
    der,
    tbs: tbsNode.raw,
    issuer,
    thisUpdate,
    nextUpdate: nextUpdateNode === undefined ? undefined : timeValue(nextUpdateNode),
    signatureAlgorithm,
    signature,
    authorityKeyId: keyId === undefined ? undefined : octetString(keyId),
    number: crlNumber(openExtension(extensions, oids.crlNumber, options)),
    baseNumber: crlNumber(openExtension(extensions, oids.deltaCrlIndicator, options)),
    issuingDistributionPoint,
    unknownCritical: unknownExtension || entries.unknownCritical,
    entry: (issuerKey, serial) => entries.found.get(entryKey(issuerKey, serial)),
  };
}

function entryKey(issuerKey: string, serial: Uint8Array): string {
  return `${hex(serial)} ${issuerKey}`;
}

/** Sections 5.2.3 and 5.2.4: CRLNumber and BaseCRLNumber ::= INTEGER (0..MAX). */
function crlNumber(node: Asn1Node | undefined): Uint8Array | undefined {
  if (node === undefined) return undefined;
  if (node.tag !== tags.integer) throw node.malformed('number of a revocation list');
  return integerOctets(node);
}

/**
 * Section 5.2.5:
 *
 *     IssuingDistributionPoint ::= SEQUENCE {
 *         distributionPoint          [0] DistributionPointName OPTIONAL,
 *         onlyContainsUserCerts      [1] BOOLEAN DEFAULT FALSE,
 *         onlyContainsCACerts        [2] BOOLEAN DEFAULT FALSE,
 *         onlySomeReasons            [3] ReasonFlags OPTIONAL,
 *         indirectCRL                [4] BOOLEAN DEFAULT FALSE,
 *         onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
 */
function parseIssuingDistributionPoint(node: Asn1Node): IssuingDistributionPoint {
  const inside = node.sequence();
  const flag = (number: number): boolean => {
    const element = inside.optional(contextTag(number));
    return element !== undefined && booleanValue(element);
  };
  const name = inside.optional(contextTag(0));
  const onlyUserCertificates = flag(1);
  const onlyCaCertificates = flag(2);
  const reasons = inside.optional(contextTag(3));
  const indirect = flag(4);
  const onlyAttributeCertificates = flag(5);
  inside.end();
  return {
    name: name === undefined ? undefined : parseDistributionPointName(name.explicit()),
    onlyUserCertificates,
    onlyCaCertificates,
    onlyAttributeCertificates,
    onlySomeReasons: reasons === undefined ? undefined : parseReasonFlags(reasons),
    indirect,
    raw: node.raw,
  };
}

function parseEntries(
  node: Asn1Node | undefined,
  issuerKey: string,
  indirect: boolean,
  options: Asn1Options,
): { readonly found: ReadonlyMap<string, CrlEntry>; readonly unknownCritical: boolean } {
  const found = new Map<string, CrlEntry>();
  let unknownCritical = false;
  // Section 5.3.3: an entry without certificateIssuer belongs to the issuer of the entry before it.
  let currentIssuer = issuerKey;
  const inside = node?.sequence();
  while (inside?.done === false) {
    if (found.size >= mostEntries) throw new E2eError('ERR_E2E_LIMIT', 'parse', { reason: 'too many revocations' });
    const entry = inside.next().sequence();
    const serial = integerOctets(entry.expect(tags.integer));
    const revocationDate = timeValue(entry.next());
    let reason = 0;
    let invalidityDate: Date | undefined;
    if (!entry.done) {
      const extensions = parseExtensions(entry.next());
      const reasonNode = openExtension(extensions, oids.reasonCode, options);
      if (reasonNode !== undefined) {
        if (reasonNode.tag !== tags.enumerated) throw reasonNode.malformed('revocation reason');
        reason = smallInteger(reasonNode);
      }
      const invalidityNode = openExtension(extensions, oids.invalidityDate, options);
      if (invalidityNode !== undefined) invalidityDate = timeValue(invalidityNode);
      const issuerNode = openExtension(extensions, oids.certificateIssuer, options);
      if (issuerNode !== undefined) {
        const name = parseGeneralNames(issuerNode).find(({ form }) => form === 'directoryName');
        // Only an indirect list speaks of other issuers; elsewhere the entry is attributed to nobody.
        currentIssuer = indirect && name?.form === 'directoryName' ? name.name.key : '';
        if (!indirect) unknownCritical = true;
      }
      if ([...extensions].some(([oid, { critical }]) => critical && !processedInEntries.has(oid))) {
        unknownCritical = true;
      }
    }
    entry.end();
    const key = entryKey(currentIssuer, serial);
    if (!found.has(key)) found.set(key, { revocationDate, reason, invalidityDate });
  }
  return { found, unknownCritical };
}
