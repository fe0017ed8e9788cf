/** What the stores of a browser say when its database fails. */

import { E2eError } from '../errors.ts';

/** @param cause what the database threw, for a debugger's eyes */
export function storeFailed(cause: unknown): E2eError {
  if (cause instanceof E2eError) return cause;
  const error = new E2eError('ERR_E2E_STORE_FAILED', 'check', { reason: 'the browser database failed' });
  error.cause = cause;
  return error;
}
