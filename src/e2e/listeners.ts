/** Events with typed arguments. */

/** Listeners by event. */
export class Listeners<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Adds a listener; the function returned removes it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    // Wrapped, so that a function added twice is called twice and removed once.
    const entry = (event: Events[Name]): void => listener(event);
    const entries = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, entries.add(entry));
    return () => void entries.delete(entry);
  }

  /** Calls the listeners in order. What one throws is reported as uncaught, and changes nothing for the stanza. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (event: Events[Name]) => void)(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
