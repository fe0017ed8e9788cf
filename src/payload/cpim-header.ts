/**
 * The header lines of Message/CPIM (RFC 3862 section 3).
 *
 *     Header      = Header-name ":" *( ";" Parameter ) SP Header-value CRLF
 *     Header-name = [ Name-prefix "." ] Name
 *     Parameter   = "lang=" Language-tag / Name "=" ( Token / Number / String )
 *     Formal-name = 1*( Token SP ) / String
 *     address     = [ Formal-name ] "<" URI ">"
 *     Escape      = "\" ( "u" 4(HEXDIG) / "b" / "t" / "n" / "r" / DQUOTE / "'" / "\" )
 *
 * It looks like mail but is not: one line each, no folding, case-sensitive names, exactly one space, UTF-8.
 */

import { E2eError } from '../errors.ts';
import { invalid } from './invalid.ts';

/** One header line, without its namespace. */
export interface CpimHeaderLine {
  /** Namespace prefix, '' for none. */
  readonly prefix: string;
  readonly name: string;
  readonly lang: string | undefined;
  /** Parameters other than `lang`, in order. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** The value as written, escapes and all. */
  readonly value: string;
}

/** Somebody's address with an optional name for people. */
export interface CpimAddress {
  readonly formalName: string | undefined;
  readonly uri: string;
}

// NAMECHAR and TOKENCHAR of section 3.6.
const isName = new Uint8Array(128);
for (const character of "!#$%&'*+-^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  isName[character.charCodeAt(0)] = 1;
}
const isTokenCode = (code: number): boolean => code >= 0x80 || code === 0x2e || isName[code] === 1;
const languageTag = /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/;

/** Whether a text is a `Name`: a header name or a prefix. */
export function isCpimName(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isName[text.charCodeAt(i)] !== 1) return false;
  return text !== '';
}

/** Whether a text is a `Language-tag` (RFC 3066). */
export function isLanguageTag(text: string): boolean {
  return text.length <= 64 && languageTag.test(text);
}

/**
 * Splits `prefix.name`.
 *
 * @throws {E2eError} PAYLOAD_INVALID
 */
export function splitCpimName(text: string): readonly [prefix: string, name: string] {
  const parts = text.split('.');
  if (parts.length > 2 || !parts.every(isCpimName)) throw invalid('CPIM header name', text);
  return parts.length === 2 ? [parts[0]!, parts[1]!] : ['', text];
}

/**
 * Parses one header line.
 *
 * @param line without its CRLF
 * @throws {E2eError} PAYLOAD_INVALID
 */
export function parseCpimHeaderLine(line: string): CpimHeaderLine {
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) throw invalid('control character in a CPIM header');
  }
  const colon = line.indexOf(':');
  // A line that starts with a space would be a fold in mail: section 2.2 knows none.
  if (colon < 1) throw invalid('CPIM header line without name');
  const [prefix, name] = splitCpimName(line.slice(0, colon));
  const parameters: (readonly [string, string])[] = [];
  let lang: string | undefined;
  let at = colon + 1;
  while (line[at] === ';') {
    const equals = line.indexOf('=', at);
    const parameter = line.slice(at + 1, equals === -1 ? line.length : equals);
    if (equals === -1 || !isCpimName(parameter)) throw invalid('CPIM header parameter');
    let value: string;
    [value, at] = line[equals + 1] === '"' ? readString(line, equals + 1) : readToken(line, equals + 1);
    if (parameter === 'lang' ? lang !== undefined : parameters.some(([other]) => other === parameter)) {
      throw invalid('CPIM header parameter twice');
    }
    if (parameter !== 'lang') parameters.push([parameter, value]);
    else if (isLanguageTag(value)) lang = value;
    else throw invalid('CPIM language tag');
  }
  if (line[at] !== ' ') throw invalid('CPIM header without the space after the colon');
  if (line[at + 1] === ' ') throw invalid('more than one space after a CPIM header name');
  // Section 2.2 forbids white space at the end of a line; it is harmless, unlike at the beginning.
  let end = line.length;
  while (end > at + 1 && line[end - 1] === ' ') end--;
  return { prefix, name, lang, parameters, value: line.slice(at + 1, end) };
}

/** Writes one header line with its CRLF. Inverse of {@link parseCpimHeaderLine}. */
export function serializeCpimHeaderLine(header: CpimHeaderLine): string {
  let text = header.prefix === '' ? header.name : `${header.prefix}.${header.name}`;
  text += ':';
  if (header.lang !== undefined) text += `;lang=${header.lang}`;
  for (const [name, value] of header.parameters) text += `;${name}=${isToken(value) ? value : quote(value)}`;
  return `${text} ${header.value}\r\n`;
}

/**
 * Parses an address.
 *
 * @param value header value as written
 * @throws {E2eError} PAYLOAD_INVALID
 */
export function parseCpimAddress(value: string): CpimAddress {
  let open: number;
  let formalName: string | undefined;
  if (value.startsWith('"')) {
    [formalName, open] = readString(value, 0);
    // The ABNF puts "<" directly behind the closing quote; people write a space.
    if (value[open] === ' ') open++;
  } else {
    open = value.indexOf('<');
    if (open > 0) {
      const words = value.slice(0, open - 1).split(' ');
      if (value[open - 1] !== ' ' || !words.every(isToken)) throw invalid('formal name in a CPIM address');
      formalName = words.join(' ');
    }
  }
  if (value[open] !== '<' || !value.endsWith('>')) throw invalid('CPIM address without <URI>');
  const uri = value.slice(open + 1, -1);
  if (!isAbsoluteUri(uri)) throw invalid('URI in a CPIM header', uri);
  return { formalName, uri };
}

/**
 * Writes an address. Inverse of {@link parseCpimAddress}.
 *
 * @throws {E2eError} UNMAPPABLE for what is no URI
 */
export function serializeCpimAddress({ formalName, uri }: CpimAddress): string {
  if (!isAbsoluteUri(uri)) throw new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason: 'URI', subject: uri });
  if (formalName === undefined) return `<${uri}>`;
  return formalName.split(' ').every(isToken) ? `${formalName} <${uri}>` : `${quote(formalName)}<${uri}>`;
}

/**
 * Whether a text can stand between `<` and `>`. Escapes mean nothing there, and readers that apply them all the same
 * would see another address, so a backslash is refused.
 */
export function isAbsoluteUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]{0,63}:/.test(text) && !/[\x00-\x20\x7f<>"\\]/.test(text);
}

const letters: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', r: '\r' };

/**
 * Human text with its escapes resolved (section 2.3). An unknown escape stands for the character behind the backslash
 * and a final backslash for nothing (section 2.3.1).
 *
 * @throws {E2eError} PAYLOAD_INVALID for half a surrogate pair
 */
export function unescapeCpim(value: string): string {
  let backslash = value.indexOf('\\');
  if (backslash === -1) return value;
  const pieces: string[] = [];
  let from = 0;
  while (backslash !== -1) {
    pieces.push(value.slice(from, backslash));
    const character = value[backslash + 1] ?? '';
    const digits = value.slice(backslash + 2, backslash + 6);
    if (character === 'u' && /^[0-9A-Fa-f]{4}$/.test(digits)) {
      pieces.push(String.fromCharCode(Number.parseInt(digits, 16)));
      from = backslash + 6;
    } else {
      pieces.push(letters[character] ?? character);
      from = backslash + 2;
    }
    backslash = value.indexOf('\\', from);
  }
  pieces.push(value.slice(from));
  const text = pieces.join('');
  if (!text.isWellFormed()) throw invalid('half a surrogate pair in a CPIM header');
  return text;
}

/** Human text as a header value. Inverse of {@link unescapeCpim}: what must be escaped is, and nothing else. */
export function escapeCpim(text: string): string {
  return text.replace(/[\x00-\x1f\x7f\\]/g, escapeOne);
}

const lettersOf: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\\': '\\\\',
  '"': '\\"',
};

function escapeOne(character: string): string {
  return lettersOf[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenCode(text.charCodeAt(i))) return false;
  return text !== '';
}

function quote(text: string): string {
  return `"${text.replace(/[\x00-\x1f\x7f\\"]/g, escapeOne)}"`;
}

function readToken(line: string, from: number): [value: string, end: number] {
  let end = from;
  while (end < line.length && isTokenCode(line.charCodeAt(end))) end++;
  if (end === from) throw invalid('CPIM header parameter');
  return [line.slice(from, end), end];
}

function readString(line: string, from: number): [value: string, end: number] {
  for (let i = from + 1; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (line[i] === '"') return [unescapeCpim(line.slice(from + 1, i)), i + 1];
  }
  throw invalid('quoted string without end in a CPIM header');
}
