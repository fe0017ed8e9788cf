/** The real connection of strophe.js on a wire in memory. */
import { DOMParser } from '@xmldom/xmldom';
import { describe, expect, it, vi } from 'vitest';
import { explicit, transparent, verdictOf } from '../../../src/adapters/strophe.ts';
import { serializeXml, type XmlElement } from '../../../src/index.ts';
import { $iq, $msg, $pres, type Builder, Strophe, type StropheConnection } from '../../server/strophe-api.ts';
import { backend, carbonCopy, isSealedWire, juliet, orchard, peer, romeo, settle, stanza, watched } from './scene.ts';

interface Internals {
  connected: boolean;
  authenticated: boolean;
  readonly _proto: { socket: unknown };
  _queueData: (element: unknown) => void;
  _dataRecv: (wrapper: unknown, raw?: string) => void;
  readonly sm?: { state: { enabled: boolean; hIn: number } };
}

interface Host {
  readonly connection: StropheConnection & Internals;
  readonly wire: string[];
  readonly got: Element[];
  readonly receive: (...trees: (XmlElement | string)[]) => void;
}

/** A connection that thinks it is connected. */
function host(options: object = {}): Host {
  const connection = new Strophe.Connection('wss://localhost', options) as Host['connection'];
  const wire: string[] = [];
  connection._proto.socket = { send: (text: string) => void wire.push(text), readyState: 1, close: () => undefined };
  connection.connected = true;
  connection.authenticated = true;
  const got: Element[] = [];
  for (const name of ['message', 'presence', 'iq']) {
    connection.addHandler((one) => (got.push(one), true), null, name);
  }
  return {
    connection,
    wire,
    got,
    receive(...trees) {
      const text = trees.map((tree) => serializeXml(typeof tree === 'string' ? stanza(tree) : tree)).join('');
      const { documentElement } = new DOMParser().parseFromString(`<wrapper>${text}</wrapper>`, 'text/xml');
      connection._dataRecv(documentElement, text);
    },
  };
}

const say = (text: string): Builder => $msg({ to: orchard, type: 'chat', id: text }).c('body').t(text);
const body = (element: Element): string | null | undefined => element.getElementsByTagName('body')[0]?.textContent;

describe('sending', () => {
  it('seals in order, and leaves what is for servers', async () => {
    const { connection, wire } = host();
    transparent(connection, { session: watched(juliet).session });
    connection.send($pres());
    connection.send(say('one'));
    connection.send(say('two'));
    connection.send($pres({ id: 'p' }));
    await vi.waitFor(() => expect(wire).toHaveLength(4));
    expect(wire.map(isSealedWire)).toEqual([false, true, true, false]);
    const other = peer();
    expect((await other.open(wire[1]!)).first('body')?.text).toBe('one');
    expect((await other.open(wire[2]!)).first('body')?.text).toBe('two');
  });

  it('fails where no key is usable: a request at once, and nothing is written', async () => {
    const { connection, wire } = host();
    const { session, unsent } = watched(juliet, {
      backends: [{ ...backend(), canSealTo: () => Promise.resolve(false) }],
    });
    transparent(connection, { session });
    connection.send(say('secret'));
    const failed = await new Promise<Element | null>((resolve, reject) =>
      connection.sendIQ($iq({ to: orchard, type: 'get' }).c('q', { xmlns: 'urn:example' }), reject, resolve, 5000),
    );
    expect(failed?.getAttribute('type')).toBe('error');
    expect(wire).toEqual([]);
    expect(unsent).toEqual(['ERR_E2E_NO_RECIPIENT_KEY', 'ERR_E2E_NO_RECIPIENT_KEY']);
  });
});

describe('receiving', () => {
  it('brings plain stanzas with a verdict to handlers', async () => {
    const { connection, got, receive } = host();
    transparent(connection, { session: watched(juliet).session });
    receive(
      await peer().seal(
        "<message type='chat' id='m'><body>Hi</body><x xmlns='urn:x' xmlns:a='urn:a' a:b='c' xml:lang='de'/></message>",
      ),
    );
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(body(got[0]!)).toBe('Hi');
    expect(got[0]!.getElementsByTagName('e2e')).toHaveLength(0);
    expect(got[0]!.getElementsByTagName('x')[0]?.getAttributeNS('urn:a', 'b')).toBe('c');
    expect(verdictOf(got[0])?.sender?.jid).toBe(romeo);
    expect(verdictOf(got[0]!.getElementsByTagName('body')[0])?.sender?.jid).toBe(romeo);
  });

  it('answers sealed requests sealed, and resolves with sealed answers', async () => {
    const { connection, wire, receive } = host();
    transparent(connection, { session: watched(juliet).session });
    const other = peer();
    connection.addHandler(
      (request) => {
        const to = request.getAttribute('from')!;
        connection.send(
          $iq({ type: 'result', id: request.getAttribute('id')!, to })
            .c('q', { xmlns: 'urn:example' })
            .t('yes'),
        );
        return true;
      },
      'urn:example',
      'iq',
      'get',
    );
    receive(await other.seal("<iq type='get' id='r'><q xmlns='urn:example'/></iq>"));
    await vi.waitFor(() => expect(wire).toHaveLength(1));
    expect((await other.open(wire[0]!)).first('q', 'urn:example')?.text).toBe('yes');
    const asked = new Promise<Element>((resolve, reject) =>
      connection.sendIQ(
        $iq({ to: orchard, type: 'get', id: 's' }).c('q', { xmlns: 'urn:example' }),
        resolve,
        reject,
        5000,
      ),
    );
    await vi.waitFor(() => expect(wire).toHaveLength(2));
    receive(await other.seal("<iq type='result' id='s'><q xmlns='urn:example'>no</q></iq>"));
    const result = await asked;
    expect(result.textContent).toBe('no');
    expect(verdictOf(result)?.sender?.jid).toBe(romeo);
  });

  it('keeps back what is refused, answers requests once, and goes on', async () => {
    const { connection, wire, got, receive } = host();
    const { session, refused } = watched(juliet);
    transparent(connection, { session });
    receive(`<message from='${orchard}' type='chat'><body>plain</body></message>`);
    receive(`<message from='${orchard}' type='chat'><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>?</e2e></message>`);
    receive(`<iq from='${orchard}' type='set' id='i'><q xmlns='urn:example'/></iq>`);
    receive(await peer().seal("<message type='chat' id='m'><body>Hi</body></message>"));
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(refused).toEqual(['ERR_E2E_DOWNGRADE', 'ERR_E2E_MALFORMED', 'ERR_E2E_DOWNGRADE']);
    await vi.waitFor(() => expect(wire.filter((text) => text.includes('<iq'))).toHaveLength(1));
  });

  it('opens what is inside a copy', async () => {
    const { connection, got, receive } = host();
    transparent(connection, { session: watched(juliet).session });
    receive(carbonCopy(await peer().seal("<message id='1' type='chat'><body>Hi</body></message>")));
    await vi.waitFor(() => expect(got).toHaveLength(1));
    const inner = got[0]!.getElementsByTagName('message')[0];
    expect(verdictOf(inner)?.sender?.jid).toBe(romeo);
  });

  it("passes on at once what is the server's business", () => {
    const { connection, got, receive } = host();
    transparent(connection, { session: watched(juliet).session });
    receive("<message from='example.com'><body>news</body></message>");
    receive(`<iq from='${juliet}' type='result' id='roster'/>`);
    expect(got).toHaveLength(2);
  });
});

describe('stream management', () => {
  it('counts what is held when it comes, and once', async () => {
    const { connection, got, receive } = host({ enableStreamManagement: true });
    transparent(connection, { session: watched(juliet).session });
    connection.sm!.state.enabled = true;
    receive(await peer().seal("<message id='1'><body>one</body></message>"));
    expect(connection.sm!.state.hIn).toBe(1);
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(connection.sm!.state.hIn).toBe(1);
    receive("<message from='example.com'><body>news</body></message>");
    expect(connection.sm!.state.hIn).toBe(2);
  });

  it('keeps what took its time out of the negotiation of the next stream', async () => {
    const { connection, wire, got, receive } = host();
    const { session, unsent } = watched(juliet);
    transparent(connection, { session });
    receive(await peer().seal("<message id='1'><body>one</body></message>"));
    connection.send(say('two'));
    connection.authenticated = false;
    await settle();
    // The answer to the binding of a resource must not wait for what waits for it.
    const bound = vi.fn(() => false);
    (connection as unknown as { _addSysHandler(f: () => boolean, ...rest: unknown[]): void })._addSysHandler(
      bound,
      null,
      null,
      null,
      'bind',
    );
    connection.send($iq({ type: 'set', id: 'bind' }).c('bind', { xmlns: 'urn:ietf:params:xml:ns:xmpp-bind' }));
    await settle();
    expect(wire).toHaveLength(1);
    receive("<iq type='result' id='bind'/>");
    expect(bound).toHaveBeenCalledOnce();
    expect(got).toEqual([]);
    connection.authenticated = true;
    receive("<message from='example.com'><body>news</body></message>");
    await vi.waitFor(() => expect(wire).toHaveLength(2));
    expect(isSealedWire(wire[1]!)).toBe(true);
    // In the order of their coming.
    await vi.waitFor(() => expect(got.map(body)).toEqual(['one', 'news']));
    expect(unsent).toEqual([]);
  });
});

describe('service discovery', () => {
  const query = (node = ''): string =>
    `<iq from='nurse@example.com/x' type='get' id='d'><query xmlns='http://jabber.org/protocol/disco#info'${node}/></iq>`;

  it('tells the feature', async () => {
    const { connection, wire, receive } = host();
    transparent(connection, { session: watched(juliet).session, disco: { category: 'bot', type: 'x' } });
    receive(query());
    await vi.waitFor(() => expect(wire).toHaveLength(1));
    expect(wire[0]).toContain('urn:ietf:params:xml:ns:xmpp-e2e');
    expect(wire[0]).toContain('bot');
    receive(query(" node='urn:x'"));
    await settle();
    expect(wire).toHaveLength(1);
  });

  it('or leaves it to the application', async () => {
    const { connection, wire, receive } = host();
    transparent(connection, { session: watched(juliet).session, disco: false });
    receive(query());
    await settle();
    expect(wire.filter((text) => text.includes('xmpp-e2e'))).toEqual([]);
  });
});

describe('what is taken', () => {
  it('not a connection over BOSH or in a shared worker', () => {
    const { session } = watched(juliet);
    const bosh = new Strophe.Connection('https://localhost/bosh');
    expect(() => transparent(bosh, { session })).toThrow(TypeError);
    const worker = { service: 'wss://localhost', options: { worker: 'x.js' } };
    expect(() => transparent(worker as never, { session })).toThrow(TypeError);
    const { connection } = host();
    Object.assign(connection, { service: '', options: { protocol: 'component' } });
    expect(() => transparent(connection, { session })).not.toThrow();
  });

  it('is given back', async () => {
    const { connection, wire } = host();
    const { _queueData, _dataRecv } = connection;
    const undo = transparent(connection, { session: watched(juliet).session });
    expect(connection._queueData).not.toBe(_queueData);
    undo();
    expect([connection._queueData, connection._dataRecv]).toEqual([_queueData, _dataRecv]);
    connection.send(say('open'));
    await vi.waitFor(() => expect(wire[0]).toContain('open'));
  });

  it('and what others put over it stays; methods of the object itself come back as such', () => {
    const { connection } = host();
    const own = vi.fn();
    connection._queueData = own;
    const undo = transparent(connection, { session: watched(juliet).session });
    const over = vi.fn();
    connection._dataRecv = over;
    undo();
    expect(connection._queueData).toBe(own);
    expect(connection._dataRecv).toBe(over);
  });
});

describe('explicit calls', () => {
  it('seal, send, open and tell what is sealed', async () => {
    const { connection, wire, got, receive } = host();
    const calls = explicit(connection, { session: watched(juliet).session });
    const other = peer();
    await calls.send(say('one').tree());
    await vi.waitFor(() => expect(wire).toHaveLength(1));
    expect((await other.open(wire[0]!)).first('body')?.text).toBe('one');
    expect(calls.isSealed(await calls.seal(say('two').tree()))).toBe(true);
    expect(calls.isSealed(say('two').tree())).toBe(false);
    receive(await other.seal("<message id='1'><body>Hi</body></message>"));
    const { stanza: opened, verdict } = await calls.open(got[0]!);
    expect(body(opened as Element)).toBe('Hi');
    expect(verdictOf(opened)).toBe(verdict);
    receive(carbonCopy(await other.seal("<message id='2' type='chat'><body>Ho</body></message>")));
    const inner = await calls.openForwarded(got[1]!);
    expect(inner.stanza.getAttribute('from')).toBe(orchard);
  });
});
