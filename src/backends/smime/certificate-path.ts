/** Certification path validation (RFC 5280 section 6) for anybody, without messages or stanzas. */

import type { CryptoProvider } from '../../crypto/provider.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import {
  type PathValidation,
  type PathValidationInput,
  validatePath as validateX509Path,
} from '../../x509/path-validation.ts';
import { provider } from '#crypto';

/** Options of {@link validatePath}. */
export interface ValidatePathOptions extends Omit<PathValidationInput, 'limits' | 'crypto'> {
  readonly limits?: Limits | undefined;
  readonly crypto?: CryptoProvider | undefined;
}

const optionNames: ReadonlySet<string> = new Set<keyof ValidatePathOptions>([
  'certificate',
  'intermediates',
  'anchors',
  'pinned',
  'crls',
  'carriedCrls',
  'revocation',
  'at',
  'clockSkewSeconds',
  'limits',
  'crypto',
  'purpose',
  'extendedKeyUsages',
  'policies',
  'sha1Signatures',
  'anchorValidity',
  'anchorConstraints',
]);

/**
 * Validates the path from a certificate to a trust anchor, for a purpose and at a time.
 *
 * @returns the outcome with its reason, the chain, and the certificate at fault; nothing is thrown for data. It says
 * nothing about names: compare `certificateNames` of a trusted certificate.
 * @throws {TypeError} for an unknown option, or an `at` that is no valid Date
 * @see RFC 5280 section 6
 */
export async function validatePath(options: ValidatePathOptions): Promise<PathValidation> {
  for (const name of Object.keys(options)) if (!optionNames.has(name)) throw new TypeError(`unknown option ${name}`);
  const { limits = defaultLimits, crypto = provider, at } = options;
  // A comparison with an invalid date is always false: nothing would ever have expired.
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new TypeError('at must be a valid Date');
  return validateX509Path({ ...options, limits, crypto });
}
