import { existsSync, readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isRunning, withLock } from '../../../src/stores/lock.ts';
import { runs } from '../../shared-data.ts';
import { bundle, outputOf, removeDirectories, start, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const newLock = (): string => join(temporaryDirectory(), 'lock');

/** The text of this process's own lock. */
async function sample(): Promise<string[]> {
  const path = newLock();
  return withLock(path, () => Promise.resolve(readlinkSync(path).split(' ')));
}

describe('a lock', () => {
  it('is there during the work and gone after it, also when the work fails', async () => {
    const path = newLock();
    expect(await withLock(path, () => Promise.resolve(readdirSync(dirname(path))))).toEqual(['lock']);
    expect(readdirSync(dirname(path))).toEqual([]);
    await expect(withLock(path, () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('lets one work at a time', async () => {
    const path = newLock();
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 2));
      inside--;
    };
    await Promise.all(Array.from({ length: 12 }, () => withLock(path, work)));
    expect(most).toBe(1);
  });

  it('of a process that runs no longer is broken; leftovers of a killed breaker too', async () => {
    const [, , , ...place] = await sample();
    const dead = (nonce: string): string => `999999999 1 ${nonce.repeat(24)} ${place.join(' ')}`;
    const path = newLock();
    symlinkSync(dead('a'), path);
    expect(await withLock(path, () => Promise.resolve('done'))).toBe('done');
    expect(readdirSync(dirname(path))).toEqual([]);
    // The breaker of a dead lock died, and so did the breaker of that claim.
    symlinkSync(dead('a'), path);
    symlinkSync(dead('b'), `${path}.dead-${'a'.repeat(24)}`);
    symlinkSync(dead('c'), `${path}.dead-${'b'.repeat(24)}`);
    expect(await withLock(path, () => Promise.resolve('done'))).toBe('done');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('sweeps the claims of killed breakers, and leaves those of the living', async () => {
    const [pid, started, , ...place] = await sample();
    const path = newLock();
    symlinkSync(`999999999 1 ${'b'.repeat(24)} ${place.join(' ')}`, `${path}.dead-${'a'.repeat(24)}`);
    symlinkSync(`${pid} ${started} ${'c'.repeat(24)} ${place.join(' ')}`, `${path}.dead-${'d'.repeat(24)}`);
    expect(await withLock(path, () => Promise.resolve('done'))).toBe('done');
    expect(readdirSync(dirname(path))).toEqual([`lock.dead-${'d'.repeat(24)}`]);
  });

  it('that many find dead at once is broken once, and no living one with it', async () => {
    const [, , , ...place] = await sample();
    for (let round = 0; round < runs(200); round++) {
      const path = newLock();
      symlinkSync(`999999999 1 ${'a'.repeat(24)} ${place.join(' ')}`, path);
      let inside = 0;
      let most = 0;
      const work = async (): Promise<void> => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 1));
        inside--;
      };
      await Promise.all(Array.from({ length: 16 }, () => withLock(path, work)));
      expect(most).toBe(1);
      expect(readdirSync(dirname(path))).toEqual([]);
    }
  });

  it('of this process number, but an earlier process, is broken', async () => {
    const [pid, started, , ...place] = await sample();
    expect(pid).toBe(String(process.pid));
    if (started === '-') return;
    const path = newLock();
    symlinkSync(`${pid} 1 ${'a'.repeat(24)} ${place.join(' ')}`, path);
    expect(await withLock(path, () => Promise.resolve('done'))).toBe('done');
  });

  it('of a living process or one of another machine is waited for, then given up', async () => {
    const [pid, started, , ...place] = await sample();
    for (const holder of [
      `${pid} ${started} ${'a'.repeat(24)} ${place.join(' ')}`,
      `999999999 1 ${'a'.repeat(24)} elsewhere`,
      'odd',
    ]) {
      const path = newLock();
      symlinkSync(holder, path);
      await expect(withLock(path, () => Promise.resolve('done'), 60)).rejects.toMatchObject({ code: 'ELOCKED' });
      expect(readlinkSync(path), 'untouched').toBe(holder);
      setTimeout(() => unlinkSync(path), 30);
      expect(await withLock(path, () => Promise.resolve('done'))).toBe('done');
    }
  });

  it('fails where no link can be made', async () => {
    await expect(withLock(join(newLock(), 'below'), () => Promise.resolve())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keeps processes apart that are killed at random', async () => {
    const script = bundle('locking-process.ts');
    const directory = temporaryDirectory();
    const workers = Array.from({ length: 3 }, async (_, worker) => {
      for (let round = 0; round < runs(40); round++) {
        const child = start(script, directory);
        const output = outputOf(child);
        await new Promise((resolve) => child.stdout!.once('data', resolve));
        await new Promise((resolve) => setTimeout(resolve, 5 + ((worker * 17 + round * 11) % 40)));
        child.kill('SIGKILL');
        expect(await output).not.toContain('overlap');
        expect(child.signalCode).toBe('SIGKILL');
      }
    });
    await Promise.all(workers);
    expect(await withLock(join(directory, 'lock'), () => Promise.resolve('free'))).toBe('free');
    expect(existsSync(join(directory, 'lock'))).toBe(false);
  });
});

describe('isRunning', () => {
  it('knows the living from the dead', () => {
    expect(isRunning(process.pid)).toBe(true);
    expect(isRunning(process.ppid)).toBe(true);
    for (const pid of [999_999_999, 0, -1, Number.NaN, 1.5]) expect(isRunning(pid)).toBe(false);
  });
});
