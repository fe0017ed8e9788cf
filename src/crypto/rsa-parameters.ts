/**
 * The parameters of RSASSA-PSS and RSAES-OAEP (RFC 4055 sections 3.1 and 4.1):
 *
 *     RSASSA-PSS-params  ::=  SEQUENCE  {
 *         hashAlgorithm     [0] HashAlgorithm DEFAULT sha1Identifier,
 *         maskGenAlgorithm  [1] MaskGenAlgorithm DEFAULT mgf1SHA1Identifier,
 *         saltLength        [2] INTEGER DEFAULT 20,
 *         trailerField      [3] INTEGER DEFAULT 1  }
 *
 *     RSAES-OAEP-params  ::=  SEQUENCE  {
 *         hashFunc          [0] AlgorithmIdentifier DEFAULT sha1Identifier,
 *         maskGenFunc       [1] AlgorithmIdentifier DEFAULT mgf1SHA1Identifier,
 *         pSourceFunc       [2] AlgorithmIdentifier DEFAULT pSpecifiedEmptyIdentifier  }
 */

import { parseAlgorithmIdentifier, serializeAlgorithmIdentifier } from '../asn1/algorithm-identifier.ts';
import { oids } from '../asn1/oids.ts';
import { type Asn1Cursor, type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { octetString, smallInteger } from '../asn1/values.ts';
import { type DerElement, derContext, derInteger, derSequence, encodeDer } from '../asn1/writer.ts';
import { equalBytes } from '../bytes.ts';
import { hashOf, serializeHash } from './hash-algorithm.ts';
import type { HashName, OaepParameters } from './provider.ts';

/** What RSASSA-PSS-params say. */
export interface PssParameters {
  /** Of the message and of MGF1: two different ones are not supported. */
  readonly hash: HashName;
  /** Octets. */
  readonly saltLength: number;
}

function hashField(cursor: Asn1Cursor): HashName | undefined {
  const field = cursor.optional(contextTag(0));
  return field === undefined ? 'sha1' : hashOf(parseAlgorithmIdentifier(field.explicit()));
}

function mgfField(cursor: Asn1Cursor): HashName | undefined {
  const field = cursor.optional(contextTag(1));
  if (field === undefined) return 'sha1';
  const { oid, parameters } = parseAlgorithmIdentifier(field.explicit());
  return oid === oids.mgf1 && parameters !== undefined ? hashOf(parseAlgorithmIdentifier(parameters)) : undefined;
}

/**
 * Reads RSASSA-PSS-params.
 *
 * @returns undefined for a hash or mask that is not supported
 * @throws {E2eError} MALFORMED
 */
export function parsePssParameters(node: Asn1Node): PssParameters | undefined {
  const cursor = node.sequence();
  const hash = hashField(cursor);
  const mgfHash = mgfField(cursor);
  const salt = cursor.optional(contextTag(2))?.explicit();
  const trailer = cursor.optional(contextTag(3))?.explicit();
  cursor.end();
  const saltLength = salt === undefined ? 20 : smallInteger(salt);
  // RFC 4055 section 3.1: the trailer field is 1.
  if (trailer !== undefined && smallInteger(trailer) !== 1) throw trailer.malformed('PSS trailer');
  // Longer than any modulus that is accepted: such a signature cannot be right.
  if (saltLength > 1024) return undefined;
  return hash === undefined || hash !== mgfHash ? undefined : { hash, saltLength };
}

/** Writes RSASSA-PSS-params in full. */
export function serializePssParameters({ hash, saltLength }: PssParameters): DerElement {
  return derSequence(
    derContext(0, serializeHash(hash, true)),
    derContext(1, serializeAlgorithmIdentifier(oids.mgf1, serializeHash(hash, true))),
    derContext(2, derInteger(saltLength)),
  );
}

/**
 * Reads RSAES-OAEP-params; absent ones are all defaults.
 *
 * @returns undefined for a hash or mask that is not supported, or a label that is not empty
 * @throws {E2eError} MALFORMED
 */
export function parseOaepParameters(node: Asn1Node | undefined): OaepParameters | undefined {
  if (node === undefined) return { hash: 'sha1', mgfHash: 'sha1' };
  if (equalBytes(node.raw, usualOaep)) return { hash: 'sha256', mgfHash: 'sha256' };
  const cursor = node.sequence();
  const hash = hashField(cursor);
  const mgfHash = mgfField(cursor);
  const source = cursor.optional(contextTag(2));
  cursor.end();
  if (source !== undefined) {
    const { oid, parameters, node: algorithm } = parseAlgorithmIdentifier(source.explicit());
    // RFC 4055 section 4.1: id-pSpecified MUST have an OCTET STRING; its absence has crashed others (CVE-2026-28390).
    if (parameters?.tag !== tags.octetString) throw algorithm.malformed('OAEP label');
    if (oid !== oids.pSpecified || octetString(parameters).length !== 0) return undefined;
  }
  return hash === undefined || mgfHash === undefined ? undefined : { hash, mgfHash };
}

/** Writes RSAES-OAEP-params, without the empty label. */
export function serializeOaepParameters({ hash, mgfHash }: OaepParameters): DerElement {
  return derSequence(
    derContext(0, serializeHash(hash, true)),
    derContext(1, serializeAlgorithmIdentifier(oids.mgf1, serializeHash(mgfHash, true))),
  );
}

/** What nearly every message has. */
const usualOaep: Uint8Array = encodeDer(serializeOaepParameters({ hash: 'sha256', mgfHash: 'sha256' }));
