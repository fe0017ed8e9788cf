/**
 * The entry `xmpp-e2e/strophe`: sealed stanzas in strophe.js.
 *
 *     const connection = new Strophe.Connection('wss://…');
 *     transparent(connection, { session });
 *     connection.addHandler((message) => (console.log(verdictOf(message)), true), null, 'message');
 *
 * The connection's own queue of outgoing stanzas and its entry for incoming ones are taken, since handlers are
 * synchronous and could neither hold a stanza back nor hide it from the others.
 */

import { type E2eSession, element, type Glance } from '../index.ts';
import { DISCO_INFO, discoChildren, type DiscoOptions } from './disco.ts';
import { buildDom, type DomElement, glanceDom, isDomElement } from './dom.ts';
import { type Explicit, explicitWith } from './explicit.ts';
import { partsOf, type StanzaForm, stanzaPipe, type TransparentOptions } from './stanza-pipe.ts';

export { verdictOf } from './verdict-of.ts';
export type { DomElement } from './dom.ts';
export type { Explicit, ExplicitOpened } from './explicit.ts';
export type { DiscoOptions } from './disco.ts';

/** A Strophe connection, as far as it is used. */
export interface StropheConnection {
  readonly service: string;
  send(stanza: never): void;
  addHandler(handler: (stanza: DomElement) => boolean, namespace: string | null, name: string, type?: string): unknown;
}

/** What Strophe keeps to itself. */
interface Internals {
  _queueData: (element: DomElement) => void;
  _dataRecv: (wrapper: DomElement, raw?: string) => void;
  readonly _proto: { _send(): void };
  readonly options?: { readonly protocol?: string; readonly worker?: string };
  readonly sm?: { onInboundStanza: (name: string) => void };
  readonly authenticated: boolean;
  readonly connected: boolean;
  readonly handlers: readonly unknown[];
  readonly addHandlers: readonly unknown[];
}

/** Options of {@link transparent}. */
export interface StropheOptions extends TransparentOptions {
  /** How to answer who asks what I support (XEP-0030), which Strophe does not do itself; `false` leaves it. */
  readonly disco?: DiscoOptions | false | undefined;
}

/**
 * Seals what a connection sends and opens what it receives. Its handlers see plain stanzas, and `verdictOf` tells which
 * of them came sealed.
 *
 * A stanza that cannot be sealed is not sent: a request gets an error at once, and the session tells its listeners of
 * `unsent`.
 *
 * @param connection over WebSocket, or a component, before it connects
 * @returns gives the connection back its own methods
 * @throws {TypeError} for a connection over BOSH or in a shared worker, whose stanzas do not pass here one by one
 */
export function transparent(connection: StropheConnection, options: StropheOptions): () => void {
  const inner = connection as StropheConnection & Internals;
  const { protocol = '', worker } = inner.options ?? {};
  const socket = /^wss?:/.test(connection.service) || protocol.startsWith('ws') || protocol === 'component';
  if (!socket || worker !== undefined)
    throw new TypeError('transparent mode needs a WebSocket or component connection');

  const queue = inner._queueData.bind(inner);
  const receive = inner._dataRecv.bind(inner);
  const write = (stanza: DomElement): void => {
    queue(stanza);
    inner._proto._send();
  };
  // Between two connections Strophe has neither a socket nor handlers.
  const pipe = stanzaPipe(options, form, write, () => inner.authenticated && inner.connected);

  const counted = (deliver: () => void): void => {
    const { sm } = inner;
    if (sm === undefined) {
      deliver();
      return;
    }
    // It was counted when it arrived.
    const own = Object.hasOwn(sm, 'onInboundStanza');
    const { onInboundStanza } = sm;
    sm.onInboundStanza = () => undefined;
    try {
      deliver();
    } finally {
      if (own) sm.onInboundStanza = onInboundStanza;
      else Reflect.deleteProperty(sm, 'onInboundStanza');
    }
  };

  const hooks = {
    _queueData(stanza: DomElement): void {
      if (pipe.passes(stanza)) queue(stanza);
      else pipe.send(stanza, write).catch(() => pipe.ready().then(() => counted(() => fail(stanza, receive))));
    },
    _dataRecv(wrapper: DomElement, raw?: string): void {
      const stanzas = Array.from(wrapper.childNodes).filter(isDomElement);
      const [stanza] = stanzas;
      listenForDisco();
      const deliver = (other: DomElement): void => counted(() => receive(wrapped(other, wrapper), raw));
      const taken = stanza !== undefined && stanzas.length === 1 && pipe.receive(stanza, deliver, () => undefined);
      // It will be handled, so that a resumed stream must not bring it again.
      if (taken) inner.sm?.onInboundStanza(glanceDom(stanza).name);
      else receive(wrapper, raw);
      if (inner.authenticated) pipe.resume();
    },
  };
  let handler: unknown;
  const listenForDisco = (): void => {
    // Strophe forgets its handlers with each connection.
    if (options.disco === false || !inner.authenticated) return;
    if (inner.handlers.includes(handler) || inner.addHandlers.includes(handler)) return;
    handler = answerDisco(connection, options.disco ?? {});
  };
  const original = { _queueData: inner._queueData, _dataRecv: inner._dataRecv };
  Object.assign(inner, hooks);
  return () => {
    for (const name of ['_queueData', '_dataRecv'] as const) {
      if (inner[name] !== hooks[name]) continue;
      Reflect.deleteProperty(inner, name);
      if (inner[name] !== original[name]) Object.assign(inner, { [name]: original[name] });
    }
  };
}

/**
 * Seals and opens single stanzas, and leaves the connection as it is.
 *
 * @param connection sends what {@link Explicit.send} seals
 */
export function explicit(
  connection: StropheConnection,
  { session }: { readonly session: E2eSession },
): Explicit<DomElement> {
  return explicitWith(session, form, (stanza) => connection.send(stanza as never));
}

const form: StanzaForm<DomElement> = {
  glance: (stanza): Glance => glanceDom(stanza),
  source: (stanza) => stanza,
  build: (stanza, like) => buildDom(stanza, like.ownerDocument!),
  parts: (stanza) => partsOf(stanza, (part: Partial<DomElement>) => Array.from(part.childNodes ?? [])),
};

/** Strophe hands each stanza on inside an element that stands for the stream. */
function wrapped(stanza: DomElement, wrapper: DomElement): DomElement {
  const copy = wrapper.cloneNode(false) as DomElement;
  copy.appendChild(stanza as never);
  return copy;
}

/** Otherwise the request would wait for its time limit. */
function fail(request: DomElement, receive: (wrapper: DomElement) => void): void {
  const { name, type, to, from, id } = glanceDom(request);
  if (name !== 'iq' || (type !== 'get' && type !== 'set')) return;
  const condition = element('undefined-condition', 'urn:ietf:params:xml:ns:xmpp-stanzas');
  const error = element('error', 'jabber:client', { type: 'cancel' }, [condition]);
  const answer = element('iq', 'jabber:client', { type: 'error', id, from: to, to: from }, [error]);
  receive(buildDom(element('wrapper', 'jabber:client', {}, [answer]), request.ownerDocument!));
}

function answerDisco(connection: StropheConnection, options: DiscoOptions): unknown {
  const answer = (request: DomElement): boolean => {
    const query = Array.from(request.childNodes)
      .filter(isDomElement)
      .find((child) => child.getAttribute('xmlns') === DISCO_INFO);
    if (query === undefined || query.getAttribute('node') !== null) return true;
    const children = discoChildren(options).map(([name, attributes]) => element(name, DISCO_INFO, attributes));
    const attributes = {
      type: 'result',
      id: request.getAttribute('id') ?? undefined,
      to: request.getAttribute('from') ?? undefined,
    };
    const result = element('iq', 'jabber:client', attributes, [element('query', DISCO_INFO, {}, children)]);
    connection.send(buildDom(result, request.ownerDocument!) as never);
    return true;
  };
  return connection.addHandler(answer, DISCO_INFO, 'iq', 'get');
}
