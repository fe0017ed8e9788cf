/**
 * The entry `xmpp-e2e/stanza-js`: sealed stanzas in `stanza` (StanzaJS).
 *
 *     client.use(transparent({ session, JXT }));
 *     client.on('chat', (message) => verdictOf(message)?.sender?.jid);
 *
 * StanzaJS works on JSON, into which it takes only what it has definitions for: the sealed object gets one. The agent's
 * `send` and its `stream:data` event are taken.
 */

import { E2E_NAMESPACE, type E2eSession, type Glance, serializeXml } from '../index.ts';
import { type Explicit, explicitWith } from './explicit.ts';
import { partsOf, type StanzaForm, stanzaPipe, type TransparentOptions } from './stanza-pipe.ts';

export { verdictOf } from './verdict-of.ts';
export type { Explicit, ExplicitOpened } from './explicit.ts';

/** A stanza as JSON. */
export type StanzaJson = Record<string, unknown>;

/** An element of JXT, StanzaJS's XML library, as far as it is used. */
export interface JxtElement {
  children: unknown[];
  getName(): string;
  getNamespace(): string;
  getAttribute(name: string): string | undefined;
  getDefaultNamespace(): string;
  getText(): string;
  appendChild(child: JxtElement): unknown;
  toString(): string;
}

/** The `JXT` export of `stanza`, as far as it is used. */
export interface Jxt {
  parse(text: string): JxtElement;
  createElement(namespace: string, name: string, defaultNamespace: string, parent: JxtElement): JxtElement;
  extendMessage(fields: object): unknown;
  extendPresence(fields: object): unknown;
}

/** StanzaJS's registry of definitions, as far as it is used. */
export interface JxtRegistry {
  define(definitions: never): void;
  import(element: never, context?: never): unknown;
  export(kind: string, json: never, context?: never): unknown;
}

/** A StanzaJS client, as far as it is used. */
export interface StanzaAgent {
  readonly send: (kind: never, json: never, replay?: boolean) => Promise<void>;
  readonly emit: (event: never, ...parameters: never[]) => boolean;
  readonly disco: { addFeature(feature: string): void };
  readonly sm: { handle(): Promise<void> };
  readonly transport?: unknown;
  readonly sessionStarted?: boolean;
}

/** Options of {@link transparent}. */
export interface StanzaJsOptions extends TransparentOptions {
  readonly JXT: Jxt;
}

/** A plugin for `client.use`. */
export type StanzaPlugin = (agent: StanzaAgent, registry: JxtRegistry, config: unknown) => void;

type Kind = 'message' | 'presence' | 'iq';

/** The events after which a client may have become ready. */
const turns: ReadonlySet<string | symbol> = new Set(['session:started', 'stream:management:resumed', 'disconnected']);
type Send = (kind: string, json: StanzaJson, replay?: boolean) => Promise<void>;
type Emit = (event: string | symbol, ...parameters: unknown[]) => boolean;

interface Entry {
  readonly kind: Kind;
  readonly json: StanzaJson;
}

/**
 * A plugin that seals what a client sends and opens what it receives. Everything behind it sees plain stanzas, and
 * `verdictOf` tells which of them came sealed. The feature is announced by the client's own `disco`.
 *
 * A stanza that cannot be sealed is not sent: the client emits `stanza:failed`, a request fails at once, and the
 * session tells its listeners of `unsent`.
 */
export function transparent(options: StanzaJsOptions): StanzaPlugin {
  return (agent, registry, config) => {
    const form = formWith(registry, options.JXT, config);
    const send = agent.send.bind(agent) as Send;
    const emit = agent.emit.bind(agent) as Emit;
    const write = ({ kind, json }: Entry): Promise<void> => send(kind, json);
    // Without a transport the client keeps what it is given for the stream that is resumed.
    const isReady = (): boolean => agent.transport === undefined || agent.sessionStarted === true;
    const pipe = stanzaPipe(options, form, write, isReady);
    agent.disco.addFeature(E2E_NAMESPACE);

    // A stanza that is held counts on arrival: it will be handled, so that a resumed stream must not bring it again.
    const handle = agent.sm.handle.bind(agent.sm);
    const counted = new WeakSet();
    let isCounted = false;
    // Stanzas that came right behind what starts the count, which the client takes note of later.
    let early: number | undefined;
    const count = (): void => {
      if (early === undefined) void handle();
      else early++;
    };
    agent.sm.handle = async () => {
      if (!isCounted) await handle();
      isCounted = false;
    };

    const hooks = {
      async send(kind: string, json: StanzaJson, replay = false): Promise<void> {
        // What a resumed stream sends again is sealed already.
        if (replay || !isStanzaKind(kind)) return send(kind, json, replay);
        const entry = { kind, json };
        if (pipe.passes(entry)) return write(entry);
        try {
          await pipe.send(entry, write);
        } catch {
          // Nothing in StanzaJS looks at this promise; the session's listeners know the reason.
          fail(emit, entry);
        }
      },
      emit(event: string | symbol, ...parameters: unknown[]): boolean {
        const [json, kind] = parameters as [StanzaJson, string];
        // The client counts right after this event.
        if (event === 'stanza') isCounted = counted.delete(json);
        if (event !== 'stream:data' || !isStanzaKind(kind)) {
          if (event === 'stream:data' && startsCount(kind, json)) early = 0;
          const heard = emit(event, ...parameters);
          if (startsCount(event, json)) {
            for (; early !== undefined && early > 0; early--) void handle();
            early = undefined;
          }
          if (turns.has(event)) pipe.resume();
          return heard;
        }
        const deliver = (entry: Entry): void => {
          counted.add(entry.json);
          emit('stream:data', entry.json, entry.kind);
        };
        const taken = pipe.receive({ kind, json }, deliver, () => undefined);
        if (taken) count();
        return taken || emit(event, ...parameters);
      },
    };
    Object.assign(agent, hooks);
  };
}

/**
 * Seals and opens single stanzas, and leaves the client as it is. The stanzas are `{ kind, json }`.
 *
 * @param agent sends what {@link Explicit.send} seals
 */
export function explicit(
  agent: StanzaAgent & { readonly stanzas: JxtRegistry; readonly config?: unknown },
  { session, JXT }: { readonly session: E2eSession; readonly JXT: Jxt },
): Explicit<Entry> {
  const send = agent.send.bind(agent) as Send;
  return explicitWith(session, formWith(agent.stanzas, JXT, agent.config), ({ kind, json }) => send(kind, json));
}

/** XEP-0198: stanzas are counted from the answer to "enable" or "resume" on. */
function startsCount(kind: string | symbol, json: StanzaJson | undefined): boolean {
  return kind === 'sm' && (json?.['type'] === 'enabled' || json?.['type'] === 'resumed');
}

function isStanzaKind(kind: string): kind is Kind {
  return kind === 'message' || kind === 'presence' || kind === 'iq';
}

function fail(emit: Emit, { kind, json }: Entry): void {
  emit('stanza:failed', { kind, stanza: json });
  if (kind !== 'iq' || (json['type'] !== 'get' && json['type'] !== 'set')) return;
  const { id, to, from } = json;
  const error = { type: 'cancel', condition: 'undefined-condition' };
  emit(`iq:id:${String(id)}`, { id, from: to, to: from, type: 'error', error });
}

function formWith(registry: JxtRegistry, jxt: Jxt, config: unknown): StanzaForm<Entry> {
  define(registry, jxt);
  const { lang = 'en', acceptLanguages = [lang] } = (config ?? {}) as { lang?: string; acceptLanguages?: string[] };
  const exported = ({ kind, json }: Entry): JxtElement => registry.export(kind, json as never) as JxtElement;
  return {
    glance: (entry) => glanceJxt(exported(entry)),
    source: (entry) => exported(entry).toString(),
    build(stanza, { json }) {
      const element = jxt.parse(serializeXml(stanza));
      const built = registry.import(element as never, { lang, acceptLanguages } as never) as StanzaJson;
      // StanzaJS reads a body twice, in its language too, and would write both beside the sealed object.
      if (built['e2e'] !== undefined) delete built['alternateLanguageBodies'];
      // StanzaJS takes the address of a stanza without "from" from its own state.
      return {
        kind: stanza.name as Kind,
        json: stanza.attribute('from') === undefined ? withFrom(built, json) : built,
      };
    },
    parts: ({ json }) => partsOf(json, (part: Readonly<Record<string, unknown>>) => Object.values(part)),
  };
}

function withFrom(built: StanzaJson, { from }: StanzaJson): StanzaJson {
  return from === undefined ? built : { ...built, from };
}

function glanceJxt(element: JxtElement): Glance {
  return {
    name: element.getName(),
    from: element.getAttribute('from'),
    to: element.getAttribute('to'),
    type: element.getAttribute('type'),
    id: element.getAttribute('id'),
    children: elementsOf(element).map((child) => ({ name: child.getName(), namespace: child.getNamespace() })),
  };
}

function elementsOf(element: JxtElement): readonly JxtElement[] {
  return element.children.filter((child): child is JxtElement => typeof child === 'object' && child !== null);
}

function sealedIn(element: JxtElement): readonly JxtElement[] {
  return elementsOf(element).filter((child) => child.getName() === 'e2e' && child.getNamespace() === E2E_NAMESPACE);
}

const defined = new WeakSet<JxtRegistry>();

/** The sealed object as a field of messages and presence, and as a payload of iq (else it is answered as unknown). */
function define(registry: JxtRegistry, jxt: Jxt): void {
  if (defined.has(registry)) return;
  defined.add(registry);
  const field = {
    // Two are one too many, which the session must see.
    importer(element: JxtElement): string | readonly string[] | undefined {
      const all = sealedIn(element).map((child) => child.getText());
      return all.length > 1 ? all : all[0];
    },
    exporter(element: JxtElement, sealed: unknown): void {
      for (const text of Array.isArray(sealed) ? sealed : [sealed]) {
        if (typeof text !== 'string') continue;
        const child = jxt.createElement(E2E_NAMESPACE, 'e2e', element.getDefaultNamespace(), element);
        child.children.push(text);
        element.appendChild(child);
      }
    },
  };
  const payload = {
    namespace: E2E_NAMESPACE,
    element: 'e2e',
    path: 'iq.e2e',
    fields: {
      text: {
        importer: (element: JxtElement) => element.getText(),
        exporter: (element: JxtElement, text: unknown) => void element.children.push(text),
      },
    },
  };
  registry.define([jxt.extendMessage({ e2e: field }), jxt.extendPresence({ e2e: field }), payload] as never);
}
