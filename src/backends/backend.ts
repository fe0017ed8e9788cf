/**
 * The contract between `e2e/` and a security backend: types only, no code.
 *
 * A backend turns MIME bytes into signed or encrypted MIME bytes and back. It sees bytes and JIDs, never a stanza. It
 * reports every cryptographic outcome as data and leaves the decision to the caller's policy; it throws an `E2eError`
 * for malformed or over-limit input only.
 */

import type { EncryptionInfo } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import type { Limits } from '../limits.ts';
import type { Entity } from '../mime/entity.ts';

export type { EncryptionInfo };

/** What a security layer is, told from its content and never from a parameter alone. */
export type LayerKind = 'signed' | 'encrypted' | 'certificates';

/** `modern` writes today's algorithms; `rfc3923` writes the set of RFC 3923 section 6.10. */
export type SealProfile = 'modern' | 'rfc3923';

/** Which old algorithms may be read. Everything modern is always read. */
export interface AlgorithmPolicy {
  /** RSA signatures with SHA-1 (RFC 3923 section 6.10). */
  readonly sha1Signatures: boolean;
  /** CMS signatures without signed attributes. */
  readonly unsignedAttributes: boolean;
  /** RSAES-PKCS1-v1_5 key transport. */
  readonly rsaPkcs1v15: boolean;
  /** AES-CBC in EnvelopedData: malleable, so of use only around a signature. */
  readonly cbc: boolean;
  /** Triple DES in EnvelopedData. */
  readonly tripleDes: boolean;
  /** Seconds by which a key's or signature's own start may lie in the future. */
  readonly clockSkewSeconds: number;
}

/**
 * How the OpenPGP packets of a foreign client are, where they are not as they should be. Reached by the profile of that
 * client alone: without it none of this is read or written.
 */
export interface PacketOptions {
  /** Write the binary message itself, in place of PGP/MIME around it. */
  readonly bare: boolean;
  /** Compress what is signed before it is encrypted, for readers that take nothing else. */
  readonly compress: boolean;
  /** Sign with SHA-256, for readers of nothing longer. */
  readonly sha256: boolean;
  /** Read packets whose first partial length is under 512 octets (RFC 9580 section 4.2.1.4). */
  readonly shortFirstPart: boolean;
  /** Believe a signing subkey whose back-signature covers the primary key alone (RFC 9580 section 5.2.1.9). */
  readonly primaryOnlyBackSignature: boolean;
  /** Take a User ID that is a mail address for the JID that is spelled alike. */
  readonly mailUserIds: boolean;
}

/** What every call carries. */
export interface BackendCall {
  /** The time at which keys, paths and revocation are judged. */
  readonly at: Date;
  readonly algorithms: AlgorithmPolicy;
  readonly limits: Limits;
  /** Once aborted, the call rejects with its reason at the next step that takes time. */
  readonly signal?: AbortSignal | undefined;
  /** For backends of OpenPGP: the packets of a foreign client. */
  readonly packets?: PacketOptions | undefined;
}

/** Asks for the names of keys. */
export interface KeyNamesRequest extends BackendCall {
  /** Bare JID. */
  readonly jid: Jid;
  /** `sign`: the key that signs for my JID; `encrypt`: the keys that are encrypted to. */
  readonly use: 'sign' | 'encrypt';
}

/** Signs a MIME entity. */
export interface SignRequest extends BackendCall {
  /** The entity to sign: header block and body, a fixed point of the CRLF map. */
  readonly content: Uint8Array;
  /** Bare JID whose key signs. */
  readonly signer: Jid;
  /** Bare JIDs that the signature names as intended recipients, where the format can. */
  readonly recipients: readonly Jid[];
  readonly includeCertificate: boolean;
  readonly profile: SealProfile;
}

/** Encrypts a MIME entity. */
export interface EncryptRequest extends BackendCall {
  readonly content: Uint8Array;
  /** Bare JIDs. The caller adds the sender where the sender shall be able to read the message too. */
  readonly recipients: readonly Jid[];
  /** Leave the recipients' key ids out, where the format can. */
  readonly hidden: boolean;
  readonly profile: SealProfile;
}

/** Signs and encrypts in one object, where the format has such a form (RFC 3156 section 6.2). */
export interface SignAndEncryptRequest extends EncryptRequest {
  readonly signer: Jid;
  readonly includeCertificate: boolean;
}

/** Decrypts one encrypted layer. */
export interface DecryptRequest extends BackendCall {
  readonly entity: Entity;
  /** Bare JID whose keys decrypt. */
  readonly me: Jid;
  /** Bare JID of the claimed sender: whose certificates verify a signature in the combined form. */
  readonly sender: Jid | undefined;
}

/** The content of an encrypted layer. Not to be shown before its verdict. */
export interface Decrypted {
  /** The MIME entity inside. */
  readonly content: Uint8Array;
  readonly encryption: EncryptionInfo;
  /** The signatures of a combined form; undefined where the format leaves signing to an inner layer. */
  readonly signatures: readonly SignatureResult[] | undefined;
}

/** Verifies one signed layer. */
export interface VerifyRequest extends BackendCall {
  readonly entity: Entity;
  /** Bare JID of the claimed sender: whose filed certificates count. */
  readonly sender: Jid | undefined;
  /** Bare JID of the recipient, for the intended-recipient rule. */
  readonly me: Jid | undefined;
}

/** What a signed layer holds. */
export interface Verified {
  /** The MIME entity that the signature covers, exactly as hashed but for CMS's own wrapping. */
  readonly content: Uint8Array;
  readonly signatures: readonly SignatureResult[];
}

/**
 * - `good`: the signature is right and its certificate is trusted for `identities` at the time asked.
 * - `bad`: the signature does not fit, or is not one that may be believed (a forgery, or damage).
 * - `unknown-signer`: no certificate at hand for it; nothing is known about the signature.
 * - `untrusted`: the signature is right, the certificate speaks for nobody here.
 * - `expired`, `revoked`: right, but the certificate was not valid at the time asked.
 * - `weak`: right, but made with an algorithm or key that the policy does not take.
 */
export type SignatureOutcome = 'good' | 'bad' | 'unknown-signer' | 'untrusted' | 'expired' | 'revoked' | 'weak';

/** A name that a trusted certificate speaks for. */
export interface BoundIdentity {
  /** Bare JID. */
  readonly jid: Jid;
  /** Where it stands: `im:`, `pres:` or `xmpp:` URI, id-on-xmppAddr, OpenPGP User ID. */
  readonly source: 'im' | 'pres' | 'xmpp' | 'xmpp-addr' | 'user-id';
}

/** How a certificate came to be trusted. */
export type TrustSource = 'pinned' | 'anchor';

/** A certificate in words. */
export interface CertificateSummary {
  /** Lower-case hexadecimal: SHA-256 of an X.509 certificate, the fingerprint of an OpenPGP primary key. */
  readonly fingerprint: string;
  /** Subject name or primary User ID, as written; not an identity. */
  readonly subject: string;
  readonly issuer: string | undefined;
  /** Every JID it names, trusted or not, in enforced form. */
  readonly jids: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date | undefined;
  /** For example `rsa3072`, `p256`, `ed25519`. */
  readonly algorithm: string;
}

/** One signature, judged. */
export interface SignatureResult {
  readonly outcome: SignatureOutcome;
  /** Why, in plain words, free of content. */
  readonly reason: string;
  /** Names that the certificate speaks for here; empty unless it is trusted. */
  readonly identities: readonly BoundIdentity[];
  readonly trust: TrustSource | undefined;
  /** Fingerprint of the signer's certificate; names the signing key in replay and time state. */
  readonly fingerprint: string | undefined;
  /** The signature algorithm and hash, for example `ecdsa-p256 sha256`. */
  readonly algorithm: string;
  /** The signing time that the format itself carries under the signature. */
  readonly signedAt: Date | undefined;
  /** Whether the signature names intended recipients, and me among them. */
  readonly intendedFor: 'unspecified' | 'me' | 'others';
  /** End entity first. */
  readonly chain: readonly CertificateSummary[];
  /** What a profile let pass that would else have made the signature `bad`, in plain words. */
  readonly exceptions?: readonly string[] | undefined;
}

/** One layer as `inspect` shows it: public facts only, found without keys. */
export interface LayerDescription {
  readonly kind: LayerKind;
  /** For example `CMS AuthEnvelopedData`. */
  readonly title: string;
  /** Facts in the order to show them. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly warnings: readonly string[];
  /** The signed content, where it is in the clear. */
  readonly content: Uint8Array | undefined;
}

/** A pluggable security backend. */
export interface SecurityBackend {
  /** For example `smime`, `openpgp`. */
  readonly name: string;
  /**
   * Tells whether an entity is a security layer of this backend, by its content. Cheap; never throws for data.
   *
   * @param entity a MIME entity, or a bare blob (`contentType` undefined, `body` the decoded octets or the armor)
   */
  recognize(entity: Entity): LayerKind | undefined;
  /** @throws {E2eError} NO_SIGNING_KEY, KEY_UNAVAILABLE */
  sign(request: SignRequest): Promise<Uint8Array>;
  /** @throws {E2eError} NO_RECIPIENT_KEY when any recipient has no usable, trusted key; LIMIT */
  encrypt(request: EncryptRequest): Promise<Uint8Array>;
  /**
   * The same as text of US-ASCII with LF line ends, where a backend has it sooner so: it goes into a stanza as it is.
   *
   * @throws {E2eError} as `encrypt`
   */
  encryptText?(request: EncryptRequest): Promise<string>;
  /** @throws {E2eError} as `sign` and `encrypt` */
  signAndEncrypt?(request: SignAndEncryptRequest): Promise<Uint8Array>;
  /**
   * `signAndEncrypt` as text of US-ASCII with LF line ends; without that, what `encryptText` gives for what `sign` gives.
   *
   * @throws {E2eError} as `sign` and `encrypt`
   */
  signAndEncryptText?(request: SignAndEncryptRequest): Promise<string>;
  /**
   * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED and WEAK_ALGORITHM before the first private-key operation;
   * NO_DECRYPTION_KEY by public recipient ids; DECRYPTION_FAILED, always alike, after it
   */
  decrypt(request: DecryptRequest): Promise<Decrypted>;
  /** @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED: never for a cryptographic outcome */
  verify(request: VerifyRequest): Promise<Verified>;
  /** Whether a trusted encryption key is at hand for a bare JID. */
  canSealTo(jid: Jid, at: Date): Promise<boolean>;
  /** @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED; NOT_SEALED is allowed for what `recognize` does not know */
  inspect(entity: Entity, limits: Limits): Promise<LayerDescription>;
  /**
   * The names that the keys in use for a JID go by, as written in them: OpenPGP User IDs, which some clients put in the
   * place of addresses. One for each key.
   *
   * @throws {E2eError} NO_SIGNING_KEY, NO_RECIPIENT_KEY
   */
  keyNames?(request: KeyNamesRequest): Promise<readonly string[]>;
  /** The certificates at hand for a bare JID. */
  certificates(jid: Jid): Promise<readonly CertificateSummary[]>;
  /**
   * My certificates for a JID as an entity to send: S/MIME certs-only, application/pgp-keys (RFC 3923 section 6.2).
   * Without it nobody can ask for them.
   *
   * @throws {E2eError} NO_SIGNING_KEY where there is none; KEY_UNAVAILABLE
   */
  exportCertificates?(jid: Jid, at: Date): Promise<Uint8Array>;
  /** The certificates that an entity carries. Candidates: nothing is filed and nothing is trusted by arrival. */
  importCertificates(entity: Entity, limits: Limits): Promise<readonly CandidateCertificate[]>;
}

/** A certificate that arrived in a message. */
export interface CandidateCertificate {
  /** DER certificate or binary OpenPGP certificate. */
  readonly data: Uint8Array;
  readonly summary: CertificateSummary;
}

/**
 * A private key that does its own work: a card, an agent, a key service.
 */
export interface ExternalPrivateKey {
  /**
   * Signs the octets given (hashing included) and returns the signature as PKCS standards have it, for both formats:
   * RSA as long as the modulus, ECDSA as ECDSA-Sig-Value in DER, Ed25519 as 64 octets.
   *
   * @param hash of the signature; for Ed25519 and ML-DSA, which have none, that of the message digest
   * @param scheme what kind of signature; the salt of PSS is as long as the hash
   */
  sign?(
    data: Uint8Array,
    hash: 'sha256' | 'sha384' | 'sha512',
    scheme: 'rsa-pkcs1v15' | 'rsa-pss' | 'ecdsa' | 'ed25519' | 'ml-dsa',
  ): Promise<Uint8Array>;
  /**
   * Recovers an RSA-transported content-encryption key. OpenPGP has PKCS #1 v1.5 only, without a hash: a service that
   * lets strangers see whether it failed is a padding oracle.
   */
  decryptKey?(
    encryptedKey: Uint8Array,
    scheme: 'rsa-oaep' | 'rsa-pkcs1v15',
    hash: 'sha1' | 'sha256' | 'sha384' | 'sha512',
  ): Promise<Uint8Array>;
  /** The raw ECDH or X25519 shared secret with a peer's public point. */
  agree?(publicPoint: Uint8Array): Promise<Uint8Array>;
}

/**
 * The keys of one of my own JIDs in the form of one backend.
 *
 * The arrays are files as openssl and gpg write them: PEM with one or several blocks, DER, armored or binary OpenPGP.
 * A store returns the very same arrays as long as nothing changed: backends cache what they parsed by them.
 */
export interface StoredIdentity {
  /** S/MIME: PKCS #8 private keys. OpenPGP: transferable secret keys. */
  readonly keys: Uint8Array | ExternalPrivateKey;
  /** S/MIME: those of the keys, and intermediate ones. OpenPGP: those of an external key, since other keys hold them. */
  readonly certificates: Uint8Array;
  /** Asked for when `keys` is passphrase-protected. */
  readonly passphrase?: (() => Promise<string>) | undefined;
}

/** Certificates of another, filed under a bare JID. */
export interface StoredCertificate {
  /** PEM with one or several blocks, DER, armored or binary OpenPGP. */
  readonly certificates: Uint8Array;
  /**
   * Whether they were filed for this very JID by an explicit act (import, pin, accepted first use). Only then does a
   * self-signed certificate or an OpenPGP certificate speak for the JID.
   */
  readonly filed: boolean;
}

/** Where a backend looks for keys. Asynchronous, so that PEP, LDAP or WKD look-ups can plug in. */
export interface KeyStore {
  /** My own keys for a bare JID. */
  identities(jid: Jid, backend: string): Promise<readonly StoredIdentity[]>;
  /** The certificates of a contact, by bare JID. My own certificates need not be among them. */
  find(jid: Jid, backend: string): Promise<readonly StoredCertificate[]>;
}

/** What else decides about X.509 certificates. There are no default anchors. */
export interface Trust {
  /** Trust anchors: PEM with one or several blocks, or DER. */
  readonly anchors: readonly Uint8Array[];
  /** Certificate revocation lists: PEM or DER. */
  readonly crls?: readonly Uint8Array[] | undefined;
}
