/** The subpath `xmpp-e2e/smime`: the S/MIME backend and what can be done with S/MIME and X.509 outside of stanzas. */

export { smime, type SmimeOptions } from './smime.ts';
export type { RsaSignature } from './sign.ts';
export type { TrustOptions } from './trust.ts';
export { certificateNames, type CertificateNames } from './certificate-identity.ts';
export { validatePath, type ValidatePathOptions } from './certificate-path.ts';
export { openEntity, type OpenedEntity, type OpenEntityOptions, type OpenEntityPolicy } from './open-entity.ts';
export {
  generateIdentity,
  type GeneratedIdentity,
  type GenerateIdentityOptions,
  type IdentityAlgorithm,
} from './keygen.ts';
export {
  type CheckCertificatesOptions,
  type CheckedCertificate,
  checkCertificates,
  type DescribeCertificatesOptions,
  type DescribedCertificate,
  describeCertificates,
} from './describe-certificates.ts';
export { type Pkcs12Content, readPkcs12, type ReadPkcs12Options } from './pkcs12.ts';
export { type Certificate, parseCertificate } from '../../x509/certificate.ts';
export { type Crl, parseCrl } from '../../x509/crl.ts';
export { type PemBlock, parsePem, serializePem } from '../../x509/pem.ts';
export type { KeyPurpose, PathOutcome, PathValidation } from '../../x509/path-validation.ts';
