/** My certificates as an object to send: application/pgp-keys (RFC 3156 section 7, RFC 3923 section 6.2). */

import { concatBytes, toCrlf, utf8 } from '../../bytes.ts';
import { E2eError } from '../../errors.ts';
import type { Jid } from '../../jid/jid.ts';
import type { Limits } from '../../limits.ts';
import { serializeEntity } from '../../mime/entity.ts';
import type { KeyStore } from '../backend.ts';
import { exportKeys } from './export.ts';
import { backendName } from './keyring.ts';

/**
 * Writes the certificates of a JID of mine. Secret parts are left out, locked or not.
 *
 *     Content-Type: application/pgp-keys
 *
 * @throws {E2eError} NO_SIGNING_KEY where there is none; KEY_UNAVAILABLE for a file of keys that cannot be read
 */
export async function ownCertificates(store: KeyStore, jid: Jid, limits: Limits): Promise<Uint8Array> {
  const blocks: Uint8Array[] = [];
  for (const { keys } of await store.identities(jid, backendName)) {
    if (!(keys instanceof Uint8Array)) continue;
    try {
      blocks.push(toCrlf(utf8(await exportKeys(keys, { limits }))));
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
      throw new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'sign', { reason: 'the file of secret keys cannot be read' });
    }
  }
  if (blocks.length === 0) {
    throw new E2eError('ERR_E2E_NO_SIGNING_KEY', 'sign', {
      reason: 'no key is stored for it',
      subject: jid.toString(),
    });
  }
  return serializeEntity([{ name: 'Content-Type', value: 'application/pgp-keys' }], concatBytes(...blocks));
}
