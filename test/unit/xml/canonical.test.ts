import { execFileSync } from 'node:child_process';

import fc from 'fast-check';
import { XmlC14NMode, XmlDocument } from 'libxml2-wasm';
import { describe, expect, it } from 'vitest';

import { canonicalStanza, canonicalXml, sameXml } from '../../../src/xml/canonical.ts';
import { element, XmlElement } from '../../../src/xml/element.ts';
import { CLIENT } from '../../../src/xml/namespaces.ts';
import { parseXml } from '../../../src/xml/parse.ts';
import { serializeXml } from '../../../src/xml/serialize.ts';
import { isStanzaNamespace, withClientNamespace } from '../../../src/xml/stanza-namespace.ts';
import { hasProgram, runs } from '../../shared-data.ts';
import { oddTree, xmlTree } from './arbitrary.ts';

function libxmlCanonical(text: string): string {
  const document = XmlDocument.fromString(text);
  try {
    return document.canonicalizeToString({ mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0 });
  } finally {
    document.dispose();
  }
}

describe('Exclusive XML Canonicalization 1.0', () => {
  it('is what libxml2 makes of it', () => {
    fc.assert(
      fc.property(xmlTree, (tree) => {
        const text = serializeXml(tree);
        // Prefixes are part of the canonical form: both start from the same text.
        expect(canonicalXml(parseXml(text))).toBe(libxmlCanonical(text));
      }),
      { numRuns: runs(10_000), seed: 3923 },
    );
  });

  // Exclusive XML Canonicalization 1.0 section 2.2, and Canonical XML 1.0 section 3.3.
  it('leaves unused declarations out and puts used ones where they are used', () => {
    expect(canonicalXml(parseXml('<n0:a xmlns:n0="u" xmlns:n3="v"><n1:b xmlns:n1="w"/><n0:c/></n0:a>'))).toBe(
      '<n0:a xmlns:n0="u"><n1:b xmlns:n1="w"></n1:b><n0:c></n0:c></n0:a>',
    );
    expect(
      canonicalXml(
        parseXml(
          `<e5 xmlns='http://example.org' xmlns:a='http://www.w3.org' xmlns:b='http://www.ietf.org' a:attr='out' b:attr='sorted' attr2='all' attr='I&apos;m'/>`,
        ),
      ),
    ).toBe(
      `<e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>`,
    );
  });

  it.skipIf(!hasProgram('xmllint'))('is what xmllint makes of it', () => {
    const text = `<message xmlns="jabber:client" to='b' from="a"><p:x xmlns:p="urn:u" xmlns:q='urn:v' p:y="&#9;&quot;'" q:y=">" a="1">]]&gt;<![CDATA[<&]]>&#13;é\u{1F600}</p:x></message>`;
    const expected = execFileSync('xmllint', ['--exc-c14n', '-'], { input: text, encoding: 'utf8' });
    expect(canonicalXml(parseXml(text))).toBe(expected.trimEnd());
  });

  it('orders by code point, not by UTF-16 unit', () => {
    const tree = element('a', '', { '\uFDF0': '', '\u{10000}': '', b: '', ba: '' });
    expect(canonicalXml(tree)).toBe('<a b="" ba="" \uFDF0="" \u{10000}=""></a>');
  });

  it('refuses what XML cannot hold', () => {
    expect(() => canonicalXml(element('a', '', {}, ['\uD800']))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_UNMAPPABLE' }) as Error,
    );
  });
});

describe('the canonical stanza', () => {
  it('is one line in jabber:client with its declaration', () => {
    const stanza = parseXml('<message to="a@b" id="1"><body>x\r\ny&#13;</body></message>');
    expect(canonicalStanza(stanza)).toBe(
      `<?xml version='1.0' encoding='UTF-8'?><xmpp xmlns="jabber:client"><message id="1" to="a@b"><body>x&#xA;y&#xD;</body></message></xmpp>`,
    );
  });

  it('takes the language of the stream where the stanza has none', () => {
    expect(canonicalStanza(element('message', CLIENT), 'de')).toContain('<message xml:lang="de">');
    expect(canonicalStanza(element('message', CLIENT, { 'xml:lang': 'en' }), 'de')).toContain(
      '<message xml:lang="en">',
    );
  });

  it('survives every change of line ends on its way, and gives the tree back', () => {
    fc.assert(
      fc.property(fc.oneof(xmlTree, oddTree), (tree) => {
        const text = canonicalStanza(tree);
        expect(text).not.toMatch(/[\r\n]/);
        const root = parseXml(text, { declaration: true });
        expect(root.is('xmpp', CLIENT)).toBe(true);
        expect(sameXml(root.elements[0]!, withClientNamespace(tree))).toBe(true);
        expect(canonicalStanza(root.elements[0]!)).toBe(text);
      }),
      { numRuns: runs(4_000), seed: 3923 },
    );
  });
});

describe('stanza namespaces', () => {
  it.each(['', 'jabber:server', 'jabber:component:accept', 'jabber:component:connect'])('maps %j', (namespace) => {
    const stanza = element('message', namespace, {}, [
      element('body', namespace),
      element('x', 'u', {}, [element('y', namespace)]),
    ]);
    expect(isStanzaNamespace(namespace)).toBe(true);
    const expected = element('message', CLIENT, {}, [
      element('body', CLIENT),
      element('x', 'u', {}, [element('y', CLIENT)]),
    ]);
    expect(sameXml(withClientNamespace(stanza), expected)).toBe(true);
  });

  it('leaves other namespaces, and trees that need nothing, as they are', () => {
    for (const namespace of [CLIENT, 'urn:x', 'jabber:clients']) {
      const stanza = element('message', namespace, {}, [element('body', 'jabber:server')]);
      expect(withClientNamespace(stanza)).toBe(stanza);
    }
    expect(isStanzaNamespace('urn:x')).toBe(false);
  });
});

describe('equality', () => {
  it('ignores prefixes, the order of attributes and how text is cut', () => {
    const a = parseXml('<p:a xmlns:p="u" x="1" y="2">te<![CDATA[xt]]></p:a>');
    const b = new XmlElement('', 'u', 'a', [...a.attributes].reverse(), ['t', 'ext', '']);
    expect(sameXml(a, b)).toBe(true);
  });

  it.each([
    ['<a/>', '<b/>'],
    ['<a/>', '<a xmlns="u"/>'],
    ['<a x="1"/>', '<a x="2"/>'],
    ['<a x="1"/>', '<a/>'],
    ['<a x="1"/>', '<a y="1"/>'],
    ['<a xmlns:p="u" p:x="1"/>', '<a x="1"/>'],
    ['<a>x</a>', '<a>y</a>'],
    ['<a>x</a>', '<a><x/></a>'],
    ['<a> </a>', '<a/>'],
    ['<a><b/><c/></a>', '<a><c/><b/></a>'],
    ['<a><b/></a>', '<a><b/><b/></a>'],
  ])('tells %s from %s', (a, b) => {
    expect(sameXml(parseXml(a), parseXml(b))).toBe(false);
    expect(sameXml(parseXml(b), parseXml(a))).toBe(false);
  });

  it('agrees with the canonical form', () => {
    fc.assert(
      fc.property(xmlTree, xmlTree, (a, b) => {
        expect(sameXml(a, a)).toBe(true);
        if (canonicalXml(a) === canonicalXml(b)) expect(sameXml(a, b)).toBe(true);
        if (sameXml(a, b)) expect(a.attributes.length).toBe(b.attributes.length);
      }),
      { numRuns: runs(2_000), seed: 3923 },
    );
  });
});
