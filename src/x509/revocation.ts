/**
 * Whether a certificate is revoked (RFC 5280 section 6.3), by lists that the caller gave or that came with a message.
 *
 * Lists are never fetched. An entry in any authentic list counts, however old the list is; only a current one that
 * covers the certificate proves good standing.
 */

import { equalBytes } from '../bytes.ts';
import { compareOctets } from '../asn1/reader.ts';
import { type Certificate } from './certificate.ts';
import type { Crl, CrlEntry } from './crl.ts';
import { allReasons, type DistributionPoint, distributionPointKeys, generalNameKey } from './distribution-point.ts';

/** - `good`: every reason is covered by current lists. `partial`: some are. `unknown`: none is. */
export type RevocationStatus = 'good' | 'partial' | 'unknown' | 'revoked';

/**
 * Section 5.3.1:
 *
 *     CRLReason ::= ENUMERATED {
 *         unspecified (0), keyCompromise (1), cACompromise (2), affiliationChanged (3), superseded (4),
 *         cessationOfOperation (5), certificateHold (6), removeFromCRL (8), privilegeWithdrawn (9), aACompromise (10) }
 */
const reasons = { unspecified: 0, keyCompromise: 1, caCompromise: 2, hold: 6, removeFromCrl: 8, aaCompromise: 10 };

/** Reasons after which no signature can be told to be older: they have no time limit. */
const compromise: ReadonlySet<number> = new Set([
  reasons.unspecified,
  reasons.keyCompromise,
  reasons.caCompromise,
  reasons.aaCompromise,
]);

/**
 * Looks a certificate up.
 *
 * @param crls lists in any order
 * @param at the time asked about
 * @param authentic whether a list was signed by a key that may sign it
 */
export async function revocationStatus(
  certificate: Certificate,
  crls: readonly Crl[],
  at: Date,
  authentic: (crl: Crl) => Promise<boolean>,
): Promise<RevocationStatus> {
  const lists: { readonly crl: Crl; readonly covered: number }[] = [];
  for (const crl of crls) {
    const covered = coveredReasons(certificate, crl);
    if (covered !== 0 && (await authentic(crl))) lists.push({ crl, covered });
  }
  const deltas = lists.filter(({ crl }) => crl.baseNumber !== undefined).map(({ crl }) => crl);
  let covered = 0;
  for (const list of lists) {
    const base = list.crl;
    const entry = base.entry(certificate.issuer.key, certificate.serial);
    if (base.baseNumber !== undefined) {
      // A delta without its base still tells of new revocations.
      if (entry !== undefined && entry.reason !== reasons.removeFromCrl && counts(entry, base, at)) return 'revoked';
      continue;
    }
    const delta = newestDelta(base, deltas);
    const update = delta?.entry(certificate.issuer.key, certificate.serial);
    // Section 5.3.1: a hold may end, told by a delta or by absence from the next list.
    const ended =
      entry?.reason === reasons.hold &&
      (update?.reason === reasons.removeFromCrl || lists.some(({ crl }) => supersedes(crl, base)));
    if (entry !== undefined && !ended && counts(entry, base, at)) return 'revoked';
    if (base.unknownCritical || delta?.unknownCritical === true) continue;
    if (isCurrent(base, at) || (delta !== undefined && isCurrent(delta, at))) covered |= list.covered;
  }
  return covered === allReasons ? 'good' : covered === 0 ? 'unknown' : 'partial';
}

/**
 * Whether an entry bears on the time asked about. One in a list that was out by then does, whatever date it has (section
 * 6.3.3 (i) asks for none); only a list that was made later tells of certificates that were still good.
 */
function counts(entry: CrlEntry, { thisUpdate }: Crl, at: Date): boolean {
  if (compromise.has(entry.reason) || thisUpdate <= at) return true;
  const { revocationDate, invalidityDate = revocationDate } = entry;
  return Math.min(revocationDate.getTime(), invalidityDate.getTime()) <= at.getTime();
}

/** Section 6.3.3 (a): before nextUpdate. One that was made after the time asked about knows all the more. */
function isCurrent(crl: Crl, at: Date): boolean {
  return crl.nextUpdate !== undefined && crl.nextUpdate >= at;
}

/** Section 6.3.3 (c): same issuer, same scope, same key, a base no newer than this list, a greater number. */
function newestDelta(base: Crl, deltas: readonly Crl[]): Crl | undefined {
  const { number } = base;
  if (number === undefined) return undefined;
  let newest: Crl | undefined;
  for (const delta of deltas) {
    if (delta.number === undefined || !sameScope(base, delta)) continue;
    if (compareNumbers(delta.baseNumber!, number) > 0 || compareNumbers(delta.number, number) <= 0) continue;
    if (newest === undefined || compareNumbers(delta.number, newest.number!) > 0) newest = delta;
  }
  return newest;
}

function supersedes(crl: Crl, other: Crl): boolean {
  return crl.baseNumber === undefined && crl.thisUpdate > other.thisUpdate && sameScope(crl, other);
}

function sameScope(a: Crl, b: Crl): boolean {
  const same = (x: Uint8Array | undefined, y: Uint8Array | undefined): boolean =>
    x === undefined || y === undefined ? x === y : equalBytes(x, y);
  return (
    a.issuer.key === b.issuer.key &&
    same(a.issuingDistributionPoint?.raw, b.issuingDistributionPoint?.raw) &&
    same(a.authorityKeyId, b.authorityKeyId)
  );
}

/** Orders unsigned numbers of any size, given as content octets of an INTEGER. */
function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  const strip = (octets: Uint8Array): Uint8Array => (octets[0] === 0 ? octets.subarray(1) : octets);
  const x = strip(a);
  const y = strip(b);
  return x.length - y.length || compareOctets(x, y);
}

/**
 * The reasons for which a list speaks about a certificate (section 6.3.3 (b) and (d)).
 *
 * @returns bits of ReasonFlags; 0 for a list that does not speak about it
 */
export function coveredReasons(certificate: Certificate, crl: Crl): number {
  const scope = crl.issuingDistributionPoint;
  const ca = certificate.basicConstraints?.ca === true;
  if (scope?.onlyAttributeCertificates === true) return 0;
  if (ca ? scope?.onlyUserCertificates === true : scope?.onlyCaCertificates === true) return 0;
  let covered = 0;
  // Section 6.3.3: a list of the issuer itself counts, as if a distribution point with its name were there.
  const implicit: DistributionPoint = {
    name: { fullName: [{ form: 'directoryName', name: certificate.issuer }], relativeName: undefined },
    reasons: undefined,
    crlIssuer: undefined,
  };
  for (const point of [...(certificate.crlDistributionPoints ?? []), implicit]) {
    if (!pointMatches(certificate, crl, point)) continue;
    covered |= (point.reasons ?? allReasons) & (scope?.onlySomeReasons ?? allReasons);
  }
  return covered & allReasons;
}

function pointMatches(certificate: Certificate, crl: Crl, point: DistributionPoint): boolean {
  const scope = crl.issuingDistributionPoint;
  // (b)(1)
  const issuers = (point.crlIssuer ?? []).map(generalNameKey);
  if (point.crlIssuer === undefined) {
    if (crl.issuer.key !== certificate.issuer.key) return false;
  } else if (scope?.indirect !== true || !issuers.includes(`directoryName:${crl.issuer.key}`)) return false;
  // (b)(2)(i)
  if (scope?.name === undefined) return true;
  const base = point.crlIssuer === undefined ? certificate.issuer : crl.issuer;
  const names = point.name === undefined ? issuers : distributionPointKeys(point.name, base);
  return distributionPointKeys(scope.name, crl.issuer).some((key) => names.includes(key));
}

/** Whether a certificate may sign lists: a keyUsage, if there is one, says so (section 6.3.3 (f)). */
export function maySignCrls(certificate: Certificate): boolean {
  return certificate.keyUsage === undefined || certificate.keyUsage.has('cRLSign');
}
