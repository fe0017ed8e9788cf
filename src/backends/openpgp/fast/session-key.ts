/**
 * Session keys to and from elliptic-curve keys, and to RSA keys (RFC 9580 sections 5.1, 5.1.3, 5.1.5 and 5.1.6).
 *
 *     RSA    := MPI(PKCS #1 v1.5 of named)
 *     ECDH   := MPI(point) length wrap(named padding)
 *     X25519 := 32OCTET(point) length [cipher] wrap(key)       ; the cipher in version 3 only
 *     named  := [cipher] key checksum                          ; the cipher in version 3 only
 */

import { provider } from '#crypto';
import { concatBytes, equalBytes } from '../../../bytes.ts';
import type { MaybePromise } from '../../../crypto/provider.ts';
import type { KeyPacket } from '../library.ts';
import { keyIdBytes } from '../library.ts';
import { keyLength } from '../names.ts';
import type { Recipient, SessionKey } from '../session-key.ts';
import { ecdhWrappingKey, x25519WrappingKey } from './agreement.ts';
import { readInteger, writeInteger } from './integers.ts';
import { type FastKind, kindOf, privateKeyOf, publicKeyOf } from './keys.ts';
import { fastPrimitives } from './path.ts';

/** Says that a point is "native" (RFC 9580 section 11.2.1). */
const nativePoint = Uint8Array.of(0x40);
const none = new Uint8Array(0);

function isKnown(kind: FastKind | undefined): kind is 'rsa' | 'ecdh' | 'ecdh-25519' | 'x25519' {
  return kind === 'rsa' || kind === 'ecdh' || kind === 'ecdh-25519' || kind === 'x25519';
}

/**
 * Encrypts a session key to one public key.
 *
 * @returns the body of a session key packet; undefined for what goes the long way
 */
export async function sealSessionKeyFast(
  { cipher, key }: SessionKey,
  packet: KeyPacket,
  version: 3 | 6,
  hidden: boolean,
): Promise<Uint8Array | undefined> {
  const kind = kindOf(packet);
  if (fastPrimitives() === undefined || !isKnown(kind)) return undefined;
  const peer = publicKeyOf(packet);
  if (peer?.algorithm === undefined || peer.algorithm === 'unsupported') return undefined;
  const cipherOctet = version === 3 ? Uint8Array.of(cipher) : none;
  const named = concatBytes(cipherOctet, key, checksumOf(key));
  let encrypted: Uint8Array;
  if (kind === 'rsa') {
    try {
      encrypted = writeInteger(await provider.encryptRsaPkcs1v15(peer, named));
    } catch {
      // A key that the runtime does not take: openpgp.js may.
      return undefined;
    }
  } else {
    const agreed = await provider.agreeEphemeral(peer);
    if (agreed === undefined) return undefined;
    const { publicPoint, secret } = agreed;
    if (kind === 'x25519') {
      const wrapped = await provider.wrapKey(await x25519WrappingKey(packet, publicPoint, secret), key);
      const length = Uint8Array.of(wrapped.length + cipherOctet.length);
      encrypted = concatBytes(publicPoint, length, cipherOctet, wrapped);
    } else {
      const wrappingKey = await ecdhWrappingKey(packet, secret);
      if (wrappingKey === undefined) return undefined;
      const wrapped = await provider.wrapKey(wrappingKey, padded(named));
      const point = kind === 'ecdh' ? publicPoint : concatBytes(nativePoint, publicPoint);
      encrypted = concatBytes(writeInteger(point), Uint8Array.of(wrapped.length), wrapped);
    }
  }
  return concatBytes(headFor(packet, version, hidden), Uint8Array.of(packet.algorithm), encrypted);
}

function headFor(packet: KeyPacket, version: 3 | 6, hidden: boolean): Uint8Array {
  if (version === 3) {
    return concatBytes(Uint8Array.of(3), hidden ? new Uint8Array(8) : keyIdBytes(packet.getKeyID()));
  }
  if (hidden) return Uint8Array.of(6, 0);
  const fingerprint = packet.getFingerprintBytes();
  return concatBytes(Uint8Array.of(6, fingerprint.length + 1, packet.version), fingerprint);
}

/** The sum of the octets modulo 65536. */
function checksumOf(key: Uint8Array): Uint8Array {
  let sum = 0;
  for (const octet of key) sum += octet;
  return Uint8Array.of((sum >> 8) & 255, sum & 255);
}

/** PKCS #5 padding to blocks of eight octets. */
function padded(octets: Uint8Array): Uint8Array {
  const count = 8 - (octets.length % 8);
  return concatBytes(octets, new Uint8Array(count).fill(count));
}

/**
 * Recovers a session key that was sent to an elliptic-curve key. With RSA see `rsa.ts`.
 *
 * @param packet an unlocked secret key packet that the recipient names
 * @param cipher the content cipher where SEIPD version 2 names it in the clear
 * @param agree where the private part of the packet is not at hand
 * @returns undefined for what goes the long way, a packet that does not decrypt among it
 */
export async function recoverSessionKeyFast(
  { ciphertext, version, algorithm }: Recipient,
  packet: KeyPacket,
  cipher: number | undefined,
  agree: Agree | undefined = localAgree(packet),
): Promise<SessionKey | undefined> {
  const kind = kindOf(packet);
  if (agree === undefined || algorithm !== packet.algorithm || !isKnown(kind) || kind === 'rsa') return undefined;
  const found =
    kind === 'x25519'
      ? await fromX25519(ciphertext, packet, version === 3, agree)
      : await fromEcdh(ciphertext, packet, version === 3, kind, agree);
  if (found === undefined) return undefined;
  const algorithmFound = cipher ?? found.cipher;
  if (algorithmFound === undefined || keyLength(algorithmFound) !== found.key.length) return undefined;
  return { cipher: algorithmFound, key: found.key };
}

/** The shared secret with a peer's public point; undefined for a point that is none. */
export type Agree = (publicPoint: Uint8Array) => MaybePromise<Uint8Array | undefined>;

function localAgree(packet: KeyPacket): Agree | undefined {
  const key = fastPrimitives() === undefined ? undefined : privateKeyOf(packet);
  return key === undefined ? undefined : (publicPoint) => provider.agree(key, publicPoint);
}

interface Found {
  readonly cipher: number | undefined;
  readonly key: Uint8Array;
}

async function fromX25519(
  ciphertext: Uint8Array,
  packet: KeyPacket,
  named: boolean,
  agree: Agree,
): Promise<Found | undefined> {
  const ephemeral = ciphertext.subarray(0, 32);
  const start = named ? 34 : 33;
  if (ciphertext.length <= start || ciphertext[32] !== ciphertext.length - 33) return undefined;
  const cipher = named ? ciphertext[33]! : undefined;
  if (cipher !== undefined && keyLength(cipher) === undefined) return undefined;
  const secret = await agree(ephemeral);
  if (secret === undefined) return undefined;
  const wrappingKey = await x25519WrappingKey(packet, ephemeral, secret);
  const unwrapped = await provider.unwrapKey(wrappingKey, ciphertext.subarray(start));
  // Version 3 says the cipher twice where the data says it too.
  const fits = unwrapped !== undefined && (cipher === undefined || keyLength(cipher) === unwrapped.length);
  return fits ? { cipher, key: unwrapped } : undefined;
}

async function fromEcdh(
  ciphertext: Uint8Array,
  packet: KeyPacket,
  named: boolean,
  kind: 'ecdh' | 'ecdh-25519',
  agree: Agree,
): Promise<Found | undefined> {
  const point = readInteger(ciphertext);
  if (point === undefined) return undefined;
  const length = ciphertext[point.end];
  const wrapped = ciphertext.subarray(point.end + 1);
  if (wrapped.length !== length) return undefined;
  const { octets } = point;
  if (kind === 'ecdh-25519' && (octets.length !== 33 || octets[0] !== 0x40)) return undefined;
  const secret = await agree(kind === 'ecdh' ? octets : octets.subarray(1));
  const wrappingKey = secret === undefined ? undefined : await ecdhWrappingKey(packet, secret);
  if (wrappingKey === undefined) return undefined;
  const unwrapped = await provider.unwrapKey(wrappingKey, wrapped);
  return unwrapped === undefined ? undefined : fromNamed(unwrapped, named);
}

/** The padding and checksum lie under the integrity check of the key wrap: telling them apart tells nobody anything. */
function fromNamed(octets: Uint8Array, named: boolean): Found | undefined {
  const count = octets.at(-1) ?? 0;
  const end = octets.length - count;
  if (count === 0 || end < 3 || octets.subarray(end).some((octet) => octet !== count)) return undefined;
  const key = octets.subarray(named ? 1 : 0, end - 2);
  if (!equalBytes(checksumOf(key), octets.subarray(end - 2, end))) return undefined;
  const cipher = named ? octets[0]! : undefined;
  const fits = cipher === undefined || keyLength(cipher) === key.length;
  return fits ? { cipher, key } : undefined;
}
