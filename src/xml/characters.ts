/** Characters and names of XML 1.0 (sections 2.2, 2.3) and of Namespaces in XML 1.0 (section 3). */

import { isPlainText } from '../bytes.ts';

//     Char ::= #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]
const illegalUnit = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;

/** Whether a string holds only characters that XML can carry: no lone surrogate, no U+0000, no U+FFFE. */
export function isXmlText(text: string): boolean {
  return isPlainText(text) || (!illegalUnit.test(text) && text.isWellFormed());
}

/** Whether a code point may be named by a character reference. */
export function isXmlCharacter(codePoint: number): boolean {
  if (codePoint < 0x20) return codePoint === 0x09 || codePoint === 0x0a || codePoint === 0x0d;
  if (codePoint < 0xd800) return true;
  return (codePoint >= 0xe000 && codePoint <= 0xfffd) || (codePoint >= 0x10000 && codePoint <= 0x10ffff);
}

/** Whether a string is all white space (`S`, XML 1.0 section 2.3); `\s` and `trim()` would take U+00A0 and more. */
export function isWhitespace(text: string): boolean {
  return skipWhitespace(text, 0) === text.length;
}

/** The index of the first character at or after `from` that is not white space. */
export function skipWhitespace(text: string, from: number): number {
  let i = from;
  for (;;) {
    const unit = text.charCodeAt(i);
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x09 && unit !== 0x0d) return i;
    i++;
  }
}

//     NameStartChar ::= ":" | [A-Z] | "_" | [a-z] | [#xC0-#xD6] | ... (XML 1.0, fifth edition, section 2.3)
//     NCName        ::= Name - (Char* ':' Char*)
// The ranges are those of the grammar, joiners and combining marks among them.
/* eslint-disable no-misleading-character-class */
const nameStart =
  /^[A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\u{10000}-\u{EFFFF}]$/u;
const nameFurther = /^[-.0-9\u00B7\u0300-\u036F\u203F\u2040]$/u;
/* eslint-enable no-misleading-character-class */

/** 1 for ASCII that may start a name, 2 for ASCII that may only continue one. */
const asciiName = new Uint8Array(128);
for (let unit = 0; unit < 128; unit++) {
  const character = String.fromCharCode(unit);
  if (nameStart.test(character)) asciiName[unit] = 1;
  else if (nameFurther.test(character)) asciiName[unit] = 2;
}

/**
 * Finds the end of the NCName that starts at `from`.
 *
 * @returns `from` when there is none
 */
export function endOfNcName(text: string, from: number): number {
  let i = from;
  for (;;) {
    const unit = text.charCodeAt(i);
    if (unit < 128) {
      const kind = asciiName[unit]!;
      if (kind === 0 || (kind === 2 && i === from)) return i;
      i++;
    } else {
      const codePoint = text.codePointAt(i);
      if (codePoint === undefined) return i;
      const character = String.fromCodePoint(codePoint);
      if (!nameStart.test(character) && (i === from || !nameFurther.test(character))) return i;
      i += character.length;
    }
  }
}

/** Whether a string is an NCName: a name without a colon. */
export function isNcName(text: string): boolean {
  return text !== '' && endOfNcName(text, 0) === text.length;
}
