/** A process that records entries until it is killed or done: `node x.mjs FILE FIRST COUNT`. One line an answer. */
import { entryOf, ordered } from './entries.ts';
import { fileReplayStore } from '../../../src/stores/replay-file.ts';

const [, , path, first, count] = process.argv;
const store = fileReplayStore(path!);
for (let i = Number(first); i < Number(first) + Number(count); i++) {
  process.stdout.write(`${i} ${await store.record(entryOf(i), ordered)}\n`);
}
