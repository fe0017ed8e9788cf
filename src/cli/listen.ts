/** `xmpp-e2e listen`: prints messages that came sealed and passed every check, and nothing else. */

import { join } from 'node:path';
import { transparent, verdictOf } from '../adapters/xmpp-js.ts';
import { E2eSession, ReplayGuard, serializeXml, toElement, type Verdict } from '../index.ts';
import { fileClock, fileContactMemory, prepareHome } from '../stores/node.ts';
import { CliError } from './cli-error.ts';
import { type ConnectOptions, type Element, prepareConnection } from './connect.ts';
import { loadBackends, openStore } from './context.ts';
import type { Io } from './io.ts';
import { readJid } from './jid-option.ts';
import { jsonLine, plainVerdict, replayStoreIn } from './open.ts';
import { forTerminal } from './terminal.ts';

/** Options of `listen`. */
export interface ListenOptions extends ConnectOptions {
  readonly from?: string;
  readonly json?: true;
  readonly max?: number;
  readonly timeout?: number;
}

/**
 * Listens until so many messages came, so much time has passed, or somebody interrupts.
 *
 * @throws {CliError} NETWORK; MISSING_INPUT where fewer messages than asked for came in time; INTERRUPTED; PASSPHRASE
 */
export async function listen(io: Io, options: ListenOptions): Promise<void> {
  const { max = Number.POSITIVE_INFINITY, timeout } = options;
  const only = options.from === undefined ? undefined : readJid('--from', options.from).bare().toString();
  const store = await openStore(io, options.home);
  const home = await prepareHome(store.path);
  const connection = await prepareConnection(io, options);
  const { xmpp, xml, me } = connection;
  const session = new E2eSession({
    jid: me,
    backends: await loadBackends(store),
    replay: new ReplayGuard(replayStoreIn(home)),
    clock: fileClock(join(home, 'sending-clock')),
    contacts: fileContactMemory(join(home, 'known-contacts')),
  });
  session.on('refused', ({ received, error }) => {
    const from = received?.attribute('from') ?? 'somebody';
    const { code, reason } = error;
    const object = { v: 1, ok: false, from, error: error.toJSON() };
    const line = `refused from ${from}: ${error.message} (${[code, reason].filter(Boolean).join(': ')})`;
    io.stderr.write(options.json === true ? `${JSON.stringify(object)}\n` : `xmpp-e2e: ${forTerminal(line)}\n`);
  });
  transparent<Element>(xmpp, { session, xml });

  let count = 0;
  let end: (outcome: 'enough' | 'late' | 'interrupted') => void = () => undefined;
  const over = new Promise<'enough' | 'late' | 'interrupted'>((resolve) => (end = resolve));
  xmpp.on('stanza', (stanza: Element) => {
    const verdict = verdictOf(stanza);
    if (verdict === undefined || !stanza.is('message') || count >= max) return;
    if (only !== undefined && verdict.sender?.jid !== only) return;
    if (options.json !== true && stanza.getChild('body') === undefined) return;
    io.stdout.write(options.json === true ? jsonOf(stanza, verdict, io) : lineOf(stanza, verdict));
    if (++count >= max) end('enough');
  });
  const forget = io.onInterrupt?.(() => end('interrupted'));
  const timer = timeout === undefined ? undefined : setTimeout(() => end('late'), timeout * 1000);
  try {
    await connection.start();
    await xmpp.send(xml('presence', {}));
    const outcome = await over;
    if (outcome === 'interrupted') throw new CliError('INTERRUPTED', `interrupted after ${count} messages`);
    if (outcome === 'late' && max !== Number.POSITIVE_INFINITY) {
      throw new CliError('MISSING_INPUT', `${count} of ${max} messages came within ${timeout} s`);
    }
  } finally {
    clearTimeout(timer);
    forget?.();
    await connection.stop();
  }
}

/** One line whatever is in it, so that no text can pass for another message. */
function lineOf(stanza: Element, { sender, claimedFrom, time }: Verdict): string {
  const body = stanza.getChildText('body') ?? '';
  return `${forTerminal(`${time.signed ?? '-'} ${sender?.jid ?? claimedFrom}: ${body}`)}\n`;
}

function jsonOf(stanza: Element, verdict: Verdict, io: Io): string {
  const object = { v: 1, ok: true, verdict: plainVerdict(verdict), stanza: serializeXml(toElement(stanza)) };
  return `${jsonLine(object, io.stdout.isTTY === true)}\n`;
}
