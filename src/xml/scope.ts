/** The namespaces in scope (Namespaces in XML 1.0 section 6.1), with constant cost for each look-up and declaration. */

import { XML, XMLNS } from './namespaces.ts';

/** A declaration to take back when its element ends. */
export type Shadowed = readonly [prefix: string, namespace: string | undefined];

/**
 * Prefixes and their namespaces while a tree is walked in document order.
 *
 * One map with a log of what each element shadowed: copying the map for each element, or walking up through the
 * ancestors for each name, lets a small document cost quadratic time.
 */
export class Scope {
  readonly #bindings = new Map<string, string>();

  /** @param defaultNamespace what names without a prefix mean outside any declaration */
  constructor(defaultNamespace: string) {
    this.#bindings.set('xml', XML).set('', defaultNamespace);
  }

  /** The namespace of a prefix, or undefined when it is not declared. */
  get(prefix: string): string | undefined {
    return this.#bindings.get(prefix);
  }

  /** Declares a prefix; the result goes to {@link Scope.leave} when the element ends. */
  declare(prefix: string, namespace: string): Shadowed {
    const shadowed: Shadowed = [prefix, this.#bindings.get(prefix)];
    this.#bindings.set(prefix, namespace);
    return shadowed;
  }

  /** Takes declarations back. */
  leave(shadowed: readonly Shadowed[]): void {
    for (const [prefix, namespace] of shadowed) {
      if (namespace === undefined) this.#bindings.delete(prefix);
      else this.#bindings.set(prefix, namespace);
    }
  }
}

/** Whether a prefix may be bound to a namespace: `xml` and `xmlns` are settled (Namespaces in XML 1.0 section 3). */
export function isBindable(prefix: string, namespace: string): boolean {
  return (prefix === 'xml') === (namespace === XML) && prefix !== 'xmlns' && namespace !== XMLNS;
}
