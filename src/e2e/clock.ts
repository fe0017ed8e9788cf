/** The sending clock: strictly increasing in microseconds, whatever the system clock does (RFC 3923 section 6.9). */

/** Gives the signed times of one sending device. */
export interface SendingClock {
  /** The next instant, in nanoseconds since 1970: later than every one before it. */
  next(): bigint | Promise<bigint>;
}

/** Where a clock keeps its newest instant across restarts. */
export interface ClockStore {
  /** The newest instant handed out, or undefined at the first start. */
  read(): Promise<bigint | undefined>;
  /** Keeps an instant; durable when the promise settles. */
  write(nanoseconds: bigint): Promise<void>;
}

/**
 * A clock in memory.
 *
 * @param now milliseconds since 1970, `Date.now` unless given
 * @param last the newest instant handed out before
 */
export function sendingClock(now: () => number = Date.now, last = 0n): SendingClock {
  return {
    next(): bigint {
      const current = BigInt(now()) * 1_000_000n;
      last = current > last ? current : last + 1000n;
      return last;
    },
  };
}

/** The clock of whoever gives none of its own: one for the process. */
export const processClock: SendingClock = sendingClock();
