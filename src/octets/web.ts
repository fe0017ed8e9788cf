/** Octet work in plain JavaScript, for runtimes other than Node; see `node.ts`. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const encoder = new TextEncoder();
const digitCode = encoder.encode(alphabet);
const decoder = new TextDecoder('latin1');

/** Two digits at a time, in the byte order of this machine. */
const digitPairs = new Uint16Array(4096);
const pairBytes = new Uint8Array(digitPairs.buffer);
for (let i = 0; i < 4096; i++) {
  pairBytes[i * 2] = digitCode[i >>> 6]!;
  pairBytes[i * 2 + 1] = digitCode[i & 63]!;
}

/** See `node.ts`. */
export function base64Lines(
  pieces: readonly Uint8Array[],
  lineLength: 0 | 64,
  lineEnd: '\n' | '\r\n',
  head: string,
  tail: string,
): string {
  const text = decoder.decode(base64Octets(joined(pieces), lineLength));
  return head + (lineLength === 0 || lineEnd === '\r\n' ? text : text.replaceAll('\r\n', lineEnd)) + tail;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const out = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** See `node.ts`. */
export function base64Octets(bytes: Uint8Array, lineLength: 0 | 64): Uint8Array {
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

/** See `node.ts`: here it cannot be told. */
export function decodeBase64Lines(): { readonly read: number; readonly written: number } | undefined {
  return undefined;
}

/** See `node.ts`: here it cannot be told sooner than by an expression. */
export function isPlainText(): boolean {
  return false;
}

/** See `node.ts`: here the decoder of UTF-8 is all there is. */
export function decodeAscii(): string | undefined {
  return undefined;
}

/** See `node.ts`. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/** See `node.ts`. */
export function indexOfOctets(bytes: Uint8Array, needle: Uint8Array, from: number): number {
  const first = needle[0];
  if (first === undefined) return from;
  for (let i = bytes.indexOf(first, from); i !== -1; i = bytes.indexOf(first, i + 1)) {
    let k = 1;
    while (k < needle.length && bytes[i + k] === needle[k]) k++;
    if (k === needle.length) return i;
  }
  return -1;
}

/** See `node.ts`. */
export function randomOctets(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/** See `node.ts`. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}
