/**
 * Signed and unsigned attributes (RFC 5652 sections 5.3 and 11):
 *
 *     SignedAttributes ::= SET SIZE (1..MAX) OF Attribute
 *
 *     Attribute ::= SEQUENCE {
 *         attrType    OBJECT IDENTIFIER,
 *         attrValues  SET OF AttributeValue }
 */

import { oids } from '../asn1/oids.ts';
import { type Asn1Node, parseBer, tags } from '../asn1/reader.ts';
import { assertDer } from '../asn1/strict.ts';
import { expectOid } from '../asn1/values.ts';
import { type DerElement, type DerPart, der, derOid, derSequence } from '../asn1/writer.ts';
import { E2eError } from '../errors.ts';

/** An identifier octet: SET, constructed. */
const setOctet = 0x31;

/** More than any message needs. */
const mostAttributes = 256;

/** Attributes as they are hashed, and by type. */
export interface Attributes {
  /** The octets with the tag of SET in place of the implicit one (RFC 5652 section 5.4). */
  readonly octets: Uint8Array;
  /** The values of each type, by its dotted decimal. */
  readonly byType: ReadonlyMap<string, readonly Asn1Node[]>;
}

/**
 * Reads attributes under an implicit tag.
 *
 * Strict DER, since what is hashed is DER: another encoding could be read differently by a signer and a verifier.
 *
 * @param node signedAttrs or authAttrs as received
 * @throws {E2eError} MALFORMED, also for no attribute, an attribute without value, and a type that occurs twice; LIMIT
 */
export function parseAttributes(node: Asn1Node): Attributes {
  // Counted first, so that a million cost no more than a few.
  node.elements(mostAttributes);
  const octets = node.raw.slice();
  octets[0] = setOctet;
  const set = assertDer(octets, { limits: node.limits, stage: node.stage });
  const attributes = set.children();
  const byType = new Map<string, readonly Asn1Node[]>();
  while (!attributes.done) {
    const [type, values] = parseAttribute(attributes.next());
    // RFC 5652 section 5.3: signedAttrs MUST NOT include multiple instances of one attribute; which of two counts
    // would be the verifier's guess.
    if (byType.has(type)) throw node.malformed('attribute occurs twice');
    byType.set(type, values);
  }
  if (byType.size === 0) throw node.malformed('empty set of attributes');
  return { octets, byType };
}

function tooMany(node: Asn1Node): E2eError {
  return new E2eError('ERR_E2E_LIMIT', node.stage, { reason: 'too many attributes' });
}

function parseAttribute(node: Asn1Node): readonly [type: string, values: readonly Asn1Node[]] {
  const fields = node.sequence();
  const type = expectOid(fields.next());
  const set = fields.expect(tags.set);
  fields.end();
  const cursor = set.children();
  const values: Asn1Node[] = [];
  while (!cursor.done) {
    if (values.length >= mostAttributes) throw tooMany(node);
    values.push(cursor.next());
  }
  if (values.length === 0) throw node.malformed('attribute without a value');
  return [type, values];
}

/**
 * The types of unsigned attributes.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function attributeTypes(node: Asn1Node): ReadonlySet<string> {
  const types = new Set<string>();
  const cursor = node.children();
  while (!cursor.done) {
    types.add(expectOid(cursor.next().sequence().next()));
    if (types.size > mostAttributes) throw tooMany(node);
  }
  return types;
}

/**
 * Whether octets can be read as a SET OF Attribute. A signature without signed attributes over such octets is one that
 * was made over signed attributes, whose message somebody replaced by them (RFC 5652 section 5.4 hashes both alike).
 */
export function looksLikeAttributes(octets: Uint8Array, { limits }: Pick<Asn1Node, 'limits'>): boolean {
  if (octets[0] !== setOctet) return false;
  try {
    const attributes = parseBer(octets, { limits }).children();
    while (!attributes.done) {
      const fields = attributes.next().sequence();
      fields.expect(tags.oid);
      fields.expect(tags.set);
      fields.end();
    }
    return true;
  } catch (error) {
    // Beyond a limit nobody can tell: the safe answer is yes.
    if (error instanceof E2eError) return error.code === 'ERR_E2E_LIMIT';
    throw error;
  }
}

/** Writes an attribute. */
export function serializeAttribute(type: string, ...values: readonly DerPart[]): DerElement {
  return derSequence(derOid(type), der(setOctet, ...values));
}

/** Attributes that only mean something under a signature, and must not stand among the unsigned ones (RFC 5652 section 11). */
export const signedOnly: ReadonlySet<string> = new Set([
  oids.contentType,
  oids.messageDigest,
  oids.signingTime,
  oids.cmsAlgorithmProtect,
  oids.signingCertificate,
  oids.signingCertificateV2,
]);
