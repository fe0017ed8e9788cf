/**
 * Private keys as PKCS #8 (RFC 5958 section 2; RFC 5208 is its first version):
 *
 *     OneAsymmetricKey ::= SEQUENCE {
 *         version              Version,               -- v1(0), v2(1)
 *         privateKeyAlgorithm  AlgorithmIdentifier,
 *         privateKey           OCTET STRING,
 *         attributes       [0] Attributes OPTIONAL,
 *         publicKey        [1] BIT STRING OPTIONAL }
 *
 * The OCTET STRING holds RSAPrivateKey (RFC 8017 appendix A.1.2), ECPrivateKey (RFC 5915 section 3),
 * CurvePrivateKey ::= OCTET STRING (RFC 8410 section 7), or what `lattice-keys.ts` reads.
 */

import { type Asn1Options, contextTag, parseDer, tags } from '../asn1/reader.ts';
import { octetString, smallInteger, unsignedOctets } from '../asn1/values.ts';
import { derInteger, derSequence, encodeDer } from '../asn1/writer.ts';
import { defaultLimits } from '../limits.ts';
import { latticeByOid, parseLatticeSeed } from './lattice-keys.ts';
import { type Curve, type KeyAlgorithm, coordinateLength, curveBits, keyAlgorithm } from './public-key.ts';
import { type PssParameters, parsePssParameters } from './rsa-parameters.ts';

/** A private key. Its secret fields are not enumerable, so that no log or inspection shows them. */
export interface PrivateKey {
  readonly algorithm: KeyAlgorithm;
  /** Dotted decimal of the algorithm. */
  readonly oid: string;
  /** RSA modulus or field size in bits; 0 where unknown. */
  readonly bits: number;
  readonly curve: Curve | undefined;
  /** What a PSS-only key restricts its signatures to (RFC 4055 section 1.2). */
  readonly pss: PssParameters | undefined;
  /**
   * A PKCS #8 object of version 1 with the key alone. Secret.
   *
   * Attributes and public key, which some write and OpenSSL before 3.5 and WebCrypto do not read, are left out.
   */
  readonly pkcs8: Uint8Array;
  /**
   * Of `ec`, `ed25519`, `x25519`, `ml-dsa` and `ml-kem` keys: the scalar or seed; undefined where only the expanded key
   * is there. Secret.
   */
  readonly scalar: Uint8Array | undefined;
}

/**
 * Reads an unencrypted PKCS #8 private key.
 *
 * @param octets DER of PKCS #8
 * @throws {E2eError} MALFORMED, LIMIT; a key of an unknown algorithm is `unsupported` and no error
 */
export function parsePrivateKey(octets: Uint8Array, options: Asn1Options = { limits: defaultLimits }): PrivateKey {
  const outer = parseDer(octets, options).sequence();
  const version = outer.expect(tags.integer);
  if (smallInteger(version) > 1) throw version.malformed('private key version');
  const identifier = outer.expect(tags.sequence);
  const { algorithm, oid, curve, parameters } = keyAlgorithm(identifier);
  const wrapper = outer.expect(tags.octetString);
  const bare = smallInteger(version) === 0 && outer.done;
  outer.optional(contextTag(0));
  outer.optional(contextTag(1));
  outer.end();
  const pkcs8 = bare ? octets : encodeDer(derSequence(derInteger(0), identifier.raw, wrapper.raw));
  const inner = octetString(wrapper);
  switch (algorithm) {
    case 'rsa':
    case 'rsa-pss': {
      const key = parseDer(inner, options).sequence();
      smallInteger(key.expect(tags.integer));
      const modulus = unsignedOctets(key.expect(tags.integer));
      const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
      const restricted = algorithm === 'rsa-pss' && parameters !== undefined;
      const pss = restricted ? parsePssParameters(parameters) : undefined;
      const usable = !restricted || pss !== undefined;
      return hide({ algorithm: usable ? algorithm : 'unsupported', oid, bits, curve, pss }, pkcs8);
    }
    case 'ec': {
      const key = parseDer(inner, options).sequence();
      smallInteger(key.expect(tags.integer));
      const scalar = octetString(key.expect(tags.octetString));
      // RFC 5915 section 3: exactly as long as the order of the curve.
      if (scalar.length !== coordinateLength(curve!)) throw wrapper.malformed('private key length');
      // RFC 5480 section 2.1: from 1 to the order less one; runtimes take zero, and sign with it.
      if (scalar.every((octet) => octet === 0)) throw wrapper.malformed('private key of zero');
      return hide({ algorithm, oid, bits: curveBits[curve!], curve, pss: undefined }, pkcs8, scalar);
    }
    case 'ed25519':
    case 'x25519': {
      const seed = parseDer(inner, options);
      if (seed.tag !== tags.octetString || seed.length !== 32) throw seed.malformed('private key length');
      return hide({ algorithm, oid, bits: 256, curve, pss: undefined }, pkcs8, octetString(seed));
    }
    case 'ml-dsa':
    case 'ml-kem': {
      if (parameters !== undefined) throw wrapper.malformed('parameters of a private key');
      const seed = parseLatticeSeed(inner, latticeByOid.get(oid)!, options);
      return hide({ algorithm, oid, bits: 0, curve, pss: undefined }, pkcs8, seed);
    }
    default:
      return hide({ algorithm, oid, bits: 0, curve, pss: undefined }, pkcs8);
  }
}

function hide(key: Omit<PrivateKey, 'pkcs8' | 'scalar'>, pkcs8: Uint8Array, scalar?: Uint8Array): PrivateKey {
  return Object.defineProperties(key, { pkcs8: { value: pkcs8 }, scalar: { value: scalar } }) as PrivateKey;
}
