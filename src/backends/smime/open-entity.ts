/** Opening any S/MIME entity, mail included: exact octets and verdict together, or an error. */

import type { AlgorithmPolicy, SignatureOutcome, SignatureResult, StoredIdentity, TrustSource } from '../backend.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError, type E2eErrorCode, type EncryptionInfo } from '../../errors.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import { bareEntity, type Entity, parseEntity } from '../../mime/entity.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { certificateNames, type CertificateNames } from './certificate-identity.ts';
import { readCertificates } from './certificate-file.ts';
import { recognize } from './cms-object.ts';
import { decryptEntity } from './decrypt.ts';
import { loadIdentity, type OwnKey } from './key-material.ts';
import { type KnownCertificates, readTrust, trustOptionNames, type TrustOptions } from './trust.ts';
import { parseSignedEntity, type Surround, verifySigned } from './verify.ts';
import { provider } from '#crypto';

/** What to take and from whom. */
export interface OpenEntityOptions extends TrustOptions {
  /** The time at which certificates and revocation are judged. */
  readonly at: Date;
  /** Certificates whose own signatures count, without any path: PEM or DER. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  /** Further certificates to build paths with. None of them is trusted. */
  readonly intermediates?: readonly Uint8Array[] | undefined;
  /** My own keys. */
  readonly keys?: readonly StoredIdentity[] | undefined;
  /** Whether the signer is the one expected, by the names in its trusted certificate. Any trusted signer by default. */
  readonly identity?: ((names: CertificateNames) => boolean) | undefined;
  readonly policy?: OpenEntityPolicy | undefined;
  readonly limits?: Limits | undefined;
  readonly crypto?: CryptoProvider | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is acceptable; old algorithms only where they are named. */
export interface OpenEntityPolicy extends Partial<AlgorithmPolicy> {
  /** `refuse` by default. */
  readonly unsigned?: 'refuse' | 'accept' | undefined;
  /** Text around the parts of a multipart, which no signature covers: `refuse` by default. */
  readonly surround?: Surround | undefined;
}

/** An opened entity. */
export interface OpenedEntity {
  /** The innermost MIME entity, exactly as signed or encrypted. */
  readonly content: Uint8Array;
  /** Undefined for an entity that was only signed. */
  readonly encryption: EncryptionInfo | undefined;
  /** The signature, a good one; none for an unsigned entity that the policy accepts. */
  readonly signatures: readonly SignatureResult[];
  /** The names of the signer. */
  readonly names: CertificateNames | undefined;
  readonly trust: TrustSource | undefined;
}

const codeOf: Readonly<Record<Exclude<SignatureOutcome, 'good'>, E2eErrorCode>> = {
  bad: 'ERR_E2E_SIGNATURE_INVALID',
  'unknown-signer': 'ERR_E2E_SIGNER_UNKNOWN',
  untrusted: 'ERR_E2E_SIGNER_UNTRUSTED',
  expired: 'ERR_E2E_SIGNER_UNTRUSTED',
  revoked: 'ERR_E2E_SIGNER_UNTRUSTED',
  weak: 'ERR_E2E_WEAK_ALGORITHM',
};

const optionNames: ReadonlySet<string> = new Set<keyof OpenEntityOptions>([
  'at',
  'certificates',
  'intermediates',
  'keys',
  'identity',
  'policy',
  'limits',
  'crypto',
  'signal',
  ...trustOptionNames,
]);
const policyNames: ReadonlySet<string> = new Set<keyof OpenEntityPolicy>([
  'unsigned',
  'surround',
  'sha1Signatures',
  'unsignedAttributes',
  'rsaPkcs1v15',
  'cbc',
  'tripleDes',
  'clockSkewSeconds',
]);
const noOldAlgorithms: AlgorithmPolicy = {
  sha1Signatures: false,
  unsignedAttributes: false,
  rsaPkcs1v15: false,
  cbc: false,
  tripleDes: false,
  clockSkewSeconds: 0,
};

/**
 * Opens a signed, encrypted, or signed and encrypted entity: at most one signed layer inside at most one encrypted one.
 *
 * @param entity a parsed entity, octets that `parseEntity` takes (CRLF line ends), or a bare CMS object
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED, NOT_SEALED, NO_DECRYPTION_KEY, KEY_UNAVAILABLE, DECRYPTION_FAILED,
 * UNSIGNED, SIGNATURE_INVALID, SIGNER_UNKNOWN, SIGNER_UNTRUSTED, WEAK_ALGORITHM, SENDER_MISMATCH, LAYERS_REFUSED
 * @throws {TypeError} for an unknown option
 */
export async function openEntity(entity: Entity | Uint8Array, options: OpenEntityOptions): Promise<OpenedEntity> {
  for (const name of Object.keys(options)) if (!optionNames.has(name)) throw new TypeError(`unknown option ${name}`);
  const { at, policy = {}, limits = defaultLimits, crypto = provider, signal } = options;
  for (const name of Object.keys(policy)) if (!policyNames.has(name)) throw new TypeError(`unknown policy ${name}`);
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new TypeError('at must be a valid Date');
  const { unsigned = 'refuse', surround = 'refuse', ...given } = policy;
  const algorithms: AlgorithmPolicy = { ...noOldAlgorithms, ...given };
  signal?.throwIfAborted();

  let current = entity instanceof Uint8Array ? entityOf(entity, limits) : entity;
  let encryption: EncryptionInfo | undefined;
  let content = current.raw;
  const outermost = recognize(current);
  if (outermost === undefined || outermost === 'certificates') {
    throw new E2eError('ERR_E2E_NOT_SEALED', 'unwrap', { reason: 'neither signed nor encrypted' });
  }
  let signature: SignatureResult | undefined;
  let signer: Certificate | undefined;
  try {
    if (outermost === 'encrypted') {
      const decrypted = await decryptEntity(
        current,
        () => loadKeys(options, limits, crypto),
        { algorithms, limits },
        crypto,
      );
      signal?.throwIfAborted();
      ({ content, encryption } = decrypted);
      current = parseEntity(content, { limits, stage: 'parse' });
    }
    if (recognize(current) === 'encrypted') throw layersRefused('an encrypted layer inside an encrypted one');
    if (recognize(current) === 'signed') {
      const parts = parseSignedEntity(current, limits, surround);
      const known = knownFrom(options, limits);
      const rules = readTrust(options, limits);
      const verified = await verifySigned(
        parts,
        { at, algorithms, limits },
        { sender: undefined, known, rules, crypto },
      );
      ({ content } = verified);
      ({ signature, signer } = requireGood(verified.signatures, verified.signers));
    }
    if (signature === undefined && unsigned === 'refuse') throw new E2eError('ERR_E2E_UNSIGNED', 'verify');
    if (signature !== undefined && isLayer(content, limits))
      throw layersRefused('a security layer inside a signed one');
    const names = signer === undefined ? undefined : certificateNames(signer);
    if (options.identity !== undefined && names !== undefined && !options.identity(names)) {
      throw new E2eError('ERR_E2E_SENDER_MISMATCH', 'check', { reason: 'the certificate names somebody else' });
    }
    const signatures = signature === undefined ? [] : [signature];
    return Object.freeze({ content, encryption, signatures, names, trust: signature?.trust });
  } catch (error) {
    throw conceal(error, encryption, signature !== undefined);
  }
}

function entityOf(octets: Uint8Array, limits: Limits): Entity {
  return octets[0] === 0x30 && octets[1]! >= 0x80
    ? bareEntity(octets)
    : parseEntity(octets, { limits, stage: 'unwrap' });
}

function isLayer(content: Uint8Array, limits: Limits): boolean {
  // RFC 2046 section 5.1.1: a body part may be empty altogether.
  return content.length > 0 && recognize(parseEntity(content, { limits, stage: 'parse' })) !== undefined;
}

function layersRefused(reason: string): E2eError {
  return new E2eError('ERR_E2E_LAYERS_REFUSED', 'verify', { reason });
}

async function loadKeys(
  { keys = [] }: OpenEntityOptions,
  limits: Limits,
  crypto: CryptoProvider,
): Promise<readonly OwnKey[]> {
  const identities = await Promise.all(keys.map((stored) => loadIdentity(stored, limits, crypto)));
  return identities.flatMap((identity) => identity.keys);
}

function knownFrom({ certificates = [], intermediates = [] }: OpenEntityOptions, limits: Limits): KnownCertificates {
  const read = (files: readonly Uint8Array[]) => files.flatMap((file) => readCertificates(file, limits));
  return { filed: read(certificates), others: read(intermediates) };
}

function requireGood(
  signatures: readonly SignatureResult[],
  signers: readonly (Certificate | undefined)[],
): { readonly signature: SignatureResult | undefined; readonly signer: Certificate | undefined } {
  const [signature] = signatures;
  if (signature === undefined) return { signature: undefined, signer: undefined };
  if (signatures.length > 1)
    throw new E2eError('ERR_E2E_SIGNATURE_INVALID', 'verify', { reason: 'several signatures' });
  if (signature.outcome !== 'good') {
    throw new E2eError(codeOf[signature.outcome], 'verify', { reason: signature.reason });
  }
  return { signature, signer: signers[0] };
}

/** Until a good signature was seen, all that goes wrong with content that is not AEAD looks alike (RFC 8551 section 6). */
function conceal(error: unknown, encryption: EncryptionInfo | undefined, signed: boolean): unknown {
  if (!(error instanceof E2eError) || encryption === undefined) return error;
  if (!encryption.aead && !signed) return new E2eError('ERR_E2E_DECRYPTION_FAILED', 'decrypt', { encryption });
  return new E2eError(error.code, error.stage, { reason: error.reason, encryption });
}
