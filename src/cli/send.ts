/** `xmpp-e2e send`: seals a message and sends it. */

import { randomUUID } from 'node:crypto';
import { buildWith, element, type Jid, type XmlElement } from '../index.ts';
import { CliError } from './cli-error.ts';
import { type Connection, type ConnectOptions, type Element, prepareConnection } from './connect.ts';
import { type BackendName } from './backend-names.ts';
import { openStore } from './context.ts';
import { type Io, readInput, readStanza } from './io.ts';
import { readJid } from './jid-option.ts';
import { sealWith } from './seal.ts';

/** Options of `send`. */
export interface SendOptions extends ConnectOptions {
  readonly text?: string;
  readonly stanza?: true;
  readonly backend?: BackendName;
}

const usage = 'echo Hello | xmpp-e2e send --user juliet@example.com romeo@example.net';

/**
 * Sends one message. Nothing is sent, and no server is asked, before it is sealed.
 *
 * @param to the recipient
 * @throws {CliError} NETWORK; MISSING_INPUT; PASSPHRASE; KEY_CANNOT_SIGN and CANNOT_ENCRYPT as `seal`
 * @throws {E2eError} as `sealStanza`
 */
export async function send(io: Io, to: string, options: SendOptions): Promise<void> {
  const recipient = readJid('the recipient', to);
  const user = readJid('--user', options.user);
  const plain = await messageTo(io, recipient, options);
  const store = await openStore(io, options.home);
  const given = { from: user.bare(), to: recipient };
  const how = { protection: 'sign+encrypt', payload: 'auto', profile: 'modern' } as const;
  const sealed = await sealWith(store, plain, given, {
    ...how,
    ...(options.backend === undefined ? {} : { backend: options.backend }),
  });
  const connection = await prepareConnection(io, options);
  await connection.start();
  try {
    await deliver(connection, sealed.withAttribute('from', undefined));
  } finally {
    await connection.stop();
  }
}

async function messageTo(io: Io, to: Jid, { text, stanza }: SendOptions): Promise<XmlElement> {
  if (stanza === true) {
    const given = await readStanza(io, 'xmpp-e2e send --stanza … < message.xml');
    return given.attribute('id') === undefined ? given.withAttribute('id', randomUUID()) : given;
  }
  const body = text ?? new TextDecoder().decode(await readInput(io, 'the text', usage)).replace(/\r?\n$/, '');
  const attributes = { to: to.toString(), type: 'chat', id: randomUUID() };
  return element('message', 'jabber:client', attributes, [element('body', 'jabber:client', {}, [body])]);
}

/** Writes a stanza and waits until the server has dealt with it: it answers what comes later, later (RFC 6120 10.1). */
async function deliver({ xmpp, xml }: Connection, sealed: XmlElement): Promise<void> {
  let bounced: string | undefined;
  xmpp.on('stanza', (stanza: Element) => {
    if (stanza.attrs['type'] !== 'error' || stanza.attrs['id'] !== sealed.attribute('id')) return;
    const error = stanza.getChild('error');
    bounced =
      error?.children.map((child) => (child as Partial<Element>).name).find((name) => name !== 'text') ?? 'error';
  });
  try {
    await xmpp.send(buildWith<Element>(sealed, xml));
    await xmpp.iqCaller.request(xml('iq', { type: 'get' }, xml('ping', { xmlns: 'urn:xmpp:ping' }))).catch(unlessError);
  } catch (error) {
    throw new CliError('NETWORK', `the connection was lost: ${String((error as Partial<Error>).message)}`);
  }
  if (bounced !== undefined) throw new CliError('NETWORK', `it came back: ${bounced}`);
}

/** A server that does not know pings has answered too. */
function unlessError(error: unknown): void {
  if ((error as Partial<Error>).name !== 'StanzaError') throw error;
}
