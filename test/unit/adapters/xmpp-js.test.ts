/** The real client of xmpp.js on a wire in memory. */
import { client, type Client, type Element, xml } from '@xmpp/client';
import { describe, expect, it, vi } from 'vitest';
import { explicit, transparent, verdictOf } from '../../../src/adapters/xmpp-js.ts';
import { buildWith, type XmlElement } from '../../../src/index.ts';
import {
  backend,
  balcony,
  carbonCopy,
  isSealedWire,
  juliet,
  orchard,
  peer,
  romeo,
  settle,
  stanza,
  watched,
} from './scene.ts';

interface Host {
  readonly xmpp: Client & Internals;
  readonly wire: string[];
  readonly got: Element[];
  readonly receive: (tree: XmlElement | string) => void;
}

interface Internals {
  Transport: unknown;
  transports: unknown[];
  _findTransport(service: string): unknown;
  _onElement(element: Element): void;
  _status(status: string): void;
}

/** A client that thinks it is online. */
function host(status = 'online'): Host {
  const xmpp = client({ service: 'xmpp://localhost', domain: 'example.com', username: 'juliet' }) as Host['xmpp'];
  xmpp.Transport = xmpp._findTransport('xmpp://localhost');
  xmpp.status = status;
  const wire: string[] = [];
  xmpp.write = (text) => Promise.resolve(void wire.push(text));
  xmpp.on('error', () => undefined);
  const got: Element[] = [];
  xmpp.on('stanza', (one: Element) => void got.push(one));
  return {
    xmpp,
    wire,
    got,
    receive: (tree) => xmpp._onElement(buildWith<Element>(typeof tree === 'string' ? stanza(tree) : tree, xml)),
  };
}

const say = (text: string, to = orchard): Element =>
  xml('message', { to, type: 'chat', id: text }, xml('body', {}, text));

describe('sending', () => {
  it('seals in order, and leaves what is for servers', async () => {
    const { xmpp, wire } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    const presence = xmpp.send(xml('presence'));
    await Promise.all([
      presence,
      xmpp.send(say('one')),
      xmpp.send(say('two')),
      xmpp.send(xml('presence', { id: 'p' })),
    ]);
    expect(wire.map(isSealedWire)).toEqual([false, true, true, false]);
    expect(wire.join('')).not.toMatch(/>(one|two)</);
    const other = peer();
    expect((await other.open(wire[1]!)).first('body')?.text).toBe('one');
    expect((await other.open(wire[2]!)).first('body')?.text).toBe('two');
  });

  it('fails where no key is usable, and writes nothing', async () => {
    const { xmpp, wire } = host();
    const { session, unsent } = watched(juliet, {
      backends: [{ ...backend(), canSealTo: () => Promise.resolve(false) }],
    });
    transparent<Element>(xmpp, { session, xml });
    await expect(xmpp.send(say('secret'))).rejects.toMatchObject({ code: 'ERR_E2E_NO_RECIPIENT_KEY' });
    await expect(xmpp.iqCaller.get(xml('q', { xmlns: 'urn:example' }), orchard)).rejects.toBeDefined();
    expect(wire).toEqual([]);
    expect(unsent).toEqual(['ERR_E2E_NO_RECIPIENT_KEY', 'ERR_E2E_NO_RECIPIENT_KEY']);
    session.allowPlain(romeo);
    await xmpp.send(say('plain'));
    expect(wire[0]).toContain('plain');
  });

  it("a write that fails is the sender's to know, and holds nothing up", async () => {
    const { xmpp, wire } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    const { write } = xmpp;
    xmpp.write = () => Promise.reject(new Error('gone'));
    await expect(xmpp.send(say('one'))).rejects.toThrow('gone');
    xmpp.write = () => new Promise(() => undefined);
    void xmpp.send(say('two'));
    await settle();
    xmpp.write = write;
    await xmpp.send(say('three'));
    expect(wire).toHaveLength(1);
  });

  it('many at once: sealed each, or as they are where nothing is ours', async () => {
    const { xmpp, wire } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    await xmpp.sendMany([xml('presence'), say('one'), say('two')]);
    expect(wire.map(isSealedWire)).toEqual([false, true, true]);
    await xmpp.sendMany([xml('presence'), xml('presence', { id: '2' })]);
    expect(wire).toHaveLength(4);
  });
});

describe('receiving', () => {
  it('brings plain stanzas with a verdict to events, middleware and handlers', async () => {
    const { xmpp, got, receive } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    const seen = vi.fn();
    (
      xmpp as unknown as {
        middleware: { use(f: (context: { stanza: Element }, next: () => unknown) => unknown): void };
      }
    ).middleware.use(({ stanza: one }, next) => (seen(one), next()));
    receive(await peer().seal("<message type='chat' id='m'><body>Hi</body></message>"));
    expect(got).toEqual([]);
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(got[0]!.getChildText('body')).toBe('Hi');
    expect(got[0]!.getChild('e2e')).toBeUndefined();
    expect(verdictOf(got[0])?.sender?.jid).toBe(romeo);
    expect(verdictOf(got[0]!.getChild('body'))?.sender?.jid).toBe(romeo);
    expect(seen).toHaveBeenCalledWith(got[0]);
  });

  it('answers sealed requests sealed, and resolves with sealed answers', async () => {
    const { xmpp, wire, receive } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    const other = peer();
    xmpp.iqCallee.get('urn:example', 'q', () => xml('q', { xmlns: 'urn:example' }, 'yes'));
    receive(await other.seal("<iq type='get' id='r'><q xmlns='urn:example'/></iq>"));
    await vi.waitFor(() => expect(wire).toHaveLength(1));
    expect(isSealedWire(wire[0]!)).toBe(true);
    const answer = await other.open(wire[0]!);
    expect(answer.first('q', 'urn:example')?.text).toBe('yes');

    const asked = xmpp.iqCaller.request(
      xml('iq', { type: 'get', to: orchard, id: 's' }, xml('q', { xmlns: 'urn:example' })),
    );
    await vi.waitFor(() => expect(wire).toHaveLength(2));
    receive(await other.seal("<iq type='result' id='s'><q xmlns='urn:example'>no</q></iq>"));
    const result = await asked;
    expect(result.getChildText('q')).toBe('no');
    expect(verdictOf(result)?.sender?.jid).toBe(romeo);
  });

  it('keeps back what is refused, answers requests once, and goes on', async () => {
    const { xmpp, wire, got, receive } = host();
    const { session, refused } = watched(juliet);
    transparent<Element>(xmpp, { session, xml });
    const good = await peer().seal("<message type='chat' id='m'><body>Hi</body></message>");
    receive(`<message from='${orchard}' type='chat'><body>plain</body></message>`);
    receive(`<message from='${orchard}' type='chat'><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>?</e2e></message>`);
    receive(`<iq from='${orchard}' type='set' id='i'><q xmlns='urn:example'/></iq>`);
    receive(good);
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(refused).toEqual(['ERR_E2E_DOWNGRADE', 'ERR_E2E_MALFORMED', 'ERR_E2E_DOWNGRADE']);
    const errors = wire.filter((text) => text.startsWith('<iq'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/id="i".*type="error"|type="error".*id="i"/);
  });

  it("passes on at once what is the server's business", () => {
    const { xmpp, got, receive } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    receive("<message from='example.com'><body>news</body></message>");
    receive(`<iq from='${juliet}' type='result' id='roster'/>`);
    expect(got).toHaveLength(2);
  });
});

describe('stream management', () => {
  it('counts what is held when it comes, and once', async () => {
    const { xmpp, got, receive } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    const other = peer();
    const sealed = [
      await other.seal("<message id='1'><body>one</body></message>"),
      await other.seal("<iq type='get' id='2'><q xmlns='urn:example'/></iq>"),
    ];
    for (const one of sealed) receive(one);
    expect(xmpp.streamManagement.inbound).toBe(2);
    await vi.waitFor(() => expect(got).toHaveLength(2));
    expect(xmpp.streamManagement.inbound).toBe(2);
  });

  it('keeps what took its time out of the negotiation of the next stream', async () => {
    const { xmpp, wire, got, receive } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    const sealed = await peer().seal("<message id='1'><body>one</body></message>");
    receive(sealed);
    const sent = xmpp.send(say('two'));
    // The connection breaks before either is done.
    xmpp._status('disconnect');
    xmpp._status('connecting');
    await settle();
    const elements = vi.fn();
    xmpp.on('element', elements);
    // STARTTLS, SASL and binding go on; none of them waits for what is held.
    await xmpp.send(xml('starttls', { xmlns: 'urn:ietf:params:xml:ns:xmpp-tls' }));
    const bound = xmpp.iqCaller.set(xml('bind', { xmlns: 'urn:ietf:params:xml:ns:xmpp-bind' }));
    await settle();
    expect(wire.map((text) => text.slice(0, 9))).toEqual(['<starttls', expect.stringMatching(/^<iq/)]);
    expect(elements).not.toHaveBeenCalled();
    const id = /id="([^"]+)"/.exec(wire[1]!)![1]!;
    receive(`<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`);
    await bound;
    expect(got).toHaveLength(1);
    xmpp._status('online');
    await sent;
    await vi.waitFor(() => expect(got).toHaveLength(2));
    expect(verdictOf(got[1])?.sender?.jid).toBe(romeo);
    expect(isSealedWire(wire[2]!)).toBe(true);
  });

  it('goes on after a resumption, and sends again what was written as it was', async () => {
    const { xmpp, wire } = host();
    const without = { ...backend(), canSealTo: () => Promise.resolve(false) };
    const plainly = watched(juliet, { backends: [without] });
    plainly.session.allowPlain(romeo);
    transparent<Element>(xmpp, { session: plainly.session, xml });
    const element = say('plain');
    await xmpp.send(element);
    const held = (xmpp._status('disconnect'), xmpp.send(say('held')));
    xmpp._status('open');
    // Were it decided anew, it would wait for the end of the resumption, which waits for it.
    await xmpp.sendMany([element]);
    expect(wire).toHaveLength(2);
    (xmpp.streamManagement as unknown as { emit(event: string): void }).emit('resumed');
    xmpp.status = 'online';
    await held;
    expect(wire).toHaveLength(3);
    // Once online it is decided anew.
    plainly.session.requireSealed(romeo);
    await expect(xmpp.sendMany([element])).rejects.toMatchObject({ code: 'ERR_E2E_NO_RECIPIENT_KEY' });
  });
});

describe('service discovery', () => {
  const query = (node = ''): string =>
    `<iq from='nurse@example.com/x' type='get' id='d'><query xmlns='http://jabber.org/protocol/disco#info'${node}/></iq>`;

  it('tells the feature', async () => {
    const { xmpp, wire, receive } = host();
    const disco = { name: 'test', features: ['urn:example'] };
    transparent<Element>(xmpp, { session: watched(juliet).session, xml, disco });
    receive(query());
    await vi.waitFor(() => expect(wire).toHaveLength(1));
    expect(wire[0]).toContain('var="urn:ietf:params:xml:ns:xmpp-e2e"');
    expect(wire[0]).toContain('var="urn:example"');
    expect(wire[0]).toContain('name="test"');
    receive(query(" node='urn:x'"));
    await vi.waitFor(() => expect(wire).toHaveLength(2));
    expect(wire[1]).toContain('service-unavailable');
  });

  it('or leaves it to the application', async () => {
    const { xmpp, wire, receive } = host();
    transparent<Element>(xmpp, { session: watched(juliet).session, xml, disco: false });
    receive(query());
    await vi.waitFor(() => expect(wire).toHaveLength(1));
    expect(wire[0]).toContain('service-unavailable');
  });
});

describe('taking it back', () => {
  it('gives the client its own methods', async () => {
    const { xmpp, wire } = host();
    const { send, emit, sendMany } = xmpp;
    const undo = transparent<Element>(xmpp, { session: watched(juliet).session, xml });
    expect(xmpp.send).not.toBe(send);
    undo();
    expect([xmpp.send, xmpp.emit, xmpp.sendMany]).toEqual([send, emit, sendMany]);
    await xmpp.send(say('open'));
    expect(wire[0]).toContain('open');
  });

  it('and leaves what others put over it; methods of the object itself come back as such', () => {
    const bare = { send: () => Promise.resolve(), emit: () => true };
    const { send } = bare;
    const undo = transparent<Element>(bare, { session: watched(juliet).session, xml });
    const over = (): boolean => false;
    bare.emit = over;
    undo();
    expect(bare.send).toBe(send);
    expect(bare.emit).toBe(over);
    expect('sendMany' in bare).toBe(false);
  });
});

describe('explicit calls', () => {
  it('seal, send, open and tell what is sealed', async () => {
    const { xmpp, wire, got, receive } = host();
    const calls = explicit<Element>(xmpp, { session: watched(juliet).session, xml });
    const other = peer();
    await calls.send(say('one'));
    expect((await other.open(wire[0]!)).first('body')?.text).toBe('one');
    const sealed = await calls.seal(say('two'));
    expect(calls.isSealed(sealed)).toBe(true);
    expect(calls.isSealed(say('two'))).toBe(false);
    receive(await other.seal("<message id='1'><body>Hi</body></message>"));
    expect(calls.isSealed(got[0]!)).toBe(true);
    expect(verdictOf(got[0])).toBeUndefined();
    const { stanza: opened, verdict } = await calls.open(got[0]!);
    expect(opened.getChildText('body')).toBe('Hi');
    expect(verdictOf(opened)).toBe(verdict);
    await expect(calls.open(got[0]!)).rejects.toMatchObject({ code: 'ERR_E2E_REPLAYED' });
  });

  it('open what is inside a copy', async () => {
    const { xmpp, got, receive } = host();
    const calls = explicit<Element>(xmpp, { session: watched(juliet).session, xml });
    receive(carbonCopy(await peer().seal("<message id='1' type='chat'><body>Hi</body></message>")));
    const { stanza: opened, verdict } = await calls.openForwarded(got[0]!);
    expect(opened.attrs['from']).toBe(orchard);
    expect(verdict.sender?.jid).toBe(romeo);
  });
});

it('a prefix is looked up where it is declared', async () => {
  const { xmpp, got, receive } = host();
  const { session, refused } = watched(juliet);
  transparent<Element>(xmpp, { session, xml });
  const e2e = 'urn:ietf:params:xml:ns:xmpp-e2e';
  for (const attributes of [{ 'xmlns:s': e2e }, {}]) {
    const inner = xml('s:e2e', 'xmlns:s' in attributes ? {} : { 'xmlns:s': e2e }, '?');
    xmpp._onElement(xml('message', { from: 'nurse@example.com/x', to: balcony, ...attributes }, inner, 'text'));
  }
  await vi.waitFor(() => expect(refused).toHaveLength(2));
  expect(got).toEqual([]);
  receive(`<message from='nurse@example.com/x'><x:e2e xmlns:x='urn:other'/></message>`);
  await vi.waitFor(() => expect(got).toHaveLength(1));
});
