/**
 * The one error class, the written union of its codes, and the table that gives each code its fixed message and
 * its reply (RFC 3923 section 7).
 */

/** Everything that can go wrong with data. Wrong arguments are TypeError or RangeError instead. */
export type E2eErrorCode =
  | 'ERR_E2E_UNMAPPABLE'
  | 'ERR_E2E_NO_SIGNING_KEY'
  | 'ERR_E2E_NO_RECIPIENT_KEY'
  | 'ERR_E2E_KEY_UNAVAILABLE'
  | 'ERR_E2E_NOT_SEALED'
  | 'ERR_E2E_UNSUPPORTED'
  | 'ERR_E2E_MALFORMED'
  | 'ERR_E2E_LIMIT'
  | 'ERR_E2E_NO_DECRYPTION_KEY'
  | 'ERR_E2E_DECRYPTION_FAILED'
  | 'ERR_E2E_UNSIGNED'
  | 'ERR_E2E_SIGNATURE_INVALID'
  | 'ERR_E2E_SIGNER_UNKNOWN'
  | 'ERR_E2E_SIGNER_UNTRUSTED'
  | 'ERR_E2E_WEAK_ALGORITHM'
  | 'ERR_E2E_SENDER_MISMATCH'
  | 'ERR_E2E_RECIPIENT_MISMATCH'
  | 'ERR_E2E_TIMESTAMP'
  | 'ERR_E2E_REPLAYED'
  | 'ERR_E2E_PAYLOAD_INVALID'
  | 'ERR_E2E_LAYERS_REFUSED'
  | 'ERR_E2E_DOWNGRADE'
  | 'ERR_E2E_STORE_FAILED';

/** The step that threw: a property of the throw, not of the code. */
export type E2eStage = 'map' | 'sign' | 'encrypt' | 'unwrap' | 'decrypt' | 'verify' | 'parse' | 'check';

/**
 * The stanza error that RFC 3923 section 7 pairs with a code: none at all, a bare condition, or a condition with one
 * of the application-specific elements of section 9.
 */
export type E2eReply =
  'none' | 'service-unavailable' | 'bad-request' | 'bad-timestamp' | 'unverified-signature' | 'decryption-failed';

/** What the content encryption of a message was; known on failure too, since the reply rule needs it. */
export interface EncryptionInfo {
  /** Content cipher in its usual spelling, for example `aes256-gcm` or `aes128-cbc`. */
  readonly cipher: string;
  /** Whether the cipher authenticates the ciphertext (AEAD, or OpenPGP SEIPD with its MDC). */
  readonly aead: boolean;
  /** How each recipient's content-encryption key travels, for example `rsa-oaep`, `rsa-pkcs1v15`, `ecdh`, `x25519`. */
  readonly keyTransport: readonly string[];
}

/**
 * What the signatures of an object amount to.
 *
 * - `good`: right, by a certificate that is trusted for the sender.
 * - `untrusted`: right, but nobody vouches for the certificate (any more).
 * - `unknown-signer`: no certificate at hand; nothing can be said about the signature.
 * - `weak`: right, but made with what the policy does not take.
 * - `forged`: it does not fit, or is none that may be believed (a forgery, or damage).
 * - `unsigned`: there is none.
 */
export type SignatureLevel = 'good' | 'untrusted' | 'unknown-signer' | 'weak' | 'forged' | 'unsigned';

/** A signature whose signer is not necessarily believed. */
export interface ClaimedSignature {
  /** Why it is judged as it is, in plain words. */
  readonly reason: string;
  /** Fingerprint of the certificate, lower-case hexadecimal, where one is at hand. */
  readonly fingerprint: string | undefined;
  readonly algorithm: string;
  /** Bare JIDs that the certificate names: claims, unless the level is `good`. */
  readonly names: readonly string[];
}

/**
 * The verdict on a stanza as far as it had been found when the stanza was refused. It holds addresses, fingerprints and
 * times, and nothing of the content.
 */
export interface PartialVerdict {
  readonly policy: string;
  readonly backend: string;
  readonly protection: 'sign' | 'encrypt' | 'sign+encrypt';
  readonly level: SignatureLevel;
  readonly signature: ClaimedSignature | undefined;
  /** Bare JID in the outer `from`. */
  readonly claimedFrom: string;
  /** Bare JID that a trusted certificate vouches for as the sender; undefined until that is known. */
  readonly sender: string | undefined;
  /** How the signer stands to what is pinned for the sender; undefined until that was asked. */
  readonly pin: PinStatus | undefined;
  /** The signed time, once it was judged. */
  readonly time: { readonly status: string; readonly signed: string | undefined } | undefined;
  readonly encryption: EncryptionInfo | undefined;
  /** Names of the elements beside `<e2e/>`, in braces after their namespace. */
  readonly outside: readonly string[];
}

/**
 * How a signer stands to what is pinned for the sender.
 *
 * - `match`: the key is pinned for the sender.
 * - `first`: it was pinned just now, by the choice to pin at first use.
 * - `none`: nothing is pinned for the sender.
 * - `changed`: others are pinned; such a stanza is never delivered.
 * - `off`: pins were not asked.
 */
export type PinStatus = 'match' | 'first' | 'none' | 'changed' | 'off';

interface Row {
  readonly message: string;
  readonly reply: E2eReply;
}

const table: Record<E2eErrorCode, Row> = {
  ERR_E2E_UNMAPPABLE: { message: 'the stanza cannot be sealed in the form asked for', reply: 'none' },
  ERR_E2E_NO_SIGNING_KEY: { message: 'no usable signing key for the sender', reply: 'none' },
  ERR_E2E_NO_RECIPIENT_KEY: { message: 'no usable encryption key for a recipient', reply: 'none' },
  ERR_E2E_KEY_UNAVAILABLE: { message: 'a private key is locked or cannot be used', reply: 'none' },
  ERR_E2E_NOT_SEALED: { message: 'the stanza is not sealed', reply: 'service-unavailable' },
  ERR_E2E_UNSUPPORTED: { message: 'a format or algorithm is not supported', reply: 'service-unavailable' },
  ERR_E2E_MALFORMED: { message: 'the sealed object is malformed', reply: 'bad-request' },
  ERR_E2E_LIMIT: { message: 'a limit was exceeded', reply: 'bad-request' },
  ERR_E2E_NO_DECRYPTION_KEY: { message: 'the message is not encrypted to any key at hand', reply: 'decryption-failed' },
  ERR_E2E_DECRYPTION_FAILED: { message: 'the message cannot be decrypted', reply: 'decryption-failed' },
  ERR_E2E_UNSIGNED: { message: 'the message is not signed', reply: 'unverified-signature' },
  ERR_E2E_SIGNATURE_INVALID: { message: 'the signature is not valid', reply: 'unverified-signature' },
  ERR_E2E_SIGNER_UNKNOWN: { message: 'no certificate is known for the signer', reply: 'unverified-signature' },
  ERR_E2E_SIGNER_UNTRUSTED: { message: "the signer's certificate is not trusted", reply: 'unverified-signature' },
  ERR_E2E_WEAK_ALGORITHM: { message: 'an algorithm is too weak for the policy', reply: 'unverified-signature' },
  ERR_E2E_SENDER_MISMATCH: { message: 'the names of the sender do not agree', reply: 'unverified-signature' },
  ERR_E2E_RECIPIENT_MISMATCH: { message: 'the message was not made for this recipient', reply: 'unverified-signature' },
  ERR_E2E_TIMESTAMP: { message: 'the signed time is not acceptable', reply: 'bad-timestamp' },
  ERR_E2E_REPLAYED: { message: 'the message was received before', reply: 'bad-timestamp' },
  ERR_E2E_PAYLOAD_INVALID: { message: 'the verified payload is not valid', reply: 'none' },
  ERR_E2E_LAYERS_REFUSED: { message: 'the layers or the kind of content are refused', reply: 'none' },
  ERR_E2E_DOWNGRADE: { message: 'a plain stanza came where a sealed one is required', reply: 'none' },
  ERR_E2E_STORE_FAILED: { message: 'a store cannot be read or written', reply: 'none' },
};

/** Every code, in the order of the table. */
export const errorCodes: readonly E2eErrorCode[] = Object.freeze(Object.keys(table) as E2eErrorCode[]);

/** What an {@link E2eError} may carry besides code and stage. */
export interface E2eErrorDetail {
  /** A short fixed phrase of the thrower's own, never content or key material. */
  readonly reason?: string | undefined;
  /** One piece of public input (an address, a field name); escaped and cut to 40 characters. */
  readonly subject?: string | undefined;
  /** The content encryption, once it is known. */
  readonly encryption?: EncryptionInfo | undefined;
  /** What the verdict was by then. */
  readonly verdict?: PartialVerdict | undefined;
}

/**
 * The error for every defect of data.
 *
 * `message` is fixed per code, so that it can reveal nothing. `reason` says more where the defect is visible without a
 * key; a DECRYPTION_FAILED never has one, since the difference between two failures is an oracle (RFC 8551 section 6).
 */
export class E2eError extends Error {
  override readonly name = 'E2eError';
  readonly code: E2eErrorCode;
  readonly stage: E2eStage;
  readonly reason: string | undefined;
  readonly encryption: EncryptionInfo | undefined;
  /**
   * The verdict as far as it had been found; set where a stanza is refused after its layers were opened, and never for
   * DECRYPTION_FAILED.
   */
  readonly verdict: PartialVerdict | undefined;

  /**
   * @param code what went wrong
   * @param stage the step that noticed
   * @param detail reason, public subject, the content encryption, the verdict so far
   */
  constructor(code: E2eErrorCode, stage: E2eStage, detail: E2eErrorDetail = {}) {
    super(table[code].message);
    this.code = code;
    this.stage = stage;
    this.reason = code === 'ERR_E2E_DECRYPTION_FAILED' ? undefined : phrase(detail);
    this.encryption = detail.encryption;
    this.verdict = code === 'ERR_E2E_DECRYPTION_FAILED' ? undefined : detail.verdict;
  }

  /** The plain-data form for logs and the command line. */
  toJSON(): { code: E2eErrorCode; stage: E2eStage; message: string; reason?: string } {
    const { code, stage, message, reason } = this;
    return reason === undefined ? { code, stage, message } : { code, stage, message, reason };
  }
}

function phrase(detail: E2eErrorDetail): string | undefined {
  if (detail.subject === undefined) return detail.reason;
  const subject = escapeForDisplay(detail.subject, 40);
  return detail.reason === undefined ? subject : `${detail.reason}: ${subject}`;
}

/**
 * Input made safe for a terminal or a log: control, bidirectional and line-separating characters are escaped, so that
 * no name or subject can imitate a status line.
 *
 * @param text any string
 * @param maxLength characters to keep (a `…` marks the cut)
 */
export function escapeForDisplay(text: string, maxLength: number = Number.POSITIVE_INFINITY): string {
  let shown = '';
  let length = 0;
  for (const character of text) {
    const piece = unsafeToPrint.test(character) ? `\\u{${character.codePointAt(0)!.toString(16)}}` : character;
    length += piece.length;
    if (length > maxLength) return `${shown}…`;
    shown += piece;
  }
  return shown;
}

const unsafeToPrint = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * The reply that RFC 3923 section 7 pairs with a code.
 *
 * @param code the code of an {@link E2eError}
 */
export function replyFor(code: E2eErrorCode): E2eReply {
  return table[code].reply;
}
