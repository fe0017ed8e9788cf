/** How cost grows: with recipients, with stanzas at a time, in memory, and from a standing start. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { generateIdentity as generateOpenpgp, openpgp } from '../src/backends/openpgp/index.ts';
import { generateIdentity as generateSmime, smime } from '../src/backends/smime/index.ts';
import { Jid, limitsWith, openStanza, sealStanza, type SecurityBackend, serializeXml } from '../src/index.ts';
import { memoryStore } from '../src/stores/index.ts';
import type { BackendName, Kind } from './contender.ts';
import { type Budget, median, medians } from './measure.ts';
import { chatMessage } from './chat-message.ts';
import { ours } from './ours.ts';
import { juliet, pair, romeo } from './people.ts';

/** Medians in milliseconds for one message of 1 KB to many. */
export interface RecipientRow {
  readonly backend: BackendName;
  readonly recipients: number;
  readonly seal: number;
  /** By one of them. */
  readonly open: number;
}

/** Above the defaults: they take 64 recipients, and as many headers. */
const wide = limitsWith({ recipients: 1001, cpimHeaders: 1100, stanzaBytes: 4_194_304, decryptedBytes: 4_194_304 });

/** @param counts ascending */
export async function measureRecipients(counts: readonly number[], budget: Budget): Promise<readonly RecipientRow[]> {
  const rows: RecipientRow[] = [];
  for (const backend of ['smime', 'openpgp'] as const) {
    const crowd = await crowdOf(backend, counts.at(-1)!);
    for (const recipients of counts) {
      const [to, ...alsoTo] = crowd.jids.slice(0, recipients);
      const text = chatMessage(1024);
      const options = { to: to!, alsoTo, encryptToSelf: false, limits: wide };
      const seal = async (): Promise<string> =>
        serializeXml(await sealStanza(text, { backend: crowd.sender, ...options }));
      const sealed = await seal();
      const reading = { backends: [crowd.recipient], me: to!, replay: false, limits: wide } as const;
      const open = async (): Promise<string> => serializeXml((await openStanza(sealed, reading)).stanza);
      const taken = await medians({ seal, open }, budget);
      rows.push({ backend, recipients, seal: taken['seal']!, open: taken['open']! });
    }
  }
  return rows;
}

interface Crowd {
  readonly jids: readonly Jid[];
  readonly sender: SecurityBackend;
  /** The first of them. */
  readonly recipient: SecurityBackend;
}

async function crowdOf(backend: BackendName, size: number): Promise<Crowd> {
  const at = new Date(Date.now() - 60_000);
  const jids = Array.from({ length: size }, (_, i) => (i === 0 ? romeo : Jid.parse(`guest${i}@example.net`)));
  const [hers, his] = [memoryStore(), memoryStore()];
  for (const jid of [juliet, ...jids]) {
    const { keys, certificates } = await filesOf(backend, jid, at);
    if (jid !== juliet) hers.fileCertificate(jid, backend, certificates);
    if (jid === juliet) hers.addIdentity(jid, backend, { keys, certificates });
    if (jid === juliet) his.fileCertificate(jid, backend, certificates);
    if (jid === romeo) his.addIdentity(jid, backend, { keys, certificates });
  }
  const make = backend === 'smime' ? smime : openpgp;
  return { jids, sender: make({ store: hers }), recipient: make({ store: his }) };
}

async function filesOf(
  backend: BackendName,
  jid: Jid,
  at: Date,
): Promise<{ readonly keys: Uint8Array; readonly certificates: Uint8Array }> {
  if (backend === 'smime') {
    const { keysPem, certificatesPem } = await generateSmime({ jid, algorithm: 'p256', at });
    return { keys: keysPem, certificates: certificatesPem };
  }
  const { secretKeyArmored, certificateArmored } = await generateOpenpgp({ jid, algorithm: 'ed25519', at });
  return { keys: Buffer.from(secretKeyArmored), certificates: Buffer.from(certificateArmored) };
}

/** Messages of 1 KB in a second. */
export interface ConcurrencyRow {
  readonly kind: string;
  readonly operation: 'seal' | 'open';
  /** Calls under way at a time. */
  readonly concurrency: number;
  /** The median of the rounds. */
  readonly rate: number;
}

export async function measureConcurrency(
  kinds: readonly Kind[],
  levels: readonly number[],
  calls: number,
  rounds: number,
): Promise<readonly ConcurrencyRow[]> {
  const rows: ConcurrencyRow[] = [];
  for (const kind of kinds) {
    const contender = await ours(await pair(kind), chatMessage(1024), wide);
    for (const operation of ['seal', 'open'] as const) {
      const rates = new Map<number, number[]>(levels.map((level) => [level, []]));
      // The first round compiles.
      for (let round = 0; round <= rounds; round++) {
        for (const level of levels) {
          const taken = await atOnce(contender[operation]!, calls, level);
          if (round > 0) rates.get(level)!.push(calls / (taken / 1000));
        }
      }
      for (const [concurrency, taken] of rates) {
        rows.push({ kind: kind.title, operation, concurrency, rate: median(taken) });
      }
    }
  }
  return rows;
}

async function atOnce(call: () => unknown, calls: number, level: number): Promise<number> {
  const started = performance.now();
  let left = calls;
  const work = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: level }, work));
  return performance.now() - started;
}

/** The most memory that a process of its own ever had, in MB. */
export interface MemoryRow {
  readonly kind: string;
  readonly size: number;
  /** With all modules loaded and keys parsed. */
  readonly ready: number;
  /** After many calls of seal and open, one after the other. */
  readonly most: number;
}

/** Runs in the process that is measured. */
export async function memoryOf(kind: Kind, size: number, calls: number): Promise<MemoryRow> {
  const text = chatMessage(size);
  const limits = size > 65_536 ? limitsWith({ stanzaBytes: 8_388_608, decryptedBytes: 8_388_608 }) : wide;
  const contender = await ours(await pair(kind), chatMessage(64), limits);
  await contender.open!();
  const ready = process.resourceUsage().maxRSS / 1024;
  const { seal, open } = await ours(await pair(kind), text, limits);
  for (let i = 0; i < calls; i++) {
    await seal!();
    await open!();
  }
  return { kind: kind.title, size, ready, most: process.resourceUsage().maxRSS / 1024 };
}

/** Medians in milliseconds from start to end of a process. */
export interface StartRow {
  readonly what: string;
  readonly taken: number;
}

/** `node -e 0` and `xmpp-e2e --help`, one after the other; the command line as it is built. */
export function measureStart(rounds: number): readonly StartRow[] {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const commands: readonly (readonly [what: string, args: readonly string[]])[] = [
    ['node -e 0', ['-e', '0']],
    ['xmpp-e2e --help', [main, '--help']],
  ];
  const samples = commands.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    commands.forEach(([what, args], i) => {
      const started = performance.now();
      const { status } = spawnSync(process.execPath, args);
      if (status !== 0) throw new Error(`${what} failed`);
      samples[i]!.push(performance.now() - started);
    });
  }
  return commands.map(([what], i) => ({ what, taken: median(samples[i]!) }));
}
