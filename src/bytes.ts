/** UTF-8, base64, hexadecimal and line ends. */

import { E2eError, type E2eStage } from './errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Encodes text as UTF-8.
 *
 * @param text a well-formed string: a lone surrogate would silently become U+FFFD and change what is signed
 * @throws {E2eError} MALFORMED for a lone surrogate
 */
export function utf8(text: string, stage: E2eStage = 'parse'): Uint8Array {
  if (!text.isWellFormed()) throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'lone surrogate in text' });
  return encoder.encode(text);
}

/**
 * Decodes UTF-8 strictly, keeping a leading U+FEFF.
 *
 * @throws {E2eError} MALFORMED for anything that is not well-formed UTF-8 (overlong forms, surrogates, truncation)
 */
export function utf8Decode(bytes: Uint8Array, stage: E2eStage = 'parse'): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'not UTF-8' });
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const digitOf = new Int8Array(256).fill(-1);
for (let i = 0; i < 64; i++) digitOf[alphabet.charCodeAt(i)] = i;
const digitCode = encoder.encode(alphabet);
const blank = -2;
for (const c of [0x20, 0x09, 0x0d, 0x0a]) digitOf[c] = blank;

/** What a character adds to a word of four digits, by its place; negative for all but digits. */
const places = [18, 12, 6, 0].map((shift) => Int32Array.from(digitOf, (digit) => (digit < 0 ? -1 : digit << shift)));
/** Two digits at a time, in the byte order of this machine. */
const digitPairs = new Uint16Array(4096);
const pairBytes = new Uint8Array(digitPairs.buffer);
for (let i = 0; i < 4096; i++) {
  pairBytes[i * 2] = digitCode[i >>> 6]!;
  pairBytes[i * 2 + 1] = digitCode[i & 63]!;
}

/**
 * Encodes base64 in lines of `lineLength` characters, each ended by CRLF (RFC 2045 section 6.8).
 *
 * @param lineLength a multiple of 4, or 0 for one line without a line end
 */
export function base64Encode(bytes: Uint8Array, lineLength = 0): Uint8Array {
  const digits = Math.ceil(bytes.length / 3) * 4;
  const lines = lineLength === 0 ? 0 : Math.ceil(digits / lineLength);
  const out = new Uint8Array(digits + lines * 2);
  // Digits come in fours and line ends in twos, so that pairs of octets are aligned throughout.
  const pairs = new Uint16Array(out.buffer);
  const perLine = lineLength === 0 ? bytes.length : (lineLength / 4) * 3;
  let o = 0;
  for (let start = 0; start < bytes.length; start += perLine) {
    const end = Math.min(start + perLine, bytes.length);
    let i = start;
    for (; i + 2 < end; i += 3) {
      const word = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
      pairs[o++] = digitPairs[word >>> 12]!;
      pairs[o++] = digitPairs[word & 4095]!;
    }
    if (i < end) {
      const second = i + 1 < end ? bytes[i + 1]! : 0;
      pairs[o++] = digitPairs[(bytes[i]! << 4) | (second >>> 4)]!;
      out[o * 2] = i + 1 < end ? digitCode[(second & 15) << 2]! : 0x3d;
      out[o++ * 2 + 1] = 0x3d;
    }
    if (lineLength !== 0) {
      out[o * 2] = 0x0d;
      out[o++ * 2 + 1] = 0x0a;
    }
  }
  return out;
}

/** {@link base64Encode} on one line, as a string. */
export function base64Text(bytes: Uint8Array): string {
  return decoder.decode(base64Encode(bytes));
}

/**
 * Decodes base64 strictly: space, tab, CR and LF are ignored, padding is required and its unused bits are zero, so
 * that one message has one text form but for white space (a lax decoder lets a replayed message look new).
 *
 * @throws {E2eError} MALFORMED for any other character or a wrong length
 */
export function base64Decode(text: Uint8Array, stage: E2eStage = 'parse'): Uint8Array {
  const out = new Uint8Array(Math.floor((text.length * 3) / 4) + 3);
  let o = 0;
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

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
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

/** Whether two byte strings are the same; not in constant time, for public data only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Joins byte strings. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
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
  const first = needle[0];
  if (first === undefined) return from;
  for (let i = bytes.indexOf(first, from); i !== -1; i = bytes.indexOf(first, i + 1)) {
    let k = 1;
    while (k < needle.length && bytes[i + k] === needle[k]) k++;
    if (k === needle.length) return i;
  }
  return -1;
}
