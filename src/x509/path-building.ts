/**
 * Certification path building (RFC 4158; RFC 8550 section 3: any number of certificates in any order, several CAs with
 * one name and key).
 *
 * A depth-first search from the target up, over issuers whose name and signature fit. It does not recurse, never visits
 * one name and key twice in a path (cross-certificates form loops), and stops at a fixed amount of work, so that a
 * message full of certificates of one name costs no more than one without.
 */

import { equalBytes } from '../bytes.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { Limits } from '../limits.ts';
import { type Certificate } from './certificate.ts';
import { verifySignedObject } from './signature.ts';
import { type ComparisonBudget, mostComparisons } from './name-constraints.ts';

/** What one validation may spend; shared by the validation of revocation-list issuers inside it. */
export interface PathWork {
  /** Signature verifications left. */
  signatures: number;
  /** Complete paths left to try. */
  paths: number;
  readonly comparisons: ComparisonBudget;
}

/** The work that one validation may do: far above what certificates in use need. */
export function startPathWork(): PathWork {
  return { signatures: 200, paths: 50, comparisons: { left: mostComparisons } };
}

/** A path by names and signatures alone. */
export interface CandidatePath {
  /** The target first; never empty. Its last certificate was issued by the anchor. */
  readonly certificates: readonly Certificate[];
  readonly anchor: Certificate;
}

/** What path building starts from. */
export interface PathBuildingInput {
  readonly certificate: Certificate;
  /** In any order. None of them is trusted. */
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly limits: Limits;
  readonly crypto: CryptoProvider;
}

/** Why no more paths came. */
export interface PathBuildingEnd {
  readonly reason: string;
  /** The certificate nearest to an anchor whose issuer is missing, or whose signature does not fit. */
  readonly failing: Certificate;
}

interface Frame {
  readonly certificate: Certificate;
  readonly issuers: readonly Issuer[];
  next: number;
}

interface Issuer {
  readonly certificate: Certificate;
  readonly anchor: boolean;
}

/**
 * Builds candidate paths, the likeliest first.
 *
 * @param work reduced as it goes
 * @returns at the end, why there was no other path
 */
export async function* buildPaths(
  input: PathBuildingInput,
  work: PathWork,
): AsyncGenerator<CandidatePath, PathBuildingEnd, undefined> {
  const { certificate: target, limits, crypto } = input;
  let end: PathBuildingEnd = { reason: 'no path to a trust anchor', failing: target };
  let deepest = 0;
  const stack: Frame[] = [frame(input, target)];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const issuer = top.issuers[top.next++];
    if (issuer === undefined) {
      if (top.issuers.length === 0 && stack.length > deepest) {
        deepest = stack.length;
        end = {
          reason: 'no path to a trust anchor: the certificate of its issuer is missing',
          failing: top.certificate,
        };
      }
      stack.pop();
      continue;
    }
    if (!issuer.anchor && stack.some(({ certificate }) => sameEntity(certificate, issuer.certificate))) continue;
    const verified = await isSignedBy(top.certificate, issuer.certificate, crypto, work);
    if (verified === undefined) return { reason: 'path building took too much work', failing: top.certificate };
    if (!verified) {
      if (stack.length > deepest) {
        deepest = stack.length;
        end = { reason: 'its signature was not made by the key of its issuer', failing: top.certificate };
      }
      continue;
    }
    if (issuer.anchor) {
      if (work.paths-- <= 0) return { reason: 'path building took too much work', failing: top.certificate };
      yield { certificates: stack.map(({ certificate }) => certificate), anchor: issuer.certificate };
    } else if (stack.length > limits.pathLength) {
      end = { reason: 'the path is too long', failing: issuer.certificate };
      deepest = Number.POSITIVE_INFINITY;
    } else stack.push(frame(input, issuer.certificate));
  }
  return end;
}

function frame({ intermediates, anchors }: PathBuildingInput, certificate: Certificate): Frame {
  const issuers = [
    ...anchors.map((anchor): Issuer => ({ certificate: anchor, anchor: true })),
    ...intermediates.map((intermediate): Issuer => ({ certificate: intermediate, anchor: false })),
  ].filter(({ certificate: issuer }) => issuer.subject.key === certificate.issuer.key);
  return { certificate, issuers: issuers.sort((a, b) => rank(certificate, b) - rank(certificate, a)), next: 0 };
}

/** RFC 4158 section 3.5: key identifiers are hints, so that a wrong one only comes later. */
function rank(certificate: Certificate, { certificate: issuer, anchor }: Issuer): number {
  const hint = certificate.authorityKeyId?.keyId;
  const { subjectKeyId } = issuer;
  const keys = hint === undefined || subjectKeyId === undefined ? 0 : equalBytes(hint, subjectKeyId) ? 2 : -2;
  return keys + (anchor ? 1 : 0);
}

/** RFC 4158 section 2.4.2: the same name and key twice in a path is a loop. */
function sameEntity(a: Certificate, b: Certificate): boolean {
  return a === b || (a.subject.key === b.subject.key && equalBytes(a.publicKey.spki, b.publicKey.spki));
}

const verified = new WeakMap<object, WeakSet<Certificate>>();

/**
 * Whether the signature of a certificate or list was made with the key of `issuer`. A good one is remembered.
 *
 * @returns undefined when the work is used up
 */
export async function isSignedBy(
  object: Parameters<typeof verifySignedObject>[2],
  issuer: Certificate,
  crypto: CryptoProvider,
  work: PathWork,
): Promise<boolean | undefined> {
  const known = verified.get(object);
  if (known?.has(issuer) === true) return true;
  if (work.signatures-- <= 0) return undefined;
  // A hostile modulus would make every signature slow.
  if (issuer.publicKey.rsa !== undefined && issuer.publicKey.bits > 16_384) return false;
  const good = await verifySignedObject(crypto, issuer.publicKey, object);
  if (good) {
    if (known === undefined) verified.set(object, new WeakSet([issuer]));
    else known.add(issuer);
  }
  return good;
}
