/** The error for what a runtime lacks. */

import { E2eError } from '../errors.ts';

/** For an algorithm that the runtime does not have, to throw. */
export function unsupported(): E2eError {
  return new E2eError('ERR_E2E_UNSUPPORTED', 'check', { reason: 'cryptographic algorithm' });
}
