/**
 * Verifies a signed entity: multipart/signed (RFC 8551 section 3.5.3) and application/pkcs7-mime with SignedData
 * (section 3.5.2). Every cryptographic outcome is data; only malformed and over-limit input throws.
 */

import type { BackendCall, SignatureOutcome, SignatureResult, Verified } from '../backend.ts';
import { oids } from '../../asn1/oids.ts';
import { type SignedData, parseSignedData } from '../../cms/signed-data.ts';
import type { SignerInfo } from '../../cms/signer-info.ts';
import { type SignerVerdict, verifySigner } from '../../cms/verify.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { signatureAlgorithmName, signatureAlgorithmOf } from '../../crypto/signature-algorithm.ts';
import { hashOf } from '../../crypto/hash-algorithm.ts';
import { E2eError } from '../../errors.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import { type Entity, parseEntity } from '../../mime/entity.ts';
import { parseMultipart } from '../../mime/multipart.ts';
import { type Certificate, fingerprintOf, parseCertificate } from '../../x509/certificate.ts';
import { type Crl, parseCrl } from '../../x509/crl.ts';
import type { PathOutcome, PathValidation } from '../../x509/path-validation.ts';
import { cmsOctets, isMultipartSigned, isSignatureType } from './cms-object.ts';
import { findCertificates, isSigningCertificate } from './signer-certificate.ts';
import { summarizeAll } from './summary.ts';
import { judgeCertificate, type KnownCertificates, trustedIdentities, type TrustRules } from './trust.ts';

/** A signed entity taken apart, before any judgment. */
export interface SignedParts {
  readonly signedData: SignedData;
  /** The detached content; undefined where the object holds it. */
  readonly detached: Uint8Array | undefined;
}

/** What signatures are judged by. */
export interface SignerContext {
  /** Bare JID for which certificates are filed. */
  readonly sender: Jid | undefined;
  readonly known: KnownCertificates;
  readonly rules: TrustRules;
  readonly crypto: CryptoProvider;
}

/** What judging takes of a call. */
export type VerifyCall = Pick<BackendCall, 'at' | 'algorithms' | 'limits'>;

/** Whether text around the parts of a multipart/signed is refused or skipped. */
export type Surround = 'refuse' | 'skip';

/**
 * Takes a signed entity apart.
 *
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export function parseSignedEntity(entity: Entity, limits: Limits, surround: Surround = 'refuse'): SignedParts {
  if (!isMultipartSigned(entity)) {
    return { signedData: parseSignedData(cmsOctets(entity, 'verify'), limits), detached: undefined };
  }
  const [content, second] = parseMultipart(entity, { limits, stage: 'verify', parts: 2, surround });
  const signature = parseEntity(second!, { limits, stage: 'verify' });
  // RFC 1847 section 2.1: the second part has the type that the protocol parameter names.
  if (!isSignatureType(signature.contentType?.type)) {
    throw new E2eError('ERR_E2E_MALFORMED', 'verify', { reason: 'the second part is no signature' });
  }
  return { signedData: parseSignedData(cmsOctets(signature, 'verify'), limits), detached: content! };
}

/**
 * Judges every signature of a signed entity.
 *
 * @returns the contract's result, with the certificate of each signer where one is known
 * @throws {E2eError} MALFORMED for an object without content; LIMIT, UNSUPPORTED
 */
export async function verifySigned(
  parts: SignedParts,
  call: VerifyCall,
  context: SignerContext,
): Promise<Verified & { readonly signers: readonly (Certificate | undefined)[] }> {
  const { signedData, detached } = parts;
  const content = detached ?? signedData.eContent;
  if (content === undefined) {
    throw new E2eError('ERR_E2E_MALFORMED', 'verify', { reason: 'a signature without its content' });
  }
  const carried = signedData.certificates.flatMap((der) => readable(() => parseCertificate(der, call.limits)));
  const lists = signedData.crls.flatMap((der) => readable(() => parseCrl(der, call.limits)));
  const judged: JudgedSigner[] = [];
  for (const signerInfo of signedData.signerInfos) {
    judged.push(await judgeSigner(signerInfo, parts, { carried, lists }, call, context));
  }
  const signatures = judged.map(({ result }) => result);
  return { content, signatures, signers: judged.map(({ certificate }) => certificate) };
}

/** A certificate or list that cannot be read vouches for nothing; it does not spoil the message that carries it. */
function readable<T>(parse: () => T): readonly T[] {
  try {
    return [parse()];
  } catch (error) {
    if (error instanceof E2eError) return [];
    throw error;
  }
}

interface JudgedSigner {
  readonly result: SignatureResult;
  readonly certificate: Certificate | undefined;
}

interface Carried {
  readonly carried: readonly Certificate[];
  readonly lists: readonly Crl[];
}

async function judgeSigner(
  signerInfo: SignerInfo,
  { signedData, detached }: SignedParts,
  { carried, lists }: Carried,
  call: VerifyCall,
  context: SignerContext,
): Promise<JudgedSigner> {
  const { known, rules, crypto, sender } = context;
  const intermediates = [...known.filed, ...known.others, ...carried];
  const found = findCertificates(intermediates, signerInfo.identifier);
  if (found === 'ambiguous') return unjudged('bad', 'several certificates fit the signer', signerInfo);
  const [first] = found;
  if (first === undefined) return unjudged('unknown-signer', 'no certificate is known for the signer', signerInfo);
  const weak = weakDigest(signerInfo);
  if (weak !== undefined) return unjudged('weak', weak, signerInfo);
  const verdict = await verifySigner({
    signedData,
    signerInfo,
    content: detached,
    publicKey: first.publicKey,
    crypto,
    policy: call.algorithms,
  });

  let best: { readonly certificate: Certificate; readonly path: PathValidation } | undefined;
  for (const certificate of found) {
    if (!(await isSigningCertificate(certificate, verdict.signingCertificateV2, crypto))) continue;
    const question = {
      purpose: 'sign',
      pinned: known.filed,
      intermediates,
      carriedCrls: lists,
      at: call.at,
      clockSkewSeconds: call.algorithms.clockSkewSeconds,
      sha1Signatures: call.algorithms.sha1Signatures,
      limits: call.limits,
      crypto,
    } as const;
    const path = await judgeCertificate(certificate, question, rules);
    if (best === undefined || preference[path.outcome] > preference[best.path.outcome]) best = { certificate, path };
  }
  if (best === undefined) return unjudged('bad', 'the signer named another certificate', signerInfo);
  const { certificate, path } = best;
  return { result: await judged(verdict, certificate, path, sender, crypto), certificate };
}

/** Among several certificates for one key: the one that says most for, or then most against, the signer. */
const preference: Readonly<Record<PathOutcome, number>> = { trusted: 4, revoked: 3, weak: 2, expired: 1, untrusted: 0 };

async function judged(
  verdict: SignerVerdict,
  certificate: Certificate,
  path: PathValidation,
  sender: Jid | undefined,
  crypto: CryptoProvider,
): Promise<SignatureResult> {
  const good = verdict.outcome === 'good';
  const trusted = path.outcome === 'trusted';
  // A signature that does not fit says nothing about anybody; a weak one is told only where the path is right.
  const outcome: SignatureOutcome = verdict.outcome === 'bad' ? 'bad' : trusted ? verdict.outcome : path.outcome;
  const believed = good && trusted;
  return {
    outcome,
    reason: outcome === verdict.outcome && !believed ? verdict.reason : path.reason,
    identities: believed ? trustedIdentities(certificate, path, sender) : [],
    trust: believed ? path.trust : undefined,
    fingerprint: verdict.outcome === 'bad' ? undefined : await fingerprintOf(certificate, crypto),
    algorithm: verdict.algorithm,
    signedAt: verdict.outcome === 'bad' ? undefined : verdict.signingTime,
    intendedFor: 'unspecified',
    chain: verdict.outcome === 'bad' ? [] : await summarizeAll(path.chain, crypto),
  };
}

/** MD2, MD4 and MD5 are known to be weak, and not worth the code to verify (RFC 8551 section 2.1 and appendix B). */
function weakDigest({ digestAlgorithm, signatureAlgorithm }: SignerInfo): string | undefined {
  const weak = weakDigests.has(digestAlgorithm.oid) || weakSignatures.has(signatureAlgorithm.oid);
  return weak ? 'MD5 or an older hash' : undefined;
}

const weakDigests: ReadonlySet<string> = new Set(['1.2.840.113549.2.2', '1.2.840.113549.2.4', oids.md5]);
const weakSignatures: ReadonlySet<string> = new Set(['1.2.840.113549.1.1.2', '1.2.840.113549.1.1.3', oids.md5WithRsa]);

function unjudged(outcome: SignatureOutcome, reason: string, signerInfo: SignerInfo): JudgedSigner {
  const result: SignatureResult = {
    outcome,
    reason,
    identities: [],
    trust: undefined,
    fingerprint: undefined,
    algorithm: algorithmName(signerInfo),
    signedAt: undefined,
    intendedFor: 'unspecified',
    chain: [],
  };
  return { result, certificate: undefined };
}

/** The algorithm of a signature whose key is not known. */
export function algorithmName({ signatureAlgorithm, digestAlgorithm }: SignerInfo): string {
  const hash = hashOf(digestAlgorithm);
  try {
    const algorithm = signatureAlgorithmOf(signatureAlgorithm, hash);
    if (algorithm !== undefined) return signatureAlgorithmName(algorithm);
  } catch (error) {
    if (!(error instanceof E2eError)) throw error;
  }
  return signatureAlgorithm.oid;
}
