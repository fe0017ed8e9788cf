/** Times on the command line. */

import { parseInstant } from '../formats.ts';
import { CliError } from './cli-error.ts';

/**
 * Reads an option that is an RFC 3339 date-time.
 *
 * @param option its name, for the message
 * @throws {CliError} BAD_DATA for what is none
 */
export function readTime(option: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const instant = parseInstant(text);
  if (instant === undefined)
    throw new CliError('BAD_DATA', `${option}: "${text}" is no time; write it like 2026-01-31T12:00:00Z`);
  return new Date(Number(instant.nanoseconds / 1_000_000n));
}
