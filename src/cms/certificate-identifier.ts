/**
 * How CMS names the certificate of a signer or recipient (RFC 5652 sections 5.3, 6.2.1, 10.2.4):
 *
 *     SignerIdentifier ::= CHOICE {
 *         issuerAndSerialNumber     IssuerAndSerialNumber,
 *         subjectKeyIdentifier  [0] SubjectKeyIdentifier }
 *
 *     IssuerAndSerialNumber ::= SEQUENCE {
 *         issuer        Name,
 *         serialNumber  INTEGER }
 *
 * RecipientIdentifier is the same. A key identifier is the value of the extension in the certificate, however its
 * issuer chose it, and not the SHA-1 digest of the key (RFC 5280 section 4.2.1.2).
 */

import { type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { integerOctets, octetString } from '../asn1/values.ts';
import { type DerElement, der, derSequence } from '../asn1/writer.ts';
import { equalBytes } from '../bytes.ts';

/** The name of a certificate. */
export type CertificateIdentifier =
  | {
      readonly kind: 'issuer-and-serial';
      /** The whole Name. */
      readonly issuer: Uint8Array;
      /** Content octets of the INTEGER. */
      readonly serial: Uint8Array;
    }
  | { readonly kind: 'key-identifier'; readonly keyIdentifier: Uint8Array };

/** What a certificate says about itself that an identifier can be compared with. */
export interface IdentifiedCertificate {
  readonly issuer: { readonly raw: Uint8Array };
  readonly serial: Uint8Array;
  readonly subjectKeyId: Uint8Array | undefined;
}

/**
 * Reads SignerIdentifier or RecipientIdentifier.
 *
 * @throws {E2eError} MALFORMED
 */
export function parseCertificateIdentifier(node: Asn1Node): CertificateIdentifier {
  if (node.tag === contextTag(0)) return { kind: 'key-identifier', keyIdentifier: octetString(node) };
  return parseIssuerAndSerial(node);
}

/**
 * Reads IssuerAndSerialNumber.
 *
 * @throws {E2eError} MALFORMED
 */
export function parseIssuerAndSerial(node: Asn1Node): CertificateIdentifier {
  const fields = node.sequence();
  const issuer = fields.expect(tags.sequence).raw;
  const serial = integerOctets(fields.expect(tags.integer));
  fields.end();
  return { kind: 'issuer-and-serial', issuer, serial };
}

/** Writes SignerIdentifier or RecipientIdentifier. */
export function serializeCertificateIdentifier(identifier: CertificateIdentifier): DerElement {
  if (identifier.kind === 'key-identifier') return der(contextTag(0), identifier.keyIdentifier);
  return derSequence(identifier.issuer, der(tags.integer, identifier.serial));
}

/** Whether an identifier names a certificate; names are compared octet by octet. */
export function identifies(identifier: CertificateIdentifier, certificate: IdentifiedCertificate): boolean {
  if (identifier.kind === 'key-identifier') {
    const { subjectKeyId } = certificate;
    return subjectKeyId !== undefined && equalBytes(identifier.keyIdentifier, subjectKeyId);
  }
  return equalBytes(identifier.serial, certificate.serial) && equalBytes(identifier.issuer, certificate.issuer.raw);
}
