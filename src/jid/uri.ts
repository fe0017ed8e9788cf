/** JIDs as im:, pres: and xmpp: URIs (RFC 3922 section 3, RFC 7247 section 4, RFC 5122) and as names in certificates. */

import { Jid } from './jid.ts';

/** The schemes that stand for an address. */
export type UriScheme = 'im' | 'pres' | 'xmpp';

/** An address as a URI gives it. */
export interface JidUri {
  readonly scheme: UriScheme;
  readonly jid: Jid;
}

/** How a URI is read. */
export interface FromUriOptions {
  /** Read the escapes `#26;`, `#27;` and `#2f;` of an RFC 3922 gateway (section 3.2). */
  readonly gatewayEscapes?: boolean;
}
