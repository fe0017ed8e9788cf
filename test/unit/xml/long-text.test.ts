/** Long texts are looked at in another way than short ones, and once: they must be judged alike (XML 1.0 section 2.2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E2eError } from '../../../src/errors.ts';
import { limitsWith } from '../../../src/limits.ts';
import { isXmlText } from '../../../src/xml/characters.ts';
import { element } from '../../../src/xml/element.ts';
import { toElement } from '../../../src/xml/from-host.ts';
import { hasLegalText, isKnownLegal } from '../../../src/xml/legal-text.ts';
import { parseXml } from '../../../src/xml/parse.ts';
import { exceedsOctets, serializeXml } from '../../../src/xml/serialize.ts';

const long = 'It is the east, and Juliet is the sun.\n'.repeat(1000);
const illegal = [
  '\0',
  '\x01',
  '\b',
  '\v',
  '\f',
  '\x0e',
  '\x1f',
  '\ufffe',
  '\uffff',
  '\ud800',
  '\udc00',
  '\udc00\ud800',
];
const legal = ['\t', '\n', '\r', ' ', '\x7f', '\x80', 'é', '\u2028', '\ud7ff', '\ue000', '\ufffd', '😀', '\u{10ffff}'];
const places = [0, 1, 16_383, 16_384, 20_000, long.length - 1, long.length];
const limits = limitsWith({ stanzaBytes: 8_388_608 });

function insert(text: string, at: number): string {
  return long.slice(0, at) + text + long.slice(at);
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as E2eError).code;
  }
}

describe('a long text', () => {
  it('is refused for one character that XML cannot hold, wherever it stands and whoever brings it', () => {
    for (const character of illegal) {
      for (const at of places) {
        const text = insert(character, at);
        expect(isXmlText(text), `${JSON.stringify(character)} ${at}`).toBe(false);
        expect(codeOf(() => parseXml(`<a>${text}</a>`, { limits }))).toBe('ERR_E2E_MALFORMED');
        expect(codeOf(() => parseXml(`<a b='${text}'/>`, { limits }))).toBe('ERR_E2E_MALFORMED');
        expect(codeOf(() => toElement({ name: 'a', attrs: {}, children: [text] }, { limits }))).toBe(
          'ERR_E2E_MALFORMED',
        );
        expect(codeOf(() => serializeXml(element('a', '', {}, [text])))).toBe('ERR_E2E_UNMAPPABLE');
        expect(codeOf(() => exceedsOctets(element('a', '', {}, [text]), 10_000_000))).toBe('ERR_E2E_UNMAPPABLE');
        expect(hasLegalText(element('a', '', {}, [text]))).toBe(false);
      }
    }
  });

  it('is taken with every other character', () => {
    for (const character of legal) {
      for (const at of places) {
        const text = insert(character, at);
        expect(isXmlText(text), `${JSON.stringify(character)} ${at}`).toBe(true);
        const written = serializeXml(element('a', '', {}, [text]));
        const parsed = parseXml(written, { limits });
        expect(parsed.text).toBe(text);
        expect(isKnownLegal(parsed)).toBe(true);
        expect(serializeXml(parsed)).toBe(written);
      }
    }
  });

  it('is judged as a short one', () => {
    const unit = fc.oneof(
      { arbitrary: fc.constantFrom('a', '\n', '\t', 'é', '😀'), weight: 200 },
      { arbitrary: fc.constantFrom(...illegal, ...legal), weight: 1 },
    );
    fc.assert(
      fc.property(fc.array(unit, { minLength: 2100, maxLength: 2400 }), (units) => {
        const text = units.join('');
        const expected = !/[\0-\x08\v\f\x0e-\x1f\ufffe\uffff]/.test(text) && text.isWellFormed();
        expect(isXmlText(text)).toBe(expected);
        expect(codeOf(() => parseXml(`<a>${text}</a>`, { limits }))).toBe(expected ? undefined : 'ERR_E2E_MALFORMED');
      }),
      { numRuns: 50 },
    );
  });

  it('is looked at again in an element that was not parsed', () => {
    const [half, other] = ['\ud83d', '\ude00'];
    const split = element('a', '', {}, [long + half, element('b', ''), other + long]);
    expect(isKnownLegal(split)).toBe(false);
    expect(codeOf(() => serializeXml(split))).toBe('ERR_E2E_UNMAPPABLE');
    // Together the halves are a character, but the element in between keeps them apart.
    expect(hasLegalText(split)).toBe(true);
    expect(isKnownLegal(split)).toBe(false);
    expect(codeOf(() => serializeXml(split))).toBe('ERR_E2E_UNMAPPABLE');
  });

  it('makes nothing known of the element that is made from another one', () => {
    const parsed = parseXml(`<a>${long}</a>`, { limits });
    const changed = parsed.withChildren([`${long}\0`]);
    expect(isKnownLegal(changed)).toBe(false);
    expect(codeOf(() => serializeXml(changed))).toBe('ERR_E2E_UNMAPPABLE');
    expect(isKnownLegal(parsed.withAttribute('b', '\0'))).toBe(false);
    expect(codeOf(() => serializeXml(parsed.withAttribute('b', '\0')))).toBe('ERR_E2E_UNMAPPABLE');
  });
});

describe('octets of a long document', () => {
  const tags = '<a></a>'.length;

  it('are counted and not characters', () => {
    for (const character of ['a', 'é', '€', '😀']) {
      for (const text of [character.repeat(3000), long + character.repeat(1000), character.repeat(1000) + long]) {
        const octets = Buffer.byteLength(text) + tags;
        expect(exceedsOctets(element('a', '', {}, [text]), octets)).toBe(false);
        expect(exceedsOctets(element('a', '', {}, [text]), octets - 1)).toBe(true);
        expect(parseXml(`<a>${text}</a>`, { maxBytes: octets }).text).toBe(text);
        expect(codeOf(() => parseXml(`<a>${text}</a>`, { maxBytes: octets - 1 }))).toBe('ERR_E2E_LIMIT');
      }
    }
  });

  it('count those of references and of several elements', () => {
    const tree = element('a', '', {}, [element('b', '', {}, [`${long}<&>`]), element('c', '', {}, ['€'.repeat(3000)])]);
    const octets = Buffer.byteLength(serializeXml(tree));
    expect(exceedsOctets(tree, octets)).toBe(false);
    expect(exceedsOctets(tree, octets - 1)).toBe(true);
  });

  it('are too many before a character is illegal', () => {
    expect(codeOf(() => parseXml(`<a>${long}\0</a>`, { maxBytes: long.length }))).toBe('ERR_E2E_LIMIT');
    expect(codeOf(() => parseXml(`<a>${'€'.repeat(3000)}\0</a>`, { maxBytes: 9000 }))).toBe('ERR_E2E_LIMIT');
    expect(codeOf(() => parseXml(`<a>${'€'.repeat(3000)}\0</a>`, { maxBytes: 9100 }))).toBe('ERR_E2E_MALFORMED');
  });
});
