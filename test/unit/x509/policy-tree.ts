/**
 * Certificate policies by the letter of RFC 5280: sections 6.1.2 to 6.1.5 with a tree, however large it grows. An oracle
 * for the graph under test, and nothing that a hostile certificate may be shown.
 */
import type { Certificate } from '../../../src/x509/certificate.ts';
import { anyPolicy, type PolicyInputs } from '../../../src/x509/policy-graph.ts';

/** What policy processing looks at. */
export type PolicyCertificate = Pick<
  Certificate,
  'certificatePolicies' | 'policyMappings' | 'policyConstraints' | 'inhibitAnyPolicy' | 'selfIssued'
>;

interface Node {
  readonly policy: string;
  expected: Set<string>;
  readonly parent: Node | undefined;
  readonly depth: number;
  children: Node[];
}

/**
 * Processes a path.
 *
 * @param path the certificate next to the anchor first
 * @returns the policies, or undefined for a path that is not valid
 */
export function policiesByTree(path: readonly PolicyCertificate[], inputs: PolicyInputs): Set<string> | undefined {
  const n = path.length;
  let explicit = inputs.requireExplicitPolicy ? 0 : n + 1;
  let inhibitAny = inputs.inhibitAnyPolicy ? 0 : n + 1;
  let mapping = inputs.inhibitPolicyMapping ? 0 : n + 1;
  let root: Node | undefined = node(anyPolicy, [anyPolicy], undefined);

  for (const [index, certificate] of path.entries()) {
    const i = index + 1;
    const { certificatePolicies: policies, selfIssued } = certificate;
    // (d), (e)
    if (policies === undefined) root = undefined;
    if (root !== undefined && policies !== undefined) {
      const above = at(root, i - 1);
      for (const policy of policies.filter((one) => one !== anyPolicy)) {
        const matching = above.filter(({ expected }) => expected.has(policy));
        for (const parent of matching) node(policy, [policy], parent);
        const any = above.find((one) => one.policy === anyPolicy);
        if (matching.length === 0 && any !== undefined) node(policy, [policy], any);
      }
      if (policies.includes(anyPolicy) && (inhibitAny > 0 || (i < n && selfIssued))) {
        for (const parent of above) {
          for (const value of parent.expected) {
            if (!parent.children.some((child) => child.policy === value)) node(value, [value], parent);
          }
        }
      }
      root = pruned(root, i);
    }
    // (f)
    if (explicit === 0 && root === undefined) return undefined;
    if (i === n) break;
    // 6.1.4
    const mappings = certificate.policyMappings ?? [];
    if (mappings.some(({ issuer, subject }) => issuer === anyPolicy || subject === anyPolicy)) return undefined;
    for (const id of new Set(mappings.map(({ issuer }) => issuer))) {
      if (root === undefined) break;
      const subjects = mappings.filter(({ issuer }) => issuer === id).map(({ subject }) => subject);
      const same = at(root, i).filter(({ policy }) => policy === id);
      if (mapping > 0) {
        for (const one of same) one.expected = new Set(subjects);
        if (same.length === 0 && at(root, i).some(({ policy }) => policy === anyPolicy)) {
          const parent = at(root, i - 1).find(({ policy }) => policy === anyPolicy)!;
          node(id, subjects, parent);
        }
      } else {
        for (const one of same) one.parent!.children = one.parent!.children.filter((child) => child !== one);
        root = pruned(root, i);
      }
    }
    if (!selfIssued) {
      if (explicit > 0) explicit--;
      if (mapping > 0) mapping--;
      if (inhibitAny > 0) inhibitAny--;
    }
    const { requireExplicitPolicy, inhibitPolicyMapping } = certificate.policyConstraints ?? {};
    if (requireExplicitPolicy !== undefined && requireExplicitPolicy < explicit) explicit = requireExplicitPolicy;
    if (inhibitPolicyMapping !== undefined && inhibitPolicyMapping < mapping) mapping = inhibitPolicyMapping;
    if (certificate.inhibitAnyPolicy !== undefined && certificate.inhibitAnyPolicy < inhibitAny) {
      inhibitAny = certificate.inhibitAnyPolicy;
    }
  }
  // 6.1.5
  if (explicit > 0) explicit--;
  if (path.at(-1)?.policyConstraints?.requireExplicitPolicy === 0) explicit = 0;
  if (root !== undefined && !inputs.initialPolicies.includes(anyPolicy)) {
    const wanted = new Set(inputs.initialPolicies);
    const set = below(root).filter(({ parent }) => parent?.policy === anyPolicy);
    for (const one of set) {
      if (one.policy === anyPolicy || wanted.has(one.policy)) continue;
      one.parent!.children = one.parent!.children.filter((child) => child !== one);
    }
    const any = at(root, n).find(({ policy }) => policy === anyPolicy);
    if (any !== undefined) {
      for (const policy of wanted) {
        if (!set.some((one) => one.policy === policy)) node(policy, [policy], any.parent);
      }
      any.parent!.children = any.parent!.children.filter((child) => child !== any);
    }
    root = pruned(root, n);
  }
  if (explicit === 0 && root === undefined) return undefined;
  const found = new Set<string>();
  for (const one of root === undefined ? [] : below(root)) {
    if (one.parent?.policy === anyPolicy && (one.policy !== anyPolicy || one.depth === n)) found.add(one.policy);
  }
  return found;
}

function node(policy: string, expected: readonly string[], parent: Node | undefined): Node {
  const made: Node = { policy, expected: new Set(expected), parent, depth: (parent?.depth ?? -1) + 1, children: [] };
  parent?.children.push(made);
  return made;
}

function below(root: Node): Node[] {
  return [root, ...root.children.flatMap(below)];
}

function at(root: Node, depth: number): Node[] {
  return below(root).filter((one) => one.depth === depth);
}

/** (d)(3): without nodes above `depth` that have no children; undefined where nothing is left. */
function pruned(root: Node, depth: number): Node | undefined {
  root.children = root.children.filter((child) => pruned(child, depth) !== undefined);
  return root.depth < depth && root.children.length === 0 ? undefined : root;
}
