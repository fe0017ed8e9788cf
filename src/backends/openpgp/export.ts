/** Key files as ASCII armor, with their secret parts or without them (RFC 9580 sections 6.2 and 10). */

import { E2eError } from '../../errors.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import { writeArmor } from './armor.ts';
import { structureOf } from './library.ts';
import { parseKey, splitKeys } from './parse-keys.ts';

const stage = 'parse';

/** Options of {@link exportKeys}. */
export interface ExportKeysOptions {
  /** Keep the secret parts of secret keys, as they are; false by default. */
  readonly secret?: boolean | undefined;
  readonly limits?: Limits | undefined;
}

/**
 * Writes every key of a file as one armored block: its certificate, or the secret key where `secret` asks for it.
 *
 * @param file armored or binary, certificates or secret keys
 * @returns armored blocks one after another; secret keys only with `secret`
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export async function exportKeys(file: Uint8Array, options: ExportKeysOptions = {}): Promise<string> {
  const { secret = false, limits = defaultLimits } = options;
  const blocks: string[] = [];
  for (const block of splitKeys(file, stage)) {
    if (secret && block.kind === 'public') continue;
    const key = await parseKey(block, limits, stage);
    // RFC 9580 section 6.1: no checksum around a version 6 key; readers of version 4 keys may still want one.
    const checksum = structureOf(key).keyPacket.version !== 6;
    const stripped = block.kind === 'secret' && !secret;
    const data = stripped ? key.toPublic().write() : block.data;
    blocks.push(
      new TextDecoder().decode(writeArmor(secret ? 'PRIVATE KEY BLOCK' : 'PUBLIC KEY BLOCK', data, checksum)),
    );
  }
  if (blocks.length === 0) throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'no secret key' });
  return blocks.join('');
}
