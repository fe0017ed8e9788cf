/**
 * The dialect of the Kontalk clients: Message/CPIM with LF line ends and OpenPGP User IDs in the place of addresses,
 * inside a binary OpenPGP message whose base64 is the text of `<e2e/>`.
 *
 *     payload  = "Content-type: Message/CPIM" LF LF headers LF "Content-type: " type LF LF body
 *     headers  = "From: " user-id LF "To: " user-id *( "; " user-id ) LF "DateTime: " date-time LF
 *     type     = "text/plain; charset=utf-8" / "application/xmpp+xml; charset=utf-8"
 *     user-id  = hash "@" host / name "<" hash "@" host ">"
 *
 * Those clients flag what does not fit and show it all the same; here it is refused as everywhere. CRLF is taken for
 * LF, and each header must be there once: of two `To` they believe the last, of which the first reader knows nothing.
 */

import { utf8, utf8Decode } from '../bytes.ts';
import type { DialectNames, DialectProfile } from '../e2e/dialect.ts';
import { E2eError } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import { jidOfUserId } from '../jid/user-id.ts';
import type { Limits } from '../limits.ts';
import { invalid, verified } from '../payload/invalid.ts';
import { mapMessage } from '../payload/message.ts';
import { emptyPayload, type Payload, stanzaContent } from '../payload/payload.ts';
import { parseXmppXml, refuseNestedE2e, serializeXmppXml, stanzaKind } from '../payload/xmpp-xml.ts';
import { formatInstant, type Instant, parseInstant } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import { withClientNamespace } from '../xml/stanza-namespace.ts';

const envelopeType = 'Content-type: Message/CPIM';
const textType = 'text/plain';
const stanzaType = 'application/xmpp+xml';

/**
 * The profile of the Kontalk clients, for sealing to them and opening what they sealed: for `profile` of
 * `sealStanza`, `openStanza` and `E2eSession`, with the OpenPGP backend.
 *
 * Their User IDs are mail addresses, so a certificate must be filed for the JID that it is spelled like. Their signing
 * subkeys are believed although they vouch for too little, which the verdict reports among its `exceptions`. Their
 * clocks may be a day off, and their times count seconds, so that `decreasing` is delivered, marked.
 */
export const kontalk: DialectProfile = Object.freeze<DialectProfile>({
  name: 'kontalk',
  backend: 'openpgp',
  packets: Object.freeze({
    bare: true,
    compress: true,
    sha256: true,
    shortFirstPart: true,
    primaryOnlyBackSignature: true,
    mailUserIds: true,
  }),
  windowSeconds: 86_400,
  fallbackBody: '(encrypted)',
  serialize,
  parse,
});

function serialize(stanza: XmlElement, { sender, recipients, at, form }: DialectNames): Uint8Array {
  const client = withClientNamespace(stanza);
  if (stanzaKind(client) !== 'message') throw unmappable('Kontalk seals messages only');
  refuseNestedE2e(client, 'map');
  for (const name of [sender, ...recipients]) {
    if (!isWritable(name)) throw unmappable('User ID', name);
  }
  const { subjects, body, loss } = mapMessage(client);
  const isText = loss.exact && subjects.length === 0 && body !== undefined && body.lang === undefined;
  if (form === 'cpim' && !isText) throw unmappable('would be lost', loss.dropped[0]);
  if (form === 'pidf') throw unmappable('Kontalk seals messages only');
  const plain = isText && form !== 'xmpp+xml';
  // Addresses and times of theirs stand outside and in the headers.
  const bare = client.withAttribute('from', undefined).withAttribute('to', undefined);
  const content = plain ? body.text : withoutDeclaration(utf8Decode(serializeXmppXml(bare), 'map'));
  const seconds = `${formatInstant(at).slice(0, 19)}+00:00`;
  const headers = `From: ${sender}\nTo: ${recipients.join('; ')}\nDateTime: ${seconds}\n`;
  const type = `Content-type: ${plain ? textType : stanzaType}; charset=utf-8`;
  return utf8(`${envelopeType}\n\n${headers}\n${type}\n\n${content}`, 'map');
}

function withoutDeclaration(document: string): string {
  return document.slice(document.indexOf('<xmpp'));
}

/** Whether it comes back as the one name it is: no separator of names or lines in it, and an address. */
function isWritable(name: string): boolean {
  return !/[;\p{Cc}]/u.test(name) && jidOfUserId(name, 'mail') !== undefined;
}

function parse(content: Uint8Array, limits: Limits): Payload {
  const text = verified(() => utf8Decode(content)).replaceAll('\r\n', '\n');
  const [envelope, afterEnvelope] = block(text);
  if (envelope.toLowerCase() !== envelopeType.toLowerCase()) throw invalid('not Message/CPIM');
  const [headers, afterHeaders] = block(afterEnvelope);
  const [type, body] = block(afterHeaders);
  const { from, to, dateTime } = parseHeaders(headers, limits);
  const found = contentOf(parseType(type), body, limits);
  const senders = [['CPIM From', from] as const, ...(found.senders ?? [])];
  // An inner address besides several recipients can name one of them at most, and says no more than the headers do.
  const { innerTo } = found;
  if (innerTo !== undefined && !to.some((jid) => jid.equals(innerTo.bare()))) throw invalid('inner "to"');
  return { ...emptyPayload, ...found, senders, recipients: to, innerTo: undefined, dateTime };
}

/** The text up to an empty line, and what follows it. */
function block(text: string): readonly [string, string] {
  const end = text.indexOf('\n\n');
  if (end === -1) throw invalid('headers without end');
  return [text.slice(0, end), text.slice(end + 2)];
}

interface Headers {
  readonly from: Jid;
  readonly to: readonly Jid[];
  readonly dateTime: Instant;
}

function parseHeaders(text: string, limits: Limits): Headers {
  if (text.length > limits.cpimHeaders * limits.cpimHeaderBytes) throw overLimit('CPIM headers');
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.length > limits.cpimHeaderBytes) throw overLimit('CPIM header line');
    const colon = line.indexOf(': ');
    const name = line.slice(0, Math.max(colon, 0));
    if (!names.has(name) || /\p{Cc}/u.test(line)) throw invalid('CPIM header', name);
    if (values.has(name)) throw invalid(`CPIM ${name} twice`);
    values.set(name, line.slice(colon + 2));
  }
  const [from, to, time] = [...names].map((name) => values.get(name));
  if (from === undefined || to === undefined || time === undefined) throw invalid('CPIM header missing');
  const recipients = to.split('; ');
  if (recipients.length > limits.recipients) throw overLimit('recipients');
  // One of the clients writes the offset without its colon.
  const dateTime = parseInstant(time.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  if (dateTime === undefined) throw invalid('CPIM DateTime', time);
  return { from: addressOf('From', from), to: recipients.map((name) => addressOf('To', name)), dateTime };
}

const names: ReadonlySet<string> = new Set(['From', 'To', 'DateTime']);

function addressOf(header: string, userId: string): Jid {
  const jid = jidOfUserId(userId, 'mail');
  if (jid === undefined) throw invalid(`CPIM ${header} is no User ID with an address`, userId);
  return jid;
}

function parseType(text: string): string {
  const prefix = 'content-type:';
  if (!text.toLowerCase().startsWith(prefix) || text.includes('\n')) throw invalid('CPIM content headers');
  const [type, ...parameters] = text.slice(prefix.length).toLowerCase().split(';');
  const charset = parameters.map((parameter) => parameter.trim()).filter((parameter) => parameter !== '');
  if (charset.some((parameter) => parameter !== 'charset=utf-8' && parameter !== 'charset="utf-8"')) {
    throw new E2eError('ERR_E2E_UNSUPPORTED', 'parse', {
      reason: 'parameter of the content type',
      subject: charset[0],
    });
  }
  return type!.trim();
}

function contentOf(type: string, body: string, limits: Limits): ReturnType<typeof stanzaContent> {
  if (type === stanzaType) {
    const content = stanzaContent(parseXmppXml(utf8(body), limits));
    if (content.kind !== 'message') throw invalid('not a message');
    return content;
  }
  if (type !== textType) {
    throw new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason: 'content type', subject: type });
  }
  if (body.startsWith('\ufeff')) throw invalid('byte order mark');
  return { form: 'cpim', kind: 'message', bodies: [{ lang: undefined, text: body }] };
}

function unmappable(reason: string, subject?: string): E2eError {
  return new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason, subject });
}

function overLimit(reason: string): E2eError {
  return new E2eError('ERR_E2E_LIMIT', 'parse', { reason });
}
