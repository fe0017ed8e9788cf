/** What runs in the page and in a worker: the public API on WebCrypto, with keys in IndexedDB. */
import { generateIdentity as generateOpenpgp, openpgp } from '../../src/backends/openpgp/index.ts';
import { generateIdentity as generateSmime, type IdentityAlgorithm, smime } from '../../src/backends/smime/index.ts';
import {
  E2eError,
  E2eSession,
  Jid,
  memoryReplayStore,
  parseXml,
  PinGuard,
  type RecordOptions,
  type ReplayEntry,
  ReplayGuard,
  type SecurityBackend,
} from '../../src/index.ts';
import { browserReplayStore, browserStore } from '../../src/stores/browser.ts';

const juliet = Jid.parse('juliet@example.com');
const romeo = Jid.parse('romeo@example.net');
const text = 'O Romeo \u{1f339} ]]> <&>';

/** One outcome a line. */
export type Report = Record<string, unknown>;

/** Runs everything; `name` keeps databases apart. */
export async function run(name: string): Promise<Report> {
  const report: Report = { dom: typeof DOMParser !== 'undefined' };
  for (const algorithm of ['p256', 'p384', 'rsa2048'] as const) report[algorithm] = await smimeTrip(name, algorithm);
  report['openpgp'] = await openpgpTrip(name);
  report['extraction'] = await extraction(name);
  report['reopened'] = await reopened(name);
  report['replay'] = await replay(name);
  report['wrong key'] = await browserStore(`${name} wrong`).then((store) =>
    store.addSmimeIdentity(juliet, { keys: new TextEncoder().encode('no key'), certificates: new Uint8Array() }).then(
      () => 'taken',
      (error: unknown) => (error as Error).name,
    ),
  );
  return report;
}

async function smimeTrip(name: string, algorithm: IdentityAlgorithm): Promise<unknown> {
  const at = new Date(Date.now() - 60_000);
  const [mine, theirs] = await Promise.all([juliet, romeo].map((jid) => generateSmime({ jid, algorithm, at })));
  const a = await browserStore(`${name} juliet ${algorithm}`);
  const b = await browserStore(`${name} romeo ${algorithm}`);
  await a.addSmimeIdentity(juliet, { keys: mine!.keysPem, certificates: mine!.certificatesPem });
  await b.addSmimeIdentity(romeo, { keys: theirs!.keysPem, certificates: theirs!.certificatesPem });
  await a.fileCertificate(romeo, 'smime', theirs!.certificatesPem);
  await b.fileCertificate(juliet, 'smime', mine!.certificatesPem);
  const outcome = await trip(session(juliet, smime({ store: a }), a), session(romeo, smime({ store: b }), b));
  await a.forget(romeo, 'smime');
  const gone = session(juliet, smime({ store: a }), a);
  const known = await gone.knows(romeo);
  const refused = await gone.seal(message()).catch((error: unknown) => (error as E2eError).code);
  return [outcome, known, refused];
}

async function openpgpTrip(name: string): Promise<unknown> {
  const at = new Date(Date.now() - 60_000);
  const [mine, theirs] = await Promise.all([juliet, romeo].map((jid) => generateOpenpgp({ jid, at })));
  const bytes = (armor: string): Uint8Array => new TextEncoder().encode(armor);
  const a = await browserStore(`${name} juliet`);
  const b = await browserStore(`${name} romeo`);
  await a.addOpenpgpIdentity(juliet, bytes(mine!.secretKeyArmored));
  await b.addOpenpgpIdentity(romeo, bytes(theirs!.secretKeyArmored));
  await a.fileCertificate(romeo, 'openpgp', bytes(theirs!.certificateArmored));
  await b.fileCertificate(juliet, 'openpgp', bytes(mine!.certificateArmored));
  return trip(session(juliet, openpgp({ store: a }), a), session(romeo, openpgp({ store: b }), b));
}

type Store = Awaited<ReturnType<typeof browserStore>>;

function session(jid: Jid, backend: SecurityBackend, { clock, contacts }: Store): E2eSession {
  return new E2eSession({ jid, backends: [backend], replay: new ReplayGuard(), clock, contacts });
}

function message(): ReturnType<typeof parseXml> {
  const body = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return parseXml(
    `<message xmlns='jabber:client' to='${romeo.toString()}' id='m1' type='chat'><body>${body}</body></message>`,
  );
}

async function trip(a: E2eSession, b: E2eSession): Promise<unknown> {
  const sealed = (await a.seal(message())).withAttribute('from', `${juliet.toString()}/balcony`);
  const { stanza, verdict } = await b.open(sealed);
  const e2e = sealed.elements[0]!;
  const damaged = sealed.withChildren([e2e.withChildren([e2e.text.replace(/[A-Za-z](?=[^A-Za-z]*$)/, '0')])]);
  const failure = await b.open(damaged).then(
    () => 'opened',
    (error: unknown) => error instanceof E2eError,
  );
  return [stanza.first('body')?.text === text, verdict.sender?.jid, verdict.protection, failure];
}

/** What a script in the page could carry away. */
async function extraction(name: string): Promise<unknown> {
  const request = indexedDB.open(`${name} juliet p256`);
  await new Promise((resolve) => request.addEventListener('success', resolve));
  const all = request.result.transaction('identities').objectStore('identities').getAll();
  await new Promise((resolve) => all.addEventListener('success', resolve));
  request.result.close();
  const records = all.result as { locked: Record<string, CryptoKey> }[];
  const keys = records.flatMap(({ locked }) => Object.values(locked));
  const exports = await Promise.all(
    keys.map((key) =>
      crypto.subtle.exportKey('pkcs8', key).then(
        () => 'exported',
        (error: unknown) => (error as Error).name,
      ),
    ),
  );
  return [keys.length, keys.some((key) => key.extractable), [...new Set(exports)]];
}

/** A second opening finds what the first one kept, in the same arrays each time, and a clock that goes on. */
async function reopened(name: string): Promise<unknown> {
  const store = await browserStore(`${name} romeo`);
  const [first, second] = [await store.find(juliet, 'openpgp'), await store.find(juliet, 'openpgp')];
  const times = await Promise.all(Array.from({ length: 50 }, async () => store.clock.next()));
  const increasing = times.every((time, i) => i === 0 || time > times[i - 1]!);
  await store.removeIdentities(romeo, 'openpgp');
  return [
    first.length,
    first[0]?.certificates === second[0]?.certificates,
    increasing,
    (await store.identities(romeo, 'openpgp')).length,
    await pinned(store, await browserStore(`${name} romeo`)),
  ];
}

/** Pins set through two openings of one database at once: none is lost, and the other contact has none. */
async function pinned(...stores: readonly Store[]): Promise<unknown> {
  const guards = stores.map(({ pins }) => new PinGuard(pins));
  const keys = Array.from({ length: 20 }, (_, i) => i.toString(16).padStart(40, '0'));
  await Promise.all(keys.map((key, i) => guards[i % 2]!.pin(juliet, key, 'add')));
  await guards[0]!.requireSealed(romeo);
  await guards[1]!.forget(romeo);
  const pins = await guards[0]!.pinsOf(juliet);
  return [pins?.keys.length, pins?.sealed, await guards[0]!.pinsOf(romeo)];
}

function entry(n: number, signed: number, received = signed): ReplayEntry {
  const time = (ms: number): bigint => BigInt(ms) * 1_000_000n;
  return { digest: `d${n}`, key: `k${n % 2}`, clock: `c${n % 4}`, signed: time(signed), received: time(received) };
}

/** The store in the database decides as the one in memory does, survives reopening, and lets one of two tabs win. */
async function replay(name: string): Promise<unknown> {
  const bounds = { maxEntries: 12, keepSeconds: 60 };
  const database = await browserReplayStore({ name: `${name} replay`, ...bounds });
  const memory = memoryReplayStore(bounds);
  let state = 3923;
  const random = (below: number): number => (state = (state * 1103515245 + 12345) % 2147483648) % below;
  const outcomes = new Map<string, number>();
  const differences: unknown[] = [];
  for (let step = 0; step < 400; step++) {
    const how: RecordOptions = {
      ordered: random(3) > 0,
      refuseDecreasing: random(2) > 0,
      decreasingWindow: 30_000_000_000n,
    };
    const one = entry(random(60), 1_000_000 + step * 500 - random(20_000), 1_000_000 + step * 500);
    const [ours, model] = [await database.record(one, how), await memory.record(one, how)];
    outcomes.set(ours, (outcomes.get(ours) ?? 0) + 1);
    const other = entry(random(60), 1_000_000 + step * 500);
    if (ours !== model || (await database.has(other)) !== (await memory.has(other)))
      differences.push([step, ours, model]);
  }
  const since = await database.since();
  database.close();
  const closed = await database.since().catch((error: unknown) => (error as E2eError).code);

  const tabs = await Promise.all([1, 2].map(() => browserReplayStore({ name: `${name} tabs` })));
  const how = { ordered: true, refuseDecreasing: true, decreasingWindow: 0n };
  const race = await Promise.all(Array.from({ length: 30 }, (_, i) => tabs[i % 2]!.record(entry(1, 1000), how)));
  tabs.forEach((tab) => tab.close());
  const again = await browserReplayStore({ name: `${name} tabs` });
  const known = await again.record(entry(1, 1000), how);
  const same = (await browserReplayStore({ name: `${name} replay` })).since().then((time) => time === since);
  const wrong = await browserReplayStore({ maxEntries: 0 }).catch((error: unknown) => (error as Error).name);
  const winners = race.filter((outcome) => outcome === 'new').length;
  return [[...outcomes.keys()].sort(), differences, winners, known, await same, closed, wrong];
}
