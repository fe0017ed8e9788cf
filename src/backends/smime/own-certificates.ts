/** My certificates as an object to send: certs-only (RFC 8551 section 3.7, RFC 3923 section 6.2). */

import { hex } from '../../bytes.ts';
import { serializeCertificates } from '../../cms/signed-data.ts';
import { E2eError } from '../../errors.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import { serializeEntity } from '../../mime/entity.ts';
import { encodeBase64Body } from '../../mime/transfer-encoding.ts';
import type { KeyStore } from '../backend.ts';
import { readableCertificates } from './certificate-file.ts';
import { namesJid } from './certificate-identity.ts';

/**
 * Writes the certificates of a JID of mine that are valid now, and those that lead to an anchor. No private key is
 * touched.
 *
 *     Content-Type: application/pkcs7-mime; smime-type=certs-only; name=smime.p7c
 *
 * @throws {E2eError} NO_SIGNING_KEY where there is none
 */
export async function ownCertificates(store: KeyStore, jid: Jid, at: Date, limits: Limits): Promise<Uint8Array> {
  const found = new Map<string, Uint8Array>();
  let mine = 0;
  for (const { certificates } of await store.identities(jid, 'smime')) {
    for (const certificate of readableCertificates(certificates, limits)) {
      const { notBefore, notAfter, der } = certificate;
      const issuer = certificate.basicConstraints?.ca === true;
      // An anchor that comes in a message anchors nothing (RFC 5280 section 6.1).
      if ((issuer && certificate.selfIssued) || notBefore > at || notAfter < at) continue;
      if (!issuer && !namesJid(certificate, jid)) continue;
      if (!issuer) mine++;
      found.set(hex(der), der);
    }
  }
  if (mine === 0) {
    throw new E2eError('ERR_E2E_NO_SIGNING_KEY', 'sign', {
      reason: 'no valid certificate is stored for it',
      subject: jid.toString(),
    });
  }
  return serializeEntity(
    [
      { name: 'Content-Type', value: 'application/pkcs7-mime; smime-type=certs-only; name=smime.p7c' },
      { name: 'Content-Transfer-Encoding', value: 'base64' },
      { name: 'Content-Disposition', value: 'attachment; filename=smime.p7c' },
    ],
    encodeBase64Body(serializeCertificates([...found.values()].slice(0, limits.certificates))),
  );
}
