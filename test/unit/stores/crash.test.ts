/** A crash at every step that changes a name: what is on the disk then must be usable. */
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Jid } from '../../../src/jid/jid.ts';
import { directoryStore } from '../../../src/stores/directory.ts';
import { fileReplayStore } from '../../../src/stores/replay-file.ts';
import { entryOf, ordered } from './entries.ts';
import { refusal, removeDirectories, temporaryDirectory } from './fixtures.ts';

const crash = vi.hoisted(() => ({ at: Number.POSITIVE_INFINITY, count: 0 }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const rename: typeof real.rename = (from, to) => {
    if (++crash.count >= crash.at) return Promise.reject(Object.assign(new Error('crash'), { code: 'EIO' }));
    return real.rename(from, to);
  };
  return { ...real, rename };
});

afterAll(removeDirectories);
beforeEach(() => {
  crash.at = Number.POSITIVE_INFINITY;
  crash.count = 0;
});

const juliet = Jid.parse('juliet@example.com');
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a crash', () => {
  it('while an identity is replaced leaves a key with its certificate', async () => {
    let finished = false;
    for (let at = 1; !finished; at++) {
      const store = await directoryStore(join(temporaryDirectory(), 'home'));
      await store.fileIdentity(juliet, 'smime', { keys: bytes('key 1'), certificates: bytes('certificate 1') });
      crash.count = 0;
      crash.at = at;
      const replacement = { keys: bytes('key 2'), certificates: bytes('certificate 2') };
      const done = store.fileIdentity(juliet, 'smime', replacement, true);
      finished = await done.then(
        () => true,
        () => false,
      );
      crash.at = Number.POSITIVE_INFINITY;
      const [identity] = await store.identities(juliet, 'smime');
      const number = Buffer.from(identity!.keys as Uint8Array)
        .toString()
        .slice(-1);
      expect(Buffer.from(identity!.certificates).toString()).toContain(`certificate ${number}`);
      if (finished) expect(at).toBe(4);
    }
  });

  it('while the replay file is written anew loses nothing and refuses', async () => {
    const path = join(temporaryDirectory(), 'replay');
    const store = fileReplayStore(path, { maxEntries: 10 });
    await Promise.all(Array.from({ length: 1020 }, (_, i) => store.record(entryOf(i), ordered)));
    crash.at = 1;
    let number = 1020;
    let failed = false;
    for (; !failed; number++) {
      failed = await store.record(entryOf(number), ordered).then(
        () => false,
        () => true,
      );
    }
    await refusal(store.record(entryOf(number), ordered), 'ERR_E2E_STORE_FAILED');
    crash.at = Number.POSITIVE_INFINITY;
    expect(await store.record(entryOf(number - 1), ordered), 'refused, and never new again').toBe('known');
    expect(await store.record(entryOf(number + 1), ordered)).toBe('new');
    expect(await fileReplayStore(path, { maxEntries: 10 }).has(entryOf(5))).toBe(true);
  });
});
