/**
 * The chunks of encrypted data in OCB and GCM mode through the primitives of the runtime, where it has them. The library
 * computes OCB in JavaScript, hundreds of times slower; it is what SEIPD version 2 falls back to when no suite is
 * preferred (RFC 9580 sections 5.13.2 and 5.2.3.15), and what LibrePGP writes.
 *
 *     SEIPD v2 := %x02 cipher aead chunk-size 32OCTET(salt) *chunk final-tag
 *     AEAD v1  := %x01 cipher aead chunk-size 15OCTET(nonce) *chunk final-tag       ; LibrePGP, packet 20
 *     chunk    := 1*OCTET 16OCTET(tag)                                 ; 2^(chunk-size + 6) octets, the last one fewer
 */

import { provider } from '#crypto';
import { concatBytes, joinBytes } from '../../bytes.ts';
import type { MaybePromise } from '../../crypto/provider.ts';
import { fastPrimitives } from './fast/path.ts';
import { enums } from './library.ts';
import { keyLength } from './names.ts';
import { tag } from './packets.ts';

const tagBytes = 16;
const saltBytes = 32;
const headBytes = 4;

const ocb: number = enums.aead.ocb;
const gcm: number = enums.aead.gcm;

/** Octets of a nonce (RFC 9580 section 9.6). */
const nonceLengths: ReadonlyMap<number, number> = new Map([
  [ocb, 15],
  [gcm, 12],
]);

/**
 * Whether this runtime has a mode for these chunks; browsers leave all of them to the library.
 *
 * @param version LibrePGP knows no GCM
 */
export function hasAead(aead: number, version: 2 | 'libre'): boolean {
  if (fastPrimitives() === undefined) return false;
  return aead === ocb ? provider.supports('aes-ocb') : aead === gcm && version === 2;
}

interface Chunk {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly additionalData: Uint8Array;
}

async function sealChunk(aead: number, chunk: Chunk, plaintext: Uint8Array): Promise<readonly Uint8Array[]> {
  if (aead === ocb) return [await provider.encryptAesOcb(chunk, plaintext)];
  const { ciphertext, tag: chunkTag } = await provider.encryptAesGcm({ ...chunk, tagLength: tagBytes }, [plaintext]);
  return [...ciphertext, chunkTag];
}

function openChunk(aead: number, chunk: Chunk, sealed: Uint8Array): MaybePromise<Uint8Array | undefined> {
  if (aead === ocb) return provider.decryptAesOcb(chunk, sealed);
  const end = sealed.length - tagBytes;
  if (end < 0) return undefined;
  return provider.decryptAesGcm({ ...chunk, tagLength: tagBytes }, sealed.subarray(0, end), sealed.subarray(end));
}

/** Key, nonces and associated data of the chunks of one packet. */
interface Chunks {
  readonly key: Uint8Array;
  readonly size: number;
  /** Octets before the first chunk. */
  readonly start: number;
  nonce(index: number): Uint8Array;
  data(index: number): Uint8Array;
  /** Under the final tag: the length of all chunks too, so that none can be left out (RFC 9580 section 5.13.2). */
  finalData(count: number, length: number): Uint8Array;
}

function octetsOf(value: number): Uint8Array {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, BigInt(value));
  return octets;
}

/** The key of the chunks and the start of their nonces come out of the session key and the salt. */
async function chunksOfSeipd(body: Uint8Array, sessionKey: Uint8Array): Promise<Chunks> {
  const info = concatBytes(Uint8Array.of(0xc0 | tag.integrityProtected), body.subarray(0, headBytes));
  const salt = body.subarray(headBytes, headBytes + saltBytes);
  const length = keyLength(body[1]!)!;
  const prefixLength = nonceLengths.get(body[2]!)! - 8;
  const derived = await provider.hkdf('sha256', sessionKey, salt, info, length + prefixLength);
  return {
    key: derived.subarray(0, length),
    size: 2 ** (body[3]! + 6),
    start: headBytes + saltBytes,
    nonce: (index) => concatBytes(derived.subarray(length), octetsOf(index)),
    data: () => info,
    finalData: (_count, total) => concatBytes(info, octetsOf(total)),
  };
}

/** The session key is the key; nonce and associated data count the chunks. */
function chunksOfLibre(body: Uint8Array, sessionKey: Uint8Array): Chunks {
  const head = concatBytes(Uint8Array.of(0xc0 | tag.aeadEncrypted), body.subarray(0, headBytes));
  const nonceBytes = nonceLengths.get(body[2]!)!;
  const first = body.subarray(headBytes, headBytes + nonceBytes);
  return {
    key: sessionKey,
    size: 2 ** (body[3]! + 6),
    start: headBytes + nonceBytes,
    nonce(index) {
      // A Buffer's slice would be no copy.
      const nonce = Uint8Array.from(first);
      for (const [i, octet] of octetsOf(index).entries()) nonce[nonceBytes - 8 + i]! ^= octet;
      return nonce;
    },
    data: (index) => concatBytes(head, octetsOf(index)),
    finalData: (count, total) => concatBytes(head, octetsOf(count), octetsOf(total)),
  };
}

/**
 * Decrypts the body of an encrypted data packet. Nothing is given before its last tag was checked.
 *
 * @param body at least as long as head, salt or nonce, and final tag; in a mode of {@link hasAead}
 * @returns the packets inside, as octets; undefined when a tag does not fit
 */
export async function openAeadData(
  body: Uint8Array,
  version: 2 | 'libre',
  sessionKey: Uint8Array,
): Promise<Uint8Array | undefined> {
  const chunks = version === 2 ? await chunksOfSeipd(body, sessionKey) : chunksOfLibre(body, sessionKey);
  const { key, size, start } = chunks;
  const aead = body[2]!;
  const end = body.length - tagBytes;
  const opened: Uint8Array[] = [];
  let total = 0;
  let index = 0;
  for (let at = start; at < end; at += size + tagBytes, index++) {
    const parameters = { key, nonce: chunks.nonce(index), additionalData: chunks.data(index) };
    const sealed = body.subarray(at, Math.min(at + size + tagBytes, end));
    const chunk = await openChunk(aead, parameters, sealed);
    if (chunk === undefined) return undefined;
    opened.push(chunk);
    total += chunk.length;
  }
  const parameters = { key, nonce: chunks.nonce(index), additionalData: chunks.finalData(index, total) };
  const final = await openChunk(aead, parameters, body.subarray(end));
  if (final === undefined) return undefined;
  return opened.length === 1 ? opened[0] : joinBytes(opened);
}

/** 64 KiB to a chunk (RFC 9580 section 5.13.2 asks readers for no more than 4 MiB). */
const chunkSize = 10;

/**
 * Encrypts packets as SEIPD version 2. Inverse of {@link openAeadData}.
 *
 * @param cipher the AES that `sessionKey` is for
 * @param aead a mode of {@link hasAead}
 * @returns the body of the packet, in pieces
 */
export async function sealAeadData(
  packets: Uint8Array,
  cipher: number,
  aead: number,
  sessionKey: Uint8Array,
): Promise<readonly Uint8Array[]> {
  const head = concatBytes(Uint8Array.of(2, cipher, aead, chunkSize), provider.randomBytes(saltBytes));
  const chunks = await chunksOfSeipd(head, sessionKey);
  const { key, size } = chunks;
  const sealed = [head];
  let index = 0;
  for (let at = 0; at < packets.length; at += size, index++) {
    const parameters = { key, nonce: chunks.nonce(index), additionalData: chunks.data(index) };
    sealed.push(...(await sealChunk(aead, parameters, packets.subarray(at, at + size))));
  }
  const parameters = {
    key,
    nonce: chunks.nonce(index),
    additionalData: chunks.finalData(index, packets.length),
  };
  sealed.push(...(await sealChunk(aead, parameters, new Uint8Array(0))));
  return sealed;
}
