/** Connections that break, and recipients that are away (XEP-0198, XEP-0160). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Policy, strictPolicy } from '../../src/index.ts';
import { runs } from '../shared-data.ts';
import { until } from './actor.ts';
import { ejabberd } from './ejabberd.ts';
import { prosodyOffline } from './prosody.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { onServer, type Sdk, sdks } from './stage.ts';

// ejabberd gives what it held back after what is new, partly without saying so: an application on it that must not lose
// a message to a broken connection takes what is out of order, marked.
const { time } = strictPolicy;
const lenient: Policy = { ...strictPolicy, time: { ...time, deliver: [...time.deliver, 'decreasing'] } };

describe.each([
  [prosodyOffline, strictPolicy],
  [ejabberd, lenient],
] as const)('with a connection that breaks', (kind, policy) => {
  onServer(kind, 12, (stage) => {
    const { enter } = stage;
    const session = { policy };
    const proxies = new Map<'starttls' | 'websocket', Proxy>();
    const way = (sdk: Sdk): { address: string; proxy: Proxy } => {
      const starttls = sdk === 'xmpp.js';
      const proxy = proxies.get(starttls ? 'starttls' : 'websocket')!;
      const address = starttls ? `xmpp://localhost:${proxy.port}` : `wss://localhost:${proxy.port}/xmpp-websocket`;
      return { address, proxy };
    };

    beforeAll(async () => {
      proxies.set('starttls', await startProxy(stage.server.starttlsPort));
      proxies.set('websocket', await startProxy(Number(new URL(stage.server.websocket).port)));
    });
    afterAll(async () => {
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
    });

    it.each(sdks)('%s: what was on its way arrives once, in order', async (sdk) => {
      const { address, proxy } = way(sdk);
      const alice = await enter('strophe', 'alice', 'sender', { session });
      const bob = await enter(sdk, 'bob', 'receiver', { session, address });
      const count = runs(1000);
      const sending = (async () => {
        for (let i = 0; i < count; i++) {
          await alice.say(bob.jid, `n${i}`, `n${i}`);
          // Slower than it is received, so that the stream breaks in the middle.
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      })();
      for (const part of [0.25, 0.6]) {
        await until('some to arrive', () => bob.messages.length >= count * part);
        proxy.cut();
        await bob.resume();
      }
      await sending;
      await until('all to arrive', () => bob.messages.length >= count);
      // What came twice would come right behind.
      await alice.say(bob.jid, 'the end', 'end');
      await until('the end', () => bob.messages.some(({ text }) => text === 'the end'));
      const arrived = bob.messages.map(({ text }) => Number(text.slice(1))).filter((n) => !Number.isNaN(n));
      if (kind === ejabberd) arrived.sort((a, b) => a - b);
      expect(arrived).toEqual(Array.from({ length: count }, (_, i) => i));
      expect(bob.messages.every(({ verdict }) => verdict?.sender?.jid === stage.jid('alice'))).toBe(true);
      // Nor did the server send again what had been counted.
      stage.nothingRefused();
    });

    it.each(sdks)('%s: what was sent and not acknowledged is sent again, sealed', async (sdk) => {
      const { address, proxy } = way(sdk);
      const alice = await enter(sdk, 'alice', 'sender', { session, address });
      const bob = await enter('strophe', 'bob', 'receiver', { session });
      const texts = Array.from({ length: 40 }, (_, i) => `xyzzy${i}`);
      for (const [i, text] of texts.slice(0, 10).entries()) await alice.say(bob.jid, text, `id-${i}`);
      await until('the first to arrive', () => bob.messages.length === 10);
      // Nothing may be under way any more when the rest is lost: half a stanza would be another test.
      await new Promise((resolve) => setTimeout(resolve, 500));
      proxy.swallow();
      for (const [i, text] of texts.slice(10, 20).entries()) await alice.say(bob.jid, text, `id-${10 + i}`);
      proxy.cut();
      await alice.resume();
      for (const [i, text] of texts.slice(20).entries()) await alice.say(bob.jid, text, `id-${20 + i}`);
      await until('all to arrive', () => bob.messages.length >= texts.length);
      expect(bob.messages.map(({ text }) => text)).toEqual(texts);
      expect(alice.wire()).not.toContain('xyzzy');
    });

    it.each(sdks)('%s: what came while the recipient was away is opened later', async (sdk) => {
      const alice = await enter('strophe', 'alice', 'sender', { session });
      const texts = ['away0', 'away1', 'away2', 'away3', 'away4'];
      for (const [i, text] of texts.entries()) await alice.say(stage.jid('bob'), text, `w${i}`);
      // An answer of the server: it has taken what was sent before.
      await alice.say(`${stage.jid('nora')}/x`, 'nobody reads this', 'last');
      await until('the answer', () => alice.bounces.some(({ id }) => id === 'last'));
      const bob = await enter(sdk, 'bob', 'later', { session });
      await until('all to arrive', () => bob.messages.length >= texts.length);
      expect(bob.messages.map(({ text }) => text)).toEqual(texts);
      expect(bob.messages.every(({ verdict }) => verdict?.sender?.jid === stage.jid('alice'))).toBe(true);
      expect(bob.messages[0]?.verdict?.outside.some(({ name }) => name === 'delay')).toBe(true);
      stage.nothingRefused();
    });
  });
});
