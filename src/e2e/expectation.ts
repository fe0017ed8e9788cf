/** What is expected of the sender of one stanza: that it comes sealed, and signed with a pinned key. */

import { E2eError, type PinStatus } from '../errors.ts';
import type { Envelope } from './check.ts';
import { type FirstUse, isFingerprint, PinGuard, type Pins, pinsWith } from './pins.ts';
import { isArchive, isSent } from './timeliness.ts';
import { guardStore } from './timing.ts';

/** What is expected of the sender of one stanza. */
export interface Expectation {
  /** Refuse a plain stanza with DOWNGRADE instead of NOT_SEALED. */
  readonly sealed?: boolean | undefined;
  /** Fingerprints of the certificates that may sign, lower-case hexadecimal. */
  readonly keys?: readonly string[] | undefined;
}

/** What is expected, as found for one stanza. */
export interface Expected {
  readonly pins: Pins | undefined;
  /** Undefined where no guard was asked. */
  readonly firstUse: FirstUse | undefined;
  readonly guard: PinGuard | undefined;
}

const nothing: Expected = Object.freeze({ pins: undefined, firstUse: undefined, guard: undefined });

/**
 * Checks the option `expect`.
 *
 * @throws {TypeError} for something else than a guard or an expectation
 */
export function readExpectation(expect: PinGuard | Expectation | undefined): PinGuard | Expectation | undefined {
  if (expect === undefined || expect instanceof PinGuard) return expect;
  const plain = typeof expect === 'object' && (expect as unknown) !== null && !Array.isArray(expect);
  if (!plain || Object.keys(expect).some((name) => name !== 'sealed' && name !== 'keys')) {
    throw new TypeError('option expect must be a PinGuard, or { sealed, keys }');
  }
  const { sealed, keys } = expect;
  const rightKeys = keys === undefined || (Array.isArray(keys) && keys.length > 0 && keys.every(isFingerprint));
  if (!rightKeys || (sealed !== undefined && typeof sealed !== 'boolean')) {
    throw new TypeError('option expect must have sealed: boolean and keys: fingerprints, or one of them');
  }
  return { sealed, keys };
}

/**
 * What is expected of the sender of a stanza.
 *
 * @throws {E2eError} STORE_FAILED where it cannot be told
 */
export async function expectedOf(
  expect: PinGuard | Expectation | undefined,
  { from, context }: Envelope,
): Promise<Expected> {
  // My own copies are signed with my own keys.
  if (expect === undefined || isSent(context)) return nothing;
  if (expect instanceof PinGuard) {
    const pins = await guardStore(() => expect.store.get(from.bare().toString()));
    return { pins, firstUse: expect.firstUse, guard: expect };
  }
  return { pins: pinsWith(expect.keys ?? [], expect.sealed ?? false), firstUse: undefined, guard: undefined };
}

/** Whether nothing but a good signature will do. */
export function requiresSignature({ pins }: Expected): boolean {
  return pins !== undefined;
}

/**
 * The error for a stanza that is not sealed.
 *
 * @throws {E2eError} DOWNGRADE where a sealed one is expected
 */
export function refusePlain({ pins }: Expected): void {
  if (pins === undefined) return;
  throw new E2eError('ERR_E2E_DOWNGRADE', 'unwrap', { reason: 'a sealed stanza is expected of this sender' });
}

/**
 * Refuses a good signature by a key that is not pinned where others are.
 *
 * @throws {E2eError} SIGNER_UNTRUSTED
 */
export function requirePinned(expected: Expected, fingerprint: string | undefined, found: { pin?: PinStatus }): void {
  const { pins, firstUse } = expected;
  if (pins === undefined && firstUse === undefined) {
    found.pin = 'off';
    return;
  }
  const keys = pins?.keys ?? [];
  found.pin =
    keys.length === 0 ? 'none' : fingerprint !== undefined && keys.includes(fingerprint) ? 'match' : 'changed';
  if (found.pin === 'changed') throw changed();
  if (found.pin === 'none' && firstUse === 'refuse') {
    throw new E2eError('ERR_E2E_SIGNER_UNTRUSTED', 'check', { reason: 'no key is pinned for the sender' });
  }
}

/**
 * Pins the key of a stanza that passed every check, where that is chosen and nothing is pinned.
 *
 * @throws {E2eError} SIGNER_UNTRUSTED where another key was pinned meanwhile; STORE_FAILED
 */
export async function pinAtFirstUse(
  { firstUse, guard }: Expected,
  { from, context }: Envelope,
  fingerprint: string | undefined,
  found: { pin?: PinStatus },
): Promise<PinStatus> {
  const pin = found.pin ?? 'off';
  const first = pin === 'none' && firstUse === 'pin' && guard !== undefined && !isArchive(context);
  if (!first || !isFingerprint(fingerprint)) return pin;
  const pins = await guardStore(() =>
    guard.store.update(from.bare().toString(), (now) =>
      now !== undefined && now.keys.length > 0 ? now : pinsWith([fingerprint], now?.sealed ?? false),
    ),
  );
  if (pins?.keys.includes(fingerprint) === true) return 'first';
  found.pin = 'changed';
  throw changed();
}

function changed(): E2eError {
  return new E2eError('ERR_E2E_SIGNER_UNTRUSTED', 'check', { reason: 'another key is pinned for the sender' });
}
