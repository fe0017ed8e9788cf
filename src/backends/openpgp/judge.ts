/** The verdict on one signature: right or not, by whom, trusted for whom, and believable at a time. */

import { hex } from '../../bytes.ts';
import type { Limits } from '../../limits.ts';
import type { BoundIdentity, SignatureOutcome, SignatureResult } from '../backend.ts';
import { algorithmName, type Certificate, type Component, seconds } from './certificate.ts';
import { isSurelyRight } from './fast/verify.ts';
import { intendedFor, understandIntended } from './intended.ts';
import { enums, keyIdBytes, literalPacket, type MessageSignature } from './library.ts';
import { hashName } from './names.ts';
import { lenientConfig, weakHashes } from './safe-config.ts';
import { describe } from './summary.ts';
import { keyStatusWithSkew, type KeyStatus } from './validity.ts';

/** What signatures are judged by. Whether the signing time itself is acceptable is the caller's question. */
export interface JudgeContext {
  readonly at: Date;
  readonly clockSkewSeconds: number;
  readonly limits: Limits;
  readonly candidates: readonly Certificate[];
  /** Fingerprints of my primary keys, for the intended-recipient rule. */
  readonly mine: readonly string[];
  /** The names that a certificate speaks for; none where it is not trusted. */
  identities(certificate: Certificate, time: number): readonly BoundIdentity[];
}

interface Issuer {
  readonly certificate: Certificate;
  readonly component: Component;
}

/**
 * Judges one signature.
 *
 * @param content the octets as hashed: for a text signature in canonical form
 */
export async function judge(
  signature: MessageSignature,
  content: Uint8Array,
  context: JudgeContext,
): Promise<SignatureResult> {
  const { at, limits, clockSkewSeconds } = context;
  const time = seconds(at);
  const result = (outcome: SignatureOutcome, reason: string, issuer?: Issuer): SignatureResult => {
    const identities = outcome === 'good' ? context.identities(issuer!.certificate, time) : [];
    return {
      outcome,
      reason,
      identities,
      trust: outcome === 'good' ? 'pinned' : undefined,
      fingerprint: issuer?.certificate.fingerprint,
      algorithm: `${issuer?.component.algorithm ?? signatureAlgorithm(signature)} ${hashName(signature.hashAlgorithm)}`,
      signedAt: signature.created,
      intendedFor: intendedFor(signature, context.mine),
      chain: issuer === undefined ? [] : [describe(issuer.certificate, time)],
      exceptions: outcome === 'good' ? exceptionsFor(issuer!.component) : [],
    };
  };

  if (!isMessageSignature(signature)) return result('bad', 'not a signature over a message');
  understandIntended(signature);
  const issuers = issuersOf(signature, context.candidates);
  if (issuers.length === 0) return result('unknown-signer', `no certificate at hand for key ${issuerName(signature)}`);
  let issuer: Issuer | undefined;
  for (const candidate of issuers) {
    if ((candidate.component.rsaBits ?? 0) > limits.rsaMaxBits) {
      return result('weak', 'the RSA key is longer than the limit', candidate);
    }
    if (await isRight(signature, content, candidate.component)) issuer ??= candidate;
  }
  if (issuer === undefined) return result('bad', 'the signature does not fit', issuers[0]);
  const { certificate, component } = issuer;
  if (weakHashes.has(signature.hashAlgorithm ?? 0)) return result('weak', 'the hash is too weak', issuer);
  const created = seconds(signature.created);
  if (created < component.created) return result('bad', 'the signature is older than its key', issuer);
  const now = keyStatusWithSkew(certificate, component, 'sign', time, clockSkewSeconds, limits);
  if (now !== 'valid') return result(...verdictOn(now), issuer);
  const lifetime = signature.signatureNeverExpires ? 0 : (signature.signatureExpirationTime ?? 0);
  if (lifetime !== 0 && time >= created + lifetime) return result('expired', 'the signature has expired', issuer);
  // At the time of signing too; but a key whose self-signature was renewed since is judged by the new one alone.
  const then = keyStatusWithSkew(certificate, component, 'sign', created, clockSkewSeconds, limits);
  if (then !== 'valid' && then !== 'not-yet') return result(...verdictOn(then), issuer);
  if (context.identities(certificate, time).length === 0) {
    return result('untrusted', 'the certificate does not speak for the sender', issuer);
  }
  return result('good', 'good signature', issuer);
}

/** What the profile of a foreign client let pass; without one a back-signature over too little is none. */
function exceptionsFor({ backSignatures, primaryOnlyBackSignatures }: Component): readonly string[] {
  const believed = new Set(backSignatures.values());
  return [...primaryOnlyBackSignatures.values()].some((back) => believed.has(back))
    ? ['the back-signature of the signing subkey covers the primary key alone']
    : [];
}

function verdictOn(status: KeyStatus): [SignatureOutcome, string] {
  switch (status) {
    case 'revoked':
      return ['revoked', 'the key is revoked'];
    case 'expired':
      return ['expired', 'the key has expired'];
    case 'not-yet':
      return ['expired', 'the key is not valid yet'];
    case 'weak':
      return ['weak', 'the key or its self-signature is too weak'];
    case 'unbound':
      return ['bad', 'the signing key is not bound to the certificate'];
    default:
      return ['bad', 'the key may not sign'];
  }
}

/** Binary (0x00) or canonical text (0x01). */
function isMessageSignature({ signatureType }: MessageSignature): boolean {
  return signatureType === enums.signature.binary || signatureType === enums.signature.text;
}

/** By fingerprint where the signature gives one, else by key id, of which there can be several by intent. */
function issuersOf(signature: MessageSignature, candidates: readonly Certificate[]): readonly Issuer[] {
  const fingerprint = signature.issuerFingerprint === null ? undefined : hex(signature.issuerFingerprint);
  const keyId = hex(keyIdBytes(signature.issuerKeyID));
  const issuers: Issuer[] = [];
  for (const certificate of candidates) {
    for (const component of [certificate.primary, ...certificate.subkeys]) {
      if (fingerprint === undefined ? component.keyId === keyId : component.fingerprint === fingerprint) {
        issuers.push({ certificate, component });
      }
    }
  }
  return issuers;
}

/** The key id or fingerprint that a signature names as its issuer. */
export function issuerName({ issuerFingerprint, issuerKeyID }: MessageSignature): string {
  return issuerFingerprint === null ? hex(keyIdBytes(issuerKeyID)) : hex(issuerFingerprint);
}

async function isRight(signature: MessageSignature, content: Uint8Array, { packet }: Component): Promise<boolean> {
  if (await isSurelyRight(signature, content, packet)) return true;
  try {
    const data = literalPacket(content, new Date(0));
    await signature.verify(packet, signature.signatureType!, data, null, false, lenientConfig);
    return true;
  } catch {
    // Forged, damaged, made by another key, or with critical content that nobody here understands.
    return false;
  }
}

function signatureAlgorithm({ publicKeyAlgorithm }: MessageSignature): string {
  return algorithmName({ algorithm: enums.publicKey[publicKeyAlgorithm ?? 0] ?? 'unknown' });
}
