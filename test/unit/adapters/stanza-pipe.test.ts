import { describe, expect, it, vi } from 'vitest';
import { type StanzaForm, stanzaPipe } from '../../../src/adapters/stanza-pipe.ts';
import { verdictOf } from '../../../src/adapters/verdict-of.ts';
import { E2eSession, element, type Glance, ReplayGuard, type XmlElement } from '../../../src/index.ts';
import { doubleBackend } from '../../double-backend.ts';

const juliet = 'juliet@example.com';
const romeo = 'romeo@example.net';

/** An SDK whose stanzas are our own elements. */
const form: StanzaForm<XmlElement> = {
  glance: (stanza): Glance => ({
    name: stanza.name,
    from: stanza.attribute('from'),
    to: stanza.attribute('to'),
    type: stanza.attribute('type'),
    id: stanza.attribute('id'),
    children: stanza.elements,
  }),
  source: (stanza) => stanza,
  build: (stanza) => stanza,
  parts: (stanza) => [stanza, ...stanza.children],
};

const message = (text: string, attributes: Record<string, string>): XmlElement =>
  element('message', 'jabber:client', { type: 'chat', ...attributes }, [element('body', 'jabber:client', {}, [text])]);
const iq = (attributes: Record<string, string>): XmlElement => element('iq', 'jabber:client', attributes);

function session(jid: string, wait = (): Promise<void> => Promise.resolve()): E2eSession {
  const backend = doubleBackend([juliet, romeo]);
  const slow = {
    ...backend,
    certificates: () => Promise.resolve([{ fingerprint: 'f' } as never]),
    sign: async (request: never) => (await wait(), backend.sign(request)),
    verify: async (request: never) => (await wait(), backend.verify(request)),
  };
  return new E2eSession({ jid, backends: [slow], replay: new ReplayGuard() });
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('the pipe', () => {
  it('keeps the order of sealed and plain stanzas in both directions', async () => {
    const out = stanzaPipe({ session: session(juliet, pause) }, form, () => undefined);
    const wire: XmlElement[] = [];
    const write = (stanza: XmlElement): number => wire.push(stanza.withAttribute('from', `${juliet}/b`));
    const sealed = out.send(message('1', { to: romeo, id: '1' }), write);
    const broadcast = element('presence', 'jabber:client', { id: '2' });
    expect(out.passes(broadcast)).toBe(false);
    await Promise.all([sealed, out.send(broadcast, write), out.send(message('3', { to: romeo, id: '3' }), write)]);
    expect(wire.map((stanza) => stanza.attribute('id'))).toEqual(['1', '2', '3']);
    expect(out.passes(broadcast)).toBe(true);

    const into = stanzaPipe({ session: session(romeo, pause) }, form, () => undefined);
    const got: XmlElement[] = [];
    const taken = wire.map((stanza) =>
      into.receive(
        stanza,
        (one) => got.push(one),
        () => undefined,
      ),
    );
    expect(taken).toEqual([true, true, true]);
    await vi.waitFor(() => expect(got).toHaveLength(3));
    expect(got.map((stanza) => stanza.attribute('id'))).toEqual(['1', '2', '3']);
    expect(verdictOf(got[0])?.sender?.jid).toBe(juliet);
    expect(verdictOf(got[0]!.elements[0])?.sender?.jid).toBe(juliet);
    expect(verdictOf(got[1])).toBeUndefined();
    expect(verdictOf(got[0]!.withAttribute('id', 'copy'))).toBeUndefined();
  });

  it('drops what is refused, answers it, and goes on', async () => {
    const replies: XmlElement[] = [];
    const into = stanzaPipe({ session: session(romeo) }, form, (reply) => replies.push(reply));
    const got: XmlElement[] = [];
    const drop = vi.fn();
    into.receive(message('plain', { from: juliet, id: '1' }), (one) => got.push(one), drop);
    into.receive(iq({ from: `${juliet}/b`, to: romeo, id: '2', type: 'set' }), (one) => got.push(one), drop);
    into.receive(element('presence', 'jabber:client', { from: juliet }), (one) => got.push(one), drop);
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(drop).toHaveBeenCalledTimes(2);
    expect(replies.map((reply) => [reply.attribute('id'), reply.attribute('type')])).toEqual([['2', 'error']]);
  });

  it('lets key look-ups and their answers overtake what waits for the keys', async () => {
    let keysArrive = (): void => undefined;
    const keys = new Promise<void>((resolve) => (keysArrive = resolve));
    const options = { session: session(juliet, () => keys), isKeyLookup: ({ id }: Glance) => id === 'keys' };
    const pipe = stanzaPipe(options, form, () => undefined);
    const wire: string[] = [];
    const write = (stanza: XmlElement): number => wire.push(stanza.attribute('id')!);
    const waiting = pipe.send(message('1', { to: romeo, id: '1' }), write);
    expect(pipe.passes(iq({ to: romeo, type: 'get', id: 'other' }))).toBe(false);
    expect(pipe.passes(iq({ to: romeo, type: 'get', id: 'keys' }))).toBe(true);
    const answer = iq({ from: romeo, type: 'result', id: 'keys' });
    expect(
      pipe.receive(
        answer,
        () => undefined,
        () => undefined,
      ),
    ).toBe(false);
    // Once: a second answer is nobody's.
    expect(
      pipe.receive(
        answer,
        () => undefined,
        () => undefined,
      ),
    ).toBe(true);
    keysArrive();
    await waiting;
    expect(wire).toEqual(['1']);
  });

  it('takes no notice of what is no stanza, and of what servers say', () => {
    const pipe = stanzaPipe({ session: session(romeo) }, form, () => undefined);
    const none = (): undefined => undefined;
    expect(pipe.passes(element('r', 'urn:xmpp:sm:3'))).toBe(true);
    expect(pipe.receive(element('a', 'urn:xmpp:sm:3'), none, none)).toBe(false);
    expect(pipe.receive(message('news', { from: 'example.net' }), none, none)).toBe(false);
    expect(pipe.receive(iq({ type: 'result', id: '1' }), none, none)).toBe(false);
  });
});

describe('verdictOf', () => {
  it('knows nothing of anything else', () => {
    for (const other of [undefined, null, 1, 'x', {}, { verdict: 'good' }]) expect(verdictOf(other)).toBeUndefined();
  });
});
