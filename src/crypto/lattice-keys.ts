/**
 * ML-DSA (FIPS 204) and ML-KEM (FIPS 203) keys: lengths by parameter set, and the forms of private keys (RFC 9881
 * section 6, RFC 9935 section 6), here for ML-DSA-44:
 *
 *     ML-DSA-44-PrivateKey ::= CHOICE {
 *         seed         [0] OCTET STRING (SIZE (32)),
 *         expandedKey      OCTET STRING (SIZE (2560)),
 *         both             SEQUENCE {
 *             seed         OCTET STRING (SIZE (32)),
 *             expandedKey  OCTET STRING (SIZE (2560)) } }
 *
 * The AlgorithmIdentifier of keys, signatures and key encapsulation has no parameters (RFC 9881 section 2, RFC 9935
 * section 3).
 */

import { oids } from '../asn1/oids.ts';
import { type Asn1Options, contextTag, parseDer, tags } from '../asn1/reader.ts';
import { octetString } from '../asn1/values.ts';
import { der, derInteger, derOctetString, derOid, derSequence, encodeDer } from '../asn1/writer.ts';

/** The parameter sets of ML-DSA (FIPS 204 section 4). */
export type MlDsaParameterSet = 44 | 65 | 87;

/** The parameter sets of ML-KEM (FIPS 203 section 8). */
export type MlKemParameterSet = 512 | 768 | 1024;

/** One parameter set. Lengths are in octets. */
export interface LatticeParameters {
  readonly algorithm: 'ml-dsa' | 'ml-kem';
  /** For example `ml-dsa-65`. */
  readonly name: `ml-dsa-${MlDsaParameterSet}` | `ml-kem-${MlKemParameterSet}`;
  /** Dotted decimal. */
  readonly oid: string;
  readonly publicLength: number;
  readonly seedLength: number;
  readonly expandedLength: number;
  /** Of a signature or ciphertext. */
  readonly outputLength: number;
}

function mlDsa(set: MlDsaParameterSet, oid: string, ...lengths: readonly [number, number, number]): LatticeParameters {
  const [publicLength, expandedLength, outputLength] = lengths;
  return {
    algorithm: 'ml-dsa',
    name: `ml-dsa-${set}`,
    oid,
    publicLength,
    seedLength: 32,
    expandedLength,
    outputLength,
  };
}

function mlKem(set: MlKemParameterSet, oid: string, ...lengths: readonly [number, number, number]): LatticeParameters {
  const [publicLength, expandedLength, outputLength] = lengths;
  return {
    algorithm: 'ml-kem',
    name: `ml-kem-${set}`,
    oid,
    publicLength,
    seedLength: 64,
    expandedLength,
    outputLength,
  };
}

/** FIPS 204 table 2 and FIPS 203 table 3, by dotted decimal. */
export const latticeByOid: ReadonlyMap<string, LatticeParameters> = new Map(
  [
    mlDsa(44, oids.mlDsa44, 1312, 2560, 2420),
    mlDsa(65, oids.mlDsa65, 1952, 4032, 3309),
    mlDsa(87, oids.mlDsa87, 2592, 4896, 4627),
    mlKem(512, oids.mlKem512, 800, 1632, 768),
    mlKem(768, oids.mlKem768, 1184, 2400, 1088),
    mlKem(1024, oids.mlKem1024, 1568, 3168, 1568),
  ].map((parameters) => [parameters.oid, parameters] as const),
);

/** The OBJECT IDENTIFIER of each parameter set of ML-DSA. */
export const mlDsaOids: Readonly<Record<MlDsaParameterSet, string>> = {
  44: oids.mlDsa44,
  65: oids.mlDsa65,
  87: oids.mlDsa87,
};

/** The OBJECT IDENTIFIER of each parameter set of ML-KEM. */
export const mlKemOids: Readonly<Record<MlKemParameterSet, string>> = {
  512: oids.mlKem512,
  768: oids.mlKem768,
  1024: oids.mlKem1024,
};

/** The parameter set of ML-DSA that an OBJECT IDENTIFIER names. */
export function mlDsaParameterSet(oid: string): MlDsaParameterSet | undefined {
  return oid === oids.mlDsa44 ? 44 : oid === oids.mlDsa65 ? 65 : oid === oids.mlDsa87 ? 87 : undefined;
}

/**
 * Reads what the privateKey of PKCS #8 holds.
 *
 * @returns the seed; undefined where only the expanded key is there, from which there is no way back to it
 * @throws {E2eError} MALFORMED for another form or length
 */
export function parseLatticeSeed(
  privateKey: Uint8Array,
  { seedLength, expandedLength }: LatticeParameters,
  options: Asn1Options,
): Uint8Array | undefined {
  const node = parseDer(privateKey, options);
  if (node.tag === contextTag(0)) {
    if (node.length !== seedLength) throw node.malformed('private key length');
    return octetString(node);
  }
  if (node.tag === tags.octetString) {
    if (node.length !== expandedLength) throw node.malformed('private key length');
    return undefined;
  }
  const fields = node.sequence();
  const seed = octetString(fields.expect(tags.octetString));
  const expanded = octetString(fields.expect(tags.octetString));
  fields.end();
  if (seed.length !== seedLength || expanded.length !== expandedLength) throw node.malformed('private key length');
  return seed;
}

/**
 * Writes a PKCS #8 private key that holds its seed alone, as RFC 9881 section 6 and RFC 9935 section 6 advise.
 *
 * @param oid dotted decimal of the parameter set
 */
export function serializeLatticeSeed(oid: string, seed: Uint8Array): Uint8Array {
  const inner = encodeDer(der(0x80, seed));
  return encodeDer(derSequence(derInteger(0), derSequence(derOid(oid)), derOctetString(inner)));
}
