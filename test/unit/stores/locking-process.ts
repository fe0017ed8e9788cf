/** A process that takes a lock again and again until it is killed, and reports an overlap: `node x.mjs DIRECTORY`. */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, withLock } from '../../../src/stores/lock.ts';

const directory = process.argv[2]!;
const inside = join(directory, 'inside');
process.stdout.write('ready\n');
for (;;) {
  await withLock(join(directory, 'lock'), async () => {
    let other = 0;
    try {
      other = Number(readFileSync(inside, 'utf8'));
    } catch {
      // Nobody is inside.
    }
    // A number left by a killed process is no overlap.
    if (other !== 0 && other !== process.pid && isRunning(other)) process.stdout.write(`overlap with ${other}\n`);
    writeFileSync(inside, String(process.pid));
    await new Promise((resolve) => setTimeout(resolve, 1));
    unlinkSync(inside);
  });
}
