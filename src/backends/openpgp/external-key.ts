/**
 * Keys on cards, in agents and key services, in the place of private key packets (RFC 9580 sections 5.1 and 5.2). The
 * packets, digests, key derivation and key unwrapping are done here; the key itself is asked for one operation.
 */

import type { Digested } from '../../crypto/packet-primitives.ts';
import { concatBytes } from '../../bytes.ts';
import { fixedFromEcdsaDer } from '../../crypto/ecdsa-signature.ts';
import { coordinateLength } from '../../crypto/public-key.ts';
import { E2eError } from '../../errors.ts';
import type { ExternalPrivateKey } from '../backend.ts';
import { curveOf, kindOf } from './fast/keys.ts';
import { recoverSessionKeyFast } from './fast/session-key.ts';
import type { KeyPacket } from './library.ts';
import { keyLength } from './names.ts';
import { blockOf } from './rsa.ts';
import type { Recipient, SessionKey } from './session-key.ts';

/** Whether a key service has the operation that a key would be used for. */
export function canExternally(external: ExternalPrivateKey, packet: KeyPacket, use: 'sign' | 'decrypt'): boolean {
  switch (kindOf(packet)) {
    case 'rsa':
      return use === 'sign' ? external.sign !== undefined : external.decryptKey !== undefined;
    case 'ecdsa':
    case 'eddsa':
    case 'ed25519':
      return use === 'sign' && external.sign !== undefined;
    case 'ecdh':
    case 'ecdh-25519':
    case 'x25519':
      return use === 'decrypt' && external.agree !== undefined;
    default:
      return false;
  }
}

/** A key service did not do what it was asked for. */
export function keyServiceFailed(): E2eError {
  return new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'sign', { reason: 'the key service did not sign' });
}

/**
 * Signs by a key service, in the form that packets are written from.
 *
 * @param packet the public key, for which {@link canExternally} said yes
 */
export function externalSigner(
  external: ExternalPrivateKey,
  packet: KeyPacket,
): (digested: Digested) => Promise<Uint8Array> {
  const kind = kindOf(packet);
  return async ({ hash, digest, chunks }) => {
    let octets: Uint8Array | undefined;
    try {
      if (kind === 'rsa') octets = ofLength(await sign(concatBytes(...chunks), 'rsa-pkcs1v15'), modulusLength(packet));
      else if (kind === 'ecdsa') {
        const der = await sign(concatBytes(...chunks), 'ecdsa');
        octets = fixedFromEcdsaDer(der, coordinateLength(curveOf(packet)!));
      } else octets = ofLength(await sign(digest, 'ed25519'), 64);
    } catch {
      // What it throws, locked or gone, is the key's unavailability and nothing of ours.
      throw keyServiceFailed();
    }
    if (octets === undefined) throw keyServiceFailed();
    return octets;

    function sign(data: Uint8Array, scheme: 'rsa-pkcs1v15' | 'ecdsa' | 'ed25519'): Promise<Uint8Array> {
      return external.sign!(data, hash, scheme);
    }
  };
}

function modulusLength(packet: KeyPacket): number {
  return (packet.publicParams as { readonly n: Uint8Array }).n.length;
}

function ofLength(octets: Uint8Array, length: number): Uint8Array | undefined {
  return octets.length === length ? octets : undefined;
}

/**
 * Recovers a session key by a key service.
 *
 * @param packet the public key, for which {@link canExternally} said yes
 * @param cipher the content cipher where SEIPD version 2 names it in the clear
 * @returns undefined when the packet does not decrypt
 * @throws {E2eError} what the key service throws as such; anything else it throws would be an oracle
 */
export async function recoverExternally(
  recipient: Recipient,
  packet: KeyPacket,
  cipher: number | undefined,
  external: ExternalPrivateKey,
): Promise<SessionKey | undefined> {
  if (kindOf(packet) !== 'rsa') {
    return quietly(() => recoverSessionKeyFast(recipient, packet, cipher, (point) => external.agree!(point)));
  }
  const block = blockOf(recipient.ciphertext, packet);
  const session = await quietly(() => external.decryptKey!(block, 'rsa-pkcs1v15', 'sha256'));
  return session === undefined ? undefined : fromSession(session, recipient.version === 3, cipher);
}

async function quietly<T>(operation: () => Promise<T>): Promise<T | undefined> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof E2eError) throw error;
    return undefined;
  }
}

/** `session := [cipher] key checksum` (RFC 9580 section 5.1.3). */
function fromSession(session: Uint8Array, named: boolean, known: number | undefined): SessionKey | undefined {
  const cipher = named ? session[0] : known;
  const key = session.subarray(named ? 1 : 0, -2);
  if (cipher === undefined || keyLength(cipher) !== key.length) return undefined;
  let sum = 0;
  for (const octet of key) sum += octet;
  const [high, low] = session.subarray(-2);
  return ((sum >> 8) & 255) === high && (sum & 255) === low ? { cipher: known ?? cipher, key } : undefined;
}
