/**
 * JIDs in OpenPGP User IDs, in the form of XEP-0373 section 4.2: `xmpp:` and the bare JID, alone or in angle brackets
 * after a name. By choice the form of mail too, without `xmpp:`.
 *
 *     user-id = name / *CHAR "<" name ">"
 *     name    = "xmpp:" [ local "@" ] domain
 *             / local "@" domain                  ; UserIdForms `mail` only
 */

import { Jid } from '../../jid/jid.ts';
import { identityFromUri } from '../../jid/uri.ts';
import type { BoundIdentity } from '../backend.ts';
import type { Certificate } from './certificate.ts';
import type { UserIdForms } from './user-id-forms.ts';
import { certificationAt } from './validity.ts';

/**
 * The JID that a User ID names.
 *
 * @returns undefined unless it is a bare JID written in enforced form: `xmpp:Romeo@example.org` names nobody
 */
export function jidOfUserId(text: string, forms: UserIdForms = 'xmpp'): Jid | undefined {
  const open = text.lastIndexOf('<');
  const name = open === -1 ? text : text.slice(open + 1, -1);
  if (open !== -1 && (!text.endsWith('>') || text.indexOf('<') !== open || text.indexOf('>') !== text.length - 1)) {
    return undefined;
  }
  if (forms === 'mail' && name.includes('@') && !name.includes(':') && Jid.isEnforced(name)) {
    const jid = Jid.parse(name);
    return jid.isBare ? jid : undefined;
  }
  const identity = name.startsWith('xmpp:') ? identityFromUri(name) : undefined;
  return identity?.scheme === 'xmpp' && identity.jid.isBare ? identity.jid : undefined;
}

/**
 * The names by which a certificate speaks for a JID at a time: User IDs certified and not revoked, equal to the JID.
 *
 * @param time seconds since 1970
 * @param skewSeconds by how much a certification may be ahead: a new key of somebody whose clock is
 */
export function identitiesFor(
  certificate: Certificate,
  jid: Jid,
  time: number,
  skewSeconds: number,
  forms: UserIdForms,
): readonly BoundIdentity[] {
  for (const userId of certificate.userIds) {
    const named = jidOfUserId(userId.text, forms);
    if (named?.equals(jid) !== true) continue;
    if ((certificationAt(userId, time) ?? certificationAt(userId, time + skewSeconds)) !== undefined) {
      return [{ jid: named, source: 'user-id' }];
    }
  }
  return [];
}

/** The User IDs that are certified at a time, as written. */
export function certifiedUserIds(certificate: Certificate, time: number): readonly string[] {
  return certificate.userIds.filter((userId) => certificationAt(userId, time) !== undefined).map(({ text }) => text);
}
