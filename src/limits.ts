/**
 * Every limit with its default. A limit that is exceeded ends in ERR_E2E_LIMIT; keys beyond the RSA limits are weak
 * (ERR_E2E_WEAK_ALGORITHM), a path too long is none (ERR_E2E_SIGNER_UNTRUSTED), and what OpenPGP finds out only by
 * decrypting is ERR_E2E_DECRYPTION_FAILED, like every failure there.
 */

/** Upper bounds on input; each can be overridden one by one. */
export interface Limits {
  /** Serialized stanza, in octets (Prosody and ejabberd refuse more from a client). */
  readonly stanzaBytes: number;
  /** Content after decryption, in octets. */
  readonly decryptedBytes: number;
  /** Content after decompression, in octets: stops compression bombs. */
  readonly decompressedBytes: number;
  readonly xmlDepth: number;
  /** Attributes and namespace declarations of one element. */
  readonly xmlAttributes: number;
  readonly xmlElements: number;
  readonly cpimHeaders: number;
  /** One CPIM header line, in octets. */
  readonly cpimHeaderBytes: number;
  /** Parts of a multipart/signed or multipart/encrypted. */
  readonly mimeParts: number;
  /** One MIME header block, in octets. */
  readonly mimeHeaderBytes: number;
  /** Fields of one MIME header block. */
  readonly mimeHeaders: number;
  /** Parts of a multipart/alternative: one body in several languages. */
  readonly mimeAlternatives: number;
  readonly asn1Depth: number;
  /** Content octets of one OBJECT IDENTIFIER: a long one costs quadratic time in big-integer libraries. */
  readonly oidBytes: number;
  readonly certificateBytes: number;
  /** Certificates carried by one message. */
  readonly certificates: number;
  /** Revocation lists carried by one message. */
  readonly crls: number;
  /** Certificates in one path, the end entity and the anchor not counted. */
  readonly pathLength: number;
  /** Recipients of one message; session-key packets count as recipients. */
  readonly recipients: number;
  readonly signatures: number;
  readonly rsaMinBits: number;
  readonly rsaMaxBits: number;
  /** Memory of one Argon2 derivation, in KiB. */
  readonly argon2KiB: number;
}

/** The defaults. */
export const defaultLimits: Limits = Object.freeze({
  stanzaBytes: 262_144,
  decryptedBytes: 1_048_576,
  decompressedBytes: 1_048_576,
  xmlDepth: 64,
  xmlAttributes: 128,
  xmlElements: 10_000,
  cpimHeaders: 64,
  cpimHeaderBytes: 4096,
  mimeParts: 2,
  mimeHeaderBytes: 16_384,
  mimeHeaders: 64,
  mimeAlternatives: 16,
  asn1Depth: 32,
  oidBytes: 64,
  certificateBytes: 16_384,
  certificates: 32,
  crls: 8,
  pathLength: 10,
  recipients: 64,
  signatures: 1,
  rsaMinBits: 2048,
  rsaMaxBits: 8192,
  argon2KiB: 65_536,
});

/**
 * The defaults with some limits replaced.
 *
 * @param overrides positive integers
 * @throws {TypeError} for a name that is no limit
 * @throws {RangeError} for a value that is not a positive safe integer
 */
export function limitsWith(overrides: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(defaultLimits, name)) throw new TypeError(`unknown limit ${name}`);
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`limit ${name} must be a positive integer`);
  }
  return Object.freeze({ ...defaultLimits, ...overrides });
}
