/** `xmpp-e2e keygen`: keys of my own, filed in the home. */

import { createPrivateKey } from 'node:crypto';
import { Jid } from '../index.ts';
import type { IdentityFiles } from '../stores/node.ts';
import { CliError } from './cli-error.ts';
import { type BackendName } from './backend-names.ts';
import { loadBackend, openStore } from './context.ts';
import { type Io, writeText } from './io.ts';
import { readJid } from './jid-option.ts';
import { passphraseFromFile } from './passphrase.ts';
import { pemBlocks } from './pem.ts';

/** Options of `keygen`. */
export interface KeygenOptions {
  readonly jid: string;
  readonly backend: BackendName;
  readonly algorithm?: KeyAlgorithm;
  readonly days?: number;
  readonly force?: true;
  readonly csr?: true;
  readonly v6?: true;
  readonly home?: string;
}

/** Kinds of keys that both backends have. */
export type CommonAlgorithm = 'ed25519' | 'p256' | 'p384' | 'rsa2048' | 'rsa3072' | 'rsa4096';

/** Kinds of keys; the last ones are for S/MIME, and not on every runtime. */
export type KeyAlgorithm = CommonAlgorithm | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';

/** What {@link generate} makes keys for. */
export interface GenerateRequest {
  readonly jid: Jid;
  readonly algorithm?: KeyAlgorithm | undefined;
  readonly days?: number | undefined;
  readonly passphrase?: string | undefined;
  readonly v6?: boolean | undefined;
}

/** What {@link generate} makes. */
export interface GeneratedFiles extends IdentityFiles {
  /** What others need. */
  readonly publicPart: Uint8Array;
  /** PKCS #10 requests; empty for OpenPGP. */
  readonly requests: Uint8Array;
}

/**
 * Makes keys in the form in which a store files them, with the certificate that others need.
 *
 * @throws {CliError} UNSUPPORTED_OPTION for keys that the backend does not have
 * @throws {E2eError} UNSUPPORTED for keys that the runtime does not have
 */
export async function generate(
  backend: BackendName,
  { jid, algorithm, days, passphrase, v6 }: GenerateRequest,
): Promise<GeneratedFiles> {
  if (backend === 'openpgp') {
    const { generateIdentity } = await import('../backends/openpgp/index.ts');
    const expiresAfterSeconds = days === undefined ? undefined : days * 86_400;
    if (isLattice(algorithm)) throw new CliError('UNSUPPORTED_OPTION', `${algorithm} is for --backend smime`);
    const made = await generateIdentity({ jid: jid.bare(), algorithm, passphrase, expiresAfterSeconds, v6 });
    const publicPart = Buffer.from(made.certificateArmored);
    return {
      keys: Buffer.from(made.secretKeyArmored),
      certificates: new Uint8Array(),
      publicPart,
      requests: new Uint8Array(),
    };
  }
  const { generateIdentity } = await import('../backends/smime/index.ts');
  const { keysPem, certificatesPem, requestsPem } = await generateIdentity({ jid: jid.bare(), algorithm, days });
  const keys = passphrase === undefined ? keysPem : protect(keysPem, passphrase);
  return { keys, certificates: certificatesPem, publicPart: certificatesPem, requests: requestsPem };
}

function isLattice(algorithm?: KeyAlgorithm): algorithm is Exclude<KeyAlgorithm, CommonAlgorithm> {
  return algorithm?.startsWith('ml-dsa-') === true;
}

/** PKCS #8 under a passphrase (PBES2 with AES-256), which openssl reads too. */
export function protect(pem: Uint8Array, passphrase: string): Uint8Array {
  const keys = pemBlocks(Buffer.from(pem).toString('latin1')).map(({ text }) =>
    createPrivateKey(text).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }),
  );
  return Buffer.from(keys.join(''));
}

/**
 * Makes and files keys.
 *
 * @throws {CliError} OUTPUT_EXISTS where there are keys and `force` is not given; UNSUPPORTED_OPTION for one of the other
 * backend
 * @throws {E2eError} STORE_FAILED
 */
export async function keygen(io: Io, options: KeygenOptions): Promise<void> {
  const jid = readJid('--jid', options.jid).bare();
  const { backend, algorithm, days, force = false, csr = false, v6 = false } = options;
  if (csr && backend !== 'smime') throw new CliError('UNSUPPORTED_OPTION', '--csr is for --backend smime');
  if (v6 && backend !== 'openpgp') throw new CliError('UNSUPPORTED_OPTION', '--v6 is for --backend openpgp');
  const store = await openStore(io, options.home);
  if (!force && (await store.identities(jid, backend)).length > 0) throw exists(jid, backend);
  const passphrase = await passphraseFromFile(io);
  const files = await generate(backend, { jid, algorithm, days, passphrase, v6 });
  if (!(await store.fileIdentity(jid, backend, files, force))) throw exists(jid, backend);
  if (csr) writeText(io.stdout, Buffer.from(files.requests).toString('latin1'));
  const [made] = await (await loadBackend(backend, store)).certificates(jid);
  io.stderr.write(`made ${backend} keys for ${jid.toString()}${made === undefined ? '' : ` (${made.algorithm})`}\n`);
  if (made !== undefined) {
    const until = made.notAfter === undefined ? 'does not expire' : `valid until ${made.notAfter.toISOString()}`;
    io.stderr.write(`  certificate ${made.fingerprint}, ${until}\n`);
  }
  io.stderr.write(`  give it to others: xmpp-e2e export --jid ${jid.toString()} --backend ${backend}\n`);
}

function exists(jid: Jid, backend: BackendName): CliError {
  return new CliError(
    'OUTPUT_EXISTS',
    `there are ${backend} keys for ${jid.toString()} already; --force replaces them, and what was encrypted to them cannot be read any more`,
  );
}
