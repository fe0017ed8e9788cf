/**
 * For whom a key was ever stored, in a file that processes of one machine share: a contact once known gets sealed stanzas
 * or an error, also after a restart.
 *
 *     file  = header *( JID LF )
 *     header = "xmpp-e2e contacts 1" LF
 */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ContactMemory } from '../e2e/known-contacts.ts';
import { withLock } from './lock.ts';
import { asStoreError, readOwnFile, storeFailed, versionOfOwnFile, writeOwnFile } from './own-file.ts';

/** A memory of contacts whose every answer is that of the disk. */
export interface FileContactMemory extends ContactMemory {
  has(contact: string): Promise<boolean>;
  add(contact: string): Promise<void>;
}

const header = 'xmpp-e2e contacts 1\n';
const { O_RDWR, O_NOFOLLOW } = constants;

/**
 * A memory in a file, about as large as the addresses in it.
 *
 * A last line cut short by a crash was never answered for and is dropped. A file that cannot be read rejects with
 * STORE_FAILED, and so does one that vanished: without it a contact would pass for one that never had a key.
 *
 * @param path the file, made at first use; its directory must exist, on a local file system
 */
export function fileContactMemory(path: string): FileContactMemory {
  const file = resolve(path);
  let known = new Set<string>();
  let version: string | undefined;
  let seen = false;

  const load = async (): Promise<number> => {
    const content = await readOwnFile(file, false);
    if (content === undefined) {
      if (seen) throw storeFailed('the file of known contacts was removed', file);
      return 0;
    }
    const text = Buffer.from(content.bytes).toString('utf8');
    if (!text.startsWith(header)) throw storeFailed('the file of known contacts is damaged', file);
    const end = text.lastIndexOf('\n') + 1;
    known = new Set(text.slice(header.length, end).split('\n'));
    known.delete('');
    version = content.version;
    seen = true;
    return Buffer.byteLength(text.slice(0, end));
  };
  return {
    async has(contact) {
      try {
        const now = await versionOfOwnFile(file, false);
        if (now === undefined || now !== version) await load();
        return known.has(contact);
      } catch (error) {
        throw asStoreError(error, file);
      }
    },
    async add(contact) {
      if (contact === '' || contact.includes('\n')) throw new TypeError('a contact is a bare JID');
      try {
        await withLock(`${file}.lock`, async () => {
          const end = await load();
          if (known.has(contact)) return;
          if (end === 0) {
            await writeOwnFile(file, Buffer.from(`${header}${contact}\n`), false);
            await load();
            return;
          }
          const handle = await open(file, O_RDWR | O_NOFOLLOW);
          try {
            // Cuts off what a killed writer left after the last whole line.
            await handle.truncate(end);
            await handle.write(`${contact}\n`, end);
            await handle.datasync();
          } finally {
            await handle.close();
          }
          await load();
        });
      } catch (error) {
        throw asStoreError(error, dirname(file));
      }
    },
  };
}
