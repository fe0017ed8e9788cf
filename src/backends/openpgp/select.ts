/** Which keys to use: the sender's signing key, every recipient's encryption keys, the signer's certificates. */

import { E2eError, type E2eStage } from '../../errors.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import type { BackendCall, BoundIdentity, KeyNamesRequest } from '../backend.ts';
import { type Certificate, type Component, fingerprintOctets, joinCertificates, seconds } from './certificate.ts';
import {
  contactCertificates,
  hasSecret,
  type HeldCertificate,
  type KeySource,
  type OwnKey,
  ownKeys,
} from './keyring.ts';
import { identitiesFor, userIdFor } from './user-id.ts';
import { keyStatus, keyStatusWithSkew, keyFor } from './validity.ts';

/** A certificate with the key of it that was chosen. */
export interface Chosen {
  readonly certificate: Certificate;
  readonly component: Component;
}

/** A key of mine that was chosen to sign. */
export interface ChosenSigner extends Chosen {
  readonly own: OwnKey;
}

/**
 * The key that signs for a JID, unlocked: of those whose certificate names the JID the newest one. A certificate that
 * does not name it is of no use, since nobody would believe it.
 *
 * @throws {E2eError} NO_SIGNING_KEY, KEY_UNAVAILABLE
 */
export async function signingKey(store: KeySource, signer: Jid, call: BackendCall): Promise<ChosenSigner> {
  const { at, limits, algorithms } = call;
  const time = seconds(at);
  const skew = algorithms.clockSkewSeconds;
  let chosen: ChosenSigner | undefined;
  for (const own of await ownKeysUpdated(store, signer, limits, 'sign')) {
    const { certificate } = own;
    if (identitiesFor(certificate, signer, time, skew, store.userIds).length === 0) continue;
    const component = [...certificate.subkeys, certificate.primary]
      .filter((key) => hasSecret(key, own, 'sign'))
      .filter((key) => keyStatusWithSkew(certificate, key, 'sign', time, skew, limits) === 'valid')
      .reduce<Component | undefined>((best, key) => newer(best, key), undefined);
    if (component === undefined) continue;
    if (chosen === undefined || component.created > chosen.component.created) chosen = { certificate, component, own };
  }
  if (chosen === undefined) throw new E2eError('ERR_E2E_NO_SIGNING_KEY', 'sign', { subject: signer.toString() });
  await chosen.own.unlock(limits, 'sign');
  return chosen;
}

/** Subkeys come first, so that the primary key wins only when it is newer than all of them, which none is. */
function newer(best: Component | undefined, key: Component): Component {
  return best === undefined || (key.created > best.created && !key.primary) ? key : best;
}

/** My own keys with what filed copies of their certificates add: a revocation above all, which the key file lacks. */
async function ownKeysUpdated(store: KeySource, jid: Jid, limits: Limits, stage: E2eStage): Promise<readonly OwnKey[]> {
  const own = await ownKeys(store, jid, limits, stage);
  if (own.length === 0) return own;
  const copies = await contactCertificates(store, jid, limits);
  if (copies.length === 0 && store.primaryOnly !== true) return own;
  return own.map((key) => {
    const copy = copies.find(({ certificate }) => certificate.fingerprint === key.certificate.fingerprint);
    return { ...key, certificate: viewOf(store, copy === undefined ? key.certificate : joined(key, copy.certificate)) };
  });
}

const joins = new WeakMap<Certificate, { readonly copy: Certificate; readonly both: Certificate }>();

function joined({ certificate }: OwnKey, copy: Certificate): Certificate {
  let join = joins.get(certificate);
  if (join?.copy !== copy) {
    join = { copy, both: joinCertificates(certificate, copy) };
    joins.set(certificate, join);
  }
  return join.both;
}

const views = new WeakMap<Certificate, Certificate>();

/** A certificate as the profile of a foreign client has it believed. */
function viewOf({ primaryOnly = false }: KeySource, certificate: Certificate): Certificate {
  if (!primaryOnly) return certificate;
  let view = views.get(certificate);
  if (view === undefined) {
    view = { ...certificate, subkeys: certificate.subkeys.map(believingPrimaryOnly) };
    views.set(certificate, view);
  }
  return view;
}

function believingPrimaryOnly(subkey: Component): Component {
  if (subkey.primaryOnlyBackSignatures.size === 0) return subkey;
  return { ...subkey, backSignatures: new Map([...subkey.primaryOnlyBackSignatures, ...subkey.backSignatures]) };
}

/** Certificates at hand for a JID; my own secret keys count as filed for my own JID. */
async function certificatesAtHand(store: KeySource, jid: Jid, call: BackendCall): Promise<readonly HeldCertificate[]> {
  const copies = await contactCertificates(store, jid, call.limits);
  const own = await ownKeysUpdated(store, jid, call.limits, 'encrypt');
  if (own.length === 0 && store.primaryOnly !== true) return copies;
  const held = copies.map((copy) => ({ ...copy, certificate: viewOf(store, copy.certificate) }));
  for (const { certificate } of own) {
    const known = held.findIndex((one) => one.certificate.fingerprint === certificate.fingerprint);
    if (known === -1) held.push({ certificate, filed: true });
    else held[known] = { certificate, filed: true };
  }
  return held;
}

/** Every trusted certificate of a JID that has a usable encryption key: one a device, perhaps. */
export async function encryptionKeys(store: KeySource, jid: Jid, call: BackendCall): Promise<readonly Chosen[]> {
  const { at, limits, algorithms } = call;
  const time = seconds(at);
  const chosen: Chosen[] = [];
  for (const { certificate, filed } of await certificatesAtHand(store, jid, call)) {
    if (!filed || identitiesFor(certificate, jid, time, algorithms.clockSkewSeconds, store.userIds).length === 0)
      continue;
    const component = keyFor(certificate, 'encrypt', time, algorithms.clockSkewSeconds, limits);
    if (component !== undefined) chosen.push({ certificate, component });
  }
  return chosen;
}

/**
 * The encryption keys of all recipients.
 *
 * @throws {E2eError} NO_RECIPIENT_KEY naming the first JID that has none; LIMIT
 */
export async function allEncryptionKeys(
  store: KeySource,
  recipients: readonly Jid[],
  call: BackendCall,
): Promise<readonly Chosen[]> {
  const chosen = new Map<string, Chosen>();
  for (const recipient of recipients) {
    call.signal?.throwIfAborted();
    const keys = await encryptionKeys(store, recipient, call);
    if (keys.length === 0) {
      throw new E2eError('ERR_E2E_NO_RECIPIENT_KEY', 'encrypt', { subject: recipient.toString() });
    }
    for (const key of keys) chosen.set(key.component.fingerprint, key);
  }
  if (chosen.size === 0) throw new E2eError('ERR_E2E_NO_RECIPIENT_KEY', 'encrypt', { reason: 'no recipient' });
  if (chosen.size > call.limits.recipients) {
    throw new E2eError('ERR_E2E_LIMIT', 'encrypt', { reason: 'recipient keys' });
  }
  return [...chosen.values()];
}

/**
 * The fingerprints for a signature that names its recipients: those of every recipient and the signer's own. If any
 * recipient has no certificate none is named, or that recipient would take the message for somebody else's.
 */
export async function intendedFingerprints(
  store: KeySource,
  recipients: readonly Jid[],
  signer: Certificate,
  call: BackendCall,
): Promise<readonly Uint8Array[]> {
  const chosen: Chosen[] = [];
  for (const recipient of recipients) {
    const keys = await encryptionKeys(store, recipient, call);
    if (keys.length === 0) return [];
    chosen.push(...keys);
  }
  return chosen.length === 0 ? [] : namedFingerprints(chosen, signer);
}

/** The fingerprints of certificates that are encrypted to, and the signer's own. */
export function namedFingerprints(keys: readonly Chosen[], signer: Certificate): readonly Uint8Array[] {
  const named = new Map(keys.map(({ certificate }) => [certificate.fingerprint, certificate]));
  named.set(signer.fingerprint, signer);
  return [...named.values()].map(fingerprintOctets);
}

/**
 * The User ID by which each key in use names a JID, as written.
 *
 * @throws {E2eError} NO_SIGNING_KEY, NO_RECIPIENT_KEY
 */
export async function keyNames(store: KeySource, { jid, use, ...call }: KeyNamesRequest): Promise<readonly string[]> {
  const chosen = use === 'sign' ? [await signingKey(store, jid, call)] : await allEncryptionKeys(store, [jid], call);
  const time = seconds(call.at);
  const names = chosen.map(({ certificate }) => {
    return userIdFor(certificate, jid, time, call.algorithms.clockSkewSeconds, store.userIds)!.text;
  });
  return [...new Set(names)];
}

/** Whose signature counts, and for whom. */
export interface Verifiers {
  readonly candidates: readonly Certificate[];
  readonly mine: readonly string[];
  identities(certificate: Certificate, time: number): readonly BoundIdentity[];
}

/**
 * The certificates of the claimed sender; only those filed for that JID speak for it.
 *
 * @param mine my own keys
 */
export async function verifiersFor(
  store: KeySource,
  sender: Jid | undefined,
  mine: readonly OwnKey[],
  call: BackendCall,
): Promise<Verifiers> {
  const held = sender === undefined ? [] : await certificatesAtHand(store, sender, call);
  return {
    candidates: held.map(({ certificate }) => certificate),
    mine: mine.map(({ certificate }) => certificate.fingerprint),
    identities: (certificate, time) =>
      sender !== undefined && held.some((one) => one.filed && one.certificate === certificate)
        ? identitiesFor(certificate, sender, time, call.algorithms.clockSkewSeconds, store.userIds)
        : [],
  };
}

/** A secret key that can decrypt, with the way to unlock it. */
export interface Decrypter {
  readonly own: OwnKey;
  readonly component: Component;
}

const known = new WeakMap<OwnKey, readonly Decrypter[]>();

/** My keys that may decrypt, expired and revoked ones included: old messages stay readable. */
export function decrypters(keys: readonly OwnKey[], limits: Limits): readonly Decrypter[] {
  return keys.flatMap((own) => {
    // Nothing of this depends on a date.
    let found = known.get(own);
    if (found === undefined) {
      const { certificate } = own;
      found = [...certificate.subkeys, certificate.primary]
        .filter((component) => hasSecret(component, own, 'decrypt'))
        .filter((component) => keyStatus(certificate, component, 'decrypt', 0, limits) === 'valid')
        .map((component) => ({ own, component }));
      known.set(own, found);
    }
    return found;
  });
}
