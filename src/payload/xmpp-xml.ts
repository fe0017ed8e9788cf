/**
 * Content of type application/xmpp+xml: one stanza inside `<xmpp xmlns='jabber:client'>` (RFC 3923 sections 5, 9.2).
 */

import { utf8 } from '../bytes.ts';
import { E2eError, type E2eStage } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { canonicalStanza } from '../xml/canonical.ts';
import { isWhitespace } from '../xml/characters.ts';
import type { XmlElement } from '../xml/element.ts';
import { CLIENT, E2E, E2E_MISSPELT, XML } from '../xml/namespaces.ts';
import { parseXmlBytes } from '../xml/parse.ts';
import { invalid, verified } from './invalid.ts';

/** The kinds of stanza (RFC 6120 section 8.2). */
export type StanzaKind = 'message' | 'presence' | 'iq';

/** The kind of a stanza in `jabber:client`; undefined for any other element. */
export function stanzaKind(stanza: XmlElement): StanzaKind | undefined {
  if (stanza.namespace !== CLIENT) return undefined;
  const { name } = stanza;
  return name === 'message' || name === 'presence' || name === 'iq' ? name : undefined;
}

/**
 * Parses application/xmpp+xml.
 *
 * Exactly one stanza: a reader that took the first of two and one that took the last would be shown two messages
 * under one signature. Text beside it is refused for the same reason.
 *
 * @param bytes the document in UTF-8
 * @returns the stanza; the root's `xml:lang` is its language where it names none itself
 * @throws {E2eError} PAYLOAD_INVALID, LIMIT; LAYERS_REFUSED for an `<e2e/>` inside
 */
export function parseXmppXml(bytes: Uint8Array, limits: Limits): XmlElement {
  const root = verified(() => parseXmlBytes(bytes, { limits, maxBytes: limits.decryptedBytes, declaration: true }));
  if (!root.is('xmpp', CLIENT)) throw invalid('root element of application/xmpp+xml');
  if (root.attributes.some(({ name, namespace }) => name !== 'lang' || namespace !== XML)) {
    throw invalid('attribute on the root of application/xmpp+xml');
  }
  let stanza: XmlElement | undefined;
  for (const child of root.children) {
    if (typeof child === 'string') {
      if (!isWhitespace(child)) throw invalid('text beside the stanza');
    } else if (stanza !== undefined) throw invalid('more than one stanza');
    else stanza = child;
  }
  if (stanza === undefined) throw invalid('no stanza');
  if (stanzaKind(stanza) === undefined) throw invalid('not a stanza', stanza.name);
  refuseNestedE2e(stanza, 'parse');
  return root.lang === undefined || stanza.lang !== undefined ? stanza : stanza.withAttribute('lang', root.lang, XML);
}

/**
 * Writes application/xmpp+xml in canonical form, on one line. Inverse of {@link parseXmppXml}.
 *
 * @param streamLang the language of the stream, for a stanza that names none
 * @throws {E2eError} UNMAPPABLE for what is no stanza and for characters that XML cannot hold; LAYERS_REFUSED
 */
export function serializeXmppXml(stanza: XmlElement, streamLang?: string): Uint8Array {
  refuseNestedE2e(stanza, 'map');
  return utf8(canonicalStanza(stanza, streamLang), 'map');
}

/**
 * Refuses a stanza that holds an `<e2e/>` at any depth: what is sealed inside a sealed stanza would be judged under
 * the outer one's verdict.
 *
 * @throws {E2eError} LAYERS_REFUSED
 */
export function refuseNestedE2e(stanza: XmlElement, stage: E2eStage): void {
  const open = [stanza];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of next.children) {
      if (typeof child === 'string') continue;
      if (child.name === 'e2e' && (child.namespace === E2E || child.namespace === E2E_MISSPELT)) {
        throw new E2eError('ERR_E2E_LAYERS_REFUSED', stage, { reason: 'sealed stanza inside a stanza' });
      }
      open.push(child);
    }
  }
}
