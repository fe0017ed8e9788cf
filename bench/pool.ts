/**
 * `openMany` and `sealMany` in one thread and on the worker pool: stanzas in a second, and processor time for each. It runs in a
 * process of its own on the package as it is built, since workers need files.
 */
import { extname } from 'node:path';
import { Jid, openMany, ReplayGuard, sealMany, serializeXml } from 'xmpp-e2e';
import { generateIdentity as generateOpenpgp } from 'xmpp-e2e/openpgp';
import { workerPool } from 'xmpp-e2e/pool';
import { generateIdentity as generateSmime } from 'xmpp-e2e/smime';
import { chatMessage } from './chat-message.ts';
import { backends, type PoolKeys } from './pool-backends.ts';

const juliet = Jid.parse('juliet@example.com');
const romeo = Jid.parse('romeo@example.net');

/** One way of doing it. */
export interface PoolRow {
  readonly backend: 'smime' | 'openpgp';
  readonly operation: 'seal' | 'open';
  /** 0 for no pool. */
  readonly threads: number;
  /** Stanzas in a second: the best of several rounds, since others may be at work on the machine. */
  readonly rate: number;
  /** Milliseconds of processor time for one stanza, all threads together, in that round. */
  readonly processor: number;
}

async function keysFor(backend: PoolRow['backend']): Promise<readonly [PoolKeys, PoolKeys]> {
  const at = new Date(Date.now() - 60_000);
  const both = await Promise.all(
    [juliet, romeo].map(async (jid) => {
      if (backend === 'smime') {
        const { keysPem, certificatesPem } = await generateSmime({ jid, algorithm: 'p256', at });
        return { keys: keysPem, certificates: certificatesPem };
      }
      const made = await generateOpenpgp({ jid, algorithm: 'ed25519', at });
      return { keys: Buffer.from(made.secretKeyArmored), certificates: Buffer.from(made.certificateArmored) };
    }),
  );
  const side = (me: number): PoolKeys => ({
    backend,
    me: [juliet, romeo][me]!.toString(),
    keys: both[me]!.keys,
    certificates: both[me]!.certificates,
    contact: [juliet, romeo][1 - me]!.toString(),
    theirs: both[1 - me]!.certificates,
  });
  return [side(0), side(1)];
}

/**
 * @param count stanzas in a round
 * @param threads sizes of pool to measure
 */
export async function measurePool(
  count: number,
  rounds: number,
  threads: readonly number[],
): Promise<readonly PoolRow[]> {
  const rows: PoolRow[] = [];
  for (const backend of ['smime', 'openpgp'] as const) {
    const [hers, his] = await keysFor(backend);
    const plain = Array.from({ length: count }, () => chatMessage(1024));
    const sealed: string[] = [];
    for await (const one of sealMany(plain, { backend: backends(hers)[0]! })) {
      if (!one.ok) throw one.error;
      sealed.push(serializeXml(one.sealed));
    }
    const module = new URL(`pool-backends${extname(import.meta.url)}`, import.meta.url);
    const start = (keys: PoolKeys, size: number) => workerPool({ module, keys, threads: size, execArgv: [] });
    const me = romeo;
    const contenders: [Pick<PoolRow, 'operation' | 'threads'>, () => AsyncIterable<{ ok: boolean }>][] = [
      [
        { operation: 'open', threads: 0 },
        () => openMany(sealed, { backends: backends(his), me, replay: new ReplayGuard() }),
      ],
      [{ operation: 'seal', threads: 0 }, () => sealMany(plain, { backend: backends(hers)[0]! })],
    ];
    const pools = threads.map((size) => [size, start(hers, size), start(his, size)] as const);
    for (const [size, sealing, opening] of pools) {
      contenders.push(
        [{ operation: 'open', threads: size }, () => opening.openMany(sealed, { me, replay: new ReplayGuard() })],
        [{ operation: 'seal', threads: size }, () => sealing.sealMany(plain)],
      );
    }
    const best = new Map<object, { rate: number; processor: number }>();
    // The first round compiles, in every thread.
    for (let round = 0; round <= rounds; round++) {
      for (const [what, run] of contenders) {
        const before = process.cpuUsage();
        const started = performance.now();
        let done = 0;
        for await (const one of run()) if (one.ok) done++;
        const seconds = (performance.now() - started) / 1000;
        if (done !== count) throw new Error(`${count - done} of ${count} stanzas failed`);
        const { user, system } = process.cpuUsage(before);
        const rate = count / seconds;
        if (round > 0 && rate > (best.get(what)?.rate ?? 0)) {
          best.set(what, { rate, processor: (user + system) / 1000 / count });
        }
      }
    }
    for (const [what] of contenders) rows.push({ backend, ...what, ...best.get(what)! });
    for (const [, sealing, opening] of pools) await Promise.all([sealing.close(), opening.close()]);
  }
  return rows;
}
