/**
 * Opening and sealing in bulk on several threads (Node, with the package piscina).
 *
 * Workers decrypt, verify, check and rebuild; what is the state of one account (replays, order, the sending clock)
 * stays in the main thread and is asked in the order of the source, so that every stanza meets the decision that
 * `openMany` would come to in one thread.
 */

import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Piscina } from 'piscina';
import { processClock } from '../e2e/clock.ts';
import { many } from '../e2e/many.ts';
import { readOptions } from '../e2e/options.ts';
import { readJid } from '../e2e/stanza.ts';
import { guardStore } from '../e2e/timing.ts';
import {
  defaultLimits,
  E2eError,
  type Limits,
  type ManyFailure,
  type ManyOpened,
  type ManySealed,
  type Opened,
  type OpenOptions,
  PinGuard,
  ReplayGuard,
  type SealOptions,
  type SealProfile,
  type SendingClock,
  type StanzaSource,
  toElement,
  type XmlElement,
} from '../index.ts';
import { batches, gate } from './batches.ts';
import type { SealJob, Told, WorkerStart } from './job.ts';
import { type Opening, openBatch, recording, type Run } from './open-batch.ts';
import { pack, packError, unpack, unpackError, type Wire } from './wire.ts';

/** Options of {@link workerPool}. */
export interface WorkerPoolOptions {
  /** A module that every worker imports: it exports the function `backends` (see {@link BackendsModule}). */
  readonly module: URL;
  /** Given to `backends` in every worker, copied once when the worker starts. */
  readonly keys?: unknown;
  /** Threads, from 1 to 64: as many as the machine runs at the same time unless given. */
  readonly threads?: number | undefined;
  /** Stanzas that go to a thread together, from 1 to 1024: 24 unless given. */
  readonly batch?: number | undefined;
  /** MiB of heap that a worker may use before it is stopped, besides 64 for what is young: 512 unless given. */
  readonly memory?: number | undefined;
  /** Options of Node for the workers, for example a loader; those of this process unless given. */
  readonly execArgv?: readonly string[] | undefined;
}

/**
 * Options of {@link WorkerPool.openMany}: those of `openStanza` but the backends, which the module makes, and what only
 * functions of this thread could do.
 */
export type PoolOpenOptions = Omit<OpenOptions, 'backends' | 'profile' | 'roster' | 'candidates'>;

/** Options of {@link WorkerPool.sealMany}. */
export interface PoolSealOptions extends Omit<SealOptions, 'backend' | 'at' | 'profile'> {
  /** The ways of a foreign client are functions, which no thread can be sent. */
  readonly profile?: SealProfile | undefined;
  /** The name of the backend, where the module makes more than one: its first one unless given. */
  readonly backend?: string | undefined;
}

/** Threads that open and seal. Sources may be worked on at the same time. */
export interface WorkerPool {
  /**
   * As `openMany`, on the threads of the pool. At most six batches for each thread are in memory.
   *
   * @throws {TypeError} for wrong options and for something that is no source of stanzas
   */
  openMany(source: StanzaSource, options: PoolOpenOptions): AsyncGenerator<ManyOpened, void, undefined>;
  /**
   * As `sealMany`, on the threads of the pool.
   *
   * @throws {TypeError} for wrong options and for something that is no source of stanzas
   */
  sealMany(source: StanzaSource, options?: PoolSealOptions): AsyncGenerator<ManySealed, void, undefined>;
  /** Ends the threads. What is under way fails. */
  close(): Promise<void>;
}

const poolOptionNames = [
  'module',
  'keys',
  'threads',
  'batch',
  'memory',
  'execArgv',
] as const satisfies readonly (keyof WorkerPoolOptions)[];

const openOptionNames = [
  'me',
  'policy',
  'replay',
  'context',
  'expect',
  'at',
  'limits',
  'signal',
] as const satisfies readonly (keyof PoolOpenOptions)[];

const sealOptionNames = [
  'backend',
  'from',
  'to',
  'alsoTo',
  'protection',
  'payload',
  'wrapped',
  'profile',
  'clock',
  'includeCertificate',
  'encryptToSelf',
  'hidden',
  'store',
  'limits',
  'signal',
] as const satisfies readonly (keyof PoolSealOptions)[];

/**
 * Starts a pool of threads. An idle pool does not keep the process alive.
 *
 * @throws {TypeError} for wrong options
 * @throws {RangeError} for numbers out of range
 */
export function workerPool(options: WorkerPoolOptions): WorkerPool {
  const given = readOptions(options, poolOptionNames);
  const { module, keys, threads = Math.min(availableParallelism(), 64), batch = 24, memory = 512 } = given;
  if (!(module instanceof URL)) throw new TypeError('option module must be a URL');
  requireInteger('threads', threads, 1, 64);
  requireInteger('batch', batch, 1, 1024);
  requireInteger('memory', memory, 16, 65_536);
  const start: WorkerStart = { module: module.href, keys };
  const piscina = new Piscina({
    // Sources are tested as they are, and their neighbour is a source too.
    filename: new URL(`./worker${extname(import.meta.url)}`, import.meta.url).href,
    workerData: start,
    minThreads: threads,
    maxThreads: threads,
    // While the stanzas of one batch wait for their turn to be recorded, a worker has another to go on with.
    concurrentTasksPerWorker: 2,
    maxQueue: 3 * threads,
    // A batch in work is more than fits into young memory of the usual size, and would be copied again and again.
    resourceLimits: { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: 64 },
    ...(given.execArgv === undefined ? {} : { execArgv: [...given.execArgv] }),
  });
  let failure: unknown;
  piscina.on('error', (error) => {
    // A worker that ends without work to fail would be started again for ever.
    failure ??= error;
    void piscina.destroy();
  });
  const run: Run = async (name, job, transferList) => {
    try {
      return (await piscina.run(job, { name, transferList })) as unknown;
    } catch (error) {
      throw failure ?? error;
    }
  };
  const doors = gate(threads);
  const window = 3 * threads * batch;

  return {
    openMany(source, options) {
      const { replay, signal, me, limits, expect, ...rest } = readOptions(options, openOptionNames);
      if (replay !== undefined && replay !== false && !(replay instanceof ReplayGuard)) {
        throw new TypeError('option replay must be a ReplayGuard or false');
      }
      const guard = expect instanceof PinGuard ? expect : undefined;
      const told = {
        ...rest,
        limits,
        me: readJid('me', me).bare().toString(),
        expect: guard === undefined ? expect : undefined,
      };
      const store = replay instanceof ReplayGuard ? replay.store : undefined;
      const inTurn = recording(store, guard?.store);
      const submit = batches<Opening, Told<Wire>>(doors, batch, async (openings) => {
        const since =
          store === undefined ? (replay as false | undefined) : await ask(() => guardStore(() => store.since()));
        await openBatch(run, openings, { options: told, since, firstUse: guard?.firstUse });
      });
      const results = many<Answered>(source, window, signal, async (stanza, index, turn) => {
        const place = inTurn(turn);
        try {
          return answered(index, await submit({ stanza: wire(stanza, 'unwrap', limits), place, signal: turn.signal }));
        } finally {
          place.done();
        }
      });
      return unpacked(results, (index, value) => ({ ok: true, index, opened: value as Opened }));
    },

    sealMany(source, options = {}) {
      if ('at' in options) throw new TypeError('option at would give several stanzas one time');
      const { signal, clock = processClock, from, to, alsoTo, ...rest } = readOptions(options, sealOptionNames);
      if (typeof rest.profile === 'object') throw new TypeError('option profile must be the name of one');
      const others = alsoTo?.map((jid) => readJid('alsoTo', jid).toString());
      const told = { ...rest, ...text('from', from), ...text('to', to), alsoTo: others };
      const times = inOrder(clock);
      const submit = batches<SealJob['stanzas'][number], Told<Wire>>(doors, batch, async (items) => {
        const job: SealJob = { stanzas: items.map(({ item }) => item), options: told };
        const results = (await run('seal', job, [])) as readonly Told<Wire>[];
        for (const [i, { resolve }] of items.entries()) resolve(results[i]!);
      });
      const results = many<Answered>(source, window, signal, async (stanza, index) => {
        const packed = wire(stanza, 'map', rest.limits);
        return answered(index, await submit({ stanza: packed, time: await times() }));
      });
      return unpacked(results, (index, value) => ({ ok: true, index, sealed: value as XmlElement }));
    },

    close: () => piscina.destroy(),
  };
}

/** What a worker made of a stanza. */
interface Answered {
  readonly ok: true;
  readonly index: number;
  readonly value: Wire;
}

function answered(index: number, result: Told<Wire>): Answered {
  if ('error' in result) throw unpackError(result.error);
  return { ok: true, index, value: result.value };
}

/**
 * Results as they are taken. Hundreds wait for those before them: as the many objects that they are made of, they would
 * be copied again and again by garbage collections.
 */
async function* unpacked<T>(
  results: AsyncIterable<Answered | ManyFailure>,
  make: (index: number, value: unknown) => T,
): AsyncGenerator<T | ManyFailure, void, undefined> {
  for await (const one of results) yield one.ok ? make(one.index, unpack(one.value)) : one;
}

/** A stanza as it can be cloned; what is wrong with a host's tree is told as in one thread. */
function wire(stanza: object | string, stage: 'unwrap' | 'map', limits: Limits = defaultLimits): Wire | string {
  return typeof stanza === 'string' ? stanza : pack(toElement(stanza, { limits, stage }));
}

async function ask(question: () => bigint | Promise<bigint>): Promise<Told<bigint>> {
  try {
    return { value: await question() };
  } catch (error) {
    if (error instanceof E2eError) return { error: packError(error) };
    throw error;
  }
}

/** Times in the order of asking, though a clock in a file takes a while. */
function inOrder(clock: SendingClock): () => Promise<Told<bigint>> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const time = last.then(() => ask(() => clock.next()));
    last = time.catch(() => undefined);
    return time;
  };
}

function text(name: 'from' | 'to', jid: SealOptions['from']): Partial<Record<'from' | 'to', string>> {
  return jid === undefined ? {} : { [name]: readJid(name, jid).toString() };
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`option ${name} must be an integer from ${least} to ${most}`);
  }
}
