/**
 * The key that wraps a session key, derived from an agreed secret (RFC 9580 sections 11.5 and 5.1.6).
 *
 *     ECDH   := start-of hash(%x00000001 secret curve-oid %x12 %x03 %x01 hash cipher "Anonymous Sender    " fingerprint)
 *     X25519 := HKDF-SHA256(ephemeral recipient secret, info "OpenPGP X25519", 16 octets)
 */

import { provider } from '#crypto';
import { concatBytes, utf8 } from '../../../bytes.ts';
import type { HashName } from '../../../crypto/provider.ts';
import { enums, type KeyPacket } from '../library.ts';
import { keyLength } from '../names.ts';

interface EcdhParameters {
  readonly oid: { write(): Uint8Array };
  readonly kdfParams: { readonly hash: number; readonly cipher: number; write(): Uint8Array };
}

const hashes: ReadonlyMap<number, HashName> = new Map<number, HashName>([
  [enums.hash.sha256, 'sha256'],
  [enums.hash.sha384, 'sha384'],
  [enums.hash.sha512, 'sha512'],
]);

const counter = Uint8Array.of(0, 0, 0, 1);
const anonymous = utf8('Anonymous Sender    ');
const x25519Info = utf8('OpenPGP X25519');
const none = new Uint8Array(0);

/** By key packet: all that is hashed but the secret. */
const parameters = new WeakMap<KeyPacket, Uint8Array>();

/**
 * The wrapping key for an ECDH key packet.
 *
 * @returns undefined for a hash or cipher that goes the long way
 */
export async function ecdhWrappingKey(packet: KeyPacket, secret: Uint8Array): Promise<Uint8Array | undefined> {
  const { oid, kdfParams } = packet.publicParams as unknown as EcdhParameters;
  const hash = hashes.get(kdfParams.hash);
  const length = keyLength(kdfParams.cipher);
  if (hash === undefined || length === undefined) return undefined;
  let rest = parameters.get(packet);
  if (rest === undefined) {
    const algorithm = Uint8Array.of(enums.publicKey.ecdh);
    rest = concatBytes(oid.write(), algorithm, kdfParams.write(), anonymous, packet.getFingerprintBytes());
    parameters.set(packet, rest);
  }
  return (await provider.digest(hash, counter, secret, rest)).subarray(0, length);
}

/**
 * The wrapping key for an X25519 key packet.
 *
 * @param ephemeral the sender's public key
 */
export async function x25519WrappingKey(
  packet: KeyPacket,
  ephemeral: Uint8Array,
  secret: Uint8Array,
): Promise<Uint8Array> {
  const { A } = packet.publicParams as { readonly A: Uint8Array };
  return provider.hkdf('sha256', concatBytes(ephemeral, A, secret), none, x25519Info, 16);
}
