import { describe, expect, it } from 'vitest';
import { E2eError } from '../../../src/errors.ts';
import { validatePath } from '../../../src/x509/path-validation.ts';
import { anyPolicy } from '../../../src/x509/policy-graph.ts';
import { verifySignedObject } from '../../../src/x509/signature.ts';
import { corpusJson, hasCorpus } from '../../shared-data.ts';
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

/** Valid there, refused here, and why. */
const stricter: Readonly<Record<string, string>> = {
  'accept md5 intermediate at auth level 0': 'MD5 is verified nowhere',
  'accept md5 leaf at auth level 0': 'MD5 is verified nowhere',
  'accept proxy cert 1': 'proxy certificates (RFC 3820) are issued by no CA',
  'accept proxy cert 2': 'proxy certificates (RFC 3820) are issued by no CA',
  'accept proxy cert missing proxy policy': 'proxy certificates (RFC 3820) are issued by no CA',
  'Public Key Algorithm rsa instead of rsaEncryption': 'the key type of X.500, which RFC 3279 does not have',
  'SM2 ID test': 'an algorithm that is not supported',
  'SM2 hex ID test': 'an algorithm that is not supported',
};

/** Invalid there for an option of that program that is no part of RFC 5280. */
const outOfScope: Readonly<Record<string, string>> = {
  'fail client purpose intermediate trusted': 'there, a second trusted certificate of one name hides a valid path',
  'reject non-ca with pathlen:0 with strict flag': 'strictness about how certificates are issued',
  'reject X25519 EE cert in strict mode since AKID is missing': 'strictness about how certificates are issued',
};

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
