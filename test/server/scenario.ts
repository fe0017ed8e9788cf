/** What must work on every server, between every two SDKs. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SessionEvents } from '../../src/index.ts';
import { ci, runs } from '../shared-data.ts';
import { until } from './actor.ts';
import { backendKinds } from './keys.ts';
import { onServer, type Sdk, sdks, type ServerKind } from './stage.ts';

/** With another SDK, a tenth of what is sent within one. */
const pairs = sdks.flatMap((a) => sdks.map((b) => [a, b, runs(a === b || !ci ? 1000 : 100)] as const));

/** A string that must not be seen on the wire. */
const marker = 'xyzzy';

/** Runs the scenario on a server. */
export function describeServer(kind: ServerKind): void {
  onServer(kind, 64, (stage) => {
    const { enter, nothingRefused } = stage;

    describe.each(pairs)('%s to %s', (a, b, count) => {
      it.each(backendKinds)('messages, presence and requests, both ways, %s', async (backend) => {
        const alice = await enter(a, 'alice', 'a', { backend });
        const bob = await enter(b, 'bob', 'b', { backend });
        for (const [from, to] of [
          [alice, bob],
          [bob, alice],
        ] as const) {
          const texts = Array.from({ length: count }, (_, i) => `${marker} ${i} ü "]]>" \u{1f512}`);
          for (const [i, text] of texts.entries()) void from.say(to.jid, text, `m${i}`);
          const questions = [1, 2, 3].map((n) => `${marker} request ${n}`);
          const answers = await Promise.all(questions.map((question) => from.ask(to.jid, question)));
          expect(answers.map(({ text }) => text)).toEqual(questions);
          expect(answers.every(({ verdict }) => verdict?.sender?.jid === bare(to.jid))).toBe(true);
          expect(to.requests.map(({ verdict }) => verdict?.sender?.jid)).toEqual(questions.map(() => bare(from.jid)));
          await from.show(to.jid, `${marker} here`);
          await until('messages', () => to.messages.length >= count);
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
      });
    });

    describe.each(sdks)('%s', (sdk) => {
      it.each([
        ['sign', 'smime'],
        ['sign+encrypt', 'smime'],
        ['sign', 'openpgp'],
        ['sign+encrypt', 'openpgp'],
      ] as const)('all payload forms come through, %s, %s', async (protection, backend) => {
        const text = 'tab\t  two spaces \nline\n\n]]> ]]]]><![CDATA[ <&> "\' 日本 \u{1f512} ';
        const bob = await enter(sdk, 'bob', 'b', { backend });
        for (const [payload, presence] of [
          ['cpim', 'pidf'],
          ['xmpp+xml', 'xmpp+xml'],
        ] as const) {
          // A session has one form for what it seals; each has a clock of its own, so that one ends before the next.
          const talker = await enter('strophe', 'alice', payload, { backend, session: { protection, payload } });
          await talker.say(bob.jid, text, 'm1');
          const shower = await enter('strophe', 'alice', `${payload}-presence`, {
            backend,
            session: { protection, payload: presence },
          });
          await shower.show(bob.jid, payload);
          await until('presence', () => bob.presences.some((one) => one.text === payload));
          await until('message', () => bob.messages.length === 1);
          expect(bob.messages.pop()).toMatchObject({ text, verdict: { payload, protection } });
          const shown = bob.presences.find((one) => one.text === payload);
          expect(shown).toMatchObject({ verdict: { payload: presence, protection } });
        }
        nothingRefused();
      });

      it.each(backendKinds)('carbon copies, received and sent, %s', async (backend) => {
        const bob = await enter(another(sdk), 'bob', 'b', { backend });
        const desk = await enter(another(sdk), 'alice', 'desk', { backend });
        const phone = await enter(sdk, 'alice', 'phone', { backend });
        await phone.enableCarbons();
        await bob.say(desk.jid, `${marker} to the desk`, 'c1');
        await until('the first copy', () => phone.copies.length === 1);
        await desk.say(bob.jid, `${marker} from the desk`, 'c2');
        await until('copies', () => phone.copies.length === 2);
        expect(phone.copies).toMatchObject([
          { text: `${marker} to the desk`, verdict: { sender: { jid: stage.jid('bob') } } },
          { text: `${marker} from the desk`, verdict: { sender: { jid: stage.jid('alice') } } },
        ]);
        expect(phone.wire()).not.toContain(marker);
        nothingRefused();
      });

      it.each(backendKinds)('the archive, as often as wanted, %s', async (backend) => {
        const alice = await enter(another(sdk), 'alice', 'a', { backend });
        const bob = await enter(another(sdk), 'bob', 'b', { backend });
        await alice.say(bob.jid, `${marker} to Bob`, 'a1');
        await bob.say(alice.jid, `${marker} to Alice`, 'a2');
        await until('messages', () => alice.messages.length === 1 && bob.messages.length === 1);
        const reader = await enter(sdk, 'bob', 'reader', { backend });
        for (const round of [1, 2]) {
          reader.copies.splice(0);
          await reader.fetchArchive();
          await until('the archive', () => reader.copies.length >= 2);
          const found = reader.copies.map(({ text, verdict }) => [text, verdict?.sender?.jid]);
          expect(found.sort(), `round ${round}`).toEqual([
            [`${marker} to Alice`, stage.jid('bob')],
            [`${marker} to Bob`, stage.jid('alice')],
          ]);
        }
        expect(reader.wire()).not.toContain(marker);
        nothingRefused();
      });

      it('what comes back is an error without content', async () => {
        const alice = await enter(sdk, 'alice', 'a');
        await alice.say(`${stage.jid('nora')}/x`, 'nobody reads this', 'b1');
        await until('bounce', () => alice.bounces.length === 1);
        expect(alice.bounces[0]).toMatchObject({ id: 'b1' });
        expect(alice.bounces[0]!.xml).not.toMatch(/nobody|e2e/);
        nothingRefused();
      });

      it('too large is refused before it is sent, and the stream stays', async () => {
        const alice = await enter(sdk, 'alice', 'a');
        const bob = await enter(sdk, 'bob', 'b');
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
        const mine = await stage.backend('alice');
        const withoutKeys = { ...mine, canSealTo: () => Promise.resolve(false) };
        const alice = await enter(sdk, 'alice', 'a', { session: { backends: [withoutKeys] } });
        const carl = await enter(sdk, 'carl', 'c');
        await alice.say(carl.jid, `${marker} secret`, 'n1').catch(() => undefined);
        const start = Date.now();
        await expect(alice.ask(carl.jid, `${marker} secret`)).rejects.toBeDefined();
        expect(Date.now() - start).toBeLessThan(20_000);
        expect(alice.wire()).not.toContain(marker);
        alice.session.allowPlain(stage.jid('carl'));
        carl.session.allowPlain(stage.jid('alice'));
        await alice.say(carl.jid, 'plain at last', 'n2');
        await until('message', () => carl.messages.length === 1);
        expect(carl.messages[0]).toMatchObject({ text: 'plain at last', verdict: undefined });
      });
    });
  });
}

/** The SDK after this one. */
function another(sdk: Sdk): Sdk {
  return sdks[(sdks.indexOf(sdk) + 1) % sdks.length]!;
}

/** Text that does not compress. */
function randomText(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length);
}

function bare(jid: string): string {
  return jid.split('/', 1)[0]!;
}
