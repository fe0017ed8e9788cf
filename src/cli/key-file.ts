/** Files with keys and certificates: reading them, and telling by content what they hold. */

import { readFile } from 'node:fs/promises';
import { CliError } from './cli-error.ts';
import { type Io, readInput } from './io.ts';
import { type PemBlock, pemBlocks } from './pem.ts';

/**
 * Reads a file, or stdin.
 *
 * @param file `-` for stdin
 * @param usage an example for somebody who gave nothing
 * @throws {CliError} MISSING_INPUT
 * @throws {E2eError} LIMIT for more than 4 MiB on stdin
 */
export async function readFileOrInput(io: Io, file: string, usage: string): Promise<Uint8Array> {
  if (file === '-') return readInput(io, 'a certificate', usage);
  try {
    return await readFile(file);
  } catch (error) {
    throw new CliError(
      'MISSING_INPUT',
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    );
  }
}

/** Whether a file is OpenPGP, armored or binary. */
export function isOpenpgp(bytes: Uint8Array): boolean {
  // A packet of OpenPGP has its highest bit set (RFC 9580 section 4.2), DER begins with SEQUENCE.
  if ((bytes[0]! & 0x80) !== 0) return true;
  return pemBlocks(Buffer.from(bytes).toString('latin1')).some(({ label }) => label.startsWith('PGP '));
}

/** Whether a file is PKCS #12: SEQUENCE, then INTEGER 3, where a certificate has another SEQUENCE (RFC 7292 section 4). */
export function isPkcs12(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x30) return false;
  const lengthOctets = bytes[1]! > 0x80 ? bytes[1]! & 0x7f : 0;
  return Buffer.from(bytes.subarray(2 + lengthOctets, 5 + lengthOctets)).toString('hex') === '020103';
}

/** A DER file as one PEM block. */
export function derAsPem(bytes: Uint8Array): PemBlock {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return {
    label: 'CERTIFICATE',
    text: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

/**
 * The X.509 certificates of a PEM or DER file as PEM, without the private keys that may stand beside them.
 *
 * @throws {CliError} BAD_DATA for a file without any
 */
export function x509Blocks(bytes: Uint8Array): Uint8Array {
  const blocks = pemBlocks(Buffer.from(bytes).toString('latin1'));
  const certificates =
    blocks.length === 0 && bytes[0] === 0x30
      ? [derAsPem(bytes)]
      : blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (certificates.length === 0) throw unknownContent();
  return Buffer.from(certificates.map(({ text }) => text).join(''), 'latin1');
}

/** For a file that holds nothing that is known here. */
export function unknownContent(): CliError {
  return new CliError(
    'BAD_DATA',
    'this is neither an X.509 certificate (PEM or DER) nor an OpenPGP key (armored or binary)',
  );
}
