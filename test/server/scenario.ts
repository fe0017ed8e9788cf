/** What must work on every server, between every two SDKs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eSession, ReplayGuard, type SessionEvents } from '../../src/index.ts';
import { hasProgram, runs } from '../shared-data.ts';
import { type Actor, type Connect, until } from './actor.ts';
import { type Backends, openpgpBackends } from './keys.ts';
import { connectStanzaJs } from './stanza-js-actor.ts';
import { connectStrophe } from './strophe-actor.ts';
import { connectXmppJs } from './xmpp-js-actor.ts';
import type { XmppServer } from './xmpp-server.ts';

const sdks: Readonly<Record<string, Connect>> = {
  'xmpp.js': connectXmppJs,
  stanza: connectStanzaJs,
  strophe: connectStrophe,
};
const pairs = Object.keys(sdks).flatMap((a) => Object.keys(sdks).map((b) => [a, b] as const));

/** A string that must not be seen on the wire. */
const marker = 'xyzzy';

/** Runs the scenario on a server. */
export function describeServer(
  name: string,
  program: string,
  start: (accounts: readonly string[]) => Promise<XmppServer>,
): void {
  describe.skipIf(!hasProgram(program))(name, () => {
    let server: XmppServer;
    const kinds = new Map<string, Backends>();

    beforeAll(async () => {
      kinds.set('openpgp', await openpgpBackends(['alice@localhost', 'bob@localhost']));
      server = await start(['alice', 'bob']);
    });
    afterAll(() => server?.stop());

    const meet = async (a: string, b: string, backend: string): Promise<Meeting> => {
      const backends = kinds.get(backend)!;
      const session = (jid: string): E2eSession =>
        new E2eSession({ jid, backends: [backends.get(jid)!], replay: new ReplayGuard() });
      const alice = await sdks[a]!(server, 'alice', session('alice@localhost'), 'a');
      const bob = await sdks[b]!(server, 'bob', session('bob@localhost'), 'b');
      const refused: SessionEvents['refused'][] = [];
      for (const one of [alice, bob]) one.session.on('refused', (event) => refused.push(event));
      return { alice, bob, refused };
    };

    describe.each(pairs)('%s to %s', (a, b) => {
      it('messages, presence and requests, both ways', { timeout: 120_000 }, async () => {
        const { alice, bob, refused } = await meet(a, b, 'openpgp');
        try {
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
          expect(refused.map(({ error }) => error.toJSON())).toEqual([]);
          for (const one of [alice, bob]) {
            expect(one.wire()).toContain('urn:ietf:params:xml:ns:xmpp-e2e');
            expect(one.wire()).not.toContain(marker);
          }
        } finally {
          await Promise.all([alice.stop(), bob.stop()]);
        }
      });
    });
  });
}

interface Meeting {
  readonly alice: Actor;
  readonly bob: Actor;
  readonly refused: readonly SessionEvents['refused'][];
}

function bare(jid: string): string {
  return jid.split('/', 1)[0]!;
}
