/** One text for one tree: Exclusive XML Canonicalization 1.0 without comments, and equality of trees. */

import type { E2eStage } from '../errors.ts';
import { joinText, type XmlElement } from './element.ts';
import { CLIENT, XML } from './namespaces.ts';
import { declarationName, qualify, type StartTag } from './qualify.ts';
import { escapeAttribute, escapeText, escapeTextOnOneLine } from './references.ts';
import { Scope } from './scope.ts';
import { legal } from './serialize.ts';
import { withClientNamespace } from './stanza-namespace.ts';
import { walk } from './walk.ts';

/**
 * Exclusive canonical form of a tree as a whole document.
 *
 * @throws {E2eError} UNMAPPABLE for characters that XML cannot hold
 * @throws {TypeError} for names that are not NCNames
 */
export function canonicalXml(element: XmlElement, stage: E2eStage = 'map'): string {
  return canonical(element, new Scope(''), escapeText, stage);
}

/**
 * The content of `application/xmpp+xml` (RFC 3923 section 9.1, RFC 3923 section 5.2) in a form that no server can
 * change on its way: exclusive canonical XML with every LF as a reference, on one line, the stanza in `jabber:client`.
 * It serves determinism only: what is verified is the bytes received, never a tree written again.
 *
 * @param streamLang the language of the stream, for a stanza without its own `xml:lang` (servers stamp it anyway)
 * @throws {E2eError} UNMAPPABLE for characters that XML cannot hold
 * @throws {TypeError} for names that are not NCNames
 */
export function canonicalStanza(element: XmlElement, streamLang?: string): string {
  const stanza = withClientNamespace(element);
  const complete =
    streamLang === undefined || stanza.lang !== undefined ? stanza : stanza.withAttribute('lang', streamLang, XML);
  const text = canonical(complete, new Scope(CLIENT), escapeTextOnOneLine, 'map');
  return `<?xml version='1.0' encoding='UTF-8'?><xmpp xmlns="${CLIENT}">${text}</xmpp>`;
}

function canonical(root: XmlElement, scope: Scope, escape: (text: string) => string, stage: E2eStage): string {
  const tags: StartTag[] = [];
  let out = '';
  walk(root, {
    start(element) {
      const tag = qualify(element, scope);
      tags.push(tag);
      out += `<${tag.name}`;
      const declarations = [...tag.declarations].sort(([a], [b]) => compareCodePoints(a, b));
      for (const [prefix, namespace] of declarations) {
        out += ` ${declarationName(prefix)}="${escapeAttribute(legal(namespace, stage))}"`;
      }
      // Canonical XML 1.0 section 2.2: by namespace name, then by local name, whatever the prefixes.
      const attributes = [...tag.attributes].sort(
        ([, a], [, b]) => compareCodePoints(a.namespace, b.namespace) || compareCodePoints(a.name, b.name),
      );
      for (const [name, { value }] of attributes) out += ` ${name}="${escapeAttribute(legal(value, stage))}"`;
      out += '>';
    },
    text(text) {
      out += escape(legal(text, stage));
    },
    end() {
      const tag = tags.pop()!;
      scope.leave(tag.shadowed);
      out += `</${tag.name}>`;
    },
  });
  return out;
}

/** JavaScript compares UTF-16 units, which puts U+1F600 before U+FF21. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Whether two trees are the same but for prefixes and the order of attributes. */
export function sameXml(a: XmlElement, b: XmlElement): boolean {
  const pairs: [XmlElement, XmlElement][] = [[a, b]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [left, right] = pair;
    if (!left.is(right.name, right.namespace) || !sameAttributes(left, right)) return false;
    const leftChildren = joinText(left.children);
    const rightChildren = joinText(right.children);
    if (leftChildren.length !== rightChildren.length) return false;
    for (const [index, child] of leftChildren.entries()) {
      const other = rightChildren[index]!;
      if (typeof child === 'string' || typeof other === 'string') {
        if (child !== other) return false;
      } else pairs.push([child, other]);
    }
  }
  return true;
}

function sameAttributes(a: XmlElement, b: XmlElement): boolean {
  if (a.attributes.length !== b.attributes.length) return false;
  const values = new Map(b.attributes.map(({ name, namespace, value }) => [`${name} ${namespace}`, value]));
  return a.attributes.every(({ name, namespace, value }) => values.get(`${name} ${namespace}`) === value);
}
