/** Making a binary signature packet (RFC 9580 section 5.2.3). */

import { provider } from '#crypto';
import { concatBytes, utf8 } from '../../../bytes.ts';
import type { Digested } from '../../../crypto/packet-primitives.ts';
import { enums, keyIdBytes, type KeyPacket } from '../library.ts';
import { intendedSubpackets } from '../intended.ts';
import { digestOf, saltLength } from './digest.ts';
import { writeInteger } from './integers.ts';
import { kindOf, privateKeyOf } from './keys.ts';
import { fastPrimitives } from './path.ts';

/** A notation of random octets, which salts version 4 signatures against fault attacks; everybody else ignores it. */
const saltNotation = utf8('salt@notations.openpgpjs.org');

const subpacket = { created: 2, issuerKeyId: 16, notation: 20, issuerFingerprint: 33 } as const;
const critical = 0x80;

/** What {@link signFast} needs. */
export interface FastSignOptions {
  /** Seconds since 1970. */
  readonly time: number;
  readonly hashAlgorithm: number;
  /** Version octet and fingerprint of each intended recipient's primary key. */
  readonly recipients: readonly Uint8Array[];
  /** Signs where the private part of the packet is not at hand. */
  readonly signer?: ((digested: Digested) => Promise<Uint8Array | undefined>) | undefined;
}

/** A signature packet, and the one-pass packet that announces it. */
export interface FastSignature {
  readonly body: Uint8Array;
  readonly onePass: Uint8Array;
}

/**
 * Signs octets.
 *
 *     body     := version type algorithm hash hashed-area unhashed-area digest-start(2 octets) [salt] signature
 *     one-pass := version type hash algorithm (key-id / salt fingerprint) %x01
 *
 * @param packet an unlocked secret key packet that may sign
 * @returns undefined for what goes the long way
 */
export async function signFast(
  content: Uint8Array,
  packet: KeyPacket,
  { time, hashAlgorithm, recipients, signer = localSigner(packet) }: FastSignOptions,
): Promise<FastSignature | undefined> {
  const { version, algorithm } = packet;
  const length = saltLength(hashAlgorithm);
  if (signer === undefined || length === undefined || (version !== 4 && version !== 6)) return undefined;
  const salt = provider.randomBytes(length);
  const fingerprint = packet.getFingerprintBytes();
  const keyId = keyIdBytes(packet.getKeyID());
  const own = version === 6 ? [] : [writeSubpacket(subpacket.issuerKeyId, keyId), saltSubpacket(salt)];
  const issuer = version === 6 ? subpacket.issuerFingerprint | critical : subpacket.issuerFingerprint;
  const hashedArea = concatBytes(
    writeSubpacket(subpacket.created | critical, uint32(time)),
    ...own,
    writeSubpacket(issuer, Uint8Array.of(version), fingerprint),
    ...intendedSubpackets(recipients),
  );
  const width = version === 6 ? 4 : 2;
  const type = enums.signature.binary;
  const head = Uint8Array.of(version, type, algorithm, hashAlgorithm);
  const fields = concatBytes(head, uint32(hashedArea.length).subarray(4 - width), hashedArea);
  const digested = (await digestOf(hashAlgorithm, content, fields, version === 6 ? salt : new Uint8Array(0)))!;
  const octets = await signer(digested);
  if (octets === undefined) return undefined;
  const body = concatBytes(
    fields,
    new Uint8Array(width),
    digested.digest.subarray(0, 2),
    version === 6 ? concatBytes(Uint8Array.of(length), salt) : new Uint8Array(0),
    signatureFields(packet, octets),
  );
  const issuerFields =
    version === 6
      ? concatBytes(Uint8Array.of(6, type, hashAlgorithm, algorithm, length), salt, fingerprint)
      : concatBytes(Uint8Array.of(3, type, hashAlgorithm, algorithm), keyId);
  return { body, onePass: concatBytes(issuerFields, Uint8Array.of(1)) };
}

function localSigner(packet: KeyPacket): ((digested: Digested) => Promise<Uint8Array | undefined>) | undefined {
  const primitives = fastPrimitives();
  const key = primitives === undefined ? undefined : privateKeyOf(packet);
  if (primitives === undefined || key === undefined) return undefined;
  return async (digested) => {
    try {
      return await primitives.signDigested(key, digested);
    } catch {
      // A key that the runtime does not take: openpgp.js may.
      return undefined;
    }
  };
}

function signatureFields(packet: KeyPacket, octets: Uint8Array): Uint8Array {
  switch (kindOf(packet)) {
    case 'ed25519':
      return octets;
    case 'rsa':
      return writeInteger(octets);
    default: {
      const half = octets.length / 2;
      return concatBytes(writeInteger(octets.subarray(0, half)), writeInteger(octets.subarray(half)));
    }
  }
}

/** flags(4 octets, none: not text) name-length(2) value-length(2) name value (RFC 9580 section 5.2.3.24). */
function saltSubpacket(salt: Uint8Array): Uint8Array {
  const lengths = Uint8Array.of(0, 0, 0, 0, 0, saltNotation.length, 0, salt.length);
  return writeSubpacket(subpacket.notation, lengths, saltNotation, salt);
}

/** All subpackets here are shorter than 192 octets, so that one octet holds the length. */
function writeSubpacket(type: number, ...body: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...body);
  return concatBytes(Uint8Array.of(content.length + 1, type), content);
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}
