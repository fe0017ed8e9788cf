import { describe, expect, it } from 'vitest';
import { E2eError } from '../../../src/errors.ts';
import { validatePath } from '../../../src/x509/path-validation.ts';
import { anyPolicy } from '../../../src/x509/policy-graph.ts';
import { verifySignedObject } from '../../../src/x509/signature.ts';
import { corpusJson, hasCorpus } from '../../shared-data.ts';
import { outOfScopeVerdicts, stricterVerdicts } from './published-verdicts.ts';
import { certificatesOf, crypto, wideLimits } from './support.ts';

interface VerifyCase {
  readonly name: string;
  readonly target: string;
  readonly trusted: readonly string[];
  readonly untrusted: readonly string[];
  readonly purpose: 'sslserver' | 'sslclient' | null;
  readonly securityLevel: number;
  readonly time?: string;
  readonly maxIntermediates?: number;
  readonly partialChain?: boolean;
  readonly strict?: boolean;
  readonly initialPolicies?: readonly string[];
  readonly requireExplicitPolicy?: boolean;
  readonly valid: boolean;
  readonly group: string;
}

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

const stricter = stricterVerdicts.openssl;
const outOfScope = outOfScopeVerdicts.openssl;

/** RSA modulus in bits for each security level. */
const bitsOfLevel = [512, 1024, 2048, 3072];

async function judge(one: VerifyCase): Promise<string> {
  const read = (file: string) => certificatesOf(`openssl-cms/verify/${file}`);
  try {
    const [certificate] = read(one.target);
    const trusted = one.trusted.flatMap(read);
    const untrusted = one.untrusted.flatMap(read);
    // A certificate that is itself trusted: pinned here; there, only a self-signed one unless partial chains are allowed.
    const selfSigned = await verifySignedObject(crypto, certificate!.publicKey, certificate!);
    const { outcome, reason } = await validatePath({
      certificate: certificate!,
      intermediates: untrusted,
      anchors: one.partialChain === true ? trusted : trusted.filter((anchor) => anchor.selfIssued),
      pinned: one.partialChain === true || (certificate!.selfIssued && selfSigned) ? trusted : [],
      at: new Date(one.time ?? '2024-06-01T00:00:00Z'),
      limits: {
        ...wideLimits,
        rsaMinBits: bitsOfLevel[one.securityLevel]!,
        pathLength: one.maxIntermediates ?? wideLimits.pathLength,
      },
      crypto,
      purpose: 'any',
      extendedKeyUsages: one.purpose === null ? undefined : [one.purpose === 'sslserver' ? serverAuth : clientAuth],
      sha1Signatures: one.securityLevel === 0,
      policies: {
        initialPolicies: one.initialPolicies ?? [anyPolicy],
        requireExplicitPolicy: one.requireExplicitPolicy ?? false,
      },
    });
    return outcome === 'trusted' ? outcome : reason;
  } catch (error) {
    if (error instanceof E2eError) return `malformed ${error.reason}`;
    throw error;
  }
}

describe.skipIf(!hasCorpus('openssl-cms/'))('certificate verification with published verdicts', () => {
  const cases = hasCorpus('openssl-cms/')
    ? (corpusJson('openssl-cms/expected-verify.json') as { readonly cases: readonly VerifyCase[] }).cases
    : [];
  const judged = cases.filter(({ group, name }) => group !== 'openssl-trust' && !(name in outOfScope));

  it('leaves out only what is listed, and files in a format of OpenSSL alone', () => {
    const names = new Set(cases.map(({ name }) => name));
    for (const listed of [...Object.keys(stricter), ...Object.keys(outOfScope)]) expect(names).toContain(listed);
    const own = cases.filter(({ group }) => group === 'openssl-trust');
    expect([cases.length, judged.length, own.length]).toEqual([161, 101, 57]);
    for (const { valid } of cases.filter(({ name }) => name in outOfScope)) expect(valid).toBe(false);
  });

  it.each(judged.map((one) => [one.name, one.valid, one] as const))('%s: valid %s', async (name, valid, one) => {
    const verdict = await judge(one);
    expect(verdict === 'trusted', verdict).toBe(valid && !(name in stricter));
  });
});

interface PersonaChain {
  readonly target: string;
  readonly anchor: string;
  readonly intermediates: readonly string[];
  readonly valid: boolean;
  readonly reason: string;
}

describe.skipIf(!hasCorpus('rfc-personas/'))('the chains of RFC 9216', () => {
  const chains = hasCorpus('rfc-personas/')
    ? (corpusJson('rfc-personas/expected.json') as { readonly chains: readonly PersonaChain[] }).chains
    : [];
  const read = (file: string) => certificatesOf(`rfc-personas/${file}`);
  it.each(chains.map((one) => [one.target, one.anchor, one.valid, one] as const))(
    '%s under %s: valid %s',
    async (_target, _anchor, valid, one) => {
      const { outcome } = await validatePath({
        certificate: read(one.target)[0]!,
        intermediates: one.intermediates.flatMap(read),
        anchors: read(one.anchor),
        at: new Date('2026-01-01T00:00:00Z'),
        limits: wideLimits,
        crypto,
        purpose: 'any',
        extendedKeyUsages: ['1.3.6.1.5.5.7.3.4'],
      });
      expect(outcome === 'trusted').toBe(valid);
    },
  );
});
