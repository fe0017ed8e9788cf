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

import { concatBytes, utf8, utf8Decode } from '../bytes.ts';
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

const CR = 0x0d;
const LF = 0x0a;

/**
 * Parses an entity, keeping its exact bytes.
 *
 * @param bytes header block, empty line and body; lines end with CRLF
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseEntity(bytes: Uint8Array, { limits, stage = 'parse' }: ParseEntityOptions): Entity {
  const malformed = (reason: string): E2eError => new E2eError('ERR_E2E_MALFORMED', stage, { reason });
  const end = Math.min(bytes.length, limits.mimeHeaderBytes);
  const headers: MimeHeader[] = [];
  const seen = new Set<string>();
  let contentType = defaultContentType;
  let transferEncoding = '7bit';
  let start = 0;
  while (bytes[start] !== CR || bytes[start + 1] !== LF) {
    if (headers.length === limits.mimeHeaders) {
      throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'MIME header fields' });
    }
    const next = fieldEnd(bytes, start, end, limits, stage);
    const field = parseField(utf8Decode(bytes.subarray(start, next - 2), stage), malformed);
    const name = field.name.toLowerCase();
    if (name.startsWith('content-') || name === 'mime-version') {
      if (seen.has(name)) throw malformed('MIME header field twice');
      seen.add(name);
    }
    if (name === 'content-type') contentType = parseContentType(field.value, stage);
    else if (name === 'content-transfer-encoding') transferEncoding = parseMechanism(field.value, malformed);
    headers.push(field);
    start = next;
  }
  start += 2;
  if (start > limits.mimeHeaderBytes) throw overLong(stage);
  return { raw: bytes, headers, contentType, transferEncoding, body: bytes.subarray(start) };
}

/** The index after the CRLF that ends the field at `start`, continuation lines included. */
function fieldEnd(bytes: Uint8Array, start: number, end: number, limits: Limits, stage: E2eStage): number {
  let onlyBlanks = false;
  for (let i = start; ; i++) {
    if (i >= end) {
      if (bytes.length > limits.mimeHeaderBytes) throw overLong(stage);
      throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'MIME header block without end' });
    }
    const byte = bytes[i];
    if (byte !== CR && byte !== LF) {
      if (byte !== 0x20 && byte !== 0x09) onlyBlanks = false;
      continue;
    }
    if (byte === LF || bytes[i + 1] !== LF) {
      throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'bare CR or LF in a MIME header' });
    }
    // Some readers take such a line for the empty line that ends the header block.
    if (onlyBlanks) throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'blank folded line in a MIME header' });
    const after = bytes[i + 2];
    if (after !== 0x20 && after !== 0x09) return i + 2;
    onlyBlanks = true;
    i++;
  }
}

function parseField(text: string, malformed: (reason: string) => E2eError): MimeHeader {
  const line = text.replaceAll('\r\n', '');
  let colon = 0;
  for (; colon < line.length && line[colon] !== ':'; colon++) {
    const code = line.charCodeAt(colon);
    if (code <= 0x20 || code >= 0x7f) throw malformed('MIME header field name');
  }
  if (colon === 0 || colon === line.length) throw malformed('MIME header line without field name');
  for (let i = colon; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) throw malformed('control character in a MIME header');
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

function parseMechanism(value: string, malformed: (reason: string) => E2eError): string {
  if (value.length > 64 || !/^[!#-'*+\-.0-9A-Z^_`a-z{|}~]+$/.test(value)) throw malformed('Content-Transfer-Encoding');
  return value.toLowerCase();
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
 * @throws {TypeError} for a field name or value that the grammar cannot express
 */
export function serializeEntity(headers: readonly MimeHeader[], body: Uint8Array): Uint8Array {
  let block = '';
  for (const { name, value } of headers) {
    if (!/^[!-9;-~]+$/.test(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
      throw new TypeError(`not a MIME header field: ${name}`);
    }
    block += `${name}: ${value}\r\n`;
  }
  return concatBytes(utf8(`${block}\r\n`), body);
}
