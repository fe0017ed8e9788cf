/** A relay in front of a server, whose connections can be cut. */
import { connect, createServer, type Socket } from 'node:net';

/** A relay. */
export interface Proxy {
  readonly port: number;
  /** From now on nothing that clients send arrives, without their noticing. */
  swallow(): void;
  /**
   * Cuts every connection, as a lost network does. What has been relayed still arrives: Prosody (0.12) keeps half a
   * WebSocket frame for the stream that is resumed, and takes what follows for its other half.
   */
  cut(): void;
  close(): Promise<void>;
}

/** Relays to a local port. */
export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<{ readonly client: Socket; readonly upstream: Socket; swallows: boolean }>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const pair = { client, upstream, swallows: false };
    pairs.add(pair);
    client.on('data', (data) => {
      if (!pair.swallows) upstream.write(data);
    });
    upstream.pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one
        .on('error', () => undefined)
        .on('close', () => {
          pairs.delete(pair);
          other.end();
        });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    swallow() {
      for (const pair of pairs) pair.swallows = true;
    },
    cut() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.end();
      }
    },
    close() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
