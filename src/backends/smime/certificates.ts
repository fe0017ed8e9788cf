/** Certificates of contacts, in stores and in messages (RFC 3923 section 6.2, RFC 8551 section 3.7: certs-only). */

import type { CandidateCertificate, CertificateSummary, KeyStore } from '../backend.ts';
import { parseSignedData } from '../../cms/signed-data.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import type { Entity } from '../../mime/entity.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { cmsOctets, isMultipartSigned, kindOf } from './cms-object.ts';
import { summarize } from './summary.ts';
import { knownCertificates } from './trust.ts';
import { parseSignedEntity } from './verify.ts';

/** The end-entity certificates at hand for a bare JID, those that were filed first. */
export async function certificatesOf(
  store: KeyStore,
  jid: Jid,
  limits: Limits,
  crypto: CryptoProvider,
): Promise<readonly CertificateSummary[]> {
  const { filed, others } = await knownCertificates(store, jid, limits);
  const summaries = new Map<string, CertificateSummary>();
  for (const certificate of [...filed, ...others]) {
    if (certificate.basicConstraints?.ca === true) continue;
    const summary = await summarize(certificate, crypto);
    summaries.set(summary.fingerprint, summary);
  }
  return [...summaries.values()];
}

/**
 * The certificates that an entity carries: certs-only, or beside a signature. Candidates: nothing is filed, and nothing
 * is trusted by arrival.
 *
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export async function candidateCertificates(
  entity: Entity,
  limits: Limits,
  crypto: CryptoProvider,
): Promise<readonly CandidateCertificate[]> {
  const found: CandidateCertificate[] = [];
  const seen = new Set<string>();
  for (const data of carriedCertificates(entity, limits)) {
    let certificate: Certificate;
    try {
      certificate = parseCertificate(data, limits);
    } catch (error) {
      if (error instanceof E2eError) continue;
      throw error;
    }
    const summary = await summarize(certificate, crypto);
    if (seen.has(summary.fingerprint)) continue;
    seen.add(summary.fingerprint);
    found.push({ data: certificate.der, summary });
  }
  return found;
}

function carriedCertificates(entity: Entity, limits: Limits): readonly Uint8Array[] {
  if (isMultipartSigned(entity)) return parseSignedEntity(entity, limits).signedData.certificates;
  const octets = cmsOctets(entity, 'parse');
  const kind = kindOf(octets);
  if (kind !== 'signed' && kind !== 'certificates') {
    throw new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason: 'an object that carries no certificates' });
  }
  return parseSignedData(octets, limits, 'parse').certificates;
}
