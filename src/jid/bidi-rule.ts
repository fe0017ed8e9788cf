/** The Bidi Rule for strings of one line (RFC 5893 section 2). */

import { bidiClass } from './unicode-properties.ts';

/** Whether a string holds a character of class R, AL or AN. */
export function hasRightToLeft(text: string): boolean {
  for (const character of text) {
    const letter = classOf(character);
    if (letter === 'R' || letter === 'A') return true;
  }
  return false;
}

/** Whether a string that the identifier class allows satisfies the rule. */
export function satisfiesBidiRule(text: string): boolean {
  const classes = Array.from(text, classOf).join('');
  // Condition 1 settles the direction; nonspacing marks at the end do not count (3, 6).
  let end = classes.length;
  while (end > 0 && classes[end - 1] === 'M') end--;
  const last = classes[end - 1];
  if (classes.startsWith('R')) {
    const mixesDigits = classes.includes('E') && classes.includes('A');
    return !classes.includes('L') && last !== 'O' && !mixesDigits;
  }
  return classes.startsWith('L') && !/[RA]/.test(classes) && last !== 'O';
}

function classOf(character: string): string {
  return bidiClass(character.codePointAt(0)!);
}
