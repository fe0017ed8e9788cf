/**
 * The JIDs that a certificate names (RFC 3923 section 6.3): im:, pres: and xmpp: URIs and id-on-xmppAddr in its
 * subjectAltName. The subject name is ignored, as are mail addresses and host names.
 *
 * A name counts only as it stands: percent-decoded it must already be an enforced bare JID, else it matches nothing.
 * No name is prepared first, so that a variant with another case, width, NUL or final dot never becomes somebody else.
 */

import type { BoundIdentity } from '../backend.ts';
import { Jid } from '../../jid/jid.ts';
import { identityFromUri } from '../../jid/uri.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { xmppAddresses } from '../../x509/general-names.ts';

const known = new WeakMap<Certificate, readonly BoundIdentity[]>();

/**
 * Every JID that a certificate names, whether it may or not.
 *
 * @returns bare JIDs in the order of the names, each source once
 */
export function namedIdentities(certificate: Certificate): readonly BoundIdentity[] {
  let identities = known.get(certificate);
  if (identities === undefined) {
    identities = Object.freeze(readIdentities(certificate));
    known.set(certificate, identities);
  }
  return identities;
}

function readIdentities({ subjectAltName = [] }: Certificate): BoundIdentity[] {
  const found: BoundIdentity[] = [];
  for (const name of subjectAltName) {
    if (name.form !== 'uniformResourceIdentifier') continue;
    const identity = identityFromUri(name.text);
    if (identity !== undefined) found.push({ jid: identity.jid, source: identity.scheme });
  }
  for (const address of xmppAddresses(subjectAltName)) {
    if (!Jid.isEnforced(address)) continue;
    const jid = Jid.parse(address);
    if (jid.isBare) found.push({ jid, source: 'xmpp-addr' });
  }
  return found.filter(
    ({ jid, source }, index) => found.findIndex((one) => one.source === source && one.jid.equals(jid)) === index,
  );
}

/** Whether a certificate names a bare JID. */
export function namesJid(certificate: Certificate, jid: Jid): boolean {
  return namedIdentities(certificate).some((identity) => identity.jid.equals(jid));
}

/** The names in a certificate, which prove nothing until its path is valid. */
export interface CertificateNames {
  /** rfc822Name entries of the subjectAltName, as written. */
  readonly emails: readonly string[];
  /** Bare JIDs in enforced form (RFC 3923 section 6.3). */
  readonly jids: readonly string[];
  /** The subject name; no identity (RFC 8550 section 3). */
  readonly subject: string;
}

/** The names in a certificate, whether it may use them or not. */
export function certificateNames(certificate: Certificate): CertificateNames {
  const emails = (certificate.subjectAltName ?? []).flatMap((name) => (name.form === 'rfc822Name' ? [name.text] : []));
  const jids = [...new Set(namedIdentities(certificate).map(({ jid }) => jid.toString()))];
  return { emails, jids, subject: certificate.subject.text };
}
