/** Signatures on certificates and revocation lists (RFC 5280 sections 4.1.1.2 and 5.1.1.2), and what is too weak for one. */

import type { AlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { latticeByOid } from '../crypto/lattice-keys.ts';
import type { CryptoProvider, MaybePromise, PublicKey, SignatureAlgorithm } from '../crypto/provider.ts';
import { fitsKey, signatureAlgorithmOf } from '../crypto/signature-algorithm.ts';
import { E2eError } from '../errors.ts';
import type { Limits } from '../limits.ts';

/** An object that is signed as SIGNED{ToBeSigned} is. */
export interface SignedObject {
  /** What the signature covers. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

/**
 * Verifies the signature of a certificate or revocation list.
 *
 * @param key of the issuer
 * @returns false for every defect, an algorithm that the runtime lacks included
 */
export function verifySignedObject(
  crypto: CryptoProvider,
  key: PublicKey,
  object: SignedObject,
): MaybePromise<boolean> {
  const algorithm = knownAlgorithm(object.signatureAlgorithm);
  if (algorithm === undefined || !fitsKey(key, algorithm)) return false;
  try {
    const verdict = crypto.verify(key, algorithm, object.tbs, object.signature);
    return typeof verdict === 'boolean' ? verdict : verdict.catch(refused);
  } catch (error) {
    return refused(error);
  }
}

function knownAlgorithm(identifier: AlgorithmIdentifier): SignatureAlgorithm | undefined {
  try {
    return signatureAlgorithmOf(identifier);
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

/** Data that no signature can be read from is a signature that does not fit. */
function refused(error: unknown): false {
  if (error instanceof E2eError) return false;
  throw error;
}

/**
 * Whether an algorithm is too weak to certify anything: MD5 and older always, SHA-1 unless allowed.
 *
 * @param sha1Allowed whether SHA-1 is taken
 */
export function isWeakSignature(identifier: AlgorithmIdentifier, sha1Allowed: boolean): boolean {
  if (weakSignatures.has(identifier.oid)) return true;
  const algorithm = knownAlgorithm(identifier);
  return !sha1Allowed && algorithm !== undefined && 'hash' in algorithm && algorithm.hash === 'sha1';
}

/** MD2, MD4 and MD5 with RSA (RFC 3279 section 2.2.1, RFC 6149, RFC 6150, RFC 6151). */
const weakSignatures: ReadonlySet<string> = new Set(['1.2.840.113549.1.1.2', '1.2.840.113549.1.1.3', oids.md5WithRsa]);

/**
 * Why a key is unfit for use, or undefined.
 *
 * @returns a phrase for RSA keys outside the limits (RFC 8551 section 6) and impossible exponents
 */
export function weakKey(key: PublicKey, limits: Limits): string | undefined {
  if (key.rsa === undefined) return undefined;
  if (key.bits < limits.rsaMinBits) return `RSA key too short (${key.bits} bits)`;
  if (key.bits > limits.rsaMaxBits) return `RSA key too long (${key.bits} bits)`;
  const { exponent } = key.rsa;
  // RFC 8017 section 3.1: 3 <= e and e is odd. With e = 1 everybody can sign; a huge one costs time.
  if ((exponent.at(-1)! & 1) === 0 || exponent.length > 8 || (exponent.length === 1 && exponent[0]! < 3)) {
    return 'RSA key with an exponent that none may have';
  }
  return undefined;
}

/** The name of a kind of key, for example `rsa3072`, `p256`, `ed25519`, `ml-dsa-65`. */
export function keyLabel(key: PublicKey): string {
  if (key.rsa !== undefined) return `${key.algorithm}${key.bits}`;
  const lattice = latticeByOid.get(key.oid);
  if (lattice !== undefined) return lattice.name;
  return key.curve ?? (key.algorithm === 'unsupported' ? key.oid : key.algorithm);
}
