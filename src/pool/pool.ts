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
import { many, type Task } from '../e2e/many.ts';
import { processClock } from '../e2e/clock.ts';
import { readOptions } from '../e2e/options.ts';
import { readJid } from '../e2e/stanza.ts';
import { guardStore, lookUp, record } from '../e2e/timing.ts';
import { verdict } from '../e2e/verdict.ts';
import {
  defaultLimits,
  E2eError,
  type Limits,
  type ManyOpened,
  type ManySealed,
  type Opened,
  type OpenOptions,
  ReplayGuard,
  type ReplayStore,
  type SealOptions,
  type SendingClock,
  type StanzaSource,
  toElement,
  type XmlElement,
} from '../index.ts';
import { batches, gate } from './batches.ts';
import type { Asked, OpenJob, OpenReply, Remaining, SealJob, SealReply, WorkerStart } from './job.ts';
import { pack, packError, unpack, unpackError, type Wire } from './wire.ts';

/** Options of {@link workerPool}. */
export interface WorkerPoolOptions {
  /** A module that every worker imports: it exports the function `backends` (see {@link BackendsModule}). */
  readonly module: URL;
  /** Given to `backends` in every worker, copied once when the worker starts. */
  readonly keys?: unknown;
  /** Threads, from 1 to 64: as many as the machine runs at the same time unless given. */
  readonly threads?: number | undefined;
  /** Stanzas that go to a thread together, from 1 to 1024: 64 unless given. */
  readonly batch?: number | undefined;
  /** MiB of heap that a worker may use before it is stopped: 512 unless given. */
  readonly memory?: number | undefined;
  /** Options of Node for the workers, for example a loader; those of this process unless given. */
  readonly execArgv?: readonly string[] | undefined;
}

/** Options of {@link WorkerPool.openMany}. */
export type PoolOpenOptions = Omit<OpenOptions, 'backends'>;

/** Options of {@link WorkerPool.sealMany}. */
export interface PoolSealOptions extends Omit<SealOptions, 'backend' | 'at'> {
  /** The name of the backend, where the module makes more than one: its first one unless given. */
  readonly backend?: string | undefined;
}

/** Threads that open and seal. */
export interface WorkerPool {
  /**
   * As `openMany`, on the threads of the pool. At most four batches for each thread are in memory.
   *
   * When `signal` aborts, or the loop is left early, the threads at work for this source are stopped and started
   * again.
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
  'at',
  'limits',
  'signal',
] as const satisfies readonly (keyof PoolOpenOptions)[];

const sealOptionNames = [
  'backend',
  'from',
  'to',
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
  const { module, keys, threads = Math.min(availableParallelism(), 64), batch = 64, memory = 512 } = given;
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
    maxQueue: 2 * threads,
    resourceLimits: { maxOldGenerationSizeMb: memory },
    ...(given.execArgv === undefined ? {} : { execArgv: [...given.execArgv] }),
  });
  const doors = gate(threads);
  const window = 2 * threads * batch;
  const run = <T>(name: 'open' | 'seal', job: OpenJob | SealJob, signal: AbortSignal): Promise<T> =>
    piscina.run(job, { name, signal }) as Promise<T>;

  return {
    openMany(source, options) {
      const { replay, signal, me, limits, ...rest } = readOptions(options, openOptionNames);
      if (replay !== undefined && replay !== false && !(replay instanceof ReplayGuard)) {
        throw new TypeError('option replay must be a ReplayGuard or false');
      }
      const told = { ...rest, limits, me: readJid('me', me).bare().toString() };
      const guard = replay instanceof ReplayGuard ? replay : undefined;
      const task = inBatches<Wire, OpenReply, ManyOpened>(async (stanzas, signal) => {
        const since =
          guard === undefined ? (replay as false | undefined) : await ask(() => guardStore(() => guard.store.since()));
        return run('open', { stanzas, options: told, since }, signal);
      });
      return many(source, window, signal, async (stanza, index, turn) => {
        const reply = await task(wire(stanza, 'unwrap', limits), turn.signal);
        if ('error' in reply) throw unpackError(reply.error);
        const opened = unpack(reply.opened) as Opened;
        const { remaining } = reply;
        if (remaining === undefined || guard === undefined) return { ok: true, index, opened };
        if (remaining.step === 'record') {
          // What is recorded out of order makes the earlier one `decreasing`, and lost.
          await turn.before;
          turn.signal.throwIfAborted();
          turn.commit();
        }
        return { ok: true, index, opened: await finish(opened, remaining, guard.store) };
      });
    },

    sealMany(source, options = {}) {
      if ('at' in options) throw new TypeError('option at would give several stanzas one time');
      const { signal, clock = processClock, from, to, ...rest } = readOptions(options, sealOptionNames);
      const told = { ...rest, ...text('from', from), ...text('to', to) };
      const times = inTurn(clock);
      const task = inBatches<SealJob['stanzas'][number], SealReply, ManySealed>((stanzas, signal) =>
        run('seal', { stanzas, options: told }, signal),
      );
      return many(source, window, signal, async (stanza, index, turn) => {
        const packed = wire(stanza, 'map', rest.limits);
        const reply = await task({ stanza: packed, time: await times() }, turn.signal);
        if ('error' in reply) throw unpackError(reply.error);
        return { ok: true, index, sealed: unpack(reply.sealed) as XmlElement };
      });
    },

    close: () => piscina.destroy(),
  };

  /** Every call of `openMany` or `sealMany` fills batches of its own. */
  function inBatches<I, O, T>(
    send: (items: readonly I[], signal: AbortSignal) => Promise<readonly O[]>,
  ): (item: I, signal: Parameters<Task<T>>[2]['signal']) => Promise<O> {
    let submit: ((item: I) => Promise<O>) | undefined;
    return (item, signal) => {
      submit ??= batches<I, O>(doors, batch, (items) => send(items, signal));
      return submit(item);
    };
  }
}

/** A stanza as it can be cloned; what is wrong with a host's tree is told as in one thread. */
function wire(stanza: object | string, stage: 'unwrap' | 'map', limits: Limits = defaultLimits): Wire {
  return typeof stanza === 'string' ? stanza : pack(toElement(stanza, { limits, stage }));
}

async function ask(question: () => bigint | Promise<bigint>): Promise<Asked> {
  try {
    return { value: await question() };
  } catch (error) {
    if (error instanceof E2eError) return { error: packError(error) };
    throw error;
  }
}

/** Times in the order of asking, though a clock in a file takes a while. */
function inTurn(clock: SendingClock): () => Promise<Asked> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const time = last.then(() => ask(() => clock.next()));
    last = time.catch(() => undefined);
    return time;
  };
}

/** The last step of opening: the one that asks and changes the state of the account. */
async function finish(opened: Opened, remaining: Remaining, store: ReplayStore): Promise<Opened> {
  const facts: Facts = opened.verdict;
  try {
    if (remaining.step === 'look-up') {
      const replay = await lookUp(store, remaining.entry);
      return replay === facts.replay ? opened : withVerdict(opened, { ...facts, replay });
    }
    const { status } = facts.time;
    const recorded = await record(store, remaining.entry, remaining.options, status);
    return recorded === status ? opened : withVerdict(opened, { ...facts, time: { ...facts.time, status: recorded } });
  } catch (error) {
    if (!(error instanceof E2eError) || facts.encryption === undefined) throw error;
    throw new E2eError(error.code, error.stage, { reason: error.reason, encryption: facts.encryption });
  }
}

type Facts = Parameters<typeof verdict>[0];

function withVerdict(opened: Opened, facts: Facts): Opened {
  return Object.freeze({ ...opened, verdict: verdict(facts) });
}

function text(name: 'from' | 'to', jid: SealOptions['from']): Partial<Record<'from' | 'to', string>> {
  return jid === undefined ? {} : { [name]: readJid(name, jid).toString() };
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`option ${name} must be an integer from ${least} to ${most}`);
  }
}
