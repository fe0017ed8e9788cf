/**
 * A server that cheats: it stands between a client and a real server, reads every stanza, and changes, holds back,
 * repeats or invents what it likes. Over WebSocket, where each frame is one stanza (RFC 7395).
 */
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { parseXml, serializeXml, type XmlElement } from '../../src/index.ts';

/** What becomes of a stanza: others in its place, or none. */
export type Meddle = (stanza: XmlElement) => readonly XmlElement[];

/** A cheating server. */
export interface Meddler {
  /** Where a client connects. */
  readonly address: string;
  /** What becomes of what the client gets; everything passes unless set. */
  toClient: Meddle;
  /** What becomes of what the client sends. */
  fromClient: Meddle;
  /** Brings the client a stanza that nobody sent. */
  invent(stanza: string): void;
  close(): Promise<void>;
}

/** Starts a cheating server in front of a real one. */
export async function startMeddler(target: string): Promise<Meddler> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'xmpp' });
  const clients = new Set<WebSocket>();
  await new Promise<void>((resolve) => server.once('listening', resolve));
  const passOn: Meddle = (stanza) => [stanza];
  const meddler: Meddler = {
    address: `ws://localhost:${(server.address() as { port: number }).port}/xmpp-websocket`,
    toClient: passOn,
    fromClient: passOn,
    invent(stanza) {
      for (const client of clients) client.send(serializeXml(read(stanza)));
    },
    close() {
      for (const client of clients) client.terminate();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  server.on('connection', (client) => {
    clients.add(client);
    const upstream = new WebSocket(target, 'xmpp');
    const early: string[] = [];
    // What the real server has sent since stream management began: it closes the stream over any other count.
    let count = 0;
    const toServer = (text: string): void => {
      const counted = text.startsWith('<a ') ? text.replace(/ h=(['"])\d+\1/, ` h='${count}'`) : text;
      if (upstream.readyState === WebSocket.OPEN) upstream.send(counted);
      else early.push(counted);
    };
    upstream.on('open', () => early.splice(0).forEach(toServer));
    client.on('message', (data) => {
      const text = textFrom(data);
      if (!isStanza(text)) toServer(text);
      else for (const stanza of meddler.fromClient(read(text))) toServer(serializeXml(stanza));
    });
    upstream.on('message', (data) => {
      const text = textFrom(data);
      if (text.startsWith('<enabled')) count = 0;
      if (!isStanza(text)) {
        client.send(text);
        return;
      }
      count++;
      for (const stanza of meddler.toClient(read(text))) client.send(serializeXml(stanza));
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.terminate());
      one.on('close', () => {
        clients.delete(client);
        other.close();
      });
    }
  });
  return meddler;
}

function textFrom(data: RawData): string {
  return (data as Buffer).toString('utf8');
}

function isStanza(text: string): boolean {
  return /^<(message|presence|iq)[\s>]/.test(text);
}

function read(text: string): XmlElement {
  return parseXml(text, { defaultNamespace: 'jabber:client' });
}
