/** Punycode (RFC 3492), decoding only: `URL` encodes. */

const base = 36;
const tMin = 1;
const tMax = 26;

/**
 * Decodes what follows `xn--` in an A-label.
 *
 * @param text lower-case letters, digits and hyphens, at most 59 characters
 * @returns undefined for what no encoder writes
 */
export function decodePunycode(text: string): string | undefined {
  const delimiter = text.lastIndexOf('-');
  const output = Array.from(delimiter > 0 ? text.slice(0, delimiter) : '');
  let position = delimiter + 1;
  let codePoint = 128;
  let index = 0;
  let bias = 72;
  while (position < text.length) {
    const start = index;
    let weight = 1;
    for (let k = base; ; k += base) {
      const digit = digitOf(text.charCodeAt(position++));
      if (digit === undefined) return undefined;
      index += digit * weight;
      const threshold = Math.min(Math.max(k - bias, tMin), tMax);
      if (digit < threshold) break;
      weight *= base - threshold;
      // No code point needs more; also keeps the numbers exact.
      if (weight > 0x7fffffff) return undefined;
    }
    const length = output.length + 1;
    bias = adapt(index - start, length, start === 0);
    codePoint += Math.floor(index / length);
    index %= length;
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return undefined;
    output.splice(index++, 0, String.fromCodePoint(codePoint));
  }
  return output.join('');
}

/** RFC 3492 section 6.1. */
function adapt(delta: number, length: number, first: boolean): number {
  let rest = first ? Math.floor(delta / 700) : delta >>> 1;
  rest += Math.floor(rest / length);
  let k = 0;
  while (rest > ((base - tMin) * tMax) / 2) {
    rest = Math.floor(rest / (base - tMin));
    k += base;
  }
  return k + Math.floor(((base - tMin + 1) * rest) / (rest + 38));
}

/** NaN, the end of the text, is no digit either. */
function digitOf(unit: number): number | undefined {
  if (unit >= 0x61 && unit <= 0x7a) return unit - 0x61;
  return unit >= 0x30 && unit <= 0x39 ? unit - 0x30 + 26 : undefined;
}
