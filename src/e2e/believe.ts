/** From verified layers to a delivered stanza: payload, names, pins, time, and the verdict (RFC 3923 section 6). */

import type { Limits } from '../limits.ts';
import { lookAlikeOf } from '../jid/look-alike.ts';
import { parsePayload, payloadOf } from '../payload/payload.ts';
import { reconstruct } from '../payload/reconstruct.ts';
import { claimOf, type JudgedSignature, requireRecipient, requireSameStanza, requireSender } from './check.ts';
import { type Expected, pinAtFirstUse, requirePinned } from './expectation.ts';
import type { OpenedLayers } from './layers.ts';
import type { Opened } from './open.ts';
import type { Found } from './refusal.ts';
import type { Roster } from './roster.ts';
import { requireTimely, signedTimeOf, type Timing } from './timing.ts';
import { verdict, verdictInstant, verifiedSender } from './verdict.ts';

/** What opening has found once the layers are verified. */
export interface Verified extends Found {
  layers: OpenedLayers;
  judged: JudgedSignature;
}

/**
 * Compares every name with every other, judges the time, and builds the stanza with its verdict.
 *
 * @param found is told of what is found here, for the verdict of an error
 * @throws {E2eError} SENDER_MISMATCH, RECIPIENT_MISMATCH, SIGNER_UNTRUSTED, PAYLOAD_INVALID, LAYERS_REFUSED, MALFORMED,
 * LIMIT, TIMESTAMP, REPLAYED, STORE_FAILED
 */
export async function believe(
  found: Verified,
  expected: Expected,
  timing: Omit<Timing, 'judged'>,
  limits: Limits,
  roster: Roster | undefined,
): Promise<Opened> {
  const { policy, profile, envelope, outside, layers, judged } = found;
  const { level, result } = judged;
  // What a signature says counts only if it is right, and touches the state of its sender only if it is believed.
  const right = level === 'good' || level === 'untrusted' ? result : undefined;
  const good = level === 'good' ? result : undefined;
  const payload =
    profile === undefined && layers.entity !== undefined
      ? payloadOf(layers.entity, limits)
      : (profile?.parse ?? parsePayload)(layers.content, limits);
  const identity = requireSender(envelope, payload, judged);
  if (identity !== undefined) found.sender = identity.jid.toString();
  requirePinned(expected, good?.fingerprint, found);
  const recipientBound = requireRecipient(envelope, payload, right, policy);
  requireSameStanza(envelope, payload);
  const { from, to = envelope.me, type, id } = envelope;
  const rebuilt = reconstruct(payload, { from, to, type, id });
  const signed = signedTimeOf(payload, good, policy);
  const instant = verdictInstant(signed.nanoseconds);
  // Last, since it writes: nothing that fails a check may touch the state of its claimed sender.
  const timely = await requireTimely(signed.nanoseconds, good, layers.content, envelope, {
    judged: (status) => void (found.time = { status, signed: instant }),
    ...timing,
  });
  const pin = await pinAtFirstUse(expected, envelope, good?.fingerprint, found);
  const sender = good === undefined || identity === undefined ? null : verifiedSender(good, identity);
  const facts = {
    policy: policy.name,
    profile: profile?.name,
    backend: layers.backend,
    protection: layers.protection,
    payload: payload.form,
    level,
    signature: result === undefined ? undefined : claimOf(result),
    sender,
    claimedFrom: from.bare().toString(),
    lookAlike: lookAlikeOf(from.bare(), roster?.resembling(from)),
    pin,
    recipientBound,
    recipients: payload.recipients.map((jid) => jid.bare().toString()),
    authenticated: sender !== null || (layers.encryption?.aead ?? false),
    encryption: layers.encryption,
    time: { status: timely.status, signed: instant, source: signed.source, delay: verdictInstant(timing.delay) },
    replay: timely.replay,
    outside,
    dropped: rebuilt.dropped,
    exceptions: good?.exceptions ?? [],
  };
  return Object.freeze({ stanza: rebuilt.stanza, payload, verdict: verdict(facts) });
}
