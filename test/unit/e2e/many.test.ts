import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SecurityBackend } from '../../../src/backends/backend.ts';
import {
  E2eError,
  type ManyOpened,
  openMany,
  type OpenOptions,
  openStanza,
  ReplayGuard,
  sealMany,
  serializeXml,
} from '../../../src/index.ts';
import { runs } from '../../shared-data.ts';
import { at, cpim, double, juliet, refusal, romeo, shell, signedBy } from './scene.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The n-th stanza of Juliet, each a millisecond after the one before. */
function sent(n: number, outcome: 'good' | 'bad' = 'good') {
  const time = new Date(at.getTime() - 10_000 + n).toISOString();
  return signedBy({ outcome }, cpim({ DateTime: time }, `number ${n}`));
}

/** A backend that takes as long over each stanza as it is told, and says how many it worked on at once. */
function slow(delays: (call: number) => number | Promise<void>): { backend: SecurityBackend; most: () => number } {
  let calls = 0;
  let now = 0;
  let most = 0;
  const backend: SecurityBackend = {
    ...double,
    async verify(request) {
      most = Math.max(most, ++now);
      try {
        const delay = delays(calls++);
        await (typeof delay === 'number' ? pause(delay) : delay);
        return await double.verify(request);
      } finally {
        now--;
      }
    },
  };
  return { backend, most: () => most };
}

function options(more: Partial<OpenOptions> & { concurrency?: number } = {}) {
  return { backends: [double], me: romeo, replay: new ReplayGuard(), at, ...more };
}

function bodyOf(result: ManyOpened): string | undefined {
  return result.ok ? result.opened.stanza.first('body')?.text : undefined;
}

async function collect<T>(source: AsyncIterable<T>): Promise<{ results: T[]; error: unknown }> {
  const results: T[] = [];
  try {
    for await (const one of source) results.push(one);
  } catch (error) {
    return { results, error };
  }
  return { results, error: undefined };
}

describe('openMany', () => {
  it('answers every stanza once and in order, whatever the delays and failures', async () => {
    const kinds = fc.constantFrom('good', 'bad', 'garbage', 'plain', 'replay');
    const item = fc.record({ kind: kinds, delay: fc.nat(3), wait: fc.nat(2) });
    const property = fc.asyncProperty(
      fc.array(item, { maxLength: 40 }),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      async (items, concurrency, asynchronous) => {
        const stanzas = items.map(({ kind }, n) => {
          if (kind === 'garbage') return '<message';
          if (kind === 'plain') return shell;
          if (kind === 'replay') return sent(0);
          return sent(n + 1, kind === 'bad' ? 'bad' : 'good');
        });
        let read = 0;
        let taken = 0;
        let ahead = 0;
        function* source() {
          for (const stanza of stanzas) {
            ahead = Math.max(ahead, ++read - taken);
            yield stanza;
          }
        }
        async function* later() {
          for (const stanza of source()) {
            await pause(items[read - 1]!.wait);
            yield stanza;
          }
        }
        const { backend, most } = slow((call) => items[call % items.length]!.delay);
        const together: ManyOpened[] = [];
        for await (const one of openMany(
          asynchronous ? later() : source(),
          options({ backends: [backend], concurrency }),
        )) {
          taken++;
          together.push(one);
        }
        // One after another is what the many are measured by: the same verdicts and the same codes.
        const alone = options();
        const expected = await Promise.all(
          stanzas
            .map((stanza, index) => ({ stanza, index }))
            .reduce<Promise<string>[]>((answers, { stanza, index }) => {
              const before = answers[index - 1] ?? Promise.resolve('');
              const answer = before.then(() =>
                openStanza(stanza, alone).then(
                  ({ stanza: opened, verdict }) => `${serializeXml(opened)} ${verdict.time.status}`,
                  (error: unknown) => (error as E2eError).code,
                ),
              );
              return [...answers, answer];
            }, []),
        );
        const shown = together.map((one) =>
          one.ok ? `${serializeXml(one.opened.stanza)} ${one.opened.verdict.time.status}` : one.error.code,
        );
        expect(shown).toEqual(expected);
        expect(together.map(({ index }) => index)).toEqual(stanzas.map((_, index) => index));
        expect(ahead).toBeLessThanOrEqual(2 * concurrency + 1);
        expect(most()).toBeLessThanOrEqual(concurrency);
      },
    );
    await fc.assert(property, { numRuns: runs(300), seed: 3923 });
  });

  it('does not lose the first of two stanzas whose opening ends later', async () => {
    const { backend } = slow((call) => 20 - call * 5);
    const { results } = await collect(
      openMany(
        [1, 2, 3, 4].map((n) => sent(n)),
        options({ backends: [backend] }),
      ),
    );
    expect(results.map(bodyOf)).toEqual(['number 1', 'number 2', 'number 3', 'number 4']);
  });

  it('opens one of two equal stanzas, the first', async () => {
    const { results } = await collect(openMany([sent(1), sent(1), sent(1)], options()));
    expect(results.map((one) => (one.ok ? 'opened' : one.error.code))).toEqual([
      'opened',
      'ERR_E2E_REPLAYED',
      'ERR_E2E_REPLAYED',
    ]);
  });

  it('reads no further than twice the concurrency while nobody takes results', async () => {
    let read = 0;
    function* endless() {
      for (;;) yield sent(read++);
    }
    const opening = openMany(endless(), options({ concurrency: 3 }));
    expect(read).toBe(0);
    expect((await opening.next()).value).toMatchObject({ ok: true, index: 0 });
    await pause(50);
    expect(read).toBeLessThanOrEqual(1 + 2 * 3);
    expect(read).toBeGreaterThan(3);
    await opening.return();
    await pause(20);
    expect(read).toBeLessThanOrEqual(1 + 2 * 3);
  });

  it('answers at once what is open, while the source is slow', async () => {
    async function* source() {
      yield sent(1);
      await new Promise(() => undefined);
    }
    const { value } = await openMany(source(), options()).next();
    expect(value).toMatchObject({ ok: true });
  });

  it('answers what was read before an error of the source', async () => {
    const broken = new Error('the stream broke');
    function* source() {
      yield sent(1);
      yield '<message';
      yield sent(3);
      throw broken;
    }
    const { results, error } = await collect(openMany(source(), options({ backends: [slow(() => 10).backend] })));
    expect(results.map((one) => (one.ok ? bodyOf(one) : one.error.code))).toEqual([
      'number 1',
      'ERR_E2E_MALFORMED',
      'number 3',
    ]);
    expect(error).toBe(broken);
  });

  it('stops with the reason of its signal, and leaves what it did not answer as if it had never come', async () => {
    const guard = new ReplayGuard();
    const controller = new AbortController();
    const reason = new Error('enough');
    const { backend } = slow((call) => (call < 3 ? 1 : new Promise<void>(() => undefined)));
    let closed = false;
    function* source() {
      try {
        for (let n = 1; n <= 20; n++) yield sent(n);
      } finally {
        closed = true;
      }
    }
    const more = { backends: [backend], replay: guard, signal: controller.signal, concurrency: 4 };
    async function* stopped() {
      for await (const one of openMany(source(), options(more))) {
        yield one;
        // While the fourth, which never comes, is waited for.
        if (one.index === 2) setTimeout(() => controller.abort(reason), 10);
      }
    }
    const { results, error } = await collect(stopped());
    expect(error).toBe(reason);
    expect(results.map(bodyOf)).toEqual(['number 1', 'number 2', 'number 3']);
    await pause(0);
    expect(closed).toBe(true);
    const again = await collect(
      openMany(
        [3, 4, 5].map((n) => sent(n)),
        options({ replay: guard }),
      ),
    );
    expect(again.results.map((one) => (one.ok ? bodyOf(one) : one.error.code))).toEqual([
      'ERR_E2E_REPLAYED',
      'number 4',
      'number 5',
    ]);
  });

  it('answers after an abort what the store has recorded already', async () => {
    const controller = new AbortController();
    const { store } = new ReplayGuard();
    const guard = new ReplayGuard({
      since: () => store.since(),
      has: (entry) => store.has(entry),
      async record(entry, rules) {
        controller.abort();
        await pause(20);
        return store.record(entry, rules);
      },
    });
    const { results, error } = await collect(
      openMany([sent(1), sent(2)], options({ replay: guard, signal: controller.signal })),
    );
    expect(results.map(bodyOf)).toEqual(['number 1']);
    expect(error).toMatchObject({ name: 'AbortError' });
  });

  it('opens nothing for a signal that has aborted already', async () => {
    let read = 0;
    function* source() {
      read++;
      yield sent(1);
    }
    const { results, error } = await collect(openMany(source(), options({ signal: AbortSignal.abort() })));
    expect(results).toEqual([]);
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(read).toBe(0);
  });

  it('closes the source when the loop is left', async () => {
    let closed = false;
    function* source() {
      try {
        for (let n = 1; ; n++) yield sent(n);
      } finally {
        closed = true;
      }
    }
    for await (const one of openMany(source(), options())) {
      expect(one.ok).toBe(true);
      break;
    }
    await pause(0);
    expect(closed).toBe(true);
  });

  it('throws for wrong arguments, which are no stanza', async () => {
    for (const concurrency of [0, -1, 1.5, Number.NaN, 1025]) {
      expect(() => openMany([], options({ concurrency })), String(concurrency)).toThrow(RangeError);
    }
    for (const source of ['<message/>', undefined, null, 3, {}]) {
      expect(() => openMany(source as never, options()), JSON.stringify(source)).toThrow(TypeError);
    }
    const { results, error } = await collect(openMany([sent(1), 42 as never, sent(2)], options()));
    expect(results[0]).toMatchObject({ ok: true, index: 0 });
    expect(error).toBeInstanceOf(TypeError);
    const unguarded = await collect(openMany([sent(1)], { backends: [double], me: romeo }));
    expect(unguarded.error).toBeInstanceOf(TypeError);
  });

  it('needs no guard where that was chosen', async () => {
    const { results } = await collect(openMany([sent(1), sent(1)], options({ replay: false })));
    expect(results.map(({ ok }) => ok)).toEqual([true, true]);
  });
});

describe('sealMany', () => {
  const plain = (n: number): string => shell.replace('/>', `><body>number ${n}</body></message>`);

  it('seals in order, with increasing times, and what fails stops nothing', async () => {
    const sources = [plain(1), '<message', plain(2), shell.replace("'chat'", "'groupchat'"), plain(3)];
    const { results } = await collect(sealMany(sources, { backend: double, concurrency: 3 }));
    expect(results.map((one) => (one.ok ? 'sealed' : one.error.code))).toEqual([
      'sealed',
      'ERR_E2E_MALFORMED',
      'sealed',
      'ERR_E2E_UNMAPPABLE',
      'sealed',
    ]);
    const sealed = results.flatMap((one) => (one.ok ? [one.sealed] : []));
    const opened = await collect(openMany(sealed, { backends: [double], me: romeo, replay: new ReplayGuard() }));
    expect(opened.results.map(bodyOf)).toEqual(['number 1', 'number 2', 'number 3']);
  });

  it('refuses one time for several stanzas, and stops with its signal', async () => {
    expect(() => sealMany([], { backend: double, at } as never)).toThrow(TypeError);
    const { results, error } = await collect(sealMany([plain(1)], { backend: double, signal: AbortSignal.abort() }));
    expect(results).toEqual([]);
    expect(error).toMatchObject({ name: 'AbortError' });
  });

  it('ends in the errors of sealing', async () => {
    const stranger = shell.replace(romeo, 'nobody@example.com').replace('/>', '><body>Hi</body></message>');
    const { results } = await collect(sealMany([stranger], { backend: double, from: juliet }));
    const [only] = results;
    await refusal(only?.ok === false ? Promise.reject(only.error) : Promise.resolve(), 'ERR_E2E_NO_RECIPIENT_KEY');
  });
});
