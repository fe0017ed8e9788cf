/** Runs test vectors of certification paths and of S/MIME entities. */

import { E2eError, Jid, type StoredIdentity } from '../index.ts';
import type { Facts, Vector, VectorGroup } from './vector-file.ts';
import { policyOf } from './vector-policy.ts';

function octets(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/**
 * Validates the path from the certificate that is the input.
 *
 * @throws {E2eError} MALFORMED, LIMIT; SENDER_MISMATCH where it does not name `from`
 */
export async function vectorPath(vector: Vector, group: VectorGroup): Promise<Facts> {
  const { certificateNames, parseCertificate, parseCrl, validatePath } = await import('../backends/smime/index.ts');
  const read = (list: readonly string[] = []) => list.map((one) => parseCertificate(octets(one)));
  const certificate = parseCertificate(octets(vector.input));
  const { outcome, chain, trust, failing, policies } = await validatePath({
    certificate,
    intermediates: read(vector.intermediates),
    anchors: read(vector.anchors ?? group.anchors),
    pinned: read(vector.certificates),
    crls: (vector.crls ?? []).map((one) => parseCrl(octets(one))),
    revocation: vector.revocation,
    at: new Date(vector.at ?? group.at ?? ''),
    purpose: vector.purpose ?? 'sign',
    extendedKeyUsages: vector.extendedKeyUsages ?? group.extendedKeyUsages,
    policies: vector.policies,
  });
  if (outcome !== 'trusted') {
    const code = outcome === 'weak' ? 'ERR_E2E_WEAK_ALGORITHM' : 'ERR_E2E_SIGNER_UNTRUSTED';
    // Where no path was found, the chain is the target alone.
    const place = chain.findIndex((one) => one === failing);
    return { code, stage: 'verify', outcome, failing: place === -1 ? undefined : place };
  }
  const { from: identity } = vector;
  if (identity !== undefined && !certificateNames(certificate).jids.includes(Jid.parse(identity).toString())) {
    throw new E2eError('ERR_E2E_SENDER_MISMATCH', 'check');
  }
  return { outcome, trust, chain: chain.length, policies: [...policies].sort() };
}

/**
 * Opens the S/MIME entity, or the bare CMS object, that is the input.
 *
 * @throws {E2eError} every code of `openEntity`
 */
export async function vectorEntity(
  vector: Vector,
  group: VectorGroup,
  keys: readonly StoredIdentity[],
): Promise<Facts> {
  const { openEntity } = await import('../backends/smime/index.ts');
  const { from: identity } = vector;
  const { content, trust, names } = await openEntity(octets(vector.input), {
    at: new Date(vector.at ?? group.at ?? ''),
    keys,
    certificates: (vector.certificates ?? []).map(octets),
    intermediates: (vector.intermediates ?? []).map(octets),
    trust: { anchors: (vector.anchors ?? group.anchors ?? []).map(octets), crls: (vector.crls ?? []).map(octets) },
    extendedKeyUsages: vector.extendedKeyUsages ?? group.extendedKeyUsages,
    identity: identity === undefined ? undefined : ({ jids }) => jids.includes(Jid.parse(identity).toString()),
    policy: policyOf(vector.policy ?? group.policy).algorithms,
  });
  return { output: Buffer.from(content).toString('utf8'), trust, sender: names?.jids[0] ?? null };
}
