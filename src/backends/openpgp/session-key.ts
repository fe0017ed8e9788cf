/**
 * Session keys and how they travel to recipients (RFC 4880 section 5.1, RFC 9580 sections 5.1.1 and 5.1.2).
 *
 *     PKESK v3 := %x03 key-id algorithm encrypted-session-key
 *     PKESK v6 := %x06 length [key-version fingerprint] algorithm encrypted-session-key
 */

import { hex, randomBytes } from '../../bytes.ts';
import type { MaybePromise } from '../../crypto/provider.ts';
import type { ExternalPrivateKey } from '../backend.ts';
import type { Component } from './certificate.ts';
import { recoverExternally } from './external-key.ts';
import { recoverSessionKeyFast, sealSessionKeyFast } from './fast/session-key.ts';
import { type KeyPacket, newSessionKeyPacket, type SessionKeyPacket, sessionKeyPacketFor } from './library.ts';
import { keyLength } from './names.ts';
import { nativeRsa, recoverRsa } from './rsa.ts';

/** A key of the content cipher. */
export interface SessionKey {
  readonly cipher: number;
  readonly key: Uint8Array;
}

/** The public facts of one session key packet. */
export interface Recipient {
  readonly version: 3 | 6;
  /** Public-key algorithm number. */
  readonly algorithm: number;
  /** Key id, or fingerprint in version 6; undefined for a hidden recipient. Lower-case hexadecimal. */
  readonly id: string | undefined;
  readonly body: Uint8Array;
  /** What follows the algorithm: the encrypted session key. */
  readonly ciphertext: Uint8Array;
}

/** @returns undefined for a version that is not known, or a packet that is cut off */
export function readRecipient(body: Uint8Array): Recipient | undefined {
  if (body[0] === 3) {
    const algorithm = body[9];
    if (algorithm === undefined) return undefined;
    const id = hex(body.subarray(1, 9));
    return {
      version: 3,
      algorithm,
      id: id === '0000000000000000' ? undefined : id,
      body,
      ciphertext: body.subarray(10),
    };
  }
  if (body[0] === 6) {
    const length = body[1] ?? 0;
    const algorithm = body[2 + length];
    if (algorithm === undefined || (length !== 0 && length !== 21 && length !== 33)) return undefined;
    const id = length === 0 ? undefined : hex(body.subarray(3, 2 + length));
    return { version: 6, algorithm, id, body, ciphertext: body.subarray(3 + length) };
  }
  return undefined;
}

/** Whether a session key packet names a key; hidden recipients name every key of their algorithm. */
export function isFor(recipient: Recipient, { packet, fingerprint, keyId }: Component): boolean {
  // Encrypt-only RSA keys (2) are the same algorithm as RSA (1).
  const same = recipient.algorithm === packet.algorithm || (recipient.algorithm <= 2 && packet.algorithm <= 2);
  if (!same) return false;
  return recipient.id === undefined || recipient.id === (recipient.version === 3 ? keyId : fingerprint);
}

const aes256 = 9;

/** The ciphers that a session key may be for, the most likely one first. */
const aesCiphers: readonly number[] = [aes256, 7, 8];

/** Recovers a session key; undefined when the packet does not decrypt. */
export type RecoverSessionKey = () => MaybePromise<SessionKey | undefined>;

/**
 * The session keys that a packet may hold, each recovered when it is asked for.
 *
 * With RSA the padding must not be an oracle (Bleichenbacher), so there are always as many as there are ciphers, and
 * all but at most one of them are random.
 *
 * @param key an unlocked secret key packet that {@link isFor} matched
 * @param cipher the content cipher where SEIPD version 2 names it in the clear
 * @param external does the work where the packet is a public one
 */
export function sessionKeysOf(
  recipient: Recipient,
  key: KeyPacket,
  cipher: number | undefined,
  external?: ExternalPrivateKey,
): readonly RecoverSessionKey[] {
  const { algorithm, ciphertext, version } = recipient;
  if (external !== undefined) {
    // Whatever came of it, something is tried: what the key service says of a padding must not show.
    const random = (): SessionKey => newSessionKey(cipher ?? aes256);
    return [async () => (await recoverExternally(recipient, key, cipher, external)) ?? random()];
  }
  if (algorithm > 2) {
    const recoverSlowly = (): Promise<SessionKey | undefined> => recover(recipient, key, cipher, undefined);
    return [async () => (await recoverSessionKeyFast(recipient, key, cipher)) ?? recoverSlowly()];
  }
  return (cipher === undefined ? aesCiphers : [cipher]).map((candidate) =>
    nativeRsa
      ? async () => ({ cipher: candidate, key: await recoverRsa(ciphertext, key, candidate, version === 3) })
      : () => recover(recipient, key, cipher, candidate),
  );
}

async function recover(
  recipient: Recipient,
  key: KeyPacket,
  cipher: number | undefined,
  substituteCipher: number | undefined,
): Promise<SessionKey | undefined> {
  const packet = newSessionKeyPacket();
  try {
    packet.read(recipient.body);
    await packet.decrypt(key, substituteCipher === undefined ? undefined : randomSessionKey(substituteCipher));
  } catch {
    return undefined;
  }
  return session(packet, cipher);
}

function session(
  { sessionKey, sessionKeyAlgorithm }: SessionKeyPacket,
  cipher: number | undefined,
): SessionKey | undefined {
  const algorithm = cipher ?? sessionKeyAlgorithm;
  if (sessionKey === null || algorithm === null || keyLength(algorithm) !== sessionKey.length) return undefined;
  return { cipher: algorithm, key: sessionKey };
}

function randomSessionKey(cipher: number): { readonly sessionKeyAlgorithm: number; readonly sessionKey: Uint8Array } {
  return { sessionKeyAlgorithm: cipher, sessionKey: newSessionKey(cipher).key };
}

/** A fresh session key. */
export function newSessionKey(cipher: number): SessionKey {
  return { cipher, key: randomBytes(keyLength(cipher)!) };
}

/**
 * Encrypts a session key to one public key.
 *
 * @param version 6 goes with SEIPD version 2, 3 with version 1
 * @param hidden leave the key id out
 * @returns the body of the packet
 */
export async function sealSessionKey(
  { cipher, key }: SessionKey,
  recipient: KeyPacket,
  version: 3 | 6,
  hidden: boolean,
): Promise<Uint8Array> {
  const body = await sealSessionKeyFast({ cipher, key }, recipient, version, hidden);
  if (body !== undefined) return body;
  const packet = sessionKeyPacketFor({
    version,
    encryptionKeyPacket: recipient,
    anonymousRecipient: hidden,
    sessionKey: key,
    sessionKeyAlgorithm: cipher,
  });
  await packet.encrypt(recipient);
  return packet.write();
}
