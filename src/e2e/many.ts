/**
 * Opening and sealing many stanzas side by side: results in the order of the source, one for each stanza, and never
 * more of them in memory than asked for. A server orders stanzas (RFC 6120 section 10.1) and a recipient judges that
 * order (RFC 3923 section 6.9), so work may overlap, but what is accepted is recorded one after another.
 */

import { E2eError } from '../errors.ts';
import type { XmlElement } from '../xml/element.ts';
import { type Opened, type OpenOptions, openStanza } from './open.ts';
import { ReplayGuard } from './replay.ts';
import { type SealOptions, sealStanza } from './seal.ts';

/** Stanzas as they come: text, our trees or a host's elements. */
export type StanzaSource = Iterable<object | string> | AsyncIterable<object | string>;

/** How many at a time. */
export interface ManyOptions {
  /** Stanzas worked on at the same time, from 1 to 1024: 4 unless given. At most twice as many are in memory. */
  readonly concurrency?: number | undefined;
}

/** Why a stanza got nothing. */
export interface ManyFailure {
  readonly ok: false;
  /** Place in the source, from 0. */
  readonly index: number;
  readonly error: E2eError;
}

/** The answer of {@link openMany} to one stanza. */
export type ManyOpened = { readonly ok: true; readonly index: number; readonly opened: Opened } | ManyFailure;

/** The answer of {@link sealMany} to one stanza. */
export type ManySealed = { readonly ok: true; readonly index: number; readonly sealed: XmlElement } | ManyFailure;

/**
 * Opens the stanzas of a source: exactly one result for each, in order, whatever becomes of the others.
 *
 * The source is read no faster than results are taken. When it throws, what was read is answered first. When `signal`
 * aborts, stanzas that are finished or already recorded as received are still answered, the others are left alone as
 * if they had never come, and the reason of the signal is thrown. Leaving the loop early discards what is finished but
 * not taken, and that counts as received: abort instead, and take the rest.
 *
 * @param source stanzas as {@link openStanza} takes them
 * @param options those of {@link openStanza}, for every stanza, and `concurrency`
 * @throws {TypeError} for wrong options and for something that is no source of stanzas
 * @throws {RangeError} for `concurrency` out of range
 */
export function openMany(
  source: StanzaSource,
  options: OpenOptions & ManyOptions,
): AsyncGenerator<ManyOpened, void, undefined> {
  const { concurrency, replay: guard, signal, ...each } = options;
  return many(source, readConcurrency(concurrency), signal, async (stanza, index, turn) => {
    const replay = guard instanceof ReplayGuard ? recordInTurn(guard, turn) : guard;
    return { ok: true, index, opened: await openStanza(stanza, { replay, signal: turn.signal, ...each }) };
  });
}

/**
 * Seals the stanzas of a source: exactly one result for each, in order, with signed times in that order.
 *
 * Reading, errors of the source and aborting are as for {@link openMany}.
 *
 * @param source stanzas as {@link sealStanza} takes them
 * @param options those of {@link sealStanza} but `at`, since no two stanzas may have the same time, and `concurrency`
 * @throws {TypeError} for wrong options and for something that is no source of stanzas
 * @throws {RangeError} for `concurrency` out of range
 */
export function sealMany(
  source: StanzaSource,
  options: Omit<SealOptions, 'at'> & ManyOptions,
): AsyncGenerator<ManySealed, void, undefined> {
  if ('at' in options) throw new TypeError('option at would give several stanzas one time');
  const { concurrency, signal, ...each } = options;
  return many(source, readConcurrency(concurrency), signal, async (stanza, index, turn) => {
    return { ok: true, index, sealed: await sealStanza(stanza, { signal: turn.signal, ...each }) };
  });
}

function readConcurrency(concurrency = 4): number {
  if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > 1024) {
    throw new RangeError('option concurrency must be an integer from 1 to 1024');
  }
  return concurrency;
}

/** A stanza's place in the queue. */
export interface Turn {
  readonly signal: AbortSignal;
  /** Resolves when every stanza before this one is done. */
  readonly before: Promise<unknown>;
  /** Says that state was written for this stanza: from now on it is answered whatever happens. */
  commit(): void;
}

/**
 * A guard that records a stanza after those before it. Recorded in the order in which decryption happens to end, the
 * earlier of two stanzas would be `decreasing` and lost.
 */
function recordInTurn(guard: ReplayGuard, turn: Turn): ReplayGuard {
  const { store } = guard;
  return new ReplayGuard({
    since: () => store.since(),
    has: (entry) => store.has(entry),
    async record(entry, options) {
      await turn.before;
      turn.signal.throwIfAborted();
      turn.commit();
      return store.record(entry, options);
    },
  });
}

type Answer<T> = T | ManyFailure;

interface Slot<T> {
  committed: boolean;
  answer: Answer<T> | undefined;
  /** What was thrown that is no answer: a wrong argument, or the reason of an abort. */
  thrown: { readonly error: unknown } | undefined;
  readonly begin: () => Promise<void>;
  readonly done: Promise<void>;
}

interface State {
  /** What is thrown at the end, once everything that can be is answered. */
  failure: { readonly error: unknown } | undefined;
  /** Every stanza read is done. */
  last: Promise<void>;
  index: number;
  running: number;
  reading: boolean;
  ended: boolean;
}

/** What becomes of one stanza. An E2eError is its answer; anything else that is thrown ends the whole. */
export type Task<T> = (stanza: object | string, index: number, turn: Turn) => Promise<T>;

/**
 * Works on the stanzas of a source side by side and answers in order, as {@link openMany} describes.
 *
 * @param concurrency tasks at the same time; twice as many stanzas are read
 * @throws {TypeError} for something that is no source of stanzas
 */
export function many<T>(
  source: StanzaSource,
  concurrency: number,
  signal: AbortSignal | undefined,
  task: Task<T>,
): AsyncGenerator<Answer<T>, void, undefined> {
  // A string iterates over its characters, which is never what is meant.
  if (typeof source !== 'object' || (source as unknown) === null) throw new TypeError('no source of stanzas');
  if (!(Symbol.asyncIterator in source) && !(Symbol.iterator in source)) throw new TypeError('no source of stanzas');
  return work(source, concurrency, signal, task);
}

async function* work<T>(
  source: StanzaSource,
  concurrency: number,
  signal: AbortSignal | undefined,
  task: Task<T>,
): AsyncGenerator<Answer<T>, void, undefined> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const stop = new AbortController();
  const queue: Slot<T>[] = [];
  const waiting: Slot<T>[] = [];
  const state: State = {
    failure: undefined,
    last: Promise.resolve(),
    index: 0,
    running: 0,
    reading: false,
    ended: false,
  };
  let wake: () => void = () => undefined;

  const read = async (): Promise<void> => {
    state.reading = true;
    try {
      const step = await iterator.next();
      if (step.done === true) state.ended = true;
      else if (!stop.signal.aborted) enter(step.value);
    } catch (error) {
      state.failure ??= { error };
      state.ended = true;
    }
    state.reading = false;
    pump();
  };
  const enter = (stanza: object | string): void => {
    const slot = slotFor(task, stanza, state.index++, state.last, stop.signal);
    const before = state.last;
    // A stanza that fails at once must not let those behind it overtake the ones before.
    state.last = before.then(() => slot.done);
    queue.push(slot);
    waiting.push(slot);
  };
  const pump = (): void => {
    while (state.running < concurrency && !stop.signal.aborted) {
      const next = waiting.shift();
      if (next === undefined) break;
      state.running++;
      void next.begin().then(() => {
        state.running--;
        pump();
      });
    }
    if (!state.reading && !state.ended && !stop.signal.aborted && queue.length < 2 * concurrency) void read();
    wake();
  };
  const aborted = (): void => {
    state.failure ??= { error: signal?.reason };
    stop.abort(signal?.reason);
    wake();
  };
  signal?.addEventListener('abort', aborted, { once: true });
  if (signal?.aborted === true) aborted();

  try {
    pump();
    for (;;) {
      const [head] = queue;
      if (head === undefined ? state.ended || stop.signal.aborted : isOver(head, stop.signal)) {
        if (head === undefined) break;
        queue.shift();
        pump();
        if (head.answer !== undefined) yield head.answer;
        else if (!stop.signal.aborted) {
          state.failure ??= head.thrown;
          stop.abort(head.thrown?.error);
        }
        continue;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
    if (state.failure !== undefined) throw state.failure.error;
  } finally {
    signal?.removeEventListener('abort', aborted);
    stop.abort();
    if (!state.ended) close(iterator);
  }
}

/** Whether nothing more is to come from a stanza. After an abort only what has written state is waited for. */
function isOver(slot: Slot<unknown>, stop: AbortSignal): boolean {
  if (slot.answer !== undefined || slot.thrown !== undefined) return true;
  return stop.aborted && !slot.committed;
}

function slotFor<T>(
  task: Task<T>,
  stanza: object | string,
  index: number,
  before: Promise<void>,
  signal: AbortSignal,
): Slot<T> {
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const commit = (): void => void (slot.committed = true);
  const begin = async (): Promise<void> => {
    try {
      slot.answer = await task(stanza, index, { signal, before, commit });
    } catch (error) {
      if (error instanceof E2eError) slot.answer = { ok: false, index, error };
      else slot.thrown = { error };
    }
    finish();
  };
  const slot: Slot<T> = { committed: false, answer: undefined, thrown: undefined, begin, done };
  return slot;
}

/** Tells the source that no more is wanted. It may be in the middle of something, so nobody waits for it. */
function close(iterator: Iterator<unknown> | AsyncIterator<unknown>): void {
  void Promise.resolve()
    .then(() => iterator.return?.())
    .catch(() => undefined);
}
