/**
 * Verification of one signature (RFC 5652 sections 5.4 and 5.6), with the checks that forgeries of others have shown to
 * be needed. It answers whether a key made a signature over a content; whose key that is, others decide.
 */

import { oids } from '../asn1/oids.ts';
import { equalBytes } from '../bytes.ts';
import { hashLength, hashOf } from '../crypto/hash-algorithm.ts';
import type { MlDsaParameterSet } from '../crypto/lattice-keys.ts';
import { andThen } from '../crypto/maybe-promise.ts';
import type { CryptoProvider, HashName, MaybePromise, PublicKey, SignatureAlgorithm } from '../crypto/provider.ts';
import { fitsKey, signatureAlgorithmName, signatureAlgorithmOf } from '../crypto/signature-algorithm.ts';
import { E2eError } from '../errors.ts';
import { attributeTypes, looksLikeAttributes, parseAttributes, signedOnly } from './attributes.ts';
import {
  type SignedAttributes,
  type SigningCertificate,
  readSignedAttributes,
  sameAlgorithm,
} from './signed-attributes.ts';
import type { SignedData } from './signed-data.ts';
import type { SignerInfo } from './signer-info.ts';

/** Which old signatures are taken. */
export interface SignaturePolicy {
  /** SHA-1 counts as good and not as weak. */
  readonly sha1Signatures: boolean;
  /** Signatures without signed attributes are taken. */
  readonly unsignedAttributes: boolean;
}

/** What to verify. */
export interface VerifySignerRequest {
  readonly signedData: SignedData;
  /** One of those in `signedData`. */
  readonly signerInfo: SignerInfo;
  /** The detached content; undefined to take the content inside. */
  readonly content: Uint8Array | undefined;
  readonly publicKey: PublicKey;
  readonly crypto: CryptoProvider;
  readonly policy: SignaturePolicy;
}

/** What came out. */
export interface SignerVerdict {
  /** `weak`: right, but with an algorithm that the policy does not take. */
  readonly outcome: 'good' | 'bad' | 'weak';
  /** In plain words. */
  readonly reason: string;
  /** For example `ecdsa-p256 sha256`. */
  readonly algorithm: string;
  readonly hash: HashName;
  /** Of the signed attributes; to be believed where the outcome is not `bad`. */
  readonly signingTime: Date | undefined;
  readonly signingCertificateV2: SigningCertificate | undefined;
}

type Judge = (outcome: SignerVerdict['outcome'], reason: string) => SignerVerdict;

/**
 * Verifies one signature.
 *
 * @throws {E2eError} UNSUPPORTED for an algorithm that is not known or that the runtime lacks; LIMIT
 */
export function verifySigner(request: VerifySignerRequest): MaybePromise<SignerVerdict> {
  const { signerInfo, signedData, publicKey, crypto, policy } = request;
  const hash = hashOf(signerInfo.digestAlgorithm);
  if (hash === undefined) throw unsupported('digest algorithm', signerInfo.digestAlgorithm.oid);
  const algorithm = signatureAlgorithm(signerInfo, hash);
  const name = signatureAlgorithmName(algorithm, publicKey);
  let attributes: SignedAttributes | undefined;
  const judge: Judge = (outcome, reason) => ({
    outcome,
    reason,
    algorithm: name,
    hash,
    signingTime: attributes?.signingTime,
    signingCertificateV2: attributes?.signingCertificateV2,
  });

  const { eContent } = signedData;
  // Two contents: the signature would be over one while the application shows the other (CVE-2018-18509).
  if (request.content !== undefined && eContent !== undefined) {
    return judge('bad', 'content both inside the signature and beside it');
  }
  const content = request.content ?? eContent;
  if (content === undefined) return judge('bad', 'no content');
  // RFC 8551 section 2.4.1: S/MIME signs id-data. Any other type would have the content read by other rules.
  if (signedData.eContentType !== oids.data) return judge('bad', 'signed content is not id-data');
  if (!fitsKey(publicKey, algorithm)) return judge('bad', 'signature algorithm does not fit the key');
  const clash = hashClash(algorithm, hash);
  if (clash !== undefined) return judge('bad', clash);

  const finish = (signed: Uint8Array): MaybePromise<SignerVerdict> =>
    andThen(crypto.verify(publicKey, algorithm, signed, signerInfo.signature), (fits) => {
      if (!fits) return judge('bad', 'signature does not fit');
      if (hash === 'sha1' && !policy.sha1Signatures) return judge('weak', 'SHA-1');
      return judge('good', 'signature fits');
    });

  const misplaced = misplacedAttribute(signerInfo);
  if (misplaced !== undefined) return judge('bad', misplaced);
  if (signerInfo.signedAttributes === undefined) {
    if (!policy.unsignedAttributes) return judge('bad', 'no signed attributes');
    if (looksLikeAttributes(content, signerInfo)) return judge('bad', 'content is a set of attributes');
    return finish(content);
  }
  let octets: Uint8Array;
  try {
    const parsed = parseAttributes(signerInfo.signedAttributes);
    attributes = readSignedAttributes(parsed);
    octets = parsed.octets;
  } catch (error) {
    return judge('bad', malformedReason(error));
  }
  const fault = attributeFault(attributes, signerInfo, signedData);
  if (fault !== undefined) return judge('bad', fault);
  const { messageDigest } = attributes;
  if (messageDigest?.length !== hashLength[hash]) return judge('bad', 'message digest missing or of another length');
  return andThen(crypto.digest(hash, content), (digest) =>
    equalBytes(digest, messageDigest) ? finish(octets) : judge('bad', 'content does not fit the message digest'),
  );
}

function unsupported(reason: string, oid: string): E2eError {
  return new E2eError('ERR_E2E_UNSUPPORTED', 'verify', { reason, subject: oid });
}

function signatureAlgorithm({ signatureAlgorithm: identifier }: SignerInfo, hash: HashName): SignatureAlgorithm {
  const algorithm = signatureAlgorithmOf(identifier, hash);
  if (algorithm === undefined) throw unsupported('signature algorithm', identifier.oid);
  return algorithm;
}

/**
 * RFC 8933 section 3.1 and RFC 8419 section 3: one hash for the content and the signature; SHA-512 for Ed25519. RFC 9882
 * section 3.3: ML-DSA with a hash as strong as itself.
 */
function hashClash(algorithm: SignatureAlgorithm, hash: HashName): string | undefined {
  if ('hash' in algorithm) return algorithm.hash === hash ? undefined : 'two different hash algorithms';
  if (algorithm.scheme === 'ed25519') return hash === 'sha512' ? undefined : 'Ed25519 goes with SHA-512';
  return hashLength[hash] >= mlDsaHashLength[algorithm.parameterSet] ? undefined : 'hash weaker than the ML-DSA key';
}

/** Octets of the shortest hash with each parameter set: twice its strength of 128, 192 and 256 bits. */
const mlDsaHashLength: Readonly<Record<MlDsaParameterSet, number>> = { 44: 32, 65: 48, 87: 64 };

/** RFC 5652 section 11: these attributes MUST NOT be unsigned: anybody could have added them. */
function misplacedAttribute({ unsignedAttributes }: SignerInfo): string | undefined {
  if (unsignedAttributes === undefined) return undefined;
  try {
    for (const type of attributeTypes(unsignedAttributes)) {
      if (signedOnly.has(type)) return 'an attribute that must be signed is not';
    }
    return undefined;
  } catch (error) {
    return malformedReason(error);
  }
}

/** A malformed attribute is a bad signature; a limit is an error. */
function malformedReason(error: unknown): string {
  if (error instanceof E2eError && error.code === 'ERR_E2E_MALFORMED') return error.reason ?? 'malformed attributes';
  throw error;
}

function attributeFault(
  { contentType, algorithmProtection }: SignedAttributes,
  signerInfo: SignerInfo,
  { eContentType }: SignedData,
): string | undefined {
  // RFC 5652 sections 5.3 and 11.1: it MUST be there, and be the type of the content.
  if (contentType !== eContentType) return 'content type missing or of another type';
  if (algorithmProtection === undefined) return undefined;
  // RFC 6211 section 3: another algorithm than the signer's was put in its place.
  const { digestAlgorithm, signatureAlgorithm: signature } = algorithmProtection;
  if (signature === undefined) return 'algorithm protection is of a MAC';
  if (!sameAlgorithm(digestAlgorithm, signerInfo.digestAlgorithm)) return 'digest algorithm was replaced';
  return sameAlgorithm(signature, signerInfo.signatureAlgorithm) ? undefined : 'signature algorithm was replaced';
}
