/**
 * Private keys as CryptoKeys that cannot be taken out again: whoever runs a script in the page can use them while it
 * runs there, and carry nothing away.
 */

import type { ExternalPrivateKey } from '../backends/backend.ts';
import { base64Decode, utf8, utf8Decode } from '../bytes.ts';

/** Non-extractable keys of one PKCS #8 object, by use; structured cloning keeps them. */
export type LockedKeys = Readonly<Record<string, CryptoKey>>;

const curves = [
  ['P-256', 256, 32],
  ['P-384', 384, 48],
] as const;
const signatureHashes = ['sha256', 'sha384', 'sha512'] as const;
const transportHashes = ['sha1', ...signatureHashes] as const;
const hashNames = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;

/**
 * Locks the private key of a PEM text: ECDSA and ECDH for P-256 and P-384; RSASSA and OAEP for RSA.
 *
 * @param pem one PKCS #8 block, not encrypted
 * @throws {RangeError} for more or less than one block, and for other algorithms
 */
export async function lockKeys(pem: Uint8Array): Promise<LockedKeys> {
  const pkcs8 = soleKey(utf8Decode(pem));
  const { subtle } = globalThis.crypto;
  for (const [namedCurve] of curves) {
    try {
      return {
        [`ecdsa ${namedCurve}`]: await subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve }, false, ['sign']),
        [`ecdh ${namedCurve}`]: await subtle.importKey('pkcs8', pkcs8, { name: 'ECDH', namedCurve }, false, [
          'deriveBits',
        ]),
      };
    } catch {
      // Of another curve or algorithm.
    }
  }
  const keys: Record<string, CryptoKey> = {};
  try {
    for (const hash of signatureHashes) {
      const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: hashNames[hash] };
      keys[`rsassa ${hash}`] = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
    }
    for (const hash of transportHashes) {
      const algorithm = { name: 'RSA-OAEP', hash: hashNames[hash] };
      keys[`oaep ${hash}`] = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['decrypt']);
    }
  } catch {
    throw new RangeError('the private key must be P-256, P-384 or RSA');
  }
  return keys;
}

function soleKey(pem: string): Uint8Array<ArrayBuffer> {
  const start = '-----BEGIN PRIVATE KEY-----';
  const blocks = pem.split(start).slice(1);
  const [block] = blocks;
  if (block === undefined || blocks.length > 1) throw new RangeError('one PEM block of PKCS #8 is needed');
  return base64Decode(utf8(block.slice(0, block.indexOf('-----END')))) as Uint8Array<ArrayBuffer>;
}

/** What the S/MIME backend does with locked keys. */
export function keyServiceOf(keys: LockedKeys): ExternalPrivateKey {
  const { subtle } = globalThis.crypto;
  const curve = curves.find(([name]) => keys[`ecdsa ${name}`] !== undefined);
  if (curve !== undefined) {
    const [namedCurve, bits, octets] = curve;
    return {
      async sign(data, hash) {
        const algorithm = { name: 'ECDSA', hash: hashNames[hash] };
        return ecdsaSignature(await subtle.sign(algorithm, keys[`ecdsa ${namedCurve}`]!, owned(data)), octets);
      },
      async agree(point) {
        const algorithm = { name: 'ECDH', namedCurve };
        const peer = await subtle.importKey('raw', owned(point), algorithm, true, []);
        const secret = await subtle.deriveBits({ name: 'ECDH', public: peer }, keys[`ecdh ${namedCurve}`]!, bits);
        return new Uint8Array(secret);
      },
    };
  }
  return {
    async sign(data, hash) {
      return new Uint8Array(await subtle.sign('RSASSA-PKCS1-v1_5', keys[`rsassa ${hash}`]!, owned(data)));
    },
    async decryptKey(encrypted, _scheme, hash) {
      return new Uint8Array(await subtle.decrypt('RSA-OAEP', keys[`oaep ${hash}`]!, owned(encrypted)));
    },
  };
}

/** WebCrypto takes no views on shared memory. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/**
 * From WebCrypto's r and s side by side to what CMS holds (RFC 5480 appendix A):
 *
 *     ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }
 */
function ecdsaSignature(raw: ArrayBuffer, octets: number): Uint8Array {
  const both = new Uint8Array(raw);
  const content = [...integer(both.subarray(0, octets)), ...integer(both.subarray(octets))];
  return Uint8Array.from([0x30, content.length, ...content]);
}

function integer(magnitude: Uint8Array): number[] {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = [...magnitude.subarray(start)];
  // DER: a set high bit would make it negative.
  if (digits[0]! >= 0x80) digits.unshift(0);
  return [0x02, digits.length, ...digits];
}
