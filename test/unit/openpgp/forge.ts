/**
 * OpenPGP keys and messages as an attacker or an old program would write them: packets and SEIPD framing by hand,
 * signatures over whatever is asked. Built on the packet classes of openpgp.js, and on none of the code under test.
 */
import { spawnSync } from 'node:child_process';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { deflateRawSync, deflateSync } from 'node:zlib';
import * as openpgp from 'openpgp';

/** An octet string of packets. */
export type Octets = Uint8Array;

/** One packet in the new format, with a five-octet length. */
export function packet(tag: number, ...parts: readonly Uint8Array[]): Octets {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(6);
  header[0] = 0xc0 | tag;
  header[1] = 255;
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

/** A literal data packet in binary format, without name and date. */
export function literal(content: Uint8Array | string, format = 'b'): Octets {
  return packet(11, Buffer.from(`${format}\0\0\0\0\0`), Buffer.from(content));
}

/** SEIPD version 1 (RFC 9580 section 5.13.1) under a session key of AES-256. */
export function seipdV1(plaintext: Uint8Array, key: Uint8Array, { mdc = true } = {}): Octets {
  const prefix = randomBytes(16);
  const repeated = prefix.subarray(14);
  const protectedPart = Buffer.concat([prefix, repeated, plaintext, Buffer.from(mdc ? 'd314' : '', 'hex')]);
  const digest = mdc ? createHash('sha1').update(protectedPart).digest() : Buffer.alloc(0);
  const cipher = createCipheriv('aes-256-cfb', key, Buffer.alloc(16));
  const encrypted = Buffer.concat([cipher.update(Buffer.concat([protectedPart, digest])), cipher.final()]);
  return packet(18, Buffer.from([1]), encrypted);
}

/** Symmetrically encrypted data without integrity protection (RFC 4880 section 5.7). */
export function sed(plaintext: Uint8Array, key: Uint8Array): Octets {
  // The resynchronization of that packet does not matter here: nobody may get as far.
  const cipher = createCipheriv('aes-256-cfb', key, Buffer.alloc(16));
  return packet(9, cipher.update(Buffer.concat([randomBytes(18), plaintext])), cipher.final());
}

/** A session key packet of version 3 for each certificate. */
export async function sessionKeys(
  key: Uint8Array,
  certificates: readonly openpgp.Key[],
  options: { readonly wildcard?: boolean; readonly algorithm?: 'aes256' | 'aes128' | 'aes192' } = {},
): Promise<Octets> {
  const { wildcard = false, algorithm = 'aes256' } = options;
  return openpgp.encryptSessionKey({
    data: key,
    algorithm,
    encryptionKeys: [...certificates] as openpgp.PublicKey[],
    wildcard,
    format: 'binary',
    date: new Date('2026-11-22T12:00:00Z'),
  });
}

/** Any packets, encrypted as SEIPD version 1 to certificates. */
export async function encryptPackets(
  plaintext: Uint8Array,
  certificates: readonly openpgp.Key[],
  options: { readonly wildcard?: boolean; readonly mdc?: boolean } = {},
): Promise<Octets> {
  const key = randomBytes(32);
  return Buffer.concat([await sessionKeys(key, certificates, options), seipdV1(plaintext, key, options)]);
}

/** Compresses packets (RFC 4880 section 5.6). */
export function compressed(algorithm: 'zip' | 'zlib' | 'bzip2', inside: Uint8Array): Octets {
  switch (algorithm) {
    case 'zip':
      return packet(8, Buffer.from([1]), deflateRawSync(inside));
    case 'zlib':
      return packet(8, Buffer.from([2]), deflateSync(inside));
    case 'bzip2':
      return packet(8, Buffer.from([3]), spawnSync('bzip2', ['-9'], { input: inside, maxBuffer: 2 ** 28 }).stdout);
  }
}

/** Everything that a forger may want to say in a signature. */
export interface SignatureFields {
  readonly type: number;
  readonly at: Date;
  readonly hash?: number;
  readonly flags?: number;
  readonly keyExpires?: number;
  readonly expires?: number;
  readonly primaryUserId?: boolean;
  readonly reason?: number;
  readonly features?: number;
  readonly embedded?: openpgp.SignaturePacket;
  /** Raw subpackets for the hashed area: length, type, body. */
  readonly hashed?: readonly Uint8Array[];
  /** Subpackets for the unhashed area. */
  readonly unhashed?: readonly { readonly type: number; readonly body: Uint8Array }[];
  readonly notation?: { readonly name: string; readonly critical: boolean };
}

/** The members that openpgp.js has at run time and leaves out of its declarations. */
type Loose = Record<string, unknown> & {
  sign(key: unknown, thing: unknown, at: Date, detached: boolean, config: unknown): Promise<void>;
  writeHashedSubPackets(): Uint8Array;
  write(): Uint8Array;
};

/** A key packet of a key, secret where the key is. */
export type KeyPacket = Pick<openpgp.PublicKeyPacket, 'algorithm' | 'version'>;

/** Makes a signature over a message (`literal packet`), a key, a User ID or a subkey. */
export async function makeSignature(
  signer: KeyPacket,
  thing: object,
  fields: SignatureFields,
): Promise<openpgp.SignaturePacket> {
  const made = new openpgp.SignaturePacket();
  const loose = made as unknown as Loose;
  loose['signatureType'] = fields.type;
  loose['publicKeyAlgorithm'] = signer.algorithm;
  loose['hashAlgorithm'] = fields.hash ?? openpgp.enums.hash.sha512;
  if (fields.flags !== undefined) loose['keyFlags'] = [fields.flags];
  if (fields.features !== undefined) loose['features'] = [fields.features];
  if (fields.keyExpires !== undefined) {
    loose['keyExpirationTime'] = fields.keyExpires;
    loose['keyNeverExpires'] = fields.keyExpires === 0;
  }
  if (fields.expires !== undefined) {
    loose['signatureExpirationTime'] = fields.expires;
    loose['signatureNeverExpires'] = false;
  }
  if (fields.primaryUserId !== undefined) loose['isPrimaryUserID'] = fields.primaryUserId;
  if (fields.reason !== undefined) {
    loose['reasonForRevocationFlag'] = fields.reason;
    loose['reasonForRevocationString'] = '';
  }
  if (fields.embedded !== undefined) loose['embeddedSignature'] = fields.embedded;
  if (fields.notation !== undefined) {
    loose['rawNotations'] = [{ ...fields.notation, humanReadable: false, value: Uint8Array.of(1) }];
  }
  if (fields.hashed !== undefined) {
    const write = loose.writeHashedSubPackets.bind(made);
    loose.writeHashedSubPackets = (): Uint8Array => {
      const width = signer.version === 6 ? 4 : 2;
      const area = Buffer.concat([write().subarray(width), ...fields.hashed!]);
      const count = Buffer.alloc(4);
      count.writeUInt32BE(area.length);
      return Buffer.concat([count.subarray(4 - width), area]);
    };
  }
  // The salt notation of openpgp.js knows no length for weak hashes.
  const config = { ...openpgp.config, nonDeterministicSignaturesViaNotation: false };
  await loose.sign(signer, thing, fields.at, false, config);
  // The library drops unhashed subpackets when it signs; an attacker adds them afterwards anyway.
  if (fields.unhashed !== undefined) {
    loose['unhashedSubpackets'] = fields.unhashed.map((one) => ({ ...one, critical: false }));
  }
  // Read again, so that what comes out is what stands on the wire.
  const again = new openpgp.SignaturePacket();
  (again as unknown as { read(bytes: Uint8Array): void }).read(loose.write());
  return again;
}

/** A literal as signatures take it. */
export function signedLiteral(content: Uint8Array): object {
  const made = new openpgp.LiteralDataPacket();
  (made as unknown as { setBytes(bytes: Uint8Array, format: number): void }).setBytes(
    content,
    openpgp.enums.literal.binary,
  );
  return made;
}

/** A signature packet on the wire. */
export function signaturePacket(signature: openpgp.SignaturePacket): Octets {
  return packet(2, (signature as unknown as Loose).write());
}

/** A one-pass signature packet of version 3 that announces a signature. */
export function onePass(signature: openpgp.SignaturePacket, last = true): Octets {
  const { signatureType, hashAlgorithm, publicKeyAlgorithm } = signature;
  const keyId = Buffer.from(signature.issuerKeyID.toHex(), 'hex');
  const head = Buffer.from([3, signatureType!, hashAlgorithm!, publicKeyAlgorithm!]);
  return packet(4, head, keyId, Buffer.from([last ? 1 : 0]));
}

/** One-pass signature, literal, signature: an inline signed message. */
export async function inlineSigned(
  content: Uint8Array,
  signer: KeyPacket,
  fields: Partial<SignatureFields> = {},
): Promise<Octets> {
  const type = openpgp.enums.signature.binary;
  const at = new Date('2026-11-22T12:00:00Z');
  const signature = await makeSignature(signer, signedLiteral(content), { type, at, ...fields });
  return Buffer.concat([onePass(signature), literal(content), signaturePacket(signature)]);
}

/** A subpacket of type 35 for the hashed area (RFC 9580 section 5.2.3.36). */
export function intendedRecipient(key: openpgp.Key, critical = false): Uint8Array {
  const fingerprint = Buffer.from(key.getFingerprint(), 'hex');
  const { version } = key.keyPacket;
  return Buffer.concat([Buffer.from([fingerprint.length + 2, critical ? 35 | 0x80 : 35, version]), fingerprint]);
}

/** Armor of openpgp.js, an independent writer. */
export function armored(type: 'message' | 'signature', data: Uint8Array): string {
  return openpgp.armor(openpgp.enums.armor[type], data);
}
