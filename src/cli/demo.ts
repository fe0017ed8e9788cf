/** `xmpp-e2e demo`: everything once, with keys made on the spot, in a temporary home that is removed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isForServers, mapStanza } from '../formats.ts';
import {
  E2eError,
  Jid,
  openStanza,
  parseXml,
  ReplayGuard,
  sealStanza,
  type SecurityBackend,
  serializeXml,
  type XmlElement,
} from '../index.ts';
import { type DirectoryStore, directoryStore, fileReplayStore } from '../stores/node.ts';
import { type BackendName, backendNames } from './backend-names.ts';
import { loadBackend } from './context.ts';
import { demoStanzas, juliet, romeo } from './demo-stanzas.ts';
import { exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { generate } from './keygen.ts';
import { verdictText } from './open.ts';
import { frame, layOut, shortenBase64 } from './show.ts';
import { emphasisOn, type Emphasis } from './terminal.ts';

interface Stage {
  readonly io: Io;
  readonly width: number;
  readonly emphasize: (emphasis: Emphasis, text: string) => string;
}

interface Person {
  readonly store: DirectoryStore;
  readonly backend: SecurityBackend;
}

/**
 * Shows all stages of sealing and opening, and the refusal of three attacks, with each backend.
 *
 * @throws {Error} if an attack were accepted, or a stanza came back changed
 */
export async function demo(io: Io): Promise<void> {
  const home = mkdtempSync(join(io.env['TMPDIR'] ?? tmpdir(), 'xmpp-e2e-demo-'));
  const remove = (): void => {
    try {
      rmSync(home, { recursive: true, force: true });
    } catch {
      // The one write that was under way has added to a folder meanwhile; no other begins before this ends.
      rmSync(home, { recursive: true, force: true });
    }
  };
  const interrupted = (): void => {
    remove();
    process.exit(exitCodes.INTERRUPTED);
  };
  process.once('SIGINT', interrupted);
  // The program also ends in the middle when the reader of its output goes away.
  process.once('exit', remove);
  try {
    const width = Math.min(Math.max(io.stdout.columns ?? 100, 60), 120);
    const stage = { io, width, emphasize: emphasisOn(io.stdout, io.env) };
    title(stage, 'Three stanzas, and the objects that they become');
    for (const { name, text, about } of demoStanzas) showPayload(stage, name, parse(text), about);
    for (const name of backendNames) await showBackend(stage, name, join(home, name));
    title(stage, 'Done: three stanzas sealed and opened with each backend, three attacks refused by each');
  } finally {
    process.removeListener('SIGINT', interrupted);
    process.removeListener('exit', remove);
    remove();
  }
}

function parse(text: string): XmlElement {
  return parseXml(text, { defaultNamespace: 'jabber:client' });
}

function title({ io, width, emphasize }: Stage, text: string): void {
  io.stdout.write(`\n${emphasize('title', `== ${text} ${'='.repeat(Math.max(0, width - text.length - 4))}`)}\n`);
}

function show({ io, width, emphasize }: Stage, heading: string, text: string): void {
  io.stdout.write(`\n${emphasize('title', heading)}\n${frame(shortenBase64(text), width)}`);
}

function showPayload(stage: Stage, name: string, stanza: XmlElement, about: string): void {
  show(stage, `${name}: the stanza`, layOut(stanza));
  const at = BigInt(Date.now()) * 1_000_000n;
  const inner = stanza.withChildren(stanza.elements.filter((child) => !isForServers(child)));
  const options = { from: juliet, to: [romeo.bare()], at, wrapped: true } as const;
  const mapped = mapStanza(inner, { ...options, form: 'auto', loss: 'refuse' });
  show(stage, `${name}: the object to be signed (${about})`, Buffer.from(mapped.entity).toString('utf8'));
  if (stanza.name !== 'message') return;
  const gateway = mapStanza(inner, { ...options, form: 'cpim', loss: 'report' });
  show(stage, `${name}: as a gateway would pass it on in CPIM`, Buffer.from(gateway.entity).toString('utf8'));
  stage.io.stdout.write(`  lost that way: ${gateway.dropped.join(', ')}\n`);
}

async function showBackend(stage: Stage, name: BackendName, home: string): Promise<void> {
  title(stage, name === 'smime' ? 'S/MIME (CMS)' : 'OpenPGP');
  const sender = await person(join(home, 'juliet'), name);
  const recipient = await person(join(home, 'romeo'), name);
  const certificates = [await makeKeys(sender.store, name, juliet), await makeKeys(recipient.store, name, romeo)];
  await sender.store.fileCertificate(romeo, name, certificates[1]!);
  await recipient.store.fileCertificate(juliet, name, certificates[0]!);
  for (const jid of [juliet, romeo]) {
    const [summary] = await (jid === juliet ? sender : recipient).backend.certificates(jid.bare());
    stage.io.stdout.write(`  made keys for ${jid.bare().toString()}: ${summary!.algorithm}, ${summary!.fingerprint}\n`);
  }
  const replay = new ReplayGuard(fileReplayStore(join(recipient.store.path, 'replay')));
  for (const { name: kind, text } of demoStanzas) {
    await showSealed(stage, kind, parse(text), sender.backend, recipient.backend, replay);
  }
  await showAttacks(stage, name, sender.backend, recipient.backend, replay);
}

async function person(path: string, name: BackendName): Promise<Person> {
  const store = await directoryStore(path);
  return { store, backend: await loadBackend(name, store) };
}

async function makeKeys(store: DirectoryStore, name: BackendName, jid: Jid): Promise<Uint8Array> {
  const files = await generate(name, { jid });
  await store.fileIdentity(jid, name, files);
  return files.publicPart;
}

async function showSealed(
  stage: Stage,
  kind: string,
  stanza: XmlElement,
  sender: SecurityBackend,
  recipient: SecurityBackend,
  replay: ReplayGuard,
): Promise<void> {
  const signed = await sealStanza(stanza, { backend: sender, protection: 'sign' });
  const joined = sender.name === 'openpgp' ? ' (alone: when encrypted too, OpenPGP joins both in one message)' : '';
  show(stage, `${kind}: signed${joined}`, textOfE2e(signed));
  const sealed = await sealStanza(stanza, { backend: sender });
  show(stage, `${kind}: signed and encrypted, as it goes over the wire`, layOut(sealed));
  const opened = await openStanza(wire(sealed), { backends: [recipient], me: romeo, replay });
  show(stage, `${kind}: opened by ${romeo.toString()}`, layOut(opened.stanza));
  stage.io.stdout.write(
    verdictText(opened.verdict, { ...stage.io, stderr: stage.io.stdout }).replaceAll('xmpp-e2e: ', '  verdict: '),
  );
  if (canonical(opened.stanza) !== canonical(stanza)) throw new Error('the stanza came back changed');
  stage.io.stdout.write(`  ${stage.emphasize('good', 'the same stanza came back')}\n`);
}

/** Over the wire and back: what arrives is text. */
function wire(stanza: XmlElement): XmlElement {
  return parse(serializeXml(stanza));
}

function textOfE2e(stanza: XmlElement): string {
  return stanza.elements[0]!.text;
}

/** The order of attributes means nothing. */
function canonical(stanza: XmlElement): string {
  const attributes = stanza.attributes.map(({ name, value }) => `${name}=${value}`).sort();
  return [...attributes, ...stanza.elements.map((child) => serializeXml(child))].join('\n');
}

async function showAttacks(
  stage: Stage,
  name: BackendName,
  sender: SecurityBackend,
  recipient: SecurityBackend,
  replay: ReplayGuard,
): Promise<void> {
  const stanza = parse(demoStanzas[0].text);
  const sealed = wire(await sealStanza(stanza, { backend: sender }));
  const open = (received: XmlElement): Promise<unknown> =>
    openStanza(received, { backends: [recipient], me: romeo, replay });
  stage.io.stdout.write(`\n${stage.emphasize('title', `Attacks on a sealed message (${name})`)}\n`);
  await refused(stage, 'one byte of the ciphertext flipped', () => open(withFlippedByte(sealed)));
  await refused(stage, 'sender changed to mallory@example.org', () =>
    open(sealed.withAttribute('from', 'mallory@example.org/x')),
  );
  await open(sealed);
  stage.io.stdout.write('  the message itself, untouched: accepted\n');
  await refused(stage, 'the same message sent again', () => open(sealed));
}

async function refused({ io, emphasize }: Stage, attack: string, attempt: () => Promise<unknown>): Promise<void> {
  const error: unknown = await attempt().then(
    () => new Error(`accepted: ${attack}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof E2eError)) throw error;
  io.stdout.write(`  ${attack}: ${emphasize('bad', 'refused')}, ${error.code} at ${error.stage}: ${error.message}\n`);
}

/** Flips one bit in the middle of the longest run of base64, which is the ciphertext. */
function withFlippedByte(sealed: XmlElement): XmlElement {
  const e2e = sealed.elements[0]!;
  const lines = e2e.text.split('\n');
  const full = lines.map((line, i) => (/^[A-Za-z0-9+/]{60,76}$/.test(line) ? i : -1)).filter((i) => i !== -1);
  const target = full[Math.floor(full.length * 0.7)]!;
  const octets = Buffer.from(lines[target]!, 'base64');
  octets[20]! ^= 1;
  lines[target] = octets.toString('base64');
  return sealed.withChildren([e2e.withChildren([lines.join('\n')]), ...sealed.elements.slice(1)]);
}
