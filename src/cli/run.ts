/**
 * Runs the command line: commander for the syntax, one file a command, loaded when it is called. Help needs nothing of the
 * library, so that it comes at once.
 */

import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { BatchOpenOptions, BatchSealOptions } from './batch.ts';
import type { CertCheckOptions, CertImportOptions } from './cert.ts';
import { CliError } from './cli-error.ts';
import { backendNames } from './backend-names.ts';
import { type ExitName, exitCodes } from './exit-codes.ts';
import type { ExportOptions } from './export.ts';
import type { ImportOptions } from './import.ts';
import type { InspectCommandOptions } from './inspect.ts';
import type { Io } from './io.ts';
import type { KeygenOptions } from './keygen.ts';
import type { ListenOptions } from './listen.ts';
import type { MapCommandOptions } from './map.ts';
import type { OpenCommandOptions } from './open.ts';
import type { SealCommandOptions } from './seal.ts';
import type { SendOptions } from './send.ts';

const algorithms = [
  ...['ed25519', 'p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096'],
  ...['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'],
];

/**
 * Runs one command.
 *
 * @param argv the arguments after the program's name
 * @returns the exit code
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const json = argv.includes('--json');
  try {
    await program(io).parseAsync([...argv], { from: 'user' });
    return exitCodes.OK;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.OK;
    const { report } = await import('./report.ts');
    if (error instanceof CommanderError) return report(io, usageError(error, argv), json);
    const { passphraseFailure } = await import('./passphrase.ts');
    return report(io, passphraseFailure(io) ?? error, json);
  }
}

const exitOfUsage: Readonly<Record<string, ExitName>> = {
  'commander.unknownCommand': 'UNKNOWN_COMMAND',
  'commander.help': 'MISSING_ARGUMENT',
  'commander.missingArgument': 'MISSING_ARGUMENT',
  'commander.missingMandatoryOptionValue': 'MISSING_ARGUMENT',
  'commander.optionMissingArgument': 'MISSING_ARGUMENT',
};

function usageError(error: CommanderError, argv: readonly string[]): CliError {
  const command = argv.find((word) => !word.startsWith('-'));
  const known = command !== undefined && error.code !== 'commander.unknownCommand';
  const help = known ? `xmpp-e2e ${command} --help` : 'xmpp-e2e --help';
  const what = error.code === 'commander.help' ? 'no command was given' : error.message.replace(/^error: /, '');
  return new CliError(
    exitOfUsage[error.code] ?? 'UNSUPPORTED_OPTION',
    `${what.replace(/\s*\n\s*/g, ' ')}; see ${help}`,
  );
}

function program(io: Io): Command {
  const root = new Command('xmpp-e2e')
    .description('Sign and encrypt XMPP stanzas end to end (RFC 3923), and open them again.')
    .addHelpText('before', rootExamples)
    .version(version(), '-V, --version', 'print the version')
    .exitOverride()
    // Errors are reported by `run`, in one line.
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => undefined,
      outputError: () => undefined,
    })
    .helpCommand(false)
    .hook('preAction', async (_root, action) => {
      const { passphraseFd } = action.opts<{ passphraseFd?: number }>();
      if (passphraseFd !== undefined) (await import('./passphrase.ts')).usePassphraseDescriptor(io, passphraseFd);
    });

  command(root, 'keygen', 'make keys of my own', [
    'xmpp-e2e keygen --jid juliet@example.com --backend smime',
    'xmpp-e2e keygen --jid juliet@example.com --backend openpgp --algorithm ed25519 --days 365',
    'XMPP_E2E_PASSPHRASE_FILE=pass.txt xmpp-e2e keygen --jid juliet@example.com --backend smime   # protected keys',
  ])
    .requiredOption('--jid <jid>', 'my address')
    .addOption(new Option('--backend <name>', 'format of the keys').choices(backendNames).makeOptionMandatory())
    .addOption(
      new Option(
        '--algorithm <name>',
        'kind of keys; p256 for smime and ed25519 for openpgp by default; ml-dsa-* (with ML-KEM) for smime only',
      ).choices(algorithms),
    )
    .option('--days <n>', 'days until they expire; 730 for smime and never for openpgp by default', positiveInteger)
    .option('--csr', 'print a certificate request (PKCS #10) for a CA; smime only')
    .option('--v6', 'make a key of version 6 (RFC 9580), which GnuPG cannot read; openpgp only')
    .option('--force', 'replace the keys that are there; they are gone then')
    .action(async (options: KeygenOptions) => (await import('./keygen.ts')).keygen(io, options));

  command(root, 'import', 'file the certificate of a contact, or keys of my own', [
    'xmpp-e2e import --jid romeo@example.net romeo.pem',
    'gpg --export romeo@example.net | xmpp-e2e import --jid romeo@example.net -',
    'cat key.pem cert.pem | xmpp-e2e import --identity --jid juliet@example.com -',
    'xmpp-e2e import --identity --jid juliet@example.com juliet.p12',
  ])
    .argument('<file>', 'PEM, DER, PKCS #12, armored or binary OpenPGP; - for stdin')
    .requiredOption('--jid <jid>', 'whose it is: from now on it speaks for this address')
    .option('--identity', 'the file holds private keys, and they are mine')
    .option('--replace', 'forget the certificates of this contact that were filed before')
    .option('--force', 'with --identity: replace the keys that are there; they are gone then')
    .addOption(
      new Option('--profile <name>', 'the client that made it, where that has ways of its own').choices(['kontalk']),
    )
    .action(async (file: string, options: ImportOptions) =>
      (await import('./import.ts')).importFile(io, file, options),
    );

  command(root, 'export', 'print a certificate, mine or a filed one', [
    'xmpp-e2e export --jid juliet@example.com > juliet.pem',
    'xmpp-e2e export --jid juliet@example.com --backend openpgp | gpg --import',
  ])
    .requiredOption('--jid <jid>', 'whose certificate')
    .addOption(new Option('--backend <name>', 'which format, where there are two').choices(backendNames))
    .option('--secret', 'print my private keys instead')
    .action(async (options: ExportOptions) => (await import('./export.ts')).exportFile(io, options));

  const cert = root
    .command('cert')
    .description('look at certificates, check them, file trust anchors')
    .addHelpText(
      'before',
      'Examples:\n  xmpp-e2e cert show romeo.pem\n  xmpp-e2e cert check --jid romeo@example.net romeo.pem\n',
    )
    .helpCommand(false);
  command(cert, 'show', 'show names, validity, key and fingerprint, verifying nothing', [
    'xmpp-e2e cert show romeo.pem',
    'gpg --export romeo@example.net | xmpp-e2e cert show',
  ])
    .argument('[file]', 'PEM, DER, armored or binary OpenPGP; stdin by default', '-')
    .action(async (file: string) => (await import('./cert.ts')).showCertificates(io, file));
  command(cert, 'check', 'validate the path to an anchor of the home, with its revocation lists', [
    'xmpp-e2e cert check --jid romeo@example.net romeo.pem',
    'cat romeo.pem intermediate.pem | xmpp-e2e cert check --jid romeo@example.net --at 2026-01-31T12:00:00Z',
  ])
    .argument('[file]', 'PEM or DER, intermediate certificates included; stdin by default', '-')
    .requiredOption('--jid <jid>', 'whom it shall speak for')
    .option('--at <time>', 'when (RFC 3339); now by default')
    .action(async (file: string, options: CertCheckOptions) =>
      (await import('./cert.ts')).checkCertificate(io, file, options),
    );
  command(cert, 'import', 'file a certificate of a CA', ['xmpp-e2e cert import --anchor ca.pem'])
    .argument('<file>', 'PEM or DER; - for stdin')
    .requiredOption('--anchor', 'as a trust anchor: from now on whoever it certifies is believed')
    .action(async (file: string, options: CertImportOptions) =>
      (await import('./cert.ts')).importAnchor(io, file, options),
    );

  command(root, 'seal', 'sign and encrypt the stanza on stdin', [
    'xmpp-e2e seal < message.xml > sealed.xml',
    'xmpp-e2e seal --from juliet@example.com/balcony --to romeo@example.net --protection sign < message.xml',
  ])
    .addOption(new Option('--backend <name>', 'the one for which keys are at hand by default').choices(backendNames))
    .addOption(new Option('--protection <layers>').choices(['sign', 'encrypt', 'sign+encrypt']).default('sign+encrypt'))
    .addOption(new Option('--payload <form>').choices(['auto', 'cpim', 'pidf', 'xmpp+xml']).default('auto'))
    .addOption(
      new Option('--profile <name>', "today's algorithms, those of the RFC, or the ways of the Kontalk clients")
        .choices(['modern', 'rfc3923', 'kontalk'])
        .default('modern'),
    )
    .option('--from <jid>', "my address; the stanza's by default")
    .option('--to <jid>', "the recipient; the stanza's by default")
    .action(async (options: SealCommandOptions) => (await import('./seal.ts')).seal(io, options));

  command(root, 'open', 'decrypt and verify the stanza on stdin; prints nothing on stdout unless all is well', [
    'xmpp-e2e open --as romeo@example.net < sealed.xml',
    'xmpp-e2e open --as romeo@example.net --archive --at 2026-01-31T12:00:00Z < old.xml',
  ])
    .requiredOption('--as <jid>', 'my address')
    .option('--at <time>', 'when it was received (RFC 3339); now by default')
    .addOption(new Option('--policy <name>', 'what to believe').choices(['strict', 'rfc3923']).default('strict'))
    .addOption(
      new Option('--profile <name>', 'the client that sent it, where that has ways of its own').choices(['kontalk']),
    )
    .addOption(new Option('--archive', 'it comes from an archive: late, and as often as you like').conflicts('offline'))
    .option('--offline', 'it comes from offline storage: late, and once')
    .option('--no-replay', 'do not look whether it was received before')
    .option('--json', 'print one JSON object with the verdict; errors as JSON on stderr')
    .action(async (options: OpenCommandOptions) => (await import('./open.ts')).open(io, options));

  const batch = root
    .command('batch')
    .description('seal or open many stanzas: one JSON object a line (NDJSON), in and out')
    .addHelpText(
      'before',
      'Examples:\n  xmpp-e2e batch seal < plain.ndjson > sealed.ndjson\n  xmpp-e2e batch open --as romeo@example.net < sealed.ndjson\n',
    )
    .helpCommand(false);
  batchCommand(batch, 'seal', 'seal the stanza of each line', [
    'xmpp-e2e batch seal < plain.ndjson > sealed.ndjson',
    'xmpp-e2e batch seal --jobs 4 --resume sealed.ndjson < plain.ndjson      # goes on where it was killed',
  ])
    .addOption(new Option('--backend <name>', 'the one for which keys are at hand by default').choices(backendNames))
    .addOption(new Option('--protection <layers>').choices(['sign', 'encrypt', 'sign+encrypt']).default('sign+encrypt'))
    .addOption(new Option('--payload <form>').choices(['auto', 'cpim', 'pidf', 'xmpp+xml']).default('auto'))
    .addOption(
      new Option('--profile <name>', "today's algorithms, or those of the RFC")
        .choices(['modern', 'rfc3923'])
        .default('modern'),
    )
    .action(async (options: BatchSealOptions) => (await import('./batch.ts')).batchSeal(io, options));
  batchCommand(batch, 'open', 'open the stanza of each line, as from an archive', [
    'xmpp-e2e batch open --as romeo@example.net --jobs 2 < archive.ndjson > opened.ndjson',
    'xmpp-e2e batch open --as romeo@example.net --live < received.ndjson     # on time, in order, once',
  ])
    .requiredOption('--as <jid>', 'my address')
    .option('--at <time>', 'when they were received (RFC 3339); now by default')
    .addOption(new Option('--policy <name>', 'what to believe').choices(['strict', 'rfc3923']).default('strict'))
    .addOption(new Option('--live', 'they come as they are sent: on time, in order, and once').conflicts('resume'))
    .action(async (options: BatchOpenOptions) => (await import('./batch.ts')).batchOpen(io, options));

  connecting(root, 'send', 'seal the text on stdin and send it', [
    'echo "Wherefore art thou?" | xmpp-e2e send --user juliet@example.com romeo@example.net',
    'xmpp-e2e send --user juliet@example.com --password-fd 3 romeo@example.net < text 3< password',
    'xmpp-e2e send --user juliet@example.com --stanza romeo@example.net < message.xml',
  ])
    .argument('<recipient>', 'whom to send it to')
    .addOption(new Option('--text <text>', 'the text, in place of stdin').conflicts('stanza'))
    .option('--stanza', 'stdin is a whole stanza')
    .addOption(new Option('--backend <name>', 'the one for which keys are at hand by default').choices(backendNames))
    .action(async (recipient: string, options: SendOptions) =>
      (await import('./send.ts')).send(io, recipient, options),
    );

  connecting(root, 'listen', 'print the messages that come sealed and pass every check', [
    'xmpp-e2e listen --user romeo@example.net',
    'xmpp-e2e listen --user romeo@example.net --json --max 1 --timeout 60',
  ])
    .option('--from <jid>', 'only those of this sender')
    .option('--json', 'print one JSON object a line, as open does')
    .option('--max <n>', 'end after so many', positiveInteger)
    .option('--timeout <seconds>', 'end after so long', positiveInteger)
    .action(async (options: ListenOptions) => (await import('./listen.ts')).listen(io, options));

  command(root, 'inspect', 'show the layers of the stanza on stdin, without keys and without verifying anything', [
    'xmpp-e2e inspect < sealed.xml',
    'xmpp-e2e inspect --json < sealed.xml',
  ])
    .option('--json', 'print one JSON object')
    .action(async (options: InspectCommandOptions) => (await import('./inspect.ts')).inspect(io, options));

  command(root, 'map', 'turn the stanza on stdin into a CPIM or PIDF object or back, without cryptography', [
    'xmpp-e2e map to-cpim < message.xml        # what CPIM cannot say is reported on stderr',
    'xmpp-e2e map to-pidf < presence.xml',
    'xmpp-e2e map to-stanza < object.eml',
  ])
    .argument('<direction>', 'to-cpim, to-pidf, to-xmpp-xml or to-stanza')
    .option('--from <jid>', "the sender; the stanza's or the object's by default")
    .option('--to <jid>', "the recipient; the stanza's or the object's by default")
    .option('--at <time>', 'the time to write into the object (RFC 3339); now by default')
    .option('--bare', 'without Message/CPIM around PIDF and application/xmpp+xml')
    .action(async (direction: string, options: MapCommandOptions) =>
      (await import('./map.ts')).map(io, direction, options),
    );

  command(root, 'vectors', 'run test vectors: those of this package, or a folder of others', [
    'xmpp-e2e vectors verify',
    'xmpp-e2e vectors verify ./my-vectors',
  ])
    .addArgument(new Argument('<action>').choices(['verify']))
    .argument('[folder]', 'vector files, with their keys in keys/')
    .action(async (_action: string, folder: string | undefined) =>
      (await import('./vectors.ts')).verifyVectors(io, folder),
    );

  command(root, 'demo', 'show it all with two people who never existed; needs nothing and leaves nothing', [
    'xmpp-e2e demo',
  ]).action(async () => (await import('./demo.ts')).demo(io));
  return root;
}

function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

const rootExamples = `Examples:
  xmpp-e2e demo
  xmpp-e2e keygen --jid juliet@example.com --backend smime
  xmpp-e2e export --jid juliet@example.com > juliet.pem      # give this to Romeo
  xmpp-e2e import --jid romeo@example.net romeo.pem          # what Romeo gave you
  xmpp-e2e seal < message.xml > sealed.xml
  xmpp-e2e open --as juliet@example.com < received.xml
`;

function command(root: Command, name: string, description: string, examples: readonly string[]): Command {
  return root
    .command(name)
    .description(description)
    .allowExcessArguments(false)
    .addHelpText('before', `Examples:\n${examples.map((example) => `  ${example}\n`).join('')}`)
    .option('--home <dir>', 'keys, contacts and state; $XMPP_E2E_HOME or $XDG_DATA_HOME/xmpp-e2e by default')
    .option('--passphrase-fd <n>', 'read the passphrase of my keys from this file descriptor (3 or more)', descriptor);
}

function connecting(root: Command, name: string, description: string, examples: readonly string[]): Command {
  return command(root, name, description, examples)
    .requiredOption('--user <jid>', 'my address at the server')
    .option(
      '--service <uri>',
      'xmpps://host:port, xmpp://host:port (STARTTLS) or wss://…; xmpp://DOMAIN:5222 by default',
    )
    .option('--password-fd <n>', 'read the password from this file descriptor (3 or more)', descriptor);
}

function batchCommand(batch: Command, name: string, description: string, examples: readonly string[]): Command {
  return command(batch, name, description, examples)
    .option('--jobs <n>', 'threads; more than one needs the package piscina', jobs, 1)
    .option('--resume <file>', 'write the answers into this file, and go on where it ends');
}

function jobs(text: string): number {
  const value = /^[1-9]\d?$/.test(text) ? Number(text) : 65;
  if (value > 64) throw new InvalidArgumentError('It must be a number from 1 to 64.');
  return value;
}

function descriptor(text: string): number {
  if (!/^(?:[3-9]|[1-9]\d{1,3})$/.test(text)) throw new InvalidArgumentError('It must be a number from 3 to 9999.');
  return Number(text);
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('It must be a number from 1 to 99999.');
  return Number(text);
}
