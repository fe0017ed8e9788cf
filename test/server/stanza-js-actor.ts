/** A user at StanzaJS. */
import * as stanza from 'stanza';
import type { Agent, Stanzas } from 'stanza';
import { explicit, transparent, verdictOf } from '../../src/adapters/stanza-js.ts';
import type { E2eSession } from '../../src/index.ts';
import {
  type Actor,
  type Arrival,
  type ConnectOptions,
  ECHO,
  emptyInbox,
  inClientNamespace,
  patience,
  until,
} from './actor.ts';
import type { XmppServer } from './xmpp-server.ts';

// A CommonJS package: what Node finds by name depends on the loader.
const { createClient, JXT } = 'default' in stanza ? (stanza.default as typeof stanza) : stanza;

type ReceivedMessage = Stanzas.ReceivedMessage;

/** An actor with its client. */
export interface StanzaActor extends Actor {
  readonly client: Agent;
}

/** Connects over WebSocket. */
export async function connectStanzaJs(
  server: XmppServer,
  user: string,
  session: E2eSession,
  options: ConnectOptions = {},
): Promise<StanzaActor> {
  const { resource = 'stanza', address: url = server.websocket } = options;
  const client = createClient({
    jid: `${user}@${server.domain}`,
    resource,
    password: `${user}pw`,
    transports: { websocket: url, bosh: false },
    autoReconnect: false,
    timeout: patience,
  });
  client.use((_agent, registry) => {
    registry.define([{ namespace: ECHO, element: 'echo', path: 'iq.echo', fields: { text: JXT.text() } } as never]);
  });
  const byCall = options.explicit === true ? explicit(client, { session, JXT: JXT as never }) : undefined;
  if (byCall === undefined) client.use(transparent({ session, JXT: JXT as never }));
  const send = (kind: 'message' | 'presence', json: Record<string, unknown>): Promise<void> =>
    byCall === undefined ? client.send(kind, json) : byCall.send({ kind, json });
  const traffic: string[] = [];
  const inbox = emptyInbox();
  const { messages, presences, requests, copies, bounces, received, failures } = inbox;
  client.on('raw:incoming', (data) => void traffic.push(data));
  client.on('raw:outgoing', (data) => void traffic.push(data));
  const arrival = (json: { from?: string; id?: string }, text = ''): Arrival => ({
    from: json.from ?? '',
    text,
    id: json.id,
    verdict: verdictOf(json),
  });
  const take = (message: ReceivedMessage): void => {
    const inner = message.carbon?.forward.message ?? message.archive?.item.message;
    if (inner !== undefined) copies.push(arrival(inner, inner.body));
    if (message.type === 'error') bounces.push({ id: message.id, xml: JSON.stringify(message) });
    if (message.body !== undefined) messages.push(arrival(message, message.body));
  };
  client.on('message', (message) => {
    const copy = message.carbon?.forward.message ?? message.archive?.item.message;
    const entry = { kind: 'message' as const, json: message as unknown as Record<string, unknown> };
    if (byCall?.isSealed(entry) === true) {
      const put = (opened: { stanza: { json: unknown } }): void => take(opened.stanza.json as ReceivedMessage);
      byCall.open(entry).then(put, (error: unknown) => failures.push(error));
    } else if (copy !== undefined && byCall?.isSealed({ kind: 'message', json: copy as never }) === true) {
      const put = ({ stanza: { json } }: { stanza: { json: unknown } }): unknown =>
        copies.push(arrival(json as ReceivedMessage, (json as ReceivedMessage).body));
      byCall.openForwarded(entry).then(put, (error: unknown) => failures.push(error));
    } else take(message);
  });
  for (const name of ['message', 'presence', 'iq'] as const) {
    client.on(name, (json) => received.push({ name, text: JSON.stringify(json) }));
  }
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
    ...inbox,
    sdk: 'stanza',
    client,
    session,
    jid: client.jid,
    wire: () => traffic.join('\n'),
    say: (to, body, id) => send('message', { to, type: 'chat', id, body }),
    show: (to, status) => send('presence', { to, status }),
    send(text) {
      const element = JXT.parse(inClientNamespace(text));
      const json = client.stanzas.import(element) as Record<string, unknown>;
      // Read a second time, it would be written a second time.
      delete json['alternateLanguageBodies'];
      return client.send(element.getName() as 'message', json);
    },
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
      let resumed = false;
      client.once('stream:management:resumed', () => (resumed = true));
      // What the client's own reconnection does, without its pauses.
      const again = (): void => {
        client.connect();
      };
      client.on('disconnected', again);
      client.connect();
      await until('resumption', () => resumed).catch((error: unknown) => {
        throw new Error(`${String(error)}, after ${traffic.slice(-12).join('\n').slice(-3000)}`);
      });
      client.off('disconnected', again);
      lost = disconnections;
    },
    async stop() {
      let gone = client.transport === undefined;
      client.once('disconnected', () => (gone = true));
      if (!gone) client.disconnect();
      await until('disconnection', () => gone, 5).catch(() => undefined);
    },
  };
}
