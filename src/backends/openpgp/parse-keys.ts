/** Files of OpenPGP keys, armored or binary, with one or several certificates or secret keys (RFC 4880 section 11.1). */

import { concatBytes } from '../../bytes.ts';
import { E2eError, type E2eStage } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { isArmored, readArmor } from './armor.ts';
import { type Key, readKeys, readPrivateKeys } from './library.ts';
import { isIgnored, type Packet, readPackets, tag, writePacket } from './packets.ts';
import { safeConfig } from './safe-config.ts';

/** What a key file is to hold. */
export type KeyKind = 'public' | 'secret';

const maxPackets = 4096;

/** One key of a file, still as octets. */
export interface KeyBlock {
  readonly kind: KeyKind;
  readonly data: Uint8Array;
}

/**
 * Splits a key file into its keys, each in binary form.
 *
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export function splitKeys(file: Uint8Array, stage: E2eStage): readonly KeyBlock[] {
  const blocks = isArmored(file) ? readArmor(file, stage) : [{ type: undefined, data: file }];
  const keys: { kind: KeyKind; packets: Packet[] }[] = [];
  for (const { type, data } of blocks) {
    if (type === 'MESSAGE' || type === 'SIGNATURE') throw malformed(stage);
    const start = keys.length;
    for (const packet of readPackets(data, { stage, maxPackets })) {
      if (isIgnored(packet.tag)) continue;
      if (packet.tag === tag.publicKey || packet.tag === tag.secretKey) {
        keys.push({ kind: packet.tag === tag.publicKey ? 'public' : 'secret', packets: [] });
      }
      if (keys.length === start) throw malformed(stage);
      keys.at(-1)!.packets.push(packet);
    }
  }
  if (keys.length === 0) throw malformed(stage);
  return keys.map(({ kind, packets }) => ({
    kind,
    data: concatBytes(...packets.map((packet) => writePacket(packet.tag, packet.body))),
  }));
}

/**
 * Parses one key.
 *
 * @throws {E2eError} MALFORMED for anything that is no key; UNSUPPORTED for versions and algorithms that are unknown
 */
export async function parseKey({ kind, data }: KeyBlock, limits: Limits, stage: E2eStage): Promise<Key> {
  const config = safeConfig(limits);
  let keys: readonly Key[];
  try {
    keys =
      kind === 'public'
        ? await readKeys({ binaryKeys: data, config })
        : await readPrivateKeys({ binaryKeys: data, config });
  } catch (error) {
    // The library leaves out keys of unknown versions and algorithms, and says so when nothing is left.
    const unknown = error instanceof Error && /^No (secret )?key packet found/.test(error.message);
    throw unknown
      ? new E2eError('ERR_E2E_UNSUPPORTED', stage, { reason: 'OpenPGP key version or algorithm' })
      : malformed(stage);
  }
  return keys[0]!;
}

function malformed(stage: E2eStage): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'not an OpenPGP key' });
}
