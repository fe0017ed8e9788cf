/**
 * PKCS #12 files (RFC 7292): private keys with their certificates under one passphrase, as mail programs and browsers
 * export them.
 *
 *     PFX              ::= SEQUENCE { version INTEGER (3), authSafe ContentInfo, macData MacData OPTIONAL }
 *     MacData          ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }
 *     AuthenticatedSafe ::= SEQUENCE OF ContentInfo          -- Data, or EncryptedData
 *     SafeContents     ::= SEQUENCE OF SafeBag
 *     SafeBag          ::= SEQUENCE { bagId OID, bagValue [0] EXPLICIT ANY, bagAttributes SET OPTIONAL }
 *
 * Only files with a passphrase-based MAC are read: it is checked first, so that nothing that a stranger made is
 * decrypted or even looked at. Encryption is PBES2, or SHA-1 with three-key Triple DES, which is what exists.
 */

import { parseAlgorithmIdentifier } from '../../asn1/algorithm-identifier.ts';
import { oids } from '../../asn1/oids.ts';
import { contextTag, parseBer, tags, type Asn1Node } from '../../asn1/reader.ts';
import { expectOid, octetString, smallInteger } from '../../asn1/values.ts';
import { derOctetString, derSequence, encodeDer } from '../../asn1/writer.ts';
import { concatBytes, equalBytes } from '../../bytes.ts';
import { hashLength, hashOf } from '../../crypto/hash-algorithm.ts';
import { parsePrivateKey } from '../../crypto/private-key.ts';
import type { CryptoProvider, HashName } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import { parseCertificate } from '../../x509/certificate.ts';
import { serializePem } from '../../x509/pem.ts';
import { decryptPrivateKey } from './encrypted-private-key.ts';
import { provider } from '#crypto';

/** What a PKCS #12 file holds, in the form of `StoredIdentity`. */
export interface Pkcs12Content {
  /** PKCS #8 blocks, not encrypted any more. Secret. */
  readonly keysPem: Uint8Array;
  readonly certificatesPem: Uint8Array;
}

/** Options of {@link readPkcs12}. */
export interface ReadPkcs12Options {
  readonly limits?: Limits | undefined;
  readonly crypto?: CryptoProvider | undefined;
}

const { data, encryptedData } = oids;
const keyBag = '1.2.840.113549.1.12.10.1.1';
const shroudedKeyBag = '1.2.840.113549.1.12.10.1.2';
const certBag = '1.2.840.113549.1.12.10.1.3';
const safeContentsBag = '1.2.840.113549.1.12.10.1.6';
const x509Certificate = '1.2.840.113549.1.9.22.1';
const sha1TripleDes = '1.2.840.113549.1.12.1.3';
const pbes2 = '1.2.840.113549.1.5.13';
/** Block lengths of the hashes (FIPS 180-4), for the key derivation. */
const blockLength: Readonly<Record<HashName, number>> = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/** A file can ask for any number; this is some seconds. */
const mostIterations = 1_000_000;
const mostBags = 32;

interface Reading {
  readonly passphrase: string;
  readonly limits: Limits;
  readonly crypto: CryptoProvider;
}

/**
 * Reads the keys and certificates of a PKCS #12 file.
 *
 * @param file DER or BER, at most `limits.certificateBytes` times `limits.certificates` octets
 * @throws {E2eError} MALFORMED, LIMIT; KEY_UNAVAILABLE for a wrong passphrase; UNSUPPORTED for a file without
 * passphrase-based MAC, and for encryption other than PBES2 with AES and SHA-1 with Triple DES
 * @see RFC 7292 section 4
 */
export async function readPkcs12(
  file: Uint8Array,
  passphrase: string,
  options: ReadPkcs12Options = {},
): Promise<Pkcs12Content> {
  const { limits = defaultLimits, crypto = provider } = options;
  if (file.length > limits.certificateBytes * limits.certificates) throw overLimit('size of a PKCS #12 file');
  const reading: Reading = { passphrase, limits, crypto };
  const pfx = parseBer(file, { limits }).sequence();
  const version = pfx.expect(tags.integer);
  if (smallInteger(version) !== 3) throw version.malformed('version of PKCS #12');
  const authSafe = contentInfo(pfx.expect(tags.sequence));
  const macNode = pfx.optional(tags.sequence);
  pfx.end();
  // The other integrity mode is a signature (section 3.1), which tells nothing about the passphrase.
  if (authSafe.type !== data || macNode === undefined) throw unsupported('PKCS #12 without a passphrase-based MAC');
  const octets = octetString(authSafe.content);
  await checkMac(macNode, octets, reading);

  const keys: Uint8Array[] = [];
  const certificates: Uint8Array[] = [];
  for (const node of parseBer(octets, { limits }).elements(mostBags)) {
    const { type, content } = contentInfo(node);
    if (type !== data && type !== encryptedData) throw unsupported('PKCS #12 under a public key');
    const safe = type === data ? octetString(content) : await openEncrypted(content, reading);
    await readBags(parseBer(safe, { limits }), { keys, certificates }, reading);
  }
  return Object.freeze({
    keysPem: concatBytes(...keys.map((key) => serializePem('PRIVATE KEY', key))),
    certificatesPem: concatBytes(...certificates.map((one) => serializePem('CERTIFICATE', one))),
  });
}

function contentInfo(node: Asn1Node): { readonly type: string; readonly content: Asn1Node } {
  const inside = node.sequence();
  const type = expectOid(inside.next());
  const content = inside.expect(contextTag(0)).explicit();
  inside.end();
  return { type, content };
}

/** Section 5.1: the MAC covers the content octets of the AuthenticatedSafe. */
async function checkMac(node: Asn1Node, octets: Uint8Array, { passphrase, crypto }: Reading): Promise<void> {
  const inside = node.sequence();
  const digestInfo = inside.expect(tags.sequence).sequence();
  const hash = hashOf(parseAlgorithmIdentifier(digestInfo.expect(tags.sequence)));
  const mac = octetString(digestInfo.expect(tags.octetString));
  digestInfo.end();
  const salt = octetString(inside.expect(tags.octetString));
  const iterationsNode = inside.optional(tags.integer);
  inside.end();
  if (hash === undefined) throw unsupported('MAC of PKCS #12');
  const iterations = iterationsNode === undefined ? 1 : iterationCount(iterationsNode);
  const length = hashLength[hash];
  const key = await deriveKey({ hash, id: 3, passphrase, salt, iterations, length }, crypto);
  if (!equalBytes(await crypto.hmac(hash, key, octets), mac)) {
    throw new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'parse', { reason: 'wrong passphrase' });
  }
}

/** EncryptedData (RFC 5652 section 8): version, then content type, algorithm and [0] IMPLICIT OCTET STRING. */
async function openEncrypted(node: Asn1Node, reading: Reading): Promise<Uint8Array> {
  const outer = node.sequence();
  outer.expect(tags.integer);
  const inside = outer.expect(tags.sequence).sequence();
  expectOid(inside.next());
  const algorithm = inside.expect(tags.sequence);
  return decrypt(algorithm, octetString(inside.expect(contextTag(0))), reading);
}

async function readBags(
  safe: Asn1Node,
  found: { readonly keys: Uint8Array[]; readonly certificates: Uint8Array[] },
  reading: Reading,
): Promise<void> {
  const { limits } = reading;
  for (const bag of safe.elements(mostBags)) {
    const inside = bag.sequence();
    const type = expectOid(inside.next());
    const value = inside.expect(contextTag(0)).explicit();
    if (found.keys.length + found.certificates.length >= limits.certificates) throw overLimit('bags of PKCS #12');
    if (type === keyBag) found.keys.push(parsePrivateKey(value.raw, { limits }).pkcs8);
    else if (type === shroudedKeyBag) {
      const shrouded = value.sequence();
      const algorithm = shrouded.expect(tags.sequence);
      const pkcs8 = await decrypt(algorithm, octetString(shrouded.expect(tags.octetString)), reading);
      found.keys.push(parsePrivateKey(pkcs8, { limits }).pkcs8);
    } else if (type === certBag) {
      const certificate = value.sequence();
      if (expectOid(certificate.next()) !== x509Certificate) continue;
      const octets = octetString(certificate.expect(contextTag(0)).explicit());
      found.certificates.push(parseCertificate(octets, limits).der);
    } else if (type === safeContentsBag) throw unsupported('nested bags of PKCS #12');
  }
}

async function decrypt(algorithmNode: Asn1Node, encrypted: Uint8Array, reading: Reading): Promise<Uint8Array> {
  const { passphrase, limits, crypto } = reading;
  const { oid, parameters } = parseAlgorithmIdentifier(algorithmNode);
  if (oid === pbes2) {
    const asKey = encodeDer(derSequence(algorithmNode.raw, derOctetString(encrypted)));
    return decryptPrivateKey(asKey, passphrase, limits, crypto);
  }
  if (oid !== sha1TripleDes || parameters === undefined) throw unsupported('encryption of PKCS #12');
  const inside = parameters.sequence();
  const salt = octetString(inside.expect(tags.octetString));
  const iterations = iterationCount(inside.expect(tags.integer));
  inside.end();
  const request = { hash: 'sha1', passphrase, salt, iterations } as const;
  const key = await deriveKey({ ...request, id: 1, length: 24 }, crypto);
  const iv = await deriveKey({ ...request, id: 2, length: 8 }, crypto);
  const opened = await crypto.decryptTripleDesCbc(key, iv, encrypted);
  if (opened === undefined) throw algorithmNode.malformed('encrypted content of PKCS #12');
  return opened;
}

function iterationCount(node: Asn1Node): number {
  const iterations = smallInteger(node);
  if (iterations < 1 || iterations > mostIterations) throw overLimit('iterations of a key derivation');
  return iterations;
}

interface Derivation {
  readonly hash: HashName;
  /** 1 for a key, 2 for an initialization vector, 3 for a MAC key. */
  readonly id: 1 | 2 | 3;
  readonly passphrase: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly length: number;
}

/** The key derivation of RFC 7292 appendix B.2, whose letters are used here. */
async function deriveKey(derivation: Derivation, crypto: CryptoProvider): Promise<Uint8Array> {
  const { hash, id, passphrase, salt, iterations, length } = derivation;
  const v = blockLength[hash];
  const d = new Uint8Array(v).fill(id);
  const i = concatBytes(filled(salt, v), filled(bmpString(passphrase), v));
  const out = new Uint8Array(length);
  for (let done = 0; done < length;) {
    let a = await crypto.digest(hash, d, i);
    for (let round = 1; round < iterations; round++) a = await crypto.digest(hash, a);
    out.set(a.subarray(0, length - done), done);
    done += a.length;
    const b = filled(a, v).subarray(0, v);
    for (let block = 0; block < i.length; block += v) {
      let carry = 1;
      for (let k = v - 1; k >= 0; k--) {
        carry += i[block + k]! + b[k]!;
        i[block + k] = carry & 0xff;
        carry >>= 8;
      }
    }
  }
  return out;
}

/** Appendix B.2 steps 2 to 4: copies of a string, to a multiple of the block. */
function filled(octets: Uint8Array, block: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(octets.length / block) * block);
  for (let i = 0; i < out.length; i++) out[i] = octets[i % octets.length]!;
  return out;
}

/** Appendix B.1: UTF-16 in network order, ended by two zero octets. */
function bmpString(passphrase: string): Uint8Array {
  const out = new Uint8Array(2 * passphrase.length + 2);
  for (let i = 0; i < passphrase.length; i++) {
    out[2 * i] = passphrase.charCodeAt(i) >> 8;
    out[2 * i + 1] = passphrase.charCodeAt(i) & 0xff;
  }
  return out;
}

function unsupported(reason: string): E2eError {
  return new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason });
}

function overLimit(reason: string): E2eError {
  return new E2eError('ERR_E2E_LIMIT', 'parse', { reason });
}
