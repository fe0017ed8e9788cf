/** Reads and builds elements of the DOM, by their shape: browsers' own, xmldom's, jsdom's. */

import type { Glance, XmlElement } from '../index.ts';

/** A node, as far as it is used. */
export interface DomNode {
  readonly nodeType: number;
  readonly parentNode?: DomNode | null;
}

/** An element, as far as it is used. */
export interface DomElement extends DomNode {
  readonly nodeName: string;
  readonly localName?: string | null;
  readonly namespaceURI?: string | null;
  readonly childNodes: ArrayLike<DomNode>;
  readonly ownerDocument: DomDocument | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  setAttributeNS(namespace: string | null, name: string, value: string): void;
  appendChild(node: never): unknown;
  cloneNode(deep?: boolean): unknown;
}

/** A document, as far as it is used. */
export interface DomDocument {
  createElementNS(namespace: string | null, name: string): unknown;
  createTextNode(text: string): unknown;
}

const elementNode = 1;

/** Whether a node is an element. */
export function isDomElement(node: DomNode): node is DomElement {
  return node.nodeType === elementNode;
}

/** The outside of a stanza. */
export function glanceDom(element: DomElement): Glance {
  const inherited = namespaceOf(element, 'jabber:client');
  const get = (name: string): string | undefined => element.getAttribute(name) ?? undefined;
  return {
    name: localName(element),
    from: get('from'),
    to: get('to'),
    type: get('type'),
    id: get('id'),
    children: Array.from(element.childNodes)
      .filter(isDomElement)
      .map((child) => ({ name: localName(child), namespace: namespaceOf(child, inherited) })),
  };
}

function localName(element: DomElement): string {
  return element.localName ?? element.nodeName;
}

/** Elements made with `createElement` and an attribute `xmlns` have no namespace of their own. */
function namespaceOf(element: DomElement, inherited: string): string {
  if (element.namespaceURI !== null && element.namespaceURI !== undefined && element.namespaceURI !== '') {
    return element.namespaceURI;
  }
  return element.getAttribute('xmlns') ?? inherited;
}

/**
 * Builds an element of the same document. Default namespaces are written as attributes too, since Strophe looks for
 * them there. The tree is as deep as the XML reader allows, so that recursion is bounded.
 */
export function buildDom(element: XmlElement, document: DomDocument, parentNamespace = ''): DomElement {
  const { name, namespace } = element;
  const built = document.createElementNS(namespace === '' ? null : namespace, name) as DomElement;
  if (namespace !== parentNamespace) built.setAttribute('xmlns', namespace);
  let n = 0;
  for (const attribute of element.attributes) {
    if (attribute.namespace === '') {
      built.setAttribute(attribute.name, attribute.value);
      continue;
    }
    const isLang = attribute.namespace === xml;
    const prefix = isLang ? 'xml' : `ns${++n}`;
    if (!isLang) built.setAttributeNS(xmlns, `xmlns:${prefix}`, attribute.namespace);
    built.setAttributeNS(attribute.namespace, `${prefix}:${attribute.name}`, attribute.value);
  }
  for (const child of element.children) {
    const node = typeof child === 'string' ? document.createTextNode(child) : buildDom(child, document, namespace);
    built.appendChild(node as never);
  }
  return built;
}

const xml = 'http://www.w3.org/XML/1998/namespace';
const xmlns = 'http://www.w3.org/2000/xmlns/';
