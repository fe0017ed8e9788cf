/**
 * Forged and confused signatures, each as somebody would make it: by the sender's real key where an attacker could have
 * the sender sign, by the attacker's own key otherwise. None may come out as a good signature of juliet.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { SignatureResult, Verified } from '../../src/backends/backend.ts';
import { oids } from '../../src/asn1/oids.ts';
import { der, derContext, derOid, derSequence, encodeDer } from '../../src/asn1/writer.ts';
import { utf8 } from '../../src/bytes.ts';
import { E2eError } from '../../src/errors.ts';
import { rfc3923Policy } from '../../src/e2e/policy.ts';
import { Jid } from '../../src/jid/jid.ts';
import { hasProgram } from '../shared-data.ts';
import {
  attribute,
  attributeSet,
  contentTypeAttribute,
  digestAttribute,
  ed25519,
  forge,
  type ForgedMessage,
  hashOf,
  multipartSigned,
  pkcs7Mime,
  timeAttribute,
  usual,
} from '../unit/smime/forge.ts';
import { at, backendOf, certified, entityOf, strict, text } from '../unit/smime/support.ts';
import {
  daysFromNow,
  flag,
  issue,
  issueCrl,
  type Issued,
  type IssueOptions,
  serializeExtension,
} from '../unit/x509/support.ts';
import { serializeGeneralNames } from '../../src/x509/general-names.ts';
import { serializePem } from '../../src/x509/pem.ts';

const juliet = Jid.parse('juliet@capulet.example');
const evil = utf8('Content-Type: text/plain\r\n\r\nI never loved thee.\r\n');

function named(jid: string): IssueOptions['extensions'] {
  return [serializeExtension(oids.subjectAltName, false, serializeGeneralNames([{ form: 'xmppAddr', text: jid }]))];
}

let root: Issued;
let signer: Issued;
let mallory: Issued;

beforeAll(async () => {
  root = await issue({ subject: 'Root', ca: true });
  signer = await issue({ subject: 'juliet', issuer: root, extensions: named('juliet@capulet.example') });
  mallory = await issue({ subject: 'juliet', extensions: named('juliet@capulet.example') });
});

const anchors = () => [serializePem('CERTIFICATE', root.certificate.der)];

/** Verifies as a recipient does who trusts the root and knows no certificate of juliet. */
async function verify(octets: Uint8Array, algorithms = strict.algorithms): Promise<Verified | E2eError> {
  const backend = backendOf({}, { trust: { anchors: anchors() } });
  const entity = entityOf(octets);
  try {
    return await backend.verify({ ...strict, algorithms, entity, sender: juliet, me: undefined });
  } catch (error) {
    if (error instanceof E2eError) return error;
    throw error;
  }
}

async function outcome(octets: Uint8Array, algorithms = strict.algorithms): Promise<string> {
  const verified = await verify(octets, algorithms);
  if (verified instanceof E2eError) return verified.code;
  return verified.signatures.length === 1
    ? verified.signatures[0]!.outcome
    : `${verified.signatures.length} signatures`;
}

/** A message with one signature by juliet, changed. */
async function detached(
  change: Partial<ForgedMessage['signers'][0]> = {},
  message: Partial<ForgedMessage> = {},
): Promise<Uint8Array> {
  const one = { signer, ...ed25519, ...change };
  return multipartSigned(text, await forge({ signers: [one], content: text, ...message }));
}

describe('the message that the forgeries start from', () => {
  it('is good, detached and opaque', async () => {
    const verified = (await verify(await detached())) as Verified;
    expect(verified.content).toEqual(text);
    expect(verified.signatures[0]).toMatchObject({ outcome: 'good', trust: 'anchor' });
    expect(verified.signatures[0]!.identities.map(({ jid }) => jid.toString())).toEqual(['juliet@capulet.example']);
    const opaque = await forge({ signers: [{ signer, ...ed25519 }], content: text, eContent: text });
    expect(await outcome(pkcs7Mime(opaque))).toBe('good');
    expect(await outcome(await detached({ sid: 'key' }))).toBe('good');
  });

  it('carries its signing time', async () => {
    const attributes = (digest: Uint8Array) => [...usual(digest), timeAttribute(at)];
    const { signatures } = (await verify(await detached({ attributes }))) as Verified;
    expect(signatures[0]!.signedAt).toEqual(at);
  });
});

describe('what is signed is not what is shown', () => {
  it('content embedded beside detached content (CVE-2018-18509), both ways', async () => {
    const signers = [{ signer, ...ed25519 }];
    const other = await forge({ signers, content: text, eContent: text });
    expect(await outcome(multipartSigned(evil, other))).not.toBe('good');
    expect(await outcome(multipartSigned(text, other))).not.toBe('good');
    const inside = await forge({ signers, content: text, eContent: evil });
    expect(await outcome(multipartSigned(text, inside))).not.toBe('good');
    expect(await outcome(pkcs7Mime(inside))).not.toBe('good');
  });

  it('other content', async () => {
    const cms = await forge({ signers: [{ signer, ...ed25519 }], content: text });
    expect(await outcome(multipartSigned(evil, cms))).toBe('bad');
    expect(await outcome(multipartSigned(text.subarray(0, -2), cms))).toBe('bad');
  });

  it('a detached object without any content to be had', async () => {
    const cms = await forge({ signers: [{ signer, ...ed25519 }], content: new Uint8Array() });
    expect(await outcome(pkcs7Mime(cms))).not.toBe('good');
  });

  it.each([
    oids.tstInfo,
    oids.envelopedData,
    oids.signedData,
    oids.compressedData,
    oids.authEnvelopedData,
    oids.encryptedData,
    oids.digestedData,
    oids.authData,
    '1.2.840.113549.1.9.16.1.1',
    '1.2.3.4.5',
  ])('content of type %s in place of id-data', async (type) => {
    const attributes = (digest: Uint8Array) => [contentTypeAttribute(type), digestAttribute(digest)];
    const one = { signer, ...ed25519, attributes };
    const cms = await forge({ signers: [one], content: text, eContent: text, eContentType: type });
    expect(await outcome(pkcs7Mime(cms))).not.toBe('good');
    const without = await forge({
      signers: [{ ...one, attributes: null }],
      content: text,
      eContent: text,
      eContentType: type,
    });
    expect(await outcome(pkcs7Mime(without), rfc3923Policy.algorithms)).not.toBe('good');
  });
});

describe('signed attributes (RFC 5652 sections 5.3, 5.4 and 11)', () => {
  it('presented as the content of a signature without attributes', async () => {
    // The DER of somebody's attributes is octets that his key signed: shown as content, the signature fits.
    const attributes = usual(hashOf('sha512', text));
    const set = attributeSet(attributes);
    const honest = await forge({ signers: [{ signer, ...ed25519 }], content: text });
    expect(await outcome(multipartSigned(text, honest))).toBe('good');
    const cms = await forge({ signers: [{ signer, ...ed25519, attributes: null }], content: set, eContent: set });
    expect(await outcome(pkcs7Mime(cms))).not.toBe('good');
    expect(await outcome(pkcs7Mime(cms), rfc3923Policy.algorithms)).not.toBe('good');
  });

  it('left out: refused, unless the policy takes it', async () => {
    const octets = await detached({ attributes: null });
    expect(await outcome(octets)).toBe('bad');
    expect(await outcome(octets, rfc3923Policy.algorithms)).toBe('good');
  });

  const digest = digestAttribute;
  const wrong: Readonly<Record<string, (hash: Uint8Array) => readonly Parameters<typeof attribute>[1][]>> = {
    'without messageDigest': () => [contentTypeAttribute()],
    'without contentType': (hash) => [digest(hash)],
    'with a wrong messageDigest': (hash) => [contentTypeAttribute(), digest(hash.map((octet) => octet ^ 1))],
    'with a messageDigest of another hash': () => [contentTypeAttribute(), digest(hashOf('sha256', text))],
    'with an empty messageDigest': () => [contentTypeAttribute(), digest(new Uint8Array())],
    'with two messageDigests': (hash) => [contentTypeAttribute(), digest(hash), digest(hashOf('sha512', evil))],
    'with two equal messageDigests': (hash) => [contentTypeAttribute(), digest(hash), digest(hash)],
    'with a messageDigest of two values': (hash) => [
      contentTypeAttribute(),
      attribute(oids.messageDigest, der(4, hash), der(4, hashOf('sha512', evil))),
    ],
    'with a messageDigest of no value': () => [contentTypeAttribute(), attribute(oids.messageDigest)],
    'with two contentTypes': (hash) => [contentTypeAttribute(), contentTypeAttribute(oids.tstInfo), digest(hash)],
    'with another contentType': (hash) => [contentTypeAttribute(oids.envelopedData), digest(hash)],
    'with two signingTimes': (hash) => [...usual(hash), timeAttribute(at), timeAttribute(daysFromNow(1))],
  };
  it.each(Object.entries(wrong))('%s', async (_what, attributes) => {
    expect(['bad', 'ERR_E2E_MALFORMED']).toContain(await outcome(await detached({ attributes })));
  });

  it('not in DER order', async () => {
    const attributes = (hash: Uint8Array) => [...usual(hash)].reverse();
    const octets = await detached({ attributes, unordered: true });
    expect(['bad', 'ERR_E2E_MALFORMED']).toContain(await outcome(octets));
  });

  it('signingTime where nothing protects it counts for nothing', async () => {
    const verified = await verify(await detached({ unsignedAttributes: [timeAttribute(daysFromNow(-100))] }));
    if (!(verified instanceof E2eError)) expect(verified.signatures[0]!.signedAt).toBeUndefined();
  });
});

describe('who signed', () => {
  it('a self-signed certificate in the message speaks for nobody', async () => {
    expect(await outcome(await detached({ signer: mallory }))).toBe('untrusted');
  });

  it("a stranger's key under the reference of the victim", async () => {
    const signers = [{ signer: { ...signer, keys: mallory.keys }, ...ed25519 }];
    expect(await outcome(multipartSigned(text, await forge({ signers, content: text })))).toBe('bad');
  });

  it('two certificates with one issuer and serial number, and two keys', async () => {
    const twin = await issue({
      subject: 'juliet',
      issuer: { ...mallory, name: root.name },
      serial: signer.certificate.serial,
      keys: mallory.keys,
      extensions: named('juliet@capulet.example'),
    });
    for (const certificates of [
      [signer.certificate.der, twin.certificate.der],
      [twin.certificate.der, signer.certificate.der],
    ]) {
      const cms = await forge({ signers: [{ signer: twin, ...ed25519 }], content: text, certificates });
      expect(await outcome(multipartSigned(text, cms))).not.toBe('good');
    }
  });

  it('the same certificate twice harms nobody', async () => {
    const certificates = [signer.certificate.der, signer.certificate.der];
    const cms = await forge({ signers: [{ signer, ...ed25519 }], content: text, certificates });
    expect(await outcome(multipartSigned(text, cms))).toBe('good');
  });

  it('no certificate', async () => {
    const cms = await forge({ signers: [{ signer, ...ed25519 }], content: text, certificates: [] });
    expect(await outcome(multipartSigned(text, cms))).toBe('unknown-signer');
  });

  it('two signers, in both orders, and none', async () => {
    const good = { signer, ...ed25519 };
    const bad = { signer: mallory, ...ed25519 };
    for (const signers of [
      [good, bad],
      [bad, good],
      [good, good],
    ]) {
      const result = await verify(multipartSigned(text, await forge({ signers, content: text })));
      if (result instanceof E2eError) continue;
      expect(result.signatures.length).toBe(2);
    }
    expect(await outcome(multipartSigned(text, await forge({ signers: [], content: text })))).toBe('0 signatures');
  });

  it('octets after the object', async () => {
    expect(await outcome(await detached({}, { trailing: utf8('garbage') }))).toBe('ERR_E2E_MALFORMED');
  });
});

describe('certificates that may not sign', () => {
  const bad: Readonly<Record<string, [Partial<IssueOptions>, string]>> = {
    'for servers': [{ extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, 'untrusted'],
    'for encryption': [{ keyUsage: ['keyEncipherment'] }, 'untrusted'],
    'with an unknown critical extension': [
      { extensions: [...named('juliet@capulet.example')!, serializeExtension('1.2.3.4', true, derSequence())] },
      'untrusted',
    ],
    'that have expired': [{ notAfter: daysFromNow(-1) }, 'expired'],
    'that are not valid yet': [{ notBefore: daysFromNow(1) }, 'expired'],
  };
  it.each(Object.entries(bad))('%s', async (_what, [options, expected]) => {
    const one = await issue({
      subject: 'juliet',
      issuer: root,
      extensions: named('juliet@capulet.example'),
      ...options,
    });
    expect(await outcome(await detached({ signer: one }))).toBe(expected);
  });

  it('below an end entity, or a CA that may only issue end entities', async () => {
    const below = await issue({ subject: 'juliet', issuer: signer, extensions: named('juliet@capulet.example') });
    const certificates = [below.certificate.der, signer.certificate.der];
    expect(await outcome(await detached({ signer: below }, { certificates }))).toBe('untrusted');
    const zero = await issue({ subject: 'CA', issuer: root, ca: 0 });
    const second = await issue({ subject: 'CA 2', issuer: zero, ca: true });
    const leaf = await issue({ subject: 'juliet', issuer: second, extensions: named('juliet@capulet.example') });
    const chain = [leaf, second, zero].map(({ certificate }) => certificate.der);
    expect(await outcome(await detached({ signer: leaf }, { certificates: chain }))).toBe('untrusted');
  });

  it('of a CA constrained to other names', async () => {
    const xmpp = derContext(0, derOid(oids.xmppAddr), derContext(0, der(0x0c, utf8('romeo@montague.example'))));
    for (const [subtree, expected] of [
      [xmpp, 'untrusted'],
      [der(0x86, utf8('.montague.example')), 'untrusted'],
      [der(0x82, utf8('montague.example')), 'good'],
    ] as const) {
      const constraint = derSequence(derContext(0, derSequence(subtree)));
      const ca = await issue({
        subject: 'CA',
        issuer: root,
        ca: true,
        extensions: [serializeExtension(oids.nameConstraints, true, constraint)],
      });
      const names = serializeGeneralNames([
        { form: 'xmppAddr', text: 'juliet@capulet.example' },
        { form: 'uniformResourceIdentifier', text: 'im:juliet@capulet.example' },
      ]);
      const leaf = await issue({
        subject: 'juliet',
        issuer: ca,
        extensions: [serializeExtension(oids.subjectAltName, false, names)],
      });
      const certificates = [leaf.certificate.der, ca.certificate.der];
      expect(await outcome(await detached({ signer: leaf }, { certificates }))).toBe(expected);
    }
  });

  it('revoked by a list in the message or of the caller; not by a forged one', async () => {
    const revoked = [{ serial: signer.certificate.serial, reason: 1 }];
    const list = await issueCrl({ issuer: root, revoked });
    expect(await outcome(await detached({}, { crls: [list.der] }))).toBe('revoked');
    const forged = await issueCrl({ issuer: root, revoked, signWith: mallory.keys });
    expect(await outcome(await detached({}, { crls: [forged.der] }))).toBe('good');
    const trust = { anchors: anchors(), crls: [serializePem('X509 CRL', list.der)] };
    const entity = entityOf(await detached());
    const { signatures } = await backendOf({}, { trust }).verify({ ...strict, entity, sender: juliet, me: undefined });
    expect(signatures[0]!.outcome).toBe('revoked');
    expect(flag(1)).toBeDefined();
  });
});

describe('certificates filed for one JID', () => {
  const judge = async (jid: string, sender: string): Promise<SignatureResult> => {
    const person = certified(jid, mallory);
    const backend = backendOf({ filed: [person] });
    const entity = entityOf(
      multipartSigned(
        text,
        await forge({ signers: [{ signer: mallory, ...ed25519 }], content: text, certificates: [] }),
      ),
    );
    return (await backend.verify({ ...strict, entity, sender: Jid.parse(sender), me: undefined })).signatures[0]!;
  };

  it('speak for that JID, and without being in the message', async () => {
    const result = await judge('juliet@capulet.example', 'juliet@capulet.example');
    expect(result).toMatchObject({ outcome: 'good', trust: 'pinned' });
    expect(result.identities[0]!.jid.toString()).toBe('juliet@capulet.example');
  });

  it('speak for nobody else, whatever they name', async () => {
    const filedForRomeo = await judge('romeo@montague.example', 'romeo@montague.example');
    expect(filedForRomeo.identities).toEqual([]);
    expect((await judge('romeo@montague.example', 'juliet@capulet.example')).outcome).toBe('unknown-signer');
  });

  it('that are mere candidates speak for nobody', async () => {
    const backend = backendOf({ candidates: [certified('juliet@capulet.example', mallory)] });
    const entity = entityOf(await detached({ signer: mallory }));
    const { signatures } = await backend.verify({ ...strict, entity, sender: juliet, me: undefined });
    expect(signatures[0]).toMatchObject({ outcome: 'untrusted', identities: [] });
  });
});

describe.skipIf(!hasProgram('openssl', 'version'))('weak hashes', () => {
  it('RSA with SHA-1: weak, good where the policy takes it', async () => {
    const { crypto } = await import('../unit/x509/support.ts');
    const keys = await crypto.generateKeyPair({ algorithm: 'rsa', bits: 2048 });
    const one = await issue({ subject: 'juliet', issuer: root, keys, extensions: named('juliet@capulet.example') });
    const sha1 = { algorithm: { scheme: 'rsa-pkcs1v15', hash: 'sha1' }, digest: 'sha1' } as const;
    const octets = await detached({ signer: one, ...sha1 });
    expect(await outcome(octets)).toBe('weak');
    expect(await outcome(octets, rfc3923Policy.algorithms)).toBe('good');
  });

  it('RSA with 1024 bits: weak under every policy', async () => {
    const { crypto } = await import('../unit/x509/support.ts');
    const keys = await crypto.generateKeyPair({ algorithm: 'rsa', bits: 1024 });
    const one = await issue({ subject: 'juliet', issuer: root, keys, extensions: named('juliet@capulet.example') });
    const sha256 = { algorithm: { scheme: 'rsa-pkcs1v15', hash: 'sha256' }, digest: 'sha256' } as const;
    const octets = await detached({ signer: one, ...sha256 });
    expect(await outcome(octets)).toBe('weak');
    expect(await outcome(octets, rfc3923Policy.algorithms)).toBe('weak');
  });
});

describe('what else comes along', () => {
  it('a forged OCSP answer beside a list that revokes does not help', async () => {
    const list = await issueCrl({ issuer: root, revoked: [{ serial: signer.certificate.serial, reason: 1 }] });
    // RevocationInfoChoice: other [1] { id-ri-ocsp-response, OCSPResponse } (RFC 5940)
    const ocsp = encodeDer(derContext(1, derOid('1.3.6.1.5.5.7.16.2'), derSequence(der(0x0a, Uint8Array.of(0)))));
    for (const crls of [
      [list.der, ocsp],
      [ocsp, list.der],
    ]) {
      expect(await outcome(await detached({}, { crls }))).toBe('revoked');
    }
    expect(await outcome(await detached({}, { crls: [ocsp] }))).toBe('good');
  });

  it('certificates and lists that cannot be read, or are of another kind, harm nobody', async () => {
    const broken = encodeDer(derSequence(der(2, Uint8Array.of(1))));
    const attributeCertificate = encodeDer(derContext(2, derSequence()));
    const certificates = [broken, attributeCertificate, signer.certificate.der];
    expect(await outcome(await detached({}, { certificates, crls: [broken] }))).toBe('good');
  });

  it('certificates beyond the limits are refused', async () => {
    const many = Array.from({ length: 33 }, () => signer.certificate.der);
    expect(await outcome(await detached({}, { certificates: many }))).toBe('ERR_E2E_LIMIT');
    expect(await outcome(await detached({}, { certificates: many.slice(1) }))).toBe('good');
    const large = encodeDer(derSequence(der(4, new Uint8Array(16_385))));
    expect(await outcome(await detached({}, { certificates: [large, signer.certificate.der] }))).toBe('ERR_E2E_LIMIT');
    const list = await issueCrl({ issuer: root });
    const lists = Array.from({ length: 9 }, () => list.der);
    expect(await outcome(await detached({}, { crls: lists }))).toBe('ERR_E2E_LIMIT');
  });
});

describe('the certificate that the signer names under the signature (RFC 5035)', () => {
  const naming = (certificate: Uint8Array) => (digest: Uint8Array) => {
    const id = derSequence(derSequence(der(4, hashOf('sha256', certificate))));
    return [...usual(digest), attribute(oids.signingCertificateV2, derSequence(id))];
  };

  it('is the one that counts', async () => {
    const attributes = naming(signer.certificate.der);
    expect(await outcome(await detached({ attributes }))).toBe('good');
  });

  it('cannot be replaced by another certificate for the same key', async () => {
    const other = await issue({
      subject: 'juliet',
      issuer: root,
      keys: signer.keys,
      extensions: named('juliet@capulet.example'),
    });
    const attributes = naming(other.certificate.der);
    expect(await outcome(await detached({ attributes }))).toBe('bad');
  });
});

describe('shapes', () => {
  it('a key identifier that is no hash of the key', async () => {
    const extensions = [...named('juliet@capulet.example')!];
    const one = await issue({ subject: 'juliet', issuer: root, keyId: utf8('of my choice'), extensions });
    expect(await outcome(await detached({ signer: one, sid: 'key' }))).toBe('good');
    const hashed = der(0x80, hashOf('sha1', one.keys.publicKey.subjectPublicKey));
    expect(await outcome(await detached({ signer: one, sid: hashed }))).toBe('unknown-signer');
  });

  it('one key with two certificates, of which one has expired', async () => {
    const keyId = utf8('one key');
    const options = {
      subject: 'juliet',
      issuer: root,
      keys: signer.keys,
      keyId,
      extensions: named('juliet@capulet.example'),
    };
    const valid = await issue(options);
    const expired = await issue({ ...options, notAfter: daysFromNow(-1) });
    for (const list of [
      [valid, expired],
      [expired, valid],
    ]) {
      const certificates = list.map(({ certificate }) => certificate.der);
      expect(await outcome(await detached({ signer: valid, sid: 'key' }, { certificates }))).toBe('good');
    }
  });

  it('empty content', async () => {
    const empty = new Uint8Array();
    const cms = await forge({ signers: [{ signer, ...ed25519 }], content: empty });
    expect(await outcome(multipartSigned(empty, cms))).toBe('good');
  });

  it('a second part of another type', async () => {
    const octets = Buffer.from(await detached()).toString('latin1');
    const changed = utf8(octets.replace('Content-Type: application/pkcs7-signature', 'Content-Type: text/plain'));
    expect(await outcome(changed)).toBe('ERR_E2E_MALFORMED');
  });

  it('a detached object alone, without content', async () => {
    const cms = await forge({ signers: [{ signer, ...ed25519 }], content: text });
    expect(await outcome(pkcs7Mime(cms))).toBe('ERR_E2E_MALFORMED');
  });

  it('MD5: weak, and not verified', async () => {
    const cms = await forge({ signers: [{ signer, ...ed25519, digestOid: oids.md5 }], content: text });
    expect(await outcome(multipartSigned(text, cms), rfc3923Policy.algorithms)).toBe('weak');
  });
});
