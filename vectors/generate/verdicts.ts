/**
 * Vectors of what a recipient may believe: time, order, identity, binding, policy and replies. Signed by certificates of
 * one root that Romeo trusts, and the same in every run. Long, since it is a table.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oids } from '../../src/asn1/oids.ts';
import { timeElement } from '../../src/asn1/time.ts';
import { type DerPart, der, derContext, derOid, derSequence } from '../../src/asn1/writer.ts';
import { utf8 } from '../../src/bytes.ts';
import type { EarlierStanza, Vector, VectorExpectation, VectorPolicy } from '../../src/cli/vector-file.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import { parseXml, serializeXml } from '../../src/index.ts';
import { serializeExtension } from '../../src/x509/extension.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { type Authority, issue, rsaKeys } from './authorities.ts';
import { attribute, encryptedData, multipartSigned, pkcs7Mime, signedData, usualAttributes } from './messages.ts';
import { juliet, mallory, romeo } from './people.ts';
import type { Suite } from './suite.ts';

const folder = 'verdicts';
const at = '2026-06-01T12:00:00.000Z';
const start = Date.parse(at);
const rfc39 = 'RFC 3923 §6.9';
const rfc33 = 'RFC 3923 §6.3';

/** The moment so many seconds after {@link at}. */
const after = (seconds: number): string => new Date(start + Math.round(seconds * 1000)).toISOString();
const day = 86_400;

const uri = (text: string): DerPart => der(0x86, utf8(text));
const mail = (text: string): DerPart => der(0x81, utf8(text));
const xmppAddr = (text: string): DerPart => derContext(0, derOid(oids.xmppAddr), derContext(0, der(0x0c, utf8(text))));

const root = issue({ name: 'Verdict vectors root', ca: true });

/** An end entity of the root with these names. */
function named(label: string, ...names: readonly DerPart[]): Authority {
  const extensions = names.length === 0 ? [] : [serializeExtension(oids.subjectAltName, false, derSequence(...names))];
  return issue({ name: label, issuer: root, extensions });
}

const her = named('Juliet', uri(`im:${juliet}`));
const she = named('Mallory', uri(`im:${mallory}`));
const him = issue({
  ...{ name: 'Romeo', issuer: root, keys: rsaKeys('romeo of the verdict vectors', 2048) },
  keyUsage: ['digitalSignature', 'keyEncipherment'],
  extensions: [serializeExtension(oids.subjectAltName, false, derSequence(uri(`im:${romeo}`)))],
});
/** Filed by Romeo for Juliet, and issued by nobody. */
const pinned = issue({
  ...{ name: 'Juliet by herself' },
  extensions: [serializeExtension(oids.subjectAltName, false, derSequence(xmppAddr(juliet)))],
});

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

function lines(headers: Headers): string {
  const all: Headers = { From: `<im:${juliet}>`, To: `<im:${romeo}>`, DateTime: at, ...headers };
  return Object.entries(all)
    .flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`)))
    .join('');
}

const cpim = (headers: Headers = {}, body = 'Hi'): Uint8Array =>
  utf8(`Content-Type: Message/CPIM\r\n\r\n${lines(headers)}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}`);

const xmppXml = (stanza: string): string =>
  `Content-Type: application/xmpp+xml; charset=utf-8\r\n\r\n<xmpp xmlns='jabber:client'>${stanza}</xmpp>`;

const wrapped = (stanza: string, headers: Headers = {}): Uint8Array =>
  utf8(`Content-Type: Message/CPIM\r\n\r\n${lines(headers)}\r\n${xmppXml(stanza)}`);

const pidf = (timestamp: string): Uint8Array =>
  utf8(
    `Content-Type: application/pidf+xml; charset=utf-8\r\n\r\n<?xml version='1.0' encoding='UTF-8'?>` +
      `<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:${juliet}'><tuple id='t1'>` +
      `<status><basic>open</basic></status><timestamp>${timestamp}</timestamp></tuple></presence>`,
  );

interface Signed {
  readonly by?: Authority;
  /** Whether the certificate goes along: it does unless given. */
  readonly carried?: boolean;
  /** The signingTime attribute. */
  readonly signedAt?: string;
  /** No signed attributes at all. */
  readonly bare?: boolean;
  /** What the signature is about, where it is not the content. */
  readonly about?: Uint8Array;
}

function sign(
  content: Uint8Array,
  { by = her, carried = true, signedAt, bare = false, about }: Signed = {},
): Uint8Array {
  const time = signedAt === undefined ? [] : [attribute(oids.signingTime, timeElement(new Date(signedAt)))];
  const attributes = bare ? null : (digest: Uint8Array) => [...usualAttributes(digest), ...time];
  const certificates = carried ? undefined : [];
  return multipartSigned(content, signedData({ content, signers: [{ by, attributes, about }], certificates }));
}

const encrypt = (content: Uint8Array, cipher: 'gcm' | 'cbc', transport: 'oaep' | 'pkcs1v15' = 'oaep'): Uint8Array =>
  pkcs7Mime(
    encryptedData({ content, to: him, cipher, transport }),
    cipher === 'gcm' ? 'authEnveloped-data' : 'enveloped-data',
  );

interface Outer {
  readonly kind?: 'message' | 'presence' | 'iq';
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  readonly beside?: string;
}

function stanza(entity: Uint8Array, outer: Outer = {}): string {
  const { kind = 'message', beside = '' } = outer;
  const all = {
    ...{ from: `${juliet}/balcony`, to: romeo, id: 'm1' },
    ...(kind === 'message' && { type: 'chat' }),
    ...outer,
  };
  const attributes = (['from', 'to', 'type', 'id'] as const).map((name) => {
    const value = (all as Outer)[name];
    return value === undefined ? '' : ` ${name}='${value}'`;
  });
  return serializeXml(
    wrap(parseXml(`<${kind} xmlns='jabber:client'${attributes.join('')}>${beside}</${kind}>`), entity),
  );
}

/** A message of Juliet with text, signed at a time. */
const said = (headers: Headers = {}, outer: Outer = {}, signed: Signed = {}): string =>
  stanza(sign(cpim(headers), signed), outer);
const later = (seconds: number, body = 'Hi', outer: Outer = {}): string =>
  stanza(sign(cpim({ DateTime: after(seconds) }, body)), outer);
const delay = (...stamps: readonly string[]): Outer => ({
  beside: stamps.map((stamp) => `<delay xmlns='urn:xmpp:delay' stamp='${stamp}'/>`).join(''),
});

type More = Omit<Vector, 'id' | 'comment' | 'rfc' | 'result' | 'input' | 'expect'>;

function good(
  id: string,
  comment: string,
  rfc: string,
  input: string,
  expect: VectorExpectation,
  more: More = {},
): Vector {
  return { id: `verdict::${id}`, comment, rfc: [rfc], result: 'valid', input, ...more, expect };
}

function bad(
  id: string,
  comment: string,
  rfc: string,
  input: string,
  [code, stage, reply]: readonly [code: string, stage: string, reply?: string | null],
  more: More = {},
  found: Pick<VectorExpectation, 'level' | 'pin'> = {},
): Vector {
  const expect = { code: `ERR_E2E_${code}`, stage, ...(reply !== undefined && { reply }), ...found };
  return { id: `verdict::${id}`, comment, rfc: [rfc], result: 'invalid', input, ...more, expect };
}

/** The reply of section 7 to the usual stanza. */
function answer(condition: string, application?: string, kind = 'message'): string {
  const type = condition === 'service-unavailable' ? 'cancel' : 'modify';
  const more = application === undefined ? '' : `<${application} xmlns='urn:ietf:params:xml:ns:xmpp-e2e'/>`;
  return (
    `<${kind} xmlns='jabber:client' from='${romeo}' to='${juliet}/balcony' id='m1' type='error'><error type='${type}'>` +
    `<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>${more}</error></${kind}>`
  );
}

const T = answer('not-acceptable', 'bad-timestamp');
const S = answer('not-acceptable', 'unverified-signature');
const D = answer('bad-request', 'decryption-failed');
const timestamp = ['TIMESTAMP', 'check', T] as const;
const senderMismatch = ['SENDER_MISMATCH', 'check', S] as const;
const recipientMismatch = ['RECIPIENT_MISMATCH', 'check', S] as const;
const payloadInvalid = ['PAYLOAD_INVALID', 'check', null] as const;
const lax = { policy: 'rfc3923' } as const;
const custom = (rules: Omit<Exclude<VectorPolicy, string>, 'base'>, base: 'strict' | 'rfc3923' = 'strict') => ({
  policy: { base, ...rules },
});

const times: readonly Vector[] = [
  good('time::now', 'signed and received at the same moment', rfc39, said(), {
    ...{ time: 'ok', signed: at, timeSource: 'cpim', replay: 'checked', sender: juliet, recipientBound: true },
    ...{ authenticated: true, claimedFrom: juliet, recipients: [romeo], backend: 'smime', protection: 'sign' },
  }),
  good('time::oldest', 'received 300 s later', rfc39, said(), { time: 'ok' }, { at: after(300) }),
  bad('time::too-old', 'received 300.001 s later', rfc39, said(), timestamp, { at: after(300.001) }),
  good('time::newest', 'received 300 s before it was signed', rfc39, said(), { time: 'ok' }, { at: after(-300) }),
  bad('time::too-new', 'received 300.001 s before it was signed', rfc39, said(), timestamp, { at: after(-300.001) }),
  good('time::old-marked', 'old, which the RFC marks', rfc39, said(), { time: 'old' }, { ...lax, at: after(300.001) }),
  good(
    'time::future-marked',
    'early, which the RFC marks',
    rfc39,
    said(),
    { time: 'future' },
    {
      ...lax,
      at: after(-300.001),
    },
  ),
  good(
    'time::microsecond-inside',
    'a microsecond inside the window',
    rfc39,
    said({ DateTime: '2026-06-01T11:55:00.000001Z' }),
    {
      ...{ time: 'ok', signed: '2026-06-01T11:55:00.000001Z' },
    },
  ),
  bad(
    'time::microsecond-outside',
    'a microsecond outside the window',
    rfc39,
    said({ DateTime: '2026-06-01T11:54:59.999999Z' }),
    timestamp,
  ),
  good('time::zero-offset', 'an offset of +00:00', rfc39, said({ DateTime: '2026-06-01T12:00:00+00:00' }), {
    signed: at,
  }),
  bad(
    'time::unknown-offset',
    'an offset of -00:00: the local one is not known',
    'RFC 3339 §4.3',
    said({ DateTime: '2026-06-01T12:00:00-00:00' }),
    timestamp,
  ),
  bad('time::other-offset', 'an offset of +02:00', rfc39, said({ DateTime: '2026-06-01T14:00:00+02:00' }), timestamp),
  good(
    'time::other-offset-marked',
    'an offset of +02:00 is read by the RFC policy',
    rfc39,
    said({ DateTime: '2026-06-01T14:00:00+02:00' }),
    { time: 'ok', signed: at },
    lax,
  ),
  good(
    'time::leap-second',
    'a leap second is the second after it',
    'RFC 3339 §5.7',
    said({ DateTime: '2026-06-30T23:59:60Z' }),
    { time: 'ok', signed: '2026-07-01T00:00:00.000Z' },
    { at: '2026-07-01T00:00:00Z' },
  ),
  bad('time::february-30', 'a day that does not exist', 'RFC 3339 §5.7', said({ DateTime: '2026-02-30T12:00:00Z' }), [
    'PAYLOAD_INVALID',
    'parse',
    null,
  ]),
  bad('time::absent', 'no time at all', rfc39, said({ DateTime: undefined }), timestamp),
  good(
    'time::absent-marked',
    'no time at all, which the RFC policy marks',
    rfc39,
    said({ DateTime: undefined }),
    { time: 'absent', replay: 'off' },
    lax,
  ),
  good(
    'time::signing-time',
    'the time in the signature where there is no other',
    'RFC 5652 §11.3',
    said({ DateTime: undefined }, {}, { signedAt: at }),
    { time: 'ok', signed: at, timeSource: 'signature' },
  ),
  good('time::two-times-near', 'two signed times 300 s apart', rfc39, said({}, {}, { signedAt: after(300) }), {
    timeSource: 'cpim',
    signed: at,
  }),
  bad('time::two-times-far', 'two signed times 301 s apart', rfc39, said({}, {}, { signedAt: after(301) }), timestamp),
  good(
    'time::narrow-window',
    'exactly at the edge of a window of 10 s',
    rfc39,
    said(),
    { time: 'ok' },
    { ...custom({ time: { windowSeconds: 10 } }), at: after(10) },
  ),
  bad('time::narrow-window-missed', 'one millisecond past a window of 10 s', rfc39, said(), timestamp, {
    ...custom({ time: { windowSeconds: 10 } }),
    at: after(10.001),
  }),
  good(
    'time::deliver-old',
    'old, under a policy that delivers that',
    rfc39,
    said(),
    { time: 'old', sender: juliet },
    { ...custom({ time: { deliver: ['ok', 'old'] } }), at: after(day) },
  ),
];

const dayLater = { at: after(day) };

const delays: readonly Vector[] = [
  good(
    'delay::stamp',
    'a day on its way, with a delay stamp near the signed time',
    'XEP-0203',
    said({}, delay(after(2))),
    { time: 'delayed', outside: ['{urn:xmpp:delay}delay'] },
    dayLater,
  ),
  good(
    'delay::stamp-edge',
    'a delay stamp 300 s after the signed time',
    'XEP-0203',
    said({}, delay(after(300))),
    { time: 'delayed' },
    dayLater,
  ),
  bad(
    'delay::stamp-far',
    'a delay stamp 301 s after the signed time',
    'XEP-0203',
    said({}, delay(after(301))),
    timestamp,
    dayLater,
  ),
  bad(
    'delay::stamp-fresh',
    'a delay stamp of today explains nothing',
    'XEP-0203',
    said({}, delay(after(day))),
    timestamp,
    dayLater,
  ),
  bad(
    'delay::two-stamps',
    'of two delay stamps the later one counts',
    'XEP-0203',
    said({}, delay(after(2), after(day))),
    timestamp,
    dayLater,
  ),
  bad(
    'delay::nonsense',
    'a delay stamp that is no time',
    'XEP-0203',
    said({}, delay('yesterday')),
    timestamp,
    dayLater,
  ),
  bad('delay::future', 'no stamp explains a time that has not come', 'XEP-0203', said({}, delay(at)), timestamp, {
    at: after(-600),
  }),
  good('delay::punctual', 'a stamp makes nothing late that is on time', 'XEP-0203', said({}, delay(after(-day))), {
    time: 'ok',
  }),
  bad(
    'delay::young-memory',
    'what is older than the memory of accepted stanzas may have been seen',
    rfc39,
    said({}, delay(after(2))),
    timestamp,
    { ...dayLater, since: after(1) },
  ),
  good(
    'delay::memory-edge',
    'the memory begins with the signed time',
    rfc39,
    said({}, delay(after(2))),
    { time: 'delayed' },
    { ...dayLater, since: at },
  ),
  good(
    'delay::forged-marked',
    'a forged stamp under the RFC policy',
    rfc39,
    said({}, delay(after(day))),
    { time: 'old' },
    { ...dayLater, ...lax },
  ),
  bad(
    'delay::not-delivered',
    'under a policy that delivers nothing late',
    rfc39,
    said({}, delay(after(2))),
    timestamp,
    { ...dayLater, ...custom({ time: { deliver: ['ok'] } }) },
  ),
];

const mine = said(
  { From: `<im:${romeo}>`, To: `<im:${juliet}>` },
  { from: `${romeo}/orchard`, to: juliet },
  { by: him },
);

const contexts: readonly Vector[] = [
  good(
    'context::offline',
    'from offline storage, a day late',
    rfc39,
    said(),
    { time: 'delayed', replay: 'checked' },
    { ...dayLater, context: 'offline' },
  ),
  bad('context::offline-again', 'from offline storage, twice', rfc39, said(), ['REPLAYED', 'check', T], {
    ...dayLater,
    context: 'offline',
    repeat: 2,
  }),
  good(
    'context::archive',
    'from an archive, a day late',
    rfc39,
    said(),
    { time: 'delayed', replay: 'checked' },
    { ...dayLater, context: 'archive' },
  ),
  good(
    'context::archive-again',
    'an archive may be asked again',
    rfc39,
    said(),
    { time: 'delayed', replay: 'checked' },
    { ...dayLater, context: 'archive', repeat: 3 },
  ),
  good(
    'context::archive-known',
    'received before, then found in the archive',
    rfc39,
    said(),
    { replay: 'known' },
    { ...dayLater, context: 'archive', before: [{ input: said(), at }] },
  ),
  bad('context::archive-future', 'from an archive, and from the future', rfc39, said(), timestamp, {
    at: after(-301),
    context: 'archive',
  }),
  good(
    'context::retry',
    'judged at the time of first receipt',
    rfc39,
    said(),
    { time: 'ok' },
    { ...dayLater, context: { retry: after(10) } },
  ),
  bad('context::retry-late', 'too old when it was first received', rfc39, said(), timestamp, {
    ...dayLater,
    context: { retry: after(301) },
  }),
  bad('context::retry-again', 'a retry of what was accepted', rfc39, said(), ['REPLAYED', 'check', T], {
    ...dayLater,
    context: { retry: after(10) },
    before: [{ input: said(), at }],
  }),
  good(
    'context::sent',
    'a copy of my own message',
    'XEP-0280',
    mine,
    { sender: romeo, recipients: [juliet], time: 'ok' },
    { context: 'sent' },
  ),
  good(
    'context::sent-archive',
    'a copy of my own message in the archive',
    'XEP-0313',
    mine,
    { sender: romeo, time: 'delayed' },
    { ...dayLater, context: 'sent-archive' },
  ),
  bad(
    'context::sent-by-another',
    'a message of somebody else as a copy of mine',
    'XEP-0280 §11',
    said(),
    ['SENDER_MISMATCH', 'check'],
    { context: 'sent' },
  ),
  bad(
    'context::sent-to-another',
    'a copy of mine to another than the one it was made for',
    'XEP-0280 §11',
    mine.replace(`to="${juliet}"`, `to="${mallory}"`),
    ['RECIPIENT_MISMATCH', 'check'],
    { context: 'sent' },
  ),
  bad(
    'context::sent-to-nobody',
    'a copy of mine to nobody',
    'XEP-0280 §11',
    mine.replace(` to="${juliet}"`, ''),
    ['RECIPIENT_MISMATCH', 'check'],
    { context: 'sent' },
  ),
  bad('context::own-as-received', 'my own message, as if it had come to me', 'RFC 3923 §11', mine, [
    'RECIPIENT_MISMATCH',
    'check',
  ]),
];

const accepted = (input: string, when?: string): readonly EarlierStanza[] => [
  { input, ...(when !== undefined && { at: when }) },
];

const order: readonly Vector[] = [
  bad('order::replayed', 'the same stanza again', 'RFC 3923 §11', said(), ['REPLAYED', 'check', T], {
    before: accepted(said()),
  }),
  bad(
    'order::replayed-marked',
    'the same stanza again: no policy delivers it',
    'RFC 3923 §11',
    said(),
    ['REPLAYED', 'check', T],
    { ...lax, before: accepted(said()) },
  ),
  bad(
    'order::replayed-elsewhere',
    'the same signed object under another id',
    'RFC 3923 §11',
    said({}, { id: 'm2' }),
    ['REPLAYED', 'check'],
    { before: accepted(said()) },
  ),
  bad(
    'order::replayed-from-resource',
    'the same signed object from another device',
    'RFC 3923 §11',
    said({}, { from: `${juliet}/tomb` }),
    ['REPLAYED', 'check'],
    { before: accepted(said()) },
  ),
  bad('order::decreasing', 'signed a second before one that was accepted', rfc39, later(1, 'one'), timestamp, {
    before: accepted(later(2, 'two')),
  }),
  bad('order::equal', 'signed at the same time as one that was accepted', rfc39, later(1, 'one'), timestamp, {
    before: accepted(later(1, 'two')),
  }),
  good(
    'order::increasing',
    'signed a microsecond after one that was accepted',
    rfc39,
    said({ DateTime: '2026-06-01T12:00:00.000001Z' }),
    { time: 'ok' },
    { before: accepted(said()) },
  ),
  good(
    'order::decreasing-marked',
    'out of order, which the RFC policy marks',
    rfc39,
    later(1, 'one'),
    { time: 'decreasing' },
    { ...lax, before: accepted(later(2, 'two')) },
  ),
  good(
    'order::other-device',
    'the clock of another device',
    rfc39,
    later(1, 'one', { from: `${juliet}/tomb` }),
    { time: 'ok' },
    { before: accepted(later(2, 'two')) },
  ),
  good(
    'order::other-sender',
    'the clock of another sender',
    rfc39,
    later(1, 'one'),
    { time: 'ok' },
    {
      before: accepted(said({ From: `<im:${mallory}>`, DateTime: after(299) }, { from: mallory }, { by: she })),
    },
  ),
  good(
    'order::forgotten',
    'order is remembered for so long',
    rfc39,
    later(4, 'one'),
    { time: 'ok' },
    {
      ...custom({ time: { decreasingSeconds: 10 } }),
      ...{ at: after(10.001), before: accepted(later(5, 'two'), at) },
    },
  ),
  bad('order::remembered', 'and not less', rfc39, later(4, 'one'), timestamp, {
    ...custom({ time: { decreasingSeconds: 10 } }),
    ...{ at: after(10), before: accepted(later(5, 'two'), at) },
  }),
  good(
    'order::offline',
    'offline storage has no order',
    rfc39,
    later(1, 'one'),
    { time: 'ok' },
    {
      context: 'offline',
      before: [{ input: later(2, 'two'), context: 'offline' }],
    },
  ),
  good(
    'order::refused-before',
    'what was refused leaves no trace',
    rfc39,
    said(),
    { time: 'ok' },
    {
      before: [{ input: said({}, { to: mallory }), result: 'invalid' }],
    },
  ),
  bad(
    'order::forged-copy-first',
    'nor does a copy that was accepted lose its trace',
    rfc39,
    said(),
    ['REPLAYED', 'check'],
    {
      before: [{ input: said({}, { to: mallory }), result: 'invalid' }, { input: said() }],
    },
  ),
  bad(
    'order::evicted',
    'forgotten for want of room, and not accepted again',
    rfc39,
    later(1, 'one'),
    ['REPLAYED', 'check'],
    {
      ...{ ...lax, maxEntries: 1 },
      before: [{ input: later(1, 'one') }, { input: later(2, 'two') }, { input: later(3, 'three') }],
    },
  ),
];

const by = (label: string, ...names: readonly DerPart[]): string => said({}, {}, { by: named(label, ...names) });
const fullwidth = '\uff4auliet@example.com';
const idn = 'juliet@b\u00fccher.example';
const idnAscii = 'juliet@xn--bcher-kva.example';

const identities: readonly Vector[] = [
  good('identity::im', 'an im: URI', rfc33, said(), { identity: 'im' }),
  good('identity::xmpp-addr', 'id-on-xmppAddr', 'RFC 6120 §13.7.1.4', by('xmppAddr', xmppAddr(juliet)), {
    identity: 'xmpp-addr',
  }),
  good('identity::pres', 'a pres: URI', rfc33, by('pres', uri(`pres:${juliet}`)), { identity: 'pres' }),
  good('identity::xmpp', 'an xmpp: URI', 'RFC 5122', by('xmpp', uri(`xmpp:${juliet}`)), { identity: 'xmpp' }),
  good(
    'identity::among-others',
    'among the names of others',
    rfc33,
    by('many', uri(`im:${mallory}`), mail(juliet), uri(`im:${juliet}`)),
    { identity: 'im', sender: juliet },
  ),
  good('identity::filed', 'a certificate that was filed for the address', rfc33, said({}, {}, { by: pinned }), {
    identity: 'xmpp-addr',
    sender: juliet,
  }),
  good(
    'identity::percent',
    'a percent-encoded letter',
    'RFC 3986 §2.1',
    by('percent', uri(`im:%6Auliet@example.com`)),
    { identity: 'im' },
  ),
  bad('identity::none', 'no name at all', rfc33, by('none'), senderMismatch),
  bad('identity::common-name', 'the address as common name', rfc33, by(juliet), senderMismatch),
  bad('identity::mail', 'the address as mail address', rfc33, by('mail', mail(juliet)), senderMismatch),
  bad('identity::mailto', 'the address as mailto: URI', rfc33, by('mailto', uri(`mailto:${juliet}`)), senderMismatch),
  bad('identity::another', 'the name of another', rfc33, said({}, {}, { by: she }), senderMismatch),
  bad(
    'identity::upper-case',
    'a name in upper case is not in normal form',
    'RFC 7622 §3.3',
    by('upper', xmppAddr('JULIET@EXAMPLE.COM')),
    senderMismatch,
  ),
  bad(
    'identity::full-width',
    'a full-width letter is not in normal form',
    'RFC 7622 §3.3',
    by('wide', xmppAddr(fullwidth)),
    senderMismatch,
  ),
  bad('identity::resource', 'a full JID', rfc33, by('resource', xmppAddr(`${juliet}/balcony`)), senderMismatch),
  bad('identity::final-dot', 'a final dot', 'RFC 7622 §3.2', by('dot', xmppAddr(`${juliet}.`)), senderMismatch),
  bad(
    'identity::zero-width',
    'a zero-width joiner',
    'RFC 7622 §3.3',
    by('joiner', xmppAddr('jul\u200diet@example.com')),
    senderMismatch,
  ),
  bad(
    'identity::nul',
    'a NUL after the address',
    rfc33,
    by('nul', xmppAddr(`${juliet}\u0000.example.org`)),
    senderMismatch,
  ),
  bad(
    'identity::subdomain',
    'a domain above that of the sender',
    rfc33,
    by('sub', xmppAddr('juliet@com')),
    senderMismatch,
  ),
  good(
    'identity::u-label',
    'the sender by A-labels, the certificate by U-labels',
    'RFC 5890 §2.3.2',
    said({ From: `<im:${encodeURI(idn)}>` }, { from: `${idnAscii}/x` }, { by: named('u-label', xmppAddr(idn)) }),
    { identity: 'xmpp-addr' },
  ),
  good(
    'identity::a-label',
    'the sender by U-labels, the certificate by A-labels',
    'RFC 5890 §2.3.2',
    said({ From: `<im:${encodeURI(idn)}>` }, { from: `${idn}/x` }, { by: named('a-label', uri(`im:${idnAscii}`)) }),
    { identity: 'im' },
  ),
  good(
    'identity::outer-prepared',
    'an outer address is brought into normal form first',
    'RFC 7622 §3.3',
    said({}, { from: 'JULIET@Example.COM./balcony' }),
    { sender: juliet },
  ),
  bad(
    'identity::look-alike',
    'a Cyrillic letter in the outer address',
    'RFC 7622 §8',
    said({}, { from: 'jul\u0456et@example.com/balcony' }),
    ['SENDER_MISMATCH', 'check'],
  ),
];

const inner = (attributes: string, children = '<body>Hi</body>'): string =>
  `<message ${attributes}>${children}</message>`;
const sealedXml = (attributes: string, headers: Headers = {}, outer: Outer = {}): string =>
  stanza(sign(wrapped(inner(attributes), headers)), outer);
const bareXml = (attributes: string, signed: Signed = {}): string =>
  stanza(sign(utf8(xmppXml(inner(attributes))), signed));

const bindings: readonly Vector[] = [
  bad('binding::from', 'CPIM From is another', rfc33, said({ From: `<im:${mallory}>` }), senderMismatch),
  bad('binding::to', 'CPIM To is another', 'RFC 3923 §11', said({ To: `<im:${mallory}>` }), recipientMismatch),
  good(
    'binding::several',
    'one of several in CPIM To',
    'RFC 3862 §4.2',
    said({ To: [`<im:${mallory}>`, `<im:${romeo}>`] }),
    { recipients: [mallory, romeo], recipientBound: true },
  ),
  good('binding::cc', 'in CPIM cc', 'RFC 3862 §4.3', said({ cc: `<im:${romeo}>`, To: `<im:${mallory}>` }), {
    recipientBound: true,
  }),
  bad('binding::outer-to', 'the stanza is addressed to another', 'RFC 3923 §11', said({}, { to: mallory }), [
    'RECIPIENT_MISMATCH',
    'check',
  ]),
  good('binding::no-outer-to', 'the stanza is addressed to nobody', 'RFC 6120 §8.1.1.1', said({}, { to: undefined }), {
    recipientBound: true,
  }),
  bad('binding::inner-to', 'the inner to is another', rfc33, sealedXml(`id='m1' to='${mallory}'`), recipientMismatch),
  bad(
    'binding::inner-to-several',
    'an inner to beside several recipients',
    rfc33,
    sealedXml(`id='m1' to='${romeo}'`, { To: [`<im:${romeo}>`, `<im:${mallory}>`] }),
    recipientMismatch,
  ),
  bad(
    'binding::inner-from',
    'the inner from is another',
    rfc33,
    sealedXml(`id='m1' from='${mallory}'`),
    senderMismatch,
  ),
  bad(
    'binding::inner-resource',
    'the inner from is another device',
    rfc33,
    sealedXml(`id='m1' from='${juliet}/tomb'`),
    senderMismatch,
  ),
  good(
    'binding::inner-all',
    'every inner name agrees',
    'RFC 3923 §5',
    sealedXml(`id='m1' type='chat' from='${juliet}/balcony' to='${romeo}'`),
    { form: 'xmpp+xml', recipientBound: true },
  ),
  bad('binding::inner-id', 'the id was changed', 'RFC 3923 §5', sealedXml(`id='m2'`), payloadInvalid),
  bad(
    'binding::inner-type',
    'the type was changed',
    'RFC 3923 §5',
    sealedXml(`type='headline' id='m1'`),
    payloadInvalid,
  ),
  bad('binding::kind', 'a message in a presence', 'RFC 3923 §4', said({}, { kind: 'presence' }), payloadInvalid),
  bad('binding::groupchat', 'the type became that of group chat', 'RFC 3923 §2', said({}, { type: 'groupchat' }), [
    'LAYERS_REFUSED',
    'unwrap',
    null,
  ]),
  bad(
    'binding::unbound',
    'nothing that is signed names a recipient',
    'RFC 3923 §5',
    bareXml(`id='m1'`, { signedAt: at }),
    recipientMismatch,
  ),
  good(
    'binding::unbound-marked',
    'nothing that is signed names a recipient, under the RFC policy',
    'RFC 3923 §5',
    bareXml(`id='m1'`, { signedAt: at }),
    { recipientBound: false, time: 'ok' },
    lax,
  ),
  good(
    'binding::unbound-allowed',
    'the same, under a policy that allows that alone',
    'RFC 3923 §5',
    bareXml(`id='m1'`, { signedAt: at }),
    { recipientBound: false },
    custom({ unboundRecipient: 'deliver' }),
  ),
  good(
    'binding::bare-with-to',
    'bare, with an inner to',
    'RFC 3923 §5',
    bareXml(`id='m1' to='${romeo}'`, { signedAt: at }),
    { recipientBound: true, timeSource: 'signature' },
  ),
  bad(
    'binding::bare-pidf',
    'bare PIDF names no recipient',
    'RFC 3923 §4',
    stanza(sign(pidf(at)), { kind: 'presence' }),
    ['RECIPIENT_MISMATCH', 'check', null],
  ),
  good(
    'binding::bare-pidf-marked',
    'bare PIDF under the RFC policy',
    'RFC 3923 §4',
    stanza(sign(pidf(at)), { kind: 'presence' }),
    { form: 'pidf', recipientBound: false, timeSource: 'pidf', signed: at },
    lax,
  ),
  good(
    'binding::beside',
    'what stands beside is listed, and no part of the stanza',
    'RFC 3923 §3',
    said({}, { beside: `<body>Flee</body><x xmlns='urn:x'/>` }),
    {
      outside: ['{jabber:client}body', '{urn:x}x'],
      stanza: `<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' id='m1' type='chat'><body>Hi</body></message>`,
    },
  ),
  good(
    'binding::inside',
    'what is for servers is dropped from inside',
    'XEP-0334',
    stanza(sign(wrapped(inner(`id='m1'`, `<body>Hi</body><store xmlns='urn:xmpp:hints'/>`)))),
    { dropped: ['{urn:xmpp:hints}store'] },
  ),
];

const forgedText = sign(cpim({}, 'Flee'), { about: cpim() });
const failedGcm = stanza(encrypt(forgedText, 'gcm'));
const failedCbc = stanza(encrypt(forgedText, 'cbc'));
const failedV15 = stanza(encrypt(forgedText, 'gcm', 'pkcs1v15'));
const unsignedGcm = stanza(encrypt(cpim(), 'gcm'));
const unsignedCbc = stanza(encrypt(cpim(), 'cbc'));
const iq = (input: string): string =>
  input.replace('<message', '<iq').replace('</message>', '</iq>').replace('type="chat"', 'type="get"');

const policies: readonly Vector[] = [
  good(
    'policy::unsigned-marked',
    'encrypted and not signed, under the RFC policy',
    'RFC 3923 §3',
    unsignedGcm,
    { sender: null, claimedFrom: juliet, authenticated: true, replay: 'off' },
    lax,
  ),
  good(
    'policy::unsigned-cbc-marked',
    'the same with CBC: anybody could have changed it',
    'RFC 3923 §3',
    unsignedCbc,
    { sender: null, authenticated: false },
    lax,
  ),
  bad('policy::unsigned', 'encrypted and not signed', 'RFC 3923 §3', unsignedGcm, ['UNSIGNED', 'verify', S]),
  bad(
    'policy::unsigned-cbc',
    'not signed, where CBC is read and a signature wanted',
    'RFC 3923 §7',
    unsignedCbc,
    ['DECRYPTION_FAILED', 'decrypt', null],
    custom({ unsigned: 'refuse' }, 'rfc3923'),
  ),
  good(
    'policy::cbc',
    'signed in CBC, under a policy that reads CBC',
    'RFC 3923 §6.10',
    stanza(encrypt(sign(cpim()), 'cbc')),
    { sender: juliet, protection: 'sign+encrypt' },
    custom({ algorithms: { cbc: true } }),
  ),
  bad('policy::cbc-refused', 'signed in CBC', 'RFC 8551 §2.7', stanza(encrypt(sign(cpim()), 'cbc')), [
    'WEAK_ALGORITHM',
    'decrypt',
    null,
  ]),
  good(
    'policy::no-attributes',
    'no signed attributes, under a policy that takes that',
    'RFC 5652 §5.3',
    said({}, {}, { bare: true }),
    { sender: juliet },
    custom({ algorithms: { unsignedAttributes: true } }),
  ),
  bad('policy::no-attributes-refused', 'no signed attributes', 'RFC 5652 §11', said({}, {}, { bare: true }), [
    'SIGNATURE_INVALID',
    'verify',
    S,
  ]),
];

/** Certificates of an authority that Romeo does not know. */
const elsewhere = issue({ name: 'Another root', ca: true });
const sheByOthers = issue({ name: 'Juliet by others', issuer: elsewhere, extensions: namesOf(juliet) });
const malloryByOthers = issue({ name: 'Mallory by others', issuer: elsewhere, extensions: namesOf(mallory) });
const herExpired = issue({
  name: 'Juliet of old',
  issuer: root,
  extensions: namesOf(juliet),
  notAfter: new Date(start - 1000),
});

function namesOf(jid: string): readonly DerPart[] {
  return [serializeExtension(oids.subjectAltName, false, derSequence(uri(`im:${jid}`)))];
}

const unknownSigner = custom({ unknownSigner: 'deliver' });
const untrustedSigner = custom({ untrustedSigner: 'deliver' });
const everything = custom({ unsigned: 'deliver', untrustedSigner: 'deliver', unknownSigner: 'deliver' }, 'rfc3923');
const notCarried = said({}, {}, { carried: false });
const byOthers = said({}, {}, { by: sheByOthers });
const rfc67 = 'RFC 3923 §6.7';

const levels: readonly Vector[] = [
  good('level::good', 'signed by a certificate below the anchor', rfc67, said({}, {}, {}), {
    level: 'good',
    pin: 'off',
  }),
  bad(
    'level::unknown',
    'no certificate goes along, and none is at hand',
    rfc67,
    notCarried,
    ['SIGNER_UNKNOWN', 'verify', S],
    {},
    { level: 'unknown-signer' },
  ),
  good(
    'level::unknown-delivered',
    'the same by choice: no sender, and no state of one',
    rfc67,
    notCarried,
    { level: 'unknown-signer', sender: null, claimedFrom: juliet, authenticated: false, replay: 'off', pin: 'off' },
    unknownSigner,
  ),
  good(
    'level::unknown-encrypted',
    'the same inside AEAD: nobody on the way could change it',
    rfc67,
    stanza(encrypt(sign(cpim(), { carried: false }), 'gcm')),
    { level: 'unknown-signer', sender: null, authenticated: true },
    unknownSigner,
  ),
  bad(
    'level::unknown-untrusted',
    'the choice for untrusted signers is not one for unknown ones',
    rfc67,
    notCarried,
    ['SIGNER_UNKNOWN', 'verify', S],
    untrustedSigner,
    { level: 'unknown-signer' },
  ),
  bad(
    'level::untrusted',
    'a certificate of an authority that nobody trusts',
    rfc33,
    byOthers,
    ['SIGNER_UNTRUSTED', 'verify', S],
    {},
    { level: 'untrusted' },
  ),
  good(
    'level::untrusted-delivered',
    'the same by choice',
    rfc33,
    byOthers,
    { level: 'untrusted', sender: null, claimedFrom: juliet, replay: 'off' },
    untrustedSigner,
  ),
  bad(
    'level::untrusted-unknown',
    'the choice for unknown signers is not one for untrusted ones',
    rfc33,
    byOthers,
    ['SIGNER_UNTRUSTED', 'verify', S],
    unknownSigner,
    { level: 'untrusted' },
  ),
  bad(
    'level::untrusted-other',
    'an untrusted certificate that does not even claim to be the sender, by choice',
    rfc33,
    said({}, {}, { by: malloryByOthers }),
    senderMismatch,
    untrustedSigner,
    { level: 'untrusted' },
  ),
  bad(
    'level::expired',
    'expired is delivered by no choice',
    'RFC 5280 §6.1.3',
    said({}, {}, { by: herExpired }),
    ['SIGNER_UNTRUSTED', 'verify', S],
    everything,
    { level: 'untrusted' },
  ),
  bad(
    'level::forged',
    'forged is delivered by no choice',
    rfc67,
    stanza(sign(cpim({}, 'Flee'), { about: cpim() })),
    ['SIGNATURE_INVALID', 'verify', S],
    everything,
    { level: 'forged' },
  ),
  good(
    'level::verified-again',
    'judged again after it was delivered: no error, and no second delivery',
    rfc67,
    said(),
    { level: 'good', replay: 'known', time: 'ok' },
    { before: [{ input: said(), at }], context: { verify: at }, at: after(day) },
  ),
  bad(
    'level::verified-before',
    'live, after it was judged again: a replay',
    rfc39,
    said(),
    ['REPLAYED', 'check', T],
    { before: [{ input: said(), context: { verify: at } }] },
    { level: 'good' },
  ),
];

const herFingerprint = createHash('sha256').update(her.der).digest('hex');
const hers = { contact: { keys: [herFingerprint] } };
const sealedOnly = { contact: { sealed: true } };
const plain = (attributes: string, content: string, name = 'message'): string =>
  `<${name} xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' id='m1' ${attributes}>${content}</${name}>`;
const rfc11 = 'RFC 3923 §11';

const expected: readonly Vector[] = [
  good('expected::pinned', 'signed with the pinned key', rfc33, said(), { pin: 'match', level: 'good' }, hers),
  bad(
    'expected::changed',
    'signed with another key that is trusted too',
    rfc33,
    said({}, {}, { by: pinned }),
    ['SIGNER_UNTRUSTED', 'check', S],
    hers,
    { pin: 'changed', level: 'good' },
  ),
  good(
    'expected::several',
    'one of several pinned keys',
    rfc33,
    said(),
    { pin: 'match' },
    { contact: { keys: ['ab'.repeat(32), herFingerprint] } },
  ),
  bad(
    'expected::unsigned',
    'unsigned where a key is pinned, by a policy that delivers it',
    rfc67,
    unsignedGcm,
    ['UNSIGNED', 'verify', S],
    { ...lax, ...hers },
    { level: 'unsigned' },
  ),
  bad(
    'expected::unknown',
    'signer unknown where sealed stanzas are expected, by a policy that delivers it',
    rfc67,
    notCarried,
    ['SIGNER_UNKNOWN', 'verify', S],
    { ...unknownSigner, ...sealedOnly },
    { level: 'unknown-signer' },
  ),
  good('expected::sealed', 'sealed as expected', rfc11, said(), { pin: 'none', level: 'good' }, sealedOnly),
  bad(
    'expected::plain',
    'plain where sealed is expected',
    rfc11,
    plain(`type='chat'`, '<body>Hi</body>'),
    ['DOWNGRADE', 'unwrap', null],
    sealedOnly,
  ),
  bad(
    'expected::plain-result',
    'a plain answer to a sealed request',
    rfc11,
    plain(`type='result'`, '', 'iq'),
    ['DOWNGRADE', 'unwrap', null],
    sealedOnly,
  ),
  bad(
    'expected::plain-pinned',
    'plain where a key is pinned',
    rfc11,
    plain('', '', 'presence'),
    ['DOWNGRADE', 'unwrap', null],
    hers,
  ),
  bad(
    'expected::deep',
    'a sealed object that is no child of the stanza is none',
    rfc11,
    plain('', `<x xmlns='urn:x'><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>x</e2e></x>`),
    ['DOWNGRADE', 'unwrap', null],
    sealedOnly,
  ),
  bad('expected::nothing', 'plain where nothing is expected', 'RFC 3923 §7', plain('', ''), [
    'NOT_SEALED',
    'unwrap',
    answer('service-unavailable'),
  ]),
];

const replies: readonly Vector[] = [
  bad('reply::bad-signature', 'a bad signature inside AEAD', 'RFC 3923 §7', failedGcm, [
    'SIGNATURE_INVALID',
    'verify',
    S,
  ]),
  bad(
    'reply::off',
    'nothing is answered where replies are off',
    'RFC 3923 §7',
    failedGcm,
    ['SIGNATURE_INVALID', 'verify', null],
    { replies: 'off' },
  ),
  bad(
    'reply::cbc',
    'a bad signature inside CBC: told like any failure, and not answered',
    'RFC 3923 §7',
    failedCbc,
    ['DECRYPTION_FAILED', 'decrypt', null],
    lax,
  ),
  bad(
    'reply::cbc-literal',
    'the same where section 7 is followed to the letter: still one answer',
    'RFC 3923 §7',
    failedCbc,
    ['DECRYPTION_FAILED', 'decrypt', D],
    { ...lax, replies: 'rfc3923' },
  ),
  bad(
    'reply::pkcs1v15',
    'a bad signature under a key that came by PKCS #1 v1.5: not answered',
    'RFC 3218',
    failedV15,
    ['SIGNATURE_INVALID', 'verify', null],
    lax,
  ),
  bad(
    'reply::request',
    'a request is owed an answer: that of a client without support',
    'RFC 6120 §8.2.3',
    iq(failedCbc),
    ['DECRYPTION_FAILED', 'decrypt', answer('service-unavailable', undefined, 'iq')],
    lax,
  ),
  bad(
    'reply::request-off',
    'the same where replies are off',
    'RFC 6120 §8.2.3',
    iq(failedGcm),
    ['SIGNATURE_INVALID', 'verify', answer('service-unavailable', undefined, 'iq')],
    { replies: 'off' },
  ),
  bad(
    'reply::headline',
    'never to a headline',
    'RFC 6121 §5.2.2',
    failedGcm.replace('type="chat"', 'type="headline"'),
    ['SIGNATURE_INVALID', 'verify', null],
  ),
  bad(
    'reply::plain',
    'a request that is not sealed',
    'RFC 3923 §7',
    `<iq xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' id='m1' type='get'/>`,
    ['NOT_SEALED', 'unwrap', answer('service-unavailable', undefined, 'iq')],
  ),
  bad(
    'reply::malformed',
    'a sealed object that is none',
    'RFC 3923 §7',
    stanza(utf8('Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nAAAA')),
    ['MALFORMED', 'decrypt', answer('bad-request')],
  ),
];

function writeKeys(): void {
  const write = (path: string, octets: Uint8Array): void => {
    const file = fileURLToPath(new URL(`../keys/${folder}/${path}`, import.meta.url));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, octets);
  };
  const key = new Uint8Array(him.keys.privateKey.export({ type: 'pkcs8', format: 'der' }));
  write(`identities/${romeo}/smime.key.pem`, serializePem('PRIVATE KEY', key));
  write(`identities/${romeo}/smime.cert.pem`, serializePem('CERTIFICATE', him.der));
  write(`contacts/${juliet}/smime.cert.pem`, serializePem('CERTIFICATE', pinned.der));
  write('anchors/root.pem', serializePem('CERTIFICATE', root.der));
}

/** All vectors of verdicts; writes the keys that they need. */
export function verdictSuite(): Suite {
  writeKeys();
  const tests = [times, delays, contexts, order, identities, bindings, policies, levels, expected, replies];
  return {
    suite: 'stanzas/verdicts',
    description:
      'What a recipient may believe: time, order, identity, binding, policy, levels, pins, and what may be answered.',
    groups: tests.map((list) => ({
      ...{ operation: 'open', backends: ['smime'], keys: folder, me: romeo, policy: 'strict', at, tests: list },
    })),
  };
}
