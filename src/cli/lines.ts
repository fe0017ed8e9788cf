/** Lines of a stream, within bounds: what a line holds is not looked at, and one that is too long is never kept. */

import type { Input } from './io.ts';

/** A line without its end; undefined stands for one that was too long. */
export type Line = Uint8Array | undefined;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Splits a stream into lines. The last one needs no line end.
 *
 * @param longest octets of a line that is kept
 */
export async function* linesOf(input: Input, longest: number): AsyncGenerator<Line, void, undefined> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  const take = (piece: Uint8Array): void => {
    length += piece.length;
    if (length > longest) pieces = [];
    else if (piece.length > 0) pieces.push(piece);
  };
  const finish = (): Line => {
    const line = length > longest ? undefined : Buffer.concat(pieces);
    pieces = [];
    length = 0;
    return line?.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
  };
  for await (const data of input) {
    const chunk = typeof data === 'string' ? Buffer.from(data) : data;
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      take(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
  if (length > 0) yield finish();
}

/** Whether a line holds nothing. */
export function isBlank(line: Line): boolean {
  return line?.every((byte) => byte === 0x20 || byte === 0x09 || byte === carriageReturn) === true;
}
