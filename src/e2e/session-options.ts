/** What an `E2eSession` takes, tells and gives: types, and the names of its options. */

import type { SealProfile, SecurityBackend } from '../backends/backend.ts';
import type { E2eError } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import type { Limits } from '../limits.ts';
import type { PayloadForm } from '../payload/map.ts';
import type { XmlElement } from '../xml/element.ts';
import type { ArrivedCertificates } from './certificate-exchange.ts';
import type { CertificatePolicy } from './certificate-policy.ts';
import type { SendingClock } from './clock.ts';
import type { DialectProfile } from './dialect.ts';
import type { ReplyMode } from './error-reply.ts';
import type { ForwardKind } from './forwarded.ts';
import type { ContactMemory } from './known-contacts.ts';
import type { Opened } from './open.ts';
import type { PinGuard } from './pins.ts';
import type { Policy } from './policy.ts';
import type { ReplayGuard } from './replay.ts';
import type { Roster } from './roster.ts';
import type { SealingRule } from './sending-policy.ts';
import type { OpenContext } from './timeliness.ts';
import type { Protection } from './verdict.ts';

/** A stanza in any form that is understood: text, our tree, or an element of ltx or the DOM. */
export type StanzaInput = object | string;

/** How a contact is sealed to; the ways of a foreign client are those of opening too. */
export type SessionProfile = SealProfile | DialectProfile;

/** Options of {@link E2eSession}. */
export interface SessionOptions {
  /** My address; its resource is not looked at. */
  readonly jid: Jid | string;
  /** Asked in this order: which of them has a key for a contact, and which of them knows a sealed object. */
  readonly backends: readonly SecurityBackend[];
  readonly policy?: Policy | undefined;
  /** Required by `strictPolicy`; `false` is the explicit choice not to look for replays. */
  readonly replay?: ReplayGuard | false | undefined;
  /** Kept across restarts by a clock of `xmpp-e2e/stores/node`; in memory unless given. */
  readonly clock?: SendingClock | undefined;
  /** For whom a key was ever stored; in memory unless given. */
  readonly contacts?: ContactMemory | undefined;
  /** What is pinned for each contact; a contact of whom sealed stanzas are required counts as one with a key. */
  readonly expect?: PinGuard | undefined;
  /** My contacts, for the verdict's `lookAlike`. */
  readonly roster?: Roster | undefined;
  /** Certificates that arrive, and requests for mine; nothing is kept and nothing answered unless given. */
  readonly certificates?: CertificatePolicy | undefined;
  /** Which stanzas to and from contacts with keys are sealed; all that can be unless given. */
  readonly sealing?: SealingRule | undefined;
  readonly protection?: Protection | undefined;
  readonly payload?: PayloadForm | 'auto' | undefined;
  /** For all contacts, or for each: today's algorithms, those of RFC 3923, or the ways of a foreign client. */
  readonly profile?: SessionProfile | ((contact: Jid) => SessionProfile | undefined) | undefined;
  readonly hidden?: boolean | undefined;
  /** Ask servers to archive sealed messages: true unless given. */
  readonly store?: boolean | undefined;
  /** Say beside sealed messages how they are sealed (XEP-0380). */
  readonly announce?: boolean | undefined;
  /** A body beside sealed messages, for clients that cannot open them. */
  readonly fallbackBody?: string | undefined;
  /** Error replies of RFC 3923 section 7: `safe` unless given. */
  readonly replies?: ReplyMode | undefined;
  /** Who may learn from an error reply that I am here: those for whom a key was ever stored, unless given. */
  readonly isContact?: ((jid: Jid) => boolean | Promise<boolean>) | undefined;
  /** Seconds that sealing or opening one stanza may take before it is given up: 30 unless given. */
  readonly timeout?: number | undefined;
  readonly limits?: Limits | undefined;
}

/** Every option there is. */
export const sessionOptionNames: readonly (keyof SessionOptions)[] = [
  'jid',
  'backends',
  'policy',
  'replay',
  'clock',
  'contacts',
  'expect',
  'roster',
  'certificates',
  'sealing',
  'protection',
  'payload',
  'profile',
  'hidden',
  'store',
  'announce',
  'fallbackBody',
  'replies',
  'isContact',
  'timeout',
  'limits',
];

/** What a session tells. */
export interface SessionEvents {
  /** A stanza was opened. */
  readonly opened: {
    readonly received: XmlElement;
    readonly opened: Opened;
    readonly forward: ForwardKind | undefined;
  };
  /** A stanza that was opened before without a good signature has got one: context `verify`. No new delivery. */
  readonly verified: { readonly received: XmlElement; readonly opened: Opened };
  /** Certificates of a contact were kept as candidates. */
  readonly certificates: { readonly received: XmlElement | undefined; readonly arrived: ArrivedCertificates };
  /** A stanza was refused, with what was received (never content) and the reply that section 7 allows. */
  readonly refused: {
    readonly received: XmlElement | undefined;
    readonly error: E2eError;
    readonly reply: XmlElement | undefined;
  };
  /** A stanza was not sent, since it could not be sealed. */
  readonly unsent: { readonly stanza: XmlElement | undefined; readonly error: E2eError };
}

/** Options of {@link E2eSession.open}. */
export interface SessionOpenOptions {
  readonly context?: OpenContext | undefined;
  /** When the stanza is received: now unless given. */
  readonly at?: Date | undefined;
  /** A further check, after all others: what it throws is thrown, and the stanza is refused. */
  readonly accept?: ((opened: Opened) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link E2eSession.openForwarded}. */
export interface OpenForwardedOptions {
  /** Whose archive was asked, where it is not my own. */
  readonly archive?: Jid | string | undefined;
  /** When the stanza was received, where that is known from other than the stanza itself: now unless given. */
  readonly at?: Date | undefined;
  /** A further check, after all others: what it throws is thrown, and the stanza is refused. */
  readonly accept?: ((opened: Opened) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An opened stanza from inside another. */
export interface OpenedForward {
  readonly kind: ForwardKind;
  readonly opened: Opened;
  /** When the forwarding server says that it was received: forgeable. */
  readonly stamp: Date | undefined;
  /** The message around it, with the opened stanza in the place of the sealed one. */
  readonly message: XmlElement;
}
