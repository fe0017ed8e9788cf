/**
 * Public keys as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7):
 *
 *     SubjectPublicKeyInfo  ::=  SEQUENCE  {
 *         algorithm         AlgorithmIdentifier,
 *         subjectPublicKey  BIT STRING  }
 *
 * RSA by RFC 4055 section 1.2, elliptic curves by RFC 5480 section 2 (named curves only), Ed25519 and X25519 by
 * RFC 8410 section 3, ML-DSA by RFC 9881 section 4, ML-KEM by RFC 9935 section 4.
 */

import { parseAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type Asn1Node, type Asn1Options, parseDer, tags } from '../asn1/reader.ts';
import { bitStringOctets, oidValue, unsignedOctets } from '../asn1/values.ts';
import { derBitString, derNull, derOid, derSequence, encodeDer, type DerPart } from '../asn1/writer.ts';
import { defaultLimits } from '../limits.ts';
import { latticeByOid } from './lattice-keys.ts';
import { type PssParameters, parsePssParameters } from './rsa-parameters.ts';

/** The curves of NIST that S/MIME uses (RFC 8551 section 2.2). */
export type Curve = 'p256' | 'p384' | 'p521';

/**
 * What a key is for. `rsa-pss` is an RSA key that only makes PSS signatures; `unsupported` is a well-formed key that
 * nothing can be done with here.
 */
export type KeyAlgorithm = 'rsa' | 'rsa-pss' | 'ec' | 'ed25519' | 'x25519' | 'ml-dsa' | 'ml-kem' | 'unsupported';

/** A public key. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm;
  /** Dotted decimal of the algorithm. */
  readonly oid: string;
  /** RSA modulus or field size in bits; 0 where unknown. */
  readonly bits: number;
  /** Of `ec` keys. */
  readonly curve: Curve | undefined;
  /** The whole SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** The content of subjectPublicKey: the point, the octets of RFC 8410, RFC 9881 or RFC 9935, or RSAPublicKey. */
  readonly subjectPublicKey: Uint8Array;
  /** What a PSS-only key restricts its signatures to (RFC 4055 section 1.2): the hash, and the least salt length. */
  readonly pss: PssParameters | undefined;
  /** Of RSA keys, big-endian without leading zeros. */
  readonly rsa: { readonly modulus: Uint8Array; readonly exponent: Uint8Array } | undefined;
}

/** Field size of each curve in bits. */
export const curveBits: Readonly<Record<Curve, number>> = { p256: 256, p384: 384, p521: 521 };

/**
 * The octets of one coordinate.
 *
 * @param curve the curve
 */
export function coordinateLength(curve: Curve): number {
  return (curveBits[curve] + 7) >> 3;
}

const curveOids: Readonly<Record<Curve, string>> = { p256: oids.p256, p384: oids.p384, p521: oids.p521 };
const curveByOid: ReadonlyMap<string, Curve> = new Map([
  [oids.p256, 'p256'],
  [oids.p384, 'p384'],
  [oids.p521, 'p521'],
]);
const algorithmByOid: ReadonlyMap<string, KeyAlgorithm> = new Map<string, KeyAlgorithm>([
  [oids.rsaEncryption, 'rsa'],
  [oids.rsassaPss, 'rsa-pss'],
  [oids.ecPublicKey, 'ec'],
  [oids.ed25519, 'ed25519'],
  [oids.x25519, 'x25519'],
  ...[...latticeByOid].map(([oid, { algorithm }]) => [oid, algorithm] as const),
]);

/** The algorithm and, for elliptic curves, the curve of an AlgorithmIdentifier of a key. */
export function keyAlgorithm(node: Asn1Node): {
  readonly algorithm: KeyAlgorithm;
  readonly oid: string;
  readonly curve: Curve | undefined;
  readonly parameters: Asn1Node | undefined;
} {
  const { oid, parameters } = parseAlgorithmIdentifier(node);
  const algorithm = algorithmByOid.get(oid) ?? 'unsupported';
  if (algorithm !== 'ec') return { algorithm, oid, curve: undefined, parameters };
  // RFC 5480 section 2.1.1: implicitCurve and specifiedCurve must not be used (a made-up curve gives the key away).
  const curve = parameters?.tag === tags.oid ? curveByOid.get(oidValue(parameters)) : undefined;
  return { algorithm: curve === undefined ? 'unsupported' : 'ec', oid, curve, parameters };
}

/**
 * Reads a SubjectPublicKeyInfo.
 *
 * @param spki DER
 * @throws {E2eError} MALFORMED, LIMIT; a key of an unknown algorithm is `unsupported` and no error
 */
export function parsePublicKey(spki: Uint8Array, options: Asn1Options = { limits: defaultLimits }): PublicKey {
  const outer = parseDer(spki, options).sequence();
  const { algorithm, oid, curve, parameters } = keyAlgorithm(outer.expect(tags.sequence));
  const bits = outer.expect(tags.bitString);
  outer.end();
  const subjectPublicKey = bitStringOctets(bits);
  const known = { algorithm, oid, curve, spki, subjectPublicKey, pss: undefined, rsa: undefined };
  switch (algorithm) {
    case 'rsa':
    case 'rsa-pss': {
      // RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }   (RFC 8017 appendix A.1.1)
      const key = parseDer(subjectPublicKey, options).sequence();
      const modulus = unsignedOctets(key.expect(tags.integer));
      const exponent = unsignedOctets(key.expect(tags.integer));
      key.end();
      const size = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
      const restricted = algorithm === 'rsa-pss' && parameters !== undefined;
      const pss = restricted ? parsePssParameters(parameters) : undefined;
      const usable = usableRsa(modulus, exponent) && (!restricted || pss !== undefined);
      return { ...known, algorithm: usable ? algorithm : 'unsupported', bits: size, pss, rsa: { modulus, exponent } };
    }
    case 'ec':
      // RFC 5480 section 2.2: uncompressed must be supported, compressed may be; only the first is here.
      if (subjectPublicKey[0] !== 4 || subjectPublicKey.length !== 1 + 2 * coordinateLength(curve!)) {
        return { ...known, algorithm: 'unsupported', bits: curveBits[curve!] };
      }
      return { ...known, bits: curveBits[curve!] };
    case 'ed25519':
    case 'x25519':
      if (subjectPublicKey.length !== 32) throw bits.malformed('public key length');
      return { ...known, bits: 256 };
    case 'ml-dsa':
    case 'ml-kem':
      if (parameters !== undefined) throw bits.malformed('parameters of a public key');
      if (subjectPublicKey.length !== latticeByOid.get(oid)!.publicLength) throw bits.malformed('public key length');
      return { ...known, bits: 0 };
    default:
      return { ...known, bits: 0 };
  }
}

/**
 * Whether the numbers can be an RSA key at all: both odd, the exponent at least 3 and at most 64 bits, since a longer
 * one makes every verification slow (RFC 8551 section 6).
 */
function usableRsa(modulus: Uint8Array, exponent: Uint8Array): boolean {
  const odd = (modulus.at(-1)! & 1) === 1 && (exponent.at(-1)! & 1) === 1;
  return odd && exponent.length <= 8 && (exponent.length > 1 || exponent[0]! >= 3);
}

/** The AlgorithmIdentifier of a key, to write. */
export function keyAlgorithmIdentifier(algorithm: 'rsa' | 'ec' | 'ed25519' | 'x25519', curve?: Curve): DerPart {
  if (algorithm === 'rsa') return derSequence(derOid(oids.rsaEncryption), derNull);
  if (algorithm === 'ec') return derSequence(derOid(oids.ecPublicKey), derOid(curveOids[curve!]));
  return derSequence(derOid(oids[algorithm]));
}

/**
 * Writes a SubjectPublicKeyInfo around a point.
 *
 * @param subjectPublicKey an uncompressed point, or the 32 octets of RFC 8410
 */
export function serializePublicKey(
  algorithm: 'ec' | 'ed25519' | 'x25519',
  subjectPublicKey: Uint8Array,
  curve?: Curve,
): Uint8Array {
  return encodeDer(derSequence(keyAlgorithmIdentifier(algorithm, curve), derBitString(subjectPublicKey)));
}
