/** Certificates for tests: read from files of test data, or made by a test CA. */
import { provider as crypto } from '../../../src/crypto/node.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import { type Certificate, parseCertificate } from '../../../src/x509/certificate.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { corpus } from '../../shared-data.ts';

export { crypto, defaultLimits };

/** Test data of others holds larger certificates and shorter keys than the defaults allow. */
export const wideLimits = limitsWith({ certificateBytes: 1 << 20 });

/** Every certificate in a PEM file of test data. */
export function certificatesOf(path: string, limits = wideLimits): Certificate[] {
  return parsePem(corpus(path))
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ der }) => parseCertificate(der, limits));
}
