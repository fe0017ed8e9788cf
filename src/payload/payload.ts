/** What the payload of a sealed object says, whatever its form (RFC 3923 sections 3, 4 and 5). */

import { E2eError } from '../errors.ts';
import { Jid } from '../jid/jid.ts';
import { fromUri } from '../jid/uri.ts';
import type { Limits } from '../limits.ts';
import { type Entity, parseEntity } from '../mime/entity.ts';
import { parseMultipart } from '../mime/multipart.ts';
import { decodeBody } from '../mime/transfer-encoding.ts';
import type { Instant } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import type { CpimAddress } from './cpim-header.ts';
import { type CpimMessage, parseCpim } from './cpim.ts';
import { invalid, verified } from './invalid.ts';
import { parsePidf, type PidfPresence, tupleInstant } from './pidf.ts';
import { charsetBytes, type LocalizedText, parseTextPart } from './text-part.ts';
import { parseXmppXml, type StanzaKind, stanzaKind } from './xmpp-xml.ts';

/** A parsed payload: Message/CPIM around text, PIDF or application/xmpp+xml, or one of the latter two bare. */
export interface Payload {
  /** The form of the innermost content; `cpim` for text in Message/CPIM. */
  readonly form: 'cpim' | 'pidf' | 'xmpp+xml';
  /** The kind of stanza that it stands for. */
  readonly kind: StanzaKind;
  /** Every address that names the sender, with where it stands (`CPIM From`, `PIDF entity`, `inner from`). */
  readonly senders: readonly (readonly [where: string, jid: Jid])[];
  /** The addresses in CPIM To and cc; empty for a bare form. */
  readonly recipients: readonly Jid[];
  /** `from` of the inner stanza of application/xmpp+xml. */
  readonly innerFrom: Jid | undefined;
  /** `to` of the inner stanza of application/xmpp+xml. */
  readonly innerTo: Jid | undefined;
  /** CPIM DateTime. */
  readonly dateTime: Instant | undefined;
  /** The newest timestamp of a PIDF tuple. */
  readonly timestamp: Instant | undefined;
  /** The inner stanza of application/xmpp+xml, as parsed. */
  readonly stanza: XmlElement | undefined;
  /** The headers and content of Message/CPIM; undefined for a bare form. */
  readonly cpim: CpimMessage | undefined;
  readonly pidf: PidfPresence | undefined;
  /** The text in Message/CPIM: one for each language; empty for the other forms. */
  readonly bodies: readonly LocalizedText[];
}

/** What one form adds to the payload. */
export type PayloadContent = Pick<Payload, 'form' | 'kind'> &
  Partial<Pick<Payload, 'senders' | 'innerFrom' | 'innerTo' | 'timestamp' | 'stanza' | 'pidf' | 'bodies'>>;

/** Signed and encrypted objects, which may not stand inside a payload: one verdict covers one content. */
const layers: ReadonlySet<string> = new Set([
  'multipart/signed',
  'multipart/encrypted',
  'application/pkcs7-mime',
  'application/x-pkcs7-mime',
  'application/pkcs7-signature',
  'application/x-pkcs7-signature',
  'application/pgp-encrypted',
  'application/pgp-signature',
]);

/**
 * Parses a payload.
 *
 * @param bytes a MIME entity of type Message/CPIM, application/pidf+xml or application/xmpp+xml
 * @throws {E2eError} PAYLOAD_INVALID, LIMIT; UNSUPPORTED for another type or charset; LAYERS_REFUSED for a security
 * layer, Message/CPIM or an `<e2e/>` further inside
 */
export function parsePayload(bytes: Uint8Array, limits: Limits): Payload {
  return payloadOf(
    verified(() => parseEntity(bytes, { limits })),
    limits,
  );
}

/** {@link parsePayload} for an entity that has been parsed already. */
export function payloadOf(entity: Entity, limits: Limits): Payload {
  if (entity.contentType?.type !== 'message/cpim') {
    const content = parseXmlContent(entity, limits);
    if (content === undefined) throw unexpected(entity);
    return payload(content);
  }
  const cpim = parseCpim(
    verified(() => decodeBody(entity)),
    limits,
  );
  const content = parseXmlContent(cpim.content, limits) ?? parseTextContent(cpim.content, limits);
  const from = cpim.from === undefined ? undefined : jidOf(cpim.from);
  if (from === undefined && cpim.from !== undefined) throw invalid('CPIM From is no XMPP address', cpim.from.uri);
  const addressees = [...cpim.to, ...cpim.cc];
  const recipients = addressees.map(jidOf).filter((jid) => jid !== undefined);
  // Else it would look like an object that names nobody, which may be accepted.
  if (recipients.length === 0 && addressees.length > 0) throw invalid('CPIM To is no XMPP address', addressees[0]!.uri);
  const senders = [...(from === undefined ? [] : [['CPIM From', from] as const]), ...(content.senders ?? [])];
  return payload(content, { senders, recipients, dateTime: cpim.instant, cpim });
}

/** What stands outside the content goes before what stands in it. Field by field, since each spread takes a microsecond. */
function payload(
  content: PayloadContent,
  outside: Partial<Pick<Payload, 'senders' | 'recipients' | 'dateTime' | 'cpim'>> = {},
): Payload {
  return {
    form: content.form,
    kind: content.kind,
    senders: outside.senders ?? content.senders ?? [],
    recipients: outside.recipients ?? [],
    innerFrom: content.innerFrom,
    innerTo: content.innerTo,
    dateTime: outside.dateTime,
    timestamp: content.timestamp,
    stanza: content.stanza,
    cpim: outside.cpim,
    pidf: content.pidf,
    bodies: content.bodies ?? [],
  };
}

/** A payload that says nothing yet. */
export const emptyPayload: Omit<Payload, 'form' | 'kind'> = Object.freeze({
  senders: [],
  recipients: [],
  innerFrom: undefined,
  innerTo: undefined,
  dateTime: undefined,
  timestamp: undefined,
  stanza: undefined,
  cpim: undefined,
  pidf: undefined,
  bodies: [],
});

function jidOf(address: CpimAddress): Jid | undefined {
  return fromUri(address.uri)?.jid;
}

function parseXmlContent(entity: Entity, limits: Limits): PayloadContent | undefined {
  switch (entity.contentType?.type) {
    case 'application/pidf+xml':
      return pidfContent(parsePidf(charsetBytes(entity, 'utf-8'), limits));
    case 'application/xmpp+xml':
      return stanzaContent(parseXmppXml(charsetBytes(entity, 'utf-8'), limits));
    default:
      return undefined;
  }
}

function pidfContent(pidf: PidfPresence): PayloadContent {
  const presentity = fromUri(pidf.entity);
  if (presentity === undefined) throw invalid('PIDF entity is no XMPP address', pidf.entity);
  let timestamp: Instant | undefined;
  for (const tuple of pidf.tuples) {
    const instant = tupleInstant(tuple);
    if (instant !== undefined && !(timestamp !== undefined && timestamp.nanoseconds >= instant.nanoseconds)) {
      timestamp = instant;
    }
  }
  return { form: 'pidf', kind: 'presence', senders: [['PIDF entity', presentity.jid]], timestamp, pidf };
}

/**
 * What the stanza in application/xmpp+xml says.
 *
 * @throws {E2eError} PAYLOAD_INVALID for an address that is none
 */
export function stanzaContent(stanza: XmlElement): PayloadContent {
  const innerFrom = addressOf(stanza, 'from');
  const innerTo = addressOf(stanza, 'to');
  const senders = innerFrom === undefined ? [] : [['inner from', innerFrom] as const];
  return { form: 'xmpp+xml', kind: stanzaKind(stanza)!, senders, innerFrom, innerTo, stanza };
}

function addressOf(stanza: XmlElement, name: 'from' | 'to'): Jid | undefined {
  const text = stanza.attribute(name);
  return text === undefined ? undefined : verified(() => Jid.parse(text));
}

/** Text, or the same text in several languages. */
function parseTextContent(entity: Entity, limits: Limits): PayloadContent {
  const type = entity.contentType?.type;
  if (type === 'text/plain') return { form: 'cpim', kind: 'message', bodies: [parseTextPart(entity)] };
  if (type !== 'multipart/alternative') throw unexpected(entity);
  const parts = verified(() => parseMultipart(entity, { limits }).map((part) => parseEntity(part, { limits })));
  const bodies: LocalizedText[] = [];
  for (const part of parts) {
    // RFC 2046 section 5.1.4: a reader takes the alternatives that it knows. A layer among them is no alternative.
    if (part.contentType?.type === 'text/plain') bodies.push(parseTextPart(part));
    else if (part.contentType === undefined || isLayer(part.contentType.type)) throw unexpected(part);
  }
  if (bodies.length === 0) throw unexpected(entity);
  // RFC 6121 section 5.2.3: no two bodies in one language.
  if (new Set(bodies.map(({ lang }) => lang?.toLowerCase() ?? '')).size < bodies.length) {
    throw invalid('two texts in one language');
  }
  return { form: 'cpim', kind: 'message', bodies };
}

function isLayer(type: string): boolean {
  return layers.has(type) || type === 'message/cpim' || type.startsWith('multipart/');
}

function unexpected(entity: Entity): E2eError {
  const type = entity.contentType?.type ?? 'none';
  const isRefused = layers.has(type) || type === 'message/cpim';
  const code = isRefused ? 'ERR_E2E_LAYERS_REFUSED' : 'ERR_E2E_UNSUPPORTED';
  return new E2eError(code, 'parse', { reason: 'content type', subject: type });
}
