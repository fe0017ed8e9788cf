/**
 * What a transparent adapter does with each stanza that an SDK sends or receives: leave it, put another in its place,
 * or keep it back. The SDK and the application behind it then see plain stanzas where the wire has sealed ones.
 */

import { E2eError } from '../errors.ts';
import { Jid } from '../jid/jid.ts';
import { element, type XmlElement } from '../xml/element.ts';
import { toElement } from '../xml/from-host.ts';
import { CLIENT, E2E, E2E_MISSPELT, STANZA_ERRORS } from '../xml/namespaces.ts';
import { contextOf, type Forwarded, forwardKind, readForwarded } from './forwarded.ts';
import { type IqExchange, iqExchange } from './iq-exchange.ts';
import type { Opened } from './open.ts';
import { isSubscription, type Sealing, usualReceiving, usualSending } from './sending-policy.ts';
import { refuseServerOnly } from './server-only.ts';
import type { E2eSession } from './session.ts';
import { addressOf, e2eChildren } from './stanza.ts';
import type { Verdict } from './verdict.ts';

/** What an adapter reads from a host's stanza before anything is converted: most stanzas are none of our business. */
export interface Glance {
  /** Local name. */
  readonly name: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly type: string | undefined;
  readonly id: string | undefined;
  /** The direct children. */
  readonly children: readonly { readonly name: string; readonly namespace: string }[];
}

/** What becomes of a received stanza. */
export type Received =
  /** The SDK gets it as it came. */
  | { readonly action: 'pass' }
  /** The SDK gets another in its place. */
  | { readonly action: 'replace'; readonly stanza: XmlElement; readonly verdict: Verdict | undefined }
  /** The SDK gets nothing; `reply`, if there is one, goes out as it is. */
  | { readonly action: 'drop'; readonly reply: XmlElement | undefined };

const pass: Received = Object.freeze({ action: 'pass' });
const stanzaNames = ['message', 'presence', 'iq'];

/** The decisions for one stream. Calls are made in the order of the stanzas, each after the one before has settled. */
export class TransparentStream {
  readonly #session: E2eSession;
  readonly #exchange: IqExchange = iqExchange();

  /** @param session whose keys and rules apply */
  constructor(session: E2eSession) {
    this.#session = session;
  }

  /** Whether a received stanza has to go through {@link receive}; the others are the server's own business. */
  concernsReceived(stanza: Glance): boolean {
    if (!stanzaNames.includes(stanza.name)) return false;
    if (isSealed(stanza) || isForward(stanza)) return true;
    // Without "from" it is from my own account (RFC 6120 section 8.1.2.1).
    return stanza.from !== undefined && !this.#isOwnAccount(stanza.from);
  }

  /** Whether a stanza to be sent has to go through {@link send}. */
  concernsSent(stanza: Glance): boolean {
    return stanzaNames.includes(stanza.name) && stanza.to !== undefined && !isSealed(stanza);
  }

  #isOwnAccount(address: string): boolean {
    const jid = parseJid(address);
    return jid !== undefined && (jid.equals(this.#session.jid) || jid.toString() === this.#session.jid.domain);
  }

  /**
   * Decides what is sent.
   *
   * @param host the SDK's own object
   * @returns undefined where the stanza goes out as it is
   * @throws {E2eError} as {@link E2eSession.seal}, and NO_RECIPIENT_KEY for a contact whose keys are all gone: the
   * stanza must not be sent then
   */
  async send(stanza: Glance, host: unknown): Promise<XmlElement | undefined> {
    let tree: XmlElement | undefined;
    try {
      const to = Jid.parse(stanza.to ?? '');
      if (this.#isOwnAccount(stanza.to!) || !(await this.#session.knows(to))) {
        if (isRequest(stanza) && stanza.id !== undefined) this.#exchange.sent(to, stanza.id, false);
        return undefined;
      }
      tree = toElement(host, { limits: this.#session.limits, stage: 'map' });
      // SDKs put the request into its error; and an error cannot be sealed.
      if (stanza.type === 'error') return bareError(tree);
      const sealed = this.#sealing(stanza, tree, to) === 'seal' ? await this.#seal(tree, to) : undefined;
      if (isRequest(stanza) && stanza.id !== undefined) this.#exchange.sent(to, stanza.id, sealed !== undefined);
      return sealed;
    } catch (error) {
      this.#session.fail(tree, e2eErrorOf(error));
      throw error;
    }
  }

  #sealing(stanza: Glance, tree: XmlElement, to: Jid): Sealing {
    let usual = usualSending(tree, to);
    if (stanza.name === 'iq' && stanza.type === 'result') {
      // An answer is sealed as its request was: who asked in plain may not be able to open it.
      const asked = this.#exchange.wasSealed(to, stanza.id ?? '');
      if (asked !== undefined) return asked ? 'seal' : 'plain';
      usual = 'seal';
    }
    return this.#session.sealing?.(tree, { direction: 'outgoing', usual }) ?? usual;
  }

  async #seal(tree: XmlElement, to: Jid): Promise<XmlElement | undefined> {
    try {
      return await this.#session.seal(tree);
    } catch (error) {
      const noKey = error instanceof E2eError && error.code === 'ERR_E2E_NO_RECIPIENT_KEY';
      if (noKey && this.#session.allowsPlain(to)) return undefined;
      throw error;
    }
  }

  /**
   * Decides about a received stanza. Never rejects: what goes wrong is an event of the session.
   *
   * @param host the SDK's own object
   */
  async receive(stanza: Glance, host: unknown): Promise<Received> {
    let tree: XmlElement | undefined;
    try {
      const from = stanza.from === undefined ? this.#session.jid : Jid.parse(stanza.from);
      const read = (): XmlElement => (tree ??= toElement(host, { limits: this.#session.limits, stage: 'unwrap' }));
      if (isForward(stanza) && stanza.name === 'message') return await this.#forwarded(read());
      if (stanza.type === 'error') return await this.#error(stanza, from, read);
      if (isSealed(stanza)) return await this.#sealed(stanza, from, read);
      return await this.#plain(stanza, from, read);
    } catch (error) {
      return this.#refuse(stanza, tree, error);
    }
  }

  async #sealed(stanza: Glance, from: Jid, read: () => XmlElement): Promise<Received> {
    // What servers act on is theirs, whatever it carries; a room's members could not have sealed it for me alone.
    if (isSubscription(stanza.name, stanza.type)) return pass;
    if (stanza.type === 'groupchat') {
      if (await this.#session.knows(from)) throw refused('group chat is never sealed');
      return pass;
    }
    const tree = read();
    const answers = stanza.name === 'iq' && stanza.type === 'result';
    if (answers && this.#exchange.awaited(stanza.id ?? '')?.to !== from.toString()) {
      throw refused('an answer to no request');
    }
    const accept = (opened: Opened): void => {
      believe(opened);
      if (stanza.name === 'iq') requireIqInside(opened);
    };
    const whole = await this.#session.open(tree, { accept });
    const answer = await this.#answer(whole);
    if (answer !== undefined) return { action: 'drop', reply: answer };
    const { stanza: opened, verdict } = whole;
    if (answers) this.#exchange.answered(stanza.id ?? '');
    else if (isRequest(stanza)) this.#exchange.received(from, stanza.id ?? '', true);
    return { action: 'replace', stanza: opened, verdict };
  }

  /** The answer to a request for my certificates. One that cannot be made is none: the request was a good stanza. */
  async #answer(opened: Opened): Promise<XmlElement | undefined> {
    try {
      return await this.#session.answerRequest(opened);
    } catch (error) {
      this.#session.fail(undefined, e2eErrorOf(error));
      return undefined;
    }
  }

  async #plain(stanza: Glance, from: Jid, read: () => XmlElement): Promise<Received> {
    if (stanza.name === 'iq' && stanza.type === 'result') {
      const request = this.#exchange.awaited(stanza.id ?? '');
      if (request?.sealed === true) throw downgrade('a plain answer to a sealed request');
      if (request?.to === from.toString()) this.#exchange.answered(stanza.id ?? '');
      return pass;
    }
    const free = !(await this.#session.knows(from)) || this.#session.allowsPlain(from);
    if (!free && this.#required(read(), from) === 'seal') {
      throw downgrade('a plain stanza where sealed ones are required');
    }
    if (isRequest(stanza)) this.#exchange.received(from, stanza.id ?? '', false);
    return pass;
  }

  #required(tree: XmlElement, from: Jid): Sealing {
    const usual = usualReceiving(tree, from);
    return this.#session.sealing?.(tree, { direction: 'incoming', usual }) ?? usual;
  }

  /**
   * Errors cannot be sealed, so nobody vouches for one. It reaches the SDK without anything but the error: some servers
   * echo the sealed object, and an attacker may put content beside.
   */
  async #error(stanza: Glance, from: Jid, read: () => XmlElement): Promise<Received> {
    const request = stanza.name === 'iq' ? this.#exchange.awaited(stanza.id ?? '') : undefined;
    if (request?.to === from.toString()) this.#exchange.answered(stanza.id ?? '');
    else if (request?.sealed === true) throw downgrade('an error from another');
    if (!isSealed(stanza) && !(await this.#session.knows(from))) return pass;
    return { action: 'replace', stanza: bareError(read()), verdict: undefined };
  }

  async #forwarded(tree: XmlElement): Promise<Received> {
    const forwarded = readForwarded(tree)!;
    const { stanza, kind } = forwarded;
    if (kind === 'carbon-received' || kind === 'carbon-sent') contextOf(forwarded, tree, this.#session.jid);
    if (e2eChildren(stanza).length > 0 && stanza.attribute('type') !== 'error') {
      if (stanza.attribute('type') === 'groupchat') return pass;
      const { message, opened } = await this.#session.openForwarded(tree, { accept: believe });
      return { action: 'replace', stanza: message, verdict: opened.verdict };
    }
    return this.#plainForwarded(tree, forwarded);
  }

  /** A copy or an archive must not be the way around the rule for what comes directly. */
  async #plainForwarded(tree: XmlElement, forwarded: Forwarded): Promise<Received> {
    const { stanza, kind } = forwarded;
    const from = addressOf(stanza, 'from', 'unwrap');
    const to = addressOf(stanza, 'to', 'unwrap');
    const mine = from === undefined || from.bare().equals(this.#session.jid);
    const contact = mine ? to : from;
    if (contact === undefined || !(await this.#session.knows(contact)) || this.#session.allowsPlain(contact))
      return pass;
    if (kind !== 'forward') contextOf(forwarded, tree, this.#session.jid);
    if (stanza.attribute('type') === 'error') {
      return { action: 'replace', stanza: forwarded.replace(bareError(stanza)), verdict: undefined };
    }
    const plain = mine ? usualSending(stanza, contact) : this.#required(stanza, contact);
    if (plain === 'seal') throw downgrade('a plain copy where sealed stanzas are required');
    return pass;
  }

  async #refuse(stanza: Glance, tree: XmlElement | undefined, error: unknown): Promise<Received> {
    const reply = await this.#session.refuse(tree, e2eErrorOf(error));
    const request =
      stanza.name === 'iq' && stanza.type === 'result' ? this.#exchange.awaited(stanza.id ?? '') : undefined;
    if (request !== undefined && parseJid(stanza.from)?.toString() === request.to) {
      // Otherwise the application would wait for an answer until its own time limit.
      this.#exchange.answered(stanza.id ?? '');
      return { action: 'replace', stanza: failedAnswer(stanza), verdict: undefined };
    }
    return { action: 'drop', reply };
  }
}

function isSealed(stanza: Glance): boolean {
  return stanza.children.some((child) => child.name === 'e2e' && child.namespace === E2E);
}

function isForward(stanza: Glance): boolean {
  return (
    stanza.name === 'message' &&
    stanza.children.some(({ name, namespace }) => forwardKind(name, namespace) !== undefined)
  );
}

function isRequest(stanza: Glance): boolean {
  return stanza.name === 'iq' && (stanza.type === 'get' || stanza.type === 'set');
}

function parseJid(address: string | undefined): Jid | undefined {
  try {
    return Jid.parse(address ?? '');
  } catch {
    return undefined;
  }
}

/** What enters an SDK's own pipeline, whatever the policy delivers: well signed, and nothing that only servers may say. */
function believe(opened: Opened): void {
  const { level, sender } = opened.verdict;
  if (level === 'unknown-signer') throw new E2eError('ERR_E2E_SIGNER_UNKNOWN', 'check');
  if (level === 'untrusted') throw new E2eError('ERR_E2E_SIGNER_UNTRUSTED', 'check');
  if (sender === null) throw new E2eError('ERR_E2E_UNSIGNED', 'check');
  refuseServerOnly(opened.stanza);
}

/**
 * SDKs act on the `type` of an iq and match answers by its `id`. A sealed iq that does not say both inside could be any
 * other: a server can turn `get` into `set`, and exchange two answers.
 */
function requireIqInside({ payload }: Opened): void {
  const inner = payload.stanza;
  if (inner?.attribute('id') === undefined || inner.attribute('type') === undefined) {
    throw new E2eError('ERR_E2E_PAYLOAD_INVALID', 'check', { reason: 'an iq without id or type inside' });
  }
}

/** The failures of stores and backends that throw errors of their own. */
function e2eErrorOf(error: unknown): E2eError {
  if (error instanceof E2eError) return error;
  const failed = new E2eError('ERR_E2E_STORE_FAILED', 'check', { reason: 'a store or backend failed' });
  failed.cause = error;
  return failed;
}

/** An error stanza without anything but its address and conditions: no echo, no text, nothing of an application's. */
function bareError(stanza: XmlElement): XmlElement {
  const error = stanza.first('error');
  const conditions = (error?.elements ?? []).filter(
    ({ name, namespace }) => (namespace === STANZA_ERRORS && name !== 'text') || e2eNamespaces.includes(namespace),
  );
  const bare = conditions.map(({ name, namespace }) => element(name, namespace));
  if (bare.length === 0) bare.push(element('undefined-condition', STANZA_ERRORS));
  const type = error?.attribute('type') ?? 'cancel';
  return stanza.withChildren([element('error', stanza.namespace, { type }, bare)]);
}

const e2eNamespaces = [E2E, E2E_MISSPELT];

/** What the SDK gets for an answer that was refused. */
function failedAnswer({ from, to, id }: Glance): XmlElement {
  const condition = element('undefined-condition', STANZA_ERRORS);
  const error = element('error', CLIENT, { type: 'cancel' }, [condition]);
  return element('iq', CLIENT, { from, to, id, type: 'error' }, [error]);
}

function refused(reason: string): E2eError {
  return new E2eError('ERR_E2E_LAYERS_REFUSED', 'check', { reason });
}

function downgrade(reason: string): E2eError {
  return new E2eError('ERR_E2E_DOWNGRADE', 'check', { reason });
}
