/** `xmpp-e2e seal`: signs and encrypts the stanza on stdin. */

import { join } from 'node:path';
import {
  type Jid,
  type PayloadForm,
  type Protection,
  type SealProfile,
  sealStanza,
  type SecurityBackend,
  serializeXml,
  type XmlElement,
} from '../index.ts';
import { type DirectoryStore, fileClock, prepareHome } from '../stores/node.ts';
import { CliError } from './cli-error.ts';
import { type BackendName, backendNames } from './backend-names.ts';
import { loadBackend, openStore } from './context.ts';
import { type Io, readStanza, writeText } from './io.ts';
import { readJid } from './jid-option.ts';

/** Options of `seal`. */
export interface SealCommandOptions {
  readonly backend?: BackendName;
  readonly protection: Protection;
  readonly payload: PayloadForm | 'auto';
  readonly profile: SealProfile | 'kontalk';
  readonly from?: string;
  readonly to?: string;
  readonly home?: string;
}

const e2eNamespace = 'urn:ietf:params:xml:ns:xmpp-e2e';

/**
 * Seals a stanza.
 *
 * @throws {CliError} MISSING_INPUT; KEY_CANNOT_SIGN and CANNOT_ENCRYPT with the command that would help
 * @throws {E2eError} as `sealStanza`; STORE_FAILED
 */
export async function seal(io: Io, options: SealCommandOptions): Promise<void> {
  const given = { from: jidOption('--from', options.from), to: jidOption('--to', options.to) };
  const store = await openStore(io, options.home);
  const stanza = await readStanza(io, 'xmpp-e2e seal < message.xml');
  const sealed = await sealWith(store, stanza, given, options);
  const cdata = (element: XmlElement): boolean => element.is('e2e', e2eNamespace);
  writeText(io.stdout, `${serializeXml(sealed, { cdata })}\n`);
}

/**
 * Seals a stanza with the keys and the clock of a home.
 *
 * @throws {CliError} KEY_CANNOT_SIGN and CANNOT_ENCRYPT with the command that would help
 * @throws {E2eError} as `sealStanza`; STORE_FAILED
 */
export async function sealWith(
  store: DirectoryStore,
  stanza: XmlElement,
  given: Addresses,
  options: SealCommandOptions,
): Promise<XmlElement> {
  const { protection, payload, profile } = options;
  if (profile === 'kontalk') return sealForKontalk(store, stanza, given, options);
  const choice = await choose(store, stanza, given, options).catch((error: unknown) => unusable(error));
  const clock = choice.name === noBackend ? undefined : fileClock(join(await prepareHome(store.path), 'sending-clock'));
  return sealStanza(stanza, { backend: choice, ...given, protection, payload, profile, clock });
}

/** As the Kontalk clients do: with OpenPGP, signed and encrypted, a message. */
async function sealForKontalk(
  store: DirectoryStore,
  stanza: XmlElement,
  given: Addresses,
  options: SealCommandOptions,
): Promise<XmlElement> {
  const { protection, payload, backend = 'openpgp' } = options;
  if (protection !== 'sign+encrypt' || backend !== 'openpgp' || payload === 'pidf') {
    const line =
      '--profile kontalk signs and encrypts messages with OpenPGP: drop --protection, --backend and --payload';
    throw new CliError('UNSUPPORTED_OPTION', line);
  }
  const { kontalk } = await import('../profiles/index.ts');
  const choice = await choose(store, stanza, given, { ...options, backend });
  const clock = fileClock(join(await prepareHome(store.path), 'sending-clock'));
  return sealStanza(stanza, { backend: choice, ...given, payload, profile: kontalk, clock });
}

function jidOption(name: string, text: string | undefined): Jid | undefined {
  return text === undefined ? undefined : readJid(name, text);
}

const noBackend = 'none';

/**
 * Stands in where there are no keys, so that what is wrong with the stanza itself is told first: nobody should be sent
 * to ask for a certificate of a chat room.
 */
function unusable(error: unknown): SecurityBackend {
  if (!(error instanceof CliError)) throw error;
  const refuse = (): Promise<never> => Promise.reject(error);
  return {
    name: noBackend,
    recognize: () => undefined,
    sign: refuse,
    encrypt: refuse,
    signAndEncrypt: refuse,
    decrypt: refuse,
    verify: refuse,
    canSealTo: () => Promise.resolve(false),
    inspect: refuse,
    certificates: refuse,
    importCertificates: refuse,
  };
}

interface Addresses {
  readonly from: Jid | undefined;
  readonly to: Jid | undefined;
}

/** The backend asked for, or the first for which the keys are at hand. */
async function choose(
  store: DirectoryStore,
  stanza: XmlElement,
  given: Addresses,
  { backend, protection }: SealCommandOptions,
): Promise<SecurityBackend> {
  const from = given.from ?? addressOf(stanza, 'from');
  const to = given.to ?? addressOf(stanza, 'to');
  const mine: BackendName[] = [];
  const theirs: BackendName[] = [];
  for (const name of backend === undefined ? backendNames : [backend]) {
    if ((await store.identities(from, name)).length > 0) mine.push(name);
    if (protection === 'sign' || (await hasCertificate(store, from, to, name))) theirs.push(name);
  }
  const both = mine.filter((name) => theirs.includes(name));
  for (const name of both) {
    const engine = await loadBackend(name, store, () => store.trust());
    // With two to choose from, an expired certificate in one is no reason to fail.
    if (both.length === 1 || protection === 'sign' || (await engine.canSealTo(to.bare(), new Date()))) return engine;
  }
  if (both.length > 0) return loadBackend(both[0]!, store, () => store.trust());
  throw missing(from.bare(), to.bare(), mine, theirs, backend);
}

function addressOf(stanza: XmlElement, name: 'from' | 'to'): Jid {
  const text = stanza.attribute(name);
  if (text !== undefined) return readJid(`"${name}" of the stanza`, text);
  throw new CliError('MISSING_ARGUMENT', `the stanza has no "${name}"; give --${name} JID`);
}

async function hasCertificate(store: DirectoryStore, from: Jid, to: Jid, name: BackendName): Promise<boolean> {
  if (to.bare().equals(from.bare())) return (await store.identities(from, name)).length > 0;
  return (await store.find(to, name)).length > 0;
}

function missing(
  from: Jid,
  to: Jid,
  mine: readonly BackendName[],
  theirs: readonly BackendName[],
  backend: BackendName | undefined,
): CliError {
  const kind = backend === undefined ? '' : `${backend} `;
  if (mine.length === 0) {
    const line = `no ${kind}keys for ${from.toString()}: run \`xmpp-e2e keygen --jid ${from.toString()} --backend ${backend ?? 'smime'}\``;
    return new CliError('KEY_CANNOT_SIGN', line);
  }
  const ask = `ask for it and run \`xmpp-e2e import --jid ${to.toString()} FILE\``;
  if (theirs.length === 0) return new CliError('CANNOT_ENCRYPT', `no ${kind}certificate for ${to.toString()}: ${ask}`);
  const line = `the keys of ${from.toString()} are for ${mine.join()}, the certificate of ${to.toString()} is for ${theirs.join()}`;
  return new CliError(
    'CANNOT_ENCRYPT',
    `${line}: run \`xmpp-e2e keygen --jid ${from.toString()} --backend ${theirs[0]!}\``,
  );
}
