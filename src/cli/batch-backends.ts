/** The backends of `batch`, in this thread or, as the module of a worker pool, in others. */

import { type Jid, type SecurityBackend } from '../index.ts';
import { type DirectoryStore, directoryStore } from '../stores/node.ts';
import { type BackendName, backendNames } from './backend-names.ts';
import { loadBackend } from './context.ts';

/** What a thread needs to know. */
export interface BatchKeys {
  readonly home: string;
  readonly passphrase: string | undefined;
  readonly operation: 'seal' | 'open';
  /** For sealing: the one to use, where it is not to be chosen for each stanza. */
  readonly backend: BackendName | undefined;
}

/** Makes the backends over a home. */
export async function backends({ home, passphrase, operation, backend }: BatchKeys): Promise<SecurityBackend[]> {
  // A thread cannot ask, and a batch must not stop for an answer.
  const ask = (): Promise<string> =>
    passphrase === undefined ? Promise.reject(new Error('no passphrase')) : Promise.resolve(passphrase);
  const store = await directoryStore(home, { passphrase: ask });
  const names = backend === undefined ? backendNames : [backend];
  const loaded = await Promise.all(names.map((name) => loadBackend(name, store, () => store.trust())));
  return operation === 'open' || loaded.length === 1 ? loaded : [byContact(loaded, store)];
}

/** Seals with the first backend that has keys for both sides, stanza by stanza. */
function byContact(loaded: readonly SecurityBackend[], store: DirectoryStore): SecurityBackend {
  const first = loaded[0]!;
  const choose = async (at: Date, signer: Jid | undefined, readers: readonly Jid[]): Promise<SecurityBackend> => {
    for (const one of loaded) {
      if (signer !== undefined && (await store.identities(signer, one.name)).length === 0) continue;
      const usable = await Promise.all(readers.map((jid) => one.canSealTo(jid, at)));
      if (usable.every(Boolean)) return one;
    }
    // Its error says what is missing.
    return first;
  };
  // Nothing is spread: a faster way that only one of them knows would pass the choice by.
  return {
    name: 'home',
    recognize: (entity) => first.recognize(entity),
    decrypt: (request) => first.decrypt(request),
    verify: (request) => first.verify(request),
    canSealTo: async (jid, at) => (await Promise.all(loaded.map((one) => one.canSealTo(jid, at)))).some(Boolean),
    inspect: (entity, limits) => first.inspect(entity, limits),
    certificates: async (jid) => (await Promise.all(loaded.map((one) => one.certificates(jid)))).flat(),
    importCertificates: (entity, limits) => first.importCertificates(entity, limits),
    sign: async (request) => (await choose(request.at, request.signer, [])).sign(request),
    encrypt: async (request) => (await choose(request.at, undefined, request.recipients)).encrypt(request),
    async signAndEncrypt(request) {
      const chosen = await choose(request.at, request.signer, request.recipients);
      if (chosen.signAndEncrypt !== undefined) return chosen.signAndEncrypt(request);
      return chosen.encrypt({ ...request, content: await chosen.sign(request) });
    },
  };
}
