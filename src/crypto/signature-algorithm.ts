/**
 * Signature algorithms as AlgorithmIdentifier, for CMS and for certificates: RFC 3370 section 3, RFC 5754 section 3,
 * RFC 4056 and RFC 4055 (PSS), RFC 8410 section 6 and RFC 8419 section 2.2 (Ed25519), RFC 9881 section 2 and RFC 9882
 * section 2 (ML-DSA).
 */

import {
  type AlgorithmIdentifier,
  hasNoParameters,
  serializeAlgorithmIdentifier,
} from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type DerElement, derNull } from '../asn1/writer.ts';
import { mlDsaOids, mlDsaParameterSet } from './lattice-keys.ts';
import type { HashName, PublicKey, SignatureAlgorithm } from './provider.ts';
import { parsePssParameters, serializePssParameters } from './rsa-parameters.ts';

const rsaHashes: ReadonlyMap<string, HashName> = new Map([
  [oids.sha1WithRsa, 'sha1'],
  [oids.sha256WithRsa, 'sha256'],
  [oids.sha384WithRsa, 'sha384'],
  [oids.sha512WithRsa, 'sha512'],
]);
const ecdsaHashes: ReadonlyMap<string, HashName> = new Map([
  [oids.ecdsaWithSha1, 'sha1'],
  [oids.ecdsaWithSha256, 'sha256'],
  [oids.ecdsaWithSha384, 'sha384'],
  [oids.ecdsaWithSha512, 'sha512'],
]);

/**
 * The algorithm that an AlgorithmIdentifier names.
 *
 * @param digest what plain `rsaEncryption` means: CMS has the digest beside it (RFC 3370 section 3.2); certificates do not
 * @returns undefined for one that is not supported
 * @throws {E2eError} MALFORMED for broken parameters
 */
export function signatureAlgorithmOf(
  algorithm: AlgorithmIdentifier,
  digest?: HashName,
): SignatureAlgorithm | undefined {
  const { oid, parameters } = algorithm;
  if (oid === oids.rsassaPss) {
    // RFC 4055 section 3.1: in a signature the parameters MUST be present.
    const pss = parameters === undefined ? undefined : parsePssParameters(parameters);
    return pss === undefined ? undefined : { scheme: 'rsa-pss', ...pss };
  }
  if (!hasNoParameters(algorithm)) return undefined;
  const rsa = oid === oids.rsaEncryption ? digest : rsaHashes.get(oid);
  if (rsa !== undefined) return { scheme: 'rsa-pkcs1v15', hash: rsa };
  // RFC 5758 section 3.2: absent. NULL beside ECDSA is met in old messages and harmless.
  const ecdsa = ecdsaHashes.get(oid);
  if (ecdsa !== undefined) return { scheme: 'ecdsa', hash: ecdsa };
  // RFC 8410 section 3 and RFC 9881 section 2: absent.
  if (parameters !== undefined) return undefined;
  if (oid === oids.ed25519) return { scheme: 'ed25519' };
  const parameterSet = mlDsaParameterSet(oid);
  return parameterSet === undefined ? undefined : { scheme: 'ml-dsa', parameterSet };
}

const rsaOids = {
  sha1: oids.sha1WithRsa,
  sha256: oids.sha256WithRsa,
  sha384: oids.sha384WithRsa,
  sha512: oids.sha512WithRsa,
} as const;
const ecdsaOids = {
  sha1: oids.ecdsaWithSha1,
  sha256: oids.ecdsaWithSha256,
  sha384: oids.ecdsaWithSha384,
  sha512: oids.ecdsaWithSha512,
} as const;

/** Writes a signature algorithm. */
export function serializeSignatureAlgorithm(algorithm: SignatureAlgorithm): DerElement {
  switch (algorithm.scheme) {
    case 'rsa-pkcs1v15':
      // RFC 5754 section 3.2: the parameters MUST be NULL.
      return serializeAlgorithmIdentifier(rsaOids[algorithm.hash], derNull);
    case 'rsa-pss':
      return serializeAlgorithmIdentifier(oids.rsassaPss, serializePssParameters(algorithm));
    case 'ecdsa':
      return serializeAlgorithmIdentifier(ecdsaOids[algorithm.hash]);
    case 'ed25519':
      return serializeAlgorithmIdentifier(oids.ed25519);
    case 'ml-dsa':
      return serializeAlgorithmIdentifier(mlDsaOids[algorithm.parameterSet]);
  }
}

/**
 * Whether a key can have made a signature of this kind: the scheme fits the algorithm, and the restrictions that a
 * PSS-only key carries are kept (RFC 4055 section 1.2).
 */
export function fitsKey(key: Pick<PublicKey, 'algorithm' | 'oid' | 'pss'>, algorithm: SignatureAlgorithm): boolean {
  switch (algorithm.scheme) {
    case 'rsa-pkcs1v15':
      return key.algorithm === 'rsa';
    case 'rsa-pss':
      if (key.algorithm === 'rsa') return true;
      if (key.algorithm !== 'rsa-pss') return false;
      return key.pss === undefined || (key.pss.hash === algorithm.hash && algorithm.saltLength >= key.pss.saltLength);
    case 'ecdsa':
      return key.algorithm === 'ec';
    case 'ed25519':
      return key.algorithm === 'ed25519';
    case 'ml-dsa':
      return key.oid === mlDsaOids[algorithm.parameterSet];
  }
}

/** For example `rsa-pkcs1v15 sha256`, `ecdsa-p256 sha256`, `ed25519`, `ml-dsa-65`. */
export function signatureAlgorithmName(algorithm: SignatureAlgorithm, key?: Pick<PublicKey, 'curve'>): string {
  if (algorithm.scheme === 'ml-dsa') return `ml-dsa-${algorithm.parameterSet}`;
  const curve = algorithm.scheme === 'ecdsa' && key?.curve !== undefined ? `-${key.curve}` : '';
  return 'hash' in algorithm ? `${algorithm.scheme}${curve} ${algorithm.hash}` : algorithm.scheme;
}
