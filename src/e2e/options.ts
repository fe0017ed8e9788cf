/** Reading options objects: each option once, unknown names refused. */

/**
 * Copies an options object, so that a getter cannot answer one way when an option is checked and another way when it
 * is used.
 *
 * @param options the caller's object
 * @param known every option there is
 * @throws {TypeError} for something that is no object, or an unknown option
 */
export function readOptions<T extends object>(options: T, known: readonly (keyof T & string)[]): Readonly<T> {
  if (typeof options !== 'object' || (options as unknown) === null) throw new TypeError('options must be an object');
  const copy: Partial<Record<string, unknown>> = {};
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) throw new TypeError(`unknown option ${name}`);
    copy[name] = (options as Record<string, unknown>)[name];
  }
  return copy as T;
}

/**
 * Refuses a value outside a fixed set.
 *
 * @throws {TypeError} naming the option and its choices
 */
export function oneOf<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (!choices.includes(value)) throw new TypeError(`option ${name} must be one of ${choices.join(', ')}`);
  return value;
}

/**
 * The clock reading that a call works with.
 *
 * @throws {TypeError} for an `at` that is no valid Date
 */
export function readAt(at: Date | undefined): Date {
  if (at === undefined) return new Date();
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new TypeError('option at must be a valid Date');
  return at;
}
