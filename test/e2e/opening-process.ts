/**
 * Opens stanzas, one in ten of them hostile, and prints what became of the heap as JSON: `node --expose-gc x.mjs COUNT
 * ENTRIES`, with a replay guard in memory that holds so many entries.
 */
import { memoryReplayStore, openMany, ReplayGuard, rfc3923Policy, sealStanza, serializeXml } from '../../src/index.ts';
import { juliet, mallory, people, romeo } from '../people.ts';

const [count, maxEntries] = process.argv.slice(2).map(Number) as [number, number];
const gc = (globalThis as { gc?: () => void }).gc!;
const begin = new Date('2026-11-22T12:00:00Z').getTime();

let unhandled = 0;
process.on('unhandledRejection', () => unhandled++);

const smime = await people('smime');
const openpgp = await people('openpgp');

const shell = (i: number, body: string): string =>
  `<message xmlns='jabber:client' from='${juliet}/r${i % 50}' to='${romeo}' id='m${i}' type='chat'><body>${body}</body></message>`;

/** One sealed stanza; a tenth of them with OpenPGP, and a tenth damaged, replayed or misdirected. */
async function* stanzas(): AsyncGenerator<string> {
  let last = '';
  for (let i = 0; i < count; i++) {
    if (i % 10 === 9) yield hostile(i, last);
    else {
      const { backend } = i % 10 === 4 ? openpgp.juliet : smime.juliet;
      const sealed = await sealStanza(shell(i, `number ${i}`), { backend, at: new Date(begin + i * 3) });
      yield (last = serializeXml(sealed));
    }
  }
}

function hostile(i: number, last: string): string {
  const place = 300 + ((i * 7919) % (last.length - 600));
  switch (Math.floor(i / 10) % 8) {
    case 0:
      return last;
    case 1:
      return last.slice(0, place) + (last[place] === 'A' ? 'B' : 'A') + last.slice(place + 1);
    case 2:
      return last.replace(juliet, mallory);
    case 3:
      return last.slice(0, place);
    case 4:
      return shell(i, 'plain');
    case 5:
      return `<message xmlns='jabber:client'>${'<a>'.repeat(100_000)}`;
    case 6:
      return last.replace(/<e2e.*<\/e2e>/s, '$&$&');
    default:
      return last.replace(`to="${romeo}"`, `to="${mallory}"`);
  }
}

function heap(): number {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

const options = {
  backends: [smime.romeo.backend, openpgp.romeo.backend],
  me: romeo,
  at: new Date(begin + 150_000),
  policy: rfc3923Policy,
  replay: new ReplayGuard(memoryReplayStore({ maxEntries })),
  concurrency: 4,
};

const warm = Math.ceil(count / 5);
const measured: { answered: number; heap: number }[] = [];
const codes: Record<string, number> = {};
let answered = 0;
let delivered = 0;
for await (const one of openMany(stanzas(), options)) {
  answered++;
  if (one.ok) delivered++;
  else codes[one.error.code] = (codes[one.error.code] ?? 0) + 1;
  if (answered >= warm && answered % warm === 0) measured.push({ answered, heap: heap() });
}
await new Promise((resolve) => setTimeout(resolve, 10));
process.stdout.write(JSON.stringify({ answered, delivered, codes, measured, unhandled }));
