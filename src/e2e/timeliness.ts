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
 * stanzas, `sent-archive` for those in an archive; `retry` for a stanza that could not be opened when it was received.
 */
export type OpenContext = 'live' | 'offline' | 'archive' | 'sent' | 'sent-archive' | { readonly retry: Date };

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
  const now = typeof context === 'object' ? BigInt(context.retry.getTime()) * 1_000_000n : facts.now;
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
