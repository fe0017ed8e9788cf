/** One stanza, a replay file, and processes that are killed, restarted, or race: it is delivered once in all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Jid, serializeXml } from '../../src/index.ts';
import { type BackendName, backendNames, juliet, people, romeo } from '../people.ts';
import { runs } from '../shared-data.ts';
import { cpim } from '../unit/e2e/scene.ts';
import { at, crafted } from './crafted.ts';
import type { Scene } from './replaying-process.ts';

let folder: string;
let number = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'xmpp-e2e-replays-'));
  buildSync({
    entryPoints: [fileURLToPath(new URL('replaying-process.ts', import.meta.url))],
    ...{ bundle: true, platform: 'node', format: 'esm', outfile: join(folder, 'process.mjs'), logLevel: 'error' },
    conditions: ['xmpp-e2e-source'],
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A new stanza with all that a process needs to open it. */
async function scene(backend: BackendName): Promise<string> {
  const { juliet: her, romeo: him } = await people(backend);
  const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64');
  const [mine] = await him.store.identities(him.jid, backend);
  const [hers] = await him.store.find(Jid.parse(juliet), backend);
  const content: Scene = {
    ...{ backend, me: romeo, contact: juliet, at: at.toISOString() },
    keys: base64(mine!.keys as Uint8Array),
    certificates: base64(mine!.certificates),
    contactCertificates: base64(hers!.certificates),
    stanza: serializeXml(await crafted(her, him, cpim({}, `number ${++number}`))),
  };
  const path = join(folder, `scene-${number}.json`);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const start = (path: string, count: number, begin = 0): ChildProcess =>
  spawn(process.execPath, [join(folder, 'process.mjs'), path, `${path}.replay`, String(count), String(begin)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

async function linesOf(child: ChildProcess): Promise<string[]> {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await new Promise((resolve) => child.once('close', resolve));
  return text.split('\n').filter((line) => line !== '');
}

/** How often each outcome is among the lines. */
function tally(lines: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of lines) counts[line] = (counts[line] ?? 0) + 1;
  return counts;
}

describe.each(backendNames)('one stanza with a replay file, with %s', (name) => {
  const count = runs(1000);

  it(`is delivered once of ${count} times, and not once after a restart`, async () => {
    const path = await scene(name);
    const first = await linesOf(start(path, count));
    expect(first[0]).toBe('delivered');
    expect(tally(first)).toEqual({ delivered: 1, ERR_E2E_REPLAYED: count - 1 });
    expect(tally(await linesOf(start(path, 10)))).toEqual({ ERR_E2E_REPLAYED: 10 });
  });

  it(
    'is delivered once though the process is killed with SIGKILL, whenever that is',
    { timeout: 600_000 },
    async () => {
      const rounds = runs(60);
      let lost = 0;
      let killed = 0;
      for (let round = 0; round < rounds; round++) {
        const path = await scene(name);
        const victim = start(path, 1_000_000);
        const lines = linesOf(victim);
        // At once, or soon after its first answer.
        if (round % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 100 + round * 11));
        else {
          await new Promise((resolve) => victim.stdout!.once('data', resolve));
          await new Promise((resolve) => setTimeout(resolve, (round * 7) % 30));
        }
        victim.kill('SIGKILL');
        const before = tally(await lines);
        if (victim.signalCode === 'SIGKILL') killed++;
        const after = tally(await linesOf(start(path, 3)));
        const delivered = (before['delivered'] ?? 0) + (after['delivered'] ?? 0);
        // Recorded, and killed before it could tell anybody: then nobody was told, which is no second delivery.
        if (delivered === 0) lost++;
        else expect(delivered).toBe(1);
        if ((before['delivered'] ?? 0) === 1) expect(after).toEqual({ ERR_E2E_REPLAYED: 3 });
        expect(Object.keys({ ...before, ...after }).filter((one) => one.startsWith('raw'))).toEqual([]);
      }
      expect(killed).toBe(rounds);
      expect(lost).toBeLessThan(rounds / 2);
    },
  );

  it('is delivered once of two processes that race for it', { timeout: 300_000 }, async () => {
    for (let round = 0; round < runs(20); round++) {
      const path = await scene(name);
      const begin = Date.now() + 1500;
      const both = await Promise.all([start(path, 25, begin), start(path, 25, begin)].map(linesOf));
      expect(tally(both.flat())).toEqual({ delivered: 1, ERR_E2E_REPLAYED: 49 });
    }
  });
});
