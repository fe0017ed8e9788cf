/** The errors of verified content: what a peer signed is damaged or breaks its format. */

import { E2eError } from '../errors.ts';

/** PAYLOAD_INVALID at the `parse` stage. */
export function invalid(reason: string, subject?: string): E2eError {
  return new E2eError('ERR_E2E_PAYLOAD_INVALID', 'parse', { reason, subject });
}

/**
 * Runs a parser of the layers below, whose MALFORMED means PAYLOAD_INVALID here: the content is verified, so the
 * sealed object as such was well-formed.
 */
export function verified<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof E2eError && error.code === 'ERR_E2E_MALFORMED') throw invalid(error.reason ?? 'malformed');
    throw error;
  }
}
