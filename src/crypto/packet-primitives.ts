/**
 * What OpenPGP packets need of a runtime beyond `CryptoProvider`: CFB mode, and signatures over a digest that is known
 * already, since a signature packet carries its first octets (RFC 9580 section 5.2.3). A provider without them, as in
 * browsers, leaves such packets to openpgp.js.
 */

import type { PrivateKey } from './private-key.ts';
import type { HashName, MaybePromise } from './provider.ts';
import type { PublicKey } from './public-key.ts';

/** What a signature is made over. */
export interface Digested {
  readonly hash: Exclude<HashName, 'sha1'>;
  /** The digest of the chunks one after the other. */
  readonly digest: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}

/** The primitives, all of which answer at once but for signing with long RSA keys. */
export interface PacketPrimitives {
  /**
   * AES in full-block CFB mode with an initialization vector of zeros (RFC 9580 section 12.8).
   *
   * @param key 16, 24 or 32 octets
   */
  encryptAesCfb(key: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Inverse of {@link PacketPrimitives.encryptAesCfb}: without integrity, it always gives something. */
  decryptAesCfb(key: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  /**
   * RSASSA-PKCS1-v1_5, ECDSA as r and s of the length of the field, or Ed25519 over the digest.
   *
   * @returns undefined for a key that cannot sign
   */
  signDigested(key: PrivateKey, digested: Digested): MaybePromise<Uint8Array> | undefined;
  /**
   * Whether a signature of the forms of {@link PacketPrimitives.signDigested} fits.
   *
   * @returns false too for a key that cannot verify
   */
  verifyDigested(key: PublicKey, digested: Digested, signature: Uint8Array): boolean;
}
