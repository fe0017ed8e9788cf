/**
 * Finds the CMS object in an entity and tells its kind by its first octets, never by `smime-type` (RFC 8551 section
 * 3.2.2 makes that parameter a hint; a wrong one must not lead to another reading).
 */

import type { LayerKind } from '../backend.ts';
import { oids } from '../../asn1/oids.ts';
import { contextTag, parseBer, tags } from '../../asn1/reader.ts';
import { expectOid } from '../../asn1/values.ts';
import { E2eError, type E2eStage } from '../../errors.ts';
import { defaultLimits } from '../../limits.ts';
import { type Entity, headerValue } from '../../mime/entity.ts';
import { decodeBody } from '../../mime/transfer-encoding.ts';

/** RFC 8551 section 3.2; the `x-` forms are those of S/MIME version 2 (section 3.2 of RFC 2311). */
const objectTypes: ReadonlySet<string> = new Set(['application/pkcs7-mime', 'application/x-pkcs7-mime']);
const signatureTypes: ReadonlySet<string> = new Set(['application/pkcs7-signature', 'application/x-pkcs7-signature']);

const decoded = new WeakMap<Entity, Uint8Array>();

/** Whether a media type is that of a detached signature. */
export function isSignatureType(type: string | undefined): boolean {
  return type !== undefined && signatureTypes.has(type.toLowerCase());
}

/** Whether an entity is a multipart/signed of S/MIME (RFC 8551 section 3.5.3). */
export function isMultipartSigned({ contentType }: Entity): boolean {
  return contentType?.type === 'multipart/signed' && isSignatureType(contentType.parameters.get('protocol'));
}

/**
 * The CMS octets of an entity, decoded once.
 *
 * @throws {E2eError} MALFORMED, UNSUPPORTED for the transfer encoding
 */
export function cmsOctets(entity: Entity, stage: E2eStage): Uint8Array {
  const known = decoded.get(entity);
  if (known !== undefined) return known;
  const octets = decodeBody(entity, stage);
  decoded.set(entity, octets);
  return octets;
}

/**
 * Tells whether an entity is a layer of S/MIME. Cheap; never throws for data.
 *
 * @param entity a MIME entity, or a bare blob (`contentType` undefined)
 */
export function recognize(entity: Entity): LayerKind | undefined {
  if (isMultipartSigned(entity)) return 'signed';
  if (!mayHoldObject(entity)) return undefined;
  // What calls itself a CMS object is one, if a broken or unknown one: opening it shall say so.
  const otherwise =
    entity.contentType !== undefined && objectTypes.has(entity.contentType.type) ? 'encrypted' : undefined;
  try {
    return kindOf(cmsOctets(entity, 'unwrap')) ?? otherwise;
  } catch (error) {
    if (!(error instanceof E2eError)) throw error;
    return otherwise;
  }
}

function mayHoldObject(entity: Entity): boolean {
  const { contentType } = entity;
  // The octets of a body that came as text are made when they are asked for.
  if (contentType === undefined) return entity.body[0] === 0x30;
  if (objectTypes.has(contentType.type)) return true;
  if (contentType.type !== 'application/octet-stream') return false;
  // RFC 8551 section 3.2.1: agents that do not know the type send octet-stream with one of these names.
  const disposition = headerValue(entity, 'content-disposition') ?? '';
  const name = contentType.parameters.get('name') ?? '';
  return name.length <= 256 && disposition.length <= 512 && (named.test(name) || named.test(disposition));
}

const named = /\.p7[mcz]["']?$/i;

/**
 * The kind of a CMS object.
 *
 * @returns undefined for a content type that is no layer
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function kindOf(octets: Uint8Array): LayerKind | undefined {
  const outer = parseBer(octets, { limits: defaultLimits, stage: 'unwrap' }).sequence();
  const type = expectOid(outer.next());
  if (type === oids.envelopedData || type === oids.authEnvelopedData) return 'encrypted';
  if (type !== oids.signedData) return undefined;
  const signed = outer.expect(contextTag(0)).explicit().sequence();
  signed.expect(tags.integer);
  signed.expect(tags.set);
  const encapsulated = signed.expect(tags.sequence).children();
  expectOid(encapsulated.next());
  signed.optional(contextTag(0));
  signed.optional(contextTag(1));
  const signers = signed.expect(tags.set);
  // RFC 8551 section 3.7: "certs-only" has no content and no signer.
  return encapsulated.done && signers.children().done ? 'certificates' : 'signed';
}
