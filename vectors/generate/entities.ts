/**
 * Vectors of S/MIME entities opened without stanzas: what CMS allows and what it does not (RFC 5652, RFC 5083, RFC 8551
 * sections 2 and 3). Verdicts are written by hand. Longer than other files since it is a table.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { oids } from '../../src/asn1/oids.ts';
import { timeElement } from '../../src/asn1/time.ts';
import {
  type DerPart,
  der,
  derContext,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../src/asn1/writer.ts';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import type { Vector, VectorGroup } from '../../src/cli/vector-file.ts';
import { serializeGeneralNames } from '../../src/x509/general-names.ts';
import { serializeExtension } from '../../src/x509/extension.ts';
import { serializePem } from '../../src/x509/pem.ts';
import {
  type Authority,
  base64,
  type CertificateOptions,
  daysFromNow,
  ed25519Keys,
  issue,
  issueList,
  now,
  rsaKeys,
} from './authorities.ts';
import {
  attribute,
  digestAlgorithm,
  encryptedData,
  type EncryptedOptions,
  hash,
  multipartSigned,
  pkcs7Mime,
  signatureAlgorithm,
  type SignedOptions,
  type SignerOptions,
  signedData,
  usualAttributes,
} from './messages.ts';
import type { Suite } from './suite.ts';

const juliet = 'juliet@example.com';
const romeo = 'romeo@example.net';
const hers = 'Content-Type: text/plain; charset=utf-8\r\n\r\nWherefore art thou?\r\n';
const text = utf8(hers);
const evil = utf8('Content-Type: text/plain; charset=utf-8\r\n\r\nI never loved thee.\r\n');

function named(jid: string): CertificateOptions['extensions'] {
  return [serializeExtension(oids.subjectAltName, false, serializeGeneralNames([{ form: 'xmppAddr', text: jid }]))];
}

const root = issue({ name: 'Root', ca: true });
const signer = issue({ name: 'juliet', issuer: root, extensions: named(juliet) });
const rsaSigner = issue({ name: 'juliet rsa', issuer: root, extensions: named(juliet), keys: rsaKeys('juliet', 2048) });
const mallory = issue({ name: 'juliet', extensions: named(juliet), keys: ed25519Keys('mallory') });
const reader = issue({
  name: 'romeo',
  issuer: root,
  extensions: named(romeo),
  keys: rsaKeys('romeo', 2048),
  keyUsage: ['keyEncipherment'],
});
const stranger = issue({ name: 'paris', issuer: root, keys: rsaKeys('paris', 2048), keyUsage: ['keyEncipherment'] });

function signed(change: Partial<SignerOptions> = {}, message: Partial<SignedOptions> = {}): Uint8Array {
  return signedData({ content: text, signers: [{ by: signer, ...change }], ...message });
}

/** Content and detached signature. */
function detached(change: Partial<SignerOptions> = {}, message: Partial<SignedOptions> = {}): Uint8Array {
  return multipartSigned(text, signed(change, message));
}

/** Content inside of the object. */
function opaque(change: Partial<SignerOptions> = {}, message: Partial<SignedOptions> = {}): Uint8Array {
  return pkcs7Mime(signed(change, { eContent: text, ...message }), 'signed-data');
}

function encrypted(options: Partial<EncryptedOptions> = {}): Uint8Array {
  const { container, cipher } = options;
  const name = container ?? (cipher === 'cbc' ? 'enveloped-data' : 'auth-enveloped-data');
  const type = name === 'auth-enveloped-data' ? 'authEnveloped-data' : 'enveloped-data';
  return pkcs7Mime(encryptedData({ content: detached(), to: reader, ...options }), type);
}

type More = Partial<Omit<Vector, 'id' | 'comment' | 'rfc' | 'result' | 'input'>>;

function valid(id: string, comment: string, rfc: string, input: Uint8Array, more: More = {}): Vector {
  const expect = { output: hers, sender: juliet, ...more.expect };
  return { id: `entity::${id}`, comment, rfc: [rfc], result: 'valid', input: base64(input), ...more, expect };
}

function invalid(
  id: string,
  comment: string,
  rfc: string,
  code: string,
  stage: string,
  input: Uint8Array,
  more: More = {},
): Vector {
  const expect = { code: `ERR_E2E_${code}`, stage };
  return { id: `entity::${id}`, comment, rfc: [rfc], result: 'invalid', input: base64(input), ...more, expect };
}

/** A signature that must not be good, whose fault is in the signature. */
function bad(id: string, comment: string, rfc: string, input: Uint8Array, more: More = {}): Vector {
  return invalid(`signed::${id}`, comment, rfc, 'SIGNATURE_INVALID', 'verify', input, { flags: ['forgery'], ...more });
}

/** Turns every element down to a depth, and none of those with octets of meaning, into indefinite length. */
function indefinite(element: Uint8Array, depth: number): Uint8Array {
  if (depth === 0 || (element[0]! & 0x20) === 0) return element;
  const { start } = header(element, 0);
  const parts: Uint8Array[] = [Uint8Array.of(element[0]!, 0x80)];
  for (let at = start; at < element.length;) {
    const { end } = header(element, at);
    parts.push(indefinite(element.subarray(at, end), depth - 1));
    at = end;
  }
  return concatBytes(...parts, Uint8Array.of(0, 0));
}

function header(octets: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const first = octets[at + 1]!;
  const count = first < 0x80 ? 0 : first & 0x7f;
  const length =
    count === 0 ? first : Number.parseInt(Buffer.from(octets.subarray(at + 2, at + 2 + count)).toString('hex'), 16);
  return { start: at + 2 + count, end: at + 2 + count + length };
}

const contentType = (oid: string): DerPart => attribute(oids.contentType, derOid(oid));
const messageDigest = (digest: Uint8Array): DerPart => attribute(oids.messageDigest, derOctetString(digest));
const protection = (by: Authority, digest: 'sha256' | 'sha512'): DerPart =>
  attribute(
    oids.cmsAlgorithmProtect,
    derSequence(digestAlgorithm(digest), der(0xa1, encodeDer(signatureAlgorithm(by)).subarray(2))),
  );
const signingCertificate = (certificate: Uint8Array): DerPart =>
  attribute(
    oids.signingCertificateV2,
    derSequence(derSequence(derSequence(derOctetString(hash('sha256', certificate))))),
  );
const withAttributes = (...more: readonly DerPart[]): Partial<SignerOptions> => ({
  attributes: (digest) => [...usualAttributes(digest), ...more],
});

const attributesAlone = encodeDer(der(0x31, ...usualAttributes(hash('sha512', text))));
const otherForSameKey = issue({ name: 'juliet', issuer: root, extensions: named(juliet), serial: Uint8Array.of(7) });

const signatures: readonly Vector[] = [
  valid('signed::detached', 'multipart/signed', 'RFC 8551 3.5.3', detached(), { expect: { trust: 'anchor' } }),
  valid('signed::opaque', 'the content inside', 'RFC 8551 3.5.2', opaque()),
  valid('signed::bare', 'the CMS object without any header', 'RFC 3923 3', signed({}, { eContent: text })),
  valid(
    'signed::key-identifier',
    'the signer by key identifier',
    'RFC 5652 5.3',
    detached({ keyId: hash('sha1', signer.keys.spki.subarray(-32)) }),
  ),
  valid('signed::rsa', 'RSA PKCS #1 v1.5 with SHA-256', 'RFC 8551 2.2', detached({ by: rsaSigner })),
  valid(
    'signed::indefinite-length',
    'indefinite lengths, as streaming programs write them',
    'RFC 5652 5.1',
    pkcs7Mime(indefinite(signed({}, { eContent: text }), 3), 'signed-data'),
  ),
  valid(
    'signed::constructed-content',
    'the content in two pieces',
    'RFC 5652 5.2.1',
    opaque({}, { eContent: der(0x24, derOctetString(text.subarray(0, 20)), derOctetString(text.subarray(20))) }),
  ),
  valid('signed::digest-null', 'the digest with parameters NULL', 'RFC 5754 2', detached({ digestNull: true })),
  valid(
    'signed::certificate-twice',
    'the same certificate twice',
    'RFC 5652 5.1',
    detached({}, { certificates: [signer.der, signer.der] }),
  ),
  valid(
    'signed::signing-time',
    'with signingTime',
    'RFC 5652 11.3',
    detached(withAttributes(attribute(oids.signingTime, timeElement(now)))),
  ),
  valid(
    'signed::algorithm-protection',
    'with CMSAlgorithmProtection',
    'RFC 6211 2',
    detached(withAttributes(protection(signer, 'sha512'))),
  ),
  valid(
    'signed::signing-certificate',
    'with signingCertificateV2',
    'RFC 5035 5',
    detached(withAttributes(signingCertificate(signer.der))),
  ),
  valid(
    'signed::unknown-attribute',
    'with a signed attribute that nobody knows',
    'RFC 5652 5.3',
    detached(withAttributes(attribute('1.3.6.1.4.1.55555.9', derNull))),
  ),
  valid(
    'signed::pinned',
    'a self-signed certificate that is believed itself',
    'RFC 8550 4',
    detached({ by: mallory }),
    {
      anchors: [],
      certificates: [base64(mallory.der)],
      expect: { trust: 'pinned' },
    },
  ),
  bad('content-changed', 'other content', 'RFC 5652 5.6', multipartSigned(evil, signed())),
  bad(
    'content-inside-too',
    'the same content inside and beside',
    'RFC 8551 3.5.3',
    multipartSigned(text, signed({}, { eContent: text })),
  ),
  bad(
    'content-inside-signed',
    'what is inside is signed, what is beside is shown (CVE-2018-18509)',
    'RFC 8551 3.5.3',
    multipartSigned(evil, signed({}, { eContent: text })),
  ),
  bad(
    'content-beside-signed',
    'what is beside is signed, and something else is inside',
    'RFC 8551 3.5.3',
    multipartSigned(text, signed({}, { eContent: evil })),
  ),
  bad(
    'no-content-type',
    'no contentType attribute',
    'RFC 5652 11.1',
    detached({ attributes: (digest) => [messageDigest(digest)] }),
  ),
  bad(
    'other-content-type',
    'a contentType attribute of another type',
    'RFC 5652 11.1',
    detached({ attributes: (digest) => [contentType(oids.tstInfo), messageDigest(digest)] }),
  ),
  bad(
    'time-stamp-token',
    'a TSTInfo, whose own time shall not count',
    'RFC 8551 2.4.1',
    opaque(
      { attributes: (digest) => [contentType(oids.tstInfo), messageDigest(digest)] },
      { eContentType: oids.tstInfo },
    ),
  ),
  bad(
    'no-message-digest',
    'no messageDigest attribute',
    'RFC 5652 11.2',
    detached({ attributes: () => [contentType(oids.data)] }),
  ),
  bad(
    'digest-of-other-content',
    'the digest of other content',
    'RFC 5652 5.6',
    multipartSigned(text, signed({ about: evil })),
  ),
  bad(
    'two-digests',
    'two messageDigest attributes',
    'RFC 5652 11.2',
    detached({
      attributes: (digest) => [contentType(oids.data), messageDigest(digest), messageDigest(hash('sha512', evil))],
    }),
  ),
  bad(
    'digest-of-two-values',
    'a messageDigest of two values',
    'RFC 5652 11.2',
    detached({
      attributes: (digest) => [
        contentType(oids.data),
        attribute(oids.messageDigest, derOctetString(digest), derOctetString(digest.map((octet) => ~octet))),
      ],
    }),
  ),
  bad(
    'digest-without-value',
    'a messageDigest of no value',
    'RFC 5652 11.2',
    detached({ attributes: () => [contentType(oids.data), attribute(oids.messageDigest)] }),
  ),
  bad(
    'two-signing-times',
    'two signingTime attributes',
    'RFC 5652 11.3',
    detached(
      withAttributes(
        attribute(oids.signingTime, timeElement(now)),
        attribute(oids.signingTime, timeElement(daysFromNow(1))),
      ),
    ),
  ),
  bad(
    'attributes-unordered',
    'signed attributes that are no DER',
    'RFC 5652 5.4',
    detached({ attributes: (digest) => [...usualAttributes(digest)].reverse(), unordered: true }),
  ),
  bad('attributes-absent', 'no signed attributes', 'RFC 8551 2.5', detached({ attributes: null }), {
    flags: ['legacy'],
  }),
  valid(
    'signed::attributes-absent-allowed',
    'no signed attributes, under a policy that takes this',
    'RFC 5652 5.4',
    detached({ attributes: null }),
    { policy: 'rfc3923', flags: ['legacy'] },
  ),
  bad(
    'attributes-as-content',
    "somebody's signed attributes shown as content of a signature without attributes",
    'RFC 5652 5.4',
    pkcs7Mime(
      signedData({ content: attributesAlone, eContent: attributesAlone, signers: [{ by: signer, attributes: null }] }),
      'signed-data',
    ),
    { policy: 'rfc3923' },
  ),
  bad(
    'algorithm-protection-digest',
    'CMSAlgorithmProtection names another digest',
    'RFC 6211 2',
    detached(withAttributes(protection(signer, 'sha256'))),
  ),
  bad(
    'algorithm-protection-signature',
    'CMSAlgorithmProtection names another signature algorithm',
    'RFC 6211 2',
    detached(withAttributes(protection(rsaSigner, 'sha512'))),
  ),
  bad('ed25519-sha256', 'Ed25519 with SHA-256 for the content', 'RFC 8419 2.3', detached({ digest: 'sha256' })),
  bad(
    'digest-name',
    'another digest is named than was used',
    'RFC 8933 3',
    detached({ by: rsaSigner, digest: 'sha256', digestName: 'sha512' }),
  ),
  bad(
    'signing-certificate-other',
    'signingCertificateV2 names another certificate for the same key',
    'RFC 5035 5',
    detached(withAttributes(signingCertificate(otherForSameKey.der))),
  ),
  bad(
    'unsigned-signing-time',
    'a signingTime that no signature covers',
    'RFC 5652 11.3',
    detached({ unsignedAttributes: [attribute(oids.signingTime, timeElement(daysFromNow(-100)))] }),
  ),
  bad(
    'key-of-another',
    "another key under the name of the signer's certificate",
    'RFC 5652 5.6',
    multipartSigned(text, signedData({ content: text, signers: [{ by: { ...signer, keys: mallory.keys } }] })),
  ),
  bad(
    'two-certificates',
    'two certificates of one issuer and serial number',
    'RFC 5652 10.2.4',
    detached(
      {},
      {
        certificates: [
          issue({
            name: 'juliet',
            issuer: root,
            signWith: mallory.keys,
            keys: mallory.keys,
            serial: signer.serial,
            extensions: named(juliet),
          }).der,
          signer.der,
        ],
      },
    ),
  ),
  {
    id: 'entity::signed::two-signers',
    comment: 'two good signatures: more than one need not be taken',
    rfc: ['RFC 8551 3.5'],
    result: 'acceptable',
    input: base64(multipartSigned(text, signedData({ content: text, signers: [{ by: signer }, { by: rsaSigner }] }))),
  },
  invalid(
    'signed::no-signer',
    'no signer',
    'RFC 5652 5.1',
    'UNSIGNED',
    'verify',
    multipartSigned(text, signedData({ content: text, signers: [], certificates: [signer.der] })),
    { flags: ['forgery'] },
  ),
  invalid(
    'signed::no-certificate',
    'nobody knows the certificate',
    'RFC 8551 2.3',
    'SIGNER_UNKNOWN',
    'verify',
    detached({}, { certificates: [] }),
  ),
  valid(
    'signed::certificate-known',
    'the certificate is known, and not sent along',
    'RFC 8551 2.3',
    detached({}, { certificates: [] }),
    { intermediates: [base64(signer.der)] },
  ),
  invalid(
    'signed::self-signed',
    'a self-signed certificate of her name',
    'RFC 8550 2.3',
    'SIGNER_UNTRUSTED',
    'verify',
    detached({ by: mallory }),
    { flags: ['forgery'] },
  ),
  invalid(
    'signed::root-sent-along',
    'a CA of the same name as the anchor, sent along',
    'RFC 8550 2.3',
    'SIGNER_UNTRUSTED',
    'verify',
    (() => {
      const own = issue({ name: 'Root', ca: true, keys: ed25519Keys('mallory root') });
      const by = issue({ name: 'juliet', issuer: own, extensions: named(juliet) });
      return detached({ by }, { certificates: [by.der, own.der] });
    })(),
    { flags: ['forgery'] },
  ),
  invalid(
    'signed::encryption-key',
    'a key for encryption',
    'RFC 8550 4.4.2',
    'SIGNER_UNTRUSTED',
    'verify',
    detached({ by: reader }),
  ),
  invalid(
    'signed::server-key',
    'a key for TLS servers',
    'RFC 8550 4.4.4',
    'SIGNER_UNTRUSTED',
    'verify',
    detached({
      by: issue({ name: 'juliet', issuer: root, extensions: named(juliet), extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }),
    }),
  ),
  invalid(
    'signed::expired',
    'an expired certificate, and a signingTime when it was valid',
    'RFC 8550 4',
    'SIGNER_UNTRUSTED',
    'verify',
    detached({
      by: issue({ name: 'juliet', issuer: root, extensions: named(juliet), notAfter: daysFromNow(-1) }),
      ...withAttributes(attribute(oids.signingTime, timeElement(daysFromNow(-10)))),
    }),
  ),
  invalid(
    'signed::revoked-in-message',
    'a list in the message revokes the certificate',
    'RFC 5652 10.2.1',
    'SIGNER_UNTRUSTED',
    'verify',
    detached({}, { crls: [issueList({ issuer: root, revoked: [{ serial: signer.serial, reason: 1 }] })] }),
  ),
  valid(
    'signed::forged-list',
    'a list that Mallory made revokes nothing',
    'RFC 5280 6.3.3 (g)',
    detached({}, { crls: [issueList({ issuer: root, signWith: mallory.keys, revoked: [{ serial: signer.serial }] })] }),
  ),
  invalid(
    'signed::somebody-else',
    'a good signature of somebody else than expected',
    'RFC 3923 6.3',
    'SENDER_MISMATCH',
    'check',
    detached(),
    { from: 'nurse@example.com' },
  ),
  valid('signed::expected', 'a good signature of the one expected', 'RFC 3923 6.3', detached(), { from: juliet }),
  invalid(
    'signed::sha1',
    'SHA-1',
    'RFC 8551 2.1',
    'WEAK_ALGORITHM',
    'verify',
    detached({ by: rsaSigner, digest: 'sha1' }),
    { flags: ['legacy'] },
  ),
  valid(
    'signed::sha1-allowed',
    'SHA-1, under a policy that takes it',
    'RFC 3923 6.10',
    detached({ by: rsaSigner, digest: 'sha1' }),
    { policy: 'rfc3923', flags: ['legacy'] },
  ),
  invalid(
    'signed::md5',
    'MD5, under the same policy',
    'RFC 6151 2',
    'WEAK_ALGORITHM',
    'verify',
    detached({ by: rsaSigner, digest: 'md5' }),
    { policy: 'rfc3923', flags: ['legacy'] },
  ),
  invalid(
    'signed::octets-behind',
    'an octet behind the object',
    'RFC 5652 3',
    'MALFORMED',
    'verify',
    multipartSigned(text, concatBytes(signed(), Uint8Array.of(0))),
  ),
  invalid(
    'signed::no-content',
    'a detached signature without its content',
    'RFC 5652 5.2',
    'MALFORMED',
    'verify',
    pkcs7Mime(signed(), 'signed-data'),
  ),
  invalid(
    'signed::preamble',
    'text before the parts, which no signature covers',
    'RFC 8551 3.5.3',
    'MALFORMED',
    'verify',
    utf8(Buffer.from(detached()).toString('latin1').replace('\r\n\r\n--b0', '\r\n\r\nI never loved thee.\r\n--b0')),
    { flags: ['forgery'] },
  ),
  invalid(
    'signed::second-part',
    'a second part that is no signature',
    'RFC 1847 2.1',
    'MALFORMED',
    'verify',
    multipartSigned(text, signed(), 'text/plain'),
  ),
  invalid(
    'signed::signed-twice',
    'a signature around a signature',
    'RFC 8551 3.7',
    'LAYERS_REFUSED',
    'verify',
    multipartSigned(opaque(), signedData({ content: opaque(), signers: [{ by: signer }] })),
  ),
  invalid('signed::plain', 'neither signed nor encrypted', 'RFC 8551 3.10', 'NOT_SEALED', 'unwrap', text),
  invalid(
    'signed::certs-only',
    'certificates alone',
    'RFC 8551 3.8',
    'NOT_SEALED',
    'unwrap',
    pkcs7Mime(contentInfo(signer.der), 'certs-only'),
  ),
];

/** The degenerate SignedData that only carries certificates. */
function contentInfo(...certificates: readonly Uint8Array[]): Uint8Array {
  const version = Uint8Array.of(2, 1, 1);
  const data = derSequence(
    version,
    der(0x31),
    derSequence(derOid(oids.data)),
    derContext(0, ...certificates),
    der(0x31),
  );
  return encodeDer(derSequence(derOid(oids.signedData), derContext(0, data)));
}

const cbc = { cipher: 'cbc' } as const;
const legacy: More = { policy: 'rfc3923', flags: ['legacy'] };
const authAttributes = [attribute(oids.contentType, derOid(oids.data))];
const otherAttributes = [attribute(oids.contentType, derOid(oids.signedData))];

/** A fault in an encrypted object. */
function refused(id: string, comment: string, rfc: string, code: string, input: Uint8Array, more: More = {}): Vector {
  return invalid(`encrypted::${id}`, comment, rfc, code, 'decrypt', input, more);
}

const encryptions: readonly Vector[] = [
  valid('encrypted::gcm', 'AuthEnvelopedData with AES-256-GCM around a signature', 'RFC 5084 1.5', encrypted()),
  valid(
    'encrypted::tag-default',
    'a tag of 12 octets, whose length is left out',
    'RFC 5084 3.2',
    encrypted({ tagLength: 12, icvLength: null }),
  ),
  valid(
    'encrypted::authenticated-attributes',
    'authenticated attributes as additional data',
    'RFC 5083 2.2',
    encrypted({ authAttributes }),
  ),
  valid(
    'encrypted::cbc',
    'EnvelopedData with AES-128-CBC around a signature, under a policy that takes it',
    'RFC 3923 6.10',
    encrypted(cbc),
    legacy,
  ),
  valid(
    'encrypted::pkcs1v15',
    'RSA PKCS #1 v1.5, under the same policy',
    'RFC 3923 6.10',
    encrypted({ ...cbc, transport: 'pkcs1v15' }),
    legacy,
  ),
  valid(
    'encrypted::indefinite-length',
    'indefinite lengths',
    'RFC 5652 6.1',
    pkcs7Mime(indefinite(encryptedData({ content: detached(), to: reader }), 3), 'authEnveloped-data'),
  ),
  refused('cbc-not-allowed', 'AES-CBC', 'RFC 8551 2.7', 'WEAK_ALGORITHM', encrypted(cbc), { flags: ['legacy'] }),
  refused(
    'pkcs1v15-not-allowed',
    'RSA PKCS #1 v1.5',
    'RFC 8551 2.3',
    'WEAK_ALGORITHM',
    encrypted({ transport: 'pkcs1v15' }),
    { flags: ['legacy'] },
  ),
  refused(
    'gcm-in-enveloped-data',
    'AES-GCM in EnvelopedData, which has no place for the tag',
    'RFC 5084 1.3',
    'UNSUPPORTED',
    encrypted({ container: 'enveloped-data' }),
    { flags: ['forgery'] },
  ),
  refused(
    'cbc-in-auth-enveloped-data',
    'AES-CBC in AuthEnvelopedData (CVE-2026-34182)',
    'RFC 5083 2.1',
    'UNSUPPORTED',
    encrypted({ ...cbc, container: 'auth-enveloped-data' }),
    { ...legacy, flags: ['forgery'] },
  ),
  refused('tag-of-eight', 'a tag of 8 octets', 'RFC 5084 3.2', 'MALFORMED', encrypted({ tagLength: 8 }), {
    flags: ['forgery'],
  }),
  refused(
    'tag-cut',
    'a tag of 12 octets where 16 are announced',
    'RFC 5083 2.1',
    'MALFORMED',
    encrypted({ tagLength: 12, icvLength: 16 }),
    { flags: ['forgery'] },
  ),
  refused(
    'tag-changed',
    'a tag with one bit changed',
    'RFC 5083 2.2',
    'DECRYPTION_FAILED',
    encrypted({ spoilTag: (tag) => void (tag[0]! ^= 1) }),
  ),
  refused(
    'ciphertext-changed',
    'a ciphertext with one bit changed',
    'RFC 5083 2.2',
    'DECRYPTION_FAILED',
    encrypted({ spoilCiphertext: (octets) => void (octets[9]! ^= 1) }),
  ),
  refused(
    'authenticated-attributes-changed',
    'other attributes than those authenticated',
    'RFC 5083 2.2',
    'DECRYPTION_FAILED',
    encrypted({ authAttributes, shownAttributes: otherAttributes }),
  ),
  refused(
    'authenticated-attributes-dropped',
    'authenticated attributes left out',
    'RFC 5083 2.2',
    'DECRYPTION_FAILED',
    encrypted({
      spoilTag: (tag) => {
        tag.set(encryptedTagWith(authAttributes));
      },
    }),
  ),
  refused(
    'nonce-of-16',
    'a nonce of 16 octets',
    'RFC 5084 3.2',
    'MALFORMED',
    encrypted({ nonce: new Uint8Array(16).fill(7) }),
  ),
  refused('version', 'a version that does not exist', 'RFC 5083 2.1', 'MALFORMED', encrypted({ version: 9 })),
  refused('not-for-me', 'for somebody else', 'RFC 5652 6.2', 'NO_DECRYPTION_KEY', encrypted({ to: stranger })),
  refused(
    'wrong-name',
    'my name on a key that was wrapped for somebody else',
    'RFC 5652 6.2.1',
    'DECRYPTION_FAILED',
    encrypted({ to: stranger, named: reader }),
  ),
  refused(
    'pkcs1v15-padding',
    'PKCS #1 v1.5 with a wrong block type: as if the key were another',
    'RFC 3218 2.3.2',
    'DECRYPTION_FAILED',
    encrypted({ ...cbc, transport: 'pkcs1v15', spoilPadding: (block) => void (block[1] = 1) }),
    legacy,
  ),
  refused(
    'pkcs1v15-separator',
    'PKCS #1 v1.5 without the zero before the key',
    'RFC 3218 2.3.2',
    'DECRYPTION_FAILED',
    encrypted({ ...cbc, transport: 'pkcs1v15', spoilPadding: (block) => void (block[239] = 1) }),
    legacy,
  ),
  refused(
    'cbc-changed',
    'CBC with one bit changed: the signature inside no longer fits, and nothing tells so',
    'RFC 8551 6',
    'DECRYPTION_FAILED',
    encrypted({ ...cbc, spoilCiphertext: (octets) => void (octets[40]! ^= 1) }),
    legacy,
  ),
  refused(
    'cbc-unsigned',
    'CBC around content that nobody signed',
    'RFC 8551 6',
    'DECRYPTION_FAILED',
    encrypted({ ...cbc, content: text }),
    legacy,
  ),
  refused(
    'octets-behind',
    'an octet behind the object',
    'RFC 5652 3',
    'MALFORMED',
    pkcs7Mime(concatBytes(encryptedData({ content: text, to: reader }), Uint8Array.of(0)), 'authEnveloped-data'),
  ),
  invalid(
    'encrypted::unsigned',
    'GCM around content that nobody signed',
    'RFC 8551 3.4',
    'UNSIGNED',
    'verify',
    encrypted({ content: text }),
    { flags: ['forgery'] },
  ),
  invalid(
    'encrypted::signed-outside',
    'a signature around an encrypted object',
    'RFC 8551 3.7',
    'LAYERS_REFUSED',
    'verify',
    multipartSigned(encrypted(), signedData({ content: encrypted(), signers: [{ by: signer }] })),
  ),
  invalid(
    'encrypted::encrypted-twice',
    'encrypted twice',
    'RFC 8551 3.7',
    'LAYERS_REFUSED',
    'verify',
    encrypted({ content: encrypted() }),
  ),
  invalid(
    'encrypted::compressed',
    'a compressed object',
    'RFC 3274 1.1',
    'UNSUPPORTED',
    'decrypt',
    pkcs7Mime(encodeDer(derSequence(derOid(oids.compressedData), derContext(0, derSequence()))), 'compressed-data'),
  ),
];

/** The tag that the same object has with attributes. */
function encryptedTagWith(attributes: readonly DerPart[]): Uint8Array {
  return encryptedData({ content: detached(), to: reader, authAttributes: attributes }).subarray(-16);
}

function writeKeys(): void {
  const folder = fileURLToPath(new URL(`../keys/smime-entities/identities/${romeo}/`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  const key = reader.keys.privateKey.export({ type: 'pkcs8', format: 'der' });
  writeFileSync(`${folder}smime.key.pem`, serializePem('PRIVATE KEY', new Uint8Array(key)));
  writeFileSync(`${folder}smime.cert.pem`, serializePem('CERTIFICATE', reader.der));
}

/** All vectors of entities; writes the keys that they need. */
export function entitySuite(): Suite {
  writeKeys();
  const group = (tests: readonly Vector[]): VectorGroup => ({
    operation: 'entity',
    keys: 'smime-entities',
    backends: ['smime'],
    at: now.toISOString().replace('.000Z', 'Z'),
    anchors: [base64(root.der)],
    tests,
  });
  return {
    suite: 'smime/entities',
    description: 'S/MIME entities: the strictness of CMS, with a reader who trusts one root.',
    notes: {
      forgery: { kind: 'attack', description: 'Made by somebody who wants another content or sender to be believed.' },
      legacy: { kind: 'legacy', description: 'Algorithms and forms of 2004, taken only by a policy that names them.' },
    },
    groups: [group(signatures), group(encryptions)],
  };
}
