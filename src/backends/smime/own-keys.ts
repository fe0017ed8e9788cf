/** The choice of my own key to sign with, and all that may decrypt (RFC 8550 section 4.4.2, RFC 3923 section 6.3). */

import type { KeyStore, SealProfile } from '../backend.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { weakKey } from '../../x509/signature.ts';
import { namesJid } from './certificate-identity.ts';
import { canSign, isExternal, isRunnable, loadIdentity, type OwnIdentity, type OwnKey } from './key-material.ts';

/** A key to sign with, and the certificates that lead to an anchor. */
export interface SigningKey extends OwnKey {
  /** Other certificates of the identity that issue the signer's, nearest first; self-signed ones left out. */
  readonly chain: readonly Certificate[];
}

/** What a signing key is chosen for. */
export interface SigningKeyQuestion {
  readonly signer: Jid;
  readonly at: Date;
  readonly profile: SealProfile;
  readonly limits: Limits;
  readonly crypto: CryptoProvider;
}

/**
 * Chooses a key to sign with: valid, strong, made for signing, whose certificate names the signer. Among several the
 * one that began last.
 *
 * @throws {E2eError} NO_SIGNING_KEY with the reason of the nearest miss; KEY_UNAVAILABLE for a locked key; UNSUPPORTED
 * where the runtime lacks the algorithm of the only ones
 */
export async function chooseSigningKey(store: KeyStore, question: SigningKeyQuestion): Promise<SigningKey> {
  const { signer, limits, crypto } = question;
  let miss: string | undefined;
  let lacking = false;
  let best: { readonly key: OwnKey; readonly identity: OwnIdentity } | undefined;
  const { identities, locked } = await loadIdentities(store, signer, limits, crypto);
  for (const identity of identities) {
    for (const key of identity.keys) {
      const unfit = unfitToSign(key, question);
      // An encryption key beside it is no news.
      if (unfit !== undefined) miss = canSign(key.certificate) ? unfit : (miss ?? unfit);
      else if (!isExternal(key.key) && !isRunnable(key.certificate.publicKey, crypto)) lacking = true;
      else if (best === undefined || key.certificate.notBefore > best.key.certificate.notBefore)
        best = { key, identity };
    }
  }
  if (best === undefined) {
    if (locked !== undefined) throw locked;
    if (lacking)
      throw new E2eError('ERR_E2E_UNSUPPORTED', 'sign', { reason: 'the runtime lacks the algorithm of the key' });
    throw new E2eError('ERR_E2E_NO_SIGNING_KEY', 'sign', {
      reason: miss ?? 'no key is stored for it',
      subject: signer.toString(),
    });
  }
  const { certificate, key } = best.key;
  return { certificate, key, chain: issuersOf(certificate, best.identity.certificates) };
}

function unfitToSign(
  { certificate, key }: OwnKey,
  { signer, at, profile, limits }: SigningKeyQuestion,
): string | undefined {
  if (!canSign(certificate)) return 'its certificate is not for signing';
  if (isExternal(key) && key.sign === undefined) return 'its key service does not sign';
  // RFC 4055 section 1.2: the certificate lets this key make no other signatures.
  if (certificate.publicKey.pss?.hash === 'sha1') return 'its key makes signatures with SHA-1 only';
  // RFC 3923 section 6.10: RSA with PKCS #1 v1.5 is the one signature that everybody has.
  if (profile === 'rfc3923' && certificate.publicKey.algorithm !== 'rsa') return 'RFC 3923 needs an RSA key';
  if (profile === 'rfc3923' && isExternal(key)) return 'its key service does not sign with SHA-1';
  if (certificate.notAfter < at) return 'its certificate has expired';
  if (certificate.notBefore > at) return 'its certificate is not valid yet';
  // RFC 3923 section 6.3: no recipient may believe a signature by a certificate that does not name the sender.
  if (!namesJid(certificate, signer)) return 'its certificate does not name it';
  return weakKey(certificate.publicKey, limits);
}

function issuersOf(certificate: Certificate, certificates: readonly Certificate[]): readonly Certificate[] {
  const chain: Certificate[] = [];
  let wanted = certificate;
  for (;;) {
    const { key } = wanted.issuer;
    const issuer = certificates.find((one) => one.subject.key === key && !one.selfIssued && one !== certificate);
    if (wanted.selfIssued || issuer === undefined || chain.includes(issuer)) return chain;
    chain.push(issuer);
    wanted = issuer;
  }
}

/**
 * Every key that may decrypt for a JID, expired ones included: old messages stay readable.
 *
 * @throws {E2eError} KEY_UNAVAILABLE when no identity could be read and one is locked
 */
export async function decryptionKeys(
  store: KeyStore,
  me: Jid,
  limits: Limits,
  crypto: CryptoProvider,
): Promise<readonly OwnKey[]> {
  const { identities, locked } = await loadIdentities(store, me, limits, crypto);
  if (identities.length === 0 && locked !== undefined) throw locked;
  return identities.flatMap(({ keys }) => keys);
}

/** Loads what can be loaded: one locked key shall not stand in the way of the others. */
async function loadIdentities(
  store: KeyStore,
  jid: Jid,
  limits: Limits,
  crypto: CryptoProvider,
): Promise<{ readonly identities: readonly OwnIdentity[]; readonly locked: E2eError | undefined }> {
  const identities: OwnIdentity[] = [];
  let locked: E2eError | undefined;
  for (const stored of await store.identities(jid, 'smime')) {
    try {
      identities.push(await loadIdentity(stored, limits, crypto));
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
      locked ??= error;
    }
  }
  return { identities, locked };
}
