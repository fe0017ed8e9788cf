/** The providers that share one test suite, and keys from their bare numbers. */
import { Crypto as PeculiarCrypto } from '@peculiar/webcrypto';
import { derBitString, derInteger, derOctetString, derSequence, encodeDer } from '../../../src/asn1/writer.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { type PrivateKey, parsePrivateKey } from '../../../src/crypto/private-key.ts';
import type { CryptoProvider, Curve } from '../../../src/crypto/provider.ts';
import {
  type PublicKey,
  keyAlgorithmIdentifier,
  parsePublicKey,
  serializePublicKey,
} from '../../../src/crypto/public-key.ts';
import { webCrypto } from '../../../src/crypto/web.ts';

export const providers: Readonly<Record<string, CryptoProvider>> = {
  'node:crypto': nodeCrypto,
  'WebCrypto of the runtime': webCrypto(),
  '@peculiar/webcrypto': webCrypto(new PeculiarCrypto()),
};

export function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

export function ecPublicKey(curve: Curve, x: string, y: string): PublicKey {
  return parsePublicKey(serializePublicKey('ec', octets(`04${x}${y}`), curve));
}

export function ecPrivateKey(curve: Curve, scalar: string): PrivateKey {
  const key = encodeDer(derSequence(derInteger(1), derOctetString(octets(scalar))));
  return parsePrivateKey(
    encodeDer(derSequence(derInteger(0), keyAlgorithmIdentifier('ec', curve), derOctetString(key))),
  );
}

export function okpPublicKey(algorithm: 'ed25519' | 'x25519', point: string): PublicKey {
  return parsePublicKey(serializePublicKey(algorithm, octets(point)));
}

export function okpPrivateKey(algorithm: 'ed25519' | 'x25519', seed: string): PrivateKey {
  const key = encodeDer(derOctetString(octets(seed)));
  return parsePrivateKey(encodeDer(derSequence(derInteger(0), keyAlgorithmIdentifier(algorithm), derOctetString(key))));
}

/** A SubjectPublicKeyInfo of RSA from its numbers. */
export function rsaSpki(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const key = encodeDer(derSequence(derInteger(modulus), derInteger(exponent)));
  return encodeDer(derSequence(keyAlgorithmIdentifier('rsa'), derBitString(key)));
}

export {};
