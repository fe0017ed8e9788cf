/** A user at an SDK: the same few acts, whatever the SDK. */
import { type E2eSession, parseXml, serializeXml, type Verdict } from '../../src/index.ts';
import type { XmppServer } from './xmpp-server.ts';

/** A message, presence or request as a handler of the application got it. */
export interface Arrival {
  readonly from: string;
  readonly text: string;
  readonly id: string | undefined;
  readonly verdict: Verdict | undefined;
}

/** What a user's application got. */
export interface Inbox {
  readonly messages: Arrival[];
  readonly presences: Arrival[];
  readonly requests: Arrival[];
  /** Stanzas from inside carbon copies and archive results. */
  readonly copies: Arrival[];
  /** Ids of messages that came back as errors, with everything in them. */
  readonly bounces: { readonly id: string | undefined; readonly xml: string }[];
  /** Everything that the application got, in the order of its coming. */
  readonly received: { readonly name: string; readonly text: string }[];
  /** Why the application could not open something itself. */
  readonly failures: unknown[];
}

/** An application that has got nothing yet. */
export function emptyInbox(): Inbox {
  return { messages: [], presences: [], requests: [], copies: [], bounces: [], received: [], failures: [] };
}

/** One user on one stream. */
export interface Actor extends Inbox {
  readonly sdk: string;
  readonly session: E2eSession;
  /** Full JID. */
  readonly jid: string;
  /** Everything that went over the wire, in both directions, before TLS. */
  wire(): string;
  /** Sends a chat message; settles when the SDK has taken it. */
  say(to: string, text: string, id: string): Promise<void>;
  /** Sends directed presence with a status. */
  show(to: string, status: string): Promise<void>;
  /** Asks for an echo (iq get); the text comes back in the answer. */
  ask(to: string, text: string): Promise<Arrival>;
  /** Sends a stanza of the application's. */
  send(stanza: string): Promise<void>;
  /** Asks for carbon copies (XEP-0280). */
  enableCarbons(): Promise<void>;
  /** Asks for the whole archive (XEP-0313); settles with the last result. */
  fetchArchive(): Promise<void>;
  /** Connects again after the connection was lost, resuming the stream. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** How a user connects. */
export interface ConnectOptions {
  readonly resource?: string;
  /** In the place of the server's own address. */
  readonly address?: string | undefined;
  /** Whether the application seals and opens by itself: not unless given. */
  readonly explicit?: boolean | undefined;
}

/** Connects a user. */
export type Connect = (
  server: XmppServer,
  user: string,
  session: E2eSession,
  options?: ConnectOptions,
) => Promise<Actor>;

/** A stanza as text that says its namespace. */
export function inClientNamespace(stanza: string): string {
  return serializeXml(parseXml(stanza, { defaultNamespace: 'jabber:client' }));
}

/** The namespace of the request that every actor answers: it returns its text. */
export const ECHO = 'urn:example:echo';

/** Seconds that an answer may take behind a thousand stanzas, on a machine that does other things too. */
export const patience = 240;

/** Waits until something holds, and fails after a while. */
export async function until(what: string, holds: () => boolean, seconds = patience): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`timeout: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
