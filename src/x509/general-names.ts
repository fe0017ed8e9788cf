/**
 * General names (RFC 5280 section 4.2.1.6): what subjectAltName, name constraints and distribution points hold.
 *
 *     GeneralName ::= CHOICE {
 *         otherName                 [0]  OtherName,
 *         rfc822Name                [1]  IA5String,
 *         dNSName                   [2]  IA5String,
 *         x400Address               [3]  ORAddress,
 *         directoryName             [4]  Name,
 *         ediPartyName              [5]  EDIPartyName,
 *         uniformResourceIdentifier [6]  IA5String,
 *         iPAddress                 [7]  OCTET STRING,
 *         registeredID              [8]  OBJECT IDENTIFIER }
 *
 *     GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName
 *
 *     OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY DEFINED BY type-id }
 */

import { oids } from '../asn1/oids.ts';
import { type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { singleOctets, textValue } from '../asn1/text.ts';
import { expectOid, octetString, oidValue } from '../asn1/values.ts';
import { type DerPart, der, derContext, derOid, derSequence, encodeDer } from '../asn1/writer.ts';
import { utf8 } from '../bytes.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';

/** One general name. */
export type GeneralName =
  | { readonly form: 'otherName'; readonly type: string; readonly value: Asn1Node }
  | { readonly form: 'rfc822Name' | 'dNSName' | 'uniformResourceIdentifier'; readonly text: string }
  | { readonly form: 'directoryName'; readonly name: DistinguishedName }
  | { readonly form: 'iPAddress'; readonly octets: Uint8Array }
  | { readonly form: 'registeredID'; readonly oid: string }
  | { readonly form: 'x400Address' | 'ediPartyName' };

/** Names of the forms. */
export type GeneralNameForm = GeneralName['form'];

/** More names than a certificate of the default size limit can hold twice over. */
const mostNames = 16_384;

/**
 * Reads one general name.
 *
 * @param use where the name stands: in name constraints an iPAddress is an address and a mask
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseGeneralName(node: Asn1Node, use: 'name' | 'constraint' = 'name'): GeneralName {
  switch (node.tag) {
    case contextTag(0): {
      const inside = node.children();
      const type = expectOid(inside.next());
      const value = inside.expect(contextTag(0)).explicit();
      inside.end();
      return { form: 'otherName', type, value };
    }
    case contextTag(1):
      return { form: 'rfc822Name', text: ia5(node) };
    case contextTag(2):
      return { form: 'dNSName', text: ia5(node) };
    case contextTag(3):
      return { form: 'x400Address' };
    case contextTag(4):
      return { form: 'directoryName', name: parseDistinguishedName(node.explicit()) };
    case contextTag(5):
      return { form: 'ediPartyName' };
    case contextTag(6):
      return { form: 'uniformResourceIdentifier', text: ia5(node) };
    case contextTag(7): {
      const octets = octetString(node);
      const sizes = use === 'name' ? [4, 16] : [8, 32];
      if (!sizes.includes(octets.length)) throw node.malformed('length of an IP address');
      return { form: 'iPAddress', octets };
    }
    case contextTag(8):
      return { form: 'registeredID', oid: oidValue(node) };
    default:
      throw node.malformed('unknown form of general name');
  }
}

function ia5(node: Asn1Node): string {
  if (node.constructed) throw node.malformed('constructed string');
  return singleOctets(node);
}

/**
 * Reads GeneralNames, under its own tag or an implicit one.
 *
 * @throws {E2eError} MALFORMED, also for an empty list; LIMIT
 */
export function parseGeneralNames(node: Asn1Node): readonly GeneralName[] {
  const names = node.elements(mostNames).map((element) => parseGeneralName(element));
  if (names.length === 0) throw node.malformed('empty GeneralNames');
  return names;
}

/**
 * The addresses of id-on-xmppAddr names, as written.
 *
 *     id-on-xmppAddr  OBJECT IDENTIFIER ::= { id-on 5 }
 *     XmppAddr ::= UTF8String
 *
 * A value of another type is no address: the length octet of a string must not be taken for its first character.
 */
export function xmppAddresses(names: readonly GeneralName[]): readonly string[] {
  const found: string[] = [];
  for (const name of names) {
    if (name.form !== 'otherName' || name.type !== oids.xmppAddr || name.value.tag !== tags.utf8String) continue;
    found.push(textValue(name.value));
  }
  return found;
}

/** A name to write. */
export type GeneralNameInput =
  | { readonly form: 'uniformResourceIdentifier' | 'rfc822Name' | 'dNSName'; readonly text: string }
  | { readonly form: 'xmppAddr'; readonly text: string };

/**
 * Writes GeneralNames.
 *
 * @param names at least one; the text of all forms but xmppAddr is ASCII
 * @throws {RangeError} for an empty list, or text that the form cannot hold
 */
export function serializeGeneralNames(names: readonly GeneralNameInput[]): Uint8Array {
  if (names.length === 0) throw new RangeError('no general name');
  return encodeDer(derSequence(...names.map(generalName)));
}

function generalName(name: GeneralNameInput): DerPart {
  if (name.form === 'xmppAddr') {
    return derContext(0, derOid(oids.xmppAddr), derContext(0, der(tags.utf8String, utf8(name.text))));
  }
  if (!/^[\u0020-\u007e]*$/.test(name.text)) throw new RangeError('general name outside ASCII');
  const number = name.form === 'rfc822Name' ? 1 : name.form === 'dNSName' ? 2 : 6;
  return der(contextTag(number), utf8(name.text));
}
