/**
 * The interface of cryptographic primitives, and nothing of any format but keys in SubjectPublicKeyInfo and PKCS #8.
 *
 * Node answers at once, WebCrypto later: an operation returns `T | Promise<T>`, and a caller awaits only promises, so
 * that small operations on Node cost no turn of the event loop. Outcomes that depend on data (a signature that does
 * not fit, a ciphertext that does not decrypt) are return values; throwing is for wrong arguments and, as
 * ERR_E2E_UNSUPPORTED, for what the runtime lacks.
 */

import type { PacketPrimitives } from './packet-primitives.ts';
import type { MlDsaParameterSet, MlKemParameterSet } from './lattice-keys.ts';
import type { PrivateKey } from './private-key.ts';
import type { Curve, PublicKey } from './public-key.ts';

export type { Curve, PublicKey } from './public-key.ts';
export type { PrivateKey } from './private-key.ts';

/** A value now or later. */
export type MaybePromise<T> = T | Promise<T>;

/** The digests. SHA-1 is for reading old messages and for key identifiers. */
export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** How a signature is made. */
export type SignatureAlgorithm =
  | { readonly scheme: 'rsa-pkcs1v15'; readonly hash: HashName }
  /** MGF1 uses the same hash. `saltLength` in octets. */
  | { readonly scheme: 'rsa-pss'; readonly hash: HashName; readonly saltLength: number }
  /** ECDSA-Sig-Value in DER on both sides (RFC 3279 section 2.2.3). */
  | { readonly scheme: 'ecdsa'; readonly hash: HashName }
  /** Pure Ed25519 (RFC 8032): no prehash. */
  | { readonly scheme: 'ed25519' }
  /** ML-DSA (FIPS 204) with an empty context, where the runtime has it. */
  | { readonly scheme: 'ml-dsa'; readonly parameterSet: MlDsaParameterSet };

/** RSAES-OAEP (RFC 8017 section 7.1) with an empty label. */
export interface OaepParameters {
  readonly hash: HashName;
  readonly mgfHash: HashName;
}

/** One AES-GCM operation. */
export interface GcmParameters {
  /** 16, 24 or 32 octets. */
  readonly key: Uint8Array;
  /** 12 octets. */
  readonly nonce: Uint8Array;
  readonly additionalData?: Uint8Array | undefined;
  /** 12 to 16 octets. */
  readonly tagLength: number;
}

/** One AES-OCB operation with a tag of 16 octets (RFC 7253). */
export interface OcbParameters {
  /** 16, 24 or 32 octets. */
  readonly key: Uint8Array;
  /** 1 to 15 octets. */
  readonly nonce: Uint8Array;
  readonly additionalData?: Uint8Array | undefined;
}

/** The public half of an ephemeral key agreement with its result. */
export interface EphemeralAgreement {
  /** Uncompressed point, or the 32 octets of X25519. */
  readonly publicPoint: Uint8Array;
  /** The x-coordinate, or the output of X25519. */
  readonly secret: Uint8Array;
}

/** What the sender's side of a key encapsulation gives. */
export interface Encapsulation {
  /** For the recipient. */
  readonly ciphertext: Uint8Array;
  /** 32 octets. */
  readonly secret: Uint8Array;
}

/** What key pair to make. */
export type KeyPairKind =
  | { readonly algorithm: 'rsa'; readonly bits: number }
  | { readonly algorithm: 'ec'; readonly curve: Curve }
  | { readonly algorithm: 'ed25519' }
  | { readonly algorithm: 'x25519' }
  | { readonly algorithm: 'ml-dsa'; readonly parameterSet: MlDsaParameterSet }
  | { readonly algorithm: 'ml-kem'; readonly parameterSet: MlKemParameterSet };

/** A key pair whose halves export as `publicKey.spki` and `privateKey.pkcs8`. */
export interface KeyPair {
  readonly publicKey: PublicKey;
  readonly privateKey: PrivateKey;
}

/** What a runtime may lack. */
export type CryptoFeature =
  | 'rsa-pkcs1v15-encrypt'
  | 'rsa-pkcs1v15-decrypt'
  /** OAEP whose MGF1 hash differs from its hash. */
  | 'oaep-mixed-hash'
  | 'triple-des'
  /** AES with 192-bit keys. */
  | 'aes192'
  | 'aes-ocb'
  | 'ed25519'
  | 'x25519'
  | 'ml-dsa'
  /** ML-DSA as far as verification: Node 22 makes no such signatures. */
  | 'ml-dsa-verify'
  | 'ml-kem';

/**
 * The primitives. Keys are plain data: a provider keeps its own imported form beside them, so one object should be
 * used for all operations with one key.
 *
 * Every method throws E2eError UNSUPPORTED, at once or by its promise, for what the runtime lacks.
 */
export interface CryptoProvider {
  readonly name: string;
  /** Whether the runtime can do it; for Ed25519, X25519, ML-DSA and ML-KEM in WebCrypto, whether it is likely to. */
  supports(feature: CryptoFeature): boolean;
  /** @param length 0 to 65536 octets */
  randomBytes(length: number): Uint8Array;
  /** The digest of the chunks one after the other. */
  digest(hash: HashName, ...chunks: readonly Uint8Array[]): MaybePromise<Uint8Array>;
  /** HMAC (RFC 2104). */
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): MaybePromise<Uint8Array>;
  /** HKDF, extract and expand (RFC 5869). An empty salt stands for the hash length in zeros. */
  hkdf(
    hash: HashName,
    secret: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    length: number,
  ): MaybePromise<Uint8Array>;
  /** @throws {TypeError} when the scheme does not fit the key */
  sign(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): MaybePromise<Uint8Array>;
  /**
   * Whether the signature fits. False too for a key or signature that is out of shape, an ECDSA signature that is not
   * DER, and a scheme that does not fit the key.
   */
  verify(key: PublicKey, algorithm: SignatureAlgorithm, data: Uint8Array, signature: Uint8Array): MaybePromise<boolean>;
  /** @throws {TypeError} when `data` is too long for the key */
  encryptRsaOaep(key: PublicKey, parameters: OaepParameters, data: Uint8Array): MaybePromise<Uint8Array>;
  /** @returns undefined when it does not decrypt */
  decryptRsaOaep(
    key: PrivateKey,
    parameters: OaepParameters,
    ciphertext: Uint8Array,
  ): MaybePromise<Uint8Array | undefined>;
  /** RSAES-PKCS1-v1_5 (RFC 8017 section 7.2): what RFC 3923 section 6.10 demands. */
  encryptRsaPkcs1v15(key: PublicKey, data: Uint8Array): MaybePromise<Uint8Array>;
  /**
   * RSAES-PKCS1-v1_5 with implicit rejection: always gives `length` octets, which for a wrong padding or another
   * length are pseudo-random, the same ones for the same ciphertext (RFC 3218 section 2.3.2; RFC 8551 section 6).
   * Runs in constant shape, so that neither time nor result tells which it was (Bleichenbacher).
   *
   * @param length octets of the content-encryption key
   */
  decryptRsaPkcs1v15(key: PrivateKey, ciphertext: Uint8Array, length: number): MaybePromise<Uint8Array>;
  /**
   * ECDH (the x-coordinate, SEC 1 section 3.3.1) or X25519 with a peer's public point.
   *
   * @returns undefined for a point that is off the curve, of another length, compressed, or gives zero (RFC 7748 section 6.1)
   */
  agree(key: PrivateKey, publicPoint: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /**
   * The sender's side of {@link CryptoProvider.agree}, with a fresh key.
   *
   * @returns undefined when the peer's key is no usable point
   */
  agreeEphemeral(peer: PublicKey): MaybePromise<EphemeralAgreement | undefined>;
  /**
   * ML-KEM.Encaps (FIPS 203 section 7.2).
   *
   * @returns undefined when the peer's key is no usable one
   */
  encapsulate(peer: PublicKey): MaybePromise<Encapsulation | undefined>;
  /**
   * ML-KEM.Decaps (FIPS 203 section 7.3): for a ciphertext that was not made for the key it gives pseudo-random octets.
   *
   * @returns undefined for a ciphertext of another length, and for another kind of key
   */
  decapsulate(key: PrivateKey, ciphertext: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /** AES key wrap (RFC 3394). */
  wrapKey(kek: Uint8Array, key: Uint8Array): MaybePromise<Uint8Array>;
  /** @returns undefined when the integrity check fails or the length is not possible */
  unwrapKey(kek: Uint8Array, wrapped: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /**
   * AES-GCM (NIST SP 800-38D).
   *
   * @param plaintext one piece after the other
   * @returns a ciphertext that may be in other pieces
   */
  encryptAesGcm(
    parameters: GcmParameters,
    plaintext: readonly Uint8Array[],
  ): MaybePromise<{ readonly ciphertext: readonly Uint8Array[]; readonly tag: Uint8Array }>;
  /** @returns undefined when the tag does not fit */
  decryptAesGcm(
    parameters: GcmParameters,
    ciphertext: Uint8Array,
    tag: Uint8Array,
  ): MaybePromise<Uint8Array | undefined>;
  /** AES-OCB (RFC 7253). @returns the ciphertext with its tag behind it */
  encryptAesOcb(parameters: OcbParameters, plaintext: Uint8Array): MaybePromise<Uint8Array>;
  /**
   * @param ciphertext with its tag behind it
   * @returns undefined when the tag does not fit
   */
  decryptAesOcb(parameters: OcbParameters, ciphertext: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /** AES-CBC with PKCS #7 padding (RFC 5652 section 6.3). */
  encryptAesCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): MaybePromise<Uint8Array>;
  /** @returns undefined when the length or the padding is wrong */
  decryptAesCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /** Triple DES with three keys in CBC mode. @returns undefined when the length or the padding is wrong */
  decryptTripleDesCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /** Triple DES key unwrap (RFC 3217 section 3.2). @returns undefined when the integrity check fails */
  unwrapTripleDesKey(kek: Uint8Array, wrapped: Uint8Array): MaybePromise<Uint8Array | undefined>;
  generateKeyPair(kind: KeyPairKind): MaybePromise<KeyPair>;
  /** What OpenPGP packets need more, where the runtime has it. */
  readonly packets?: PacketPrimitives | undefined;
}
