/** UTF-8, base64, hexadecimal and line ends. */

import { E2eError, type E2eStage } from './errors.ts';
import {
  base64Lines,
  base64Octets,
  decodeAscii,
  decodeBase64Lines,
  indexOfOctets,
  isPlainText as isPlain,
  randomOctets,
  sha256 as digestOf,
  utf8Length as octetsOf,
} from '#octets';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Encodes text as UTF-8.
 *
 * @param text a well-formed string: a lone surrogate would silently become U+FFFD and change what is signed
 * @throws {E2eError} MALFORMED for a lone surrogate
 */
export function utf8(text: string, stage: E2eStage = 'parse'): Uint8Array {
  if (!text.isWellFormed()) throw loneSurrogate(stage);
  return encoder.encode(text);
}

function loneSurrogate(stage: E2eStage): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'lone surrogate in text' });
}

/**
 * Decodes UTF-8 strictly, keeping a leading U+FEFF.
 *
 * @throws {E2eError} MALFORMED for anything that is not well-formed UTF-8 (overlong forms, surrogates, truncation)
 */
export function utf8Decode(bytes: Uint8Array, stage: E2eStage = 'parse'): string {
  const ascii = bytes.length < longText ? undefined : decodeAscii(bytes);
  if (ascii !== undefined) return ascii;
  try {
    return decoder.decode(bytes);
  } catch {
    throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'not UTF-8' });
  }
}

/** Decodes US-ASCII; undefined for anything else. */
export function asciiText(bytes: Uint8Array): string | undefined {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return undefined;
  return decoder.decode(bytes);
}

/** Texts of so many characters are worth remembering what is known of them. */
export const longText = 2048;

/**
 * Whether a long text is US-ASCII without control characters but TAB, LF and CR: it is then as many octets as
 * characters, and any XML can hold it.
 *
 * @returns false also where this would not be told sooner than what it is asked for
 */
export function isPlainText(text: string): boolean {
  if (text.length < longText) return false;
  if (text !== remembered) return isPlain(text);
  remembered = undefined;
  return true;
}

let remembered: string | undefined;

/**
 * Spares looking at a long text when {@link isPlainText} is asked for it next. One text is kept, until then or until
 * the next one comes: what is secret is not for here.
 *
 * @param text base64, and whatever else it was made of
 * @param others all that it has in it but base64
 */
export function rememberPlain(text: string, ...others: readonly string[]): string {
  if (text.length >= longText && others.every(isPlain)) remembered = text;
  return text;
}

/** How many octets a text is in UTF-8, a lone surrogate counted as U+FFFD. */
export function utf8Length(text: string): number {
  return octetsOf(text);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const digitOf = new Int8Array(256).fill(-1);
for (let i = 0; i < 64; i++) digitOf[alphabet.charCodeAt(i)] = i;
const blank = -2;
for (const c of [0x20, 0x09, 0x0d, 0x0a]) digitOf[c] = blank;

/** What a character adds to a word of four digits, by its place; negative for all but digits. */
const places = [18, 12, 6, 0].map((shift) => Int32Array.from(digitOf, (digit) => (digit < 0 ? -1 : digit << shift)));

/**
 * Encodes base64 in lines, each ended by CRLF (RFC 2045 section 6.8).
 *
 * @param lineLength 64, or 0 for one line without a line end
 */
export function base64Encode(bytes: Uint8Array, lineLength: 0 | 64 = 0): Uint8Array {
  return base64Octets(bytes, lineLength);
}

/**
 * {@link base64Encode} as a string, for what is not secret.
 *
 * @param bytes in one piece, or one after the other
 * @param lineEnd CRLF or LF, after every line where there are lines
 * @param head US-ASCII that comes before; joined afterwards, a long text would be copied once more
 * @param tail US-ASCII that comes after
 */
export function base64Text(
  bytes: Uint8Array | readonly Uint8Array[],
  lineLength: 0 | 64 = 0,
  lineEnd: '\n' | '\r\n' = '\r\n',
  head = '',
  tail = '',
): string {
  return base64Lines(bytes instanceof Uint8Array ? [bytes] : bytes, lineLength, lineEnd, head, tail);
}

/**
 * Decodes base64 strictly: space, tab, CR and LF are ignored, padding is required and its unused bits are zero, so
 * that one message has one text form but for white space (a lax decoder lets a replayed message look new).
 *
 * @throws {E2eError} MALFORMED for any other character or a wrong length
 */
export function base64Decode(text: Uint8Array | string, stage: E2eStage = 'parse'): Uint8Array {
  const out = new Uint8Array(Math.floor((text.length * 3) / 4) + 3);
  const source = text.length < worthwhile ? undefined : typeof text === 'string' ? text : decodeAscii(text);
  const lines = source === undefined ? undefined : decodeBase64Lines(source, out);
  return decodeDigits(octets(text, lines?.read ?? 0), out, lines?.written ?? 0, stage);
}

function octets(text: Uint8Array | string, from: number): Uint8Array {
  if (typeof text !== 'string') return text.subarray(from);
  const length = text.length - from;
  if (length > shortest) return encoder.encode(text.slice(from));
  const out = new Uint8Array(length);
  // What is no octet is no digit either.
  for (let i = 0; i < length; i++) out[i] = Math.min(text.charCodeAt(from + i), 0xff);
  return out;
}

/** Sooner copied one by one than encoded. */
const shortest = 128;

/** Fewer digits are decoded sooner than looked at. */
const worthwhile = 256;

/** Decodes the rest of a text, from which `o` octets have come already. */
function decodeDigits(text: Uint8Array, out: Uint8Array, o: number, stage: E2eStage): Uint8Array {
  let word = 0;
  let count = 0;
  let padding = 0;
  const [first, second, third, fourth] = places as [Int32Array, Int32Array, Int32Array, Int32Array];
  for (let i = 0; i < text.length; i++) {
    // Nearly all of a text is groups of four digits.
    while (count === 0 && padding === 0 && i + 3 < text.length) {
      const group = first[text[i]!]! | second[text[i + 1]!]! | third[text[i + 2]!]! | fourth[text[i + 3]!]!;
      if (group < 0) break;
      out[o] = group >>> 16;
      out[o + 1] = group >>> 8;
      out[o + 2] = group;
      o += 3;
      i += 4;
    }
    if (i === text.length) break;
    const c = text[i]!;
    const digit = digitOf[c]!;
    if (digit === blank) continue;
    if (c === 0x3d && count + padding < 4 && count >= 2) {
      padding++;
      continue;
    }
    if (digit < 0 || padding > 0) throw notBase64(stage);
    word = (word << 6) | digit;
    if (++count === 4) {
      out[o++] = word >>> 16;
      out[o++] = word >>> 8;
      out[o++] = word;
      word = count = 0;
    }
  }
  if (count + padding !== 0) {
    if (count + padding !== 4) throw notBase64(stage);
    if ((count === 2 ? word & 15 : word & 3) !== 0) throw notBase64(stage);
    out[o++] = count === 2 ? word >>> 4 : word >>> 10;
    if (count === 3) out[o++] = word >>> 2;
  }
  return out.subarray(0, o);
}

function notBase64(stage: E2eStage): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'not base64' });
}

const hexDigits = utf8('0123456789abcdef');

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  const digits = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    digits[2 * i] = hexDigits[bytes[i]! >> 4]!;
    digits[2 * i + 1] = hexDigits[bytes[i]! & 15]!;
  }
  // In one piece: a string that grew digit by digit keeps its pieces, a kilobyte for every digest that is remembered.
  return decoder.decode(digits);
}

const CR = 0x0d;
const LF = 0x0a;

/**
 * Maps every CRLF, CR and LF to CRLF. XML processing turns CRLF into LF on its way through servers (XML 1.0 section
 * 2.11), so signed bytes must be a fixed point of this map.
 *
 * @returns the same array when nothing changes
 */
export function toCrlf(bytes: Uint8Array): Uint8Array {
  let added = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) if (bytes[at - 1] !== CR) added++;
  for (let at = bytes.indexOf(CR); at !== -1; at = bytes.indexOf(CR, at + 1)) if (bytes[at + 1] !== LF) added++;
  if (added === 0) return bytes;
  const out = new Uint8Array(bytes.length + added);
  let o = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === CR || byte === LF) {
      out[o++] = CR;
      out[o++] = LF;
      if (byte === CR && bytes[i + 1] === LF) i++;
    } else out[o++] = byte;
  }
  return out;
}

/** {@link toCrlf} for text; joining makes one flat string, as replacing would not. */
export function crlfText(text: string): string {
  if (text.includes('\r')) return text.replace(/\r\n?|\n/g, '\r\n');
  return text.includes('\n') ? text.split('\n').join('\r\n') : text;
}

/** Whether two byte strings are the same; not in constant time, for public data only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Random octets of cryptographic strength. */
export function randomBytes(length: number): Uint8Array {
  return randomOctets(length);
}

/** The SHA-256 of octets, at once where the runtime can. */
export function sha256(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  return digestOf(bytes);
}

/**
 * Joins octets and text, which is encoded as UTF-8 where it comes to lie.
 *
 * @throws {E2eError} MALFORMED for a lone surrogate
 */
export function joinPieces(pieces: readonly (Uint8Array | string)[], stage: E2eStage = 'parse'): Uint8Array {
  const merged: (Uint8Array | string)[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (typeof piece === 'string' && typeof last === 'string' && isMergedSooner(last, piece)) {
      merged[merged.length - 1] = last + piece;
    } else merged.push(piece);
  }
  const [first] = merged;
  if (merged.length === 1 && typeof first === 'string') return utf8(first, stage);
  let length = 0;
  for (const piece of merged) {
    if (typeof piece === 'string' && !piece.isWellFormed()) throw loneSurrogate(stage);
    length += piece.length;
  }
  // Nearly all text is US-ASCII: it is counted only where it is not.
  return writePieces(merged, length) ?? writePieces(merged, octetsOfPieces(merged))!;
}

/** So many octets are not worth copying for being in one piece with others. */
export const longOctets = 16_384;

/**
 * {@link joinPieces}, but long octets stay as they are.
 *
 * @returns octets, one piece after the other
 * @throws {E2eError} MALFORMED for a lone surrogate
 */
export function octetPieces(pieces: readonly (Uint8Array | string)[]): readonly Uint8Array[] {
  const joined: Uint8Array[] = [];
  let short: (Uint8Array | string)[] = [];
  for (const piece of pieces) {
    if (typeof piece === 'string' || piece.length < longOctets) short.push(piece);
    else {
      joined.push(joinPieces(short), piece);
      short = [];
    }
  }
  return [...joined, joinPieces(short)];
}

/** A long text is not worth copying for being encoded in one go; half a character is. */
function isMergedSooner(last: string, piece: string): boolean {
  return last.length + piece.length < longText || (last.charCodeAt(last.length - 1) & 0xfc00) === 0xd800;
}

function octetsOfPieces(pieces: readonly (Uint8Array | string)[]): number {
  let length = 0;
  for (const piece of pieces) length += typeof piece === 'string' ? utf8Length(piece) : piece.length;
  return length;
}

/** @returns undefined where the length is too small */
function writePieces(pieces: readonly (Uint8Array | string)[], length: number): Uint8Array | undefined {
  const out = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      const { read, written } = encoder.encodeInto(piece, out.subarray(offset));
      if (read < piece.length) return undefined;
      offset += written;
    } else {
      if (offset + piece.length > length) return undefined;
      out.set(piece, offset);
      offset += piece.length;
    }
  }
  return out;
}

/** Joins byte strings. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}

/** {@link concatBytes} for as many arrays as somebody else may send: a call takes some hundred thousand arguments only. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/**
 * Finds `needle` in `bytes`.
 *
 * @returns the index at or after `from`, or -1
 */
export function indexOfBytes(bytes: Uint8Array, needle: Uint8Array, from = 0): number {
  return indexOfOctets(bytes, needle, from);
}
