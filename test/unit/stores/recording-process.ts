/**
 * A process that records entries until it is killed or done: `node x.mjs FILE FIRST COUNT [START]`. One line an answer.
 * Nothing is recorded before START, in milliseconds since 1970, so that several such processes meet.
 */
import { entryOf, ordered } from './entries.ts';
import { fileReplayStore } from '../../../src/stores/replay-file.ts';

const [, , path, first, count, begin = '0'] = process.argv;
const store = fileReplayStore(path!);
while (Date.now() < Number(begin)) await new Promise((resolve) => setTimeout(resolve, 1));
for (let i = Number(first); i < Number(first) + Number(count); i++) {
  process.stdout.write(`${i} ${await store.record(entryOf(i), ordered)}\n`);
}
