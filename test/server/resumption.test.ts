/** Connections that break, and recipients that are away (XEP-0198, XEP-0160). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eSession, type Policy, ReplayGuard, strictPolicy } from '../../src/index.ts';
import { runs } from '../shared-data.ts';
import { type Actor, type Connect, until } from './actor.ts';
import { startEjabberd } from './ejabberd.ts';
import { type Backends, openpgpBackends } from './keys.ts';
import { startProsodyWith } from './prosody.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { connectStanzaJs } from './stanza-js-actor.ts';
import { connectStrophe } from './strophe-actor.ts';
import { connectXmppJs } from './xmpp-js-actor.ts';
import { installed, type XmppServer } from './xmpp-server.ts';

const sdks: readonly (readonly [string, Connect, 'starttls' | 'websocket'])[] = [
  ['xmpp.js', connectXmppJs, 'starttls'],
  ['stanza', connectStanzaJs, 'websocket'],
  ['strophe', connectStrophe, 'websocket'],
];

describe.each([
  ['Prosody', 'prosodyctl', (accounts: readonly string[]) => startProsodyWith(accounts, false)],
  ['ejabberd', 'ejabberdctl', startEjabberd],
] as const)('%s', (name, program, start) => {
  describe.skipIf(!installed(program))('with a connection that breaks', () => {
    let server: XmppServer;
    let backends: Backends;
    const proxies: Partial<Record<string, Proxy>> = {};
    // ejabberd gives what it held back after what is new, partly without saying so: an application on it that must not
    // lose a message to a broken connection takes what is out of order, marked.
    const { time } = strictPolicy;
    const lenient: Policy = { ...strictPolicy, time: { ...time, deliver: [...time.deliver, 'decreasing'] } };
    const session = (user: string, replay = new ReplayGuard()): E2eSession =>
      new E2eSession({
        jid: `${user}@localhost`,
        backends: [backends.get(`${user}@localhost`)!],
        replay,
        policy: name === 'ejabberd' ? lenient : strictPolicy,
      });
    const addresses = (): Record<string, string> => ({
      starttls: `xmpp://localhost:${proxies['starttls']!.port}`,
      websocket: `wss://localhost:${proxies['websocket']!.port}/xmpp-websocket`,
    });

    beforeAll(async () => {
      backends = await openpgpBackends(['alice@localhost', 'bob@localhost']);
      server = await start(['alice', 'bob']);
      proxies['starttls'] = await startProxy(server.starttlsPort);
      proxies['websocket'] = await startProxy(Number(new URL(server.websocket).port));
    });
    afterAll(async () => {
      await Promise.all(Object.values(proxies).map(async (proxy) => proxy?.close()));
      await server.stop();
    });

    it.each(sdks)('%s: what was on its way arrives once, in order', async (sdk, connect, transport) => {
      const alice = await connectXmppJs(server, 'alice', session('alice'), `to-${sdk}`);
      const bob = await connect(server, 'bob', session('bob'), `receiver-${sdk}`, addresses()[transport]);
      try {
        const count = runs(1000);
        let sent = 0;
        const sending = (async () => {
          for (let i = 0; i < count; i++) {
            await alice.say(bob.jid, `n${i}`, `n${i}`);
            sent++;
          }
        })();
        for (const part of [0.25, 0.6]) {
          await until('some to arrive', () => bob.messages.length >= count * part);
          proxies[transport]!.cut();
          await bob.resume();
        }
        await sending;
        expect(sent).toBe(count);
        await until('all to arrive', () => bob.messages.length >= count);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const arrived = bob.messages.map(({ text }) => Number(text.slice(1)));
        if (name === 'ejabberd') arrived.sort((a, b) => a - b);
        expect(arrived).toEqual(Array.from({ length: count }, (_, i) => i));
      } finally {
        await Promise.all([alice.stop(), bob.stop()]);
      }
    });

    it.each(sdks)('%s: what was sent and not acknowledged is sent again, sealed', async (sdk, connect, transport) => {
      const alice = await connect(server, 'alice', session('alice'), `sender-${sdk}`, addresses()[transport]);
      const bob = await connectXmppJs(server, 'bob', session('bob'), `from-${sdk}`);
      try {
        const taken: string[] = [];
        const say = async (text: string): Promise<void> => {
          await alice.say(bob.jid, text, `id-${taken.length}`);
          taken.push(text);
        };
        for (let i = 0; i < 20; i++) await say(`xyzzy${i}`);
        proxies[transport]!.cut();
        await alice.resume();
        for (let i = 20; i < 40; i++) await say(`xyzzy${i}`);
        await until('all to arrive', () => bob.messages.length >= taken.length);
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(bob.messages.map(({ text }) => text)).toEqual(taken);
        expect(alice.wire()).not.toContain('xyzzy');
      } finally {
        await Promise.all([alice.stop(), bob.stop()]);
      }
    });

    it.each(sdks)('%s: what came while the recipient was away is opened later', async (_sdk, connect) => {
      const replay = new ReplayGuard();
      const alice = await connectXmppJs(server, 'alice', session('alice'), 'a');
      let bob: Actor | undefined;
      try {
        for (let i = 0; i < 5; i++) await alice.say('bob@localhost', `away${i}`, `w${i}`);
        await alice.stop();
        bob = await connect(server, 'bob', session('bob', replay), 'later');
        await until('all to arrive', () => bob!.messages.length >= 5);
        expect(bob.messages.map(({ text }) => text)).toEqual(['away0', 'away1', 'away2', 'away3', 'away4']);
        expect(bob.messages.every(({ verdict }) => verdict?.sender?.jid === 'alice@localhost')).toBe(true);
        expect(bob.messages[0]?.verdict?.outside.some(({ name }) => name === 'delay')).toBe(true);
      } finally {
        await bob?.stop();
      }
    });
  });
});
