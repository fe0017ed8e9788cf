/**
 * Presence documents of type application/pidf+xml (RFC 3863).
 *
 *     presence (entity) = tuple* note* extension*
 *     tuple (id)        = status extension* contact? note* timestamp?
 *     status            = basic? extension*
 *     basic             = "open" / "closed"
 *     contact           = URI, priority = 0 to 1 with up to three decimals (erratum 1606)
 *
 * RFC 8048 section 6.2 puts `<show xmlns='jabber:client'>` into the status. Comments are legal here, unlike in XMPP:
 * they are skipped, and a value that one stands in is refused by the XML reader.
 */

import { utf8 } from '../bytes.ts';
import type { Limits } from '../limits.ts';
import { parseInstant, type Instant } from '../time.ts';
import { canonicalXml } from '../xml/canonical.ts';
import { isWhitespace } from '../xml/characters.ts';
import { element, type XmlElement } from '../xml/element.ts';
import { PIDF } from '../xml/namespaces.ts';
import { parseXmlBytes } from '../xml/parse.ts';
import { invalid, verified } from './invalid.ts';
import type { LocalizedText } from './text-part.ts';

/** How to reach the presentity. */
export interface PidfContact {
  readonly uri: string;
  /** As written: 0 to 1 with up to three decimals. */
  readonly priority?: string | undefined;
}

/** The presence of one device or service. */
export interface PidfTuple {
  readonly id: string;
  readonly basic: 'open' | 'closed' | undefined;
  /** Elements of other namespaces inside the status. */
  readonly statusExtensions: readonly XmlElement[];
  readonly contact: PidfContact | undefined;
  readonly notes: readonly LocalizedText[];
  /** As written, an RFC 3339 date-time. */
  readonly timestamp: string | undefined;
  /** Elements of other namespaces beside the status. */
  readonly extensions: readonly XmlElement[];
}

/** A presence document. */
export interface PidfPresence {
  /** URI of the presentity, for example `pres:juliet@example.com`. */
  readonly entity: string;
  readonly tuples: readonly PidfTuple[];
  readonly notes: readonly LocalizedText[];
  readonly extensions: readonly XmlElement[];
}

/**
 * Parses a presence document.
 *
 * @param bytes the document in UTF-8
 * @throws {E2eError} PAYLOAD_INVALID, LIMIT
 */
export function parsePidf(bytes: Uint8Array, limits: Limits): PidfPresence {
  const root = verified(() =>
    parseXmlBytes(bytes, { limits, maxBytes: limits.decryptedBytes, comments: 'skip', declaration: true }),
  );
  if (!root.is('presence', PIDF)) throw invalid('root element of a PIDF document');
  const entity = root.attribute('entity');
  if (entity === undefined || entity === '') throw invalid('PIDF presence without entity');
  const { own, extensions } = sort(root, ['tuple', 'note']);
  const tuples = own.filter((child) => child.name === 'tuple').map(parseTuple);
  if (new Set(tuples.map((tuple) => tuple.id)).size < tuples.length) throw invalid('PIDF tuple id twice');
  return { entity, tuples, notes: notesOf(own), extensions };
}

function parseTuple(tuple: XmlElement): PidfTuple {
  const id = tuple.attribute('id');
  if (id === undefined || id === '') throw invalid('PIDF tuple without id');
  const { own, extensions } = sort(tuple, ['status', 'contact', 'note', 'timestamp']);
  const status = atMostOne(own, 'status');
  if (status === undefined) throw invalid('PIDF tuple without status');
  const inside = sort(status, ['basic']);
  const basic = textOf(atMostOne(inside.own, 'basic'));
  if (basic !== undefined && basic !== 'open' && basic !== 'closed') throw invalid('PIDF basic status', basic);
  const timestamp = textOf(atMostOne(own, 'timestamp'));
  // xs:dateTime allows a missing offset, RFC 3923 section 6.9 asks for UTC.
  if (timestamp !== undefined && parseInstant(timestamp) === undefined) throw invalid('PIDF timestamp', timestamp);
  const contact = atMostOne(own, 'contact');
  return {
    id,
    basic,
    statusExtensions: inside.extensions,
    contact: contact === undefined ? undefined : parseContact(contact),
    notes: notesOf(own),
    timestamp,
    extensions,
  };
}

function parseContact(contact: XmlElement): PidfContact {
  const priority = contact.attribute('priority');
  if (priority !== undefined && !isPidfPriority(priority)) throw invalid('PIDF contact priority', priority);
  return { uri: textOf(contact)!, priority };
}

/** Whether a text is a contact priority (RFC 3863 section 4.4 with erratum 1606). */
export function isPidfPriority(text: string): boolean {
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text);
}

/** Tells PIDF's own children, which must be expected here, from those of other namespaces. */
function sort(
  parent: XmlElement,
  names: readonly string[],
): { readonly own: readonly XmlElement[]; readonly extensions: readonly XmlElement[] } {
  const own: XmlElement[] = [];
  const extensions: XmlElement[] = [];
  for (const child of parent.children) {
    if (typeof child === 'string') {
      if (!isWhitespace(child)) throw invalid('text between PIDF elements');
    } else if (child.namespace !== PIDF) extensions.push(child);
    else if (names.includes(child.name)) own.push(child);
    else throw invalid('unexpected PIDF element', child.name);
  }
  return { own, extensions };
}

function atMostOne(children: readonly XmlElement[], name: string): XmlElement | undefined {
  const found = children.filter((child) => child.name === name);
  if (found.length > 1) throw invalid('PIDF element twice', name);
  return found[0];
}

/** Values of simple type collapse white space at their ends (XML Schema Part 2 section 4.3.6). */
function textOf(child: XmlElement | undefined): string | undefined {
  if (child === undefined) return undefined;
  if (child.elements.length > 0) throw invalid('element inside a PIDF value', child.name);
  const { text } = child;
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text[start]!)) start++;
  while (end > start && isWhitespace(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function notesOf(own: readonly XmlElement[]): readonly LocalizedText[] {
  return own
    .filter((child) => child.name === 'note')
    .map((note) => {
      if (note.elements.length > 0) throw invalid('element inside a PIDF value', 'note');
      return { lang: note.lang, text: note.text };
    });
}

/**
 * Writes a presence document: an XML declaration and one line of canonical XML, which no transport can change. Inverse
 * of {@link parsePidf}.
 *
 * @throws {E2eError} UNMAPPABLE for characters that XML cannot hold
 */
export function serializePidf(presence: PidfPresence): Uint8Array {
  const root = element('presence', PIDF, { entity: presence.entity }, [
    ...presence.tuples.map(tupleElement),
    ...presence.notes.map(noteElement),
    ...presence.extensions,
  ]);
  // Canonical XML writes a raw LF in text only; as a reference it stays one octet sequence through any line-end map.
  const line = canonicalXml(root).replaceAll('\n', '&#xA;');
  return utf8(`<?xml version='1.0' encoding='UTF-8'?>${line}`, 'map');
}

function tupleElement(tuple: PidfTuple): XmlElement {
  const { id, basic, statusExtensions, extensions, contact, notes, timestamp } = tuple;
  const status = [...(basic === undefined ? [] : [element('basic', PIDF, {}, [basic])]), ...statusExtensions];
  const children = [element('status', PIDF, {}, status), ...extensions];
  if (contact !== undefined) children.push(element('contact', PIDF, { priority: contact.priority }, [contact.uri]));
  children.push(...notes.map(noteElement));
  if (timestamp !== undefined) children.push(element('timestamp', PIDF, {}, [timestamp]));
  return element('tuple', PIDF, { id }, children);
}

function noteElement({ lang, text }: LocalizedText): XmlElement {
  return element('note', PIDF, { 'xml:lang': lang }, [text]);
}

/** The instant of a tuple's timestamp. */
export function tupleInstant(tuple: PidfTuple): Instant | undefined {
  return tuple.timestamp === undefined ? undefined : parseInstant(tuple.timestamp);
}
