/** What must work on every server, between every two SDKs. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { E2eSession, ReplayGuard, type SessionEvents, type SessionOptions } from '../../src/index.ts';
import { runs } from '../shared-data.ts';
import { type Actor, type Connect, until } from './actor.ts';
import { type Backends, openpgpBackends, smimeBackends } from './keys.ts';
import { connectStanzaJs } from './stanza-js-actor.ts';
import { connectStrophe } from './strophe-actor.ts';
import { connectXmppJs } from './xmpp-js-actor.ts';
import { installed, type XmppServer } from './xmpp-server.ts';

const sdks: Readonly<Record<string, Connect>> = {
  'xmpp.js': connectXmppJs,
  stanza: connectStanzaJs,
  strophe: connectStrophe,
};
const pairs = Object.keys(sdks).flatMap((a) => Object.keys(sdks).map((b) => [a, b] as const));

/** Nobody has an account for Nora. */
const people = ['alice@localhost', 'bob@localhost', 'carl@localhost', 'nora@localhost'];

/** A string that must not be seen on the wire. */
const marker = 'xyzzy';

/** Runs the scenario on a server. */
export function describeServer(
  name: string,
  program: string,
  start: (accounts: readonly string[]) => Promise<XmppServer>,
): void {
  describe.skipIf(!installed(program))(name, () => {
    let server: XmppServer;
    const kinds = new Map<string, Backends>();

    beforeAll(async () => {
      kinds.set('openpgp', await openpgpBackends(people));
      kinds.set('smime', await smimeBackends(people));
      server = await start(['alice', 'bob', 'carl']);
    });
    afterAll(() => server.stop());

    const stops: (() => Promise<void>)[] = [];
    afterEach(async () => {
      await Promise.all(stops.splice(0).map((stop) => stop()));
    });
    const refused: SessionEvents['refused'][] = [];
    beforeEach(() => void refused.splice(0));
    const nothingRefused = (): void => expect(refused.map(({ error }) => error.toJSON())).toEqual([]);

    const join = async (
      sdk: string,
      user: string,
      resource: string,
      backend = 'openpgp',
      options: Partial<SessionOptions> = {},
    ): Promise<Actor> => {
      const jid = `${user}@localhost`;
      const backends = [kinds.get(backend)!.get(jid)!];
      const session = new E2eSession({ jid, backends, replay: new ReplayGuard(), ...options });
      session.on('refused', (event) => refused.push(event));
      const actor = await sdks[sdk]!(server, user, session, resource);
      stops.push(() => actor.stop());
      return actor;
    };

    describe.each(pairs)('%s to %s', (a, b) => {
      it.each(['smime', 'openpgp'])('messages, presence and requests, both ways, %s', async (backend) => {
        const alice = await join(a, 'alice', 'a', backend);
        const bob = await join(b, 'bob', 'b', backend);
        {
          const count = runs(1000);
          for (const [from, to] of [
            [alice, bob],
            [bob, alice],
          ] as const) {
            const texts = Array.from({ length: count }, (_, i) => `${marker} ${i} ü "]]>" \u{1f512}`);
            for (const [i, text] of texts.entries()) void from.say(to.jid, text, `m${i}`);
            const answer = await from.ask(to.jid, `${marker} request`);
            expect(answer.text).toBe(`${marker} request`);
            expect(answer.verdict?.sender?.jid).toBe(bare(to.jid));
            expect(to.requests.at(-1)?.verdict?.sender?.jid).toBe(bare(from.jid));
            await from.show(to.jid, `${marker} here`);
            await until('messages', () => to.messages.length >= count, 60);
            await until('presence', () => to.presences.some(({ text }) => text === `${marker} here`));
            expect(to.messages.map(({ text }) => text)).toEqual(texts);
            expect(to.messages.every(({ verdict }) => verdict?.sender?.jid === bare(from.jid))).toBe(true);
            const shown = to.presences.find(({ text }) => text === `${marker} here`);
            expect(shown?.verdict).toMatchObject({ payload: 'pidf', protection: 'sign+encrypt' });
          }
          nothingRefused();
          for (const one of [alice, bob]) {
            expect(one.wire()).toContain('urn:ietf:params:xml:ns:xmpp-e2e');
            expect(one.wire()).not.toContain(marker);
          }
        }
      });
    });

    describe.each(Object.keys(sdks))('%s', (sdk) => {
      it.each([
        ['sign', 'smime'],
        ['sign+encrypt', 'smime'],
        ['sign', 'openpgp'],
        ['sign+encrypt', 'openpgp'],
      ] as const)('all payload forms come through, %s, %s', async (protection, backend) => {
        for (const payload of ['cpim', 'xmpp+xml'] as const) {
          const alice = await join('xmpp.js', 'alice', `a-${payload}`, backend, { protection, payload });
          const bob = await join(sdk, 'bob', `b-${payload}`, backend);
          const text = 'tab\t  two spaces \nline\n\n]]> ]]]]><![CDATA[ <&> "\' 日本 \u{1f512} ';
          await alice.say(bob.jid, text, 'm1');
          await until('message', () => bob.messages.length === 1);
          expect(bob.messages[0]).toMatchObject({ text, verdict: { payload, protection } });
        }
        for (const payload of ['pidf', 'xmpp+xml'] as const) {
          const alice = await join('xmpp.js', 'alice', `p-${payload}`, backend, { protection, payload });
          const bob = await join(sdk, 'bob', `q-${payload}`, backend);
          await alice.show(bob.jid, 'here');
          await until('presence', () => bob.presences.some((one) => one.text === 'here'));
          const shown = bob.presences.find((one) => one.text === 'here');
          expect(shown).toMatchObject({ verdict: { payload, protection } });
        }
        nothingRefused();
      });

      it('carbon copies, received and sent', async () => {
        const bob = await join('xmpp.js', 'bob', 'b');
        const desk = await join('xmpp.js', 'alice', 'desk');
        const phone = await join(sdk, 'alice', 'phone');
        await phone.enableCarbons();
        await bob.say(desk.jid, 'to the desk', 'c1');
        await until('the first copy', () => phone.copies.length === 1);
        await desk.say(bob.jid, 'from the desk', 'c2');
        await until('copies', () => phone.copies.length === 2);
        expect(phone.copies).toMatchObject([
          { text: 'to the desk', verdict: { sender: { jid: 'bob@localhost' } } },
          { text: 'from the desk', verdict: { sender: { jid: 'alice@localhost' } } },
        ]);
        nothingRefused();
      });

      it('the archive, as often as wanted', async () => {
        const alice = await join('xmpp.js', 'alice', `archive-${sdk}`);
        const bob = await join('xmpp.js', 'bob', `archive-${sdk}`);
        await alice.say(bob.jid, `archived for ${sdk}`, 'a1');
        await bob.say(alice.jid, `archived from ${sdk}`, 'a2');
        await until('messages', () => alice.messages.length === 1 && bob.messages.length === 1);
        const backends = [...kinds.values()].map((backend) => backend.get('bob@localhost')!);
        const reader = await join(sdk, 'bob', 'reader', 'openpgp', { backends });
        for (const round of [1, 2]) {
          reader.copies.splice(0);
          await reader.fetchArchive();
          const found = reader.copies.filter(({ text }) => text.endsWith(sdk));
          expect(found.length, `round ${round}`).toBeGreaterThanOrEqual(2);
          expect(found.every(({ verdict }) => verdict?.sender !== null && verdict !== undefined)).toBe(true);
        }
        nothingRefused();
      });

      it('what comes back is an error without content', async () => {
        const alice = await join(sdk, 'alice', 'a');
        await alice.say('nora@localhost/x', 'nobody reads this', 'b1');
        await until('bounce', () => alice.bounces.length === 1);
        expect(alice.bounces[0]).toMatchObject({ id: 'b1' });
        expect(alice.bounces[0]!.xml).not.toMatch(/nobody|e2e/);
        nothingRefused();
      });

      it('too large is refused before it is sent, and the stream stays', async () => {
        const alice = await join(sdk, 'alice', 'a');
        const bob = await join(sdk, 'bob', 'b');
        const unsent: SessionEvents['unsent'][] = [];
        alice.session.on('unsent', (event) => unsent.push(event));
        await alice.say(bob.jid, randomText(260_000), 'l1').catch(() => undefined);
        await until('refusal', () => unsent.length === 1);
        expect(unsent[0]!.error.reason).toContain('262144');
        const large = randomText(150_000);
        await alice.say(bob.jid, large, 'l2');
        await until('message', () => bob.messages.length === 1);
        expect(bob.messages[0]!.text).toBe(large);
        nothingRefused();
      });

      it('a contact without a usable key gets nothing, and a request fails at once', async () => {
        const stranger = { ...kinds.get('openpgp')!.get('alice@localhost')!, canSealTo: () => Promise.resolve(false) };
        const alice = await join(sdk, 'alice', 'a', 'openpgp', { backends: [stranger] });
        // Somebody of their own: a server may deliver again to another resource what was not acknowledged.
        const carl = await join(sdk, 'carl', 'c');
        await alice.say(carl.jid, `${marker} secret`, 'n1').catch(() => undefined);
        const start = Date.now();
        await expect(alice.ask(carl.jid, `${marker} secret`)).rejects.toBeDefined();
        expect(Date.now() - start).toBeLessThan(5000);
        expect(alice.wire()).not.toContain(marker);
        alice.session.allowPlain('carl@localhost');
        carl.session.allowPlain('alice@localhost');
        await alice.say(carl.jid, 'plain at last', 'n2');
        await until('message', () => carl.messages.length === 1);
        expect(carl.messages[0]).toMatchObject({ text: 'plain at last', verdict: undefined });
      });
    });
  });
}

/** Text that does not compress. */
function randomText(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length);
}

function bare(jid: string): string {
  return jid.split('/', 1)[0]!;
}
