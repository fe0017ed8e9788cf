/** What a session does with certificates that arrive and with requests for mine (RFC 3923 sections 6.2 and 6.6). */

import type { Jid } from '../jid/jid.ts';
import { certificateCadence } from './certificate-cadence.ts';
import type { ArrivedCertificates } from './certificate-exchange.ts';
import { oneOf, readOptions } from './options.ts';

/** Where candidates are kept. They speak for nobody until they are filed, or a path to an anchor vouches for them. */
export interface CandidateStore {
  /**
   * Keeps a certificate that arrived.
   *
   * @param certificates one DER or binary OpenPGP certificate; kept once, however often it arrives
   */
  addCandidate(jid: Jid, backend: string, certificates: Uint8Array): void | Promise<void>;
}

/** What happens to certificates that arrive, and to requests for mine. */
export interface CertificatePolicy {
  /** Where certificates that arrive are kept; nowhere unless given. */
  readonly store?: CandidateStore | undefined;
  /** Keep those that were asked for (unless given), or those beside good signatures too. */
  readonly keep?: 'requested' | 'signed' | undefined;
  /** Answer well-signed requests of contacts, each at most once in five minutes: false unless given. */
  readonly answer?: boolean | undefined;
}

/** The policy with its state. */
export interface CertificateDesk {
  readonly keepsSigned: boolean;
  readonly answers: boolean;
  /** A request went out: an answer is welcome for a day. */
  asked(contact: Jid): void;
  /** Whether an answer of this contact is awaited. */
  awaits(contact: Jid): boolean;
  /** Whether this contact may get an answer now; counts it if so. */
  mayAnswer(contact: Jid): boolean;
  /** Keeps certificates. @returns whether there was anything to keep and a place for it */
  keep(certificates: ArrivedCertificates): Promise<boolean>;
}

const welcomeMilliseconds = 86_400_000;
const maxAsked = 1000;

/**
 * Makes a desk.
 *
 * @param now milliseconds since 1970
 * @throws {TypeError} for wrong options
 */
export function certificateDesk(policy: CertificatePolicy = {}, now: () => number = Date.now): CertificateDesk {
  const { store, keep = 'requested', answer = false } = readOptions(policy, ['store', 'keep', 'answer']);
  oneOf('keep', keep, ['requested', 'signed']);
  if (typeof answer !== 'boolean') throw new TypeError('option answer must be true or false');
  if (store !== undefined && typeof store.addCandidate !== 'function') {
    throw new TypeError('option store must have addCandidate');
  }
  const answered = certificateCadence(now);
  const asked = new Map<string, number>();
  return {
    keepsSigned: store !== undefined && keep === 'signed',
    answers: answer,
    asked(contact) {
      const name = contact.bare().toString();
      asked.delete(name);
      asked.set(name, now());
      for (const oldest of asked.keys()) {
        if (asked.size <= maxAsked) break;
        asked.delete(oldest);
      }
    },
    awaits(contact) {
      const since = asked.get(contact.bare().toString());
      return since !== undefined && Math.abs(now() - since) <= welcomeMilliseconds;
    },
    mayAnswer: (contact) => answered.take(contact),
    async keep({ from, backend, certificates }) {
      if (store === undefined || certificates.length === 0) return false;
      for (const { data } of certificates) await store.addCandidate(from, backend, data);
      // One answer to one question: whoever sends more would fill the store.
      asked.delete(from.toString());
      return true;
    },
  };
}
