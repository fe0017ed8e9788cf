/**
 * Requests on their way and answers to them (RFC 6120 section 8.2.3). SDKs match an answer to its request by `id`
 * alone, which a server or another contact can copy: an answer counts only if it comes from whom the request went to,
 * and sealed if the request was.
 */

import type { Jid } from '../jid/jid.ts';

/** A request that I sent. */
export interface SentRequest {
  readonly to: string;
  readonly sealed: boolean;
}

/** The requests of one session, in both directions; the oldest are forgotten beyond 4096. */
export interface IqExchange {
  sent(to: Jid, id: string, sealed: boolean): void;
  /** The request that an answer with this id would answer. */
  awaited(id: string): SentRequest | undefined;
  answered(id: string): void;
  received(from: Jid, id: string, sealed: boolean): void;
  /** Whether the request that I answer came sealed; undefined if there was none. Forgets it. */
  wasSealed(to: Jid, id: string): boolean | undefined;
}

const maxOpen = 4096;

/** Makes an empty one. */
export function iqExchange(): IqExchange {
  const sent = new Map<string, SentRequest>();
  const received = new Map<string, boolean>();
  return {
    sent: (to, id, sealed) => put(sent, id, { to: to.toString(), sealed }),
    awaited: (id) => sent.get(id),
    answered: (id) => void sent.delete(id),
    received: (from, id, sealed) => put(received, `${from.toString()} ${id}`, sealed),
    wasSealed(to, id) {
      const key = `${to.toString()} ${id}`;
      const sealed = received.get(key);
      received.delete(key);
      return sealed;
    },
  };
}

function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= maxOpen) break;
    map.delete(oldest);
  }
}
