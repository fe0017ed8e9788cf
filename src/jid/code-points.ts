/** Which code points the PRECIS string classes allow (RFC 8264 sections 4, 8 and 9; RFC 5892 appendix A). */

import { joiningType } from './unicode-properties.ts';

/** The base classes of RFC 8264 section 4. */
export type StringClass = 'identifier' | 'freeform';

type Property = 'valid' | 'freeform' | 'contextual' | 'disallowed';

/** RFC 8264 section 9.6. */
const alwaysValid: ReadonlySet<number> = new Set([0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007]);
const neverValid: ReadonlySet<number> = new Set([
  0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b,
]);
const contextual: ReadonlySet<number> = new Set([0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb, 0x200c, 0x200d]);

const unassigned = /\p{Cn}/u;
const ignorable = /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}]/u;
/** RFC 8264 section 9.1. */
const letterOrDigit = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u;
/** RFC 8264 sections 9.14 to 9.18: other letters and digits, spaces, symbols, punctuation. */
const freeformOnly = /[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u;

/** The order of the tests is that of RFC 8264 section 8. */
function propertyOf(codePoint: number): Property {
  if (alwaysValid.has(codePoint)) return 'valid';
  if (neverValid.has(codePoint)) return 'disallowed';
  if (contextual.has(codePoint) || isArabicIndic(codePoint) || isExtendedArabicIndic(codePoint)) return 'contextual';
  if (codePoint >= 0x21 && codePoint <= 0x7e) return 'valid';
  const character = String.fromCodePoint(codePoint);
  if (isOldHangulJamo(codePoint) || ignorable.test(character) || unassigned.test(character)) return 'disallowed';
  // RFC 8264 section 9.17, HasCompat: KELVIN SIGN and its like, which would fold to a letter.
  if (character.normalize('NFKC') !== character) return 'freeform';
  if (letterOrDigit.test(character)) return 'valid';
  return freeformOnly.test(character) ? 'freeform' : 'disallowed';
}

/** RFC 8264 section 9.9: conjoining jamo, as opposed to syllables. */
function isOldHangulJamo(codePoint: number): boolean {
  return (
    (codePoint >= 0x1100 && codePoint <= 0x11ff) ||
    (codePoint >= 0xa960 && codePoint <= 0xa97c) ||
    (codePoint >= 0xd7b0 && codePoint <= 0xd7fb)
  );
}

function isArabicIndic(codePoint: number): boolean {
  return codePoint >= 0x660 && codePoint <= 0x669;
}

function isExtendedArabicIndic(codePoint: number): boolean {
  return codePoint >= 0x6f0 && codePoint <= 0x6f9;
}

/** Whether a string class allows a string, the contextual rules included. */
export function allows(stringClass: StringClass, text: string): boolean {
  const codePoints = Array.from(text, (character) => character.codePointAt(0)!);
  const facts: Facts = { codePoints };
  return codePoints.every((codePoint, index) => {
    const property = propertyOf(codePoint);
    if (property === 'contextual') return allowsInContext(facts, index);
    return property === 'valid' || (property === 'freeform' && stringClass === 'freeform');
  });
}

/** A string, with what the contextual rules ask of all of it at once found no more than once. */
interface Facts {
  readonly codePoints: readonly number[];
  hasKana?: boolean;
  hasArabicIndic?: boolean;
  hasExtendedArabicIndic?: boolean;
}

/** RFC 5892 appendix A. */
function allowsInContext(facts: Facts, index: number): boolean {
  const { codePoints } = facts;
  const codePoint = codePoints[index]!;
  const before = codePoints[index - 1];
  const after = codePoints[index + 1];
  switch (codePoint) {
    case 0x200c:
      return isVirama(before) || joinsBothSides(codePoints, index);
    case 0x200d:
      return isVirama(before);
    case 0xb7:
      return before === 0x6c && after === 0x6c;
    case 0x375:
      return hasScript(after, greek);
    case 0x5f3:
    case 0x5f4:
      return hasScript(before, hebrew);
    case 0x30fb:
      return (facts.hasKana ??= codePoints.some((other) => hasScript(other, kanaOrHan)));
    default:
      return isArabicIndic(codePoint)
        ? !(facts.hasExtendedArabicIndic ??= codePoints.some(isExtendedArabicIndic))
        : !(facts.hasArabicIndic ??= codePoints.some(isArabicIndic));
  }
}

const greek = /\p{Script=Greek}/u;
const hebrew = /\p{Script=Hebrew}/u;
const kanaOrHan = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;

function hasScript(codePoint: number | undefined, script: RegExp): boolean {
  return codePoint !== undefined && script.test(String.fromCodePoint(codePoint));
}

/**
 * Whether the canonical combining class is 9. Marks are sorted by class in NFD: one of class 9 moves behind a mark of
 * class 8 (U+3099) and before one of class 10 (U+05B0).
 */
function isVirama(codePoint: number | undefined): boolean {
  // The two marks that it is measured with trade places with themselves.
  if (codePoint === undefined || codePoint === 0x3099 || codePoint === 0x5b0) return false;
  const mark = String.fromCodePoint(codePoint);
  return `${mark}\u3099`.normalize('NFD') === `\u3099${mark}` && `\u05B0${mark}`.normalize('NFD') === `${mark}\u05B0`;
}

/** (Joining_Type:{L,D})(Joining_Type:T)* U+200C (Joining_Type:T)*(Joining_Type:{R,D}) */
function joinsBothSides(codePoints: readonly number[], index: number): boolean {
  let left = index - 1;
  while (left >= 0 && joiningType(codePoints[left]!) === 'T') left--;
  let right = index + 1;
  while (right < codePoints.length && joiningType(codePoints[right]!) === 'T') right++;
  const before = left >= 0 ? joiningType(codePoints[left]!) : 'U';
  const after = right < codePoints.length ? joiningType(codePoints[right]!) : 'U';
  return (before === 'L' || before === 'D') && (after === 'R' || after === 'D');
}
