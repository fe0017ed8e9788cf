/**
 * Recipients with a key encapsulation mechanism (RFC 9629 section 3), ML-KEM here (RFC 9936):
 *
 *     OtherRecipientInfo ::= SEQUENCE { oriType OBJECT IDENTIFIER (id-ori-kem), oriValue KEMRecipientInfo }
 *
 *     KEMRecipientInfo ::= SEQUENCE {
 *         version         CMSVersion,   -- 0
 *         rid             RecipientIdentifier,
 *         kem             KEMAlgorithmIdentifier,
 *         kemct           OCTET STRING,
 *         kdf             KeyDerivationAlgorithmIdentifier,
 *         kekLength       INTEGER (1..65535),
 *         ukm         [0] EXPLICIT UserKeyingMaterial OPTIONAL,
 *         wrap            KeyEncryptionAlgorithmIdentifier,
 *         encryptedKey    EncryptedKey }
 *
 * The key-encryption key is HKDF of the encapsulated secret, without salt, over (RFC 9629 section 5):
 *
 *     CMSORIforKEMOtherInfo ::= SEQUENCE {
 *         wrap            KeyEncryptionAlgorithmIdentifier,
 *         kekLength       INTEGER (1..65535),
 *         ukm         [0] EXPLICIT UserKeyingMaterial OPTIONAL }
 */

import {
  type AlgorithmIdentifier,
  hasNoParameters,
  parseAlgorithmIdentifier,
  serializeAlgorithmIdentifier,
} from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { expectOid, octetString, smallInteger } from '../asn1/values.ts';
import {
  type DerElement,
  type DerPart,
  der,
  derContext,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../asn1/writer.ts';
import { latticeByOid } from '../crypto/lattice-keys.ts';
import { andThen } from '../crypto/maybe-promise.ts';
import type { CryptoProvider, HashName, MaybePromise } from '../crypto/provider.ts';
import { hkdfHashByOid, keyWrapByOid } from './algorithms.ts';
import {
  type CertificateIdentifier,
  parseCertificateIdentifier,
  serializeCertificateIdentifier,
} from './certificate-identifier.ts';

/** A recipient whose content-encryption key is wrapped under an encapsulated key. */
export interface KemRecipient {
  readonly kind: 'kem';
  readonly identifier: CertificateIdentifier;
  /** For example `ml-kem-768`, or dotted decimal. */
  readonly label: string;
  /** undefined where an algorithm is not supported. */
  readonly scheme: KemScheme | undefined;
  readonly encryptedKey: Uint8Array;
}

/** All that a decapsulation needs but the private key. */
export interface KemScheme {
  /** Dotted decimal of the parameter set. */
  readonly kem: string;
  readonly ciphertext: Uint8Array;
  /** Of HKDF. */
  readonly hash: HashName;
  /** Octets of the key-encryption key, 16, 24 or 32. */
  readonly keyLength: number;
  readonly wrapAlgorithm: AlgorithmIdentifier;
  readonly ukm: Uint8Array | undefined;
}

/**
 * Reads OtherRecipientInfo.
 *
 * @returns undefined for a type other than id-ori-kem
 * @throws {E2eError} MALFORMED
 */
export function parseOtherRecipient(node: Asn1Node): KemRecipient | undefined {
  const outer = node.children();
  if (expectOid(outer.next()) !== oids.oriKem) return undefined;
  const fields = outer.expect(tags.sequence).children();
  outer.end();
  if (smallInteger(fields.expect(tags.integer)) !== 0) throw node.malformed('KEMRecipientInfo version');
  const identifier = parseCertificateIdentifier(fields.next());
  const kem = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  const ciphertext = octetString(fields.expect(tags.octetString));
  const kdf = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  const kekLength = smallInteger(fields.expect(tags.integer));
  const ukmField = fields.optional(contextTag(0))?.explicit();
  const wrapAlgorithm = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  const encryptedKey = octetString(fields.expect(tags.octetString));
  fields.end();
  if (ukmField !== undefined && ukmField.tag !== tags.octetString) throw node.malformed('OCTET STRING expected');
  const ukm = ukmField === undefined ? undefined : octetString(ukmField);
  const parameters = latticeByOid.get(kem.oid);
  const common = { kind: 'kem', identifier, label: parameters?.name ?? kem.oid, encryptedKey } as const;
  const hash = hkdfHashByOid.get(kdf.oid);
  const wrap = keyWrapByOid.get(wrapAlgorithm.oid);
  // RFC 9936 section 2.2.1 and RFC 8619 section 3: no parameters.
  if (parameters?.algorithm !== 'ml-kem' || kem.parameters !== undefined || kdf.parameters !== undefined) {
    return { ...common, scheme: undefined };
  }
  if (hash === undefined || wrap?.cipher !== 'aes' || !hasNoParameters(wrapAlgorithm)) {
    return { ...common, scheme: undefined };
  }
  // Both are seen by everybody: a fault told here tells nothing of the key.
  if (kekLength !== wrap.keyLength) throw node.malformed('length of the key-encryption key');
  if (ciphertext.length !== parameters.outputLength) throw node.malformed('length of an encapsulated key');
  return { ...common, scheme: { kem: kem.oid, ciphertext, hash, keyLength: kekLength, wrapAlgorithm, ukm } };
}

/** What the key-encryption key is derived from. */
type KemDerivation = Pick<KemScheme, 'hash' | 'keyLength' | 'ukm'> & { readonly wrap: DerPart };

/** Derives the key-encryption key from an encapsulated secret. */
export function deriveKemKey(
  crypto: CryptoProvider,
  secret: Uint8Array,
  { hash, keyLength, ukm, wrap }: KemDerivation,
): MaybePromise<Uint8Array> {
  const entity = ukm === undefined ? [] : [derContext(0, derOctetString(ukm))];
  const info = encodeDer(derSequence(wrap, derInteger(keyLength), ...entity));
  return crypto.hkdf(hash, secret, new Uint8Array(), info, keyLength);
}

/**
 * Writes OtherRecipientInfo for ML-KEM, with HKDF-SHA-256 and AES-256 key wrap, which everybody has for ML-KEM-768 and
 * ML-KEM-1024 and which is no weaker than the content cipher (RFC 9936 section 2.2.2, RFC 8551 section 2.7).
 *
 * @param kem dotted decimal of the parameter set
 * @param key the content-encryption key
 */
export function kemRecipientInfo(
  kem: string,
  identifier: CertificateIdentifier,
  { ciphertext, secret }: { readonly ciphertext: Uint8Array; readonly secret: Uint8Array },
  key: Uint8Array,
  crypto: CryptoProvider,
): MaybePromise<DerElement> {
  const wrap = serializeAlgorithmIdentifier(oids.aes256Wrap);
  const keyLength = 32;
  const kek = deriveKemKey(crypto, secret, { hash: 'sha256', keyLength, ukm: undefined, wrap });
  return andThen(
    andThen(kek, (value) => crypto.wrapKey(value, key)),
    (encryptedKey) =>
      der(
        0xa4,
        derOid(oids.oriKem),
        derSequence(
          derInteger(0),
          serializeCertificateIdentifier(identifier),
          serializeAlgorithmIdentifier(kem),
          derOctetString(ciphertext),
          serializeAlgorithmIdentifier(oids.hkdfWithSha256),
          derInteger(keyLength),
          wrap,
          derOctetString(encryptedKey),
        ),
      ),
  );
}
