/**
 * The check that a whole element is DER, for what is hashed as received: signed attributes (RFC 5652 section 5.3) and
 * certificates (RFC 5280 section 4.1). A second encoding of the same attributes could otherwise be read as other ones.
 */

import type { E2eError } from '../errors.ts';
import { type Asn1Cursor, type Asn1Node, type Asn1Options, parseDer, tags } from './reader.ts';
import { bitString, booleanValue, checkInteger, expectNull, oidValue } from './values.ts';

interface Level {
  readonly cursor: Asn1Cursor;
  /** Whether the parent is a SET or SET OF. */
  readonly set: boolean;
  previous: Asn1Node | undefined;
}

/**
 * Checks that the octets are one DER element, down to its leaves, and opens it.
 *
 * Below context-specific tags the types are unknown, so there only lengths and the types inside constructed elements
 * can be checked.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function assertDer(bytes: Uint8Array, options: Asn1Options): Asn1Node {
  const top = parseDer(bytes, options);
  const open: Level[] = [];
  enter(top, open);
  while (open.length > 0) {
    const level = open.at(-1)!;
    if (level.cursor.done) {
      open.pop();
      continue;
    }
    const node = level.cursor.next();
    if (level.set && level.previous !== undefined && !ordered(level.previous, node)) throw unordered(node);
    level.previous = node;
    enter(node, open);
  }
  return top;
}

function unordered(node: Asn1Node): E2eError {
  return node.malformed('SET is not in DER order');
}

/** A SET OF ascends by encoding (X.690 section 11.6), a SET by tag (section 10.3); the reader cannot tell which it is. */
function ordered(a: Asn1Node, b: Asn1Node): boolean {
  if (a.compareTo(b) <= 0) return true;
  return a.tagClass < b.tagClass || (a.tagClass === b.tagClass && a.tagNumber < b.tagNumber);
}

function enter(node: Asn1Node, open: Level[]): void {
  if (node.tagClass === 0) checkUniversal(node);
  if (node.constructed) open.push({ cursor: node.children(), set: node.tag === tags.set, previous: undefined });
}

function checkUniversal(node: Asn1Node): void {
  const structured = node.tag === tags.sequence || node.tag === tags.set || node.tag === 0x08 || node.tag === 0x0b;
  // X.690 section 10.2: no string is constructed; SEQUENCE, SET, EXTERNAL and EMBEDDED PDV always are.
  if (node.constructed !== structured) throw node.malformed('wrong form of a universal type');
  if (node.tag === tags.boolean) booleanValue(node);
  else if (node.tag === tags.integer || node.tag === tags.enumerated) checkInteger(node);
  else if (node.tag === tags.bitString) bitString(node);
  else if (node.tag === tags.oid) oidValue(node);
  else if (node.tag === tags.null) expectNull(node);
}
