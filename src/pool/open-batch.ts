/**
 * A batch at a worker: what it asks about the state of the account is answered here, in the order of the source
 * (RFC 3923 section 6.9).
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Turn } from '../e2e/many.ts';
import { E2eError, type Pins, type PinStore, type ReplayStore } from '../index.ts';
import type { Pending } from './batches.ts';
import type { Answer, FromWorker, OpenJob, Question, SealJob, Told, ToWorker } from './job.ts';
import { packError, type Wire } from './wire.ts';

/** Gives a worker something to do, by the name of one of its functions. */
export type Run = (
  name: 'open' | 'seal',
  job: OpenJob<MessagePort> | SealJob,
  transferList: MessagePort[],
) => Promise<unknown>;

/** A stanza to open. */
export interface Opening {
  readonly stanza: Wire | string;
  readonly place: Place;
  readonly signal: AbortSignal;
}

/** A stanza's place in the order in which stanzas are recorded. */
export interface Place {
  /** Answers a question about this stanza, when it is its turn. */
  answer(question: Question): Promise<Answer>;
  /** Lets the next one be recorded. */
  done(): void;
}

/**
 * Gives stanzas their places, in the order of the calls. Recorded in the order in which workers end, the earlier of two
 * stanzas would be `decreasing` and lost.
 */
export function recording(store: ReplayStore | undefined, pins: PinStore | undefined): (turn: Turn) => Place {
  let last: Promise<void> = Promise.resolve();
  return (turn) => {
    const before = last;
    let done: () => void = () => undefined;
    const self = new Promise<void>((resolve) => (done = resolve));
    // One that fails at once must not let those behind it overtake the ones before.
    last = before.then(() => self);
    return {
      done,
      async answer(question) {
        if (question.step === 'pins') return pins?.get(question.contact);
        if (question.step === 'pin') return changePins(pins, question);
        if (store === undefined) throw new E2eError('ERR_E2E_STORE_FAILED', 'check');
        if (question.step === 'has') return store.has(question.entry);
        await turnOrAbort(before, turn.signal);
        turn.signal.throwIfAborted();
        turn.commit();
        try {
          return await store.record(question.entry, question.options);
        } finally {
          done();
        }
      },
    };
  };
}

async function changePins(
  store: PinStore | undefined,
  { contact, now, next }: Extract<Question, { readonly step: 'pin' }>,
): Promise<Answer> {
  let changed = false;
  const pins = await store?.update(contact, (current) => {
    changed = samePins(current, now);
    return changed ? next : current;
  });
  return { changed, pins };
}

function samePins(a: Pins | undefined, b: Pins | undefined): boolean {
  return a?.sealed === b?.sealed && a?.keys.join() === b?.keys.join();
}

const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Has a function called when a signal aborts, or at once. One listener serves them all: Node warns of more than ten.
 *
 * @returns what takes it back
 */
function onAbort(signal: AbortSignal, call: () => void): () => void {
  if (signal.aborted) call();
  let calls = listeners.get(signal);
  if (calls === undefined) {
    const all = (calls = new Set());
    listeners.set(signal, all);
    signal.addEventListener('abort', () => all.forEach((one) => one()), { once: true });
  }
  calls.add(call);
  return () => calls.delete(call);
}

/** Waits for the stanzas before, which after an abort may never be done. */
async function turnOrAbort(before: Promise<void>, signal: AbortSignal): Promise<void> {
  let forget: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => (forget = onAbort(signal, resolve)));
  await Promise.race([before, aborted]);
  forget();
}

/**
 * Has a worker open a batch, and hands out what becomes of each stanza as soon as it is known.
 *
 * @returns when the worker is done; stanzas that an abort left alone have got nothing
 */
export async function openBatch(
  run: Run,
  batch: readonly Pending<Opening, Told<Wire>>[],
  rest: Omit<OpenJob<never>, 'port' | 'stanzas'>,
): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const say = (words: ToWorker): void => port1.postMessage(words);
  let answers: (readonly [number, Told<Answer>])[] = [];
  const answer = async (index: number, question: Question): Promise<void> => {
    const told = await answerOf(batch[index]!.item.place, question);
    if (answers.push([index, told]) > 1) return;
    // What comes up in one turn of the event loop goes in one message.
    setImmediate(() => {
      say(answers);
      answers = [];
    });
  };
  const ended = new Promise<void>((resolve) => {
    port1.on('message', ({ questions, results, end }: FromWorker) => {
      for (const [index, result] of results) batch[index]!.resolve(result);
      for (const [index, question] of questions) void answer(index, question);
      if (end) resolve();
    });
  });
  const forget = onAbort(batch[0]!.item.signal, () => say('abort'));
  try {
    const job: OpenJob<MessagePort> = { ...rest, port: port2, stanzas: batch.map(({ item }) => item.stanza) };
    await run('open', job, [port2]);
    // What the worker said last may still be on its way.
    await ended;
  } finally {
    forget();
    port1.close();
  }
}

async function answerOf(place: Place, question: Question): Promise<Told<Answer>> {
  try {
    return { value: await place.answer(question) };
  } catch (error) {
    // A store that cannot answer, or an abort: nobody waits for that stanza any more.
    return { error: packError(error instanceof E2eError ? error : new E2eError('ERR_E2E_STORE_FAILED', 'check')) };
  }
}
