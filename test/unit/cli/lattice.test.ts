/** ML-DSA and ML-KEM on the command line: where the runtime has them, and where it does not. */
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { cli, message, ok, removeDirectories, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const capable = nodeCrypto.supports('ml-dsa') && nodeCrypto.supports('ml-kem');
const kinds = ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'];
const newHome = (): string => join(temporaryDirectory(), 'home');

it.each(kinds)('%s is for S/MIME', async (algorithm) => {
  const made = ['keygen', '--jid', 'juliet@example.com', '--backend', 'openpgp', '--algorithm', algorithm];
  expect((await cli(made, { home: newHome() })).code).toBe(37);
});

it.runIf(!capable).each(kinds)('%s is told to be missing', async (algorithm) => {
  const home = newHome();
  const made = ['keygen', '--jid', 'juliet@example.com', '--backend', 'smime', '--algorithm', algorithm];
  expect((await cli(made, { home })).code).toBe(13);
  // Nothing was filed that would stand in the way.
  await ok(['keygen', '--jid', 'juliet@example.com', '--backend', 'smime'], { home });
});

it.runIf(capable).each(kinds)('%s: two people seal and open', async (algorithm) => {
  const homes = { juliet: newHome(), romeo: newHome() };
  const jids = { juliet: 'juliet@example.com', romeo: 'romeo@example.net' };
  for (const who of ['juliet', 'romeo'] as const) {
    const other = who === 'juliet' ? 'romeo' : 'juliet';
    const made = ['keygen', '--jid', jids[who], '--backend', 'smime', '--algorithm', algorithm];
    expect((await ok(made, { home: homes[who] })).stderr).toContain(algorithm);
    const exported = await ok(['export', '--jid', jids[who], '--backend', 'smime'], { home: homes[who] });
    await ok(['import', '--jid', jids[who], '-'], { home: homes[other], stdin: exported.stdout });
  }
  const sealed = await ok(['seal', '--backend', 'smime'], { home: homes.juliet, stdin: message });
  expect(sealed.stdout).not.toContain('Wherefore');
  const opened = await ok(['open', '--as', jids.romeo], { home: homes.romeo, stdin: sealed.stdout });
  expect(opened.stdout).toContain('Wherefore');
});
