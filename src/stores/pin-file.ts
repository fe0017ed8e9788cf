/**
 * Pins in a file that processes of one machine share.
 *
 *     file = "xmpp-e2e pins 1" LF *( line LF )
 *     line = jid SP ( "sealed" / "-" ) *( SP fingerprint )    ; jid in enforced form, percent-encoded
 */

import { resolve } from 'node:path';
import { isFingerprint, type Pins, type PinStore, pinsWith } from '../e2e/pins.ts';
import { withLock } from './lock.ts';
import { asStoreError, readOwnFile, storeFailed, versionOfOwnFile, writeOwnFile } from './own-file.ts';

const header = 'xmpp-e2e pins 1';

/** A pin store whose every change is on the disk when its promise settles. */
export interface FilePinStore extends PinStore {
  get(contact: string): Promise<Pins | undefined>;
  update(contact: string, change: (pins: Pins | undefined) => Pins | undefined): Promise<Pins | undefined>;
}

/**
 * A pin store in a file of at most 4 MiB, which is some 30,000 contacts.
 *
 * A file that cannot be read rejects with STORE_FAILED, and so does one that goes while the store is open: whoever can
 * damage the file must not be able to lift the pins.
 *
 * @param path the file, made at first use; its directory must exist
 */
export function filePinStore(path: string): FilePinStore {
  const file = resolve(path);
  let known: { readonly version: string; readonly pins: ReadonlyMap<string, Pins> } | undefined;

  const load = async (): Promise<ReadonlyMap<string, Pins>> => {
    const version = await versionOfOwnFile(file, false);
    if (version === undefined) {
      if (known !== undefined) throw storeFailed('the file of pins was removed', file);
      return new Map();
    }
    if (known?.version === version) return known.pins;
    const read = await readOwnFile(file, false);
    if (read === undefined) throw storeFailed('the file of pins was removed', file);
    known = { version: read.version, pins: parsePins(read.bytes, file) };
    return known.pins;
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw asStoreError(error, file);
    }
  };
  return {
    get: (contact) => guarded(async () => (await load()).get(contact)),
    update: (contact, change) =>
      guarded(() =>
        withLock(`${file}.lock`, async () => {
          const pins = await load();
          const before = pins.get(contact);
          const after = change(before);
          if (after === before) return after;
          const next = new Map(pins);
          if (after === undefined) next.delete(contact);
          else next.set(contact, after);
          await writeOwnFile(file, serializePins(next, file));
          known = { version: (await versionOfOwnFile(file, false)) ?? '', pins: next };
          return after;
        }),
      ),
  };
}

const maxBytes = 4_194_304;

function serializePins(all: ReadonlyMap<string, Pins>, file: string): Uint8Array {
  let text = `${header}\n`;
  for (const [contact, { keys, sealed }] of all) {
    text += `${[encodeURIComponent(contact), sealed ? 'sealed' : '-', ...keys].join(' ')}\n`;
  }
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > maxBytes) throw storeFailed('the file of pins is full', file);
  return bytes;
}

function parsePins(bytes: Uint8Array, file: string): ReadonlyMap<string, Pins> {
  const damaged = (): Error => storeFailed('the file of pins is damaged', file);
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  // Every write is whole, so a last line without its end is no trace of a crash.
  if (lines.shift() !== header || lines.pop() !== '') throw damaged();
  const all = new Map<string, Pins>();
  for (const line of lines) {
    const [name = '', mark, ...keys] = line.split(' ');
    const pins = pinsWith(keys, mark === 'sealed');
    const contact = decoded(name);
    if (contact === undefined || (mark !== 'sealed' && mark !== '-') || !keys.every(isFingerprint)) throw damaged();
    if (pins === undefined || all.has(contact)) throw damaged();
    all.set(contact, pins);
  }
  return all;
}

function decoded(name: string): string | undefined {
  try {
    const contact = decodeURIComponent(name);
    return encodeURIComponent(contact) === name && name !== '' ? contact : undefined;
  } catch {
    return undefined;
  }
}
