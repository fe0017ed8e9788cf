/**
 * A reader for BER and DER (ITU-T X.690) that copies nothing and builds no tree: an {@link Asn1Node} is a view of one
 * element, and its children are read one after the other by an {@link Asn1Cursor} when somebody asks.
 *
 * Everything runs without recursion and in linear time: an element of indefinite length is walked once, and the ends of
 * all elements of indefinite length inside it are remembered on the way (X.690 section 8.1.3.6).
 */

import { E2eError, type E2eStage } from '../errors.ts';
import type { Limits } from '../limits.ts';

/** The limits that bear on ASN.1. */
export type Asn1Limits = Pick<Limits, 'asn1Depth' | 'oidBytes'>;

/** How to read. */
export interface Asn1Options {
  readonly limits: Asn1Limits;
  /** The stage of the errors thrown; `parse` unless given. */
  readonly stage?: E2eStage | undefined;
}

/** Tags as {@link Asn1Cursor} takes them: class and number in the bits of an identifier octet, the constructed bit zero. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x10,
  set: 0x11,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

/**
 * The context-specific tag [number].
 *
 * @param number 0 to 30
 */
export function contextTag(number: number): number {
  return 0x80 | number;
}

interface Document {
  readonly bytes: Uint8Array;
  readonly limits: Asn1Limits;
  readonly stage: E2eStage;
  readonly der: boolean;
  /** For elements of indefinite length: where the content starts -> where it ends. */
  ends: Map<number, number> | undefined;
}

/** The error for input that breaks the encoding rules or the structure expected of it. */
function malformed(document: Document, reason: string): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', document.stage, { reason });
}

const constructedBit = 0x20;

// The header that `readHeader` found last: module variables, so that a walk over many headers allocates nothing.
let headerIdentifier = 0;
let headerNumber = 0;
let headerContent = 0;
/** Content length, or -1 for the indefinite form. */
let headerLength = 0;

function readHeader(document: Document, at: number, end: number): void {
  const { bytes, der } = document;
  let position = at;
  if (position + 2 > end) throw malformed(document, 'truncated ASN.1 element');
  const identifier = bytes[position++]!;
  // Tag 0 is reserved for end-of-contents octets (X.690 section 8.1.5), which stand nowhere but at an end.
  if (identifier === 0) throw malformed(document, 'unexpected end-of-contents');
  let number = identifier & 0x1f;
  if (number === 0x1f) {
    number = 0;
    for (let count = 0; ; count++) {
      if (position >= end) throw malformed(document, 'truncated ASN.1 element');
      const octet = bytes[position++]!;
      // X.690 section 8.1.2.4.2: the first of the subsequent octets is not 0x80.
      if (count === 4 || (count === 0 && octet === 0x80)) throw malformed(document, 'ASN.1 tag number');
      number = number * 128 + (octet & 0x7f);
      if (octet < 0x80) break;
    }
    if (number < 31) throw malformed(document, 'ASN.1 tag number');
    if (position >= end) throw malformed(document, 'truncated ASN.1 element');
  }
  const first = bytes[position++]!;
  let length = first;
  if (first === 0x80) {
    if (der) throw malformed(document, 'indefinite length in DER');
    if ((identifier & constructedBit) === 0) throw malformed(document, 'primitive element of indefinite length');
    length = -1;
  } else if (first > 0x80) {
    const count = first & 0x7f;
    if (count > 8 || position + count > end) throw malformed(document, 'ASN.1 length');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + bytes[position + i]!;
    // X.690 section 10.1: DER takes the shortest form.
    if (der && (bytes[position] === 0 || length < 128)) throw malformed(document, 'length is not minimal');
    position += count;
  }
  if (length > end - position) throw malformed(document, 'ASN.1 element longer than its container');
  headerIdentifier = identifier;
  headerNumber = number;
  headerContent = position;
  headerLength = length;
}

/** Finds the end-of-contents octets of the element whose content starts at `content`. */
function findEnd(document: Document, content: number, end: number, depth: number): number {
  const known = document.ends?.get(content);
  if (known !== undefined) return known;
  const { bytes, limits } = document;
  const ends = (document.ends ??= new Map());
  const open = [content];
  let position = content;
  for (;;) {
    if (position + 2 > end) throw malformed(document, 'end-of-contents missing');
    if (bytes[position] === 0) {
      if (bytes[position + 1] !== 0) throw malformed(document, 'unexpected end-of-contents');
      ends.set(open.pop()!, position);
      if (open.length === 0) return position;
      position += 2;
      continue;
    }
    readHeader(document, position, end);
    position = headerContent;
    if (headerLength >= 0) position += headerLength;
    else {
      if (depth + open.length > limits.asn1Depth) throw tooDeep(document);
      open.push(headerContent);
    }
  }
}

function tooDeep(document: Document): E2eError {
  return new E2eError('ERR_E2E_LIMIT', document.stage, { reason: 'ASN.1 nesting' });
}

/** A view of one element. */
export class Asn1Node {
  readonly #document: Document;
  readonly #start: number;
  readonly #content: number;
  readonly #contentEnd: number;
  readonly #end: number;
  /** Class and number in the bits of an identifier octet, the constructed bit zero; see {@link tags}. -1 beyond 30. */
  readonly tag: number;
  /** The tag number, also beyond 30. */
  readonly tagNumber: number;
  /** 0 universal, 1 application, 2 context-specific, 3 private. */
  readonly tagClass: number;
  readonly constructed: boolean;
  /** The outermost element has depth 1. */
  readonly depth: number;

  /** @internal Use {@link parseBer} or {@link parseDer}. */
  constructor(document: Document, start: number, end: number, depth: number) {
    if (depth > document.limits.asn1Depth) throw tooDeep(document);
    readHeader(document, start, end);
    const identifier = headerIdentifier;
    this.#document = document;
    this.#start = start;
    this.#content = headerContent;
    this.tagNumber = headerNumber;
    this.tagClass = identifier >> 6;
    this.constructed = (identifier & constructedBit) !== 0;
    this.tag = headerNumber > 30 ? -1 : identifier & ~constructedBit;
    this.depth = depth;
    if (headerLength < 0) {
      this.#contentEnd = findEnd(document, headerContent, end, depth);
      this.#end = this.#contentEnd + 2;
    } else this.#end = this.#contentEnd = headerContent + headerLength;
  }

  /** The whole element as received. */
  get raw(): Uint8Array {
    return this.#document.bytes.subarray(this.#start, this.#end);
  }

  /** The content octets, without end-of-contents octets. */
  get content(): Uint8Array {
    return this.#document.bytes.subarray(this.#content, this.#contentEnd);
  }

  /**
   * A content octet, for short values that a view would cost more than.
   *
   * @param index 0 to `length` - 1
   */
  octetAt(index: number): number {
    return this.#document.bytes[this.#content + index]!;
  }

  /**
   * Orders whole elements as DER orders those of a SET OF (X.690 section 11.6).
   *
   * @returns negative, zero or positive
   */
  compareTo(other: Asn1Node): number {
    const [a, b] = [this.#document.bytes, other.#document.bytes];
    const [length, otherLength] = [this.#end - this.#start, other.#end - other.#start];
    const shared = Math.min(length, otherLength);
    for (let i = 0; i < shared; i++) {
      const difference = a[this.#start + i]! - b[other.#start + i]!;
      if (difference !== 0) return difference;
    }
    return length - otherLength;
  }

  /** The identifier and length octets. */
  get header(): Uint8Array {
    return this.#document.bytes.subarray(this.#start, this.#content);
  }

  /** The number of content octets. */
  get length(): number {
    return this.#contentEnd - this.#content;
  }

  /** Whether DER is asked of this element. */
  get der(): boolean {
    return this.#document.der;
  }

  /** The limits that it is read under. */
  get limits(): Asn1Limits {
    return this.#document.limits;
  }

  /** The stage of errors about it. */
  get stage(): E2eStage {
    return this.#document.stage;
  }

  /** @internal One past the last octet of the element in the document. */
  get endOffset(): number {
    return this.#end;
  }

  /**
   * A MALFORMED error about this element, to throw.
   *
   * @param reason a fixed phrase
   */
  malformed(reason: string): E2eError {
    return malformed(this.#document, reason);
  }

  /**
   * A cursor over the elements inside, whatever the tag: for implicitly tagged sequences.
   *
   * @throws {E2eError} MALFORMED for a primitive element
   */
  children(): Asn1Cursor {
    if (!this.constructed) throw this.malformed('primitive where a constructed element is expected');
    return new Asn1Cursor(this.#document, this, this.#content, this.#contentEnd);
  }

  /**
   * A cursor over the elements of a SEQUENCE.
   *
   * @throws {E2eError} MALFORMED for anything else
   */
  sequence(): Asn1Cursor {
    if (this.tag !== tags.sequence) throw this.malformed('SEQUENCE expected');
    return this.children();
  }

  /**
   * The one element inside an explicit tag.
   *
   * @throws {E2eError} MALFORMED unless there is exactly one
   */
  explicit(): Asn1Node {
    const inside = this.children();
    const node = inside.next();
    inside.end();
    return node;
  }

  /**
   * All elements inside, whatever the tag; in DER with the order of a SET OF where `set` says so.
   *
   * @param most the number that must not be exceeded
   * @throws {E2eError} MALFORMED; LIMIT beyond `most`
   */
  elements(most: number, set = false): readonly Asn1Node[] {
    const cursor = this.children();
    const found: Asn1Node[] = [];
    while (!cursor.done) {
      if (found.length >= most) throw new E2eError('ERR_E2E_LIMIT', this.stage, { reason: 'too many elements' });
      const node = cursor.next();
      // X.690 section 11.6: the encodings of a SET OF ascend; a shorter one counts as padded with zeros.
      if (set && this.der && found.length > 0 && found.at(-1)!.compareTo(node) > 0) {
        throw this.malformed('SET OF is not in DER order');
      }
      found.push(node);
    }
    return found;
  }
}

/** Walks over the elements inside one constructed element. */
export class Asn1Cursor {
  readonly #document: Document;
  readonly #parent: Asn1Node;
  readonly #end: number;
  #position: number;

  /** @internal Use {@link Asn1Node.children}. */
  constructor(document: Document, parent: Asn1Node, position: number, end: number) {
    this.#document = document;
    this.#parent = parent;
    this.#position = position;
    this.#end = end;
  }

  /** Whether nothing is left. */
  get done(): boolean {
    return this.#position >= this.#end;
  }

  /**
   * The next element, of any tag.
   *
   * @throws {E2eError} MALFORMED when nothing is left or the element is broken; LIMIT when it lies too deep
   */
  next(): Asn1Node {
    if (this.done) throw malformed(this.#document, 'ASN.1 element missing');
    const node = new Asn1Node(this.#document, this.#position, this.#end, this.#parent.depth + 1);
    this.#position = node.endOffset;
    return node;
  }

  /**
   * The next element, which must have this tag.
   *
   * @param tag of {@link tags} or {@link contextTag}
   * @throws {E2eError} MALFORMED for another tag or none
   */
  expect(tag: number): Asn1Node {
    const node = this.next();
    if (node.tag !== tag) throw malformed(this.#document, 'unexpected ASN.1 tag');
    return node;
  }

  /**
   * The next element if it has this tag; otherwise the cursor stays.
   *
   * @param tag of {@link tags} or {@link contextTag}
   */
  optional(tag: number): Asn1Node | undefined {
    if (this.done || (this.#document.bytes[this.#position]! & ~constructedBit) !== tag) return undefined;
    return this.next();
  }

  /** @throws {E2eError} MALFORMED when something is left */
  end(): void {
    if (!this.done) throw malformed(this.#document, 'unexpected ASN.1 element');
  }
}

/**
 * Opens BER: definite and indefinite lengths, constructed strings.
 *
 * @param bytes exactly one element; trailing octets are refused
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseBer(bytes: Uint8Array, options: Asn1Options): Asn1Node {
  return root(bytes, options, false);
}

/**
 * Opens DER: every element that is looked at must be in the one form that X.690 section 10 and 11 allow. Elements
 * that nobody looks at are not checked: see {@link assertDer}.
 *
 * @param bytes exactly one element; trailing octets are refused
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseDer(bytes: Uint8Array, options: Asn1Options): Asn1Node {
  return root(bytes, options, true);
}

function root(bytes: Uint8Array, options: Asn1Options, der: boolean): Asn1Node {
  const document: Document = { bytes, limits: options.limits, stage: options.stage ?? 'parse', der, ends: undefined };
  const node = new Asn1Node(document, 0, bytes.length, 1);
  if (node.endOffset !== bytes.length) throw malformed(document, 'trailing octets after the ASN.1 element');
  return node;
}

/**
 * Orders octet strings as DER orders the elements of a SET OF (X.690 section 11.6).
 *
 * @returns negative, zero or positive
 */
export function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
