/** Describes a layer by what is public in it: no key is used, and nothing in it is verified. */

import type { LayerDescription } from '../backend.ts';
import { oids, oidName } from '../../asn1/oids.ts';
import { hex } from '../../bytes.ts';
import type { CertificateIdentifier } from '../../cms/certificate-identifier.ts';
import { parseAttributes } from '../../cms/attributes.ts';
import { parseEnveloped } from '../../cms/enveloped-data.ts';
import type { Recipient } from '../../cms/recipients.ts';
import { readSignedAttributes } from '../../cms/signed-attributes.ts';
import { parseSignedData } from '../../cms/signed-data.ts';
import type { SignerInfo } from '../../cms/signer-info.ts';
import { parseDer } from '../../asn1/reader.ts';
import { hashOf } from '../../crypto/hash-algorithm.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import type { Entity } from '../../mime/entity.ts';
import { parseDistinguishedName } from '../../x509/distinguished-name.ts';
import { candidateCertificates } from './certificates.ts';
import { cmsOctets, isMultipartSigned, recognize } from './cms-object.ts';
import { algorithmName, parseSignedEntity, type SignedParts } from './verify.ts';

type Fact = readonly [name: string, value: string];

/**
 * Describes a layer.
 *
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export async function inspectEntity(entity: Entity, limits: Limits, crypto: CryptoProvider): Promise<LayerDescription> {
  const kind = recognize(entity);
  if (kind === undefined) throw new E2eError('ERR_E2E_UNSUPPORTED', 'unwrap', { reason: 'no object of S/MIME' });
  if (kind === 'encrypted') return describeEncrypted(entity, limits);
  const certificates = await describeCertificates(entity, limits, crypto);
  if (kind === 'certificates') {
    const { crls } = parseSignedData(cmsOctets(entity, 'parse'), limits, 'parse');
    const facts = [...certificates, ...revocationFacts(crls.length)];
    return { kind, title: 'CMS certificates', facts, warnings: [], content: undefined };
  }
  return describeSigned(entity, parseSignedEntity(entity, limits), certificates);
}

function describeEncrypted(entity: Entity, limits: Limits): LayerDescription {
  const { kind, encryption, recipients, ciphertext } = parseEnveloped(cmsOctets(entity, 'decrypt'), limits);
  const facts: Fact[] = [
    ['cipher', encryption.cipher],
    ['authenticated', encryption.aead ? 'yes' : 'no'],
    ['octets', String(ciphertext.length)],
    ...recipients.map((recipient: Recipient): Fact => [
      'recipient',
      `${identifierText(recipient.identifier, limits)} (${recipient.label})`,
    ]),
  ];
  const warnings: string[] = [];
  if (!encryption.aead) warnings.push('CBC: anybody on the way can change the content unless it is signed inside');
  if (encryption.keyTransport.includes('rsa-pkcs1v15')) warnings.push('RSA PKCS #1 v1.5 key transport');
  const title = kind === 'enveloped-data' ? 'CMS EnvelopedData' : 'CMS AuthEnvelopedData';
  return { kind: 'encrypted', title, facts, warnings, content: undefined };
}

function describeSigned(
  entity: Entity,
  { signedData, detached }: SignedParts,
  certificates: readonly Fact[],
): LayerDescription {
  const form = isMultipartSigned(entity) ? 'multipart/signed' : 'content inside';
  const facts: Fact[] = [
    ['form', form],
    ...signedData.signerInfos.flatMap(signerFacts),
    ...certificates,
    ...revocationFacts(signedData.crls.length),
  ];
  const warnings: string[] = [];
  if (signedData.signerInfos.length === 0) warnings.push('nobody signed it');
  if (signedData.eContentType !== oids.data) {
    warnings.push(`content of type ${oidName(signedData.eContentType) ?? signedData.eContentType}`);
  }
  if (detached !== undefined && signedData.eContent !== undefined) warnings.push('two contents');
  for (const { digestAlgorithm, signedAttributes } of signedData.signerInfos) {
    if (hashOf(digestAlgorithm) === 'sha1') warnings.push('SHA-1');
    if (signedAttributes === undefined) warnings.push('no signed attributes');
  }
  const content = detached ?? signedData.eContent;
  return { kind: 'signed', title: 'CMS SignedData', facts, warnings, content };
}

function signerFacts(signerInfo: SignerInfo): readonly Fact[] {
  const { identifier, limits, signedAttributes } = signerInfo;
  const facts: Fact[] = [
    ['signer', identifierText(identifier, limits)],
    ['signature', algorithmName(signerInfo)],
  ];
  if (signedAttributes === undefined) return facts;
  try {
    const { signingTime } = readSignedAttributes(parseAttributes(signedAttributes));
    if (signingTime !== undefined) facts.push(['claimed time', signingTime.toISOString()]);
  } catch (error) {
    if (!(error instanceof E2eError)) throw error;
    facts.push(['signed attributes', 'malformed']);
  }
  return facts;
}

async function describeCertificates(entity: Entity, limits: Limits, crypto: CryptoProvider): Promise<readonly Fact[]> {
  const candidates = await candidateCertificates(entity, limits, crypto);
  return candidates.map(({ summary }): Fact => {
    const names = summary.jids.length === 0 ? '' : `, names ${summary.jids.join(' ')}`;
    return ['certificate', `${summary.subject} (${summary.algorithm}, ${summary.fingerprint}${names})`];
  });
}

function revocationFacts(count: number): readonly Fact[] {
  return count === 0 ? [] : [['revocation lists', String(count)]];
}

function identifierText(identifier: CertificateIdentifier, limits: SignerInfo['limits']): string {
  if (identifier.kind === 'key-identifier') return `key ${hex(identifier.keyIdentifier)}`;
  const serial = hex(identifier.serial);
  try {
    return `${parseDistinguishedName(parseDer(identifier.issuer, { limits })).text}, serial ${serial}`;
  } catch (error) {
    if (error instanceof E2eError) return `serial ${serial}`;
    throw error;
  }
}
