/**
 * Addresses that deceive the eye (RFC 7622 section 8, RFC 8264 section 12.5, Unicode TR39). Nothing here decides whether
 * an address is believed: two addresses are the same or they are not, and a look-alike is another one.
 *
 * Found are addresses of one skeleton (TR39 section 4), by a table of what looks like ASCII letters and digits, and
 * labels in letters of several scripts (TR39 section 5). Not found are look-alikes within other scripts, accents, and
 * what only some typefaces make alike (`vv` and `w`).
 */

import { toUnicode } from './domain.ts';
import type { Jid } from './jid.ts';
import { lookAlikePairs } from './look-alikes.generated.ts';

/** How an address could deceive the eye. */
export interface LookAlike {
  /** Scripts whose letters are mixed in one label in a way that no language does; empty unless there are several. */
  readonly scripts: readonly string[];
  /** Bare JIDs of contacts that look like it and are others. */
  readonly resembles: readonly string[];
}

/** In TR39 a zero looks like a capital O, which no address holds. */
const ascii: Readonly<Record<string, string>> = { '0': 'o', '1': 'l', m: 'rn' };
let shapes: ReadonlyMap<string, string> | undefined;

/** What an address without its resource looks like: two addresses with one skeleton are hard to tell apart. */
export function skeletonOf(jid: Pick<Jid, 'local' | 'domain'>): string {
  const text = (jid.local === '' ? '' : `${jid.local}@`) + labelsOf(jid.domain).join('.');
  let shape = '';
  // Latin letters in marks of their own stay apart: TR39 decomposes first.
  for (const character of text.normalize('NFD')) shape += ascii[character] ?? shapeOf(character);
  return shape;
}

function shapeOf(character: string): string {
  if (character <= '\u007f') return character;
  shapes ??= new Map([...lookAlikePairs.matchAll(/([^a-z0-9])([a-z0-9]+)/gu)].map(([, one, like]) => [one!, like!]));
  const like = shapes.get(character) ?? character;
  return ascii[like] ?? like;
}

/**
 * How an address could deceive the eye.
 *
 * @param resembles contacts with the same skeleton
 */
export function lookAlikeOf(jid: Jid, resembles: readonly string[] = []): LookAlike {
  if (resembles.length === 0 && isAscii(jid)) return none;
  const scripts = [jid.local, ...labelsOf(jid.domain)].map(mixedScripts).find((mixed) => mixed.length > 0) ?? [];
  return Object.freeze({ scripts: Object.freeze(scripts), resembles: Object.freeze([...resembles]) });
}

const none: LookAlike = Object.freeze({ scripts: Object.freeze([]), resembles: Object.freeze([]) });

function isAscii({ local, domain }: Jid): boolean {
  return !domain.includes('xn--') && !/[^\0-\u007f]/.test(local);
}

function labelsOf(domain: string): readonly string[] {
  return domain.includes('xn--') ? domain.split('.').map((label) => toUnicode(label) ?? label) : domain.split('.');
}

/** Those with letters that look like another's, and those that are written together. */
const scriptNames = [
  ...['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Georgian', 'Coptic', 'Cherokee', 'Hebrew', 'Arabic', 'Devanagari'],
  ...['Bengali', 'Thai', 'Lao', 'Ethiopic', 'Han', 'Hiragana', 'Katakana', 'Bopomofo', 'Hangul'],
] as const;
type ScriptName = (typeof scriptNames)[number] | 'other';
let scripts: readonly (readonly [ScriptName, RegExp])[] | undefined;

/** TR39 section 5.2, "highly restrictive". */
const together: readonly (readonly ScriptName[])[] = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
];

function mixedScripts(label: string): readonly ScriptName[] {
  const found = new Set<ScriptName>();
  for (const character of label) {
    if (!/[\p{Script=Common}\p{Script=Inherited}]/u.test(character)) found.add(scriptOf(character));
  }
  const all = [...found];
  return all.length < 2 || together.some((set) => all.every((one) => set.includes(one))) ? [] : all;
}

function scriptOf(character: string): ScriptName {
  if (/[a-z]/.test(character)) return 'Latin';
  scripts ??= scriptNames.map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'u')]);
  return scripts.find(([, script]) => script.test(character))?.[0] ?? 'other';
}
