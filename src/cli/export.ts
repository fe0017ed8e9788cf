/** `xmpp-e2e export`: prints my certificate, my private keys, or the certificate filed for a contact. */

import type { Jid } from '../index.ts';
import type { DirectoryStore } from '../stores/node.ts';
import { CliError } from './cli-error.ts';
import { type BackendName, backendNames } from './backend-names.ts';
import { openStore } from './context.ts';
import { type Io, writeText } from './io.ts';
import { readJid } from './jid-option.ts';

/** Options of `export`. */
export interface ExportOptions {
  readonly jid: string;
  readonly backend?: BackendName;
  readonly secret?: true;
  readonly home?: string;
}

/**
 * Prints keys.
 *
 * @throws {CliError} MISSING_INPUT where there are none; MISSING_ARGUMENT where there are two kinds and none was named
 * @throws {E2eError} STORE_FAILED, KEY_UNAVAILABLE
 */
export async function exportFile(io: Io, options: ExportOptions): Promise<void> {
  const jid = readJid('--jid', options.jid).bare();
  const store = await openStore(io, options.home);
  const secret = options.secret === true;
  const names = options.backend === undefined ? backendNames : [options.backend];
  const found: [BackendName, string][] = [];
  for (const name of names) {
    const text = await find(store, jid, name, secret);
    if (text !== undefined) found.push([name, text]);
  }
  const [first, second] = found;
  if (first === undefined) {
    const what = secret ? 'no private keys' : 'neither keys nor a certificate';
    throw new CliError('MISSING_INPUT', `there are ${what} for ${jid.toString()} in ${store.path}`);
  }
  if (second !== undefined) {
    throw new CliError(
      'MISSING_ARGUMENT',
      `there are two kinds for ${jid.toString()}: say --backend smime or --backend openpgp`,
    );
  }
  writeText(io.stdout, first[1]);
}

async function find(store: DirectoryStore, jid: Jid, name: BackendName, secret: boolean): Promise<string | undefined> {
  const [identity] = await store.identities(jid, name);
  if (identity !== undefined) {
    const keys = Buffer.from(identity.keys as Uint8Array);
    if (secret) return keys.toString('latin1');
    if (name === 'smime') return Buffer.from(identity.certificates).toString('latin1');
    const { exportKeys } = await import('../backends/openpgp/index.ts');
    return exportKeys(keys);
  }
  if (secret) return undefined;
  const filed = (await store.find(jid, name)).filter((one) => one.filed);
  return filed.length === 0
    ? undefined
    : filed.map(({ certificates }) => Buffer.from(certificates).toString('latin1')).join('');
}
