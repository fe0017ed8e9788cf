/**
 * A MIME entity with its exact bytes (RFC 2045, RFC 2046, header syntax of RFC 5322).
 *
 *     entity := *(field CRLF) CRLF body
 *     field  := name ":" value *(CRLF 1*WSP value)
 *     name   := 1*<any CHAR, excluding CTLs, SPACE, ":">
 *
 * A signature covers octets, so parsing only ever takes views of the input. Whatever two readers might read in two
 * ways is refused: bare CR or LF in a header, white space before ":", a folded line of white space only, a field of
 * the Content family twice.
 */

import { crlfText, indexOfBytes, joinPieces, utf8, utf8Decode } from '../bytes.ts';
import { E2eError, type E2eStage } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { type ContentType, defaultContentType, parseContentType } from './content-type.ts';

/** One header field, unfolded. */
export interface MimeHeader {
  /** Field name as written. */
  readonly name: string;
  /** Unfolded value without surrounding white space. */
  readonly value: string;
}

/** A parsed entity. All byte arrays are views of the same buffer: nothing was re-serialized. */
export interface Entity {
  /** The entity exactly as received: header block, empty line and body. */
  readonly raw: Uint8Array;
  readonly headers: readonly MimeHeader[];
  /**
   * `text/plain; charset=us-ascii` where the header block has no Content-Type (RFC 2045 section 5.2). Undefined for a
   * bare blob, which has no header block at all.
   */
  readonly contentType: ContentType | undefined;
  /** Lower-case Content-Transfer-Encoding; `7bit` where absent (RFC 2045 section 6.1). */
  readonly transferEncoding: string;
  /** The body octets, still in their transfer encoding. */
  readonly body: Uint8Array;
}

/** Options of {@link parseEntity}. */
export interface ParseEntityOptions {
  readonly limits: Limits;
  /** The step to name in errors; `parse` by default. */
  readonly stage?: E2eStage | undefined;
}

const headerEnd = utf8('\r\n\r\n');

/**
 * Parses an entity, keeping its exact bytes.
 *
 * @param bytes header block, empty line and body; lines end with CRLF
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseEntity(bytes: Uint8Array, { limits, stage = 'parse' }: ParseEntityOptions): Entity {
  const empty = bytes[0] === 0x0d && bytes[1] === 0x0a;
  const end = empty ? 0 : endOfHeaders(bytes, limits, stage);
  const facts = parseHeaders(utf8Decode(bytes.subarray(0, end), stage), limits, stage);
  return { raw: bytes, ...facts, body: bytes.subarray(end + 2) };
}

/** Where the empty line after the header block begins. */
function endOfHeaders(bytes: Uint8Array, limits: Limits, stage: E2eStage): number {
  const head = bytes.subarray(0, limits.mimeHeaderBytes);
  const end = indexOfBytes(head, headerEnd);
  if (end !== -1) return end + 2;
  // What is wrong in the lines that are there comes before what is missing.
  parseHeaders(utf8Decode(head.subarray(0, head.lastIndexOf(0x0a) + 1), stage), limits, stage);
  if (bytes.length > limits.mimeHeaderBytes) throw overLong(stage);
  throw malformed(stage, 'MIME header block without end');
}

/** An entity as text, whose octets are made when somebody asks for them. */
class TextEntity implements Entity {
  readonly headers: readonly MimeHeader[];
  readonly contentType: ContentType;
  readonly transferEncoding: string;
  readonly #text: string;
  readonly #bodyStart: number;
  #octets: Uint8Array | undefined;
  #body: Uint8Array | undefined;

  constructor({ headers, contentType, transferEncoding }: HeaderFacts, text: string, bodyStart: number) {
    this.headers = headers;
    this.contentType = contentType;
    this.transferEncoding = transferEncoding;
    this.#text = text;
    this.#bodyStart = bodyStart;
  }

  get raw(): Uint8Array {
    return (this.#octets ??= utf8(crlfText(this.#text)));
  }

  get body(): Uint8Array {
    return (this.#body ??= utf8(crlfText(this.bodyText)));
  }

  get bodyText(): string {
    return this.#text.slice(this.#bodyStart);
  }
}

/**
 * {@link parseEntity} for text whose line ends are LF.
 *
 * @param text a well-formed string
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseTextEntity(text: string, options: ParseEntityOptions): Entity {
  const { limits, stage = 'parse' } = options;
  const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n') + 1;
  const block = end > limits.mimeHeaderBytes ? undefined : crlfText(text.slice(0, end));
  const readable = block !== undefined && (end > 0 || text.startsWith('\n')) && !/[^\x00-\x7f]/.test(block);
  if (!readable || block.length + 2 > limits.mimeHeaderBytes) return parseEntity(utf8(crlfText(text), stage), options);
  return new TextEntity(parseHeaders(block, limits, stage), text, end + 1);
}

/** The body of an entity as text, where it came as text; line ends are LF. */
export function bodyTextOf(entity: Entity): string | undefined {
  return entity instanceof TextEntity ? entity.bodyText : undefined;
}

/** What a header block says. */
interface HeaderFacts {
  readonly headers: readonly MimeHeader[];
  readonly contentType: ContentType;
  readonly transferEncoding: string;
}

/** The same few header blocks come in every stanza, but for those with a boundary. */
const usual = new Map<string, HeaderFacts>();
const mostUsual = 64;
const longestUsual = 320;

/** @param block the fields with their line ends, without the empty line */
function parseHeaders(block: string, limits: Limits, stage: E2eStage): HeaderFacts {
  const known = usual.get(block);
  if (known !== undefined && known.headers.length <= limits.mimeHeaders) return own(known);
  const facts = readHeaders(block, limits, stage);
  if (block.length > longestUsual || facts.contentType.parameters.has('boundary')) return facts;
  if (usual.size >= mostUsual) usual.clear();
  usual.set(block, facts);
  return own(facts);
}

/** A copy of all that its owner could change. */
function own({ headers, contentType, transferEncoding }: HeaderFacts): HeaderFacts {
  const { type, parameters } = contentType;
  return {
    headers: headers.map(({ name, value }) => ({ name, value })),
    contentType: { type, parameters: new Map(parameters) },
    transferEncoding,
  };
}

function readHeaders(block: string, limits: Limits, stage: E2eStage): HeaderFacts {
  const headers: MimeHeader[] = [];
  const seen = new Set<string>();
  let contentType = defaultContentType;
  let transferEncoding = '7bit';
  let start = 0;
  const nextLine = (): string => {
    const end = block.indexOf('\r\n', start);
    if (end === -1) throw malformed(stage, 'bare CR or LF in a MIME header');
    const line = block.slice(start, end);
    start = end + 2;
    return line;
  };
  while (start < block.length) {
    if (headers.length === limits.mimeHeaders) {
      throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'MIME header fields' });
    }
    let line = nextLine();
    while (block[start] === ' ' || block[start] === '\t') {
      const folded = nextLine();
      // Some readers take such a line for the empty line that ends the header block.
      if (trimBlanks(folded) === '') throw malformed(stage, 'blank folded line in a MIME header');
      line += folded;
    }
    const field = parseField(line, stage);
    const name = field.name.toLowerCase();
    if (name.startsWith('content-') || name === 'mime-version') {
      if (seen.has(name)) throw malformed(stage, 'MIME header field twice');
      seen.add(name);
    }
    if (name === 'content-type') contentType = parseContentType(field.value, stage);
    else if (name === 'content-transfer-encoding') transferEncoding = parseMechanism(field.value, stage);
    headers.push(field);
  }
  return { headers, contentType, transferEncoding };
}

function parseField(line: string, stage: E2eStage): MimeHeader {
  let colon = 0;
  for (; colon < line.length && line[colon] !== ':'; colon++) {
    const code = line.charCodeAt(colon);
    if (code <= 0x20 || code >= 0x7f) throw malformed(stage, 'MIME header field name');
  }
  if (colon === 0 || colon === line.length) throw malformed(stage, 'MIME header line without field name');
  for (let i = colon; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) throw malformed(stage, 'control character in a MIME header');
  }
  return { name: line.slice(0, colon), value: trimBlanks(line.slice(colon + 1)) };
}

/** Not `trim()`, which also takes U+00A0, U+FEFF and line separators. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === ' ' || text[start] === '\t') start++;
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return text.slice(start, end);
}

function parseMechanism(value: string, stage: E2eStage): string {
  if (value.length > 64 || !/^[!#-'*+\-.0-9A-Z^_`a-z{|}~]+$/.test(value)) {
    throw malformed(stage, 'Content-Transfer-Encoding');
  }
  return value.toLowerCase();
}

function malformed(stage: E2eStage, reason: string): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', stage, { reason });
}

function overLong(stage: E2eStage): E2eError {
  return new E2eError('ERR_E2E_LIMIT', stage, { reason: 'MIME header block' });
}

/**
 * The entity for content that came without any header block: bare base64 of a CMS object or bare OpenPGP armor, as
 * the examples of RFC 3923 have it.
 *
 * @param body the decoded octets, or the armor
 * @param raw the text as received, where it differs
 */
export function bareEntity(body: Uint8Array, raw: Uint8Array = body): Entity {
  return { raw, headers: [], contentType: undefined, transferEncoding: 'binary', body };
}

/**
 * The value of the first field with a name, in any case.
 *
 * @param name field name in lower case
 */
export function headerValue(entity: Entity, name: string): string | undefined {
  return entity.headers.find((header) => header.name.toLowerCase() === name)?.value;
}

/**
 * Writes an entity: each field on one line, an empty line, the body as it is. Inverse of {@link parseEntity}.
 *
 * @param body in one piece or several; text is written as UTF-8
 * @throws {E2eError} MALFORMED for a lone surrogate in text
 * @throws {TypeError} for a field name or value that the grammar cannot express
 */
export function serializeEntity(headers: readonly MimeHeader[], ...body: readonly (Uint8Array | string)[]): Uint8Array {
  return joinPieces([headerBlock(headers, '\r\n'), ...body]);
}

/**
 * {@link serializeEntity} for a body of text. Inverse of {@link parseTextEntity}.
 *
 * @param lineEnd of the header block; LF unless given
 * @throws {TypeError} for a field name or value that the grammar cannot express
 */
export function serializeTextEntity(
  headers: readonly MimeHeader[],
  body: string,
  lineEnd: '\n' | '\r\n' = '\n',
): string {
  return headerBlock(headers, lineEnd) + body;
}

function headerBlock(headers: readonly MimeHeader[], lineEnd: string): string {
  let block = '';
  for (const { name, value } of headers) {
    if (!/^[!-9;-~]+$/.test(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
      throw new TypeError(`not a MIME header field: ${name}`);
    }
    block += `${name}: ${value}${lineEnd}`;
  }
  return block + lineEnd;
}
