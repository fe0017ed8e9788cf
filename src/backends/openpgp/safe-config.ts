/**
 * The configuration that every call into openpgp.js gets, with every unsafe default overridden and every switch that
 * matters written down, so that an application that changes `openpgp.config` changes nothing here.
 */

import { defaultLimits, type Limits } from '../../limits.ts';
import { type Config, enums, libraryDefaults } from './library.ts';

/** Hashes that make no signature believable: collisions are affordable, or soon will be. */
export const weakHashes: ReadonlySet<number> = new Set([enums.hash.md5, enums.hash.ripemd, enums.hash.sha1]);

/**
 * Tags 40 to 63 are ignored where unknown (RFC 9580 section 4.3), at some 20 microseconds each: a mebibyte of empty
 * ones would keep a reader busy for ten seconds. The library is told to know them, and told to stop at the 17th.
 */
const maxUnknownPackets = 16;

interface PacketClass {
  readonly tag: number;
  new (): { read(bytes: Uint8Array, config: unknown): void; write(): Uint8Array };
}

/** Each decryption counts for itself, so the classes are made anew for it. */
function unknownPacketClasses(): readonly PacketClass[] {
  let count = 0;
  return Array.from(
    { length: 24 },
    (_, i): PacketClass =>
      class {
        static readonly tag: number = 40 + i;
        read(): void {
          if (++count > maxUnknownPackets) throw new Error('too many unknown packets');
        }
        write(): Uint8Array {
          return new Uint8Array(0);
        }
      },
  );
}

const base = {
  ...libraryDefaults,
  preferredHashAlgorithm: enums.hash.sha512,
  preferredSymmetricAlgorithm: enums.symmetric.aes256,
  preferredCompressionAlgorithm: enums.compression.uncompressed,
  preferredAEADAlgorithm: enums.aead.gcm,
  aeadProtect: false,
  aeadChunkSizeByte: 12,
  v6Keys: false,
  enableParsingV5Entities: false,
  parseAEADEncryptedV4KeysAsLegacy: false,
  s2kType: enums.s2k.iterated,
  s2kIterationCountByte: 224,
  allowUnauthenticatedMessages: false,
  allowUnauthenticatedStream: false,
  allowInsecureDecryptionWithSigningKeys: false,
  allowInsecureVerificationWithReformattedKeys: false,
  allowMissingKeyFlags: false,
  // RSA session keys: the padding must not be an oracle (Bleichenbacher); the session key packets pass a substitute.
  constantTimePKCS1Decryption: true,
  constantTimePKCS1DecryptionSupportedSymmetricAlgorithms: new Set([
    enums.symmetric.aes128,
    enums.symmetric.aes192,
    enums.symmetric.aes256,
  ]),
  ignoreUnsupportedPackets: true,
  ignoreMalformedPackets: false,
  enforceGrammar: true,
  additionalAllowedPackets: [],
  showVersion: false,
  showComment: false,
  maxUserIDLength: 2048,
  knownNotations: [],
  // Salts EdDSA and other signatures against fault attacks; every peer ignores the notation.
  nonDeterministicSignaturesViaNotation: true,
  useEllipticFallback: true,
  passwordCollisionCheck: false,
  rejectHashAlgorithms: weakHashes as Set<number>,
  rejectMessageHashAlgorithms: weakHashes as Set<number>,
  rejectPublicKeyAlgorithms: new Set([enums.publicKey.elgamal, enums.publicKey.dsa]),
  rejectCurves: new Set([enums.curve.secp256k1]),
};

const cache = new WeakMap<Limits, Config>();

/**
 * The frozen configuration for a set of limits.
 *
 * @param limits `decompressedBytes`, `argon2KiB` and `rsaMinBits` count here
 */
export function safeConfig(limits: Limits = defaultLimits): Config {
  let config = cache.get(limits);
  if (config === undefined) {
    config = Object.freeze({
      ...base,
      // The library's own default is Infinity: 300 MB come out of 292 KB.
      maxDecompressedMessageSize: limits.decompressedBytes,
      // The library's own default is 30: one tebibyte.
      maxArgon2MemoryExponent: Math.floor(Math.log2(limits.argon2KiB)),
      minRSABits: limits.rsaMinBits,
    }) as unknown as Config;
    cache.set(limits, config);
  }
  return config;
}

/** {@link safeConfig} for one decryption or decompression: bounds the packets that would be ignored. */
export function boundedConfig(limits: Limits): Config {
  return Object.freeze({
    ...safeConfig(limits),
    additionalAllowedPackets: unknownPacketClasses() as unknown as Config['additionalAllowedPackets'],
  });
}

/**
 * For asking whether a signature is right at all, before judging its algorithms: a self-signature with SHA-1 counts
 * for nothing, but a revocation with SHA-1 still revokes.
 */
export const lenientConfig: Config = Object.freeze({
  ...base,
  rejectHashAlgorithms: new Set<number>(),
  rejectMessageHashAlgorithms: new Set<number>(),
  maxDecompressedMessageSize: 0,
  maxArgon2MemoryExponent: 0,
  minRSABits: defaultLimits.rsaMinBits,
}) as unknown as Config;
