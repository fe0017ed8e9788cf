/**
 * Multiprecision integers (RFC 9580 section 3.2).
 *
 *     MPI := bit-count(2 octets) big-endian-octets
 */

import { concatBytes } from '../../../bytes.ts';

/** Writes an integer without leading zeros. */
export function writeInteger(octets: Uint8Array): Uint8Array {
  let start = 0;
  while (start < octets.length && octets[start] === 0) start++;
  const bits = start === octets.length ? 0 : (octets.length - start) * 8 - Math.clz32(octets[start]!) + 24;
  return concatBytes(Uint8Array.of(bits >> 8, bits & 255), octets.subarray(start));
}

/**
 * Reads the integer at the start.
 *
 * @returns undefined when it is cut off; what follows it starts at `end`
 */
export function readInteger(bytes: Uint8Array): { readonly octets: Uint8Array; readonly end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const end = 2 + (((bytes[0]! << 8) + bytes[1]! + 7) >> 3);
  return end > bytes.length ? undefined : { octets: bytes.subarray(2, end), end };
}
