/**
 * Keys made of their bare numbers, for formats that have neither SubjectPublicKeyInfo nor PKCS #8: OpenPGP.
 *
 *     RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }              (RFC 8017 appendix A.1.1)
 *     RSAPrivateKey ::= SEQUENCE { INTEGER 0, n, e, d, p, q, d mod (p-1), d mod (q-1), q^-1 mod p }
 *     ECPrivateKey ::= SEQUENCE { INTEGER 1, privateKey OCTET STRING }                    (RFC 5915 section 3)
 */

import { derBitString, derInteger, derOctetString, type DerPart, derSequence, encodeDer } from '../asn1/writer.ts';
import { type PrivateKey, parsePrivateKey } from './private-key.ts';
import {
  type Curve,
  keyAlgorithmIdentifier,
  parsePublicKey,
  type PublicKey,
  serializePublicKey,
} from './public-key.ts';

/**
 * @param modulus big-endian
 * @param exponent big-endian
 */
export function rsaPublicKey(modulus: Uint8Array, exponent: Uint8Array): PublicKey {
  const numbers = encodeDer(derSequence(derInteger(modulus), derInteger(exponent)));
  return parsePublicKey(encodeDer(derSequence(keyAlgorithmIdentifier('rsa'), derBitString(numbers))));
}

/**
 * @param point uncompressed, or the 32 octets of RFC 8410
 * @throws {E2eError} MALFORMED for a point of another length
 */
export function curvePublicKey(algorithm: 'ec' | 'ed25519' | 'x25519', point: Uint8Array, curve?: Curve): PublicKey {
  return parsePublicKey(serializePublicKey(algorithm, point, curve));
}

/**
 * @param scalar as long as the order of the curve, or the 32 octets of RFC 8410
 * @throws {E2eError} MALFORMED for a scalar of another length, or of zero
 */
export function curvePrivateKey(algorithm: 'ec' | 'ed25519' | 'x25519', scalar: Uint8Array, curve?: Curve): PrivateKey {
  const inner: DerPart =
    algorithm === 'ec' ? derSequence(derInteger(1), derOctetString(scalar)) : derOctetString(scalar);
  const identifier = keyAlgorithmIdentifier(algorithm, curve);
  return parsePrivateKey(encodeDer(derSequence(derInteger(0), identifier, derOctetString(inner))));
}
