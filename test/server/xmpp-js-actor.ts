/** A user at @xmpp/client. */
import { client, type Client, type Element, xml } from '@xmpp/client';
import { explicit, transparent, verdictOf } from '../../src/adapters/xmpp-js.ts';
import { buildWith, type E2eSession, parseXml, type Verdict } from '../../src/index.ts';
import { type Actor, type Arrival, type ConnectOptions, ECHO, emptyInbox, patience, until } from './actor.ts';
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
  options: ConnectOptions = {},
): Promise<XmppJsActor> {
  const { resource = 'xmpp.js', address: service = `xmpp://localhost:${server.starttlsPort}` } = options;
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
  const byCall = options.explicit === true ? explicit<Element>(xmpp, { session, xml }) : undefined;
  if (byCall === undefined) transparent<Element>(xmpp, { session, xml });
  const send = (element: Element): Promise<unknown> =>
    byCall === undefined ? xmpp.send(element) : byCall.send(element);

  const inbox = emptyInbox();
  const { messages, presences, requests, copies, bounces, received, failures } = inbox;
  const arrival = (stanza: Element, text: string | null | undefined): Arrival => ({
    from: stanza.attrs['from'] ?? '',
    text: text ?? '',
    id: stanza.attrs['id'],
    verdict: verdictOf(stanza),
  });
  const take = (stanza: Element): void => {
    const inner = innerMessage(stanza);
    if (inner !== undefined) copies.push(arrival(inner, inner.getChildText('body')));
    if (stanza.is('message') && stanza.attrs['type'] === 'error') {
      bounces.push({ id: stanza.attrs['id'], xml: stanza.toString() });
    }
    if (stanza.is('message') && stanza.getChild('body')) messages.push(arrival(stanza, stanza.getChildText('body')));
    if (stanza.is('presence')) presences.push(arrival(stanza, stanza.getChildText('status')));
  };
  xmpp.on('stanza', (stanza: Element) => {
    received.push({ name: stanza.name, text: stanza.toString() });
    const copy = innerMessage(stanza);
    if (byCall?.isSealed(stanza) === true) {
      byCall.open(stanza).then(
        (opened) => take(opened.stanza),
        (error: unknown) => failures.push(error),
      );
    } else if (copy !== undefined && byCall?.isSealed(copy) === true) {
      const put = (opened: { stanza: Element; verdict: Verdict }): unknown =>
        copies.push(arrival(opened.stanza, opened.stanza.getChildText('body')));
      byCall.openForwarded(stanza).then(put, (error: unknown) => failures.push(error));
    } else take(stanza);
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
    ...inbox,
    sdk: 'xmpp.js',
    client: xmpp,
    session,
    jid: String(xmpp.jid),
    wire: () => traffic.join('\n'),
    async say(to, text, id) {
      await send(xml('message', { to, type: 'chat', id }, xml('body', {}, text)));
    },
    async show(to, status) {
      await send(xml('presence', { to }, xml('status', {}, status)));
    },
    async ask(to, text) {
      const answer = await xmpp.iqCaller.request(
        xml('iq', { type: 'get', to }, xml('echo', { xmlns: ECHO }, text)),
        patience * 1000,
      );
      return arrival(answer, answer.getChildText('echo', ECHO));
    },
    async send(stanza) {
      await xmpp.send(buildWith<Element>(parseXml(stanza, { defaultNamespace: 'jabber:client' }), xml));
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
      xmpp.timeout = 2000;
      await xmpp.stop().catch(() => undefined);
    },
  };
}

/** The message inside a carbon copy or an archive result. */
function innerMessage(stanza: Element): Element | undefined {
  const wrapper = stanza.children.find(
    (child): child is Element =>
      typeof child !== 'string' && ['urn:xmpp:carbons:2', 'urn:xmpp:mam:2'].includes(child.attrs['xmlns'] ?? ''),
  );
  return wrapper?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message');
}
