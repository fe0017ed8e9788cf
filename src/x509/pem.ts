/**
 * PEM files: the strict text form of RFC 7468 section 3, several blocks to a file.
 *
 *     stricttextualmsg = preeb eol strictbase64text posteb eol
 *     preeb            = "-----BEGIN " label "-----"
 *     posteb           = "-----END " label "-----"
 *
 * Text outside of the blocks is explanatory and skipped (section 2), lines may be of any length and end in LF, CRLF or
 * CR, and every block must decode: a damaged one is an error, not a shorter list.
 */

import { base64Decode, base64Encode, concatBytes, utf8 } from '../bytes.ts';
import { E2eError, type E2eStage } from '../errors.ts';

/** One block of a PEM file. */
export interface PemBlock {
  /** For example `CERTIFICATE`, `PRIVATE KEY`. */
  readonly label: string;
  readonly der: Uint8Array;
}

const begin = utf8('-----BEGIN ');
const end = utf8('-----END ');
const dashes = utf8('-----');

/**
 * Reads every block of a PEM file.
 *
 * @param file octets of the file
 * @param maxBlocks most blocks to read
 * @throws {E2eError} MALFORMED for a block without end, with another end, or that is no base64; LIMIT for too many
 */
export function parsePem(file: Uint8Array, maxBlocks = 256, stage: E2eStage = 'parse'): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly from: number } | undefined;
  for (let at = 0; at < file.length;) {
    let stop = at;
    while (stop < file.length && file[stop] !== 0x0a && file[stop] !== 0x0d) stop++;
    if (open === undefined) {
      const label = boundary(file, at, stop, begin);
      if (label !== undefined) open = { label, from: stop };
    } else if (file[at] === 0x2d) {
      // RFC 7468 section 2: "generators MUST put the same label on the "-----END" line".
      if (boundary(file, at, stop, end) !== open.label) throw malformed('the end of a PEM block does not fit', stage);
      if (blocks.length === maxBlocks) throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'too many PEM blocks' });
      blocks.push({ label: open.label, der: base64Decode(file.subarray(open.from, at), stage) });
      open = undefined;
    }
    at = stop + 1;
  }
  if (open !== undefined) throw malformed('a PEM block has no end', stage);
  return blocks;
}

/**
 * Writes one PEM block with lines of 64 characters (RFC 7468 section 3).
 *
 * @param label for example `CERTIFICATE`
 */
export function serializePem(label: string, der: Uint8Array): Uint8Array {
  const body = base64Encode(der, 64).filter((octet) => octet !== 0x0d);
  return concatBytes(utf8(`-----BEGIN ${label}-----\n`), body, utf8(`-----END ${label}-----\n`));
}

/**
 * The objects of a file that is either PEM or one or several DER values in a row.
 *
 * @param file octets of the file
 * @returns PEM blocks, or one block with label `DER` that holds the whole file
 * @throws {E2eError} MALFORMED for a file that is neither
 */
export function parsePemOrDer(file: Uint8Array, maxBlocks = 256, stage: E2eStage = 'parse'): readonly PemBlock[] {
  if (file[0] === 0x30) return [{ label: 'DER', der: file }];
  const blocks = parsePem(file, maxBlocks, stage);
  if (blocks.length === 0 && file.length > 0) throw malformed('neither PEM nor DER', stage);
  return blocks;
}

function boundary(file: Uint8Array, from: number, to: number, marker: Uint8Array): string | undefined {
  let stop = to;
  while (stop > from && (file[stop - 1] === 0x20 || file[stop - 1] === 0x09)) stop--;
  const length = stop - from;
  if (length < marker.length + dashes.length || length > 96) return undefined;
  for (let i = 0; i < marker.length; i++) if (file[from + i] !== marker[i]) return undefined;
  for (let i = 0; i < dashes.length; i++) if (file[stop - dashes.length + i] !== 0x2d) return undefined;
  let label = '';
  for (let i = from + marker.length; i < stop - dashes.length; i++) {
    const octet = file[i]!;
    if (octet < 0x20 || octet > 0x7e) return undefined;
    label += String.fromCharCode(octet);
  }
  return label;
}

function malformed(reason: string, stage: E2eStage): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', stage, { reason });
}
