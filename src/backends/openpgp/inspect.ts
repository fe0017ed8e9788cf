/** What shows of a layer without any key: public facts and warnings, nothing verified. */

import { hex } from '../../bytes.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import type { Entity } from '../../mime/entity.ts';
import type { LayerDescription } from '../backend.ts';
import { readEnvelope } from './decrypt.ts';
import { cipherText } from './encrypted-data.ts';
import { importCertificates } from './import.ts';
import { intendedRecipients } from './intended.ts';
import { issuerName } from './judge.ts';
import { keyIdBytes, type MessageSignature } from './library.ts';
import { recognizeForm, type Surround, unwrapEncrypted, unwrapSigned } from './mime.ts';
import { hashName, transportName } from './names.ts';
import { weakHashes } from './safe-config.ts';
import { readSigned } from './verify.ts';

type Fact = readonly [name: string, value: string];

/**
 * Describes a layer.
 *
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED; NOT_SEALED for an entity that is no OpenPGP layer
 */
export async function inspect(entity: Entity, limits: Limits, surround: Surround): Promise<LayerDescription> {
  switch (recognizeForm(entity, surround)) {
    case 'encrypted':
      return inspectEncrypted(entity, limits, surround);
    case 'signed':
      return inspectSigned(entity, limits, surround);
    case 'certificates':
      return inspectCertificates(entity, limits);
    default:
      throw new E2eError('ERR_E2E_NOT_SEALED', 'unwrap', { reason: 'no OpenPGP layer' });
  }
}

function inspectEncrypted(entity: Entity, limits: Limits, surround: Surround): LayerDescription {
  const { data, recipients, passwords, keyTransport } = envelopeIn(entity, limits, surround);
  const facts: Fact[] = [
    ['form', formOf(entity)],
    ['cipher', cipherText(data, data.cipher)],
    ['integrity', data.version === 1 ? 'modification detection code' : 'AEAD'],
    ['key transport', keyTransport.join(', ')],
    ...recipients.map(({ id, algorithm }): Fact => ['recipient', `${id ?? 'hidden'} (${transportName(algorithm)})`]),
  ];
  const warnings: string[] = [];
  if (passwords > 0) warnings.push('can be opened with a password');
  if (recipients.length === 0) warnings.push('names no recipient that can be read');
  const titles = { 1: 'OpenPGP SEIPD v1', 2: 'OpenPGP SEIPD v2', libre: 'LibrePGP AEAD' } as const;
  return { kind: 'encrypted', title: titles[data.version], facts, warnings, content: undefined };
}

/** What is too weak to be decrypted is not described either; no policy is asked here, so it is not called weak. */
function envelopeIn(entity: Entity, limits: Limits, surround: Surround): ReturnType<typeof readEnvelope> {
  try {
    return readEnvelope(unwrapEncrypted(entity, limits, surround), limits);
  } catch (error) {
    if (!(error instanceof E2eError) || error.code !== 'ERR_E2E_WEAK_ALGORITHM') throw error;
    throw new E2eError('ERR_E2E_UNSUPPORTED', error.stage, { reason: error.reason });
  }
}

async function inspectSigned(entity: Entity, limits: Limits, surround: Surround): Promise<LayerDescription> {
  const form = unwrapSigned(entity, limits, surround);
  const { content, signatures } = await readSigned(form, limits);
  const facts: Fact[] = [['form', formOf(entity)]];
  const warnings: string[] = [];
  for (const signature of signatures) {
    if (signature === undefined) warnings.push('a signature of unknown version or algorithm');
    else {
      facts.push(...signatureFacts(signature));
      if (weakHashes.has(signature.hashAlgorithm ?? 0)) warnings.push('the hash is too weak');
      const micalg = `pgp-${hashName(signature.hashAlgorithm)}`;
      if ('micalg' in form && form.micalg !== micalg) warnings.push('micalg names another hash than the signature');
    }
  }
  if (signatures.length === 0) warnings.push('no signature');
  return { kind: 'signed', title: 'OpenPGP signature', facts, warnings, content };
}

function signatureFacts(signature: MessageSignature): readonly Fact[] {
  const facts: Fact[] = [
    ['signer', issuerName(signature)],
    ['key id', hex(keyIdBytes(signature.issuerKeyID))],
    ['hash', hashName(signature.hashAlgorithm)],
    ['signed at', signature.created.toISOString()],
  ];
  for (const fingerprint of intendedRecipients(signature)) facts.push(['intended recipient', fingerprint]);
  return facts;
}

async function inspectCertificates(entity: Entity, limits: Limits): Promise<LayerDescription> {
  const candidates = await importCertificates(entity, limits);
  const facts = candidates.flatMap(({ summary }): Fact[] => [
    ['certificate', summary.fingerprint],
    ['user id', summary.subject],
    ['algorithm', summary.algorithm],
    ...summary.jids.map((jid): Fact => ['jid', jid]),
  ]);
  return { kind: 'certificates', title: 'OpenPGP certificates', facts, warnings: [], content: undefined };
}

function formOf({ contentType }: Entity): string {
  return contentType === undefined ? 'bare OpenPGP message' : contentType.type;
}
