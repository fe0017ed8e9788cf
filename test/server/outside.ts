/** What must stay outside of sealed stanzas, or beside them, on every server. */
import { describe, expect, it } from 'vitest';
import { until } from './actor.ts';
import { onServer, type ServerKind, sdks } from './stage.ts';

const discoInfo = 'http://jabber.org/protocol/disco#info';

/** Runs the tests on a server. */
export function describeOutside(kind: ServerKind): void {
  onServer(kind, 16, (stage) => {
    const { enter, nothingRefused } = stage;

    describe.each(sdks)('%s', (sdk) => {
      it('group chat, subscriptions and the roster are the business of servers', async () => {
        const alice = await enter(sdk, 'alice', 'a');
        const bob = await enter('strophe', 'bob', 'b');
        const room = `${stage.jid('carl').split('@', 1)[0]!}@muc.localhost`;
        const join = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";
        for (const one of [alice, bob]) {
          await one.send(`<presence to='${room}/${one.sdk}-${one === alice ? 'a' : 'b'}'>${join}</presence>`);
          await until('the room', () => one.presences.some(({ from }) => from.startsWith(`${room}/`)));
        }
        await alice.send(`<message to='${room}' type='groupchat' id='g1'><body>to the room</body></message>`);
        for (const one of [alice, bob]) {
          await until('the message', () => one.messages.some(({ text }) => text === 'to the room'));
          const message = one.messages.find(({ text }) => text === 'to the room');
          expect(message).toMatchObject({ from: `${room}/${sdk}-a`, verdict: undefined });
        }

        await alice.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
        await alice.send(`<presence to='${stage.jid('bob')}' type='subscribe'/>`);
        await until('the request', () =>
          bob.received.some(({ name, text }) => name === 'presence' && text.includes('"subscribe"')),
        );
        await bob.send(`<presence to='${stage.jid('alice')}' type='subscribed'/>`);
        await until('the push', () =>
          /jabber:iq:roster[^>]*>(.(?!<\/iq>))*subscription=['"]to['"]/s.test(alice.wire()),
        );
        await until('the presence', () => alice.presences.some(({ from }) => from === bob.jid));
        for (const one of [alice, bob]) expect(one.wire()).not.toContain('<e2e');
        nothingRefused();
      });

      it('the feature is told to who asks, in plain', async () => {
        const alice = await enter(sdk, 'alice', 'a');
        const bob = await enter('strophe', 'bob', 'b');
        await bob.send(`<iq to='${alice.jid}' type='get' id='disco1'><query xmlns='${discoInfo}'/></iq>`);
        await until('the answer', () => bob.received.some(({ text }) => text.includes('disco1')));
        const answer = bob.received.find(({ text }) => text.includes('disco1'))!.text;
        expect(answer).toMatch(/var=['"]urn:ietf:params:xml:ns:xmpp-e2e['"]/);
        expect(answer).toMatch(/type=['"]result['"]/);
        expect(bob.wire()).not.toContain('<e2e');
        nothingRefused();
      });

      it('a note how it is sealed, a body for others and the wish to be archived stand beside', async () => {
        const options = { announce: true, fallbackBody: 'This message is sealed.' };
        const alice = await enter(sdk, 'alice', 'a', { session: options });
        const bob = await enter(sdk, 'bob', 'b');
        await alice.say(bob.jid, 'xyzzy', 'm1');
        await until('the message', () => bob.messages.length === 1);
        expect(bob.messages[0]).toMatchObject({ text: 'xyzzy', verdict: { sender: { jid: stage.jid('alice') } } });
        for (const one of [alice, bob]) {
          expect(one.wire()).toMatch(/<encryption[^>]*urn:xmpp:eme:0/);
          expect(one.wire()).toMatch(/<store[^>]*urn:xmpp:hints/);
          expect(one.wire()).toMatch(/<body[^>]*>This message is sealed\.<\/body>/);
          expect(one.wire()).not.toContain('xyzzy');
        }
        expect(bob.received.some(({ text }) => text.includes('This message is sealed.'))).toBe(false);
        nothingRefused();
      });

      it('a stanza that fails to open is no plain one, and holds nothing up', async () => {
        const alice = await enter('strophe', 'alice', 'a');
        const bob = await enter(sdk, 'bob', 'b');
        const e2e = (text: string): string => `<e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>${text}</e2e>`;
        await alice.say(bob.jid, 'first', 'm1');
        await alice.send(
          `<message to='${bob.jid}' type='chat' id='f1'>${e2e('nonsense')}<body>forged</body></message>`,
        );
        await alice.say(bob.jid, 'second', 'm2');
        await alice.send(`<presence to='${bob.jid}' id='f2'>${e2e('')}<status>forged</status></presence>`);
        await alice.send(`<iq to='${bob.jid}' type='get' id='f3'>${e2e('nonsense')}</iq>`);
        await alice.say(bob.jid, 'third', 'm3');
        await until('the messages', () => bob.messages.length >= 3);
        expect(bob.messages.map(({ text }) => text)).toEqual(['first', 'second', 'third']);
        expect(stage.refused.map(({ error }) => error.code)).toEqual(
          Array.from({ length: 3 }, () => 'ERR_E2E_MALFORMED'),
        );
        expect(bob.received.some(({ text }) => text.includes('forged'))).toBe(false);
        // Exactly one answer to the request that could not be opened.
        await until('the answer', () => alice.received.some(({ text }) => text.includes('f3')));
        expect(alice.received.filter(({ name, text }) => name === 'iq' && text.includes('f3'))).toHaveLength(1);
      });

      it('by explicit calls: the application seals, opens, and sees what fails', async () => {
        const alice = await enter(sdk, 'alice', 'a', { explicit: true });
        const phone = await enter(sdk, 'alice', 'phone', { explicit: true });
        const bob = await enter(sdk, 'bob', 'b', { explicit: true });
        await phone.enableCarbons();
        await alice.say(bob.jid, 'xyzzy one', 'm1');
        await alice.say(bob.jid, 'xyzzy two', 'm2');
        await alice.send(
          `<message to='${bob.jid}' type='chat' id='f1'><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>nonsense</e2e></message>`,
        );
        await alice.send(`<message to='${bob.jid}' type='chat' id='p1'><body>plain</body></message>`);
        await until('the messages', () => bob.messages.length === 3 && bob.failures.length === 1);
        const texts = bob.messages.map(({ text, verdict }) => [text, verdict?.sender?.jid]);
        const from = stage.jid('alice');
        expect(texts.sort()).toEqual([
          ['plain', undefined],
          ['xyzzy one', from],
          ['xyzzy two', from],
        ]);
        expect(bob.failures).toMatchObject([{ code: 'ERR_E2E_MALFORMED' }]);
        await until('the copies', () => phone.copies.filter(({ verdict }) => verdict !== undefined).length === 2);
        expect(alice.wire()).not.toContain('xyzzy');
      });
    });
  });
}
