/** Content-encryption, key-wrap and key-agreement algorithms of CMS by their identifiers. */

import { oids } from '../asn1/oids.ts';
import type { HashName } from '../crypto/provider.ts';

/**
 * Content ciphers: AES-CBC (RFC 3565), triple DES (RFC 3370 section 5.1) and AES-GCM (RFC 5084).
 */
export type ContentCipher =
  'aes128-cbc' | 'aes192-cbc' | 'aes256-cbc' | 'des-ede3-cbc' | 'aes128-gcm' | 'aes192-gcm' | 'aes256-gcm';

/** What a content cipher needs. */
export interface CipherFacts {
  readonly name: ContentCipher;
  /** Dotted decimal. */
  readonly oid: string;
  readonly mode: 'cbc' | 'gcm';
  /** Octets. */
  readonly keyLength: number;
  /** Octets of a block; the initialization vector of CBC is as long. */
  readonly blockLength: number;
}

function cipher(name: ContentCipher, oid: string, keyLength: number, blockLength = 16): CipherFacts {
  return { name, oid, mode: name.endsWith('gcm') ? 'gcm' : 'cbc', keyLength, blockLength };
}

/** Every content cipher by name. */
export const ciphers: Readonly<Record<ContentCipher, CipherFacts>> = {
  'aes128-cbc': cipher('aes128-cbc', oids.aes128Cbc, 16),
  'aes192-cbc': cipher('aes192-cbc', oids.aes192Cbc, 24),
  'aes256-cbc': cipher('aes256-cbc', oids.aes256Cbc, 32),
  'des-ede3-cbc': cipher('des-ede3-cbc', oids.desEde3Cbc, 24, 8),
  'aes128-gcm': cipher('aes128-gcm', oids.aes128Gcm, 16),
  'aes192-gcm': cipher('aes192-gcm', oids.aes192Gcm, 24),
  'aes256-gcm': cipher('aes256-gcm', oids.aes256Gcm, 32),
};

/** Every content cipher by dotted decimal. */
export const cipherByOid: ReadonlyMap<string, CipherFacts> = new Map(
  Object.values(ciphers).map((facts) => [facts.oid, facts] as const),
);

/** A key wrap: AES (RFC 3565 section 2.3.2) or triple DES (RFC 3217). */
export interface KeyWrap {
  readonly cipher: 'aes' | 'des-ede3';
  /** Octets of the key-encryption key. */
  readonly keyLength: number;
}

/** Key wraps by dotted decimal. */
export const keyWrapByOid: ReadonlyMap<string, KeyWrap> = new Map<string, KeyWrap>([
  [oids.aes128Wrap, { cipher: 'aes', keyLength: 16 }],
  [oids.aes192Wrap, { cipher: 'aes', keyLength: 24 }],
  [oids.aes256Wrap, { cipher: 'aes', keyLength: 32 }],
  [oids.tripleDesWrap, { cipher: 'des-ede3', keyLength: 24 }],
]);

/**
 * The AES key wrap for a content-encryption key.
 *
 * @param keyLength 16, 24 or 32 octets: both keys are of one size (RFC 8551 section 2.7)
 */
export function keyWrapOid(keyLength: number): string {
  return keyLength === 16 ? oids.aes128Wrap : keyLength === 24 ? oids.aes192Wrap : oids.aes256Wrap;
}

/** How a shared secret becomes a key-encryption key: ANSI X9.63 (RFC 5753 section 7.2) or HKDF (RFC 8418 section 2.2). */
export interface KeyDerivation {
  readonly kind: 'x963' | 'hkdf';
  readonly hash: HashName;
}

/** The hashes of HKDF, which derives a key-encryption key from an encapsulated secret (RFC 8619), by dotted decimal. */
export const hkdfHashByOid: ReadonlyMap<string, HashName> = new Map<string, HashName>([
  [oids.hkdfWithSha256, 'sha256'],
  [oids.hkdfWithSha384, 'sha384'],
  [oids.hkdfWithSha512, 'sha512'],
]);

/** One-pass Diffie-Hellman schemes by dotted decimal. */
export const keyDerivationByOid: ReadonlyMap<string, KeyDerivation> = new Map<string, KeyDerivation>([
  [oids.dhSinglePassStdDhSha1Kdf, { kind: 'x963', hash: 'sha1' }],
  [oids.dhSinglePassStdDhSha256Kdf, { kind: 'x963', hash: 'sha256' }],
  [oids.dhSinglePassStdDhSha384Kdf, { kind: 'x963', hash: 'sha384' }],
  [oids.dhSinglePassStdDhSha512Kdf, { kind: 'x963', hash: 'sha512' }],
  [oids.dhSinglePassStdDhHkdfSha256, { kind: 'hkdf', hash: 'sha256' }],
  [oids.dhSinglePassStdDhHkdfSha384, { kind: 'hkdf', hash: 'sha384' }],
  [oids.dhSinglePassStdDhHkdfSha512, { kind: 'hkdf', hash: 'sha512' }],
]);
