/** The verdict on an object that an SDK hands to the application: kept beside the object, out of any peer's reach. */

import type { Verdict } from '../index.ts';

const verdicts = new WeakMap<object, Verdict>();

/**
 * The verdict on a stanza that came sealed.
 *
 * Nothing inside a stanza can bring it about: the objects themselves are the key, and copies of them have none.
 *
 * @param stanza the object that the SDK gave to a handler or resolved a request with: a stanza or a child of one; for a
 * carbon copy or an archive result the verdict is on the stanza inside
 * @returns undefined for everything that was not opened and verified
 */
export function verdictOf(stanza: unknown): Verdict | undefined {
  return typeof stanza === 'object' && stanza !== null ? verdicts.get(stanza) : undefined;
}

/** Ties a verdict to objects. */
export function setVerdict(verdict: Verdict, objects: Iterable<unknown>): void {
  for (const object of objects) if (typeof object === 'object' && object !== null) verdicts.set(object, verdict);
}
