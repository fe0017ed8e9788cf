/**
 * For whom a key was ever stored. A contact once known gets sealed stanzas or an error, also after the key has expired
 * or was deleted: whoever can make a key vanish must not be able to make messages readable.
 */

import type { SecurityBackend } from '../backends/backend.ts';
import type { Jid } from '../jid/jid.ts';

/** Where the bare JIDs of known contacts are kept, for ever. A rejection means that it cannot be told. */
export interface ContactMemory {
  has(contact: string): boolean | Promise<boolean>;
  add(contact: string): void | Promise<void>;
}

/** A memory that ends with the process: fit where keys are never deleted. */
export function contactMemory(contacts: Iterable<string> = []): ContactMemory {
  const known = new Set(contacts);
  return { has: (contact) => known.has(contact), add: (contact) => void known.add(contact) };
}

/** Tells whether a key was ever stored for a bare JID. */
export type Knows = (contact: Jid) => Promise<boolean>;

/** Asks the memory, then the key stores of the backends; what they know is remembered. */
export function knownContacts(memory: ContactMemory, backends: readonly SecurityBackend[]): Knows {
  return async (contact) => {
    const bare = contact.bare();
    const name = bare.toString();
    if (await memory.has(name)) return true;
    for (const backend of backends) {
      if ((await backend.certificates(bare)).length === 0) continue;
      await memory.add(name);
      return true;
    }
    return false;
  };
}
