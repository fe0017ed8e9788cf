/** Encrypts a MIME entity: application/pkcs7-mime (RFC 8551 sections 3.3 and 3.4). */

import { base64Text } from '../../bytes.ts';
import type { EncryptRequest, KeyStore } from '../backend.ts';
import { encryptContent, encryptContentInPieces, type EncryptContentRequest } from '../../cms/encrypt.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import { type MimeHeader, serializeEntity, serializeTextEntity } from '../../mime/entity.ts';
import { encodeBase64Body, encodeBase64Text } from '../../mime/transfer-encoding.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { recipientCertificates } from './recipient-certificates.ts';
import type { TrustRules } from './trust.ts';

/**
 * Encrypts an entity to every certificate of every recipient.
 *
 * `hidden` is not possible: CMS names each recipient's certificate (RFC 5652 section 6.2).
 *
 * @throws {E2eError} NO_RECIPIENT_KEY when any recipient has no usable, trusted certificate; LIMIT
 */
export async function encryptEntity(
  request: EncryptRequest,
  store: KeyStore,
  rules: TrustRules,
  crypto: CryptoProvider,
): Promise<Uint8Array> {
  const cms = await encryptContent(await contentEncryption([request.content], request, store, rules, crypto));
  return serializeEntity(headersFor(request), encodeBase64Body(cms));
}

/** What to encrypt content to, and how. */
type Encryption = Omit<EncryptRequest, 'content'>;

/**
 * {@link encryptEntity} as text with LF line ends.
 *
 * @param content one piece after the other
 */
export async function encryptTextEntity(
  content: readonly Uint8Array[],
  request: Encryption,
  store: KeyStore,
  rules: TrustRules,
  crypto: CryptoProvider,
): Promise<string> {
  const cms = await encryptContentInPieces(await contentEncryption(content, request, store, rules, crypto));
  return encodeBase64Text(cms, serializeTextEntity(headersFor(request), ''));
}

/** RFC 3923 section 6.10: AES-128 in CBC mode, RSA (PKCS #1 v1.5). */
function isLegacy({ profile }: Encryption): boolean {
  return profile === 'rfc3923';
}

function headersFor(request: Encryption): readonly MimeHeader[] {
  const type = isLegacy(request) ? 'enveloped-data' : 'authEnveloped-data';
  return [
    { name: 'Content-Type', value: `application/pkcs7-mime; smime-type=${type}; name=smime.p7m` },
    { name: 'Content-Transfer-Encoding', value: 'base64' },
    { name: 'Content-Disposition', value: 'attachment; filename=smime.p7m' },
  ];
}

async function contentEncryption(
  content: readonly Uint8Array[],
  request: Encryption,
  store: KeyStore,
  rules: TrustRules,
  crypto: CryptoProvider,
): Promise<EncryptContentRequest> {
  const { recipients, algorithms, limits, at, profile } = request;
  const certificates: Certificate[] = [];
  const seen = new Set<string>();
  const { clockSkewSeconds, sha1Signatures } = algorithms;
  const question = { at, profile, clockSkewSeconds, sha1Signatures, limits, crypto };
  for (const recipient of recipients) {
    for (const certificate of await recipientCertificates(store, recipient, question, rules)) {
      if (seen.size < seen.add(base64Text(certificate.der)).size) certificates.push(certificate);
    }
    request.signal?.throwIfAborted();
  }
  if (certificates.length === 0) {
    throw new E2eError('ERR_E2E_NO_RECIPIENT_KEY', 'encrypt', { reason: 'no recipient' });
  }
  if (certificates.length > limits.recipients) {
    throw new E2eError('ERR_E2E_LIMIT', 'encrypt', { reason: 'too many recipients' });
  }
  const legacy = isLegacy(request);
  return {
    content,
    recipients: certificates.map(({ publicKey, issuer, serial }) => ({
      publicKey,
      identifier: { kind: 'issuer-and-serial', issuer: issuer.raw, serial },
    })),
    cipher: legacy ? 'aes128-cbc' : 'aes256-gcm',
    keyTransport: legacy ? 'rsa-pkcs1v15' : 'rsa-oaep',
    crypto,
  };
}
