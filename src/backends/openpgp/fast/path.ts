/**
 * The fast path: common packets on the primitives of the runtime, where those answer at once. It only ever says yes.
 * What it does not take, malformed or forged or merely rare, goes the long way through openpgp.js, which alone refuses:
 * so one place decides what is wrong and with which error, and a refusal takes the same steps whatever its cause.
 */

import { provider } from '#crypto';
import type { PacketPrimitives } from '../../../crypto/packet-primitives.ts';

let turnedOff = 0;

/** The primitives of the fast path; undefined where everything goes the long way, as in browsers. */
export function fastPrimitives(): PacketPrimitives | undefined {
  return turnedOff > 0 ? undefined : provider.packets;
}

/** Sends everything the long way for the time of a call, so that tests can compare the two. */
export async function withoutFastPath<T>(call: () => Promise<T>): Promise<T> {
  turnedOff++;
  try {
    return await call();
  } finally {
    turnedOff--;
  }
}
