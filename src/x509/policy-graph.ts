/**
 * Certificate policy processing (RFC 5280 sections 6.1.3 (d) to (f), 6.1.4 (a) to (j) and 6.1.5).
 *
 * The RFC keeps a tree, which a hostile chain of policy mappings makes exponentially large (CVE-2023-0464). Nodes of
 * one depth with the same valid policy behave alike, so that they are kept once, with the set of their parents: a
 * directed graph whose size is bounded by the size of the certificates (the form RFC 9618 later gave the algorithm).
 */

import type { Certificate } from './certificate.ts';

/** The special policy identifier anyPolicy (RFC 5280 section 4.2.1.4). */
export const anyPolicy = '2.5.29.32.0';

/** The policy inputs of path validation (RFC 5280 section 6.1.1 (c), (e), (f), (g)). */
export interface PolicyInputs {
  /** Policies acceptable to the user; anyPolicy where every one is. */
  readonly initialPolicies: readonly string[];
  readonly requireExplicitPolicy: boolean;
  readonly inhibitPolicyMapping: boolean;
  readonly inhibitAnyPolicy: boolean;
}

/** Every policy is acceptable and none is asked for. */
export const noPolicyInputs: PolicyInputs = Object.freeze({
  initialPolicies: Object.freeze([anyPolicy]),
  requireExplicitPolicy: false,
  inhibitPolicyMapping: false,
  inhibitAnyPolicy: false,
});

/** The policies of one depth: by valid policy, the policies one depth up that expect it. */
interface Level {
  /** Whether the level has a node for anyPolicy. Its parent is always the anyPolicy node one depth up. */
  any: boolean;
  /** An empty set of parents stands for the anyPolicy node one depth up. */
  readonly nodes: Map<string, Set<string>>;
}

/** The state of policy processing along one path. */
export interface PolicyProcessing {
  /**
   * Processes one certificate, the one next to the anchor first.
   *
   * @param selfIssued subject and issuer are the same name
   * @param last the certificate is the target of the path
   * @returns why the path is not valid, or undefined
   */
  next(certificate: Certificate, selfIssued: boolean, last: boolean): string | undefined;
  /**
   * Applies the policy extensions of a trust anchor (RFC 5937 section 3), before the first certificate. An anchor
   * that asserts no policy at all stands for every policy.
   */
  anchor(certificate: Certificate): string | undefined;
  /**
   * Ends processing (RFC 5280 section 6.1.5).
   *
   * @returns the user-constrained policy set, or why the path is not valid
   */
  end(): ReadonlySet<string> | string;
}

/**
 * Starts policy processing.
 *
 * @param inputs what the user asks for
 * @param length number of certificates in the path, the anchor not counted
 */
export function processPolicies(inputs: PolicyInputs, length: number): PolicyProcessing {
  // RFC 5280 section 6.1.2 (d), (e), (f): 0 takes effect at once, n + 1 never does.
  let explicitPolicy = inputs.requireExplicitPolicy ? 0 : length + 1;
  let inhibitAny = inputs.inhibitAnyPolicy ? 0 : length + 1;
  let policyMapping = inputs.inhibitPolicyMapping ? 0 : length + 1;
  let expected: Level = { any: true, nodes: new Map() };
  const levels: Level[] = [];
  // After a refusal the levels no longer fit together, and nothing that follows could make the path valid.
  let refusal: string | undefined;

  const constrain = (certificate: Certificate): void => {
    const { policyConstraints, inhibitAnyPolicy } = certificate;
    explicitPolicy = Math.min(explicitPolicy, policyConstraints?.requireExplicitPolicy ?? explicitPolicy);
    policyMapping = Math.min(policyMapping, policyConstraints?.inhibitPolicyMapping ?? policyMapping);
    inhibitAny = Math.min(inhibitAny, inhibitAnyPolicy ?? inhibitAny);
  };

  const step = (...parameters: Parameters<typeof process>): string | undefined =>
    refusal === undefined ? (refusal = process(...parameters)) : undefined;

  const process = (
    certificate: Certificate,
    policies: readonly string[] | undefined,
    selfIssued: boolean,
    last: boolean,
  ): string | undefined => {
    const current = acceptPolicies(expected, policies, inhibitAny > 0 || (!last && selfIssued));
    levels.push(current);
    // (f)
    if (explicitPolicy === 0 && isEmpty(current)) return 'no acceptable certificate policy';
    if (last) {
      // 6.1.5 (a), (b)
      if (explicitPolicy > 0) explicitPolicy--;
      if (certificate.policyConstraints?.requireExplicitPolicy === 0) explicitPolicy = 0;
      return undefined;
    }
    const mappings = certificate.policyMappings ?? [];
    // 6.1.4 (a)
    if (mappings.some(({ issuer, subject }) => issuer === anyPolicy || subject === anyPolicy)) {
      return 'policy mapping to or from anyPolicy';
    }
    expected = mapPolicies(current, mappings, policyMapping > 0);
    if (!selfIssued) {
      if (explicitPolicy > 0) explicitPolicy--;
      if (policyMapping > 0) policyMapping--;
      if (inhibitAny > 0) inhibitAny--;
    }
    constrain(certificate);
    return undefined;
  };

  return {
    anchor: (certificate) => step(certificate, certificate.certificatePolicies ?? [anyPolicy], true, false),
    next: (certificate, selfIssued, last) => step(certificate, certificate.certificatePolicies, selfIssued, last),
    end() {
      if (refusal !== undefined) return refusal;
      const policies = userConstrainedPolicies(levels, inputs.initialPolicies);
      if (explicitPolicy === 0 && policies.size === 0) return 'no certificate policy that the user accepts';
      return policies;
    },
  };
}

function isEmpty(level: Level): boolean {
  return !level.any && level.nodes.size === 0;
}

/** RFC 5280 section 6.1.3 (d) and (e): what the certificate asserts of what is expected of it. */
function acceptPolicies(expected: Level, policies: readonly string[] | undefined, anyAllowed: boolean): Level {
  if (policies === undefined) return { any: false, nodes: new Map() };
  const anyAsserted = anyAllowed && policies.includes(anyPolicy);
  const asserted = new Set(policies);
  const nodes = new Map<string, Set<string>>();
  for (const [policy, parents] of expected.nodes) {
    // (d)(1)(i), and (d)(2) for what an asserted anyPolicy stands for.
    if (asserted.has(policy) || anyAsserted) nodes.set(policy, parents);
  }
  if (expected.any) {
    for (const policy of asserted) {
      // (d)(1)(ii)
      if (policy !== anyPolicy && !nodes.has(policy)) nodes.set(policy, new Set());
    }
  }
  return { any: expected.any && anyAsserted, nodes };
}

/** RFC 5280 section 6.1.4 (b): what is expected of the next certificate. */
function mapPolicies(
  level: Level,
  mappings: readonly { readonly issuer: string; readonly subject: string }[],
  allowed: boolean,
): Level {
  const mapped = new Map<string, string[]>();
  for (const { issuer, subject } of mappings) {
    if (!allowed) {
      // (b)(2)
      level.nodes.delete(issuer);
      continue;
    }
    // (b)(1): a policy that is covered by anyPolicy alone gets a node of its own.
    if (!level.nodes.has(issuer)) {
      if (!level.any) continue;
      level.nodes.set(issuer, new Set());
    }
    const subjects = mapped.get(issuer);
    if (subjects === undefined) mapped.set(issuer, [subject]);
    else subjects.push(subject);
  }
  const nodes = new Map<string, Set<string>>();
  for (const policy of level.nodes.keys()) {
    for (const subject of mapped.get(policy) ?? [policy]) {
      const parents = nodes.get(subject);
      if (parents === undefined) nodes.set(subject, new Set([policy]));
      else parents.add(policy);
    }
  }
  return { any: level.any, nodes };
}

/** RFC 5280 section 6.1.5 (g): the policies, in the terms of the anchor, that the target was issued under. */
function userConstrainedPolicies(levels: readonly Level[], initial: readonly string[]): Set<string> {
  const acceptable = new Set(initial);
  const anyAcceptable = acceptable.has(anyPolicy);
  const found = new Set<string>();
  const last = levels.at(-1);
  if (last === undefined || isEmpty(last)) return found;
  if (last.any) for (const policy of acceptable) found.add(policy);
  let reachable = new Set(last.nodes.keys());
  for (let depth = levels.length - 1; depth >= 0; depth--) {
    const above = new Set<string>();
    for (const policy of reachable) {
      const parents = levels[depth]!.nodes.get(policy)!;
      // A child of the anyPolicy node belongs to the valid_policy_node_set of (g)(iii)(1).
      if (parents.size === 0 && (anyAcceptable || acceptable.has(policy))) found.add(policy);
      for (const parent of parents) above.add(parent);
    }
    reachable = above;
  }
  return found;
}
