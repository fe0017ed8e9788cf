import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fileClock } from '../../../src/stores/clock-file.ts';
import { refusal, removeDirectories, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const newFile = (): string => join(temporaryDirectory(), 'sending-clock');

describe('the sending clock in a file (RFC 3923 section 6.9)', () => {
  it('increases by a microsecond at least, across restarts and a clock set back', async () => {
    const path = newFile();
    let now = 1_767_225_600_000;
    const first = await fileClock(path, () => now).next();
    expect(first).toBe(1_767_225_600_000_000_000n);
    expect(await fileClock(path, () => now).next()).toBe(first + 1000n);
    now -= 3_600_000;
    expect(await fileClock(path, () => now).next()).toBe(first + 2000n);
    now += 7_200_000;
    expect(await fileClock(path, () => now).next()).toBe(BigInt(now) * 1_000_000n);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('never hands out one instant twice, however many ask', async () => {
    const path = newFile();
    const clocks = [fileClock(path, () => 1000), fileClock(path, () => 1000)];
    const instants = await Promise.all(Array.from({ length: 40 }, (_, i) => clocks[i % 2]!.next()));
    expect(new Set(instants).size).toBe(40);
  });

  it('is a ClockStore too', async () => {
    const clock = fileClock(newFile());
    expect(await clock.read()).toBeUndefined();
    await clock.write(5n);
    expect(await clock.read()).toBe(5n);
  });

  it('refuses a damaged file and leaves it alone', async () => {
    for (const content of ['', 'x\n', '12', '-1\n', '1 2\n']) {
      const path = newFile();
      writeFileSync(path, content, { mode: 0o600 });
      await refusal(fileClock(path).next(), 'ERR_E2E_STORE_FAILED');
      expect(readFileSync(path, 'utf8')).toBe(content);
    }
    await refusal(fileClock(join(newFile(), 'below')).next(), 'ERR_E2E_STORE_FAILED');
  });
});
