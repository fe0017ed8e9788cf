/**
 * Certificates of a file in words, and whether a certification path leads from them to a trust anchor (RFC 5280 section
 * 6). For people who look at files; what is asked about messages is in `trust.ts`.
 */

import type { CertificateSummary } from '../backend.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { Jid } from '../../jid/jid.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { PathOutcome } from '../../x509/path-validation.ts';
import { namesJid } from './certificate-identity.ts';
import { readCertificates } from './certificate-file.ts';
import { summarize, summarizeAll } from './summary.ts';
import { judgeCertificate, readTrust, type TrustOptions } from './trust.ts';
import { provider } from '#crypto';

/** A certificate in words, with what only X.509 has. */
export interface DescribedCertificate extends CertificateSummary {
  /** Whether it may issue others (basicConstraints). */
  readonly ca: boolean;
  /** The names of its subjectAltName that are text, for example `uniformResourceIdentifier im:juliet@example.com`. */
  readonly names: readonly string[];
}

/** Options of {@link describeCertificates}. */
export interface DescribeCertificatesOptions {
  readonly limits?: Limits | undefined;
  readonly crypto?: CryptoProvider | undefined;
}

/** Options of {@link checkCertificates}. */
export interface CheckCertificatesOptions extends DescribeCertificatesOptions, TrustOptions {
  /** Bare JID that the certificates shall speak for. */
  readonly jid: Jid;
  /** When; now unless given. */
  readonly at?: Date | undefined;
}

/** What path validation says about one certificate. */
export interface CheckedCertificate {
  readonly certificate: CertificateSummary;
  /** Whether it names the JID (RFC 3923 section 6.3). */
  readonly named: boolean;
  readonly outcome: PathOutcome;
  /** The rule that failed, in plain words. */
  readonly reason: string;
  /** The certificate that failed it. */
  readonly failing: CertificateSummary | undefined;
  /** From the certificate to the anchor. */
  readonly chain: readonly CertificateSummary[];
}

/**
 * Describes every certificate of a file, in its order.
 *
 * @param file PEM with one or several blocks, or DER
 * @throws {E2eError} MALFORMED, LIMIT
 */
export async function describeCertificates(
  file: Uint8Array,
  options: DescribeCertificatesOptions = {},
): Promise<readonly DescribedCertificate[]> {
  const { limits = defaultLimits, crypto = provider } = options;
  return Promise.all(
    readCertificates(file, limits).map(async (certificate) => ({
      ...(await summarize(certificate, crypto)),
      ca: certificate.basicConstraints?.ca === true,
      names: (certificate.subjectAltName ?? []).flatMap((name) =>
        'text' in name ? [`${name.form} ${name.text}`] : [],
      ),
    })),
  );
}

/**
 * Judges the end-entity certificates of a file, the others being intermediate ones; where there are only CA
 * certificates, the first of them. Nothing counts as trusted but a path to an anchor.
 *
 * @param file PEM with one or several blocks, or DER
 * @throws {E2eError} MALFORMED, LIMIT
 */
export async function checkCertificates(
  file: Uint8Array,
  options: CheckCertificatesOptions,
): Promise<readonly CheckedCertificate[]> {
  const { jid, at = new Date(), limits = defaultLimits, crypto = provider } = options;
  const rules = readTrust(options, limits);
  const all = readCertificates(file, limits);
  const leaves = all.filter(({ basicConstraints }) => basicConstraints?.ca !== true);
  const check = async (certificate: Certificate): Promise<CheckedCertificate> => {
    const question = { purpose: 'any', pinned: [], intermediates: all, at, limits, crypto } as const;
    const path = await judgeCertificate(
      certificate,
      { ...question, clockSkewSeconds: 0, sha1Signatures: false },
      rules,
    );
    return {
      certificate: await summarize(certificate, crypto),
      named: namesJid(certificate, jid),
      outcome: path.outcome,
      reason: path.reason,
      failing: path.failing && (await summarize(path.failing, crypto)),
      chain: await summarizeAll(path.chain, crypto),
    };
  };
  return Promise.all((leaves.length > 0 ? leaves : all.slice(0, 1)).map(check));
}
