/** Octet work that Node does natively, many times as fast as a loop; `web.ts` is the same without Node. */

import { Buffer } from 'node:buffer';
import { randomFillSync } from 'node:crypto';

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

/**
 * Encodes base64 (RFC 4648 section 4).
 *
 * @param lineLength a multiple of 4, or 0 for one line without a line end
 * @param lineEnd after every line, the last one too
 */
export function base64Lines(bytes: Uint8Array, lineLength: number, lineEnd: string): string {
  const digits = view(bytes).toString('base64');
  if (lineLength === 0) return digits;
  let text = '';
  for (let i = 0; i < digits.length; i += lineLength) text += digits.slice(i, i + lineLength) + lineEnd;
  return text;
}

/** {@link base64Lines} as octets, with CRLF. */
export function base64Octets(bytes: Uint8Array, lineLength: number): Uint8Array {
  return octetsOf(base64Lines(bytes, lineLength, '\r\n'));
}

/**
 * Decodes base64 whose shape is known.
 *
 * @param text lines of digits that all have one length, each with its line end, and nothing else
 * @param digits how many digits there are if all of them are some
 * @param out takes what they stand for
 * @returns whether all were digits; false also where this cannot be told
 */
export function decodeBase64Lines(text: Uint8Array | string, digits: number, out: Uint8Array): boolean {
  const source = typeof text === 'string' ? text : view(text);
  // The native decoder skips whatever is no digit, takes the two of base64url, and stops at padding.
  if (source.includes('-') || source.includes('_') || source.includes('=')) return false;
  const written = view(out).write(typeof source === 'string' ? source : source.toString('latin1'), 'base64');
  return written === (digits / 4) * 3;
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
