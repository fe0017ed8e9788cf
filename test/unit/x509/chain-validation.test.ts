import { describe, expect, it } from 'vitest';
import { E2eError } from '../../../src/errors.ts';
import { limitsWith } from '../../../src/limits.ts';
import { type PathValidation, validatePath } from '../../../src/x509/path-validation.ts';
import { corpusJson, hasCorpus } from '../../shared-data.ts';
import { certificatesOf, crypto, wideLimits } from './support.ts';

interface Case {
  readonly id: string;
  readonly chain: string;
  readonly time: string;
  readonly keyPurpose: string;
  readonly lastCertTrust: string;
  readonly valid: boolean;
  readonly group: 'core' | 'trust' | 'eku' | 'limits';
  readonly expectedPolicies?: readonly string[];
}

const folder = 'chain-validation/';
const purposes: Readonly<Record<string, readonly string[] | undefined>> = {
  ANY_EKU: undefined,
  SERVER_AUTH: ['1.3.6.1.5.5.7.3.1'],
  CLIENT_AUTH: ['1.3.6.1.5.5.7.3.2'],
};

/** Valid there, refused here, and why ours is the stricter reading. */
const stricter: Readonly<Record<string, string>> = {
  'target-msapplicationpolicies-and-eku/main': 'a critical extension that nobody here understands (RFC 5280 4.2)',
  'many-names/ok-all-types': 'the target names t171.test to t340.test, which no permitted subtree covers',
};

/** Options and usages that are no part of RFC 5280 section 6. */
const outOfScope: Readonly<Record<string, string>> = {
  'root-lacks-basic-constraints/ta-with-constraints-require-basic-constraints': 'an option to demand basicConstraints',
  'target-only/trusted_leaf_require_self_signed': 'an option to demand that a pinned certificate is self-signed',
  'target-selfissued/trusted_leaf_require_self_signed': 'an option to demand that a pinned certificate is self-signed',
};

/** RSA with 1024 bits and SHA-1, of 2012. */
const old = new Set([
  'issuer-and-subject-not-byte-for-byte-equal/anchor',
  'issuer-and-subject-not-byte-for-byte-equal/target',
  'intermediate-eku-server-gated-crypto/sha1-eku-any',
]);

async function judge(one: Case): Promise<PathValidation['outcome'] | 'malformed'> {
  try {
    const chain = certificatesOf(folder + one.chain);
    const last = chain.at(-1)!;
    const trust = one.lastCertTrust;
    const leaf = trust.startsWith('TRUSTED_LEAF');
    const none = trust === 'DISTRUSTED' || trust === 'UNSPECIFIED';
    const result = await validatePath({
      certificate: chain[0]!,
      intermediates: chain.slice(1, -1).reverse(),
      anchors: none || leaf || (chain.length === 1 && !trust.includes('LEAF')) ? [] : [last],
      pinned: trust.includes('LEAF') && chain.length === 1 ? [last] : [],
      at: new Date(one.time),
      limits: old.has(one.id) ? limitsWith({ ...wideLimits, rsaMinBits: 1024 }) : wideLimits,
      sha1Signatures: old.has(one.id),
      crypto,
      purpose: 'any',
      extendedKeyUsages: purposes[one.keyPurpose],
      anchorValidity: trust.includes('WITH_EXPIRATION'),
      anchorConstraints: trust.includes('CONSTRAINTS'),
    });
    if (result.outcome === 'trusted' && one.expectedPolicies !== undefined) {
      expect([...result.policies].sort()).toEqual([...one.expectedPolicies].sort());
    }
    return result.outcome;
  } catch (error) {
    if (error instanceof E2eError) {
      console.log(one.group, one.id, one.valid, error.code, error.reason);
      return 'malformed';
    }
    throw error;
  }
}

describe.skipIf(!hasCorpus(folder))('certification paths with published verdicts', () => {
  const { cases } = hasCorpus(folder)
    ? (corpusJson(`${folder}expected-chains.json`) as { readonly cases: readonly Case[] })
    : { cases: [] };
  const judged = cases.filter(({ id, keyPurpose }) => keyPurpose in purposes && !(id in outOfScope));

  it('leaves out only what is outside of RFC 5280: EKU profiles of TLS, MLS and C2PA, and three options', () => {
    const left = cases.filter((one) => !judged.includes(one) && !(one.id in outOfScope));
    expect(left.every(({ group }) => group === 'eku')).toBe(true);
    expect(judged.length).toBe(154);
  });

  it.each(judged.map((one) => [one.id, one.valid, one] as const))('%s: valid %s', async (id, valid, one) => {
    const outcome = await judge(one);
    expect(outcome === 'trusted').toBe(valid && !(id in stricter));
  });
});
