/** Juliet and Romeo with keys of one kind, and the files that the other contenders read. */
import { generateIdentity as generateOpenpgp, openpgp } from '../src/backends/openpgp/index.ts';
import { generateIdentity as generateSmime, smime } from '../src/backends/smime/index.ts';
import { Jid, type SecurityBackend } from '../src/index.ts';
import { memoryStore } from '../src/stores/index.ts';
import type { Kind } from './contender.ts';

export const juliet: Jid = Jid.parse('juliet@example.com');
export const romeo: Jid = Jid.parse('romeo@example.net');

/** PEM for S/MIME, armor for OpenPGP. A second pair of blocks encrypts where one key cannot do both. */
export interface KeyFiles {
  readonly keys: string;
  readonly certificates: string;
}

/** Both sides of a conversation. */
export interface Pair {
  readonly kind: Kind;
  readonly sender: { readonly backend: SecurityBackend; readonly files: KeyFiles };
  readonly recipient: { readonly backend: SecurityBackend; readonly files: KeyFiles };
}

export async function pair(kind: Kind): Promise<Pair> {
  const [hers, his] = await Promise.all([keyFiles(kind, juliet), keyFiles(kind, romeo)]);
  const side = (me: Jid, mine: KeyFiles, other: Jid, theirs: KeyFiles): Pair['sender'] => {
    const store = memoryStore();
    store.addIdentity(me, kind.backend, {
      keys: Buffer.from(mine.keys),
      certificates: Buffer.from(kind.backend === 'smime' ? mine.certificates : ''),
    });
    store.fileCertificate(other, kind.backend, Buffer.from(theirs.certificates));
    return { backend: kind.backend === 'smime' ? smime({ store }) : openpgp({ store }), files: mine };
  };
  return { kind, sender: side(juliet, hers, romeo, his), recipient: side(romeo, his, juliet, hers) };
}

async function keyFiles({ backend, key, v6 }: Kind, jid: Jid): Promise<KeyFiles> {
  const at = new Date(Date.now() - 60_000);
  if (backend === 'openpgp') {
    const { secretKeyArmored, certificateArmored } = await generateOpenpgp({ jid, algorithm: key, v6, at });
    return { keys: secretKeyArmored, certificates: certificateArmored };
  }
  const { keysPem, certificatesPem } = await generateSmime({ jid, algorithm: key, at });
  return { keys: Buffer.from(keysPem).toString(), certificates: Buffer.from(certificatesPem).toString() };
}
