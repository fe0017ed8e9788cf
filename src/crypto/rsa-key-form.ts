/**
 * RSA keys under id-RSASSA-PSS rewritten as plain rsaEncryption: WebCrypto imports no others. The restriction that such
 * a key carries is checked separately (RFC 4055 section 1.2).
 */

import { derBitString, derInteger, derOctetString, derSequence, encodeDer } from '../asn1/writer.ts';
import { parseDer, tags } from '../asn1/reader.ts';
import { octetString } from '../asn1/values.ts';
import { defaultLimits } from '../limits.ts';
import type { PrivateKey } from './private-key.ts';
import { type PublicKey, keyAlgorithmIdentifier } from './public-key.ts';

/** The SubjectPublicKeyInfo to import. */
export function spkiAsPlainRsa(key: PublicKey): Uint8Array {
  if (key.algorithm !== 'rsa-pss') return key.spki;
  return encodeDer(derSequence(keyAlgorithmIdentifier('rsa'), derBitString(key.subjectPublicKey)));
}

/** The PKCS #8 object to import. */
export function pkcs8AsPlainRsa(key: PrivateKey): Uint8Array {
  if (key.algorithm !== 'rsa-pss') return key.pkcs8;
  const cursor = parseDer(key.pkcs8, { limits: defaultLimits }).sequence();
  cursor.expect(tags.integer);
  cursor.expect(tags.sequence);
  const inner = octetString(cursor.expect(tags.octetString));
  return encodeDer(derSequence(derInteger(0), keyAlgorithmIdentifier('rsa'), derOctetString(inner)));
}
