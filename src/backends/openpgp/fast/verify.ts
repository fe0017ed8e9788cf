/** Whether a binary signature is right (RFC 9580 sections 5.2.3 and 5.2.4). */

import { concatBytes } from '../../../bytes.ts';
import { coordinateLength } from '../../../crypto/public-key.ts';
import { enums, type KeyPacket, type MessageSignature } from '../library.ts';
import { digestOf, saltLength } from './digest.ts';
import { curveOf, kindOf, padded, publicKeyOf } from './keys.ts';
import { fastPrimitives } from './path.ts';

const none = new Uint8Array(0);

/**
 * Whether a signature is right beyond doubt: the work of openpgp.js's `verify` for a signature over binary content.
 *
 * @returns false for a wrong signature and for one that openpgp.js has to judge
 */
export async function isSurelyRight(
  signature: MessageSignature,
  content: Uint8Array,
  packet: KeyPacket,
): Promise<boolean> {
  const primitives = fastPrimitives();
  if (primitives === undefined || !isCommon(signature, packet)) return false;
  const key = publicKeyOf(packet);
  const octets = key === undefined ? undefined : signatureOctets(signature, packet);
  if (key === undefined || octets === undefined) return false;
  const { hashAlgorithm, signatureData, signedHashValue } = signature;
  const salt = signature.version === 6 ? signature.salt! : none;
  const digested = await digestOf(hashAlgorithm!, content, signatureData!, salt);
  if (digested === undefined) return false;
  const [first, second] = signedHashValue!;
  if (first !== digested.digest[0] || second !== digested.digest[1]) return false;
  return primitives.verifyDigested(key, digested, octets);
}

/** A signature by this key of the kind that everybody makes, and without content that nobody here may understand. */
function isCommon(signature: MessageSignature, packet: KeyPacket): boolean {
  const { version, hashAlgorithm, salt, signatureData, signedHashValue } = signature;
  return (
    signature.signatureType === enums.signature.binary &&
    (version === 4 || version === 6) &&
    version === packet.version &&
    signature.publicKeyAlgorithm === packet.algorithm &&
    signature.issuerKeyID.bytes === packet.getKeyID().bytes &&
    signatureData !== null &&
    signedHashValue?.length === 2 &&
    (version === 4 ? salt === null : salt !== null && salt.length === saltLength(hashAlgorithm!)) &&
    signature.revocationKeyClass === null &&
    !signature.unknownSubpackets.some(({ critical }) => critical) &&
    !signature.rawNotations.some(({ critical }) => critical)
  );
}

/** The signature itself as the primitives take it; undefined for numbers that are too long. */
function signatureOctets({ params }: MessageSignature, packet: KeyPacket): Uint8Array | undefined {
  const { r, s, RS } = params as Readonly<Record<'r' | 's' | 'RS', Uint8Array>>;
  const kind = kindOf(packet);
  switch (kind) {
    case 'rsa':
      return fixed(s, (packet.publicParams as { readonly n: Uint8Array }).n.length);
    case 'ecdsa':
    case 'eddsa': {
      const length = kind === 'eddsa' ? 32 : coordinateLength(curveOf(packet)!);
      const halves = [fixed(r, length), fixed(s, length)];
      return halves.includes(undefined) ? undefined : concatBytes(...(halves as Uint8Array[]));
    }
    case 'ed25519':
      return RS;
    default:
      return undefined;
  }
}

function fixed(integer: Uint8Array, length: number): Uint8Array | undefined {
  return integer.length > length ? undefined : padded(integer, length);
}
