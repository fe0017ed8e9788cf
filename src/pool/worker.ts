/** What runs in a worker: everything about a stanza but the state of the account, which stays in the main thread. */

import { workerData } from 'node:worker_threads';
import {
  E2eError,
  openStanza,
  type ReplayStore,
  ReplayGuard,
  sealStanza,
  type SecurityBackend,
  type SendingClock,
} from '../index.ts';
import type { Asked, BackendsModule, OpenJob, OpenReply, Remaining, SealJob, SealReply, WorkerStart } from './job.ts';
import { pack, packError, unpack, unpackError } from './wire.ts';

/** While one stanza waits for a primitive that works in a thread of its own, the next ones go on. */
const lanes = 4;

let made: Promise<readonly SecurityBackend[]> | undefined;

function backends(): Promise<readonly SecurityBackend[]> {
  return (made ??= make(workerData as WorkerStart));
}

async function make({ module, keys }: WorkerStart): Promise<readonly SecurityBackend[]> {
  const loaded = (await import(module)) as Partial<BackendsModule>;
  if (typeof loaded.backends !== 'function') throw new TypeError(`${module} exports no function backends`);
  return loaded.backends(keys as never);
}

/** Opens a batch. */
export async function open({ stanzas, options, since }: OpenJob): Promise<readonly OpenReply[]> {
  const all = await backends();
  return inLanes(stanzas, async (stanza) => {
    let remaining: Remaining | undefined;
    const store: ReplayStore = {
      since: () => answer(since as Asked),
      has(entry) {
        remaining = { step: 'look-up', entry };
        return false;
      },
      record(entry, how) {
        remaining = { step: 'record', entry, options: how };
        return 'new';
      },
    };
    const replay = typeof since === 'object' ? new ReplayGuard(store) : since;
    const opened = await openStanza(unpack(stanza) as object | string, { ...options, backends: all, replay });
    return { opened: pack(opened), remaining };
  });
}

/** Seals a batch. */
export async function seal({ stanzas, options }: SealJob): Promise<readonly SealReply[]> {
  const all = await backends();
  const { backend: name, ...rest } = options;
  const backend = name === undefined ? all[0] : all.find((one) => one.name === name);
  if (backend === undefined) throw new TypeError(name === undefined ? 'no backends' : `no backend named ${name}`);
  return inLanes(stanzas, async ({ stanza, time }) => {
    const clock: SendingClock = { next: () => answer(time) };
    return { sealed: pack(await sealStanza(unpack(stanza) as object | string, { ...rest, backend, clock })) };
  });
}

function answer(asked: Asked): bigint {
  if ('error' in asked) throw unpackError(asked.error);
  return asked.value;
}

async function inLanes<I, O>(
  items: readonly I[],
  work: (item: I) => Promise<O>,
): Promise<readonly (O | { readonly error: ReturnType<typeof packError> })[]> {
  const results: (O | { readonly error: ReturnType<typeof packError> })[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) {
      try {
        results[i] = await work(items[i]!);
      } catch (error) {
        if (!(error instanceof E2eError)) throw error;
        results[i] = { error: packError(error) };
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
