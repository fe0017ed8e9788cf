/** What the main thread asks of a worker, and the modules that make backends. */

import type { OpenOptions, RecordOptions, ReplayEntry, SealOptions, SecurityBackend } from '../index.ts';
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

/** Something that the main thread knows, or why it does not. Asked for only where one thread would ask too. */
export type Asked = { readonly value: bigint } | { readonly error: WireError };

/** Options of opening that a thread can be told. */
export type OpenRest = Omit<OpenOptions, 'backends' | 'replay' | 'signal'>;

/** A batch to open. */
export interface OpenJob {
  readonly stanzas: readonly Wire[];
  readonly options: OpenRest;
  /** Since when the replay store is complete; where there is none, the option `replay` as it was given. */
  readonly since: Asked | false | undefined;
}

/** The step that is left to the main thread, since it reads or writes the state of the account. */
export type Remaining =
  | { readonly step: 'record'; readonly entry: ReplayEntry; readonly options: RecordOptions }
  | { readonly step: 'look-up'; readonly entry: ReplayEntry };

/** A worker's answer to one stanza to open. */
export type OpenReply =
  { readonly opened: Wire; readonly remaining: Remaining | undefined } | { readonly error: WireError };

/** Options of sealing that a thread can be told. */
export type SealRest = Omit<SealOptions, 'backend' | 'at' | 'clock' | 'signal'> & {
  readonly backend?: string | undefined;
};

/** A batch to seal, with the signed time of each. */
export interface SealJob {
  readonly stanzas: readonly { readonly stanza: Wire; readonly time: Asked }[];
  readonly options: SealRest;
}

/** A worker's answer to one stanza to seal. */
export type SealReply = { readonly sealed: Wire } | { readonly error: WireError };
