/** Work done one piece after another: the order of stanzas is part of what they say (RFC 6120 section 10.1). */

import { E2eError } from '../errors.ts';

/** Runs tasks in the order of the calls. */
export type InOrder = <T>(task: (signal: AbortSignal | undefined) => Promise<T>, signal?: AbortSignal) => Promise<T>;

/**
 * Makes a queue of its own. A task that fails, or takes too long, does not stop the ones behind it.
 *
 * @param seconds time a task may take; then it is given up with KEY_UNAVAILABLE, since only a key store or a card can
 * take that long
 */
export function inOrder(seconds: number): InOrder {
  let tail: Promise<unknown> = Promise.resolve();
  return (task, signal) => {
    const result = tail.then(() => bounded(task, seconds, signal));
    tail = result.catch(() => undefined);
    return result;
  };
}

async function bounded<T>(
  task: (signal: AbortSignal | undefined) => Promise<T>,
  seconds: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted();
  const giveUp = new AbortController();
  const tooLong = new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'check', { reason: `not done within ${seconds} s` });
  const timer = setTimeout(() => giveUp.abort(tooLong), seconds * 1000);
  const aborted = (): void => giveUp.abort(signal?.reason);
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    return await Promise.race([task(giveUp.signal), rejection(giveUp.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}

/** A task that never looks at its signal must not hold up the queue either. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
