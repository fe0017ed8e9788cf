/**
 * The one place that imports openpgp.js, and the types of the members that it has at run time but leaves out of its
 * declarations. The dependency is pinned to an exact version; `test/unit/openpgp/library.test.ts` checks each member.
 *
 * Only packets, primitives and binary parsers of the library are used. Its `decrypt` and `verify` are not: they hand
 * out data beside an unread verdict, and decide about certificates by 64-bit key id.
 */

import {
  AEADEncryptedDataPacket,
  CompressedDataPacket,
  type Config,
  config as libraryDefaults,
  enums,
  generateKey,
  type Key,
  LiteralDataPacket,
  OnePassSignaturePacket,
  PacketList,
  PublicKeyEncryptedSessionKeyPacket,
  readKeys,
  readMessage,
  readPrivateKeys,
  SignaturePacket,
  SymEncryptedIntegrityProtectedDataPacket,
} from 'openpgp';
import { joinBytes } from '../../bytes.ts';
import { readPackets, writePacket } from './packets.ts';

export { enums, generateKey, libraryDefaults, readKeys, readMessage, readPrivateKeys };
export type { Config, Key };

/** The oldest version without the advisories of 2023 to 2026 (signature spoofing, unbounded bzip2, AEAD counter). */
const minimumVersion = [6, 3, 2] as const;

/**
 * Refuses an openpgp.js that is too old: package managers may put another version in the place of the pinned one.
 *
 * @param versionString for example `OpenPGP.js 6.3.2`
 * @throws {Error} for an older version, or one that does not say what it is
 */
export function checkVersion(versionString: string = libraryDefaults.versionString): void {
  const match = /^OpenPGP\.js (\d{1,5})\.(\d{1,5})\.(\d{1,5})$/.exec(versionString);
  if (match !== null) {
    for (const [i, minimum] of minimumVersion.entries()) {
      const part = Number(match[i + 1]);
      if (part > minimum || (part === minimum && i === 2)) return;
      if (part < minimum) break;
    }
  }
  throw new Error(`openpgp.js ${minimumVersion.join('.')} or newer is needed, found ${versionString}`);
}

/** A 64-bit key id as the library keeps it: one character an octet. */
export interface KeyId {
  readonly bytes: string;
}

/** A public or secret key or subkey packet. */
export interface KeyPacket {
  readonly algorithm: number;
  readonly version: number;
  readonly created: Date;
  readonly publicParams: Readonly<Record<string, unknown>>;
  readonly privateParams?: Readonly<Record<string, Uint8Array>> | null;
  getAlgorithmInfo(): { readonly algorithm: string; readonly bits?: number; readonly curve?: string };
  getFingerprintBytes(): Uint8Array;
  getKeyID(): KeyId;
  isDecrypted?(): boolean | null;
  isMissingSecretKeyMaterial?(): boolean;
  decrypt?(passphrase: string, config: Config): Promise<unknown>;
  validate?(): Promise<void>;
}

/** A subpacket that the library does not know. */
export interface Subpacket {
  readonly type: number;
  readonly critical: boolean;
  readonly body: Uint8Array;
}

/** What a signature covers, as the library takes it. */
export interface SignedThing {
  readonly key?: KeyPacket;
  readonly bind?: KeyPacket;
  readonly userID?: object;
}

/** What a signature over a message is judged by. */
export interface MessageSignature {
  readonly version: number | null;
  readonly signatureType: number | null;
  readonly publicKeyAlgorithm: number | null;
  readonly hashAlgorithm: number | null;
  readonly created: Date;
  readonly signatureExpirationTime: number | null;
  readonly signatureNeverExpires: boolean;
  readonly issuerKeyID: KeyId;
  readonly issuerFingerprint: Uint8Array | null;
  /** Subpackets of the hashed area that the library does not know. */
  unknownSubpackets: readonly Subpacket[];
  readonly params: unknown;
  /** From the version to the end of the hashed area. */
  readonly signatureData: Uint8Array | null;
  /** The first two octets of the digest. */
  readonly signedHashValue: Uint8Array | null;
  /** Of version 6. */
  readonly salt: Uint8Array | null;
  readonly rawNotations: readonly { readonly critical: boolean }[];
  readonly revocationKeyClass: number | null;
  verify(
    key: KeyPacket,
    type: number,
    data: object,
    date: Date | null,
    detached: boolean,
    config: Config,
  ): Promise<void>;
}

/** A signature packet. */
export interface Signature extends MessageSignature {
  version: number | null;
  signatureType: number | null;
  publicKeyAlgorithm: number | null;
  hashAlgorithm: number | null;
  readonly keyExpirationTime: number | null;
  readonly keyNeverExpires: boolean | null;
  readonly keyFlags: Uint8Array | null;
  readonly features: Uint8Array | null;
  readonly preferredCipherSuites: readonly (readonly [number, number])[] | null;
  readonly isPrimaryUserID: boolean | number | null;
  readonly reasonForRevocationFlag: number | null;
  readonly issuerKeyVersion: number | null;
  readonly embeddedSignature: Signature | null;
  read(bytes: Uint8Array): void;
  write(): Uint8Array;
  writeHashedSubPackets(): Uint8Array;
  sign(key: KeyPacket, data: object, date: Date, detached: boolean, config: Config): Promise<void>;
}

/** The structure of a parsed key: packets and the signatures that follow them, none verified. */
export interface KeyStructure {
  readonly keyPacket: KeyPacket;
  readonly directSignatures: readonly Signature[];
  readonly revocationSignatures: readonly Signature[];
  readonly users: readonly {
    readonly userID: { readonly userID: string } | null;
    readonly selfCertifications: readonly Signature[];
    readonly revocationSignatures: readonly Signature[];
  }[];
  readonly subkeys: readonly {
    readonly keyPacket: KeyPacket;
    readonly bindingSignatures: readonly Signature[];
    readonly revocationSignatures: readonly Signature[];
  }[];
}

/** The structure of a key. */
export function structureOf(key: Key): KeyStructure {
  return key as unknown as KeyStructure;
}

/** A session key packet (PKESK) of version 3 or 6. */
export interface SessionKeyPacket {
  readonly version: number;
  readonly publicKeyAlgorithm: number;
  readonly publicKeyID: KeyId;
  readonly publicKeyFingerprint: Uint8Array | null;
  readonly sessionKey: Uint8Array | null;
  readonly sessionKeyAlgorithm: number | null;
  read(bytes: Uint8Array): void;
  write(): Uint8Array;
  encrypt(key: KeyPacket): Promise<void>;
  decrypt(
    key: KeyPacket,
    substitute?: { readonly sessionKeyAlgorithm: number; readonly sessionKey: Uint8Array },
  ): Promise<void>;
}

/** Any packet as the library lists it. */
export interface AnyPacket {
  readonly constructor: { readonly tag?: number };
  readonly tag?: number;
  write(): Uint8Array;
}

/** A packet list whose rest may still be in a stream: the library stops at the first data packet. */
export interface PacketSequence extends Iterable<AnyPacket> {
  readonly stream?: { getReader(): { read(): Promise<{ done: boolean; value?: AnyPacket }> } } | null;
  write(): Uint8Array;
}

/** A stream as the library has them: of the platform, or its own kind that holds all chunks. */
export interface OctetStream {
  getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array }> };
}

/** An encrypted data packet: SEIPD of version 1 or 2, or the AEAD packet of LibrePGP. */
export interface EncryptedDataPacket {
  readonly version: number;
  readonly cipherAlgorithm: number | null;
  packets: PacketSequence;
  read(bytes: Uint8Array, config: Config): Promise<void>;
  /** Octets, or a stream of them where the content was encrypted in chunks. */
  write(): Uint8Array | OctetStream;
  encrypt(algorithm: number, key: Uint8Array, config: Config): Promise<unknown>;
  decrypt(algorithm: number, key: Uint8Array, config: Config): Promise<unknown>;
}

/** A literal data packet. */
export interface LiteralPacket extends AnyPacket {
  readonly data: Uint8Array;
  setBytes(bytes: Uint8Array, format: number): void;
}

/**
 * Whether the creation time of a signature is one: the library takes a subpacket of any length, and makes an invalid
 * date of a long one, which compares as neither before nor after anything.
 */
export function isDated({ created }: Pick<MessageSignature, 'created'>): boolean {
  const time = created.getTime();
  return time >= 0 && time <= 0xffff_ffff * 1000;
}

/** An empty signature packet. */
export function newSignature(): Signature {
  return new SignaturePacket() as unknown as Signature;
}

/** An empty session key packet. */
export function newSessionKeyPacket(): SessionKeyPacket {
  return new PublicKeyEncryptedSessionKeyPacket() as unknown as SessionKeyPacket;
}

/** A session key packet that carries a session key to one public key, still to be encrypted. */
export function sessionKeyPacketFor(values: {
  readonly version: 3 | 6;
  readonly encryptionKeyPacket: KeyPacket;
  readonly anonymousRecipient: boolean;
  readonly sessionKey: Uint8Array;
  readonly sessionKeyAlgorithm: number;
}): SessionKeyPacket {
  const factory = PublicKeyEncryptedSessionKeyPacket as unknown as { fromObject(o: typeof values): SessionKeyPacket };
  return factory.fromObject(values);
}

/** An empty AEAD encrypted data packet of LibrePGP (tag 20). */
export function newAeadPacket(): EncryptedDataPacket {
  return new AEADEncryptedDataPacket() as unknown as EncryptedDataPacket;
}

/** An empty SEIPD packet (tag 18) to read into. */
export function newSeipd(): EncryptedDataPacket {
  return new SymEncryptedIntegrityProtectedDataPacket() as unknown as EncryptedDataPacket;
}

/** A SEIPD packet to encrypt with. */
export function seipdFor(version: 1 | 2, aeadAlgorithm: number | undefined): EncryptedDataPacket {
  const factory = SymEncryptedIntegrityProtectedDataPacket as unknown as {
    fromObject(o: { version: number; aeadAlgorithm: number | undefined }): EncryptedDataPacket;
  };
  return factory.fromObject({ version, aeadAlgorithm });
}

/** A literal packet in binary format. */
export function literalPacket(bytes: Uint8Array, date: Date): LiteralPacket {
  const Packet = LiteralDataPacket as unknown as new (date: Date) => LiteralPacket;
  const packet = new Packet(date);
  packet.setBytes(bytes, enums.literal.binary);
  return packet;
}

/** The one-pass signature packet that announces a signature (RFC 4880 section 5.4). */
export function onePassFor(signature: Signature): AnyPacket {
  const factory = OnePassSignaturePacket as unknown as {
    fromSignaturePacket(signature: Signature, last: boolean): AnyPacket;
  };
  return factory.fromSignaturePacket(signature, true);
}

/** The body of a compressed data packet: ZIP around packets that are written already. */
export async function zipBody(octets: Uint8Array): Promise<Uint8Array> {
  const packet = new CompressedDataPacket() as unknown as {
    packets: PacketSequence;
    algorithm: number;
    write(): Uint8Array | OctetStream;
  };
  packet.packets = writtenPackets(octets);
  packet.algorithm = enums.compression.zip;
  return allOctets(packet.write());
}

/** In a configuration: how many packets a sequence may have. The library itself has no such bound. */
export const packetLimit: unique symbol = Symbol('packet limit');

/** In a configuration beside {@link packetLimit}: whether a first partial length may be under 512 octets. */
export const shortFirstPart: unique symbol = Symbol('short first part');

type ReadSequence = (bytes: Uint8Array | OctetStream, allowed: object, config?: object, ...rest: unknown[]) => unknown;

/**
 * Makes the library count the packets that come out of a decryption or decompression before it reads them one by one,
 * at several microseconds each: a kilobyte decompresses to half a million of empty ones, which is seconds. There is no
 * other place to step in between; calls without {@link packetLimit} in their configuration go through untouched.
 */
function countPackets(): void {
  const sequence = PacketList.prototype as unknown as { read: ReadSequence };
  const { read } = sequence;
  sequence.read = async function (this: object, bytes, allowed, config, ...rest): Promise<unknown> {
    const bounds = config as { readonly [packetLimit]?: number; readonly [shortFirstPart]?: boolean } | undefined;
    const maxPackets = bounds?.[packetLimit];
    if (maxPackets === undefined) return read.call(this, bytes, allowed, config, ...rest);
    // All octets first, so that an AEAD is checked up to its last tag before any of them is parsed.
    const octets = await allOctets(bytes);
    const packets = readPackets(octets, { stage: 'decrypt', maxPackets, shortFirstPart: bounds?.[shortFirstPart] });
    // Packets that came in parts are given in one: the library takes microseconds for each part, and there can be one
    // for every two octets.
    return read.call(this, joinBytes(packets.map(({ tag, body }) => writePacket(tag, body))), allowed, config, ...rest);
  };
}
countPackets();

/** Packets to encrypt that are written already. */
export function writtenPackets(octets: Uint8Array): PacketSequence {
  const list = new PacketList() as unknown as PacketSequence;
  list.write = (): Uint8Array => octets;
  return list;
}

/** All packets of a sequence, those still in its stream included: a defect of the rest shows only when it is read. */
export async function allPackets(sequence: PacketSequence | readonly AnyPacket[]): Promise<readonly AnyPacket[]> {
  const packets = [...sequence];
  const reader = 'stream' in sequence ? sequence.stream?.getReader() : undefined;
  if (reader === undefined) return packets;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return packets;
    if (value !== undefined) packets.push(value);
  }
}

/** The octets of what the library may give as a stream. */
export async function allOctets(octets: Uint8Array | OctetStream): Promise<Uint8Array> {
  if (octets instanceof Uint8Array) return octets;
  const reader = octets.getReader();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joinBytes(chunks);
    if (value !== undefined) chunks.push(value);
  }
}

/** Octets of a key id. */
export function keyIdBytes({ bytes }: KeyId): Uint8Array {
  const octets = new Uint8Array(bytes.length);
  for (let i = 0; i < octets.length; i++) octets[i] = bytes.charCodeAt(i);
  return octets;
}
