/** Fills replay guards in memory and prints what their entries cost, in bytes: `node --expose-gc x.mjs ENTRIES`. */
import { Jid, memoryReplayStore, ReplayGuard } from '../../src/index.ts';

const entries = Number(process.argv[2]);
const gc = (globalThis as { gc?: () => void }).gc!;
const options = { ordered: true, refuseDecreasing: false, decreasingWindow: 600_000_000_000n };
const encoder = new TextEncoder();

function heap(): number {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

/** Everything is made anew for every entry, as it is for every stanza. */
async function fill(guard: ReplayGuard, from: number, to: number, devices: number): Promise<void> {
  for (let i = from; i < to; i++) {
    const signed = BigInt(i) * 1_000_000n;
    const entry = await guard.entry({
      me: Jid.parse('romeo@example.net'),
      from: Jid.parse(`juliet@example.com/${'balcony'.repeat(3)}${i % devices}`),
      fingerprint: Buffer.alloc(32, i % 5).toString('hex'),
      octets: encoder.encode(`stanza ${i}`),
      ...{ signed, received: signed + 1n },
    });
    if ((await guard.store.record(entry, options)) === 'known') throw new Error('not new');
  }
}

async function cost(devices: number): Promise<{ guard: ReplayGuard; each: number }> {
  const guard = new ReplayGuard(memoryReplayStore({ maxEntries: entries }));
  await fill(guard, 0, 100, devices);
  const before = heap();
  await fill(guard, 100, entries, devices);
  return { guard, each: (heap() - before) / (entries - 100) };
}

const { guard, each: entry } = await cost(5);
const full: number[] = [];
for (let round = 1; round <= 5; round++) {
  await fill(guard, entries * round, entries * (round + 1), 5);
  full.push(heap());
}
const { each: device } = await cost(entries);
process.stdout.write(JSON.stringify({ entry, device, full }));
