/** A bare JID as the name of a directory, on any file system. */

import { createHash } from 'node:crypto';
import type { Jid } from '../jid/jid.ts';

const longest = 200;

/**
 * The directory name of a bare JID.
 *
 * Everything but a-z, 0-9, `@`, `-`, `_` and inner dots is percent-encoded in UTF-8, so that no JID can leave its
 * directory or hide, and no two JIDs share a name where case or Unicode normalization does not count. Names beyond 200
 * characters are cut and end in the SHA-256 of the whole.
 *
 * @param jid its resource is ignored
 */
export function directoryName(jid: Jid): string {
  let name = '';
  for (const byte of Buffer.from(jid.bare().toString(), 'utf8')) {
    const character = String.fromCharCode(byte);
    const safe = /[a-z0-9@_-]/.test(character) || (character === '.' && name !== '');
    name += safe ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  if (name.length <= longest) return name;
  // '%%' cannot come from the encoding above, so no short name equals a cut one.
  return `${name.slice(0, 100)}%%${createHash('sha256').update(name).digest('hex')}`;
}
