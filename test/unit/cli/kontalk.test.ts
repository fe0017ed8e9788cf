/** `--profile kontalk` of `seal` and `open`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as library from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, removeDirectories, temporaryDirectory } from './fixtures.ts';

const alice = 'a1ce@example.com';
const bob = 'b0b@example.net';
const message = `<message xmlns='jabber:client' from='${alice}/r' to='${bob}' type='chat'><body>Hi</body></message>`;
const imported = ['import', '--profile', 'kontalk'];
const homes: Record<string, string> = {};

async function done(argv: readonly string[], home: string, stdin?: string): Promise<string> {
  const result = await cli(argv, stdin === undefined ? { home } : { home, stdin });
  expect([argv.join(' '), result.code, result.stderr]).toEqual([argv.join(' '), 0, expect.any(String)]);
  return result.stdout;
}

beforeAll(async () => {
  const files: Record<string, string> = {};
  for (const jid of [alice, bob]) {
    const { privateKey } = await library.generateKey({ userIDs: { email: jid }, format: 'object' });
    homes[jid] = join(temporaryDirectory(), 'home');
    const secret = join(temporaryDirectory(), 'key.asc');
    writeFileSync(secret, privateKey.armor());
    files[jid] = join(temporaryDirectory(), 'certificate.asc');
    writeFileSync(files[jid], privateKey.toPublic().armor());
    expect((await cli(['import', '--identity', '--jid', jid, secret], { home: homes[jid] })).code).not.toBe(0);
    await done([...imported, '--identity', '--jid', jid, secret], homes[jid]);
  }
  await done([...imported, '--jid', bob, files[bob]!], homes[alice]!);
  await done([...imported, '--jid', alice, files[alice]!], homes[bob]!);
});
afterAll(removeDirectories);

describe('--profile kontalk', () => {
  it('seals and opens, and neither happens without it', async () => {
    const sealed = await done(['seal', '--profile', 'kontalk'], homes[alice]!, message);
    expect(sealed).toContain('<body>(encrypted)</body>');
    const open = ['open', '--as', bob];
    const opened = await done([...open, '--profile', 'kontalk'], homes[bob]!, sealed);
    expect(opened).toContain('<body>Hi</body>');
    const without = await cli([...open, '--no-replay'], { home: homes[bob]!, stdin: sealed });
    expect(without.code).not.toBe(0);
    expect(without.stdout).toBe('');
    const modern = await cli(['seal'], { home: homes[alice]!, stdin: message });
    expect(modern.code).not.toBe(0);
  });

  it('says by whose rules it was read', async () => {
    // Another text: the same in the same second would be a replay.
    const sealed = await done(['seal', '--profile', 'kontalk'], homes[alice]!, message.replace('Hi', 'Ho'));
    const open = ['open', '--as', bob, '--profile', 'kontalk', '--json'];
    const { verdict } = JSON.parse(await done(open, homes[bob]!, sealed)) as { verdict: Record<string, unknown> };
    expect(verdict).toMatchObject({ profile: 'kontalk', exceptions: [] });
  });

  it.each([
    ['--protection', 'sign'],
    ['--backend', 'smime'],
    ['--payload', 'pidf'],
  ])('goes with no %s %s', async (...option) => {
    const { code, stderr } = await cli(['seal', '--profile', 'kontalk', ...option], {
      home: homes[alice]!,
      stdin: message,
    });
    expect(code).not.toBe(0);
    expect(stderr).toContain('--profile kontalk signs and encrypts messages with OpenPGP');
  });

  it('tells what is missing', async () => {
    const home = join(temporaryDirectory(), 'home');
    const { code, stderr } = await cli(['seal', '--profile', 'kontalk'], { home, stdin: message });
    expect(code).not.toBe(0);
    expect(stderr).toContain('keygen');
  });
});
