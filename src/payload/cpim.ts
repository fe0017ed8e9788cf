/**
 * Message/CPIM: headers about a message, an empty line, and one MIME entity (RFC 3862).
 *
 *     Message-CPIM = *Header CRLF entity
 *
 * Header names belong to namespaces. The prefix of `urn:ietf:params:cpim-headers:` can be anything, so names are
 * compared only after they are resolved: a second From behind an alias is a second From.
 */

import { asciiText, indexOfBytes, joinPieces, utf8, utf8Decode } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { type Entity, headerValue, parseEntity } from '../mime/entity.ts';
import { type Instant, parseInstant } from '../time.ts';
import {
  type CpimAddress,
  type CpimHeaderLine,
  escapeCpim,
  isAbsoluteUri,
  isCpimName,
  isLanguageTag,
  parseCpimAddress,
  parseCpimHeaderLine,
  serializeCpimAddress,
  serializeCpimHeaderLine,
  splitCpimName,
  unescapeCpim,
} from './cpim-header.ts';
import { invalid, verified } from './invalid.ts';

/** The namespace of the headers that RFC 3862 section 4 defines. Section 6 misspells it. */
export const CPIM_HEADERS = 'urn:ietf:params:cpim-headers:';

/** A header or feature by its globally unique name. */
export interface CpimName {
  readonly namespace: string;
  readonly name: string;
}

/** A header line with its namespace. */
export interface CpimHeader extends CpimHeaderLine, CpimName {}

/** A subject in one language. */
export interface CpimSubject {
  readonly lang?: string | undefined;
  readonly text: string;
}

/** A parsed message. */
export interface CpimMessage {
  readonly from: CpimAddress | undefined;
  readonly to: readonly CpimAddress[];
  readonly cc: readonly CpimAddress[];
  /** DateTime as written. */
  readonly dateTime: string | undefined;
  /** The same instant; undefined only where there is no DateTime. */
  readonly instant: Instant | undefined;
  /** At most one for each language. */
  readonly subjects: readonly CpimSubject[];
  /** What the receiver must understand (section 4.7). */
  readonly requires: readonly CpimName[];
  /** Those of `requires` that RFC 3862 does not define. The message must not be acted on while there are any. */
  readonly unsupportedRequires: readonly CpimName[];
  /** Every header line, in order. */
  readonly headers: readonly CpimHeader[];
  readonly content: Entity;
}

/** What a message is made from; a {@link CpimMessage} is one. */
export interface CpimDraft {
  readonly from?: CpimAddress | undefined;
  readonly to: readonly CpimAddress[];
  readonly cc?: readonly CpimAddress[] | undefined;
  /** RFC 3339 date-time. */
  readonly dateTime?: string | undefined;
  readonly subjects?: readonly CpimSubject[] | undefined;
  readonly requires?: readonly CpimName[] | undefined;
  /** Extension headers, in order; those of RFC 3862's own namespace are left out, since the fields above hold them. */
  readonly headers?: readonly CpimHeader[] | undefined;
  /** The entity inside, as its exact bytes, or as text with CRLF line ends, in one piece or several. */
  readonly content: { readonly raw: Uint8Array | string | readonly string[] };
}

const known: ReadonlySet<string> = new Set(['From', 'To', 'cc', 'DateTime', 'Subject', 'NS', 'Require']);
const knownInAnyCase: ReadonlySet<string> = new Set([...known].map((name) => name.toLowerCase()));
const CRLF = utf8('\r\n');
const headersEnd = utf8('\r\n\r\n');

/**
 * Parses the body of a Message/CPIM entity.
 *
 * @param bytes headers, empty line, entity; lines end with CRLF
 * @throws {E2eError} PAYLOAD_INVALID, LIMIT
 */
export function parseCpim(bytes: Uint8Array, limits: Limits): CpimMessage {
  const headers: CpimHeader[] = [];
  const scope = new Scope();
  const requires: CpimName[] = [];
  const block = usualHeaders(bytes);
  let start = 0;
  for (;;) {
    const end = endOfLine(bytes, block, start, limits);
    if (end === start) break;
    if (headers.length === limits.cpimHeaders) throw overLimit('CPIM headers');
    const line = block?.slice(start, end) ?? verified(() => utf8Decode(bytes.subarray(start, end)));
    const { prefix, name, lang, parameters, value } = parseCpimHeaderLine(line);
    const header = { prefix, name, lang, parameters, value, namespace: scope.resolve(prefix, name) };
    headers.push(header);
    start = end + 2;
    if (header.namespace !== CPIM_HEADERS) continue;
    if (header.name === 'NS') scope.declare(header.value);
    else if (header.name === 'Require') requires.push(...parseRequire(header.value, scope));
  }
  const said = readKnown(headers.filter((header) => header.namespace === CPIM_HEADERS));
  return {
    requires,
    unsupportedRequires: requires.filter(({ namespace, name }) => namespace !== CPIM_HEADERS || !known.has(name)),
    headers,
    content: parseContent(bytes.subarray(start + 2), limits),
    ...said,
  };
}

/** More octets than the headers of nearly all messages. */
const usualLength = 2048;

/** The headers and the empty line as text, where they are short and US-ASCII: an octet is then a character. */
function usualHeaders(bytes: Uint8Array): string | undefined {
  const end = indexOfBytes(bytes.subarray(0, usualLength), headersEnd);
  return end === -1 ? undefined : asciiText(bytes.subarray(0, end + 4));
}

/** Where the header line that starts at `start` ends, before its CRLF. */
function endOfLine(bytes: Uint8Array, block: string | undefined, start: number, limits: Limits): number {
  // The bound keeps a megabyte without line end from being searched and decoded.
  const bound = start + limits.cpimHeaderBytes;
  const end = block?.indexOf('\r\n', start) ?? indexOfBytes(bytes.subarray(0, bound + 2), CRLF, start);
  if (end !== -1 && end <= bound) return end;
  throw bytes.length > bound ? overLimit('CPIM header line') : invalid('CPIM headers without end');
}

function parseContent(bytes: Uint8Array, limits: Limits): Entity {
  const content = verified(() => parseEntity(bytes, { limits }));
  // Section 2.4: the type must be said.
  if (headerValue(content, 'content-type') === undefined) throw invalid('CPIM content without Content-Type');
  return content;
}

function readKnown(
  headers: readonly CpimHeader[],
): Pick<CpimMessage, 'from' | 'to' | 'cc' | 'dateTime' | 'instant' | 'subjects'> {
  let from: CpimAddress | undefined;
  let dateTime: string | undefined;
  let instant: Instant | undefined;
  const to: CpimAddress[] = [];
  const cc: CpimAddress[] = [];
  const subjects: CpimSubject[] = [];
  for (const { name, value, lang } of headers) {
    if (name === 'From') {
      if (from !== undefined) throw invalid('CPIM From twice');
      from = parseCpimAddress(value);
    } else if (name === 'To') to.push(parseCpimAddress(value));
    else if (name === 'cc') cc.push(parseCpimAddress(value));
    else if (name === 'DateTime') {
      if (dateTime !== undefined) throw invalid('CPIM DateTime twice');
      dateTime = value;
      instant = parseInstant(value);
      if (instant === undefined) throw invalid('CPIM DateTime', value);
    } else if (name === 'Subject') {
      if (subjects.some((other) => sameLanguage(other.lang, lang))) throw invalid('CPIM Subject twice in a language');
      subjects.push({ lang, text: unescapeCpim(value) });
    }
  }
  return { from, to, cc, dateTime, instant, subjects };
}

function sameLanguage(a: string | undefined, b: string | undefined): boolean {
  return a?.toLowerCase() === b?.toLowerCase();
}

/** `Require-header = "Require" ": " Header-name *( "," Header-name )`; spaces around the commas are tolerated. */
function parseRequire(value: string, scope: Scope): readonly CpimName[] {
  return value.split(',').map((item) => {
    const [prefix, name] = splitCpimName(item.replace(/^ | $/g, ''));
    return { namespace: scope.resolve(prefix, name), name };
  });
}

/** The namespace declarations so far (section 3.4). */
class Scope {
  readonly #prefixes = new Map<string, string>();
  #default = CPIM_HEADERS;

  resolve(prefix: string, name: string): string {
    const namespace = prefix === '' ? this.#default : this.#prefixes.get(prefix);
    if (namespace === undefined) throw invalid('CPIM prefix without NS', prefix);
    if (prefix === '' || namespace === CPIM_HEADERS) {
      // "from" is an unknown header to us and the sender to a careless reader; so is "From" once NS moved the default.
      const proper = namespace === CPIM_HEADERS && known.has(name);
      if (!proper && knownInAnyCase.has(name.toLowerCase())) throw invalid('CPIM header name', name);
    }
    return namespace;
  }

  /** `NS-header = "NS" ": " [ Name-prefix ] "<" URI ">"`; the RFC's examples put a space before `<`. */
  declare(value: string): void {
    const open = value.indexOf('<');
    const prefix = value.slice(0, Math.max(open, 0)).replace(/ $/, '');
    const namespace = value.slice(open + 1, -1);
    if (open === -1 || !value.endsWith('>') || !isAbsoluteUri(namespace)) throw invalid('CPIM NS', value);
    if (prefix === '') {
      this.#default = namespace;
      return;
    }
    if (!isCpimName(prefix)) throw invalid('CPIM NS prefix', prefix);
    if (this.#prefixes.has(prefix)) throw invalid('CPIM prefix declared twice', prefix);
    this.#prefixes.set(prefix, namespace);
  }
}

function overLimit(reason: string): E2eError {
  return new E2eError('ERR_E2E_LIMIT', 'parse', { reason });
}

/**
 * Writes the body of a Message/CPIM entity: From, To, cc, DateTime, Subject, then extensions. Inverse of
 * {@link parseCpim}.
 *
 * @throws {E2eError} UNMAPPABLE for a subject that begins or ends with a space or is empty (section 2.2 has no way to
 * write it), and for names, languages, times or URIs that are none
 */
export function serializeCpim(message: CpimDraft): Uint8Array {
  return joinPieces(cpimPieces(message), 'map');
}

/** The pieces of {@link serializeCpim}: the headers with the empty line, and the content. */
export function cpimPieces(message: CpimDraft): readonly (Uint8Array | string)[] {
  let text = '';
  const write = (name: string, value: string, lang?: string): void => {
    text += serializeCpimHeaderLine({ prefix: '', name, lang, parameters: [], value });
  };
  if (message.from !== undefined) write('From', serializeCpimAddress(message.from));
  for (const address of message.to) write('To', serializeCpimAddress(address));
  for (const address of message.cc ?? []) write('cc', serializeCpimAddress(address));
  if (message.dateTime !== undefined) {
    if (parseInstant(message.dateTime) === undefined) throw unmappable('DateTime');
    write('DateTime', message.dateTime);
  }
  for (const subject of message.subjects ?? []) {
    if (!isCpimSubject(subject)) throw unmappable('Subject');
    write('Subject', escapeCpim(subject.text), subject.lang);
  }
  text += serializeExtensions(message.headers ?? [], message.requires ?? []);
  const { raw } = message.content;
  return typeof raw === 'string' || raw instanceof Uint8Array ? [`${text}\r\n`, raw] : [`${text}\r\n`, ...raw];
}

/** Whether a subject can be written as a header: not empty, no space at either end, a proper language tag. */
export function isCpimSubject({ lang, text }: CpimSubject): boolean {
  if (lang !== undefined && !isLanguageTag(lang)) return false;
  return text !== '' && !text.startsWith(' ') && !text.endsWith(' ') && text.isWellFormed();
}

function serializeExtensions(headers: readonly CpimHeader[], requires: readonly CpimName[]): string {
  let text = '';
  const prefixes = new Map<string, string>();
  const prefixFor = (namespace: string, wanted: string): string => {
    let prefix = prefixes.get(namespace);
    if (prefix !== undefined) return prefix;
    const taken = new Set(prefixes.values());
    prefix = isCpimName(wanted) && !taken.has(wanted) ? wanted : '';
    for (let n = 1; prefix === ''; n++) if (!taken.has(`n${n}`)) prefix = `n${n}`;
    if (!isAbsoluteUri(namespace)) throw unmappable('header namespace');
    prefixes.set(namespace, prefix);
    const value = `${prefix} <${namespace}>`;
    text += serializeCpimHeaderLine({ prefix: '', name: 'NS', lang: undefined, parameters: [], value });
    return prefix;
  };
  const extensions = headers.filter((header) => header.namespace !== CPIM_HEADERS);
  for (const { namespace, prefix } of extensions) prefixFor(namespace, prefix);
  const names = requires.map(({ namespace, name }) => {
    if (!isCpimName(name)) throw unmappable('Require');
    return namespace === CPIM_HEADERS ? name : `${prefixFor(namespace, '')}.${name}`;
  });
  if (names.length > 0) {
    const value = names.join(',');
    text += serializeCpimHeaderLine({ prefix: '', name: 'Require', lang: undefined, parameters: [], value });
  }
  for (const header of extensions) {
    const { name, value } = header;
    if (!isCpimName(name) || /[\x00-\x1f\x7f]|^ | $/.test(value)) throw unmappable('extension header');
    text += serializeCpimHeaderLine({ ...header, prefix: prefixFor(header.namespace, header.prefix) });
  }
  return text;
}

function unmappable(reason: string): E2eError {
  return new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason });
}
