/** `xmpp-e2e cert`: looks at certificates, checks their paths, files trust anchors. */

import { E2eError, Jid } from '../index.ts';
import type { CertificateSummary } from '../index.ts';
import { memoryStore } from '../stores/index.ts';
import { CliError } from './cli-error.ts';
import { loadBackend, openStore } from './context.ts';
import { isOpenpgp, readFileOrInput, x509Blocks } from './key-file.ts';
import type { Io } from './io.ts';
import { readJid } from './jid-option.ts';
import { emphasisOn, forTerminal } from './terminal.ts';
import { readTime } from './time-option.ts';

/** Options of `cert check`. */
export interface CertCheckOptions {
  readonly jid: string;
  readonly at?: string;
  readonly home?: string;
}

/** Options of `cert import`. */
export interface CertImportOptions {
  readonly anchor: true;
  readonly home?: string;
}

/**
 * Prints what certificates say about themselves.
 *
 * @param file `-` for stdin
 * @throws {CliError} MISSING_INPUT, BAD_DATA for a file without certificates
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export async function showCertificates(io: Io, file: string): Promise<void> {
  const bytes = await readFileOrInput(io, file, 'xmpp-e2e cert show < romeo.pem');
  if (isOpenpgp(bytes)) {
    const { exportKeys } = await import('../backends/openpgp/index.ts');
    // Under any address: it only names the shelf.
    const shelf = Jid.parse('shelf.invalid');
    const store = memoryStore();
    store.fileCertificate(shelf, 'openpgp', Buffer.from(await exportKeys(bytes)));
    for (const one of await (await loadBackend('openpgp', store)).certificates(shelf)) {
      print(io, 'OpenPGP certificate', one);
    }
    return;
  }
  const { describeCertificates } = await import('../backends/smime/index.ts');
  for (const one of await describeCertificates(x509Blocks(bytes))) {
    print(io, `X.509 certificate${one.ca ? ' of a CA' : ''}`, one, one.names);
  }
}

function print(io: Io, title: string, one: CertificateSummary, names: readonly string[] = []): void {
  const { subject, issuer, jids, notBefore, notAfter, algorithm, fingerprint } = one;
  const facts: [string, string][] = [
    ['subject', subject],
    ...(issuer === undefined ? [] : [['issuer', issuer] satisfies [string, string]]),
    ...names.map((name): [string, string] => ['name', name]),
    ['speaks of', jids.length === 0 ? 'no JID' : jids.join(', ')],
    ['valid', `${notBefore.toISOString()} to ${notAfter?.toISOString() ?? 'any time'}`],
    ['key', algorithm],
    ['fingerprint', fingerprint.replace(/.{4}(?=.)/g, '$& ')],
  ];
  const emphasize = emphasisOn(io.stdout, io.env);
  io.stdout.write(`${emphasize('title', title)}\n`);
  for (const [name, value] of facts) io.stdout.write(`  ${name}: ${forTerminal(value)}\n`);
}

/**
 * Validates the path from each end-entity certificate of a file to an anchor of the home, and looks for the JID in it.
 *
 * @param file `-` for stdin
 * @throws {CliError} UNTRUSTED where one fails; MISSING_INPUT, BAD_DATA
 * @throws {E2eError} MALFORMED, LIMIT, STORE_FAILED
 */
export async function checkCertificate(io: Io, file: string, options: CertCheckOptions): Promise<void> {
  const jid = readJid('--jid', options.jid).bare();
  const at = readTime('--at', options.at);
  const bytes = await readFileOrInput(io, file, `xmpp-e2e cert check --jid ${jid.toString()} < romeo.pem`);
  if (isOpenpgp(bytes)) throw new CliError('BAD_DATA', 'OpenPGP certificates have no path to an anchor to check');
  const store = await openStore(io, options.home);
  const { checkCertificates } = await import('../backends/smime/index.ts');
  const checked = await checkCertificates(x509Blocks(bytes), { jid, at, trust: await store.trust() });
  const shown = ({ subject, fingerprint }: CertificateSummary): string =>
    `${forTerminal(subject)} (${fingerprint.slice(0, 16)}…)`;
  let failed = 0;
  for (const { certificate, named, outcome, reason, failing, chain } of checked) {
    io.stdout.write(`${shown(certificate)}\n`);
    for (const issuer of chain.slice(1)) io.stdout.write(`  issued by ${shown(issuer)}\n`);
    if (outcome === 'trusted' && named) {
      io.stdout.write(`  trusted for ${jid.toString()}\n`);
      continue;
    }
    failed++;
    if (outcome !== 'trusted') {
      io.stdout.write(`  ${outcome}: ${forTerminal(reason)}; at fault: ${shown(failing ?? certificate)}\n`);
    }
    if (!named) {
      const names = certificate.jids.slice(0, 5).join(', ');
      io.stdout.write(
        names === ''
          ? `  names no JID, so that it cannot speak for ${jid.toString()}\n`
          : `  does not name ${jid.toString()}, but ${forTerminal(names)}\n`,
      );
    }
  }
  if (failed > 0) {
    throw new CliError('UNTRUSTED', `${failed} of ${checked.length} certificate(s) cannot be trusted for this address`);
  }
}

/**
 * Files the CA certificates of a file as trust anchors of the home.
 *
 * @param file `-` for stdin
 * @throws {CliError} BAD_DATA for anything but CA certificates; MISSING_INPUT
 * @throws {E2eError} MALFORMED, LIMIT, STORE_FAILED
 */
export async function importAnchor(io: Io, file: string, options: CertImportOptions): Promise<void> {
  const bytes = await readFileOrInput(io, file, 'xmpp-e2e cert import --anchor < ca.pem');
  if (isOpenpgp(bytes)) throw new CliError('BAD_DATA', 'an anchor is an X.509 certificate of a CA, not an OpenPGP key');
  const certificates = x509Blocks(bytes);
  const { describeCertificates } = await import('../backends/smime/index.ts');
  const described = await describeCertificates(certificates);
  const other = described.find(({ ca }) => !ca);
  if (other !== undefined) {
    throw new CliError(
      'BAD_DATA',
      `${other.subject} is no CA: a certificate of a person is filed with xmpp-e2e import --jid JID FILE`,
    );
  }
  if (described.length === 0) throw new E2eError('ERR_E2E_MALFORMED', 'parse', { reason: 'no certificate' });
  const store = await openStore(io, options.home);
  await store.fileAnchor(certificates);
  for (const { subject, fingerprint } of described) {
    io.stderr.write(`filed as anchor: ${forTerminal(subject)} ${fingerprint}\n`);
  }
  io.stderr.write('  from now on whoever it certifies is believed\n');
}
