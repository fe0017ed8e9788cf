/**
 * OpenPGP certificates, parsed once: which self-signatures, bindings and revocations are right (RFC 4880 sections 5.2
 * and 11.1, RFC 9580 section 10.1). Nothing here depends on a date; `validity.ts` judges at any date from these facts.
 *
 * The library's own judgement is not used, since it remembers a revocation found at one date for every other date,
 * and ignores revocations made with a hash that it rejects.
 */

import { concatBytes, hex } from '../../bytes.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import {
  enums,
  type Key,
  keyIdBytes,
  type KeyPacket,
  newSignature,
  type Signature,
  type SignedThing,
  structureOf,
  isDated,
} from './library.ts';
import { lenientConfig, weakHashes } from './safe-config.ts';

/** Stands for the four types of certification, 0x10 to 0x13, as a number. */
const certification: number = enums.signature.certGeneric;

/** A self-signature that is right. */
export interface SelfSignature {
  readonly signature: Signature;
  /** Seconds since 1970. */
  readonly created: number;
  /** Seconds since 1970; Infinity if it does not expire. */
  readonly expires: number;
  /** Made with a hash that makes nothing believable. */
  readonly weak: boolean;
}

/** A revocation that is right. */
export interface Revocation {
  readonly created: number;
  /** Compromised, or for no stated reason: has no time limit (RFC 9580 section 5.2.3.31). */
  readonly hard: boolean;
}

/** A primary key or subkey. */
export interface Component {
  readonly packet: KeyPacket;
  /** Lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Lower-case hexadecimal, 16 digits. */
  readonly keyId: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** For example `rsa3072`, `p256`, `ed25519`. */
  readonly algorithm: string;
  readonly rsaBits: number | undefined;
  readonly primary: boolean;
  /** Subkey bindings; for the primary key, direct-key signatures. */
  readonly bindings: readonly SelfSignature[];
  /** Per binding: whether the subkey signed back (RFC 4880 section 5.2.1, type 0x19), and until when that holds. */
  readonly backSignatures: ReadonlyMap<SelfSignature, SelfSignature>;
  /** Those that the subkey made over the primary key alone, which bind nothing unless a foreign client's profile asks. */
  readonly primaryOnlyBackSignatures: ReadonlyMap<SelfSignature, SelfSignature>;
  readonly revocations: readonly Revocation[];
}

/** A User ID. */
export interface UserId {
  /** As written. */
  readonly text: string;
  readonly certifications: readonly SelfSignature[];
  readonly revocations: readonly Revocation[];
}

/** A certificate with its verified self-signatures. */
export interface Certificate {
  /** Fingerprint of the primary key, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly version: number;
  readonly primary: Component;
  readonly subkeys: readonly Component[];
  readonly userIds: readonly UserId[];
}

/**
 * Each costs a public-key operation. With more the certificate is refused as a whole: looking at some only would let
 * junk hide a revocation.
 */
const maxSelfSignatures = 256;

/**
 * Verifies the self-signatures of copies of one certificate and merges them: an old copy with a name and a new copy
 * with a revocation give one certificate with both.
 *
 * @param copies at least one; all with the same primary key
 * @throws {E2eError} LIMIT for a certificate with too many self-signatures
 */
export async function certificateOf(copies: readonly Key[], limits: Limits): Promise<Certificate> {
  const primaryPacket = copies.map(primaryOf).find(isSecret) ?? primaryOf(copies[0]!);
  const verifier = new SelfVerifier(primaryPacket, limits);
  const primary = await component(
    primaryPacket,
    true,
    verifier,
    copies.flatMap((key) => structureOf(key).directSignatures),
    copies.flatMap((key) => structureOf(key).revocationSignatures),
  );
  const users = new Map<string, { packet: object; text: string; certs: Signature[]; revocations: Signature[] }>();
  const subkeys = new Map<string, { packet: KeyPacket; bindings: Signature[]; revocations: Signature[] }>();
  for (const key of copies) {
    for (const { userID, selfCertifications, revocationSignatures } of structureOf(key).users) {
      if (userID === null) continue;
      const known = users.get(userID.userID);
      if (known === undefined) {
        const certs = [...selfCertifications];
        users.set(userID.userID, {
          packet: userID,
          text: userID.userID,
          certs,
          revocations: [...revocationSignatures],
        });
      } else {
        known.certs.push(...selfCertifications);
        known.revocations.push(...revocationSignatures);
      }
    }
    for (const { keyPacket, bindingSignatures, revocationSignatures } of structureOf(key).subkeys) {
      const fingerprint = hex(keyPacket.getFingerprintBytes());
      const known = subkeys.get(fingerprint);
      if (known === undefined) {
        const bindings = [...bindingSignatures];
        subkeys.set(fingerprint, { packet: keyPacket, bindings, revocations: [...revocationSignatures] });
      } else {
        if (isSecret(keyPacket)) known.packet = keyPacket;
        known.bindings.push(...bindingSignatures);
        known.revocations.push(...revocationSignatures);
      }
    }
  }
  const userIds: UserId[] = [];
  for (const { packet, text, certs, revocations } of users.values()) {
    const thing = { key: primaryPacket, userID: packet };
    userIds.push({
      text,
      certifications: await verifier.selfSignatures(certs, certification, thing),
      revocations: await verifier.revocations(revocations, enums.signature.certRevocation, thing),
    });
  }
  const components: Component[] = [];
  for (const { packet, bindings, revocations } of subkeys.values()) {
    components.push(await component(packet, false, verifier, bindings, revocations));
  }
  return {
    fingerprint: primary.fingerprint,
    version: primaryPacket.version,
    primary,
    subkeys: components,
    userIds,
  };
}

/**
 * Joins two views of one certificate, each verified: what either of them knows counts, so that a revocation in one is
 * not lost beside the other.
 */
export function joinCertificates(first: Certificate, second: Certificate): Certificate {
  const userIds = new Map(first.userIds.map((userId) => [userId.text, userId]));
  for (const other of second.userIds) {
    const known = userIds.get(other.text);
    userIds.set(other.text, known === undefined ? other : joinFacts(known, other, 'certifications'));
  }
  const subkeys = new Map(first.subkeys.map((subkey) => [subkey.fingerprint, subkey]));
  for (const other of second.subkeys) {
    const known = subkeys.get(other.fingerprint);
    subkeys.set(other.fingerprint, known === undefined ? other : joinComponents(known, other));
  }
  const primary = joinComponents(first.primary, second.primary);
  return { ...first, primary, subkeys: [...subkeys.values()], userIds: [...userIds.values()] };
}

function joinComponents(first: Component, second: Component): Component {
  const backSignatures = new Map([...first.backSignatures, ...second.backSignatures]);
  const primaryOnlyBackSignatures = new Map([...first.primaryOnlyBackSignatures, ...second.primaryOnlyBackSignatures]);
  return { ...joinFacts(first, second, 'bindings'), backSignatures, primaryOnlyBackSignatures };
}

function joinFacts<N extends 'bindings' | 'certifications', T extends Record<N | 'revocations', readonly unknown[]>>(
  first: T,
  second: T,
  name: N,
): T {
  const revocations = [...first.revocations, ...second.revocations];
  return { ...first, [name]: [...first[name], ...second[name]], revocations };
}

async function component(
  packet: KeyPacket,
  primary: boolean,
  verifier: SelfVerifier,
  bindingSignatures: readonly Signature[],
  revocationSignatures: readonly Signature[],
): Promise<Component> {
  const thing = primary ? { key: packet } : { key: verifier.primary, bind: packet };
  const bindings = await verifier.selfSignatures(
    bindingSignatures,
    primary ? enums.signature.key : enums.signature.subkeyBinding,
    thing,
  );
  const backSignatures = new Map<SelfSignature, SelfSignature>();
  const primaryOnlyBackSignatures = new Map<SelfSignature, SelfSignature>();
  if (!primary && !tooLarge(packet, verifier.limits)) {
    for (const binding of bindings) {
      const embedded = binding.signature.embeddedSignature;
      if (embedded === null) continue;
      const back = await verifier.selfSignature(embedded, enums.signature.keyBinding, thing, packet);
      if (back !== undefined) backSignatures.set(binding, back);
      else {
        const only = await verifier.primaryOnly(embedded, packet);
        if (only !== undefined) primaryOnlyBackSignatures.set(binding, only);
      }
    }
  }
  const info = packet.getAlgorithmInfo();
  return {
    packet,
    fingerprint: hex(packet.getFingerprintBytes()),
    keyId: hex(keyIdBytes(packet.getKeyID())),
    created: seconds(packet.created),
    algorithm: algorithmName(info),
    rsaBits: info.algorithm.startsWith('rsa') ? info.bits : undefined,
    primary,
    bindings,
    backSignatures,
    primaryOnlyBackSignatures,
    revocations: await verifier.revocations(
      revocationSignatures,
      primary ? enums.signature.keyRevocation : enums.signature.subkeyRevocation,
      thing,
    ),
  };
}

class SelfVerifier {
  readonly primary: KeyPacket;
  readonly limits: Limits;
  readonly #usable: boolean;
  #count = 0;

  constructor(primary: KeyPacket, limits: Limits) {
    this.primary = primary;
    this.limits = limits;
    this.#usable = !tooLarge(primary, limits);
  }

  async selfSignatures(
    signatures: readonly Signature[],
    type: number,
    thing: SignedThing,
  ): Promise<readonly SelfSignature[]> {
    const right: SelfSignature[] = [];
    // The newest ones first: those decide, should there be too many.
    for (const signature of newestFirst(signatures)) {
      const self = await this.selfSignature(signature, type, thing, this.primary);
      if (self !== undefined) right.push(self);
    }
    return right;
  }

  async selfSignature(
    signature: Signature,
    type: number,
    thing: SignedThing,
    issuer: KeyPacket,
  ): Promise<SelfSignature | undefined> {
    return (await this.#isRight(signature, type, thing, issuer)) ? selfSignatureOf(signature) : undefined;
  }

  /** A back-signature hashed as a direct-key signature is: over the primary key, without the subkey. */
  async primaryOnly(signature: Signature, issuer: KeyPacket): Promise<SelfSignature | undefined> {
    if (signature.signatureType !== enums.signature.keyBinding) return undefined;
    // A copy, since the library remembers of a signature that it was right, and not of what.
    const copy = newSignature();
    copy.read(signature.write());
    const right = await this.#isRight(copy, enums.signature.key, { key: this.primary }, issuer, true);
    return right ? selfSignatureOf(copy) : undefined;
  }

  async revocations(
    signatures: readonly Signature[],
    type: number,
    thing: SignedThing,
  ): Promise<readonly Revocation[]> {
    const right: Revocation[] = [];
    for (const signature of newestFirst(signatures)) {
      if (!(await this.#isRight(signature, type, thing, this.primary))) continue;
      right.push({
        created: seconds(signature.created),
        hard: !softReasons.has(signature.reasonForRevocationFlag ?? -1),
      });
    }
    return right;
  }

  async #isRight(
    signature: Signature,
    type: number,
    thing: SignedThing,
    issuer: KeyPacket,
    anyType: boolean = false,
  ): Promise<boolean> {
    if (!this.#usable || !isDated(signature)) return false;
    if (++this.#count > maxSelfSignatures) {
      throw new E2eError('ERR_E2E_LIMIT', 'verify', { reason: 'self-signatures of an OpenPGP certificate' });
    }
    // A certification may be of any of the four types 0x10 to 0x13; the rest must be of the very type asked for, or a
    // signature made for one purpose would serve for another.
    const own = signature.signatureType;
    const fits = type === certification ? own !== null && own >= 0x10 && own <= 0x13 : own === type;
    if (!fits && !anyType) return false;
    try {
      await signature.verify(issuer, type, thing, null, false, lenientConfig);
      return true;
    } catch {
      // Not made by this key, damaged, or with critical content that nobody here understands.
      return false;
    }
  }
}

/** The facts of a signature that is right. */
function selfSignatureOf(signature: Signature): SelfSignature {
  const created = seconds(signature.created);
  const lifetime = signature.signatureNeverExpires ? 0 : (signature.signatureExpirationTime ?? 0);
  return {
    signature,
    created,
    expires: lifetime === 0 ? Number.POSITIVE_INFINITY : created + Math.min(lifetime, 0xffff_ffff),
    weak: weakHashes.has(signature.hashAlgorithm ?? 0),
  };
}

const softReasons: ReadonlySet<number> = new Set([
  enums.reasonForRevocation.keyRetired,
  enums.reasonForRevocation.keySuperseded,
  enums.reasonForRevocation.userIDInvalid,
]);

function newestFirst(signatures: readonly Signature[]): readonly Signature[] {
  return [...signatures].sort((a, b) => b.created.getTime() - a.created.getTime());
}

function primaryOf(key: Key): KeyPacket {
  return structureOf(key).keyPacket;
}

/** Whether a key packet carries private parts. */
export function isSecret(packet: KeyPacket): boolean {
  return packet.privateParams !== undefined;
}

/** Verification time grows with the cube of the modulus. */
function tooLarge(packet: KeyPacket, limits: Limits): boolean {
  const { algorithm, bits } = packet.getAlgorithmInfo();
  return algorithm.startsWith('rsa') && (bits ?? 0) > limits.rsaMaxBits;
}

/** Seconds since 1970. */
export function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

const curveNames: Readonly<Record<string, string>> = {
  ed25519Legacy: 'ed25519',
  curve25519Legacy: 'x25519',
  nistP256: 'p256',
  nistP384: 'p384',
  nistP521: 'p521',
};

/** The algorithm of a key in one word. */
export function algorithmName({
  algorithm,
  bits,
  curve,
}: {
  readonly algorithm: string;
  readonly bits?: number;
  readonly curve?: string;
}): string {
  if (algorithm.startsWith('rsa')) return `rsa${bits ?? 0}`;
  if (curve !== undefined) return curveNames[curve] ?? curve;
  return bits === undefined ? algorithm : `${algorithm}${bits}`;
}

/** The octets of a primary key fingerprint with its version, as signatures name it. */
export function fingerprintOctets({ primary, version }: Certificate): Uint8Array {
  return concatBytes(Uint8Array.of(version), primary.packet.getFingerprintBytes());
}
