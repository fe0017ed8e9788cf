/** Making a signature packet over octets (RFC 4880 section 5.2.4). */

import type { Limits } from '../../limits.ts';
import type { ExternalPrivateKey } from '../backend.ts';
import { seconds } from './certificate.ts';
import { externalSigner, keyServiceFailed } from './external-key.ts';
import { signFast } from './fast/sign.ts';
import { nameRecipients } from './intended.ts';
import { enums, type KeyPacket, literalPacket, newSignature, onePassFor } from './library.ts';
import { safeConfig } from './safe-config.ts';

/** What {@link signOctets} needs. */
export interface SignOctetsOptions {
  readonly at: Date;
  /** Version octet and fingerprint of each intended recipient's primary key; none to name nobody. */
  readonly recipients: readonly Uint8Array[];
  /** Fixed to SHA-256 for peers that read nothing longer. */
  readonly hash?: 'sha256' | undefined;
  readonly limits: Limits;
  /** Signs in the place of the packet. */
  readonly external?: ExternalPrivateKey | undefined;
}

/** A signature as it stands in a message. */
export interface MadeSignature {
  /** The body of the signature packet. */
  readonly body: Uint8Array;
  /** The body of the one-pass signature packet that announces it. */
  readonly onePass: Uint8Array;
  readonly hashAlgorithm: number;
  readonly version: number;
}

/**
 * Signs octets as binary (type 0x00): text signatures cover something else than what was signed.
 *
 * @param key an unlocked secret key packet that may sign
 */
export async function signOctets(
  content: Uint8Array,
  key: KeyPacket,
  options: SignOctetsOptions,
): Promise<MadeSignature> {
  const { at, recipients, limits, external } = options;
  const hashAlgorithm = hashFor(key, options.hash);
  const { version } = key;
  const signer = external === undefined ? undefined : externalSigner(external, key);
  const made = await signFast(content, key, { time: seconds(at), hashAlgorithm, recipients, signer });
  if (made !== undefined) return { ...made, hashAlgorithm, version };
  if (external !== undefined) throw keyServiceFailed();
  const signature = newSignature();
  signature.signatureType = enums.signature.binary;
  signature.publicKeyAlgorithm = key.algorithm;
  signature.hashAlgorithm = hashAlgorithm;
  // RFC 9580 section 5.2.3: a version 6 key makes version 6 signatures; the library takes it from the key, later.
  signature.version = version;
  nameRecipients(signature, recipients);
  await signature.sign(key, literalPacket(content, at), at, false, safeConfig(limits));
  return { body: signature.write(), onePass: onePassFor(signature).write(), hashAlgorithm, version };
}

/** ECDSA drops what is longer than its curve, and may have nothing shorter (RFC 9580 section 5.2.3.2). */
const hashOfCurve: ReadonlyMap<string | undefined, number> = new Map([
  [enums.curve.nistP256, enums.hash.sha256],
  [enums.curve.nistP384, enums.hash.sha384],
]);

/** EdDSA wants a hash at least as long as its curve (RFC 9580 sections 5.2.3.3 to 5.2.3.5). */
function hashFor(key: KeyPacket, wanted: 'sha256' | undefined): number {
  const { algorithm, curve } = key.getAlgorithmInfo();
  const short = algorithm.startsWith('rsa') || algorithm === 'ed25519' || curve === enums.curve.ed25519Legacy;
  return hashOfCurve.get(curve) ?? (wanted === 'sha256' && short ? enums.hash.sha256 : enums.hash.sha512);
}
