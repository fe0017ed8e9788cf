/** The one interleaving that breaks naive lock files: a slow breaker meets the next, living holder. */
import { readlinkSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { withLock } from '../../../src/stores/lock.ts';
import { removeDirectories, temporaryDirectory } from './fixtures.ts';

const gate = vi.hoisted(() => ({ next: undefined as (() => Promise<void>) | undefined }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const symlink: typeof real.symlink = async (target, path) => {
    if (String(path).includes('.dead-')) {
      const pause = gate.next;
      gate.next = undefined;
      await pause?.();
    }
    return real.symlink(target, path);
  };
  return { ...real, symlink };
});

afterAll(removeDirectories);

it('a slow breaker of a dead lock leaves the living one alone', async () => {
  const directory = temporaryDirectory();
  const sample = join(directory, 'sample');
  const [, , , ...place] = await withLock(sample, () => Promise.resolve(readlinkSync(sample).split(' ')));
  const path = join(directory, 'lock');
  symlinkSync(`999999999 1 ${'a'.repeat(24)} ${place.join(' ')}`, path);

  let proceed = (): void => undefined;
  let reached = (): void => undefined;
  const slowIsThere = new Promise<void>((resolve) => (reached = resolve));
  gate.next = () => {
    reached();
    return new Promise((resolve) => (proceed = resolve));
  };
  let slowWorked = false;
  const slow = withLock(path, () => Promise.resolve((slowWorked = true)));
  await slowIsThere;

  await withLock(path, async () => {
    const mine = readlinkSync(path);
    proceed();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(readlinkSync(path)).toBe(mine);
    expect(slowWorked).toBe(false);
  });
  await slow;
  expect(readdirSync(directory)).toEqual([]);
});
