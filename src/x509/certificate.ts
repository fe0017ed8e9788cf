/**
 * Certificates (RFC 5280 section 4.1), read strictly as DER, with the exact octets that trust decisions need.
 *
 *     Certificate ::= SEQUENCE {
 *         tbsCertificate       TBSCertificate,
 *         signatureAlgorithm   AlgorithmIdentifier,
 *         signatureValue       BIT STRING }
 *
 *     TBSCertificate ::= SEQUENCE {
 *         version         [0]  EXPLICIT INTEGER DEFAULT v1,
 *         serialNumber         INTEGER,
 *         signature            AlgorithmIdentifier,
 *         issuer               Name,
 *         validity             SEQUENCE { notBefore Time, notAfter Time },
 *         subject              Name,
 *         subjectPublicKeyInfo SubjectPublicKeyInfo,
 *         issuerUniqueID  [1]  IMPLICIT BIT STRING OPTIONAL,   -- v2 or v3
 *         subjectUniqueID [2]  IMPLICIT BIT STRING OPTIONAL,   -- v2 or v3
 *         extensions      [3]  EXPLICIT SEQUENCE OF Extension OPTIONAL }   -- v3
 */

import { type AlgorithmIdentifier, parseAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { contextTag, tags } from '../asn1/reader.ts';
import { assertDer } from '../asn1/strict.ts';
import { timeValue } from '../asn1/time.ts';
import { bitStringOctets, integerOctets, smallInteger } from '../asn1/values.ts';
import { hex, equalBytes } from '../bytes.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import { type PublicKey, parsePublicKey } from '../crypto/public-key.ts';
import { E2eError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { type CertificateExtensions, decodeCertificateExtensions } from './certificate-extensions.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';
import { parseExtensions } from './extension.ts';

/** A certificate. All arrays are views of `der`. */
export interface Certificate extends CertificateExtensions {
  /** The whole certificate. */
  readonly der: Uint8Array;
  /** What the signature covers. */
  readonly tbs: Uint8Array;
  /** 1, 2 or 3. */
  readonly version: number;
  /** Content octets of the INTEGER. */
  readonly serial: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: PublicKey;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  /** Subject and issuer are the same name (RFC 5280 section 3.2). */
  readonly selfIssued: boolean;
}

/**
 * Reads a certificate. The same octets give the same object for as long as they stay in a bounded cache.
 *
 * @param octets DER
 * @throws {E2eError} MALFORMED for anything that is not one DER certificate; LIMIT for a certificate that is too large
 */
export function parseCertificate(octets: Uint8Array, limits: Limits = defaultLimits): Certificate {
  if (octets.length > limits.certificateBytes) {
    throw new E2eError('ERR_E2E_LIMIT', 'parse', { reason: 'certificate too large' });
  }
  const key = contentKey(octets);
  const known = cache.get(key);
  if (known !== undefined && equalBytes(known.certificate.der, octets) && !stricter(limits, known.limits)) {
    return known.certificate;
  }
  const certificate = parse(octets.slice(), limits);
  if (cache.size >= cacheSize) for (const oldest of cache.keys()) if (cache.delete(oldest)) break;
  cache.set(key, { certificate, limits });
  return certificate;
}

const cacheSize = 512;
const cache = new Map<number, { readonly certificate: Certificate; readonly limits: Limits }>();

/**
 * FNV-1a over the end of the signature: spreads the cache; equality is decided by the octets, so that a collision costs a
 * parse and no more.
 */
function contentKey(octets: Uint8Array): number {
  let key = 0x811c9dc5 ^ octets.length;
  for (let i = Math.max(octets.length - 24, 0); i < octets.length; i++) key = Math.imul(key ^ octets[i]!, 0x01000193);
  return key;
}

function stricter(limits: Limits, than: Limits): boolean {
  return limits.asn1Depth < than.asn1Depth || limits.oidBytes < than.oidBytes;
}

function parse(octets: Uint8Array, limits: Limits): Certificate {
  const outer = assertDer(octets, { limits }).sequence();
  const tbsNode = outer.expect(tags.sequence);
  const signatureAlgorithm = parseAlgorithmIdentifier(outer.expect(tags.sequence));
  const signature = bitStringOctets(outer.expect(tags.bitString));
  outer.end();

  const tbs = tbsNode.sequence();
  const versionNode = tbs.optional(contextTag(0))?.explicit();
  const version = versionNode === undefined ? 1 : smallInteger(versionNode) + 1;
  if (version > 3) throw tbsNode.malformed('certificate version');
  const serial = integerOctets(tbs.expect(tags.integer));
  const inner = parseAlgorithmIdentifier(tbs.expect(tags.sequence));
  // RFC 5280 section 4.1.1.2: both are the same; the inner one alone is under the signature.
  if (!equalBytes(inner.node.raw, signatureAlgorithm.node.raw)) {
    throw tbsNode.malformed('signature algorithms of a certificate differ');
  }
  const issuer = parseDistinguishedName(tbs.next());
  const validity = tbs.next().sequence();
  const notBefore = timeValue(validity.next());
  const notAfter = timeValue(validity.next());
  validity.end();
  const subject = parseDistinguishedName(tbs.next());
  const publicKey = parsePublicKey(tbs.expect(tags.sequence).raw, { limits });
  const uniqueIds = [tbs.optional(contextTag(1)), tbs.optional(contextTag(2))];
  if (version === 1 && uniqueIds.some((id) => id !== undefined)) throw tbsNode.malformed('unique id in version 1');
  const extensionsNode = tbs.optional(contextTag(3));
  tbs.end();
  if (extensionsNode !== undefined && version !== 3) throw tbsNode.malformed('extensions need version 3');

  const extensions = extensionsNode === undefined ? new Map() : parseExtensions(extensionsNode.explicit());
  return Object.freeze({
    der: octets,
    tbs: tbsNode.raw,
    version,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    signatureAlgorithm,
    signature,
    selfIssued: issuer.key === subject.key,
    ...decodeCertificateExtensions(extensions, { limits }),
  });
}

const fingerprints = new WeakMap<Certificate, string>();

/** SHA-256 of a certificate in lower-case hexadecimal, computed once. */
export async function fingerprintOf(certificate: Certificate, crypto: CryptoProvider): Promise<string> {
  const known = fingerprints.get(certificate);
  if (known !== undefined) return known;
  const fingerprint = hex(await crypto.digest('sha256', certificate.der));
  fingerprints.set(certificate, fingerprint);
  return fingerprint;
}
