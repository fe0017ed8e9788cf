/** Names of OpenPGP algorithm numbers (RFC 4880 section 9, RFC 9580 section 9). */

const hashes: Readonly<Record<number, string>> = {
  1: 'md5',
  2: 'sha1',
  3: 'ripemd160',
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
  11: 'sha224',
  12: 'sha3-256',
  14: 'sha3-512',
};

const ciphers: Readonly<Record<number, string>> = {
  1: 'idea',
  2: '3des',
  3: 'cast5',
  4: 'blowfish',
  7: 'aes128',
  8: 'aes192',
  9: 'aes256',
  10: 'twofish',
};

const aeads: Readonly<Record<number, string>> = { 1: 'eax', 2: 'ocb', 3: 'gcm' };

/** Names of {@link EncryptionInfo.keyTransport}. */
const transports: Readonly<Record<number, string>> = {
  1: 'rsa-pkcs1v15',
  2: 'rsa-pkcs1v15',
  16: 'elgamal',
  18: 'ecdh',
  25: 'x25519',
  26: 'x448',
};

/** For example `sha512`; also the second half of a `micalg` (RFC 3156 section 5). */
export function hashName(id: number | null): string {
  return hashes[id ?? 0] ?? `hash${id ?? 0}`;
}

/** For example `aes256`. */
export function cipherName(id: number): string {
  return ciphers[id] ?? `cipher${id}`;
}

/** For example `gcm`. */
export function aeadName(id: number): string {
  return aeads[id] ?? `aead${id}`;
}

/** For example `ecdh`, `rsa-pkcs1v15`. */
export function transportName(id: number): string {
  return transports[id] ?? `public-key${id}`;
}

/** Octets of a session key; undefined for ciphers that are not used here. */
export function keyLength(cipher: number): number | undefined {
  return ({ 7: 16, 8: 24, 9: 32 } as Readonly<Record<number, number>>)[cipher];
}
