/**
 * Reading a signature packet (RFC 9580 section 5.2.3): the common one here, any other one by openpgp.js.
 *
 *     body      := version type algorithm hash hashed-area unhashed-area digest-start(2 octets) [salt] signature
 *     area      := octets(2, in version 6: 4) *subpacket
 *     subpacket := length type-octet content
 *     salt      := length octets                                                   ; version 6 only
 */

import { equalBytes } from '../../../bytes.ts';
import { understandIntended } from '../intended.ts';
import { enums, isDated, type MessageSignature, newSignature, type Signature, type Subpacket } from '../library.ts';
import { tag } from '../packets.ts';
import { readInteger } from './integers.ts';
import { fastPrimitives } from './path.ts';

/** @returns undefined for a signature that cannot be read */
export function readSignature(body: Uint8Array): MessageSignature | undefined {
  const common = fastPrimitives() === undefined ? undefined : readCommon(body);
  if (common !== undefined) return common;
  try {
    const signature = readAny(body);
    return isDated(signature) ? signature : undefined;
  } catch {
    return undefined;
  }
}

function readAny(body: Uint8Array): Signature {
  const signature = newSignature();
  signature.read(body);
  return signature;
}

/** What the hashed area of a common signature says. */
interface HashedArea {
  readonly created: Date;
  readonly issuerFingerprint: Uint8Array;
  readonly keyId: Uint8Array;
  /** Of intended recipients. */
  readonly unknownSubpackets: readonly Subpacket[];
}

const known = { created: 2, issuerKeyId: 16, notation: 20, signersUserId: 28, issuerFingerprint: 33, intended: 35 };
const keyIdLength = 8;

interface CommonSignature extends MessageSignature {
  /** By which it is known among packets. */
  readonly tag: typeof tag.signature;
}

/** A signature over binary content with a few subpackets, each at most once, that say nothing twice in two ways. */
function readCommon(body: Uint8Array): CommonSignature | undefined {
  const [version, signatureType, publicKeyAlgorithm, hashAlgorithm] = body;
  if ((version !== 4 && version !== 6) || signatureType !== enums.signature.binary) return undefined;
  const width = version === 4 ? 2 : 4;
  const hashedEnd = endOfArea(body, 4, width);
  const hashed = hashedEnd === undefined ? undefined : readHashed(body.subarray(4 + width, hashedEnd), version);
  if (hashedEnd === undefined || hashed === undefined) return undefined;
  let at = endOfArea(body, hashedEnd, width);
  if (at === undefined || !isCommonUnhashed(body.subarray(hashedEnd + width, at), version, hashed)) return undefined;
  const signedHashValue = body.subarray(at, at + 2);
  at += 2;
  let salt: Uint8Array | null = null;
  if (version === 6) {
    const end = at + 1 + (body[at] ?? 0);
    salt = body.subarray(at + 1, end);
    at = end;
  }
  const params = readNumbers(publicKeyAlgorithm!, body.subarray(at));
  if (params === undefined) return undefined;
  return {
    tag: tag.signature,
    version,
    signatureType,
    publicKeyAlgorithm: publicKeyAlgorithm!,
    hashAlgorithm: hashAlgorithm!,
    created: hashed.created,
    signatureExpirationTime: null,
    signatureNeverExpires: true,
    issuerKeyID: { bytes: String.fromCharCode(...hashed.keyId) },
    issuerFingerprint: hashed.issuerFingerprint,
    unknownSubpackets: hashed.unknownSubpackets,
    params,
    signatureData: body.subarray(0, hashedEnd),
    signedHashValue,
    salt,
    rawNotations: [],
    revocationKeyClass: null,
    verify(...all) {
      const signature = readAny(body);
      understandIntended(signature);
      return signature.verify(...all);
    },
  };
}

/** Where an area ends whose octet count is at an index; undefined when it is cut off. */
function endOfArea(body: Uint8Array, at: number, width: number): number | undefined {
  if (at + width > body.length) return undefined;
  let length = 0;
  for (let i = at; i < at + width; i++) length = length * 256 + body[i]!;
  const end = at + width + length;
  return end <= body.length ? end : undefined;
}

function readHashed(area: Uint8Array, version: number): HashedArea | undefined {
  let created: Date | undefined;
  let issuerFingerprint: Uint8Array | undefined;
  let keyId: Uint8Array | undefined;
  const unknownSubpackets: Subpacket[] = [];
  for (let at = 0; at < area.length;) {
    const length = area[at]!;
    // One octet of length is enough for all that is common.
    if (length === 0 || length >= 192 || at + 1 + length > area.length) return undefined;
    const typeOctet = area[at + 1]!;
    const type = typeOctet & 0x7f;
    const critical = typeOctet >= 0x80;
    const content = area.subarray(at + 2, at + 1 + length);
    at += 1 + length;
    switch (type) {
      case known.created:
        if (created !== undefined || content.length !== 4) return undefined;
        created = new Date(uint32(content) * 1000);
        break;
      case known.issuerKeyId:
        if (version !== 4 || keyId !== undefined || content.length !== keyIdLength) return undefined;
        keyId = content;
        break;
      case known.issuerFingerprint:
        if (issuerFingerprint !== undefined || content[0] !== version) return undefined;
        if (content.length !== (version === 4 ? 21 : 33)) return undefined;
        issuerFingerprint = content.subarray(1);
        break;
      case known.intended:
        unknownSubpackets.push({ type, critical, body: content });
        break;
      case known.notation:
      case known.signersUserId:
        if (critical) return undefined;
        break;
      default:
        return undefined;
    }
  }
  if (created === undefined || issuerFingerprint === undefined) return undefined;
  const own = version === 4 ? issuerFingerprint.subarray(-keyIdLength) : issuerFingerprint.subarray(0, keyIdLength);
  if (keyId !== undefined && !equalBytes(keyId, own)) return undefined;
  return { created, issuerFingerprint, keyId: own, unknownSubpackets };
}

/** Nothing, or the key id of the issuer once more. */
function isCommonUnhashed(area: Uint8Array, version: number, { keyId }: HashedArea): boolean {
  if (area.length === 0) return true;
  const [length, type] = area;
  const fits = area.length === keyIdLength + 2 && length === keyIdLength + 1 && type === known.issuerKeyId;
  return fits && version === 4 && equalBytes(area.subarray(2), keyId);
}

function uint32(octets: Uint8Array): number {
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}

/** As numbers, in which packets have them. */
const algorithms: Readonly<Record<keyof typeof enums.publicKey, number>> = enums.publicKey;

/** The numbers of the signature itself; undefined for another algorithm, and where they are cut off or have a rest. */
function readNumbers(algorithm: number, octets: Uint8Array): unknown {
  switch (algorithm) {
    case algorithms.ed25519:
      return octets.length === 64 ? { RS: octets } : undefined;
    case algorithms.rsaEncryptSign:
    case algorithms.rsaSign: {
      const s = readInteger(octets);
      return s?.end === octets.length ? { s: s.octets } : undefined;
    }
    case algorithms.ecdsa:
    case algorithms.eddsaLegacy: {
      const r = readInteger(octets);
      const s = r === undefined ? undefined : readInteger(octets.subarray(r.end));
      return s !== undefined && r!.end + s.end === octets.length ? { r: r!.octets, s: s.octets } : undefined;
    }
    default:
      return undefined;
  }
}
