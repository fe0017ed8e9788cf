/** The worker pool: the decisions of one thread, in the order of the source, on several. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseVectorFile, type Vector, type VectorGroup, type VectorPolicy } from '../../../src/cli/vector-file.ts';
import { vectorScene } from '../../../src/cli/vector-run.ts';
import { vectorFiles } from '../../../src/cli/vectors.ts';
import {
  E2eError,
  element,
  Jid,
  type ManyOpened,
  memoryPinStore,
  memoryReplayStore,
  type OpenContext,
  openMany,
  openStanza,
  parseXml,
  PinGuard,
  type Policy,
  ReplayGuard,
  type ReplayStore,
  rfc3923Policy,
  sealMany,
  serializeXml,
  strictPolicy,
} from '../../../src/index.ts';
import { type WorkerPool, workerPool, type WorkerPoolOptions } from '../../../src/pool/index.ts';
import { kontalk } from '../../../src/profiles/index.ts';
import { runs } from '../../shared-data.ts';
import { at, cpim, double, juliet, romeo, shell, signedBy } from '../e2e/scene.ts';

const pools: WorkerPool[] = [];
const slow = { batch: 3, keys: { delay: 2 } };
let common: WorkerPool | undefined;

/** A pool over the double that most tests can use, since starting one takes a while. */
function shared(): WorkerPool {
  return (common ??= start('./double-backends.ts', slow));
}

function start(module: string, options: Partial<WorkerPoolOptions> = {}): WorkerPool {
  const pool = workerPool({
    module: new URL(module, import.meta.url),
    execArgv: ['--conditions=xmpp-e2e-source', '--import', new URL('./register-tsx.js', import.meta.url).href],
    threads: 2,
    ...options,
  });
  pools.push(pool);
  return pool;
}

afterAll(async () => {
  for (const pool of pools) await pool.close();
});

/** The n-th stanza of Juliet, each a millisecond after the one before. */
function sent(n: number, outcome: 'good' | 'bad' = 'good') {
  const time = new Date(at.getTime() - 10_000 + n).toISOString();
  return signedBy({ outcome }, cpim({ DateTime: time }, `number ${n}`));
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

function fieldsOf(error: E2eError): object {
  return Object.fromEntries([...Object.entries(error), ['message', error.message]]);
}

/** A result in a form that shows all of it: an error is more than its message. */
function whole(result: ManyOpened): unknown {
  if (result.ok) return result;
  const { error } = result;
  return { ...result, error: { ...fieldsOf(error), class: error instanceof E2eError } };
}

function policyOf(policy: VectorPolicy = 'strict'): Policy {
  if (policy === 'strict') return strictPolicy;
  if (policy === 'rfc3923') return rfc3923Policy;
  const { base, time, algorithms, ...rules } = policy;
  const from = policyOf(base);
  const merged = { time: { ...from.time, ...time }, algorithms: { ...from.algorithms, ...algorithms } };
  return { ...from, ...rules, ...merged, name: 'custom' };
}

function contextOf(context: Vector['context'] = 'live'): OpenContext {
  if (typeof context !== 'object') return context;
  return context.retry === undefined ? { verify: new Date(context.verify) } : { retry: new Date(context.retry) };
}

const root = fileURLToPath(new URL('../../../vectors/', import.meta.url));
const groups = vectorFiles(root)
  .flatMap((path) => parseVectorFile(readFileSync(path, 'utf8')).groups)
  .filter(({ operation }) => operation === 'open');

describe('on the vectors', () => {
  it('gives every stanza the verdict, the stanza or the error of one thread', { timeout: 300_000 }, async () => {
    let compared = 0;
    const byKeys = new Map<string, VectorGroup[]>();
    for (const group of groups) {
      const key = JSON.stringify({ keys: group.keys, backends: group.backends });
      byKeys.set(key, [...(byKeys.get(key) ?? []), group]);
    }
    for (const same of byKeys.values()) {
      const { backends } = await vectorScene(same[0]!, root);
      const pool = start('./vector-backends.ts', { threads: 1, keys: { group: same[0]!, root } });
      for (const group of same) {
        for (const vector of group.tests) {
          const since = vector.since ?? '2020-01-01T00:00:00Z';
          const options = {
            me: vector.me ?? group.me ?? 'romeo@example.net',
            policy: policyOf(vector.policy ?? group.policy),
          };
          const call = (context = vector.context, time = vector.at) => ({
            ...options,
            context: contextOf(context),
            at: new Date(time ?? group.at ?? since),
          });
          const guards = [0, 1].map(
            () => new ReplayGuard(memoryReplayStore({ since: new Date(since), maxEntries: vector.maxEntries })),
          );
          for (const before of vector.before ?? []) {
            for (const replay of guards) {
              const past = { ...call(before.context ?? 'live', before.at ?? vector.at), backends, replay };
              await openStanza(before.input, past).catch(() => undefined);
            }
          }
          const inputs = Array.from({ length: vector.repeat ?? 1 }, () => vector.input);
          const alone = await collect(openMany(inputs, { ...call(), backends, replay: guards[0] }));
          const pooled = await collect(pool.openMany(inputs, { ...call(), replay: guards[1] }));
          expect(pooled.error, vector.id).toEqual(alone.error);
          expect(pooled.results.map(whole), vector.id).toStrictEqual(alone.results.map(whole));
          compared++;
        }
      }
      await pool.close();
    }
    expect(compared).toBeGreaterThan(80);
  });
});

describe('openMany of a pool', () => {
  it('answers like one thread whatever the mixture, the source and the size of batches', async () => {
    const kinds = fc.constantFrom('good', 'good', 'good', 'bad', 'garbage', 'plain', 'replay', 'late', 'tree');
    const sizes = [shared(), start('./double-backends.ts', { batch: 1 }), start('./double-backends.ts')];
    const property = fc.asyncProperty(
      fc.array(kinds, { maxLength: 60 }),
      fc.constantFrom(...sizes),
      fc.boolean(),
      fc.constantFrom(strictPolicy, rfc3923Policy),
      async (items, pool, asynchronous, policy) => {
        const stanzas = items.map((kind, n) => {
          if (kind === 'garbage') return '<message';
          if (kind === 'plain') return shell;
          if (kind === 'replay' || kind === 'late') return sent(kind === 'late' ? 0 : 1);
          const stanza = sent(n + 2, kind === 'bad' ? 'bad' : 'good');
          return kind === 'tree' ? stanza : serializeXml(stanza);
        });
        const source = asynchronous
          ? (async function* () {
              for (const [i, stanza] of stanzas.entries()) {
                if (i % 7 === 3) await new Promise((resolve) => setTimeout(resolve, 1));
                yield stanza;
              }
            })()
          : stanzas;
        const options = { me: romeo, policy, at };
        const alone = await collect(openMany(stanzas, { ...options, backends: [double], replay: new ReplayGuard() }));
        const pooled = await collect(pool.openMany(source, { ...options, replay: new ReplayGuard() }));
        expect(pooled.error).toBeUndefined();
        expect(pooled.results.map(whole)).toStrictEqual(alone.results.map(whole));
      },
    );
    await fc.assert(property, { numRuns: runs(200), seed: 3923 });
  });

  it('looks up without recording in the context of an archive', async () => {
    const pool = shared();
    const replay = new ReplayGuard();
    const stanzas = [sent(1), sent(2), sent(1)];
    const options = { me: romeo, at, replay };
    const words = async (context: OpenContext) =>
      (await collect(pool.openMany(stanzas, { ...options, context }))).results.map((one) =>
        one.ok ? one.opened.verdict.replay : one.error.code,
      );
    expect(await words('archive')).toEqual(['checked', 'checked', 'checked']);
    expect(await words('live')).toEqual(['checked', 'checked', 'ERR_E2E_REPLAYED']);
    expect(await words('archive')).toEqual(['known', 'known', 'known']);
  });

  it('refuses where the store cannot tell', async () => {
    const pool = shared();
    const broken = (more: Partial<ReplayStore>) =>
      new ReplayGuard({ since: () => 0n, has: () => false, record: () => 'new' as const, ...more });
    const fail = (): never => {
      throw new Error('the disk is gone');
    };
    for (const replay of [broken({ since: fail }), broken({ record: fail })]) {
      const { results } = await collect(pool.openMany([sent(1)], { me: romeo, at, replay }));
      expect(results).toMatchObject([{ ok: false, error: { code: 'ERR_E2E_STORE_FAILED', stage: 'check' } }]);
    }
  });

  it('loses nothing and accepts nothing twice when it is aborted', { timeout: 120_000 }, async () => {
    const pool = shared();
    const property = fc.asyncProperty(fc.integer({ min: 0, max: 50 }), fc.nat(20), async (stopAt, wait) => {
      const stanzas = Array.from({ length: 60 }, (_, n) => sent(n));
      const replay = new ReplayGuard();
      const controller = new AbortController();
      const reason = new Error('enough');
      const accepted: number[] = [];
      const first = pool.openMany(stanzas, { me: romeo, at, replay, signal: controller.signal });
      const run = async () => {
        for await (const result of first) {
          if (result.ok) accepted.push(result.index);
          if (result.index === stopAt) setTimeout(() => controller.abort(reason), wait);
        }
      };
      await run().catch((error: unknown) => expect(error).toBe(reason));
      const { results } = await collect(pool.openMany(stanzas, { me: romeo, at, replay }));
      const later = results.flatMap((result) => (result.ok ? [result.index] : []));
      expect([...accepted, ...later]).toEqual(stanzas.map((_, n) => n));
    });
    await fc.assert(property, { numRuns: runs(100), seed: 3923 });
  });

  it('reads a source no faster than results are taken', async () => {
    const pool = shared();
    let read = 0;
    function* endless() {
      for (;;) yield sent(read++);
    }
    let taken = 0;
    for await (const result of pool.openMany(endless(), { me: romeo, at, replay: new ReplayGuard() })) {
      expect(result.ok).toBe(true);
      if (++taken % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      // Two threads, batches of three, six of them for each thread.
      expect(read - taken).toBeLessThanOrEqual(36);
      if (taken === 300) break;
    }
    expect(taken).toBe(300);
  });

  it('expects of senders what the guard of the main thread knows, and pins there', async () => {
    const by = (n: number, fingerprint: string) => {
      const time = new Date(at.getTime() - 10_000 + n).toISOString();
      return signedBy({ fingerprint }, cpim({ DateTime: time }, `number ${n}`));
    };
    const [mine, other] = ['a'.repeat(40), 'b'.repeat(40)];
    const stanzas = [by(1, mine), by(2, mine), by(3, other), by(4, mine)];
    const words = ({ results }: { results: readonly ManyOpened[] }) =>
      results.map((one) => (one.ok ? one.opened.verdict.pin : one.error.code));
    for (const firstUse of ['pin', 'deliver', 'refuse'] as const) {
      const guards = [0, 1].map(() => new PinGuard(memoryPinStore(), { firstUse }));
      const options = { me: romeo, at };
      for (const [n, stanza] of stanzas.entries()) {
        // One at a time, since which of several comes first at first use is nobody's promise.
        const call = (expect: PinGuard) => ({ ...options, expect, replay: new ReplayGuard() });
        const alone = await collect(openMany([stanza], { ...call(guards[0]!), backends: [double] }));
        const pooled = await collect(shared().openMany([stanza], call(guards[1]!)));
        expect(words(pooled), `${firstUse} ${n}`).toEqual(words(alone));
      }
      expect(await guards[1]!.pinsOf(juliet)).toEqual(await guards[0]!.pinsOf(juliet));
    }
    const replay = new ReplayGuard();
    const racing = new PinGuard(memoryPinStore(), { firstUse: 'pin' });
    const all = await collect(shared().openMany(stanzas, { me: romeo, at, replay, expect: racing }));
    const pinned = (await racing.pinsOf(juliet))!.keys;
    expect(pinned).toHaveLength(1);
    // Whoever was first, nobody else got in.
    for (const result of all.results) {
      if (result.ok) expect(pinned).toEqual([result.opened.verdict.sender!.fingerprint]);
      else expect(result.error.code).toBe('ERR_E2E_SIGNER_UNTRUSTED');
    }
    const { results } = await collect(
      shared().openMany([by(9, mine)], { me: romeo, at, replay, expect: { keys: [other] } }),
    );
    expect(results).toMatchObject([{ ok: false, error: { code: 'ERR_E2E_SIGNER_UNTRUSTED' } }]);
  });

  it('answers what was read before the source failed', async () => {
    const pool = shared();
    const failure = new Error('the source is gone');
    function* source() {
      for (let n = 0; n < 5; n++) yield sent(n);
      throw failure;
    }
    const { results, error } = await collect(pool.openMany(source(), { me: romeo, at, replay: new ReplayGuard() }));
    expect(results.map((one) => one.ok)).toEqual([true, true, true, true, true]);
    expect(error).toBe(failure);
  });

  it('serves several sources at the same time', async () => {
    const pool = shared();
    const lengths = [0, 1, 20, 31];
    const all = await Promise.all(
      lengths.map((length) =>
        collect(
          pool.openMany(
            Array.from({ length }, (_, n) => sent(n)),
            { me: romeo, at, replay: new ReplayGuard() },
          ),
        ),
      ),
    );
    expect(all.map(({ results }) => results.filter((one) => one.ok).length)).toEqual(lengths);
  });
});

describe('sealMany of a pool', () => {
  const plain = (n: number) =>
    `<message xmlns='jabber:client' from='${juliet}' to='${romeo}'><body>${n}</body></message>`;

  it('seals in order, with times that increase in that order', async () => {
    const pool = shared();
    const stanzas = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? plain(n) : parseXml(plain(n))));
    const { results, error } = await collect(pool.sealMany(stanzas));
    expect(error).toBeUndefined();
    const sealed = results.map((one) => (one.ok ? one.sealed : undefined)!);
    const opened = await collect(openMany(sealed, { backends: [double], me: romeo, replay: new ReplayGuard() }));
    expect(opened.results.map((one) => one.ok && one.opened.stanza.first('body')?.text)).toEqual(
      stanzas.map((_, n) => String(n)),
    );
  });

  it('fails like one thread, stanza by stanza', async () => {
    const pool = shared();
    const stanzas = [
      plain(0),
      '<message',
      '<presence/>',
      element('iq', 'urn:x'),
      { name: 'a', attrs: {}, children: [1] },
    ];
    const clock = { next: () => Promise.reject(new E2eError('ERR_E2E_STORE_FAILED', 'check', { reason: 'no clock' })) };
    for (const options of [{}, { clock }]) {
      const alone = await collect(sealMany(stanzas.slice(1), { backend: double, ...options }));
      const pooled = await collect(pool.sealMany(stanzas.slice(1), options));
      expect(pooled.results.map((one) => whole(one as ManyOpened))).toStrictEqual(
        alone.results.map((one) => whole(one as ManyOpened)),
      );
      expect(pooled.results.length).toBe(4);
    }
    const { results } = await collect(pool.sealMany([plain(0)], { clock }));
    expect(results).toMatchObject([{ ok: false, error: { code: 'ERR_E2E_STORE_FAILED', reason: 'no clock' } }]);
  });

  it('throws what a clock of somebody else throws', async () => {
    const pool = shared();
    const clock = { next: () => Promise.reject(new Error('no clock')) };
    expect((await collect(pool.sealMany([plain(0)], { clock }))).error).toEqual(new Error('no clock'));
  });

  it('names every recipient', async () => {
    const alsoTo = [Jid.parse('nurse@example.com'), 'tybalt@example.com/street'];
    const { results } = await collect(shared().sealMany([plain(0)], { alsoTo, protection: 'sign' }));
    const sealed = results.map((one) => (one.ok ? one.sealed : undefined)!);
    const recipients = [romeo, 'nurse@example.com', 'tybalt@example.com'].map(String);
    for (const me of recipients) {
      const stanza = sealed[0]!.withAttribute('to', me);
      const { verdict } = await openStanza(stanza, { backends: [double], me, replay: new ReplayGuard() });
      expect(verdict).toMatchObject({ recipientBound: true, recipients });
    }
  });

  it('refuses a profile that is no name', () => {
    const profile = kontalk as never;
    expect(() => shared().sealMany([plain(0)], { profile })).toThrow(TypeError);
  });

  it('takes the backend of a name', async () => {
    const pool = start('./double-backends.ts', { threads: 1, keys: { twice: true } });
    expect((await collect(pool.sealMany([plain(0)]))).error).toMatchObject({ message: 'the other one' });
    const { results } = await collect(pool.sealMany([plain(0)], { backend: double.name, from: juliet, to: romeo }));
    expect(results).toMatchObject([{ ok: true }]);
    expect((await collect(pool.sealMany([plain(0)], { backend: 'none' }))).error).toBeInstanceOf(TypeError);
  });
});

describe('a pool', () => {
  it('refuses wrong options at once', () => {
    const module = new URL('./double-backends.ts', import.meta.url);
    expect(() => workerPool({ module: './x.js' as unknown as URL })).toThrow(TypeError);
    expect(() => workerPool({ module, surprise: 1 } as WorkerPoolOptions)).toThrow(TypeError);
    for (const wrong of [{ threads: 0 }, { threads: 65 }, { batch: 0 }, { batch: 1025 }, { memory: 1.5 }]) {
      expect(() => workerPool({ module, ...wrong })).toThrow(RangeError);
    }
    const pool = shared();
    const options = { me: romeo, at, replay: false } as const;
    expect(() => pool.openMany('<message/>', options)).toThrow(TypeError);
    expect(() => pool.openMany([], { ...options, me: '@' })).toThrow(TypeError);
    expect(() => pool.openMany([], { ...options, replay: {} } as never)).toThrow(TypeError);
    expect(() => pool.openMany([], { ...options, backends: [double] } as never)).toThrow(TypeError);
    expect(() => pool.sealMany([], { at } as never)).toThrow(TypeError);
    expect(() => pool.sealMany([], { to: '@' })).toThrow(TypeError);
  });

  it('demands a choice about replays as one thread does', async () => {
    const pool = shared();
    const { results, error } = await collect(pool.openMany([sent(1)], { me: romeo, at }));
    expect(results).toEqual([]);
    expect(error).toBeInstanceOf(TypeError);
  });

  it.each([
    ['a module that exports no backends', './no-backends.ts', {}, /backends/],
    ['a module that is not there', './absent.ts', {}, /absent/],
    ['a worker that cannot start', './double-backends.ts', { execArgv: [] }, /worker\.ts/],
    ['a worker that ends', './double-backends.ts', { keys: { die: true } }, /exit/i],
  ])('says so where there is %s', async (_, module, options, message) => {
    const pool = start(module, { ...options, threads: 1 });
    const { results, error } = await collect(pool.openMany([sent(1), sent(2)], { me: romeo, at, replay: false }));
    expect(results).toEqual([]);
    expect((error as Error).message).toMatch(message);
  });

  it('fails what is under way when it is closed', async () => {
    const pool = start('./double-backends.ts', { threads: 1, keys: { delay: 1000 } });
    const run = collect(pool.openMany([sent(1)], { me: romeo, at, replay: false }));
    await new Promise((resolve) => setTimeout(resolve, 10));
    await pool.close();
    expect((await run).error).toBeInstanceOf(Error);
  });
});
