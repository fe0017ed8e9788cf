/** The immutable XML tree: elements with resolved namespaces, attributes and text. No comments, no instructions. */

import { XML } from './namespaces.ts';

/** An attribute; namespace declarations are not attributes here. */
export interface XmlAttribute {
  /** Namespace prefix as written, '' for none. */
  readonly prefix: string;
  /** Namespace name, '' for none. */
  readonly namespace: string;
  /** Local name. */
  readonly name: string;
  readonly value: string;
}

/** An element or a run of text. Adjacent runs of text are always joined. */
export type XmlNode = XmlElement | string;

/** An element. */
export class XmlElement {
  /** Namespace prefix as written, '' for none. */
  readonly prefix: string;
  /** Namespace name, '' for none. */
  readonly namespace: string;
  /** Local name. */
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlNode[];

  /** The arrays are frozen, not copied. Use {@link element} to build trees by hand. */
  constructor(
    prefix: string,
    namespace: string,
    name: string,
    attributes: readonly XmlAttribute[],
    children: readonly XmlNode[],
  ) {
    this.prefix = prefix;
    this.namespace = namespace;
    this.name = name;
    this.attributes = Object.freeze(attributes);
    this.children = Object.freeze(children);
    Object.freeze(this);
  }

  /** Whether this is the element `name` of `namespace`. */
  is(name: string, namespace: string): boolean {
    return this.name === name && this.namespace === namespace;
  }

  /** The value of an attribute, by local name and namespace (none by default). */
  attribute(name: string, namespace = ''): string | undefined {
    for (const attribute of this.attributes) {
      if (attribute.name === name && attribute.namespace === namespace) return attribute.value;
    }
    return undefined;
  }

  /** The element's own `xml:lang`. */
  get lang(): string | undefined {
    return this.attribute('lang', XML);
  }

  /** The child elements, in order. */
  get elements(): readonly XmlElement[] {
    return this.children.filter((child) => typeof child !== 'string');
  }

  /** The child elements with this name, in this element's own namespace unless another is given. */
  all(name: string, namespace: string = this.namespace): readonly XmlElement[] {
    return this.elements.filter((child) => child.is(name, namespace));
  }

  /** The first child element with this name, in this element's own namespace unless another is given. */
  first(name: string, namespace: string = this.namespace): XmlElement | undefined {
    return this.elements.find((child) => child.is(name, namespace));
  }

  /** The character data directly inside this element. */
  get text(): string {
    let text = '';
    for (const child of this.children) if (typeof child === 'string') text += child;
    return text;
  }

  /** This element with other children. */
  withChildren(children: readonly XmlNode[]): XmlElement {
    return new XmlElement(this.prefix, this.namespace, this.name, this.attributes, joinText(children));
  }

  /** This element with an attribute set, or removed where `value` is undefined. */
  withAttribute(name: string, value: string | undefined, namespace = ''): XmlElement {
    const rest = this.attributes.filter((a) => a.name !== name || a.namespace !== namespace);
    const prefix = namespace === XML ? 'xml' : '';
    const attributes = value === undefined ? rest : [...rest, Object.freeze({ prefix, namespace, name, value })];
    return new XmlElement(this.prefix, this.namespace, this.name, attributes, this.children);
  }
}

/**
 * Builds an element without a prefix.
 *
 * @param attributes by name; `xml:lang` is taken for the attribute of the XML namespace; undefined values are left out
 * @param children elements and text; empty text is dropped and neighbouring text is joined
 */
export function element(
  name: string,
  namespace: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  children: readonly XmlNode[] = [],
): XmlElement {
  const list: XmlAttribute[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    const isLang = key === 'xml:lang';
    const attribute = { prefix: isLang ? 'xml' : '', namespace: isLang ? XML : '', name: isLang ? 'lang' : key, value };
    list.push(Object.freeze(attribute));
  }
  return new XmlElement('', namespace, name, list, joinText(children));
}

/** Joins neighbouring text and drops empty text, so that equal trees have equal children. */
export function joinText(children: readonly XmlNode[]): XmlNode[] {
  const joined: XmlNode[] = [];
  for (const child of children) {
    const last = joined.length - 1;
    if (typeof child !== 'string') joined.push(child);
    else if (child === '') continue;
    else if (typeof joined[last] === 'string') joined[last] += child;
    else joined.push(child);
  }
  return joined;
}
