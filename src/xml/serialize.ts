/** Writes trees as XML that every parser reads as the same tree (RFC 6120 section 11). */

import { isPlainText, longText, utf8Length } from '../bytes.ts';
import { E2eError, type E2eStage } from '../errors.ts';
import { isXmlText } from './characters.ts';
import type { XmlElement } from './element.ts';
import { isKnownLegal } from './legal-text.ts';
import { declarationName, qualify, type StartTag } from './qualify.ts';
import { escapeAttribute, escapeText } from './references.ts';
import { Scope } from './scope.ts';
import { walk } from './walk.ts';

/** How a tree is written. */
export interface SerializeXmlOptions {
  /** The default namespace in scope where the text goes, for example `jabber:client` in a stream; none by default. */
  readonly namespace?: string;
  /**
   * Which elements have their text in CDATA sections. Text that a section cannot carry unchanged (`]]>`, a carriage
   * return) is escaped instead.
   */
  readonly cdata?: (element: XmlElement) => boolean;
  /** The stage that errors name; `map` by default. */
  readonly stage?: E2eStage;
}

/** What was written to be measured, until it is asked for. */
const measured = new WeakMap<XmlElement, string>();

/**
 * Whether a tree takes more octets than allowed. The text is kept for the next {@link serializeXml} of the same tree.
 *
 * @throws {E2eError} UNMAPPABLE for characters that XML cannot hold
 * @throws {TypeError} as {@link serializeXml}
 */
export function exceedsOctets(element: XmlElement, limit: number): boolean {
  const { text, ascii } = write(element, {});
  measured.set(element, text);
  // A unit of UTF-16 takes three octets at most.
  return text.length * 3 - ascii * 2 > limit && (text.length > limit || utf8Length(text) > limit);
}

/**
 * Serializes a tree. Namespaces are declared where they are needed; prefixes stay where they can.
 *
 * @throws {E2eError} UNMAPPABLE for characters that XML cannot hold
 * @throws {TypeError} for element and attribute names that are not NCNames, and attributes that come twice
 */
export function serializeXml(element: XmlElement, options: SerializeXmlOptions = {}): string {
  const { namespace = '', cdata } = options;
  if (namespace === '' && cdata === undefined) {
    const known = measured.get(element);
    if (known !== undefined) {
      measured.delete(element);
      return known;
    }
  }
  return write(element, options).text;
}

interface Written {
  readonly text: string;
  /** How many of its characters are known to be US-ASCII. */
  readonly ascii: number;
}

function write(element: XmlElement, { namespace = '', cdata, stage = 'map' }: SerializeXmlOptions): Written {
  const scope = new Scope(namespace);
  let ascii = 0;
  const tags: StartTag[] = [];
  let out = '';
  walk(element, {
    start(current) {
      const tag = qualify(current, scope);
      tags.push(tag);
      out += `<${tag.name}`;
      for (const [prefix, declared] of tag.declarations) {
        out += ` ${declarationName(prefix)}="${escapeAttribute(legal(declared, stage))}"`;
      }
      for (const [name, { value }] of tag.attributes) out += ` ${name}="${escapeAttribute(legal(value, stage))}"`;
      out += isEmpty(current) ? '/>' : '>';
    },
    text(text, parent) {
      if (text.length < longText || !isKnownLegal(parent)) {
        if (isPlainText(text)) ascii += text.length;
        else legal(text, stage);
      }
      const inSection = cdata?.(parent) === true && !text.includes(']]>') && !text.includes('\r');
      out += text === '' ? '' : inSection ? `<![CDATA[${text}]]>` : escapeText(text);
    },
    end(current) {
      const tag = tags.pop()!;
      scope.leave(tag.shadowed);
      if (!isEmpty(current)) out += `</${tag.name}>`;
    },
  });
  return { text: out, ascii };
}

function isEmpty(element: XmlElement): boolean {
  return element.children.every((child) => child === '');
}

/** Refuses what would end the stream at the next server, or would silently be replaced by U+FFFD. */
export function legal(text: string, stage: E2eStage): string {
  if (!isXmlText(text)) throw new E2eError('ERR_E2E_UNMAPPABLE', stage, { reason: 'a character that XML cannot hold' });
  return text;
}
