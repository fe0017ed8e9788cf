/** Juliet at an SDK, Romeo at the other end of her wire, and what passes between them. */
import { doubleBackend } from '../../double-backend.ts';
import {
  E2E_NAMESPACE,
  type E2eErrorCode,
  E2eSession,
  element,
  parseXml,
  ReplayGuard,
  type SecurityBackend,
  type SessionOptions,
  type XmlElement,
} from '../../../src/index.ts';

export const juliet = 'juliet@example.com';
export const balcony = `${juliet}/balcony`;
export const romeo = 'romeo@example.net';
export const orchard = `${romeo}/orchard`;

/** A double that has certificates of both, and takes its time where asked. */
export function backend(wait: () => Promise<unknown> = () => Promise.resolve()): SecurityBackend {
  const double = doubleBackend([juliet, romeo]);
  return {
    ...double,
    certificates: (jid) =>
      Promise.resolve([juliet, romeo].includes(String(jid)) ? [{ fingerprint: 'f' } as never] : []),
    sign: async (request) => (await wait(), double.sign(request)),
    verify: async (request) => (await wait(), double.verify(request)),
  };
}

/** A session, and the codes of what it refused or did not send. */
export interface Watched {
  readonly session: E2eSession;
  readonly refused: E2eErrorCode[];
  readonly unsent: E2eErrorCode[];
}

/** Makes a session. */
export function watched(jid: string, options: Partial<SessionOptions> = {}): Watched {
  const session = new E2eSession({ jid, backends: [backend()], replay: new ReplayGuard(), ...options });
  const refused: E2eErrorCode[] = [];
  const unsent: E2eErrorCode[] = [];
  session.on('refused', ({ error }) => refused.push(error.code));
  session.on('unsent', ({ error }) => unsent.push(error.code));
  return { session, refused, unsent };
}

/** A stanza in the namespace of clients. */
export function stanza(text: string): XmlElement {
  return parseXml(text, { defaultNamespace: 'jabber:client' });
}

/** Romeo's end. */
export interface Peer {
  /** What the server brings from Romeo: sealed, with the addresses that it stamps. */
  seal(text: string): Promise<XmlElement>;
  /** What Romeo reads of what Juliet sent. */
  open(wire: string | XmlElement): Promise<XmlElement>;
}

/** Makes Romeo. */
export function peer(): Peer {
  const { session } = watched(romeo);
  return {
    async seal(text) {
      const sealed = await session.seal(stanza(text).withAttribute('to', balcony));
      return sealed.withAttribute('from', orchard);
    },
    async open(wire) {
      const tree = typeof wire === 'string' ? stanza(wire) : wire;
      return (await session.open(tree.withAttribute('from', balcony))).stanza;
    },
  };
}

/** Romeo's text in a carbon copy from Juliet's server. */
export function carbonCopy(inner: XmlElement): XmlElement {
  const forwarded = element('forwarded', 'urn:xmpp:forward:0', {}, [inner]);
  const received = element('received', 'urn:xmpp:carbons:2', {}, [forwarded]);
  return element('message', 'jabber:client', { from: juliet, to: balcony }, [received]);
}

/** Whether a stanza on the wire is sealed. */
export function isSealedWire(wire: string): boolean {
  return wire.includes(E2E_NAMESPACE);
}

/** Lets everything that is under way settle. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
