/**
 * From the shared secret of ECDH or X25519 to a key-encryption key (RFC 5753 section 7.2; RFC 8418 section 2):
 *
 *     ECC-CMS-SharedInfo ::= SEQUENCE {
 *         keyInfo          AlgorithmIdentifier,         -- the key wrap
 *         entityUInfo  [0] EXPLICIT OCTET STRING OPTIONAL,   -- ukm
 *         suppPubInfo  [2] EXPLICIT OCTET STRING }      -- bits of the key, in four octets
 *
 *     ANSI X9.63 KDF: Hash(Z || 00000001 || SharedInfo) || Hash(Z || 00000002 || SharedInfo) || ...
 */

import { type DerPart, derContext, derOctetString, derSequence, encodeDer } from '../asn1/writer.ts';
import { hashLength } from '../crypto/hash-algorithm.ts';
import { allOf, andThen } from '../crypto/maybe-promise.ts';
import type { CryptoProvider, HashName, MaybePromise } from '../crypto/provider.ts';
import type { KeyDerivation } from './algorithms.ts';

/** What a key-encryption key is derived from. */
export interface KeyDerivationInput {
  /** The x-coordinate, or the output of X25519. */
  readonly secret: Uint8Array;
  readonly derivation: KeyDerivation;
  /** The AlgorithmIdentifier of the key wrap. */
  readonly keyInfo: DerPart;
  /** Octets of the key-encryption key. */
  readonly keyLength: number;
  /** User keying material. */
  readonly ukm: Uint8Array | undefined;
}

/** Derives the key-encryption key. */
export function deriveKeyEncryptionKey(crypto: CryptoProvider, input: KeyDerivationInput): MaybePromise<Uint8Array> {
  const { secret, derivation, keyLength, ukm } = input;
  const info = sharedInfo(input);
  if (derivation.kind === 'x963') return x963(crypto, derivation.hash, secret, info, keyLength);
  // RFC 8418 section 2.2: where there is ukm, it is the salt as well.
  return crypto.hkdf(derivation.hash, secret, ukm ?? new Uint8Array(), info, keyLength);
}

function sharedInfo({ keyInfo, ukm, keyLength }: KeyDerivationInput): Uint8Array {
  const bits = new Uint8Array(4);
  new DataView(bits.buffer).setUint32(0, keyLength * 8);
  const entity = ukm === undefined ? [] : [derContext(0, derOctetString(ukm))];
  return encodeDer(derSequence(keyInfo, ...entity, derContext(2, derOctetString(bits))));
}

function x963(
  crypto: CryptoProvider,
  hash: HashName,
  secret: Uint8Array,
  info: Uint8Array,
  length: number,
): MaybePromise<Uint8Array> {
  const blocks: MaybePromise<Uint8Array>[] = [];
  for (let count = 1; (count - 1) * hashLength[hash] < length; count++) {
    blocks.push(crypto.digest(hash, secret, Uint8Array.of(0, 0, 0, count), info));
  }
  return andThen(allOf(blocks), (digests) => {
    const key = new Uint8Array(length);
    digests.forEach((digest, index) => {
      const offset = index * digest.length;
      key.set(digest.subarray(0, length - offset), offset);
    });
    return key;
  });
}
