/**
 * Distinguished names (RFC 5280 sections 4.1.2.4 and 7.1).
 *
 *     Name ::= CHOICE { rdnSequence  RDNSequence }
 *     RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
 *     RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
 *     AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
 */

import { oids } from '../asn1/oids.ts';
import { type Asn1Node, tags } from '../asn1/reader.ts';
import { textValue } from '../asn1/text.ts';
import { expectOid } from '../asn1/values.ts';
import { hex } from '../bytes.ts';
import { escapeForDisplay } from '../errors.ts';

/** One attribute of a name. */
export interface NameAttribute {
  readonly oid: string;
  /** The tag of the value. */
  readonly tag: number;
  /** Undefined for a value that is no character string. */
  readonly text: string | undefined;
}

/** A distinguished name. */
export interface DistinguishedName {
  /** As received. */
  readonly raw: Uint8Array;
  readonly rdns: readonly (readonly NameAttribute[])[];
  /** One comparison key per RDN: two RDNs match exactly when their keys are equal. */
  readonly rdnKeys: readonly string[];
  /** The comparison key of the whole name. */
  readonly key: string;
  /** For people (RFC 4514), safe to print; proves nothing. */
  readonly text: string;
}

/** Keywords of RFC 4514 section 3, and the usual ones beyond it. */
const keywords: ReadonlyMap<string, string> = new Map([
  [oids.commonName, 'CN'],
  [oids.surname, 'SN'],
  [oids.serialNumber, 'serialNumber'],
  [oids.countryName, 'C'],
  [oids.localityName, 'L'],
  [oids.stateOrProvinceName, 'ST'],
  [oids.organizationName, 'O'],
  [oids.organizationalUnitName, 'OU'],
  [oids.title, 'title'],
  [oids.givenName, 'GN'],
  [oids.userId, 'UID'],
  [oids.domainComponent, 'DC'],
  [oids.emailAddress, 'emailAddress'],
]);

// The size of a certificate bounds both; these bound what a cheaper caller may pass.
const mostRdns = 4096;
const mostAttributes = 64;
const comparedAsText: ReadonlySet<number> = new Set([
  tags.utf8String,
  tags.printableString,
  tags.ia5String,
  tags.numericString,
  tags.visibleString,
  tags.bmpString,
  tags.universalString,
]);
const characterStrings: ReadonlySet<number> = new Set([...comparedAsText, tags.teletexString]);

/**
 * Reads a name.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseDistinguishedName(node: Asn1Node): DistinguishedName {
  const inside = node.sequence();
  const rdns: NameAttribute[][] = [];
  const rdnKeys: string[] = [];
  while (!inside.done) {
    const set = inside.expect(tags.set);
    const attributes: NameAttribute[] = [];
    const keys: string[] = [];
    for (const element of set.elements(mostAttributes)) {
      const attribute = element.sequence();
      const oid = expectOid(attribute.next());
      const value = attribute.next();
      attribute.end();
      const text = characterStrings.has(value.tag) ? textValue(value) : undefined;
      attributes.push({ oid, tag: value.tag, text });
      keys.push(`${oid}=${valueKey(value, text)}`);
    }
    if (attributes.length === 0) throw set.malformed('empty relative distinguished name');
    if (rdns.length === mostRdns) throw node.malformed('distinguished name with too many parts');
    rdns.push(attributes);
    // The order within an RDN carries no meaning (RFC 5280 section 7.1).
    rdnKeys.push(keys.sort().join('\u0000+'));
  }
  return { raw: node.raw, rdns, rdnKeys, key: rdnKeys.join('\u0000,'), text: printName(rdns) };
}

/**
 * RFC 5280 section 7.1: strings match after RFC 4518 preparation, without regard to case or to the amount of inner
 * white space and whichever string type carries them; anything else by octets.
 */
function valueKey(value: Asn1Node, text: string | undefined): string {
  if (text === undefined || !comparedAsText.has(value.tag)) return `#${hex(value.raw)}`;
  const prepared = text.replace(whiteSpace, ' ').replace(ignored, '').normalize('NFKC').toLowerCase().normalize('NFKC');
  return `"${prepared.trim().replace(/ +/g, ' ')}"`;
}

/** RFC 4518 section 2.2: mapped to space, and mapped to nothing. */
const whiteSpace = /[\p{White_Space}]/gu;
const ignored = /[\p{Cc}\p{Default_Ignorable_Code_Point}\ufffc]/gu;

/** RFC 4514: the last RDN first. */
function printName(rdns: readonly (readonly NameAttribute[])[]): string {
  const shown = rdns.map((attributes) =>
    attributes
      .map(({ oid, text }) => `${keywords.get(oid) ?? oid}=${text === undefined ? '#' : printValue(text)}`)
      .join('+'),
  );
  return shown.reverse().join(',');
}

function printValue(text: string): string {
  return escapeForDisplay(
    text.replace(/[\\",+;<>]/g, (character) => `\\${character}`),
    256,
  );
}

/**
 * Whether a name lies in the subtree under another (RFC 5280 section 4.2.1.10, X.501): its first RDNs are those.
 *
 * @param base the root of the subtree
 */
export function isWithinSubtree(name: DistinguishedName, base: DistinguishedName): boolean {
  return base.rdnKeys.every((key, index) => name.rdnKeys[index] === key);
}
