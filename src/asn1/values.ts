/** Values of the primitive ASN.1 types, read from an {@link Asn1Node} (ITU-T X.690 section 8; DER rules of 10 and 11). */

import { E2eError } from '../errors.ts';
import { type Asn1Node, tags } from './reader.ts';

function primitive(node: Asn1Node, what: string): Uint8Array {
  if (node.constructed) throw node.malformed(`constructed ${what}`);
  return node.content;
}

/**
 * A BOOLEAN.
 *
 * @throws {E2eError} MALFORMED; in DER for any octet but 00 and FF
 */
export function booleanValue(node: Asn1Node): boolean {
  const content = primitive(node, 'BOOLEAN');
  const octet = content[0];
  if (content.length !== 1 || (node.der && octet !== 0 && octet !== 0xff)) throw node.malformed('BOOLEAN');
  return octet !== 0;
}

/**
 * The content octets of an INTEGER or ENUMERATED in two's complement, which must be the shortest in BER too
 * (X.690 section 8.3.2).
 *
 * @throws {E2eError} MALFORMED
 */
export function integerOctets(node: Asn1Node): Uint8Array {
  checkInteger(node);
  return node.content;
}

/** @throws {E2eError} MALFORMED where {@link integerOctets} throws it */
export function checkInteger(node: Asn1Node): void {
  if (node.constructed) throw node.malformed('constructed INTEGER');
  const { length } = node;
  if (length === 0) throw node.malformed('empty INTEGER');
  if (length === 1) return;
  const [first, second] = [node.octetAt(0), node.octetAt(1)];
  if (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80) throw node.malformed('INTEGER is not minimal');
}

/**
 * An unsigned INTEGER as big-endian octets without a leading zero; zero is one zero octet.
 *
 * @throws {E2eError} MALFORMED, also for a negative number
 */
export function unsignedOctets(node: Asn1Node): Uint8Array {
  const content = integerOctets(node);
  if (content[0]! >= 0x80) throw node.malformed('negative INTEGER');
  return content[0] === 0 && content.length > 1 ? content.subarray(1) : content;
}

/**
 * A small non-negative INTEGER, such as a version.
 *
 * @returns 0 to 2^31 - 1
 * @throws {E2eError} MALFORMED for anything else
 */
export function smallInteger(node: Asn1Node): number {
  checkInteger(node);
  const { length } = node;
  if (node.octetAt(0) >= 0x80) throw node.malformed('negative INTEGER');
  if (length > 5) throw node.malformed('INTEGER out of range');
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + node.octetAt(i);
  if (value > 0x7fff_ffff) throw node.malformed('INTEGER out of range');
  return value;
}

/**
 * The octets of an OCTET STRING, or of an implicitly tagged one. A constructed one (BER only) is put together from its
 * segments, nested ones included.
 *
 * @returns a view for the primitive form, a copy for the constructed one
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function octetString(node: Asn1Node): Uint8Array {
  if (!node.constructed) return node.content;
  if (node.der) throw node.malformed('constructed string in DER');
  const out = new Uint8Array(node.length);
  let length = 0;
  const open = [node.children()];
  while (open.length > 0) {
    const cursor = open.at(-1)!;
    if (cursor.done) {
      open.pop();
      continue;
    }
    const segment = cursor.expect(tags.octetString);
    if (segment.constructed) open.push(segment.children());
    else {
      out.set(segment.content, length);
      length += segment.length;
    }
  }
  return out.subarray(0, length);
}

/**
 * A BIT STRING whose length is a whole number of octets: every key and every signature.
 *
 * @throws {E2eError} MALFORMED for unused bits or the constructed form
 */
export function bitStringOctets(node: Asn1Node): Uint8Array {
  const content = primitive(node, 'BIT STRING');
  if (content[0] !== 0) throw node.malformed('BIT STRING with unused bits');
  return content.subarray(1);
}

/** The bits of a BIT STRING. */
export interface BitString {
  /** 0 to 7. */
  readonly unusedBits: number;
  readonly octets: Uint8Array;
}

/**
 * A BIT STRING of any length, for named bit lists such as keyUsage.
 *
 * @throws {E2eError} MALFORMED; in DER for unused bits that are not zero
 */
export function bitString(node: Asn1Node): BitString {
  const content = primitive(node, 'BIT STRING');
  const unusedBits = content[0];
  if (unusedBits === undefined || unusedBits > 7 || (content.length === 1 && unusedBits > 0)) {
    throw node.malformed('BIT STRING');
  }
  // X.690 section 11.2.1: unused bits are zero.
  if (node.der && (content.at(-1)! & ((1 << unusedBits) - 1)) !== 0 && content.length > 1) {
    throw node.malformed('BIT STRING with unused bits set');
  }
  return { unusedBits, octets: content.subarray(1) };
}

/**
 * An OBJECT IDENTIFIER in dotted decimal form.
 *
 * @throws {E2eError} MALFORMED; LIMIT beyond `oidBytes` octets, since large arcs and many arcs cost big-number work
 */
export function oidValue(node: Asn1Node): string {
  if (node.constructed) throw node.malformed('constructed OBJECT IDENTIFIER');
  if (node.length > node.limits.oidBytes) {
    throw new E2eError('ERR_E2E_LIMIT', node.stage, { reason: 'OBJECT IDENTIFIER length' });
  }
  const hash = hashOf(node);
  const known = decodedOids.get(hash);
  if (known !== undefined && isContentOf(known.content, node)) return known.text;
  const { content } = node;
  const text = dotted(content);
  if (text === undefined) throw node.malformed('OBJECT IDENTIFIER');
  if (decodedOids.size < mostDecodedOids) decodedOids.set(hash, { content: content.slice(), text });
  return text;
}

/** By a hash of their content, the first that came with each; messages use the same few again and again. */
const decodedOids = new Map<number, { readonly content: Uint8Array; readonly text: string }>();
const mostDecodedOids = 256;

function hashOf(node: Asn1Node): number {
  let hash = node.length;
  for (let i = 0; i < node.length; i++) hash = (Math.imul(hash, 31) + node.octetAt(i)) | 0;
  return hash;
}

function isContentOf(content: Uint8Array, node: Asn1Node): boolean {
  if (content.length !== node.length) return false;
  for (let i = 0; i < content.length; i++) if (content[i] !== node.octetAt(i)) return false;
  return true;
}

/** The OBJECT IDENTIFIER in a field whose tag must be 6. */
export function expectOid(node: Asn1Node): string {
  if (node.tag !== tags.oid) throw node.malformed('OBJECT IDENTIFIER expected');
  return oidValue(node);
}

function dotted(content: Uint8Array): string | undefined {
  let text = '';
  let arc = 0;
  let big: bigint | undefined;
  let start = true;
  for (const octet of content) {
    // X.690 section 8.19.2: an arc takes as few octets as possible.
    if (start && octet === 0x80) return undefined;
    start = false;
    if (big === undefined && arc < 0x1_0000_0000_0000 / 128) arc = arc * 128 + (octet & 0x7f);
    else big = ((big ?? BigInt(arc)) << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    if (text === '') {
      const root = big !== undefined || arc >= 80 ? 2 : arc >= 40 ? 1 : 0;
      text = `${root}.${(big === undefined ? arc - root * 40 : big - 80n).toString()}`;
    } else text += `.${(big ?? arc).toString()}`;
    arc = 0;
    big = undefined;
    start = true;
  }
  return start && text !== '' ? text : undefined;
}

/** @throws {E2eError} MALFORMED unless the element is an empty NULL */
export function expectNull(node: Asn1Node): void {
  if (node.tag !== tags.null || node.constructed || node.length !== 0) throw node.malformed('NULL expected');
}
