/**
 * Trees of other libraries, converted to our own tree before anything else looks at them: text, elements in the form
 * of ltx (xmpp.js), and DOM elements (strophe.js, browsers). They are told apart by their shape: two copies of one
 * library have two classes.
 *
 * Each property is read once, so that a getter cannot show one thing to the check and another to the signature.
 */

import { E2eError, type E2eStage } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { endOfNcName, isXmlText } from './characters.ts';
import { joinText, XmlElement, type XmlAttribute, type XmlNode } from './element.ts';
import { ancestorsOf, readDom, readLtx, type HostElement, type HostShape } from './host-shapes.ts';
import { rememberLegal } from './legal-text.ts';
import { CLIENT, XMLNS } from './namespaces.ts';
import { parseXml } from './parse.ts';
import { declarationName, qualify, type StartTag } from './qualify.ts';
import { isBindable, Scope, type Shadowed } from './scope.ts';
import { walk } from './walk.ts';

/** How a host's tree is read. */
export interface ToElementOptions {
  readonly limits?: Limits;
  /** What names without a prefix mean outside any declaration: the stream's namespace, `jabber:client` by default. */
  readonly defaultNamespace?: string;
  /** The stage that errors name; `parse` by default. */
  readonly stage?: E2eStage;
}

/** An element whose children are being converted. */
interface OpenElement {
  readonly host: HostElement;
  readonly prefix: string;
  readonly namespace: string;
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlNode[];
  readonly shadowed: readonly Shadowed[];
  next: number;
}

/**
 * Converts a host's tree.
 *
 * @param input our own element (returned as it is), a text, an ltx-like object (`name`, `attrs`, `children`, `parent`)
 * or a DOM element
 * @throws {E2eError} MALFORMED for what XML or RFC 6120 section 11.1 does not allow (names, characters, comments,
 * cycles, undeclared prefixes); LIMIT
 * @throws {TypeError} for anything that is no element at all
 */
export function toElement(input: unknown, options: ToElementOptions = {}): XmlElement {
  if (input instanceof XmlElement) return input;
  const { limits = defaultLimits, defaultNamespace = CLIENT, stage = 'parse' } = options;
  if (typeof input === 'string') return parseXml(input, { limits, defaultNamespace, stage });
  if (typeof input !== 'object' || input === null) throw new TypeError('a stanza is an element or a string');
  return new Converter(limits, defaultNamespace, stage).convert(input);
}

/**
 * Builds a host's tree with the host's own factory.
 *
 * @param create makes one element: `name` with its prefix, attributes with the namespace declarations among them
 * @param options.namespace the default namespace in scope where the tree goes; none by default
 * @throws {TypeError} as {@link qualify}
 */
export function buildWith<T>(
  element: XmlElement,
  create: (name: string, attributes: Record<string, string>, ...children: (T | string)[]) => T,
  options: { readonly namespace?: string } = {},
): T {
  const scope = new Scope(options.namespace ?? '');
  const tags: StartTag[] = [];
  const levels: (T | string)[][] = [[]];
  walk(element, {
    start(current) {
      tags.push(qualify(current, scope));
      levels.push([]);
    },
    text: (text) => levels.at(-1)!.push(text),
    end() {
      const tag = tags.pop()!;
      scope.leave(tag.shadowed);
      const children = levels.pop()!;
      levels.at(-1)!.push(create(tag.name, recordOf(tag), ...children));
    },
  });
  return levels[0]![0] as T;
}

/** `fromEntries` defines properties, so that an attribute named `__proto__` is one. */
function recordOf(tag: StartTag): Record<string, string> {
  return Object.fromEntries([
    ...tag.declarations.map(([prefix, namespace]) => [declarationName(prefix), namespace] as const),
    ...tag.attributes.map(([name, { value }]) => [name, value] as const),
  ]);
}

class Converter {
  readonly #limits: Limits;
  readonly #stage: E2eStage;
  readonly #scope: Scope;
  readonly #open: OpenElement[] = [];
  /** The objects from the root to the element in hand: one that comes again inside itself is a cycle. */
  readonly #path = new Set<object>();
  #elements = 0;

  constructor(limits: Limits, defaultNamespace: string, stage: E2eStage) {
    this.#limits = limits;
    this.#stage = stage;
    this.#scope = new Scope(defaultNamespace);
  }

  convert(input: object): XmlElement {
    const host = readLtx(input) ?? readDom(input);
    if (host === undefined || typeof host === 'string') throw new TypeError('a stanza is an element or a string');
    this.#inherit(host);
    this.#enter(host);
    for (;;) {
      const current = this.#open.at(-1)!;
      if (current.next < current.host.children.length) {
        this.#take(current, current.host.children[current.next++]);
        continue;
      }
      const element = this.#leave(current);
      const parent = this.#open.at(-1);
      if (parent === undefined) return element;
      parent.children.push(element);
    }
  }

  /** The declarations above the root: a received stanza has its namespace from the stream. */
  #inherit(host: HostElement): void {
    const ancestors = ancestorsOf(host, this.#limits.xmlDepth + 1);
    if (ancestors.length > this.#limits.xmlDepth) throw this.#limit('XML depth');
    for (const ancestor of ancestors) {
      this.#declare(ancestor.attributes);
      if (ancestor.namespace !== undefined && !ancestor.name.includes(':')) this.#scope.declare('', ancestor.namespace);
    }
  }

  #take(current: OpenElement, child: unknown): void {
    if (child === null || child === undefined) return;
    if (typeof child === 'string' || typeof child === 'number' || typeof child === 'bigint') {
      current.children.push(this.#text(String(child)));
      return;
    }
    // Some hosts leave out `false`, others write it.
    if (typeof child !== 'object') throw this.#malformed('a child that is neither element nor text');
    const host = current.host.kind === 'ltx' ? readLtx(child) : readDom(child);
    if (host === undefined) throw this.#malformed('a comment, an instruction or another child that is no element');
    if (typeof host === 'string') current.children.push(this.#text(host));
    else this.#enter(host);
  }

  #enter(host: HostElement): void {
    if (this.#path.has(host.source)) throw this.#malformed('a cycle');
    if (this.#open.length >= this.#limits.xmlDepth) throw this.#limit('XML depth');
    if (++this.#elements > this.#limits.xmlElements) throw this.#limit('XML elements');
    if (host.attributes.length > this.#limits.xmlAttributes) throw this.#limit('XML attributes');
    const declared = this.#declare(host.attributes);
    const [prefix, name] = this.#split(host.name);
    const resolved = this.#scope.get(prefix);
    const namespace = host.namespace ?? resolved;
    if (namespace === undefined || prefix === 'xmlns') throw this.#malformed('a prefix without a declaration');
    const inherited: Shadowed[] = [];
    if (namespace !== resolved) {
      // Serializers differ in which of the two they write.
      const contradicts = host.attributes.some(([key]) => key === declarationName(prefix));
      if (contradicts || !isBindable(prefix, namespace)) throw this.#malformed('a namespace that is not allowed here');
      inherited.push(this.#scope.declare(prefix, this.#text(namespace)));
    }
    const attributes = this.#attributes(host);
    this.#path.add(host.source);
    const shadowed = [...inherited, ...declared];
    this.#open.push({ host, prefix, namespace, name, attributes, children: [], shadowed, next: 0 });
  }

  #leave(element: OpenElement): XmlElement {
    const { prefix, namespace, name, attributes, children } = element;
    this.#open.pop();
    this.#path.delete(element.host.source);
    this.#scope.leave(element.shadowed);
    const converted = new XmlElement(prefix, namespace, name, attributes, joinText(children));
    rememberLegal(converted);
    return converted;
  }

  /** Returns what was shadowed, the last declaration first. */
  #declare(attributes: HostShape['attributes']): readonly Shadowed[] {
    const shadowed: Shadowed[] = [];
    for (const [key, value] of attributes) {
      if (!isDeclaration(key)) continue;
      const prefix = key === 'xmlns' ? '' : this.#split(key)[1];
      if (!isBindable(prefix, value) || (value === '' && prefix !== '')) {
        throw this.#malformed('a namespace declaration that is not allowed');
      }
      shadowed.unshift(this.#scope.declare(prefix, this.#text(value)));
    }
    return shadowed;
  }

  #attributes(host: HostElement): readonly XmlAttribute[] {
    const attributes: XmlAttribute[] = [];
    const seen = new Set<string>();
    for (const [key, value, given] of host.attributes) {
      if (isDeclaration(key)) continue;
      const [prefix, name] = this.#split(key);
      const namespace = given ?? (prefix === '' ? '' : this.#scope.get(prefix));
      if (namespace === undefined || namespace === XMLNS) throw this.#malformed('a prefix without a declaration');
      if (seen.size === seen.add(`${name} ${namespace}`).size) throw this.#malformed('two attributes with one name');
      attributes.push(Object.freeze({ prefix, namespace: this.#text(namespace), name, value: this.#text(value) }));
    }
    return attributes;
  }

  #split(qualifiedName: string): readonly [prefix: string, name: string] {
    const end = endOfNcName(qualifiedName, 0);
    if (end > 0 && end === qualifiedName.length) return ['', qualifiedName];
    const isPrefixed = end > 0 && qualifiedName.charCodeAt(end) === 0x3a && end + 1 < qualifiedName.length;
    if (!isPrefixed || endOfNcName(qualifiedName, end + 1) !== qualifiedName.length) {
      throw this.#malformed('a name that XML does not allow');
    }
    return [qualifiedName.slice(0, end), qualifiedName.slice(end + 1)];
  }

  #text(text: string): string {
    if (!isXmlText(text)) throw this.#malformed('a character that XML cannot hold');
    return text;
  }

  #malformed(what: string): E2eError {
    return new E2eError('ERR_E2E_MALFORMED', this.#stage, { reason: `XML: ${what}` });
  }

  #limit(what: string): E2eError {
    return new E2eError('ERR_E2E_LIMIT', this.#stage, { reason: what });
  }
}

function isDeclaration(attributeName: string): boolean {
  return attributeName === 'xmlns' || attributeName.startsWith('xmlns:');
}
