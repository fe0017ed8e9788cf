/**
 * Certification path validation (RFC 5280 section 6, RFC 6818, RFC 8550): all of section 6.1 from any set of
 * certificates, with revocation by lists (section 6.3).
 *
 * An answer is `trusted` only if one path passes every check. There are no default anchors, and a certificate that
 * arrived in a message is never one.
 */

import { equalBytes } from '../bytes.ts';
import { oids } from '../asn1/oids.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { Limits } from '../limits.ts';
import { type Certificate } from './certificate.ts';
import type { KeyUsage } from './certificate-extensions.ts';
import type { Crl } from './crl.ts';
import { type NameConstraints, checkNameConstraints } from './name-constraints.ts';
import { type CandidatePath, type PathWork, buildPaths, isSignedBy, startPathWork } from './path-building.ts';
import { type PolicyInputs, noPolicyInputs, processPolicies } from './policy-graph.ts';
import { coveredReasons, maySignCrls, revocationStatus } from './revocation.ts';
import { isWeakSignature, weakKey } from './signature.ts';

/** What the key of the target is to be used for (RFC 8550 section 4.4.2). */
export type KeyPurpose = 'sign' | 'key-transport' | 'key-agreement' | 'sign-crls' | 'any';

/** What path validation starts from. */
export interface PathValidationInput {
  readonly certificate: Certificate;
  /** Further certificates, in any order. None of them is trusted. */
  readonly intermediates: readonly Certificate[];
  /** Trust anchors: the issuers that the caller believes. */
  readonly anchors: readonly Certificate[];
  /** Certificates that the caller believes themselves, for the use at hand. */
  readonly pinned?: readonly Certificate[] | undefined;
  /** Lists that the caller gave: where one speaks about a certificate, its status must be known. */
  readonly crls?: readonly Crl[] | undefined;
  /** Lists that came with a message: they can revoke, and are missed by nobody. */
  readonly carriedCrls?: readonly Crl[] | undefined;
  /** `required` refuses every certificate whose good standing is not proved. */
  readonly revocation?: 'if-available' | 'required' | undefined;
  /** The time at which everything is judged. */
  readonly at: Date;
  /** Seconds by which the start of a certificate may lie after `at`; 0 unless given. */
  readonly clockSkewSeconds?: number | undefined;
  readonly limits: Limits;
  readonly crypto: CryptoProvider;
  readonly purpose: KeyPurpose;
  /** Extended key usages of which one must be there, where the extension is; undefined for any. */
  readonly extendedKeyUsages?: readonly string[] | undefined;
  readonly policies?: Partial<PolicyInputs> | undefined;
  /** Whether SHA-1 signatures on certificates are taken; false unless given. */
  readonly sha1Signatures?: boolean | undefined;
  /** Whether the validity period of an anchor counts; true unless given, though RFC 5280 leaves it out. */
  readonly anchorValidity?: boolean | undefined;
  /** Whether the extensions of an anchor count (RFC 5937); true unless given. */
  readonly anchorConstraints?: boolean | undefined;
}

/** `expired`, `revoked` and `weak` say that nothing else is wrong. */
export type PathOutcome = 'trusted' | 'untrusted' | 'expired' | 'revoked' | 'weak';

/** The result of path validation. */
export interface PathValidation {
  readonly outcome: PathOutcome;
  /** Why, in plain words. */
  readonly reason: string;
  /** The target first, the anchor last; the target alone when it is pinned or no path was found. */
  readonly chain: readonly Certificate[];
  readonly trust: 'pinned' | 'anchor' | undefined;
  /** The certificate that is at fault. */
  readonly failing: Certificate | undefined;
  /** The user-constrained policy set (RFC 5280 section 6.1.6). */
  readonly policies: ReadonlySet<string>;
}

interface Fault {
  readonly outcome: Exclude<PathOutcome, 'trusted'>;
  readonly reason: string;
  readonly failing: Certificate;
}

/** Of two faults the one that is worth more to know; `untrusted` hides the others, since it makes them unproved. */
const severity: Readonly<Record<PathOutcome, number>> = { untrusted: 3, revoked: 2, weak: 1, expired: 0, trusted: -1 };
/** Of two paths the one whose fault says most. */
const telling: Readonly<Record<PathOutcome, number>> = { revoked: 3, weak: 2, expired: 1, untrusted: 0, trusted: 4 };

/**
 * Validates a certificate for a purpose.
 *
 * @returns an outcome for every input; nothing is thrown for data
 */
export function validatePath(input: PathValidationInput): Promise<PathValidation> {
  return validate(input, { work: startPathWork(), nesting: 0 });
}

interface Context {
  readonly work: PathWork;
  /** How deep this validation lies inside those of issuers of revocation lists. */
  readonly nesting: number;
}

async function validate(input: PathValidationInput, context: Context): Promise<PathValidation> {
  const { certificate, pinned = [] } = input;
  if (pinned.some((one) => equalBytes(one.der, certificate.der))) return validatePinned(input, context);
  let best: PathValidation | undefined;
  const paths = buildPaths(input, context.work);
  for (;;) {
    const step = await paths.next();
    if (step.done === true) {
      const { reason, failing } = step.value;
      return best ?? { outcome: 'untrusted', reason, chain: [certificate], trust: undefined, failing, policies: none };
    }
    const result = await validateCandidate(input, step.value, context);
    if (result.outcome === 'trusted') return result;
    if (best === undefined || telling[result.outcome] > telling[best.outcome]) best = result;
  }
}

const none: ReadonlySet<string> = new Set<string>();

/** A pinned certificate needs no issuer, but must be fit for its use, and a list of its issuer can still revoke it. */
async function validatePinned(input: PathValidationInput, context: Context): Promise<PathValidation> {
  const { certificate, crls = [], carriedCrls = [], intermediates, anchors } = input;
  const faults: Fault[] = [];
  checkTime(certificate, input, faults);
  const weak = weakKey(certificate.publicKey, input.limits);
  if (weak !== undefined) faults.push({ outcome: 'weak', reason: weak, failing: certificate });
  checkTarget(certificate, input, faults);
  const lists = [...crls, ...carriedCrls];
  if (lists.length > 0 || input.revocation === 'required') {
    const issuers: Certificate[] = [];
    for (const issuer of [...anchors, ...intermediates, certificate]) {
      if (issuer.subject.key !== certificate.issuer.key) continue;
      if ((await isSignedBy(certificate, issuer, input.crypto, context.work)) === true) issuers.push(issuer);
    }
    const status = await revocationStatus(certificate, lists, input.at, async (crl) => {
      for (const issuer of issuers) {
        if (issuer.subject.key !== crl.issuer.key || !maySignCrls(issuer)) continue;
        if ((await isSignedBy(crl, issuer, input.crypto, context.work)) === true) return true;
      }
      return false;
    });
    checkStatus(certificate, status, input, faults);
  }
  return result(faults, [certificate], 'pinned', none);
}

async function validateCandidate(
  input: PathValidationInput,
  path: CandidatePath,
  context: Context,
): Promise<PathValidation> {
  const faults: Fault[] = [];
  const policies = checkPath(input, path, context.work, faults);
  const chain = [...path.certificates, path.anchor];
  if (!faults.some(({ outcome }) => outcome === 'untrusted')) await checkRevocation(input, path, context, faults);
  return result(faults, chain, 'anchor', policies);
}

function result(
  faults: readonly Fault[],
  chain: readonly Certificate[],
  trust: 'pinned' | 'anchor',
  policies: ReadonlySet<string>,
): PathValidation {
  let worst: Fault | undefined;
  for (const fault of faults) {
    if (worst === undefined || severity[fault.outcome] > severity[worst.outcome]) worst = fault;
  }
  if (worst !== undefined) return { ...worst, chain, trust: undefined, policies: none };
  const reason = trust === 'pinned' ? 'the certificate is pinned' : 'valid path to a trust anchor';
  return { outcome: 'trusted', reason, chain, trust, failing: undefined, policies };
}

/** RFC 5280 sections 6.1.2 to 6.1.5, apart from signatures, which path building has verified, and from revocation. */
function checkPath(
  input: PathValidationInput,
  { certificates, anchor }: CandidatePath,
  work: PathWork,
  faults: Fault[],
): ReadonlySet<string> {
  const length = certificates.length;
  const policy = processPolicies({ ...noPolicyInputs, ...input.policies }, length);
  const constraints: NameConstraints[] = [];
  const reject = (reason: string | undefined, failing: Certificate): void => {
    if (reason !== undefined) faults.push({ outcome: 'untrusted', reason, failing });
  };
  let maxPathLength = length;

  if (input.anchorValidity !== false) checkTime(anchor, input, faults);
  const anchorKey = weakKey(anchor.publicKey, input.limits);
  if (anchorKey !== undefined) faults.push({ outcome: 'weak', reason: anchorKey, failing: anchor });
  if (input.anchorConstraints !== false) {
    reject(unfitCa(anchor, input, true), anchor);
    if (anchor.nameConstraints !== undefined) constraints.push(anchor.nameConstraints);
    maxPathLength = Math.min(maxPathLength, anchor.basicConstraints?.pathLength ?? maxPathLength);
    reject(policy.anchor(anchor), anchor);
  }

  for (let i = length - 1; i >= 0; i--) {
    const certificate = certificates[i]!;
    const last = i === 0;
    const { selfIssued } = certificate;
    // 6.1.3 (a)
    checkTime(certificate, input, faults);
    checkStrength(certificate, input, faults);
    if (certificate.issuer.rdns.length === 0) reject('its issuer has no name', certificate);
    // 6.1.3 (b), (c)
    if (last || !selfIssued) reject(checkNameConstraints(certificate, constraints, work.comparisons), certificate);
    // 6.1.3 (d) to (f), 6.1.4 (a), (b), (h) to (j)
    reject(policy.next(certificate, selfIssued, last), certificate);
    if (last) checkTarget(certificate, input, faults);
    else {
      reject(unfitCa(certificate, input, false), certificate);
      // 6.1.4 (g)
      if (certificate.nameConstraints !== undefined) constraints.push(certificate.nameConstraints);
      // 6.1.4 (l), (m)
      if (!selfIssued && maxPathLength-- <= 0)
        reject('the path is longer than the pathLenConstraint of a CA above allows', certificate);
      maxPathLength = Math.min(maxPathLength, certificate.basicConstraints?.pathLength ?? maxPathLength);
    }
  }
  const policies = policy.end();
  if (typeof policies !== 'string') return policies;
  reject(policies, certificates[0]!);
  return none;
}

/** 6.1.4 (k), (n), (o): whether a certificate may issue the next one. */
function unfitCa(ca: Certificate, input: PathValidationInput, anchor: boolean): string | undefined {
  // An anchor of version 1, or without the extension, is a CA by the caller's word.
  if (ca.basicConstraints === undefined ? !anchor : !ca.basicConstraints.ca)
    return 'it issued a certificate and is no CA';
  if (ca.keyUsage !== undefined && !ca.keyUsage.has('keyCertSign'))
    return 'it issued a certificate, which its key usage does not allow';
  if (!allowsExtendedUsage(ca, input)) return 'its extended key usage lets it certify for other purposes only';
  return unknownCritical(ca);
}

/** 6.1.5 (e), RFC 8550 section 4.4: whether the target is fit for its purpose. */
function checkTarget(target: Certificate, input: PathValidationInput, faults: Fault[]): void {
  const reject = (reason: string): void => void faults.push({ outcome: 'untrusted', reason, failing: target });
  const critical = unknownCritical(target);
  if (critical !== undefined) reject(critical);
  // RFC 5480 section 2.1.1: a curve by explicit parameters can be one whose key somebody else knows (CVE-2020-0601).
  if (target.publicKey.algorithm === 'unsupported' && target.publicKey.oid === oids.ecPublicKey) {
    reject('its key is on an elliptic curve that is not supported');
  }
  const usages = usagesFor[input.purpose];
  if (target.keyUsage !== undefined && !usages.some((usage) => target.keyUsage!.has(usage))) {
    reject(`its key usage does not allow ${usesInWords[input.purpose]}`);
  }
  if (!allowsExtendedUsage(target, input)) reject('its extended key usage is for other purposes only');
}

const usesInWords: Readonly<Record<KeyPurpose, string>> = {
  sign: 'signing',
  'key-transport': 'encrypting keys',
  'key-agreement': 'agreeing on keys',
  'sign-crls': 'signing revocation lists',
  any: 'any use',
};

/** RFC 8550 section 4.4.2. */
const usagesFor: Readonly<Record<KeyPurpose, readonly KeyUsage[]>> = {
  sign: ['digitalSignature', 'nonRepudiation'],
  'key-transport': ['keyEncipherment'],
  'key-agreement': ['keyAgreement'],
  'sign-crls': ['cRLSign'],
  any: [
    'digitalSignature',
    'nonRepudiation',
    'keyEncipherment',
    'dataEncipherment',
    'keyAgreement',
    'keyCertSign',
    'cRLSign',
    'encipherOnly',
    'decipherOnly',
  ],
};

/** RFC 8550 section 4.4.4; in a CA certificate the extension limits what it issues for. */
function allowsExtendedUsage(certificate: Certificate, input: PathValidationInput): boolean {
  const asked = input.extendedKeyUsages;
  const given = certificate.extendedKeyUsage;
  if (asked === undefined || given === undefined) return true;
  return given.includes(oids.anyExtendedKeyUsage) || asked.some((usage) => given.includes(usage));
}

function unknownCritical(certificate: Certificate): string | undefined {
  const [oid] = certificate.unknownCritical;
  return oid === undefined ? undefined : `it has a critical extension that is not understood (${oid.slice(0, 40)})`;
}

function instant(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}

function checkTime(certificate: Certificate, input: PathValidationInput, faults: Fault[]): void {
  const at = input.at.getTime();
  const skew = (input.clockSkewSeconds ?? 0) * 1000;
  if (certificate.notAfter.getTime() < at) {
    faults.push({
      outcome: 'expired',
      reason: `the certificate expired at ${instant(certificate.notAfter)}`,
      failing: certificate,
    });
  } else if (certificate.notBefore.getTime() > at + skew) {
    faults.push({
      outcome: 'expired',
      reason: `the certificate is not valid before ${instant(certificate.notBefore)}`,
      failing: certificate,
    });
  }
}

function checkStrength(certificate: Certificate, input: PathValidationInput, faults: Fault[]): void {
  const weak = weakKey(certificate.publicKey, input.limits);
  if (weak !== undefined) faults.push({ outcome: 'weak', reason: weak, failing: certificate });
  if (isWeakSignature(certificate.signatureAlgorithm, input.sha1Signatures === true)) {
    faults.push({ outcome: 'weak', reason: 'it was signed with a weak hash (SHA-1 or older)', failing: certificate });
  }
}

async function checkRevocation(
  input: PathValidationInput,
  { certificates, anchor }: CandidatePath,
  context: Context,
  faults: Fault[],
): Promise<void> {
  const crls = [...(input.crls ?? []), ...(input.carriedCrls ?? [])];
  if (crls.length === 0 && input.revocation !== 'required') return;
  for (const [index, certificate] of certificates.entries()) {
    const issuer = certificates[index + 1] ?? anchor;
    const status = await revocationStatus(certificate, crls, input.at, (crl) =>
      isAuthentic(crl, issuer, anchor, input, context),
    );
    checkStatus(certificate, status, input, faults);
  }
}

function checkStatus(
  certificate: Certificate,
  status: Awaited<ReturnType<typeof revocationStatus>>,
  input: PathValidationInput,
  faults: Fault[],
): void {
  if (status === 'revoked') {
    faults.push({ outcome: 'revoked', reason: 'certificate is revoked', failing: certificate });
    return;
  }
  // Section 6.3.3, last paragraph: UNDETERMINED is no good standing.
  const expected =
    input.revocation === 'required'
      ? status !== 'good'
      : status === 'unknown' && (input.crls ?? []).some((crl) => coveredReasons(certificate, crl) !== 0);
  if (expected) {
    faults.push({ outcome: 'untrusted', reason: 'revocation status cannot be determined', failing: certificate });
  }
}

/** 6.3.3 (f), (g): a list counts if its signer leads to the same anchor. */
async function isAuthentic(
  crl: Crl,
  issuer: Certificate,
  anchor: Certificate,
  input: PathValidationInput,
  context: Context,
): Promise<boolean> {
  if (isWeakSignature(crl.signatureAlgorithm, input.sha1Signatures === true)) return false;
  for (const signer of new Set([issuer, anchor, ...input.intermediates])) {
    if (signer.subject.key !== crl.issuer.key || !maySignCrls(signer)) continue;
    if ((await isSignedBy(crl, signer, input.crypto, context.work)) !== true) continue;
    if (signer === issuer || signer === anchor) return true;
    // A key of its own for lists, or another issuer (an indirect list): its certificate needs a path as well.
    if (context.nesting >= 2) continue;
    const path = await validate(
      {
        ...input,
        certificate: signer,
        anchors: [anchor],
        pinned: [],
        crls: input.crls?.filter((other) => other !== crl),
        carriedCrls: input.carriedCrls?.filter((other) => other !== crl),
        revocation: 'if-available',
        purpose: 'sign-crls',
        extendedKeyUsages: undefined,
        policies: undefined,
      },
      { work: context.work, nesting: context.nesting + 1 },
    );
    if (path.outcome === 'trusted') return true;
  }
  return false;
}
