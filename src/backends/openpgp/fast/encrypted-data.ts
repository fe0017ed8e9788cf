/** The octets of encrypted data packets, both ways, and the common messages in them (RFC 9580 sections 5.13, 10.3). */

import { provider } from '#crypto';
import { E2eError } from '../../../errors.ts';
import { hasAead, openAeadData } from '../aead-data.ts';
import type { EncryptedData } from '../encrypted-data.ts';
import type { AnyPacket } from '../library.ts';
import { type Packet, readPackets, tag } from '../packets.ts';
import type { SessionKey } from '../session-key.ts';
import { fastPrimitives } from './path.ts';
import { readSignature } from './read-signature.ts';

/** Octets of a cipher block, and of the random prefix: a block and its last two octets again. */
const block = 16;
const prefixLength = block + 2;
const versionOctet = Uint8Array.of(1);
const mdcHeader = Uint8Array.of(0xd3, 0x14);
const mdcLength = 20;

/**
 * Encrypts octets as SEIPD version 1.
 *
 *     body := %x01 CFB(prefix octets %xD314 SHA-1(prefix octets %xD314))
 *
 * @param pieces the octets, in pieces
 * @returns the body in pieces; undefined where everything goes the long way
 */
export async function sealV1Fast(
  pieces: readonly Uint8Array[],
  { key }: SessionKey,
): Promise<readonly Uint8Array[] | undefined> {
  const primitives = fastPrimitives();
  if (primitives === undefined) return undefined;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const hashed = prefixLength + length + mdcHeader.length;
  const plaintext = new Uint8Array(hashed + mdcLength);
  plaintext.set(provider.randomBytes(block));
  plaintext.copyWithin(block, block - 2, block);
  let at = prefixLength;
  for (const piece of pieces) {
    plaintext.set(piece, at);
    at += piece.length;
  }
  plaintext.set(mdcHeader, at);
  plaintext.set(await provider.digest('sha1', plaintext.subarray(0, hashed)), hashed);
  return [versionOctet, primitives.encryptAesCfb(key, plaintext)];
}

/** Inverse of {@link sealV1Fast}; undefined too when the modification detection code does not fit. */
async function openV1Fast(body: Uint8Array, { key }: SessionKey): Promise<Uint8Array | undefined> {
  const primitives = fastPrimitives();
  if (primitives === undefined) return undefined;
  const plaintext = primitives.decryptAesCfb(key, body.subarray(1));
  const end = plaintext.length - mdcLength;
  const expected = await provider.digest('sha1', plaintext.subarray(0, end));
  let difference = 0;
  for (let i = 0; i < mdcLength; i++) difference |= expected[i]! ^ plaintext[end + i]!;
  // Nothing of the plaintext is looked at before this.
  return difference === 0 ? plaintext.subarray(prefixLength, end - mdcHeader.length) : undefined;
}

/**
 * Decrypts and takes a common message apart into what the rules of `message.ts` read.
 *
 *     common := literal / one-pass literal signature
 *
 * @returns undefined for what goes the long way: any other message, and whatever does not decrypt
 */
export async function openPacketsFast(
  { packet, version, aead }: EncryptedData,
  session: SessionKey,
  maxPackets: number,
): Promise<readonly AnyPacket[] | undefined> {
  let octets: Uint8Array | undefined;
  if (version === 1) octets = await openV1Fast(packet.body, session);
  else if (hasAead(aead!, version)) octets = await openAeadData(packet.body, version, session.key);
  if (octets === undefined) return undefined;
  try {
    return commonPackets(readPackets(octets, { stage: 'decrypt', maxPackets }));
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

function commonPackets(packets: readonly Packet[]): readonly AnyPacket[] | undefined {
  const tags = packets.map((packet) => packet.tag).join();
  const [first, second, third] = packets;
  if (tags === unsigned) {
    const literal = readLiteral(first!.body);
    return literal && ([literal] as unknown as readonly AnyPacket[]);
  }
  if (tags !== signed || !isOnePass(first!.body)) return undefined;
  const literal = readLiteral(second!.body);
  const signature = readSignature(third!.body);
  const read = [{ tag: tag.onePassSignature }, literal, signature];
  return literal === undefined || signature === undefined ? undefined : (read as unknown as readonly AnyPacket[]);
}

const unsigned = String(tag.literal);
const signed = [tag.onePassSignature, tag.literal, tag.signature].join();

/** version type hash algorithm (key-id / salt-length salt fingerprint) last */
function isOnePass(body: Uint8Array): boolean {
  return body[0] === 3 ? body.length === 13 : body[0] === 6 && body.length === 5 + (body[4] ?? 0) + 32 + 1;
}

/** format name-length name date(4 octets) data; a name is not text that anybody here reads, but it has to be some. */
function readLiteral(body: Uint8Array): { readonly tag: number; readonly data: Uint8Array } | undefined {
  const nameLength = body[1] ?? 0;
  const start = 2 + nameLength + 4;
  if (body.length < start || body.subarray(2, 2 + nameLength).some((octet) => octet >= 0x80)) return undefined;
  return { tag: tag.literal, data: body.subarray(start) };
}
