/** The real client of StanzaJS on a wire in memory. */
import * as stanzaModule from 'stanza';
import type { Agent } from 'stanza';
import { describe, expect, it, vi } from 'vitest';
import { explicit, type StanzaJson, transparent, verdictOf } from '../../../src/adapters/stanza-js.ts';
import { serializeXml, type XmlElement } from '../../../src/index.ts';
import {
  backend,
  carbonCopy,
  isSealedWire,
  juliet,
  orchard,
  peer,
  romeo,
  settle,
  stanza,
  watched,
  type Watched,
} from './scene.ts';

const { createClient, JXT } = 'default' in stanzaModule ? (stanzaModule.default as typeof stanzaModule) : stanzaModule;
type Internals = Agent & { transport: unknown; sessionStarted: boolean };

interface Host {
  readonly agent: Internals;
  readonly wire: string[];
  readonly got: Record<string, unknown>[];
  readonly receive: (tree: XmlElement | string) => void;
  /** What the stream brings besides stanzas. */
  readonly nonza: (json: object) => void;
  readonly send: (kind: 'message' | 'presence' | 'iq', json: StanzaJson) => Promise<void>;
}

/** A client that thinks it has a session. */
function host(watch?: Watched): Host {
  const agent = createClient({ jid: juliet, transports: { websocket: 'wss://localhost', bosh: false } }) as Internals;
  agent.use((_agent, registry) => {
    registry.define([{ namespace: 'urn:example', element: 'q', path: 'iq.q', fields: { text: JXT.text() } } as never]);
  });
  const wire: string[] = [];
  const got: Record<string, unknown>[] = [];
  const write = (kind: string, json: object): Promise<void> => {
    wire.push(agent.stanzas.export(kind, json as never)!.toString());
    return Promise.resolve();
  };
  agent.transport = { send: write, disconnect: () => undefined } as never;
  agent.sessionStarted = true;
  if (watch !== undefined) agent.use(transparent({ session: watch.session, JXT: JXT as never }));
  for (const kind of ['message', 'presence', 'iq'] as const) agent.on(kind, (json) => void got.push(json as never));
  return {
    agent,
    wire,
    got,
    receive(tree) {
      const element = JXT.parse(serializeXml(typeof tree === 'string' ? stanza(tree) : tree));
      agent.emit('stream:data', agent.stanzas.import(element) as never, element.getName() as never);
    },
    nonza: (json) => void agent.emit('stream:data', json as never, 'sm' as never),
    send: (kind, json) => agent.send(kind, json),
  };
}

const say = (body: string): StanzaJson => ({ to: orchard, type: 'chat', id: body, body });

describe('sending', () => {
  it('seals in order, and leaves what is for servers', async () => {
    const { wire, send, agent } = host(watched(juliet));
    await Promise.all([
      send('presence', {}),
      send('message', say('one')),
      send('message', say('two')),
      send('presence', {}),
    ]);
    expect(wire.map(isSealedWire)).toEqual([false, true, true, false]);
    const other = peer();
    expect((await other.open(wire[1]!)).first('body')?.text).toBe('one');
    expect((await other.open(wire[2]!)).first('body')?.text).toBe('two');
    // What a resumed stream sends again is sealed already.
    await (agent.send as (...parameters: unknown[]) => Promise<void>)('message', { to: orchard, e2e: 'sealed' }, true);
    expect(wire[4]).toContain('sealed');
  });

  it('has a body for other clients beside, once', async () => {
    const { wire, send } = host(watched(juliet, { fallbackBody: 'sealed' }));
    await send('message', say('one'));
    expect(wire[0]).toMatch(/<body>sealed<\/body>/);
  });

  it('fails where no key is usable, and writes nothing', async () => {
    const watch = watched(juliet, { backends: [{ ...backend(), canSealTo: () => Promise.resolve(false) }] });
    const { agent, wire, send } = host(watch);
    const failed = vi.fn();
    agent.on('stanza:failed', failed);
    await send('message', say('secret'));
    await expect(agent.sendIQ({ to: orchard, type: 'get', q: { text: 'secret' } } as never)).rejects.toMatchObject({
      error: { condition: 'undefined-condition' },
    });
    expect(failed).toHaveBeenCalledTimes(2);
    expect(wire).toEqual([]);
    expect(watch.unsent).toEqual(['ERR_E2E_NO_RECIPIENT_KEY', 'ERR_E2E_NO_RECIPIENT_KEY']);
  });
});

describe('receiving', () => {
  it('brings plain stanzas with a verdict to the events of the client', async () => {
    const { agent, got, receive } = host(watched(juliet));
    const chat = vi.fn();
    agent.on('chat', chat);
    const other = peer();
    receive(await other.seal("<message type='chat' id='m'><body>Hi</body></message>"));
    receive(await other.seal("<presence id='p'><status>here</status></presence>"));
    await vi.waitFor(() => expect(got).toHaveLength(2));
    expect(got[0]).toMatchObject({ body: 'Hi', from: orchard });
    expect(got[0]).not.toHaveProperty('e2e');
    expect(verdictOf(got[0])?.sender?.jid).toBe(romeo);
    expect(verdictOf(got[1])?.payload).toBe('pidf');
    expect(chat).toHaveBeenCalledOnce();
  });

  it('answers sealed requests sealed, and resolves with sealed answers', async () => {
    const { agent, wire, receive } = host(watched(juliet));
    const other = peer();
    const answer = (request: { id: string; from: string }): void =>
      agent.sendIQResult(request as never, { q: { text: 'yes' } } as never);
    agent.on('iq:get:q' as never, answer as never);
    receive(await other.seal("<iq type='get' id='r'><q xmlns='urn:example'/></iq>"));
    await vi.waitFor(() => expect(wire).toHaveLength(1));
    expect((await other.open(wire[0]!)).first('q', 'urn:example')?.text).toBe('yes');
    const asked = agent.sendIQ({ to: orchard, type: 'get', id: 's', q: { text: '?' } } as never);
    await vi.waitFor(() => expect(wire).toHaveLength(2));
    receive(await other.seal("<iq type='result' id='s'><q xmlns='urn:example'>no</q></iq>"));
    const result = await asked;
    expect(result).toMatchObject({ q: { text: 'no' } });
    expect(verdictOf(result)?.sender?.jid).toBe(romeo);
  });

  it('keeps back what is refused, answers requests once, and goes on', async () => {
    const watch = watched(juliet);
    const { wire, got, receive } = host(watch);
    receive(`<message from='${orchard}' type='chat'><body>plain</body></message>`);
    receive(`<message from='${orchard}' type='chat'><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>?</e2e></message>`);
    receive(`<iq from='${orchard}' type='set' id='i'><q xmlns='urn:example'/></iq>`);
    receive(await peer().seal("<message type='chat' id='m'><body>Hi</body></message>"));
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(watch.refused).toEqual(['ERR_E2E_DOWNGRADE', 'ERR_E2E_MALFORMED', 'ERR_E2E_DOWNGRADE']);
    expect(wire.filter((text) => text.includes('<iq'))).toHaveLength(1);
  });

  it('refuses two sealed objects in one stanza', async () => {
    const watch = watched(juliet);
    const { got, receive } = host(watch);
    const sealed = await peer().seal("<message type='chat' id='m'><body>Hi</body></message>");
    receive(sealed.withChildren([...sealed.children, ...sealed.children]));
    await vi.waitFor(() => expect(watch.refused).toEqual(['ERR_E2E_LAYERS_REFUSED']));
    expect(got).toEqual([]);
  });

  it('opens what is inside a copy', async () => {
    const { got, receive } = host(watched(juliet));
    receive(carbonCopy(await peer().seal("<message id='1' type='chat'><body>Hi</body></message>")));
    await vi.waitFor(() => expect(got).toHaveLength(1));
    const inner = (got[0] as { carbon: { forward: { message: StanzaJson } } }).carbon.forward.message;
    expect(inner['body']).toBe('Hi');
    expect(verdictOf(inner)?.sender?.jid).toBe(romeo);
  });

  it("passes on what is the server's business, and tells the feature", async () => {
    const { agent, got, wire, receive } = host(watched(juliet));
    receive("<message from='example.com'><body>news</body></message>");
    receive(
      "<iq from='nurse@example.com/x' type='get' id='d'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    );
    await vi.waitFor(() => expect(wire).toHaveLength(1));
    expect(got).toHaveLength(2);
    expect(wire[0]).toContain('urn:ietf:params:xml:ns:xmpp-e2e');
    expect(agent.disco).toBeDefined();
  });
});

describe('stream management', () => {
  it('counts what is held when it comes, and once', async () => {
    const { agent, got, receive, nonza } = host(watched(juliet));
    const other = peer();
    const sealed = await other.seal("<message id='1'><body>one</body></message>");
    const later = await other.seal("<message id='2'><body>two</body></message>");
    void agent.sm.enabled({ type: 'enabled', id: 'x', resume: true } as never);
    receive(sealed);
    expect(agent.sm.handled).toBe(1);
    await vi.waitFor(() => expect(got).toHaveLength(1));
    receive("<message from='example.com'><body>news</body></message>");
    await vi.waitFor(() => expect(agent.sm.handled).toBe(2));
    // A new stream: the count goes on with the answer, which the client takes note of after what came right behind it.
    agent.sm.started = false;
    agent.on('sm', (json) => void agent.sm.resumed(json as never));
    nonza({ type: 'resumed', previousSession: 'x', handled: 0 });
    receive(later);
    expect(agent.sm.handled).toBe(2);
    await vi.waitFor(() => expect(agent.sm.handled).toBe(3));
    await settle();
    expect(agent.sm.handled).toBe(3);
    nonza({ type: 'request' });
    await settle();
    expect(agent.sm.handled).toBe(3);
  });

  it('keeps what took its time out of the negotiation of the next stream', async () => {
    const { agent, got, wire, receive, send } = host(watched(juliet));
    receive(await peer().seal("<message id='1'><body>one</body></message>"));
    const sent = send('message', say('two'));
    agent.sessionStarted = false;
    await settle();
    expect([got.length, wire.length]).toEqual([0, 0]);
    void agent.sendIQ({ type: 'set', bind: { resource: 'balcony' } } as never).catch(() => undefined);
    await settle();
    expect(wire).toHaveLength(1);
    expect(wire[0]).toContain('bind');
    agent.emit('session:started' as never, juliet as never);
    await sent;
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(isSealedWire(wire[1]!)).toBe(true);
  });

  it('or gives it to the client that keeps it for the stream that is resumed', async () => {
    const { agent, wire, send } = host(watched(juliet));
    const sent = send('message', say('two'));
    agent.sessionStarted = false;
    await settle();
    const hibernated = vi.fn();
    agent.on('stanza:hibernated', hibernated);
    Object.assign(agent.sm, { outboundStarted: true, inboundStarted: true });
    delete (agent as { transport?: unknown }).transport;
    agent.emit('disconnected' as never);
    await sent;
    expect(wire).toEqual([]);
    expect(agent.sm.unacked).toHaveLength(1);
  });
});

describe('explicit calls', () => {
  it('seal, send, open and tell what is sealed', async () => {
    const { agent, wire, got, receive } = host();
    const calls = explicit(agent, { session: watched(juliet).session, JXT: JXT as never });
    const other = peer();
    await calls.send({ kind: 'message', json: { ...say('one'), from: `${juliet}/balcony` } });
    expect((await other.open(wire[0]!)).first('body')?.text).toBe('one');
    const sealed = await calls.seal({ kind: 'iq', json: { to: orchard, type: 'get', id: 'q', q: { text: 'x' } } });
    expect(calls.isSealed(sealed)).toBe(true);
    expect(calls.isSealed({ kind: 'message', json: say('two') })).toBe(false);
    receive(await other.seal("<message id='1'><body>Hi</body></message>"));
    await vi.waitFor(() => expect(got).toHaveLength(1));
    const { stanza: opened, verdict } = await calls.open({ kind: 'message', json: got[0]! });
    expect(opened.json['body']).toBe('Hi');
    expect(verdictOf(opened.json)).toBe(verdict);
    receive(carbonCopy(await other.seal("<message id='2' type='chat'><body>Ho</body></message>")));
    await vi.waitFor(() => expect(got).toHaveLength(2));
    const inner = await calls.openForwarded({ kind: 'message', json: got[1]! });
    expect(inner.stanza.json).toMatchObject({ body: 'Ho', from: orchard });
  });

  it('of a second session use what the first has defined', () => {
    const { agent } = host(watched(juliet));
    expect(() => explicit(agent as never, { session: watched(juliet).session, JXT: JXT as never })).not.toThrow();
  });
});
