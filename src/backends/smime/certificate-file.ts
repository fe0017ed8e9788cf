/** Certificates and revocation lists as files hold them (PEM with several blocks, or DER), parsed once a file. */

import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { type Crl, parseCrl } from '../../x509/crl.ts';
import { parsePemOrDer } from '../../x509/pem.ts';

const certificateLabels: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'DER']);
const crlLabels: ReadonlySet<string> = new Set(['X509 CRL', 'CRL', 'DER']);

const certificates = new WeakMap<Uint8Array, { readonly limits: Limits; readonly found: readonly Certificate[] }>();
const crls = new WeakMap<Uint8Array, { readonly limits: Limits; readonly found: readonly Crl[] }>();

/**
 * The certificates in a file; remembered for as long as the array lives. The array must not be changed.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function readCertificates(file: Uint8Array, limits: Limits): readonly Certificate[] {
  const known = certificates.get(file);
  if (known?.limits === limits) return known.found;
  const found = parsePemOrDer(file)
    .filter(({ label }) => certificateLabels.has(label))
    .map(({ der }) => parseCertificate(der, limits));
  certificates.set(file, { limits, found });
  return found;
}

/**
 * The certificates in a file that somebody else may have filled: none where it cannot be read, since what cannot be
 * read is trusted by nobody.
 */
export function readableCertificates(file: Uint8Array, limits: Limits): readonly Certificate[] {
  try {
    return readCertificates(file, limits);
  } catch (error) {
    if (error instanceof E2eError) return [];
    throw error;
  }
}

/**
 * The revocation lists in a file; remembered for as long as the array lives.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export function readCrls(file: Uint8Array, limits: Limits): readonly Crl[] {
  const known = crls.get(file);
  if (known?.limits === limits) return known.found;
  const found = parsePemOrDer(file)
    .filter(({ label }) => crlLabels.has(label))
    .map(({ der }) => parseCrl(der, limits));
  crls.set(file, { limits, found });
  return found;
}
