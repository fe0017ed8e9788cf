/** Certificates that arrive in a message or a file (RFC 3156 section 7). */

import { E2eError } from '../../errors.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import type { Entity } from '../../mime/entity.ts';
import { decodeBody } from '../../mime/transfer-encoding.ts';
import type { CandidateCertificate, CertificateSummary } from '../backend.ts';
import { certificateOf } from './certificate.ts';
import { isArmored } from './armor.ts';
import { recognizeForm } from './mime.ts';
import { parseKey, splitKeys } from './parse-keys.ts';
import { describe } from './summary.ts';

const stage = 'parse';

/**
 * The certificates of an application/pgp-keys entity, or of a bare certificate. Candidates: nothing is filed.
 *
 * @returns none for an entity of another kind
 * @throws {E2eError} MALFORMED, also for secret keys, which nobody sends on purpose; LIMIT, UNSUPPORTED
 */
export async function importCertificates(entity: Entity, limits: Limits): Promise<readonly CandidateCertificate[]> {
  if (recognizeForm(entity) !== 'certificates') return [];
  const file = entity.contentType === undefined ? entity.body : decodeBody(entity, stage);
  // RFC 3156 section 7: the body is armored.
  if (entity.contentType !== undefined && !isArmored(file)) {
    throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'application/pgp-keys without armor' });
  }
  return readCertificates(file, limits);
}

async function readCertificates(file: Uint8Array, limits: Limits): Promise<readonly CandidateCertificate[]> {
  if (file.length > 2 * limits.certificateBytes * limits.certificates) throw tooLarge();
  const blocks = splitKeys(file, stage);
  if (blocks.length > limits.certificates) {
    throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'OpenPGP certificates' });
  }
  const candidates: CandidateCertificate[] = [];
  const now = Math.floor(Date.now() / 1000);
  for (const block of blocks) {
    if (block.kind === 'secret') throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'a secret key' });
    if (block.data.length > limits.certificateBytes) throw tooLarge();
    const certificate = await certificateOf([await parseKey(block, limits, stage)], limits);
    candidates.push({ data: block.data, summary: describe(certificate, now) });
  }
  return candidates;
}

function tooLarge(): E2eError {
  return new E2eError('ERR_E2E_LIMIT', stage, { reason: 'size of an OpenPGP certificate' });
}

/**
 * Describes one certificate.
 *
 * @param data armored or binary
 * @param options limits; the time at which its self-signatures count, now by default
 * @throws {E2eError} MALFORMED for anything but exactly one certificate; LIMIT, UNSUPPORTED
 */
export async function describeCertificate(
  data: Uint8Array,
  options: { readonly at?: Date; readonly limits?: Limits } = {},
): Promise<CertificateSummary> {
  const { at = new Date(), limits = defaultLimits } = options;
  const [block, ...more] = splitKeys(data, stage);
  if (more.length > 0 || block!.kind !== 'public') {
    throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'not one OpenPGP certificate' });
  }
  const certificate = await certificateOf([await parseKey(block!, limits, stage)], limits);
  return describe(certificate, Math.floor(at.getTime() / 1000));
}
