/** What the commands share: the home, its store, and the backends over them, loaded only when a command needs them. */

import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { KeyStore, SecurityBackend } from '../index.ts';
import { type DirectoryStore, directoryStore } from '../stores/node.ts';
import { type BackendName, backendNames } from './backend-names.ts';
import { CliError } from './cli-error.ts';
import type { Io } from './io.ts';
import { passphraseFor } from './passphrase.ts';

/**
 * Where keys, contacts and state are: `--home`, else $XMPP_E2E_HOME, else xmpp-e2e in the user's data directory. Never
 * the directory of another program.
 *
 * @throws {CliError} MISSING_ARGUMENT where the environment says nothing
 */
export function homePath(io: Io, option: string | undefined): string {
  const given = option ?? io.env['XMPP_E2E_HOME'];
  if (given !== undefined && given !== '') return given;
  const data = io.env['XDG_DATA_HOME'];
  // XDG Base Directory Specification: a relative path is to be ignored.
  if (data !== undefined && isAbsolute(data)) return join(data, 'xmpp-e2e');
  const home = io.env['HOME'] ?? homedir();
  if (!isAbsolute(home)) throw new CliError('MISSING_ARGUMENT', 'there is no home directory; give one with --home DIR');
  return join(home, '.local', 'share', 'xmpp-e2e');
}

/**
 * Opens the store of the home. Nothing is written yet.
 *
 * @throws {E2eError} STORE_FAILED for a directory that is not ours
 */
export function openStore(io: Io, option: string | undefined): Promise<DirectoryStore> {
  return directoryStore(homePath(io, option), { passphrase: (jid) => passphraseFor(io, jid) });
}

/**
 * Loads one backend.
 *
 * @param store where its keys are
 * @param trust anchors and revocation lists; none for a store that is not a home
 */
export async function loadBackend(
  name: BackendName,
  store: KeyStore,
  trust: DirectoryStore['trust'] = () => Promise.resolve({ anchors: [] }),
): Promise<SecurityBackend> {
  if (name === 'openpgp') {
    const { openpgp } = await import('../backends/openpgp/index.ts');
    return openpgp({ store });
  }
  const { smime } = await import('../backends/smime/index.ts');
  return smime({ store, trust: await trust() });
}

/** Loads every backend over a home. */
export function loadBackends(store: DirectoryStore): Promise<SecurityBackend[]> {
  return Promise.all(backendNames.map((name) => loadBackend(name, store, () => store.trust())));
}
