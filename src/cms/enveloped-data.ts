/**
 * EnvelopedData (RFC 5652 section 6.1) and AuthEnvelopedData (RFC 5083 section 2.1) up to the first private key:
 * everything here is public.
 *
 *     EnvelopedData ::= SEQUENCE {
 *         version                CMSVersion,     -- 0, 2, 3 or 4
 *         originatorInfo     [0] IMPLICIT OriginatorInfo OPTIONAL,
 *         recipientInfos         SET SIZE (1..MAX) OF RecipientInfo,
 *         encryptedContentInfo   EncryptedContentInfo,
 *         unprotectedAttrs   [1] IMPLICIT SET SIZE (1..MAX) OF Attribute OPTIONAL }
 *
 *     AuthEnvelopedData ::= SEQUENCE {
 *         version                   CMSVersion,  -- 0
 *         originatorInfo        [0] IMPLICIT OriginatorInfo OPTIONAL,
 *         recipientInfos            SET SIZE (1..MAX) OF RecipientInfo,
 *         authEncryptedContentInfo  EncryptedContentInfo,
 *         authAttrs             [1] IMPLICIT SET SIZE (1..MAX) OF Attribute OPTIONAL,
 *         mac                       OCTET STRING,
 *         unauthAttrs           [2] IMPLICIT SET SIZE (1..MAX) OF Attribute OPTIONAL }
 *
 *     EncryptedContentInfo ::= SEQUENCE {
 *         contentType                 ContentType,
 *         contentEncryptionAlgorithm  AlgorithmIdentifier,   -- of CBC: the initialization vector
 *         encryptedContent        [0] IMPLICIT OCTET STRING OPTIONAL }
 *
 *     GCMParameters ::= SEQUENCE {                           -- RFC 5084 section 3.2
 *         aes-nonce   OCTET STRING,
 *         aes-ICVlen  INTEGER (12 | 13 | 14 | 15 | 16) DEFAULT 12 }
 */

import { type AlgorithmIdentifier, parseAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type Asn1Cursor, type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { expectOid, octetString, smallInteger } from '../asn1/values.ts';
import { E2eError, type EncryptionInfo } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { type CipherFacts, cipherByOid } from './algorithms.ts';
import { parseAttributes } from './attributes.ts';
import { parseContentInfo, unexpectedContentType } from './content-info.ts';
import { type Recipient, parseRecipients } from './recipients.ts';

/** The limits that bear on encrypted objects. */
export type EnvelopedLimits = Pick<Limits, 'asn1Depth' | 'oidBytes' | 'recipients' | 'decryptedBytes'>;

/** An encrypted object, before any private key was used. */
export interface Enveloped {
  readonly kind: 'enveloped-data' | 'auth-enveloped-data';
  readonly recipients: readonly Recipient[];
  readonly encryption: EncryptionInfo;
  readonly cipher: CipherFacts;
  /** Initialization vector of CBC, nonce of GCM. */
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
  /** Of GCM, 12 to 16 octets. */
  readonly tag: Uint8Array | undefined;
  /** authAttrs as they are authenticated: DER with the tag of SET (RFC 5083 section 2.2). */
  readonly additionalData: Uint8Array | undefined;
  /** Octets: the limit that it was read under. */
  readonly decryptedBytes: number;
}

/**
 * Reads EnvelopedData or AuthEnvelopedData in BER.
 *
 * GCM stands in AuthEnvelopedData alone and CBC in EnvelopedData alone: another pair has the tag left unchecked, or
 * turns one mode into an oracle for the other (RFC 9709 section 1).
 *
 * @param ber exactly one ContentInfo
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED; with `encryption` from where it is known
 */
export function parseEnveloped(ber: Uint8Array, limits: EnvelopedLimits): Enveloped {
  const { contentType, content } = parseContentInfo(ber, { limits, stage: 'decrypt' });
  const authenticated = contentType === oids.authEnvelopedData;
  if (!authenticated && contentType !== oids.envelopedData) throw unexpectedContentType(content, contentType);
  const fields = content.sequence();
  const version = smallInteger(fields.expect(tags.integer));
  if (authenticated ? version !== 0 : version > 4 || version === 1) throw content.malformed('version');
  fields.optional(contextTag(0));
  const { recipients, keyTransport } = parseRecipients(fields.expect(tags.set), limits.recipients);
  if (keyTransport.length === 0) throw content.malformed('no recipient');
  const info = parseEncryptedContentInfo(fields.expect(tags.sequence));
  const known = cipherByOid.get(info.algorithm.oid);
  const encryption: EncryptionInfo = {
    cipher: known?.name ?? info.algorithm.oid,
    aead: authenticated,
    keyTransport,
  };
  try {
    if (known === undefined) throw unsupported('content cipher', info.algorithm.oid);
    if ((known.mode === 'gcm') !== authenticated) throw unsupported('content cipher in this container', known.name);
    // RFC 8551 section 3.3: what is encrypted is a MIME entity under id-data.
    if (info.contentType !== oids.data) throw unexpectedContentType(content, info.contentType);
    const { iv, tag, additionalData } = authenticated
      ? parseGcm(info.algorithm, fields)
      : parseCbc(info.algorithm, known, fields);
    const { ciphertext } = info;
    const least = authenticated ? ciphertext.length : ciphertext.length - known.blockLength;
    if (least > limits.decryptedBytes) {
      throw new E2eError('ERR_E2E_LIMIT', 'decrypt', { reason: 'size of the encrypted content' });
    }
    // RFC 5652 section 6.3: padding fills the last block, and there is always some.
    if (!authenticated && (ciphertext.length === 0 || ciphertext.length % known.blockLength !== 0)) {
      throw content.malformed('length of the encrypted content');
    }
    return {
      kind: authenticated ? 'auth-enveloped-data' : 'enveloped-data',
      recipients,
      encryption,
      cipher: known,
      ciphertext,
      decryptedBytes: limits.decryptedBytes,
      iv,
      tag,
      additionalData,
    };
  } catch (error) {
    throw error instanceof E2eError ? withEncryption(error, encryption) : error;
  }
}

function unsupported(reason: string, subject: string): E2eError {
  return new E2eError('ERR_E2E_UNSUPPORTED', 'decrypt', { reason, subject });
}

function withEncryption({ code, stage, reason }: E2eError, encryption: EncryptionInfo): E2eError {
  return new E2eError(code, stage, { reason, encryption });
}

interface EncryptedContentInfo {
  readonly contentType: string;
  readonly algorithm: AlgorithmIdentifier;
  readonly ciphertext: Uint8Array;
}

function parseEncryptedContentInfo(node: Asn1Node): EncryptedContentInfo {
  const fields = node.children();
  const contentType = expectOid(fields.next());
  const algorithm = parseAlgorithmIdentifier(fields.expect(tags.sequence));
  // RFC 5652 section 6.1 lets the ciphertext travel elsewhere; S/MIME has no such place.
  const ciphertext = octetString(fields.expect(contextTag(0)));
  fields.end();
  return { contentType, algorithm, ciphertext };
}

type Parameters = Pick<Enveloped, 'iv' | 'tag' | 'additionalData'>;

function parseCbc(
  { parameters, node }: AlgorithmIdentifier,
  { blockLength }: CipherFacts,
  rest: Asn1Cursor,
): Parameters {
  rest.optional(contextTag(1));
  rest.end();
  if (parameters?.tag !== tags.octetString || octetString(parameters).length !== blockLength) {
    throw node.malformed('initialization vector');
  }
  return { iv: octetString(parameters), tag: undefined, additionalData: undefined };
}

function parseGcm({ parameters, node }: AlgorithmIdentifier, rest: Asn1Cursor): Parameters {
  const attributes = rest.optional(contextTag(1));
  const tag = octetString(rest.expect(tags.octetString));
  rest.optional(contextTag(2));
  rest.end();
  if (parameters === undefined) throw node.malformed('GCM parameters');
  const fields = parameters.sequence();
  const iv = octetString(fields.expect(tags.octetString));
  const length = fields.done ? 12 : smallInteger(fields.expect(tags.integer));
  fields.end();
  // RFC 5084 section 3.2: 12 octets are recommended; other lengths are hashed into a counter block that may repeat.
  if (iv.length !== 12) throw node.malformed('nonce of another length than 12 octets');
  // A short tag is forged in few tries (CVE-2026-34182).
  if (length < 12 || length > 16 || tag.length !== length) throw node.malformed('length of the tag');
  return { iv, tag, additionalData: attributes === undefined ? undefined : parseAttributes(attributes).octets };
}
