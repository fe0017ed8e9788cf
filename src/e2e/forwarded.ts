/**
 * Stanzas inside stanzas: carbon copies (XEP-0280), archive results (XEP-0313) and plain forwards (XEP-0297).
 *
 *     message > (received | sent | result) > forwarded > message
 *     message > forwarded > message
 */

import { E2eError } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import { type Instant, parseInstant } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import { DELAY } from '../xml/namespaces.ts';
import { isStanzaNamespace } from '../xml/stanza-namespace.ts';
import { addressOf } from './stanza.ts';
import type { OpenContext } from './timeliness.ts';

/** How a stanza came to be inside another. */
export type ForwardKind = 'carbon-received' | 'carbon-sent' | 'archive' | 'forward';

/** A stanza inside another. */
export interface Forwarded {
  readonly kind: ForwardKind;
  /** The stanza inside, with addresses of its own. */
  readonly stanza: XmlElement;
  /** When the server or forwarder says that it was received: forgeable. */
  readonly stamp: Instant | undefined;
  /** The whole with another stanza inside. */
  replace(stanza: XmlElement): XmlElement;
}

const FORWARD = 'urn:xmpp:forward:0';
const CARBONS = 'urn:xmpp:carbons:2';
const archives = ['urn:xmpp:mam:2', 'urn:xmpp:mam:1', 'urn:xmpp:mam:0'];

/** What kind of forward a direct child of a message announces. */
export function forwardKind(name: string, namespace: string): ForwardKind | undefined {
  if (namespace === CARBONS && name === 'received') return 'carbon-received';
  if (namespace === CARBONS && name === 'sent') return 'carbon-sent';
  if (archives.includes(namespace) && name === 'result') return 'archive';
  return namespace === FORWARD && name === 'forwarded' ? 'forward' : undefined;
}

/**
 * Finds the stanza inside a message.
 *
 * @returns undefined for a message that forwards nothing
 * @throws {E2eError} LAYERS_REFUSED where there is not exactly one: an application might take another than was checked
 */
export function readForwarded(message: XmlElement): Forwarded | undefined {
  const wrappers = message.elements.filter((child) => forwardKind(child.name, child.namespace) !== undefined);
  const [wrapper] = wrappers;
  if (wrapper === undefined) return undefined;
  const kind = forwardKind(wrapper.name, wrapper.namespace)!;
  const all = kind === 'forward' ? wrappers : wrapper.all('forwarded', FORWARD);
  const [forwarded] = all;
  const stanzas = (forwarded?.elements ?? []).filter((child) => isStanzaNamespace(child.namespace));
  const [stanza] = stanzas;
  if (
    wrappers.length > 1 ||
    all.length !== 1 ||
    forwarded === undefined ||
    stanzas.length !== 1 ||
    stanza === undefined
  )
    throw new E2eError('ERR_E2E_LAYERS_REFUSED', 'unwrap', { reason: 'not exactly one forwarded stanza' });
  return {
    kind,
    stanza,
    stamp: parseInstant(forwarded.first('delay', DELAY)?.attribute('stamp') ?? ''),
    replace(other) {
      const inner = swap(forwarded, stanza, other);
      return swap(message, wrapper, kind === 'forward' ? inner : swap(wrapper, forwarded, inner));
    },
  };
}

function swap(parent: XmlElement, old: XmlElement, replacement: XmlElement): XmlElement {
  return parent.withChildren(parent.children.map((child) => (child === old ? replacement : child)));
}

/**
 * The context in which a forwarded stanza is opened.
 *
 * @param archive whose archive was asked
 * @throws {E2eError} SENDER_MISMATCH for a copy that is not from my own server: anybody can send an element of this name
 */
export function contextOf(forwarded: Forwarded, message: XmlElement, me: Jid, archive: Jid = me): OpenContext {
  const from = addressOf(message, 'from', 'unwrap');
  const source = forwarded.kind === 'archive' ? archive : me;
  if (forwarded.kind !== 'forward' && from !== undefined && !from.equals(source.bare())) {
    // XEP-0280 section 11: copies "MUST be from that user's bare JID"; clients that forgot it: CVE-2017-5589.
    throw new E2eError('ERR_E2E_SENDER_MISMATCH', 'unwrap', { reason: 'a copy from another', subject: String(from) });
  }
  const mine = addressOf(forwarded.stanza, 'from', 'unwrap')?.bare().equals(me.bare()) ?? false;
  if (forwarded.kind === 'carbon-received') return 'live';
  if (forwarded.kind === 'carbon-sent') return 'sent';
  return mine ? 'sent-archive' : 'archive';
}
