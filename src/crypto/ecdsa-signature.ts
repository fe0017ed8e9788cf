/**
 * ECDSA signatures between their two forms: fixed-length r || s as WebCrypto has it, and the DER of RFC 3279 section
 * 2.2.3:
 *
 *     Ecdsa-Sig-Value  ::=  SEQUENCE  {  r  INTEGER,  s  INTEGER  }
 */

import { derInteger, derSequence, encodeDer } from '../asn1/writer.ts';

/**
 * Reads an Ecdsa-Sig-Value, strictly: another encoding of the same numbers would be a second signature of the same
 * message.
 *
 * @param coordinate octets of one number
 * @returns r || s, or undefined for anything but DER of two positive integers that fit
 */
export function fixedFromEcdsaDer(der: Uint8Array, coordinate: number): Uint8Array | undefined {
  // At most 2 * (66 + 3) octets of content: one length octet, or 0x81 and one.
  const long = der[1] === 0x81;
  const header = long ? 3 : 2;
  const length = long ? der[2]! : der[1]!;
  if (der[0] !== 0x30 || length !== der.length - header || (long ? length < 0x80 : length > 0x7f)) return undefined;
  const out = new Uint8Array(2 * coordinate);
  let position = header;
  for (let half = 1; half <= 2; half++) {
    const size = der[position + 1];
    if (der[position] !== 0x02 || size === undefined || size === 0) return undefined;
    const start = position + 2;
    position = start + size;
    if (position > der.length || der[start]! >= 0x80) return undefined;
    const padded = der[start] === 0 && size > 1;
    if (padded && der[start + 1]! < 0x80) return undefined;
    const digits = der.subarray(padded ? start + 1 : start, position);
    if (digits.length > coordinate) return undefined;
    out.set(digits, half * coordinate - digits.length);
  }
  return position === der.length ? out : undefined;
}

/**
 * Writes an Ecdsa-Sig-Value.
 *
 * @param fixed r || s
 */
export function ecdsaDerFromFixed(fixed: Uint8Array): Uint8Array {
  const half = fixed.length / 2;
  return encodeDer(derSequence(derInteger(fixed.subarray(0, half)), derInteger(fixed.subarray(half))));
}
