/** `npm run bench -- [--quick] [--json FILE] [--write] [--kinds TEXT] [--pool]`, or with `--padding SAMPLES`: see README.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isSlow } from './openssl-speed.ts';
import { measurePadding, paddingHead } from './padding-timing.ts';
import { poolTable } from './pool-table.ts';
import { chart } from './chart.ts';
import { compiled, measurePoolCompiled } from './compiled.ts';
import { measureGrowth } from './growth.ts';
import { table } from './report.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    kinds: { type: 'string' },
    pool: { type: 'boolean', default: false },
    padding: { type: 'string' },
  },
});
if (values.padding !== undefined) {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(paddingHead);
  await measurePadding(Math.max(Number(values.padding), 10), print);
  process.exit();
}
if (values.pool) {
  const [count, rounds] = values.quick ? [500, 2] : [3000, 4];
  process.stdout.write(poolTable(await measurePoolCompiled(count, rounds)));
  process.exit();
}
const wanted = values.kinds?.toLowerCase();
const { measures, url, remove } = await compiled();
const { fullPlan, quickPlan, runPlan } = measures;
const plan = values.quick ? quickPlan : fullPlan;
const kinds = plan.kinds.filter(({ title }) => wanted === undefined || title.toLowerCase().includes(wanted));
if (kinds.length === 0) throw new Error(`no kind of key has ${values.kinds ?? ''} in its name`);
const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const rows = await runPlan({ ...plan, kinds }, progress);
const growth = wanted === undefined ? await measureGrowth(measures, url, values.quick, progress) : undefined;
remove();
const result = { ...rows, growth };
const text = table(result);
process.stdout.write(text);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`);
if (values.write) {
  const file = new URL('README.md', import.meta.url);
  const [before, , after] = readFileSync(file, 'utf8').split(/<!-- (?:table|end) -->\n/);
  if (after === undefined) throw new Error('README.md has no place for the table');
  writeFileSync(file, `${before!}<!-- table -->\n\n${text}\n<!-- end -->\n${after}`);
  const heading = 'Seal and open of 1 KB, as a multiple of the raw cryptography';
  writeFileSync(new URL('chart.svg', import.meta.url), chart(result.rows, 1024, heading));
}
const slow = (result.opensslSpeed ?? []).filter(isSlow);
for (const { key, operation } of slow) process.stderr.write(`raw ${operation} with ${key} is no floor\n`);
if (slow.length > 0) process.exitCode = 1;
