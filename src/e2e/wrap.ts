/**
 * The `<e2e/>` element: a MIME object as the text of one child of a stanza (RFC 3923 sections 3.1, 4.1, 5 and 9.1).
 *
 * RFC 3923 deviation: section 3.1: escaped text as well as CDATA, since servers turn one into the other.
 * RFC 3923 deviation: section 6.4: base64 or ASCII armor inside in place of `binary`, which XML cannot hold.
 */

import { base64Decode, crlfText, utf8, utf8Decode } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { bareEntity, type Entity, parseEntity, parseTextEntity } from '../mime/entity.ts';
import { element, type XmlElement, type XmlNode } from '../xml/element.ts';
import { E2E } from '../xml/namespaces.ts';
import { e2eChildren } from './stanza.ts';

/** What a sealed stanza carries. */
export interface Unwrapped {
  /** The outermost security layer; a bare blob where `contentType` is undefined. */
  readonly entity: Entity;
  /** Everything beside `<e2e/>`: unprotected, and never part of the opened stanza. */
  readonly outside: readonly XmlElement[];
}

/**
 * Puts a MIME entity into an `<e2e/>` child.
 *
 * Line ends are written as LF: a CR would have to be a character reference, which the first server turns into a raw CR
 * and the second into LF.
 *
 * @param shell the stanza as servers shall see it, without content
 * @param entity a fixed point of the CRLF map, or text with LF line ends
 */
export function wrap(shell: XmlElement, entity: Uint8Array | string): XmlElement {
  const text = typeof entity === 'string' ? entity : utf8Decode(entity).replaceAll('\r\n', '\n');
  const children: XmlNode[] = [element('e2e', E2E, {}, [text]), ...shell.children];
  return shell.withChildren(children);
}

/**
 * Takes the MIME entity out of the `<e2e/>` child of a stanza.
 *
 * @throws {E2eError} NOT_SEALED without `<e2e/>`; LAYERS_REFUSED for two; MALFORMED; LIMIT
 */
export function unwrap(stanza: XmlElement, limits: Limits): Unwrapped {
  const [e2e, second] = e2eChildren(stanza);
  if (e2e === undefined) throw new E2eError('ERR_E2E_NOT_SEALED', 'unwrap');
  if (second !== undefined) throw new E2eError('ERR_E2E_LAYERS_REFUSED', 'unwrap', { reason: 'two e2e elements' });
  if (e2e.elements.length > 0) throw malformed('elements inside e2e');
  const text = e2e.text;
  if (text.length > limits.stanzaBytes) throw new E2eError('ERR_E2E_LIMIT', 'unwrap', { reason: 'stanza too large' });
  const outside = stanza.elements.filter((child) => child !== e2e);
  return { entity: entityOf(trimStart(text), limits), outside };
}

/** RFC 3923 examples 3 and 9 put a line end after `<![CDATA[`, which must not read as an empty header block. */
function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && ' \t\r\n'.includes(text[start]!)) start++;
  return text.slice(start);
}

/**
 * Examples 5, 6, 11 and 12 of RFC 3923 show bare base64 where the text asks for a MIME object, and one deployed client
 * sends it so. No MIME header block is free of colons, no base64 text holds one, and an armor begins with dashes.
 */
function entityOf(text: string, limits: Limits): Entity {
  if (text === '') throw malformed('e2e is empty');
  const isMime = !text.startsWith('-') && text.includes(':');
  // Text of XML has no CR (XML 1.0 section 2.11) but by a character reference.
  if (isMime && !text.includes('\r')) return parseTextEntity(text, { limits, stage: 'unwrap' });
  const bytes = utf8(crlfText(text), 'unwrap');
  if (isMime) return parseEntity(bytes, { limits, stage: 'unwrap' });
  return bareEntity(text.startsWith('-') ? bytes : base64Decode(bytes, 'unwrap'), bytes);
}

function malformed(reason: string): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', 'unwrap', { reason });
}
