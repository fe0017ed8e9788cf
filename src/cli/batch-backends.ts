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
  return {
    ...first,
    name: 'home',
    sign: async (request) => (await choose(request.at, request.signer, [])).sign(request),
    encrypt: async (request) => (await choose(request.at, undefined, request.recipients)).encrypt(request),
    async encryptText(request) {
      const chosen = await choose(request.at, undefined, request.recipients);
      if (chosen.encryptText !== undefined) return chosen.encryptText(request);
      // What a backend writes is ASCII: base64 or armor behind MIME headers.
      return new TextDecoder().decode(await chosen.encrypt(request));
    },
    async signAndEncrypt(request) {
      const chosen = await choose(request.at, request.signer, request.recipients);
      if (chosen.signAndEncrypt !== undefined) return chosen.signAndEncrypt(request);
      return chosen.encrypt({ ...request, content: await chosen.sign(request) });
    },
  };
}
