/** Look-ups in the generated tables of Bidi_Class and Joining_Type. */

import { bidiRuns, joiningRuns } from './tables.generated.ts';

interface Table {
  /** First code point of each run. */
  readonly starts: readonly number[];
  readonly letters: string;
}

const tables = new Map<string, Table>();

/** The Bidi_Class of a code point that an identifier can hold, as a letter of {@link bidiRuns}. */
export function bidiClass(codePoint: number): string {
  return lookUp(bidiRuns, codePoint);
}

/** The Joining_Type of a code point that an identifier can hold, as a letter of {@link joiningRuns}. */
export function joiningType(codePoint: number): string {
  return lookUp(joiningRuns, codePoint);
}

function lookUp(runs: string, codePoint: number): string {
  let table = tables.get(runs);
  if (table === undefined) tables.set(runs, (table = expand(runs)));
  const { starts, letters } = table;
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= codePoint) low = middle;
    else high = middle - 1;
  }
  return letters[low]!;
}

function expand(runs: string): Table {
  const starts: number[] = [];
  let letters = '';
  let start = 0;
  for (const run of runs.split(' ')) {
    starts.push(start);
    letters += run.charAt(0);
    start += Number.parseInt(run.slice(1), 36);
  }
  return { starts, letters };
}
