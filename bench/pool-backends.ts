/** The backends of one person, in whatever thread. */
import { Jid, type SecurityBackend } from 'xmpp-e2e';
import { openpgp } from 'xmpp-e2e/openpgp';
import { smime } from 'xmpp-e2e/smime';
import { memoryStore } from 'xmpp-e2e/stores';

/** Keys of one person and the certificate of another, as files. */
export interface PoolKeys {
  readonly backend: 'smime' | 'openpgp';
  readonly me: string;
  readonly keys: Uint8Array;
  readonly certificates: Uint8Array;
  readonly contact: string;
  readonly theirs: Uint8Array;
}

export function backends({ backend, me, keys, certificates, contact, theirs }: PoolKeys): readonly SecurityBackend[] {
  const store = memoryStore();
  store.addIdentity(Jid.parse(me), backend, {
    keys,
    certificates: backend === 'smime' ? certificates : new Uint8Array(),
  });
  store.fileCertificate(Jid.parse(contact), backend, theirs);
  return [backend === 'smime' ? smime({ store }) : openpgp({ store })];
}
