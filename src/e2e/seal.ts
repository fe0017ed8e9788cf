/** Sealing: stanza to payload, sign, encrypt, wrap (RFC 3923 sections 3, 4, 5 and 6). */

import type { SealProfile, SecurityBackend } from '../backends/backend.ts';
import { E2eError } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { isForServers } from '../payload/for-servers.ts';
import { mapStanza, type PayloadForm } from '../payload/map.ts';
import type { StanzaKind } from '../payload/xmpp-xml.ts';
import { instantOf } from '../time.ts';
import { element, type XmlElement } from '../xml/element.ts';
import { toElement } from '../xml/from-host.ts';
import { CLIENT, HINTS } from '../xml/namespaces.ts';
import { exceedsOctets } from '../xml/serialize.ts';
import { processClock, type SendingClock } from './clock.ts';
import { type DialectProfile, requireDialect, sealDialect } from './dialect.ts';
import { oneOf, readAt, readOptions } from './options.ts';
import { strictPolicy } from './policy.ts';
import { addressOf, e2eChildren, readJid, stanzaKind } from './stanza.ts';
import type { Protection } from './verdict.ts';
import { wrap } from './wrap.ts';

/** Options of {@link sealStanza}. */
export interface SealOptions {
  readonly backend: SecurityBackend;
  /** My address; the stanza's `from` unless given. */
  readonly from?: Jid | string | undefined;
  /** The recipient's address; the stanza's `to` unless given. */
  readonly to?: Jid | string | undefined;
  readonly protection?: Protection | undefined;
  /** `auto` takes CPIM or PIDF where they lose nothing, and application/xmpp+xml otherwise. */
  readonly payload?: PayloadForm | 'auto' | undefined;
  /** Whether PIDF and application/xmpp+xml go inside Message/CPIM, which names recipient and time. */
  readonly wrapped?: boolean | undefined;
  /** Further recipients, named and encrypted to, so that each of them can be sent the same. */
  readonly alsoTo?: readonly (Jid | string)[] | undefined;
  /** Today's algorithms, those of RFC 3923, or the ways of a foreign client. */
  readonly profile?: SealProfile | DialectProfile | undefined;
  /** The signed time; the sending clock's next unless given. */
  readonly at?: Date | undefined;
  /** Shared by everything that this device sends for one account. */
  readonly clock?: SendingClock | undefined;
  readonly includeCertificate?: boolean | undefined;
  /** Encrypt to my own key too. */
  readonly encryptToSelf?: boolean | undefined;
  /** Leave the recipients' key ids out, where the format can. */
  readonly hidden?: boolean | undefined;
  /** Ask servers to archive a sealed message (XEP-0334 `<store/>`). */
  readonly store?: boolean | undefined;
  readonly limits?: Limits | undefined;
  readonly signal?: AbortSignal | undefined;
}

const optionNames = [
  'backend',
  'from',
  'to',
  'protection',
  'payload',
  'wrapped',
  'alsoTo',
  'profile',
  'at',
  'clock',
  'includeCertificate',
  'encryptToSelf',
  'hidden',
  'store',
  'limits',
  'signal',
] as const satisfies readonly (keyof SealOptions)[];

/**
 * Seals a stanza: signs and encrypts it for one recipient and puts the result into an `<e2e/>` child.
 *
 * What servers need stays outside: the addresses, `id`, `type` and the children meant for them.
 *
 * @param stanza a message, a directed presence or an iq, as text, as our tree or as a host's element
 * @throws {E2eError} UNMAPPABLE for group chat, error, broadcast and subscription stanzas and for lossy mappings;
 * NO_SIGNING_KEY, NO_RECIPIENT_KEY, KEY_UNAVAILABLE; MALFORMED and LIMIT for the stanza itself
 * @throws {TypeError} for wrong options
 * @see RFC 3923 sections 3, 4 and 5
 */
export async function sealStanza(stanza: object | string, options: SealOptions): Promise<XmlElement> {
  const given = readOptions(options, optionNames);
  const { backend, limits = defaultLimits, signal, profile = 'modern' } = given;
  const protection = oneOf('protection', given.protection ?? 'sign+encrypt', ['sign', 'encrypt', 'sign+encrypt']);
  const form = oneOf('payload', given.payload ?? 'auto', ['auto', 'cpim', 'pidf', 'xmpp+xml']);
  if (typeof profile === 'object') requireDialectOptions(profile, given);
  else oneOf('profile', profile, ['modern', 'rfc3923']);
  signal?.throwIfAborted();

  const tree = toElement(stanza, { limits, stage: 'map' });
  const kind = stanzaKind(tree, 'map');
  refuseOutOfScope(tree, kind);
  const from = given.from === undefined ? addressOf(tree, 'from', 'map') : readJid('from', given.from);
  const to = given.to === undefined ? addressOf(tree, 'to', 'map') : readJid('to', given.to);
  if (from === undefined) throw unmappable('the stanza has no "from" and none was given');
  if (to === undefined)
    throw unmappable(kind === 'presence' ? 'broadcast presence' : 'the stanza has no "to" and none was given');

  const addressed = tree.withAttribute('from', from.toString()).withAttribute('to', to.toString());
  const inner = addressed.withChildren(
    addressed.children.filter((child) => typeof child === 'string' || !isForServers(child)),
  );
  const at = given.at === undefined ? undefined : readAt(given.at);
  const signed = at === undefined ? await (given.clock ?? processClock).next() : instantOf(at);
  const recipients = recipientsOf(to, given.alsoTo);
  const wrapped = given.wrapped ?? profile !== 'rfc3923';
  if (!wrapped && recipients.length > 1) throw new TypeError('option alsoTo needs option wrapped');

  const algorithms = strictPolicy.algorithms;
  const written = typeof profile === 'object' ? 'modern' : profile;
  const call = { at: at ?? new Date(), algorithms, limits, signal, profile: written };
  const mine = given.encryptToSelf === false || recipients.some((jid) => jid.equals(from.bare()));
  const readers = mine ? recipients : [...recipients, from.bare()];
  const signing = { signer: from.bare(), recipients, includeCertificate: given.includeCertificate ?? true, ...call };
  const encrypting = { recipients: readers, hidden: given.hidden ?? false, ...call };
  let secured: Uint8Array | string;
  if (typeof profile === 'object') {
    const sealing = { stanza: inner, recipients, at: signed, form };
    secured = await sealDialect(profile, backend, sealing, { ...signing, ...encrypting });
  } else {
    const mapping = { form, loss: 'refuse', from: from.bare(), to: recipients, at: signed, wrapped } as const;
    secured = await secure(backend, protection, mapStanza(inner, mapping).entity, signing, encrypting);
  }
  signal?.throwIfAborted();

  const outside = tree.elements.filter(isForServers);
  if (typeof profile === 'object') outside.push(element('body', CLIENT, {}, [profile.fallbackBody]));
  const hint = kind === 'message' && given.store !== false && !outside.some((child) => child.namespace === HINTS);
  const shell = addressed.withChildren(hint ? [...outside, element('store', HINTS)] : outside);
  const sealed = wrap(shell, secured);
  if (exceedsOctets(sealed, limits.stanzaBytes)) {
    throw new E2eError('ERR_E2E_LIMIT', 'encrypt', {
      reason: `the sealed stanza exceeds ${limits.stanzaBytes} octets`,
    });
  }
  return sealed;
}

/**
 * Refuses options that a foreign client's form has no place for.
 *
 * @throws {TypeError} naming the option
 */
function requireDialectOptions(profile: DialectProfile, given: SealOptions): void {
  requireDialect(profile, [given.backend]);
  const fixed = { protection: 'sign+encrypt', wrapped: true, hidden: false } as const;
  for (const [name, value] of Object.entries(fixed)) {
    const chosen = given[name as keyof typeof fixed] ?? value;
    if (chosen !== value) throw new TypeError(`option ${name} is ${value} under profile ${profile.name}`);
  }
}

function recipientsOf(to: Jid, more: SealOptions['alsoTo'] = []): readonly Jid[] {
  const recipients = [to.bare()];
  for (const other of more) {
    const jid = readJid('alsoTo', other).bare();
    if (!recipients.some((known) => known.equals(jid))) recipients.push(jid);
  }
  return recipients;
}

type Signing = Omit<Parameters<SecurityBackend['sign']>[0], 'content'>;
type Encrypting = Omit<Parameters<SecurityBackend['encrypt']>[0], 'content'>;

async function secure(
  backend: SecurityBackend,
  protection: Protection,
  content: Uint8Array,
  signing: Signing,
  encrypting: Encrypting,
): Promise<Uint8Array | string> {
  if (protection === 'sign') return backend.sign({ content, ...signing });
  if (protection === 'sign+encrypt') {
    const { signer, includeCertificate } = signing;
    const request = { content, signer, includeCertificate, ...encrypting };
    if (backend.signAndEncryptText !== undefined) return backend.signAndEncryptText(request);
    if (backend.signAndEncrypt !== undefined) return backend.signAndEncrypt(request);
  }
  const inner = protection === 'encrypt' ? content : await backend.sign({ content, ...signing });
  const request = { content: inner, ...encrypting };
  return backend.encryptText === undefined ? backend.encrypt(request) : backend.encryptText(request);
}

const subscriptions = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe'];

/** RFC 3923 section 2 covers one-to-one stanzas; what servers must read cannot be sealed. */
function refuseOutOfScope(stanza: XmlElement, kind: StanzaKind): void {
  const type = stanza.attribute('type');
  if (type === 'error') throw unmappable('error stanza');
  if (kind === 'message' && type === 'groupchat') throw unmappable('group chat');
  if (kind === 'presence' && type !== undefined && subscriptions.includes(type)) {
    throw unmappable('presence that servers must read');
  }
  if (e2eChildren(stanza).length > 0) throw unmappable('the stanza is sealed already');
}

function unmappable(reason: string): E2eError {
  return new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason });
}
