/**
 * Whether a certificate may speak, or be encrypted to, for a JID.
 *
 * It may if it was filed for that bare JID by an explicit act, or by a valid path to an anchor of the caller, and if it
 * names the JID (RFC 3923 section 6.3) either way. Signers and recipients are judged alike.
 */

import type { BoundIdentity, KeyStore, Trust } from '../backend.ts';
import { oids } from '../../asn1/oids.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Crl } from '../../x509/crl.ts';
import { type PathValidation, type PathValidationInput, validatePath } from '../../x509/path-validation.ts';
import { namedIdentities } from './certificate-identity.ts';
import { readCertificates, readCrls, readableCertificates } from './certificate-file.ts';

/** What decides about certificates, besides the certificates themselves. */
export interface TrustRules {
  readonly anchors: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly revocation: PathValidationInput['revocation'];
  readonly extendedKeyUsages: readonly string[];
  readonly policies: PathValidationInput['policies'];
  readonly anchorValidity: boolean | undefined;
  readonly anchorConstraints: boolean | undefined;
}

/** The options that become {@link TrustRules}. */
export interface TrustOptions {
  /** Trust anchors and revocation lists; none unless given. */
  readonly trust?: Trust | undefined;
  /** `required` takes only certificates whose good standing a list proves. */
  readonly revocation?: 'if-available' | 'required' | undefined;
  /** Object identifiers of which an extendedKeyUsage must hold one; emailProtection unless given (RFC 8550 section 4.4.4). */
  readonly extendedKeyUsages?: readonly string[] | undefined;
  /** Policy inputs of path validation (RFC 5280 section 6.1.1). */
  readonly policies?: PathValidationInput['policies'];
  /** Whether the validity period of an anchor counts; true unless given. */
  readonly anchorValidity?: boolean | undefined;
  /** Whether the extensions of an anchor count (RFC 5937); true unless given. */
  readonly anchorConstraints?: boolean | undefined;
}

/** The names of {@link TrustOptions}. */
export const trustOptionNames: readonly (keyof TrustOptions)[] = [
  'trust',
  'revocation',
  'extendedKeyUsages',
  'policies',
  'anchorValidity',
  'anchorConstraints',
];

/**
 * Reads the trust options.
 *
 * @throws {E2eError} MALFORMED, LIMIT for anchors or lists that cannot be read
 */
export function readTrust(options: TrustOptions, limits: Limits): TrustRules {
  const { trust, revocation, extendedKeyUsages, policies, anchorValidity, anchorConstraints } = options;
  return {
    anchors: (trust?.anchors ?? []).flatMap((file) => readCertificates(file, limits)),
    crls: (trust?.crls ?? []).flatMap((file) => readCrls(file, limits)),
    revocation,
    extendedKeyUsages: extendedKeyUsages ?? [oids.emailProtection],
    policies,
    anchorValidity,
    anchorConstraints,
  };
}

/** Certificates known for a JID. */
export interface KnownCertificates {
  /** Filed for this very JID, or my own. */
  readonly filed: readonly Certificate[];
  readonly others: readonly Certificate[];
}

/** What a store knows about a bare JID; my own certificates count as filed. */
export async function knownCertificates(
  store: KeyStore,
  jid: Jid | undefined,
  limits: Limits,
): Promise<KnownCertificates> {
  if (jid === undefined) return { filed: [], others: [] };
  const [stored, own] = await Promise.all([store.find(jid, 'smime'), store.identities(jid, 'smime')]);
  const filed: Certificate[] = [];
  const others: Certificate[] = [];
  for (const { certificates, filed: explicit } of stored) {
    (explicit ? filed : others).push(...readableCertificates(certificates, limits));
  }
  for (const { certificates, keys } of own) {
    filed.push(...readableCertificates(certificates, limits));
    if (keys instanceof Uint8Array && keys[0] !== 0x30) filed.push(...readableCertificates(keys, limits));
  }
  return { filed, others };
}

/** What is asked about a certificate. */
export interface TrustQuestion {
  readonly purpose: PathValidationInput['purpose'];
  /** Certificates filed for the JID at hand. */
  readonly pinned: readonly Certificate[];
  /** Every other certificate at hand. */
  readonly intermediates: readonly Certificate[];
  /** Lists that came with the message. */
  readonly carriedCrls?: readonly Crl[] | undefined;
  readonly at: Date;
  readonly clockSkewSeconds: number;
  readonly sha1Signatures: boolean;
  readonly limits: Limits;
  readonly crypto: CryptoProvider;
}

/**
 * Judges a certificate.
 *
 * @returns what path validation says, with every key usage and revocation rule applied
 */
export function judgeCertificate(
  certificate: Certificate,
  question: TrustQuestion,
  rules: TrustRules,
): Promise<PathValidation> {
  return validatePath({ certificate, ...rules, ...question });
}

/**
 * The names that a judged certificate speaks for.
 *
 * @param jid the JID that the certificate was filed for: a pinned one speaks for no other
 */
export function trustedIdentities(
  certificate: Certificate,
  path: PathValidation,
  jid: Jid | undefined,
): readonly BoundIdentity[] {
  if (path.outcome !== 'trusted') return [];
  const named = namedIdentities(certificate);
  if (path.trust === 'anchor') return named;
  return jid === undefined ? [] : named.filter((identity) => identity.jid.equals(jid));
}
