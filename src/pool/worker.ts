/** What runs in a worker: everything about a stanza but the state of the account, which stays in the main thread. */

import { type MessagePort, workerData } from 'node:worker_threads';
import {
  E2eError,
  openStanza,
  PinGuard,
  type Pins,
  type PinStore,
  type RecordOptions,
  type ReplayEntry,
  ReplayGuard,
  type ReplayOutcome,
  sealStanza,
  type SecurityBackend,
  type SendingClock,
} from '../index.ts';
import type {
  Answer,
  BackendsModule,
  FromWorker,
  OpenJob,
  Question,
  SealJob,
  Told,
  ToWorker,
  WorkerStart,
} from './job.ts';
import { pack, packError, unpack, unpackError, type Wire } from './wire.ts';

let made: Promise<readonly SecurityBackend[]> | undefined;

function backends(): Promise<readonly SecurityBackend[]> {
  return (made ??= make(workerData as WorkerStart));
}

async function make({ module, keys }: WorkerStart): Promise<readonly SecurityBackend[]> {
  const loaded = await load(module);
  if (typeof loaded.backends !== 'function') throw new TypeError(`${module} exports no function backends`);
  return loaded.backends(keys as never);
}

async function load(module: string): Promise<Partial<BackendsModule>> {
  try {
    return (await import(module)) as Partial<BackendsModule>;
  } catch (error) {
    // What a loader throws does not always survive the way to the main thread.
    const why = String((error as Partial<Error> | undefined)?.message);
    // eslint-disable-next-line preserve-caught-error -- it could not be sent
    throw new Error(`${module} cannot be imported: ${why}`);
  }
}

/** What more of a batch would be in work at the same time would live long enough to be copied by garbage collections. */
const lanes = 32;

/**
 * Opens a batch, many of its stanzas at the same time: while one waits for an answer of the main thread, or for a
 * primitive that works in a thread of its own, the others go on.
 */
export async function open({ port, stanzas, options, since, firstUse }: OpenJob<MessagePort>): Promise<void> {
  const all = await backends();
  const { expect: given, ...rest } = options;
  const stop = new AbortController();
  const line = lineTo(port, () => stop.abort());
  const one = async (stanza: Wire | string, index: number): Promise<Wire> => {
    const store = {
      since: () => value(since as Told<bigint>),
      has: async (entry: ReplayEntry) => (await line.ask(index, { step: 'has', entry })) as boolean,
      record: async (entry: ReplayEntry, how: RecordOptions) =>
        (await line.ask(index, { step: 'record', entry, options: how })) as ReplayOutcome,
    };
    const replay = typeof since === 'object' ? new ReplayGuard(store) : since;
    const ask = (question: Question): Promise<Answer> => line.ask(index, question);
    const expect = firstUse === undefined ? given : new PinGuard(pinsBy(ask), { firstUse });
    const input = typeof stanza === 'string' ? stanza : (unpack(stanza) as object);
    return pack(await openStanza(input, { backends: all, replay, expect, signal: stop.signal, ...rest }));
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < stanzas.length) {
      const index = next++;
      try {
        line.tell(index, await told(() => one(stanzas[index]!, index)));
      } catch (error) {
        // After an abort nobody waits for a result.
        if (!stop.signal.aborted) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  line.end();
}

/** Seals a batch. */
export async function seal({ stanzas, options }: SealJob): Promise<readonly Told<Wire>[]> {
  const all = await backends();
  const { backend: name, ...rest } = options;
  const backend = name === undefined ? all[0] : all.find((one) => one.name === name);
  if (backend === undefined) throw new TypeError(name === undefined ? 'no backends' : `no backend named ${name}`);
  return Promise.all(
    stanzas.map(({ stanza, time }) =>
      told(async () => {
        const clock: SendingClock = { next: () => value(time) };
        return pack(
          await sealStanza(typeof stanza === 'string' ? stanza : (unpack(stanza) as object), {
            backend,
            clock,
            ...rest,
          }),
        );
      }),
    ),
  );
}

/** The pins of the main thread: a change is made there only if they are still what it was worked out from. */
function pinsBy(ask: (question: Question) => Promise<Answer>): PinStore {
  const get = async (contact: string): Promise<Pins | undefined> =>
    (await ask({ step: 'pins', contact })) as Pins | undefined;
  return {
    get,
    async update(contact, change) {
      for (let now = await get(contact); ;) {
        const answer = await ask({ step: 'pin', contact, now, next: change(now) });
        const { changed, pins } = answer as { changed: boolean; pins: Pins | undefined };
        if (changed) return pins;
        now = pins;
      }
    },
  };
}

interface Line {
  ask(index: number, question: Question): Promise<Answer>;
  tell(index: number, result: Told<Wire>): void;
  end(): void;
}

/** What comes up in one turn of the event loop goes in one message: a message costs more than most of what it says. */
function lineTo(port: MessagePort, abort: () => void): Line {
  const open = new Map<number, { resolve: (value: Answer) => void; reject: (error: E2eError) => void }>();
  let questions: [number, Question][] = [];
  let results: [number, Told<Wire>][] = [];
  let scheduled = false;
  const flush = (end = false): void => {
    scheduled = false;
    port.postMessage({ questions, results, end } satisfies FromWorker);
    questions = [];
    results = [];
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => scheduled && flush());
  };
  port.on('message', (message: ToWorker) => {
    if (message === 'abort') {
      // Open questions are answered all the same: what is recorded already is delivered.
      abort();
      return;
    }
    for (const [index, answer] of message) {
      const asked = open.get(index);
      open.delete(index);
      if ('error' in answer) asked?.reject(unpackError(answer.error));
      else asked?.resolve(answer.value);
    }
  });
  return {
    ask: (index, question) =>
      new Promise((resolve, reject) => {
        open.set(index, { resolve, reject });
        questions.push([index, question]);
        schedule();
      }),
    tell(index, result) {
      results.push([index, result]);
      schedule();
    },
    end: () => flush(true),
  };
}

function value<T>(given: Told<T>): T {
  if ('error' in given) throw unpackError(given.error);
  return given.value;
}

async function told<T>(work: () => Promise<T>): Promise<Told<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof E2eError) return { error: packError(error) };
    throw error;
  }
}
