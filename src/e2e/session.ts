/**
 * One account's end of every sealed conversation: backends, policy, replay guard, clock and certificate cadence in one
 * object (RFC 3923 section 6), whatever carries the stanzas.
 */

import type { SecurityBackend } from '../backends/backend.ts';
import { E2eError } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { dateOf } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import { toElement } from '../xml/from-host.ts';
import { type CertificateCadence, certificateCadence } from './certificate-cadence.ts';
import {
  type ArrivedCertificates,
  certificateRequest,
  isCertificateRequest,
  readCertificates,
  sealCertificates,
} from './certificate-exchange.ts';
import { type CertificateDesk, certificateDesk } from './certificate-policy.ts';
import { type SendingClock, sendingClock } from './clock.ts';
import { requireDialect } from './dialect.ts';
import { errorReply, replyLimiter, type ReplyLimiter } from './error-reply.ts';
import { contextOf, readForwarded } from './forwarded.ts';
import { type InOrder, inOrder } from './in-order.ts';
import { contactMemory, type Knows, knownContacts } from './known-contacts.ts';
import { Listeners } from './listeners.ts';
import { type Opened, openStanza } from './open.ts';
import { readOptions } from './options.ts';
import { PinGuard } from './pins.ts';
import { strictPolicy } from './policy.ts';
import { addMarks, requireWireSize } from './sealed-message.ts';
import { sealStanza } from './seal.ts';
import type { SealingRule } from './sending-policy.ts';
import {
  type OpenedForward,
  type OpenForwardedOptions,
  type SessionEvents,
  type SessionOpenOptions,
  sessionOptionNames,
  type SessionOptions,
  type SessionProfile,
  type StanzaInput,
} from './session-options.ts';
import { addressOf, readJid } from './stanza.ts';
import { isArriving, isSent, isVerifiedAgain } from './timeliness.ts';

/** Seals and opens the stanzas of one account, in the order of the calls. */
export class E2eSession {
  /** Bare JID. */
  readonly jid: Jid;
  readonly limits: Limits;
  /** Which stanzas are sealed, as given. */
  readonly sealing: SealingRule | undefined;
  readonly #options: SessionOptions;
  readonly #clock: SendingClock;
  readonly #cadence: CertificateCadence = certificateCadence(Date.now);
  readonly #limiter: ReplyLimiter = replyLimiter();
  readonly #knows: Knows;
  readonly #plain = new Set<string>();
  readonly #desk: CertificateDesk;
  readonly #listeners = new Listeners<SessionEvents>();
  readonly #refused = new WeakMap<E2eError, XmlElement | undefined>();
  readonly #sealInOrder: InOrder;
  readonly #openInOrder: InOrder;

  readonly #keepSigned = async (arrived: ArrivedCertificates): Promise<void> => {
    if (await this.#desk.keep(arrived)) this.#listeners.emit('certificates', { received: undefined, arrived });
  };

  /** @throws {TypeError} for wrong options, among them a missing `replay` under a policy that requires it */
  constructor(options: SessionOptions) {
    const given = readOptions(options, sessionOptionNames);
    const { policy = strictPolicy, replay, timeout = 30, limits = defaultLimits, clock, contacts } = given;
    if (given.backends.length === 0) throw new TypeError('option backends must name at least one backend');
    if (replay === undefined && policy.replay === 'required') {
      throw new TypeError('option replay is required by this policy: a ReplayGuard, or false');
    }
    if (given.expect !== undefined && !(given.expect instanceof PinGuard)) {
      throw new TypeError('option expect must be a PinGuard');
    }
    if (!(timeout > 0)) throw new RangeError('option timeout must be a number of seconds');
    this.jid = readJid('jid', given.jid).bare();
    this.limits = limits;
    this.sealing = given.sealing;
    this.#options = { ...given, policy };
    this.#clock = clock ?? sendingClock();
    this.#knows = knownContacts(contacts ?? contactMemory(), given.backends);
    this.#desk = certificateDesk(given.certificates);
    this.#sealInOrder = inOrder(timeout);
    this.#openInOrder = inOrder(timeout);
  }

  /**
   * Seals a stanza for its recipient. Sealed stanzas get increasing times in the order of the calls; my certificate
   * goes along at most once in five minutes (section 6.6).
   *
   * @throws {E2eError} as `sealStanza`; NO_RECIPIENT_KEY where no backend has a usable key
   */
  async seal(stanza: StanzaInput, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<XmlElement> {
    const { signal } = readOptions(options, ['signal']);
    const tree = toElement(stanza, { limits: this.limits, stage: 'map' });
    return this.#sealInOrder((until) => this.#seal(tree, until), signal);
  }

  async #seal(tree: XmlElement, signal: AbortSignal | undefined): Promise<XmlElement> {
    const { protection, payload, hidden, store } = this.#options;
    const to = addressOf(tree, 'to', 'map');
    const from = addressOf(tree, 'from', 'map') ?? this.jid;
    if (!from.bare().equals(this.jid)) {
      throw new E2eError('ERR_E2E_NO_SIGNING_KEY', 'sign', { reason: 'not my address', subject: from.toString() });
    }
    const profile = this.#profileFor(to);
    const backend = to === undefined ? this.#options.backends[0]! : await this.#backendFor(to, profile);
    const includeCertificate = to !== undefined && this.#cadence.take(to);
    const sealed = await sealStanza(tree, {
      backend,
      from,
      clock: this.#clock,
      includeCertificate,
      protection,
      payload,
      profile,
      hidden,
      store,
      limits: this.limits,
      signal,
    });
    // A client's server stamps the sender; some refuse a bare address.
    const addressed = tree.attribute('from') === undefined ? sealed.withAttribute('from', undefined) : sealed;
    const marked = addMarks(addressed, this.#options);
    requireWireSize(marked, this.limits);
    return marked;
  }

  #profileFor(contact: Jid | undefined): SessionProfile | undefined {
    const { profile } = this.#options;
    if (typeof profile !== 'function') return profile;
    return contact === undefined ? undefined : profile(contact.bare());
  }

  async #backendFor(to: Jid, profile: SessionProfile | undefined): Promise<SecurityBackend> {
    const { backends, protection } = this.#options;
    if (typeof profile === 'object') return requireDialect(profile, backends);
    if (protection === 'sign') return backends[0]!;
    for (const backend of backends) if (await backend.canSealTo(to.bare(), new Date())) return backend;
    throw new E2eError('ERR_E2E_NO_RECIPIENT_KEY', 'encrypt', { subject: to.bare().toString() });
  }

  /**
   * Opens a sealed stanza.
   *
   * @throws {E2eError} as `openStanza`; also given to the listeners of `refused`
   */
  async open(stanza: StanzaInput, options: SessionOpenOptions = {}): Promise<Opened> {
    const { signal, accept, ...rest } = readOptions(options, ['context', 'at', 'accept', 'signal']);
    const received = toElement(stanza, { limits: this.limits, stage: 'unwrap' });
    return this.#openInOrder(async (until) => {
      try {
        const opened = await this.#open(received, { ...rest, signal: until });
        accept?.(opened);
        if (isVerifiedAgain(rest.context ?? 'live')) this.#listeners.emit('verified', { received, opened });
        else this.#listeners.emit('opened', { received, opened, forward: undefined });
        return opened;
      } catch (error) {
        const arriving = isArriving(rest.context ?? 'live');
        if (arriving && (await this.#keepAnswer(received, error, until)))
          this.#refused.set(error as E2eError, undefined);
        await this.#refuse(received, error, arriving);
        throw error;
      }
    }, signal);
  }

  #open(stanza: XmlElement, options: Omit<SessionOpenOptions, 'accept'>): Promise<Opened> {
    const { backends, policy, replay, expect, roster } = this.#options;
    const { jid: me, limits } = this;
    const contact = addressOf(stanza, isSent(options.context ?? 'live') ? 'to' : 'from', 'unwrap');
    const chosen = this.#profileFor(contact);
    const profile = typeof chosen === 'object' ? chosen : undefined;
    const candidates = this.#desk.keepsSigned ? this.#keepSigned : undefined;
    return openStanza(stanza, {
      backends,
      me,
      policy,
      replay,
      expect,
      roster,
      candidates,
      profile,
      limits,
      ...options,
    });
  }

  /**
   * Opens the sealed stanza inside a carbon copy (received, or sent by another device of mine), an archive result or a
   * forward, each in its context.
   *
   * @throws {E2eError} as `openStanza`; SENDER_MISMATCH for a copy that is not from my own account (or the archive
   * asked); LAYERS_REFUSED for anything but exactly one stanza inside
   */
  async openForwarded(stanza: StanzaInput, options: OpenForwardedOptions = {}): Promise<OpenedForward> {
    const { archive, at, accept, signal } = readOptions(options, ['archive', 'at', 'accept', 'signal']);
    const owner = archive === undefined ? undefined : readJid('archive', archive);
    const received = toElement(stanza, { limits: this.limits, stage: 'unwrap' });
    return this.#openInOrder(async (until) => {
      try {
        const forwarded = readForwarded(received);
        if (forwarded === undefined)
          throw new E2eError('ERR_E2E_NOT_SEALED', 'unwrap', { reason: 'nothing forwarded' });
        const context = contextOf(forwarded, received, this.jid, owner);
        const opened = await this.#open(forwarded.stanza, { context, at, signal: until });
        accept?.(opened);
        const { kind, stamp } = forwarded;
        this.#listeners.emit('opened', { received, opened, forward: kind });
        const message = forwarded.replace(opened.stanza);
        return { kind, opened, stamp: stamp === undefined ? undefined : dateOf(stamp.nanoseconds), message };
      } catch (error) {
        await this.#refuse(received, error, false);
        throw error;
      }
    }, signal);
  }

  /**
   * Tells the listeners of `refused`, once for each error, and what to answer.
   *
   * @param received the stanza as received; undefined where it could not even be read
   * @param error anything but an `E2eError` is passed over
   * @returns the error reply of RFC 3923 section 7, where one may be sent
   */
  refuse(received: XmlElement | undefined, error: unknown): Promise<XmlElement | undefined> {
    return this.#refuse(received, error, true);
  }

  /** @param arriving whether the sender may be answered: nobody waits for what comes from an archive or another device */
  async #refuse(received: XmlElement | undefined, error: unknown, arriving: boolean): Promise<XmlElement | undefined> {
    if (!(error instanceof E2eError)) return undefined;
    if (this.#refused.has(error)) return this.#refused.get(error);
    const reply = received === undefined || !arriving ? undefined : await this.#reply(received, error);
    this.#refused.set(error, reply);
    this.#listeners.emit('refused', { received, error, reply });
    return reply;
  }

  async #reply(received: XmlElement, error: E2eError): Promise<XmlElement | undefined> {
    let knownContact = false;
    try {
      const from = addressOf(received, 'from', 'unwrap');
      const { isContact = this.#knows } = this.#options;
      knownContact = from !== undefined && (await isContact(from.bare()));
    } catch {
      // Who cannot be told to be a contact is none.
    }
    return errorReply(received, error, { mode: this.#options.replies, knownContact, limiter: this.#limiter });
  }

  /** Keeps the certificates of an awaited answer, which is no stanza and therefore refused by `openStanza`. */
  async #keepAnswer(received: XmlElement, error: unknown, signal: AbortSignal | undefined): Promise<boolean> {
    if (!(error instanceof E2eError) || error.code !== 'ERR_E2E_LAYERS_REFUSED') return false;
    try {
      const from = addressOf(received, 'from', 'unwrap');
      if (from === undefined || !this.#desk.awaits(from)) return false;
      const { backends, policy = strictPolicy } = this.#options;
      const { jid: me, limits } = this;
      const arrived = await readCertificates(received, { backends, me, policy, limits, signal });
      if (arrived === undefined || !(await this.#desk.keep(arrived))) return false;
      this.#listeners.emit('certificates', { received, arrived });
      return true;
    } catch {
      // Refused for what it was in the first place.
      return false;
    }
  }

  /**
   * Seals a request for a contact's certificates (section 6.2). An answer within a day is kept by the option
   * `certificates` and told of by the event of that name; opening it ends in LAYERS_REFUSED, since it is no stanza.
   *
   * RFC 3923 deviation: section 6.2: made by this call, not by itself, since it says that I mean to write.
   *
   * @param backend the name of the one whose certificates are wanted; the first unless given
   * @throws {E2eError} as `sealStanza`
   * @throws {TypeError} for a backend that the session does not have
   */
  async requestCertificates(contact: Jid | string, backend?: string): Promise<XmlElement> {
    const to = readJid('contact', contact);
    const { backends } = this.#options;
    const chosen = backend === undefined ? backends[0] : backends.find(({ name }) => name === backend);
    if (chosen === undefined) throw new TypeError('option backend must name a backend of the session');
    return this.#sealInOrder(async (signal) => {
      const { limits } = this;
      const common = { from: this.jid, clock: this.#clock, protection: 'sign', payload: 'xmpp+xml', limits } as const;
      const sealed = await sealStanza(certificateRequest(to), { ...common, backend: chosen, signal });
      this.#desk.asked(to);
      return sealed.withAttribute('from', undefined);
    });
  }

  /**
   * The answer to an opened request for my certificates, where the option `certificates` lets it be answered: by a good
   * signature, of a contact, at most once in five minutes.
   *
   * @returns undefined for anything else
   * @throws {E2eError} NO_SIGNING_KEY, KEY_UNAVAILABLE, UNSUPPORTED
   */
  async answerRequest({ stanza, verdict }: Opened): Promise<XmlElement | undefined> {
    if (!this.#desk.answers || verdict.sender === null || !isCertificateRequest(stanza)) return undefined;
    const to = addressOf(stanza, 'from', 'check');
    const backend = this.#options.backends.find(({ name }) => name === verdict.backend);
    const { isContact = this.#knows } = this.#options;
    if (to === undefined || backend === undefined || !(await isContact(to.bare()))) return undefined;
    if (!this.#desk.mayAnswer(to)) return undefined;
    // It goes along here, so not again with the next stanza (section 6.6).
    this.#cadence.take(to);
    return sealCertificates({ backend, from: this.jid, to, limits: this.limits });
  }

  /** Tells the listeners of `unsent`. */
  fail(stanza: XmlElement | undefined, error: unknown): void {
    if (error instanceof E2eError) this.#listeners.emit('unsent', { stanza, error });
  }

  /**
   * Whether a key was ever stored for a contact, or sealed stanzas are required of it.
   *
   * @throws {E2eError} STORE_FAILED where that cannot be told
   */
  async knows(contact: Jid | string): Promise<boolean> {
    const jid = readJid('contact', contact);
    try {
      return (await this.#options.expect?.pinsOf(jid))?.sealed === true || (await this.#knows(jid));
    } catch {
      throw new E2eError('ERR_E2E_STORE_FAILED', 'check', { reason: 'whether a key was ever stored is not known' });
    }
  }

  /** Lets stanzas to a contact be plain where no key is usable, and takes plain ones from it. */
  allowPlain(contact: Jid | string): void {
    this.#plain.add(readJid('contact', contact).bare().toString());
  }

  /** Takes {@link allowPlain} back. */
  requireSealed(contact: Jid | string): void {
    this.#plain.delete(readJid('contact', contact).bare().toString());
  }

  /** Whether {@link allowPlain} was called for a contact. */
  allowsPlain(contact: Jid | string): boolean {
    return this.#plain.has(readJid('contact', contact).bare().toString());
  }

  /**
   * Listens to an event. What a listener throws is reported as uncaught.
   *
   * @returns stops listening
   */
  on<Name extends keyof SessionEvents>(name: Name, listener: (event: SessionEvents[Name]) => void): () => void {
    return this.#listeners.on(name, listener);
  }
}
