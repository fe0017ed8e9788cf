/**
 * The strict reader of the XML subset of XMPP (RFC 6120 section 11.1): no document type declaration, no processing
 * instruction, no comment, no entity beyond the five predefined ones; namespace-well-formed; UTF-8.
 *
 * It makes one pass without recursion, and its cost is linear in the input.
 */

import { isPlainText, utf8Decode, utf8Length } from '../bytes.ts';
import { E2eError, type E2eStage } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { endOfNcName, isWhitespace, isXmlText, skipWhitespace } from './characters.ts';
import { XmlElement, type XmlAttribute, type XmlNode } from './element.ts';
import { rememberLegal } from './legal-text.ts';
import { expandReferences } from './references.ts';
import { isBindable, Scope, type Shadowed } from './scope.ts';

/** How a document is read. */
export interface ParseXmlOptions {
  readonly limits?: Limits;
  /** Octets of the document as UTF-8; `limits.stanzaBytes` by default. */
  readonly maxBytes?: number;
  /** `skip` is for PIDF only: RFC 6120 section 11.1 forbids comments in XMPP. */
  readonly comments?: 'refuse' | 'skip';
  /** Allow an XML declaration (version 1.0, UTF-8) at the very start. */
  readonly declaration?: boolean;
  /** The namespace of names without a prefix outside any declaration; none by default. */
  readonly defaultNamespace?: string;
  /** The stage that errors name; `parse` by default. */
  readonly stage?: E2eStage;
}

/**
 * Reads a document.
 *
 * @param text a whole document; a byte order mark is an error
 * @throws {E2eError} MALFORMED for anything but well-formed XML of RFC 6120 section 11.1; LIMIT
 */
export function parseXml(text: string, options: ParseXmlOptions = {}): XmlElement {
  return new Reader(text, options).read();
}

/**
 * Reads a document in UTF-8.
 *
 * @param bytes a whole document; a byte order mark is an error
 * @throws {E2eError} MALFORMED for anything but UTF-8 and well-formed XML of RFC 6120 section 11.1; LIMIT
 */
export function parseXmlBytes(bytes: Uint8Array, options: ParseXmlOptions = {}): XmlElement {
  const { limits = defaultLimits, maxBytes = limits.stanzaBytes, stage = 'parse' } = options;
  if (bytes.length > maxBytes) throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'XML document too long' });
  return parseXml(utf8Decode(bytes, stage), options);
}

/** An attribute or namespace declaration as written. */
interface RawAttribute {
  readonly prefix: string;
  readonly name: string;
  readonly value: string;
}

/** An element whose end has not come yet. */
interface OpenElement {
  readonly qualifiedName: string;
  readonly prefix: string;
  readonly namespace: string;
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlNode[];
  readonly shadowed: readonly Shadowed[];
  /** Whether the text in hand is more than white space; kept only where comments are skipped. */
  textIsMore: boolean;
  /** Whether a comment directly follows such text. */
  commentAfterText: boolean;
}

const none: readonly never[] = Object.freeze([]);
/** Up to this many attributes, comparing each with each is faster than a set. */
const fewAttributes = 8;

// Only the name of the encoding is free in its case (XML 1.0 section 4.3.3).
const declaration =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"[Uu][Tt][Ff]-8"|'[Uu][Tt][Ff]-8'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"yes"|'yes'|"no"|'no'))?[ \t\r\n]*\?>/;
/** Bounds what the expression above can cost. */
const maxDeclarationLength = 256;

class Reader {
  readonly #text: string;
  readonly #limits: Limits;
  readonly #stage: E2eStage;
  readonly #skipComments: boolean;
  readonly #scope: Scope;
  readonly #open: OpenElement[] = [];
  #position = 0;
  #elements = 0;
  #root: XmlElement | undefined;

  constructor(text: string, options: ParseXmlOptions) {
    const { limits = defaultLimits, maxBytes = limits.stanzaBytes, stage = 'parse' } = options;
    this.#text = text;
    this.#limits = limits;
    this.#stage = stage;
    this.#skipComments = options.comments === 'skip';
    this.#scope = new Scope(options.defaultNamespace ?? '');
    if (text.length > maxBytes) throw this.#limit('XML document too long');
    if (!isPlainText(text)) {
      // A lone surrogate, which is refused after this, counts as U+FFFD.
      if (text.length * 3 > maxBytes && utf8Length(text) > maxBytes) throw this.#limit('XML document too long');
      if (!isXmlText(text)) throw this.#malformed('a character that XML cannot hold');
    }
    if (options.declaration === true && /^<\?xml[ \t\r\n]/.test(text)) {
      const match = declaration.exec(text.slice(0, maxDeclarationLength));
      if (match === null) throw this.#malformed('a declaration other than XML 1.0 in UTF-8');
      this.#position = match[0].length;
    }
  }

  read(): XmlElement {
    const text = this.#text;
    for (;;) {
      const current = this.#open.at(-1);
      if (current === undefined) {
        this.#position = skipWhitespace(text, this.#position);
        if (this.#position === text.length) break;
        if (text.charCodeAt(this.#position) !== 0x3c) throw this.#malformed('text outside the root element');
      } else {
        this.#readText(current);
      }
      const next = text.charCodeAt(this.#position + 1);
      if (next === 0x2f) this.#readEndTag(current);
      else if (next === 0x21) this.#readSection(current);
      else if (next === 0x3f) throw this.#malformed('a processing instruction or a misplaced declaration');
      else this.#readStartTag(current);
    }
    if (this.#root === undefined) throw this.#malformed('no root element');
    return this.#root;
  }

  /** Character data up to the next `<`. */
  #readText(current: OpenElement): void {
    const start = this.#position;
    const end = this.#text.indexOf('<', start);
    if (end === -1) throw this.#malformed('an element without its end');
    this.#position = end;
    if (end === start) return;
    const raw = this.#text.slice(start, end);
    if (raw.includes(']]>')) throw this.#malformed(']]> in text');
    this.#append(current, this.#expand(unifyLineEnds(raw)));
  }

  #append(current: OpenElement, text: string): void {
    if (text === '') return;
    const { children } = current;
    const last = children.length - 1;
    const before = children[last];
    const continues = typeof before === 'string';
    if (this.#skipComments) {
      const isMore = !isWhitespace(text);
      // Readers differ in what they make of `admin<!-- -->@evil`: half of it, or both halves joined.
      if (isMore && continues && current.commentAfterText) throw this.#malformed('a comment inside a text');
      current.textIsMore = isMore || (continues && current.textIsMore);
    }
    if (continues) children[last] = before + text;
    else children.push(text);
  }

  /** `<![CDATA[...]]>`, or a comment where the caller allows it. */
  #readSection(current: OpenElement | undefined): void {
    const text = this.#text;
    const start = this.#position;
    if (current !== undefined && text.startsWith('<![CDATA[', start)) {
      const end = text.indexOf(']]>', start + 9);
      if (end === -1) throw this.#malformed('a CDATA section without its end');
      this.#append(current, unifyLineEnds(text.slice(start + 9, end)));
      this.#position = end + 3;
      return;
    }
    if (!this.#skipComments || !text.startsWith('<!--', start)) {
      throw this.#malformed('a comment or a document type declaration');
    }
    const end = text.indexOf('--', start + 4);
    if (end === -1 || text.charCodeAt(end + 2) !== 0x3e) throw this.#malformed('a comment without its end');
    this.#position = end + 3;
    if (current?.textIsMore === true) current.commentAfterText = true;
  }

  #readEndTag(current: OpenElement | undefined): void {
    if (current === undefined) throw this.#malformed('an end tag without its element');
    const nameStart = this.#position + 2;
    if (!this.#text.startsWith(current.qualifiedName, nameStart)) throw this.#malformed('a mismatched end tag');
    const end = skipWhitespace(this.#text, nameStart + current.qualifiedName.length);
    if (this.#text.charCodeAt(end) !== 0x3e) throw this.#malformed('a mismatched end tag');
    this.#position = end + 1;
    this.#open.pop();
    this.#close(current);
  }

  #close(element: OpenElement): void {
    const { prefix, namespace, name, attributes, children, shadowed } = element;
    const closed = new XmlElement(prefix, namespace, name, attributes, children);
    rememberLegal(closed);
    this.#scope.leave(shadowed);
    const parent = this.#open.at(-1);
    if (parent === undefined) {
      this.#root = closed;
    } else {
      parent.children.push(closed);
      parent.textIsMore = parent.commentAfterText = false;
    }
  }

  #readStartTag(current: OpenElement | undefined): void {
    const text = this.#text;
    if (current === undefined && this.#root !== undefined) throw this.#malformed('a second root element');
    if (this.#open.length >= this.#limits.xmlDepth) throw this.#limit('XML depth');
    if (++this.#elements > this.#limits.xmlElements) throw this.#limit('XML elements');
    const start = ++this.#position;
    const [prefix, name] = this.#readQualifiedName();
    const qualifiedName = text.slice(start, this.#position);
    const raw = this.#readAttributes();
    const shadowed = raw.length === 0 ? none : this.#declareNamespaces(raw);
    const namespace = this.#resolve(prefix);
    const attributes = raw.length === shadowed.length ? none : this.#resolveAttributes(raw);
    const element: OpenElement = {
      qualifiedName,
      prefix,
      namespace,
      name,
      attributes,
      children: [],
      shadowed,
      textIsMore: false,
      commentAfterText: false,
    };
    // #readAttributes stopped at `>` or `/>`.
    if (text.charCodeAt(this.#position) === 0x3e) {
      this.#position++;
      this.#open.push(element);
    } else {
      this.#position += 2;
      this.#close(element);
    }
  }

  #readQualifiedName(): readonly [prefix: string, name: string] {
    const text = this.#text;
    const start = this.#position;
    const end = endOfNcName(text, start);
    if (end === start) throw this.#malformed('a tag without a proper name');
    if (text.charCodeAt(end) !== 0x3a) {
      this.#position = end;
      return ['', text.slice(start, end)];
    }
    const localEnd = endOfNcName(text, end + 1);
    if (localEnd === end + 1) throw this.#malformed('a prefix without a name');
    this.#position = localEnd;
    return [text.slice(start, end), text.slice(end + 1, localEnd)];
  }

  /** Reads up to the `>` or `/>` that ends the tag. */
  #readAttributes(): readonly RawAttribute[] {
    const text = this.#text;
    const attributes: RawAttribute[] = [];
    let seen: Set<string> | undefined;
    for (;;) {
      const start = skipWhitespace(text, this.#position);
      const unit = text.charCodeAt(start);
      if (unit === 0x3e || (unit === 0x2f && text.charCodeAt(start + 1) === 0x3e)) {
        this.#position = start;
        return attributes;
      }
      if (start === this.#position) throw this.#malformed('attributes without white space between them');
      if (attributes.length >= this.#limits.xmlAttributes) throw this.#limit('XML attributes');
      this.#position = start;
      const [prefix, name] = this.#readQualifiedName();
      if (attributes.length < fewAttributes) {
        for (const other of attributes) if (other.name === name && other.prefix === prefix) throw this.#duplicate();
      } else {
        seen ??= new Set(attributes.map((other) => `${other.prefix}:${other.name}`));
        if (seen.size === seen.add(`${prefix}:${name}`).size) throw this.#duplicate();
      }
      attributes.push({ prefix, name, value: this.#readValue() });
    }
  }

  /** `= "value"`, with white space normalized (XML 1.0 section 3.3.3). */
  #readValue(): string {
    const text = this.#text;
    const equals = skipWhitespace(text, this.#position);
    const open = skipWhitespace(text, equals + 1);
    const quote = text[open];
    if (text.charCodeAt(equals) !== 0x3d || (quote !== '"' && quote !== "'")) {
      throw this.#malformed('an attribute without a quoted value');
    }
    const close = text.indexOf(quote, open + 1);
    if (close === -1) throw this.#malformed('an attribute value without its end');
    const raw = text.slice(open + 1, close);
    if (raw.includes('<')) throw this.#malformed('< in an attribute value');
    this.#position = close + 1;
    return this.#expand(/[\t\n\r]/.test(raw) ? raw.replace(/\r\n|[\t\n\r]/g, ' ') : raw);
  }

  /** Namespaces in XML 1.0 sections 2 and 3, with their reserved names. */
  #declareNamespaces(raw: readonly RawAttribute[]): readonly Shadowed[] {
    let shadowed: Shadowed[] | undefined;
    for (const { prefix, name, value } of raw) {
      const isDefault = prefix === '' && name === 'xmlns';
      if (!isDefault && prefix !== 'xmlns') continue;
      const declared = isDefault ? '' : name;
      if (!isBindable(declared, value) || (value === '' && !isDefault)) {
        throw this.#malformed('a namespace declaration that is not allowed');
      }
      (shadowed ??= []).push(this.#scope.declare(declared, value));
    }
    return shadowed ?? none;
  }

  #resolveAttributes(raw: readonly RawAttribute[]): readonly XmlAttribute[] {
    const attributes: XmlAttribute[] = [];
    let seen: Set<string> | undefined;
    for (const { prefix, name, value } of raw) {
      if (prefix === 'xmlns' || (prefix === '' && name === 'xmlns')) continue;
      const namespace = prefix === '' ? '' : this.#resolve(prefix);
      // Two prefixes can stand for one namespace (Namespaces in XML 1.0 section 6.3). A name holds no space.
      if (prefix !== '') {
        seen ??= new Set();
        if (seen.size === seen.add(`${name} ${namespace}`).size) throw this.#duplicate();
      }
      attributes.push(Object.freeze({ prefix, namespace, name, value }));
    }
    return attributes;
  }

  #resolve(prefix: string): string {
    const namespace = this.#scope.get(prefix);
    if (namespace === undefined) throw this.#malformed('a prefix without a declaration');
    return namespace;
  }

  #expand(raw: string): string {
    const text = expandReferences(raw);
    if (text === undefined) throw this.#malformed('a reference that is not allowed');
    return text;
  }

  #duplicate(): E2eError {
    return this.#malformed('two attributes with one name');
  }

  #malformed(what: string): E2eError {
    return new E2eError('ERR_E2E_MALFORMED', this.#stage, { reason: `XML: ${what}` });
  }

  #limit(what: string): E2eError {
    return new E2eError('ERR_E2E_LIMIT', this.#stage, { reason: what });
  }
}

/** XML 1.0 section 2.11. */
function unifyLineEnds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}
