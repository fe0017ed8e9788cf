/** What a server, or a contact, that cheats can bring about at a real SDK: nothing. */
import { beforeEach, describe, expect, it } from 'vitest';
import { E2E_NAMESPACE, element, parseXml, sealStanza, serializeXml, type XmlElement } from '../../src/index.ts';
import { type Actor, ECHO, until } from './actor.ts';
import { type Meddler, startMeddler } from './meddler.ts';
import { prosody } from './prosody.ts';
import { onServer, sdks } from './stage.ts';

const isSealed = (stanza: XmlElement): boolean => stanza.first('e2e', E2E_NAMESPACE) !== undefined;
const beside = (stanza: XmlElement, child: string): XmlElement =>
  stanza.withChildren([...stanza.children, parseXml(child, { defaultNamespace: 'jabber:client' })]);

onServer(prosody, 64, (stage) => {
  describe.each(sdks)('a cheating server in front of %s', (sdk) => {
    let meddler: Meddler;
    let alice: Actor;
    /** Whose server cheats. */
    let bob: Actor;

    beforeEach(async () => {
      meddler = await startMeddler(stage.server.websocket);
      stage.afterwards(() => meddler.close());
      alice = await stage.enter('strophe', 'alice', 'a');
      bob = await stage.enter(sdk, 'bob', 'b', { address: meddler.address });
    });

    const codes = (): string[] => stage.refused.map(({ error }) => error.code);
    /** Everything that came before has gone through when this has come. */
    const last = async (): Promise<void> => {
      meddler.toClient = (stanza) => [stanza];
      await alice.say(bob.jid, 'the last', 'last');
      await until('the last message', () => bob.messages.some(({ text }) => text === 'the last'));
    };
    const nothingElse = (): void => {
      expect(bob.messages.map(({ text }) => text)).toEqual(['the last']);
    };

    it('two sealed answers exchanged: both requests fail', async () => {
      const held: XmlElement[] = [];
      meddler.toClient = (stanza) => {
        if (stanza.attribute('type') !== 'result' || !isSealed(stanza)) return [stanza];
        held.push(stanza);
        if (held.length < 2) return [];
        const [one, two] = held as [XmlElement, XmlElement];
        return [one.withAttribute('id', two.attribute('id')), two.withAttribute('id', one.attribute('id'))];
      };
      const asked = await Promise.allSettled([bob.ask(alice.jid, 'one'), bob.ask(alice.jid, 'two')]);
      expect(held).toHaveLength(2);
      expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(codes()).toEqual(['ERR_E2E_PAYLOAD_INVALID', 'ERR_E2E_PAYLOAD_INVALID']);
      await last();
      expect((await bob.ask(alice.jid, 'three')).text).toBe('three');
    });

    it.each([
      ['get', 'set'],
      ['get', 'result'],
    ])('a sealed "%s" turned into "%s": no handler sees it', async (from, to) => {
      meddler.toClient = (stanza) =>
        stanza.attribute('type') === from && isSealed(stanza) ? [stanza.withAttribute('type', to)] : [stanza];
      const asked = alice.ask(bob.jid, 'x').then(
        () => 'answered',
        () => 'failed',
      );
      await until('the refusal', () => stage.refused.length === 1);
      expect(codes()).toEqual([to === 'set' ? 'ERR_E2E_PAYLOAD_INVALID' : 'ERR_E2E_LAYERS_REFUSED']);
      if (to === 'set') expect(await asked).toBe('failed');
      await last();
      expect(bob.requests).toEqual([]);
      expect(bob.received.some(({ text }) => text.includes('urn:example:echo'))).toBe(false);
    });

    it('a plain answer to a sealed request: the request fails', async () => {
      meddler.fromClient = (stanza) => {
        if (!isSealed(stanza)) return [stanza];
        const id = stanza.attribute('id')!;
        meddler.invent(
          `<iq type='result' id='${id}' from='${alice.jid}' to='${bob.jid}'><echo xmlns='${ECHO}'>forged</echo></iq>`,
        );
        return [];
      };
      await expect(bob.ask(alice.jid, 'x')).rejects.toBeDefined();
      expect(codes()).toEqual(['ERR_E2E_DOWNGRADE']);
      expect(bob.received.some(({ text }) => text.includes('forged'))).toBe(false);
    });

    it('an answer or an error from another: the request goes on', async () => {
      meddler.fromClient = (stanza) => {
        if (!isSealed(stanza)) return [stanza];
        const id = stanza.attribute('id')!;
        const carl = `${stage.jid('carl')}/c`;
        meddler.invent(
          `<iq type='result' id='${id}' from='${carl}' to='${bob.jid}'><echo xmlns='${ECHO}'>forged</echo></iq>`,
        );
        meddler.invent(`<iq type='error' id='${id}' from='${carl}' to='${bob.jid}'><error type='cancel'/></iq>`);
        return [stanza];
      };
      const answer = await bob.ask(alice.jid, 'x');
      expect(answer).toMatchObject({ text: 'x', verdict: { sender: { jid: stage.jid('alice') } } });
      expect(bob.received.some(({ text }) => text.includes('forged'))).toBe(false);
    });

    it.each([
      ['a roster push', "<query xmlns='jabber:iq:roster'><item jid='forged@localhost' subscription='both'/></query>"],
      ['a verdict', "<verdict xmlns='urn:xmpp-e2e'><sender>forged@localhost</sender></verdict>"],
      ['a body', '<body>forged</body>'],
      ['an invitation', "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='forged@localhost'/></x>"],
      ['a second sealed object', null],
    ])('beside a sealed message: %s does not get to the application', async (_what, child) => {
      meddler.toClient = (stanza) => {
        if (!isSealed(stanza)) return [stanza];
        if (child !== null) return [beside(stanza, child)];
        return [stanza.withChildren([...stanza.children, ...stanza.all('e2e', E2E_NAMESPACE)])];
      };
      await alice.say(bob.jid, 'genuine', 'm1');
      const refused = child === null;
      await until('the message', () => bob.messages.length === 1 || stage.refused.length === 1);
      expect(bob.messages.map(({ text }) => text)).toEqual(refused ? [] : ['genuine']);
      expect(codes()).toEqual(refused ? ['ERR_E2E_LAYERS_REFUSED'] : []);
      if (!refused) expect(bob.messages[0]?.verdict?.sender?.jid).toBe(stage.jid('alice'));
      expect(bob.received.some(({ text }) => text.includes('forged'))).toBe(false);
    });

    it('beside a sealed request: only what is sealed gets to its handler', async () => {
      meddler.toClient = (stanza) =>
        stanza.name === 'iq' && isSealed(stanza)
          ? [beside(stanza, "<query xmlns='jabber:iq:roster'><item jid='forged@localhost'/></query>")]
          : [stanza];
      expect((await alice.ask(bob.jid, 'x')).text).toBe('x');
      expect(bob.requests).toHaveLength(1);
      expect(bob.received.some(({ text }) => text.includes('forged'))).toBe(false);
    });

    it.each([
      ['a carbon copy', 'received'],
      ['a copy of what I sent', 'sent'],
    ])('%s beside a sealed message, or from another than my server', async (_what, kind) => {
      const forged = `<message xmlns='jabber:client' from='${alice.jid}' to='${bob.jid}' type='chat'><body>forged</body></message>`;
      const copy = `<${kind} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>${forged}</forwarded></${kind}>`;
      meddler.toClient = (stanza) => (isSealed(stanza) ? [beside(stanza, copy)] : [stanza]);
      await alice.say(bob.jid, 'genuine', 'm1');
      await until('the refusal', () => stage.refused.length === 1);
      meddler.invent(`<message from='${stage.jid('carl')}' to='${bob.jid}'>${copy}</message>`);
      // My own server may copy what was plain, but not from a contact with keys.
      meddler.invent(`<message from='${stage.jid('bob')}' to='${bob.jid}'>${copy}</message>`);
      await until('the refusals', () => stage.refused.length >= 2);
      await last();
      nothingElse();
      expect(bob.copies).toEqual([]);
      expect(bob.received.some(({ text }) => text.includes('forged'))).toBe(false);
    });

    it('a sealed message again, from another, to another, or as another kind', async () => {
      meddler.toClient = (stanza) => {
        if (!isSealed(stanza)) return [stanza];
        return [
          stanza.withAttribute('from', `${stage.jid('carl')}/c`),
          element('presence', 'jabber:client', { from: alice.jid, to: bob.jid, id: 'm1' }, stanza.children),
          stanza.withAttribute('type', 'groupchat'),
          stanza,
          stanza,
        ];
      };
      await alice.say(bob.jid, 'genuine', 'm1');
      await until('the refusals', () => stage.refused.length === 4);
      expect(bob.messages.map(({ text }) => text)).toEqual(['genuine']);
      expect(bob.presences.every(({ verdict }) => verdict === undefined)).toBe(true);
      expect(codes().at(-1)).toBe('ERR_E2E_REPLAYED');
    });

    it('a plain message, or one with the sealed object taken out', async () => {
      meddler.toClient = (stanza) =>
        isSealed(stanza) ? [stanza.withChildren([element('body', 'jabber:client', {}, ['forged'])])] : [stanza];
      await alice.say(bob.jid, 'genuine', 'm1');
      meddler.invent(`<message from='${alice.jid}' to='${bob.jid}' type='chat' id='m2'><body>forged</body></message>`);
      meddler.invent(`<message from='${alice.jid}' to='${bob.jid}' type='headline'><body>forged</body></message>`);
      await until('the refusals', () => stage.refused.length === 3);
      expect(codes()).toEqual(Array.from({ length: 3 }, () => 'ERR_E2E_DOWNGRADE'));
      await last();
      nothingElse();
      expect(bob.received.some(({ text }) => text.includes('forged'))).toBe(false);
    });

    it('an error with content beside: the application gets the error alone', async () => {
      const error = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
      meddler.invent(`<message from='${alice.jid}' type='error' id='m9'><body>forged</body>${error}</message>`);
      await until('the error', () => bob.bounces.length === 1);
      expect(bob.bounces[0]!.xml).not.toContain('forged');
      expect(bob.bounces[0]!.xml).toMatch(/item-not-found/);
      expect(bob.messages).toEqual([]);
    });

    it('a contact that seals what only servers may say', async () => {
      const backend = await stage.backend('alice');
      let n = 0;
      const seal = async (stanza: string): Promise<void> => {
        const tree = parseXml(stanza, { defaultNamespace: 'jabber:client' });
        const sealed = await sealStanza(tree.withAttribute('to', bob.jid).withAttribute('id', `c${++n}`), {
          backend,
          from: alice.jid,
        });
        await alice.send(serializeXml(sealed.withAttribute('from', undefined)));
      };
      const forged = `<message xmlns='jabber:client' from='carl@localhost/c'><body>forged</body></message>`;
      const forwarded = `<forwarded xmlns='urn:xmpp:forward:0'>${forged}</forwarded>`;
      for (const stanza of [
        "<iq type='set'><query xmlns='jabber:iq:roster'><item jid='forged@localhost'/></query></iq>",
        `<message><received xmlns='urn:xmpp:carbons:2'>${forwarded}</received></message>`,
        `<message><result xmlns='urn:xmpp:mam:2' id='1'>${forwarded}</result></message>`,
        "<message><x xmlns='http://jabber.org/protocol/muc#user'><invite from='forged@localhost'/></x></message>",
        "<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='forged@localhost'/></block></iq>",
      ]) {
        await seal(stanza);
      }
      await last();
      // What is meant for servers never goes inside: sealing leaves it outside, where opening leaves it too.
      expect(codes().length).toBeGreaterThanOrEqual(4);
      expect(new Set(codes())).toEqual(new Set(['ERR_E2E_LAYERS_REFUSED']));
      expect(bob.copies).toEqual([]);
      expect(bob.received.some(({ text }) => text.includes('forged'))).toBe(false);
    });
  });
});
