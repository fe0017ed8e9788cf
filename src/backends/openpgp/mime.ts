/**
 * PGP/MIME (RFC 3156), and the bare OpenPGP messages that some clients send without it.
 *
 *     encrypted := multipart/encrypted; protocol="application/pgp-encrypted"
 *                    application/pgp-encrypted: "Version: 1"
 *                    application/octet-stream: armored message
 *     signed    := multipart/signed; protocol="application/pgp-signature"; micalg=pgp-<hash>
 *                    the signed entity
 *                    application/pgp-signature: armored detached signature
 *     keys      := application/pgp-keys: armored certificates
 *
 * Text stays 8bit: RFC 3156 section 3 asks for 7 bits because of mail gateways, which no stanza passes.
 */

import { toCrlf, utf8, utf8Decode } from '../../bytes.ts';
import { E2eError, type E2eStage } from '../../errors.ts';
import { type Limits, defaultLimits } from '../../limits.ts';
import { bodyTextOf, type Entity, parseEntity, parseTextEntity, serializeEntity } from '../../mime/entity.ts';
import { multipartTextAround, parseMultipart, parseTextMultipart, serializeMultipart } from '../../mime/multipart.ts';
import { decodeBody } from '../../mime/transfer-encoding.ts';
import type { LayerKind } from '../backend.ts';
import {
  type ArmorType,
  armorPieces,
  armorText,
  armorType,
  isArmored,
  readArmorText,
  readOneArmor,
  writeArmor,
} from './armor.ts';
import { firstTag, tag } from './packets.ts';

/** A signed layer: the octets that the signature covers apart from it, or both in one OpenPGP message. */
export type SignedForm =
  | { readonly content: Uint8Array; readonly signature: Uint8Array; readonly micalg: string | undefined }
  | { readonly message: Uint8Array };

/** How lenient to be with the surroundings of the parts: mail programs put a notice there. */
export type Surround = 'refuse' | 'skip';

/** What an entity is by its content; cheap, never throws. */
export function recognizeForm(entity: Entity, surround: Surround = 'refuse'): LayerKind | undefined {
  try {
    const type = entity.contentType?.type;
    if (type === undefined) return recognizeBare(entity.body);
    if (type === 'application/pgp-keys') return 'certificates';
    if (type !== 'multipart/signed' && type !== 'multipart/encrypted') return undefined;
    const [first, second] = partsOf(entity, defaultLimits, surround).entities;
    if (type === 'multipart/encrypted') {
      return first!.contentType?.type === 'application/pgp-encrypted' ? 'encrypted' : undefined;
    }
    return second!.contentType?.type === 'application/pgp-signature' ? 'signed' : undefined;
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

function recognizeBare(body: Uint8Array): LayerKind | undefined {
  const armored = isArmored(body);
  if (armored) {
    const type = armorType(body);
    if (type === 'PUBLIC KEY BLOCK') return 'certificates';
    if (type !== 'MESSAGE') return undefined;
  }
  const octets = armored ? readOneArmor(body, 'MESSAGE', 'unwrap') : body;
  // DER starts with 0x30, text with less than 0x80: neither is a packet header.
  switch (firstTag(octets)) {
    case tag.publicKeySessionKey:
    case tag.symmetricSessionKey:
    case tag.integrityProtected:
    case tag.aeadEncrypted:
    case tag.symmetricallyEncrypted:
      return 'encrypted';
    case tag.onePassSignature:
    case tag.signature:
    case tag.compressed:
      return 'signed';
    case tag.publicKey:
      return 'certificates';
    default:
      return undefined;
  }
}

interface Parts {
  readonly limits: Limits;
  readonly surround: Surround;
  readonly entities: readonly Entity[];
}

/** An entity is recognized first and unwrapped then. */
const split = new WeakMap<Entity, Parts>();

function knownParts(entity: Entity, limits: Limits, surround: Surround): Parts | undefined {
  const known = split.get(entity);
  return known?.limits === limits && known.surround === surround ? known : undefined;
}

function partsOf(entity: Entity, limits: Limits, surround: Surround): Parts {
  let parts = knownParts(entity, limits, surround);
  if (parts === undefined) {
    const options = { limits, stage: 'unwrap', parts: 2, surround } as const;
    const entities =
      parseTextMultipart(entity, options)?.map((part) => parseTextEntity(part, options)) ??
      parseMultipart(entity, options).map((part) => parseEntity(part, options));
    parts = { limits, surround, entities };
    split.set(entity, parts);
  }
  return parts;
}

/**
 * The binary OpenPGP message of an encrypted layer.
 *
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export function unwrapEncrypted(entity: Entity, limits: Limits, surround: Surround): Uint8Array {
  const stage = 'unwrap';
  if (entity.contentType === undefined) return bareMessage(entity.body, stage);
  const { type, parameters } = entity.contentType;
  if (type !== 'multipart/encrypted') throw unsupported(stage, 'not an OpenPGP encrypted entity', type);
  expectProtocol(parameters, 'application/pgp-encrypted', stage);
  const [control, data] = partsOf(entity, limits, surround).entities;
  expectType(control!, 'application/pgp-encrypted', stage);
  // RFC 3156 section 4: the first part MUST hold "Version: 1".
  if (!isVersionOne(control!, stage)) throw unsupported(stage, 'version of the PGP/MIME encryption');
  expectType(data!, 'application/octet-stream', stage);
  return armoredText(data!, 'MESSAGE') ?? bareMessage(decodeBody(data!, stage), stage);
}

function isVersionOne(control: Entity, stage: E2eStage): boolean {
  if (plainText(control) === 'Version: 1\n') return true;
  const text = utf8Decode(decodeBody(control, stage).subarray(0, 1024), stage);
  return /^\s{0,16}version: {0,16}1\s{0,16}$/i.test(text);
}

/** The octets of a part that came as text with nothing but an armor. */
function armoredText(part: Entity, type: ArmorType): Uint8Array | undefined {
  const text = plainText(part);
  return text === undefined ? undefined : readArmorText(type, text);
}

/** The body of a part that came as text and without a transfer encoding. */
function plainText(part: Entity): string | undefined {
  return part.transferEncoding === '7bit' ? bodyTextOf(part) : undefined;
}

/**
 * The pieces of a signed layer. The signed part is mapped to CRLF, since XML turns line ends into LF on its way and
 * RFC 3156 section 5 has them canonical under the signature.
 *
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export function unwrapSigned(entity: Entity, limits: Limits, surround: Surround): SignedForm {
  const stage = 'unwrap';
  if (entity.contentType === undefined) return { message: bareMessage(entity.body, stage) };
  const { type, parameters } = entity.contentType;
  if (type !== 'multipart/signed') throw unsupported(stage, 'not an OpenPGP signed entity', type);
  expectProtocol(parameters, 'application/pgp-signature', stage);
  const known = knownParts(entity, limits, surround);
  // What is signed need not be an entity itself.
  const [content, detached] =
    known?.entities.map(({ raw }) => raw) ?? parseMultipart(entity, { limits, stage, parts: 2, surround });
  const signature = known?.entities[1] ?? parseEntity(detached!, { limits, stage });
  expectType(signature, 'application/pgp-signature', stage);
  return {
    content: toCrlf(content!),
    signature: armoredText(signature, 'SIGNATURE') ?? readOneArmor(decodeBody(signature, stage), 'SIGNATURE', stage),
    micalg: parameters.get('micalg')?.toLowerCase(),
  };
}

function bareMessage(body: Uint8Array, stage: E2eStage): Uint8Array {
  return isArmored(body) ? readOneArmor(body, 'MESSAGE', stage) : body;
}

/**
 * Writes a multipart/signed around exact octets. Inverse of {@link unwrapSigned}.
 *
 * @param hash of the signature packet, for `micalg`
 */
export function wrapSigned(content: Uint8Array, signature: Uint8Array, hash: string, checksum: boolean): Uint8Array {
  const part = serializeEntity(
    [
      { name: 'Content-Type', value: 'application/pgp-signature; name="signature.asc"' },
      { name: 'Content-Disposition', value: 'attachment; filename="signature.asc"' },
    ],
    writeArmor('SIGNATURE', signature, checksum),
  );
  const parameters = { protocol: 'application/pgp-signature', micalg: `pgp-${hash}` };
  return serializeMultipart('signed', parameters, [content, part]);
}

const control = serializeEntity([{ name: 'Content-Type', value: 'application/pgp-encrypted' }], utf8('Version: 1\r\n'));
const dataHeaders = serializeEntity([{ name: 'Content-Type', value: 'application/octet-stream' }]);

/** Writes a multipart/encrypted. Inverse of {@link unwrapEncrypted}. */
export function wrapEncrypted(message: Uint8Array, checksum: boolean): Uint8Array {
  const data = [dataHeaders, ...armorPieces('MESSAGE', message, checksum)];
  return serializeMultipart('encrypted', { protocol: 'application/pgp-encrypted' }, [control, data]);
}

/** {@link wrapEncrypted} as text with LF line ends. */
export function wrapEncryptedText(message: readonly Uint8Array[], checksum: boolean): string {
  const [before, after] = multipartTextAround('encrypted', { protocol: 'application/pgp-encrypted' }, [
    'Content-Type: application/pgp-encrypted\n\nVersion: 1\n',
    'Content-Type: application/octet-stream\n\n',
  ]);
  return armorText('MESSAGE', message, checksum, before, after);
}

function expectProtocol(parameters: ReadonlyMap<string, string>, protocol: string, stage: E2eStage): void {
  // RFC 1847 sections 2.1 and 2.2 require the parameter and that it equals the type of the part.
  const found = parameters.get('protocol')?.toLowerCase();
  if (found !== protocol) throw unsupported(stage, 'protocol of the multipart', found);
}

function expectType(part: Entity, type: string, stage: E2eStage): void {
  if (part.contentType?.type === type) return;
  throw new E2eError('ERR_E2E_MALFORMED', stage, {
    reason: 'type of a PGP/MIME part',
    subject: part.contentType?.type,
  });
}

function unsupported(stage: E2eStage, reason: string, subject?: string): E2eError {
  return new E2eError('ERR_E2E_UNSUPPORTED', stage, { reason, subject });
}
