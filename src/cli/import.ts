/** `xmpp-e2e import`: files the certificate of a contact, or keys of my own, after trying them. */

import { type DialectProfile, E2eError, element, type Jid, sealStanza } from '../index.ts';
import { memoryStore } from '../stores/index.ts';
import type { DirectoryStore, IdentityFiles } from '../stores/node.ts';
import { CliError } from './cli-error.ts';
import { type BackendName } from './backend-names.ts';
import { loadBackend, openStore } from './context.ts';
import type { Io } from './io.ts';
import { readJid } from './jid-option.ts';
import { protect } from './keygen.ts';
import { derAsPem, isOpenpgp, isPkcs12, readFileOrInput, unknownContent } from './key-file.ts';
import { passphraseFor } from './passphrase.ts';
import { pemBlocks } from './pem.ts';
import { forTerminal } from './terminal.ts';

/** Options of `import`. */
export interface ImportOptions {
  readonly jid: string;
  readonly identity?: true;
  readonly replace?: true;
  readonly force?: true;
  readonly profile?: 'kontalk';
  readonly home?: string;
}

interface KeyFile extends IdentityFiles {
  readonly backend: BackendName;
  readonly secret: boolean;
  /** Given already, where the file itself was under it. */
  readonly passphrase?: string;
}

/**
 * Files what is in a file.
 *
 * @param file `-` for stdin
 * @throws {CliError} MISSING_INPUT, BAD_DATA for what is no certificate of this JID, OUTPUT_EXISTS
 * @throws {E2eError} STORE_FAILED, KEY_UNAVAILABLE
 */
export async function importFile(io: Io, file: string, options: ImportOptions): Promise<void> {
  const jid = readJid('--jid', options.jid).bare();
  const store = await openStore(io, options.home);
  const bytes = await readFileOrInput(io, file, 'xmpp-e2e import --jid romeo@example.net - < romeo.pem');
  const found = isPkcs12(bytes)
    ? await openPkcs12(bytes, options.identity === true ? () => passphraseFor(io, jid) : undefined)
    : await recognize(bytes);
  if (options.identity === true) await importIdentity(io, store, jid, found, options);
  else await importCertificate(io, store, jid, found, options);
}

/** Keys stay under the passphrase of the file, in the form in which a home has them. */
async function openPkcs12(bytes: Uint8Array, ask: (() => Promise<string>) | undefined): Promise<KeyFile> {
  if (ask === undefined) {
    throw new CliError('BAD_DATA', 'this is a PKCS #12 file, for private keys: --identity makes them mine');
  }
  const { readPkcs12 } = await import('../backends/smime/index.ts');
  const passphrase = await ask();
  const { keysPem, certificatesPem } = await readPkcs12(bytes, passphrase);
  const keys = passphrase === '' ? keysPem : protect(keysPem, passphrase);
  return { backend: 'smime', secret: keysPem.length > 0, keys, certificates: certificatesPem, passphrase };
}

/** Tells what a file holds from its content, never from its name. */
async function recognize(bytes: Uint8Array): Promise<KeyFile> {
  const text = Buffer.from(bytes).toString('latin1');
  const blocks = pemBlocks(text);
  if (isOpenpgp(bytes)) return recognizeOpenpgp(bytes);
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  let certificates = blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (blocks.length === 0 && bytes[0] === 0x30) certificates = [derAsPem(bytes)];
  if (keys.length + certificates.length === 0) throw unknownContent();
  const join = (parts: typeof blocks): Uint8Array => Buffer.from(parts.map((part) => part.text).join(''), 'latin1');
  return { backend: 'smime', secret: keys.length > 0, keys: join(keys), certificates: join(certificates) };
}

async function recognizeOpenpgp(bytes: Uint8Array): Promise<KeyFile> {
  const { exportKeys } = await import('../backends/openpgp/index.ts');
  try {
    const certificates = Buffer.from(await exportKeys(bytes));
    const keys = await exportKeys(bytes, { secret: true }).catch(() => '');
    return { backend: 'openpgp', secret: keys !== '', keys: Buffer.from(keys), certificates };
  } catch (error) {
    throw error instanceof E2eError && error.code !== 'ERR_E2E_MALFORMED' ? error : unknownContent();
  }
}

async function importCertificate(
  io: Io,
  store: DirectoryStore,
  jid: Jid,
  found: KeyFile,
  { replace, profile }: ImportOptions,
): Promise<void> {
  const { backend, certificates } = found;
  if (found.secret) {
    throw new CliError(
      'BAD_DATA',
      'the file holds a private key: --identity makes it mine; of a contact only the certificate is wanted',
    );
  }
  const trial = memoryStore();
  trial.fileCertificate(jid, backend, certificates);
  const engine = await loadBackend(backend, trial);
  const named = await namedFor(engine, jid, profile);
  const before = await (await loadBackend(backend, store, () => store.trust())).certificates(jid);
  await store.fileCertificate(jid, backend, certificates, replace === true ? 'replace' : 'add');
  for (const { fingerprint, algorithm } of named) {
    io.stderr.write(`filed for ${jid.toString()}: ${backend} certificate ${fingerprint} (${algorithm})\n`);
  }
  if (profile === undefined && !(await engine.canSealTo(jid, new Date())))
    io.stderr.write('  it cannot be encrypted to now: expired, or only for signing\n');
  const others = before.filter((one) => !named.some(({ fingerprint }) => fingerprint === one.fingerprint));
  if (others.length > 0 && replace !== true) {
    io.stderr.write(`  ${others.length} other certificate(s) speak for this address too; --replace forgets them\n`);
  }
}

/**
 * The certificates that name the JID: one that does not could never speak for it. Those of a client that has mail
 * addresses in that place do so under its profile.
 */
async function namedFor(
  engine: Awaited<ReturnType<typeof loadBackend>>,
  jid: Jid,
  profile: 'kontalk' | undefined,
): Promise<Awaited<ReturnType<typeof engine.certificates>>> {
  const all = await engine.certificates(jid);
  const name = jid.toString();
  const asMail = (subject: string): boolean => subject === name || subject.endsWith(`<${name}>`);
  const named = all.filter(({ jids, subject }) => jids.includes(name) || (profile === 'kontalk' && asMail(subject)));
  if (named.length > 0) return named;
  if (all.length === 0) throw unknownContent();
  const names = all
    .flatMap(({ jids, subject }) => (jids.length > 0 ? jids : [subject]))
    .map((name) => forTerminal(name));
  throw new CliError(
    'BAD_DATA',
    `the certificate does not name ${jid.toString()}, but ${names.slice(0, 5).join(', ')}`,
  );
}

async function kontalkProfile(): Promise<DialectProfile> {
  return (await import('../profiles/index.ts')).kontalk;
}

async function importIdentity(
  io: Io,
  store: DirectoryStore,
  jid: Jid,
  found: KeyFile,
  { force, profile }: ImportOptions,
): Promise<void> {
  const { backend, keys } = found;
  if (!found.secret)
    throw new CliError('BAD_DATA', 'the file holds no private key; without --identity it is filed as a contact');
  const certificates = backend === 'openpgp' ? new Uint8Array() : found.certificates;
  if (backend === 'smime' && certificates.length === 0) {
    throw new CliError(
      'BAD_DATA',
      'the certificate is missing: cat key.pem cert.pem | xmpp-e2e import --identity --jid JID -',
    );
  }
  const trial = memoryStore();
  const passphrase = async (): Promise<string> => found.passphrase ?? passphraseFor(io, jid);
  trial.addIdentity(jid, backend, { keys, certificates, passphrase });
  const engine = await loadBackend(backend, trial, () => store.trust());
  const [named] = await namedFor(engine, jid, profile);
  // Signs once, so that a key that does not fit its certificate is refused now and not at the first message.
  const stanza = element('message', 'jabber:client', { from: jid.toString(), to: jid.toString() }, []);
  const how = profile === undefined ? { protection: 'sign' as const } : { profile: await kontalkProfile() };
  await sealStanza(stanza, { backend: engine, ...how });
  if (!(await store.fileIdentity(jid, backend, { keys, certificates }, force === true))) {
    throw new CliError(
      'OUTPUT_EXISTS',
      `there are ${backend} keys for ${jid.toString()} already; --force replaces them`,
    );
  }
  io.stderr.write(
    `filed ${backend} keys for ${jid.toString()}: certificate ${named!.fingerprint} (${named!.algorithm})\n`,
  );
}
