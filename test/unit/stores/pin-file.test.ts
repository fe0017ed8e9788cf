import { readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { memoryPinStore, PinGuard, type PinStore } from '../../../src/index.ts';
import { filePinStore } from '../../../src/stores/pin-file.ts';
import { refusal, removeDirectories, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const newFile = (): string => join(temporaryDirectory(), 'pins');
const key = (digit: string): string => digit.repeat(40);
const juliet = 'juliet@example.com';

describe.each<[string, () => PinStore]>([
  ['in memory', memoryPinStore],
  ['in a file', () => filePinStore(newFile())],
])('pins %s', (_, make) => {
  it('are what was pinned last, or added', async () => {
    const guard = new PinGuard(make());
    expect(await guard.pinsOf(juliet)).toBeUndefined();
    await guard.pin(`${juliet}/balcony`, key('a'));
    expect(await guard.pinsOf('JULIET@example.com')).toEqual({ keys: [key('a')], sealed: false });
    await guard.pin(juliet, key('b'), 'add');
    await guard.pin(juliet, key('b'), 'add');
    expect((await guard.pinsOf(juliet))?.keys).toEqual([key('a'), key('b')]);
    await guard.requireSealed(juliet);
    await guard.pin(juliet, key('c'));
    expect(await guard.pinsOf(juliet)).toEqual({ keys: [key('c')], sealed: true });
    await guard.forget(juliet);
    expect(await guard.pinsOf(juliet)).toBeUndefined();
  });

  it('say nothing where neither a key is pinned nor sealing required', async () => {
    const guard = new PinGuard(make());
    await guard.requireSealed(juliet);
    expect(await guard.pinsOf(juliet)).toEqual({ keys: [], sealed: true });
    await guard.requireSealed(juliet, false);
    expect(await guard.pinsOf(juliet)).toBeUndefined();
  });

  it('are those of one contact each, whatever the address holds', async () => {
    const guard = new PinGuard(make());
    const addresses = ['a%20b@example.com', 'ü@example.com', '__proto__@example.com', 'constructor', 'a-b@example.com'];
    for (const [i, address] of addresses.entries()) await guard.pin(address, key(String(i)));
    for (const [i, address] of addresses.entries())
      expect((await guard.pinsOf(address))?.keys).toEqual([key(String(i))]);
  });

  it('of many changes at once are all kept', async () => {
    const guard = new PinGuard(make());
    const contacts = Array.from({ length: 20 }, (_, i) => `contact${i % 5}@example.com`);
    await Promise.all(contacts.map((contact, i) => guard.pin(contact, i.toString(16).padStart(40, '0'), 'add')));
    const kept = await Promise.all([0, 1, 2, 3, 4].map((i) => guard.pinsOf(`contact${i}@example.com`)));
    expect(kept.map((pins) => pins?.keys.length)).toEqual([4, 4, 4, 4, 4]);
  });

  it('refuse what is no fingerprint and no JID, as wrong arguments', async () => {
    const guard = new PinGuard(make());
    for (const wrong of ['', 'xyz', key('A'), 'a'.repeat(31), 'a'.repeat(129), `${key('a')}\n`]) {
      await expect(guard.pin(juliet, wrong)).rejects.toThrow(TypeError);
    }
    await expect(guard.pin('a@b@c', key('a'))).rejects.toThrow(TypeError);
    await expect(guard.pin(juliet, key('a'), 'set' as 'add')).rejects.toThrow(TypeError);
    expect(() => new PinGuard(make(), { firstUse: 'trust' as 'pin' })).toThrow(TypeError);
  });
});

describe('the file of pins', () => {
  it('is read by another store, also one that was open before', async () => {
    const path = newFile();
    const first = filePinStore(path);
    expect(await first.get(juliet)).toBeUndefined();
    await new PinGuard(filePinStore(path)).pin(juliet, key('a'));
    expect(await first.get(juliet)).toEqual({ keys: [key('a')], sealed: false });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe(`xmpp-e2e pins 1\njuliet%40example.com - ${key('a')}\n`);
  });

  it('of two stores at once loses no change', async () => {
    const path = newFile();
    const guards = [new PinGuard(filePinStore(path)), new PinGuard(filePinStore(path))];
    const changes = Array.from({ length: 20 }, (_, i) => i.toString(16).padStart(40, '0'));
    await Promise.all(changes.map((change, i) => guards[i % 2]!.pin(juliet, change, 'add')));
    expect([...(await guards[0]!.pinsOf(juliet))!.keys].sort()).toEqual(changes);
  });

  it('that is damaged, cut, removed or a link lifts no pin: it is an error', async () => {
    const whole = `xmpp-e2e pins 1\njuliet%40example.com sealed ${key('a')}\nromeo%40example.net - ${key('b')}\n`;
    const damaged = [
      '',
      'xmpp-e2e pins 2\n',
      whole.slice(0, -1),
      whole.slice(0, -9),
      whole.replace('sealed', 'plain'),
      whole.replace(` - ${key('b')}`, ' -'),
      whole.replace(key('b'), key('B')),
      whole.replace('romeo%40example.net', 'juliet%40example.com'),
      whole.replace('%40', '@'),
      whole.replace('%40', '%4'),
      `${whole}\n`,
    ];
    for (const content of damaged) {
      const path = newFile();
      writeFileSync(path, content, { mode: 0o600 });
      await refusal(filePinStore(path).get(juliet), 'ERR_E2E_STORE_FAILED');
      await refusal(new PinGuard(filePinStore(path)).pin(juliet, key('c')), 'ERR_E2E_STORE_FAILED');
      expect(readFileSync(path, 'utf8')).toBe(content);
    }
    const path = newFile();
    const guard = new PinGuard(filePinStore(path));
    await guard.pin(juliet, key('a'));
    truncateSync(path, 20);
    await refusal(guard.pinsOf(juliet), 'ERR_E2E_STORE_FAILED');
    rmSync(path);
    await refusal(guard.pinsOf(juliet), 'ERR_E2E_STORE_FAILED');
    symlinkSync('/etc/passwd', path);
    await refusal(guard.pinsOf(juliet), 'ERR_E2E_STORE_FAILED');
  });

  it('that would be too large to be read again is not written', async () => {
    const path = newFile();
    const store = filePinStore(path);
    const keys = Array.from({ length: 34_000 }, (_, i) => i.toString(16).padStart(128, '0'));
    await store.update(juliet, () => ({ keys: keys.slice(0, 10), sealed: false }));
    await refusal(
      store.update(juliet, () => ({ keys, sealed: false })),
      'ERR_E2E_STORE_FAILED',
    );
    expect((await store.get(juliet))?.keys).toHaveLength(10);
  });
});
