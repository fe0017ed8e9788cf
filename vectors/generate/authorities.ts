/**
 * Certification authorities of the test vectors. Everything is the same in every run: Ed25519 and RSA keys come from
 * their labels by SHA-256, serial numbers from those of the vectors, and both kinds of signature have no randomness.
 */
import { checkPrimeSync, createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { oids } from '../../src/asn1/oids.ts';
import { timeElement } from '../../src/asn1/time.ts';
import {
  type DerPart,
  der,
  derBitString,
  derContext,
  derInteger,
  derNull,
  derOid,
  derSequence,
  derSetOf,
  encodeDer,
} from '../../src/asn1/writer.ts';
import { utf8 } from '../../src/bytes.ts';
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  commonName,
  extendedKeyUsageExtension,
  keyUsageExtension,
  subjectKeyIdExtension,
} from '../../src/x509/certificate-writer.ts';
import { type KeyUsage } from '../../src/x509/certificate-extensions.ts';
import { serializeExtension } from '../../src/x509/extension.ts';

/** When the vectors are judged; certificates are valid for a year around it. */
export const now = new Date('2026-06-01T00:00:00Z');

/** A moment so many days after {@link now}. */
export function daysFromNow(days: number): Date {
  return new Date(now.getTime() + days * 86_400_000);
}

/** Octets that follow from a label. */
export function seeded(label: string, length: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash('sha256').update(`${label}/${i}`).digest());
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
}

/** A key pair with both halves as DER. */
export interface Keys {
  readonly kind: 'ed25519' | 'rsa';
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
}

function keysOf(kind: Keys['kind'], privateKey: KeyObject): Keys {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { kind, privateKey, spki: new Uint8Array(spki) };
}

/** The Ed25519 key of a label (RFC 8410 section 7). */
export function ed25519Keys(label: string): Keys {
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seeded(`ed25519 ${label}`, 32)]);
  return keysOf('ed25519', createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
}

function integer(octets: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`);
}

function unsigned(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
}

/** The first prime p of 2^(bits-1) and more from a label with p - 1 coprime to the exponent. */
function prime(label: string, bits: number, exponent: bigint): bigint {
  const start = integer(seeded(label, bits / 8)) | (3n << BigInt(bits - 2)) | 1n;
  for (let p = start; ; p += 2n) if ((p - 1n) % exponent !== 0n && checkPrimeSync(p)) return p;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % modulus) + modulus) % modulus;
}

/** The RSA key of a label. */
export function rsaKeys(label: string, bits: number): Keys {
  const e = 65_537n;
  const p = prime(`rsa p ${label}`, bits / 2, e);
  const q = prime(`rsa q ${label}`, bits / 2, e);
  const d = inverse(e, (p - 1n) * (q - 1n));
  const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const fields = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, unsigned(value)]));
  return keysOf('rsa', createPrivateKey({ key: { kty: 'RSA', ...fields }, format: 'jwk' }));
}

/** A certificate with the means to issue others. */
export interface Authority {
  readonly der: Uint8Array;
  readonly keys: Keys;
  readonly name: Uint8Array;
  readonly issuerName: Uint8Array;
  readonly serial: Uint8Array;
}

/** How a certificate or list is signed. */
export type Hash = 'md5' | 'sha1' | 'sha256';

/** What a certificate says; everything has a usual value. */
export interface CertificateOptions {
  /** Self-signed unless given. */
  readonly issuer?: Authority | undefined;
  /** The common name, or a whole name in DER. */
  readonly name: string | Uint8Array;
  /** A CA with this path length, `true` for one without. */
  readonly ca?: number | boolean | undefined;
  /** Replaces basicConstraints; null for none. */
  readonly basicConstraints?: DerPart | null | undefined;
  /** Empty for no extension. */
  readonly keyUsage?: readonly KeyUsage[] | undefined;
  readonly extendedKeyUsage?: readonly string[] | undefined;
  readonly extensions?: readonly DerPart[] | undefined;
  readonly notBefore?: Date | DerPart | undefined;
  readonly notAfter?: Date | DerPart | undefined;
  readonly keys?: Keys | undefined;
  /** Replaces SubjectPublicKeyInfo. */
  readonly spki?: Uint8Array | undefined;
  readonly serial?: Uint8Array | undefined;
  /** Of signatures by an RSA key. */
  readonly hash?: Hash | undefined;
  /** Signs with another key than the issuer's. */
  readonly signWith?: Keys | undefined;
  /** A version without extensions. */
  readonly version1?: boolean | undefined;
  /** Names another algorithm outside of what is signed. */
  readonly outerAlgorithm?: DerPart | undefined;
}

const rsaSignature: Readonly<Record<Hash, string>> = {
  md5: oids.md5WithRsa,
  sha1: '1.2.840.113549.1.1.5',
  sha256: '1.2.840.113549.1.1.11',
};

function signatureAlgorithm(keys: Keys, hash: Hash): DerPart {
  return keys.kind === 'rsa' ? derSequence(derOid(rsaSignature[hash]), derNull) : derSequence(derOid('1.3.101.112'));
}

function signedObject(tbs: Uint8Array, keys: Keys, hash: Hash, outer?: DerPart): Uint8Array {
  const signature = sign(keys.kind === 'rsa' ? hash : null, tbs, keys.privateKey);
  return encodeDer(derSequence(tbs, outer ?? signatureAlgorithm(keys, hash), derBitString(new Uint8Array(signature))));
}

/** SHA-1 of the content of subjectPublicKey (RFC 5280 section 4.2.1.2 (1)). */
function keyId({ spki, kind }: Keys): Uint8Array {
  const bits = kind === 'rsa' ? spki.subarray(-270) : spki.subarray(-32);
  return new Uint8Array(createHash('sha1').update(bits).digest());
}

/** Issues a certificate. */
export function issue(options: CertificateOptions): Authority {
  const { ca = false, hash = 'sha256', notBefore = daysFromNow(-180), notAfter = daysFromNow(180) } = options;
  const name = typeof options.name === 'string' ? commonName(options.name) : options.name;
  const keys = options.keys ?? ed25519Keys(Buffer.from(name).toString('hex'));
  const issuer = options.issuer ?? { keys, name };
  const signer = options.signWith ?? issuer.keys;
  const label = `serial ${Buffer.from(issuer.name).toString('hex')} ${Buffer.from(name).toString('hex')}`;
  const serial =
    options.serial ?? seeded(label, 8).map((octet, index) => (index === 0 ? (octet & 0x3f) | 0x40 : octet));
  const usages = options.keyUsage ?? (ca === false ? ['digitalSignature'] : ['keyCertSign', 'cRLSign']);
  const basic =
    options.basicConstraints === undefined
      ? basicConstraintsExtension(ca !== false, typeof ca === 'number' ? ca : undefined)
      : options.basicConstraints;
  const extensions = [
    ...(basic === null ? [] : [basic]),
    ...(usages.length === 0 ? [] : [keyUsageExtension(usages)]),
    ...(options.extendedKeyUsage === undefined ? [] : [extendedKeyUsageExtension(options.extendedKeyUsage)]),
    subjectKeyIdExtension(keyId(keys)),
    authorityKeyIdExtension(keyId(issuer.keys)),
    ...(options.extensions ?? []),
  ];
  const time = (moment: Date | DerPart) => (moment instanceof Date ? timeElement(moment) : moment);
  const tbs = encodeDer(
    derSequence(
      ...(options.version1 === true ? [] : [derContext(0, derInteger(2))]),
      der(2, serial),
      signatureAlgorithm(signer, hash),
      issuer.name,
      derSequence(time(notBefore), time(notAfter)),
      name,
      options.spki ?? keys.spki,
      ...(options.version1 === true ? [] : [derContext(3, derSequence(...extensions))]),
    ),
  );
  return { der: signedObject(tbs, signer, hash, options.outerAlgorithm), keys, name, issuerName: issuer.name, serial };
}

/** One entry of a list. */
export interface Revoked {
  readonly serial: Uint8Array;
  readonly date?: Date | undefined;
  readonly reason?: number | undefined;
  readonly invalidityDate?: Date | undefined;
  /** The issuer that an entry of an indirect list names. */
  readonly issuer?: Uint8Array | undefined;
  readonly extensions?: readonly DerPart[] | undefined;
}

/** What a revocation list says. */
export interface ListOptions {
  readonly issuer: Authority;
  readonly revoked?: readonly Revoked[] | undefined;
  readonly thisUpdate?: Date | undefined;
  /** null for none. */
  readonly nextUpdate?: Date | null | undefined;
  readonly number?: number | undefined;
  readonly baseNumber?: number | undefined;
  /** Fields of IssuingDistributionPoint. */
  readonly scope?: readonly DerPart[] | undefined;
  readonly extensions?: readonly DerPart[] | undefined;
  /** Leaves the version out; extensions stay. */
  readonly noVersion?: boolean | undefined;
  readonly signWith?: Keys | undefined;
}

/** Issues a revocation list. */
export function issueList(options: ListOptions): Uint8Array {
  const { issuer, revoked = [], nextUpdate = daysFromNow(30), number = 1, signWith = issuer.keys } = options;
  const entries = revoked.map((entry) => {
    const { reason, invalidityDate } = entry;
    const extensions = [
      ...(reason === undefined ? [] : [serializeExtension(oids.reasonCode, false, der(0x0a, Uint8Array.of(reason)))]),
      ...(invalidityDate === undefined
        ? []
        : [serializeExtension(oids.invalidityDate, false, generalizedTime(invalidityDate))]),
      ...(entry.issuer === undefined
        ? []
        : [serializeExtension(oids.certificateIssuer, true, derSequence(derContext(4, entry.issuer)))]),
      ...(entry.extensions ?? []),
    ];
    return derSequence(
      der(2, entry.serial),
      timeElement(entry.date ?? daysFromNow(-10)),
      ...(extensions.length === 0 ? [] : [derSequence(...extensions)]),
    );
  });
  const { baseNumber, scope } = options;
  const extensions = [
    authorityKeyIdExtension(keyId(signWith)),
    serializeExtension(oids.crlNumber, false, derInteger(number)),
    ...(baseNumber === undefined ? [] : [serializeExtension(oids.deltaCrlIndicator, true, derInteger(baseNumber))]),
    ...(scope === undefined ? [] : [serializeExtension(oids.issuingDistributionPoint, true, derSequence(...scope))]),
    ...(options.extensions ?? []),
  ];
  const tbs = encodeDer(
    derSequence(
      ...(options.noVersion === true ? [] : [derInteger(1)]),
      signatureAlgorithm(signWith, 'sha256'),
      issuer.name,
      timeElement(options.thisUpdate ?? daysFromNow(-1)),
      ...(nextUpdate === null ? [] : [timeElement(nextUpdate)]),
      ...(entries.length === 0 ? [] : [derSequence(...entries)]),
      derContext(0, derSequence(...extensions)),
    ),
  );
  return signedObject(tbs, signWith, 'sha256');
}

/** A time of four-digit years. */
function generalizedTime(date: Date): DerPart {
  return der(0x18, utf8(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

/** A name of several attributes, in the string type of a tag. */
export function nameOf(attributes: readonly (readonly [oid: string, text: string])[], tag = 0x0c): Uint8Array {
  const rdns = attributes.map(([oid, text]) => derSetOf([derSequence(derOid(oid), der(tag, utf8(text)))]));
  return encodeDer(derSequence(...rdns));
}

/** DER in base64. */
export function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64');
}
