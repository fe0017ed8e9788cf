/**
 * Decryption of EnvelopedData and AuthEnvelopedData (RFC 5652 sections 6.3 and 6.4, RFC 5083 section 2.3).
 *
 * From the first use of a private key every fault has one outcome, DECRYPTION_FAILED, reached over one way: where the
 * content-encryption key cannot be recovered, the work goes on with a random one (RFC 3218 section 2.3.2). Neither the
 * error nor the time then tells a wrong key from a wrong padding (Bleichenbacher, Manger, Vaudenay).
 */

import type { AlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { derNull, derOid, derSequence, type DerPart } from '../asn1/writer.ts';
import { andThen, isPromise } from '../crypto/maybe-promise.ts';
import type { CryptoFeature, CryptoProvider, MaybePromise, OaepParameters, PrivateKey } from '../crypto/provider.ts';
import { E2eError } from '../errors.ts';
import type { Enveloped } from './enveloped-data.ts';
import { type KemScheme, deriveKemKey } from './kem-recipient.ts';
import { deriveKeyEncryptionKey } from './key-agreement.ts';
import type { KeyAgreementScheme, KeyTransportRecipient, Recipient } from './recipients.ts';

/** A private key that is elsewhere. Whatever it throws, but for KEY_UNAVAILABLE, counts as a key that does not fit. */
export interface DecryptionFunctions {
  /** Recovers an RSA-transported key. */
  readonly decryptKey?:
    ((encryptedKey: Uint8Array, parameters: OaepParameters) => MaybePromise<Uint8Array>) | undefined;
  /** The raw shared secret with a peer's public point. */
  readonly agree?: ((publicPoint: Uint8Array) => MaybePromise<Uint8Array>) | undefined;
}

/** What to decrypt. */
export interface DecryptRequest {
  readonly enveloped: Enveloped;
  /** One of those in `enveloped`. */
  readonly recipient: Recipient;
  readonly privateKey: PrivateKey | DecryptionFunctions;
  readonly crypto: CryptoProvider;
}

/** Which old algorithms may be decrypted. */
export interface DecryptionPolicy {
  readonly rsaPkcs1v15: boolean;
  readonly cbc: boolean;
  readonly tripleDes: boolean;
}

/**
 * Refuses what a policy does not take, before a private key is used.
 *
 * @throws {E2eError} WEAK_ALGORITHM with `encryption`
 */
export function assertDecryptionAllowed(enveloped: Enveloped, recipient: Recipient, policy: DecryptionPolicy): void {
  const { cipher, encryption } = enveloped;
  const scheme = recipient.scheme;
  const reason =
    cipher.name === 'des-ede3-cbc' && !policy.tripleDes
      ? 'triple DES'
      : cipher.mode === 'cbc' && !policy.cbc
        ? 'CBC'
        : scheme !== undefined && 'name' in scheme && scheme.name === 'rsa-pkcs1v15' && !policy.rsaPkcs1v15
          ? 'RSAES-PKCS1-v1_5'
          : scheme !== undefined && 'wrap' in scheme && scheme.wrap.cipher === 'des-ede3' && !policy.tripleDes
            ? 'triple DES key wrap'
            : undefined;
  if (reason !== undefined) throw new E2eError('ERR_E2E_WEAK_ALGORITHM', 'decrypt', { reason, encryption });
}

/**
 * Decrypts.
 *
 * @returns the content: at most `limits.decryptedBytes` octets; of CBC it may be anything until a signature is verified
 * @throws {E2eError} UNSUPPORTED before the private key is used; KEY_UNAVAILABLE from a key that is elsewhere;
 * DECRYPTION_FAILED for everything else, always alike
 */
export function decryptEnveloped(request: DecryptRequest): MaybePromise<Uint8Array> {
  const { enveloped, crypto } = request;
  assertDecryptionSupported(request);
  // Drawn whether it is needed or not, so that its cost tells nothing.
  const replacement = crypto.randomBytes(enveloped.cipher.keyLength);
  return andThen(
    settled(() => recoverKey(request)),
    (recovered) =>
      decryptContent(enveloped, recovered?.length === replacement.length ? recovered : replacement, crypto),
  );
}

/**
 * Decrypts the content with its key.
 *
 * @param key as long as the cipher needs
 * @throws {E2eError} DECRYPTION_FAILED
 */
export function decryptContent(
  enveloped: Enveloped,
  key: Uint8Array,
  crypto: CryptoProvider,
): MaybePromise<Uint8Array> {
  const { encryption, decryptedBytes } = enveloped;
  return andThen(
    settled(() => runCipher(enveloped, key, crypto)),
    (content) => {
      if (content !== undefined && content.length <= decryptedBytes) return content;
      throw new E2eError('ERR_E2E_DECRYPTION_FAILED', 'decrypt', { encryption });
    },
  );
}

function runCipher(
  { cipher, iv, ciphertext, tag, additionalData }: Enveloped,
  key: Uint8Array,
  crypto: CryptoProvider,
): MaybePromise<Uint8Array | undefined> {
  if (tag !== undefined) {
    return crypto.decryptAesGcm({ key, nonce: iv, additionalData, tagLength: tag.length }, ciphertext, tag);
  }
  if (cipher.name === 'des-ede3-cbc') return crypto.decryptTripleDesCbc(key, iv, ciphertext);
  return crypto.decryptAesCbc(key, iv, ciphertext);
}

/** Whatever goes wrong in there is no value; a locked key and a caller's mistake go through. */
function settled(operation: () => MaybePromise<Uint8Array | undefined>): MaybePromise<Uint8Array | undefined> {
  try {
    const value = operation();
    return isPromise(value) ? value.catch(swallow) : value;
  } catch (error) {
    swallow(error);
    return undefined;
  }
}

function swallow(error: unknown): undefined {
  if (!(error instanceof E2eError) || error.code === 'ERR_E2E_KEY_UNAVAILABLE') throw error;
}

function isLocal(key: PrivateKey | DecryptionFunctions): key is PrivateKey {
  return 'pkcs8' in key;
}

/**
 * Refuses what the key or the runtime cannot do. It is seen without a private key, so that it may be told.
 *
 * @throws {E2eError} UNSUPPORTED with `encryption`
 */
export function assertDecryptionSupported({ enveloped, recipient, privateKey, crypto }: DecryptRequest): void {
  const { encryption, cipher } = enveloped;
  const needed: CryptoFeature[] = [];
  if (cipher.name === 'des-ede3-cbc') needed.push('triple-des');
  else if (cipher.keyLength === 24) needed.push('aes192');
  let fits = recipient.scheme !== undefined;
  if (recipient.kind === 'kem') {
    needed.push('ml-kem');
    fits &&= isLocal(privateKey) && privateKey.oid === recipient.scheme?.kem;
  } else if (recipient.scheme === undefined) {
    fits = false;
  } else if (recipient.kind === 'key-transport') {
    const { scheme } = recipient;
    if (isLocal(privateKey)) {
      fits = privateKey.algorithm === 'rsa';
      if (scheme.name === 'rsa-pkcs1v15') needed.push('rsa-pkcs1v15-decrypt');
      else if (scheme.hash !== scheme.mgfHash) needed.push('oaep-mixed-hash');
    } else fits = privateKey.decryptKey !== undefined && scheme.name === 'rsa-oaep';
  } else {
    const { scheme } = recipient;
    if (scheme.wrap.cipher === 'des-ede3') needed.push('triple-des');
    else if (scheme.wrap.keyLength === 24) needed.push('aes192');
    if (isLocal(privateKey)) {
      const sameCurve = scheme.curve === undefined || scheme.curve === privateKey.curve;
      fits = privateKey.algorithm === scheme.algorithm && sameCurve;
      if (scheme.algorithm === 'x25519') needed.push('x25519');
    } else fits = privateKey.agree !== undefined;
  }
  if (fits && needed.every((feature) => crypto.supports(feature))) return;
  throw new E2eError('ERR_E2E_UNSUPPORTED', 'decrypt', { reason: 'key encryption of the recipient', encryption });
}

function recoverKey(request: DecryptRequest): MaybePromise<Uint8Array | undefined> {
  const { recipient } = request;
  if (recipient.kind === 'kem') return decapsulatedKey(request, recipient.scheme!, recipient.encryptedKey);
  return recipient.kind === 'key-transport'
    ? transportedKey(request, recipient)
    : agreedKey(request, recipient.scheme!, recipient.encryptedKey);
}

function transportedKey(
  { privateKey, crypto, enveloped }: DecryptRequest,
  { scheme, encryptedKey }: KeyTransportRecipient,
): MaybePromise<Uint8Array | undefined> {
  if (!isLocal(privateKey)) return external(() => privateKey.decryptKey!(encryptedKey, scheme as OaepParameters));
  if (scheme!.name === 'rsa-pkcs1v15') {
    return crypto.decryptRsaPkcs1v15(privateKey, encryptedKey, enveloped.cipher.keyLength);
  }
  return crypto.decryptRsaOaep(privateKey, scheme!, encryptedKey);
}

/** A card's own words for a fault would be an oracle. */
function external(operation: () => MaybePromise<Uint8Array>): MaybePromise<Uint8Array | undefined> {
  const locked = (error: unknown): undefined => {
    if (error instanceof E2eError) throw error;
  };
  try {
    const value = operation();
    return isPromise(value) ? value.catch(locked) : value;
  } catch (error) {
    locked(error);
    return undefined;
  }
}

function agreedKey(
  { privateKey, crypto }: DecryptRequest,
  scheme: KeyAgreementScheme,
  encryptedKey: Uint8Array,
): MaybePromise<Uint8Array | undefined> {
  const { publicPoint, wrapAlgorithm } = scheme;
  const secret = isLocal(privateKey)
    ? crypto.agree(privateKey, publicPoint)
    : external(() => privateKey.agree!(publicPoint));
  return andThen(secret, (shared) => {
    if (shared === undefined) return undefined;
    return andThen(unwrap(shared, scheme, wrapAlgorithm.node.raw, encryptedKey, crypto), (key) =>
      // RFC 5753 section 7.2: the key wrap in SharedInfo has the parameters that it has in the message. Some have put
      // NULL in one of the two places.
      key === undefined ? unwrap(shared, scheme, otherForm(wrapAlgorithm), encryptedKey, crypto) : key,
    );
  });
}

function decapsulatedKey(
  { privateKey, crypto }: DecryptRequest,
  { ciphertext, hash, keyLength, wrapAlgorithm, ukm }: KemScheme,
  encryptedKey: Uint8Array,
): MaybePromise<Uint8Array | undefined> {
  if (!isLocal(privateKey)) return undefined;
  return andThen(crypto.decapsulate(privateKey, ciphertext), (secret) => {
    if (secret === undefined) return undefined;
    const kek = deriveKemKey(crypto, secret, { hash, keyLength, ukm, wrap: wrapAlgorithm.node.raw });
    return andThen(kek, (value) => crypto.unwrapKey(value, encryptedKey));
  });
}

function otherForm({ oid, parameters }: AlgorithmIdentifier): DerPart {
  return parameters === undefined ? derSequence(derOid(oid), derNull) : derSequence(derOid(oid));
}

function unwrap(
  secret: Uint8Array,
  { derivation, wrap, ukm }: KeyAgreementScheme,
  keyInfo: DerPart,
  encryptedKey: Uint8Array,
  crypto: CryptoProvider,
): MaybePromise<Uint8Array | undefined> {
  const { keyLength } = wrap;
  return andThen(deriveKeyEncryptionKey(crypto, { secret, derivation, keyInfo, keyLength, ukm }), (kek) =>
    wrap.cipher === 'aes' ? crypto.unwrapKey(kek, encryptedKey) : crypto.unwrapTripleDesKey(kek, encryptedKey),
  );
}
