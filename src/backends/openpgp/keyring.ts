/**
 * The keys of a `KeyStore`, parsed and verified once. A store returns the very same arrays as long as nothing changed,
 * so that a cache by array holds exactly as long as the arrays do.
 */

import { E2eError, type E2eStage } from '../../errors.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import type { ExternalPrivateKey, KeyStore, StoredIdentity } from '../backend.ts';
import { type Certificate, certificateOf, type Component, isSecret } from './certificate.ts';
import { canExternally } from './external-key.ts';
import { type Key, structureOf } from './library.ts';
import { type KeyKind, parseKey, splitKeys } from './parse-keys.ts';
import { safeConfig } from './safe-config.ts';
import type { UserIdForms } from '../../jid/user-id.ts';

/** The name of this backend in a `KeyStore`. */
export const backendName = 'openpgp';

/** A store, and how its certificates name JIDs. */
export interface KeySource extends KeyStore {
  readonly userIds: UserIdForms;
  /** Believe signing subkeys whose back-signature covers the primary key alone. */
  readonly primaryOnly?: boolean | undefined;
}

/** A certificate at hand for a JID. */
export interface HeldCertificate {
  readonly certificate: Certificate;
  /** Whether it was filed for the JID by an explicit act. */
  readonly filed: boolean;
}

/** A secret key of mine. */
export interface OwnKey {
  readonly certificate: Certificate;
  /** What does the work of the private keys, where they are not at hand. */
  readonly external: ExternalPrivateKey | undefined;
  /**
   * Makes the secret parts usable.
   *
   * @throws {E2eError} KEY_UNAVAILABLE without passphrase or with a wrong one
   */
  unlock(limits: Limits, stage: E2eStage): Promise<void>;
}

interface Entry<T> {
  /** The arrays, and whatever else the value was made from. */
  readonly inputs: readonly unknown[];
  readonly limits: Limits;
  readonly value: Promise<T>;
}

const contactCache = new WeakMap<Uint8Array, Entry<readonly HeldCertificate[]>>();
const ownCache = new WeakMap<object, Entry<readonly OwnKey[]>>();

/** By the first array, valid while all inputs are the same ones. */
function cached<T>(
  cache: WeakMap<Uint8Array | object, Entry<T>>,
  first: object,
  inputs: readonly unknown[],
  limits: Limits,
  make: () => Promise<T>,
): Promise<T> {
  const known = cache.get(first);
  const same =
    known?.limits === limits &&
    known.inputs.length === inputs.length &&
    known.inputs.every((input, i) => input === inputs[i]);
  if (same) return known.value;
  const value = make();
  cache.set(first, { inputs, limits, value });
  value.catch(() => cache.delete(first));
  return value;
}

/**
 * The certificates of a JID, copies of one certificate merged. What cannot be read counts as absent: a contact's
 * damaged file must not keep others from reaching me.
 */
export async function contactCertificates(
  store: KeyStore,
  jid: Jid,
  limits: Limits,
): Promise<readonly HeldCertificate[]> {
  const found = await store.find(jid, backendName);
  const [first] = found;
  if (first === undefined) return none;
  // One array may be filed for one JID and a mere candidate for another, so that `filed` belongs to the inputs.
  const inputs = found.flatMap(({ certificates, filed }) => [certificates, filed]);
  return cached(contactCache, first.certificates, inputs, limits, async () => {
    const copies = found.map(({ certificates, filed }) => ({ certificates, filed }));
    const sources: { key: Key; filed: boolean }[] = [];
    for (const { certificates, filed } of copies) {
      for (const key of await readableKeys(certificates, 'public', limits)) sources.push({ key, filed });
    }
    return merged(sources, limits);
  });
}

/** The same array every time, as the caches by array want it. */
const none: readonly never[] = [];

/** Groups by primary key; a certificate is filed when any of its copies is. */
async function merged(
  sources: readonly { readonly key: Key; readonly filed: boolean }[],
  limits: Limits,
): Promise<readonly HeldCertificate[]> {
  const groups = new Map<string, (typeof sources)[number][]>();
  for (const source of sources) {
    const fingerprint = source.key.getFingerprint();
    const group = groups.get(fingerprint);
    if (group === undefined) groups.set(fingerprint, [source]);
    else group.push(source);
  }
  const held: HeldCertificate[] = [];
  for (const group of groups.values()) {
    try {
      const certificate = await certificateOf(
        group.map(({ key }) => key),
        limits,
      );
      held.push({ certificate, filed: group.some(({ filed }) => filed) });
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
    }
  }
  return held;
}

async function readableKeys(file: Uint8Array, kind: KeyKind, limits: Limits): Promise<readonly Key[]> {
  const keys: Key[] = [];
  try {
    for (const block of splitKeys(file, 'verify')) {
      if (block.kind !== kind) continue;
      try {
        keys.push(await parseKey(block, limits, 'verify'));
      } catch (error) {
        if (!(error instanceof E2eError)) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof E2eError)) throw error;
  }
  return keys;
}

/**
 * My own secret keys for a JID.
 *
 * @throws {E2eError} KEY_UNAVAILABLE for a key file that cannot be read
 */
export async function ownKeys(store: KeyStore, jid: Jid, limits: Limits, stage: E2eStage): Promise<readonly OwnKey[]> {
  const identities = await store.identities(jid, backendName);
  if (identities.length === 0) return none;
  if (identities.length === 1) return keysOf(identities[0]!, limits, stage);
  const own: OwnKey[] = [];
  for (const identity of identities) own.push(...(await keysOf(identity, limits, stage)));
  return own;
}

function keysOf(identity: StoredIdentity, limits: Limits, stage: E2eStage): Promise<readonly OwnKey[]> {
  const { keys, certificates, passphrase } = identity;
  const inputs = keys instanceof Uint8Array ? [passphrase] : [certificates];
  return cached(ownCache, keys, inputs, limits, () => readOwnKeys(identity, limits, stage));
}

async function readOwnKeys(identity: StoredIdentity, limits: Limits, stage: E2eStage): Promise<readonly OwnKey[]> {
  const { keys, certificates } = identity;
  const own: OwnKey[] = [];
  const [file, kind] = keys instanceof Uint8Array ? [keys, 'secret'] : [certificates, 'public'];
  try {
    for (const block of splitKeys(file, stage)) {
      if (block.kind !== kind) continue;
      const key = await parseKey(block, limits, stage);
      const certificate = await certificateOf([key], limits);
      if (keys instanceof Uint8Array) own.push(ownKey(certificate, key, identity));
      else own.push({ certificate, external: keys, unlock: () => Promise.resolve() });
    }
  } catch (error) {
    if (!(error instanceof E2eError)) throw error;
    const name = kind === 'secret' ? 'secret keys' : 'certificates';
    throw unavailable(stage, `the file of ${name} cannot be read`);
  }
  return own;
}

function ownKey(certificate: Certificate, key: Key, { passphrase }: StoredIdentity): OwnKey {
  let unlocking: Promise<void> | undefined;
  const inconsistent = new Set<object>();
  const unlock = async (limits: Limits, stage: E2eStage): Promise<void> => {
    const { keyPacket, subkeys } = structureOf(key);
    const locked = [keyPacket, ...subkeys.map((subkey) => subkey.keyPacket)].filter(
      (packet) => packet.isMissingSecretKeyMaterial?.() !== true && packet.isDecrypted?.() !== true,
    );
    if (inconsistent.size > 0) throw unavailable(stage, 'the secret key is inconsistent');
    if (locked.length === 0) return;
    if (passphrase === undefined) throw unavailable(stage, 'the secret key is locked');
    let text: string;
    try {
      text = await passphrase();
    } catch {
      throw unavailable(stage, 'no passphrase was given');
    }
    for (const packet of locked) {
      try {
        await packet.decrypt!(text, safeConfig(limits));
      } catch {
        throw unavailable(stage, 'the passphrase does not open the secret key');
      }
      // Public parts that do not belong to the secret ones would give the secret away with the first signature.
      await packet.validate!().catch(() => inconsistent.add(packet));
    }
    if (inconsistent.size > 0) throw unavailable(stage, 'the secret key is inconsistent');
  };
  return {
    certificate,
    external: undefined,
    unlock: (limits, stage) => {
      unlocking ??= unlock(limits, stage).catch((error: unknown) => {
        unlocking = undefined;
        throw error;
      });
      return unlocking;
    },
  };
}

/**
 * Whether the secret part of a key can be used, locked or not: a card's stub or an offline primary key has none, and an
 * external key says by its functions what it does.
 */
export function hasSecret({ packet }: Component, { external }: OwnKey, use: 'sign' | 'decrypt'): boolean {
  return external === undefined
    ? isSecret(packet) && packet.isMissingSecretKeyMaterial?.() !== true
    : canExternally(external, packet, use);
}

function unavailable(stage: E2eStage, reason: string): E2eError {
  return new E2eError('ERR_E2E_KEY_UNAVAILABLE', stage, { reason });
}
