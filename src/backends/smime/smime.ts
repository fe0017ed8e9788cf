/**
 * The S/MIME backend: CMS SignedData, EnvelopedData and AuthEnvelopedData under the rules of RFC 8550, RFC 8551 and
 * RFC 3923 section 6.
 */

import type { KeyStore, SecurityBackend } from '../backend.ts';
import { joinPieces, octetPieces } from '../../bytes.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import { defaultLimits } from '../../limits.ts';
import { candidateCertificates, certificatesOf } from './certificates.ts';
import { recognize } from './cms-object.ts';
import { decryptEntity } from './decrypt.ts';
import { encryptEntity, encryptTextEntity } from './encrypt.ts';
import { inspectEntity } from './inspect.ts';
import { ownCertificates } from './own-certificates.ts';
import { decryptionKeys } from './own-keys.ts';
import { recipientCertificates } from './recipient-certificates.ts';
import { readRsaSignature, type RsaSignature, signedPieces } from './sign.ts';
import { knownCertificates, readTrust, trustOptionNames, type TrustOptions } from './trust.ts';
import { parseSignedEntity, verifySigned } from './verify.ts';
import { provider } from '#crypto';

/** Options of {@link smime}. */
export interface SmimeOptions extends TrustOptions {
  /** Where keys and certificates are. */
  readonly store: KeyStore;
  /**
   * How my plain RSA keys sign in the modern profile: PKCS #1 v1.5 with SHA-256 unless given. Keys under id-RSASSA-PSS
   * always make PSS signatures, and the `rfc3923` profile never does.
   */
  readonly rsaSignature?: RsaSignature | undefined;
  /** The primitives; those of the runtime unless given. */
  readonly crypto?: CryptoProvider | undefined;
}

const optionNames: ReadonlySet<string> = new Set<keyof SmimeOptions>([
  'store',
  'rsaSignature',
  'crypto',
  ...trustOptionNames,
]);

/** What `canSealTo` answers with false. */
const unsealable: ReadonlySet<string> = new Set(['ERR_E2E_NO_RECIPIENT_KEY', 'ERR_E2E_UNSUPPORTED']);

/** `canSealTo` has no policy of its own: what strict policies take, which concerns certificates alone. */
const sealingQuestion = { profile: 'modern', clockSkewSeconds: 0, sha1Signatures: false } as const;

/**
 * Makes the S/MIME backend.
 *
 * Without `trust` there is no anchor: only certificates filed for a JID are believed.
 *
 * @throws {TypeError} for an unknown option or value, or a store that is none
 * @throws {E2eError} MALFORMED, LIMIT for anchors or revocation lists that cannot be read
 */
export function smime(options: SmimeOptions): SecurityBackend {
  for (const name of Object.keys(options)) if (!optionNames.has(name)) throw new TypeError(`unknown option ${name}`);
  const { store, crypto = provider } = options;
  if (typeof store !== 'object' || typeof store.find !== 'function' || typeof store.identities !== 'function') {
    throw new TypeError('option store must be a KeyStore');
  }
  const rsa = readRsaSignature(options.rsaSignature);
  const rules = readTrust(options, defaultLimits);
  return Object.freeze<SecurityBackend>({
    name: 'smime',
    recognize,
    sign: async (request) => joinPieces(await signedPieces(request, store, rsa, crypto)),
    encrypt: (request) => encryptEntity(request, store, rules, crypto),
    encryptText: (request) => encryptTextEntity([request.content], request, store, rules, crypto),
    signAndEncryptText: async (request) => {
      const content = octetPieces(await signedPieces(request, store, rsa, crypto));
      return encryptTextEntity(content, request, store, rules, crypto);
    },
    decrypt: (request) => {
      const { entity, me, limits, signal } = request;
      const keys = async (): ReturnType<typeof decryptionKeys> => {
        signal?.throwIfAborted();
        return decryptionKeys(store, me, limits, crypto);
      };
      return decryptEntity(entity, keys, request, crypto);
    },
    verify: async (request) => {
      const { entity, sender, limits } = request;
      const parts = parseSignedEntity(entity, limits);
      const known = await knownCertificates(store, sender, limits);
      request.signal?.throwIfAborted();
      const { content, signatures } = await verifySigned(parts, request, { sender, known, rules, crypto });
      return { content, signatures };
    },
    canSealTo: async (jid, at) => {
      try {
        await recipientCertificates(store, jid, { ...sealingQuestion, at, limits: defaultLimits, crypto }, rules);
        return true;
      } catch (error) {
        if (error instanceof E2eError && unsealable.has(error.code)) return false;
        throw error;
      }
    },
    inspect: (entity, limits) => inspectEntity(entity, limits, crypto),
    certificates: (jid) => certificatesOf(store, jid, defaultLimits, crypto),
    exportCertificates: (jid, at) => ownCertificates(store, jid.bare(), at, defaultLimits),
    importCertificates: (entity, limits) => candidateCertificates(entity, limits, crypto),
  });
}
