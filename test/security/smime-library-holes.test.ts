/**
 * The holes that a widely used library for CMS and X.509 had in its version of 2026, one test each, as whole messages to
 * a recipient who trusts one root: refused here, while the same message without the fault is good. Two rows are the
 * other way round: valid messages that were refused there.
 *
 * | attack                                                                        | test          |
 * | ----------------------------------------------------------------------------- | ------------- |
 * | forged OCSP answer beside a list that revokes                                 | forged OCSP   |
 * | detached content A, eContent B                                                | eContent      |
 * | pathLenConstraint exceeded                                                    | pathLen       |
 * | unknown critical extension of the signer                                      | critical      |
 * | constraint on otherName (xmppAddr) or of an unknown form                      | constraint    |
 * | signer without digitalSignature, without emailProtection                      | usage         |
 * | messageDigest twice                                                           | messageDigest |
 * | content-type attribute of another type; another type unsigned; octets behind  | content type  |
 * | signed attributes shown as content                                            | attributes    |
 * | a list that cannot be used, and fails open                                    | fail open     |
 * | empty detached content (valid, was refused)                                   | empty         |
 * | im: URI under a URI constraint                                                | im: URI       |
 * | 254 KB of OBJECT IDENTIFIER                                                   | long OID      |
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import {
  type DerPart,
  der,
  derContext,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../src/asn1/writer.ts';
import { type CertificateNames, openEntity, type OpenEntityOptions } from '../../src/backends/smime/index.ts';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { rfc3923Policy } from '../../src/e2e/policy.ts';
import { E2eError } from '../../src/errors.ts';
import type { KeyPair } from '../../src/crypto/provider.ts';
import { serializeGeneralNames } from '../../src/x509/general-names.ts';
import { cpuTime } from '../cpu-time.ts';
import {
  attributeSet,
  contentTypeAttribute,
  digestAttribute,
  ed25519,
  forge,
  type ForgedMessage,
  type ForgedSigner,
  hashOf,
  multipartSigned,
  pkcs7Mime,
  usual,
} from '../unit/smime/forge.ts';
import { at, text } from '../unit/smime/support.ts';
import {
  crypto,
  daysFromNow,
  issue,
  issueCrl,
  type Issued,
  type IssueOptions,
  serializeExtension,
} from '../unit/x509/support.ts';

const address = 'juliet@capulet.example';
const evil = utf8('Content-Type: text/plain\r\n\r\nI never loved thee.\r\n');
const isJuliet = ({ jids }: CertificateNames): boolean => jids.includes(address);

let root: Issued;
let ca: Issued;
let signer: Issued;
let stranger: KeyPair;

function named(...more: readonly DerPart[]): IssueOptions['extensions'] {
  const names = serializeGeneralNames([
    { form: 'xmppAddr', text: address },
    { form: 'uniformResourceIdentifier', text: `im:${address}` },
  ]);
  return [serializeExtension(oids.subjectAltName, false, names), ...more];
}

function person(options: Partial<IssueOptions> = {}): Promise<Issued> {
  return issue({
    subject: 'juliet',
    issuer: ca,
    extensions: named(),
    extendedKeyUsage: [oids.emailProtection],
    ...options,
  });
}

beforeAll(async () => {
  root = await issue({ subject: 'Root', ca: true });
  ca = await issue({ subject: 'CA', issuer: root, ca: true });
  signer = await person();
  stranger = await crypto.generateKeyPair({ algorithm: 'ed25519' });
});

/** `good` with the content, or the code of the refusal. */
async function open(
  entity: Uint8Array,
  options: Partial<Omit<OpenEntityOptions, 'trust'>> & { readonly crls?: readonly Uint8Array[] } = {},
): Promise<string> {
  try {
    const { crls = [], ...rest } = options;
    const trust = { anchors: [root.certificate.der], crls };
    const { content } = await openEntity(entity, { at, identity: isJuliet, ...rest, trust });
    return `good: ${Buffer.from(content).toString()}`;
  } catch (error) {
    if (error instanceof E2eError) return error.code.replace('ERR_E2E_', '');
    throw error;
  }
}

const good = `good: ${Buffer.from(text).toString()}`;

interface Change {
  readonly by?: Issued;
  readonly signer?: Partial<ForgedSigner>;
  readonly message?: Partial<ForgedMessage>;
  readonly above?: readonly Issued[];
}

/** A multipart/signed of juliet with her chain, changed. */
async function signed({ by = signer, signer: change, message, above = [ca] }: Change = {}): Promise<Uint8Array> {
  const certificates = [by, ...above].map(({ certificate }) => certificate.der);
  const signers = [{ signer: by, ...ed25519, ...change }];
  return multipartSigned(text, await forge({ signers, content: text, certificates, ...message }));
}

describe('holes of another library', () => {
  it('are looked for in messages that are good otherwise', async () => {
    expect(await open(await signed())).toBe(good);
  });

  it('forged OCSP: an answer "good" by any key beside a list that revokes', async () => {
    const list = await issueCrl({ issuer: ca, revoked: [{ serial: signer.certificate.serial, reason: 1 }] });
    const ocsp = await ocspGood(signer, stranger);
    for (const crls of [
      [ocsp, list.der],
      [list.der, ocsp],
    ]) {
      expect(await open(await signed({ message: { crls } }))).toBe('SIGNER_UNTRUSTED');
    }
    expect(await open(await signed({ message: { crls: [ocsp] } }), { crls: [list.der] })).toBe('SIGNER_UNTRUSTED');
    // Nor does it stand for a list where one is required.
    expect(await open(await signed({ message: { crls: [ocsp] } }), { revocation: 'required' })).toBe(
      'SIGNER_UNTRUSTED',
    );
  });

  it('eContent: one content beside and another inside', async () => {
    const signers = [{ signer, ...ed25519 }];
    const certificates = [signer, ca].map(({ certificate }) => certificate.der);
    // The signature is over what is inside; what is beside would be shown.
    const inside = await forge({ signers, content: text, eContent: text, certificates });
    expect(await open(multipartSigned(evil, inside))).toBe('SIGNATURE_INVALID');
    expect(await open(pkcs7Mime(inside))).toBe(good);
    // The signature is over what is beside; what is inside would be shown.
    const beside = await forge({ signers, content: text, eContent: evil, certificates });
    expect(await open(multipartSigned(text, beside))).toBe('SIGNATURE_INVALID');
    expect(await open(pkcs7Mime(beside))).toBe('SIGNATURE_INVALID');
  });

  it('pathLen: a CA below one that may only issue end entities', async () => {
    for (const [length, expected] of [
      [0, 'SIGNER_UNTRUSTED'],
      [1, good],
    ] as const) {
      const upper = await issue({ subject: 'Upper', issuer: root, ca: length });
      const lower = await issue({ subject: 'Lower', issuer: upper, ca: true });
      const by = await person({ issuer: lower });
      expect(await open(await signed({ by, above: [lower, upper] }))).toBe(expected);
    }
  });

  it('critical: an unknown critical extension of the signer', async () => {
    for (const [critical, expected] of [
      [true, 'SIGNER_UNTRUSTED'],
      [false, good],
    ] as const) {
      const by = await person({ extensions: named(serializeExtension('1.2.3.4', critical, derSequence())) });
      expect(await open(await signed({ by }))).toBe(expected);
    }
  });

  const xmpp = derContext(0, derOid(oids.xmppAddr), derContext(0, der(0x0c, utf8('capulet.example'))));
  it.each([
    ['otherName (xmppAddr), permitted', 0, xmpp, 'SIGNER_UNTRUSTED'],
    ['otherName (xmppAddr), excluded', 1, xmpp, 'SIGNER_UNTRUSTED'],
    [
      'im: URI under a URI constraint that permits its domain',
      0,
      der(0x86, utf8('.capulet.example')),
      'SIGNER_UNTRUSTED',
    ],
    [
      'im: URI under a URI constraint that excludes another',
      1,
      der(0x86, utf8('.montague.example')),
      'SIGNER_UNTRUSTED',
    ],
    ['host names, which the signer has none of', 0, der(0x82, utf8('montague.example')), good],
  ])('constraint: %s', async (_, kind, base, expected) => {
    for (const critical of [true, false]) {
      const value = derSequence(derContext(kind, derSequence(base)));
      const extensions = [serializeExtension(oids.nameConstraints, critical, value)];
      const constrained = await issue({ subject: 'Constrained', issuer: root, ca: true, extensions });
      const by = await person({ issuer: constrained });
      expect(await open(await signed({ by, above: [constrained] }))).toBe(expected);
    }
  });

  it('constraint: an unknown form of name (x400Address, ediPartyName, registeredID)', async () => {
    for (const [base, name] of [
      [derContext(3, derSequence()), derContext(3, derSequence())],
      [derContext(5, derContext(1, der(0x0c, utf8('a')))), derContext(5, derContext(1, der(0x0c, utf8('b'))))],
      [der(0x88, Uint8Array.of(42)), der(0x88, Uint8Array.of(43))],
    ] as const) {
      const value = derSequence(derContext(0, derSequence(base)));
      const extensions = [serializeExtension(oids.nameConstraints, true, value)];
      const constrained = await issue({ subject: 'Constrained', issuer: root, ca: true, extensions });
      const xmppName = derContext(0, derOid(oids.xmppAddr), derContext(0, der(0x0c, utf8(address))));
      for (const [names, expected] of [
        [[xmppName, name], 'SIGNER_UNTRUSTED'],
        [[xmppName], good],
      ] as const) {
        const alternative = serializeExtension(oids.subjectAltName, false, derSequence(...names));
        const by = await person({ issuer: constrained, extensions: [alternative] });
        expect(await open(await signed({ by, above: [constrained] }))).toBe(expected);
      }
    }
  });

  it('usage: without digitalSignature, or without emailProtection', async () => {
    for (const [options, expected] of [
      [{ keyUsage: ['keyEncipherment', 'keyAgreement'] }, 'SIGNER_UNTRUSTED'],
      [{ keyUsage: ['nonRepudiation'] }, good],
      [{ extendedKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] }, 'SIGNER_UNTRUSTED'],
      [{ extendedKeyUsage: [oids.anyExtendedKeyUsage] }, good],
      [{ extendedKeyUsage: undefined }, good],
    ] as const) {
      expect(await open(await signed({ by: await person(options) }))).toBe(expected);
    }
  });

  it('messageDigest twice: as two attributes and as two values, in either order', async () => {
    const wrong = hashOf('sha512', evil);
    for (const digests of [
      (hash: Uint8Array) => [digestAttribute(hash), digestAttribute(wrong)],
      (hash: Uint8Array) => [digestAttribute(wrong), digestAttribute(hash)],
      (hash: Uint8Array) => [digestAttribute(hash), digestAttribute(hash)],
      (hash: Uint8Array) => [
        derSequence(derOid(oids.messageDigest), der(0x31, derOctetString(hash), derOctetString(wrong))),
      ],
    ]) {
      const attributes = (hash: Uint8Array) => [contentTypeAttribute(), ...digests(hash)];
      expect(await open(await signed({ signer: { attributes, unordered: true } }))).toBe('SIGNATURE_INVALID');
      expect(await open(await signed({ signer: { attributes } }))).toBe('SIGNATURE_INVALID');
    }
  });

  it('content type: the attribute names another than the content has', async () => {
    const attributes = (hash: Uint8Array) => [contentTypeAttribute(oids.tstInfo), digestAttribute(hash)];
    expect(await open(await signed({ signer: { attributes } }))).toBe('SIGNATURE_INVALID');
    expect(await open(await signed({ message: { eContentType: oids.tstInfo } }))).toBe('SIGNATURE_INVALID');
  });

  it('content type: another than id-data without signed attributes', async () => {
    const policy = rfc3923Policy.algorithms;
    expect(await open(await signed({ signer: { attributes: null } }), { policy })).toBe(good);
    const message = { eContentType: oids.tstInfo };
    expect(await open(await signed({ signer: { attributes: null }, message }), { policy })).toBe('SIGNATURE_INVALID');
  });

  it('content type: octets behind the object', async () => {
    for (const trailing of [Uint8Array.of(0), Uint8Array.of(0, 0), Uint8Array.of(0x30, 0)]) {
      expect(await open(await signed({ message: { trailing } }))).toBe('MALFORMED');
    }
  });

  it('attributes: those of another message as content of a signature without any', async () => {
    const set = attributeSet(usual(hashOf('sha512', text)));
    const certificates = [signer, ca].map(({ certificate }) => certificate.der);
    const signers = [{ signer, ...ed25519, attributes: null }];
    const message = await forge({ signers, content: set, eContent: set, certificates });
    expect(await open(pkcs7Mime(message))).toBe('SIGNATURE_INVALID');
    expect(await open(pkcs7Mime(message), { policy: rfc3923Policy.algorithms })).toBe('SIGNATURE_INVALID');
    const beside = multipartSigned(set, await forge({ signers, content: set, certificates }));
    expect(await open(beside, { policy: rfc3923Policy.algorithms })).not.toMatch(/^good/);
  });

  it('fail open: a list that cannot be used, where one is required', async () => {
    const ofRoot = await issueCrl({ issuer: root });
    const lists = {
      forged: await issueCrl({ issuer: ca, signWith: stranger }),
      outdated: await issueCrl({ issuer: ca, thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-1) }),
      unknown: await issueCrl({ issuer: ca, extensions: [serializeExtension('1.2.3', true, derSequence())] }),
    };
    const revocation = 'required';
    for (const list of [lists.forged, lists.outdated, lists.unknown]) {
      const crls = [ofRoot.der, list.der];
      expect(await open(await signed(), { revocation, crls })).toBe('SIGNER_UNTRUSTED');
    }
    const usable = await issueCrl({ issuer: ca });
    expect(await open(await signed(), { revocation, crls: [ofRoot.der, usable.der] })).toBe(good);
    // A list of the caller that cannot be read is no list that says nothing.
    const cut = usable.der.subarray(0, usable.der.length - 1);
    expect(await open(await signed(), { crls: [cut] })).toBe('MALFORMED');
  });

  it('empty: detached content of no octets is valid', async () => {
    const nothing = new Uint8Array();
    const certificates = [signer, ca].map(({ certificate }) => certificate.der);
    const cms = await forge({ signers: [{ signer, ...ed25519 }], content: nothing, certificates });
    expect(await open(multipartSigned(nothing, cms))).toBe('good: ');
    expect(await open(multipartSigned(text, cms))).toBe('SIGNATURE_INVALID');
  });

  it('long OID: 254 KB of arcs wherever one can stand', async () => {
    const oid = encodeDer(der(6, new Uint8Array(254_000).fill(1)));
    const attributes = (hash: Uint8Array) => [...usual(hash), derSequence(oid, der(0x31, Uint8Array.of(5, 0)))];
    const certificate = encodeDer(derSequence(oid));
    const start = cpuTime();
    expect(await open(pkcs7Mime(encodeDer(derSequence(oid, derContext(0, derSequence())))))).toMatch(
      /LIMIT|NOT_SEALED|UNSUPPORTED/,
    );
    expect(await open(await signed({ signer: { attributes } }))).toMatch(/LIMIT|SIGNATURE_INVALID/);
    expect(await open(await signed({ message: { certificates: [certificate] } }))).toBe('LIMIT');
    expect(cpuTime() - start).toBeLessThan(500);
  });
});

/** id-ri-ocsp-response (RFC 5940) with a BasicOCSPResponse "good" (RFC 6960 section 4.2.1), by whatever key. */
async function ocspGood({ certificate }: Issued, keys: KeyPair): Promise<Uint8Array> {
  const sha1 = derSequence(derOid(oids.sha1));
  const hashes = [certificate.issuer.raw, ca.keys.publicKey.subjectPublicKey].map((octets) =>
    derOctetString(hashOf('sha1', octets)),
  );
  const time = der(0x18, utf8('20260601000000Z'));
  const single = derSequence(derSequence(sha1, ...hashes, der(2, certificate.serial)), der(0x80), time);
  const data = encodeDer(
    derSequence(derContext(2, derOctetString(hashOf('sha1', utf8('me')))), time, derSequence(single)),
  );
  const signature = await crypto.sign(keys.privateKey, { scheme: 'ed25519' }, data);
  const basic = derSequence(data, derSequence(derOid('1.3.101.112')), der(3, Uint8Array.of(0), signature));
  const bytes = derSequence(derOid('1.3.6.1.5.5.7.48.1.1'), derOctetString(encodeDer(basic)));
  const response = derSequence(der(0x0a, Uint8Array.of(0)), derContext(0, bytes));
  return encodeDer(concatParts(derOid('1.3.6.1.5.5.7.16.2'), encodeDer(response)));
}

function concatParts(...parts: readonly Uint8Array[]): DerPart {
  return derContext(1, concatBytes(...parts));
}
