import { chmodSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Jid } from '../../../src/jid/jid.ts';
import { directoryStore } from '../../../src/stores/directory.ts';
import { refusal, removeDirectories, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const juliet = Jid.parse('juliet@example.com');
const home = (): string => join(temporaryDirectory(), 'home');
const folder = (path: string): string => join(path, 'contacts', 'juliet@example.com', 'candidates');
const octets = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes);

describe('candidates in a directory', () => {
  it('come after what was filed, are never filed themselves, and keep their arrays', async () => {
    const path = home();
    const store = await directoryStore(path);
    await store.addCandidate(juliet, 'smime', octets(1));
    expect(await store.find(juliet, 'smime')).toEqual([{ certificates: Buffer.of(1), filed: false }]);
    await store.fileCertificate(juliet, 'smime', Buffer.from('pem'));
    await store.addCandidate(juliet, 'openpgp', octets(2));
    const found = await store.find(juliet.withResource('balcony'), 'smime');
    expect(found.map(({ filed }) => filed)).toEqual([true, false]);
    const again = await store.find(juliet, 'smime');
    expect(again.every((one, i) => one.certificates === found[i]!.certificates)).toBe(true);
    expect((await store.find(juliet, 'openpgp')).map(({ certificates }) => certificates[0])).toEqual([2]);
    expect(await store.find(Jid.parse('nurse@example.com'), 'smime')).toEqual([]);
    // Another opening of the home finds them.
    expect(await (await directoryStore(path)).find(juliet, 'smime')).toHaveLength(2);
  });

  it('are kept once, and sixteen of each contact and backend: the oldest goes', async () => {
    const path = home();
    const store = await directoryStore(path);
    for (let i = 0; i < 16; i++) await store.addCandidate(juliet, 'smime', octets(i));
    await store.addCandidate(juliet, 'smime', octets(3));
    expect(readdirSync(folder(path))).toHaveLength(16);
    const files = readdirSync(folder(path)).map((name) => join(folder(path), name));
    for (const [i, file] of files.entries()) utimesSync(file, 1000 + i, 1000 + i);
    await store.addCandidate(juliet, 'openpgp', octets(3));
    await store.addCandidate(juliet, 'smime', octets(99));
    const names = readdirSync(folder(path)).map((name) => join(folder(path), name));
    expect(names).toHaveLength(17);
    expect(names).not.toContain(files[0]);
    expect(names).toEqual(expect.arrayContaining(files.slice(1)));
  });

  it('in a folder that others can write are not read', async () => {
    const path = home();
    const store = await directoryStore(path);
    await store.addCandidate(juliet, 'smime', octets(1));
    chmodSync(folder(path), 0o777);
    await refusal(store.find(juliet, 'smime'), 'ERR_E2E_STORE_FAILED');
    chmodSync(folder(path), 0o700);
    writeFileSync(join(folder(path), '.tmp.1.1.x'), 'left over');
    mkdirSync(join(folder(path), 'other'));
    expect(await store.find(juliet, 'smime')).toHaveLength(1);
    await expect(store.addCandidate(juliet, 'otr', octets(1))).rejects.toThrow(TypeError);
  });
});
