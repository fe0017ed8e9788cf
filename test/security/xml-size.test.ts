/** Documents made to cost much: depth, attributes, namespaces, references. Costs must be linear in the size. */
import { describe, expect, it, test } from 'vitest';

import { E2eError } from '../../src/errors.ts';
import { limitsWith } from '../../src/limits.ts';
import { parseXml, type ParseXmlOptions } from '../../src/xml/parse.ts';
import { serializeXml } from '../../src/xml/serialize.ts';
import { canonicalXml, sameXml } from '../../src/xml/canonical.ts';
import { cpuTime } from '../cpu-time.ts';

function codeOf(text: string, options?: ParseXmlOptions): string {
  try {
    parseXml(text, options);
    return 'accepted';
  } catch (error) {
    if (error instanceof E2eError) return error.code;
    throw error;
  }
}

const wide = { maxBytes: 2 ** 26 };

describe('under the default limits', () => {
  it.each([65, 100_000])('depth %i', (depth) => {
    expect(codeOf('<a>'.repeat(depth) + '</a>'.repeat(depth), wide)).toBe('ERR_E2E_LIMIT');
    expect(codeOf('<a>'.repeat(depth), wide)).toBe('ERR_E2E_LIMIT');
  });

  it.each([129, 100_000])('%i attributes', (count) => {
    const attributes = Array.from({ length: count }, (_, i) => ` a${i}=""`).join('');
    expect(codeOf(`<a${attributes}/>`, wide)).toBe('ERR_E2E_LIMIT');
    const declarations = Array.from({ length: count }, (_, i) => ` xmlns:a${i}="u"`).join('');
    expect(codeOf(`<a${declarations}/>`, wide)).toBe('ERR_E2E_LIMIT');
  });

  it('10 MB of text', () => {
    expect(codeOf(`<a>${'x'.repeat(10_000_000)}</a>`)).toBe('ERR_E2E_LIMIT');
    expect(parseXml(`<a>${'x'.repeat(10_000_000)}</a>`, wide).text).toHaveLength(10_000_000);
  });

  it('a name of 100,000 characters', () => {
    const name = 'n'.repeat(100_000);
    expect(parseXml(`<${name}/>`).name).toHaveLength(100_000);
  });
});

/** No limit stands in the way, so that growth is seen. */
const limits = limitsWith({ xmlDepth: 2 ** 26, xmlAttributes: 2 ** 26, xmlElements: 2 ** 26, stanzaBytes: 2 ** 28 });

const hostile: readonly (readonly [what: string, make: (n: number) => string])[] = [
  ['depth', (n) => '<a>'.repeat(n) + '</a>'.repeat(n)],
  [
    'depth with a declaration each',
    (n) => Array.from({ length: n }, (_, i) => `<a xmlns:p${i}="u">`).join('') + '</a>'.repeat(n),
  ],
  [
    'depth with one prefix bound anew',
    (n) => Array.from({ length: n }, (_, i) => `<p:a xmlns:p="u${i}">`).join('') + '</p:a>'.repeat(n),
  ],
  ['open elements only', (n) => '<a>'.repeat(n)],
  ['end tags only', (n) => `<a>${'</a>'.repeat(n)}`],
  ['attributes', (n) => `<a${Array.from({ length: n }, (_, i) => ` a${i}=""`).join('')}/>`],
  ['namespaced attributes', (n) => `<a xmlns:p="u"${Array.from({ length: n }, (_, i) => ` p:a${i}=""`).join('')}/>`],
  ['declarations', (n) => `<a${Array.from({ length: n }, (_, i) => ` xmlns:p${i}="u"`).join('')}/>`],
  [
    'siblings under many declarations',
    (n) => `<a${Array.from({ length: n }, (_, i) => ` xmlns:p${i}="u"`).join('')}>${'<p0:b/>'.repeat(n)}</a>`,
  ],
  ['siblings with a declaration each', (n) => `<a>${'<b xmlns:p="u"/>'.repeat(n)}</a>`],
  ['references', (n) => `<a>${'&#65;'.repeat(n)}</a>`],
  ['ampersands', (n) => `<a>${'&'.repeat(n)}</a>`],
  ['ampersands before one semicolon', (n) => `<a>${'&'.repeat(n)};</a>`],
  ['digits in one reference', (n) => `<a>&#${'0'.repeat(n)}65;</a>`],
  ['CDATA sections', (n) => `<a>${'<![CDATA[]]>'.repeat(n)}</a>`],
  ['one-character CDATA sections', (n) => `<a>${'<![CDATA[x]]>'.repeat(n)}</a>`],
  ['brackets', (n) => `<a>${']'.repeat(n)}</a>`],
  ['brackets in CDATA', (n) => `<a><![CDATA[${']'.repeat(n)}]]></a>`],
  ['carriage returns', (n) => `<a b="${'\r'.repeat(n)}">${'\r'.repeat(n)}</a>`],
  ['white space in a tag', (n) => `<a${' '.repeat(n)}>${' '.repeat(n)}</a${' '.repeat(n)}>`],
  ['white space in a declaration', (n) => `<?xml${' '.repeat(n)}`],
  ['white space around the root', (n) => `${' '.repeat(n)}<a/>${' '.repeat(n)}x`],
  ['comments', (n) => `<a>${'<!---->'.repeat(n)}</a>`],
  ['comments in text', (n) => `<a>${' <!---->'.repeat(n)}</a>`],
  ['hyphens in a comment', (n) => `<a><!--${'- '.repeat(n)}--></a>`],
  ['comment starts', (n) => `<a>${'<!--'.repeat(n)}</a>`],
  ['a long name', (n) => `<${'n'.repeat(n)}></${'n'.repeat(n)}>`],
  ['a long name beyond ASCII', (n) => `<${'é'.repeat(n)}/>`],
  ['quotes', (n) => `<a b=${'"'.repeat(n)}/>`],
  ['an attribute without end', (n) => `<a b="${'x'.repeat(n)}`],
  ['less-than signs', (n) => '<'.repeat(n)],
];

/** The best of a few runs, in milliseconds: the least disturbed one. */
function cost(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = cpuTime();
    run();
    best = Math.min(best, cpuTime() - start);
  }
  return best;
}

/**
 * How much more a text 16 times as long costs. Linear work gives 16, and up to four times that where the large text no
 * longer fits the processor's caches; quadratic work gives 256.
 */
function growth(small: () => void, large: () => void): number {
  let ratio = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 4 && ratio >= bound; attempt++)
    ratio = Math.min(ratio, cost(large) / Math.max(cost(small), 0.1));
  return ratio;
}
const bound = 128;

describe('16 times the size does not cost 256 times the work', () => {
  test.each(hostile)('%s', (_, make) => {
    const options: ParseXmlOptions = { limits, comments: 'skip', declaration: true };
    const small = make(2_000);
    const large = make(32_000);
    expect(
      growth(
        () => void codeOf(small, options),
        () => void codeOf(large, options),
      ),
    ).toBeLessThan(bound);
  });

  test('for the writers too', () => {
    const document = (n: number): string =>
      `<a${Array.from({ length: n }, (_, i) => ` xmlns:p${i}="u${i}" p${i}:x=""`).join('')}>` +
      `${'<p0:b xmlns:p0="v">&amp;</p0:b>'.repeat(n)}</a>`;
    const small = parseXml(document(1_000), { limits });
    const large = parseXml(document(16_000), { limits });
    for (const write of [serializeXml, canonicalXml, (tree: typeof small) => sameXml(tree, tree)]) {
      expect(
        growth(
          () => void write(small),
          () => void write(large),
        ),
      ).toBeLessThan(bound);
    }
  });
});
