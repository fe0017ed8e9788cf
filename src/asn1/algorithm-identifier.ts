/**
 * AlgorithmIdentifier (RFC 5280 section 4.1.1.2):
 *
 *     AlgorithmIdentifier  ::=  SEQUENCE  {
 *         algorithm   OBJECT IDENTIFIER,
 *         parameters  ANY DEFINED BY algorithm OPTIONAL  }
 */

import { type Asn1Node, tags } from './reader.ts';
import { expectOid } from './values.ts';
import { type DerElement, type DerPart, derOid, derSequence } from './writer.ts';

/** An algorithm with its parameters. */
export interface AlgorithmIdentifier {
  /** Dotted decimal. */
  readonly oid: string;
  readonly parameters: Asn1Node | undefined;
  /** The whole SEQUENCE. */
  readonly node: Asn1Node;
}

/**
 * Reads an AlgorithmIdentifier, also an implicitly tagged one.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseAlgorithmIdentifier(node: Asn1Node): AlgorithmIdentifier {
  const inside = node.children();
  const oid = expectOid(inside.next());
  const parameters = inside.done ? undefined : inside.next();
  inside.end();
  return { oid, parameters, node };
}

/**
 * Writes an AlgorithmIdentifier.
 *
 * @param oid dotted decimal
 * @param parameters left out when undefined
 */
export function serializeAlgorithmIdentifier(oid: string, parameters?: DerPart): DerElement {
  return parameters === undefined ? derSequence(derOid(oid)) : derSequence(derOid(oid), parameters);
}

/** Whether the parameters are absent or NULL: both are met for hashes and rsaEncryption (RFC 5754 section 2, RFC 4055). */
export function hasNoParameters(algorithm: AlgorithmIdentifier): boolean {
  const { parameters } = algorithm;
  return parameters === undefined || (parameters.tag === tags.null && parameters.length === 0);
}
