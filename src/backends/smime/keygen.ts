/**
 * Makes an identity: private keys and self-signed end-entity certificates that name a JID as RFC 3923 section 6.3 asks,
 * by `im:` and `pres:` URIs in separate subjectAltName entries and by id-on-xmppAddr.
 */

import { oids } from '../../asn1/oids.ts';
import { concatBytes } from '../../bytes.ts';
import type { MlDsaParameterSet, MlKemParameterSet } from '../../crypto/lattice-keys.ts';
import type { CryptoProvider, KeyPair, KeyPairKind, SignatureAlgorithm } from '../../crypto/provider.ts';
import { Jid } from '../../jid/jid.ts';
import { toUri } from '../../jid/uri.ts';
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  type CertificateSigner,
  commonName,
  extendedKeyUsageExtension,
  keyIdentifier,
  keyUsageExtension,
  signCertificate,
  signCertificationRequest,
  subjectKeyIdExtension,
} from '../../x509/certificate-writer.ts';
import type { KeyUsage } from '../../x509/certificate-extensions.ts';
import { serializeExtension } from '../../x509/extension.ts';
import { type GeneralNameInput, serializeGeneralNames } from '../../x509/general-names.ts';
import { serializePem } from '../../x509/pem.ts';
import { provider } from '#crypto';

/**
 * The kinds of identity. `ed25519` has a second pair of keys, X25519, since an Ed25519 key cannot decrypt; `ml-dsa-44`,
 * `ml-dsa-65` and `ml-dsa-87` have ML-KEM-512, ML-KEM-768 and ML-KEM-1024, and need a runtime that has both.
 */
export type IdentityAlgorithm =
  'ed25519' | 'p256' | 'p384' | 'rsa2048' | 'rsa3072' | 'rsa4096' | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';

/** Options of {@link generateIdentity}. */
export interface GenerateIdentityOptions {
  /** The address that the certificate shall name; its resource is left out. */
  readonly jid: Jid | string;
  readonly algorithm?: IdentityAlgorithm | undefined;
  /** Days of validity, 1 to 36500; 730 unless given. */
  readonly days?: number | undefined;
  /** Start of validity; now unless given. */
  readonly at?: Date | undefined;
  readonly crypto?: CryptoProvider | undefined;
}

/** A new identity, ready to be stored. */
export interface GeneratedIdentity {
  /** PKCS #8 blocks. Secret. */
  readonly keysPem: Uint8Array;
  /** One self-signed certificate for each key. */
  readonly certificatesPem: Uint8Array;
  /** A PKCS #10 request for each key that can sign, for a certificate by a CA. */
  readonly requestsPem: Uint8Array;
}

const optionNames: ReadonlySet<string> = new Set<keyof GenerateIdentityOptions>([
  'jid',
  'algorithm',
  'days',
  'at',
  'crypto',
]);

interface Kind {
  readonly pair: KeyPairKind;
  readonly signature: SignatureAlgorithm;
  readonly usages: readonly KeyUsage[];
  /** The keys that decrypt, where those that sign cannot. */
  readonly second?: { readonly pair: KeyPairKind; readonly usage: KeyUsage };
}

const rsa = (bits: number): Kind => ({
  pair: { algorithm: 'rsa', bits },
  signature: { scheme: 'rsa-pkcs1v15', hash: 'sha256' },
  usages: ['digitalSignature', 'keyEncipherment'],
});
const mlDsa = (parameterSet: MlDsaParameterSet, kem: MlKemParameterSet): Kind => ({
  pair: { algorithm: 'ml-dsa', parameterSet },
  signature: { scheme: 'ml-dsa', parameterSet },
  usages: ['digitalSignature'],
  // RFC 9935 section 5: keyEncipherment alone.
  second: { pair: { algorithm: 'ml-kem', parameterSet: kem }, usage: 'keyEncipherment' },
});
const kinds: Readonly<Record<IdentityAlgorithm, Kind>> = {
  ed25519: {
    pair: { algorithm: 'ed25519' },
    signature: { scheme: 'ed25519' },
    usages: ['digitalSignature'],
    second: { pair: { algorithm: 'x25519' }, usage: 'keyAgreement' },
  },
  p256: {
    pair: { algorithm: 'ec', curve: 'p256' },
    signature: { scheme: 'ecdsa', hash: 'sha256' },
    usages: ['digitalSignature', 'keyAgreement'],
  },
  p384: {
    pair: { algorithm: 'ec', curve: 'p384' },
    signature: { scheme: 'ecdsa', hash: 'sha384' },
    usages: ['digitalSignature', 'keyAgreement'],
  },
  rsa2048: rsa(2048),
  rsa3072: rsa(3072),
  rsa4096: rsa(4096),
  'ml-dsa-44': mlDsa(44, 512),
  'ml-dsa-65': mlDsa(65, 768),
  'ml-dsa-87': mlDsa(87, 1024),
};

/**
 * Generates keys and self-signed certificates for a JID.
 *
 * Such a certificate speaks for the JID only where somebody files it for that JID.
 *
 * @throws {TypeError} for unknown options; {RangeError} for days out of range
 * @throws {E2eError} MALFORMED for what is no JID; UNSUPPORTED where the runtime lacks the algorithm
 * @see RFC 3923 section 6.3
 */
export async function generateIdentity(options: GenerateIdentityOptions): Promise<GeneratedIdentity> {
  for (const name of Object.keys(options)) if (!optionNames.has(name)) throw new TypeError(`unknown option ${name}`);
  const { algorithm = 'p256', days = 730, at = new Date(), crypto = provider } = options;
  const jid = (typeof options.jid === 'string' ? Jid.parse(options.jid) : options.jid).bare();
  if (!Object.hasOwn(kinds, algorithm)) throw new TypeError('unknown option value algorithm');
  if (!Number.isInteger(days) || days < 1 || days > 36_500) throw new RangeError('days must be 1 to 36500');
  if (Number.isNaN(at.getTime())) throw new RangeError('at is no date');
  const kind = kinds[algorithm];
  const pair = await crypto.generateKeyPair(kind.pair);
  const signer: CertificateSigner = { key: pair.privateKey, algorithm: kind.signature };
  const issuerKeyId = await keyIdentifier(pair.publicKey, crypto);

  const name = commonName(jid.toString());
  const notBefore = new Date(Math.floor(at.getTime() / 1000) * 1000);
  const notAfter = new Date(notBefore.getTime() + days * 86_400_000);
  const certify = async (subject: KeyPair, usages: readonly KeyUsage[]): Promise<Uint8Array> => {
    const extensions = [
      basicConstraintsExtension(false),
      keyUsageExtension(usages),
      extendedKeyUsageExtension([oids.emailProtection]),
      serializeExtension(oids.subjectAltName, false, serializeGeneralNames(namesFor(jid))),
      subjectKeyIdExtension(await keyIdentifier(subject.publicKey, crypto)),
      authorityKeyIdExtension(issuerKeyId),
    ];
    const serial = crypto.randomBytes(16);
    // Positive, and never shorter by a leading zero (RFC 5280 section 4.1.2.2).
    serial[0] = (serial[0]! & 0x3f) | 0x40;
    const content = {
      serial,
      issuer: name,
      subject: name,
      notBefore,
      notAfter,
      publicKey: subject.publicKey,
      extensions,
    };
    return serializePem('CERTIFICATE', await signCertificate(content, signer, crypto));
  };

  const keys = [serializePem('PRIVATE KEY', pair.privateKey.pkcs8)];
  const certificates = [await certify(pair, kind.usages)];
  if (kind.second !== undefined) {
    const second = await crypto.generateKeyPair(kind.second.pair);
    keys.push(serializePem('PRIVATE KEY', second.privateKey.pkcs8));
    certificates.push(await certify(second, [kind.second.usage]));
  }
  const asked = [
    keyUsageExtension(kind.usages),
    extendedKeyUsageExtension([oids.emailProtection]),
    serializeExtension(oids.subjectAltName, false, serializeGeneralNames(namesFor(jid))),
  ];
  const request = await signCertificationRequest(name, pair.publicKey, asked, signer, crypto);
  return Object.freeze({
    keysPem: concatBytes(...keys),
    certificatesPem: concatBytes(...certificates),
    requestsPem: serializePem('CERTIFICATE REQUEST', request),
  });
}

/** A domain alone has no im: or pres: URI (RFC 3860 section 3), only its XMPP address. */
function namesFor(jid: Jid): readonly GeneralNameInput[] {
  const address: GeneralNameInput = { form: 'xmppAddr', text: jid.toString() };
  if (jid.local === '') return [address];
  const uri = (scheme: 'im' | 'pres'): GeneralNameInput => ({
    form: 'uniformResourceIdentifier',
    text: toUri(jid, scheme),
  });
  return [uri('im'), uri('pres'), address];
}
