/**
 * OpenPGP packets as octets: framing only (RFC 4880 section 4.2). Counts and lengths are checked here, before any
 * packet is given to the library.
 *
 *     new format: %b11tttttt length body        length := 1, 2 or 5 octets, or partial lengths
 *     old format: %b10ttttll length body        length := 1, 2 or 4 octets, or up to the end
 */

import { concatBytes, joinBytes } from '../../bytes.ts';
import { E2eError, type E2eStage } from '../../errors.ts';

/** One packet. */
export interface Packet {
  readonly tag: number;
  readonly body: Uint8Array;
}

/** Packet tags that are told apart here. */
export const tag = {
  publicKeySessionKey: 1,
  signature: 2,
  symmetricSessionKey: 3,
  onePassSignature: 4,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  compressed: 8,
  symmetricallyEncrypted: 9,
  marker: 10,
  literal: 11,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
  integrityProtected: 18,
  aeadEncrypted: 20,
  padding: 21,
} as const;

/** Packets whose length may come in parts (RFC 4880 section 4.2.2.4). */
const partialAllowed: ReadonlySet<number> = new Set([
  tag.compressed,
  tag.symmetricallyEncrypted,
  tag.literal,
  tag.integrityProtected,
  tag.aeadEncrypted,
]);

/** Marker, padding and packets of unknown, non-critical tags are to be ignored (RFC 9580 sections 4.3, 5.8 and 5.14). */
export function isIgnored(packetTag: number): boolean {
  return packetTag === tag.marker || packetTag === tag.padding || packetTag >= 40;
}

/** So many packets to be ignored may stand among others. */
export const ignoredPackets = 16;

/**
 * The tag of the first packet that is not to be ignored, without a look at any body.
 *
 * @returns undefined where there is none, for octets that are no packets, and behind too many to be ignored
 */
export function firstTag(bytes: Uint8Array): number | undefined {
  let at = 0;
  for (let ignored = 0; ignored <= ignoredPackets; ignored++) {
    const header = bytes[at] ?? 0;
    if (header < 0x80) return undefined;
    const isNew = (header & 0x40) !== 0;
    const packetTag = isNew ? header & 63 : (header >> 2) & 15;
    if (!isIgnored(packetTag)) return packetTag;
    const first = bytes[at + 1] ?? 0;
    const octets = isNew ? (first < 192 ? 1 : first < 224 ? 2 : 5) : [1, 2, 4, 0][header & 3]!;
    // Partial lengths are for data packets, and a packet up to the end has nothing behind it.
    if (octets === 0 || (isNew && first >= 224 && first < 255)) return undefined;
    let length = 0;
    for (let k = isNew && octets === 5 ? 2 : 1; k <= octets; k++) length = length * 256 + (bytes[at + k] ?? 0);
    if (isNew && octets === 2) length -= 192 * 256 - 192;
    at += 1 + octets + length;
  }
  return undefined;
}

/** Options of {@link readPackets}. */
export interface ReadPacketsOptions {
  readonly stage: E2eStage;
  readonly maxPackets: number;
  /** Take a first partial length under 512 octets, as one foreign client writes them. */
  readonly shortFirstPart?: boolean | undefined;
}

/**
 * Splits octets into packets.
 *
 * @returns bodies that are views of the input, apart from those that came in parts
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function readPackets(bytes: Uint8Array, options: ReadPacketsOptions): readonly Packet[] {
  const { stage, maxPackets, shortFirstPart = false } = options;
  const malformed = (reason: string): E2eError => new E2eError('ERR_E2E_MALFORMED', stage, { reason });
  const packets: Packet[] = [];
  let i = 0;
  const need = (count: number): number => {
    if (count > bytes.length - i) throw malformed('OpenPGP packet is cut off');
    return count;
  };
  const number = (octets: number): number => {
    need(octets);
    let value = 0;
    for (let k = 0; k < octets; k++) value = value * 256 + bytes[i++]!;
    return value;
  };
  while (i < bytes.length) {
    if (packets.length === maxPackets) throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'OpenPGP packets' });
    const header = bytes[i++]!;
    if ((header & 0x80) === 0) throw malformed('not an OpenPGP packet');
    if ((header & 0x40) === 0) {
      const octets = [1, 2, 4, 0][header & 3]!;
      const length = octets === 0 ? bytes.length - i : need(number(octets));
      packets.push({ tag: (header >> 2) & 15, body: bytes.subarray(i, i + length) });
      i += length;
      continue;
    }
    const packetTag = header & 63;
    const parts: Uint8Array[] = [];
    for (;;) {
      const first = number(1);
      const partial = first >= 224 && first < 255;
      if (partial) {
        if (!partialAllowed.has(packetTag)) throw malformed('partial length of an OpenPGP packet');
        // RFC 4880 section 4.2.2.4: the first partial length MUST be at least 512 octets.
        if (parts.length === 0 && first < 224 + 9 && !shortFirstPart) throw malformed('first partial length under 512');
      }
      const length = partial
        ? 2 ** (first & 31)
        : first < 192
          ? first
          : first < 224
            ? (first - 192) * 256 + number(1) + 192
            : number(4);
      need(length);
      parts.push(bytes.subarray(i, i + length));
      i += length;
      if (!partial) break;
    }
    packets.push({ tag: packetTag, body: parts.length === 1 ? parts[0]! : joinBytes(parts) });
  }
  return packets;
}

/**
 * Writes one packet in the new format, with one length. Inverse of {@link readPackets}.
 *
 * @param packetTag 0 to 63
 */
export function writePacket(packetTag: number, body: Uint8Array): Uint8Array {
  return concatBytes(packetHeader(packetTag, body.length), body);
}

/**
 * What stands before the body of a packet in the new format, with one length.
 *
 * @param packetTag 0 to 63
 * @param length octets of the body
 */
export function packetHeader(packetTag: number, length: number): Uint8Array {
  const octets =
    length < 192
      ? [length]
      : length < 8384
        ? [192 + ((length - 192) >> 8), (length - 192) & 255]
        : [255, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255];
  return Uint8Array.of(0xc0 | packetTag, ...octets);
}
