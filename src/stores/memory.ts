/** Keys and certificates in memory: for tests, for bots that load their own, and for browsers. */

import type { KeyStore, StoredCertificate, StoredIdentity } from '../backends/backend.ts';
import { equalBytes } from '../bytes.ts';
import type { Jid } from '../jid/jid.ts';

/** A store in memory. */
export interface MemoryStore extends KeyStore {
  /**
   * Adds an identity of mine.
   *
   * @param jid its resource is ignored
   * @param backend the backend's name, for example `smime`
   * @param identity kept as it is, not copied: do not change its arrays
   */
  addIdentity(jid: Jid, backend: string, identity: StoredIdentity): void;
  /**
   * Adds a certificate that arrived from somewhere: a candidate that speaks for nobody by itself, and counts only where
   * a path to an anchor vouches for it. Kept once, and no more than 16 of a JID: then the oldest goes.
   */
  addCandidate(jid: Jid, backend: string, certificates: Uint8Array): void;
  /** Files a certificate for a JID by an explicit act: from now on it speaks for that JID. */
  fileCertificate(jid: Jid, backend: string, certificates: Uint8Array): void;
  /** Forgets every certificate of a contact, candidates included. */
  forget(jid: Jid, backend: string): void;
}

/** Makes an empty store. */
export function memoryStore(): MemoryStore {
  const identities = new Map<string, readonly StoredIdentity[]>();
  const contacts = new Map<string, readonly StoredCertificate[]>();
  const add = <T>(map: Map<string, readonly T[]>, key: string, value: T): void => {
    map.set(key, Object.freeze([...(map.get(key) ?? []), Object.freeze(value)]));
  };
  return {
    identities: (jid, backend) => Promise.resolve(identities.get(keyOf(jid, backend)) ?? nothing),
    find: (jid, backend) => Promise.resolve(contacts.get(keyOf(jid, backend)) ?? nothing),
    addIdentity: (jid, backend, identity) => add(identities, keyOf(jid, backend), { ...identity }),
    addCandidate(jid, backend, certificates) {
      const key = keyOf(jid, backend);
      const known = contacts.get(key) ?? nothing;
      if (known.some((one) => equalBytes(one.certificates, certificates))) return;
      const candidates = known.filter(({ filed }) => !filed);
      // Whoever sends ever new ones loses their own.
      const oldest = candidates.length < maxCandidates ? undefined : candidates[0];
      if (oldest !== undefined)
        contacts.set(
          key,
          known.filter((one) => one !== oldest),
        );
      add(contacts, key, { certificates, filed: false });
    },
    fileCertificate: (jid, backend, certificates) => add(contacts, keyOf(jid, backend), { certificates, filed: true }),
    forget: (jid, backend) => void contacts.delete(keyOf(jid, backend)),
  };
}

/** Candidates kept for one JID and backend; a newer one drives out the oldest. */
export const maxCandidates = 16;

const nothing: readonly never[] = Object.freeze([]);

function keyOf(jid: Jid, backend: string): string {
  return `${backend} ${jid.bare().toString()}`;
}
