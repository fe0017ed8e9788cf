/** Character and predefined entity references (XML 1.0 sections 4.1 and 4.6), both ways. */

import { isXmlCharacter } from './characters.ts';

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * Replaces every reference in a text.
 *
 *     CharRef   ::= '&#' [0-9]+ ';' | '&#x' [0-9a-fA-F]+ ';'
 *     EntityRef ::= '&' Name ';'
 *
 * @returns undefined for a bare `&`, an entity beyond the five (RFC 6120 section 11.1), or a character that XML forbids
 */
export function expandReferences(raw: string): string | undefined {
  let start = raw.indexOf('&');
  if (start === -1) return raw;
  let text = '';
  let copied = 0;
  while (start !== -1) {
    const end = raw.indexOf(';', start + 2);
    // The search for `;` is paid for by the text it consumes: without one, there is no second search.
    if (end === -1) return undefined;
    const name = raw.slice(start + 1, end);
    const character = name.startsWith('#') ? numbered(name) : entities.get(name);
    if (character === undefined) return undefined;
    text += raw.slice(copied, start) + character;
    copied = end + 1;
    start = raw.indexOf('&', copied);
  }
  return text + raw.slice(copied);
}

/** `#38` or `#x26`. */
function numbered(name: string): string | undefined {
  const isHex = name.charCodeAt(1) === 0x78;
  const base = isHex ? 16 : 10;
  let value = 0;
  let i = isHex ? 2 : 1;
  if (i === name.length) return undefined;
  for (; i < name.length; i++) {
    const digit = digitOf(name.charCodeAt(i));
    if (digit >= base) return undefined;
    value = value * base + digit;
    if (value > 0x10ffff) return undefined;
  }
  return isXmlCharacter(value) ? String.fromCodePoint(value) : undefined;
}

function digitOf(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : 16;
}

const textEscapes: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['\r', '&#xD;'],
  ['\n', '&#xA;'],
]);
const attributeEscapes: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['"', '&quot;'],
  ['\t', '&#x9;'],
  ['\n', '&#xA;'],
  ['\r', '&#xD;'],
]);

/** Escapes character data (Canonical XML 1.0 section 2.3); `>` too, so that no `]]>` arises. */
export function escapeText(text: string): string {
  // Four searches are faster than one class of characters.
  return text.includes('&') || text.includes('<') || text.includes('>') || text.includes('\r')
    ? text.replace(/[&<>\r]/g, (character) => textEscapes.get(character)!)
    : text;
}

/** {@link escapeText} with LF as a reference too, so that no line end can be rewritten on the way. */
export function escapeTextOnOneLine(text: string): string {
  return text.replace(/[&<>\r\n]/g, (character) => textEscapes.get(character)!);
}

/** Escapes an attribute value for double quotes (Canonical XML 1.0 section 2.3). */
export function escapeAttribute(value: string): string {
  return /[&<"\t\n\r]/.test(value)
    ? value.replace(/[&<"\t\n\r]/g, (character) => attributeEscapes.get(character)!)
    : value;
}
