/** A user at StanzaJS. */
import * as stanza from 'stanza';
import type { Agent } from 'stanza';
import { transparent, verdictOf } from '../../src/adapters/stanza-js.ts';
import type { E2eSession } from '../../src/index.ts';
import { type Actor, type Arrival, ECHO, until } from './actor.ts';
import type { XmppServer } from './xmpp-server.ts';

// A CommonJS package: what Node finds by name depends on the loader.
const { createClient, JXT } = 'default' in stanza ? (stanza.default as typeof stanza) : stanza;

/** An actor with its client. */
export interface StanzaActor extends Actor {
  readonly client: Agent;
}

/** Connects over WebSocket. */
export async function connectStanzaJs(
  server: XmppServer,
  user: string,
  session: E2eSession,
  resource = 'stanza',
  url = server.websocket,
): Promise<StanzaActor> {
  const client = createClient({
    jid: `${user}@${server.domain}`,
    resource,
    password: `${user}pw`,
    transports: { websocket: url, bosh: false },
    autoReconnect: false,
  });
  client.use((_agent, registry) => {
    registry.define([{ namespace: ECHO, element: 'echo', path: 'iq.echo', fields: { text: JXT.text() } } as never]);
  });
  client.use(transparent({ session, JXT: JXT as never }));
  const traffic: string[] = [];
  const messages: Arrival[] = [];
  const presences: Arrival[] = [];
  const requests: Arrival[] = [];
  const copies: Arrival[] = [];
  const bounces: { id: string | undefined; xml: string }[] = [];
  client.on('raw:incoming', (data) => void traffic.push(data));
  client.on('raw:outgoing', (data) => void traffic.push(data));
  const arrival = (json: { from?: string; id?: string }, text = ''): Arrival => ({
    from: json.from ?? '',
    text,
    id: json.id,
    verdict: verdictOf(json),
  });
  client.on('message', (message) => {
    const inner = message.carbon?.forward.message ?? message.archive?.item.message;
    if (inner !== undefined) copies.push(arrival(inner, inner.body));
    if (message.type === 'error') bounces.push({ id: message.id, xml: JSON.stringify(message) });
    if (message.body !== undefined) messages.push(arrival(message, message.body));
  });
  client.on('presence', (presence) => void presences.push(arrival(presence, presence.status)));
  client.on(
    'iq:get:echo' as never,
    ((iq: { from: string; id: string; echo: { text: string } }) => {
      requests.push(arrival(iq, iq.echo.text));
      client.sendIQResult(iq as never, { echo: { text: iq.echo.text } } as never);
    }) as never,
  );
  const started = new Promise<void>((resolve, reject) => {
    client.once('session:started', () => resolve());
    client.once('disconnected', () => reject(new Error('disconnected')));
  });
  let disconnections = 0;
  let lost = 0;
  client.on('disconnected', () => {
    disconnections++;
  });
  client.connect();
  await started;
  await until('stream management', () => client.sm.started);
  client.sendPresence({});
  return {
    sdk: 'stanza',
    client,
    session,
    jid: client.jid,
    messages,
    presences,
    requests,
    copies,
    bounces,
    wire: () => traffic.join('\n'),
    say: (to, body, id) => client.send('message', { to, type: 'chat', id, body }),
    show: (to, status) => client.send('presence', { to, status }),
    async ask(to, text) {
      const answer = (await client.sendIQ({ to, type: 'get', echo: { text } } as never)) as {
        from: string;
        echo?: { text: string };
      };
      return arrival(answer, answer.echo?.text);
    },
    async enableCarbons() {
      await client.enableCarbons();
    },
    async fetchArchive() {
      await client.searchHistory({ paging: { before: '', max: 9 } });
    },
    async resume() {
      lost++;
      await until('disconnection', () => disconnections >= lost);
      const resumed = new Promise<void>((resolve) => {
        client.once('stream:management:resumed', () => resolve());
      });
      client.connect();
      await resumed;
    },
    async stop() {
      const gone = new Promise<void>((resolve) => client.once('disconnected', () => resolve()));
      client.disconnect();
      await gone;
    },
  };
}
