/**
 * Recipients as a message names them (RFC 5652 section 6.2; RFC 5753 section 3.1.1 for elliptic curves):
 *
 *     RecipientInfo ::= CHOICE {
 *         ktri      KeyTransRecipientInfo,
 *         kari  [1] KeyAgreeRecipientInfo,
 *         kekri [2] KEKRecipientInfo,
 *         pwri  [3] PasswordRecipientInfo,
 *         ori   [4] OtherRecipientInfo }
 *
 *     KeyTransRecipientInfo ::= SEQUENCE {
 *         version                 CMSVersion,    -- 0 by issuer and serial number, 2 by key identifier
 *         rid                     RecipientIdentifier,
 *         keyEncryptionAlgorithm  KeyEncryptionAlgorithmIdentifier,
 *         encryptedKey            OCTET STRING }
 *
 *     KeyAgreeRecipientInfo ::= SEQUENCE {
 *         version                 CMSVersion,    -- 3
 *         originator          [0] EXPLICIT OriginatorIdentifierOrKey,
 *         ukm                 [1] EXPLICIT OCTET STRING OPTIONAL,
 *         keyEncryptionAlgorithm  KeyEncryptionAlgorithmIdentifier,
 *         recipientEncryptedKeys  SEQUENCE OF RecipientEncryptedKey }
 *
 *     OriginatorIdentifierOrKey ::= CHOICE {
 *         issuerAndSerialNumber     IssuerAndSerialNumber,
 *         subjectKeyIdentifier  [0] SubjectKeyIdentifier,
 *         originatorKey         [1] SEQUENCE { algorithm AlgorithmIdentifier, publicKey BIT STRING } }
 *
 *     RecipientEncryptedKey ::= SEQUENCE {
 *         rid           KeyAgreeRecipientIdentifier,
 *         encryptedKey  OCTET STRING }
 *
 *     KeyAgreeRecipientIdentifier ::= CHOICE {
 *         issuerAndSerialNumber  IssuerAndSerialNumber,
 *         rKeyId             [0] IMPLICIT SEQUENCE { subjectKeyIdentifier OCTET STRING,
 *                                                    date GeneralizedTime OPTIONAL, other OtherKeyAttribute OPTIONAL } }
 *
 * For elliptic curves the keyEncryptionAlgorithm is a key-agreement scheme whose parameters are the KeyWrapAlgorithm.
 */

import { type AlgorithmIdentifier, hasNoParameters, parseAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { bitStringOctets, octetString, oidValue, smallInteger } from '../asn1/values.ts';
import type { Curve, OaepParameters } from '../crypto/provider.ts';
import { keyAlgorithm } from '../crypto/public-key.ts';
import { parseOaepParameters } from '../crypto/rsa-parameters.ts';
import { E2eError } from '../errors.ts';
import { type KeyDerivation, type KeyWrap, keyDerivationByOid, keyWrapByOid } from './algorithms.ts';
import {
  type CertificateIdentifier,
  parseCertificateIdentifier,
  parseIssuerAndSerial,
} from './certificate-identifier.ts';
import { type KemRecipient, parseOtherRecipient } from './kem-recipient.ts';

/** A recipient whose content-encryption key travels under RSA. */
export interface KeyTransportRecipient {
  readonly kind: 'key-transport';
  readonly identifier: CertificateIdentifier;
  /** `rsa-pkcs1v15`, `rsa-oaep`, or dotted decimal. */
  readonly label: string;
  /** undefined where the algorithm is not supported. */
  readonly scheme: { readonly name: 'rsa-pkcs1v15' } | ({ readonly name: 'rsa-oaep' } & OaepParameters) | undefined;
  readonly encryptedKey: Uint8Array;
}

/** A recipient whose content-encryption key is wrapped under an agreed key. */
export interface KeyAgreementRecipient {
  readonly kind: 'key-agreement';
  readonly identifier: CertificateIdentifier;
  /** `ecdh`, `x25519`, or dotted decimal. */
  readonly label: string;
  /** undefined where the algorithm is not supported, or the sender's key is not in the message. */
  readonly scheme: KeyAgreementScheme | undefined;
  readonly encryptedKey: Uint8Array;
}

/** All that a key agreement needs but the private key. */
export interface KeyAgreementScheme {
  readonly algorithm: 'ec' | 'x25519';
  /** As the sender's key names it; undefined for the recipient's own (RFC 5753 section 3.1.1: parameters may be absent). */
  readonly curve: Curve | undefined;
  readonly publicPoint: Uint8Array;
  readonly derivation: KeyDerivation;
  readonly wrap: KeyWrap;
  readonly wrapAlgorithm: AlgorithmIdentifier;
  readonly ukm: Uint8Array | undefined;
}

/** A recipient that may be one of ours. */
export type Recipient = KeyTransportRecipient | KeyAgreementRecipient | KemRecipient;

/** Everybody to whom a message is encrypted. */
export interface Recipients {
  /** One entry for each key transport, key encapsulation and RecipientEncryptedKey. */
  readonly recipients: readonly Recipient[];
  /** How the keys travel, each once: also for kinds of recipient that are not supported. */
  readonly keyTransport: readonly string[];
}

const otherKinds: ReadonlyMap<number, string> = new Map([
  [contextTag(2), 'kek'],
  [contextTag(3), 'password'],
  [contextTag(4), 'other'],
]);

/**
 * Reads RecipientInfos. Kinds and algorithms that are not supported are somebody else's and no error.
 *
 * @param set RecipientInfos
 * @param most recipients, RecipientEncryptedKeys counted one by one
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseRecipients(set: Asn1Node, most: number): Recipients {
  const recipients: Recipient[] = [];
  const labels = new Set<string>();
  let others = 0;
  for (const node of set.elements(most)) {
    const kem = node.tag === contextTag(4) ? parseOtherRecipient(node) : undefined;
    const other = otherKinds.get(node.tag);
    if (kem !== undefined) recipients.push(kem);
    else if (other !== undefined) {
      labels.add(other);
      others++;
    } else if (node.tag === tags.sequence) recipients.push(parseKeyTransport(node));
    else if (node.tag === contextTag(1)) recipients.push(...parseKeyAgreement(node, most));
    else throw node.malformed('kind of recipient');
    if (recipients.length + others > most) {
      throw new E2eError('ERR_E2E_LIMIT', node.stage, { reason: 'too many recipients' });
    }
  }
  for (const { label } of recipients) labels.add(label);
  return { recipients, keyTransport: [...labels] };
}

function parseKeyTransport(node: Asn1Node): KeyTransportRecipient {
  const fields = node.children();
  const version = smallInteger(fields.expect(tags.integer));
  if (version !== 0 && version !== 2) throw node.malformed('KeyTransRecipientInfo version');
  const identifier = parseCertificateIdentifier(fields.next());
  const algorithm = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  const encryptedKey = octetString(fields.expect(tags.octetString));
  fields.end();
  const common = { kind: 'key-transport', identifier, encryptedKey } as const;
  if (algorithm.oid === oids.rsaEncryption && hasNoParameters(algorithm)) {
    return { label: 'rsa-pkcs1v15', scheme: { name: 'rsa-pkcs1v15' }, ...common };
  }
  if (algorithm.oid !== oids.rsaesOaep) return { label: algorithm.oid, scheme: undefined, ...common };
  const oaep = parseOaepParameters(algorithm.parameters);
  return { label: 'rsa-oaep', scheme: oaep === undefined ? undefined : { name: 'rsa-oaep', ...oaep }, ...common };
}

function parseKeyAgreement(node: Asn1Node, most: number): readonly KeyAgreementRecipient[] {
  const fields = node.children();
  if (smallInteger(fields.expect(tags.integer)) !== 3) throw node.malformed('KeyAgreeRecipientInfo version');
  const originator = parseOriginator(fields.expect(contextTag(0)).explicit());
  const ukmField = fields.optional(contextTag(1));
  const algorithm = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  const keys = fields.expect(tags.sequence).elements(most);
  fields.end();
  const ukm = ukmField === undefined ? undefined : octetsOf(ukmField.explicit());
  const scheme = originator === undefined ? undefined : agreementScheme(originator, algorithm, ukm);
  const label = scheme === undefined ? algorithm.oid : scheme.algorithm === 'ec' ? 'ecdh' : 'x25519';
  return keys.map((key) => ({ kind: 'key-agreement', label, scheme, ...parseRecipientEncryptedKey(key) }));
}

function octetsOf(node: Asn1Node): Uint8Array {
  if (node.tag !== tags.octetString) throw node.malformed('OCTET STRING expected');
  return octetString(node);
}

interface Originator {
  readonly algorithm: 'ec' | 'x25519';
  readonly curve: Curve | undefined;
  readonly publicPoint: Uint8Array;
}

/** The sender's ephemeral key; undefined for one of a kind that is not supported, or that is in a certificate. */
function parseOriginator(node: Asn1Node): Originator | undefined {
  if (node.tag !== contextTag(1)) return undefined;
  const fields = node.children();
  const identifier = fields.expect(tags.sequence);
  const publicPoint = bitStringOctets(fields.expect(tags.bitString));
  fields.end();
  const { oid, parameters } = parseAlgorithmIdentifier(identifier);
  if (oid === oids.x25519) return { algorithm: 'x25519', curve: undefined, publicPoint };
  if (oid !== oids.ecPublicKey) return undefined;
  // RFC 5753 section 3.1.1: absent, ECParameters or NULL.
  if (parameters === undefined || parameters.tag === tags.null) {
    return { algorithm: 'ec', curve: undefined, publicPoint };
  }
  if (parameters.tag === tags.oid) oidValue(parameters);
  const { curve } = keyAlgorithm(identifier);
  return curve === undefined ? undefined : { algorithm: 'ec', curve, publicPoint };
}

function agreementScheme(
  originator: Originator,
  { oid, parameters }: AlgorithmIdentifier,
  ukm: Uint8Array | undefined,
): KeyAgreementScheme | undefined {
  const derivation = keyDerivationByOid.get(oid);
  // RFC 5753 section 7.1.4: the parameters MUST be the key wrap; reading them unseen has crashed others (CVE-2026-28389).
  if (derivation === undefined || parameters?.tag !== tags.sequence) return undefined;
  const wrapAlgorithm = parseAlgorithmIdentifier(parameters);
  const wrap = keyWrapByOid.get(wrapAlgorithm.oid);
  if (wrap === undefined || !hasNoParameters(wrapAlgorithm)) return undefined;
  return { derivation, wrap, wrapAlgorithm, ukm, ...originator };
}

function parseRecipientEncryptedKey(node: Asn1Node): Pick<KeyAgreementRecipient, 'identifier' | 'encryptedKey'> {
  const fields = node.sequence();
  const rid = fields.next();
  const encryptedKey = octetString(fields.expect(tags.octetString));
  fields.end();
  if (rid.tag !== contextTag(0)) return { identifier: parseIssuerAndSerial(rid), encryptedKey };
  const keyIdentifier = octetString(rid.children().expect(tags.octetString));
  return { identifier: { kind: 'key-identifier', keyIdentifier }, encryptedKey };
}
