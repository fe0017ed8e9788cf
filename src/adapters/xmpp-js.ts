/**
 * The entry `xmpp-e2e/xmpp-js`: sealed stanzas in `@xmpp/client` and `@xmpp/component`.
 *
 *     const xmpp = client({ … });
 *     transparent(xmpp, { session, xml });
 *     xmpp.on('stanza', (stanza) => verdictOf(stanza)?.sender?.jid);
 *
 * The client's `send` and its `element` and `stanza` events are taken: middleware runs beside the events and could
 * neither hold a stanza back nor keep it from being written.
 */

import { buildWith, type E2eSession, type Glance } from '../index.ts';
import { type Explicit, explicitWith } from './explicit.ts';
import { DISCO_INFO, discoChildren, type DiscoOptions } from './disco.ts';
import { glanceLtx } from './ltx.ts';
import { partsOf, type StanzaForm, stanzaPipe, type TransparentOptions } from './stanza-pipe.ts';

export { verdictOf } from './verdict-of.ts';
export type { Explicit, ExplicitOpened } from './explicit.ts';
export type { DiscoOptions } from './disco.ts';

/** An element of the client, as far as it is looked at. */
export interface LtxElement {
  readonly name: string;
  readonly attrs: Readonly<Record<string, string | undefined>>;
  readonly children: readonly unknown[];
}

/** The `xml` function of `@xmpp/client`: it drops elements of any other copy of its class. */
export type LtxFactory<El extends LtxElement> = (
  name: string,
  attrs: Record<string, string>,
  ...children: (El | string)[]
) => El;

/** A client or component, as far as it is used. */
export interface XmppJsEntity<El extends LtxElement> {
  readonly send: (element: El) => Promise<unknown>;
  readonly sendMany?: (elements: Iterable<El>) => Promise<unknown>;
  readonly emit: (event: string | symbol, ...parameters: never[]) => boolean;
  /** Default namespace of the stream. */
  readonly NS?: string;
  readonly status?: string;
  readonly streamManagement?: { inbound: number; on?(event: string, listener: () => void): unknown };
  readonly iqCallee?: {
    get(
      namespace: string,
      name: string,
      handler: (context: { readonly element: LtxElement }, next: () => unknown) => unknown,
    ): void;
  };
}

/** Options of {@link transparent}. */
export interface XmppJsOptions<El extends LtxElement> extends TransparentOptions {
  readonly xml: LtxFactory<El>;
  /** How to answer who asks what I support (XEP-0030), which the client does not do itself; `false` leaves it. */
  readonly disco?: DiscoOptions | false | undefined;
}

/**
 * Seals what a client sends and opens what it receives. Everything behind it (events, middleware, `iqCaller`,
 * `iqCallee`) sees plain stanzas, and `verdictOf` tells which of them came sealed.
 *
 * @param entity before or after its start
 * @returns gives the client back its own methods
 */
export function transparent<El extends LtxElement>(entity: XmppJsEntity<El>, options: XmppJsOptions<El>): () => void {
  const { xml, disco = {} } = options;
  const { send, sendMany, emit } = entity;
  const own = { send: Object.hasOwn(entity, 'send'), emit: Object.hasOwn(entity, 'emit') };
  const write = (element: El): Promise<unknown> => {
    written.add(element);
    return send.call(entity, element);
  };
  const form = formWith(entity, xml);
  // A client that is offline refuses by itself; between two streams it would take a stanza for part of the negotiation.
  const isReady = (): boolean => ['online', 'offline'].includes(entity.status ?? 'online');
  const pipe = stanzaPipe(options, form, (element) => write(element).catch(() => undefined), isReady);
  // The client tells of this before its status, and of its status not at all.
  entity.streamManagement?.on?.('resumed', () => queueMicrotask(() => pipe.resume()));
  const held = new WeakSet();
  const written = new WeakSet();
  const emitOwn = emit as (event: string | symbol, ...parameters: unknown[]) => boolean;

  const deliver = (element: El): void => {
    const { streamManagement: management } = entity;
    const counted = management?.inbound;
    if (management !== undefined) management.inbound--;
    emitOwn.call(entity, 'element', element);
    // The client's own middleware counts most stanzas, but no iq answers.
    if (management !== undefined && counted !== undefined) management.inbound = counted;
    emitOwn.call(entity, 'stanza', element);
  };

  const hooks = {
    emit: (event: string | symbol, ...parameters: unknown[]): boolean => {
      const element = parameters[0] as El;
      if (event === 'element') {
        if (!pipe.receive(element, deliver, () => undefined)) return emitOwn.call(entity, event, ...parameters);
        // Counted on arrival: it will be handled, so that a resumed stream must not bring it again.
        if (entity.streamManagement !== undefined) entity.streamManagement.inbound++;
        held.add(element);
        return true;
      }
      if (event === 'stanza' && held.delete(element)) return true;
      if (event === 'status') pipe.resume();
      return emitOwn.call(entity, event, ...parameters);
    },
    send: (element: El) => (pipe.passes(element) ? write(element) : pipe.send(element, write)),
    sendMany: async (elements: Iterable<El>): Promise<void> => {
      const list = [...elements];
      // A resumed stream sends again what was never acknowledged, as it was written, before anything new.
      const isAgain = (element: El): boolean => !isReady() && written.has(element);
      if (list.every((element) => isAgain(element) || pipe.passes(element))) await sendMany!.call(entity, list);
      else await Promise.all(list.map((element) => hooks.send(element)));
    },
  };
  Object.assign(entity, { emit: hooks.emit, send: hooks.send }, sendMany && { sendMany: hooks.sendMany });
  if (disco !== false) answerDisco(entity, xml, disco);
  return () => {
    const target = entity as unknown as Record<string, unknown>;
    for (const [name, original] of Object.entries({ send, emit, sendMany })) {
      if (target[name] !== (hooks as Record<string, unknown>)[name]) continue;
      if (original === undefined || !own[name as keyof typeof own]) Reflect.deleteProperty(entity, name);
      else target[name] = original;
    }
  };
}

/**
 * Seals and opens single stanzas, and leaves the client as it is.
 *
 * @param entity sends what {@link Explicit.send} seals
 */
export function explicit<El extends LtxElement>(
  entity: XmppJsEntity<El>,
  { session, xml }: { readonly session: E2eSession; readonly xml: LtxFactory<El> },
): Explicit<El> {
  return explicitWith(session, formWith(entity, xml), (element) => entity.send(element));
}

function formWith<El extends LtxElement>(entity: XmppJsEntity<El>, xml: LtxFactory<El>): StanzaForm<El> {
  return {
    glance: (element): Glance => glanceLtx(element, entity.NS),
    source: (element) => element,
    build: (stanza): El => buildWith(stanza, xml),
    parts: (element) => partsOf(element, (part: Partial<LtxElement>) => part.children ?? []),
  };
}

interface DiscoContext {
  readonly element: LtxElement;
}

function answerDisco<El extends LtxElement>(
  entity: XmppJsEntity<El>,
  xml: LtxFactory<El>,
  options: DiscoOptions,
): void {
  const answer = ({ element }: DiscoContext, next: () => unknown): unknown => {
    if (element.attrs['node'] !== undefined) return next();
    return xml('query', { xmlns: DISCO_INFO }, ...discoChildren(options).map(([name, attrs]) => xml(name, attrs)));
  };
  entity.iqCallee?.get(DISCO_INFO, 'query', answer);
}
