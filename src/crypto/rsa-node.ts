/**
 * RSA private-key decoding that node:crypto does not offer: RSAES-PKCS1-v1_5 with implicit rejection (Node 20 refuses it
 * altogether) and RSAES-OAEP with two different hashes, both on top of the raw operation (RFC 8017 sections 7.1, 7.2).
 *
 * The decoding runs in constant shape: the same steps over the same octets for a right and a wrong padding, no branch
 * and no index that depends on the padded block.
 */

import {
  type KeyObject,
  constants,
  createHash,
  createHmac,
  hash as digestOf,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { hashLength } from './hash-algorithm.ts';
import type { HashName, OaepParameters } from './provider.ts';

/**
 * The padded block of a ciphertext.
 *
 * @returns undefined for a ciphertext of another length, or not below the modulus: both visible to everybody
 */
function rawDecrypt(key: KeyObject, ciphertext: Uint8Array): Uint8Array | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, ciphertext);
  } catch {
    return undefined;
  }
}

/**
 * RSAES-PKCS1-v1_5 with implicit rejection.
 *
 * @param secret known to the key's owner alone: what the replacement octets are derived from
 * @param length octets wanted, at most 64
 */
export function decryptPkcs1v15(
  key: KeyObject,
  secret: Uint8Array,
  ciphertext: Uint8Array,
  length: number,
): Uint8Array {
  const replacement = createHmac('sha512', secret).update('rsaes-pkcs1-v1_5').update(ciphertext).digest();
  const out = new Uint8Array(replacement.subarray(0, length));
  const block = rawDecrypt(key, ciphertext);
  const separator = (block?.length ?? 0) - length - 1;
  // EM = 0x00 || 0x02 || PS || 0x00 || M, with 8 octets of PS or more (RFC 8017 section 7.2.2).
  if (block === undefined || separator < 10) return out;
  let bad = block[0]! | (block[1]! ^ 2) | block[separator]!;
  for (let i = 2; i < separator; i++) bad |= (block[i]! - 1) >> 31;
  const good = ~((bad | -bad) >> 31);
  for (let i = 0; i < length; i++) out[i] = (block[separator + 1 + i]! & good) | (out[i]! & ~good);
  block.fill(0);
  return out;
}

function mgf1(name: HashName, seed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  const input = new Uint8Array(seed.length + 4);
  input.set(seed);
  // The counter has 32 bits (RFC 8017 section B.2.1); no modulus needs more than 16 of them.
  for (let offset = 0, block = 0; offset < length; block++, offset += hashLength[name]) {
    input[seed.length + 2] = block >>> 8;
    input[seed.length + 3] = block;
    const digest = digestOf(name, input, 'buffer');
    // A view of a Buffer takes as long as the digest.
    out.set(offset + digest.length > length ? digest.subarray(0, length - offset) : digest, offset);
  }
  return out;
}

const emptyDigests = new Map<HashName, Uint8Array>();

/** The hash of the empty label. */
function labelHash(name: HashName): Uint8Array {
  let digest = emptyDigests.get(name);
  if (digest === undefined) {
    digest = createHash(name).digest();
    emptyDigests.set(name, digest);
  }
  return digest;
}

function mask(data: Uint8Array, by: Uint8Array): void {
  for (let i = 0; i < data.length; i++) data[i]! ^= by[i]!;
}

/**
 * RSAES-OAEP decryption with an empty label and any pair of hashes.
 *
 * @returns undefined for every fault alike (Manger's attack tells them apart)
 */
export function decryptOaep(
  key: KeyObject,
  { hash, mgfHash }: OaepParameters,
  ciphertext: Uint8Array,
): Uint8Array | undefined {
  const block = rawDecrypt(key, ciphertext);
  const size = hashLength[hash];
  if (block === undefined || block.length < 2 * size + 2) return undefined;
  // EM = Y || maskedSeed || maskedDB; DB = lHash || PS || 0x01 || M (RFC 8017 section 7.1.2).
  const seed = block.subarray(1, 1 + size);
  const data = block.subarray(1 + size);
  mask(seed, mgf1(mgfHash, data, size));
  mask(data, mgf1(mgfHash, seed, data.length));
  const label = labelHash(hash);
  let bad = block[0]!;
  for (let i = 0; i < size; i++) bad |= data[i]! ^ label[i]!;
  let start = 0;
  let searching = -1;
  for (let i = size; i < data.length; i++) {
    const octet = data[i]!;
    const isOne = ((octet ^ 1) - 1) >> 31;
    const isZero = (octet - 1) >> 31;
    start |= i & isOne & searching;
    bad |= searching & ~isOne & ~isZero & 0xff;
    searching &= ~isOne;
  }
  bad |= searching & 1;
  return bad === 0 ? new Uint8Array(data.subarray(start + 1)) : undefined;
}

/**
 * RSAES-OAEP encryption with an empty label and any pair of hashes.
 *
 * @param length octets of the modulus
 * @throws {TypeError} when the data is too long
 */
export function encryptOaep(
  key: KeyObject,
  length: number,
  { hash, mgfHash }: OaepParameters,
  message: Uint8Array,
): Uint8Array {
  const size = hashLength[hash];
  if (message.length > length - 2 * size - 2) throw new TypeError('data too long for the key');
  const block = new Uint8Array(length);
  const seed = block.subarray(1, 1 + size);
  const data = block.subarray(1 + size);
  seed.set(randomBytes(size));
  data.set(labelHash(hash));
  data[data.length - message.length - 1] = 1;
  data.set(message, data.length - message.length);
  mask(data, mgf1(mgfHash, seed, data.length));
  mask(seed, mgf1(mgfHash, data, size));
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, block);
}
