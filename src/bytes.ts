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

/**
 * Encodes base64 in lines of `lineLength` characters, each ended by CRLF (RFC 2045 section 6.8).
 *
 * @param lineLength a multiple of 4, or 0 for one line without a line end
 */
export function base64Encode(bytes: Uint8Array, lineLength = 0): Uint8Array {
  const digits = Math.ceil(bytes.length / 3) * 4;
  const lines = lineLength === 0 ? 0 : Math.ceil(digits / lineLength);
  const out = new Uint8Array(digits + lines * 2);
  let o = 0;
  let column = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out[o++] = digitCode[word >>> 18]!;
    out[o++] = digitCode[(word >>> 12) & 63]!;
    out[o++] = i + 1 < bytes.length ? digitCode[(word >>> 6) & 63]! : 0x3d;
    out[o++] = i + 2 < bytes.length ? digitCode[word & 63]! : 0x3d;
    column += 4;
    if (lineLength !== 0 && (column === lineLength || i + 3 >= bytes.length)) {
      out[o++] = 0x0d;
      out[o++] = 0x0a;
      column = 0;
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
  for (const c of text) {
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

/**
 * Maps every CRLF, CR and LF to CRLF. XML processing turns CRLF into LF on its way through servers (XML 1.0 section
 * 2.11), so signed bytes must be a fixed point of this map.
 *
 * @returns the same array when nothing changes
 */
export function toCrlf(bytes: Uint8Array): Uint8Array {
  let added = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === 0x0a ? bytes[i - 1] !== 0x0d : byte === 0x0d && bytes[i + 1] !== 0x0a) added++;
  }
  if (added === 0) return bytes;
  const out = new Uint8Array(bytes.length + added);
  let o = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === 0x0d || byte === 0x0a) {
      out[o++] = 0x0d;
      out[o++] = 0x0a;
      if (byte === 0x0d && bytes[i + 1] === 0x0a) i++;
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
