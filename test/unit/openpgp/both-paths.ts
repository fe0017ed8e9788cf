/** Opens everything twice, by the fast path and by the long way through openpgp.js, and expects the same of both. */
import { expect } from 'vitest';
import type { SecurityBackend } from '../../../src/backends/backend.ts';
import { withoutFastPath } from '../../../src/backends/openpgp/fast/path.ts';
import { E2eError } from '../../../src/errors.ts';
import { Jid } from '../../../src/jid/jid.ts';

interface Outcome<T> {
  readonly value?: T;
  readonly error?: unknown;
  /** All that can be seen of it. */
  readonly facts: string;
}

async function outcomeOf<T>(open: () => Promise<T>): Promise<Outcome<T>> {
  try {
    const value = await open();
    return { value, facts: describe(value) };
  } catch (error) {
    if (!(error instanceof E2eError)) return { error, facts: String(error) };
    const { code, stage, message, reason, encryption, verdict } = error;
    return { error, facts: describe({ code, stage, message, reason, encryption, verdict }) };
  }
}

function describe(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, name, given: unknown) {
    // As it was before its own toJSON.
    const original = name === '' ? given : this[name];
    if (original instanceof Uint8Array) return Buffer.from(original).toString('latin1');
    return original instanceof Jid ? original.toString() : given;
  });
}

/** What a call gives or throws, which is the same of another. */
export async function sameOutcome<T>(call: () => Promise<T>, other: () => Promise<T>): Promise<T> {
  const one = await outcomeOf(call);
  const two = await outcomeOf(other);
  expect(one.facts).toBe(two.facts);
  if ('error' in one) throw one.error;
  return one.value!;
}

/** What a call gives or throws, which is the same by either path. */
export async function bothPaths<T>(open: () => Promise<T>): Promise<T> {
  return sameOutcome(open, () => withoutFastPath(open));
}

/** A backend that opens everything both ways. */
export function openingBothWays<B extends SecurityBackend>(backend: B): B {
  return {
    ...backend,
    decrypt: (request) => bothPaths(() => backend.decrypt(request)),
    verify: (request) => bothPaths(() => backend.verify(request)),
  };
}
