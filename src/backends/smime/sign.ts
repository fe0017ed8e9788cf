/** Signs a MIME entity: multipart/signed (RFC 8551 section 3.5.3, RFC 1847 section 2.1). */

import type { ExternalPrivateKey, KeyStore, SealProfile, SignRequest } from '../backend.ts';
import { defaultSignatureAlgorithm, type SignatureFunction, signData } from '../../cms/sign.ts';
import { hashLength } from '../../crypto/hash-algorithm.ts';
import type { CryptoProvider, HashName, PublicKey, SignatureAlgorithm } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import { serializeTextEntity } from '../../mime/entity.ts';
import { multipartPieces, type Piece } from '../../mime/multipart.ts';
import { encodeBase64Text } from '../../mime/transfer-encoding.ts';

import { isExternal } from './key-material.ts';
import { chooseSigningKey } from './own-keys.ts';

/** How plain RSA keys sign: with PKCS #1 v1.5, which everybody reads, or with PSS (RFC 8551 section 2.2). */
export interface RsaSignature {
  readonly scheme: 'rsa-pkcs1v15' | 'rsa-pss';
  /** `sha256` unless given. The salt of PSS is as long. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512' | undefined;
}

const rsaHashes: ReadonlySet<string> = new Set(['sha256', 'sha384', 'sha512']);
const rsaSchemes: ReadonlySet<string> = new Set(['rsa-pkcs1v15', 'rsa-pss']);

/**
 * Reads the option of that name.
 *
 * @throws {TypeError} for values that are not of {@link RsaSignature}
 */
export function readRsaSignature(option: RsaSignature = { scheme: 'rsa-pkcs1v15' }): SignatureAlgorithm {
  const { scheme, hash = 'sha256' } = option;
  for (const name of Object.keys(option)) {
    if (name !== 'scheme' && name !== 'hash') throw new TypeError(`unknown option rsaSignature.${name}`);
  }
  if (!rsaHashes.has(hash)) throw new TypeError('option rsaSignature.hash must be sha256, sha384 or sha512');
  if (!rsaSchemes.has(scheme)) throw new TypeError('option rsaSignature.scheme must be rsa-pkcs1v15 or rsa-pss');
  return scheme === 'rsa-pss' ? { scheme, hash, saltLength: hashLength[hash] } : { scheme, hash };
}

/** RFC 8551 section 3.5.3.2. */
const micalg: Readonly<Record<HashName, string>> = {
  sha1: 'sha-1',
  sha256: 'sha-256',
  sha384: 'sha-384',
  sha512: 'sha-512',
};

/**
 * Signs an entity with the key of the signer.
 *
 * @returns the signed entity, one piece after the other
 * @param rsa how plain RSA keys sign in the modern profile
 * @throws {E2eError} NO_SIGNING_KEY, KEY_UNAVAILABLE, UNSUPPORTED
 */
export async function signedPieces(
  request: SignRequest,
  store: KeyStore,
  rsa: SignatureAlgorithm,
  crypto: CryptoProvider,
): Promise<readonly Piece[]> {
  const { content, signer, at, profile, limits, includeCertificate } = request;
  const { certificate, key, chain } = await chooseSigningKey(store, { signer, at, profile, limits, crypto });
  request.signal?.throwIfAborted();
  const algorithm = algorithmFor(certificate.publicKey, profile, rsa);
  const cms = await signData({
    content,
    detached: true,
    signer: {
      privateKey: isExternal(key) ? signatureFunction(key) : key,
      identifier: { kind: 'issuer-and-serial', issuer: certificate.issuer.raw, serial: certificate.serial },
      algorithm,
    },
    certificates: includeCertificate ? [certificate, ...chain].map(({ der }) => der) : [],
    signingTime: at,
    crypto,
  });
  const signature = serializeTextEntity(
    [
      { name: 'Content-Type', value: 'application/pkcs7-signature; name=smime.p7s' },
      { name: 'Content-Transfer-Encoding', value: 'base64' },
      // RFC 3923 section 6.7: how the signature is to be handled; RFC 8551 section 3.5.3.3 names the file.
      { name: 'Content-Disposition', value: 'attachment; handling=required; filename=smime.p7s' },
    ],
    encodeBase64Text(cms, '', '\r\n'),
    '\r\n',
  );
  const hash: HashName = 'hash' in algorithm ? algorithm.hash : 'sha512';
  return multipartPieces('signed', { protocol: 'application/pkcs7-signature', micalg: micalg[hash] }, [
    content,
    signature,
  ]);
}

function algorithmFor(publicKey: PublicKey, profile: SealProfile, rsa: SignatureAlgorithm): SignatureAlgorithm {
  // RFC 3923 section 6.10: RSA (PKCS #1 v1.5) with SHA-1.
  if (profile === 'rfc3923') return { scheme: 'rsa-pkcs1v15', hash: 'sha1' };
  return publicKey.algorithm === 'rsa' ? rsa : defaultSignatureAlgorithm(publicKey);
}

/** A card or agent that signs. What it throws, locked or gone, is the key's unavailability and nothing of ours. */
function signatureFunction(key: ExternalPrivateKey): SignatureFunction {
  return async (data, algorithm) => {
    const hash = 'hash' in algorithm && algorithm.hash !== 'sha1' ? algorithm.hash : 'sha512';
    try {
      return await key.sign!(data, hash, algorithm.scheme);
    } catch {
      throw new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'sign', { reason: 'the key service did not sign' });
    }
  };
}
