import { describe, expect, test } from 'vitest';

import { canonicalStanza, sameXml } from '../../../src/xml/canonical.ts';
import { CLIENT } from '../../../src/xml/namespaces.ts';
import { parseXml, parseXmlBytes } from '../../../src/xml/parse.ts';
import { serializeXml } from '../../../src/xml/serialize.ts';
import { withClientNamespace } from '../../../src/xml/stanza-namespace.ts';
import { corpus, corpusJson, hasCorpus } from '../../shared-data.ts';
import { plainOf, readWithSaxes } from './oracles.ts';

interface Listed {
  readonly file: string;
  readonly stanza: string;
  readonly type: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly children: readonly (readonly [namespace: string | null, name: string])[];
  readonly comments: boolean;
}

const present = hasCorpus('stanzas/index.json');
const listed = present ? (corpusJson('stanzas/index.json') as { stanzas: Listed[] }).stanzas : [];

describe.skipIf(!present)('stanzas of a deployed SDK', () => {
  test('are all listed', () => expect(listed.length).toBe(153));

  test.each(listed.filter(({ comments }) => comments))('$file is refused for its comment', ({ file }) => {
    expect(() => parseXmlBytes(corpus(`stanzas/${file}`))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }) as Error,
    );
    const skipped = parseXmlBytes(corpus(`stanzas/${file}`), { comments: 'skip' });
    expect(skipped.elements.length).toBeGreaterThan(0);
  });

  test.each(listed.filter(({ comments }) => !comments))('$file comes back unchanged', (entry) => {
    const bytes = corpus(`stanzas/${entry.file}`);
    const stanza = parseXmlBytes(bytes, { defaultNamespace: CLIENT });
    expect(stanza.is(entry.stanza, CLIENT)).toBe(true);
    for (const name of ['type', 'from', 'to'] as const) expect(stanza.attribute(name) ?? null).toBe(entry[name]);
    const bare = parseXmlBytes(bytes);
    expect(bare.elements.map(({ namespace, name }) => [namespace, name])).toEqual(
      entry.children.map(([namespace, name]) => [namespace ?? '', name]),
    );
    expect(plainOf(bare)).toEqual(readWithSaxes(bytes.toString('utf8')));
    expect(sameXml(withClientNamespace(bare), stanza)).toBe(true);

    const written = serializeXml(stanza, { namespace: CLIENT });
    expect(sameXml(parseXml(written, { defaultNamespace: CLIENT }), stanza)).toBe(true);
    const canonical = parseXml(canonicalStanza(stanza), { declaration: true });
    expect(sameXml(canonical.elements[0]!, stanza)).toBe(true);
  });
});
