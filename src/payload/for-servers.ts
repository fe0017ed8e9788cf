/**
 * The children of a stanza that are meant for servers and services: they act on them on the way, so these stay outside
 * a sealed object, and a peer's word inside one means nothing for them.
 */

import type { XmlElement } from '../xml/element.ts';
import { DELAY, HINTS } from '../xml/namespaces.ts';

/** Namespace, local name (`*` for any), and where servers are told to act on it. */
export const forServers: readonly (readonly [namespace: string, name: string, reference: string])[] = [
  [HINTS, '*', 'XEP-0334: storing and copying'],
  ['urn:xmpp:carbons:2', 'private', 'XEP-0280: no carbon copies'],
  ['urn:xmpp:sid:0', 'stanza-id', 'XEP-0359: set by the archiving server'],
  ['urn:xmpp:sid:0', 'origin-id', 'XEP-0359: reflected by services'],
  ['urn:xmpp:mam:tmp', 'archived', 'XEP-0313, early versions: set by the archiving server'],
  ['urn:xmpp:receipts', 'request', 'XEP-0184: makes servers store and copy the message'],
  [DELAY, 'delay', 'XEP-0203: set by the server that held the stanza back'],
  ['jabber:x:delay', 'x', 'XEP-0091: the same before 2009'],
  ['http://jabber.org/protocol/address', 'addresses', 'XEP-0033: read by multicast services'],
  ['http://jabber.org/protocol/amp', 'amp', 'XEP-0079: delivery rules'],
  ['http://jabber.org/protocol/muc', 'x', 'XEP-0045: entering a room'],
  ['http://jabber.org/protocol/muc#user', 'x', 'XEP-0045: written and relayed by rooms'],
  ['urn:xmpp:occupant-id:0', 'occupant-id', 'XEP-0421: set by rooms'],
  ['urn:xmpp:eme:0', 'encryption', 'XEP-0380: tells that the stanza is sealed'],
];

const names = new Set(forServers.map(([namespace, name]) => `${name} ${namespace}`));

/** Whether a child of a stanza is meant for servers. */
export function isForServers(child: XmlElement): boolean {
  return names.has(`${child.name} ${child.namespace}`) || names.has(`* ${child.namespace}`);
}
