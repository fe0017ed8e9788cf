/** The extensions of a certificate, decoded (RFC 5280 section 4.2). A malformed one makes the certificate malformed. */

import { oids } from '../asn1/oids.ts';
import { type Asn1Node, type Asn1Options, contextTag, tags } from '../asn1/reader.ts';
import { bitString, booleanValue, expectOid, integerOctets, octetString, smallInteger } from '../asn1/values.ts';
import { type DistributionPoint, parseDistributionPoints } from './distribution-point.ts';
import { type Extension, openExtension } from './extension.ts';
import { type GeneralName, parseGeneralNames } from './general-names.ts';
import { type NameConstraints, parseNameConstraints } from './name-constraints.ts';

/**
 * The bits of KeyUsage (section 4.2.1.3), in their order:
 *
 *     KeyUsage ::= BIT STRING {
 *         digitalSignature (0), nonRepudiation (1), keyEncipherment (2), dataEncipherment (3), keyAgreement (4),
 *         keyCertSign (5), cRLSign (6), encipherOnly (7), decipherOnly (8) }
 */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** One bit of KeyUsage. */
export type KeyUsage = (typeof keyUsages)[number];

/** One policy mapping (section 4.2.1.5). */
export interface PolicyMapping {
  /** Policy of the issuer's domain. */
  readonly issuer: string;
  /** Policy of the subject's domain. */
  readonly subject: string;
}

/** What the extensions of a certificate say; undefined where one is absent. */
export interface CertificateExtensions {
  /** All of them, by object identifier. */
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | undefined } | undefined;
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectAltName: readonly GeneralName[] | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: AuthorityKeyId | undefined;
  readonly nameConstraints: NameConstraints | undefined;
  readonly certificatePolicies: readonly string[] | undefined;
  readonly policyMappings: readonly PolicyMapping[] | undefined;
  /** Counts of further certificates (section 4.2.1.11). */
  readonly policyConstraints:
    | { readonly requireExplicitPolicy: number | undefined; readonly inhibitPolicyMapping: number | undefined }
    | undefined;
  readonly inhibitAnyPolicy: number | undefined;
  readonly crlDistributionPoints: readonly DistributionPoint[] | undefined;
  /** Critical extensions, or critical parts of one, that nothing here processes: no path may hold such a certificate. */
  readonly unknownCritical: readonly string[];
}

/** AuthorityKeyIdentifier (section 4.2.1.1). */
export interface AuthorityKeyId {
  readonly keyId: Uint8Array | undefined;
  /** Serial number of the issuer's certificate, content octets. */
  readonly serial: Uint8Array | undefined;
}

/** Those processed here or in path validation, and those that bear on no decision. */
const processed: ReadonlySet<string> = new Set([
  oids.subjectKeyIdentifier,
  oids.keyUsage,
  oids.subjectAltName,
  oids.issuerAltName,
  oids.basicConstraints,
  oids.nameConstraints,
  oids.crlDistributionPoints,
  oids.certificatePolicies,
  oids.policyMappings,
  oids.authorityKeyIdentifier,
  oids.policyConstraints,
  oids.extKeyUsage,
  oids.freshestCrl,
  oids.inhibitAnyPolicy,
  // id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1): about OCSP responders, and OCSP is not used here.
  '1.3.6.1.5.5.7.48.1.5',
]);

const policyQualifiers: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.2.1', '1.3.6.1.5.5.7.2.2']);
const mostElements = 4096;

/**
 * Decodes the extensions of a certificate.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function decodeCertificateExtensions(
  extensions: ReadonlyMap<string, Extension>,
  options: Asn1Options,
): CertificateExtensions {
  const decode = <T>(oid: string, read: (node: Asn1Node) => T): T | undefined => {
    const node = openExtension(extensions, oid, options);
    return node === undefined ? undefined : read(node);
  };
  const unknownCritical = [...extensions].filter(([oid, { critical }]) => critical && !processed.has(oid));
  const policies = decode(oids.certificatePolicies, parsePolicies);
  const policiesCritical = extensions.get(oids.certificatePolicies)?.critical === true;
  return {
    extensions,
    basicConstraints: decode(oids.basicConstraints, parseBasicConstraints),
    keyUsage: decode(oids.keyUsage, parseKeyUsage),
    extendedKeyUsage: decode(oids.extKeyUsage, parseExtendedKeyUsage),
    // Section 4.2.1.6: SubjectAltName ::= GeneralNames, a SEQUENCE SIZE (1..MAX) OF GeneralName.
    subjectAltName: decode(oids.subjectAltName, (node) => {
      if (node.tag !== tags.sequence) throw node.malformed('subjectAltName');
      return parseGeneralNames(node);
    }),
    // Section 4.2.1.2: SubjectKeyIdentifier ::= KeyIdentifier, an OCTET STRING.
    subjectKeyId: decode(oids.subjectKeyIdentifier, (node) => {
      if (node.tag !== tags.octetString) throw node.malformed('subjectKeyIdentifier');
      return octetString(node);
    }),
    authorityKeyId: decode(oids.authorityKeyIdentifier, parseAuthorityKeyId),
    nameConstraints: decode(oids.nameConstraints, parseNameConstraints),
    certificatePolicies: policies?.oids,
    policyMappings: decode(oids.policyMappings, parsePolicyMappings),
    policyConstraints: decode(oids.policyConstraints, parsePolicyConstraints),
    // Section 4.2.1.14: InhibitAnyPolicy ::= SkipCerts.
    inhibitAnyPolicy: decode(oids.inhibitAnyPolicy, (node) => {
      if (node.tag !== tags.integer) throw node.malformed('inhibitAnyPolicy');
      return skipCerts(node);
    }),
    crlDistributionPoints: decode(oids.crlDistributionPoints, parseDistributionPoints),
    unknownCritical: [
      ...unknownCritical.map(([oid]) => oid),
      // Section 4.2.1.4: a critical policy extension with a qualifier that cannot be processed is refused.
      ...(policiesCritical ? (policies?.unknownQualifiers ?? []) : []),
    ],
  };
}

/**
 * Section 4.2.1.9:
 *
 *     BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }
 */
function parseBasicConstraints(node: Asn1Node): CertificateExtensions['basicConstraints'] {
  const inside = node.sequence();
  const caNode = inside.optional(tags.boolean);
  const pathLengthNode = inside.optional(tags.integer);
  inside.end();
  const ca = caNode !== undefined && booleanValue(caNode);
  return { ca, pathLength: pathLengthNode === undefined ? undefined : skipCerts(pathLengthNode) };
}

function parseKeyUsage(node: Asn1Node): ReadonlySet<KeyUsage> {
  if (node.tag !== tags.bitString) throw node.malformed('keyUsage');
  const { octets } = bitString(node);
  const found = new Set<KeyUsage>();
  keyUsages.forEach((usage, bit) => {
    if (((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) found.add(usage);
  });
  // Section 4.2.1.3: "at least one of the bits MUST be set to 1".
  if (found.size === 0) throw node.malformed('keyUsage without a usage');
  return found;
}

/**
 * Section 4.2.1.12:
 *
 *     ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId
 *     KeyPurposeId      ::= OBJECT IDENTIFIER
 */
function parseExtendedKeyUsage(node: Asn1Node): readonly string[] {
  if (node.tag !== tags.sequence) throw node.malformed('extendedKeyUsage');
  const purposes = node.elements(mostElements).map(expectOid);
  if (purposes.length === 0) throw node.malformed('empty extendedKeyUsage');
  return purposes;
}

/**
 * Section 4.2.1.1:
 *
 *     AuthorityKeyIdentifier ::= SEQUENCE {
 *         keyIdentifier             [0] OCTET STRING OPTIONAL,
 *         authorityCertIssuer       [1] GeneralNames OPTIONAL,
 *         authorityCertSerialNumber [2] INTEGER OPTIONAL }
 */
function parseAuthorityKeyId(node: Asn1Node): AuthorityKeyId {
  const inside = node.sequence();
  const keyId = inside.optional(contextTag(0));
  const issuer = inside.optional(contextTag(1));
  const serial = inside.optional(contextTag(2));
  inside.end();
  if (issuer !== undefined) parseGeneralNames(issuer);
  if ((issuer === undefined) !== (serial === undefined)) throw node.malformed('authorityKeyIdentifier');
  return {
    keyId: keyId === undefined ? undefined : octetString(keyId),
    serial: serial === undefined ? undefined : integerOctets(serial),
  };
}

/**
 * Section 4.2.1.4:
 *
 *     certificatePolicies ::= SEQUENCE SIZE (1..MAX) OF PolicyInformation
 *     PolicyInformation   ::= SEQUENCE { policyIdentifier OBJECT IDENTIFIER,
 *                                        policyQualifiers SEQUENCE SIZE (1..MAX) OF PolicyQualifierInfo OPTIONAL }
 *     PolicyQualifierInfo ::= SEQUENCE { policyQualifierId OBJECT IDENTIFIER, qualifier ANY }
 */
function parsePolicies(node: Asn1Node): { readonly oids: readonly string[]; readonly unknownQualifiers: string[] } {
  if (node.tag !== tags.sequence) throw node.malformed('certificatePolicies');
  const found = new Set<string>();
  const unknownQualifiers: string[] = [];
  for (const element of node.elements(mostElements)) {
    const inside = element.sequence();
    const oid = expectOid(inside.next());
    const qualifiers = inside.optional(tags.sequence);
    inside.end();
    // Section 4.2.1.4: "A certificate policy OID MUST NOT appear more than once".
    if (found.has(oid)) throw node.malformed('duplicate certificate policy');
    found.add(oid);
    for (const qualifier of qualifiers?.elements(mostElements) ?? []) {
      const parts = qualifier.sequence();
      const id = expectOid(parts.next());
      parts.next();
      parts.end();
      if (!policyQualifiers.has(id)) unknownQualifiers.push(id);
    }
  }
  if (found.size === 0) throw node.malformed('empty certificatePolicies');
  return { oids: [...found], unknownQualifiers };
}

/**
 * Section 4.2.1.5:
 *
 *     PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
 *         issuerDomainPolicy  OBJECT IDENTIFIER,
 *         subjectDomainPolicy OBJECT IDENTIFIER }
 */
function parsePolicyMappings(node: Asn1Node): readonly PolicyMapping[] {
  if (node.tag !== tags.sequence) throw node.malformed('policyMappings');
  const mappings = node.elements(mostElements).map((element) => {
    const inside = element.sequence();
    const issuer = expectOid(inside.next());
    const subject = expectOid(inside.next());
    inside.end();
    return { issuer, subject };
  });
  if (mappings.length === 0) throw node.malformed('empty policyMappings');
  return mappings;
}

/**
 * Section 4.2.1.11:
 *
 *     PolicyConstraints ::= SEQUENCE {
 *         requireExplicitPolicy [0] SkipCerts OPTIONAL,
 *         inhibitPolicyMapping  [1] SkipCerts OPTIONAL }
 */
function parsePolicyConstraints(node: Asn1Node): CertificateExtensions['policyConstraints'] {
  const inside = node.sequence();
  const explicit = inside.optional(contextTag(0));
  const mapping = inside.optional(contextTag(1));
  inside.end();
  // Section 4.2.1.11: "conforming CAs MUST NOT issue certificates where policy constraints is an empty sequence".
  if (explicit === undefined && mapping === undefined) throw node.malformed('empty policyConstraints');
  return {
    requireExplicitPolicy: explicit === undefined ? undefined : skipCerts(explicit),
    inhibitPolicyMapping: mapping === undefined ? undefined : skipCerts(mapping),
  };
}

/** SkipCerts ::= INTEGER (0..MAX); what no path can reach counts as the most that one integer holds. */
function skipCerts(node: Asn1Node): number {
  const octets = integerOctets(node);
  if (octets[0]! >= 0x80) throw node.malformed('negative number of certificates');
  return octets.length > 4 ? 0x7fff_ffff : smallInteger(node);
}
