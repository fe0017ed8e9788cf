/**
 * A security backend without security, for tests of `e2e/`: its "signature" states its own outcome and its
 * "encryption" is base64. Every result that the contract knows can be produced at will.
 */
import type {
  Decrypted,
  EncryptRequest,
  LayerKind,
  SecurityBackend,
  SignatureResult,
  SignRequest,
  Verified,
} from '../src/backends/backend.ts';
import { base64Decode, base64Text, utf8, utf8Decode } from '../src/bytes.ts';
import { E2eError, type EncryptionInfo } from '../src/errors.ts';
import { Jid } from '../src/jid/jid.ts';
import type { Entity } from '../src/mime/entity.ts';

/** What a double signature claims about itself. */
export interface DoubleSignature {
  readonly outcome?: SignatureResult['outcome'];
  readonly signers?: readonly string[];
  readonly fingerprint?: string;
  readonly signedAt?: string;
  readonly intendedFor?: SignatureResult['intendedFor'];
  readonly reason?: string;
}

interface SignedBody {
  readonly content: string;
  readonly signatures: readonly DoubleSignature[];
}

interface EncryptedBody {
  readonly content: string;
  readonly encryption: EncryptionInfo;
  readonly recipients: readonly string[];
  readonly signatures?: readonly DoubleSignature[];
}

const signedType = 'application/x-double-signed';
const encryptedType = 'application/x-double-encrypted';
const certificatesType = 'application/x-double-certificates';

const gcm: EncryptionInfo = { cipher: 'aes256-gcm', aead: true, keyTransport: ['ecdh'] };

function entityOf(type: string, body: unknown): Uint8Array {
  return utf8(`Content-Type: ${type}\r\n\r\n${base64Text(utf8(JSON.stringify(body)))}\r\n`);
}

function bodyOf(entity: Entity): unknown {
  return JSON.parse(utf8Decode(base64Decode(entity.body)));
}

function result(claim: DoubleSignature): SignatureResult {
  const outcome = claim.outcome ?? 'good';
  const trusted = outcome === 'good';
  return {
    outcome,
    reason: claim.reason ?? `the double says ${outcome}`,
    identities: trusted ? (claim.signers ?? []).map((jid) => ({ jid: Jid.parse(jid), source: 'im' as const })) : [],
    trust: trusted ? 'pinned' : undefined,
    fingerprint: claim.fingerprint ?? (claim.signers ?? ['nobody']).join(),
    algorithm: 'double',
    signedAt: claim.signedAt === undefined ? undefined : new Date(claim.signedAt),
    intendedFor: claim.intendedFor ?? 'unspecified',
    chain: [],
  };
}

/** Builds a signed entity by hand. */
export function doubleSigned(content: Uint8Array, ...signatures: readonly DoubleSignature[]): Uint8Array {
  return entityOf(signedType, { content: utf8Decode(content), signatures } satisfies SignedBody);
}

/** Builds an encrypted entity by hand; with signatures it is a combined form. */
export function doubleEncrypted(
  content: Uint8Array,
  recipients: readonly string[],
  encryption: EncryptionInfo = gcm,
  signatures?: readonly DoubleSignature[],
): Uint8Array {
  const body: EncryptedBody = {
    content: utf8Decode(content),
    encryption,
    recipients,
    ...(signatures && { signatures }),
  };
  return entityOf(encryptedType, body);
}

/** An entity that carries certificates and nothing else. */
export function doubleCertificates(): Uint8Array {
  return entityOf(certificatesType, {});
}

/** A backend named `name` that knows keys for `jids`. */
export function doubleBackend(jids: readonly string[], name = 'double'): SecurityBackend {
  const known = (jid: Jid): boolean => jids.includes(jid.bare().toString());
  const kinds: Record<string, LayerKind> = {
    [signedType]: 'signed',
    [encryptedType]: 'encrypted',
    [certificatesType]: 'certificates',
  };
  return {
    name,
    recognize: (entity) => kinds[entity.contentType?.type ?? ''],
    sign: async (request: SignRequest) => {
      await Promise.resolve();
      if (!known(request.signer)) throw new E2eError('ERR_E2E_NO_SIGNING_KEY', 'sign');
      return doubleSigned(request.content, { signers: [request.signer.toString()] });
    },
    encrypt: async (request: EncryptRequest) => {
      await Promise.resolve();
      const missing = request.recipients.find((jid) => !known(jid));
      if (missing !== undefined) {
        throw new E2eError('ERR_E2E_NO_RECIPIENT_KEY', 'encrypt', { subject: missing.toString() });
      }
      return doubleEncrypted(request.content, request.recipients.map(String));
    },
    decrypt: async ({ entity, me }): Promise<Decrypted> => {
      await Promise.resolve();
      const body = bodyOf(entity) as EncryptedBody;
      const { encryption } = body;
      if (!body.recipients.includes(me.toString())) {
        throw new E2eError('ERR_E2E_NO_DECRYPTION_KEY', 'decrypt', { encryption });
      }
      return { content: utf8(body.content), encryption, signatures: body.signatures?.map(result) };
    },
    verify: async ({ entity }): Promise<Verified> => {
      await Promise.resolve();
      const body = bodyOf(entity) as SignedBody;
      return { content: utf8(body.content), signatures: body.signatures.map(result) };
    },
    canSealTo: (jid) => Promise.resolve(known(jid)),
    inspect: (entity) => {
      const signed = kinds[entity.contentType?.type ?? ''] === 'signed';
      return Promise.resolve({
        kind: kinds[entity.contentType?.type ?? '']!,
        title: 'double',
        facts: [],
        warnings: [],
        content: signed ? utf8((bodyOf(entity) as SignedBody).content) : undefined,
      });
    },
    certificates: () => Promise.resolve([]),
    importCertificates: () => Promise.resolve([]),
  };
}
