/** The User IDs of a certificate by which it speaks for a JID (XEP-0373 section 4.2, RFC 9580 section 5.11). */

import type { Jid } from '../../jid/jid.ts';
import { jidOfUserId, type UserIdForms } from '../../jid/user-id.ts';
import type { BoundIdentity } from '../backend.ts';
import type { Certificate, UserId } from './certificate.ts';
import { certificationAt } from './validity.ts';

const named = new WeakMap<UserId, Map<UserIdForms, Jid | undefined>>();

/** The JID that a User ID names, found once. */
export function jidOf(userId: UserId, forms: UserIdForms): Jid | undefined {
  let jids = named.get(userId);
  if (jids === undefined) named.set(userId, (jids = new Map<UserIdForms, Jid | undefined>()));
  if (!jids.has(forms)) jids.set(forms, jidOfUserId(userId.text, forms));
  return jids.get(forms);
}

/**
 * The User ID by which a certificate names a JID at a time: certified, not revoked, equal to the JID.
 *
 * @param time seconds since 1970
 * @param skewSeconds by how much a certification may be ahead: a new key of somebody whose clock is
 */
export function userIdFor(
  certificate: Certificate,
  jid: Jid,
  time: number,
  skewSeconds: number,
  forms: UserIdForms,
): UserId | undefined {
  return certificate.userIds.find((userId) => {
    if (jidOf(userId, forms)?.equals(jid) !== true) return false;
    return (certificationAt(userId, time) ?? certificationAt(userId, time + skewSeconds)) !== undefined;
  });
}

/**
 * The names by which a certificate speaks for a JID at a time.
 *
 * @param time and the others as for {@link userIdFor}
 */
export function identitiesFor(
  certificate: Certificate,
  jid: Jid,
  time: number,
  skewSeconds: number,
  forms: UserIdForms,
): readonly BoundIdentity[] {
  const found = userIdFor(certificate, jid, time, skewSeconds, forms);
  return found === undefined ? [] : [{ jid: jidOf(found, forms)!, source: 'user-id' }];
}

/** The User IDs that are certified at a time, as written. */
export function certifiedUserIds(certificate: Certificate, time: number): readonly string[] {
  return certificate.userIds.filter((userId) => certificationAt(userId, time) !== undefined).map(({ text }) => text);
}
