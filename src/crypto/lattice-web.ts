/**
 * How WebCrypto names and imports ML-DSA and ML-KEM keys (Modern Algorithms in the Web Cryptography API), and what of it
 * the type declarations do not have yet.
 */

import { E2eError } from '../errors.ts';
import { latticeByOid, serializeLatticeSeed } from './lattice-keys.ts';
import type { PrivateKey } from './private-key.ts';

/** The methods beside those of SubtleCrypto; absent where the runtime has no ML-KEM. */
export interface KeyEncapsulation {
  encapsulateBits?(
    algorithm: Algorithm,
    key: CryptoKey,
  ): Promise<{ readonly ciphertext: ArrayBuffer; readonly sharedKey: ArrayBuffer }>;
  decapsulateBits?(algorithm: Algorithm, key: CryptoKey, ciphertext: BufferSource): Promise<ArrayBuffer>;
}

/** What a public ML-KEM key is imported for. */
export const encapsulation: readonly KeyUsage[] = ['encapsulateBits' as KeyUsage];

/** What a private ML-KEM key is imported for. */
export const decapsulation: readonly KeyUsage[] = ['decapsulateBits' as KeyUsage];

/** For example `ML-KEM-768`. */
export function latticeName(oid: string): string {
  return latticeByOid.get(oid)!.name.toUpperCase();
}

/**
 * The PKCS #8 object to import: WebCrypto takes keys by their seed alone.
 *
 * @throws {E2eError} UNSUPPORTED for a key that is there in expanded form only
 */
export function pkcs8OfSeed(key: PrivateKey): Uint8Array {
  if (key.scalar !== undefined) return serializeLatticeSeed(key.oid, key.scalar);
  throw new E2eError('ERR_E2E_UNSUPPORTED', 'check', { reason: 'private key without its seed' });
}
