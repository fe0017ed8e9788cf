/** {@link PacketPrimitives} on node:crypto. */

import {
  type KeyObject,
  constants,
  createCipheriv,
  createDecipheriv,
  createSign,
  createVerify,
  getCipherInfo,
  privateEncrypt,
  publicDecrypt,
  sign,
  verify,
} from 'node:crypto';
import { concatBytes, equalBytes } from '../bytes.ts';
import type { Digested, PacketPrimitives } from './packet-primitives.ts';
import type { PrivateKey } from './private-key.ts';
import type { MaybePromise } from './provider.ts';
import type { PublicKey } from './public-key.ts';

const zeroIv = new Uint8Array(16);

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * What stands before the digest in EMSA-PKCS1-v1_5 (RFC 8017 section 9.2, note 1).
 *
 *     DigestInfo ::= SEQUENCE { SEQUENCE { OID id-sha2, NULL }, OCTET STRING digest }
 */
const digestInfo: Readonly<Record<Digested['hash'], Uint8Array>> = {
  sha256: digestInfoPrefix(1, 32),
  sha384: digestInfoPrefix(2, 48),
  sha512: digestInfoPrefix(3, 64),
};

function digestInfoPrefix(id: number, length: number): Uint8Array {
  const oid = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, id];
  return Uint8Array.of(0x30, length + 17, 0x30, 13, ...oid, 5, 0, 4, length);
}

function encoded({ hash, digest }: Digested): Uint8Array {
  return concatBytes(digestInfo[hash], digest);
}

function signInPool(key: KeyObject, { hash, chunks }: Digested): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    sign(hash, concatBytes(...chunks), key, (error, signature) => {
      if (error === null) resolve(plain(signature));
      else reject(error);
    });
  });
}

/**
 * The primitives on key handles that somebody else keeps.
 *
 * @param publicHandle may throw for numbers that are no key
 * @param privateHandle may throw for numbers that are no key
 * @param isSlow whether a signature by a key is left to the thread pool
 * @returns undefined where there is no CFB mode, as with BoringSSL in Electron
 */
export function packetPrimitives(
  publicHandle: (key: PublicKey) => KeyObject,
  privateHandle: (key: PrivateKey) => KeyObject,
  isSlow: (key: PrivateKey) => boolean,
): PacketPrimitives | undefined {
  if (getCipherInfo('aes-256-cfb') === undefined) return undefined;
  return Object.freeze<PacketPrimitives>({
    encryptAesCfb: (key, plaintext) =>
      plain(createCipheriv(`aes-${key.length * 8}-cfb`, key, zeroIv).update(plaintext)),
    decryptAesCfb: (key, ciphertext) =>
      plain(createDecipheriv(`aes-${key.length * 8}-cfb`, key, zeroIv).update(ciphertext)),
    signDigested(key, digested): MaybePromise<Uint8Array> | undefined {
      const { hash, digest, chunks } = digested;
      switch (key.algorithm) {
        case 'rsa': {
          const handle = privateHandle(key);
          if (isSlow(key)) return signInPool(handle, digested);
          return plain(privateEncrypt({ key: handle, padding: constants.RSA_PKCS1_PADDING }, encoded(digested)));
        }
        case 'ec': {
          // In chunks, since long content would have to be copied for the other call.
          const signing = createSign(hash);
          for (const chunk of chunks) signing.update(chunk);
          return plain(signing.sign({ key: privateHandle(key), dsaEncoding: 'ieee-p1363' }));
        }
        case 'ed25519':
          return plain(sign(null, digest, privateHandle(key)));
        default:
          return undefined;
      }
    },
    verifyDigested(key, digested, signature): boolean {
      const { hash, digest, chunks } = digested;
      try {
        switch (key.algorithm) {
          case 'rsa': {
            const options = { key: publicHandle(key), padding: constants.RSA_PKCS1_PADDING };
            // The whole block is compared, so that nothing can hide in or behind it (Bleichenbacher 2006).
            return equalBytes(publicDecrypt(options, signature), encoded(digested));
          }
          case 'ec': {
            const verifying = createVerify(hash);
            for (const chunk of chunks) verifying.update(chunk);
            return verifying.verify({ key: publicHandle(key), dsaEncoding: 'ieee-p1363' }, signature);
          }
          case 'ed25519':
            return verify(null, digest, publicHandle(key), signature);
          default:
            return false;
        }
      } catch {
        return false;
      }
    },
  });
}
