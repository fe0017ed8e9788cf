/** What a signature over a message hashes (RFC 9580 section 5.2.4). */

import { provider } from '#crypto';
import type { Digested } from '../../../crypto/packet-primitives.ts';
import { enums } from '../library.ts';

/** Hashes of the fast path with the octets of salt that version 6 has for them (RFC 9580 section 9.5). */
const hashes: ReadonlyMap<number, { readonly hash: Digested['hash']; readonly saltLength: number }> = new Map<
  number,
  { readonly hash: Digested['hash']; readonly saltLength: number }
>([
  [enums.hash.sha256, { hash: 'sha256', saltLength: 16 }],
  [enums.hash.sha384, { hash: 'sha384', saltLength: 24 }],
  [enums.hash.sha512, { hash: 'sha512', saltLength: 32 }],
]);

/** Octets of salt; undefined for a hash that goes the long way. */
export function saltLength(hashAlgorithm: number): number | undefined {
  return hashes.get(hashAlgorithm)?.saltLength;
}

/**
 * The digest of a binary signature.
 *
 *     hashed  := [salt] content fields trailer
 *     trailer := version %xFF octets-of-fields(4 octets)
 *
 * @param fields the packet from its version to the end of the hashed area
 * @param salt of a version 6 signature, else empty
 * @returns undefined for a hash that goes the long way
 */
export async function digestOf(
  hashAlgorithm: number,
  content: Uint8Array,
  fields: Uint8Array,
  salt: Uint8Array,
): Promise<Digested | undefined> {
  const known = hashes.get(hashAlgorithm);
  if (known === undefined) return undefined;
  const { length } = fields;
  const count = [length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255];
  const chunks = [salt, content, fields, Uint8Array.of(fields[0]!, 0xff, ...count)];
  return { hash: known.hash, digest: await provider.digest(known.hash, ...chunks), chunks };
}
