/** The three kinds of stanza and their addresses (RFC 6120 section 8). */

import { E2eError, type E2eStage } from '../errors.ts';
import { Jid } from '../jid/jid.ts';
import type { StanzaKind } from '../payload/xmpp-xml.ts';
import type { XmlElement } from '../xml/element.ts';
import { CLIENT, E2E, SERVER } from '../xml/namespaces.ts';

const kinds: readonly string[] = ['message', 'presence', 'iq'];

/**
 * The kind of a stanza.
 *
 * @throws {E2eError} MALFORMED (UNMAPPABLE at stage `map`) for an element that is no stanza
 */
export function stanzaKind(stanza: XmlElement, stage: E2eStage): StanzaKind {
  const known = stanza.namespace === CLIENT || stanza.namespace === SERVER || stanza.namespace === '';
  if (!known || !kinds.includes(stanza.name)) {
    const code = stage === 'map' ? 'ERR_E2E_UNMAPPABLE' : 'ERR_E2E_MALFORMED';
    throw new E2eError(code, stage, { reason: 'not a message, presence or iq stanza' });
  }
  return stanza.name as StanzaKind;
}

/**
 * The address in an attribute of a stanza.
 *
 * @returns undefined where the attribute is absent
 * @throws {E2eError} MALFORMED for something that is no JID
 */
export function addressOf(stanza: XmlElement, attribute: 'from' | 'to', stage: E2eStage): Jid | undefined {
  const text = stanza.attribute(attribute);
  if (text === undefined) return undefined;
  try {
    return Jid.parse(text);
  } catch {
    throw new E2eError('ERR_E2E_MALFORMED', stage, {
      reason: `the address in "${attribute}" is not a JID`,
      subject: text,
    });
  }
}

/** An address given by the caller: a programmer's argument, not data. @throws {TypeError} for no JID */
export function readJid(option: string, value: Jid | string): Jid {
  if (value instanceof Jid) return value;
  try {
    return Jid.parse(value);
  } catch {
    throw new TypeError(`option ${option} must be a JID`);
  }
}

/** The `<e2e/>` children of a stanza (RFC 3923 section 9.1). */
export function e2eChildren(stanza: XmlElement): readonly XmlElement[] {
  return stanza.elements.filter((child) => child.is('e2e', E2E));
}
