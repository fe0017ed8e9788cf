/** What the main thread and the workers say to each other. */

import type {
  FirstUse,
  OpenOptions,
  Pins,
  RecordOptions,
  ReplayEntry,
  ReplayOutcome,
  SealOptions,
  SecurityBackend,
} from '../index.ts';
import type { Wire, WireError } from './wire.ts';

/** A module whose URL is given to a pool. Every worker imports it. */
export interface BackendsModule {
  /**
   * Makes the backends of one worker.
   *
   * @param keys what was given to the pool as `keys`, copied by structured cloning
   */
  backends(keys: never): readonly SecurityBackend[] | Promise<readonly SecurityBackend[]>;
}

/** What a worker is told when it starts. */
export interface WorkerStart {
  readonly module: string;
  readonly keys: unknown;
}

/** Something that the main thread knows, or why it does not. */
export type Told<T> = { readonly value: T } | { readonly error: WireError };

/** Options of opening that a worker can be told. */
export type OpenRest = Omit<OpenOptions, 'backends' | 'replay' | 'signal' | 'profile' | 'roster' | 'candidates'>;

/** A batch to open. Questions and answers go through a port of its own. */
export interface OpenJob<Port> {
  readonly port: Port;
  readonly stanzas: readonly (Wire | string)[];
  readonly options: OpenRest;
  /** Since when the replay store is complete; where there is none, the option `replay` as it was given. */
  readonly since: Told<bigint> | false | undefined;
  /** What the guard of the option `expect` does at first use; undefined where there is none. */
  readonly firstUse: FirstUse | undefined;
}

/** A question about the state of the account, while a stanza is opened. */
export type Question =
  | { readonly step: 'record'; readonly entry: ReplayEntry; readonly options: RecordOptions }
  | { readonly step: 'has'; readonly entry: ReplayEntry }
  | { readonly step: 'pins'; readonly contact: string }
  | { readonly step: 'pin'; readonly contact: string; readonly now: Pins | undefined; readonly next: Pins | undefined };

/** What is answered: to `pin`, whether the pins were still those of `now`, and what they are. */
export type Answer =
  ReplayOutcome | boolean | Pins | undefined | { readonly changed: boolean; readonly pins: Pins | undefined };

/** What a worker says: questions about stanzas of its batch, by their place in it, and what became of others. */
export interface FromWorker {
  readonly questions: readonly (readonly [index: number, question: Question])[];
  readonly results: readonly (readonly [index: number, result: Told<Wire>])[];
  /** Whether this is the last message. */
  readonly end: boolean;
}

/** What the main thread says: answers, or `abort`. A stanza asks one question at a time. */
export type ToWorker = readonly (readonly [index: number, answer: Told<Answer>])[] | 'abort';

/** Options of sealing that a worker can be told. */
export type SealRest = Omit<SealOptions, 'backend' | 'at' | 'clock' | 'signal'> & {
  readonly backend?: string | undefined;
};

/** A batch to seal, with the signed time of each. */
export interface SealJob {
  readonly stanzas: readonly { readonly stanza: Wire | string; readonly time: Told<bigint> }[];
  readonly options: SealRest;
}
