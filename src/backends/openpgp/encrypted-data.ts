/**
 * Encrypted data packets (RFC 4880 section 5.13, RFC 9580 section 5.13).
 *
 *     SEIPD v1 := %x01 CFB(prefix packets MDC)
 *     SEIPD v2 := %x02 cipher aead chunk-size salt *chunk final-tag
 *
 * Data without integrity protection (tag 9) is refused before any key is touched: its plaintext is whatever an
 * attacker makes of it (EFAIL). The packet of LibrePGP (tag 20) is read, and never written.
 */

import { concatBytes } from '../../bytes.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import type { PacketOptions } from '../backend.ts';
import { hasAead, openAeadData, sealAeadData } from './aead-data.ts';
import { openPacketsFast, sealV1Fast } from './fast/encrypted-data.ts';
import {
  allOctets,
  type EncryptedDataPacket,
  enums,
  newAeadPacket,
  newSeipd,
  type PacketSequence,
  readMessage,
  seipdFor,
  writtenPackets,
} from './library.ts';
import { type OpenedMessage, openMessage } from './message.ts';
import { aeadName, cipherName, keyLength } from './names.ts';
import { type Packet, tag } from './packets.ts';
import { boundedConfig, maxInnerPackets, safeConfig } from './safe-config.ts';
import type { SessionKey } from './session-key.ts';

const ocb: number = enums.aead.ocb;

/** The public facts of an encrypted data packet. */
export interface EncryptedData {
  readonly packet: Packet;
  /** 18: SEIPD; 20: AEAD packet of LibrePGP. */
  readonly version: 1 | 2 | 'libre';
  /** In the clear but for SEIPD version 1. */
  readonly cipher: number | undefined;
  readonly aead: number | undefined;
}

/** Random prefix, MDC, chunk tags and packet headers around the content, with room to spare. */
const overhead = 4096;

/**
 * Reads the public facts of an encrypted data packet.
 *
 * @throws {E2eError} WEAK_ALGORITHM, UNSUPPORTED, MALFORMED, LIMIT
 */
export function readEncryptedData(packet: Packet, limits: Limits): EncryptedData {
  const { body } = packet;
  if (packet.tag === tag.symmetricallyEncrypted) {
    throw new E2eError('ERR_E2E_WEAK_ALGORITHM', 'decrypt', { reason: 'encryption without integrity protection' });
  }
  // Chunks of SEIPD version 2 may be as small as 64 octets with a tag of 16 each.
  if (
    body.length >
    limits.decryptedBytes * (body[0] === 1 && packet.tag === tag.integrityProtected ? 1 : 1.25) + overhead
  ) {
    throw new E2eError('ERR_E2E_LIMIT', 'decrypt', { reason: 'encrypted data' });
  }
  if (packet.tag === tag.integrityProtected && body[0] === 1) {
    if (body.length < 1 + 18 + 22) throw malformed();
    return { packet, version: 1, cipher: undefined, aead: undefined };
  }
  const libre = packet.tag === tag.aeadEncrypted && body[0] === 1;
  if (!libre && body[0] !== 2) throw unsupported('version of the encrypted data');
  const [, cipher, aead, chunkSize] = body;
  if (body.length < 4 + (libre ? 15 : 32) + 16) throw malformed();
  if (keyLength(cipher!) === undefined) throw unsupported('cipher of the encrypted data');
  if (aead! < 1 || aead! > 3) throw unsupported('AEAD mode');
  // RFC 9580 section 5.13.2: 16 at most; LibrePGP allows more, and larger ones would be allocated in one piece.
  if (chunkSize! > 16) throw unsupported('AEAD chunk size');
  return { packet, version: libre ? 'libre' : 2, cipher: cipher!, aead: aead! };
}

/** How a content cipher is spelled, for example `aes256-cfb-mdc`, `aes256-gcm`, or `cfb-mdc` where it is not known. */
export function cipherText({ aead }: EncryptedData, cipher: number | undefined): string {
  const mode = aead === undefined ? 'cfb-mdc' : aeadName(aead);
  return cipher === undefined ? mode : `${cipherName(cipher)}-${mode}`;
}

/**
 * Decrypts and takes the message apart.
 *
 * @param foreign how the packets of a foreign client are
 * @throws {Error} for whatever reason: the caller makes one error of all of them
 */
export async function openEncryptedData(
  data: EncryptedData,
  session: SessionKey,
  limits: Limits,
  foreign?: PacketOptions,
): Promise<OpenedMessage> {
  const common = await openPacketsFast(data, session, maxInnerPackets(limits));
  const opened = await openMessage(common ?? (await openPackets(data, session, limits, foreign)));
  const limit = opened.compressed ? limits.decompressedBytes : limits.decryptedBytes;
  if (opened.content.length > limit) throw new Error('content over the limit');
  return opened;
}

async function openPackets(
  { packet, version, aead }: EncryptedData,
  { cipher, key }: SessionKey,
  limits: Limits,
  foreign?: PacketOptions,
): Promise<PacketSequence> {
  const config = boundedConfig(limits, foreign?.shortFirstPart);
  if (version !== 1 && aead === ocb && hasAead(aead, version)) {
    const octets = await openAeadData(packet.body, version, key);
    if (octets === undefined) throw new Error('authentication tag');
    return (await readMessage({ binaryMessage: octets, config })).packets as unknown as PacketSequence;
  }
  const data: EncryptedDataPacket = version === 'libre' ? newAeadPacket() : newSeipd();
  // A plain copy: the library counts its nonces in the octets of LibrePGP, which of a Buffer would be the message's own.
  await data.read(version === 'libre' ? Uint8Array.from(packet.body) : packet.body, config);
  await data.decrypt(cipher, key, config);
  return data.packets;
}

/** How to encrypt content. */
export interface ContentEncryption {
  readonly session: SessionKey;
  readonly version: 1 | 2;
  /** AEAD mode of version 2. */
  readonly aead?: number | undefined;
}

/**
 * Encrypts packets.
 *
 * @param packets their octets, in pieces
 * @returns the body of a SEIPD packet, in pieces
 */
export async function sealEncryptedData(
  packets: readonly Uint8Array[],
  { session, version, aead }: ContentEncryption,
  limits: Limits,
): Promise<readonly Uint8Array[]> {
  const body = version === 1 ? await sealV1Fast(packets, session) : undefined;
  if (body !== undefined) return body;
  const octets = concatBytes(...packets);
  if (version === 2 && hasAead(aead!, version)) return sealAeadData(octets, session.cipher, aead!, session.key);
  const data = seipdFor(version, aead);
  data.packets = writtenPackets(octets);
  await data.encrypt(session.cipher, session.key, safeConfig(limits));
  return [await allOctets(data.write())];
}

function malformed(): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', 'decrypt', { reason: 'encrypted data is cut off' });
}

function unsupported(reason: string): E2eError {
  return new E2eError('ERR_E2E_UNSUPPORTED', 'decrypt', { reason });
}
