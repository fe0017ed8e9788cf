/** New OpenPGP identities for a JID, in the form of XEP-0373 section 4.2 that every peer reads. */

import type { Jid } from '../../jid/jid.ts';
import { defaultLimits } from '../../limits.ts';
import { writeArmor } from './armor.ts';
import { generateKey } from './library.ts';
import { safeConfig } from './safe-config.ts';

/** The kinds of key that can be made. */
export type IdentityAlgorithm = 'ed25519' | 'p256' | 'p384' | 'rsa2048' | 'rsa3072' | 'rsa4096';

/** Options of {@link generateIdentity}. */
export interface GenerateIdentityOptions {
  /** Bare JID; the User ID is `xmpp:` and this. */
  readonly jid: Jid;
  /** `ed25519` by default: legacy Ed25519 and Curve25519 in version 4. */
  readonly algorithm?: IdentityAlgorithm | undefined;
  /** Make a version 6 key (RFC 9580), which GnuPG and older peers cannot read. */
  readonly v6?: boolean | undefined;
  /** Protects the secret key. */
  readonly passphrase?: string | undefined;
  /** Creation time; now by default. */
  readonly at?: Date | undefined;
  /** Seconds until the key expires; never by default. */
  readonly expiresAfterSeconds?: number | undefined;
}

/** A new identity, both halves armored. */
export interface GeneratedIdentity {
  /** For `StoredIdentity.keys`. */
  readonly secretKeyArmored: string;
  /** For `StoredCertificate.certificates` of others. */
  readonly certificateArmored: string;
  /** Lower-case hexadecimal. */
  readonly fingerprint: string;
}

const known: ReadonlySet<string> = new Set([
  'jid',
  'algorithm',
  'v6',
  'passphrase',
  'at',
  'expiresAfterSeconds',
] satisfies (keyof GenerateIdentityOptions)[]);

/**
 * Makes a key that signs, with a subkey that encrypts.
 *
 * @throws {TypeError} for an unknown option or algorithm, or a JID with a resource
 * @throws {RangeError} for a lifetime that is not a positive integer
 */
export async function generateIdentity(options: GenerateIdentityOptions): Promise<GeneratedIdentity> {
  for (const name of Object.keys(options)) if (!known.has(name)) throw new TypeError(`unknown option ${name}`);
  const { jid, algorithm = 'ed25519', v6 = false, passphrase, at = new Date(), expiresAfterSeconds } = options;
  if (!jid.isBare) throw new TypeError('an identity belongs to a bare JID');
  if (expiresAfterSeconds !== undefined && (!Number.isSafeInteger(expiresAfterSeconds) || expiresAfterSeconds < 1)) {
    throw new RangeError('expiresAfterSeconds must be a positive integer');
  }
  const { privateKey, publicKey } = await generateKey({
    ...kindOf(algorithm, v6),
    // openpgp.js joins name, comment and address; a name alone becomes the whole User ID.
    userIDs: [{ name: userIdOf(jid) }],
    date: at,
    format: 'object',
    // A new key announces SEIPD version 2 only in version 6: peers of today break on it otherwise.
    config: { ...safeConfig(defaultLimits), v6Keys: v6, aeadProtect: v6 },
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(expiresAfterSeconds === undefined ? {} : { keyExpirationTime: expiresAfterSeconds }),
  });
  return {
    secretKeyArmored: text(writeArmor('PRIVATE KEY BLOCK', privateKey.write(), !v6)),
    certificateArmored: text(writeArmor('PUBLIC KEY BLOCK', publicKey.write(), !v6)),
    fingerprint: publicKey.getFingerprint(),
  };
}

/** XEP-0373 writes the JID as it is; only what a URI gives a meaning of its own is escaped (RFC 5122 section 2.2). */
function userIdOf(jid: Jid): string {
  return `xmpp:${jid.toString().replace(/[%?#]/g, encodeURIComponent)}`;
}

function kindOf(
  algorithm: IdentityAlgorithm,
  v6: boolean,
): { type: 'curve25519' | 'ecc' | 'rsa'; curve?: 'curve25519Legacy' | 'nistP256' | 'nistP384'; rsaBits?: number } {
  switch (algorithm) {
    case 'ed25519':
      return v6 ? { type: 'curve25519' } : { type: 'ecc', curve: 'curve25519Legacy' };
    case 'p256':
      return { type: 'ecc', curve: 'nistP256' };
    case 'p384':
      return { type: 'ecc', curve: 'nistP384' };
    case 'rsa2048':
    case 'rsa3072':
    case 'rsa4096':
      return { type: 'rsa', rsaBits: Number(algorithm.slice(3)) };
    default:
      throw new TypeError(`unknown algorithm ${String(algorithm)}`);
  }
}

function text(ascii: Uint8Array): string {
  return new TextDecoder().decode(ascii);
}
