/** An error of use: which exit code, and one line that says what to do. */

import type { ExitName } from './exit-codes.ts';

/** Ends the command with an exit code and one line on stderr. */
export class CliError extends Error {
  readonly exit: ExitName;

  /**
   * @param exit the exit code's name
   * @param line what is wrong, and what to do about it
   */
  constructor(exit: ExitName, line: string) {
    super(line);
    this.exit = exit;
  }
}
