/**
 * A connection to an XMPP server by `@xmpp/client`, an optional peer: over TLS with a verified certificate, and with
 * SCRAM, so that no server is ever told the password (RFC 6120 sections 5 and 6, RFC 5802).
 */

import { readFile } from 'node:fs/promises';
import type { LtxElement, LtxFactory, XmppJsEntity } from '../adapters/xmpp-js.ts';
import type { Jid } from '../index.ts';
import { CliError } from './cli-error.ts';
import type { Io } from './io.ts';
import { readJid } from './jid-option.ts';
import { ask, readSecret } from './passphrase.ts';

/** Options of the commands that connect. */
export interface ConnectOptions {
  readonly user: string;
  readonly service?: string;
  readonly passwordFd?: number;
  readonly home?: string;
}

/** An element of the client. */
export interface Element extends LtxElement {
  is(name: string, namespace?: string): boolean;
  getChild(name: string, namespace?: string): Element | undefined;
  getChildText(name: string, namespace?: string): string | null;
}

/** The client, as far as it is used. */
export interface Client extends XmppJsEntity<Element> {
  timeout: number;
  readonly reconnect: { stop(): void };
  readonly iqCaller: { request(stanza: Element, timeout?: number): Promise<Element> };
  isSecure(): boolean;
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
  on(event: string, listener: (argument: never) => void): unknown;
}

interface Module {
  readonly xml: LtxFactory<Element>;
  client(options: {
    readonly service: string;
    readonly domain: string;
    readonly resource?: string;
    readonly credentials: (
      authenticate: (credentials: object, mechanism: string) => Promise<void>,
      mechanisms: readonly string[],
      fast: unknown,
      entity: Client,
    ) => Promise<void>;
  }): Client;
}

/** A client that is not started yet. */
export interface Connection {
  readonly me: Jid;
  readonly xmpp: Client;
  readonly xml: LtxFactory<Element>;
  /** @throws {CliError} NETWORK */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const variable = 'XMPP_E2E_PASSWORD';
const patience = 30_000;

/**
 * Prepares a connection.
 *
 * @throws {CliError} MISSING_INPUT where the package is missing, BAD_DATA, PASSPHRASE
 */
export async function prepareConnection(io: Io, options: ConnectOptions): Promise<Connection> {
  const me = readJid('--user', options.user);
  const xmppJs = await load();
  const service = options.service ?? `xmpp://${me.domain}:5222`;
  // A plain WebSocket is the one transport on which nothing would be encrypted.
  if (!/^(?:xmpps?|wss):\/\/[^\s/]+/.test(service)) {
    throw new CliError(
      'BAD_DATA',
      `--service: write it like xmpps://${me.domain}:5223, xmpp://… (STARTTLS) or wss://…`,
    );
  }
  const password = await passwordFor(io, me, options.passwordFd);
  let refuse: (error: CliError) => void = () => undefined;
  const refused = new Promise<never>((_resolve, reject) => (refuse = reject));
  refused.catch(() => undefined);
  const xmpp = xmppJs.client({
    service,
    domain: me.domain,
    ...(me.isBare ? {} : { resource: me.resource }),
    async credentials(authenticate, mechanisms, _fast, entity) {
      const scram = mechanisms.find((name) => name.startsWith('SCRAM-'));
      // Whoever strips STARTTLS, or all but PLAIN, from what a server offers would else be told the password.
      if (!entity.isSecure()) refuse(network('the server offers no TLS'));
      else if (scram === undefined) refuse(network('the server offers no SCRAM that this program knows'));
      else return authenticate({ username: me.local, password }, scram);
      return refused;
    },
  });
  xmpp.timeout = patience;
  // Without a listener the process would end with a trace; the first error rejects the start.
  xmpp.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    xmpp.reconnect.stop();
    // A server that does not answer the end of a stream is not waited for.
    xmpp.timeout = 2000;
    await xmpp.stop().catch(() => undefined);
  };
  return {
    me,
    xmpp,
    xml: xmppJs.xml,
    async start() {
      let timer: NodeJS.Timeout | undefined;
      const tooLong = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(network(`no answer from ${service} within ${patience / 1000} s`)), patience);
      });
      try {
        await Promise.race([xmpp.start(), refused, tooLong]);
      } catch (error) {
        void stop();
        throw networkError(service, error);
      } finally {
        clearTimeout(timer);
      }
    },
    stop,
  };
}

async function load(): Promise<Module> {
  // A name in a variable: the package has no types, and is loaded only where it is installed.
  const name: string = '@xmpp/client';
  try {
    return (await import(name)) as Module;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CliError('MISSING_INPUT', 'this command needs the package @xmpp/client: npm install @xmpp/client');
  }
}

async function passwordFor(io: Io, me: Jid, fd: number | undefined): Promise<string> {
  if (fd !== undefined) return readSecret(fd, '--password-fd', 'password');
  const given = io.env[variable];
  if (given !== undefined && given !== '') return given;
  const file = io.env[`${variable}_FILE`];
  if (file !== undefined && file !== '') {
    const text = await readFile(file, 'utf8').catch(() => {
      throw new CliError('PASSPHRASE', `the file that ${variable}_FILE names cannot be read`);
    });
    return text.replace(/\r?\n$/, '');
  }
  const otherwise = `no password: give --password-fd N, or set ${variable}_FILE to a file that holds it, or ${variable}`;
  return ask(`Password of ${me.bare().toString()}: `, otherwise);
}

function network(line: string): CliError {
  return new CliError('NETWORK', line);
}

/** What went wrong on the way to the server, by the names that the client and the system give it. */
function networkError(service: string, error: unknown): CliError {
  if (error instanceof CliError) return error;
  const { condition, code, message } = error as { condition?: unknown; code?: unknown; message?: unknown };
  if (condition === 'not-authorized') return network('the server refused the user or the password');
  const why = [condition, code, message].find((one): one is string => typeof one === 'string' && one !== '');
  return network(`no connection to ${service}: ${why ?? 'unknown reason'}`);
}
