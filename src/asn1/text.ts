/** The character string types (ITU-T X.680 section 41), as certificates use them (RFC 5280 section 4.1.2.4). */

import { utf8Decode } from '../bytes.ts';
import { type Asn1Node, tags } from './reader.ts';

/**
 * The text of a character string. TeletexString is read as ISO 8859-1, as everybody does.
 *
 * @throws {E2eError} MALFORMED for another type, the constructed form, or octets that the type does not allow
 */
export function textValue(node: Asn1Node): string {
  if (node.constructed) throw node.malformed('constructed string');
  const content = node.content;
  switch (node.tag) {
    case tags.utf8String:
      return utf8Decode(content, node.stage);
    case tags.numericString:
    case tags.printableString:
    case tags.ia5String:
    case tags.visibleString:
      return singleOctets(node, 0x7f);
    case tags.teletexString:
      return singleOctets(node, 0xff);
    case tags.bmpString:
      return wideCharacters(node, 2);
    case tags.universalString:
      return wideCharacters(node, 4);
    default:
      throw node.malformed('character string expected');
  }
}

/**
 * Octets as characters of the same number, for IA5String under an implicit tag.
 *
 * @param highest the last octet allowed
 * @throws {E2eError} MALFORMED for a higher one
 */
export function singleOctets(node: Asn1Node, highest = 0x7f): string {
  let text = '';
  for (const octet of node.content) {
    if (octet > highest) throw node.malformed('octet outside the character string type');
    text += String.fromCharCode(octet);
  }
  return text;
}

function wideCharacters(node: Asn1Node, width: 2 | 4): string {
  const content = node.content;
  if (content.length % width !== 0) throw node.malformed('character string length');
  let text = '';
  for (let i = 0; i < content.length; i += width) {
    let code = 0;
    for (let k = 0; k < width; k++) code = code * 256 + content[i + k]!;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw node.malformed('character string');
    text += String.fromCodePoint(code);
  }
  return text;
}
