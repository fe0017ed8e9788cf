/** Certificates and revocation lists for tests: read from files of test data, or issued by test CAs. */
import { oids } from '../../../src/asn1/oids.ts';
import { timeElement } from '../../../src/asn1/time.ts';
import {
  type DerPart,
  der,
  derBitString,
  derContext,
  derInteger,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { utf8 } from '../../../src/bytes.ts';
import { provider as crypto } from '../../../src/crypto/node.ts';
import type { KeyPair, SignatureAlgorithm } from '../../../src/crypto/provider.ts';
import { serializeSignatureAlgorithm } from '../../../src/crypto/signature-algorithm.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import { type Certificate, parseCertificate } from '../../../src/x509/certificate.ts';
import type { KeyUsage } from '../../../src/x509/certificate-extensions.ts';
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  commonName,
  extendedKeyUsageExtension,
  keyIdentifier,
  keyUsageExtension,
  signCertificate,
  subjectKeyIdExtension,
} from '../../../src/x509/certificate-writer.ts';
import { type Crl, parseCrl } from '../../../src/x509/crl.ts';
import { serializeExtension } from '../../../src/x509/extension.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { corpus } from '../../shared-data.ts';

export { crypto, defaultLimits };

/** Test data of others holds larger certificates than the defaults allow. */
export const wideLimits = limitsWith({ certificateBytes: 1 << 20 });

/** Every certificate in a PEM file of test data. */
export function certificatesOf(path: string, limits = wideLimits): Certificate[] {
  return parsePem(corpus(path))
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ der: octets }) => parseCertificate(octets, limits));
}

/** When test certificates are judged; they are valid for a year around it. */
export const now = new Date('2026-06-01T00:00:00Z');

/** A moment so many days after {@link now}. */
export function daysFromNow(days: number): Date {
  return new Date(now.getTime() + days * 86_400_000);
}

/** A certificate with its key. */
export interface Issued {
  readonly certificate: Certificate;
  readonly keys: KeyPair;
  readonly name: Uint8Array;
}

export interface IssueOptions {
  readonly subject: string;
  /** Self-signed unless given. */
  readonly issuer?: Issued | undefined;
  /** A CA with this path length; `true` for a CA without; an end entity unless given. */
  readonly ca?: number | boolean | undefined;
  readonly keyUsage?: readonly KeyUsage[] | undefined;
  readonly extendedKeyUsage?: readonly string[] | undefined;
  readonly extensions?: readonly DerPart[] | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  /** Another certificate for the same key. */
  readonly keys?: KeyPair | undefined;
  readonly serial?: Uint8Array | undefined;
  /** Value of subjectKeyIdentifier; SHA-1 of the key unless given. */
  readonly keyId?: Uint8Array | undefined;
  /** Leave basicConstraints out. */
  readonly noBasicConstraints?: boolean | undefined;
  readonly algorithm?: SignatureAlgorithm | undefined;
}

const ed25519: SignatureAlgorithm = { scheme: 'ed25519' };

export async function issue(options: IssueOptions): Promise<Issued> {
  const keys = options.keys ?? (await crypto.generateKeyPair({ algorithm: 'ed25519' }));
  const name = commonName(options.subject);
  const { issuer = { keys, name }, ca = false } = options;
  const usages: readonly KeyUsage[] =
    options.keyUsage ?? (ca === false ? ['digitalSignature'] : ['keyCertSign', 'cRLSign']);
  const pathLength = typeof ca === 'number' ? ca : undefined;
  const extensions = [
    ...(options.noBasicConstraints === true ? [] : [basicConstraintsExtension(ca !== false, pathLength)]),
    ...(usages.length === 0 ? [] : [keyUsageExtension(usages)]),
    ...(options.extendedKeyUsage === undefined ? [] : [extendedKeyUsageExtension(options.extendedKeyUsage)]),
    subjectKeyIdExtension(options.keyId ?? (await keyIdentifier(keys.publicKey, crypto))),
    authorityKeyIdExtension(await keyIdentifier(issuer.keys.publicKey, crypto)),
    ...(options.extensions ?? []),
  ];
  const octets = await signCertificate(
    {
      serial: options.serial ?? crypto.randomBytes(15),
      issuer: issuer.name,
      subject: name,
      notBefore: options.notBefore ?? daysFromNow(-180),
      notAfter: options.notAfter ?? daysFromNow(180),
      publicKey: keys.publicKey,
      extensions,
    },
    { key: issuer.keys.privateKey, algorithm: options.algorithm ?? ed25519 },
    crypto,
  );
  return { certificate: parseCertificate(octets, defaultLimits), keys, name };
}

export interface RevokedInput {
  readonly serial: Uint8Array;
  readonly date?: Date | undefined;
  readonly reason?: number | undefined;
  readonly invalidityDate?: Date | undefined;
  /** The issuer named by the entry of an indirect list. */
  readonly certificateIssuer?: Uint8Array | undefined;
  readonly extensions?: readonly DerPart[] | undefined;
}

export interface CrlInput {
  readonly issuer: Issued;
  readonly revoked?: readonly RevokedInput[] | undefined;
  readonly thisUpdate?: Date | undefined;
  readonly nextUpdate?: Date | null | undefined;
  readonly number?: number | undefined;
  readonly baseNumber?: number | undefined;
  /** IssuingDistributionPoint fields, already encoded. */
  readonly scope?: readonly DerPart[] | undefined;
  readonly extensions?: readonly DerPart[] | undefined;
  /** Version 1: without any extension. */
  readonly version1?: boolean | undefined;
  /** Sign with another key than the issuer's. */
  readonly signWith?: KeyPair | undefined;
}

export async function issueCrl(input: CrlInput): Promise<Crl> {
  const { issuer, revoked = [], signWith = issuer.keys, nextUpdate = daysFromNow(30), number = 1 } = input;
  const keyId = await keyIdentifier(signWith.publicKey, crypto);
  const algorithm = serializeSignatureAlgorithm(ed25519);
  const entries = revoked.map((entry) => {
    const extensions = [
      ...(entry.reason === undefined
        ? []
        : [serializeExtension(oids.reasonCode, false, der(0x0a, Uint8Array.of(entry.reason)))]),
      ...(entry.invalidityDate === undefined
        ? []
        : [serializeExtension(oids.invalidityDate, false, generalizedTime(entry.invalidityDate))]),
      ...(entry.certificateIssuer === undefined
        ? []
        : [serializeExtension(oids.certificateIssuer, true, derSequence(directoryName(entry.certificateIssuer)))]),
      ...(entry.extensions ?? []),
    ];
    return derSequence(
      der(0x02, entry.serial),
      timeElement(entry.date ?? daysFromNow(-10)),
      ...(extensions.length === 0 ? [] : [derSequence(...extensions)]),
    );
  });
  const extensions = [
    authorityKeyIdExtension(keyId),
    serializeExtension(oids.crlNumber, false, derInteger(number)),
    ...(input.baseNumber === undefined
      ? []
      : [serializeExtension(oids.deltaCrlIndicator, true, derInteger(input.baseNumber))]),
    ...(input.scope === undefined
      ? []
      : [serializeExtension(oids.issuingDistributionPoint, true, derSequence(...input.scope))]),
    ...(input.extensions ?? []),
  ];
  const tbs = encodeDer(
    derSequence(
      ...(input.version1 === true ? [] : [derInteger(1)]),
      algorithm,
      issuer.name,
      timeElement(input.thisUpdate ?? daysFromNow(-1)),
      ...(nextUpdate === null ? [] : [timeElement(nextUpdate)]),
      ...(entries.length === 0 ? [] : [derSequence(...entries)]),
      ...(input.version1 === true ? [] : [derContext(0, derSequence(...extensions))]),
    ),
  );
  const signature = await crypto.sign(signWith.privateKey, ed25519, tbs);
  return parseCrl(encodeDer(derSequence(tbs, algorithm, derBitString(signature))), defaultLimits);
}

function generalizedTime(date: Date): DerPart {
  return der(0x18, utf8(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

/** A directoryName general name. */
export function directoryName(name: Uint8Array): DerPart {
  return derContext(4, name);
}

/** A URI general name. */
export function uriName(uri: string): DerPart {
  return der(0x86, utf8(uri));
}

/** The distributionPoint field of IssuingDistributionPoint or DistributionPoint, with a full name. */
export function fullName(...names: readonly DerPart[]): DerPart {
  return derContext(0, derContext(0, ...names));
}

/** A BOOLEAN TRUE field of IssuingDistributionPoint. */
export function flag(number: number): DerPart {
  return der(0x80 | number, Uint8Array.of(0xff));
}

/** ReasonFlags under a context tag, from bit numbers below 8. */
export function reasonFlags(tag: number, ...bits: readonly number[]): DerPart {
  let octet = 0;
  for (const bit of bits) octet |= 0x80 >> bit;
  const unused = Math.min(...bits.map((bit) => 7 - bit));
  return der(0x80 | tag, Uint8Array.of(unused, octet));
}

/** A cRLDistributionPoints extension of points given as encoded fields. */
export function distributionPoints(...points: readonly (readonly DerPart[])[]): DerPart {
  return serializeExtension(
    oids.crlDistributionPoints,
    false,
    derSequence(...points.map((fields) => derSequence(...fields))),
  );
}

/** A certificatePolicies extension. */
export function policiesExtension(...policies: readonly string[]): DerPart {
  const value = derSequence(...policies.map((policy) => derSequence(derOid(policy))));
  return serializeExtension(oids.certificatePolicies, false, value);
}

/** A policyMappings extension of pairs [issuer's policy, subject's policy]. */
export function mappingsExtension(...pairs: readonly (readonly [string, string])[]): DerPart {
  const value = derSequence(...pairs.map(([from, to]) => derSequence(derOid(from), derOid(to))));
  return serializeExtension(oids.policyMappings, true, value);
}

/** A policyConstraints extension. */
export function policyConstraintsExtension(requireExplicit?: number, inhibitMapping?: number): DerPart {
  const fields: DerPart[] = [];
  if (requireExplicit !== undefined) fields.push(der(0x80, Uint8Array.of(requireExplicit)));
  if (inhibitMapping !== undefined) fields.push(der(0x81, Uint8Array.of(inhibitMapping)));
  return serializeExtension(oids.policyConstraints, true, derSequence(...fields));
}

/** An inhibitAnyPolicy extension. */
export function inhibitAnyExtension(skip: number): DerPart {
  return serializeExtension(oids.inhibitAnyPolicy, true, derInteger(skip));
}

export { serializeExtension };
