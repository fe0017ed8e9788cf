/** My contacts by what their addresses look like, so that a stranger who looks like one of them is noticed. */

import type { Jid } from '../jid/jid.ts';
import { skeletonOf } from '../jid/look-alike.ts';
import { readJid } from './stanza.ts';

/** The addresses that a sender is compared with. */
export interface Roster {
  /** Adds a contact. */
  add(contact: Jid | string): void;
  /** The bare JIDs of contacts that look like an address and are others. */
  resembling(jid: Jid): readonly string[];
}

/**
 * Makes a roster.
 *
 * @param contacts bare or full JIDs
 * @throws {TypeError} for something that is no JID
 */
export function roster(contacts: Iterable<Jid | string> = []): Roster {
  const byShape = new Map<string, Set<string>>();
  const made: Roster = {
    add(contact) {
      const bare = readJid('contact', contact).bare();
      const shape = skeletonOf(bare);
      const known = byShape.get(shape) ?? new Set();
      byShape.set(shape, known.add(bare.toString()));
    },
    resembling(jid) {
      const own = jid.bare().toString();
      return [...(byShape.get(skeletonOf(jid.bare())) ?? [])].filter((one) => one !== own);
    },
  };
  for (const contact of contacts) made.add(contact);
  return made;
}
