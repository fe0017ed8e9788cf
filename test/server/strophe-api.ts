/** The parts of strophe.js that the tests use: its own types do not resolve in an ES module. */
import * as strophe from 'strophe.js';

/** Builds a stanza. */
export interface Builder {
  c(name: string, attributes?: Record<string, string>): Builder;
  t(text: string): Builder;
  up(): Builder;
  tree(): Element;
}

/** A connection. */
export interface StropheConnection {
  readonly service: string;
  readonly jid: string;
  readonly connected: boolean;
  readonly sm?: { readonly resumed: boolean; readonly enabled: boolean };
  rawInput: (data: string) => void;
  rawOutput: (data: string) => void;
  connect(jid: string, password: string, status: (status: number, reason: string) => void): void;
  disconnect(reason: string): void;
  send(stanza: Builder | Element): void;
  sendIQ(
    stanza: Builder,
    answered: (stanza: Element) => void,
    failed: (stanza: Element | null) => void,
    timeout: number,
  ): void;
  addHandler(handler: (stanza: Element) => boolean, namespace: string | null, name: string, type?: string): unknown;
}

interface StropheApi {
  readonly Strophe: {
    readonly Connection: new (service: string, options?: object) => StropheConnection;
    readonly Status: Readonly<Record<string, number>>;
    serialize(element: Element): string;
    setLogLevel(level: number): void;
  };
  readonly $iq: (attributes: Record<string, string>) => Builder;
  readonly $msg: (attributes: Record<string, string>) => Builder;
  readonly $pres: (attributes?: Record<string, string>) => Builder;
}

/** strophe.js. */
export const { Strophe, $iq, $msg, $pres } = strophe as unknown as StropheApi;

Strophe.setLogLevel(4);
