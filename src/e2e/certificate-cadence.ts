/** When the sender's certificate goes along (RFC 3923 section 6.6). */

import type { Jid } from '../jid/jid.ts';

/** Remembers to whom the certificate went. */
export interface CertificateCadence {
  /** Whether the certificate shall go along to this contact now; counts it if so. */
  take(contact: Jid): boolean;
}

const intervalMilliseconds = 300_000;
const maxContacts = 10_000;

/**
 * A cadence in memory: with the first object to a contact, and then at most once in five minutes ("a sending agent
 * SHOULD NOT include a certificate more than once every five minutes").
 *
 * @param now milliseconds since 1970
 */
export function certificateCadence(now: () => number): CertificateCadence {
  const sent = new Map<string, number>();
  return {
    take(contact: Jid): boolean {
      const bare = contact.bare().toString();
      const last = sent.get(bare);
      const current = now();
      // A system clock set back must not keep the certificate away for longer.
      if (last !== undefined && current >= last && current - last < intervalMilliseconds) return false;
      sent.delete(bare);
      sent.set(bare, current);
      for (const oldest of sent.keys()) {
        if (sent.size <= maxContacts) break;
        sent.delete(oldest);
      }
      return true;
    },
  };
}
