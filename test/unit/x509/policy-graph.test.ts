/** The policy graph against the tree of RFC 5280, on seeded paths of policies. */
import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../../src/x509/certificate.ts';
import { anyPolicy, noPolicyInputs, type PolicyInputs, processPolicies } from '../../../src/x509/policy-graph.ts';
import { cpuTime } from '../../cpu-time.ts';
import { runs } from '../../shared-data.ts';
import { type PolicyCertificate, policiesByTree } from './policy-tree.ts';
import { random } from './random.ts';

const names = ['1.2.1', '1.2.2', '1.2.3'];

function policiesByGraph(path: readonly PolicyCertificate[], inputs: PolicyInputs): ReadonlySet<string> | undefined {
  const policy = processPolicies(inputs, path.length);
  const refusals = path.map((one, i) => policy.next(one as Certificate, one.selfIssued, i === path.length - 1));
  const end = policy.end();
  if (refusals.some((refusal) => refusal !== undefined)) {
    expect(typeof end).toBe('string');
    return undefined;
  }
  return typeof end === 'string' ? undefined : end;
}

function certificate(next: (below: number) => number): PolicyCertificate {
  const some = (list: readonly string[], most: number): string[] => [
    ...new Set(Array.from({ length: 1 + next(most) }, () => list[next(list.length)]!)),
  ];
  const mappings = Array.from({ length: next(3) === 0 ? 1 + next(3) : 0 }, () => ({
    issuer: next(30) === 0 ? anyPolicy : names[next(3)]!,
    subject: next(30) === 0 ? anyPolicy : names[next(3)]!,
  }));
  return {
    certificatePolicies: next(12) === 0 ? undefined : some([...names, anyPolicy, anyPolicy], 3),
    policyMappings: mappings.length === 0 ? undefined : mappings,
    policyConstraints:
      next(6) === 0
        ? {
            requireExplicitPolicy: next(2) === 0 ? next(4) : undefined,
            inhibitPolicyMapping: next(2) === 0 ? next(3) : undefined,
          }
        : undefined,
    inhibitAnyPolicy: next(8) === 0 ? next(3) : undefined,
    selfIssued: next(6) === 0,
  };
}

describe('the policy graph', () => {
  it('gives what the tree of RFC 5280 gives', () => {
    const next = random(9618);
    const counts = { valid: 0, invalid: 0, policies: 0 };
    for (let run = 0; run < runs(40_000); run++) {
      const path = Array.from({ length: 1 + next(5) }, () => certificate(next));
      const inputs: PolicyInputs = {
        initialPolicies: next(2) === 0 ? [anyPolicy] : [...new Set([names[next(3)]!, names[next(3)]!])],
        requireExplicitPolicy: next(3) === 0,
        inhibitPolicyMapping: next(5) === 0,
        inhibitAnyPolicy: next(5) === 0,
      };
      const expected = policiesByTree(path, inputs);
      const found = policiesByGraph(path, inputs);
      const sorted = (set: ReadonlySet<string> | undefined) => set && [...set].sort();
      expect(sorted(found), JSON.stringify({ run, path, inputs })).toEqual(sorted(expected));
      counts[expected === undefined ? 'invalid' : 'valid']++;
      if (expected !== undefined && expected.size > 0) counts.policies++;
    }
    expect(Math.min(counts.valid, counts.invalid, counts.policies)).toBeGreaterThan(runs(40_000) / 10);
  });

  it('does not grow as the tree does (CVE-2023-0464)', () => {
    // Every policy is mapped to every policy, so that the tree has 8 to the power of the depth leaves.
    const many = Array.from({ length: 8 }, (_, i) => `1.2.${i}`);
    const mappings = many.flatMap((issuer) => many.map((subject) => ({ issuer, subject })));
    const one: PolicyCertificate = {
      certificatePolicies: many,
      policyMappings: mappings,
      policyConstraints: undefined,
      inhibitAnyPolicy: undefined,
      selfIssued: false,
    };
    const start = cpuTime();
    const found = policiesByGraph(
      Array.from({ length: 60 }, () => one),
      noPolicyInputs,
    );
    expect(found?.size).toBe(8);
    expect(cpuTime() - start).toBeLessThan(500);
  });
});
