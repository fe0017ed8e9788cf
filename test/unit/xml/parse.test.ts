import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { E2eError } from '../../../src/errors.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import type { XmlElement } from '../../../src/xml/element.ts';
import { CLIENT, XML } from '../../../src/xml/namespaces.ts';
import { parseXml, parseXmlBytes, type ParseXmlOptions } from '../../../src/xml/parse.ts';
import { runs } from '../../shared-data.ts';
import { nearElement, nearXml } from './arbitrary.ts';
import { plainOf, readWithLibxml, readWithSaxes } from './oracles.ts';

function codeOf(text: string | Uint8Array, options?: ParseXmlOptions): string {
  try {
    if (typeof text === 'string') parseXml(text, options);
    else parseXmlBytes(text, options);
    return 'accepted';
  } catch (error) {
    if (error instanceof E2eError) return error.code;
    throw error;
  }
}

// RFC 6120 section 11.1, XML 1.0 and Namespaces in XML 1.0: what is not well-formed or not allowed.
const refused: readonly (readonly [what: string, text: string])[] = [
  ['undeclared prefix of an element', '<p:a/>'],
  ['undeclared prefix of an attribute', "<a p:z='1'/>"],
  ['prefix declared in a sibling only', "<a><b xmlns:p='u'/><p:c/></a>"],
  ['prefix undeclared again (Namespaces 1.1)', "<a xmlns:p='u'><b xmlns:p=''/></a>"],
  ['xml bound to another namespace', "<a xmlns:xml='u'/>"],
  ['another prefix bound to the XML namespace', `<a xmlns:x='${XML}'/>`],
  ['the XML namespace as default', `<a xmlns='${XML}'/>`],
  ['xmlns declared', "<a xmlns:xmlns='u'/>"],
  ['a prefix bound to the xmlns namespace', "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>"],
  ['the xmlns namespace as default', "<a xmlns='http://www.w3.org/2000/xmlns/'/>"],
  ['element in xmlns', '<xmlns:a/>'],
  ['two attributes with one name', "<a z='1' z='2'/>"],
  ['two declarations of one prefix', "<a xmlns:p='u' xmlns:p='v'/>"],
  ['two default declarations', "<a xmlns='u' xmlns='v'/>"],
  ['two attributes with one expanded name', "<a xmlns:p='u' xmlns:q='u' p:z='1' q:z='2'/>"],
  ['name with two colons', "<a:b:c xmlns:a='u'/>"],
  ['name that starts with a colon', '<:a/>'],
  ['name that ends with a colon', "<p: xmlns:p='u'/>"],
  ['local name that starts with a digit', "<p:1 xmlns:p='u'/>"],
  ['name that starts with a digit', '<1a/>'],
  ['name that starts with a hyphen', '<-a/>'],
  ['name that starts with a combining mark', '<\u0301a/>'],
  ['empty DTD', '<!DOCTYPE a><a/>'],
  ['DTD with an internal entity', '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
  ['DTD with an external entity', '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'],
  ['DTD inside the root', '<a><!DOCTYPE a></a>'],
  ['processing instruction', '<a><?foo bar?></a>'],
  ['processing instruction before the root', '<?foo?><a/>'],
  ['XML declaration where none is allowed', "<?xml version='1.0'?><a/>"],
  ['comment', '<a>x<!-- c -->y</a>'],
  ['comment before the root', '<!-- c --><a/>'],
  ['comment that splits an address', '<a>admin<!---->@evil.example</a>'],
  ['entity beyond the five', '<a>&nbsp;</a>'],
  ['entity of another case', '<a>&LT;</a>'],
  ['entity named like an object property', '<a>&constructor;</a>'],
  ['bare ampersand', '<a>a & b</a>'],
  ['reference without its end', '<a>a &lt b</a>'],
  ['empty reference', '<a>&;</a>'],
  ['empty number', '<a>&#;</a>'],
  ['empty hexadecimal number', '<a>&#x;</a>'],
  ['hexadecimal digits in a decimal number', '<a>&#4A;</a>'],
  ['upper-case X', '<a>&#X41;</a>'],
  ['signed number', '<a>&#+65;</a>'],
  ['reference to U+0000', '<a>&#0;</a>'],
  ['reference to U+0001', '<a>&#x1;</a>'],
  ['reference to a surrogate', '<a>&#xD800;</a>'],
  ['references to a surrogate pair', '<a>&#xD83D;&#xDE00;</a>'],
  ['reference to U+FFFE', '<a>&#xFFFE;</a>'],
  ['reference beyond U+10FFFF', '<a>&#x110000;</a>'],
  ['reference beyond 32 bits, which would wrap to A', '<a>&#4294967361;</a>'],
  ['bare ampersand in an attribute', "<a z='a & b'/>"],
  ['U+0001', '<a>\u0001</a>'],
  ['U+0000', '<a>x\u0000y</a>'],
  ['U+000B', '<a>\u000B</a>'],
  ['U+FFFE', '<a>\uFFFE</a>'],
  ['U+FFFF in an attribute', "<a z='\uFFFF'/>"],
  ['lone high surrogate', '<a>x\uD800y</a>'],
  ['lone low surrogate', '<a>x\uDC00y</a>'],
  ['lone surrogate in a name', '<a\uD800/>'],
  [']]> in text', '<a>x]]>y</a>'],
  [']]> after a CDATA section', '<a><![CDATA[x]]>]]></a>'],
  ['CDATA section without its end', '<a><![CDATA[x]]</a>'],
  ['CDATA in lower case', '<a><![cdata[x]]></a>'],
  ['CDATA outside the root', '<a/><![CDATA[ ]]>'],
  ['< in an attribute', "<a z='<'/>"],
  ['attribute without quotes', '<a z=1/>'],
  ['attribute with two kinds of quotes', '<a z=\'1"/>'],
  ['attributes without space between', "<a y='1'z='2'/>"],
  ['attribute without value', '<a z/>'],
  ['attribute without equals sign', "<a z '1'/>"],
  ['attribute value without its end', "<a z='1/>"],
  ['mismatched tags', '<a><b></a></b>'],
  ['end tag that only starts like the start tag', '<a></ab>'],
  ['end tag with another prefix of the same namespace', "<p:a xmlns:p='u' xmlns:q='u'></q:a>"],
  ['end tag in another case', '<a></A>'],
  ['element without end', '<a><b></b>'],
  ['text without end', '<a>x'],
  ['tag without end', '<a'],
  ['end tag without its end', '<a></a'],
  ['end tag without start', '<a/></b>'],
  ['end tag alone', '</a>'],
  ['two roots', '<a/><b/>'],
  ['text after the root', '<a/>junk'],
  ['text before the root', 'junk<a/>'],
  ['reference after the root', '<a/>&#32;'],
  ['byte order mark', '\uFEFF<a/>'],
  ['no-break space after the root', '<a/>\u00A0'],
  ['nothing', ''],
  ['white space only', ' \n'],
  ['space before the name', '< a/>'],
  ['space in the end of an empty tag', '<a / >'],
  ['end tag with attributes', "<a></a z='1'>"],
  ['space before the name of an end tag', '<a></ a>'],
  ['lone <', '<a><</a>'],
];

const text = (element: XmlElement): string => element.text;
const inner = (element: XmlElement): XmlElement => element.elements[0]!;

const accepted: readonly (readonly [
  what: string,
  text: string,
  read: (root: XmlElement) => unknown,
  expected: unknown,
])[] = [
  ['default namespace', "<a xmlns='u'><b/></a>", (a) => inner(a).namespace, 'u'],
  ['default namespace undeclared', "<a xmlns='u'><b xmlns=''/></a>", (a) => inner(a).namespace, ''],
  ['default namespace back after a child', "<a xmlns='u'><b xmlns='v'/><c/></a>", (a) => a.elements[1]!.namespace, 'u'],
  ['attributes have no default namespace', "<a xmlns='u' z='1'/>", (a) => a.attribute('z'), '1'],
  ['prefix', "<p:a xmlns:p='u' p:z='1'/>", (a) => [a.namespace, a.prefix, a.attribute('z', 'u')], ['u', 'p', '1']],
  ['prefix declared after its use', "<p:a p:z='1' xmlns:p='u'/>", (a) => a.attribute('z', 'u'), '1'],
  ['prefix bound anew', "<p:a xmlns:p='u'><p:b xmlns:p='v'/></p:a>", (a) => inner(a).namespace, 'v'],
  ['xml:lang', "<a xml:lang='en'/>", (a) => a.lang, 'en'],
  ['xml declared as itself', `<a xmlns:xml='${XML}' xml:lang='en'/>`, (a) => a.lang, 'en'],
  ['one name with and without prefix', "<a xmlns:p='u' z='1' p:z='2'/>", (a) => a.attributes.length, 2],
  ['references', '<a>&#65;&#x1F600;&#x1f600;&lt;&gt;&amp;&quot;&apos;</a>', text, 'A\u{1F600}\u{1F600}<>&"\''],
  ['reference with leading zeros', '<a>&#00000000000000000065;</a>', text, 'A'],
  ['reference expanded once', '<a>&amp;lt;</a>', text, '&lt;'],
  ['line ends in text', '<a>x\r\ny\rz\n\r</a>', text, 'x\ny\nz\n\n'],
  ['line ends in CDATA', '<a><![CDATA[x\r\ny\r]]></a>', text, 'x\ny\n'],
  ['references to CR stay', '<a>x&#13;\ny&#xD;&#xA;</a>', text, 'x\r\ny\r\n'],
  ['white space in an attribute', "<a z='x\ty\nz\r\nw\r'/>", (a) => a.attribute('z'), 'x y z w '],
  ['references to white space in an attribute', "<a z='x&#9;y&#10;z&#13;'/>", (a) => a.attribute('z'), 'x\ty\nz\r'],
  ['> in text and attribute', "<a z='>'>></a>", (a) => [a.text, a.attribute('z')], ['>', '>']],
  ['quotes of the other kind', `<a y='"' z="'"/>`, (a) => [a.attribute('y'), a.attribute('z')], ['"', "'"]],
  ['white space between elements', '<a> <b/>\n </a>', (a) => [a.children[0], a.children[2]], [' ', '\n ']],
  ['white space in tags', "<a\n z = '1'\t><b /></a\r\n>", (a) => a.attribute('z'), '1'],
  ['white space around the root', ' \n<a/>\r\n\t', (a) => a.name, 'a'],
  ['CDATA with markup', '<a><![CDATA[<b>&amp;]]></a>', text, '<b>&amp;'],
  ['CDATA split at ]]>', '<a><![CDATA[x]]]]><![CDATA[>y]]></a>', text, 'x]]>y'],
  ['CDATA that ends in brackets', '<a><![CDATA[x]]]]></a>', text, 'x]]'],
  ['empty CDATA', '<a>x<![CDATA[]]>y</a>', (a) => a.children, ['xy']],
  ['brackets in text', '<a>]] ]></a>', text, ']] ]>'],
  ['U+0085, U+2028, U+007F, U+FEFF inside', '<a>\u0085\u2028\u007F\uFEFF</a>', text, '\u0085\u2028\u007F\uFEFF'],
  ['NFD text stays', '<a>e\u0301</a>', text, 'e\u0301'],
  ['numbers stay text', '<a>007.50</a>', text, '007.50'],
  ['names beyond ASCII', '<\u{10000}\u00B7 é-.1=""/>', (a) => [a.name, a.attribute('é-.1')], ['\u{10000}\u00B7', '']],
  ['empty element in two forms', '<a><b/><b></b></a>', (a) => a.elements.map((b) => b.children.length), [0, 0]],
  ['prefixes as written', "<p:a xmlns:p='u' xmlns:q='u'><q:b/></p:a>", (a) => inner(a).prefix, 'q'],
];

describe('the restricted XML of RFC 6120 section 11.1', () => {
  test.each(refused)('refuses: %s', (_, document) => {
    expect(codeOf(document)).toBe('ERR_E2E_MALFORMED');
    expect(codeOf(new TextEncoder().encode(document.toWellFormed()), {})).toBe(
      document.isWellFormed() ? 'ERR_E2E_MALFORMED' : codeOf(document.toWellFormed()),
    );
  });

  test.each(accepted)('reads: %s', (_, document, read, expected) => {
    expect(read(parseXml(document))).toEqual(expected);
    expect(read(parseXmlBytes(new TextEncoder().encode(document)))).toEqual(expected);
  });

  it('names the stage that the caller gives, and neither content nor position', () => {
    let caught: unknown;
    try {
      parseXml('<a>secret&nbsp;</a>', { stage: 'unwrap' });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(E2eError);
    const { stage, message, reason } = caught as E2eError;
    expect(stage).toBe('unwrap');
    expect(message + String(reason)).not.toMatch(/secret|nbsp/);
  });

  it('gives names without a prefix the namespace asked for', () => {
    const message = parseXml("<message><body/><x xmlns='u'/></message>", { defaultNamespace: CLIENT });
    expect(message.namespace).toBe(CLIENT);
    expect(message.elements.map(({ namespace }) => namespace)).toEqual([CLIENT, 'u']);
    expect(parseXml('<message/>').namespace).toBe('');
  });

  it('returns frozen trees', () => {
    const a = parseXml("<a z='1'><b/></a>");
    expect([a, a.attributes, a.attributes[0], a.children, a.children[0]].every(Object.isFrozen)).toBe(true);
  });
});

describe('UTF-8 (RFC 6120 section 11.6)', () => {
  const around = (...octets: number[]): Uint8Array =>
    Uint8Array.of(0x3c, 0x61, 0x3e, ...octets, 0x3c, 0x2f, 0x61, 0x3e);
  test.each([
    ['overlong slash', around(0xc0, 0xaf)],
    ['overlong U+0000', around(0xc0, 0x80)],
    ['surrogate', around(0xed, 0xa0, 0x80)],
    ['beyond U+10FFFF', around(0xf4, 0x90, 0x80, 0x80)],
    ['cut sequence', around(0xe2, 0x82)],
    ['Latin-1', around(0xe9)],
    ['byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf, 0x3c, 0x61, 0x2f, 0x3e)],
    ['UTF-16', Uint8Array.of(0xfe, 0xff, 0, 0x3c, 0, 0x61, 0, 0x2f, 0, 0x3e)],
    ['UTF-16 without mark', Uint8Array.of(0x3c, 0, 0x61, 0, 0x2f, 0, 0x3e, 0)],
  ])('refuses: %s', (_, bytes) => {
    expect(codeOf(bytes)).toBe('ERR_E2E_MALFORMED');
  });
});

describe('the XML declaration', () => {
  test.each([
    `<?xml version="1.0"?><a/>`,
    `<?xml version='1.0' encoding='UTF-8'?><a/>`,
    `<?xml version="1.0" encoding="utf-8" standalone='yes' ?>\n<a/>`,
  ])('is read where it is allowed: %s', (document) => {
    expect(parseXml(document, { declaration: true }).name).toBe('a');
    expect(codeOf(document)).toBe('ERR_E2E_MALFORMED');
  });

  test.each([
    `<?xml version="1.1"?><a/>`,
    `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`,
    `<?xml version="1.0" encoding="UTF-16"?><a/>`,
    `<?xml version="1.0" encoding="utf-7"?><a/>`,
    `<?xml encoding="UTF-8"?><a/>`,
    `<?xml version="1.0" standalone="yes" encoding="UTF-8"?><a/>`,
    `<?xml version="1.0" standalone="maybe"?><a/>`,
    `<?xml VERSION="1.0"?><a/>`,
    `<?XML version="1.0"?><a/>`,
    `<?xml version="1.0"><a/>`,
    ` <?xml version="1.0"?><a/>`,
    `<?xml version="1.0"?><?xml version="1.0"?><a/>`,
    `<a><?xml version="1.0"?></a>`,
    `<?xml version="1.0"${' '.repeat(300)}?><a/>`,
    `<?xmlfoo version="1.0"?><a/>`,
  ])('is refused in any other form or place: %s', (document) => {
    expect(codeOf(document, { declaration: true })).toBe('ERR_E2E_MALFORMED');
  });
});

describe('comments where the caller skips them', () => {
  const read = (document: string): XmlElement => parseXml(document, { comments: 'skip' });

  it('are left out between elements and beside white space', () => {
    expect(read('<!--x--><a><!--x--> <b/><!-- - --></a><!--x-->').children).toEqual([' ', read('<b/>')]);
    expect(read('<a><!--x-->text</a>').text).toBe('text');
    expect(read('<a>text<!--x--> \n</a>').text).toBe('text \n');
    expect(read('<a>text<!--x--><b/>more</a>').text).toBe('textmore');
  });

  // A reader that drops the rest, or the first half, would see another address.
  test.each(['<a>admin<!---->@evil</a>', '<a>admin<!--x--><!--y-->@evil</a>', '<a>x<!--y--><![CDATA[z]]></a>'])(
    'are refused inside a text: %s',
    (document) => expect(codeOf(document, { comments: 'skip' })).toBe('ERR_E2E_MALFORMED'),
  );

  test.each([
    '<a><!-- -- --></a>',
    '<a><!-- ---></a>',
    '<a><!--></a>',
    '<a><!-></a>',
    '<a><!--x</a>',
    '<!--x',
    '<a/><!DOCTYPE a>',
    '<a><?x?></a>',
  ])('open no door to anything else: %s', (document) =>
    expect(codeOf(document, { comments: 'skip' })).toBe('ERR_E2E_MALFORMED'),
  );
});

describe('limits', () => {
  it('counts depth, attributes and elements at n - 1, n and n + 1', () => {
    const limits = limitsWith({ xmlDepth: 3, xmlAttributes: 3, xmlElements: 3 });
    const nested = (n: number): string => '<a>'.repeat(n) + '</a>'.repeat(n);
    const attributes = (n: number): string =>
      `<a xmlns:p='u'${Array.from({ length: n - 1 }, (_, i) => ` a${i}=''`).join('')}/>`;
    const many = (n: number): string => `<a>${'<b/>'.repeat(n - 1)}</a>`;
    for (const make of [nested, attributes, many]) {
      expect([2, 3, 4].map((n) => codeOf(make(n), { limits }))).toEqual(['accepted', 'accepted', 'ERR_E2E_LIMIT']);
    }
    expect(codeOf(nested(64))).toBe('accepted');
    expect(codeOf(nested(65))).toBe('ERR_E2E_LIMIT');
    expect(codeOf(attributes(128))).toBe('accepted');
    expect(codeOf(attributes(129))).toBe('ERR_E2E_LIMIT');
    expect(codeOf(many(10_000))).toBe('accepted');
    expect(codeOf(many(10_001))).toBe('ERR_E2E_LIMIT');
  });

  it('counts the document in octets of UTF-8', () => {
    for (const filler of ['x', 'é', '\u20AC', '\u{1F600}']) {
      const octets = new TextEncoder().encode(filler).length;
      const document = (n: number): string => `<a>${filler.repeat(n)}</a>`;
      const size = (n: number): number => 7 + n * octets;
      for (const n of [1, 10, 100]) {
        expect(codeOf(document(n), { maxBytes: size(n) })).toBe('accepted');
        expect(codeOf(document(n), { maxBytes: size(n) - 1 })).toBe('ERR_E2E_LIMIT');
        expect(codeOf(new TextEncoder().encode(document(n)), { maxBytes: size(n) - 1 })).toBe('ERR_E2E_LIMIT');
      }
    }
    expect(codeOf(`<a>${'x'.repeat(defaultLimits.stanzaBytes - 7)}</a>`)).toBe('accepted');
    expect(codeOf(`<a>${'x'.repeat(defaultLimits.stanzaBytes - 6)}</a>`)).toBe('ERR_E2E_LIMIT');
  });
});

describe('other readers', () => {
  const attempt = (read: () => unknown): unknown => {
    try {
      return read();
    } catch (error) {
      // Ours may throw nothing else.
      if (!(error instanceof Error)) throw error;
      return undefined;
    }
  };
  const ours = (document: string): unknown => {
    try {
      return plainOf(parseXml(document));
    } catch (error) {
      if (error instanceof E2eError) return undefined;
      throw error;
    }
  };

  it('agree with saxes on verdict and tree', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(nearXml, nearElement), (document) => {
        const tree = ours(document);
        if (tree !== undefined) read++;
        expect(tree).toEqual(attempt(() => readWithSaxes(document)));
      }),
      { numRuns: runs(100_000), seed: 3923 },
    );
    expect(read).toBeGreaterThan(runs(100_000) / 100);
  });

  it('agree with libxml2 on verdict and tree', () => {
    // What libxml2 reads and XMPP forbids: document types, instructions, comments, declarations, a byte order mark
    // (which its binding also loses at the start of a text).
    const forbidden = /<!(?!\[CDATA\[)|<\?|\uFEFF/;
    let compared = 0;
    fc.assert(
      fc.property(fc.oneof(nearXml, nearElement), (document) => {
        if (forbidden.test(document) || !document.isWellFormed() || document.includes('\0')) return;
        compared++;
        expect(ours(document)).toEqual(attempt(() => readWithLibxml(document)));
      }),
      { numRuns: runs(50_000), seed: 3923 },
    );
    expect(compared).toBeGreaterThan(runs(50_000) / 5);
  });

  it('throws nothing but its own error for any string', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((u) => String.fromCharCode(u)) }),
        (noise) => {
          codeOf(noise);
          codeOf(`<a ${noise}>`, { comments: 'skip', declaration: true });
          codeOf(`<a>${noise}</a>`, { comments: 'skip' });
        },
      ),
      { numRuns: runs(20_000), seed: 3923 },
    );
  });
});
