/**
 * Where the verdicts here differ from published ones, each with its reason: the whole list, for BoringSSL's chains and
 * name constraints and OpenSSL's certificates. Nothing that is invalid there by a rule of RFC 5280 is accepted here.
 * `src/x509/README.md` shows the same list to readers; a test holds them together.
 */

/** Valid there, refused here: ours is the stricter reading. */
export interface StricterVerdicts {
  readonly chains: Readonly<Record<string, string>>;
  readonly nameConstraints: Readonly<Record<string, string>>;
  readonly openssl: Readonly<Record<string, string>>;
}

export const stricterVerdicts: StricterVerdicts = {
  chains: {
    'target-msapplicationpolicies-and-eku/main':
      'a critical extension that nobody here understands (RFC 5280 section 4.2)',
    'many-names/ok-all-types': 'the target names t171.test to t340.test, which no permitted subtree covers',
  },
  // The test, and the index of the check in it.
  nameConstraints: {
    'Rfc822NamesInExcluded/2': 'an excluded mailbox excludes every spelling of its local part',
    'IsPermittedCertSubjectDnsNames/0': 'a common name that is a host name is held to the constraints on host names',
    'QuotedRfc822SanWithNoRfc822Constraints/0': 'the constraints hold an otherName without its [0] EXPLICIT value',
  },
  openssl: {
    'accept md5 intermediate at auth level 0': 'MD5 is verified nowhere',
    'accept md5 leaf at auth level 0': 'MD5 is verified nowhere',
    'accept proxy cert 1': 'proxy certificates (RFC 3820) are issued by no CA',
    'accept proxy cert 2': 'proxy certificates (RFC 3820) are issued by no CA',
    'accept proxy cert missing proxy policy': 'proxy certificates (RFC 3820) are issued by no CA',
    'Public Key Algorithm rsa instead of rsaEncryption': 'the key type of X.500, which RFC 3279 does not have',
    'SM2 ID test': 'an algorithm that is not supported',
    'SM2 hex ID test': 'an algorithm that is not supported',
  },
};

const strictProfile =
  'a profile of TLS: there must be an extendedKeyUsage, it must not be anyExtendedKeyUsage, no CA as target';

/** Invalid there by an option or a profile that is no part of RFC 5280 and that this validator does not have. */
export const outOfScopeVerdicts: Pick<StricterVerdicts, 'chains' | 'openssl'> = {
  chains: {
    'root-lacks-basic-constraints/ta-with-constraints-require-basic-constraints':
      'an option to demand basicConstraints',
    'target-only/trusted_leaf_require_self_signed': 'an option to demand that a pinned certificate is self-signed',
    'target-selfissued/trusted_leaf_require_self_signed':
      'an option to demand that a pinned certificate is self-signed',
    'intermediate-eku-any-and-clientauth/serverauth-strict': strictProfile,
    'target-eku-any/clientauth-strict-leaf': strictProfile,
    'target-eku-any/clientauth-strict': strictProfile,
    'target-eku-any/serverauth-strict-leaf': strictProfile,
    'target-eku-any/serverauth-strict': strictProfile,
    'target-eku-clientauth/clientauth-strict': strictProfile,
    'target-eku-many/clientauth-strict-leaf': strictProfile,
    'target-eku-many/clientauth-strict': strictProfile,
    'target-eku-many/serverauth-strict-leaf': strictProfile,
    'target-eku-many/serverauth-strict': strictProfile,
    'target-eku-none/clientauth-strict-leaf': strictProfile,
    'target-eku-none/clientauth-strict': strictProfile,
    'target-eku-none/serverauth-strict': strictProfile,
    'target-has-ca-basic-constraints/strict': strictProfile,
    'target-not-end-entity/strict-leaf': strictProfile,
    'target-not-end-entity/strict': strictProfile,
  },
  openssl: {
    'fail client purpose intermediate trusted': 'there, a second trusted certificate of one name hides a valid path',
    'reject non-ca with pathlen:0 with strict flag': 'strictness about how certificates are issued',
    'reject X25519 EE cert in strict mode since AKID is missing': 'strictness about how certificates are issued',
  },
};
