/** What the payload of a sealed object says, whatever its form (RFC 3923 sections 3, 4 and 5). */

import type { Jid } from '../jid/jid.ts';
import type { Instant } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';

/** A parsed payload: Message/CPIM around text, PIDF or application/xmpp+xml, or one of the latter two bare. */
export interface Payload {
  /** The form of the innermost content; `cpim` for text in Message/CPIM. */
  readonly form: 'cpim' | 'pidf' | 'xmpp+xml';
  /** The kind of stanza that it stands for. */
  readonly kind: 'message' | 'presence' | 'iq';
  /** Every address that names the sender, with where it stands (`CPIM From`, `PIDF entity`, `inner from`). */
  readonly senders: readonly (readonly [where: string, jid: Jid])[];
  /** The addresses in CPIM To and cc; empty for a bare form. */
  readonly recipients: readonly Jid[];
  /** `from` of the inner stanza of application/xmpp+xml. */
  readonly innerFrom: Jid | undefined;
  /** `to` of the inner stanza of application/xmpp+xml. */
  readonly innerTo: Jid | undefined;
  /** CPIM DateTime. */
  readonly dateTime: Instant | undefined;
  /** The newest timestamp of a PIDF tuple. */
  readonly timestamp: Instant | undefined;
  /** The inner stanza of application/xmpp+xml, as parsed. */
  readonly stanza: XmlElement | undefined;
}
