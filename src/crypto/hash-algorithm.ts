/** Digest algorithms as AlgorithmIdentifier (RFC 5754 section 2; RFC 3370 section 2.1 for SHA-1). */

import {
  type AlgorithmIdentifier,
  hasNoParameters,
  serializeAlgorithmIdentifier,
} from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type DerElement, derNull } from '../asn1/writer.ts';
import type { HashName } from './provider.ts';

/** Octets of each digest. */
export const hashLength: Readonly<Record<HashName, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

const hashByOid: ReadonlyMap<string, HashName> = new Map([
  [oids.sha1, 'sha1'],
  [oids.sha256, 'sha256'],
  [oids.sha384, 'sha384'],
  [oids.sha512, 'sha512'],
]);

/**
 * The digest that an AlgorithmIdentifier names; its parameters are absent or NULL.
 *
 * @returns undefined for one that is not supported, MD5 and SHA-224 among them
 */
export function hashOf(algorithm: AlgorithmIdentifier): HashName | undefined {
  return hasNoParameters(algorithm) ? hashByOid.get(algorithm.oid) : undefined;
}

/**
 * Writes a digest AlgorithmIdentifier.
 *
 * @param withNull whether NULL parameters are written: inside RSA parameters (RFC 4055 section 2.1), nowhere else
 */
export function serializeHash(hash: HashName, withNull = false): DerElement {
  return serializeAlgorithmIdentifier(oids[hash], withNull ? derNull : undefined);
}
