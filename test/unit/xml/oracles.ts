/** Other XML readers, brought to one form of tree. */
import { XmlCData, XmlDocument, XmlElement as LibxmlElement, XmlText } from 'libxml2-wasm';
import { SaxesParser } from 'saxes';

import type { XmlElement } from '../../../src/xml/element.ts';

/** A tree as plain data: `[{namespace}name, sorted [name, value] pairs, children]`. */
export type Plain = readonly [
  name: string,
  attributes: readonly (readonly [string, string])[],
  children: readonly (Plain | string)[],
];

function expanded(namespace: string, name: string): string {
  return `{${namespace}}${name}`;
}

function plain(name: string, attributes: readonly (readonly [string, string])[], children: (Plain | string)[]): Plain {
  const joined: (Plain | string)[] = [];
  for (const child of children) {
    const last = joined.at(-1);
    if (child === '') continue;
    if (typeof child === 'string' && typeof last === 'string') joined[joined.length - 1] = last + child;
    else joined.push(child);
  }
  return [name, [...attributes].sort(([a], [b]) => (a < b ? -1 : 1)), joined];
}

/** Our own tree. */
export function plainOf(element: XmlElement): Plain {
  return plain(
    expanded(element.namespace, element.name),
    element.attributes.map(({ namespace, name, value }) => [expanded(namespace, name), value]),
    element.children.map((child) => (typeof child === 'string' ? child : plainOf(child))),
  );
}

/** saxes, with handlers that refuse what RFC 6120 section 11.1 forbids and saxes allows. */
export function readWithSaxes(text: string): Plain {
  // saxes takes a lone high surrogate, and leaves a byte order mark out.
  if (!text.isWellFormed() || text.startsWith('\uFEFF')) throw new Error('lone surrogate or byte order mark');
  const parser = new SaxesParser({ xmlns: true });
  const refuse = (what: string) => () => {
    throw new Error(what);
  };
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', refuse('doctype'));
  parser.on('comment', refuse('comment'));
  parser.on('processinginstruction', refuse('instruction'));
  parser.on('xmldecl', refuse('declaration'));
  const levels: { name: string; attributes: [string, string][]; children: (Plain | string)[] }[] = [
    { name: '', attributes: [], children: [] },
  ];
  parser.on('opentag', (tag) => {
    const attributes = Object.values(tag.attributes)
      .filter(({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns')
      .map(({ uri, local, value }): [string, string] => [expanded(uri, local), value]);
    levels.push({ name: expanded(tag.uri, tag.local), attributes, children: [] });
  });
  parser.on('text', (data) => void levels.at(-1)!.children.push(data));
  parser.on('cdata', (data) => void levels.at(-1)!.children.push(data));
  parser.on('closetag', () => {
    const { name, attributes, children } = levels.pop()!;
    levels.at(-1)!.children.push(plain(name, attributes, children));
  });
  parser.write(text).close();
  return levels[0]!.children.find((child) => typeof child !== 'string')!;
}

/** libxml2, which reads DTDs, comments and instructions: the caller must not ask it about those. */
export function readWithLibxml(text: string): Plain {
  const document = XmlDocument.fromString(text);
  try {
    return plainOfLibxml(document.root);
  } finally {
    document.dispose();
  }
}

function plainOfLibxml(element: LibxmlElement): Plain {
  const children: (Plain | string)[] = [];
  for (let child = element.firstChild; child !== null; child = child.next) {
    if (child instanceof LibxmlElement) children.push(plainOfLibxml(child));
    else if (child instanceof XmlText || child instanceof XmlCData) children.push(child.content);
    else throw new Error('a node of another kind');
  }
  const attributes = element.attrs.map((a): [string, string] => [expanded(a.namespaceUri, a.name), a.value]);
  return plain(expanded(element.namespaceUri, element.name), attributes, children);
}
