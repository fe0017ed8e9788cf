/** The signed time of an object, and its place in the order of its sender (RFC 3923 section 6.9). */

import type { SignatureResult } from '../backends/backend.ts';
import { E2eError } from '../errors.ts';
import type { Payload } from '../payload/payload.ts';
import { instantOf } from '../time.ts';
import type { Envelope } from './check.ts';
import type { Policy, TimeStatus } from './policy.ts';
import type { RecordOptions, ReplayEntry, ReplayGuard, ReplayStore } from './replay.ts';
import {
  distance,
  isArchive,
  isVerifiedAgain,
  judgeTime,
  type OpenContext,
  secondsToNanoseconds,
} from './timeliness.ts';
import type { Verdict, VerdictTime } from './verdict.ts';

/** What judging a time needs besides the time. */
export interface Timing {
  readonly policy: Policy;
  readonly context: OpenContext;
  /** When the stanza is received, in nanoseconds since 1970. */
  readonly at: bigint;
  readonly delay: bigint | undefined;
  readonly replay: ReplayGuard | false | undefined;
  readonly signal: AbortSignal | undefined;
  /** Told what a time is judged to be, before it is refused for that. */
  readonly judged?: ((status: TimeStatus) => void) | undefined;
}

/** A signed time and where it stands. */
export interface SignedTime {
  readonly nanoseconds: bigint | undefined;
  readonly source: VerdictTime['source'];
}

/**
 * The signed time: CPIM DateTime before a PIDF timestamp before the time in the signature itself.
 *
 * @throws {E2eError} TIMESTAMP where two signed times contradict each other, or one is not in UTC
 */
export function signedTimeOf(payload: Payload, signature: SignatureResult | undefined, policy: Policy): SignedTime {
  const times: [source: NonNullable<VerdictTime['source']>, nanoseconds: bigint][] = [];
  for (const [source, instant] of [
    ['cpim', payload.dateTime],
    ['pidf', payload.timestamp],
  ] as const) {
    if (instant === undefined) continue;
    // Section 6.9: "the timestamp MUST be ... in UTC with no offset".
    if (policy.time.requireUtc && !instant.utc) throw timestamp('the signed time is not in UTC');
    times.push([source, instant.nanoseconds]);
  }
  if (signature?.signedAt !== undefined) times.push(['signature', instantOf(signature.signedAt)]);
  const [first] = times;
  if (first === undefined) return { nanoseconds: undefined, source: undefined };
  const window = secondsToNanoseconds(policy.time.windowSeconds);
  if (times.some(([, other]) => distance(other, first[1]) > window)) throw timestamp('two signed times differ');
  return { source: first[0], nanoseconds: first[1] };
}

/**
 * Refuses an object that is out of time or was seen before; records one that is neither.
 *
 * @throws {E2eError} TIMESTAMP, REPLAYED, STORE_FAILED
 */
export async function requireTimely(
  signed: bigint | undefined,
  signature: SignatureResult | undefined,
  octets: Uint8Array,
  envelope: Envelope,
  timing: Timing,
): Promise<{ status: TimeStatus; replay: Verdict['replay'] }> {
  const { policy, context, at, delay, replay: guard } = timing;
  // What nobody signed has no sender whose state it could touch, nor a time that could be believed.
  const fingerprint = signature?.fingerprint;
  const guarded = guard instanceof Object && fingerprint !== undefined ? guard : undefined;
  const storeSince = guarded === undefined ? undefined : await guardStore(() => guarded.store.since());
  const status = judgeTime({ signed, now: at, delay, context, storeSince }, policy.time);
  timing.judged?.(status);
  if (!policy.time.deliver.includes(status)) throw timestamp(`the signed time is ${status}`);
  if (guarded === undefined || fingerprint === undefined || signed === undefined) return { status, replay: 'off' };

  const facts = { me: envelope.me, from: envelope.from, fingerprint, octets, signed, received: at };
  const entry = await guarded.entry(facts);
  timing.signal?.throwIfAborted();
  if (isArchive(context)) return { status, replay: await lookUp(guarded.store, entry) };
  if (isVerifiedAgain(context)) return { status, replay: await recordAgain(guarded.store, entry) };
  const options = {
    ordered: context === 'live' && status === 'ok',
    refuseDecreasing: !policy.time.deliver.includes('decreasing'),
    decreasingWindow: secondsToNanoseconds(policy.time.decreasingSeconds),
  };
  return { status: await record(guarded.store, entry, options, status), replay: 'checked' };
}

/**
 * Whether an object was accepted before; writes nothing.
 *
 * @throws {E2eError} STORE_FAILED
 */
async function lookUp(store: ReplayStore, entry: ReplayEntry): Promise<Verdict['replay']> {
  return (await guardStore(() => store.has(entry))) ? 'known' : 'checked';
}

/**
 * Records an object that was delivered before on weaker grounds: from now on it is a replay everywhere else.
 *
 * @throws {E2eError} STORE_FAILED
 */
async function recordAgain(store: ReplayStore, entry: ReplayEntry): Promise<Verdict['replay']> {
  const options = { ordered: false, refuseDecreasing: false, decreasingWindow: 0n };
  return (await guardStore(() => store.record(entry, options))) === 'known' ? 'known' : 'checked';
}

/**
 * Records an object that passed every other check.
 *
 * @param status as judged by the clock
 * @returns the status, or `decreasing`
 * @throws {E2eError} REPLAYED; TIMESTAMP for one out of order where the policy refuses those; STORE_FAILED
 */
async function record(
  store: ReplayStore,
  entry: ReplayEntry,
  options: RecordOptions,
  status: TimeStatus,
): Promise<TimeStatus> {
  const outcome = await guardStore(() => store.record(entry, options));
  if (outcome === 'known') throw new E2eError('ERR_E2E_REPLAYED', 'check');
  if (outcome === 'new') return status;
  if (options.refuseDecreasing) throw timestamp('the signed time is decreasing');
  return 'decreasing';
}

/** A store that cannot answer must not let a replay through. */
export async function guardStore<T>(ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    // A store of ours says what is wrong with its file; what another one throws could say anything.
    if (error instanceof E2eError && error.code === 'ERR_E2E_STORE_FAILED') throw error;
    throw new E2eError('ERR_E2E_STORE_FAILED', 'check');
  }
}

function timestamp(reason: string): E2eError {
  return new E2eError('ERR_E2E_TIMESTAMP', 'check', { reason });
}
