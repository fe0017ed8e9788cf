/**
 * Which stanzas are sealed. What servers, rooms and services act on stays plain (RFC 3923 section 2 is about
 * one-to-one stanzas); everything else between me and a contact whose key was ever stored is sealed.
 */

import type { Jid } from '../jid/jid.ts';
import { isForServers } from '../payload/for-servers.ts';
import type { XmlElement } from '../xml/element.ts';

/** Sealed, or as it is. */
export type Sealing = 'seal' | 'plain';

/** What a {@link SealingRule} may look at. */
export interface SealingFacts {
  readonly direction: 'outgoing' | 'incoming';
  /** What happens without the rule. */
  readonly usual: Sealing;
}

/**
 * Decides for one stanza to or from a contact. `seal` for an incoming stanza means that it is refused when it comes
 * plain.
 */
export type SealingRule = (stanza: XmlElement, facts: SealingFacts) => Sealing;

/** Presence that servers act on (RFC 6121 section 3). */
const subscriptions = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe'];

/** Requests that come before anybody knows who can read sealed ones. */
const plainRequests = [
  'http://jabber.org/protocol/disco#info',
  'http://jabber.org/protocol/disco#items',
  'urn:xmpp:ping',
];

const events = 'http://jabber.org/protocol/pubsub#event';

/** Whether presence is a subscription request or its answer. */
export function isSubscription(name: string, type: string | undefined): boolean {
  return name === 'presence' && type !== undefined && subscriptions.includes(type);
}

/**
 * What happens to a stanza that I send to a contact whose key was ever stored.
 *
 * @param to the contact, with or without resource
 */
export function usualSending(stanza: XmlElement, to: Jid): Sealing {
  const type = stanza.attribute('type');
  if (type === 'error') return 'plain';
  if (stanza.name === 'message') return type === 'groupchat' ? 'plain' : 'seal';
  if (stanza.name === 'presence') return isSubscription(stanza.name, type) ? 'plain' : 'seal';
  // RFC 6121 section 8.5.1: the server answers requests to a bare JID in the contact's place.
  return to.isBare || isPlainRequest(stanza) ? 'plain' : 'seal';
}

/**
 * What is asked of a stanza from such a contact. Broadcast presence is plain, and nobody can tell it from directed
 * presence; the contact's server sends events in the name of the bare JID.
 */
export function usualReceiving(stanza: XmlElement, from: Jid): Sealing {
  if (stanza.name === 'presence' || stanza.attribute('type') === 'error') return 'plain';
  if (stanza.name === 'iq') return isPlainRequest(stanza) ? 'plain' : 'seal';
  const content = stanza.elements.filter((child) => !isForServers(child));
  return content.every((child) => from.isBare && child.is('event', events)) ? 'plain' : 'seal';
}

function isPlainRequest(stanza: XmlElement): boolean {
  const { elements } = stanza;
  return elements.length > 0 && elements.every((child) => plainRequests.includes(child.namespace));
}
