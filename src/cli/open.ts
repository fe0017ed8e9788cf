/** `xmpp-e2e open`: decrypts and verifies the stanza on stdin. */

import { join } from 'node:path';
import {
  type OpenContext,
  openStanza,
  ReplayGuard,
  type ReplayStore,
  rfc3923Policy,
  serializeXml,
  strictPolicy,
  type Verdict,
} from '../index.ts';
import { type FileReplayStore, fileReplayStore, prepareHome } from '../stores/node.ts';
import { loadBackends, openStore } from './context.ts';
import { type Io, readStanza, writeForeignXml } from './io.ts';
import { readJid } from './jid-option.ts';
import { emphasisOn, forTerminal } from './terminal.ts';
import { readTime } from './time-option.ts';

/** Options of `open`. */
export interface OpenCommandOptions {
  readonly as: string;
  readonly at?: string;
  readonly policy: 'strict' | 'rfc3923';
  readonly profile?: 'kontalk';
  readonly archive?: true;
  readonly offline?: true;
  readonly replay: boolean;
  readonly json?: true;
  readonly home?: string;
}

/**
 * Opens a stanza: on stdout only what passed every check, the verdict on stderr.
 *
 * @throws {CliError} MISSING_INPUT, BAD_DATA
 * @throws {E2eError} as `openStanza`
 */
export async function open(io: Io, options: OpenCommandOptions): Promise<void> {
  const me = readJid('--as', options.as);
  const at = readTime('--at', options.at);
  const store = await openStore(io, options.home);
  const stanza = await readStanza(io, 'xmpp-e2e open --as romeo@example.net < sealed.xml');
  const backends = await loadBackends(store);
  const replay = options.replay && new ReplayGuard(replayStoreIn(store.path));
  const policy = options.policy === 'rfc3923' ? rfc3923Policy : strictPolicy;
  const context: OpenContext = options.archive === true ? 'archive' : options.offline === true ? 'offline' : 'live';
  const profile = options.profile === undefined ? undefined : (await import('../profiles/index.ts')).kontalk;
  const opened = await openStanza(stanza, { backends, me, policy, replay, context, at, profile });
  const xml = serializeXml(opened.stanza);
  if (options.json === true) {
    const result = { v: 1, ok: true, verdict: plainVerdict(opened.verdict), stanza: xml };
    io.stdout.write(`${jsonLine(result, io.stdout.isTTY === true)}\n`);
    return;
  }
  io.stderr.write(verdictText(opened.verdict, io));
  writeForeignXml(io.stdout, xml);
}

/** The replay store of a home, which is made at the first stanza that is accepted and not for one that is refused. */
export function replayStoreIn(home: string): ReplayStore {
  let made: Promise<FileReplayStore> | undefined;
  const store = (): Promise<FileReplayStore> =>
    (made ??= prepareHome(home).then((path) => fileReplayStore(join(path, 'replay'))));
  return {
    since: async () => (await store()).since(),
    record: async (entry, options) => (await store()).record(entry, options),
    has: async (entry) => (await store()).has(entry),
  };
}

/** The verdict as JSON can say it: elements as text. */
export function plainVerdict(verdict: Verdict): object {
  return { ...verdict, outside: verdict.outside.map((child) => serializeXml(child)) };
}

/** The verdict for people; every line begins with a word of ours, so that no name can pass for one. */
export function verdictText(verdict: Verdict, io: Io): string {
  const emphasize = emphasisOn(io.stderr, io.env);
  const { policy, backend, protection, payload } = verdict;
  const lines = [`accepted under policy ${policy}: ${protection} by ${backend}, payload ${payload}`];
  for (const word of verdict.words) lines.push(word);
  return lines
    .map((line) => `xmpp-e2e: ${emphasize(/[A-Z]{3}/.test(line) ? 'bad' : 'good', forTerminal(line))}\n`)
    .join('');
}

/** JSON on one line; on a terminal every character that acts on it is written as an escape of JSON itself. */
export function jsonLine(value: object, terminal: boolean): string {
  const text = JSON.stringify(value);
  return terminal ? forTerminal(text, jsonEscape) : text;
}

function jsonEscape(code: string): string {
  return String.fromCodePoint(Number.parseInt(code, 16))
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
