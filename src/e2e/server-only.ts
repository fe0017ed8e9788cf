/**
 * What only servers, rooms and services may say. Inside a sealed stanza such an element has come from a contact who
 * wants it taken for a server's word (forged carbon copies: CVE-2017-5589 and its family), so nothing that holds one
 * enters an SDK's own pipeline.
 */

import { E2eError } from '../errors.ts';
import type { XmlElement } from '../xml/element.ts';
import { walk } from '../xml/walk.ts';

/** Namespace, local name (`*` for any), and what an SDK takes it for. */
export const serverOnly: readonly (readonly [namespace: string, name: string, meaning: string])[] = [
  ['jabber:iq:roster', '*', 'RFC 6121: roster push'],
  ['urn:xmpp:blocking', '*', 'XEP-0191: blocklist push'],
  ['jabber:iq:privacy', '*', 'XEP-0016: privacy list push'],
  ['jabber:iq:private', '*', 'XEP-0049: private storage'],
  ['jabber:iq:register', '*', 'XEP-0077: account'],
  ['jabber:iq:auth', '*', 'XEP-0078: login'],
  ['urn:xmpp:carbons:2', '*', 'XEP-0280: carbon copy'],
  ['urn:xmpp:carbons:1', '*', 'XEP-0280: carbon copy, early version'],
  ['urn:xmpp:forward:0', '*', 'XEP-0297: forwarded stanza'],
  ['urn:xmpp:mam:2', '*', 'XEP-0313: archive result'],
  ['urn:xmpp:mam:1', '*', 'XEP-0313: archive result, early version'],
  ['urn:xmpp:mam:0', '*', 'XEP-0313: archive result, early version'],
  ['urn:xmpp:mam:tmp', '*', 'XEP-0313: archive result, early version'],
  ['http://jabber.org/protocol/muc', '*', 'XEP-0045: group chat'],
  ['http://jabber.org/protocol/muc#user', '*', 'XEP-0045: room status and invitations'],
  ['http://jabber.org/protocol/muc#admin', '*', 'XEP-0045: room administration'],
  ['http://jabber.org/protocol/muc#owner', '*', 'XEP-0045: room configuration'],
  ['urn:xmpp:occupant-id:0', '*', 'XEP-0421: room occupant'],
  ['urn:xmpp:mix:core:1', '*', 'XEP-0369: channel'],
  ['urn:xmpp:mix:pam:2', '*', 'XEP-0405: channel membership'],
  ['http://jabber.org/protocol/pubsub', '*', 'XEP-0060: personal nodes'],
  ['http://jabber.org/protocol/pubsub#event', '*', 'XEP-0060: event'],
  ['http://jabber.org/protocol/pubsub#owner', '*', 'XEP-0060: node configuration'],
  ['urn:xmpp:push:0', '*', 'XEP-0357: push notification'],
  ['jabber:component:accept', '*', 'XEP-0114: component stream'],
  ['http://etherx.jabber.org/streams', '*', 'RFC 6120: stream features and errors'],
  ['urn:ietf:params:xml:ns:xmpp-streams', '*', 'RFC 6120: stream error'],
  ['urn:ietf:params:xml:ns:xmpp-tls', '*', 'RFC 6120: STARTTLS'],
  ['urn:ietf:params:xml:ns:xmpp-sasl', '*', 'RFC 6120: SASL'],
  ['urn:ietf:params:xml:ns:xmpp-bind', '*', 'RFC 6120: resource binding'],
  ['urn:ietf:params:xml:ns:xmpp-session', '*', 'RFC 3921: session'],
  ['urn:xmpp:sasl:2', '*', 'XEP-0388: SASL'],
  ['urn:xmpp:bind:0', '*', 'XEP-0386: resource binding'],
  ['urn:xmpp:fast:0', '*', 'XEP-0484: login token'],
  ['urn:xmpp:sm:3', '*', 'XEP-0198: stream management'],
  ['urn:xmpp:sm:2', '*', 'XEP-0198: stream management, early version'],
  ['urn:xmpp:csi:0', '*', 'XEP-0352: client state'],
];

const names = new Set(serverOnly.map(([namespace, name]) => `${name} ${namespace}`));

/**
 * Refuses an opened stanza that holds, at any depth, what only servers may say: some SDKs look for it deeply.
 *
 * @throws {E2eError} LAYERS_REFUSED
 */
export function refuseServerOnly(stanza: XmlElement): void {
  walk(stanza, {
    start(element) {
      if (element === stanza) return;
      if (names.has(`* ${element.namespace}`) || names.has(`${element.name} ${element.namespace}`)) {
        const subject = `{${element.namespace}}${element.name}`;
        throw new E2eError('ERR_E2E_LAYERS_REFUSED', 'check', { reason: 'only servers may say this', subject });
      }
    },
    text: () => undefined,
    end: () => undefined,
  });
}
