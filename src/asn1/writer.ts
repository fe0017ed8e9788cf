/**
 * A DER writer (ITU-T X.690 section 10) that writes straight: elements are described as parts whose lengths are known,
 * and {@link encodeDer} copies every octet once into one array of the right size.
 */

import { longOctets } from '../bytes.ts';
import { compareOctets, tags } from './reader.ts';

/** An element to write: encoded octets, or a tag around parts. */
export type DerPart = Uint8Array | DerElement;

/** A tag around parts. */
export interface DerElement {
  /** The identifier octet. */
  readonly identifier: number;
  /** Content octets. */
  readonly contentLength: number;
  /** Octets of the whole element. */
  readonly length: number;
  readonly parts: readonly DerPart[];
}

function lengthOctets(length: number): number {
  return length < 0x80 ? 1 : length < 0x100 ? 2 : length < 0x1_0000 ? 3 : length < 0x100_0000 ? 4 : 5;
}

/**
 * An element of any tag.
 *
 * @param identifier the identifier octet, for a primitive element the number of {@link tags}
 * @param parts content: raw octets for a primitive element, elements for a constructed one
 */
export function der(identifier: number, ...parts: readonly DerPart[]): DerElement {
  let contentLength = 0;
  for (const part of parts) contentLength += part.length;
  return { identifier, contentLength, length: 1 + lengthOctets(contentLength) + contentLength, parts };
}

/** A SEQUENCE. */
export function derSequence(...parts: readonly DerPart[]): DerElement {
  return der(0x30, ...parts);
}

/** A SET OF: the encodings are put in ascending order (X.690 section 11.6). */
export function derSetOf(parts: readonly DerPart[], identifier = 0x31): DerElement {
  return der(identifier, ...parts.map(encodeDer).sort(compareOctets));
}

/** A constructed element with the context-specific tag [number]: an explicit tag, or an implicit one of a SEQUENCE. */
export function derContext(number: number, ...parts: readonly DerPart[]): DerElement {
  return der(0xa0 | number, ...parts);
}

/** An OCTET STRING. */
export function derOctetString(...parts: readonly DerPart[]): DerElement {
  return der(tags.octetString, ...parts);
}

const noUnusedBits = new Uint8Array(1);

/** A BIT STRING of whole octets. */
export function derBitString(octets: Uint8Array): DerElement {
  return der(tags.bitString, noUnusedBits, octets);
}

const smallIntegers: DerElement[] = [];

/**
 * A non-negative INTEGER.
 *
 * @param value 0 to 2^31 - 1, or big-endian octets of an unsigned number
 */
export function derInteger(value: number | Uint8Array): DerElement {
  if (typeof value === 'number' && value < 128)
    return (smallIntegers[value] ??= der(tags.integer, Uint8Array.of(value)));
  const octets = typeof value === 'number' ? Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value) : value;
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const trimmed = octets.subarray(start);
  if (trimmed.length === 0) return der(tags.integer, noUnusedBits);
  return trimmed[0]! < 0x80 ? der(tags.integer, trimmed) : der(tags.integer, noUnusedBits, trimmed);
}

const encodedOids = new Map<string, Uint8Array>();
const mostEncodedOids = 1000;

/**
 * An OBJECT IDENTIFIER, encoded once and remembered.
 *
 * @param dotted two or more arcs in decimal
 * @throws {RangeError} for anything else
 */
export function derOid(dotted: string): Uint8Array {
  const known = encodedOids.get(dotted);
  if (known !== undefined) return known;
  if (dotted.length > 1000 || !/^[0-2](?:\.\d+)+$/.test(dotted)) throw new RangeError('not a dotted OBJECT IDENTIFIER');
  const [root, second, ...rest] = dotted.split('.').map(BigInt) as [bigint, bigint, ...bigint[]];
  if (root < 2n && second > 39n) throw new RangeError('not a dotted OBJECT IDENTIFIER');
  const content: number[] = [];
  for (const arc of [root * 40n + second, ...rest]) {
    const octets = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) octets.unshift(Number(left & 0x7fn) | 0x80);
    content.push(...octets);
  }
  const encoded = encodeDer(der(tags.oid, Uint8Array.from(content)));
  if (encodedOids.size < mostEncodedOids) encodedOids.set(dotted, encoded);
  return encoded;
}

/** NULL. */
export const derNull: Uint8Array = Uint8Array.of(0x05, 0x00);

/** BOOLEAN TRUE. */
export const derTrue: Uint8Array = Uint8Array.of(0x01, 0x01, 0xff);

/**
 * Writes an element.
 *
 * @returns its octets; the array given when it already is one
 */
export function encodeDer(part: DerPart): Uint8Array {
  if (part instanceof Uint8Array) return part;
  const out = new Uint8Array(part.length);
  write(part, out, 0);
  return out;
}

/**
 * {@link encodeDer} in pieces: long octets are given back as they came, rather than copied.
 *
 * @returns its octets, one piece after the other
 */
export function encodeDerInPieces(part: DerPart): readonly Uint8Array[] {
  if (part.length < longOctets) return [encodeDer(part)];
  if (part instanceof Uint8Array) return [part];
  const pieces = [identifierAndLength(part)];
  for (const inner of part.parts) pieces.push(...encodeDerInPieces(inner));
  return pieces;
}

function identifierAndLength(element: DerElement): Uint8Array {
  const out = new Uint8Array(element.length - element.contentLength);
  writeStart(element, out, 0);
  return out;
}

// Recursion is as deep as our own structures nest, never as deep as input does.
function write(part: DerPart, out: Uint8Array, at: number): number {
  if (part instanceof Uint8Array) {
    out.set(part, at);
    return at + part.length;
  }
  let position = writeStart(part, out, at);
  for (const inner of part.parts) position = write(inner, out, position);
  return position;
}

function writeStart({ identifier, contentLength: length }: DerElement, out: Uint8Array, at: number): number {
  let position = at;
  out[position++] = identifier;
  const octets = lengthOctets(length) - 1;
  if (octets === 0) out[position++] = length;
  else {
    out[position++] = 0x80 | octets;
    for (let shift = (octets - 1) * 8; shift >= 0; shift -= 8) out[position++] = length >>> shift;
  }
  return position;
}
