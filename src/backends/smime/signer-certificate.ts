/** Finds the certificate of a signer (RFC 5652 section 5.3, RFC 8550 section 4.1): in the message, and in the store. */

import { equalBytes } from '../../bytes.ts';
import { type CertificateIdentifier, identifies } from '../../cms/certificate-identifier.ts';
import type { SigningCertificate } from '../../cms/signed-attributes.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { type Certificate } from '../../x509/certificate.ts';

/**
 * Every certificate that an identifier names.
 *
 * Several are met where one key was certified more than once. Two with different keys under one identifier are how a
 * forger makes one reader verify with his key and another show the name of his victim: `ambiguous`.
 */
export function findCertificates(
  certificates: readonly Certificate[],
  identifier: CertificateIdentifier,
): readonly Certificate[] | 'ambiguous' {
  const found: Certificate[] = [];
  for (const certificate of certificates) {
    if (
      !identifies(identifier, certificate) ||
      found.some((one) => one === certificate || equalBytes(one.der, certificate.der))
    )
      continue;
    found.push(certificate);
  }
  const [first] = found;
  const oneKey = found.every(({ publicKey }) => equalBytes(publicKey.spki, first!.publicKey.spki));
  return oneKey ? found : 'ambiguous';
}

/**
 * Whether a certificate is the one that the signer named under the signature (RFC 5035 section 4). Another certificate
 * for the same key may say other things about its holder.
 */
export async function isSigningCertificate(
  certificate: Certificate,
  named: SigningCertificate | undefined,
  crypto: CryptoProvider,
): Promise<boolean> {
  if (named === undefined) return true;
  if (named.hash === undefined) return false;
  return equalBytes(await crypto.digest(named.hash, certificate.der), named.digest);
}
