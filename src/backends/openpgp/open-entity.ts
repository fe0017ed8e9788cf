/** Opening any PGP/MIME entity, mail included: exact octets and verdict together, or an error. */

import { toCrlf } from '../../bytes.ts';
import { E2eError, type E2eErrorCode, type EncryptionInfo } from '../../errors.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import { bareEntity, type Entity, parseEntity } from '../../mime/entity.ts';
import { Jid } from '../../jid/jid.ts';
import type {
  BackendCall,
  KeyStore,
  LayerKind,
  SignatureOutcome,
  SignatureResult,
  StoredIdentity,
} from '../backend.ts';
import { judgeInside, openMessageFor, readEnvelope } from './decrypt.ts';
import { contactCertificates, type OwnKey, ownKeys } from './keyring.ts';
import { checkVersion } from './library.ts';
import { recognizeForm, type Surround, unwrapEncrypted, unwrapSigned } from './mime.ts';
import { decrypters, type Verifiers } from './select.ts';
import { certifiedUserIds } from './user-id.ts';
import { judgeSigned, readSigned } from './verify.ts';

/** What to take and from whom. */
export interface OpenEntityOptions {
  /** The time at which keys and revocation are judged. */
  readonly at: Date;
  /** Certificates of the people whose signatures count: armored or binary, with one or several each. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  /** My own secret keys. */
  readonly keys?: readonly StoredIdentity[] | undefined;
  /**
   * Whether the signer is the one expected, by the User IDs of its certificate that are certified and not revoked.
   * Any of `certificates` by default.
   */
  readonly identity?: ((userIds: readonly string[]) => boolean) | undefined;
  readonly policy?: OpenEntityPolicy | undefined;
  readonly limits?: Limits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is acceptable. */
export interface OpenEntityPolicy {
  /** `refuse` by default. */
  readonly unsigned?: 'refuse' | 'accept' | undefined;
  /** Text around the parts of a multipart, which no signature covers: `refuse` by default. */
  readonly surround?: Surround | undefined;
  /** Seconds by which a key's or signature's start may lie in the future; 0 by default. */
  readonly clockSkewSeconds?: number | undefined;
}

/** An opened entity. */
export interface OpenedEntity {
  /** The innermost MIME entity, exactly as signed or encrypted. */
  readonly content: Uint8Array;
  /** Undefined for an entity that was only signed. */
  readonly encryption: EncryptionInfo | undefined;
  /** Every signature, all of them good; none for an unsigned entity that the policy accepts. */
  readonly signatures: readonly SignatureResult[];
  /** Certified User IDs of the signers. */
  readonly userIds: readonly string[];
}

const codeOf: Readonly<Record<Exclude<SignatureOutcome, 'good'>, E2eErrorCode>> = {
  bad: 'ERR_E2E_SIGNATURE_INVALID',
  'unknown-signer': 'ERR_E2E_SIGNER_UNKNOWN',
  untrusted: 'ERR_E2E_SIGNER_UNTRUSTED',
  expired: 'ERR_E2E_SIGNER_UNTRUSTED',
  revoked: 'ERR_E2E_SIGNER_UNTRUSTED',
  weak: 'ERR_E2E_WEAK_ALGORITHM',
};

const known: ReadonlySet<string> = new Set([
  'at',
  'certificates',
  'keys',
  'identity',
  'policy',
  'limits',
  'signal',
] satisfies (keyof OpenEntityOptions)[]);
const knownPolicy: ReadonlySet<string> = new Set([
  'unsigned',
  'surround',
  'clockSkewSeconds',
] satisfies (keyof OpenEntityPolicy)[]);

/**
 * Opens a signed, encrypted, or signed and encrypted entity. At most one signed layer lies in at most one encrypted
 * layer; where both the OpenPGP message and an entity inside it are signed, every signature must be good.
 *
 * @param entity a parsed entity, or octets that `parseEntity` would take or that are a bare OpenPGP message
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED, NOT_SEALED, NO_DECRYPTION_KEY, KEY_UNAVAILABLE, DECRYPTION_FAILED,
 * UNSIGNED, SIGNATURE_INVALID, SIGNER_UNKNOWN, SIGNER_UNTRUSTED, WEAK_ALGORITHM, SENDER_MISMATCH, RECIPIENT_MISMATCH, TIMESTAMP
 * @throws {TypeError} for an unknown option
 */
export async function openEntity(entity: Entity | Uint8Array, options: OpenEntityOptions): Promise<OpenedEntity> {
  for (const name of Object.keys(options)) if (!known.has(name)) throw new TypeError(`unknown option ${name}`);
  const { at, certificates = [], keys = [], identity, policy = {}, limits = defaultLimits, signal } = options;
  for (const name of Object.keys(policy)) if (!knownPolicy.has(name)) throw new TypeError(`unknown policy ${name}`);
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new TypeError('at must be a valid Date');
  const { unsigned = 'refuse', surround = 'refuse', clockSkewSeconds = 0 } = policy;
  checkVersion();
  signal?.throwIfAborted();
  const call: BackendCall = { at, limits, signal, algorithms: { ...noOldAlgorithms, clockSkewSeconds } };
  const store = storeOf(certificates, keys);
  const verifiers = await anyVerifiers(store, limits);
  let current = entity instanceof Uint8Array ? entityOf(entity, limits) : entity;
  let encryption: EncryptionInfo | undefined;
  let content: Uint8Array | undefined;
  const signatures: SignatureResult[] = [];
  if (layerOf(current, surround) === 'encrypted') {
    const envelope = readEnvelope(unwrapEncrypted(current, limits, surround), limits);
    const own = await ownKeys(store, someone, limits, 'decrypt');
    const opened = await openMessageFor(envelope, decrypters(own, limits), call);
    ({ encryption } = opened);
    ({ content } = opened.opened);
    signatures.push(...((await judgeInside(opened.opened, call, verifiers)) ?? []));
    current = innerEntity(content, limits) ?? bareEntity(new Uint8Array(0));
  }
  if (layerOf(current, surround) === 'signed') {
    signal?.throwIfAborted();
    const signed = await readSigned(unwrapSigned(current, limits, surround), limits);
    ({ content } = signed);
    signatures.push(...(await judgeSigned(signed, call, verifiers)));
  }
  if (content === undefined) throw new E2eError('ERR_E2E_NOT_SEALED', 'unwrap', { reason: 'no OpenPGP layer' });
  const latest = new Date(at.getTime() + clockSkewSeconds * 1000);
  const userIds = requireGood(signatures, { unsigned, identity, verifiers, at, latest, encryption });
  // The placeholder below is nobody's name.
  return { content, encryption, signatures: signatures.map((one) => ({ ...one, identities: [] })), userIds };
}

function requireGood(
  signatures: readonly SignatureResult[],
  {
    unsigned,
    identity,
    verifiers,
    at,
    latest,
    encryption,
  }: {
    readonly unsigned: 'refuse' | 'accept';
    readonly identity: OpenEntityOptions['identity'];
    readonly verifiers: Verifiers;
    readonly at: Date;
    /** Nothing can have been signed after this. */
    readonly latest: Date;
    readonly encryption: EncryptionInfo | undefined;
  },
): readonly string[] {
  if (signatures.length === 0 && unsigned === 'refuse')
    throw new E2eError('ERR_E2E_UNSIGNED', 'verify', { encryption });
  const names: string[] = [];
  for (const { outcome, reason, fingerprint, intendedFor, signedAt } of signatures) {
    if (outcome !== 'good') throw new E2eError(codeOf[outcome], 'verify', { reason, encryption });
    if (signedAt !== undefined && signedAt > latest) {
      throw new E2eError('ERR_E2E_TIMESTAMP', 'check', { reason: 'signed in the future', encryption });
    }
    if (intendedFor === 'others' && verifiers.mine.length > 0) {
      throw new E2eError('ERR_E2E_RECIPIENT_MISMATCH', 'check', { encryption });
    }
    const certificate = verifiers.candidates.find((candidate) => candidate.fingerprint === fingerprint)!;
    const own = certifiedUserIds(certificate, Math.floor(at.getTime() / 1000));
    if (identity !== undefined && !identity(own))
      throw new E2eError('ERR_E2E_SENDER_MISMATCH', 'check', { encryption });
    names.push(...own);
  }
  return names;
}

/**
 * The layer that an entity is, or says it is: a signed entity that is out of shape must fail as such, not pass for
 * opaque content under the signature around it.
 */
function layerOf(entity: Entity, surround: Surround): LayerKind | undefined {
  const layer = recognizeForm(entity, surround);
  if (layer !== undefined || entity.contentType === undefined) return layer;
  const { type, parameters } = entity.contentType;
  const protocol = parameters.get('protocol')?.toLowerCase();
  if (type === 'multipart/encrypted' && protocol === 'application/pgp-encrypted') return 'encrypted';
  return type === 'multipart/signed' && protocol === 'application/pgp-signature' ? 'signed' : undefined;
}

/** Octets with a header block, or else a bare OpenPGP message. */
function entityOf(bytes: Uint8Array, limits: Limits): Entity {
  const bare = bareEntity(bytes);
  return recognizeForm(bare) === undefined ? parseEntity(toCrlf(bytes), { limits, stage: 'unwrap' }) : bare;
}

/** What was encrypted need not be an entity here: a file, for example. */
function innerEntity(content: Uint8Array, limits: Limits): Entity | undefined {
  try {
    return parseEntity(toCrlf(content), { limits, stage: 'parse' });
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

/** The store is asked for one JID only, whom nobody else ever sees. */
const someone = Jid.parse('anyone@entity.invalid');

function storeOf(certificates: readonly Uint8Array[], keys: readonly StoredIdentity[]): KeyStore {
  return {
    identities: () => Promise.resolve(keys),
    find: () => Promise.resolve(certificates.map((file) => ({ certificates: file, filed: true }))),
  };
}

/** Here a certificate speaks for its holder: the caller chose it, and `identity` decides by its User IDs. */
async function anyVerifiers(store: KeyStore, limits: Limits): Promise<Verifiers> {
  const held = await contactCertificates(store, someone, limits);
  const own: readonly OwnKey[] = await ownKeys(store, someone, limits, 'verify');
  return {
    candidates: held.map(({ certificate }) => certificate),
    mine: own.map(({ certificate }) => certificate.fingerprint),
    identities: () => [{ jid: someone, source: 'user-id' }],
  };
}

const noOldAlgorithms = {
  sha1Signatures: false,
  unsignedAttributes: false,
  rsaPkcs1v15: true,
  cbc: false,
  tripleDes: false,
} as const;
