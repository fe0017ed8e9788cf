/** The parts of xmpp.js that the tests use; it ships no types of its own. */

declare module '@xmpp/client' {
  export interface Element {
    name: string;
    attrs: Record<string, string | undefined>;
    children: (Element | string)[];
    parent: Element | null;
    is(name: string, namespace?: string): boolean;
    getChild(name: string, namespace?: string): Element | undefined;
    getChildren(name: string, namespace?: string): Element[];
    getChildText(name: string, namespace?: string): string | null;
    text(): string;
    toString(): string;
  }
  export function xml(
    name: string,
    attrs?: Record<string, string | undefined>,
    ...children: (Element | string)[]
  ): Element;
  export interface IqContext {
    readonly stanza: Element;
    readonly element: Element;
    readonly from: { toString(): string };
  }
  export interface Client {
    jid: { toString(): string } | null;
    status: string;
    timeout: number;
    readonly NS: string;
    socket: { socket?: { destroy(): void }; destroy?(): void } | null;
    streamManagement: { inbound: number; id: string; enabled: boolean; on(event: string, listener: () => void): void };
    reconnect: { delay: number; stop(): void };
    iqCaller: {
      request(stanza: Element, timeout?: number): Promise<Element>;
      get(element: Element, to?: string, timeout?: number): Promise<Element | undefined>;
      set(element: Element, to?: string, timeout?: number): Promise<Element | undefined>;
    };
    iqCallee: {
      get(namespace: string, name: string, handler: (context: IqContext, next: () => unknown) => unknown): void;
      set(namespace: string, name: string, handler: (context: IqContext, next: () => unknown) => unknown): void;
    };
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
    send: (element: Element) => Promise<unknown>;
    sendMany: (elements: Iterable<Element>) => Promise<unknown>;
    write: (text: string) => Promise<unknown>;
    _onData(data: unknown): void;
    emit: (event: string | symbol, ...parameters: never[]) => boolean;
    on(event: string, listener: (argument: never) => void): unknown;
  }
  export function client(options: {
    service: string;
    domain?: string;
    username?: string;
    password?: string;
    resource?: string;
  }): Client;
}

declare module '@xmpp/component' {
  export { xml, type Element } from '@xmpp/client';
  import type { Client } from '@xmpp/client';
  export function component(options: { service: string; domain: string; password: string }): Client;
}
