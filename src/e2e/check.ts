/**
 * The checks between a verified layer and a delivered stanza: signer, sender, recipient, kind (RFC 3923 sections 6.3
 * and 6.5). Every name that is present must agree with every other.
 */

import type { BoundIdentity, SignatureOutcome, SignatureResult } from '../backends/backend.ts';
import { type ClaimedSignature, E2eError, type E2eErrorCode, type SignatureLevel } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import type { Limits } from '../limits.ts';
import type { Payload } from '../payload/payload.ts';
import type { StanzaKind } from '../payload/xmpp-xml.ts';
import type { Policy } from './policy.ts';
import { isSent, type OpenContext } from './timeliness.ts';

const codeOf: Record<Exclude<SignatureOutcome, 'good'>, E2eErrorCode> = {
  bad: 'ERR_E2E_SIGNATURE_INVALID',
  'unknown-signer': 'ERR_E2E_SIGNER_UNKNOWN',
  untrusted: 'ERR_E2E_SIGNER_UNTRUSTED',
  expired: 'ERR_E2E_SIGNER_UNTRUSTED',
  revoked: 'ERR_E2E_SIGNER_UNTRUSTED',
  weak: 'ERR_E2E_WEAK_ALGORITHM',
};

const levelOf: Record<SignatureOutcome, SignatureLevel> = {
  good: 'good',
  bad: 'forged',
  'unknown-signer': 'unknown-signer',
  untrusted: 'untrusted',
  expired: 'untrusted',
  revoked: 'untrusted',
  weak: 'weak',
};

const worstFirst: readonly SignatureOutcome[] = [
  'bad',
  'weak',
  'revoked',
  'expired',
  'unknown-signer',
  'untrusted',
  'good',
];

/** The signature that an object stands on. */
export interface JudgedSignature {
  readonly level: SignatureLevel;
  /** The one that decides: where there are several, the worst. Undefined for an unsigned object. */
  readonly result: SignatureResult | undefined;
  /** Which of several signers would be the sender is anybody's guess (RFC 3923 section 6.3 knows one). */
  readonly several: boolean;
}

/** Finds what the signatures of an object amount to; refuses nothing. */
export function judgeSignatures(signatures: readonly SignatureResult[], limits: Limits): JudgedSignature {
  // The worst of several decides: a good signature must not carry a forged one along.
  const result = worstFirst.flatMap((outcome) => signatures.filter((one) => one.outcome === outcome))[0];
  if (result === undefined) return { level: 'unsigned', result, several: false };
  const several = signatures.length > limits.signatures;
  return { level: several ? 'forged' : levelOf[result.outcome], result, several };
}

/**
 * Refuses an object whose signature is not good, unless the policy delivers that level. What is forged, weak, expired or
 * revoked is delivered by no policy.
 *
 * @param required whether only a good signature will do, whatever the policy says
 * @throws {E2eError} UNSIGNED, SIGNATURE_INVALID, SIGNER_UNKNOWN, SIGNER_UNTRUSTED, WEAK_ALGORITHM
 */
export function requireSignature(judged: JudgedSignature, policy: Policy, required: boolean): void {
  const { level, result, several } = judged;
  if (several) throw new E2eError('ERR_E2E_SIGNATURE_INVALID', 'verify', { reason: 'several signatures' });
  if (result === undefined) {
    if (required || policy.unsigned !== 'deliver') throw new E2eError('ERR_E2E_UNSIGNED', 'verify');
    return;
  }
  const { outcome, reason } = result;
  if (outcome === 'good' || (!required && choiceFor(level, outcome, policy) === 'deliver')) return;
  throw new E2eError(codeOf[outcome], 'verify', { reason });
}

function choiceFor(level: SignatureLevel, outcome: SignatureOutcome, policy: Policy): 'refuse' | 'deliver' {
  if (level === 'unknown-signer') return policy.unknownSigner;
  return outcome === 'untrusted' ? policy.untrustedSigner : 'refuse';
}

/** What a signature says of itself. */
export function claimOf(result: SignatureResult): ClaimedSignature {
  const { reason, fingerprint, algorithm, chain } = result;
  return Object.freeze({ reason, fingerprint, algorithm, names: chain[0]?.jids ?? [] });
}

/** The addresses of the stanza as it came. */
export interface Envelope {
  readonly kind: StanzaKind;
  readonly me: Jid;
  /** Full JID in the outer `from`. */
  readonly from: Jid;
  readonly to: Jid | undefined;
  readonly type: string | undefined;
  readonly id: string | undefined;
  readonly context: OpenContext;
}

/**
 * Refuses a payload whose sender is not the stanza's, or not the signer (section 6.3: the `from` MUST match the
 * certificate).
 *
 * @returns the name in the certificate that vouches for the sender; undefined when no good signature does
 * @throws {E2eError} SENDER_MISMATCH
 */
export function requireSender(
  envelope: Envelope,
  payload: Payload,
  judged: JudgedSignature,
): BoundIdentity | undefined {
  const from = envelope.from.bare();
  for (const [where, jid] of payload.senders) {
    if (!jid.bare().equals(from)) throw senderMismatch(`${where} names another sender`, jid);
  }
  if (isSent(envelope.context) && !from.equals(envelope.me.bare())) throw senderMismatch('not sent by me', from);
  const { result, level } = judged;
  if (result === undefined || level === 'unknown-signer') return undefined;
  if (level !== 'good') {
    // Not even by its own account is it the sender's.
    if (!claimOf(result).names.includes(from.toString())) throw senderMismatch('the certificate names another', from);
    return undefined;
  }
  const identity = result.identities.find((one) => one.jid.equals(from));
  if (identity === undefined) throw senderMismatch('the certificate does not speak for the sender', from);
  return identity;
}

/**
 * Refuses a payload that was made for somebody else: a recipient of a signed object can encrypt it again to me
 * (surreptitious forwarding).
 *
 * @returns whether anything sealed names me at all
 * @throws {E2eError} RECIPIENT_MISMATCH
 */
export function requireRecipient(
  envelope: Envelope,
  payload: Payload,
  signature: SignatureResult | undefined,
  policy: Policy,
): boolean {
  // My own copies are made for whom I sent them to.
  const reader = (isSent(envelope.context) ? envelope.to : envelope.me)?.bare();
  if (reader === undefined) throw recipientMismatch('the stanza has no recipient');
  if (envelope.to !== undefined && !envelope.to.bare().equals(reader)) {
    throw recipientMismatch('the stanza is addressed to somebody else', envelope.to);
  }
  const { recipients, innerTo } = payload;
  if (recipients.length > 0 && !recipients.some((jid) => jid.bare().equals(reader))) {
    throw recipientMismatch('the payload is addressed to somebody else', recipients[0]);
  }
  if (innerTo !== undefined) {
    if (recipients.length > 1) throw recipientMismatch('an inner "to" beside several recipients');
    if (!innerTo.bare().equals(reader)) throw recipientMismatch('the inner "to" is somebody else', innerTo);
  }
  const intendedFor = signature?.intendedFor ?? 'unspecified';
  if (intendedFor === 'others' && !isSent(envelope.context)) {
    throw recipientMismatch('the signature is intended for others');
  }
  const bound = recipients.length > 0 || innerTo !== undefined || intendedFor === 'me';
  if (!bound && policy.unboundRecipient === 'refuse') throw recipientMismatch('nothing sealed names a recipient');
  return bound;
}

/**
 * Refuses a payload that a server has moved into another stanza: inner and outer kind, id, type and full addresses
 * agree wherever the inner stanza has them.
 *
 * @throws {E2eError} PAYLOAD_INVALID, LAYERS_REFUSED
 */
export function requireSameStanza(envelope: Envelope, payload: Payload): void {
  if (payload.kind !== envelope.kind) throw invalid(`the payload is no ${envelope.kind}`);
  const inner = payload.stanza;
  if (inner === undefined) return;
  const type = inner.attribute('type');
  if (type === 'error') {
    throw new E2eError('ERR_E2E_LAYERS_REFUSED', 'check', { reason: 'an error stanza inside a sealed one' });
  }
  if (type !== undefined && type !== envelope.type) throw invalid('inner and outer type differ');
  const id = inner.attribute('id');
  if (id !== undefined && id !== envelope.id) throw invalid('inner and outer id differ');
  const { innerFrom, innerTo } = payload;
  if (innerFrom !== undefined && !innerFrom.isBare && !innerFrom.equals(envelope.from)) {
    throw senderMismatch('inner and outer resource of the sender differ', innerFrom);
  }
  if (innerTo !== undefined && !innerTo.isBare && envelope.to !== undefined && !innerTo.equals(envelope.to)) {
    throw recipientMismatch('inner and outer resource of the recipient differ', innerTo);
  }
}

function senderMismatch(reason: string, jid: Jid): E2eError {
  return new E2eError('ERR_E2E_SENDER_MISMATCH', 'check', { reason, subject: jid.toString() });
}

function recipientMismatch(reason: string, jid?: Jid): E2eError {
  return new E2eError('ERR_E2E_RECIPIENT_MISMATCH', 'check', { reason, subject: jid?.toString() });
}

function invalid(reason: string): E2eError {
  return new E2eError('ERR_E2E_PAYLOAD_INVALID', 'check', { reason });
}
