/** Certificates in words. */

import type { CertificateSummary } from '../backend.ts';
import type { Certificate } from './certificate.ts';
import { jidOf } from './user-id.ts';
import { primaryExpiry, primarySelfSignature } from './validity.ts';

/**
 * Describes a certificate.
 *
 * @param time seconds since 1970 at which its self-signatures count
 */
export function describe(certificate: Certificate, time: number): CertificateSummary {
  const { primary, userIds, fingerprint } = certificate;
  const expires = primaryExpiry(certificate, time);
  const self = primarySelfSignature(certificate, time);
  const main = userIds.find(({ certifications }) => certifications.some((own) => own === self)) ?? userIds[0];
  const jids = new Set<string>();
  for (const userId of userIds) {
    const jid = jidOf(userId, 'xmpp');
    if (jid !== undefined) jids.add(jid.toString());
  }
  return {
    fingerprint,
    subject: main?.text ?? '',
    issuer: undefined,
    jids: [...jids],
    notBefore: new Date(primary.created * 1000),
    notAfter: expires === Number.POSITIVE_INFINITY ? undefined : new Date(expires * 1000),
    algorithm: primary.algorithm,
  };
}
