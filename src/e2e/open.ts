/** Opening: unwrap, decrypt, verify, check, rebuild the stanza (RFC 3923 sections 6 and 7). One call, one verdict. */

import type { SecurityBackend, SignatureResult } from '../backends/backend.ts';
import { E2eError, type EncryptionInfo } from '../errors.ts';
import { Jid } from '../jid/jid.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { parseEntity } from '../mime/entity.ts';
import { parsePayload, type Payload } from '../payload/payload.ts';
import { reconstruct } from '../payload/reconstruct.ts';
import { instantOf } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import { toElement } from '../xml/from-host.ts';
import { type Envelope, requireRecipient, requireSameStanza, requireSender, requireSignature } from './check.ts';
import { decryptLayer, type OpenedLayers, verifyLayer } from './layers.ts';
import { readAt, readOptions } from './options.ts';
import { type Policy, strictPolicy } from './policy.ts';
import { ReplayGuard } from './replay.ts';
import { addressOf, readJid, stanzaKind } from './stanza.ts';
import { latestDelay, type OpenContext } from './timeliness.ts';
import { type Timing, requireTimely, signedTimeOf } from './timing.ts';
import { type Verdict, verdict, verdictInstant, verifiedSender } from './verdict.ts';
import { unwrap } from './wrap.ts';

/** Options of {@link openStanza}. */
export interface OpenOptions {
  /** Asked in order which of them knows an object. */
  readonly backends: readonly SecurityBackend[];
  /** My address, bare or full. */
  readonly me: Jid | string;
  readonly policy?: Policy | undefined;
  /** Required by {@link strictPolicy}; `false` is the explicit choice not to look for replays. */
  readonly replay?: ReplayGuard | false | undefined;
  readonly context?: OpenContext | undefined;
  /** When the stanza is received: now unless given. */
  readonly at?: Date | undefined;
  readonly limits?: Limits | undefined;
  readonly signal?: AbortSignal | undefined;
}

const optionNames = [
  'backends',
  'me',
  'policy',
  'replay',
  'context',
  'at',
  'limits',
  'signal',
] as const satisfies readonly (keyof OpenOptions)[];

/** An opened stanza with the verdict on it. */
export interface Opened {
  /** Built from what was sealed; only addresses, and for CPIM and PIDF `id` and `type`, come from outside. */
  readonly stanza: XmlElement;
  /** The payload as parsed, for what a stanza cannot say (unknown CPIM headers, further PIDF tuples). */
  readonly payload: Payload;
  readonly verdict: Verdict;
}

/**
 * Opens a sealed stanza and judges it: content and verdict together, or an error.
 *
 * @param stanza the stanza as received, as text, as our tree or as a host's element
 * @throws {E2eError} every code but those of sealing; nothing of the content is in it
 * @throws {TypeError} for wrong options, among them a missing `replay` under a policy that requires it
 * @see RFC 3923 sections 6 and 7
 */
export async function openStanza(stanza: object | string, options: OpenOptions): Promise<Opened> {
  const given = readOptions(options, optionNames);
  const { policy = strictPolicy, limits = defaultLimits, context = 'live', signal, replay, backends } = given;
  if (replay === undefined && policy.replay === 'required') {
    throw new TypeError('option replay is required by this policy: a ReplayGuard, or false');
  }
  if (replay !== undefined && replay !== false && !(replay instanceof ReplayGuard)) {
    throw new TypeError('option replay must be a ReplayGuard or false');
  }
  const me = readJid('me', given.me).bare();
  const at = readAt(given.at);
  signal?.throwIfAborted();

  const tree = toElement(stanza, { limits, stage: 'unwrap' });
  const envelope = readEnvelope(tree, me, context);
  const { entity, outside } = unwrap(tree, limits);
  const call = { backends, me, sender: envelope.from.bare(), at, algorithms: policy.algorithms, limits, signal };
  const outer = await decryptLayer(entity, call);

  let signature: SignatureResult | undefined;
  try {
    const content = outer === undefined ? entity : parseEntity(outer.content, { limits, stage: 'parse' });
    const layers = await verifyLayer(content, outer, call);
    signature = requireSignature(layers.signatures, policy, limits);
    const timing: Timing = { policy, context, at: instantOf(at), replay, delay: latestDelay(tree), signal };
    return await believe(layers, signature, envelope, outside, timing, limits);
  } catch (error) {
    throw conceal(error, outer?.encryption, signature !== undefined);
  }
}

function readEnvelope(tree: XmlElement, me: Jid, context: OpenContext): Envelope {
  const kind = stanzaKind(tree, 'unwrap');
  const from = addressOf(tree, 'from', 'unwrap');
  if (from === undefined)
    throw new E2eError('ERR_E2E_SENDER_MISMATCH', 'unwrap', { reason: 'the stanza has no "from"' });
  // Section 2 leaves group chat out: who speaks there is the room's claim. The outer type is anybody's to change.
  if (kind === 'message' && tree.attribute('type') === 'groupchat')
    throw new E2eError('ERR_E2E_LAYERS_REFUSED', 'unwrap', { reason: 'group chat is never sealed' });
  const to = addressOf(tree, 'to', 'unwrap');
  return { kind, me, from, to, type: tree.attribute('type'), id: tree.attribute('id'), context };
}

async function believe(
  layers: OpenedLayers,
  signature: SignatureResult | undefined,
  envelope: Envelope,
  outside: readonly XmlElement[],
  timing: Timing,
  limits: Limits,
): Promise<Opened> {
  const { policy } = timing;
  const payload = parsePayload(layers.content, limits);
  const identity = requireSender(envelope, payload, signature);
  const recipientBound = requireRecipient(envelope, payload, signature, policy);
  requireSameStanza(envelope, payload);
  const { from, to = envelope.me, type, id } = envelope;
  const rebuilt = reconstruct(payload, { from, to, type, id });
  const signed = signedTimeOf(payload, signature, policy);
  // Last, since it writes: nothing that fails a check may touch the state of its claimed sender.
  const { status, replay } = await requireTimely(signed.nanoseconds, signature, layers.content, envelope, timing);
  const sender = signature === undefined || identity === undefined ? null : verifiedSender(signature, identity);
  const facts = {
    policy: policy.name,
    backend: layers.backend,
    protection: layers.protection,
    payload: payload.form,
    sender,
    claimedFrom: from.bare().toString(),
    recipientBound,
    recipients: payload.recipients.map((jid) => jid.bare().toString()),
    authenticated: sender !== null || (layers.encryption?.aead ?? false),
    encryption: layers.encryption,
    time: {
      status,
      signed: verdictInstant(signed.nanoseconds),
      source: signed.source,
      delay: verdictInstant(timing.delay),
    },
    replay,
    outside,
    dropped: rebuilt.dropped,
  };
  return Object.freeze({ stanza: rebuilt.stanza, payload, verdict: verdict(facts) });
}

/**
 * Until a good signature was seen, all that goes wrong with content that is not AEAD looks alike: whoever can tell one
 * failure from another decrypts CBC byte by byte.
 */
function conceal(error: unknown, encryption: EncryptionInfo | undefined, signed: boolean): unknown {
  if (!(error instanceof E2eError) || encryption === undefined) return error;
  if (!encryption.aead && !signed) return new E2eError('ERR_E2E_DECRYPTION_FAILED', 'decrypt', { encryption });
  return new E2eError(error.code, error.stage, { reason: error.reason, encryption });
}
