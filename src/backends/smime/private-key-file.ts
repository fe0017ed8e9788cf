/**
 * Private keys as files hold them: PKCS #8 (RFC 5958), also encrypted, and the older RSA (RFC 8017 appendix A.1.2) and
 * EC (RFC 5915) forms, which are put into PKCS #8.
 */

import { oids } from '../../asn1/oids.ts';
import { contextTag, parseDer, tags } from '../../asn1/reader.ts';
import { octetString } from '../../asn1/values.ts';
import { derInteger, derNull, derOctetString, derOid, derSequence, encodeDer } from '../../asn1/writer.ts';
import { type PrivateKey, parsePrivateKey } from '../../crypto/private-key.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import type { PemBlock } from '../../x509/pem.ts';
import { decryptPrivateKey } from './encrypted-private-key.ts';

/**
 * Reads the private keys among the blocks of a file.
 *
 * @param passphrase asked for at most once, and only if a key is encrypted
 * @throws {E2eError} KEY_UNAVAILABLE for an encrypted key without or with a wrong passphrase; MALFORMED, LIMIT, UNSUPPORTED
 */
export async function readPrivateKeys(
  blocks: readonly PemBlock[],
  passphrase: (() => Promise<string>) | undefined,
  limits: Limits,
  crypto: CryptoProvider,
): Promise<readonly PrivateKey[]> {
  const keys: PrivateKey[] = [];
  let given: string | undefined;
  for (const { label, der } of blocks) {
    if (label === 'PRIVATE KEY' || label === 'DER') keys.push(parsePrivateKey(der, { limits }));
    else if (label === 'RSA PRIVATE KEY') keys.push(parsePrivateKey(wrapRsa(der), { limits }));
    else if (label === 'EC PRIVATE KEY') keys.push(parsePrivateKey(wrapEc(der, limits), { limits }));
    else if (label === 'ENCRYPTED PRIVATE KEY') {
      if (passphrase === undefined) {
        throw new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'parse', { reason: 'the key is protected by a passphrase' });
      }
      given ??= await passphrase();
      keys.push(parsePrivateKey(await decryptPrivateKey(der, given, limits, crypto), { limits }));
    }
  }
  return keys;
}

function wrapRsa(key: Uint8Array): Uint8Array {
  return encodeDer(derSequence(derInteger(0), derSequence(derOid(oids.rsaEncryption), derNull), derOctetString(key)));
}

/** ECPrivateKey ::= SEQUENCE { version INTEGER, privateKey OCTET STRING, parameters [0] OID, publicKey [1] BIT STRING } */
function wrapEc(key: Uint8Array, limits: Limits): Uint8Array {
  const inside = parseDer(key, { limits }).sequence();
  inside.expect(tags.integer);
  octetString(inside.expect(tags.octetString));
  const curve = inside.expect(contextTag(0)).explicit().raw;
  return encodeDer(derSequence(derInteger(0), derSequence(derOid(oids.ecPublicKey), curve), derOctetString(key)));
}
