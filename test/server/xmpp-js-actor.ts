/** A user at @xmpp/client. */
import { client, type Client, type Element, xml } from '@xmpp/client';
import { transparent, verdictOf } from '../../src/adapters/xmpp-js.ts';
import type { E2eSession } from '../../src/index.ts';
import { type Actor, type Arrival, ECHO, until } from './actor.ts';
import type { XmppServer } from './xmpp-server.ts';

/** An actor with its client. */
export interface XmppJsActor extends Actor {
  readonly client: Client;
}

/** Connects over STARTTLS (xmpp), direct TLS (xmpps) or WebSocket (wss). */
export async function connectXmppJs(
  server: XmppServer,
  user: string,
  session: E2eSession,
  resource = 'xmpp.js',
  service = `xmpp://localhost:${server.starttlsPort}`,
): Promise<XmppJsActor> {
  const xmpp = client({ service, domain: server.domain, username: user, password: `${user}pw`, resource });
  const traffic: string[] = [];
  const write = xmpp.write.bind(xmpp);
  const onData = xmpp._onData.bind(xmpp);
  xmpp.write = (text) => {
    traffic.push(text);
    return write(text);
  };
  xmpp._onData = (data) => {
    traffic.push(String(data));
    onData(data);
  };
  xmpp.on('error', () => undefined);
  transparent<Element>(xmpp, { session, xml });

  const messages: Arrival[] = [];
  const presences: Arrival[] = [];
  const requests: Arrival[] = [];
  const copies: Arrival[] = [];
  const bounces: { id: string | undefined; xml: string }[] = [];
  const arrival = (stanza: Element, text: string | null | undefined): Arrival => ({
    from: stanza.attrs['from'] ?? '',
    text: text ?? '',
    id: stanza.attrs['id'],
    verdict: verdictOf(stanza),
  });
  xmpp.on('stanza', (stanza: Element) => {
    const wrapper = stanza.children.find(
      (child): child is Element =>
        typeof child !== 'string' && ['urn:xmpp:carbons:2', 'urn:xmpp:mam:2'].includes(child.attrs['xmlns'] ?? ''),
    );
    const inner = wrapper?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message');
    if (inner !== undefined) copies.push(arrival(inner, inner.getChildText('body')));
    if (stanza.is('message') && stanza.attrs['type'] === 'error') {
      bounces.push({ id: stanza.attrs['id'], xml: stanza.toString() });
    }
    if (stanza.is('message') && stanza.getChild('body')) messages.push(arrival(stanza, stanza.getChildText('body')));
    if (stanza.is('presence')) presences.push(arrival(stanza, stanza.getChildText('status')));
  });
  xmpp.iqCallee.get(ECHO, 'echo', ({ stanza, element }) => {
    requests.push(arrival(stanza, element.text()));
    return xml('echo', { xmlns: ECHO }, element.text());
  });
  xmpp.reconnect.delay = 100;
  // Two seconds are short on a machine that runs other tests too, and the client does not try again.
  xmpp.timeout = 20_000;
  let resumptions = 0;
  let awaited = 0;
  xmpp.streamManagement.on('resumed', () => {
    resumptions++;
  });
  await xmpp.start();
  await until('stream management', () => xmpp.streamManagement.enabled && xmpp.streamManagement.id !== '');
  await xmpp.send(xml('presence'));
  return {
    sdk: 'xmpp.js',
    client: xmpp,
    session,
    jid: String(xmpp.jid),
    messages,
    presences,
    requests,
    copies,
    bounces,
    wire: () => traffic.join('\n'),
    async say(to, text, id) {
      await xmpp.send(xml('message', { to, type: 'chat', id }, xml('body', {}, text)));
    },
    async show(to, status) {
      await xmpp.send(xml('presence', { to }, xml('status', {}, status)));
    },
    async ask(to, text) {
      const answer = await xmpp.iqCaller.request(
        xml('iq', { type: 'get', to }, xml('echo', { xmlns: ECHO }, text)),
        10_000,
      );
      return arrival(answer, answer.getChildText('echo', ECHO));
    },
    async enableCarbons() {
      await xmpp.iqCaller.set(xml('enable', { xmlns: 'urn:xmpp:carbons:2' }));
    },
    async fetchArchive() {
      const last = xml('set', { xmlns: 'http://jabber.org/protocol/rsm' }, xml('max', {}, '9'), xml('before'));
      await xmpp.iqCaller.request(xml('iq', { type: 'set' }, xml('query', { xmlns: 'urn:xmpp:mam:2' }, last)));
    },
    async resume() {
      awaited++;
      await until('resumption', () => resumptions >= awaited);
    },
    async stop() {
      xmpp.reconnect.stop();
      await xmpp.stop().catch(() => undefined);
    },
  };
}
