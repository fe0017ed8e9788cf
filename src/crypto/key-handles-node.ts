/**
 * Keys as node:crypto wants them, imported once; elliptic-curve keys as JWK or by createECDH, which is several times
 * faster than DER.
 */

import { type ECDH, type KeyObject, createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import type { PrivateKey } from './private-key.ts';
import { type Curve, type PublicKey, coordinateLength } from './public-key.ts';
import { unsupported } from './unsupported.ts';

const publicHandles = new WeakMap<PublicKey, KeyObject>();
const privateHandles = new WeakMap<PrivateKey, KeyObject>();
const ecdhHandles = new WeakMap<PrivateKey, ECDH>();

/** The names of curves in OpenSSL. */
export const curveNames: Readonly<Record<Curve, string>> = { p256: 'prime256v1', p384: 'secp384r1', p521: 'secp521r1' };
const jwkCurves: Readonly<Record<Curve, string>> = { p256: 'P-256', p384: 'P-384', p521: 'P-521' };

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}

/** @throws an error of node:crypto for numbers that are no key */
export function publicHandle(key: PublicKey): KeyObject {
  let handle = publicHandles.get(key);
  if (handle === undefined) {
    handle = importPublic(key);
    publicHandles.set(key, handle);
  }
  return handle;
}

function importPublic(key: PublicKey): KeyObject {
  const { algorithm, curve, subjectPublicKey: point } = key;
  if (algorithm === 'rsa') {
    const { modulus, exponent } = key.rsa!;
    return createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: text(modulus), e: text(exponent) } });
  }
  if (algorithm === 'ec') {
    const size = coordinateLength(curve!);
    const x = text(point.subarray(1, 1 + size));
    const y = text(point.subarray(1 + size));
    return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: jwkCurves[curve!], x, y } });
  }
  if (algorithm === 'ed25519' || algorithm === 'x25519') return importOkp(algorithm, point);
  if (algorithm !== 'rsa-pss' && algorithm !== 'ml-dsa' && algorithm !== 'ml-kem') throw unsupported();
  return createPublicKey({ format: 'der', type: 'spki', key: Buffer.from(key.spki) });
}

/** A public key that may be imported for one use. */
export function importOkp(algorithm: 'ed25519' | 'x25519', point: Uint8Array): KeyObject {
  const crv = algorithm === 'ed25519' ? 'Ed25519' : 'X25519';
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv, x: text(point) } });
}

/** @throws {TypeError} for a private key that cannot be imported: it is the caller's own */
export function privateHandle(key: PrivateKey): KeyObject {
  let handle = privateHandles.get(key);
  if (handle === undefined) {
    try {
      handle = createPrivateKey({ format: 'der', type: 'pkcs8', key: Buffer.from(key.pkcs8) });
    } catch {
      throw new TypeError('private key cannot be imported');
    }
    privateHandles.set(key, handle);
  }
  return handle;
}

/** For NIST curves, where createECDH is the fastest way. */
export function ecdhHandle(key: PrivateKey): ECDH {
  let handle = ecdhHandles.get(key);
  if (handle === undefined) {
    handle = createECDH(curveNames[key.curve!]);
    handle.setPrivateKey(key.scalar!);
    ecdhHandles.set(key, handle);
  }
  return handle;
}
