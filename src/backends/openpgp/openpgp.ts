/**
 * The OpenPGP backend: PGP/MIME (RFC 3156) behind the contract of `backends/backend.ts`.
 *
 * RFC 3923 deviation: section 2: OpenPGP where it is asked for; S/MIME is there as the RFC wants it.
 */

import { defaultLimits } from '../../limits.ts';
import type { BackendCall, CertificateSummary, KeyStore, SecurityBackend } from '../backend.ts';
import { decrypt } from './decrypt.ts';
import { importCertificates } from './import.ts';
import { inspect } from './inspect.ts';
import { backendName, contactCertificates, type KeySource, ownKeys } from './keyring.ts';
import { checkVersion } from './library.ts';
import { recognizeForm } from './mime.ts';
import { ownCertificates } from './own-certificates.ts';
import { encrypt, encryptText, sign, signAndEncrypt, signAndEncryptText } from './seal.ts';
import { encryptionKeys, keyNames } from './select.ts';
import { describe } from './summary.ts';
import type { UserIdForms } from '../../jid/user-id.ts';
import { verify } from './verify.ts';

/** Options of {@link openpgp}. */
export interface OpenpgpOptions {
  /** Where keys and certificates come from. */
  readonly store: KeyStore;
  /** Which User IDs of a certificate name a JID; `xmpp` by default. */
  readonly userIds?: UserIdForms | undefined;
}

const known: ReadonlySet<string> = new Set(['store', 'userIds'] satisfies (keyof OpenpgpOptions)[]);

/** Seconds by which a new key of a contact may lie in the future where no policy is at hand. */
const clockSkewSeconds = 300;

/**
 * Makes the OpenPGP backend.
 *
 * `profile: 'rfc3923'` changes nothing here, since RFC 3923 knows no OpenPGP; `includeCertificate` neither, since
 * PGP/MIME has no place for a certificate in a signed or encrypted object. RSA session keys are read whatever
 * `rsaPkcs1v15` says: OpenPGP has no other way to RSA keys.
 *
 * @throws {TypeError} for a missing store, an unknown option or form of User IDs
 * @throws {Error} when the openpgp.js at hand is older than 6.3.2
 */
export function openpgp(options: OpenpgpOptions): SecurityBackend {
  for (const name of Object.keys(options)) if (!known.has(name)) throw new TypeError(`unknown option ${name}`);
  const { store: given, userIds = 'xmpp' } = options;
  if (typeof given.find !== 'function' || typeof given.identities !== 'function') {
    throw new TypeError('store must be a KeyStore');
  }
  if (!['xmpp', 'mail'].includes(userIds)) throw new TypeError('userIds must be "xmpp" or "mail"');
  const store: KeySource = {
    identities: (jid, backend) => given.identities(jid, backend),
    find: (jid, backend) => given.find(jid, backend),
    userIds,
  };
  /** The store as the call sees it: what a profile lets pass holds in the calls that carry it. */
  const seenBy = ({ packets }: BackendCall): KeySource => {
    if (packets === undefined) return store;
    const forms = packets.mailUserIds ? 'mail' : userIds;
    return { ...store, userIds: forms, primaryOnly: packets.primaryOnlyBackSignature };
  };
  checkVersion();
  const surround = 'refuse';
  return Object.freeze<SecurityBackend>({
    name: backendName,
    recognize: (entity) => recognizeForm(entity, surround),
    sign: (request) => sign(seenBy(request), request),
    encrypt: (request) => encrypt(seenBy(request), request),
    encryptText: (request) => encryptText(seenBy(request), request),
    signAndEncrypt: (request) => signAndEncrypt(seenBy(request), request),
    signAndEncryptText: (request) => signAndEncryptText(seenBy(request), request),
    decrypt: (request) => decrypt(seenBy(request), request, surround),
    verify: (request) => verify(seenBy(request), request, surround),
    async canSealTo(jid, at) {
      const algorithms = { ...anyPolicy, clockSkewSeconds };
      return (await encryptionKeys(store, jid, { at, limits: defaultLimits, algorithms })).length > 0;
    },
    keyNames: (request) => keyNames(seenBy(request), request),
    inspect: (entity, limits) => inspect(entity, limits, surround),
    async certificates(jid): Promise<readonly CertificateSummary[]> {
      const own = await ownKeys(store, jid, defaultLimits, 'parse');
      const contacts = await contactCertificates(store, jid, defaultLimits);
      const time = Math.floor(Date.now() / 1000);
      const all = new Map([...own, ...contacts].map(({ certificate }) => [certificate.fingerprint, certificate]));
      return [...all.values()].map((certificate) => describe(certificate, time));
    },
    exportCertificates: (jid) => ownCertificates(store, jid.bare(), defaultLimits),
    importCertificates,
  });
}

const anyPolicy = {
  sha1Signatures: false,
  unsignedAttributes: false,
  rsaPkcs1v15: true,
  cbc: false,
  tripleDes: false,
} as const;
