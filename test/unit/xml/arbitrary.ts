/** Random trees and random near-XML for property tests. */
import fc from 'fast-check';

import { XmlElement, joinText, type XmlAttribute, type XmlNode } from '../../../src/xml/element.ts';
import { XML } from '../../../src/xml/namespaces.ts';
import { isXmlText } from '../../../src/xml/characters.ts';

const name = fc.constantFrom(
  'a',
  'b',
  'message',
  'body',
  'x-1',
  '_',
  'é',
  '\u{10000}z',
  '__proto__',
  'constructor',
  'xmlnsx',
);
/** Namespace names that libxml2 and saxes take as they are: URIs, without the `&` that libxml2 does not escape. */
const uris = ['', 'jabber:client', 'urn:x', 'urn:y', 'http://a.example/?b=c', 'urn:z%20'];
/** Namespace names that are no URIs: RFC 6120 does not forbid them, and a writer must not trip over them. */
const oddNamespaces = ['', 'jabber:client', 'u&"<\'>\n\t\r', '\u{1F600}', '\uFF21', ' u '];
const prefix = fc.constantFrom('', '', 'p', 'q', 'ns1', 'ns2');

/** Text of everything XML can hold, rich in what has to be escaped. */
const xmlText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r',
        '\n',
        '\r\n',
        '\t',
        ' ',
        ']]>',
        '<',
        '>',
        '&',
        '"',
        "'",
        '&amp;',
        ']]',
        '\u0085',
        '\u2028',
        '\uFEFF',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }).filter(isXmlText),
      fc.string({ unit: 'grapheme', maxLength: 4 }).filter(isXmlText),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join(''));

const language: fc.Arbitrary<XmlAttribute> = fc.constantFrom('en', '').map((value) => ({
  prefix: 'xml',
  namespace: XML,
  name: 'lang',
  value,
}));

function unique(attributes: readonly XmlAttribute[]): XmlAttribute[] {
  return [...new Map(attributes.map((a) => [`${a.name} ${a.namespace}`, a])).values()];
}

function trees(namespaces: readonly string[]): fc.Arbitrary<XmlElement> {
  const namespace = fc.constantFrom(...namespaces);
  const attribute: fc.Arbitrary<XmlAttribute> = fc.record({
    prefix,
    namespace: fc.oneof(namespace, fc.constant('')),
    name,
    value: xmlText,
  });
  const attributes = fc.array(fc.oneof({ weight: 5, arbitrary: attribute }, { weight: 1, arbitrary: language }), {
    maxLength: 4,
  });
  return fc.letrec<{ tree: XmlElement; node: XmlNode }>((tie) => ({
    node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, xmlText, tie('tree')),
    tree: fc
      .tuple(prefix, namespace, name, attributes, fc.array(tie('node'), { maxLength: 4 }))
      .map(([p, n, local, list, children]) => new XmlElement(p, n, local, unique(list), joinText(children))),
  })).tree;
}

/** Trees with clashing prefixes, undeclared and declared namespaces, and every kind of text. */
export const xmlTree: fc.Arbitrary<XmlElement> = trees(uris);
/** {@link xmlTree} with namespace names that are no URIs. */
export const oddTree: fc.Arbitrary<XmlElement> = trees(oddNamespaces);

/** Token soup: mostly ill-formed, often nearly well-formed. */
export const nearXml: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      '<a>',
      '</a>',
      '<a',
      '<b/>',
      '<p:a',
      '</p:a>',
      ' xmlns="u"',
      " xmlns:p='u'",
      ' xmlns:p=""',
      ' xmlns:xml="u"',
      ' x="1"',
      " x='2'",
      ' p:x="3"',
      ' xml:lang="en"',
      '>',
      '/>',
      ' ',
      '\n',
      '\r\n',
      '\r',
      '\t',
      'text',
      '&amp;',
      '&#65;',
      '&#x0;',
      '&#13;',
      '&lt',
      '&nbsp;',
      '<![CDATA[',
      ']]>',
      ']]',
      ']',
      '\u0000',
      '\u0001',
      '\uFFFE',
      '\u0085',
      '\u00E9',
      '\u{1F600}',
      '\uD800',
      '<',
      '&',
      '"',
      "'",
      '=',
      ':',
      '<!DOCTYPE a>',
      '<?pi?>',
      '<!--c-->',
      '<?xml version="1.0"?>',
      '\uFEFF',
      '%',
      '-',
      '1',
      '<__proto__/>',
    ),
    { maxLength: 12 },
  )
  .map((tokens) => tokens.join(''));

/** The same soup inside an element, so that more of it is well-formed. */
export const nearElement: fc.Arbitrary<string> = fc
  .tuple(nearXml, nearXml)
  .map(([attributes, content]) => `<a${attributes.replace(/[<>]/g, ' ')}>${content}</a>`);
