import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { memoryReplayStore, type ReplayEntry, type RecordOptions } from '../../../src/e2e/replay.ts';
import { fileReplayStore } from '../../../src/stores/replay-file.ts';
import { runs } from '../../shared-data.ts';
import { entryOf, epoch, ordered, refusing, second, unordered } from './entries.ts';
import { bundle, outputOf, refusal, removeDirectories, start, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const newFile = (): string => join(temporaryDirectory(), 'replay');

describe('a replay store in a file', () => {
  it('answers new once, then known, also after a restart', async () => {
    const path = newFile();
    const store = fileReplayStore(path);
    expect(await store.has(entryOf(1))).toBe(false);
    expect(await store.record(entryOf(1), ordered)).toBe('new');
    expect(await store.record(entryOf(1), ordered)).toBe('known');
    expect(await store.has(entryOf(1))).toBe(true);
    const again = fileReplayStore(path);
    expect(await again.has(entryOf(1))).toBe(true);
    expect(await again.record(entryOf(1), ordered)).toBe('known');
    expect(await again.record(entryOf(2), ordered)).toBe('new');
    expect(await store.record(entryOf(2), ordered), 'the first store sees what the second wrote').toBe('known');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('holds no address in the clear', async () => {
    const path = newFile();
    await fileReplayStore(path).record(entryOf(1), ordered);
    expect(readFileSync(path, 'latin1')).not.toMatch(/romeo|juliet|example/);
  });

  it('knows since when it is complete, across restarts', async () => {
    const path = newFile();
    const before = BigInt(Date.now()) * 1_000_000n;
    const since = await fileReplayStore(path).since();
    expect(since).toBeGreaterThanOrEqual(before);
    expect(await fileReplayStore(path).since()).toBe(since);
  });

  it('tells decreasing times of one clock apart (RFC 3923 section 6.9)', async () => {
    const path = newFile();
    const store = fileReplayStore(path);
    await store.record(entryOf(10), ordered);
    expect(await store.record(entryOf(9, { received: epoch + 11n * second }), refusing)).toBe('decreasing');
    expect(await store.has(entryOf(9)), 'a refused one is not recorded').toBe(false);
    expect(await fileReplayStore(path).record(entryOf(9, { received: epoch + 11n * second }), ordered)).toBe(
      'decreasing',
    );
    expect(await store.has(entryOf(9))).toBe(true);
    expect(await store.record(entryOf(8, { clock: 'another device', received: epoch + 12n * second }), refusing)).toBe(
      'new',
    );
    expect(
      await store.record(entryOf(7, { received: epoch + 13n * second }), { ...unordered, refuseDecreasing: true }),
    ).toBe('new');
    const late = epoch + 700n * second;
    expect(await store.record(entryOf(6, { received: late }), refusing), 'after 600 s the newest counts no more').toBe(
      'new',
    );
  });

  it('agrees with the store in memory on any sequence, across restarts', async () => {
    const step = fc.record({
      number: fc.integer({ min: 0, max: 12 }),
      key: fc.constantFrom('a', 'b'),
      clock: fc.constantFrom('a 1', 'a 2'),
      passed: fc.integer({ min: 0, max: 400 }),
      options: fc.constantFrom(ordered, unordered, refusing),
      restart: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const path = newFile();
        const bounds = { maxEntries: 5, keepSeconds: 1500 };
        const memory = memoryReplayStore(bounds);
        let file = fileReplayStore(path, bounds);
        let now = epoch;
        for (const { number, key, clock, passed, options, restart } of steps) {
          now += BigInt(passed) * second;
          const entry: ReplayEntry = entryOf(number, { key, clock, received: now });
          if (restart) file = fileReplayStore(path, bounds);
          expect(await file.record(entry, options)).toBe(await memory.record(entry, options));
        }
      }),
      { numRuns: runs(400), seed: 3923 },
    );
  });

  it('answers many calls at once, each digest new once', async () => {
    const path = newFile();
    const stores = [fileReplayStore(path), fileReplayStore(path), fileReplayStore(path)];
    const calls = Array.from({ length: 300 }, (_, i) =>
      stores[i % 3]!.record(entryOf(i % 50, { clock: `${i}` }), unordered),
    );
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((outcome) => outcome === 'new')).toHaveLength(50);
    expect(outcomes.filter((outcome) => outcome === 'known')).toHaveLength(250);
  });

  it('stays bounded: what is evicted raises the floor of its key', async () => {
    const path = newFile();
    const store = fileReplayStore(path, { maxEntries: 100 });
    const batches = Array.from({ length: 3000 }, (_, i) => store.record(entryOf(i), ordered));
    expect(new Set(await Promise.all(batches))).toEqual(new Set(['new']));
    // One rewrite must have happened: 3000 records are 500 kB.
    for (let i = 3000; i < 3010; i++) await store.record(entryOf(i), ordered);
    expect(statSync(path).size).toBeLessThan(250_000);
    for (const reader of [store, fileReplayStore(path, { maxEntries: 100 })]) {
      expect(await reader.record(entryOf(5), ordered), 'evicted long ago').toBe('known');
      expect(await reader.record(entryOf(3005), ordered)).toBe('known');
      const otherKey = entryOf(5, {
        key: 'benvolio@example.net 11',
        digest: 'ab'.repeat(32),
        received: epoch + 3010n * second,
      });
      expect(await reader.has(otherKey), 'the floor is per key').toBe(false);
    }
  });

  it('forgets after 30 days without accepting again', async () => {
    const path = newFile();
    await fileReplayStore(path).record(entryOf(1), ordered);
    const month = epoch + 31n * 86_400n * second;
    const store = fileReplayStore(path);
    expect(await store.record(entryOf(2, { signed: month, received: month }), ordered)).toBe('new');
    expect(await store.record(entryOf(1, { received: month }), ordered)).toBe('known');
  });

  it('two stores keep up with each other over rewrites', async () => {
    const path = newFile();
    const a = fileReplayStore(path, { maxEntries: 10 });
    const b = fileReplayStore(path, { maxEntries: 10 });
    for (let round = 0; round < 4; round++) {
      const base = round * 1200;
      const many: RecordOptions = ordered;
      await Promise.all(Array.from({ length: 1100 }, (_, i) => a.record(entryOf(base + i), many)));
      expect(await b.record(entryOf(base + 1099), many)).toBe('known');
      expect(await b.record(entryOf(base + 1100), many)).toBe('new');
      expect(await a.record(entryOf(base + 1100), many)).toBe('known');
    }
  });
});

describe('damage', () => {
  async function filled(count = 5): Promise<string> {
    const path = newFile();
    const store = fileReplayStore(path);
    for (let i = 0; i < count; i++) await store.record(entryOf(i), ordered);
    return path;
  }

  it('tolerates a last record cut short at any octet, and only that one', async () => {
    const path = await filled(3);
    const whole = readFileSync(path);
    const lastLine = whole.lastIndexOf('\n', whole.length - 2) + 1;
    for (let cut = lastLine; cut < whole.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const store = fileReplayStore(path);
      expect(await store.has(entryOf(1))).toBe(true);
      expect(await store.has(entryOf(2))).toBe(false);
      expect(await store.record(entryOf(2), ordered)).toBe('new');
      expect(readFileSync(path)).toEqual(whole);
    }
  });

  it('tolerates zeros after the last record, which a power failure leaves', async () => {
    const path = await filled();
    const size = statSync(path).size;
    appendFileSync(path, Buffer.alloc(5000));
    expect(await fileReplayStore(path).record(entryOf(9), ordered)).toBe('new');
    expect(statSync(path).size, 'the zeros are gone').toBeLessThan(size + 400);
    expect(await fileReplayStore(path).has(entryOf(9))).toBe(true);
  });

  it('refuses with STORE_FAILED when any one octet of a whole line was changed', async () => {
    const path = await filled();
    const whole = readFileSync(path);
    for (let i = 0; i < whole.length - 1; i++) {
      const changed = Buffer.from(whole);
      changed[i]! ^= 1;
      writeFileSync(path, changed);
      await refusal(fileReplayStore(path).record(entryOf(1), ordered), 'ERR_E2E_STORE_FAILED');
    }
    expect(readFileSync(path).length, 'nothing was written').toBe(whole.length);
  });

  it('refuses a line taken out, doubled or moved', async () => {
    const path = await filled();
    const lines = readFileSync(path, 'latin1').split('\n');
    const [header, a, b, c, ...rest] = lines as [string, string, string, string, ...string[]];
    for (const edited of [
      [header, a, c, ...rest],
      [header, a, a, b, c, ...rest],
      [header, a, c, b, ...rest],
    ]) {
      writeFileSync(path, edited.join('\n'));
      await refusal(fileReplayStore(path).since(), 'ERR_E2E_STORE_FAILED');
    }
  });

  it('refuses an empty file, other content, a newer version, a link, a directory, an open mode', async () => {
    for (const content of ['', 'hello\n', '\n', ' \n', '+ 1 2\n']) {
      const path = newFile();
      writeFileSync(path, content, { mode: 0o600 });
      await refusal(fileReplayStore(path).record(entryOf(1), ordered), 'ERR_E2E_STORE_FAILED');
    }
    const real = await filled();
    const linked = newFile();
    symlinkSync(real, linked);
    await refusal(fileReplayStore(linked).record(entryOf(9), ordered), 'ERR_E2E_STORE_FAILED');
    await refusal(fileReplayStore(temporaryDirectory()).since(), 'ERR_E2E_STORE_FAILED');
    await refusal(Promise.resolve(fileReplayStore(join(newFile(), 'deeper')).since()), 'ERR_E2E_STORE_FAILED');
    chmodSync(real, 0o666);
    await refusal(fileReplayStore(real).record(entryOf(9), ordered), 'ERR_E2E_STORE_FAILED');
  });

  it('refuses a file of a newer version', async () => {
    const path = newFile();
    const header = 'xmpp-e2e-replay 2 1767225600000000000 0123456789abcdef';
    for (const [version, works] of [
      ['1', true],
      ['2', false],
    ] as const) {
      const line = header.replace('replay 2', `replay ${version}`);
      const right = createHash('sha256').update(` ${line}`).digest('hex').slice(0, 16);
      writeFileSync(path, `${line} ${right}\n`, { mode: 0o600 });
      const since = fileReplayStore(path).since();
      if (works) expect(await since).toBe(1_767_225_600_000_000_000n);
      else expect((await refusal(since, 'ERR_E2E_STORE_FAILED')).reason).toContain('version');
    }
  });

  it('keeps refusing after the file lost records or was removed under a running store', async () => {
    const path = await filled();
    const store = fileReplayStore(path);
    await store.record(entryOf(7), ordered);
    truncateSync(path, readFileSync(path, 'latin1').indexOf('\n') + 1);
    for (let i = 0; i < 2; i++) {
      await refusal(store.record(entryOf(7), ordered), 'ERR_E2E_STORE_FAILED');
    }
    const other = await filled();
    const running = fileReplayStore(other);
    await running.record(entryOf(7), ordered);
    unlinkSync(other);
    await refusal(running.record(entryOf(7), ordered), 'ERR_E2E_STORE_FAILED');
  });

  it('takes wrong arguments for a programming error', async () => {
    expect(() => fileReplayStore('x', { maxEntries: 0 })).toThrow(RangeError);
    expect(() => fileReplayStore('x', { keepSeconds: -1 })).toThrow(RangeError);
    await expect(fileReplayStore(newFile()).record(entryOf(1, { digest: 'x' }), ordered)).rejects.toThrow(TypeError);
  });
});

describe('processes', () => {
  it('race for the same stanzas: each is new for exactly one', async () => {
    const script = bundle('recording-process.ts');
    const path = newFile();
    const begin = String(Date.now() + 800);
    const racers = Array.from({ length: 4 }, () => outputOf(start(script, path, '0', '60', begin)));
    const answers = (await Promise.all(racers)).flatMap((text) => text.trim().split('\n'));
    expect(answers).toHaveLength(240);
    const wins = answers.filter((answer) => answer.endsWith(' new') || answer.endsWith(' decreasing'));
    expect(wins.map((answer) => Number(answer.split(' ')[0])).sort((a, b) => a - b)).toEqual([...Array(60).keys()]);
  });

  it('never answers new twice, whenever writers are killed', async () => {
    const script = bundle('recording-process.ts');
    const path = newFile();
    const answered = new Set<number>();
    let killed = 0;
    for (let round = 0; round < runs(40) * 2; round++) {
      const child = start(script, path, `${round * 5}`, '1000000');
      const done = outputOf(child);
      await new Promise((resolve) => child.stdout!.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 3 + ((round * 7) % 40)));
      child.kill('SIGKILL');
      for (const line of (await done).split('\n')) {
        const [number, outcome] = line.split(' ');
        if (outcome === undefined) continue;
        const fresh = outcome === 'new' || outcome === 'decreasing';
        if (fresh) expect(answered.has(Number(number)), `${number} twice`).toBe(false);
        answered.add(Number(number));
      }
      if (child.signalCode === 'SIGKILL') killed++;
    }
    expect(killed).toBe(runs(40) * 2);
    const store = fileReplayStore(path);
    for (const number of answered) expect(await store.has(entryOf(number))).toBe(true);
  });
});
