/**
 * Writing signatures (RFC 5652 section 5; RFC 8551 section 2.5 for the attributes). The structures are those of
 * `signed-data.ts`, `signer-info.ts` and `signed-attributes.ts`.
 */

import { serializeAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import {
  type DerElement,
  type DerPart,
  derInteger,
  der,
  derNull,
  derOctetString,
  derSequence,
  derSetOf,
  encodeDer,
} from '../asn1/writer.ts';
import { hashLength, serializeHash } from '../crypto/hash-algorithm.ts';
import { mlDsaParameterSet } from '../crypto/lattice-keys.ts';
import { andThen } from '../crypto/maybe-promise.ts';
import type {
  CryptoProvider,
  Curve,
  HashName,
  MaybePromise,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
} from '../crypto/provider.ts';
import { serializeSignatureAlgorithm } from '../crypto/signature-algorithm.ts';
import { type CertificateIdentifier, serializeCertificateIdentifier } from './certificate-identifier.ts';
import { serializeSignedAttributes } from './signed-attributes.ts';
import { serializeSignedData } from './signed-data.ts';

/** Makes a signature of the octets given, hashing included, in the encoding of CMS. */
export type SignatureFunction = (data: Uint8Array, algorithm: SignatureAlgorithm) => MaybePromise<Uint8Array>;

/** Who signs. */
export interface Signer {
  /** A key, or a function that has one elsewhere. */
  readonly privateKey: PrivateKey | SignatureFunction;
  readonly identifier: CertificateIdentifier;
  /** What {@link defaultSignatureAlgorithm} gives for the key; to be given with a function. */
  readonly algorithm?: SignatureAlgorithm | undefined;
}

/** What to sign, and how. */
export interface SignDataRequest {
  /** For a detached signature of a MIME entity, with CRLF line ends. */
  readonly content: Uint8Array;
  /** Whether the content stays outside. */
  readonly detached: boolean;
  readonly signer: Signer;
  /** DER, to be carried along. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  /** Years 0 to 9999; cut to the second. */
  readonly signingTime?: Date | undefined;
  /** Further signed attributes, as `serializeAttribute` writes them. */
  readonly signedAttributes?: readonly DerPart[] | undefined;
  readonly crypto: CryptoProvider;
}

const curveHash: Readonly<Record<Curve, HashName>> = { p256: 'sha256', p384: 'sha384', p521: 'sha512' };

/**
 * The signature that a key makes unless told otherwise: RSA PKCS #1 v1.5 with SHA-256, PSS with a PSS-only key, ECDSA
 * with the hash of the curve's strength (RFC 5753 section 2.1.1), Ed25519, ML-DSA. A PSS-only key that is restricted gets
 * its own hash and salt length (RFC 4055 section 3.3).
 *
 * @throws {TypeError} for a key that does not sign
 */
export function defaultSignatureAlgorithm(
  key: Pick<PublicKey, 'algorithm' | 'oid' | 'curve' | 'pss'>,
): SignatureAlgorithm {
  switch (key.algorithm) {
    case 'rsa':
      return { scheme: 'rsa-pkcs1v15', hash: 'sha256' };
    case 'rsa-pss':
      return { scheme: 'rsa-pss', ...pssFor(key.pss) };
    case 'ec':
      return { scheme: 'ecdsa', hash: curveHash[key.curve!] };
    case 'ed25519':
      return { scheme: 'ed25519' };
    case 'ml-dsa':
      return { scheme: 'ml-dsa', parameterSet: mlDsaParameterSet(key.oid)! };
    default:
      throw new TypeError('this kind of key does not sign');
  }
}

function pssFor(restriction: PublicKey['pss']): { readonly hash: HashName; readonly saltLength: number } {
  const hash = restriction?.hash ?? 'sha256';
  // RFC 4055 section 3.1: the salt should be as long as the digest; the key may ask for more.
  return { hash, saltLength: Math.max(hashLength[hash], restriction?.saltLength ?? 0) };
}

/**
 * Signs.
 *
 * @returns DER of ContentInfo
 * @throws {TypeError} for an algorithm that does not fit the key
 */
export function signData(request: SignDataRequest): MaybePromise<Uint8Array> {
  const { content, signer, crypto } = request;
  const { privateKey, identifier } = signer;
  const algorithm = signer.algorithm ?? algorithmFor(privateKey);
  // RFC 8419 section 3.1: id-sha512 with Ed25519. RFC 9882 section 3.3: everybody has it for ML-DSA.
  const hash = 'hash' in algorithm ? algorithm.hash : 'sha512';
  const digestAlgorithm = serializeHash(hash);
  const signatureAlgorithm = algorithmIdentifier(algorithm);
  return andThen(crypto.digest(hash, content), (messageDigest) => {
    const { signingTime, signedAttributes: others = [] } = request;
    const attributes = derSetOf(
      serializeSignedAttributes({ messageDigest, digestAlgorithm, signatureAlgorithm, signingTime, others }),
    );
    const octets = encodeDer(attributes);
    const signature =
      typeof privateKey === 'function' ? privateKey(octets, algorithm) : crypto.sign(privateKey, algorithm, octets);
    return andThen(signature, (value) => {
      const byKeyIdentifier = identifier.kind === 'key-identifier';
      const signerInfo = derSequence(
        derInteger(byKeyIdentifier ? 3 : 1),
        serializeCertificateIdentifier(identifier),
        digestAlgorithm,
        // RFC 5652 section 5.4: hashed as a SET OF, sent under the implicit tag [0].
        der(0xa0, ...attributes.parts),
        signatureAlgorithm,
        derOctetString(value),
      );
      return serializeSignedData({
        eContent: request.detached ? undefined : content,
        certificates: request.certificates,
        digestAlgorithms: [digestAlgorithm],
        signerInfos: [signerInfo],
        byKeyIdentifier,
      });
    });
  });
}

function algorithmFor(privateKey: PrivateKey | SignatureFunction): SignatureAlgorithm {
  if (typeof privateKey === 'function') throw new TypeError('a signature function needs an algorithm');
  return defaultSignatureAlgorithm(privateKey);
}

/** RFC 3370 section 3.2: rsaEncryption, whatever the digest, is what every implementation must know in CMS. */
function algorithmIdentifier(algorithm: SignatureAlgorithm): DerElement {
  if (algorithm.scheme === 'rsa-pkcs1v15') return serializeAlgorithmIdentifier(oids.rsaEncryption, derNull);
  return serializeSignatureAlgorithm(algorithm);
}
