/**
 * Keys of OpenPGP packets in the form of the primitives, made once for each packet (RFC 9580 sections 5.5.5 and 11.2).
 * A key packet lives as long as the certificate that the keyring holds, and so does what is kept here.
 */

import type { PrivateKey } from '../../../crypto/private-key.ts';
import { coordinateLength, type Curve, type PublicKey } from '../../../crypto/public-key.ts';
import { curvePrivateKey, curvePublicKey, rsaPublicKey } from '../../../crypto/raw-keys.ts';
import { E2eError } from '../../../errors.ts';
import { enums, type KeyPacket } from '../library.ts';
import { rsaPrivateKeyOf } from '../rsa.ts';

/** What a key is for the fast path. */
export type FastKind = 'rsa' | 'ecdsa' | 'eddsa' | 'ed25519' | 'ecdh' | 'ecdh-25519' | 'x25519';

const nistCurves: Readonly<Record<string, Curve>> = {
  [enums.curve.nistP256]: 'p256',
  [enums.curve.nistP384]: 'p384',
  [enums.curve.nistP521]: 'p521',
};

const curve25519: string = enums.curve.curve25519Legacy;

/** As numbers, in which packets have them. */
const numbers: Readonly<Record<keyof typeof enums.publicKey, number>> = enums.publicKey;

interface Facts {
  readonly kind: FastKind | undefined;
  readonly curve: Curve | undefined;
}

const facts = new WeakMap<KeyPacket, Facts>();

/** Kept, since openpgp.js finds the name of a curve anew each time. */
function factsOf(packet: KeyPacket): Facts {
  let known = facts.get(packet);
  if (known === undefined) {
    const name = packet.getAlgorithmInfo().curve ?? '';
    const curve = nistCurves[name];
    known = { kind: kindFor(packet.algorithm, name, curve), curve };
    facts.set(packet, known);
  }
  return known;
}

function kindFor(algorithm: number, name: string, curve: Curve | undefined): FastKind | undefined {
  switch (algorithm) {
    case numbers.rsaEncryptSign:
    case numbers.rsaEncrypt:
    case numbers.rsaSign:
      return 'rsa';
    case numbers.ecdsa:
      return curve === undefined ? undefined : 'ecdsa';
    case numbers.eddsaLegacy:
      return 'eddsa';
    case numbers.ed25519:
      return 'ed25519';
    case numbers.ecdh:
      if (name === curve25519) return 'ecdh-25519';
      return curve === undefined ? undefined : 'ecdh';
    case numbers.x25519:
      return 'x25519';
    default:
      return undefined;
  }
}

/** The kind of a key packet; undefined for what goes the long way. */
export function kindOf(packet: KeyPacket): FastKind | undefined {
  return factsOf(packet).kind;
}

/** The curve of NIST of an ECDSA or ECDH key. */
export function curveOf(packet: KeyPacket): Curve | undefined {
  return factsOf(packet).curve;
}

const publicKeys = new WeakMap<KeyPacket, PublicKey | null>();
const privateKeys = new WeakMap<KeyPacket, PrivateKey | null>();

/** The public key of a packet; undefined for what goes the long way. */
export function publicKeyOf(packet: KeyPacket): PublicKey | undefined {
  return kept(publicKeys, packet, () => {
    const { n, e, A, Q } = packet.publicParams as Readonly<Record<string, Uint8Array>>;
    const kind = kindOf(packet);
    switch (kind) {
      case 'rsa':
        return rsaPublicKey(n!, e!);
      case 'ecdsa':
      case 'ecdh':
        return curvePublicKey('ec', Q!, curveOf(packet));
      case 'eddsa':
      case 'ecdh-25519':
        // A prefix that says "native": RFC 9580 section 11.2.1.
        return Q![0] === 0x40 ? curvePublicKey(kind === 'eddsa' ? 'ed25519' : 'x25519', Q!.subarray(1)) : undefined;
      case 'ed25519':
      case 'x25519':
        return curvePublicKey(kind, A!);
      default:
        return undefined;
    }
  });
}

/**
 * The private key of an unlocked secret packet; undefined for what goes the long way.
 *
 * @param packet unlocked, so that its private parts do not change any more
 */
export function privateKeyOf(packet: KeyPacket): PrivateKey | undefined {
  const parts = packet.privateParams;
  if (parts === undefined || parts === null) return undefined;
  return kept(privateKeys, packet, () => {
    const kind = kindOf(packet);
    switch (kind) {
      case 'rsa':
        return rsaPrivateKeyOf(packet);
      case 'ecdsa':
      case 'ecdh':
        return curvePrivateKey('ec', padded(parts['d']!, coordinateLength(curveOf(packet)!)), curveOf(packet));
      case 'eddsa':
      case 'ed25519':
        return curvePrivateKey('ed25519', padded(parts['seed']!, 32));
      case 'ecdh-25519':
        // An integer, so the other way round than RFC 7748 has it (RFC 9580 section 11.2.1).
        return curvePrivateKey('x25519', padded(parts['d']!, 32).reverse());
      case 'x25519':
        return curvePrivateKey('x25519', parts['k']!);
      default:
        return undefined;
    }
  });
}

/** An integer in a fixed length: its leading zeros were dropped on the wire. A longer one stays as it is. */
export function padded(integer: Uint8Array, length: number): Uint8Array {
  const octets = new Uint8Array(Math.max(length, integer.length));
  octets.set(integer, octets.length - integer.length);
  return octets;
}

function kept<T extends object>(
  cache: WeakMap<KeyPacket, T | null>,
  packet: KeyPacket,
  make: () => T | undefined,
): T | undefined {
  let key = cache.get(packet);
  if (key === undefined) {
    try {
      key = make() ?? null;
    } catch (error) {
      // Numbers that make no key: openpgp.js decides.
      if (!(error instanceof E2eError)) throw error;
      key = null;
    }
    cache.set(packet, key);
  }
  return key ?? undefined;
}
