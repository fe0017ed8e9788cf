/**
 * Which elements are known to hold only characters that XML can carry (XML 1.0 section 2.2), so that a long text is
 * looked at once between the parser and the writer. Trees never change.
 */

import { longText } from '../bytes.ts';
import { isXmlText } from './characters.ts';
import type { XmlElement } from './element.ts';

const known = new WeakSet<XmlElement>();

/** Remembers an element if it has a long text. Each text directly inside it has been looked at, and is legal. */
export function rememberLegal(element: XmlElement): void {
  for (const child of element.children) {
    if (typeof child === 'string' && child.length >= longText) {
      known.add(element);
      return;
    }
  }
}

/** Whether each text directly inside an element is known to be legal; false where it was not looked at. */
export function isKnownLegal(element: XmlElement): boolean {
  return known.has(element);
}

/** Whether the text directly inside an element is legal. */
export function hasLegalText(element: XmlElement): boolean {
  const { text } = element;
  if (text.length >= longText && known.has(element)) return true;
  if (!isXmlText(text)) return false;
  // Of two texts with an element between them each may be half a character.
  if (element.children.length === 1) rememberLegal(element);
  return true;
}
