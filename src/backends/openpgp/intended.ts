/**
 * Intended recipients (RFC 9580 section 5.2.3.36): fingerprints of primary keys in the hashed area of a signature, so
 * that a recipient cannot pass a signed message on to somebody else as if it had been meant for them. The library
 * neither writes nor reads the subpacket.
 *
 *     subpacket := length type-octet key-version fingerprint
 */

import { concatBytes, hex } from '../../bytes.ts';
import type { MessageSignature, Signature } from './library.ts';

const intendedRecipient = 35;

/**
 * Makes the library take the subpacket where it is critical: unknown critical ones fail a signature, but this one is
 * known here.
 */
export function understandIntended(signature: MessageSignature): void {
  signature.unknownSubpackets = signature.unknownSubpackets.map((subpacket) =>
    subpacket.type === intendedRecipient ? { ...subpacket, critical: false } : subpacket,
  );
}

/** Fingerprints named as intended recipients; unhashed subpackets do not count, since anybody can add them. */
export function intendedRecipients(signature: MessageSignature): readonly string[] {
  return signature.unknownSubpackets
    .filter(({ type }) => type === intendedRecipient)
    .map(({ body }) => hex(body.subarray(1)));
}

/**
 * Whether a signature names me.
 *
 * @param mine fingerprints of my primary keys
 */
export function intendedFor(signature: MessageSignature, mine: readonly string[]): 'unspecified' | 'me' | 'others' {
  const named = intendedRecipients(signature);
  if (named.length === 0) return 'unspecified';
  return named.some((fingerprint) => mine.includes(fingerprint)) ? 'me' : 'others';
}

/**
 * Subpackets for the hashed area of a signature.
 *
 * @param recipients version octet and fingerprint of each primary key
 */
export function intendedSubpackets(recipients: readonly Uint8Array[]): readonly Uint8Array[] {
  return recipients.map((recipient) => concatBytes(Uint8Array.of(recipient.length + 1, intendedRecipient), recipient));
}

/**
 * Makes a signature name its recipients when it is made.
 *
 * @param signature not yet signed
 * @param recipients version octet and fingerprint of each primary key
 */
export function nameRecipients(signature: Signature, recipients: readonly Uint8Array[]): void {
  if (recipients.length === 0) return;
  const subpackets = intendedSubpackets(recipients);
  const write = signature.writeHashedSubPackets.bind(signature);
  signature.writeHashedSubPackets = (): Uint8Array => {
    // The count of octets leads: four octets in version 6, two before (RFC 9580 section 5.2.3).
    const width = signature.version === 6 ? 4 : 2;
    const area = concatBytes(write().subarray(width), ...subpackets);
    const count = new Uint8Array(4);
    new DataView(count.buffer).setUint32(0, area.length);
    return concatBytes(count.subarray(4 - width), area);
  };
}
