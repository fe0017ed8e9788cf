/** Published payloads for external entities, server-side requests and entity expansion, as documents and inside one. */
import { describe, expect, test } from 'vitest';

import { E2eError } from '../../src/errors.ts';
import { parseXml, type ParseXmlOptions } from '../../src/xml/parse.ts';
import { serializeXml } from '../../src/xml/serialize.ts';
import { sameXml } from '../../src/xml/canonical.ts';
import { corpusJson, hasCorpus } from '../shared-data.ts';

interface Payload {
  readonly id: number;
  readonly payload: string;
  readonly verdict: 'reject' | 'inert';
  readonly reason: string;
}

const present = hasCorpus('xml-attacks/payloads.json');
const payloads = present ? (corpusJson('xml-attacks/payloads.json') as { payloads: Payload[] }).payloads : [];

/** As lenient as the reader can be told to be. */
const lenient: ParseXmlOptions = { declaration: true, comments: 'skip' };

function refusal(text: string, options: ParseXmlOptions): string | undefined {
  try {
    parseXml(text, options);
    return undefined;
  } catch (error) {
    if (error instanceof E2eError) return error.code;
    throw error;
  }
}

describe.skipIf(!present)('XML attack payloads', () => {
  test('are all there', () => {
    expect(payloads.filter(({ verdict }) => verdict === 'reject')).toHaveLength(139);
    expect(payloads.filter(({ verdict }) => verdict === 'inert')).toHaveLength(15);
  });

  test.each(payloads.filter(({ verdict }) => verdict === 'reject'))(
    '$id is refused: $reason',
    ({ payload, reason }) => {
      for (const options of reason === 'comment' ? [{}] : [{}, lenient])
        expect(refusal(payload, options)).toBe('ERR_E2E_MALFORMED');
      // As the inside of an element, a text without markup is only text.
      if (payload.includes('<!DOCTYPE') || payload.includes('<!ENTITY')) {
        expect(refusal(`<message>${payload}</message>`, lenient)).toBe('ERR_E2E_MALFORMED');
      }
    },
  );

  test.each(payloads.filter(({ verdict }) => verdict === 'inert'))('$id is data', ({ payload }) => {
    const tree = parseXml(payload, lenient);
    // Nothing is fetched or expanded: the text is all in the payload, and the tree comes back as it is.
    const text = (element: typeof tree): string =>
      element.children.map((child) => (typeof child === 'string' ? child : text(child))).join('');
    expect(text(tree).length).toBeLessThanOrEqual(payload.length);
    expect(sameXml(parseXml(serializeXml(tree)), tree)).toBe(true);
  });
});

test('a billion laughs do not get to the first', () => {
  const entities = Array.from({ length: 30 }, (_, i) => `<!ENTITY l${i + 1} "&l${i};&l${i};">`).join('');
  expect(refusal(`<!DOCTYPE l [<!ENTITY l0 "lol">${entities}]><l>&l30;</l>`, lenient)).toBe('ERR_E2E_MALFORMED');
});
