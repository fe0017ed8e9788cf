/**
 * JIDs in OpenPGP User IDs, in the form of XEP-0373 section 4.2: `xmpp:` and the bare JID, alone or in angle brackets
 * after a name. By choice the form of mail too, without `xmpp:`.
 *
 *     user-id = name / *CHAR "<" name ">"
 *     name    = "xmpp:" [ local "@" ] domain
 *             / local "@" domain                  ; UserIdForms `mail` only
 */

import { Jid } from './jid.ts';
import { identityFromUri } from './uri.ts';

/**
 * Which User IDs name a JID. `xmpp`: those of XEP-0373 alone. `mail`: a mail address is taken for the JID that is
 * spelled alike as well, which holds only where mailboxes and accounts of all contacts belong together.
 */
export type UserIdForms = 'xmpp' | 'mail';

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
