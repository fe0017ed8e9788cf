/** Decrypts application/pkcs7-mime entities (RFC 8551 sections 3.3 and 3.4). */

import type { AlgorithmPolicy, Decrypted, ExternalPrivateKey } from '../backend.ts';
import { identifies } from '../../cms/certificate-identifier.ts';
import {
  assertDecryptionAllowed,
  assertDecryptionSupported,
  decryptEnveloped,
  type DecryptionFunctions,
  type DecryptRequest,
} from '../../cms/decrypt.ts';
import { type Enveloped, parseEnveloped } from '../../cms/enveloped-data.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import type { Entity } from '../../mime/entity.ts';
import { cmsOctets } from './cms-object.ts';
import { isExternal, type OwnKey } from './key-material.ts';

/** What decryption takes of a call. */
export interface DecryptCall {
  readonly algorithms: AlgorithmPolicy;
  readonly limits: Limits;
}

/**
 * Decrypts an entity with whichever of my keys it was encrypted to.
 *
 * @param ownKeys asked for when the object is known to be well-formed
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED, WEAK_ALGORITHM before a private key is used; NO_DECRYPTION_KEY by
 * public recipient ids; KEY_UNAVAILABLE; DECRYPTION_FAILED, always alike, after it
 */
export async function decryptEntity(
  entity: Entity,
  ownKeys: () => Promise<readonly OwnKey[]>,
  call: DecryptCall,
  crypto: CryptoProvider,
): Promise<Decrypted> {
  const enveloped = parseEnveloped(cmsOctets(entity, 'decrypt'), call.limits);
  const { encryption } = enveloped;
  const content = await decryptEnveloped(matchRecipient(enveloped, await ownKeys(), call.algorithms, crypto));
  return { content, encryption, signatures: undefined };
}

/** One match is tried, the first that the policy takes and the runtime can do: how many are must not depend on what the private key finds. */
function matchRecipient(
  enveloped: Enveloped,
  keys: readonly OwnKey[],
  policy: AlgorithmPolicy,
  crypto: CryptoProvider,
): DecryptRequest {
  let refusal: E2eError | undefined;
  for (const recipient of enveloped.recipients) {
    const own = keys.find(({ certificate }) => identifies(recipient.identifier, certificate));
    if (own === undefined) continue;
    const privateKey = isExternal(own.key) ? decryptionFunctions(own.key) : own.key;
    const request = { enveloped, recipient, privateKey, crypto };
    try {
      assertDecryptionAllowed(enveloped, recipient, policy);
      assertDecryptionSupported(request);
      return request;
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? new E2eError('ERR_E2E_NO_DECRYPTION_KEY', 'decrypt', { encryption: enveloped.encryption });
}

function decryptionFunctions(key: ExternalPrivateKey): DecryptionFunctions {
  return {
    agree: key.agree === undefined ? undefined : (publicPoint) => key.agree!(publicPoint),
    decryptKey:
      key.decryptKey === undefined
        ? undefined
        : (encryptedKey, { hash }) => key.decryptKey!(encryptedKey, 'rsa-oaep', hash),
  };
}
