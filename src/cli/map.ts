/** `xmpp-e2e map`: stanzas to CPIM, PIDF and application/xmpp+xml and back (RFC 3922), without cryptography. */

import {
  CPIM_HEADERS,
  defaultLimits,
  E2eError,
  isForServers,
  Jid,
  type Mapped,
  mapStanza,
  parsePayload,
  type Payload,
  reconstructTuples,
} from '../formats.ts';
import { serializeXml } from '../index.ts';
import { CliError } from './cli-error.ts';
import { type Io, readInput, readStanza, writeForeignXml, writeText } from './io.ts';
import { readJid } from './jid-option.ts';
import { forTerminal } from './terminal.ts';
import { readTime } from './time-option.ts';

/** Options of `map`. */
export interface MapCommandOptions {
  readonly from?: string;
  readonly to?: string;
  readonly at?: string;
  readonly bare?: true;
}

const forms = { 'to-cpim': 'cpim', 'to-pidf': 'pidf', 'to-xmpp-xml': 'xmpp+xml' } as const;

/**
 * Maps in one direction.
 *
 * @throws {CliError} UNKNOWN_COMMAND for another direction; MISSING_INPUT, MISSING_ARGUMENT, BAD_DATA
 * @throws {E2eError} UNMAPPABLE, PAYLOAD_INVALID, LIMIT, UNSUPPORTED
 */
export async function map(io: Io, direction: string, options: MapCommandOptions): Promise<void> {
  if (direction === 'to-stanza') return toStanza(io, options);
  if (!Object.hasOwn(forms, direction)) {
    throw new CliError('UNKNOWN_COMMAND', `map ${direction}: say to-cpim, to-pidf, to-xmpp-xml or to-stanza`);
  }
  return toPayload(io, forms[direction as keyof typeof forms], options);
}

async function toPayload(io: Io, form: (typeof forms)[keyof typeof forms], options: MapCommandOptions): Promise<void> {
  const at = readTime('--at', options.at) ?? new Date();
  const stanza = await readStanza(io, 'xmpp-e2e map to-cpim < message.xml');
  const from = address(options.from, '--from', stanza.attribute('from'));
  const to = address(options.to, '--to', stanza.attribute('to'));
  const inner = stanza.withChildren(
    stanza.children.filter((child) => typeof child === 'string' || !isForServers(child)),
  );
  const instant = BigInt(at.getTime()) * 1_000_000n;
  const wrapped = options.bare !== true;
  const mapOptions = { form, loss: 'report', from, to: [to.bare()], at: instant, wrapped } as const;
  let mapped: Mapped;
  try {
    mapped = mapStanza(inner, mapOptions);
  } catch (error) {
    if (!(error instanceof E2eError) || error.code !== 'ERR_E2E_UNMAPPABLE') throw error;
    throw new CliError('BAD_DATA', `${error.reason ?? error.message}; to-xmpp-xml holds any stanza`);
  }
  const outside = stanza.elements
    .filter((child) => isForServers(child))
    .map((child) => `{${child.namespace}}${child.name}`);
  reportDropped(io, [...mapped.dropped, ...outside]);
  writeText(io.stdout, Buffer.from(mapped.entity).toString('utf8'));
}

async function toStanza(io: Io, options: MapCommandOptions): Promise<void> {
  const input = await readInput(io, 'one MIME object', 'xmpp-e2e map to-stanza < object.eml');
  const payload = parsePayload(withCrlf(input), defaultLimits);
  const from = address(options.from, '--from', (payload.innerFrom ?? payload.senders[0]?.[1])?.toString());
  const to = address(options.to, '--to', (payload.innerTo ?? payload.recipients[0])?.toString());
  reportDropped(io, unsaid(payload));
  for (const { stanza, dropped } of reconstructTuples(payload, { from, to, requires: 'report' })) {
    reportDropped(io, dropped);
    writeForeignXml(io.stdout, serializeXml(stanza));
  }
}

const said: readonly string[] = ['From', 'To', 'Subject', 'Require', 'NS'];

/** The headers of Message/CPIM that a stanza has no place for. */
function unsaid({ cpim }: Payload): readonly string[] {
  const lost = (cpim?.headers ?? []).filter(
    ({ namespace, name }) => namespace !== CPIM_HEADERS || !said.includes(name),
  );
  return lost.map(({ namespace, name }) => (namespace === CPIM_HEADERS ? name : `{${namespace}}${name}`));
}

/** Files have LF where MIME has CRLF (RFC 2045 section 2.1). */
function withCrlf(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  return Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
}

function address(given: string | undefined, option: string, found: string | undefined): Jid {
  const text = given ?? found;
  if (text === undefined) throw new CliError('MISSING_ARGUMENT', `the input names no such address; give ${option} JID`);
  return readJid(option, text);
}

function reportDropped(io: Io, dropped: readonly string[]): void {
  for (const item of dropped) io.stderr.write(`xmpp-e2e: dropped: ${forTerminal(item)}\n`);
}
