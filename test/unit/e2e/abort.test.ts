/**
 * AbortSignal on every call that takes time: aborted before, the call rejects with the reason and asks nobody anything;
 * aborted on the way, it rejects at its next step, and leaves no state.
 */
import { describe, expect, it } from 'vitest';
import type { SecurityBackend } from '../../../src/backends/backend.ts';
import { openEntity as openPgpEntity } from '../../../src/backends/openpgp/index.ts';
import { openEntity as openSmimeEntity } from '../../../src/backends/smime/index.ts';
import {
  E2eSession,
  inspectStanza,
  memoryReplayStore,
  openMany,
  openStanza,
  parseXml,
  ReplayGuard,
  type ReplayStore,
  sealMany,
  sealStanza,
} from '../../../src/index.ts';
import { at, cpim, double, juliet, romeo, sealed, shell } from './scene.ts';

const plain = shell.replace('/>', '><body>Hi</body></message>');
const reason = new Error('enough');

/** The double, whose every answer comes through a door; `steps` counts them. */
function watched(at: number, abort: () => void): { backend: SecurityBackend; steps: () => number } {
  let steps = 0;
  const door = <A extends readonly unknown[], R>(method: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      if (++steps === at) abort();
      return method(...args);
    };
  };
  const doors: SecurityBackend = {
    ...double,
    sign: door((request) => double.sign(request)),
    encrypt: door((request) => double.encrypt(request)),
    decrypt: door((request) => double.decrypt(request)),
    verify: door((request) => double.verify(request)),
    inspect: door((entity, limits) => double.inspect(entity, limits)),
    canSealTo: door((jid, when) => double.canSealTo(jid, when)),
  };
  return { backend: doors, steps: () => steps };
}

interface Call {
  readonly backend: SecurityBackend;
  readonly signal: AbortSignal;
  readonly replay: ReplayGuard;
}

async function collect(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const one of source) all.push(one);
  return all;
}

const calls: Readonly<Record<string, (call: Call) => Promise<unknown>>> = {
  sealStanza: ({ backend, signal }) => sealStanza(plain, { backend, signal, at }),
  openStanza: ({ backend, signal, replay }) =>
    openStanza(sealed(), { backends: [backend], me: romeo, replay, at, signal }),
  sealMany: ({ backend, signal }) => collect(sealMany([plain, plain], { backend, signal })),
  openMany: ({ backend, signal, replay }) =>
    collect(openMany([sealed()], { backends: [backend], me: romeo, replay, at, signal })),
  inspectStanza: ({ backend, signal }) => inspectStanza(sealed(), { backends: [backend], signal }),
  'E2eSession.seal': ({ backend, signal, replay }) =>
    new E2eSession({ jid: juliet, backends: [backend], replay }).seal(parseXml(plain), { signal }),
  'E2eSession.open': ({ backend, signal, replay }) =>
    new E2eSession({ jid: romeo, backends: [backend], replay }).open(sealed(), { at, signal }),
  'E2eSession.openForwarded': ({ backend, signal, replay }) => {
    const forwarded = parseXml(
      `<message xmlns='jabber:client' from='${romeo}' to='${romeo}/orchard'><received xmlns='urn:xmpp:carbons:2'>` +
        `<forwarded xmlns='urn:xmpp:forward:0'/></received></message>`,
    );
    const [received] = forwarded.elements;
    const around = received!.withChildren([received!.elements[0]!.withChildren([sealed()])]);
    const session = new E2eSession({ jid: romeo, backends: [backend], replay });
    return session.openForwarded(forwarded.withChildren([around]), { at, signal });
  },
};

describe.each(Object.entries(calls))('%s', (_, call) => {
  it('does nothing for a signal that has aborted', async () => {
    const { backend, steps } = watched(0, () => undefined);
    const signal = AbortSignal.abort(reason);
    await expect(call({ backend, signal, replay: new ReplayGuard() })).rejects.toBe(reason);
    expect(steps()).toBe(0);
  });

  it('rejects with the reason wherever it is aborted on the way, and leaves no state', async () => {
    const { backend: counted, steps } = watched(0, () => undefined);
    await call({ backend: counted, signal: new AbortController().signal, replay: new ReplayGuard() });
    const all = steps();
    expect(all).toBeGreaterThan(0);
    for (let step = 1; step <= all; step++) {
      const controller = new AbortController();
      const memory = memoryReplayStore();
      let recorded = 0;
      const store: ReplayStore = {
        since: () => memory.since(),
        has: (entry) => memory.has(entry),
        record: (entry, options) => {
          recorded++;
          return memory.record(entry, options);
        },
      };
      const { backend } = watched(step, () => controller.abort(reason));
      const replay = new ReplayGuard(store);
      await expect(call({ backend, signal: controller.signal, replay }), `step ${step}`).rejects.toBe(reason);
      expect(recorded).toBe(0);
    }
  });
});

describe.each([
  ['smime', openSmimeEntity],
  ['openpgp', openPgpEntity],
] as const)('openEntity of %s', (_, openEntity) => {
  it('does nothing for a signal that has aborted', async () => {
    const opening = openEntity(cpim(), { at, signal: AbortSignal.abort(reason) });
    await expect(opening).rejects.toBe(reason);
  });
});
