/**
 * What a recipient is willing to believe, as plain data (RFC 3923 sections 6.3 to 6.10 and 7).
 *
 * RFC 3923 deviation: section 6.9: `strictPolicy` refuses bad times, which the RFC would have presented with a mark.
 * RFC 3923 deviation: section 6.10: `strictPolicy` reads neither SHA-1 signatures, nor CBC, nor PKCS #1 v1.5.
 */

import type { AlgorithmPolicy } from '../backends/backend.ts';

/**
 * How a signed time stands to the clock and to what came before (RFC 3923 section 6.9).
 *
 * - `ok`: inside the window, later than the newest accepted one of the same key and full JID, not seen before.
 * - `old`, `future`: outside the window.
 * - `decreasing`: not later than the newest accepted one.
 * - `delayed`: old, but a delay stamp or the context explains it. A delay stamp is forgeable.
 * - `replayed`: seen before.
 * - `absent`: no signed time at all.
 */
export type TimeStatus = 'ok' | 'old' | 'future' | 'decreasing' | 'delayed' | 'replayed' | 'absent';

/** Rules for signed times. */
export interface TimePolicy {
  /** Statuses that are delivered; any other is refused with TIMESTAMP. `replayed` is always refused. */
  readonly deliver: readonly TimeStatus[];
  /** Seconds by which a signed time may differ from the clock, and two signed times from each other. */
  readonly windowSeconds: number;
  /** Seconds for which the newest accepted time of a key and full JID is remembered. */
  readonly decreasingSeconds: number;
  /** Refuse times with an offset other than UTC (section 6.9). */
  readonly requireUtc: boolean;
}

/** A policy. Make your own by spreading one of the two that are exported. */
export interface Policy {
  /** Shown in the verdict. */
  readonly name: string;
  /** What to do with an object that nobody signed. */
  readonly unsigned: 'refuse' | 'deliver';
  /**
   * What to do with a right signature whose certificate nobody vouches for. Delivered, it is no better than unsigned:
   * anybody can make a certificate that names the sender. Expired and revoked certificates are refused in any case.
   */
  readonly untrustedSigner: 'refuse' | 'deliver';
  /**
   * What to do with a signature whose certificate is not at hand. Delivered, it is no better than unsigned; it can be
   * judged later, when the certificate has come (context `verify`).
   */
  readonly unknownSigner: 'refuse' | 'deliver';
  /** What to do with an object that names no recipient: anyone could have re-encrypted it to me. */
  readonly unboundRecipient: 'refuse' | 'deliver';
  /** Whether opening without a replay guard must be an explicit choice. */
  readonly replay: 'required' | 'optional';
  readonly time: TimePolicy;
  readonly algorithms: AlgorithmPolicy;
}

/** Signed by the sender, made for me, on time, modern algorithms: anything else is refused. */
export const strictPolicy: Policy = deepFreeze({
  name: 'strict',
  unsigned: 'refuse',
  untrustedSigner: 'refuse',
  unknownSigner: 'refuse',
  unboundRecipient: 'refuse',
  replay: 'required',
  time: { deliver: ['ok', 'delayed'], windowSeconds: 300, decreasingSeconds: 600, requireUtc: true },
  algorithms: {
    sha1Signatures: false,
    unsignedAttributes: false,
    rsaPkcs1v15: false,
    cbc: false,
    tripleDes: false,
    clockSkewSeconds: 300,
  },
});

/** RFC 3923 to the letter: its algorithms are read, its bare forms accepted, and what is odd is marked. */
export const rfc3923Policy: Policy = deepFreeze({
  name: 'rfc3923',
  unsigned: 'deliver',
  untrustedSigner: 'refuse',
  unknownSigner: 'refuse',
  unboundRecipient: 'deliver',
  replay: 'optional',
  time: {
    deliver: ['ok', 'delayed', 'old', 'future', 'decreasing', 'absent'],
    windowSeconds: 300,
    decreasingSeconds: 600,
    requireUtc: false,
  },
  algorithms: {
    sha1Signatures: true,
    unsignedAttributes: true,
    rsaPkcs1v15: true,
    cbc: true,
    tripleDes: true,
    clockSkewSeconds: 300,
  },
});

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
