/**
 * The entry `xmpp-e2e/stores/browser`: keys, certificates and state in IndexedDB.
 *
 * S/MIME keys are kept as non-extractable CryptoKeys. OpenPGP keys must be handed to openpgp.js as octets: they are kept
 * encrypted under a non-extractable AES-GCM key, which protects a copied profile folder but not against scripts in the
 * page.
 */

import type { KeyStore, StoredCertificate, StoredIdentity } from '../backends/backend.ts';
import { equalBytes } from '../bytes.ts';
import type { SendingClock } from '../e2e/clock.ts';
import type { ContactMemory } from '../e2e/known-contacts.ts';
import type { Pins, PinStore } from '../e2e/pins.ts';
import type { Jid } from '../jid/jid.ts';
import { storeFailed } from './browser-failure.ts';
import { keyServiceOf, type LockedKeys, lockKeys } from './browser-keys.ts';
import { maxCandidates } from './memory.ts';

export { type BrowserReplayOptions, browserReplayStore, type BrowserReplayStore } from './browser-replay.ts';

/** A store in IndexedDB; also the memory of for whom a key was ever stored, the pins, and the sending clock. */
export interface BrowserStore extends KeyStore {
  /**
   * Adds an S/MIME identity of mine. The key cannot be taken out again.
   *
   * @param identity PEM: one PKCS #8 key (P-256, P-384 or RSA), its certificate and those that lead to an anchor
   * @throws {RangeError} for other keys
   */
  addSmimeIdentity(jid: Jid, identity: { readonly keys: Uint8Array; readonly certificates: Uint8Array }): Promise<void>;
  /**
   * Adds an OpenPGP identity of mine.
   *
   * @param keys transferable secret keys, armored or binary
   */
  addOpenpgpIdentity(jid: Jid, keys: Uint8Array): Promise<void>;
  /** Forgets my own keys for a JID. */
  removeIdentities(jid: Jid, backend: string): Promise<void>;
  /** Adds a certificate that arrived from somewhere: it counts only below an anchor. Kept are 16 of a JID. */
  addCandidate(jid: Jid, backend: string, certificates: Uint8Array): Promise<void>;
  /** Files a certificate for a JID by an explicit act: from now on it speaks for that JID. */
  fileCertificate(jid: Jid, backend: string, certificates: Uint8Array): Promise<void>;
  /** Forgets the certificates of a contact; that there was one is remembered. */
  forget(jid: Jid, backend: string): Promise<void>;
  /** For the option `contacts` of a session. */
  readonly contacts: ContactMemory;
  /** For the option `clock` of a session. */
  readonly clock: SendingClock;
  /** For a `PinGuard`. */
  readonly pins: PinStore;
  /** Closes the database. */
  close(): void;
}

interface IdentityRecord {
  readonly owner: string;
  readonly certificates: Uint8Array;
  readonly locked?: LockedKeys;
  readonly sealed?: { readonly iv: Uint8Array<ArrayBuffer>; readonly data: ArrayBuffer };
}

interface CertificateRecord extends StoredCertificate {
  readonly owner: string;
}

/**
 * Opens a store, and makes it at first use.
 *
 * @param name of the database
 * @throws {E2eError} STORE_FAILED where the browser keeps no data (some private modes)
 */
export async function browserStore(name = 'xmpp-e2e'): Promise<BrowserStore> {
  const database = await open(name);
  const cache = new Map<string, Promise<readonly unknown[]>>();

  const access = async <T>(
    stores: string | string[],
    mode: IDBTransactionMode,
    work: (transaction: IDBTransaction) => IDBRequest<T>,
  ): Promise<T> => {
    try {
      const transaction = database.transaction(stores, mode, { durability: 'strict' });
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
      });
      const result = await settled(work(transaction));
      await done;
      return result;
    } catch (error) {
      throw storeFailed(error);
    }
  };
  const ownedBy = <T>(store: string, owner: string): Promise<T[]> =>
    access(
      store,
      'readonly',
      (transaction) => transaction.objectStore(store).index('owner').getAll(owner) as IDBRequest<T[]>,
    );
  const add = async (store: string, record: IdentityRecord | CertificateRecord): Promise<void> => {
    await access(store, 'readwrite', (transaction) => transaction.objectStore(store).add(record));
    cache.delete(`${store} ${record.owner}`);
  };
  const remove = async (store: string, owner: string): Promise<void> => {
    await access(store, 'readwrite', (transaction) => {
      const index = transaction.objectStore(store).index('owner');
      const request = index.openCursor(owner);
      request.onsuccess = () => {
        request.result?.delete();
        request.result?.continue();
      };
      return index.count(owner);
    });
    cache.delete(`${store} ${owner}`);
  };
  const removeOldest = async (owner: string): Promise<void> => {
    await access('certificates', 'readwrite', (transaction) => {
      const index = transaction.objectStore('certificates').index('owner');
      const request = index.openCursor(owner);
      // In the order of their keys, which is that of arrival.
      request.onsuccess = () => {
        const cursor = request.result;
        if (cursor === null) return;
        if ((cursor.value as CertificateRecord).filed) cursor.continue();
        else cursor.delete();
      };
      return index.count(owner);
    });
    cache.delete(`certificates ${owner}`);
  };
  // Backends cache what they parsed by the arrays, so these stay the same until something changes.
  const cached = <T>(store: string, owner: string, load: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    const key = `${store} ${owner}`;
    const known = cache.get(key) as Promise<readonly T[]> | undefined;
    if (known !== undefined) return known;
    const loading = load();
    cache.set(key, loading);
    loading.catch(() => cache.delete(key));
    return loading;
  };
  const certificate = async (jid: Jid, backend: string, certificates: Uint8Array, filed: boolean): Promise<void> => {
    await contacts.add(jid.bare().toString());
    await add('certificates', { owner: ownerOf(jid, backend), certificates: certificates.slice(), filed });
  };
  const contacts: ContactMemory = {
    has: async (contact) =>
      (await access('contacts', 'readonly', (transaction) => transaction.objectStore('contacts').count(contact))) > 0,
    async add(contact) {
      await access('contacts', 'readwrite', (transaction) => transaction.objectStore('contacts').put(true, contact));
    },
  };

  const pins: PinStore = {
    get: (contact) => access('values', 'readonly', (transaction) => readPins(transaction, contact)),
    async update(contact, change) {
      let after: Pins | undefined;
      await access('values', 'readwrite', (transaction) => {
        const request = readPins(transaction, contact);
        request.onsuccess = () => {
          after = change(request.result);
          const values = transaction.objectStore('values');
          if (after === undefined) values.delete(pinsKey(contact));
          else values.put(after, pinsKey(contact));
        };
        return request;
      });
      return after;
    },
  };

  return {
    contacts,
    pins,
    clock: {
      async next() {
        let instant = 0n;
        await access('values', 'readwrite', (transaction) => {
          const values = transaction.objectStore('values');
          const request: IDBRequest<unknown> = values.get('clock');
          request.onsuccess = () => {
            const last = typeof request.result === 'bigint' ? request.result : 0n;
            const now = BigInt(Date.now()) * 1_000_000n;
            // Strictly increasing in microseconds (RFC 3923 section 6.9), also between tabs.
            instant = now > last ? now : last + 1000n;
            values.put(instant, 'clock');
          };
          return request;
        });
        return instant;
      },
    },
    identities: (jid, backend) => {
      const owner = ownerOf(jid, backend);
      return cached<StoredIdentity>('identities', owner, async () => {
        const records = await ownedBy<IdentityRecord>('identities', owner);
        return Promise.all(records.map((record) => identityOf(record, wrappingKey)));
      });
    },
    find: (jid, backend) => {
      const owner = ownerOf(jid, backend);
      return cached<StoredCertificate>('certificates', owner, () => ownedBy<CertificateRecord>('certificates', owner));
    },
    async addSmimeIdentity(jid, { keys, certificates }) {
      const locked = await lockKeys(keys);
      await add('identities', { owner: ownerOf(jid, 'smime'), certificates: certificates.slice(), locked });
    },
    async addOpenpgpIdentity(jid, keys) {
      const iv = globalThis.crypto.getRandomValues(new Uint8Array(12));
      const data = await globalThis.crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await wrappingKey(), keys.slice());
      const sealed = { iv, data };
      await add('identities', { owner: ownerOf(jid, 'openpgp'), certificates: new Uint8Array(), sealed });
    },
    removeIdentities: (jid, backend) => remove('identities', ownerOf(jid, backend)),
    async addCandidate(jid, backend, certificates) {
      const owner = ownerOf(jid, backend);
      const known = await ownedBy<CertificateRecord>('certificates', owner);
      if (known.some((one) => equalBytes(one.certificates, certificates))) return;
      if (known.filter(({ filed }) => !filed).length >= maxCandidates) await removeOldest(owner);
      await certificate(jid, backend, certificates, false);
    },
    fileCertificate: (jid, backend, certificates) => certificate(jid, backend, certificates, true),
    forget: (jid, backend) => remove('certificates', ownerOf(jid, backend)),
    close: () => database.close(),
  };

  async function wrappingKey(): Promise<CryptoKey> {
    const read = (transaction: IDBTransaction): IDBRequest<unknown> =>
      transaction.objectStore('values').get('wrapping');
    const known = await access('values', 'readonly', read);
    if (known instanceof CryptoKey) return known;
    const algorithm = { name: 'AES-GCM', length: 256 };
    const fresh = await globalThis.crypto.subtle.generateKey(algorithm, false, ['encrypt', 'decrypt']);
    // Another tab may have been faster: the first one stays.
    await access('values', 'readwrite', (transaction) => {
      const request = read(transaction);
      request.onsuccess = () => {
        if (request.result === undefined) transaction.objectStore('values').put(fresh, 'wrapping');
      };
      return request;
    });
    return (await access('values', 'readonly', read)) as CryptoKey;
  }
}

async function identityOf(
  { certificates, locked, sealed }: IdentityRecord,
  wrappingKey: () => Promise<CryptoKey>,
): Promise<StoredIdentity> {
  if (locked !== undefined) return { keys: keyServiceOf(locked), certificates };
  const { iv, data } = sealed!;
  const keys = await globalThis.crypto.subtle.decrypt({ name: 'AES-GCM', iv }, await wrappingKey(), data);
  return { keys: new Uint8Array(keys), certificates };
}

function pinsKey(contact: string): string {
  return `pins ${contact}`;
}

function readPins(transaction: IDBTransaction, contact: string): IDBRequest<Pins | undefined> {
  return transaction.objectStore('values').get(pinsKey(contact)) as IDBRequest<Pins | undefined>;
}

function ownerOf(jid: Jid, backend: string): string {
  return `${backend} ${jid.bare().toString()}`;
}

async function open(name: string): Promise<IDBDatabase> {
  try {
    const request = globalThis.indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      const database = request.result;
      for (const store of ['identities', 'certificates']) {
        database.createObjectStore(store, { autoIncrement: true }).createIndex('owner', 'owner');
      }
      for (const store of ['contacts', 'values']) database.createObjectStore(store);
    };
    return await settled(request);
  } catch (error) {
    throw storeFailed(error);
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('failed')));
  });
}
