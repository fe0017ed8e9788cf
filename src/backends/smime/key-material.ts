/**
 * My own keys: private keys and certificates of one identity, paired by public key, and the choice among them by key
 * usage and algorithm (RFC 8550 section 4.4.2; RFC 8410: Ed25519 signs, X25519 decrypts; RFC 9881: ML-DSA signs,
 * RFC 9935: ML-KEM decrypts).
 */

import { equalBytes } from '../../bytes.ts';
import type { ExternalPrivateKey, StoredIdentity } from '../backend.ts';
import { parseDer, tags } from '../../asn1/reader.ts';
import { octetString, smallInteger, unsignedOctets } from '../../asn1/values.ts';
import { defaultSignatureAlgorithm } from '../../cms/sign.ts';
import type { CryptoProvider, PrivateKey, PublicKey } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { type Certificate } from '../../x509/certificate.ts';
import { parsePemOrDer } from '../../x509/pem.ts';
import { readCertificates } from './certificate-file.ts';
import { readPrivateKeys } from './private-key-file.ts';

/** A private key with its certificate. */
export interface OwnKey {
  readonly certificate: Certificate;
  readonly key: PrivateKey | ExternalPrivateKey;
}

/** One of my identities. */
export interface OwnIdentity {
  readonly keys: readonly OwnKey[];
  /** Every certificate of the identity, intermediate ones included. */
  readonly certificates: readonly Certificate[];
}

interface Remembered {
  readonly certificates: Uint8Array;
  readonly limits: Limits;
  readonly crypto: CryptoProvider;
  readonly identity: Promise<OwnIdentity>;
}

const identities = new WeakMap<object, Remembered>();

/** Whether a private key does its own work outside of this process. */
export function isExternal(key: PrivateKey | ExternalPrivateKey): key is ExternalPrivateKey {
  return !('pkcs8' in key);
}

/**
 * Reads an identity; remembered for as long as its arrays live.
 *
 * @throws {E2eError} KEY_UNAVAILABLE for a locked key, or a file that cannot be read
 */
export function loadIdentity(stored: StoredIdentity, limits: Limits, crypto: CryptoProvider): Promise<OwnIdentity> {
  const known = identities.get(stored.keys);
  if (known?.certificates === stored.certificates && known.limits === limits && known.crypto === crypto) {
    return known.identity;
  }
  const identity = load(stored, limits, crypto).catch((error: unknown) => {
    // A wrong passphrase must be asked for again.
    identities.delete(stored.keys);
    if (!(error instanceof E2eError)) throw error;
    throw new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'parse', { reason: error.reason ?? 'a key file cannot be read' });
  });
  identities.set(stored.keys, { certificates: stored.certificates, limits, crypto, identity });
  return identity;
}

async function load(stored: StoredIdentity, limits: Limits, crypto: CryptoProvider): Promise<OwnIdentity> {
  const certificates = [...readCertificates(stored.certificates, limits)];
  if (!(stored.keys instanceof Uint8Array)) {
    const { keys } = stored;
    return { keys: certificates.filter(isLeaf).map((certificate) => ({ certificate, key: keys })), certificates };
  }
  const blocks = parsePemOrDer(stored.keys);
  if (blocks[0]?.label !== 'DER') certificates.push(...readCertificates(stored.keys, limits));
  const privateKeys = await readPrivateKeys(blocks, stored.passphrase, limits, crypto);
  const keys: OwnKey[] = [];
  for (const certificate of certificates) {
    for (const key of privateKeys) {
      if (!(await belongTogether(key, certificate.publicKey, limits, crypto))) continue;
      keys.push({ certificate, key });
      break;
    }
  }
  return { keys, certificates };
}

function isLeaf(certificate: Certificate): boolean {
  return certificate.basicConstraints?.ca !== true;
}

/**
 * Whether a private and a public key are a pair. RSA keys are compared by modulus; for the others the keys are tried on
 * each other, since PKCS #8 need not hold the public half.
 */
async function belongTogether(
  key: PrivateKey,
  publicKey: PublicKey,
  limits: Limits,
  crypto: CryptoProvider,
): Promise<boolean> {
  if (key.algorithm !== publicKey.algorithm || key.curve !== publicKey.curve) return false;
  if (publicKey.rsa !== undefined) return equalBytes(modulusOf(key, limits), publicKey.rsa.modulus);
  if (key.oid !== publicKey.oid) return false;
  if (key.algorithm === 'ml-dsa' || key.algorithm === 'ml-kem') {
    // Where the runtime has no such keys, nothing will be done with them but to say so.
    if (!crypto.supports(key.algorithm)) return true;
    return importable(() => latticePair(key, publicKey, crypto));
  }
  if (key.algorithm === 'ec' || key.algorithm === 'x25519') {
    const ephemeral = await crypto.agreeEphemeral(publicKey);
    if (ephemeral === undefined) return false;
    const secret = await crypto.agree(key, ephemeral.publicPoint);
    return secret !== undefined && equalBytes(secret, ephemeral.secret);
  }
  if (key.algorithm !== 'ed25519') return false;
  return signsFor(key, publicKey, crypto);
}

async function latticePair(key: PrivateKey, publicKey: PublicKey, crypto: CryptoProvider): Promise<boolean> {
  if (key.algorithm === 'ml-dsa') return signsFor(key, publicKey, crypto);
  const encapsulated = await crypto.encapsulate(publicKey);
  if (encapsulated === undefined) return false;
  const secret = await crypto.decapsulate(key, encapsulated.ciphertext);
  return secret !== undefined && equalBytes(secret, encapsulated.secret);
}

async function signsFor(key: PrivateKey, publicKey: PublicKey, crypto: CryptoProvider): Promise<boolean> {
  const algorithm = defaultSignatureAlgorithm(key);
  const challenge = crypto.randomBytes(32);
  return crypto.verify(publicKey, algorithm, challenge, await crypto.sign(key, algorithm, challenge));
}

/** A seed beside an expanded key that is not of it (RFC 9881 section 8.2): a key to be told of, and not to be passed by. */
async function importable<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new E2eError('ERR_E2E_MALFORMED', 'parse', { reason: 'a private key does not agree with itself' });
  }
}

/** RSAPrivateKey inside PKCS #8 (RFC 8017 appendix A.1.2). */
function modulusOf(key: PrivateKey, limits: Limits): Uint8Array {
  const outer = parseDer(key.pkcs8, { limits }).sequence();
  outer.expect(tags.integer);
  outer.expect(tags.sequence);
  const inside = parseDer(octetString(outer.expect(tags.octetString)), { limits }).sequence();
  smallInteger(inside.expect(tags.integer));
  return unsignedOctets(inside.expect(tags.integer));
}

/** Algorithms of keys that sign. */
const signingAlgorithms: ReadonlySet<string> = new Set(['rsa', 'rsa-pss', 'ec', 'ed25519', 'ml-dsa']);
/** Algorithms of keys to which a content-encryption key can be sent. */
const encryptionAlgorithms: ReadonlySet<string> = new Set(['rsa', 'ec', 'x25519', 'ml-kem']);

/** Whether key usage and algorithm let a certificate sign (RFC 8550 section 4.4.2). */
export function canSign({ publicKey, keyUsage }: Certificate): boolean {
  if (!signingAlgorithms.has(publicKey.algorithm)) return false;
  return keyUsage === undefined || keyUsage.has('digitalSignature') || keyUsage.has('nonRepudiation');
}

/** Whether a key agrees on a key-encryption key, and not receives one: ML-KEM does the latter (RFC 9935 section 5). */
export function agrees({ algorithm }: PublicKey): boolean {
  return algorithm === 'ec' || algorithm === 'x25519';
}

/** Whether the runtime has the algorithm of a key. */
export function isRunnable({ algorithm }: PublicKey, crypto: CryptoProvider): boolean {
  return (algorithm !== 'ml-dsa' && algorithm !== 'ml-kem') || crypto.supports(algorithm);
}

/** Whether key usage and algorithm let a certificate be encrypted to (RFC 8550 section 4.4.2). */
export function canEncryptTo({ publicKey, keyUsage }: Certificate): boolean {
  if (!encryptionAlgorithms.has(publicKey.algorithm)) return false;
  return keyUsage === undefined || keyUsage.has(agrees(publicKey) ? 'keyAgreement' : 'keyEncipherment');
}
