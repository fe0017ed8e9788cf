import { describe, expect, it } from 'vitest';
import { E2eError } from '../../../src/errors.ts';
import { limitsWith } from '../../../src/limits.ts';
import { type PathValidation, validatePath } from '../../../src/x509/path-validation.ts';
import { corpusJson, hasCorpus } from '../../shared-data.ts';
import { outOfScopeVerdicts, stricterVerdicts } from './published-verdicts.ts';
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
  SERVER_AUTH_STRICT: ['1.3.6.1.5.5.7.3.1'],
  SERVER_AUTH_STRICT_LEAF: ['1.3.6.1.5.5.7.3.1'],
  CLIENT_AUTH_STRICT: ['1.3.6.1.5.5.7.3.2'],
  CLIENT_AUTH_STRICT_LEAF: ['1.3.6.1.5.5.7.3.2'],
};

const stricter = stricterVerdicts.chains;
const outOfScope = outOfScopeVerdicts.chains;

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
    if (error instanceof E2eError) return 'malformed';
    throw error;
  }
}

describe.skipIf(!hasCorpus(folder))('certification paths with published verdicts', () => {
  const { cases } = hasCorpus(folder)
    ? (corpusJson(`${folder}expected-chains.json`) as { readonly cases: readonly Case[] })
    : { cases: [] };
  const judged = cases.filter(({ id, keyPurpose }) => keyPurpose in purposes && !(id in outOfScope));

  it('leaves out only what is listed, and the profiles of MLS and C2PA', () => {
    const ids = new Set(cases.map(({ id }) => id));
    for (const listed of [...Object.keys(stricter), ...Object.keys(outOfScope)]) expect(ids).toContain(listed);
    const left = cases.filter((one) => !judged.includes(one) && !(one.id in outOfScope));
    expect(left.every(({ keyPurpose }) => /^(?:MLS|C2PA)_/.test(keyPurpose))).toBe(true);
    expect([cases.length, judged.length, Object.keys(outOfScope).length, left.length]).toEqual([197, 169, 19, 9]);
  });

  it('every case that is out of scope is invalid there by a rule that is none of RFC 5280', async () => {
    for (const one of cases.filter(({ id }) => id in outOfScope)) {
      expect(one.valid, one.id).toBe(false);
      // Else it would need no entry.
      if (one.keyPurpose in purposes) expect(await judge(one), one.id).toBe('trusted');
    }
  });

  it.each(judged.map((one) => [one.id, one.valid, one] as const))('%s: valid %s', async (id, valid, one) => {
    const outcome = await judge(one);
    expect(outcome === 'trusted').toBe(valid && !(id in stricter));
  });
});
