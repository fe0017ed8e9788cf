import { createRequire } from 'node:module';

import { DOMParser } from '@xmldom/xmldom';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { E2eError } from '../../../src/errors.ts';
import { limitsWith } from '../../../src/limits.ts';
import { sameXml } from '../../../src/xml/canonical.ts';
import { element, XmlElement } from '../../../src/xml/element.ts';
import { buildWith, toElement, type ToElementOptions } from '../../../src/xml/from-host.ts';
import { CLIENT, XML } from '../../../src/xml/namespaces.ts';
import { parseXml } from '../../../src/xml/parse.ts';
import { serializeXml } from '../../../src/xml/serialize.ts';
import { runs } from '../../shared-data.ts';
import { xmlTree } from './arbitrary.ts';

interface LtxElement {
  name: string;
  attrs: Record<string, unknown>;
  children: unknown[];
  parent?: LtxElement | null;
  cnode(child: unknown): unknown;
  toString(): string;
}
const ltx = createRequire(import.meta.url)('ltx') as {
  createElement(name: string, attrs: Record<string, string> | null, ...children: unknown[]): LtxElement;
  parse(text: string): LtxElement;
};

/** A plain object in the shape of ltx. */
function host(name: string, attrs: Record<string, unknown> = {}, ...children: unknown[]): LtxElement {
  return { name, attrs, children, parent: null } as unknown as LtxElement;
}

function codeOf(input: unknown, options?: ToElementOptions): string {
  try {
    toElement(input, options);
    return 'accepted';
  } catch (error) {
    if (error instanceof E2eError) return error.code;
    throw error;
  }
}

describe('what is a stanza', () => {
  it('takes our own elements as they are, and text through the strict reader', () => {
    const own = element('message', CLIENT);
    expect(toElement(own)).toBe(own);
    expect(toElement('<message><body>hi</body></message>').first('body')?.is('body', CLIENT)).toBe(true);
    expect(toElement('<message/>', { defaultNamespace: '' }).namespace).toBe('');
    expect(codeOf('<message><!----></message>')).toBe('ERR_E2E_MALFORMED');
  });

  test.each([
    undefined,
    null,
    1,
    true,
    Symbol('a'),
    () => 1,
    {},
    [],
    { name: 'a' },
    { name: 1, attrs: {}, children: [] },
    { nodeType: 3, data: '' },
  ])('refuses anything else as a wrong argument (%#)', (input) => expect(() => toElement(input)).toThrow(TypeError));

  it('names the stage that the caller gives', () => {
    for (const input of ['<a', host('1'), host('a'.repeat(2), {}, 'x', host('b', {}, '\u0000'))]) {
      expect(() => toElement(input, { stage: 'map' })).toThrow(expect.objectContaining({ stage: 'map' }) as Error);
    }
  });
});

describe('elements of ltx', () => {
  it('are in jabber:client where nothing is declared', () => {
    const message = toElement(ltx.createElement('message', { to: 'a@b' }, ltx.createElement('body', null, 'hi')));
    expect(sameXml(message, element('message', CLIENT, { to: 'a@b' }, [element('body', CLIENT, {}, ['hi'])]))).toBe(
      true,
    );
  });

  it('take their namespaces from their parents, up to the stream', () => {
    const stream = ltx.createElement('stream:stream', {
      xmlns: 'jabber:server',
      'xmlns:stream': 'urn:s',
      'xmlns:p': 'urn:p',
    });
    const message = ltx.createElement(
      'message',
      {},
      ltx.createElement('p:x', { 'p:y': '1' }),
      ltx.createElement('stream:z', {}),
    );
    stream.cnode(message);
    const read = toElement(message);
    expect(read.namespace).toBe('jabber:server');
    expect(read.elements.map(({ namespace }) => namespace)).toEqual(['urn:p', 'urn:s']);
    expect(read.elements[0]!.attribute('y', 'urn:p')).toBe('1');
  });

  it('have no namespace where xmlns is empty, whatever getNS says', () => {
    const read = toElement(ltx.parse("<message xmlns='jabber:client'><q xmlns=''/></message>"));
    expect(read.elements[0]!.namespace).toBe('');
  });

  it('have numbers as text, and nothing for null', () => {
    const message = host('message', { a: 1, b: true, c: null, d: undefined }, 12, null, undefined, 'x', 3n);
    const read = toElement(message);
    expect(read.text).toBe('12x3');
    expect(read.attributes.map(({ name, value }) => [name, value])).toEqual([
      ['a', '1'],
      ['b', 'true'],
    ]);
  });

  it('have xml:lang', () => {
    expect(toElement(host('message', { 'xml:lang': 'en' })).lang).toBe('en');
  });

  test.each<readonly [string, unknown]>([
    ['markup in a name', host('a><b')],
    ['an empty name', host('')],
    ['two colons', host('a:b:c', { 'xmlns:a': 'u' })],
    ['an undeclared prefix', host('p:a')],
    ['an undeclared prefix of an attribute', host('a', { 'p:b': '1' })],
    ['markup in the name of an attribute', host('a', { 'b="" c': '1' })],
    ['two attributes with one expanded name', host('a', { 'xmlns:p': 'u', 'xmlns:q': 'u', 'p:b': '', 'q:b': '' })],
    ['U+0000 in text', host('a', {}, '\u0000')],
    ['a lone surrogate in text', host('a', {}, 'x\uD800')],
    ['U+FFFE in an attribute', host('a', { b: '\uFFFE' })],
    ['U+0001 in a namespace', host('a', { xmlns: '\u0001' })],
    ['xml bound to another namespace', host('a', { 'xmlns:xml': 'u' })],
    ['another prefix for XML', host('a', { 'xmlns:p': XML })],
    ['xmlns as a prefix', host('xmlns:a')],
    ['xmlns declared', host('a', { 'xmlns:xmlns': 'u' })],
    ['a prefix undeclared again', host('a', { 'xmlns:p': '' })],
    ['a declaration with two colons', host('a', { 'xmlns:p:q': 'u' })],
    ['a boolean child', host('a', {}, false)],
    ['a function as a child', host('a', {}, () => 1)],
    ['an array as a child', host('a', {}, ['b'])],
    ['an object as a child', host('a', {}, { toString: () => '<b/>' })],
    ['a child with an object as attribute', host('a', {}, host('b', { c: {} }))],
    ['a DOM element as a child', host('a', {}, new DOMParser().parseFromString('<b/>', 'text/xml').documentElement)],
  ])('are refused with %s', (_, input) => {
    expect(codeOf(input)).toBe('ERR_E2E_MALFORMED');
  });

  it('are refused as cycles, and read twice where one stands in two places', () => {
    const a = host('a');
    a.children.push(host('b', {}, a));
    expect(codeOf(a)).toBe('ERR_E2E_MALFORMED');
    const own = host('a');
    own.children.push(own);
    expect(codeOf(own)).toBe('ERR_E2E_MALFORMED');
    const shared = host('c');
    expect(toElement(host('a', {}, shared, shared)).elements).toHaveLength(2);
    const looped = host('a');
    looped.parent = looped;
    expect(codeOf(looped)).toBe('ERR_E2E_LIMIT');
  });

  it('are held to the limits', () => {
    const limits = limitsWith({ xmlDepth: 3, xmlAttributes: 3, xmlElements: 3 });
    const nested = (n: number): LtxElement => host('a', {}, ...(n > 1 ? [nested(n - 1)] : []));
    const attributes = (n: number): LtxElement =>
      host('a', Object.fromEntries(Array.from({ length: n }, (_, i) => [`a${i}`, ''])));
    const many = (n: number): LtxElement => host('a', {}, ...Array.from({ length: n - 1 }, () => host('b')));
    for (const make of [nested, attributes, many]) {
      expect([2, 3, 4].map((n) => codeOf(make(n), { limits }))).toEqual(['accepted', 'accepted', 'ERR_E2E_LIMIT']);
    }
    let deep = host('a');
    for (let i = 0; i < 100_000; i++) deep = host('a', {}, deep);
    expect(codeOf(deep)).toBe('ERR_E2E_LIMIT');
  });

  it('show each property once', () => {
    const reads = new Map<PropertyKey, number>();
    const watched = new Proxy(host('message', { to: 'a' }, 'text'), {
      get(target, key, receiver) {
        reads.set(key, (reads.get(key) ?? 0) + 1);
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    toElement(watched);
    expect(reads.get('name')).toBe(1);
    expect(reads.get('attrs')).toBe(1);
    expect(reads.get('children')).toBe(1);
  });

  it('keep names of object properties', () => {
    const read = toElement(
      host('__proto__', JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, unknown>),
    );
    expect(read.name).toBe('__proto__');
    expect(read.attribute('__proto__')).toBe('x');
    expect(read.attribute('constructor')).toBe('y');
  });

  it('are the trees that were built with their factory', () => {
    fc.assert(
      fc.property(xmlTree, (tree) => {
        // ltx itself loses attributes of this name.
        if (!serializeXml(tree).includes('__proto__=')) {
          const built = buildWith<LtxElement>(tree, (name, attrs, ...children) =>
            ltx.createElement(name, attrs, ...children),
          );
          expect(sameXml(toElement(built, { defaultNamespace: '' }), tree)).toBe(true);
        }
        const plain = buildWith<LtxElement>(tree, host, { namespace: CLIENT });
        expect(sameXml(toElement(plain), tree)).toBe(true);
      }),
      { numRuns: runs(4_000), seed: 3923 },
    );
  });
});

describe('building', () => {
  it('declares what is needed, in properties of its own', () => {
    const tree = parseXml('<message xmlns="jabber:client"><x xmlns="u" xmlns:p="v" p:y="1" __proto__="z"/></message>');
    const seen: [string, Record<string, string>][] = [];
    buildWith<string>(
      tree,
      (name, attributes) => {
        seen.push([name, attributes]);
        return name;
      },
      { namespace: CLIENT },
    );
    expect(seen.map(([name]) => name)).toEqual(['x', 'message']);
    expect(Object.entries(seen[0]![1])).toEqual([
      ['xmlns', 'u'],
      ['xmlns:p', 'v'],
      ['p:y', '1'],
      ['__proto__', 'z'],
    ]);
    expect(Object.getPrototypeOf(seen[0]![1])).toBe(Object.prototype);
  });

  it('refuses names that are none', () => {
    expect(() => buildWith<number>(element('a b', ''), () => 1)).toThrow(TypeError);
  });
});

/** The parts of a DOM that are read, as strophe.js builds it: no namespaces but attributes named xmlns. */
function node(
  nodeName: string,
  attributes: Record<string, string> = {},
  childNodes: unknown[] = [],
  namespaceURI: string | null = null,
): object {
  const list = Object.entries(attributes).map(([name, value]) => ({ name, value, namespaceURI: null }));
  return { nodeType: 1, nodeName, namespaceURI, attributes: list, childNodes, parentNode: null };
}

describe('DOM elements', () => {
  const parse = (text: string): unknown => new DOMParser().parseFromString(text, 'text/xml').documentElement;

  it('are what the strict reader reads', () => {
    fc.assert(
      fc.property(xmlTree, (tree) => {
        const text = serializeXml(tree);
        // This DOM turns U+0085 and U+2028 into LF, as XML 1.1 has it.
        if (/[\u0085\u2028\uFFFD]/.test(text)) return;
        expect(sameXml(toElement(parse(text), { defaultNamespace: '' }), tree)).toBe(true);
      }),
      { numRuns: runs(2_000), seed: 3923 },
    );
  });

  it('keep CDATA as text', () => {
    expect(toElement(parse('<a>x<![CDATA[<y>]]></a>')).text).toBe('x<y>');
  });

  test.each(['<a><!--c--></a>', '<a><?p i?></a>', '<a>admin<!--c-->@evil</a>'])(
    'are refused with what XMPP forbids: %s',
    (text) => {
      expect(codeOf(parse(text))).toBe('ERR_E2E_MALFORMED');
    },
  );

  it('take their namespaces from above', () => {
    const root = parse(
      "<s:stream xmlns:s='urn:s' xmlns='jabber:server' xmlns:p='urn:p'><message><p:x/></message></s:stream>",
    ) as {
      childNodes: ArrayLike<object>;
    };
    const read = toElement(root.childNodes[0]);
    expect([read.namespace, read.elements[0]!.namespace]).toEqual(['jabber:server', 'urn:p']);
  });

  it('take their namespaces from attributes where they are built without', () => {
    const read = toElement(
      node('message', { to: 'a' }, [
        node('body'),
        node('x', { xmlns: 'u' }, [node('y')]),
        node('z', { 'xml:lang': 'en' }),
      ]),
    );
    expect(read.namespace).toBe(CLIENT);
    expect(read.elements.map(({ namespace }) => namespace)).toEqual([CLIENT, 'u', CLIENT]);
    expect(read.elements[1]!.elements[0]!.namespace).toBe('u');
    expect(read.elements[2]!.lang).toBe('en');
  });

  it('take what is built into them for their own namespace', () => {
    const read = toElement(node('message', {}, [node('body')], 'jabber:server'));
    expect(read.elements[0]!.namespace).toBe('jabber:server');
  });

  test.each<readonly [string, unknown]>([
    ['two namespaces for one element', node('a', { xmlns: 'u' }, [], 'v')],
    ['two namespaces for one prefix', node('p:a', { 'xmlns:p': 'u' }, [], 'v')],
    ['an undeclared prefix', node('p:a')],
    ['the xmlns namespace', node('a', {}, [], 'http://www.w3.org/2000/xmlns/')],
    [
      'an attribute in the xmlns namespace',
      { ...node('a'), attributes: [{ name: 'q:b', value: '', namespaceURI: 'http://www.w3.org/2000/xmlns/' }] },
    ],
    ['a child of no kind', node('a', {}, [{}])],
    ['a comment', node('a', {}, [{ nodeType: 8, data: 'c' }])],
    ['an attribute that is none', node('a', {}, [{ ...node('b'), attributes: [null] }])],
    ['an attribute without a value', node('a', {}, [{ ...node('b'), attributes: [{ name: 'c' }] }])],
    ['no list of attributes', node('a', {}, [{ ...node('b'), attributes: undefined }])],
    ['no list of children', node('a', {}, [{ ...node('b'), childNodes: null }])],
    ['text without data', node('a', {}, [{ nodeType: 3 }])],
  ])('are refused with %s', (_, input) => {
    expect(codeOf(input)).toBe('ERR_E2E_MALFORMED');
  });

  it('may have namespaced attributes that are declared nowhere', () => {
    const read = toElement({ ...node('a'), attributes: [{ name: 'p:b', value: 'x', namespaceURI: 'u' }] });
    expect(read).toBeInstanceOf(XmlElement);
    expect(read.attribute('b', 'u')).toBe('x');
    expect(sameXml(parseXml(serializeXml(read)), read)).toBe(true);
  });
});
