/**
 * CMS objects of the test vectors, written field by field (RFC 5652, RFC 5083), right or wrong. The same in every run:
 * keys, seeds, nonces and paddings come from labels.
 */
import {
  constants,
  createCipheriv,
  createHash,
  createPublicKey,
  publicEncrypt,
  type KeyObject,
  sign,
} from 'node:crypto';
import { oids } from '../../src/asn1/oids.ts';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  encodeDer,
} from '../../src/asn1/writer.ts';
import { base64Encode, concatBytes, utf8 } from '../../src/bytes.ts';
import { type Authority, seeded } from './authorities.ts';

type Digest = 'md5' | 'sha1' | 'sha256' | 'sha512';

/** One signature. */
export interface SignerOptions {
  readonly by: Authority;
  readonly digest?: Digest | undefined;
  /** Names another digest than the one used. */
  readonly digestName?: Digest | undefined;
  /** Writes the parameters of the digest as NULL. */
  readonly digestNull?: boolean | undefined;
  /** The signed attributes from the digest of the content, in the order written; null for none. */
  readonly attributes?: ((digest: Uint8Array) => readonly DerPart[]) | null | undefined;
  /** Keeps them out of DER order. */
  readonly unordered?: boolean | undefined;
  readonly unsignedAttributes?: readonly DerPart[] | undefined;
  /** Names the signer by key identifier. */
  readonly keyId?: Uint8Array | undefined;
  /** What the signature is about; the content unless given. */
  readonly about?: Uint8Array | undefined;
}

/** A SignedData. */
export interface SignedOptions {
  readonly content: Uint8Array;
  /** Inside of the object; detached unless given. Octets, or an element of its own. */
  readonly eContent?: Uint8Array | DerPart | undefined;
  readonly eContentType?: string | undefined;
  readonly signers: readonly SignerOptions[];
  readonly certificates?: readonly Uint8Array[] | undefined;
  readonly crls?: readonly Uint8Array[] | undefined;
}

/** An attribute. */
export function attribute(type: string, ...values: readonly DerPart[]): DerPart {
  return derSequence(derOid(type), der(0x31, ...values));
}

/** contentType and messageDigest. */
export function usualAttributes(digest: Uint8Array): readonly DerPart[] {
  return [attribute(oids.contentType, derOid(oids.data)), attribute(oids.messageDigest, derOctetString(digest))];
}

/** A digest. */
export function hash(digest: Digest, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(digest).update(data).digest());
}

/** The AlgorithmIdentifier of a digest. */
export function digestAlgorithm(digest: Digest): DerPart {
  return derSequence(derOid(oids[digest]));
}

/** The AlgorithmIdentifier of a signature. */
export function signatureAlgorithm({ keys }: Authority): DerPart {
  return keys.kind === 'rsa' ? derSequence(derOid(oids.rsaEncryption), derNull) : derSequence(derOid('1.3.101.112'));
}

function signerInfo(content: Uint8Array, one: SignerOptions): DerPart {
  const { by, attributes = usualAttributes, keyId } = one;
  const digest = one.digest ?? (by.keys.kind === 'rsa' ? 'sha256' : 'sha512');
  const data = one.about ?? content;
  const list = attributes?.(hash(digest, data));
  const set = list && encodeDer(one.unordered === true ? der(0x31, ...list) : derSetOf(list));
  const signature = sign(by.keys.kind === 'rsa' ? digest : null, set ?? data, by.keys.privateKey);
  const tagged = set?.slice();
  if (tagged !== undefined) tagged[0] = 0xa0;
  return derSequence(
    derInteger(keyId === undefined ? 1 : 3),
    keyId === undefined ? issuerAndSerial(by) : der(0x80, keyId),
    one.digestNull === true ? derSequence(derOid(oids[digest]), derNull) : digestAlgorithm(one.digestName ?? digest),
    ...(tagged === undefined ? [] : [tagged]),
    signatureAlgorithm(by),
    derOctetString(new Uint8Array(signature)),
    ...(one.unsignedAttributes === undefined ? [] : [derContext(1, ...one.unsignedAttributes)]),
  );
}

function issuerAndSerial({ issuerName, serial }: Authority): DerPart {
  return derSequence(issuerName, der(2, serial));
}

/** A ContentInfo. */
function contentInfo(type: string, content: DerPart): Uint8Array {
  return encodeDer(derSequence(derOid(type), derContext(0, content)));
}

/** A SignedData in a ContentInfo. */
export function signedData({ content, eContent, eContentType = oids.data, ...rest }: SignedOptions): Uint8Array {
  const inside = eContent instanceof Uint8Array ? derOctetString(eContent) : eContent;
  const certificates = rest.certificates ?? rest.signers.map(({ by }) => by.der);
  return contentInfo(
    oids.signedData,
    derSequence(
      derInteger(1),
      der(0x31, ...rest.signers.map(({ digest = 'sha512' }) => digestAlgorithm(digest))),
      derSequence(derOid(eContentType), ...(inside === undefined ? [] : [derContext(0, inside)])),
      ...(certificates.length === 0 ? [] : [derContext(0, ...certificates)]),
      ...(rest.crls === undefined ? [] : [derContext(1, ...rest.crls)]),
      der(0x31, ...rest.signers.map((one) => signerInfo(content, one))),
    ),
  );
}

const publicKeyOf = ({ keys }: Authority): KeyObject => createPublicKey(keys.privateKey);

function rawRsa(to: Authority, block: Uint8Array): Uint8Array {
  return new Uint8Array(publicEncrypt({ key: publicKeyOf(to), padding: constants.RSA_NO_PADDING }, block));
}

function mask(seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(hash('sha256', concatBytes(seed, Uint8Array.of(0, 0, 0, i))));
  return concatBytes(...blocks).subarray(0, length);
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((octet, index) => octet ^ b[index]!);
}

/** RSAES-OAEP with SHA-256 (RFC 8017 section 7.1.1) for a key of 2048 bits. */
function oaep(to: Authority, key: Uint8Array): Uint8Array {
  const seed = seeded('oaep seed', 32);
  const zeros = new Uint8Array(256 - key.length - 66);
  const data = concatBytes(hash('sha256', new Uint8Array()), zeros, Uint8Array.of(1), key);
  const masked = xor(data, mask(seed, data.length));
  return rawRsa(to, concatBytes(Uint8Array.of(0), xor(seed, mask(masked, 32)), masked));
}

/** RSAES-PKCS1-v1_5 (RFC 8017 section 7.2.1) for a key of 2048 bits, after `spoil` changed the padded block. */
function pkcs1v15(to: Authority, key: Uint8Array, spoil: (block: Uint8Array) => void): Uint8Array {
  const padding = seeded('pkcs1 padding', 253 - key.length).map((octet) => (octet === 0 ? 1 : octet));
  const block = concatBytes(Uint8Array.of(0, 2), padding, Uint8Array.of(0), key);
  spoil(block);
  return rawRsa(to, block);
}

/** An encrypted object. */
export interface EncryptedOptions {
  readonly content: Uint8Array;
  readonly to: Authority;
  readonly container?: 'enveloped-data' | 'auth-enveloped-data' | undefined;
  readonly cipher?: 'gcm' | 'cbc' | undefined;
  readonly transport?: 'oaep' | 'pkcs1v15' | undefined;
  /** Octets of the tag; 16 unless given. */
  readonly tagLength?: number | undefined;
  /** What aes-ICVlen says; null leaves it out. */
  readonly icvLength?: number | null | undefined;
  readonly nonce?: Uint8Array | undefined;
  readonly authAttributes?: readonly DerPart[] | undefined;
  /** Written in place of those that were authenticated. */
  readonly shownAttributes?: readonly DerPart[] | undefined;
  readonly spoilTag?: ((tag: Uint8Array) => void) | undefined;
  readonly spoilPadding?: ((block: Uint8Array) => void) | undefined;
  readonly spoilCiphertext?: ((ciphertext: Uint8Array) => void) | undefined;
  /** Names somebody else's certificate. */
  readonly named?: Authority | undefined;
  readonly version?: number | undefined;
}

/** An EnvelopedData or AuthEnvelopedData in a ContentInfo, with AES-256-GCM or AES-128-CBC for one RSA key. */
export function encryptedData(options: EncryptedOptions): Uint8Array {
  const { cipher = 'gcm', to, content, transport = 'oaep', tagLength = 16, nonce = seeded('nonce', 12) } = options;
  const container = options.container ?? (cipher === 'gcm' ? 'auth-enveloped-data' : 'enveloped-data');
  const key = seeded('content-encryption key', cipher === 'gcm' ? 32 : 16);
  const wrapped = transport === 'oaep' ? oaep(to, key) : pkcs1v15(to, key, options.spoilPadding ?? (() => undefined));
  const recipient = derSequence(
    derInteger(0),
    issuerAndSerial(options.named ?? to),
    transport === 'oaep' ? oaepAlgorithm : derSequence(derOid(oids.rsaEncryption), derNull),
    derOctetString(wrapped),
  );
  const set = options.authAttributes && encodeDer(derSetOf(options.authAttributes));
  const shown = (options.shownAttributes ? encodeDer(derSetOf(options.shownAttributes)) : set)?.slice();
  if (shown !== undefined) shown[0] = 0xa1;
  const iv = cipher === 'gcm' ? nonce : seeded('iv', 16);
  const { icvLength = tagLength } = options;
  const parameters =
    cipher === 'gcm'
      ? derSequence(derOctetString(iv), ...(icvLength === null ? [] : [derInteger(icvLength)]))
      : derOctetString(iv);
  let ciphertext: Uint8Array;
  let tag = seeded('tag', tagLength);
  if (cipher === 'gcm') {
    const gcm = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength });
    if (set !== undefined) gcm.setAAD(set);
    ciphertext = concatBytes(gcm.update(content), gcm.final());
    tag = new Uint8Array(gcm.getAuthTag());
  } else {
    const cbc = createCipheriv('aes-128-cbc', key, iv);
    ciphertext = concatBytes(cbc.update(content), cbc.final());
  }
  options.spoilTag?.(tag);
  options.spoilCiphertext?.(ciphertext);
  const authenticated = container === 'auth-enveloped-data';
  return contentInfo(
    authenticated ? oids.authEnvelopedData : oids.envelopedData,
    derSequence(
      derInteger(options.version ?? 0),
      derSetOf([recipient]),
      derSequence(
        derOid(oids.data),
        derSequence(derOid(cipher === 'gcm' ? oids.aes256Gcm : oids.aes128Cbc), parameters),
        der(0x80, ciphertext),
      ),
      ...(shown === undefined ? [] : [shown]),
      ...(authenticated ? [derOctetString(tag)] : []),
    ),
  );
}

const sha256Identifier = derSequence(derOid(oids.sha256));
const oaepAlgorithm = derSequence(
  derOid(oids.rsaesOaep),
  derSequence(derContext(0, sha256Identifier), derContext(1, derSequence(derOid(oids.mgf1), sha256Identifier))),
);

/** A multipart/signed around content and a detached signature (RFC 8551 section 3.5.3). */
export function multipartSigned(
  content: Uint8Array,
  cms: Uint8Array,
  second = 'application/pkcs7-signature',
): Uint8Array {
  return concatBytes(
    utf8('Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-512; boundary=b0\r\n\r\n'),
    utf8('--b0\r\n'),
    content,
    utf8(`\r\n--b0\r\nContent-Type: ${second}\r\nContent-Transfer-Encoding: base64\r\n\r\n`),
    base64Encode(cms, 64),
    utf8('\r\n--b0--\r\n'),
  );
}

/** An application/pkcs7-mime entity (RFC 8551 section 3.2). */
export function pkcs7Mime(cms: Uint8Array, type: string): Uint8Array {
  const header = `Content-Type: application/pkcs7-mime; smime-type=${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n`;
  return concatBytes(utf8(header), base64Encode(cms, 64));
}
