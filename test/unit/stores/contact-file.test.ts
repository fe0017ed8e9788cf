/** The memory of contacts in a file: what was once known stays known, whoever dies meanwhile. */
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { E2eError, E2eSession, Jid, ReplayGuard } from '../../../src/index.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import { fileContactMemory } from '../../../src/stores/node.ts';
import { smime } from '../../../src/backends/smime/index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'xmpp-e2e-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let path: string;
let count = 0;
beforeEach(() => {
  path = join(scratch, `contacts-${count++}`);
});

async function refused(asking: Promise<unknown>): Promise<string> {
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(E2eError);
  return (error as E2eError).code;
}

describe('fileContactMemory', () => {
  it('remembers over a restart, and makes no file before there is something to remember', async () => {
    const memory = fileContactMemory(path);
    expect(await memory.has('romeo@example.net')).toBe(false);
    expect(() => readFileSync(path)).toThrow();
    await memory.add('romeo@example.net');
    await memory.add('romeo@example.net');
    await memory.add('jüliet@example.com');
    expect(readFileSync(path, 'utf8')).toBe('xmpp-e2e contacts 1\nromeo@example.net\njüliet@example.com\n');
    const again = fileContactMemory(path);
    expect(await Promise.all(['romeo@example.net', 'jüliet@example.com', 'x@y'].map((one) => again.has(one)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('sees what another process adds, and loses nothing that two add at once', async () => {
    const [one, two] = [fileContactMemory(path), fileContactMemory(path)];
    await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? one : two).add(`c${n}@example.com`)));
    for (let n = 0; n < 40; n++) {
      expect(await one.has(`c${n}@example.com`)).toBe(true);
      expect(await two.has(`c${n}@example.com`)).toBe(true);
    }
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(42);
  });

  it('drops a line that a kill cut short, at any octet', async () => {
    await fileContactMemory(path).add('romeo@example.net');
    const whole = readFileSync(path);
    for (let cut = 1; cut < 'tybalt@example.net\n'.length; cut++) {
      writeFileSync(path, whole);
      appendFileSync(path, 'tybalt@example.net\n'.slice(0, cut));
      const memory = fileContactMemory(path);
      expect(await memory.has('tybalt@example.net')).toBe(false);
      await memory.add('nurse@example.com');
      expect(readFileSync(path, 'utf8')).toBe(`${whole.toString()}nurse@example.com\n`);
    }
  });

  it('refuses to answer where the file is damaged, gone, a link, or others can write it', async () => {
    const memory = fileContactMemory(path);
    await memory.add('romeo@example.net');
    chmodSync(path, 0o622);
    expect(await refused(fileContactMemory(path).has('x@y'))).toBe('ERR_E2E_STORE_FAILED');
    chmodSync(path, 0o600);
    writeFileSync(path, 'xmpp-e2e contacts 2\nromeo@example.net\n');
    expect(await refused(memory.has('x@y'))).toBe('ERR_E2E_STORE_FAILED');
    rmSync(path);
    expect(await refused(memory.has('romeo@example.net'))).toBe('ERR_E2E_STORE_FAILED');
    expect(await refused(memory.add('romeo@example.net'))).toBe('ERR_E2E_STORE_FAILED');
    writeFileSync(`${path}.other`, 'xmpp-e2e contacts 1\n');
    symlinkSync(`${path}.other`, path);
    expect(await refused(fileContactMemory(path).has('x@y'))).toBe('ERR_E2E_STORE_FAILED');
    expect(await refused(fileContactMemory(join(scratch, 'no', 'such')).add('x@y'))).toBe('ERR_E2E_STORE_FAILED');
  });

  it('takes one contact at a time', async () => {
    for (const wrong of ['', 'a@b\nc@d']) await expect(fileContactMemory(path).add(wrong)).rejects.toThrow(TypeError);
  });

  it('keeps a session from sending plain to a contact whose key is gone', async () => {
    const me = Jid.parse('juliet@example.com');
    const session = (): E2eSession =>
      new E2eSession({
        jid: me,
        backends: [smime({ store: memoryStore() })],
        replay: new ReplayGuard(),
        contacts: fileContactMemory(path),
      });
    expect(await session().knows('romeo@example.net')).toBe(false);
    await fileContactMemory(path).add('romeo@example.net');
    expect(await session().knows('romeo@example.net/orchard')).toBe(true);
    writeFileSync(path, 'garbage');
    expect(await refused(session().knows('tybalt@example.net'))).toBe('ERR_E2E_STORE_FAILED');
  });
});
