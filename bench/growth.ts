/** Which of the measures of `scale.ts` a run takes, and the processes of their own that some need. */
import { spawnSync } from 'node:child_process';
import { kinds } from './contender.ts';
import type { Growth } from './report.ts';
import { measurePoolCompiled } from './compiled.ts';
import type { MemoryRow } from './scale.ts';

type Measures = typeof import('./scale.ts');

const full = {
  recipients: [1, 10, 100, 1000],
  budget: { time: 4000, block: 4, rounds: 5 },
  concurrency: [1, 16, 64],
  calls: 2000,
  rounds: 5,
  memory: [1024, 65_536, 1_048_576],
  starts: 15,
};

const quick: typeof full = {
  recipients: [1, 10],
  budget: { time: 120, block: 2, rounds: 3 },
  concurrency: [1, 16],
  calls: 150,
  rounds: 2,
  memory: [1024],
  starts: 3,
};

/** Kinds whose signatures are made at once, and on the thread pool. */
const concurrent = ['S/MIME RSA-2048', 'S/MIME P-256', 'OpenPGP Curve25519 v4'];

/** @param url of the compiled measures */
export async function measureGrowth(
  measures: Measures,
  url: string,
  isQuick: boolean,
  progress: (line: string) => void,
): Promise<Growth> {
  const plan = isQuick ? quick : full;
  progress('recipients');
  const recipients = await measures.measureRecipients(plan.recipients, plan.budget);
  progress('concurrency');
  const chosen = kinds.filter(({ title }) => concurrent.includes(title));
  const concurrency = await measures.measureConcurrency(chosen, plan.concurrency, plan.calls, plan.rounds);
  progress('memory and start');
  const memory = chosen.flatMap((kind) => plan.memory.map((size) => memoryInProcess(url, [kind, size, 200])));
  const start = measures.measureStart(plan.starts);
  if (isQuick) return { recipients, concurrency, memory, start, pool: undefined };
  progress('worker pool');
  return { recipients, concurrency, memory, start, pool: await measurePoolCompiled(3000, 4) };
}

function memoryInProcess(url: string, args: Parameters<Measures['memoryOf']>): MemoryRow {
  const call = `memoryOf(${args.map((one) => JSON.stringify(one)).join(', ')})`;
  const code = `import { memoryOf } from '${url}'; console.log(JSON.stringify(await ${call}));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code]);
  if (status !== 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString()) as MemoryRow;
}
