/**
 * RSA-encrypted session keys through the primitives of the runtime (RFC 4880 sections 5.1 and 13.1). The library falls
 * back to big integers where the runtime refuses RSAES-PKCS1-v1_5 (Node 20 and 22): ten times slower.
 *
 *     session := cipher-octet key checksum       ; PKESK version 3
 *              / key checksum                    ; PKESK version 6
 *     checksum := sum of the octets of the key modulo 65536
 */

import { provider } from '#crypto';
import { concatBytes, randomBytes } from '../../bytes.ts';
import { parsePrivateKey, type PrivateKey } from '../../crypto/private-key.ts';
import type { KeyPacket } from './library.ts';
import { keyLength } from './names.ts';

/** Whether this runtime decrypts RSAES-PKCS1-v1_5; browsers do not. */
export const nativeRsa: boolean = provider.supports('rsa-pkcs1v15-decrypt');

const handles = new WeakMap<KeyPacket, PrivateKey>();

/**
 * Recovers a session key for a cipher. Never fails: whatever does not fit gives a random key, in the same steps, so
 * that the padding is no oracle (Bleichenbacher).
 *
 * @param ciphertext the multiprecision integer of the packet, two octets of bit count first
 * @param cipher the cipher that the key is for
 * @param named whether the session names its cipher, as version 3 does
 */
export async function recoverRsa(
  ciphertext: Uint8Array,
  key: KeyPacket,
  cipher: number,
  named: boolean,
): Promise<Uint8Array> {
  const length = keyLength(cipher)!;
  const start = named ? 1 : 0;
  const session = await provider.decryptRsaPkcs1v15(rsaPrivateKeyOf(key), blockOf(ciphertext, key), start + length + 2);
  const found = session.subarray(start, start + length);
  let sum = 0;
  for (const octet of found) sum += octet;
  const wrong =
    (named ? session[0]! ^ cipher : 0) |
    (((sum >> 8) & 255) ^ session[start + length]!) |
    ((sum & 255) ^ session[start + length + 1]!);
  const keep = ~((wrong | -wrong) >> 31);
  const random = randomBytes(length);
  return found.map((octet, i) => (octet & keep) | (random[i]! & ~keep));
}

/** The ciphertext as long as the modulus: an integer drops its leading zeros. */
export function blockOf(ciphertext: Uint8Array, key: KeyPacket): Uint8Array {
  const { n } = key.publicParams as { readonly n: Uint8Array };
  const octets = ciphertext.subarray(2);
  if (octets.length >= n.length) return octets;
  const block = new Uint8Array(n.length);
  block.set(octets, n.length - octets.length);
  return block;
}

/** The private key of an unlocked RSA packet in the form of the primitives. */
export function rsaPrivateKeyOf(key: KeyPacket): PrivateKey {
  let handle = handles.get(key);
  if (handle === undefined) {
    handle = parsePrivateKey(toPkcs8(key));
    handles.set(key, handle);
  }
  return handle;
}

/**
 *     PrivateKeyInfo ::= SEQUENCE { INTEGER 0, SEQUENCE { OID rsaEncryption, NULL }, OCTET STRING RSAPrivateKey }
 *     RSAPrivateKey  ::= SEQUENCE { INTEGER 0, n, e, d, p, q, d mod (p-1), d mod (q-1), q^-1 mod p }
 */
function toPkcs8(key: KeyPacket): Uint8Array {
  const { n, e } = key.publicParams as { readonly n: Uint8Array; readonly e: Uint8Array };
  const { d, p, q, u } = key.privateParams as Readonly<Record<'d' | 'p' | 'q' | 'u', Uint8Array>>;
  // OpenPGP keeps u = p^-1 mod q where PKCS #1 has q^-1 mod p: its p is the second prime here.
  const exponent = (prime: Uint8Array): Uint8Array => octetsOf(integerOf(d) % (integerOf(prime) - 1n));
  const numbers = [n, e, d, q, p, exponent(q), exponent(p), u].map(derInteger);
  const rsaKey = der(0x30, derInteger(new Uint8Array(1)), ...numbers);
  const algorithm = Uint8Array.of(0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0);
  return der(0x30, derInteger(new Uint8Array(1)), algorithm, der(4, rsaKey));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  const { length } = content;
  const header = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, (length >> 8) & 255, length & 255];
  return concatBytes(Uint8Array.of(tag, ...header), content);
}

function derInteger(octets: Uint8Array): Uint8Array {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const positive = octets.subarray(start);
  return der(2, ...((positive[0] ?? 0) >= 128 ? [new Uint8Array(1)] : []), positive);
}

function integerOf(octets: Uint8Array): bigint {
  let value = 0n;
  for (const octet of octets) value = (value << 8n) | BigInt(octet);
  return value;
}

function octetsOf(value: bigint): Uint8Array {
  const text = value.toString(16);
  const even = text.length % 2 === 0 ? text : `0${text}`;
  return Uint8Array.from({ length: even.length / 2 }, (_, i) => Number.parseInt(even.slice(2 * i, 2 * i + 2), 16));
}
