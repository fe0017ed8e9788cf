/**
 * Signed times judged (RFC 3923 section 6.9). Delay stamps (XEP-0203) are forgeable: they turn `old` into `delayed` and
 * do nothing else.
 */

import { parseInstant } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import { DELAY } from '../xml/namespaces.ts';
import type { TimePolicy, TimeStatus } from './policy.ts';

/**
 * In which circumstances a stanza is opened. `live` as it arrives; `offline` from offline storage; `archive` from an
 * archive, as often as wanted, with `at` a receive time that the caller vouches for; `sent` for copies of my own
 * stanzas, `sent-archive` for those in an archive; `retry` for a stanza that could not be opened when it was received;
 * `verify` for one that was delivered then without a good signature, and is judged again because a certificate has come
 * since. That one is no new delivery: it is recorded as seen, and having been seen is no error.
 */
export type OpenContext =
  | 'live'
  | 'offline'
  | 'archive'
  | 'sent'
  | 'sent-archive'
  | { readonly retry: Date; readonly verify?: never }
  | { readonly verify: Date; readonly retry?: never };

const contexts: readonly unknown[] = ['live', 'offline', 'archive', 'sent', 'sent-archive'];

/**
 * Refuses what is no context.
 *
 * @throws {TypeError} for anything else, an invalid Date included
 */
export function readContext(context: OpenContext): OpenContext {
  if (contexts.includes(context)) return context;
  const date = (context as unknown) === null ? undefined : firstReceived(context);
  if (!(date instanceof Date) || Number.isNaN(date.getTime()) || Object.keys(context).length !== 1) {
    throw new TypeError(`option context must be one of ${contexts.join(', ')}, { retry: Date } or { verify: Date }`);
  }
  return context;
}

/** When a stanza that is opened again was first received. */
function firstReceived(context: OpenContext): Date | undefined {
  return typeof context === 'object' ? (context.retry ?? context.verify) : undefined;
}

/** Whether a stanza has just arrived, so that its sender may still wait for an answer. */
export function isArriving(context: OpenContext): boolean {
  return context === 'live' || context === 'offline';
}

/** Whether a stanza is judged again that was delivered before. */
export function isVerifiedAgain(context: OpenContext): boolean {
  return typeof context === 'object' && context.verify !== undefined;
}

/** Whether a context is about copies of my own stanzas. */
export function isSent(context: OpenContext): boolean {
  return context === 'sent' || context === 'sent-archive';
}

/** Whether a context is an archive, which gives the same stanza as often as it is asked. */
export function isArchive(context: OpenContext): boolean {
  return context === 'archive' || context === 'sent-archive';
}

const second = 1_000_000_000n;

/** What {@link judgeTime} looks at. All instants are nanoseconds since 1970. */
export interface TimeFacts {
  readonly signed: bigint | undefined;
  readonly now: bigint;
  /** The latest delay stamp beside `<e2e/>`. */
  readonly delay: bigint | undefined;
  readonly context: OpenContext;
  /** Since when the replay store has known every accepted stanza; undefined without a store. */
  readonly storeSince: bigint | undefined;
}

/**
 * The status of a signed time, before the state of its sender is asked (which may make it `decreasing` or `replayed`).
 */
export function judgeTime(facts: TimeFacts, policy: TimePolicy): TimeStatus {
  const { signed, delay, context } = facts;
  if (signed === undefined) return 'absent';
  const window = BigInt(Math.round(policy.windowSeconds * 1000)) * 1_000_000n;
  const before = firstReceived(context);
  const now = before === undefined ? facts.now : BigInt(before.getTime()) * 1_000_000n;
  if (signed > now + window) return 'future';
  if (signed >= now - window) return 'ok';
  if (isArchive(context)) return 'delayed';
  // A store younger than the stanza cannot know whether it was seen, so nothing may excuse its age.
  if (facts.storeSince !== undefined && facts.storeSince > signed) return 'old';
  if (context === 'offline') return 'delayed';
  return delay !== undefined && distance(delay, signed) <= window ? 'delayed' : 'old';
}

/** The distance of two instants. */
export function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

/** Seconds as nanoseconds. */
export function secondsToNanoseconds(seconds: number): bigint {
  return (BigInt(Math.round(seconds * 1000)) * second) / 1000n;
}

/** The latest XEP-0203 stamp among the children of a stanza. */
export function latestDelay(stanza: XmlElement): bigint | undefined {
  let latest: bigint | undefined;
  for (const child of stanza.elements) {
    if (!child.is('delay', DELAY)) continue;
    const stamp = parseInstant(child.attribute('stamp') ?? '')?.nanoseconds;
    if (stamp !== undefined && (latest === undefined || stamp > latest)) latest = stamp;
  }
  return latest;
}
