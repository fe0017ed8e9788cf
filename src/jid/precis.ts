/** The PRECIS profiles of localparts and resourceparts (RFC 8264, RFC 8265, RFC 7622 sections 3.3 and 3.4). */

import { utf8 } from '../bytes.ts';
import { hasRightToLeft, satisfiesBidiRule } from './bidi-rule.ts';
import { allows } from './code-points.ts';

const maxOctets = 1023;

/** What RFC 7622 section 3.3.1 takes from the printable ASCII characters. */
const plainLocal = /^[!#$%()*+,\-.0-9;=?A-Z[\\\]^_`a-z{|}~]*$/;
const excluded = /["&'/:<>@]/;

/**
 * Enforces a localpart: UsernameCaseMapped (RFC 8265 section 3.3) and RFC 7622 section 3.3.1.
 *
 * @returns undefined when it is not allowed
 */
export function enforceLocal(text: string): string | undefined {
  if (plainLocal.test(text)) return fits(text) ? text.toLowerCase() : undefined;
  if (!text.isWellFormed()) return undefined;
  const prepared = mapWidth(text);
  // Before the case mapping too: afterwards KELVIN SIGN would be an honest k.
  if (!allows('identifier', prepared)) return undefined;
  const local = mapCase(prepared).normalize('NFC');
  // RFC 8264 section 7: what changes when it is enforced again is no stable name.
  if (mapCase(mapWidth(local)).normalize('NFC') !== local) return undefined;
  if (!allows('identifier', local) || excluded.test(local)) return undefined;
  if (hasRightToLeft(local) && !satisfiesBidiRule(local)) return undefined;
  return fits(local) ? local : undefined;
}

/**
 * Enforces a resourcepart: OpaqueString (RFC 8265 section 4.2).
 *
 * @returns undefined when it is not allowed
 */
export function enforceResource(text: string): string | undefined {
  if (/^[ -~]*$/.test(text)) return fits(text) ? text : undefined;
  if (!text.isWellFormed() || !allows('freeform', text)) return undefined;
  const resource = text.replace(/\p{Zs}/gu, ' ').normalize('NFC');
  return allows('freeform', resource) && fits(resource) ? resource : undefined;
}

/** Fullwidth and halfwidth characters to their decomposition (RFC 8264 section 5.2.1). */
export function mapWidth(text: string): string {
  return text.replace(/[\u3000\uFF01-\uFFEE]/g, (character) => character.normalize('NFKC'));
}

/**
 * Lower case, each character by itself. The lower case of a whole string turns a sigma at the end of a word into a
 * final one, so that a name would depend on what was appended to it.
 */
export function mapCase(text: string): string {
  let mapped = '';
  for (const character of text) mapped += character.toLowerCase();
  return mapped;
}

function fits(text: string): boolean {
  return text !== '' && (text.length * 3 <= maxOctets || utf8(text).length <= maxOctets);
}
