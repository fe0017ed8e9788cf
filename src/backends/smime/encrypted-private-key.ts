/**
 * Passphrase-protected private keys: EncryptedPrivateKeyInfo with PBES2 (RFC 5958 section 3, RFC 8018 section 6.2 and
 * appendix A.4), as `openssl pkcs8 -topk8` writes them.
 *
 *     EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm AlgorithmIdentifier, encryptedData OCTET STRING }
 *     PBES2-params  ::= SEQUENCE { keyDerivationFunc AlgorithmIdentifier, encryptionScheme AlgorithmIdentifier }
 *     PBKDF2-params ::= SEQUENCE { salt OCTET STRING, iterationCount INTEGER, keyLength INTEGER OPTIONAL,
 *                                  prf AlgorithmIdentifier DEFAULT hmacWithSHA1 }
 */

import { parseAlgorithmIdentifier, serializeAlgorithmIdentifier } from '../../asn1/algorithm-identifier.ts';
import { oids } from '../../asn1/oids.ts';
import { parseDer, tags } from '../../asn1/reader.ts';
import { octetString, smallInteger } from '../../asn1/values.ts';
import { derInteger, derNull, derOctetString, derSequence, encodeDer } from '../../asn1/writer.ts';
import { utf8 } from '../../bytes.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';

const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';
const hmacWithSha256 = '1.2.840.113549.2.9';
const pseudoRandomFunctions: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.7', 'SHA-1'],
  [hmacWithSha256, 'SHA-256'],
  ['1.2.840.113549.2.10', 'SHA-384'],
  ['1.2.840.113549.2.11', 'SHA-512'],
]);
const keyLengths: ReadonlyMap<string, number> = new Map([
  [oids.aes128Cbc, 16],
  [oids.aes192Cbc, 24],
  [oids.aes256Cbc, 32],
]);

/** A file can ask for any number; this is some seconds. */
const mostIterations = 10_000_000;
const iterationsWritten = 600_000;

/**
 * Decrypts a private key.
 *
 * @param der EncryptedPrivateKeyInfo
 * @returns PKCS #8
 * @throws {E2eError} MALFORMED, LIMIT; UNSUPPORTED for schemes other than PBES2 with PBKDF2 and AES-CBC;
 * KEY_UNAVAILABLE for a wrong passphrase
 */
export async function decryptPrivateKey(
  der: Uint8Array,
  passphrase: string,
  limits: Limits,
  crypto: CryptoProvider,
): Promise<Uint8Array> {
  const outer = parseDer(der, { limits }).sequence();
  const scheme = parseAlgorithmIdentifier(outer.expect(tags.sequence));
  const encrypted = octetString(outer.expect(tags.octetString));
  outer.end();
  if (scheme.oid !== pbes2 || scheme.parameters === undefined) throw unsupported();
  const parameters = scheme.parameters.sequence();
  const derivation = parseAlgorithmIdentifier(parameters.expect(tags.sequence));
  const cipher = parseAlgorithmIdentifier(parameters.expect(tags.sequence));
  parameters.end();
  const keyLength = keyLengths.get(cipher.oid);
  if (derivation.oid !== pbkdf2 || derivation.parameters === undefined) throw unsupported();
  if (keyLength === undefined || cipher.parameters?.tag !== tags.octetString) throw unsupported();
  const iv = octetString(cipher.parameters);
  if (iv.length !== 16) throw cipher.node.malformed('length of an initialization vector');

  const inside = derivation.parameters.sequence();
  const salt = octetString(inside.expect(tags.octetString));
  const iterations = smallInteger(inside.expect(tags.integer));
  const lengthNode = inside.optional(tags.integer);
  const prfNode = inside.optional(tags.sequence);
  inside.end();
  if (lengthNode !== undefined && smallInteger(lengthNode) !== keyLength) throw lengthNode.malformed('key length');
  const hash = prfNode === undefined ? 'SHA-1' : pseudoRandomFunctions.get(parseAlgorithmIdentifier(prfNode).oid);
  if (hash === undefined) throw unsupported();
  if (iterations < 1 || iterations > mostIterations) {
    throw new E2eError('ERR_E2E_LIMIT', 'parse', { reason: 'iterations of a key derivation' });
  }
  const key = await derive(passphrase, hash, salt, iterations, keyLength);
  const pkcs8 = await crypto.decryptAesCbc(key, iv, encrypted);
  // One passphrase in 256 or so gives a correct padding: only a key inside proves it.
  if (pkcs8 === undefined || !isSequence(pkcs8, limits)) {
    throw new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'parse', { reason: 'wrong passphrase' });
  }
  return pkcs8;
}

/** Whether octets are one SEQUENCE from the first to the last: of noise, one in 256 begins like one. */
function isSequence(octets: Uint8Array, limits: Limits): boolean {
  try {
    return parseDer(octets, { limits }).tag === tags.sequence;
  } catch {
    return false;
  }
}

/**
 * Encrypts a private key with AES-256-CBC and PBKDF2 with HMAC-SHA-256. Inverse of {@link decryptPrivateKey}.
 *
 * @param pkcs8 PKCS #8
 * @param passphrase not empty
 * @returns EncryptedPrivateKeyInfo
 */
export async function encryptPrivateKey(
  pkcs8: Uint8Array,
  passphrase: string,
  crypto: CryptoProvider,
  iterations: number = iterationsWritten,
): Promise<Uint8Array> {
  if (passphrase === '') throw new RangeError('empty passphrase');
  const salt = crypto.randomBytes(16);
  const iv = crypto.randomBytes(16);
  const key = await derive(passphrase, 'SHA-256', salt, iterations, 32);
  const encrypted = await crypto.encryptAesCbc(key, iv, pkcs8);
  const derivation = derSequence(
    derOctetString(salt),
    derInteger(iterations),
    serializeAlgorithmIdentifier(hmacWithSha256, derNull),
  );
  const parameters = derSequence(
    serializeAlgorithmIdentifier(pbkdf2, derivation),
    serializeAlgorithmIdentifier(oids.aes256Cbc, derOctetString(iv)),
  );
  return encodeDer(derSequence(serializeAlgorithmIdentifier(pbes2, parameters), derOctetString(encrypted)));
}

async function derive(
  passphrase: string,
  hash: string,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Uint8Array> {
  const { subtle } = globalThis.crypto;
  const secret = await subtle.importKey('raw', utf8(passphrase).slice(), 'PBKDF2', false, ['deriveBits']);
  const bits = await subtle.deriveBits({ name: 'PBKDF2', hash, salt: salt.slice(), iterations }, secret, length * 8);
  return new Uint8Array(bits);
}

function unsupported(): E2eError {
  return new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason: 'encryption of a private key' });
}
