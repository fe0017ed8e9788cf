/**
 * What is pinned for each contact: the keys that may sign, and whether plain stanzas are refused. A pin is a wall around
 * what is trusted already: it makes no certificate trusted, and first use proves nothing (it is where an attacker who is
 * there from the start stays).
 */

import type { Jid } from '../jid/jid.ts';
import { readOptions, oneOf } from './options.ts';
import { readJid } from './stanza.ts';

/** What is pinned for one contact. */
export interface Pins {
  /** Fingerprints of the certificates that may sign, lower-case hexadecimal; none for any that is trusted. */
  readonly keys: readonly string[];
  /** Whether a stanza must be sealed. */
  readonly sealed: boolean;
}

/** Where pins are kept, by bare JID. A rejection means that they cannot be told; the stanza is then refused. */
export interface PinStore {
  get(contact: string): Pins | undefined | Promise<Pins | undefined>;
  /**
   * Changes what is pinned in one atomic step, also between processes that share a store.
   *
   * @param change from what is pinned to what shall be; undefined for nothing. Quick, without effects of its own
   * @returns what is pinned from now on
   */
  update(
    contact: string,
    change: (pins: Pins | undefined) => Pins | undefined,
  ): Pins | undefined | Promise<Pins | undefined>;
}

/** A store in memory. */
export function memoryPinStore(): PinStore {
  const all = new Map<string, Pins>();
  return {
    get: (contact) => all.get(contact),
    update(contact, change) {
      const pins = change(all.get(contact));
      if (pins === undefined) all.delete(contact);
      else all.set(contact, pins);
      return pins;
    },
  };
}

/**
 * What happens to the first good signature of a contact for whom no key is pinned: it is refused, delivered and marked,
 * or delivered and its key pinned.
 */
export type FirstUse = 'refuse' | 'deliver' | 'pin';

/** Options of {@link PinGuard}. */
export interface PinGuardOptions {
  /** `deliver` unless given: pinning is an explicit choice. */
  readonly firstUse?: FirstUse | undefined;
}

/**
 * Keeps what is expected of each contact, for the option `expect`. A stanza signed with another key than those pinned is
 * refused with SIGNER_UNTRUSTED whatever the policy, until {@link PinGuard.pin} says otherwise; the old pin stays.
 */
export class PinGuard {
  readonly store: PinStore;
  readonly firstUse: FirstUse;

  /** @param store in memory unless given */
  constructor(store: PinStore = memoryPinStore(), options: PinGuardOptions = {}) {
    const { firstUse = 'deliver' } = readOptions(options, ['firstUse']);
    this.store = store;
    this.firstUse = oneOf('firstUse', firstUse, ['refuse', 'deliver', 'pin']);
  }

  /** What is pinned for a contact. */
  async pinsOf(contact: Jid | string): Promise<Pins | undefined> {
    return this.store.get(nameOf(contact));
  }

  /**
   * Pins a key, by an explicit act.
   *
   * @param fingerprint as in a verdict, lower-case hexadecimal
   * @param mode `add` keeps the keys that are pinned
   * @throws {TypeError} for something that is no fingerprint
   */
  async pin(contact: Jid | string, fingerprint: string, mode: 'add' | 'replace' = 'replace'): Promise<void> {
    if (!isFingerprint(fingerprint)) throw new TypeError('a fingerprint is 32 to 128 lower-case hexadecimal digits');
    oneOf('mode', mode, ['add', 'replace']);
    await this.store.update(nameOf(contact), (pins) => {
      const others = mode === 'add' ? (pins?.keys ?? []).filter((key) => key !== fingerprint) : [];
      return pinsWith([...others, fingerprint], pins?.sealed ?? false);
    });
  }

  /** Refuses plain stanzas of a contact from now on, or no longer. */
  async requireSealed(contact: Jid | string, required = true): Promise<void> {
    await this.store.update(nameOf(contact), (pins) => pinsWith(pins?.keys ?? [], required));
  }

  /** Forgets what is pinned for a contact. */
  async forget(contact: Jid | string): Promise<void> {
    await this.store.update(nameOf(contact), () => undefined);
  }
}

/** Pins as they are kept; undefined where they say nothing. */
export function pinsWith(keys: readonly string[], sealed: boolean): Pins | undefined {
  return keys.length === 0 && !sealed ? undefined : Object.freeze({ keys: Object.freeze([...keys]), sealed });
}

/** Whether a text has the form of a fingerprint. */
export function isFingerprint(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{32,128}$/.test(text);
}

function nameOf(contact: Jid | string): string {
  return readJid('contact', contact).bare().toString();
}
