/**
 * S/MIME with ML-DSA (RFC 9881, RFC 9882) and ML-KEM (RFC 9629, RFC 9935, RFC 9936): identities of both, beside others,
 * on runtimes that have them and on runtimes that do not.
 */
import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { generateIdentity, type IdentityAlgorithm, openEntity } from '../../../src/backends/smime/index.ts';
import { loadIdentity } from '../../../src/backends/smime/key-material.ts';
import { contextTag, parseDer, tags } from '../../../src/asn1/reader.ts';
import { concatBytes, indexOfBytes } from '../../../src/bytes.ts';
import { decryptEnveloped } from '../../../src/cms/decrypt.ts';
import { encryptContent } from '../../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../../src/cms/enveloped-data.ts';
import { signData } from '../../../src/cms/sign.ts';
import { latticeByOid, mlDsaOids, mlKemOids } from '../../../src/crypto/lattice-keys.ts';
import { nodeCrypto as crypto } from '../../../src/crypto/node.ts';
import { parsePrivateKey } from '../../../src/crypto/private-key.ts';
import type { CryptoProvider, HashName } from '../../../src/crypto/provider.ts';
import { parsePublicKey } from '../../../src/crypto/public-key.ts';
import { derBitString } from '../../../src/asn1/writer.ts';
import { E2eError } from '../../../src/errors.ts';
import { bareEntity } from '../../../src/mime/entity.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { parseCertificate } from '../../../src/x509/certificate.ts';
import { validatePath } from '../../../src/x509/path-validation.ts';
import { parsePem, serializePem } from '../../../src/x509/pem.ts';
import { keyLabel } from '../../../src/x509/signature.ts';
import { issue } from '../x509/support.ts';
import { at, backendOf, certified, entityOf, person, type Person, strict, text } from './support.ts';

const capable = crypto.supports('ml-dsa') && crypto.supports('ml-kem');
const kinds = ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'] as const satisfies readonly IdentityAlgorithm[];
const signing = { ...strict, content: text, recipients: [], includeCertificate: true, profile: 'modern' } as const;
const sealing = { ...strict, content: text, hidden: false, profile: 'modern' } as const;

/** The provider of a runtime that has ML-KEM, as far as writing goes: the secret is of no use to anybody. */
const pretending: CryptoProvider = {
  ...crypto,
  supports: () => true,
  encapsulate: ({ oid }) => ({
    ciphertext: crypto.randomBytes(latticeByOid.get(oid)!.outputLength),
    secret: crypto.randomBytes(32),
  }),
};

async function failure(operation: Promise<unknown>): Promise<E2eError | undefined> {
  return operation.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof E2eError) return error;
      throw error;
    },
  );
}

/** A key that nobody has, in a certificate by a test CA. */
async function latticeCertificate(oid: string, usage: 'digitalSignature' | 'keyEncipherment'): Promise<Person> {
  const { publicLength, seedLength } = latticeByOid.get(oid)!;
  const spki = encodeDer(derSequence(derSequence(derOid(oid)), derBitString(new Uint8Array(publicLength))));
  const seed = encodeDer(der(0x80, new Uint8Array(seedLength)));
  const pkcs8 = encodeDer(derSequence(derInteger(0), derSequence(derOid(oid)), derOctetString(seed)));
  const keys = { publicKey: parsePublicKey(spki), privateKey: parsePrivateKey(pkcs8) };
  const authority = await issue({ subject: 'Authority', ca: true });
  const { extensions } = await romeoNames();
  const issued = await issue({ subject: 'romeo', issuer: authority, keys, keyUsage: [usage], extensions });
  return certified('romeo@montague.example', issued);
}

async function romeoNames(): Promise<{ readonly extensions: readonly DerPart[] }> {
  const { serializeExtension } = await import('../../../src/x509/extension.ts');
  const { serializeGeneralNames } = await import('../../../src/x509/general-names.ts');
  const names = serializeGeneralNames([{ form: 'xmppAddr', text: 'romeo@montague.example' }]);
  return { extensions: [serializeExtension(oids.subjectAltName, false, names)] };
}

function together(...people: readonly Person[]): Person {
  const keys = concatBytes(...people.map(({ identity }) => identity.keys as Uint8Array));
  const certificates = concatBytes(...people.map(({ identity }) => identity.certificates));
  return { jid: people[0]!.jid, identity: { keys, certificates } };
}

describe.runIf(capable)('where the runtime has them', () => {
  it.each(kinds)('%s: an identity signs, is verified, is encrypted to and decrypts', async (algorithm) => {
    const juliet = await person('juliet@capulet.example', algorithm);
    const romeo = await person('romeo@montague.example', algorithm);
    const labels = parsePem(juliet.identity.certificates).map(({ der: octets }) =>
      keyLabel(parseCertificate(octets, defaultLimits).publicKey),
    );
    const kem = { 'ml-dsa-44': 'ml-kem-512', 'ml-dsa-65': 'ml-kem-768', 'ml-dsa-87': 'ml-kem-1024' }[algorithm];
    expect(labels).toEqual([algorithm, kem]);
    const mine = backendOf({ own: [juliet], filed: [romeo] });
    const signed = await mine.sign({ ...signing, signer: juliet.jid });
    expect(Buffer.from(signed).toString('latin1')).toContain('micalg=sha-512');
    const sealed = await mine.encrypt({ ...sealing, content: signed, recipients: [romeo.jid] });
    const theirs = backendOf({ own: [romeo], filed: [juliet] });
    const opened = await theirs.decrypt({ ...strict, entity: entityOf(sealed), me: romeo.jid, sender: juliet.jid });
    expect(opened.encryption).toEqual({ cipher: 'aes256-gcm', aead: true, keyTransport: [kem] });
    const { signatures } = await theirs.verify({
      ...strict,
      entity: entityOf(opened.content),
      sender: juliet.jid,
      me: romeo.jid,
    });
    expect(signatures[0]).toMatchObject({ outcome: 'good', algorithm });
    expect(await theirs.certificates(juliet.jid)).toHaveLength(2);
  });

  it('encrypts to mixed recipients, each of whom opens it', async () => {
    const jid = 'romeo@montague.example';
    const devices = await Promise.all(
      (['ml-dsa-65', 'p256', 'rsa2048', 'ed25519', 'ml-dsa-44'] as const).map((algorithm) => person(jid, algorithm)),
    );
    const sealed = await backendOf({ filed: devices }).encrypt({ ...sealing, recipients: [devices[0]!.jid] });
    for (const device of devices) {
      const me = device.jid;
      const request = { ...strict, entity: entityOf(sealed), me, sender: undefined };
      const opened = await backendOf({ own: [device] }).decrypt(request);
      expect(opened.content).toEqual(text);
      const transports = ['ecdh', 'ml-kem-512', 'ml-kem-768', 'rsa-oaep', 'x25519'];
      expect([...opened.encryption.keyTransport].sort()).toEqual(transports);
    }
  });

  it('writes EnvelopedData of version 3, by both identifiers', async () => {
    const { publicKey, privateKey } = await crypto.generateKeyPair({ algorithm: 'ml-kem', parameterSet: 768 });
    for (const identifier of [
      { kind: 'key-identifier', keyIdentifier: Uint8Array.of(1, 2, 3) },
      { kind: 'issuer-and-serial', issuer: encodeDer(derSequence()), serial: Uint8Array.of(9) },
    ] as const) {
      const recipients = [{ publicKey, identifier }];
      const object = await encryptContent({ content: text, recipients, cipher: 'aes192-cbc', crypto });
      const { content } = readContent(object);
      expect(content[2]).toBe(3);
      const enveloped = parseEnveloped(object, defaultLimits);
      const [recipient] = enveloped.recipients;
      expect(recipient).toMatchObject({ kind: 'kem', label: 'ml-kem-768', identifier });
      expect(await decryptEnveloped({ enveloped, recipient: recipient!, privateKey, crypto })).toEqual(text);
    }
  });

  it.each([
    [44, 'sha256', 'good'],
    [44, 'sha1', 'bad'],
    [65, 'sha384', 'good'],
    [65, 'sha256', 'bad'],
    [87, 'sha512', 'good'],
    [87, 'sha384', 'bad'],
  ] as const)('ML-DSA-%i with %s: %s (RFC 9882 section 3.3)', async (parameterSet, hash, expected) => {
    const { crypto: provider, content, keyPair, signedMessage, verdictOf } = await cmsSupport(parameterSet);
    const message = await signedMessage(hash);
    const verdict = await verdictOf(message);
    expect(verdict.outcome).toBe(expected);
    expect(verdict.algorithm).toBe(`ml-dsa-${parameterSet}`);
    expect([provider.name, content.length > 0, keyPair.publicKey.algorithm]).toEqual(['node', true, 'ml-dsa']);
  });

  it('a key whose seed and expanded form disagree is told of (RFC 9881 section 8.2)', async () => {
    const { keysPem, certificatesPem } = await generateIdentity({ jid: 'a@b.example', algorithm: 'ml-dsa-44', at });
    const seed = parsePrivateKey(parsePem(keysPem)[0]!.der).scalar!;
    const other = await crypto.generateKeyPair({ algorithm: 'ml-dsa', parameterSet: 44 });
    const { createPrivateKey } = await import('node:crypto');
    const pkcs8 = Buffer.from(other.privateKey.pkcs8);
    const both = createPrivateKey({ format: 'der', type: 'pkcs8', key: pkcs8 }).export({
      format: 'der',
      type: 'pkcs8',
    });
    const expanded = new Uint8Array(both).subarray(-2560);
    const inner = encodeDer(derSequence(derOctetString(seed), derOctetString(expanded)));
    const forged = encodeDer(derSequence(derInteger(0), derSequence(derOid(mlDsaOids[44])), derOctetString(inner)));
    const keys = serializePem('PRIVATE KEY', forged);
    const error = await failure(loadIdentity({ keys, certificates: certificatesPem }, defaultLimits, crypto));
    expect(error?.code).toBe('ERR_E2E_KEY_UNAVAILABLE');
  });

  it('a path of ML-DSA certificates holds, and does not for another CA of the same name', async () => {
    const make = async (set: 44 | 65 | 87) => crypto.generateKeyPair({ algorithm: 'ml-dsa', parameterSet: set });
    const algorithm = { scheme: 'ml-dsa', parameterSet: 87 } as const;
    const root = await issue({ subject: 'Root', ca: true, keys: await make(87), algorithm });
    const middle = await issue({ subject: 'Middle', ca: true, issuer: root, keys: await make(65), algorithm });
    const leafAlgorithm = { scheme: 'ml-dsa', parameterSet: 65 } as const;
    const leaf = await issue({ subject: 'Leaf', issuer: middle, keys: await make(44), algorithm: leafAlgorithm });
    const impostor = await issue({ subject: 'Root', ca: true, keys: await make(87), algorithm });
    const outcome = async (anchor: typeof root) => {
      const path = await validatePath({
        certificate: leaf.certificate,
        anchors: [anchor.certificate],
        pinned: [],
        intermediates: [middle.certificate],
        purpose: 'sign',
        at,
        clockSkewSeconds: 0,
        sha1Signatures: false,
        limits: defaultLimits,
        crypto,
        crls: [],
        extendedKeyUsages: [oids.emailProtection],
      });
      return path.outcome;
    };
    expect(await outcome(root)).toBe('trusted');
    expect(await outcome(impostor)).toBe('untrusted');
  });
});

/** A signature over an entity by a fresh ML-DSA key, with any digest. */
async function cmsSupport(parameterSet: 44 | 65 | 87) {
  const support = await import('../cms/support.ts');
  const keys = await crypto.generateKeyPair({ algorithm: 'ml-dsa', parameterSet });
  const scheme = { scheme: 'ml-dsa', parameterSet } as const;
  return {
    crypto: support.crypto,
    content: support.content,
    keyPair: keys,
    signedMessage: (digest: HashName) => support.signedMessage({ keys, scheme, digest }),
    verdictOf: (message: Uint8Array) =>
      support.verdictOf(message, keys.publicKey, { detached: support.content, policy: support.lax }),
  };
}

/** Puts the second of two recipients first: a SET OF is sorted in DER, and read in any order. */
function kemFirst(object: Uint8Array): Uint8Array {
  const content = parseDer(object, { limits: defaultLimits }).sequence();
  content.next();
  const fields = content.expect(contextTag(0)).explicit().sequence();
  fields.next();
  const [first, second] = [...fields.expect(tags.set).elements(2)].map(({ raw }) => raw);
  const start = indexOfBytes(object, concatBytes(first!, second!));
  const end = start + first!.length + second!.length;
  return concatBytes(object.subarray(0, start), second!, first!, object.subarray(end));
}

function readContent(object: Uint8Array): { readonly content: Uint8Array } {
  // ContentInfo { OID of 11 octets, [0] { SEQUENCE { version ...
  const position = object.indexOf(0xa0);
  const length = object[position + 1]!;
  const inside = position + 2 + (length > 0x80 ? length & 0x7f : 0);
  const sequence = object[inside + 1]!;
  return { content: object.subarray(inside + 2 + (sequence > 0x80 ? sequence & 0x7f : 0)) };
}

describe.runIf(!crypto.supports('ml-kem'))('where the runtime lacks them', () => {
  it.each(kinds)('%s: no identity is made', async (algorithm) => {
    const error = await failure(generateIdentity({ jid: 'juliet@capulet.example', algorithm }));
    expect(error?.code).toBe('ERR_E2E_UNSUPPORTED');
  });

  it('another key signs, and another certificate is encrypted to; without one it is UNSUPPORTED', async () => {
    const lattice = together(
      await latticeCertificate(mlDsaOids[65], 'digitalSignature'),
      await latticeCertificate(mlKemOids[768], 'keyEncipherment'),
    );
    const { jid } = lattice;
    const alone = backendOf({ own: [lattice], filed: [lattice] });
    expect((await failure(alone.sign({ ...signing, signer: jid })))?.code).toBe('ERR_E2E_UNSUPPORTED');
    expect((await failure(alone.encrypt({ ...sealing, recipients: [jid] })))?.code).toBe('ERR_E2E_UNSUPPORTED');
    expect(await alone.canSealTo(jid, at)).toBe(false);
    const both = together(lattice, await person(jid.toString(), 'p256'));
    const backend = backendOf({ own: [both], filed: [both] });
    expect(await backend.canSealTo(jid, at)).toBe(true);
    const opened = await backend.decrypt({
      ...strict,
      entity: entityOf(await backend.encrypt({ ...sealing, recipients: [jid] })),
      me: jid,
      sender: undefined,
    });
    expect(opened.encryption.keyTransport).toEqual(['ecdh']);
    const signed = await backend.sign({ ...signing, signer: jid });
    const entity = entityOf(signed);
    const { signatures } = await backend.verify({ ...strict, entity, sender: jid, me: undefined });
    expect(signatures[0]).toMatchObject({ outcome: 'good' });
  });

  it('an object for two keys of mine is opened with the one that can be', async () => {
    const lattice = await latticeCertificate(mlKemOids[1024], 'keyEncipherment');
    const curve = await person('romeo@montague.example', 'p256');
    const both = together(lattice, curve);
    const certificates = [lattice, curve].map(({ identity }) =>
      parseCertificate(parsePem(identity.certificates)[0]!.der, defaultLimits),
    );
    const recipients = certificates.map(({ publicKey, issuer, serial }) => ({
      publicKey,
      identifier: { kind: 'issuer-and-serial', issuer: issuer.raw, serial } as const,
    }));
    const made = await encryptContent({ content: text, recipients, cipher: 'aes256-gcm', crypto: pretending });
    const request = { ...strict, entity: bareEntity(kemFirst(made)), me: both.jid, sender: undefined };
    const opened = await backendOf({ own: [both] }).decrypt(request);
    expect(opened.content).toEqual(text);
    expect(opened.encryption.keyTransport).toEqual(['ml-kem-1024', 'ecdh']);
    const error = await failure(backendOf({ own: [lattice] }).decrypt(request));
    expect(error).toMatchObject({ code: 'ERR_E2E_UNSUPPORTED', encryption: { keyTransport: ['ml-kem-1024', 'ecdh'] } });
  });
});

describe('KEMRecipientInfo', () => {
  const wrap = (oid: string, ...parameters: readonly DerPart[]) => derSequence(derOid(oid), ...parameters);

  interface Fields {
    readonly type?: string;
    readonly version?: number;
    readonly kem?: DerPart;
    readonly ciphertext?: Uint8Array;
    readonly kdf?: DerPart;
    readonly kekLength?: number;
    readonly ukm?: DerPart;
    readonly wrap?: DerPart;
    readonly more?: DerPart;
  }

  /** AuthEnvelopedData of one recipient, right unless told otherwise. */
  function object(fields: Fields = {}): Uint8Array {
    const info = derSequence(
      derInteger(fields.version ?? 0),
      der(0x80, Uint8Array.of(1, 2, 3)),
      fields.kem ?? derSequence(derOid(mlKemOids[768])),
      derOctetString(fields.ciphertext ?? new Uint8Array(1088)),
      fields.kdf ?? derSequence(derOid(oids.hkdfWithSha256)),
      derInteger(fields.kekLength ?? 32),
      ...(fields.ukm === undefined ? [] : [derContext(0, fields.ukm)]),
      fields.wrap ?? wrap(oids.aes256Wrap),
      derOctetString(new Uint8Array(40)),
      ...(fields.more === undefined ? [] : [fields.more]),
    );
    const parameters = derSequence(derOctetString(new Uint8Array(12)), derInteger(16));
    const content = derSequence(derOid(oids.data), derSequence(derOid(oids.aes256Gcm), parameters), der(0x80, text));
    return encodeDer(
      derSequence(
        derOid(oids.authEnvelopedData),
        derContext(
          0,
          derSequence(
            derInteger(0),
            der(0x31, der(0xa4, derOid(fields.type ?? oids.oriKem), info)),
            content,
            derOctetString(new Uint8Array(16)),
          ),
        ),
      ),
    );
  }

  const recipientOf = (fields: Fields) => parseEnveloped(object(fields), defaultLimits).recipients[0];

  it('is read with every part', () => {
    expect(recipientOf({ ukm: derOctetString(Uint8Array.of(7)) })).toMatchObject({
      kind: 'kem',
      label: 'ml-kem-768',
      identifier: { kind: 'key-identifier', keyIdentifier: Uint8Array.of(1, 2, 3) },
      scheme: { kem: mlKemOids[768], hash: 'sha256', keyLength: 32, ukm: Uint8Array.of(7) },
    });
    expect(recipientOf({ kdf: wrap(oids.hkdfWithSha512) })).toMatchObject({ scheme: { hash: 'sha512' } });
    expect(recipientOf({ wrap: wrap(oids.aes128Wrap), kekLength: 16 })).toMatchObject({ scheme: { keyLength: 16 } });
  });

  it.each<[string, Fields]>([
    ['another key encapsulation', { kem: wrap('1.3.132.1.14.1') }],
    ['a key encapsulation with parameters', { kem: wrap(mlKemOids[768], derNull) }],
    ['a signature key', { kem: wrap(mlDsaOids[65]) }],
    ['KDF3', { kdf: wrap('1.3.133.16.840.9.44.1.2', wrap(oids.sha256)) }],
    ['HKDF with parameters', { kdf: wrap(oids.hkdfWithSha256, derNull) }],
    ['triple DES wrap', { wrap: wrap(oids.tripleDesWrap, derNull), kekLength: 24 }],
    ['an unknown wrap', { wrap: wrap(oids.aes256Gcm) }],
  ])('with %s is somebody else’s', async (_what, fields) => {
    const enveloped = parseEnveloped(object(fields), defaultLimits);
    const [recipient] = enveloped.recipients;
    expect(recipient).toMatchObject({ kind: 'kem', scheme: undefined });
    const privateKey = parsePrivateKey(
      encodeDer(
        derSequence(
          derInteger(0),
          derSequence(derOid(mlKemOids[768])),
          derOctetString(encodeDer(der(0x80, new Uint8Array(64)))),
        ),
      ),
    );
    const decrypt = async () => decryptEnveloped({ enveloped, recipient: recipient!, privateKey, crypto: pretending });
    expect((await failure(decrypt()))?.code).toBe('ERR_E2E_UNSUPPORTED');
  });

  it('of another kind of OtherRecipientInfo is passed by', () => {
    const { recipients, encryption } = parseEnveloped(object({ type: '1.2.840.113549.1.9.16.13.1' }), defaultLimits);
    expect(recipients).toEqual([]);
    expect(encryption.keyTransport).toEqual(['other']);
  });

  it.each<[string, Fields]>([
    ['version 1', { version: 1 }],
    ['a key length that is not of the wrap', { kekLength: 16 }],
    ['a key length of zero', { kekLength: 0 }],
    ['a ciphertext of another length', { ciphertext: new Uint8Array(1087) }],
    ['no ciphertext', { ciphertext: new Uint8Array() }],
    ['a ukm that is no OCTET STRING', { ukm: derNull }],
    ['more behind', { more: derNull }],
    ['an algorithm that is none', { kem: derNull }],
  ])('with %s is malformed', (_what, fields) => {
    expect(() => parseEnveloped(object(fields), defaultLimits)).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }),
    );
  });

  it('counts against the limit of recipients', async () => {
    const publicKey = (await latticeCertificate(mlKemOids[512], 'keyEncipherment')).identity.certificates;
    const certificate = parseCertificate(parsePem(publicKey)[0]!.der, defaultLimits);
    const identifier = { kind: 'key-identifier', keyIdentifier: Uint8Array.of(1) } as const;
    const recipients = Array.from({ length: 3 }, () => ({ publicKey: certificate.publicKey, identifier }));
    const made = await encryptContent({ content: text, recipients, cipher: 'aes256-gcm', crypto: pretending });
    expect(parseEnveloped(made, { ...defaultLimits, recipients: 3 }).recipients).toHaveLength(3);
    expect(() => parseEnveloped(made, { ...defaultLimits, recipients: 2 })).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }),
    );
  });

  it('for a wrong key is as every other failure', async () => {
    const stubborn: CryptoProvider = { ...pretending, decapsulate: () => new Uint8Array(32) };
    const enveloped = parseEnveloped(object(), defaultLimits);
    const inner = encodeDer(der(0x80, new Uint8Array(64)));
    const oid = derSequence(derOid(mlKemOids[768]));
    const privateKey = parsePrivateKey(encodeDer(derSequence(derInteger(0), oid, derOctetString(inner))));
    for (const provider of [stubborn, { ...stubborn, decapsulate: () => undefined }]) {
      const decrypt = async () =>
        decryptEnveloped({ enveloped, recipient: enveloped.recipients[0]!, privateKey, crypto: provider });
      expect(await failure(decrypt())).toMatchObject({ code: 'ERR_E2E_DECRYPTION_FAILED', reason: undefined });
    }
  });
});

describe('a signature with ML-DSA by a key of another kind', () => {
  it('is bad, and no error', async () => {
    const juliet = await person('juliet@capulet.example', 'p256');
    const [key] = (await loadIdentity(juliet.identity, defaultLimits, crypto)).keys;
    const { issuer, serial } = key!.certificate;
    const cms = await signData({
      content: text,
      detached: false,
      signer: {
        privateKey: () => new Uint8Array(3309),
        identifier: { kind: 'issuer-and-serial', issuer: issuer.raw, serial },
        algorithm: { scheme: 'ml-dsa', parameterSet: 65 },
      },
      crypto,
    });
    const certificates = [juliet.identity.certificates];
    expect((await failure(openEntity(bareEntity(cms), { at, certificates })))?.code).toBe('ERR_E2E_SIGNATURE_INVALID');
  });
});
