/** The choice of User IDs that count as addresses. */

/**
 * Which User IDs name a JID. `xmpp`: those of XEP-0373 alone. `mail`: a mail address is taken for the JID that is
 * spelled alike as well, which holds only where mailboxes and accounts of all contacts belong together.
 */
export type UserIdForms = 'xmpp' | 'mail';
