/** Certificates in words. */

import type { CertificateSummary } from '../backend.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { type Certificate, fingerprintOf } from '../../x509/certificate.ts';
import { keyLabel } from '../../x509/signature.ts';
import { namedIdentities } from './certificate-identity.ts';

const known = new WeakMap<Certificate, CertificateSummary>();

/** Describes a certificate, once; every JID it names is listed, trusted or not. */
export async function summarize(certificate: Certificate, crypto: CryptoProvider): Promise<CertificateSummary> {
  const made = known.get(certificate);
  if (made !== undefined) return made;
  const summary: CertificateSummary = Object.freeze({
    fingerprint: await fingerprintOf(certificate, crypto),
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    jids: [...new Set(namedIdentities(certificate).map(({ jid }) => jid.toString()))],
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    algorithm: keyLabel(certificate.publicKey),
  });
  known.set(certificate, summary);
  return summary;
}

/** Describes certificates in their order. */
export function summarizeAll(
  certificates: readonly Certificate[],
  crypto: CryptoProvider,
): Promise<readonly CertificateSummary[]> {
  return Promise.all(certificates.map((certificate) => summarize(certificate, crypto)));
}
