/** Keys and a field-by-field writer of SignedData for tests of the codec. */
import { createHash } from 'node:crypto';
import { oids } from '../../../src/asn1/oids.ts';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { utf8 } from '../../../src/bytes.ts';
import type { CertificateIdentifier } from '../../../src/cms/certificate-identifier.ts';
import { type SignedDataLimits, parseSignedData } from '../../../src/cms/signed-data.ts';
import { type SignaturePolicy, type SignerVerdict, verifySigner } from '../../../src/cms/verify.ts';
import { nodeCrypto as crypto } from '../../../src/crypto/node.ts';
import type { HashName, KeyPair, KeyPairKind, PublicKey, SignatureAlgorithm } from '../../../src/crypto/provider.ts';
import { serializeSignatureAlgorithm } from '../../../src/crypto/signature-algorithm.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits } from '../../../src/limits.ts';

export { crypto };

export const content = utf8('Content-Type: text/plain\r\n\r\nWherefore art thou?\r\n');
export const strict: SignaturePolicy = { sha1Signatures: false, unsignedAttributes: false };
export const lax: SignaturePolicy = { sha1Signatures: true, unsignedAttributes: true };

export const keyKinds = {
  rsa: { algorithm: 'rsa', bits: 2048 },
  p256: { algorithm: 'ec', curve: 'p256' },
  p384: { algorithm: 'ec', curve: 'p384' },
  p521: { algorithm: 'ec', curve: 'p521' },
  ed25519: { algorithm: 'ed25519' },
  x25519: { algorithm: 'x25519' },
} as const satisfies Record<string, KeyPairKind>;
export type KeyName = keyof typeof keyKinds;

const pairs = new Map<string, Promise<KeyPair>>();

/** A key pair, made once; another one for another `owner`. */
export function keyPair(name: KeyName, owner = ''): Promise<KeyPair> {
  const id = name + owner;
  let pair = pairs.get(id);
  if (pair === undefined) pairs.set(id, (pair = Promise.resolve(crypto.generateKeyPair(keyKinds[name]))));
  return pair;
}

/** A Name of one common name. */
export function nameOf(text: string): Uint8Array {
  return encodeDer(derSequence(der(0x31, derSequence(derOid(oids.commonName), der(0x0c, utf8(text))))));
}

export const byIssuer: CertificateIdentifier = {
  kind: 'issuer-and-serial',
  issuer: nameOf('Capulet CA'),
  serial: Uint8Array.of(0x17),
};
export const byKey: CertificateIdentifier = { kind: 'key-identifier', keyIdentifier: Uint8Array.of(1, 2, 3, 4) };

export function digestOf(hash: HashName, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(data).digest());
}

export function attribute(oid: string, ...values: readonly DerPart[]): DerPart {
  return derSequence(derOid(oid), der(0x31, ...values));
}
export const contentTypeAttribute: DerPart = attribute(oids.contentType, derOid(oids.data));
export function digestAttribute(data: Uint8Array = content, hash: HashName = 'sha256'): DerPart {
  return attribute(oids.messageDigest, derOctetString(digestOf(hash, data)));
}

export interface Written {
  readonly keys: KeyPair;
  readonly scheme: SignatureAlgorithm;
  readonly digest: HashName;
  readonly digestAlgorithm?: DerPart;
  readonly signatureAlgorithm?: DerPart;
  /** The attributes in the order given when `ordered` is false; `null` for none. */
  readonly attributes?: readonly DerPart[] | null;
  readonly ordered?: boolean;
  /** The element [0], as sent; what is signed has the tag of SET. */
  readonly attributesElement?: Uint8Array;
  readonly unsigned?: readonly DerPart[];
  /** What the signature without attributes is over. */
  readonly signedOctets?: Uint8Array;
  readonly signature?: (right: Uint8Array) => Uint8Array;
  readonly eContent?: DerPart | undefined;
  readonly eContentType?: string;
  readonly identifier?: DerPart;
  readonly signerVersion?: number;
  readonly version?: number;
  readonly signers?: number;
  readonly certificates?: readonly DerPart[];
  readonly crls?: readonly DerPart[];
  readonly digestAlgorithms?: readonly DerPart[];
}

/** One SignerInfo, right unless told otherwise. */
export async function signerInfo(written: Written): Promise<DerPart> {
  const { keys, scheme, digest, attributes = [contentTypeAttribute, digestAttribute(content, digest)] } = written;
  let element: Uint8Array | undefined;
  if (written.attributesElement !== undefined) element = written.attributesElement;
  else if (attributes !== null) {
    element = encodeDer(written.ordered === false ? der(0xa0, ...attributes) : derSetOf(attributes, 0xa0));
  }
  const set = element?.slice();
  if (set !== undefined) set[0] = 0x31;
  const right = await crypto.sign(keys.privateKey, scheme, set ?? written.signedOctets ?? content);
  const name = byIssuer as Extract<CertificateIdentifier, { kind: 'issuer-and-serial' }>;
  return derSequence(
    derInteger(written.signerVersion ?? 1),
    written.identifier ?? derSequence(name.issuer, der(2, name.serial)),
    written.digestAlgorithm ?? derSequence(derOid(oids[digest])),
    ...(element === undefined ? [] : [element]),
    written.signatureAlgorithm ??
      (scheme.scheme === 'rsa-pkcs1v15'
        ? derSequence(derOid(oids.rsaEncryption), derNull)
        : serializeSignatureAlgorithm(scheme)),
    derOctetString(written.signature?.(right) ?? right),
    ...(written.unsigned === undefined ? [] : [derContext(1, ...written.unsigned)]),
  );
}

/** A SignedData, detached unless told otherwise. */
export async function signedMessage(written: Written): Promise<Uint8Array> {
  const infos: DerPart[] = [];
  for (let i = 0; i < (written.signers ?? 1); i++) infos.push(await signerInfo(written));
  const { eContent, eContentType = oids.data, certificates, crls } = written;
  const digests = written.digestAlgorithms ?? [derSequence(derOid(oids[written.digest]))];
  return contentInfo(
    oids.signedData,
    derSequence(
      derInteger(written.version ?? 1),
      der(0x31, ...digests),
      derSequence(derOid(eContentType), ...(eContent === undefined ? [] : [derContext(0, eContent)])),
      ...(certificates === undefined ? [] : [derContext(0, ...certificates)]),
      ...(crls === undefined ? [] : [derContext(1, ...crls)]),
      der(0x31, ...infos),
    ),
  );
}

export function contentInfo(type: string, element: DerPart): Uint8Array {
  return encodeDer(derSequence(derOid(type), derContext(0, element)));
}

export interface VerifyOptions {
  readonly detached?: Uint8Array | undefined;
  readonly policy?: SignaturePolicy;
  readonly limits?: SignedDataLimits;
}

/** The verdict about the only signature of a message. */
export async function verdictOf(
  message: Uint8Array,
  publicKey: PublicKey,
  { detached, policy = strict, limits = defaultLimits }: VerifyOptions = {},
): Promise<SignerVerdict> {
  const signedData = parseSignedData(message, limits);
  const [only] = signedData.signerInfos;
  return verifySigner({ signedData, signerInfo: only!, content: detached, publicKey, crypto, policy });
}

/** The E2eError that an operation ends in; anything else fails the test. */
export async function failure(operation: () => unknown): Promise<E2eError> {
  try {
    await operation();
  } catch (error) {
    if (error instanceof E2eError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

/** The code without its prefix. */
export async function codeOf(operation: () => unknown): Promise<string> {
  const { code } = await failure(operation);
  return code.slice('ERR_E2E_'.length);
}

/** A generator of numbers from 0 to 2^32 - 1, the same ones for the same seed (Marsaglia's xorshift32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}
