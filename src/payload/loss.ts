/** What a mapping could not carry over. */

import { isWhitespace } from '../xml/characters.ts';
import type { XmlAttribute, XmlElement } from '../xml/element.ts';
import { hasLegalText } from '../xml/legal-text.ts';
import { CLIENT, XML } from '../xml/namespaces.ts';
import { E2eError } from '../errors.ts';

/** Collects the losses of one mapping. */
export interface Loss {
  /** What is lost, in words for people: a child, an attribute, a property of a text. */
  readonly dropped: string[];
  /** Whether mapping back gives the very same tree; false also for losses that carry no meaning, such as order. */
  exact: boolean;
}

/** No loss so far. */
export function noLoss(): Loss {
  return { dropped: [], exact: true };
}

/** Records that something is lost. */
export function lose(loss: Loss, what: string): void {
  loss.dropped.push(what);
  loss.exact = false;
}

/** A child's name for the list: as it is in `jabber:client`, with its namespace elsewhere. */
export function nameOfChild(child: XmlElement): string {
  return child.namespace === CLIENT ? child.name : `{${child.namespace}}${child.name}`;
}

/**
 * The text of a child that holds characters only, and its language.
 *
 * @throws {E2eError} UNMAPPABLE for characters that XML cannot hold
 */
export function textOfChild(child: XmlElement, inherited: string | undefined, loss: Loss): [string, string?] {
  if (child.elements.length > 0) lose(loss, `markup in ${child.name}`);
  loseAttributes(child, (attribute) => isLang(attribute), loss);
  const { text, lang } = child;
  if (!hasLegalText(child)) throw new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason: 'text that XML cannot hold' });
  if (lang === undefined && inherited !== undefined) loss.exact = false;
  const effective = lang ?? inherited;
  return effective === undefined ? [text] : [text, effective];
}

/** Records every attribute that is not expected. */
export function loseAttributes(owner: XmlElement, expected: (attribute: XmlAttribute) => boolean, loss: Loss): void {
  for (const attribute of owner.attributes) {
    if (!expected(attribute)) lose(loss, `attribute ${attribute.name} of ${owner.name}`);
  }
}

/** Whether an attribute is `xml:lang`. */
export function isLang(attribute: XmlAttribute): boolean {
  return attribute.name === 'lang' && attribute.namespace === XML;
}

const routing: readonly string[] = ['from', 'to', 'id', 'type'];

/** Whether an attribute of a stanza belongs to its routing, which stays outside a payload. */
export function isRouting(attribute: XmlAttribute): boolean {
  return attribute.namespace === '' && routing.includes(attribute.name);
}

/** Records character data directly inside a stanza. */
export function loseText(text: string, loss: Loss): void {
  if (isWhitespace(text)) loss.exact = false;
  else lose(loss, 'text beside the children');
}
