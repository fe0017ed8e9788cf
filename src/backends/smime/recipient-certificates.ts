/** Certificates to encrypt to: trusted and named like a signer's, and made for encryption (RFC 8550 section 4.4.2). */

import { equalBytes } from '../../bytes.ts';
import type { KeyStore, SealProfile } from '../backend.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import { type Certificate } from '../../x509/certificate.ts';
import { namesJid } from './certificate-identity.ts';
import { agrees, canEncryptTo, isRunnable } from './key-material.ts';
import { judgeCertificate, knownCertificates, trustedIdentities, type TrustRules } from './trust.ts';

/** What recipients' certificates are looked up for. */
export interface RecipientQuestion {
  readonly at: Date;
  readonly profile: SealProfile;
  readonly clockSkewSeconds: number;
  readonly sha1Signatures: boolean;
  readonly limits: Limits;
  readonly crypto: CryptoProvider;
}

/**
 * Every certificate that one recipient can be encrypted to: a person has one for each device. One whose algorithm the
 * runtime lacks is passed by where there is another.
 *
 * @throws {E2eError} NO_RECIPIENT_KEY with the reason of the nearest miss and the JID; UNSUPPORTED where the runtime lacks
 * the algorithm of the only ones
 */
export async function recipientCertificates(
  store: KeyStore,
  recipient: Jid,
  question: RecipientQuestion,
  rules: TrustRules,
): Promise<readonly Certificate[]> {
  const { filed, others } = await knownCertificates(store, recipient, question.limits);
  const intermediates = [...filed, ...others];
  let miss = 'no certificate is known';
  let lacking = false;
  const found: Certificate[] = [];
  for (const certificate of intermediates) {
    if (found.some((one) => equalBytes(one.publicKey.spki, certificate.publicKey.spki))) continue;
    // A CA certificate lies beside the others to build paths with.
    if (certificate.basicConstraints?.ca === true) continue;
    if (!canEncryptTo(certificate)) {
      if (found.length === 0) miss = 'the certificate is not for encryption';
      continue;
    }
    const { algorithm } = certificate.publicKey;
    if (question.profile === 'rfc3923' && algorithm !== 'rsa') {
      miss = 'RFC 3923 needs an RSA certificate';
      continue;
    }
    if (!isRunnable(certificate.publicKey, question.crypto)) {
      lacking ||= namesJid(certificate, recipient);
      continue;
    }
    const purpose = agrees(certificate.publicKey) ? 'key-agreement' : 'key-transport';
    const path = await judgeCertificate(certificate, { purpose, pinned: filed, intermediates, ...question }, rules);
    if (path.outcome !== 'trusted') miss = path.reason;
    else if (trustedIdentities(certificate, path, recipient).some(({ jid }) => jid.equals(recipient))) {
      found.push(certificate);
    } else miss = 'the certificate does not name it';
  }
  if (found.length > 0) return found;
  if (lacking) {
    const reason = 'the runtime lacks the algorithm of the certificate';
    throw new E2eError('ERR_E2E_UNSUPPORTED', 'encrypt', { reason, subject: recipient.toString() });
  }
  throw new E2eError('ERR_E2E_NO_RECIPIENT_KEY', 'encrypt', { reason: miss, subject: recipient.toString() });
}
