/**
 * ASCII armor (RFC 4880 section 6), read strictly and written in the form that every peer reads.
 *
 *     armor  := "-----BEGIN PGP " type "-----" EOL *(key ": " value EOL) EOL base64 ["=" crc24 EOL] "-----END PGP " type "-----"
 *
 * Text before or after an armor is refused: it would be shown beside what is signed. The checksum is not judged (RFC
 * 9580 section 6.1): signatures and MDC protect the octets, and some writers leave it out.
 */

import { base64Decode, base64Encode, base64Text, concatBytes, indexOfBytes, rememberPlain, utf8 } from '../../bytes.ts';
import { E2eError, type E2eStage } from '../../errors.ts';
import { crc24 } from './crc24.ts';

/** The types of armor that are known. */
export type ArmorType = 'MESSAGE' | 'SIGNATURE' | 'PUBLIC KEY BLOCK' | 'PRIVATE KEY BLOCK';

/** One armored block. */
export interface Armored {
  readonly type: ArmorType;
  readonly data: Uint8Array;
}

const begin = utf8('-----BEGIN PGP ');
const types: readonly ArmorType[] = ['MESSAGE', 'SIGNATURE', 'PUBLIC KEY BLOCK', 'PRIVATE KEY BLOCK'];
const maxHeaderLines = 16;
const maxHeaderLine = 256;

/** Whether octets start like an armored block, white space aside. */
export function isArmored(bytes: Uint8Array): boolean {
  const start = skipBlank(bytes, 0);
  return begin.every((byte, i) => bytes[start + i] === byte);
}

/** The type that the first line of an armored block names, without reading further. */
export function armorType(bytes: Uint8Array): ArmorType | undefined {
  if (!isArmored(bytes)) return undefined;
  const start = skipBlank(bytes, 0) + begin.length;
  const line = ascii(bytes.subarray(start, start + 32));
  return types.find((type) => line.startsWith(`${type}-----`));
}

/**
 * Reads all armored blocks of a text; between them there is white space only.
 *
 * @throws {E2eError} MALFORMED; UNSUPPORTED for the cleartext signature framework and unknown types
 */
export function readArmor(bytes: Uint8Array, stage: E2eStage): readonly Armored[] {
  const blocks: Armored[] = [];
  for (let position = skipBlank(bytes, 0); position < bytes.length; position = skipBlank(bytes, position)) {
    const { block, end } = readBlock(bytes, position, stage);
    blocks.push(block);
    position = end;
  }
  if (blocks.length === 0) throw malformed(stage, 'no OpenPGP armor');
  return blocks;
}

/**
 * Reads the one armored block of a text.
 *
 * @throws {E2eError} MALFORMED, UNSUPPORTED
 */
export function readOneArmor(bytes: Uint8Array, type: ArmorType, stage: E2eStage): Uint8Array {
  const [block, ...more] = readArmor(bytes, stage);
  if (more.length > 0) throw malformed(stage, 'several OpenPGP armors');
  if (block!.type !== type) throw malformed(stage, 'another type of OpenPGP armor');
  return block!.data;
}

function readBlock(
  bytes: Uint8Array,
  start: number,
  stage: E2eStage,
): { readonly block: Armored; readonly end: number } {
  let position = start;
  const line = (): string | undefined => {
    const limit = Math.min(bytes.length, position + maxHeaderLine);
    let end = position;
    while (end < limit && bytes[end] !== 0x0a) end++;
    if (end === limit && end !== bytes.length) throw malformed(stage, 'armor header line');
    if (position === bytes.length) return undefined;
    const text = ascii(bytes.subarray(position, end)).replace(/[ \t\r]{1,255}$/, '');
    position = Math.min(bytes.length, end + 1);
    return text;
  };
  const first = line() ?? '';
  const type = types.find((name) => first === `-----BEGIN PGP ${name}-----`);
  if (type === undefined) {
    if (!first.startsWith('-----BEGIN PGP ')) throw malformed(stage, 'text outside OpenPGP armor');
    // The framework of RFC 4880 section 7 transforms what it shows; RFC 3156 section 2 says not to use it.
    throw new E2eError('ERR_E2E_UNSUPPORTED', stage, { reason: 'type of OpenPGP armor', subject: first });
  }
  for (let count = 0; ; count++) {
    const text = line();
    if (text === undefined || count > maxHeaderLines) throw malformed(stage, 'armor header');
    if (text === '') break;
    if (!/^[A-Za-z][A-Za-z0-9-]{0,30}:(?: |$)/.test(text)) throw malformed(stage, 'armor header line');
  }
  const tail = utf8(`-----END PGP ${type}-----`);
  const last = indexOfBytes(bytes, tail, position);
  if (last === -1 || bytes[last - 1] !== 0x0a) throw malformed(stage, 'OpenPGP armor without end');
  let body = bytes.subarray(position, last);
  const checksum = checksumLine(body);
  if (checksum !== -1) body = body.subarray(0, checksum);
  const end = last + tail.length;
  const next = bytes[end];
  if (next !== undefined && !isBlank(next)) throw malformed(stage, 'text after OpenPGP armor');
  return { block: { type, data: base64Decode(body, stage) }, end };
}

/** The index of the last line where it is "=" and four digits, or -1. */
function checksumLine(body: Uint8Array): number {
  let end = body.length;
  while (end > 0 && isBlank(body[end - 1]!)) end--;
  const start = end - 5;
  return start >= 0 && body[start] === 0x3d && (start === 0 || body[start - 1] === 0x0a) ? start : -1;
}

/**
 * Writes an armored block, lines ended by CRLF. Inverse of {@link readOneArmor}.
 *
 * @param checksum whether to write the CRC-24, which version 6 objects go without (RFC 9580 section 6.1)
 */
export function writeArmor(type: ArmorType, data: Uint8Array, checksum: boolean): Uint8Array {
  return concatBytes(...armorPieces(type, data, checksum));
}

/** What {@link writeArmor} writes, in pieces. */
export function armorPieces(type: ArmorType, data: Uint8Array, checksum: boolean): readonly Uint8Array[] {
  const { head, tail } = lines[type];
  const footer = checksum ? [equalsSign, base64Encode(crc24(data)), lineEnd] : [];
  return [head, base64Encode(data, 64), ...footer, tail];
}

/**
 * {@link writeArmor} as text with LF line ends.
 *
 * @param data in one piece, or one after the other
 * @param before what comes before and `after` it: joined afterwards, a long armor would be copied once more
 */
export function armorText(
  type: Exclude<ArmorType, 'PRIVATE KEY BLOCK'>,
  data: Uint8Array | readonly Uint8Array[],
  checksum: boolean,
  before = '',
  after = '',
): string {
  const head = `${before}-----BEGIN PGP ${type}-----\n\n`;
  const footer = checksum ? `=${base64Text(crc24(data))}\n` : '';
  const tail = `${footer}-----END PGP ${type}-----\n${after}`;
  return rememberPlain(base64Text(data, 64, '\n', head, tail), head, tail);
}

/**
 * The octets of one armored block as {@link armorText} and most programs write it: no header, nothing around it.
 *
 * @param text its line ends are LF
 * @returns undefined for whatever {@link readOneArmor} has to look at
 */
export function readArmorText(type: ArmorType, text: string): Uint8Array | undefined {
  const head = `-----BEGIN PGP ${type}-----\n\n`;
  const tail = `\n-----END PGP ${type}-----`;
  // Of several ends the first one would count; a body with another one in it is no base64.
  const last = text.lastIndexOf(tail);
  if (!text.startsWith(head) || last < head.length - 1 || !lineEnds.has(text.slice(last + tail.length))) {
    return undefined;
  }
  // The line of the checksum, which is not judged.
  const end = /^\n=[!-~]{4}$/.test(text.slice(last - 6, last)) ? last - 6 : last;
  const body = text.slice(head.length, end);
  // Padding at the start of a line may be taken for a checksum.
  const padding = body.indexOf('=');
  if (padding > 0 && isBlank(body.charCodeAt(padding - 1))) return undefined;
  try {
    return base64Decode(body);
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

const lineEnds: ReadonlySet<string> = new Set(['', '\n']);
const equalsSign = utf8('=');
const lineEnd = utf8('\r\n');
const lines = Object.fromEntries(
  types.map((type) => [
    type,
    { head: utf8(`-----BEGIN PGP ${type}-----\r\n\r\n`), tail: utf8(`-----END PGP ${type}-----\r\n`) },
  ]),
) as Readonly<Record<ArmorType, { readonly head: Uint8Array; readonly tail: Uint8Array }>>;

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}

function skipBlank(bytes: Uint8Array, from: number): number {
  let i = from;
  while (i < bytes.length && isBlank(bytes[i]!)) i++;
  return i;
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function malformed(stage: E2eStage, reason: string): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', stage, { reason });
}
