/**
 * Extensions of certificates and revocation lists (RFC 5280 sections 4.2 and 5.2).
 *
 *     Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension
 *     Extension  ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
 */

import { type Asn1Node, type Asn1Options, tags } from '../asn1/reader.ts';
import { assertDer } from '../asn1/strict.ts';
import { booleanValue, expectOid, octetString } from '../asn1/values.ts';
import { type DerPart, derOctetString, derOid, derSequence, derTrue } from '../asn1/writer.ts';

/** One extension. */
export interface Extension {
  readonly critical: boolean;
  /** The DER value. */
  readonly value: Uint8Array;
}

const mostExtensions = 64;

/**
 * Reads Extensions.
 *
 * @returns by object identifier
 * @throws {E2eError} MALFORMED, also for an empty list and for two of one kind (section 4.2); LIMIT
 */
export function parseExtensions(node: Asn1Node): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  if (node.tag !== tags.sequence) throw node.malformed('SEQUENCE of extensions expected');
  for (const element of node.elements(mostExtensions)) {
    const inside = element.sequence();
    const oid = expectOid(inside.next());
    const criticalNode = inside.optional(tags.boolean);
    const critical = criticalNode !== undefined && booleanValue(criticalNode);
    const value = octetString(inside.expect(tags.octetString));
    inside.end();
    // A second instance could be read by one party and the first by another.
    if (extensions.has(oid)) throw node.malformed('duplicate extension');
    extensions.set(oid, { critical, value });
  }
  if (extensions.size === 0) throw node.malformed('empty list of extensions');
  return extensions;
}

/**
 * Opens the value of an extension, which must be DER all the way down.
 *
 * @returns undefined when the extension is absent
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function openExtension(
  extensions: ReadonlyMap<string, Extension>,
  oid: string,
  options: Asn1Options,
): Asn1Node | undefined {
  const extension = extensions.get(oid);
  return extension === undefined ? undefined : assertDer(extension.value, options);
}

/** Writes one extension. */
export function serializeExtension(oid: string, critical: boolean, value: DerPart): DerPart {
  return critical
    ? derSequence(derOid(oid), derTrue, derOctetString(value))
    : derSequence(derOid(oid), derOctetString(value));
}
