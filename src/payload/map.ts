/**
 * Stanza to payload: Message/CPIM with text, PIDF, or application/xmpp+xml (RFC 3922 sections 4.1 and 5.1, RFC 3923
 * sections 3, 4 and 5).
 *
 * RFC 3923 deviation: section 4.1: PIDF inside Message/CPIM by default, since alone it names no recipient.
 */

import { joinPieces } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import { Jid } from '../jid/jid.ts';
import { toUri } from '../jid/uri.ts';
import { serializeEntity, serializeTextEntity } from '../mime/entity.ts';
import { formatInstant } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import { withClientNamespace } from '../xml/stanza-namespace.ts';
import { type CpimDraft, cpimPieces } from './cpim.ts';
import type { Loss } from './loss.ts';
import { mapMessage } from './message.ts';
import { serializePidf } from './pidf.ts';
import { mapPresence } from './presence.ts';
import { serializeTextPart } from './text-part.ts';
import { refuseNestedE2e, serializeXmppXml, stanzaKind } from './xmpp-xml.ts';

/** The forms that a payload can take; each names its innermost content. */
export type PayloadForm = 'cpim' | 'pidf' | 'xmpp+xml';

/** What mapping needs beside the stanza. */
export interface MapOptions {
  /** What to do with what a form cannot say: refuse the stanza, or leave it out and report it, as gateways do. */
  readonly loss: 'refuse' | 'report';
  readonly from: Jid;
  /** One or more recipients. */
  readonly to: readonly Jid[];
  /** The signed time, in nanoseconds since 1970 (RFC 3923 section 6.9). */
  readonly at: bigint;
  /** Whether PIDF and application/xmpp+xml go inside Message/CPIM, which names recipients and time. */
  readonly wrapped: boolean;
  /** The language of the stream, for a stanza in application/xmpp+xml that names none. */
  readonly streamLang?: string | undefined;
}

/** Options of {@link mapStanza}. */
export interface MapStanzaOptions extends MapOptions {
  /** `auto` takes Message/CPIM with text or PIDF where they lose nothing, and application/xmpp+xml otherwise. */
  readonly form: 'auto' | PayloadForm;
}

/** A mapped stanza. */
export interface Mapped {
  /** A MIME entity; its line ends are CRLF throughout, so that no transport can change them. */
  readonly entity: Uint8Array;
  readonly form: PayloadForm;
  /** What the form could not say; empty with `loss: 'refuse'`. */
  readonly dropped: readonly string[];
}

/**
 * Maps a stanza to a payload.
 *
 * @param stanza a message, presence or iq, without the children meant for servers
 * @throws {E2eError} UNMAPPABLE; LAYERS_REFUSED for a sealed stanza
 */
export function mapStanza(stanza: XmlElement, options: MapStanzaOptions): Mapped {
  switch (options.form) {
    case 'cpim':
      return mapToCpim(stanza, options);
    case 'pidf':
      return mapToPidf(stanza, options);
    case 'xmpp+xml':
      return mapToXmppXml(stanza, options);
    case 'auto':
      return mapToSimplest(stanza, options);
  }
}

/** Only where mapping back gives the same stanza but for id, type and resource, which stay outside. */
function mapToSimplest(stanza: XmlElement, options: MapOptions): Mapped {
  const client = clientStanza(stanza);
  const kind = stanzaKind(client);
  const type = client.attribute('type');
  // An address without localpart has no im: or pres: URI.
  if ([options.from, ...options.to].every((jid) => jid.local !== '')) {
    const plainMessage = kind === 'message' && (type === undefined || type === 'normal' || type === 'chat');
    if (plainMessage) {
      const mapped = mapMessage(client);
      if (mapped.loss.exact) return cpimOf(mapped, options);
    }
    if (kind === 'presence' && (type === undefined || type === 'unavailable')) {
      const mapped = mapPresence(client, presenceOptions(client, options));
      if (mapped.loss.exact) return pidfOf(mapped, options);
    }
  }
  return mapToXmppXml(client, options);
}

/**
 * Maps a message to Message/CPIM with text (RFC 3922 section 4.1).
 *
 * @throws {E2eError} UNMAPPABLE; LAYERS_REFUSED for a sealed stanza
 */
export function mapToCpim(stanza: XmlElement, options: MapOptions): Mapped {
  const client = clientStanza(stanza);
  if (stanzaKind(client) !== 'message') throw unmappable('only messages map to text in Message/CPIM');
  refuseNestedE2e(client, 'map');
  const mapped = mapMessage(client);
  return { ...cpimOf(mapped, options), dropped: judge(mapped.loss, client, ['id', 'type'], options) };
}

function cpimOf({ subjects, body }: ReturnType<typeof mapMessage>, options: MapOptions): Mapped {
  const content = serializeTextPart(body ?? { lang: undefined, text: '' });
  return {
    entity: wrap({ subjects, content: { raw: content }, ...addresses(options, imUri) }),
    form: 'cpim',
    dropped: [],
  };
}

/**
 * Maps an available or unavailable presence to PIDF (RFC 3922 section 5.1).
 *
 * @throws {E2eError} UNMAPPABLE; LAYERS_REFUSED for a sealed stanza
 */
export function mapToPidf(stanza: XmlElement, options: MapOptions): Mapped {
  const client = clientStanza(stanza);
  if (stanzaKind(client) !== 'presence') throw unmappable('only presence maps to PIDF');
  refuseNestedE2e(client, 'map');
  const mapped = mapPresence(client, presenceOptions(client, options));
  return { ...pidfOf(mapped, options), dropped: judge(mapped.loss, client, ['id'], options) };
}

function pidfOf({ tuple }: ReturnType<typeof mapPresence>, options: MapOptions): Mapped {
  const entity = toUri(options.from.bare(), 'pres');
  const document = serializePidf({ entity, tuples: [tuple], notes: [], extensions: [] });
  // RFC 3922 section 5.1.1: the CPIM addresses are im: URIs, the entity of the document is a pres: URI.
  return { entity: typed('application/pidf+xml', document, options, imUri), form: 'pidf', dropped: [] };
}

/**
 * Maps any stanza to application/xmpp+xml (RFC 3923 section 5). Nothing is lost.
 *
 * @throws {E2eError} UNMAPPABLE for what is no stanza; LAYERS_REFUSED for a sealed stanza
 */
export function mapToXmppXml(stanza: XmlElement, options: MapOptions): Mapped {
  let client = clientStanza(stanza);
  // With several recipients an inner "to" would name one of them to all.
  if (options.to.length > 1) client = client.withAttribute('to', undefined);
  // Bare, the inner "to" is all that keeps a recipient from passing the object on as made for somebody else.
  else if (!options.wrapped && client.attribute('to') === undefined) {
    client = client.withAttribute('to', options.to[0]?.toString());
  }
  const document = serializeXmppXml(client, options.streamLang);
  return { entity: typed('application/xmpp+xml', document, options, anyUri), form: 'xmpp+xml', dropped: [] };
}

function clientStanza(stanza: XmlElement): XmlElement {
  const client = withClientNamespace(stanza);
  if (stanzaKind(client) === undefined) throw unmappable('not a message, presence or iq stanza');
  return client;
}

function presenceOptions(stanza: XmlElement, { from, at }: MapOptions): Parameters<typeof mapPresence>[1] {
  return { resource: from.resource || resourceOf(stanza), contact: imUri(from), timestamp: formatInstant(at) };
}

function resourceOf(stanza: XmlElement): string {
  try {
    return Jid.parse(stanza.attribute('from') ?? '').resource;
  } catch {
    return '';
  }
}

function judge(loss: Loss, stanza: XmlElement, routing: readonly string[], options: MapOptions): readonly string[] {
  if (options.loss === 'report') {
    return [...loss.dropped, ...routing.filter((name) => stanza.attribute(name) !== undefined)];
  }
  const [first] = loss.dropped;
  if (first === undefined) return [];
  throw new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason: 'would be lost', subject: first });
}

function typed(type: string, document: Uint8Array, options: MapOptions, uri: (jid: Jid) => string): Uint8Array {
  const raw = serializeEntity([{ name: 'Content-Type', value: `${type}; charset=utf-8` }], document);
  return options.wrapped ? wrap({ content: { raw }, ...addresses(options, uri) }) : raw;
}

function addresses(
  { from, to, at }: MapOptions,
  uri: (jid: Jid) => string,
): Pick<CpimDraft, 'from' | 'to' | 'dateTime'> {
  const address = (jid: Jid): { formalName: undefined; uri: string } => ({ formalName: undefined, uri: uri(jid) });
  return { from: address(from), to: to.map(address), dateTime: formatInstant(at) };
}

function imUri(jid: Jid): string {
  return toUri(jid.bare(), 'im');
}

/** Servers and services have no im: address; RFC 5122 names them. */
function anyUri(jid: Jid): string {
  return toUri(jid.bare(), jid.local === '' ? 'xmpp' : 'im');
}

function wrap(draft: CpimDraft): Uint8Array {
  const headers = serializeTextEntity([{ name: 'Content-Type', value: 'Message/CPIM' }], '', '\r\n');
  return joinPieces([headers, ...cpimPieces(draft)], 'map');
}

function unmappable(reason: string): E2eError {
  return new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason });
}
