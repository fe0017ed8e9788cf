/**
 * AES-OCB with a tag of 16 octets (RFC 7253) on node:crypto: hundreds of times faster than in JavaScript, where
 * WebCrypto has no such mode.
 */

import { createCipheriv, createDecipheriv, getCiphers } from 'node:crypto';
import type { OcbParameters } from './provider.ts';
import { unsupported } from './unsupported.ts';

const tagLength = 16;

/** Whether the library under node:crypto has the mode. */
export const hasOcb: boolean = getCiphers().includes('aes-128-ocb');

type Ocb = 'aes-128-ocb' | 'aes-192-ocb' | 'aes-256-ocb';

function nameOf({ key }: OcbParameters): Ocb {
  if (!hasOcb) throw unsupported();
  return `aes-${(key.length * 8) as 128}-ocb`;
}

/** @returns the ciphertext with its tag behind it */
export function encryptOcb(parameters: OcbParameters, plaintext: Uint8Array): Uint8Array {
  const { key, nonce, additionalData } = parameters;
  const cipher = createCipheriv(nameOf(parameters), key, nonce, { authTagLength: tagLength });
  if (additionalData !== undefined) cipher.setAAD(additionalData);
  const out = new Uint8Array(plaintext.length + tagLength);
  // Unlike GCM, OCB holds a last incomplete block back until the end.
  const head = cipher.update(plaintext);
  out.set(head);
  out.set(cipher.final(), head.length);
  out.set(cipher.getAuthTag(), plaintext.length);
  return out;
}

/**
 * @param ciphertext with its tag behind it
 * @returns undefined when the tag does not fit
 */
export function decryptOcb(parameters: OcbParameters, ciphertext: Uint8Array): Uint8Array | undefined {
  const { key, nonce, additionalData } = parameters;
  const length = ciphertext.length - tagLength;
  if (length < 0) return undefined;
  const decipher = createDecipheriv(nameOf(parameters), key, nonce, { authTagLength: tagLength });
  if (additionalData !== undefined) decipher.setAAD(additionalData);
  decipher.setAuthTag(ciphertext.subarray(length));
  const out = new Uint8Array(length);
  const head = decipher.update(ciphertext.subarray(0, length));
  try {
    out.set(head);
    out.set(decipher.final(), head.length);
    return out;
  } catch {
    return undefined;
  }
}
