/** Octet work that Node does natively, many times as fast as a loop; `web.ts` is the same without Node. */

import { Buffer, isAscii } from 'node:buffer';
import { createHash, randomFillSync } from 'node:crypto';

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Takes any octets: a view of them as a Buffer would take longer than a short search. */
const { indexOf: search } = Buffer.prototype as {
  readonly indexOf: (this: Uint8Array, needle: Uint8Array, from: number) => number;
};

/** Octets that share their memory with nothing, of text whose characters are all below U+0100. */
function octetsOf(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  view(out).write(text, 'latin1');
  return out;
}

const CR = 0x0d;
const LF = 0x0a;
const CRLF = 0x0d0a;

/** 0 for no lines at all. */
type LineLength = 0 | 64;
type LineEnd = '\n' | '\r\n';

/** Lines of base64 as all that is written here has them. */
const width = 64;
const octetsOfLine = 48;

/** Fewer octets are encoded sooner by joining their lines as text. */
const manyOctets = 2048;

/** Base64 is made in pieces that stay in the nearest cache. */
const linesInPiece = 256;
const octetsOfPiece = linesInPiece * octetsOfLine;
const digitsOfPiece = Buffer.allocUnsafeSlow(linesInPiece * width);
const digitsView = new DataView(digitsOfPiece.buffer);

/**
 * Encodes base64 (RFC 4648 section 4).
 *
 * A long text that is joined to another one later takes twice as long: it is copied to fresh memory.
 *
 * @param pieces nothing secret, one after the other
 * @param lineLength 64, or 0 for one line without a line end
 * @param lineEnd LF or CRLF after every line, the last one too
 * @param head characters below U+0100 that come before
 * @param tail characters below U+0100 that come after
 */
export function base64Lines(
  pieces: readonly Uint8Array[],
  lineLength: LineLength,
  lineEnd: LineEnd,
  head: string,
  tail: string,
): string {
  if (lineLength === 0) return head + view(joined(pieces)).toString('base64') + tail;
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length < manyOctets) return head + joinedLines(view(joined(pieces)), lineEnd) + tail;
  const lines = Math.ceil(length / octetsOfLine);
  const digits = Math.ceil(length / 3) * 4;
  const out = memoryFor(head.length + digits + lines * lineEnd.length + tail.length);
  const data = new DataView(out.buffer);
  let to = out.write(head, 'latin1');
  /** The octets of a line that the next piece may complete. */
  let begun: Buffer | undefined;
  for (const piece of pieces) {
    let octets = view(piece);
    if (begun !== undefined) {
      const missing = octetsOfLine - begun.length;
      begun = Buffer.concat([begun, octets.subarray(0, missing)]);
      octets = octets.subarray(missing);
      if (begun.length < octetsOfLine) continue;
      to = writeLines(begun, lineEnd, data, to);
    }
    to = writeLines(octets, lineEnd, data, to);
    begun = octets.subarray(octets.length - (octets.length % octetsOfLine));
  }
  to += out.write(lastLine(begun, lineEnd), to, 'latin1');
  out.write(tail, to, 'latin1');
  return out.toString('latin1');
}

/** Kept, since memory that is new for each long text brings on garbage collections. What is secret is not for here. */
let memory = Buffer.allocUnsafeSlow(0);
const mostMemory = 2_097_152;

function memoryFor(length: number): Buffer {
  if (length > mostMemory) return Buffer.allocUnsafeSlow(length);
  if (memory.length < length) memory = Buffer.allocUnsafeSlow(length);
  return memory.subarray(0, length);
}

/** {@link base64Lines} as octets, with CRLF. */
export function base64Octets(bytes: Uint8Array, lineLength: LineLength): Uint8Array {
  const octets = view(bytes);
  if (lineLength === 0) return octetsOf(octets.toString('base64'));
  if (bytes.length < manyOctets) return octetsOf(joinedLines(octets, '\r\n'));
  const end = octets.length - (octets.length % octetsOfLine);
  const last = lastLine(octets.subarray(end), '\r\n');
  const out = new Uint8Array((end / octetsOfLine) * (width + 2) + last.length);
  const to = writeLines(octets, '\r\n', new DataView(out.buffer), 0);
  view(out).write(last, to, 'latin1');
  return out;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

function joinedLines(octets: Buffer, lineEnd: LineEnd): string {
  const digits = octets.toString('base64');
  let text = '';
  for (let i = 0; i < digits.length; i += width) text += digits.slice(i, i + width) + lineEnd;
  return text;
}

function lastLine(octets: Buffer | undefined, lineEnd: LineEnd): string {
  return octets === undefined || octets.length === 0 ? '' : octets.toString('base64') + lineEnd;
}

/**
 * Writes all full lines.
 *
 * @returns where they end
 */
function writeLines(octets: Buffer, lineEnd: LineEnd, out: DataView, start: number): number {
  const all = Math.floor(octets.length / octetsOfLine) * octetsOfLine;
  const stride = width + lineEnd.length;
  let to = start;
  for (let at = 0; at < all; at += octetsOfPiece) {
    const stop = Math.min(at + octetsOfPiece, all);
    const length = digitsOfPiece.write(octets.toString('base64', at, stop), 'latin1');
    for (let from = 0; from < length; from += width, to += stride) {
      // Eight digits at a time, as a number of some kind; a NaN would change on the way, but no octet of one is US-ASCII.
      out.setFloat64(to, digitsView.getFloat64(from, true), true);
      out.setFloat64(to + 8, digitsView.getFloat64(from + 8, true), true);
      out.setFloat64(to + 16, digitsView.getFloat64(from + 16, true), true);
      out.setFloat64(to + 24, digitsView.getFloat64(from + 24, true), true);
      out.setFloat64(to + 32, digitsView.getFloat64(from + 32, true), true);
      out.setFloat64(to + 40, digitsView.getFloat64(from + 40, true), true);
      out.setFloat64(to + 48, digitsView.getFloat64(from + 48, true), true);
      out.setFloat64(to + 56, digitsView.getFloat64(from + 56, true), true);
      if (lineEnd.length === 1) out.setUint8(to + width, LF);
      else out.setUint16(to + width, CRLF);
    }
  }
  // A private key may have been among them.
  digitsOfPiece.fill(0, 0, (Math.min(all, octetsOfPiece) / 3) * 4);
  return to;
}

/** Text is looked at in pieces that stay in the nearest cache; octets beyond show that a piece is not US-ASCII. */
const pieceLength = 16_384;
const piece = new Uint8Array(pieceLength + 16);
const pieceBuffer = view(piece);
const words = new Int32Array(piece.buffer);
const decoded = Buffer.allocUnsafeSlow(pieceLength);

/** Puts a text into the piece; false where it is not US-ASCII, since all other characters take more than one octet. */
function takeAscii(part: string): boolean {
  return pieceBuffer.write(part, 'utf8') === part.length;
}

/**
 * Whether a text is US-ASCII without control characters but TAB, LF and CR. An expression takes three to ten times as
 * long.
 *
 * @returns false also where this cannot be told
 */
export function isPlainText(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    const part = text.slice(at, at + pieceLength);
    const { length } = part;
    if (!takeAscii(part)) return false;
    const lines = lengthOfLines(part);
    if (lines === 0 && !isPlainPiece(length) && control.test(part)) return false;
    at += lines === 0 ? startOfLine(length) : lines;
  }
  return true;
}

/** How much of the piece is lines of base64, nearly all of a sealed stanza; 0 where it is none of the usual lengths. */
function lengthOfLines(part: string): number {
  const width = piece[64] === LF ? 64 : 76;
  const stride = width + 1;
  const lines = Math.floor(part.length / stride);
  const end = lines * stride;
  if (!haveLineEnds(end, width, 1)) return 0;
  // The native decoder skips whatever is no digit, so that there is none but for the line ends.
  return decoded.write(part.slice(0, end), 'base64') === (lines * width * 3) / 4 ? end : 0;
}

const control = /[\u0000-\u0008\u000B\u000C\u000E-\u001F]/;
const sixthBits = 0x40404040;
const highBits = 0x80808080 | 0;

/** Whether the piece has no control character but LF. */
function isPlainPiece(length: number): boolean {
  piece.fill(0x20, length, length + 15);
  const end = ((length + 15) >> 4) << 2;
  // Of octets below 0x80, those from 0x20 on have bit 5 or bit 6.
  let bits = -1;
  for (let i = 0; i < end; i += 4) {
    const a = words[i]!;
    const b = words[i + 1]!;
    const c = words[i + 2]!;
    const d = words[i + 3]!;
    bits &= (a | (a << 1)) & (b | (b << 1)) & (c | (c << 1)) & (d | (d << 1));
  }
  if ((bits & sixthBits) === sixthBits) return true;
  // The highest bit of each octet: whether the octet is 0x20 or more, or LF.
  bits = -1;
  for (let i = 0; i < end; i++) {
    const word = words[i]!;
    bits &= (word + 0x60606060) | ~((word ^ 0x0a0a0a0a) + 0x7f7f7f7f);
  }
  return (bits & highBits) === highBits;
}

/** Where the next piece begins: with a line, if one of the usual length begins in this piece. */
function startOfLine(length: number): number {
  if (length === pieceLength) for (let i = length; i > length - 77; i--) if (piece[i - 1] === LF) return i;
  return length;
}

/** What native decoding has got through. */
export interface DecodedLines {
  /** Characters of the text. */
  readonly read: number;
  /** Octets that they stand for. */
  readonly written: number;
}

/**
 * Decodes base64 in lines of one length, as all programs write it: all but the last line, which may have padding.
 *
 * @param out takes what they stand for
 * @returns undefined where the lines differ or have anything but digits in them, and where this cannot be told
 */
export function decodeBase64Lines(text: string, out: Uint8Array): DecodedLines | undefined {
  const { width, lineEnd } = shapeOfLines(text);
  const stride = width + lineEnd;
  const lines = Math.ceil(text.length / stride) - 1;
  const linesInPiece = Math.floor(pieceLength / stride);
  // The native decoder takes the two digits of base64url too.
  if (width % 4 !== 0 || linesInPiece === 0 || text.includes('-') || text.includes('_')) return undefined;
  const target = view(out);
  let read = 0;
  let written = 0;
  for (let left = lines; left > 0; left -= linesInPiece) {
    const part = text.slice(read, read + Math.min(left, linesInPiece) * stride);
    // It takes the low octet of a character for the character ("\u0141" for "A"), and skips whatever is no digit.
    if (!takeAscii(part) || !haveLineEnds(part.length, width, lineEnd)) return undefined;
    const octets = ((part.length / stride) * width * 3) / 4;
    if (target.write(part, written, 'base64') !== octets) return undefined;
    read += part.length;
    written += octets;
  }
  return { read, written };
}

interface Shape {
  /** Digits in a line. */
  readonly width: number;
  /** Characters of a line end: 2 for CRLF, 1 for LF; 0 where there is none, and lines are wherever one likes. */
  readonly lineEnd: number;
}

function shapeOfLines(text: string): Shape {
  const end = text.indexOf('\n');
  if (end === -1) return { width: 64, lineEnd: 0 };
  const isCrlf = text.charCodeAt(end - 1) === CR;
  return isCrlf ? { width: end - 1, lineEnd: 2 } : { width: end, lineEnd: 1 };
}

/** Whether the piece has a line end wherever there must be one. */
function haveLineEnds(length: number, width: number, lineEnd: number): boolean {
  if (lineEnd === 0) return true;
  const last = width + lineEnd - 1;
  for (let i = last; i < length; i += last + 1) {
    if (piece[i] !== LF || (lineEnd === 2 && piece[i - 1] !== CR)) return false;
  }
  return true;
}

/**
 * Decodes US-ASCII, in less than half the time that the decoder of UTF-8 takes for it.
 *
 * @returns undefined for anything else, and where this takes no less time
 */
export function decodeAscii(bytes: Uint8Array): string | undefined {
  return isAscii(bytes) ? view(bytes).toString('latin1') : undefined;
}

/** How many octets a text is in UTF-8, a lone surrogate counted as U+FFFD. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** The index of `needle` at or after `from`, or -1. */
export function indexOfOctets(bytes: Uint8Array, needle: Uint8Array, from: number): number {
  return search.call(bytes, needle, from);
}

const drawn = new Uint8Array(1024);
let next = drawn.length;

/**
 * Random octets of cryptographic strength. A call of the generator costs the same for one octet as for a thousand, so
 * they are drawn in blocks; what is handed out is wiped from the block.
 */
export function randomOctets(length: number): Uint8Array {
  if (length > 64) return randomFillSync(new Uint8Array(length));
  if (next + length > drawn.length) {
    randomFillSync(drawn);
    next = 0;
  }
  const octets = drawn.slice(next, next + length);
  drawn.fill(0, next, next + length);
  next += length;
  return octets;
}

/** The SHA-256 of octets. The way to the threads of WebCrypto and back takes a hundred times as long for a message. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
