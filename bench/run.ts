/** One run: every kind of key, size and operation, the contenders interleaved. */
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { defaultLimits, type Limits, limitsWith } from '../src/index.ts';
import { type Contender, kinds, type Kind, type Operation, operations } from './contender.ts';
import { type Budget, medians } from './measure.ts';
import { openpgpjsContender } from './openpgpjs.ts';
import { compareWithOpenssl } from './openssl-speed.ts';
import { chatMessage } from './chat-message.ts';
import { entityOf, formats, ours } from './ours.ts';
import { pair } from './people.ts';
import { pkijsContender } from './pkijs.ts';
import { processes, type Processes } from './processes.ts';
import { raw } from './raw.ts';
import { type FormatRow, machine, type Result, type Row } from './report.ts';

/** What to measure, and for how long. */
export interface Plan {
  readonly kinds: readonly Kind[];
  /** Octets of the message body. */
  readonly sizes: readonly number[];
  readonly budget: Budget;
  /** Milliseconds for which each operation of each contender runs before the first row of a backend and size. */
  readonly warmUp: number;
  /** Calls of openssl and gpg for one median; 0 leaves them out. */
  readonly processCalls: number;
  /** Operations for which openssl and gpg are called. */
  readonly processOperations: readonly Operation[];
  readonly opensslSpeed: boolean;
}

export const fullPlan: Plan = {
  kinds,
  sizes: [100, 1024, 65_536, 1_048_576],
  budget: { time: 800, block: 25, rounds: 5 },
  warmUp: 500,
  processCalls: 5,
  processOperations: operations,
  opensslSpeed: true,
};

export const quickPlan: Plan = {
  kinds,
  sizes: [1024, 65_536],
  budget: { time: 100, block: 8, rounds: 3 },
  warmUp: 100,
  processCalls: 3,
  processOperations: ['seal', 'open'],
  opensslSpeed: true,
};

/** Above the defaults a megabyte fits, and its encodings. */
const raised = limitsWith({ stanzaBytes: 8_388_608, decryptedBytes: 8_388_608 });

function limitsFor(size: number): Limits {
  return size > 65_536 ? raised : defaultLimits;
}

/** @param progress gets one line for each kind and size */
export async function runPlan(plan: Plan, progress: (line: string) => void): Promise<Result> {
  const keys = [...new Set(plan.kinds.map(({ key }) => key))];
  progress('openssl speed');
  const speed = plan.opensslSpeed ? compareWithOpenssl(keys) : undefined;
  const formatRows: FormatRow[] = [];
  for (const size of plan.sizes) {
    const alone = formats(chatMessage(size), limitsFor(size));
    const { map, reconstruct } = await medians({ ...alone }, plan.budget);
    formatRows.push({ size, map: map!, reconstruct: reconstruct! });
  }
  const rows: Row[] = [];
  const warm = new Set<string>();
  for (const kind of plan.kinds) {
    const both = await pair(kind);
    for (const size of plan.sizes) {
      progress(`${kind.title}, ${size} octets`);
      const text = chatMessage(size);
      const limits = limitsFor(size);
      const entity = entityOf(text, limits);
      const library =
        kind.backend === 'smime' ? await pkijsContender(both, entity) : await openpgpjsContender(both, entity);
      const contenders = { ours: await ours(both, text, limits), raw: raw(kind, entity), library };
      const way = `${kind.backend} ${size}`;
      if (!warm.has(way)) await warmUp([contenders.ours, library ?? {}], plan.warmUp);
      warm.add(way);
      const programs = plan.processCalls > 0 ? processes(both, entity) : undefined;
      try {
        for (const operation of operations) rows.push(await measure(plan, kind, size, operation, contenders, programs));
      } finally {
        programs?.close();
      }
    }
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: versions(),
    rows,
    formats: formatRows,
    opensslSpeed: speed,
  };
}

/** The pipeline is the same code for all kinds of key, if not for all sizes: it is compiled before it is measured. */
async function warmUp(contenders: readonly Contender[], time: number): Promise<void> {
  for (const contender of contenders) {
    for (const call of Object.values(contender)) {
      const until = performance.now() + time;
      while (performance.now() < until) await call();
    }
  }
}

async function measure(
  plan: Plan,
  { backend, title }: Kind,
  size: number,
  operation: Operation,
  contenders: Readonly<Record<'ours' | 'raw', Contender> & { library: Contender | undefined }>,
  programs: Processes | undefined,
): Promise<Row> {
  const calls = Object.entries(contenders).flatMap(([name, contender]) => {
    const call = contender?.[operation];
    return call === undefined ? [] : [[name, call] as const];
  });
  const taken = await medians(Object.fromEntries(calls), plan.budget);
  const call = plan.processOperations.includes(operation) ? programs?.contender[operation] : undefined;
  const slow =
    call === undefined ? undefined : await medians({ call }, { time: 0, block: 0, rounds: plan.processCalls });
  return {
    backend,
    kind: title,
    size,
    operation,
    ours: taken['ours']!,
    raw: taken['raw']!,
    library: taken['library'],
    process: slow?.['call'],
  };
}

function versions(): Result['versions'] {
  const installed = (name: string): string => {
    const manifest = readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8');
    return (JSON.parse(manifest) as { version: string }).version;
  };
  const program = (name: string, flag: string): Record<string, string> => {
    const { error, stdout } = spawnSync(name, [flag]);
    return error === undefined ? { [name]: /\d+(\.\d+)+\w*/.exec(stdout.toString())?.[0] ?? 'unknown' } : {};
  };
  return {
    node: process.versions.node,
    "node's openssl": process.versions.openssl,
    pkijs: installed('pkijs'),
    'openpgp.js': installed('openpgp'),
    ...program('openssl', 'version'),
    ...program('gpg', '--version'),
  };
}
