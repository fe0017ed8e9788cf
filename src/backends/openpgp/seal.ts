/** Signing and encrypting MIME entities as PGP/MIME (RFC 3156 sections 4, 5 and 6.2). */

import { concatBytes, octetPieces, toCrlf } from '../../bytes.ts';
import { E2eError } from '../../errors.ts';
import type { BackendCall, EncryptRequest, SignAndEncryptRequest, SignRequest } from '../backend.ts';
import { seconds } from './certificate.ts';
import { type ContentEncryption, sealEncryptedData } from './encrypted-data.ts';
import type { KeySource } from './keyring.ts';
import { enums, zipBody } from './library.ts';
import { wrapEncrypted, wrapEncryptedText, wrapSigned } from './mime.ts';
import { hashName } from './names.ts';
import { packetHeader, tag, writePacket } from './packets.ts';
import { allEncryptionKeys, type Chosen, intendedFingerprints, namedFingerprints, signingKey } from './select.ts';
import { newSessionKey, sealSessionKey } from './session-key.ts';
import { signOctets } from './sign-packet.ts';
import { primarySelfSignature, readsSeipdV2 } from './validity.ts';

/**
 * Signs an entity as multipart/signed.
 *
 * @throws {E2eError} NO_SIGNING_KEY, KEY_UNAVAILABLE, LIMIT; UNMAPPABLE for content that XML would change
 */
export async function sign(store: KeySource, request: SignRequest): Promise<Uint8Array> {
  const { content, signer, recipients, at, limits, signal } = request;
  checkSize(content, request);
  // RFC 3156 section 5 rule 3: signed data is in canonical form; else it cannot be verified after its way through XML.
  if (toCrlf(content) !== content) {
    throw new E2eError('ERR_E2E_UNMAPPABLE', 'sign', { reason: 'line ends other than CRLF in signed content' });
  }
  const { certificate, component, own } = await signingKey(store, signer, request);
  const named = await intendedFingerprints(store, recipients, certificate, request);
  signal?.throwIfAborted();
  const { body, hashAlgorithm, version } = await signOctets(content, component.packet, {
    at,
    recipients: named,
    limits,
    external: own.external,
  });
  return wrapSigned(content, writePacket(tag.signature, body), hashName(hashAlgorithm), version !== 6);
}

/**
 * Encrypts an entity as multipart/encrypted.
 *
 * @throws {E2eError} NO_RECIPIENT_KEY, LIMIT
 */
export async function encrypt(store: KeySource, request: EncryptRequest): Promise<Uint8Array> {
  return wrapped(await encryptedMessage(store, request), request);
}

/** {@link encrypt} as text with LF line ends. */
export async function encryptText(store: KeySource, request: EncryptRequest): Promise<string> {
  const { message, checksum } = await encryptedMessage(store, request);
  return wrapEncryptedText(message, checksum);
}

async function encryptedMessage(store: KeySource, request: EncryptRequest): Promise<SealedMessage> {
  checkSize(request.content, request);
  const keys = await allEncryptionKeys(store, request.recipients, request);
  return seal(literal(request), await sealedKeys(keys, request), request);
}

/**
 * Signs and encrypts in one OpenPGP message (RFC 3156 section 6.2): one layer, and the signature is hidden with the
 * content.
 *
 * @throws {E2eError} NO_SIGNING_KEY, KEY_UNAVAILABLE, NO_RECIPIENT_KEY, LIMIT
 */
export async function signAndEncrypt(store: KeySource, request: SignAndEncryptRequest): Promise<Uint8Array> {
  return wrapped(await signedAndEncryptedMessage(store, request), request);
}

/** {@link signAndEncrypt} as text with LF line ends. */
export async function signAndEncryptText(store: KeySource, request: SignAndEncryptRequest): Promise<string> {
  const { message, checksum } = await signedAndEncryptedMessage(store, request);
  return wrapEncryptedText(message, checksum);
}

function wrapped({ message, checksum }: SealedMessage, { packets }: EncryptRequest): Uint8Array {
  const octets = concatBytes(...message);
  return packets?.bare === true ? octets : wrapEncrypted(octets, checksum);
}

async function signedAndEncryptedMessage(store: KeySource, request: SignAndEncryptRequest): Promise<SealedMessage> {
  const { content, signer, recipients, at, limits, signal } = request;
  checkSize(content, request);
  const { certificate, component, own } = await signingKey(store, signer, request);
  const keys = await allEncryptionKeys(store, recipients, request);
  const named = namedFingerprints(keys, certificate);
  signal?.throwIfAborted();
  const hash = request.packets?.sha256 === true ? ('sha256' as const) : undefined;
  const options = { at, recipients: named, hash, limits, external: own.external };
  // Side by side: a long RSA key signs in another thread.
  const signing = signOctets(content, component.packet, options);
  const [{ body, onePass }, sealed] = await Promise.all([signing, sealedKeys(keys, request)]);
  const before = writePacket(tag.onePassSignature, onePass);
  return seal([before, ...literal(request), writePacket(tag.signature, body)], sealed, request);
}

/** A literal data packet in binary format, without a name: format name-length date(4 octets) content. */
function literal({ content, at }: EncryptRequest): readonly Uint8Array[] {
  const fields = new Uint8Array(6);
  fields[0] = enums.literal.binary;
  new DataView(fields.buffer).setUint32(2, seconds(at));
  return [packetHeader(tag.literal, fields.length + content.length), fields, content];
}

interface SealedMessage {
  /** One piece after the other. */
  readonly message: readonly Uint8Array[];
  /** Whether its armor has a checksum, which version 6 objects go without (RFC 9580 section 6.1). */
  readonly checksum: boolean;
}

/** A session key, and its packets for all recipients. */
interface SealedKeys {
  readonly encryption: ContentEncryption;
  readonly packets: readonly Uint8Array[];
}

async function sealedKeys(keys: readonly Chosen[], request: EncryptRequest): Promise<SealedKeys> {
  const encryption = encryptionFor(keys, request);
  const version = encryption.version === 2 ? 6 : 3;
  const bodies = keys.map(({ component }) =>
    sealSessionKey(encryption.session, component.packet, version, request.hidden),
  );
  const packets = (await Promise.all(bodies)).map((body) => writePacket(tag.publicKeySessionKey, body));
  return { encryption, packets };
}

async function seal(
  packets: readonly Uint8Array[],
  { encryption, packets: sessionKeys }: SealedKeys,
  { limits, signal, packets: foreign }: EncryptRequest,
): Promise<SealedMessage> {
  signal?.throwIfAborted();
  const inside = foreign?.compress === true ? [await zipped(packets)] : packets;
  const data = await sealEncryptedData(inside, encryption, limits);
  const length = data.reduce((sum, piece) => sum + piece.length, 0);
  const message = octetPieces([...sessionKeys, packetHeader(tag.integrityProtected, length), ...data]);
  return { message, checksum: encryption.version === 1 };
}

async function zipped(packets: readonly Uint8Array[]): Promise<Uint8Array> {
  return writePacket(tag.compressed, await zipBody(concatBytes(...packets)));
}

/** As numbers, in which preferences come. */
const aes128: number = enums.symmetric.aes128;
const aes256: number = enums.symmetric.aes256;
const gcm: number = enums.aead.gcm;
const ocb: number = enums.aead.ocb;

/**
 * SEIPD version 1 with AES-256, which every peer reads, foreign clients among them; version 2 only when every recipient announces it, in the best
 * suite that all of them list. AES-128 with OCB is the one that none need list (RFC 9580 section 5.2.3.15).
 */
function encryptionFor(keys: readonly Chosen[], { at, packets }: BackendCall): ContentEncryption {
  const time = seconds(at);
  if (packets !== undefined || !keys.every(({ certificate }) => readsSeipdV2(certificate, time))) {
    return { session: newSessionKey(aes256), version: 1 };
  }
  const lists = keys.map(
    ({ certificate }) => primarySelfSignature(certificate, time)?.signature.preferredCipherSuites ?? [],
  );
  for (const aead of [gcm, ocb]) {
    const listed = lists.every((list) => list.some((suite) => suite[0] === aes256 && suite[1] === aead));
    if (listed) return { session: newSessionKey(aes256), version: 2, aead };
  }
  return { session: newSessionKey(aes128), version: 2, aead: ocb };
}

/** What is over the reader's limit would be lost with the reader. */
function checkSize(content: Uint8Array, { limits }: BackendCall): void {
  if (content.length > limits.decryptedBytes) throw new E2eError('ERR_E2E_LIMIT', 'encrypt', { reason: 'content' });
}
