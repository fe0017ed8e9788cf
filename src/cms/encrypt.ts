/**
 * Writing AuthEnvelopedData (RFC 5083) with AES-GCM (RFC 5084) and EnvelopedData (RFC 5652 section 6) with AES-CBC.
 * The structures are those of `enveloped-data.ts` and `recipients.ts`.
 *
 * RFC 3923 deviation: section 2: AuthEnvelopedData by default, EnvelopedData by the profile `rfc3923`.
 */

import { serializeAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import {
  type DerElement,
  type DerPart,
  der,
  derBitString,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  encodeDer,
  encodeDerInPieces,
} from '../asn1/writer.ts';
import { concatBytes } from '../bytes.ts';
import { allOf, andThen, isPromise } from '../crypto/maybe-promise.ts';
import type { CryptoProvider, Curve, MaybePromise, PublicKey } from '../crypto/provider.ts';
import { keyAlgorithmIdentifier } from '../crypto/public-key.ts';
import { serializeOaepParameters } from '../crypto/rsa-parameters.ts';
import { E2eError } from '../errors.ts';
import { type CipherFacts, type ContentCipher, ciphers, keyDerivationByOid, keyWrapOid } from './algorithms.ts';
import { type CertificateIdentifier, serializeCertificateIdentifier } from './certificate-identifier.ts';
import { serializeContentInfo } from './content-info.ts';
import { kemRecipientInfo } from './kem-recipient.ts';
import { deriveKeyEncryptionKey } from './key-agreement.ts';

/** Ciphers to write. Triple DES is only read. */
export type WritableCipher = Exclude<ContentCipher, 'des-ede3-cbc'>;

/** How keys travel to RSA recipients: OAEP with SHA-256, or PKCS #1 v1.5 (RFC 3923 section 6.10). */
export type RsaKeyTransport = 'rsa-oaep' | 'rsa-pkcs1v15';

/** Whom to encrypt to. */
export interface EncryptionRecipient {
  /** `rsa`, `ec`, `x25519` or `ml-kem`. */
  readonly publicKey: PublicKey;
  readonly identifier: CertificateIdentifier;
}

/** What to encrypt, and how. */
export interface EncryptContentRequest {
  /** In one piece, or one after the other. */
  readonly content: Uint8Array | readonly Uint8Array[];
  /** One or more. */
  readonly recipients: readonly EncryptionRecipient[];
  readonly cipher: WritableCipher;
  /** `rsa-oaep` unless given. */
  readonly keyTransport?: RsaKeyTransport | undefined;
  readonly crypto: CryptoProvider;
}

const derivationOids: Readonly<Record<Curve | 'x25519', string>> = {
  p256: oids.dhSinglePassStdDhSha256Kdf,
  p384: oids.dhSinglePassStdDhSha384Kdf,
  p521: oids.dhSinglePassStdDhSha512Kdf,
  x25519: oids.dhSinglePassStdDhHkdfSha256,
};

/** RFC 5084 section 3.1: the longest tag. It is always written, since its absence means 12. */
const tagLength = 16;

/**
 * Encrypts.
 *
 * @returns DER of ContentInfo
 * @throws {E2eError} NO_RECIPIENT_KEY for a key that cannot be encrypted to; UNSUPPORTED for what the runtime lacks
 * @throws {RangeError} without recipients
 */
export function encryptContent(request: EncryptContentRequest): MaybePromise<Uint8Array> {
  return andThen(envelope(request), encodeDer);
}

/**
 * {@link encryptContent} in pieces, for what is written on at once: a long ciphertext is not copied.
 *
 * @returns DER of ContentInfo, one piece after the other
 * @throws {E2eError} NO_RECIPIENT_KEY, UNSUPPORTED
 * @throws {RangeError} without recipients
 */
export function encryptContentInPieces(request: EncryptContentRequest): MaybePromise<readonly Uint8Array[]> {
  return andThen(envelope(request), encodeDerInPieces);
}

function envelope(request: EncryptContentRequest): MaybePromise<DerElement> {
  const { recipients, crypto } = request;
  const content = request.content instanceof Uint8Array ? [request.content] : request.content;
  if (recipients.length === 0) throw new RangeError('at least one recipient is needed');
  const cipher = ciphers[request.cipher];
  const key = crypto.randomBytes(cipher.keyLength);
  const infos = allOf(recipients.map((recipient) => recipientInfo(recipient, key, request)));
  return andThen(infos, (recipientInfos) => {
    // RFC 5652 section 6.1: version 3 with an OtherRecipientInfo, else 2 unless every recipient is a key transport by
    // issuer and serial number.
    const other = recipients.some(({ publicKey }) => publicKey.algorithm === 'ml-kem');
    const plain = recipients.every(
      (one) => one.publicKey.rsa !== undefined && one.identifier.kind !== 'key-identifier',
    );
    if (cipher.mode === 'gcm') return sealGcm(content, key, cipher, recipientInfos, crypto);
    const iv = crypto.randomBytes(cipher.blockLength);
    return andThen(crypto.encryptAesCbc(key, iv, concatBytes(...content)), (ciphertext) =>
      serializeContentInfo(
        oids.envelopedData,
        derSequence(
          derInteger(other ? 3 : plain ? 0 : 2),
          derSetOf(recipientInfos),
          encryptedContentInfo(serializeAlgorithmIdentifier(cipher.oid, derOctetString(iv)), [ciphertext]),
        ),
      ),
    );
  });
}

function sealGcm(
  content: readonly Uint8Array[],
  key: Uint8Array,
  { oid }: CipherFacts,
  recipientInfos: readonly DerPart[],
  crypto: CryptoProvider,
): MaybePromise<DerElement> {
  const nonce = crypto.randomBytes(12);
  const parameters = derSequence(derOctetString(nonce), derInteger(tagLength));
  return andThen(crypto.encryptAesGcm({ key, nonce, tagLength }, content), ({ ciphertext, tag }) =>
    serializeContentInfo(
      oids.authEnvelopedData,
      derSequence(
        derInteger(0),
        derSetOf(recipientInfos),
        encryptedContentInfo(serializeAlgorithmIdentifier(oid, parameters), ciphertext),
        derOctetString(tag),
      ),
    ),
  );
}

function encryptedContentInfo(algorithm: DerElement, ciphertext: readonly Uint8Array[]): DerElement {
  return derSequence(derOid(oids.data), algorithm, der(0x80, ...ciphertext));
}

function recipientInfo(
  { publicKey, identifier }: EncryptionRecipient,
  key: Uint8Array,
  { crypto, keyTransport = 'rsa-oaep' }: EncryptContentRequest,
): MaybePromise<DerElement> {
  if (publicKey.algorithm === 'rsa') return keyTransRecipientInfo(publicKey, identifier, key, keyTransport, crypto);
  if (publicKey.algorithm === 'ec' || publicKey.algorithm === 'x25519') {
    return keyAgreeRecipientInfo(publicKey, publicKey.algorithm, identifier, key, crypto);
  }
  if (publicKey.algorithm === 'ml-kem') {
    return andThen(crypto.encapsulate(publicKey), (encapsulated) => {
      if (encapsulated === undefined) throw unusableKey('the public key cannot encrypt');
      return kemRecipientInfo(publicKey.oid, identifier, encapsulated, key, crypto);
    });
  }
  throw unusableKey('this kind of key cannot be encrypted to');
}

function unusableKey(reason: string): E2eError {
  return new E2eError('ERR_E2E_NO_RECIPIENT_KEY', 'encrypt', { reason });
}

/** A certificate may hold numbers that are no RSA key, or one that is too short for the content-encryption key. */
function usable(operation: () => MaybePromise<Uint8Array>): MaybePromise<Uint8Array> {
  const refused = (error: unknown): never => {
    throw error instanceof E2eError ? error : unusableKey('the public key cannot encrypt');
  };
  try {
    const value = operation();
    return isPromise(value) ? value.catch(refused) : value;
  } catch (error) {
    return refused(error);
  }
}

const oaep = { hash: 'sha256', mgfHash: 'sha256' } as const;

function keyTransRecipientInfo(
  publicKey: PublicKey,
  identifier: CertificateIdentifier,
  key: Uint8Array,
  keyTransport: RsaKeyTransport,
  crypto: CryptoProvider,
): MaybePromise<DerElement> {
  const encrypted = usable(() =>
    keyTransport === 'rsa-oaep'
      ? crypto.encryptRsaOaep(publicKey, oaep, key)
      : crypto.encryptRsaPkcs1v15(publicKey, key),
  );
  const algorithm =
    keyTransport === 'rsa-oaep'
      ? serializeAlgorithmIdentifier(oids.rsaesOaep, serializeOaepParameters(oaep))
      : serializeAlgorithmIdentifier(oids.rsaEncryption, derNull);
  return andThen(encrypted, (encryptedKey) =>
    derSequence(
      derInteger(identifier.kind === 'key-identifier' ? 2 : 0),
      serializeCertificateIdentifier(identifier),
      algorithm,
      derOctetString(encryptedKey),
    ),
  );
}

function keyAgreeRecipientInfo(
  publicKey: PublicKey,
  algorithm: 'ec' | 'x25519',
  identifier: CertificateIdentifier,
  key: Uint8Array,
  crypto: CryptoProvider,
): MaybePromise<DerElement> {
  const scheme = derivationOids[publicKey.curve ?? 'x25519'];
  // RFC 3565 section 2.3.2: the parameters are absent, here and in SharedInfo.
  const keyInfo = serializeAlgorithmIdentifier(keyWrapOid(key.length));
  return andThen(crypto.agreeEphemeral(publicKey), (ephemeral) => {
    if (ephemeral === undefined) throw unusableKey('the public key is no point of its curve');
    const { secret, publicPoint } = ephemeral;
    const derivation = keyDerivationByOid.get(scheme)!;
    const kek = deriveKeyEncryptionKey(crypto, { secret, derivation, keyInfo, keyLength: key.length, ukm: undefined });
    const wrapped = andThen(kek, (value) => crypto.wrapKey(value, key));
    return andThen(wrapped, (encryptedKey) =>
      der(
        0xa1,
        derInteger(3),
        derContext(0, derContext(1, keyAlgorithmIdentifier(algorithm, publicKey.curve), derBitString(publicPoint))),
        serializeAlgorithmIdentifier(scheme, keyInfo),
        derSequence(derSequence(keyAgreeIdentifier(identifier), derOctetString(encryptedKey))),
      ),
    );
  });
}

/** RecipientKeyIdentifier is a SEQUENCE here, where the other structures have the bare key identifier. */
function keyAgreeIdentifier(identifier: CertificateIdentifier): DerElement {
  if (identifier.kind === 'key-identifier') return derContext(0, derOctetString(identifier.keyIdentifier));
  return serializeCertificateIdentifier(identifier);
}
