/**
 * The outermost element of every CMS object (RFC 5652 section 3):
 *
 *     ContentInfo ::= SEQUENCE {
 *         contentType      ContentType,
 *         content      [0] EXPLICIT ANY DEFINED BY contentType }
 *
 *     ContentType ::= OBJECT IDENTIFIER
 */

import { type Asn1Node, type Asn1Options, contextTag, parseBer } from '../asn1/reader.ts';
import { expectOid } from '../asn1/values.ts';
import { type DerElement, derContext, derOid, derSequence } from '../asn1/writer.ts';
import { E2eError } from '../errors.ts';

/** A CMS object whose content is not looked at yet. */
export interface ContentInfo {
  /** Dotted decimal. */
  readonly contentType: string;
  readonly content: Asn1Node;
}

/**
 * Opens a CMS object.
 *
 * @param ber exactly one ContentInfo; trailing octets are refused, since a signature does not cover them
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseContentInfo(ber: Uint8Array, options: Asn1Options): ContentInfo {
  const outer = parseBer(ber, options).sequence();
  const contentType = expectOid(outer.next());
  const content = outer.expect(contextTag(0)).explicit();
  outer.end();
  return { contentType, content };
}

/** Writes a CMS object. */
export function serializeContentInfo(contentType: string, content: DerElement): DerElement {
  return derSequence(derOid(contentType), derContext(0, content));
}

/** The error for a content type that the caller cannot use. */
export function unexpectedContentType(node: Asn1Node, contentType: string): E2eError {
  return new E2eError('ERR_E2E_UNSUPPORTED', node.stage, { reason: 'CMS content type', subject: contentType });
}
