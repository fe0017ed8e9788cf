/** Presence stanzas as PIDF tuples, both ways (RFC 3922 sections 5.1 and 5.2, RFC 8048 section 6). */

import { hex, utf8 } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import { endOfNcName } from '../xml/characters.ts';
import { element, type XmlElement } from '../xml/element.ts';
import { CLIENT } from '../xml/namespaces.ts';
import {
  isLang,
  isRouting,
  lose,
  type Loss,
  loseAttributes,
  loseText,
  nameOfChild,
  noLoss,
  textOfChild,
} from './loss.ts';
import type { PidfTuple } from './pidf.ts';
import type { LocalizedText } from './text-part.ts';

/** The namespace of RFC 3922's examples for what `<show/>` says; it was never defined, and is read only. */
const PIDF_IM = 'urn:ietf:params:xml:ns:pidf:im';

const shows: ReadonlySet<string> = new Set(['away', 'chat', 'dnd', 'xa']);

/** What a PIDF tuple says of a presence. */
export interface MappedPresence {
  readonly tuple: PidfTuple;
  readonly loss: Loss;
}

/** What {@link mapPresence} needs beside the stanza. */
export interface MapPresenceOptions {
  /** Resource of the sender, '' if it is not known. */
  readonly resource: string;
  /** Contact address for the priority, for example `im:juliet@example.com`. */
  readonly contact: string;
  /** RFC 3339 date-time. */
  readonly timestamp: string;
}

/**
 * Maps an available or unavailable presence.
 *
 * @param stanza a presence in `jabber:client`
 * @throws {E2eError} UNMAPPABLE for other types (they manage subscriptions, RFC 3922 section 6) and for characters
 * that XML cannot hold
 */
export function mapPresence(stanza: XmlElement, { resource, contact, timestamp }: MapPresenceOptions): MappedPresence {
  const type = stanza.attribute('type');
  if (type !== undefined && type !== 'unavailable') {
    throw new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason: 'presence type', subject: type });
  }
  const loss = noLoss();
  loseAttributes(stanza, (attribute) => isRouting(attribute) || isLang(attribute), loss);
  if (stanza.lang !== undefined) loss.exact = false;
  let show: XmlElement | undefined;
  let priority: string | undefined;
  const notes: LocalizedText[] = [];
  for (const child of stanza.children) {
    if (typeof child === 'string') loseText(child, loss);
    else if (child.is('show', CLIENT) && show === undefined) {
      if (notes.length > 0 || priority !== undefined) loss.exact = false;
      show = mapShow(child, loss);
    } else if (child.is('status', CLIENT)) {
      if (priority !== undefined) loss.exact = false;
      const [text, lang] = textOfChild(child, stanza.lang, loss);
      notes.push({ lang, text });
    } else if (child.is('priority', CLIENT) && priority === undefined) priority = mapPriority(child, loss);
    else lose(loss, nameOfChild(child));
  }
  const tuple: PidfTuple = {
    id: tupleId(resource),
    basic: type === undefined ? 'open' : 'closed',
    statusExtensions: show === undefined ? [] : [show],
    contact: priority === undefined ? undefined : { uri: contact, priority },
    notes,
    timestamp,
    extensions: [],
  };
  return { tuple, loss };
}

function mapShow(child: XmlElement, loss: Loss): XmlElement | undefined {
  const [text] = textOfChild(child, undefined, loss);
  if (child.attributes.length > 0) loss.exact = false;
  if (shows.has(text)) return element('show', CLIENT, {}, [text]);
  lose(loss, 'show');
  return undefined;
}

function mapPriority(child: XmlElement, loss: Loss): string | undefined {
  const [text] = textOfChild(child, undefined, loss);
  if (child.attributes.length > 0) loss.exact = false;
  const value = /^[+-]?\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 127) {
    if (String(value) !== text) loss.exact = false;
    return pidfPriority(value);
  }
  // RFC 3922 section 5.1.7: a negative priority MUST NOT be mapped.
  lose(loss, 'priority');
  return undefined;
}

/**
 * An XMPP priority as a PIDF contact priority (RFC 3922 section 5.1.7): 0 is 0, 127 is 1, and no two are the same.
 *
 * @param priority 0 to 127
 */
export function pidfPriority(priority: number): string {
  if (priority === 0) return '0';
  if (priority === 127) return '1';
  return `0.${String(Math.floor((priority * 1000) / 127)).padStart(3, '0')}`;
}

/**
 * A PIDF contact priority as an XMPP priority (RFC 3922 section 5.2.13). Inverse of {@link pidfPriority}.
 *
 * @param priority 0 to 1 with up to three decimals
 */
export function xmppPriority(priority: string): number {
  const [whole, decimals = ''] = priority.split('.');
  if (whole === '1') return 127;
  return Math.min(126, Math.ceil((Number(decimals.padEnd(3, '0')) * 127) / 1000));
}

/**
 * The tuple id for a resource: `ID-` before it (RFC 8048 section 6.2, since an xs:ID cannot start with a digit), or
 * `IDX-` and hexadecimal for a resource that no xs:ID can hold. It tells tuples apart and proves nothing.
 *
 * @param resource '' for none
 */
export function tupleId(resource: string): string {
  const id = `ID-${resource}`;
  return endOfNcName(id, 0) === id.length ? id : `IDX-${hex(utf8(resource, 'map'))}`;
}

/** Whether a tuple is about a resource, by its id with or without the prefix of RFC 8048. */
export function isTupleOf(tuple: PidfTuple, resource: string): boolean {
  return resource !== '' && (tuple.id === tupleId(resource) || tuple.id === resource);
}

/**
 * The resource that a tuple's id stands for at a gateway (RFC 3922 section 5.2.1). Inverse of {@link tupleId} but for
 * ids of foreign making.
 */
export function resourceOfTuple(tuple: PidfTuple): string {
  return tuple.id.startsWith('ID-') ? tuple.id.slice(3) : tuple.id;
}

/** The content of a presence stanza. */
export interface ReconstructedPresence {
  readonly type: 'unavailable' | undefined;
  readonly children: readonly XmlElement[];
  /** What XMPP has no place for. */
  readonly dropped: readonly string[];
}

/**
 * Builds type and children of a presence. Inverse of {@link mapPresence}.
 *
 * @throws {E2eError} UNSUPPORTED for a tuple without basic status, which says neither available nor unavailable
 */
export function reconstructPresence(tuple: PidfTuple): ReconstructedPresence {
  if (tuple.basic === undefined) {
    throw new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason: 'PIDF tuple without basic status' });
  }
  const dropped: string[] = [];
  const children: XmlElement[] = [];
  let show: string | undefined;
  for (const extension of tuple.statusExtensions) {
    const value = show === undefined ? showOf(extension) : undefined;
    if (value === undefined) dropped.push(nameOfChild(extension));
    else show = value;
  }
  if (show !== undefined) children.push(element('show', CLIENT, {}, [show]));
  for (const { lang, text } of tuple.notes) children.push(element('status', CLIENT, { 'xml:lang': lang }, [text]));
  const { contact } = tuple;
  if (contact?.priority !== undefined) {
    children.push(element('priority', CLIENT, {}, [String(xmppPriority(contact.priority))]));
  }
  for (const extension of tuple.extensions) dropped.push(nameOfChild(extension));
  return { type: tuple.basic === 'closed' ? 'unavailable' : undefined, children, dropped };
}

/** `<show/>` as RFC 8048 has it, or `im` of RFC 3922's examples, where `busy` stands for `dnd`. */
function showOf(extension: XmlElement): string | undefined {
  if (!extension.is('show', CLIENT) && !extension.is('im', PIDF_IM)) return undefined;
  if (extension.elements.length > 0) return undefined;
  const word = extension.text.replace(/[ \t\r\n]+/g, '');
  if (shows.has(word)) return word;
  return word === 'busy' && extension.namespace === PIDF_IM ? 'dnd' : undefined;
}
