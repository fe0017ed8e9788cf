/**
 * Multipart bodies, split and joined without touching an octet of a part (RFC 2046 section 5.1, RFC 1847).
 *
 *     multipart-body  := [preamble CRLF] "--" boundary *WSP CRLF body-part
 *                        *(CRLF "--" boundary *WSP CRLF body-part)
 *                        CRLF "--" boundary "--" *WSP [CRLF epilogue]
 *     boundary        := 0*69<bchars> bcharsnospace
 *
 * The CRLF before a delimiter belongs to the delimiter: what is signed ends before it (RFC 1847 section 2.1).
 */

import { hex, indexOfBytes, joinPieces, randomBytes, utf8 } from '../bytes.ts';
import { E2eError, type E2eStage } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { serializeContentType } from './content-type.ts';
import { bodyTextOf, type Entity, serializeTextEntity } from './entity.ts';

/** Options of {@link parseMultipart}. */
export interface ParseMultipartOptions {
  readonly limits: Limits;
  /** The step to name in errors; `parse` by default. */
  readonly stage?: E2eStage | undefined;
  /** The number of parts there must be: 2 for multipart/signed and multipart/encrypted. Else up to `mimeAlternatives`. */
  readonly parts?: number | undefined;
  /**
   * What to do with text before the first and after the last delimiter. It is outside every signature, so it is
   * refused by default (an attacker's words shown beside signed ones); mail programs put a fixed notice there, which
   * a mail reader may skip.
   */
  readonly surround?: 'refuse' | 'skip' | undefined;
}

const CR = 0x0d;
const LF = 0x0a;
const boundaryShape = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/**
 * The parts of a multipart entity, each with its exact bytes.
 *
 * A line that only starts like a delimiter (`--next` and more) is content. Two delimiters with nothing between them,
 * not even the CRLF that belongs to the second, are refused, since readers disagree whether a part lies there.
 *
 * @returns views of the entity's own bytes
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function parseMultipart(entity: Entity, options: ParseMultipartOptions): readonly Uint8Array[] {
  const { limits, stage = 'parse', parts: count, surround = 'refuse' } = options;
  const malformed = (reason: string): E2eError => new E2eError('ERR_E2E_MALFORMED', stage, { reason });
  // RFC 2045 section 6.4: a multipart may not have a transfer encoding of its own.
  if (!identity.has(entity.transferEncoding)) throw malformed('transfer encoding of a multipart');
  const boundary = entity.contentType?.parameters.get('boundary');
  if (boundary === undefined || !boundaryShape.test(boundary)) throw malformed('multipart boundary');
  const { body } = entity;
  const lineAndDelimiter = utf8(`\r\n--${boundary}`);
  const delimiter = lineAndDelimiter.subarray(2);
  const parts: Uint8Array[] = [];
  let start = -1;
  for (let at = indexOfBytes(body, delimiter); at !== -1; at = indexOfBytes(body, delimiter, at + 1)) {
    if (at !== 0 && (body[at - 1] !== LF || body[at - 2] !== CR)) continue;
    let end = at + delimiter.length;
    const closes = body[end] === 0x2d && body[end + 1] === 0x2d;
    if (closes) end += 2;
    while (body[end] === 0x20 || body[end] === 0x09) end++;
    const ended = body[end] === CR && body[end + 1] === LF;
    if (!ended && !(closes && end === body.length)) continue;
    if (start === -1) {
      if (closes) throw malformed('multipart without parts');
      if (surround === 'refuse' && !isBlank(body.subarray(0, at))) throw malformed('text before the first part');
    } else {
      if (at < start + 2) throw malformed('two multipart delimiters in a row');
      parts.push(body.subarray(start, at - 2));
      if (count === undefined && parts.length > limits.mimeAlternatives) {
        throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'MIME parts' });
      }
      if (count !== undefined && parts.length > count) throw malformed('number of MIME parts');
      if (count !== undefined && parts.length > limits.mimeParts) {
        throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'MIME parts' });
      }
    }
    start = end + 2;
    if (!closes) continue;
    if (count !== undefined && parts.length !== count) throw malformed('number of MIME parts');
    if (surround === 'refuse' && !isBlank(body.subarray(start))) throw malformed('text after the last part');
    if (indexOfBytes(body, lineAndDelimiter, end) !== -1) throw malformed('second close delimiter');
    return parts;
  }
  throw malformed('multipart without close delimiter');
}

/**
 * {@link parseMultipart} for an entity that came as text, as far as everybody writes it: so many parts with a delimiter
 * line before each and one behind them, and nothing else.
 *
 * @returns the parts, with LF line ends; undefined for whatever {@link parseMultipart} has to look at
 */
export function parseTextMultipart(
  entity: Entity,
  { limits, parts: count = 2 }: ParseMultipartOptions,
): readonly string[] | undefined {
  const boundary = entity.contentType?.parameters.get('boundary');
  const text = bodyTextOf(entity);
  if (boundary === undefined || text === undefined || !boundaryShape.test(boundary)) return undefined;
  if (!identity.has(entity.transferEncoding) || count > limits.mimeParts) return undefined;
  const delimiter = `--${boundary}`;
  if (!text.startsWith(`${delimiter}\n`)) return undefined;
  const parts: string[] = [];
  let start = delimiter.length + 1;
  while (parts.length < count) {
    // Whatever else begins like a delimiter is not told apart here.
    const at = text.indexOf(delimiter, start);
    if (at <= start || text[at - 1] !== '\n' || text[at - 2] === '\r') return undefined;
    parts.push(text.slice(start, at - 1));
    const rest = parts.length < count ? '\n' : '--';
    if (!text.startsWith(rest, at + delimiter.length)) return undefined;
    start = at + delimiter.length + rest.length;
  }
  const ended = start === text.length || (start === text.length - 1 && text.endsWith('\n'));
  return ended ? parts : undefined;
}

const identity: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === CR || byte === LF);
}

/** Options of {@link serializeMultipart}. */
export interface SerializeMultipartOptions {
  /** A fixed boundary; random by default. */
  readonly boundary?: string | undefined;
}

/** Octets, or text in UTF-8. */
export type Piece = Uint8Array | string;

/**
 * Writes a multipart entity around the exact bytes of its parts. Inverse of {@link parseMultipart}.
 *
 * @param subtype for example `signed`
 * @param parameters of the Content-Type, without the boundary
 * @param parts complete entities, each in one piece or several; text is written as UTF-8
 * @throws {RangeError} for a boundary that RFC 2046 does not allow or that occurs in a part
 */
export function serializeMultipart(
  subtype: string,
  parameters: Readonly<Record<string, string>>,
  parts: readonly (Piece | readonly Piece[])[],
  options: SerializeMultipartOptions = {},
): Uint8Array {
  return joinPieces(multipartPieces(subtype, parameters, parts, options));
}

/**
 * {@link serializeMultipart} in pieces, for what is written on at once: a long part is not copied.
 *
 * @throws {RangeError} as {@link serializeMultipart}
 */
export function multipartPieces(
  subtype: string,
  parameters: Readonly<Record<string, string>>,
  parts: readonly (Piece | readonly Piece[])[],
  options: SerializeMultipartOptions = {},
): readonly Piece[] {
  // 128 random bits are in no part.
  const boundary = options.boundary ?? hex(randomBytes(16));
  if (options.boundary !== undefined && (!boundaryShape.test(boundary) || occurs(boundary, parts))) {
    throw new RangeError('boundary cannot be used');
  }
  const value = serializeContentType(`multipart/${subtype}`, Object.assign({}, parameters, { boundary }));
  const pieces: Piece[] = [serializeTextEntity([{ name: 'Content-Type', value }], '', '\r\n')];
  for (const part of parts) {
    pieces.push(`${pieces.length === 1 ? '' : '\r\n'}--${boundary}\r\n`, ...piecesOf(part));
  }
  pieces.push(`\r\n--${boundary}--\r\n`);
  return pieces;
}

/**
 * What {@link serializeMultipart} writes around the body of the last part, as text with LF line ends: a long body is
 * then written in between, rather than copied into it.
 *
 * @param subtype for example `encrypted`
 * @param parameters of the Content-Type, without the boundary
 * @param parts complete entities, but the last one without its body
 */
export function multipartTextAround(
  subtype: string,
  parameters: Readonly<Record<string, string>>,
  parts: readonly string[],
): readonly [before: string, after: string] {
  const boundary = hex(randomBytes(16));
  const value = serializeContentType(`multipart/${subtype}`, { ...parameters, boundary });
  const delimiter = `--${boundary}`;
  const body = parts.map((part) => `${delimiter}\n${part}`).join('\n');
  return [serializeTextEntity([{ name: 'Content-Type', value }], body), `\n${delimiter}--\n`];
}

function piecesOf(part: Piece | readonly Piece[]): readonly Piece[] {
  return part instanceof Uint8Array || typeof part === 'string' ? [part] : part;
}

function occurs(boundary: string, parts: readonly (Piece | readonly Piece[])[]): boolean {
  const delimiter = utf8(`--${boundary}`);
  return parts.some((part) => indexOfBytes(joinPieces(piecesOf(part)), delimiter) !== -1);
}
