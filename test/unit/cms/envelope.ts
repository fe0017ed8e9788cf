/**
 * Writes EnvelopedData and AuthEnvelopedData field by field, right or wrong, with node:crypto alone: an independent hand
 * beside the codec under test.
 */
import {
  type CipherGCMTypes,
  constants,
  createCipheriv,
  createECDH,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { oids } from '../../../src/asn1/oids.ts';
import {
  type DerPart,
  der,
  derBitString,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { concatBytes } from '../../../src/bytes.ts';
import { serializeCertificateIdentifier, type CertificateIdentifier } from '../../../src/cms/certificate-identifier.ts';
import { type ContentCipher, ciphers } from '../../../src/cms/algorithms.ts';
import type { HashName, PublicKey } from '../../../src/crypto/provider.ts';
import { byIssuer, content as usualContent, contentInfo } from './support.ts';

const bytes = (octets: Uint8Array): Uint8Array => new Uint8Array(octets);

/** RecipientInfo for one content-encryption key. */
export type RecipientWriter = (key: Uint8Array) => DerPart;

export interface Envelope {
  readonly cipher: ContentCipher;
  readonly recipients: readonly RecipientWriter[];
  readonly content?: Uint8Array;
  readonly contentType?: string;
  readonly version?: number;
  /** Another container than the cipher's own. */
  readonly container?: 'enveloped-data' | 'auth-enveloped-data';
  readonly originatorInfo?: DerPart;
  /** Parameters of the content cipher, from the right nonce or initialization vector. */
  readonly parameters?: (iv: Uint8Array) => DerPart | undefined;
  readonly tagLength?: number;
  /** What is sent in place of the right tag. */
  readonly mac?: (tag: Uint8Array) => Uint8Array;
  readonly ciphertext?: (right: Uint8Array) => Uint8Array;
  /** The element of the ciphertext. */
  readonly element?: (ciphertext: Uint8Array) => DerPart | undefined;
  /** Attributes under [1]. */
  readonly authAttrs?: readonly DerPart[];
  readonly unauthAttrs?: readonly DerPart[];
  readonly ivLength?: number;
  readonly key?: Uint8Array;
}

const nodeNames: Readonly<Record<ContentCipher, string>> = {
  'aes128-cbc': 'aes-128-cbc',
  'aes192-cbc': 'aes-192-cbc',
  'aes256-cbc': 'aes-256-cbc',
  'des-ede3-cbc': 'des-ede3-cbc',
  'aes128-gcm': 'aes-128-gcm',
  'aes192-gcm': 'aes-192-gcm',
  'aes256-gcm': 'aes-256-gcm',
};

export function seal(envelope: Envelope): Uint8Array {
  const { cipher, content = usualContent, tagLength = 16 } = envelope;
  const { oid, mode, keyLength, blockLength } = ciphers[cipher];
  const gcm = mode === 'gcm';
  const key = envelope.key ?? bytes(randomBytes(keyLength));
  const iv = bytes(randomBytes(envelope.ivLength ?? (gcm ? 12 : blockLength)));
  const authAttrs = envelope.authAttrs === undefined ? undefined : derSetOf(envelope.authAttrs, 0xa1);
  let right: Uint8Array;
  let tag = new Uint8Array();
  if (gcm) {
    const run = createCipheriv(nodeNames[cipher] as CipherGCMTypes, key, iv, { authTagLength: tagLength });
    if (authAttrs !== undefined) run.setAAD(encodeDer({ ...authAttrs, identifier: 0x31 }));
    right = concatBytes(run.update(content), run.final());
    tag = new Uint8Array(run.getAuthTag());
  } else {
    const run = createCipheriv(nodeNames[cipher], key, iv.length === blockLength ? iv : new Uint8Array(blockLength));
    right = concatBytes(run.update(content), run.final());
  }
  const ciphertext = envelope.ciphertext?.(right) ?? right;
  const usual = gcm ? derSequence(derOctetString(iv), derInteger(tagLength)) : derOctetString(iv);
  const parameters = envelope.parameters === undefined ? usual : envelope.parameters(iv);
  const element = envelope.element === undefined ? der(0x80, ciphertext) : envelope.element(ciphertext);
  const authenticated = (envelope.container ?? (gcm ? 'auth-enveloped-data' : 'enveloped-data')) !== 'enveloped-data';
  return contentInfo(
    authenticated ? oids.authEnvelopedData : oids.envelopedData,
    derSequence(
      derInteger(envelope.version ?? (authenticated ? 0 : 2)),
      ...(envelope.originatorInfo === undefined ? [] : [envelope.originatorInfo]),
      der(0x31, ...envelope.recipients.map((recipient) => recipient(key))),
      derSequence(
        derOid(envelope.contentType ?? oids.data),
        derSequence(derOid(oid), ...(parameters === undefined ? [] : [parameters])),
        ...(element === undefined ? [] : [element]),
      ),
      ...(authAttrs === undefined ? [] : [authAttrs]),
      ...(authenticated ? [derOctetString(envelope.mac?.(tag) ?? tag)] : []),
      ...(envelope.unauthAttrs === undefined ? [] : [derContext(authenticated ? 2 : 1, ...envelope.unauthAttrs)]),
    ),
  );
}

export interface KeyTransportOptions {
  readonly publicKey: PublicKey;
  readonly identifier?: CertificateIdentifier;
  readonly version?: number;
  readonly algorithm?: DerPart;
  readonly oaepHash?: HashName;
  /** RSAES-OAEP unless given. */
  readonly pkcs1v15?: boolean;
  readonly encryptedKey?: (right: Uint8Array) => Uint8Array;
  /** What is encrypted in place of the key. */
  readonly replaced?: Uint8Array;
}

/** KeyTransRecipientInfo. */
export function keyTransport(options: KeyTransportOptions): RecipientWriter {
  const { publicKey, identifier = byIssuer, pkcs1v15 = false, oaepHash = 'sha1' } = options;
  const handle = createPublicKey({ key: Buffer.from(publicKey.spki), format: 'der', type: 'spki' });
  const padding = pkcs1v15 ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING;
  const hash = derSequence(derOid(oids[oaepHash]));
  const oaep =
    oaepHash === 'sha1'
      ? derSequence()
      : derSequence(derContext(0, hash), derContext(1, derSequence(derOid(oids.mgf1), hash)));
  const algorithm = pkcs1v15
    ? derSequence(derOid(oids.rsaEncryption), derNull)
    : derSequence(derOid(oids.rsaesOaep), oaep);
  return (key) => {
    const right = bytes(publicEncrypt({ key: handle, padding, oaepHash }, options.replaced ?? key));
    return derSequence(
      derInteger(options.version ?? (identifier.kind === 'key-identifier' ? 2 : 0)),
      serializeCertificateIdentifier(identifier),
      options.algorithm ?? algorithm,
      derOctetString(options.encryptedKey?.(right) ?? right),
    );
  };
}

export interface KeyAgreementOptions {
  readonly publicKeys: readonly { readonly publicKey: PublicKey; readonly identifier?: CertificateIdentifier }[];
  readonly hash?: HashName;
  /** ANSI X9.63 for elliptic curves and HKDF for X25519 unless given. */
  readonly kdf?: 'x963' | 'hkdf';
  readonly ukm?: Uint8Array;
  readonly wrap?: 'aes128' | 'aes192' | 'aes256' | 'des3';
  /** NULL parameters of the key wrap: in the message, in SharedInfo. */
  readonly nullInMessage?: boolean;
  readonly nullInSharedInfo?: boolean;
  /** Replaces the AlgorithmIdentifier of the sender's key. */
  readonly originatorAlgorithm?: DerPart;
  readonly publicPoint?: Uint8Array;
  readonly originator?: DerPart;
  readonly version?: number;
  readonly algorithm?: DerPart;
  readonly encryptedKey?: (right: Uint8Array) => Uint8Array;
}

const curveNames = { p256: 'prime256v1', p384: 'secp384r1', p521: 'secp521r1' } as const;
const wraps = {
  aes128: { oid: oids.aes128Wrap, bits: 128 },
  aes192: { oid: oids.aes192Wrap, bits: 192 },
  aes256: { oid: oids.aes256Wrap, bits: 256 },
  des3: { oid: oids.tripleDesWrap, bits: 192 },
} as const;
const x963Oids = {
  sha1: oids.dhSinglePassStdDhSha1Kdf,
  sha256: oids.dhSinglePassStdDhSha256Kdf,
  sha384: oids.dhSinglePassStdDhSha384Kdf,
  sha512: oids.dhSinglePassStdDhSha512Kdf,
} as const;
const hkdfOids = {
  sha1: '1.2.3',
  sha256: oids.dhSinglePassStdDhHkdfSha256,
  sha384: oids.dhSinglePassStdDhHkdfSha384,
  sha512: oids.dhSinglePassStdDhHkdfSha512,
} as const;

/** KeyAgreeRecipientInfo: one ephemeral key, and a RecipientEncryptedKey for each recipient. */
export function keyAgreement(options: KeyAgreementOptions): RecipientWriter {
  const { publicKeys, hash = 'sha256', ukm, wrap = 'aes256' } = options;
  const { curve } = publicKeys[0]!.publicKey;
  const kdf = options.kdf ?? (curve === undefined ? 'hkdf' : 'x963');
  const { publicPoint, agree } = curve === undefined ? ephemeralX25519() : ephemeralPoint(curveNames[curve]);
  const { oid, bits } = wraps[wrap];
  const wrapAlgorithm = (withNull: boolean) => derSequence(derOid(oid), ...(withNull ? [derNull] : []));
  const info = encodeDer(
    derSequence(
      wrapAlgorithm(options.nullInSharedInfo ?? options.nullInMessage ?? false),
      ...(ukm === undefined ? [] : [derContext(0, derOctetString(ukm))]),
      derContext(2, derOctetString(Uint8Array.of(0, 0, bits >> 8, bits & 0xff))),
    ),
  );
  const kekOf = (secret: Uint8Array): Uint8Array =>
    kdf === 'hkdf'
      ? new Uint8Array(hkdfSync(hash, secret, ukm ?? new Uint8Array(), info, bits / 8))
      : x963(hash, secret, info, bits / 8);
  const keyAlgorithm =
    curve === undefined ? derSequence(derOid(oids.x25519)) : derSequence(derOid(oids.ecPublicKey), derOid(oids[curve]));
  return (key) =>
    der(
      0xa1,
      derInteger(options.version ?? 3),
      derContext(
        0,
        options.originator ??
          derContext(1, options.originatorAlgorithm ?? keyAlgorithm, derBitString(options.publicPoint ?? publicPoint)),
      ),
      ...(ukm === undefined ? [] : [derContext(1, derOctetString(ukm))]),
      options.algorithm ??
        derSequence(
          derOid((kdf === 'hkdf' ? hkdfOids : x963Oids)[hash]),
          wrapAlgorithm(options.nullInMessage ?? false),
        ),
      derSequence(
        ...publicKeys.map(({ publicKey, identifier = byIssuer }) => {
          const right = wrapKey(kekOf(agree(publicKey)), key, wrap);
          const rid =
            identifier.kind === 'key-identifier'
              ? derContext(0, derOctetString(identifier.keyIdentifier))
              : serializeCertificateIdentifier(identifier);
          return derSequence(rid, derOctetString(options.encryptedKey?.(right) ?? right));
        }),
      ),
    );
}

function ephemeralPoint(name: string) {
  const ecdh = createECDH(name);
  const publicPoint = bytes(ecdh.generateKeys());
  return { publicPoint, agree: (peer: PublicKey) => bytes(ecdh.computeSecret(peer.subjectPublicKey)) };
}

function ephemeralX25519() {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const publicPoint = bytes(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
  const agree = (peer: PublicKey) => {
    const other = createPublicKey({ key: Buffer.from(peer.spki), format: 'der', type: 'spki' });
    return bytes(diffieHellman({ privateKey, publicKey: other }));
  };
  return { publicPoint, agree };
}

/** ANSI X9.63 key derivation (SEC 1 section 3.6.1). */
function x963(hash: HashName, secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  let out = new Uint8Array();
  for (let count = 1; out.length < length; count++) {
    const counter = Uint8Array.of(0, 0, 0, count);
    out = new Uint8Array(concatBytes(out, createHash(hash).update(secret).update(counter).update(info).digest()));
  }
  return out.subarray(0, length);
}

function wrapKey(kek: Uint8Array, key: Uint8Array, wrap: keyof typeof wraps): Uint8Array {
  const cipher =
    wrap === 'des3'
      ? createCipheriv('des3-wrap', kek, null)
      : createCipheriv(`id-${wrap}-wrap`, kek, new Uint8Array(8).fill(0xa6));
  return concatBytes(cipher.update(key), cipher.final());
}

/** KEKRecipientInfo, of a kind that is not supported. */
export const kekRecipient: RecipientWriter = (key) =>
  der(
    0xa2,
    derInteger(4),
    derSequence(derOctetString(Uint8Array.of(1))),
    derSequence(derOid(oids.aes128Wrap)),
    derOctetString(wrapKey(new Uint8Array(16), key, 'aes128')),
  );
