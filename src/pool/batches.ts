/** Many small tasks as few large ones: what a thread is told, and what it answers, costs as much as a stanza each time. */

/** How many batches are under way at once, in all that uses one pool. */
export interface Gate {
  /** Batches that threads can work on at the same time. */
  readonly threads: number;
  /** Batches under way, the ones waiting for a thread included. */
  running: number;
  /** What would send a batch if it could, in the order of asking. */
  readonly waiting: Set<() => void>;
}

/** Makes the gate of a pool. For each thread two batches are worked on and one is ready. */
export function gate(threads: number): Gate {
  return { threads, running: 0, waiting: new Set() };
}

/** An item, and who waits for what becomes of it. */
export interface Pending<I, O> {
  readonly item: I;
  readonly resolve: (output: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes the function that gives items away in batches.
 *
 * A batch goes when it is full, or when a thread has nothing to do: a slow source is not held up for company.
 *
 * @param size items in a full batch
 * @param send one batch: resolves its items, and returns when a thread is free for the next; what it throws goes to all
 * items that it did not resolve
 */
export function batches<I, O>(
  gate: Gate,
  size: number,
  send: (batch: readonly Pending<I, O>[]) => Promise<void>,
): (item: I) => Promise<O> {
  const pending: Pending<I, O>[] = [];
  let scheduled = false;

  const flush = (): void => {
    scheduled = false;
    gate.waiting.delete(flush);
    while (pending.length > 0) {
      const places = gate.threads * (pending.length < size ? 1 : 3);
      if (gate.running >= places) {
        gate.waiting.add(flush);
        return;
      }
      void deliver(pending.splice(0, size));
    }
  };
  const deliver = async (batch: readonly Pending<I, O>[]): Promise<void> => {
    gate.running++;
    try {
      await send(batch);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    gate.running--;
    for (const next of [...gate.waiting]) next();
  };
  return (item) =>
    new Promise((resolve, reject) => {
      pending.push({ item, resolve, reject });
      if (pending.length >= size) flush();
      else if (!scheduled) {
        scheduled = true;
        setImmediate(flush);
      }
    });
}
