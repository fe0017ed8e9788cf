import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { E2eError } from '../../../src/errors.ts';
import { sameXml } from '../../../src/xml/canonical.ts';
import { element, XmlElement, type XmlAttribute } from '../../../src/xml/element.ts';
import { CLIENT, XML, XMLNS } from '../../../src/xml/namespaces.ts';
import { parseXml } from '../../../src/xml/parse.ts';
import { exceedsOctets, serializeXml } from '../../../src/xml/serialize.ts';
import { runs } from '../../shared-data.ts';
import { oddTree, xmlTree } from './arbitrary.ts';
import { plainOf, readWithLibxml, readWithSaxes } from './oracles.ts';

const attribute = (prefix: string, namespace: string, name: string, value = ''): XmlAttribute => ({
  prefix,
  namespace,
  name,
  value,
});

describe('namespaces', () => {
  it('are declared where they change, and only there', () => {
    const tree = element('message', CLIENT, { to: 'a@b' }, [
      element('body', CLIENT, {}, ['hi']),
      element('x', 'urn:x', {}, [element('y', 'urn:x'), element('z', '')]),
    ]);
    expect(serializeXml(tree)).toBe(
      '<message xmlns="jabber:client" to="a@b"><body>hi</body><x xmlns="urn:x"><y/><z xmlns=""/></x></message>',
    );
    expect(serializeXml(tree, { namespace: CLIENT })).toMatch(/^<message to="a@b"><body>/);
    expect(serializeXml(element('a', ''), { namespace: CLIENT })).toBe('<a xmlns=""/>');
  });

  it('keep their prefixes', () => {
    const document = '<p:a xmlns:p="u" xmlns:q="v" q:z="1"><p:b/><q:c/></p:a>';
    expect(serializeXml(parseXml(document))).toBe('<p:a xmlns:p="u" xmlns:q="v" q:z="1"><p:b/><q:c/></p:a>');
    expect(serializeXml(parseXml('<a xmlns:p="u"><p:b/></a>'))).toBe('<a><p:b xmlns:p="u"/></a>');
  });

  it('never declare one prefix twice', () => {
    const tree = new XmlElement(
      'p',
      'u',
      'a',
      [attribute('p', 'v', 'x'), attribute('', 'w', 'y'), attribute('ns1', 'z', 'z')],
      [],
    );
    const text = serializeXml(tree);
    const declared = Array.from(text.matchAll(/xmlns:(\w+)=/g), ([, prefix]) => prefix);
    expect(new Set(declared).size).toBe(declared.length);
    expect(sameXml(parseXml(text), tree)).toBe(true);
  });

  it('use the reserved prefixes for their own namespaces only', () => {
    const tree = new XmlElement('xml', 'u', 'a', [attribute('q', XML, 'lang', 'en'), attribute('xmlns', 'v', 'b')], []);
    const text = serializeXml(tree);
    expect(text).toContain('xml:lang="en"');
    expect(sameXml(parseXml(text), tree)).toBe(true);
    expect(() => serializeXml(new XmlElement('', XMLNS, 'a', [], []))).toThrow(TypeError);
  });

  it('give a prefix to what cannot be without one, and none to what cannot have one', () => {
    const tree = new XmlElement('p', '', 'a', [attribute('p', '', 'b')], []);
    expect(serializeXml(tree)).toBe('<a b=""/>');
  });
});

describe('escaping', () => {
  test.each([
    ['&<>"\'', '<a>&amp;&lt;&gt;"\'</a>'],
    ['a]]>b', '<a>a]]&gt;b</a>'],
    ['\t\n', '<a>\t\n</a>'],
    ['\r\n', '<a>&#xD;\n</a>'],
    ['\u0085\u2028\u{1F600}', '<a>\u0085\u2028\u{1F600}</a>'],
  ])('text %j', (text, expected) => {
    expect(serializeXml(element('a', '', {}, [text]))).toBe(expected);
  });

  it('attribute values', () => {
    expect(serializeXml(element('a', '', { b: '&<>"\'\t\n\r ' }))).toBe('<a b="&amp;&lt;>&quot;\'&#x9;&#xA;&#xD; "/>');
  });

  it('writes CDATA only where a section holds the text unchanged', () => {
    const e2e = (text: string): string =>
      serializeXml(element('message', CLIENT, {}, [element('e2e', 'u', {}, [text])]), {
        namespace: CLIENT,
        cdata: ({ name }) => name === 'e2e',
      });
    expect(e2e('a<b>&\n')).toBe('<message><e2e xmlns="u"><![CDATA[a<b>&\n]]></e2e></message>');
    expect(e2e('a]]>b')).toContain('<e2e xmlns="u">a]]&gt;b</e2e>');
    expect(e2e('a\r\nb')).toContain('<e2e xmlns="u">a&#xD;\nb</e2e>');
    expect(e2e('a]]')).toContain('<![CDATA[a]]]]></e2e>');
    expect(e2e('')).toBe('<message><e2e xmlns="u"/></message>');
  });

  test.each(['\u0000', '\u0001', '\u000B', '\uFFFE', '\uFFFF', '\uD800', '\uDC00x', 'x\uD83D'])(
    'refuses %j, which would end the stream or become another character',
    (character) => {
      const trees = [
        element('a', '', {}, [character]),
        element('a', '', { b: character }),
        element('a', `u${character}`),
        new XmlElement('', '', 'a', [attribute('p', character, 'b')], []),
      ];
      for (const tree of trees) {
        for (const options of [{}, { cdata: () => true }]) {
          expect(() => serializeXml(tree, options)).toThrow(
            expect.objectContaining({ code: 'ERR_E2E_UNMAPPABLE', stage: 'map' }) as Error,
          );
        }
      }
      expect(() => serializeXml(trees[0]!, { stage: 'check' })).toThrow(
        expect.objectContaining({ stage: 'check' }) as Error,
      );
    },
  );

  // A name is the programmer's, and can carry markup where the writer trusts it.
  test.each(['', 'a b', 'a><b', 'a:b', '1', '-a', 'a\u0000', ' a', 'a/'])('refuses the name %j', (name) => {
    expect(() => serializeXml(element(name, ''))).toThrow(TypeError);
    expect(() => serializeXml(element('a', '', { [name]: '' }))).toThrow(TypeError);
    if (name !== '') expect(() => serializeXml(new XmlElement(name, 'u', 'a', [], []))).toThrow(TypeError);
  });

  it('refuses declarations among attributes, and attributes that come twice', () => {
    expect(() => serializeXml(element('a', 'u', { xmlns: 'v' }))).toThrow(TypeError);
    const twice = new XmlElement('', '', 'a', [attribute('p', 'u', 'b'), attribute('q', 'u', 'b')], []);
    expect(() => serializeXml(twice)).toThrow(TypeError);
  });
});

describe('whatever is written', () => {
  it('is read as the same tree by three readers', () => {
    fc.assert(
      fc.property(xmlTree, fc.boolean(), (tree, cdata) => {
        const text = serializeXml(tree, { cdata: () => cdata });
        const back = parseXml(text);
        expect(sameXml(back, tree)).toBe(true);
        expect(readWithSaxes(text)).toEqual(plainOf(tree));
        // The binding of libxml2 loses U+FEFF at the start of a text.
        if (!text.includes('\uFEFF')) expect(readWithLibxml(text)).toEqual(plainOf(tree));
        expect(serializeXml(back, { cdata: () => cdata })).toBe(text);
      }),
      { numRuns: runs(10_000), seed: 3923 },
    );
  });

  it('means the same inside a stream', () => {
    fc.assert(
      fc.property(fc.oneof(xmlTree, oddTree), (tree) => {
        const text = serializeXml(tree, { namespace: CLIENT });
        expect(sameXml(parseXml(text, { defaultNamespace: CLIENT }), tree)).toBe(true);
        expect(sameXml(parseXml(`<stream xmlns="${CLIENT}">${text}</stream>`).elements[0]!, tree)).toBe(true);
      }),
      { numRuns: runs(2_000), seed: 3923 },
    );
  });

  it('may be as deep as memory allows', () => {
    let tree = element('a', 'u');
    for (let i = 0; i < 100_000; i++) tree = element('a', 'u', {}, [tree]);
    expect(serializeXml(tree)).toHaveLength('<a xmlns="u">'.length + 99_999 * 3 + 4 + 100_000 * 4);
    expect(() => parseXml(serializeXml(tree), { maxBytes: 1e7 })).toThrow(E2eError);
  });
});

describe('exceedsOctets', () => {
  it.each([
    ['a', 1],
    ['\u00e9', 2],
    ['\u20ac', 3],
    ['\u{1f600}', 4],
    ['&', 5],
  ])('counts %s as %d octets', (text, octets) => {
    const stanza = element('a', '', {}, [text.repeat(10)]);
    const size = '<a></a>'.length + 10 * octets;
    expect(exceedsOctets(stanza, size)).toBe(false);
    expect(exceedsOctets(stanza, size - 1)).toBe(true);
  });

  it('leaves what is written as it is, with whatever options', () => {
    const stanza = element('a', 'urn:x', {}, ['b']);
    const plain = serializeXml(stanza);
    exceedsOctets(stanza, 100);
    expect(serializeXml(stanza, { namespace: 'urn:x' })).toBe('<a>b</a>');
    expect(serializeXml(stanza, { cdata: () => true })).toContain('<![CDATA[b]]>');
    expect(serializeXml(stanza)).toBe(plain);
    expect(serializeXml(stanza)).toBe(plain);
  });
});
