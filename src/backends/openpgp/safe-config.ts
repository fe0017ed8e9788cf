/**
 * The configuration that every call into openpgp.js gets, with every unsafe default overridden and every switch that
 * matters written down, so that an application that changes `openpgp.config` changes nothing here.
 */

import { defaultLimits, type Limits } from '../../limits.ts';
import { type Config, enums, libraryDefaults, packetLimit, shortFirstPart } from './library.ts';

/** Hashes that make no signature believable: collisions are affordable, or soon will be. */
export const weakHashes: ReadonlySet<number> = new Set([enums.hash.md5, enums.hash.ripemd, enums.hash.sha1]);

/**
 * Packets of one layer inside a message: one literal, a signature before and after it, padding, markers and packets
 * that need not be known.
 */
const innerPackets = 32;

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

const boundedCaches = [new WeakMap<Limits, Config>(), new WeakMap<Limits, Config>()] as const;

/** How many packets may come out of a decryption or decompression. */
export function maxInnerPackets(limits: Limits): number {
  return innerPackets + 2 * limits.signatures;
}

/**
 * {@link safeConfig} for decryption and decompression: bounds the packets that come out of them.
 *
 * @param short take first partial lengths under 512 octets
 */
export function boundedConfig(limits: Limits, short: boolean = false): Config {
  const cache = boundedCaches[short ? 1 : 0];
  let config = cache.get(limits);
  if (config === undefined) {
    const bounds = { [packetLimit]: maxInnerPackets(limits), [shortFirstPart]: short };
    config = Object.freeze({ ...safeConfig(limits), ...bounds });
    cache.set(limits, config);
  }
  return config;
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
