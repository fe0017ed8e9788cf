/**
 * Random certification graphs judged by OpenSSL and here. A path that is accepted here must be one that OpenSSL accepts
 * too when it is shown nothing else (it takes the first path that it finds, so that more certificates can lead it
 * astray); what OpenSSL accepts and is refused here must have one of the reasons below.
 */
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes } from '../../src/bytes.ts';
import { oids } from '../../src/asn1/oids.ts';
import { type PathValidation, validatePath } from '../../src/x509/path-validation.ts';
import { noPolicyInputs } from '../../src/x509/policy-graph.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { hasProgram, runs } from '../shared-data.ts';
import { openssl } from '../unit/smime/openssl.ts';
import { policiesByTree } from '../unit/x509/policy-tree.ts';
import { type RandomGraph, randomGraph } from '../unit/x509/random-paths.ts';
import { crypto, defaultLimits, now } from '../unit/x509/support.ts';

/** Why a path may be refused here that OpenSSL accepts. */
const stricter: Readonly<Record<string, string>> = {
  'policy mapping to or from anyPolicy': 'there, mappings count only in a certificate with policies',
};

describe.skipIf(!hasProgram('openssl', 'version'))('OpenSSL and this validator on random graphs', () => {
  const program = openssl();
  const pem = (objects: readonly { readonly der: Uint8Array }[], name: string, label = 'CERTIFICATE'): string =>
    program.file(name, concatBytes(...objects.map(({ der }) => serializePem(label, der))));

  function byOpenssl(graph: RandomGraph): { readonly ok: boolean; readonly stderr: string } {
    const { target, intermediates, anchors, crls, policies } = graph;
    return program.attempt([
      'verify',
      ...['-attime', String(now.getTime() / 1000), '-purpose', 'smimesign', '-policy_check'],
      ...(policies.initialPolicies ?? []).flatMap((policy) => ['-policy', policy]),
      ...(policies.requireExplicitPolicy === true ? ['-explicit_policy'] : []),
      ...(policies.inhibitPolicyMapping === true ? ['-inhibit_map'] : []),
      ...(policies.inhibitAnyPolicy === true ? ['-inhibit_any'] : []),
      ...(crls === undefined ? [] : ['-crl_check_all', '-extended_crl']),
      ...(crls === undefined || crls.length === 0 ? [] : ['-CRLfile', pem(crls, 'crls.pem', 'X509 CRL')]),
      ...['-CAfile', pem(anchors, 'anchors.pem')],
      ...(intermediates.length === 0 ? [] : ['-untrusted', pem(intermediates, 'others.pem')]),
      pem([target], 'target.pem'),
    ]);
  }

  function here(graph: RandomGraph): Promise<PathValidation> {
    return validatePath({
      certificate: graph.target,
      intermediates: graph.intermediates,
      anchors: graph.anchors,
      crls: graph.crls,
      revocation: graph.crls === undefined ? 'if-available' : 'required',
      policies: graph.policies,
      at: now,
      limits: defaultLimits,
      crypto,
      purpose: 'sign',
      extendedKeyUsages: [oids.emailProtection],
    });
  }

  const errorsOf = (stderr: string): string[] => stderr.split('\n').filter((line) => line.startsWith('error '));

  /** Two verdicts of OpenSSL that others must bear out. */
  function excused(stderr: string, { policies, intermediates }: RandomGraph, { chain }: PathValidation): boolean {
    const [error = ''] = errorsOf(stderr);
    // 43, no explicit policy: anyPolicy covers less there than RFC 5280 says where others stand beside it. Ask the tree.
    if (error.startsWith('error 43 ')) {
      return policiesByTree(chain.slice(0, -1).reverse(), { ...noPolicyInputs, ...policies }) !== undefined;
    }
    // 35, no cRLSign: another certificate for that name and key has it, which is not in the path.
    if (!error.startsWith('error 35 ')) return false;
    return intermediates.some(
      (other) =>
        !chain.includes(other) &&
        other.keyUsage?.has('cRLSign') !== false &&
        chain.some(
          (one) => one.subject.key === other.subject.key && equalBytes(one.publicKey.spki, other.publicKey.spki),
        ),
    );
  }

  it('agree, or this one is stricter', { timeout: 600_000 }, async () => {
    const counts = { trusted: 0, refused: 0, astray: 0, stricter: 0 };
    const wrong: string[] = [];
    for (let seed = 1; seed <= runs(600); seed++) {
      const graph = await randomGraph(seed);
      const ours = await here(graph);
      const theirs = byOpenssl(graph);
      if (ours.outcome === 'trusted') {
        counts.trusted++;
        if (theirs.ok) continue;
        const alone = byOpenssl({ ...graph, intermediates: ours.chain.slice(1, -1) });
        if (alone.ok || excused(alone.stderr, graph, ours)) counts.astray++;
        else wrong.push(`${seed}: accepted here; openssl: ${errorsOf(alone.stderr).join('; ')}`);
      } else {
        counts.refused++;
        if (!theirs.ok) continue;
        counts.stricter++;
        if (!(ours.reason in stricter)) wrong.push(`${seed}: ${ours.outcome} here: ${ours.reason}`);
      }
    }
    expect(counts.trusted).toBeGreaterThan(runs(600) / 5);
    expect(counts.refused).toBeGreaterThan(runs(600) / 5);
    expect(wrong).toEqual([]);
  });
});
