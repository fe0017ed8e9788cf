/** A user at strophe.js. */
import { DOMParser } from '@xmldom/xmldom';
import { $iq, $msg, $pres, type Builder, type StropheConnection, Strophe } from './strophe-api.ts';
import { explicit, transparent, verdictOf } from '../../src/adapters/strophe.ts';
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

/** An actor with its connection. */
export interface StropheActor extends Actor {
  readonly connection: StropheConnection;
}

/** Connects over WebSocket. */
export async function connectStrophe(
  server: XmppServer,
  user: string,
  session: E2eSession,
  options: ConnectOptions = {},
): Promise<StropheActor> {
  const { resource = 'strophe', address: url = server.websocket } = options;
  const connection = new Strophe.Connection(url, { enableStreamManagement: true });
  const traffic: string[] = [];
  const inbox = emptyInbox();
  const { messages, presences, requests, copies, bounces, received, failures } = inbox;
  connection.rawInput = (data: string) => void traffic.push(data);
  connection.rawOutput = (data: string) => void traffic.push(data);
  const byCall = options.explicit === true ? explicit(connection, { session }) : undefined;
  if (byCall === undefined) transparent(connection, { session });
  const send = async (builder: Builder): Promise<void> => {
    if (byCall === undefined) connection.send(builder);
    else await byCall.send(builder.tree());
  };
  const arrival = (stanza: Element, child: string): Arrival => ({
    from: stanza.getAttribute('from') ?? '',
    text: stanza.getElementsByTagName(child)[0]?.textContent ?? '',
    id: stanza.getAttribute('id') ?? undefined,
    verdict: verdictOf(stanza),
  });
  const connect = (): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      connection.connect(`${user}@${server.domain}/${resource}`, `${user}pw`, (status: number, reason: string) => {
        // Strophe forgets its handlers with each connection, and dispatches right after this.
        if (status === Strophe.Status['CONNECTED']) {
          listen();
          resolve();
        }
        if (status === Strophe.Status['CONNFAIL'] || status === Strophe.Status['AUTHFAIL']) reject(new Error(reason));
      });
    });
  const handle = (name: string, handler: (stanza: Element) => void): void => {
    const keep = (stanza: Element): boolean => (handler(stanza), true);
    connection.addHandler(keep, null, name);
  };
  const listen = (): void => {
    for (const name of ['message', 'presence', 'iq']) {
      handle(name, (stanza) => received.push({ name, text: Strophe.serialize(stanza) }));
    }
    const take = (stanza: Element): void => {
      const inner = innerMessage(stanza);
      if (stanza.getAttribute('type') === 'error') {
        bounces.push({ id: stanza.getAttribute('id') ?? undefined, xml: Strophe.serialize(stanza) });
      }
      if (inner !== undefined) copies.push(arrival(inner, 'body'));
      else if (stanza.getElementsByTagName('body').length > 0) messages.push(arrival(stanza, 'body'));
    };
    handle('message', (stanza) => {
      const copy = innerMessage(stanza);
      const failed = (error: unknown): unknown => failures.push(error);
      if (byCall?.isSealed(stanza) === true) {
        byCall.open(stanza).then((opened) => take(opened.stanza as Element), failed);
      } else if (copy !== undefined && byCall?.isSealed(copy) === true) {
        const put = (opened: { stanza: unknown }): unknown => copies.push(arrival(opened.stanza as Element, 'body'));
        byCall.openForwarded(stanza).then(put, failed);
      } else take(stanza);
    });
    handle('presence', (stanza) => presences.push(arrival(stanza, 'status')));
    connection.addHandler(
      (request: Element) => {
        requests.push(arrival(request, 'echo'));
        const id = request.getAttribute('id')!;
        const to = request.getAttribute('from')!;
        connection.send(
          $iq({ type: 'result', id, to })
            .c('echo', { xmlns: ECHO })
            .t(request.getElementsByTagName('echo')[0]!.textContent),
        );
        return true;
      },
      ECHO,
      'iq',
      'get',
    );
  };
  await connect();
  await until('stream management', () => connection.sm?.enabled === true);
  connection.send($pres());
  const command = (request: Builder): Promise<void> =>
    new Promise((resolve, reject) => {
      connection.sendIQ(
        request,
        () => resolve(),
        () => reject(new Error('refused')),
        patience * 1000,
      );
    });
  return {
    ...inbox,
    sdk: 'strophe',
    connection,
    session,
    jid: connection.jid,
    wire: () => traffic.join('\n'),
    say(to, text, id) {
      return send($msg({ to, type: 'chat', id }).c('body').t(text));
    },
    show(to, status) {
      return send($pres({ to }).c('status').t(status));
    },
    ask: (to, text) =>
      new Promise((resolve, reject) => {
        const request = $iq({ to, type: 'get' }).c('echo', { xmlns: ECHO }).t(text);
        const failed = (answer: Element | null): void =>
          reject(new Error(answer === null ? 'timeout' : Strophe.serialize(answer)));
        connection.sendIQ(request, (answer: Element) => resolve(arrival(answer, 'echo')), failed, patience * 1000);
      }),
    send(text) {
      const document = new DOMParser().parseFromString(inClientNamespace(text), 'text/xml');
      connection.send(document.documentElement as unknown as Element);
      return Promise.resolve();
    },
    enableCarbons: () => command($iq({ type: 'set' }).c('enable', { xmlns: 'urn:xmpp:carbons:2' })),
    fetchArchive: () => {
      const query = $iq({ type: 'set' }).c('query', { xmlns: 'urn:xmpp:mam:2' });
      const last = query.c('set', { xmlns: 'http://jabber.org/protocol/rsm' });
      return command(last.c('max').t('9').up().c('before'));
    },
    async resume() {
      await until('disconnection', () => !connection.connected);
      await connect();
      if (connection.sm?.resumed !== true) throw new Error('not resumed');
    },
    async stop() {
      connection.disconnect('done');
      await until('disconnection', () => !connection.connected, 5).catch(() => undefined);
    },
  };
}

/** The message inside a carbon copy or an archive result. */
function innerMessage(stanza: Element): Element | undefined {
  return stanza.getElementsByTagName('forwarded')[0]?.getElementsByTagName('message')[0];
}
