/** `xmpp-e2e batch`: seals or opens one stanza a line. */

import { join } from 'node:path';
import {
  E2eError,
  type ManyOpened,
  type ManySealed,
  openMany,
  type OpenOptions,
  type PayloadForm,
  type Protection,
  ReplayGuard,
  rfc3923Policy,
  sealMany,
  type SealOptions,
  type SealProfile,
  serializeXml,
  type StanzaSource,
  strictPolicy,
  type XmlElement,
} from '../index.ts';
import { checkHome, fileClock, prepareHome } from '../stores/node.ts';
import { backends, type BatchKeys } from './batch-backends.ts';
import { type BatchLine, maxLineBytes, readBatchLine, writeBatchLine } from './batch-line.ts';
import { type BatchOutput, outputToFile, outputToStdout } from './batch-output.ts';
import { CliError } from './cli-error.ts';
import { type BackendName } from './backend-names.ts';
import { homePath } from './context.ts';
import type { Io } from './io.ts';
import { readJid } from './jid-option.ts';
import { isBlank, linesOf } from './lines.ts';
import { plainVerdict, replayStoreIn } from './open.ts';
import { passphraseFromFile } from './passphrase.ts';
import { progress } from './progress.ts';
import { readTime } from './time-option.ts';

interface BatchOptions {
  readonly jobs: number;
  readonly resume?: string;
  readonly home?: string;
}

/** Options of `batch seal`. */
export interface BatchSealOptions extends BatchOptions {
  readonly backend?: BackendName;
  readonly protection: Protection;
  readonly payload: PayloadForm | 'auto';
  readonly profile: SealProfile;
}

/** Options of `batch open`. */
export interface BatchOpenOptions extends BatchOptions {
  readonly as: string;
  readonly at?: string;
  readonly policy: 'strict' | 'rfc3923';
  readonly live?: true;
}

type Work = (source: StanzaSource) => AsyncIterable<ManyOpened | ManySealed>;

/** Signed times are taken from the clock of the home so many at once: each taking waits for the disk. */
const timesAtOnce = 64;
const e2eNamespace = 'urn:ietf:params:xml:ns:xmpp-e2e';

/**
 * Seals one stanza a line.
 *
 * @throws {CliError} BATCH_FAILED where any line got an error; MISSING_INPUT, INTERRUPTED
 */
export async function batchSeal(io: Io, options: BatchSealOptions): Promise<void> {
  const { protection, payload, profile, backend, jobs } = options;
  const home = await prepareHome(homePath(io, options.home));
  const keys: BatchKeys = { home, passphrase: await passphraseFromFile(io), operation: 'seal', backend };
  const clock = fileClock(join(home, 'sending-clock'), Date.now, timesAtOnce);
  const how = { protection, payload, profile, clock } satisfies Partial<SealOptions>;
  await withThreads(keys, jobs, async (pool) => {
    const [own] = pool === undefined ? await backends(keys) : [];
    const work: Work = (source) =>
      pool === undefined ? sealMany(source, { ...how, backend: own! }) : pool.sealMany(source, how);
    await run(io, options, 'batch seal', work);
  });
}

/**
 * Opens one stanza a line, as from an archive unless they come live.
 *
 * @throws {CliError} BATCH_FAILED where any line got an error; BAD_DATA, MISSING_INPUT, INTERRUPTED
 */
export async function batchOpen(io: Io, options: BatchOpenOptions): Promise<void> {
  const { jobs, live = false } = options;
  const me = readJid('--as', options.as);
  const at = readTime('--at', options.at);
  const { path: home } = await checkHome(homePath(io, options.home));
  const keys: BatchKeys = { home, passphrase: await passphraseFromFile(io), operation: 'open', backend: undefined };
  const how = {
    me,
    at,
    policy: options.policy === 'rfc3923' ? rfc3923Policy : strictPolicy,
    context: live ? 'live' : 'archive',
    // An archive may be opened as often as wanted, and anywhere: nothing is written, and nothing needs to be read.
    replay: live && new ReplayGuard(replayStoreIn(home)),
  } satisfies Omit<OpenOptions, 'backends'>;
  await withThreads(keys, jobs, async (pool) => {
    const own = pool === undefined ? await backends(keys) : [];
    const work: Work = (source) =>
      pool === undefined ? openMany(source, { ...how, backends: own }) : pool.openMany(source, how);
    await run(io, options, 'batch open', work);
  });
}

type Pool = ReturnType<typeof import('../pool/index.ts').workerPool>;

/** One job needs no thread but this one. */
async function withThreads(
  keys: BatchKeys,
  jobs: number,
  work: (pool: Pool | undefined) => Promise<void>,
): Promise<void> {
  if (jobs === 1) return work(undefined);
  const { workerPool } = await import('../pool/index.ts').catch(() => {
    throw new CliError('MISSING_INPUT', 'more than one job needs the package piscina: npm install piscina');
  });
  const module = new URL('./batch-backends.js', import.meta.url);
  const pool = workerPool({ module, keys, threads: jobs });
  try {
    await work(pool);
  } finally {
    await pool.close();
  }
}

async function run(io: Io, options: BatchOptions, name: string, work: Work): Promise<void> {
  if (io.stdin.isTTY === true) {
    throw new CliError('MISSING_INPUT', `pipe one JSON object a line in, for example: xmpp-e2e ${name} < in.ndjson`);
  }
  const output = options.resume === undefined ? outputToStdout(io) : await outputToFile(options.resume);
  const lines: BatchLine[] = [];
  const user = { left: false };
  const forget = io.onInterrupt?.(() => (user.left = true));
  const shown = progress(io, name);
  try {
    for await (const result of work(sourceOf(io, output, lines, user))) {
      const line = lines.shift()!;
      const outcome = line.stanza instanceof E2eError ? line.stanza : outcomeOf(result);
      shown.count(!(outcome instanceof E2eError));
      await output.write(writeBatchLine(line, outcome));
    }
  } finally {
    shown.end();
    forget?.();
    await output.close();
  }
  if (user.left) throw new CliError('INTERRUPTED', 'interrupted; every line that was begun has its answer');
  if (shown.failed > 0) throw new CliError('BATCH_FAILED', `${shown.failed} of the lines got an error`);
}

/** Stands for a line without a stanza: it is refused at once, and its place is kept. */
const nothing = '';

async function* sourceOf(
  io: Io,
  output: BatchOutput,
  lines: BatchLine[],
  user: { readonly left: boolean },
): AsyncGenerator<string | XmlElement, void, undefined> {
  let number = 0;
  let resuming = true;
  for await (const bytes of linesOf(untilInterrupted(io), maxLineBytes)) {
    number++;
    if (user.left) return;
    if (isBlank(bytes)) continue;
    const line = readBatchLine(bytes, number);
    if (resuming) {
      const answered = await output.answered();
      if (answered === line.input) continue;
      if (answered !== undefined) throw new CliError('BAD_DATA', '--resume: the file answers another input');
      resuming = false;
    }
    lines.push(line);
    yield line.stanza instanceof E2eError ? nothing : line.stanza;
  }
}

/** The input, until somebody wants it to end: a pipe may be silent for ever. */
async function* untilInterrupted(io: Io): AsyncGenerator<Uint8Array | string, void, undefined> {
  const iterator = io.stdin[Symbol.asyncIterator]();
  const end = Symbol();
  const user = { left: false };
  let wake: (() => void) | undefined;
  const forget = io.onInterrupt?.(() => {
    user.left = true;
    wake?.();
  });
  try {
    while (!user.left) {
      // Not Promise.race with one promise for all steps: that one would keep every chunk that was ever read.
      const step = await new Promise<IteratorResult<Uint8Array | string> | typeof end>((resolve, reject) => {
        wake = () => resolve(end);
        iterator.next().then(resolve, reject);
      });
      if (step === end || step.done === true) return;
      yield step.value;
    }
  } finally {
    forget?.();
  }
}

function outcomeOf(result: ManyOpened | ManySealed): object {
  if (!result.ok) return result.error;
  if ('sealed' in result) {
    return { stanza: serializeXml(result.sealed, { cdata: (element) => element.is('e2e', e2eNamespace) }) };
  }
  const { verdict, stanza } = result.opened;
  return { verdict: plainVerdict(verdict), stanza: serializeXml(stanza) };
}
