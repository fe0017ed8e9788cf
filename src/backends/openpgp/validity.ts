/**
 * Whether a key of a certificate may sign or encrypt at a time (RFC 4880 sections 5.2.3.3 and 5.2.3.21, RFC 9580
 * section 10.1.2): bound by the newest self-signature of that time, with the right flag, neither expired nor revoked,
 * and of an algorithm and size that is still believed.
 */

import type { Limits } from '../../limits.ts';
import type { Certificate, Component, Revocation, SelfSignature, UserId } from './certificate.ts';
import { enums } from './library.ts';

/** What a key is good for at a time. `unbound`: nothing right says that the key belongs to the certificate. */
export type KeyStatus = 'valid' | 'not-yet' | 'expired' | 'revoked' | 'weak' | 'unbound' | 'incapable';

/** What a key is wanted for. */
export type KeyUse = 'sign' | 'encrypt' | 'decrypt';

const signers: ReadonlySet<number> = new Set([
  enums.publicKey.rsaEncryptSign,
  enums.publicKey.rsaSign,
  enums.publicKey.ecdsa,
  enums.publicKey.eddsaLegacy,
  enums.publicKey.ed25519,
  enums.publicKey.ed448,
]);

const encrypters: ReadonlySet<number> = new Set([
  enums.publicKey.rsaEncryptSign,
  enums.publicKey.rsaEncrypt,
  enums.publicKey.ecdh,
  enums.publicKey.x25519,
  enums.publicKey.x448,
]);

const weakKinds: ReadonlySet<number> = new Set([enums.publicKey.dsa, enums.publicKey.elgamal]);

const secp256k1: string = enums.curve.secp256k1;

/** The newest of the signatures that are in force at a time and made with a hash that is believed. */
function newestAt(signatures: readonly SelfSignature[], time: number): SelfSignature | undefined {
  let newest: SelfSignature | undefined;
  for (const self of signatures) {
    if (self.weak || self.created > time || time >= self.expires) continue;
    if (newest === undefined || self.created > newest.created) newest = self;
  }
  return newest;
}

/** Why no signature is in force. */
function reasonForNone(signatures: readonly SelfSignature[], time: number): KeyStatus {
  const strong = signatures.filter((self) => !self.weak);
  if (strong.length === 0) return signatures.length === 0 ? 'unbound' : 'weak';
  return strong.some((self) => self.created <= time) ? 'expired' : 'not-yet';
}

function isRevoked(revocations: readonly Revocation[], time: number): boolean {
  return revocations.some(({ hard, created }) => hard || created <= time);
}

/** A User ID may be certified again after a soft revocation, a key may not. */
function isUserIdRevoked({ revocations }: UserId, certification: SelfSignature, time: number): boolean {
  return revocations.some(({ hard, created }) => hard || (created <= time && created >= certification.created));
}

/**
 * The self-certification that binds a User ID at a time.
 *
 * @param time seconds since 1970
 */
export function certificationAt(userId: UserId, time: number): SelfSignature | undefined {
  const newest = newestAt(userId.certifications, time);
  return newest !== undefined && !isUserIdRevoked(userId, newest, time) ? newest : undefined;
}

/**
 * The self-signature that holds flags, expiry and preferences of the primary key: a direct-key signature in version
 * 6, the certification of the primary User ID before (RFC 9580 section 10.1.2.2).
 *
 * @param time seconds since 1970
 */
export function primarySelfSignature(certificate: Certificate, time: number): SelfSignature | undefined {
  const direct = newestAt(certificate.primary.bindings, time);
  if (certificate.version === 6) return direct;
  let chosen: SelfSignature | undefined;
  for (const userId of certificate.userIds) {
    const own = certificationAt(userId, time);
    if (own === undefined) continue;
    const preference = Number(isPrimary(own)) - Number(chosen !== undefined && isPrimary(chosen));
    if (chosen === undefined || preference > 0 || (preference === 0 && own.created > chosen.created)) chosen = own;
  }
  return chosen ?? direct;
}

function isPrimary({ signature }: SelfSignature): boolean {
  return Boolean(signature.isPrimaryUserID);
}

/** When a key expires by a self-signature; Infinity if it does not. */
function expiryBy({ created }: Component, { signature }: SelfSignature): number {
  const { keyNeverExpires, keyExpirationTime } = signature;
  if (keyNeverExpires !== false || keyExpirationTime === null || keyExpirationTime === 0)
    return Number.POSITIVE_INFINITY;
  // A field of 32 bits; the library takes longer ones.
  return created + Math.min(keyExpirationTime, 0xffff_ffff);
}

/**
 * When the primary key expires.
 *
 * @param time seconds since 1970: the self-signature of that time counts
 * @returns seconds since 1970, or Infinity
 */
export function primaryExpiry(certificate: Certificate, time: number): number {
  const self = primarySelfSignature(certificate, time);
  const direct = newestAt(certificate.primary.bindings, time);
  return Math.min(
    self === undefined ? Number.POSITIVE_INFINITY : expiryBy(certificate.primary, self),
    direct === undefined ? Number.POSITIVE_INFINITY : expiryBy(certificate.primary, direct),
  );
}

/** Whether the primary key may speak for the certificate at a time, for whatever use. */
function primaryStatus(certificate: Certificate, time: number, limits: Limits): KeyStatus {
  const { primary } = certificate;
  // Compromise has no time limit, so that it is asked first.
  if (isRevoked(primary.revocations, time)) return 'revoked';
  if (isWeakKind(primary, limits)) return 'weak';
  if (time < primary.created) return 'not-yet';
  if (primarySelfSignature(certificate, time) === undefined) {
    const all = certificate.userIds.flatMap((userId) => userId.certifications).concat(primary.bindings);
    const reason = reasonForNone(all, time);
    // Every name revoked: nothing speaks for the key any more.
    return reason === 'expired' && newestAt(all, time) !== undefined ? 'revoked' : reason;
  }
  return time >= primaryExpiry(certificate, time) ? 'expired' : 'valid';
}

function isWeakKind({ packet, algorithm, rsaBits }: Component, limits: Limits): boolean {
  if (weakKinds.has(packet.algorithm)) return true;
  if (rsaBits !== undefined) return rsaBits < limits.rsaMinBits || rsaBits > limits.rsaMaxBits;
  return algorithm === secp256k1;
}

/**
 * Whether a key of a certificate may be used at a time.
 *
 * For `decrypt` expiry does not count, and neither does revocation: old messages stay readable to their recipient.
 *
 * @param time seconds since 1970
 */
export function keyStatus(
  certificate: Certificate,
  component: Component,
  use: KeyUse,
  time: number,
  limits: Limits,
): KeyStatus {
  const { algorithm } = component.packet;
  if (!(use === 'sign' ? signers : encrypters).has(algorithm)) {
    return weakKinds.has(algorithm) ? 'weak' : 'incapable';
  }
  if (use === 'decrypt') return decryptionStatus(certificate, component);
  const status = primaryStatus(certificate, time, limits);
  if (status !== 'valid') return status;
  if (component.primary) return hasFlag(primarySelfSignature(certificate, time)!, use) ? 'valid' : 'incapable';
  if (isRevoked(component.revocations, time)) return 'revoked';
  if (isWeakKind(component, limits)) return 'weak';
  if (time < component.created) return 'not-yet';
  const binding = newestAt(component.bindings, time);
  if (binding === undefined) return reasonForNone(component.bindings, time);
  if (time >= expiryBy(component, binding)) return 'expired';
  if (!hasFlag(binding, use)) return 'incapable';
  if (use === 'sign') {
    // Without the subkey's own word, anybody could adopt another's signing key (RFC 4880 section 5.2.1, type 0x19).
    const back = component.backSignatures.get(binding);
    if (back === undefined) return 'unbound';
    if (back.weak) return 'weak';
    if (time < back.created || time >= back.expires) return 'expired';
  }
  return 'valid';
}

function decryptionStatus(certificate: Certificate, component: Component): KeyStatus {
  const bindings = component.primary
    ? certificate.userIds.flatMap((userId) => userId.certifications).concat(component.bindings)
    : component.bindings;
  if (bindings.length === 0) return 'unbound';
  return bindings.some((binding) => hasFlag(binding, 'encrypt')) ? 'valid' : 'incapable';
}

function hasFlag({ signature }: SelfSignature, use: KeyUse): boolean {
  const flags = signature.keyFlags?.[0] ?? 0;
  const wanted =
    use === 'sign' ? enums.keyFlags.signData : enums.keyFlags.encryptCommunication | enums.keyFlags.encryptStorage;
  return (flags & wanted) !== 0;
}

/** {@link keyStatus} with an allowance for clocks that run behind. */
export function keyStatusWithSkew(
  certificate: Certificate,
  component: Component,
  use: KeyUse,
  time: number,
  skewSeconds: number,
  limits: Limits,
): KeyStatus {
  const status = keyStatus(certificate, component, use, time, limits);
  if (status !== 'not-yet' || skewSeconds === 0) return status;
  return keyStatus(certificate, component, use, time + skewSeconds, limits);
}

/**
 * The key of a certificate to use: the newest valid one, subkeys before the primary key.
 *
 * @param time seconds since 1970
 * @returns undefined if none is valid
 */
export function keyFor(
  certificate: Certificate,
  use: 'sign' | 'encrypt',
  time: number,
  skewSeconds: number,
  limits: Limits,
): Component | undefined {
  let chosen: Component | undefined;
  for (const component of certificate.subkeys) {
    if (keyStatusWithSkew(certificate, component, use, time, skewSeconds, limits) !== 'valid') continue;
    if (chosen === undefined || component.created > chosen.created) chosen = component;
  }
  if (chosen !== undefined) return chosen;
  const { primary } = certificate;
  return keyStatusWithSkew(certificate, primary, use, time, skewSeconds, limits) === 'valid' ? primary : undefined;
}

/** Whether a certificate announces that its owner reads SEIPD version 2 (RFC 9580 section 5.2.3.32). */
export function readsSeipdV2(certificate: Certificate, time: number): boolean {
  const features = primarySelfSignature(certificate, time)?.signature.features;
  return ((features?.[0] ?? 0) & 0x08) !== 0;
}
