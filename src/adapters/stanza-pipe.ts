/**
 * The way of stanzas between an SDK and its stream: in order in both directions, whatever takes time. Whatever need not
 * wait goes through at once, in the very call.
 */

import { type E2eSession, type Glance, TransparentStream, type XmlElement } from '../index.ts';
import { setVerdict } from './verdict-of.ts';

/** How one SDK's stanzas are read and made. */
export interface StanzaForm<Stanza> {
  glance(stanza: Stanza): Glance;
  /** What `session` can convert: an element of ltx or the DOM, or text. */
  source(stanza: Stanza): unknown;
  /**
   * Builds the SDK's own object.
   *
   * @param like the object in whose place it comes
   */
  build(stanza: XmlElement, like: Stanza): Stanza;
  /** The objects that a handler may be given for a stanza, down to the stanza inside a copy. */
  parts(stanza: Stanza): Iterable<unknown>;
}

/** Options that all transparent adapters share. */
export interface TransparentOptions {
  readonly session: E2eSession;
  /**
   * Tells the iq requests with which a key store looks keys up over this very stream. They and their answers overtake
   * the stanzas that wait for the keys.
   */
  readonly isKeyLookup?: ((request: Glance) => boolean) | undefined;
}

/** Both directions of one stream. */
export interface StanzaPipe<Stanza> {
  /**
   * Takes a received stanza.
   *
   * @param deliver continues in the SDK with this stanza or another in its place
   * @param drop the SDK gets nothing; what it counts (stream management) must be counted all the same
   * @returns false where the SDK shall go on by itself, now
   */
  receive(stanza: Stanza, deliver: (stanza: Stanza) => void, drop: () => void): boolean;
  /**
   * Takes a stanza to be sent.
   *
   * @param write hands it to the SDK
   */
  send<T>(stanza: Stanza, write: (stanza: Stanza) => T): Promise<Awaited<T>>;
  /** Whether {@link send} would hand a stanza on at once and unchanged. */
  passes(stanza: Stanza): boolean;
  /** Settles while the stream is ready. */
  ready(): Promise<void>;
  /** To be called when the stream may have become ready: what waits for that goes on. */
  resume(): void;
}

/**
 * Makes the pipe of one stream.
 *
 * @param reply sends an error reply, which is not sealed
 * @param isReady whether stanzas may pass now. A stanza that took its time would break into the negotiation of the next
 * stream otherwise, which SDKs take for the answer that they wait for (or for what ends the stream)
 */
export function stanzaPipe<Stanza>(
  { session, isKeyLookup }: TransparentOptions,
  form: StanzaForm<Stanza>,
  reply: (stanza: Stanza) => unknown,
  isReady: () => boolean = () => true,
): StanzaPipe<Stanza> {
  const stream = new TransparentStream(session);
  const lookups = new Set<string>();
  let inbox: Promise<void> = Promise.resolve();
  let outbox: Promise<unknown> = Promise.resolve();
  let receiving = 0;
  let sending = 0;
  const waiting: (() => void)[] = [];

  const ready = async (): Promise<void> => {
    while (!isReady()) await new Promise<void>((resolve) => waiting.push(resolve));
  };

  const isLookup = (stanza: Glance): boolean => {
    if (stanza.name !== 'iq' || stanza.type !== 'get' || isKeyLookup?.(stanza) !== true) return false;
    lookups.add(lookupName(stanza.to, stanza.id));
    return true;
  };
  const answersLookup = (stanza: Glance): boolean =>
    stanza.name === 'iq' && stanza.type !== 'get' && lookups.delete(lookupName(stanza.from, stanza.id));

  const receive = async (
    stanza: Stanza,
    glance: Glance,
    deliver: (stanza: Stanza) => void,
    drop: () => void,
  ): Promise<void> => {
    // Also those that only wait for others: what was sent meanwhile may concern them.
    const concerned = stream.concernsReceived(glance);
    const received = concerned ? await stream.receive(glance, form.source(stanza)) : ({ action: 'pass' } as const);
    await ready();
    receiving--;
    if (received.action === 'pass') {
      deliver(stanza);
      return;
    }
    if (received.action === 'drop') {
      drop();
      if (received.reply !== undefined) void reply(form.build(received.reply, stanza));
      return;
    }
    const built = form.build(received.stanza, stanza);
    if (received.verdict !== undefined) setVerdict(received.verdict, form.parts(built));
    deliver(built);
  };

  const passes = (stanza: Stanza): boolean => {
    const glance = form.glance(stanza);
    if (!isStanza(glance) || isLookup(glance)) return true;
    // What belongs to the negotiation must not wait for its end.
    return (sending === 0 || !isReady()) && !stream.concernsSent(glance);
  };

  return {
    receive(stanza, deliver, drop) {
      const glance = form.glance(stanza);
      if (!isStanza(glance) || answersLookup(glance)) return false;
      if ((receiving === 0 || !isReady()) && !stream.concernsReceived(glance)) return false;
      receiving++;
      inbox = inbox.then(() => receive(stanza, glance, deliver, drop)).catch(reportUncaught);
      return true;
    },
    passes,
    send<T>(stanza: Stanza, write: (stanza: Stanza) => T): Promise<Awaited<T>> {
      const glance = form.glance(stanza);
      sending++;
      const handed = outbox.then(async () => {
        try {
          const other = stream.concernsSent(glance) ? await stream.send(glance, form.source(stanza)) : undefined;
          await ready();
          return { written: write(other === undefined ? stanza : form.build(other, stanza)) };
        } finally {
          sending--;
        }
      });
      // Only the order is kept: how long the SDK takes to write is its own business.
      outbox = handed.catch(() => undefined);
      return handed.then(({ written }) => written as Awaited<T>);
    },
    ready,
    resume: () => waiting.splice(0).forEach((proceed) => proceed()),
  };
}

function isStanza({ name }: Glance): boolean {
  return name === 'message' || name === 'presence' || name === 'iq';
}

function lookupName(address: string | undefined, id: string | undefined): string {
  return `${address ?? ''} ${id ?? ''}`;
}

/** What a handler of the application throws ends where it would have ended without us. */
function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** How deep a forwarded stanza lies in a message: wrapper, `forwarded`, stanza. */
const forwardDepth = 3;

/** A stanza and what is in it, as deep as a forwarded stanza lies. */
export function partsOf(stanza: unknown, children: (part: never) => Iterable<unknown>): readonly unknown[] {
  const parts = [stanza];
  let level: readonly unknown[] = parts;
  for (let depth = 0; depth < forwardDepth; depth++) {
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? [...children(part as never)] : []));
    parts.push(...level);
  }
  return parts;
}
