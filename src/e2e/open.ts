/** Opening: unwrap, decrypt, verify, check, rebuild the stanza (RFC 3923 sections 6 and 7). One call, one verdict. */

import type { SecurityBackend } from '../backends/backend.ts';
import { E2eError } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { parseEntity } from '../mime/entity.ts';
import type { Payload } from '../payload/payload.ts';
import { instantOf } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import { toElement } from '../xml/from-host.ts';
import { believe, type Verified } from './believe.ts';
import { type ArrivedCertificates, handOver } from './certificate-exchange.ts';
import { type Envelope, judgeSignatures, requireSignature } from './check.ts';
import { type Expectation, expectedOf, readExpectation, refusePlain, requiresSignature } from './expectation.ts';
import { type DialectProfile, openDialectLayer, policyUnder, requireDialect } from './dialect.ts';
import { decryptLayer, verifyLayer } from './layers.ts';
import { readAt, readOptions } from './options.ts';
import type { PinGuard } from './pins.ts';
import { type Policy, strictPolicy } from './policy.ts';
import { type Found, refusal } from './refusal.ts';
import { ReplayGuard } from './replay.ts';
import type { Roster } from './roster.ts';
import { addressOf, e2eChildren, readJid, stanzaKind } from './stanza.ts';
import { latestDelay, type OpenContext, readContext } from './timeliness.ts';
import type { Timing } from './timing.ts';
import type { Verdict } from './verdict.ts';
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
  /** The foreign client whose stanza this is; nothing of its ways is taken without. */
  readonly profile?: DialectProfile | undefined;
  /** What is pinned for the sender, or expected of this one stanza. */
  readonly expect?: PinGuard | Expectation | undefined;
  /** My contacts, for the verdict's `lookAlike`. */
  readonly roster?: Roster | undefined;
  /**
   * Given the certificates beside a good signature, once the stanza has passed every check. What it throws is passed
   * over: a certificate that cannot be kept must not cost the stanza.
   */
  readonly candidates?: ((arrived: ArrivedCertificates) => void | Promise<void>) | undefined;
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
  'profile',
  'expect',
  'roster',
  'candidates',
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
  const { limits = defaultLimits, signal, replay, backends, roster, candidates, profile } = given;
  if (profile !== undefined) requireDialect(profile, backends);
  const policy = policyUnder(profile, given.policy ?? strictPolicy);
  const context = readContext(given.context ?? 'live');
  const expect = readExpectation(given.expect);
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
  const expected = await expectedOf(expect, envelope);
  if (e2eChildren(tree).length === 0) refusePlain(expected);
  const { entity, outside } = unwrap(tree, limits);
  const call = { backends, me, sender: envelope.from.bare(), at, algorithms: policy.algorithms, limits, signal };
  const dialect = profile === undefined ? undefined : await openDialectLayer(profile, entity, call);
  const outer = dialect === undefined ? await decryptLayer(entity, call) : undefined;

  const encryption = dialect?.encryption ?? outer?.encryption;
  const found: Found = { policy, profile, envelope, outside, encryption };
  try {
    const content = outer === undefined ? entity : parseEntity(outer.content, { limits, stage: 'parse' });
    found.layers = dialect ?? (await verifyLayer(content, outer, call));
    found.judged = judgeSignatures(found.layers.signatures, limits);
    requireSignature(found.judged, policy, requiresSignature(expected));
    const timing: Timing = { policy, context, at: instantOf(at), replay, delay: latestDelay(tree), signal };
    const opened = await believe(found as Verified, expected, timing, limits, roster);
    if (candidates !== undefined) await handOver(found as Verified, candidates);
    return opened;
  } catch (error) {
    throw refusal(error, found);
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
