/**
 * The state of a replay store as a log of lines, and its machine: the same lines in the same order give every process
 * the same state.
 *
 *     log     = header *record
 *     header  = "xmpp-e2e-replay 1 " since SP 16HEXDIG SP sum LF     ; a random name of this file
 *     record  = ( accepted / floor / newest ) SP sum LF
 *     accepted = "+ " digest SP key SP clock SP signed SP received SP ( "ordered" / "unordered" )
 *     floor    = "floor " key SP signed
 *     newest   = "newest " clock SP signed SP received
 *     since / signed / received = ["-"] 1*DIGIT            ; nanoseconds since 1970
 *     digest / key / clock      = 64HEXDIG / 22( base64url )
 *     sum      = 16HEXDIG       ; of SHA-256 over the sum before and the line up to here
 *
 * Every sum covers the one before, so a line that was changed, taken out or moved shows; only the end can be lost.
 */

import { createHash, randomBytes } from 'node:crypto';
import type { RecordOptions, ReplayEntry, ReplayOutcome } from '../e2e/replay.ts';
import { storeFailed } from './own-file.ts';

/** Bounds of a log. */
export interface ReplayBounds {
  readonly maxEntries: number;
  /** Nanoseconds. */
  readonly keep: bigint;
}

interface Accepted {
  readonly key: string;
  readonly clock: string;
  readonly signed: bigint;
  readonly received: bigint;
  readonly ordered: boolean;
}

interface Newest {
  readonly signed: bigint;
  readonly received: bigint;
}

const newline = 0x0a;

/** The log read so far. */
export class ReplayLog {
  readonly #bounds: ReplayBounds;
  readonly #entries = new Map<string, Accepted>();
  readonly #floors = new Map<string, bigint>();
  readonly #newest = new Map<string, Newest>();
  #since: bigint | undefined;
  #sum = '';
  #lines = 0;

  /** An empty log, before its header. */
  constructor(bounds: ReplayBounds) {
    this.#bounds = bounds;
  }

  /** Since when the log is complete; undefined before its header was read. */
  get since(): bigint | undefined {
    return this.#since;
  }

  /** Whether most lines say nothing any more, so that writing the log anew is worth it. */
  get wasteful(): boolean {
    return this.#lines > 1024 && this.#lines > 2 * (this.#entries.size + this.#floors.size + this.#newest.size);
  }

  /**
   * Takes in whole lines.
   *
   * @returns how many octets were lines; a last one without its end is what a killed writer leaves, and was never
   * answered for
   * @throws {E2eError} STORE_FAILED for a line that is damaged
   */
  read(bytes: Uint8Array): number {
    const end = bytes.lastIndexOf(newline) + 1;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('latin1');
    for (let start = 0; start < end;) {
      const stop = text.indexOf('\n', start);
      this.#line(text.slice(start, stop));
      start = stop + 1;
    }
    return end;
  }

  /** The header of a new log. */
  static header(since: bigint): string {
    return newHeader(since).text;
  }

  /** Whether an entry is known, by its digest or by the floor of its key. */
  has(entry: ReplayEntry): boolean {
    return this.#knows(digestOf(entry), shorten(entry.key), entry.signed);
  }

  /**
   * Decides about an entry and applies the decision to the state.
   *
   * @returns the outcome, and the line to append where it is to be kept
   */
  record(entry: ReplayEntry, options: RecordOptions): { readonly outcome: ReplayOutcome; readonly line: string } {
    this.#prune(entry.received);
    const digest = digestOf(entry);
    const key = shorten(entry.key);
    if (this.#knows(digest, key, entry.signed)) return { outcome: 'known', line: '' };
    const clock = shorten(entry.clock);
    const newest = options.ordered ? this.#newest.get(clock) : undefined;
    const counts = newest !== undefined && entry.received - newest.received <= options.decreasingWindow;
    const decreasing = counts && entry.signed <= newest.signed;
    if (decreasing && options.refuseDecreasing) return { outcome: 'decreasing', line: '' };
    const { signed, received } = entry;
    const accepted = { key, clock, signed, received, ordered: options.ordered && !decreasing };
    this.#accept(digest, accepted);
    return { outcome: decreasing ? 'decreasing' : 'new', line: this.#write(acceptedLine(digest, accepted)) };
  }

  /** The whole state as a new log. */
  rewritten(now: bigint): string {
    this.#prune(now);
    const lines: string[] = [];
    const header = newHeader(this.#since ?? now);
    let sum = header.sum;
    lines.push(header.text);
    const add = (line: string): void => {
      const next = summed(sum, line);
      sum = next.sum;
      lines.push(next.text);
    };
    for (const [key, signed] of this.#floors) add(`floor ${key} ${signed}`);
    for (const [digest, accepted] of this.#entries) add(acceptedLine(digest, { ...accepted, ordered: false }));
    for (const [clock, { signed, received }] of this.#newest) add(`newest ${clock} ${signed} ${received}`);
    return lines.join('');
  }

  #write(line: string): string {
    const next = summed(this.#sum, line);
    this.#sum = next.sum;
    this.#lines++;
    return next.text;
  }

  #line(line: string): void {
    const space = line.lastIndexOf(' ');
    const body = line.slice(0, Math.max(space, 0));
    const { sum } = summed(this.#sum, body);
    if (line.slice(space + 1) !== sum) throw damaged();
    this.#sum = sum;
    this.#lines++;
    this.#apply(body.split(' '));
  }

  #apply(fields: readonly string[]): void {
    const [kind, a = '', b = '', c = '', d = '', e = '', order] = fields;
    if (this.#since === undefined) {
      if (kind !== 'xmpp-e2e-replay') throw damaged();
      if (a !== '1') throw storeFailed('the replay file is of a version that this program does not know');
      this.#since = instant(b);
    } else if (kind === '+') {
      const accepted = { key: b, clock: c, signed: instant(d), received: instant(e), ordered: order === 'ordered' };
      this.#prune(accepted.received);
      this.#accept(a, accepted);
    } else if (kind === 'floor') this.#raise(a, instant(b));
    else if (kind === 'newest') this.#newest.set(a, { signed: instant(b), received: instant(c) });
    else throw damaged();
  }

  #knows(digest: string, key: string, signed: bigint): boolean {
    const floor = this.#floors.get(key);
    return this.#entries.has(digest) || (floor !== undefined && signed <= floor);
  }

  #accept(digest: string, accepted: Accepted): void {
    this.#entries.set(digest, accepted);
    if (!accepted.ordered) return;
    // Re-inserted, so that the Map stays in order of use and pruning stops early.
    this.#newest.delete(accepted.clock);
    this.#newest.set(accepted.clock, { signed: accepted.signed, received: accepted.received });
  }

  #raise(key: string, signed: bigint): void {
    const floor = this.#floors.get(key);
    if (floor === undefined || signed > floor) this.#floors.set(key, signed);
  }

  /** Forgets what is too old or too much; what goes raises the floor of its key, so that it cannot come back as new. */
  #prune(now: bigint): void {
    const { maxEntries, keep } = this.#bounds;
    for (const [digest, entry] of this.#entries) {
      if (this.#entries.size < maxEntries && entry.received >= now - keep) break;
      this.#entries.delete(digest);
      this.#raise(entry.key, entry.signed);
    }
    for (const [clock, { received }] of this.#newest) {
      if (this.#newest.size <= maxEntries && received >= now - keep) break;
      this.#newest.delete(clock);
    }
  }
}

/** A random name tells a rewritten file from the one read before, also where the file system uses an inode again. */
function newHeader(since: bigint): { readonly sum: string; readonly text: string } {
  return summed('', `xmpp-e2e-replay 1 ${since} ${randomBytes(8).toString('hex')}`);
}

function acceptedLine(digest: string, accepted: Accepted): string {
  const { key, clock, signed, received, ordered } = accepted;
  return `+ ${digest} ${key} ${clock} ${signed} ${received} ${ordered ? 'ordered' : 'unordered'}`;
}

function summed(before: string, line: string): { readonly sum: string; readonly text: string } {
  const sum = createHash('sha256').update(`${before} ${line}`).digest('hex').slice(0, 16);
  return { sum, text: `${line} ${sum}\n` };
}

function digestOf(entry: ReplayEntry): string {
  if (!/^[0-9a-f]{64}$/.test(entry.digest)) throw new TypeError('a replay digest is 64 lower-case hexadecimal digits');
  return entry.digest;
}

/** Keys and clocks hold addresses; their hash keeps the file from telling who talks to whom, and bounds the line. */
function shorten(name: string): string {
  return createHash('sha256').update(name, 'utf8').digest('base64url').slice(0, 22);
}

function instant(text: string): bigint {
  if (!/^-?\d{1,30}$/.test(text)) throw damaged();
  return BigInt(text);
}

function damaged(): Error {
  return storeFailed('the replay file is damaged');
}
