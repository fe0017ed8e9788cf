import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cli, removeDirectories, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

interface Overrides {
  readonly input?: string;
  readonly surprise?: number;
}

/** A folder with one file of one vector. */
function folderWith({ input = 'Juliet@example.com', ...rest }: Overrides): string {
  const folder = temporaryDirectory();
  const test = {
    id: 'jid::case',
    comment: '',
    rfc: [],
    result: 'valid',
    input,
    expect: { output: 'juliet@example.com' },
  };
  const groups = [{ operation: 'jid', tests: [test] }];
  const file = { schema: 'vectors.v1', suite: 'a', description: '', count: 1, groups, ...rest };
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'a.json'), JSON.stringify(file));
  return folder;
}

describe('vectors verify', () => {
  it('runs the vectors of the package', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await cli(['vectors', 'verify']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\d+ passed, 0 failed\n$/);
    expect(code).toBe(0);
  });

  it('runs a folder of others', async () => {
    expect(await cli(['vectors', 'verify', folderWith({})])).toEqual({
      code: 0,
      stdout: '1 passed, 0 failed\n',
      stderr: '',
    });
  });

  it('names each vector that fails, and fails', async () => {
    const { code, stdout, stderr } = await cli(['vectors', 'verify', folderWith({ input: 'romeo@example.net' })]);
    expect(code).toBe(1);
    expect(stdout).toBe('0 passed, 1 failed\n');
    expect(stderr).toContain('jid::case: output is "romeo@example.net", not "juliet@example.com"');
  });

  it.each([
    ['an unknown key', () => folderWith({ surprise: 1 }), 41, 'unknown key "surprise"'],
    ['no folder', () => join(temporaryDirectory(), 'none'), 61, 'no folder of test vectors'],
    ['an empty folder', temporaryDirectory, 61, 'there are no test vectors'],
  ])('refuses %s', async (_, folder, code, message) => {
    const result = await cli(['vectors', 'verify', folder()]);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
    expect(result.stdout).toBe('');
  });

  it('knows no other action', async () => {
    expect((await cli(['vectors', 'make'])).code).not.toBe(0);
  });
});
