import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { timeElement } from '../../../src/asn1/time.ts';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { concatBytes, utf8 } from '../../../src/bytes.ts';
import { serializeSigningCertificateV2 } from '../../../src/cms/signed-attributes.ts';
import { parseSignedData, serializeSignedData } from '../../../src/cms/signed-data.ts';
import { verifySigner } from '../../../src/cms/verify.ts';
import { serializeHash } from '../../../src/crypto/hash-algorithm.ts';
import type { SignatureAlgorithm } from '../../../src/crypto/provider.ts';
import { serializeSignatureAlgorithm } from '../../../src/crypto/signature-algorithm.ts';
import { limitsWith } from '../../../src/limits.ts';
import {
  type VerifyOptions,
  type Written,
  attribute,
  codeOf,
  content,
  crypto,
  contentTypeAttribute,
  digestAttribute,
  digestOf,
  keyPair,
  lax,
  signedMessage,
  verdictOf,
  signerInfo,
} from './support.ts';

const ecdsa: SignatureAlgorithm = { scheme: 'ecdsa', hash: 'sha256' };
type Change = Partial<Omit<Written, 'keys'>>;

async function judge(change: Change = {}, options: VerifyOptions = { detached: content }) {
  const keys = await keyPair('p256');
  return verdictOf(await signedMessage({ keys, scheme: ecdsa, digest: 'sha256', ...change }), keys.publicKey, options);
}

const usual = [contentTypeAttribute, digestAttribute()];
const protection = (...fields: readonly DerPart[]) => attribute(oids.cmsAlgorithmProtect, derSequence(...fields));
const sha256 = serializeHash('sha256');
const signatureField = derContext(1, derOid(oids.ecdsaWithSha256));
const at = new Date('2026-06-01T12:00:00Z');

describe('a right signature', () => {
  it('is good, detached and with the content inside', async () => {
    const expected = { outcome: 'good', algorithm: 'ecdsa-p256 sha256', hash: 'sha256', signingTime: undefined };
    expect(await judge()).toMatchObject(expected);
    expect(await judge({ eContent: derOctetString(content) }, {})).toMatchObject(expected);
  });

  it('may be over empty content', async () => {
    const empty = new Uint8Array();
    const attributes = [contentTypeAttribute, digestAttribute(empty)];
    expect((await judge({ attributes }, { detached: empty })).outcome).toBe('good');
    expect((await judge({ attributes, eContent: derOctetString() }, {})).outcome).toBe('good');
  });

  it('may have content in constructed, indefinite-length pieces (RFC 5652 section 5.1: BER)', async () => {
    const pieces = [content.subarray(0, 7), new Uint8Array(), content.subarray(7)].map((piece) =>
      encodeDer(derOctetString(piece)),
    );
    const nested = concatBytes(Uint8Array.of(0x24, 0x80), ...pieces, Uint8Array.of(0, 0));
    expect((await judge({ eContent: nested }, {})).outcome).toBe('good');
  });

  it.each([
    ['absent', derSequence(derOid(oids.sha256))],
    ['NULL', derSequence(derOid(oids.sha256), derNull)],
  ])('may have digest parameters %s (RFC 5754 section 2)', async (_, digestAlgorithm) => {
    expect((await judge({ digestAlgorithm })).outcome).toBe('good');
  });

  it('reports signing time and signing certificate', async () => {
    const attributes = [
      ...usual,
      attribute(oids.signingTime, timeElement(at)),
      serializeSigningCertificateV2('sha256', digestOf('sha256', utf8('certificate'))),
    ];
    const verdict = await judge({ attributes });
    expect(verdict).toMatchObject({ outcome: 'good', signingTime: at });
    expect(verdict.signingCertificateV2).toEqual({
      hash: 'sha256',
      digest: digestOf('sha256', utf8('certificate')),
    });
  });

  it('reports a signing certificate by another hash', async () => {
    const digest = digestOf('sha512', utf8('certificate'));
    const attributes = [...usual, serializeSigningCertificateV2('sha512', digest)];
    expect((await judge({ attributes })).signingCertificateV2).toEqual({ hash: 'sha512', digest });
  });

  it('may protect its algorithms (RFC 6211), NULL and absent parameters being the same', async () => {
    const attributes = [...usual, protection(derSequence(derOid(oids.sha256), derNull), signatureField)];
    expect((await judge({ attributes })).outcome).toBe('good');
  });

  it('may carry attributes that nobody knows, signed and unsigned', async () => {
    const unknown = attribute('1.2.3.4', derInteger(1), derInteger(2));
    expect((await judge({ attributes: [...usual, unknown], unsigned: [unknown] })).outcome).toBe('good');
  });

  it.each([
    ['rsa', { scheme: 'rsa-pkcs1v15', hash: 'sha256' }, 'rsa-pkcs1v15 sha256'],
    ['rsa', { scheme: 'rsa-pkcs1v15', hash: 'sha512' }, 'rsa-pkcs1v15 sha512'],
    ['rsa', { scheme: 'rsa-pss', hash: 'sha384', saltLength: 20 }, 'rsa-pss sha384'],
    ['p384', { scheme: 'ecdsa', hash: 'sha384' }, 'ecdsa-p384 sha384'],
    ['p521', { scheme: 'ecdsa', hash: 'sha512' }, 'ecdsa-p521 sha512'],
    ['ed25519', { scheme: 'ed25519' }, 'ed25519'],
  ] as const)('by %s with %j', async (name, scheme, algorithm) => {
    const keys = await keyPair(name);
    const digest = 'hash' in scheme ? scheme.hash : 'sha512';
    const message = await signedMessage({ keys, scheme, digest });
    expect(await verdictOf(message, keys.publicKey, { detached: content })).toMatchObject({
      outcome: 'good',
      algorithm,
    });
    const other = utf8('another content');
    expect((await verdictOf(message, keys.publicKey, { detached: other })).outcome).toBe('bad');
    const stranger = await keyPair(name, 'stranger');
    expect((await verdictOf(message, stranger.publicKey, { detached: content })).outcome).toBe('bad');
  });

  it('names RSA with its hash too (RFC 5754 section 3.2)', async () => {
    const keys = await keyPair('rsa');
    const scheme = { scheme: 'rsa-pkcs1v15', hash: 'sha256' } as const;
    const signatureAlgorithm = serializeSignatureAlgorithm(scheme);
    const message = await signedMessage({ keys, scheme, digest: 'sha256', signatureAlgorithm });
    expect((await verdictOf(message, keys.publicKey, { detached: content })).outcome).toBe('good');
  });
});

describe('a signature is bad', () => {
  const padded = (element: DerPart): Uint8Array => {
    // The length of the outermost element in the long form: the same attributes, not in DER.
    const octets = encodeDer(element);
    return concatBytes(Uint8Array.of(octets[0]!, 0x81, octets[1]!), octets.subarray(2));
  };
  const badTime = der(0x17, utf8('260601120000'));
  const cases: readonly (readonly [why: string, change: Change, options?: VerifyOptions])[] = [
    ['without contentType (RFC 5652 11.1)', { attributes: [digestAttribute()] }],
    ['without messageDigest (RFC 5652 11.2)', { attributes: [contentTypeAttribute] }],
    [
      'when contentType is another than eContentType',
      { attributes: [attribute(oids.contentType, derOid(oids.signedData)), digestAttribute()] },
    ],
    [
      'when contentType has two values',
      { attributes: [attribute(oids.contentType, derOid(oids.data), derOid(oids.data)), digestAttribute()] },
    ],
    [
      'when messageDigest has two values',
      {
        attributes: [
          contentTypeAttribute,
          attribute(
            oids.messageDigest,
            derOctetString(digestOf('sha256', content)),
            derOctetString(digestOf('sha256', content)),
          ),
        ],
      },
    ],
    ['when messageDigest occurs twice', { attributes: [...usual, digestAttribute(utf8('other'))] }],
    ['when contentType occurs twice', { attributes: [...usual, contentTypeAttribute] }],
    [
      'when an unknown attribute occurs twice',
      { attributes: [...usual, attribute('1.2.3', derNull), attribute('1.2.3', derInteger(1))] },
    ],
    [
      'when messageDigest is no OCTET STRING',
      { attributes: [contentTypeAttribute, attribute(oids.messageDigest, der(0x0c, digestOf('sha256', content)))] },
    ],
    [
      'when the digest is cut',
      {
        attributes: [
          contentTypeAttribute,
          attribute(oids.messageDigest, derOctetString(digestOf('sha256', content).subarray(0, 31))),
        ],
      },
    ],
    [
      'when the digest is empty',
      { attributes: [contentTypeAttribute, attribute(oids.messageDigest, derOctetString())] },
    ],
    ['when the digest is of other content', { attributes: [contentTypeAttribute, digestAttribute(utf8('other'))] }],
    ['when an attribute has no value', { attributes: [...usual, attribute('1.2.3')] }],
    ['when the set of attributes is empty', { attributes: [] }],
    [
      'when signingTime has two values',
      {
        attributes: [
          ...usual,
          attribute(oids.signingTime, timeElement(at), timeElement(new Date(at.getTime() + 1000))),
        ],
      },
    ],
    ['when signingTime is no time', { attributes: [...usual, attribute(oids.signingTime, badTime)] }],
    ['when signed attributes are out of DER order', { attributes: [...usual].reverse(), ordered: false }],
    ['when signed attributes are not DER', { attributesElement: padded(derSetOf(usual, 0xa0)) }],
    [
      'when signed attributes are of indefinite length',
      {
        attributesElement: concatBytes(
          Uint8Array.of(0xa0, 0x80),
          ...usual.map((one) => encodeDer(one)),
          Uint8Array.of(0, 0),
        ),
      },
    ],
    [
      'when a value inside an unknown attribute is not DER',
      { attributes: [...usual, attribute('1.2.3', Uint8Array.of(2, 2, 0, 1))] },
    ],
    ['when a signed attribute is no SEQUENCE', { attributes: [...usual, derInteger(1)] }],
    [
      'when an attribute has a third field',
      { attributes: [...usual, derSequence(derOid('1.2.3'), der(0x31, derNull), derNull)] },
    ],
    [
      'when the signature is changed',
      { signature: (right) => concatBytes(right.subarray(0, -1), Uint8Array.of(right.at(-1)! ^ 1)) },
    ],
    ['when the signature is empty', { signature: () => new Uint8Array() }],
    ['when the signature has a trailing octet', { signature: (right) => concatBytes(right, Uint8Array.of(0)) }],
    ['without content', {}, {}],
    ['with content inside and beside', { eContent: derOctetString(content) }],
    ['with other content inside than beside', { eContent: derOctetString(utf8('other')) }],
    ['when eContentType is not id-data', { eContentType: oids.signedData, eContent: derOctetString(content) }, {}],
    [
      'when eContentType and contentType are not id-data',
      {
        eContentType: oids.tstInfo,
        eContent: derOctetString(content),
        attributes: [attribute(oids.contentType, derOid(oids.tstInfo)), digestAttribute()],
      },
      {},
    ],
    [
      'when digest and signature name two hashes (RFC 8933)',
      { signatureAlgorithm: serializeSignatureAlgorithm({ scheme: 'ecdsa', hash: 'sha384' }) },
    ],
    [
      'when the digest algorithm was replaced (RFC 6211)',
      { attributes: [...usual, protection(serializeHash('sha512'), signatureField)] },
    ],
    [
      'when the signature algorithm was replaced (RFC 6211)',
      { attributes: [...usual, protection(sha256, derContext(1, derOid(oids.ecdsaWithSha512)))] },
    ],
    [
      'when a MAC is protected (RFC 6211)',
      { attributes: [...usual, protection(sha256, derContext(2, derOid('1.2.3')))] },
    ],
    ['when nothing but the digest is protected (RFC 6211)', { attributes: [...usual, protection(sha256)] }],
    [
      'when a signature and a MAC are protected (RFC 6211)',
      { attributes: [...usual, protection(sha256, signatureField, derContext(2, derOid('1.2.3')))] },
    ],
    [
      'when algorithm protection has two values',
      {
        attributes: [
          ...usual,
          attribute(oids.cmsAlgorithmProtect, derSequence(sha256, signatureField), derSequence(sha256, signatureField)),
        ],
      },
    ],
    ['when signingTime is unsigned (RFC 5652 11.3)', { unsigned: [attribute(oids.signingTime, timeElement(at))] }],
    ['when contentType is unsigned', { unsigned: [contentTypeAttribute] }],
    ['when messageDigest is unsigned', { unsigned: [digestAttribute()] }],
    ['when unsigned attributes are malformed', { unsigned: [derInteger(1)] }],
    ['without signed attributes', { attributes: null }],
    [
      'when the signing certificate is malformed',
      { attributes: [...usual, attribute(oids.signingCertificateV2, derSequence())] },
    ],
  ];

  it.each(cases.map(([why, change, options = { detached: content }]) => ({ why, change, options })))(
    '$why',
    async ({ change, options }) => {
      const { outcome, reason } = await judge(change, options);
      expect(outcome).toBe('bad');
      // The signature is right in most of these, so that only the check in question can have refused it.
      expect(reason === 'signature does not fit').toBe(change.signature !== undefined);
      // None of these hangs on the policy, but for the absence of signed attributes.
      if (change.attributes === null) return;
      expect(await judge(change, { ...options, policy: lax })).toMatchObject({ outcome: 'bad', reason });
    },
  );

  it('when the algorithm does not fit the key', async () => {
    const message = await signedMessage({ keys: await keyPair('p256'), scheme: ecdsa, digest: 'sha256' });
    for (const name of ['rsa', 'ed25519', 'x25519'] as const) {
      const { publicKey } = await keyPair(name);
      expect((await verdictOf(message, publicKey, { detached: content })).outcome).toBe('bad');
    }
  });

  it('when Ed25519 goes with another digest than SHA-512 (RFC 8419 section 3)', async () => {
    const keys = await keyPair('ed25519');
    const message = await signedMessage({ keys, scheme: { scheme: 'ed25519' }, digest: 'sha256' });
    expect((await verdictOf(message, keys.publicKey, { detached: content })).outcome).toBe('bad');
  });

  it('when the hash of PSS is another than the digest', async () => {
    const keys = await keyPair('rsa');
    const message = await signedMessage({
      keys,
      scheme: { scheme: 'rsa-pss', hash: 'sha256', saltLength: 32 },
      digest: 'sha512',
    });
    expect((await verdictOf(message, keys.publicKey, { detached: content })).outcome).toBe('bad');
  });
});

describe('signatures without signed attributes', () => {
  it('are taken where the policy takes them', async () => {
    expect(await judge({ attributes: null })).toMatchObject({ outcome: 'bad', reason: 'no signed attributes' });
    expect((await judge({ attributes: null }, { detached: content, policy: lax })).outcome).toBe('good');
    const other = { detached: utf8('other'), policy: lax };
    expect((await judge({ attributes: null }, other)).outcome).toBe('bad');
  });

  it('are never taken over content that is a set of attributes', async () => {
    const set = encodeDer(derSetOf(usual));
    const options = { detached: set, policy: lax };
    expect(await judge({ attributes: null, signedOctets: set }, options)).toMatchObject({
      outcome: 'bad',
      reason: 'content is a set of attributes',
    });
  });

  it('are taken over content that begins like a set and is none', async () => {
    for (const text of ['1 + 1', '10 pounds of sugar']) {
      const octets = utf8(text);
      const options = { detached: octets, policy: lax };
      expect((await judge({ attributes: null, signedOctets: octets }, options)).outcome).toBe('good');
    }
  });
});

describe('several parts', () => {
  it('of the content are joined before it is hashed: no part can hide', async () => {
    const evil = utf8('Evil.');
    const pieces = [content.subarray(0, 9), evil, content.subarray(9)].map((one) => encodeDer(derOctetString(one)));
    const eContent = concatBytes(Uint8Array.of(0x24, 0x80), ...pieces, Uint8Array.of(0, 0));
    expect(await judge({ eContent }, {})).toMatchObject({ outcome: 'bad' });
  });

  it('of which one signature is right and one is wrong are judged apart', async () => {
    const keys = await keyPair('p256');
    const wrong: Written = { keys: await keyPair('p256', 'stranger'), scheme: ecdsa, digest: 'sha256' };
    const infos = [await signerInfo(wrong), await signerInfo({ ...wrong, keys })];
    const message = serializeSignedData({ digestAlgorithms: [sha256], signerInfos: infos, byKeyIdentifier: false });
    const signedData = parseSignedData(message, limitsWith({ signatures: 2 }));
    const outcomes: string[] = [];
    for (const one of signedData.signerInfos) {
      const request = { signedData, signerInfo: one, content, publicKey: keys.publicKey, crypto, policy: lax };
      outcomes.push((await verifySigner(request)).outcome);
    }
    expect(outcomes).toEqual(['bad', 'good']);
  });
});

describe('old algorithms', () => {
  it('make SHA-1 weak unless the policy takes it', async () => {
    const keys = await keyPair('rsa');
    const message = await signedMessage({ keys, scheme: { scheme: 'rsa-pkcs1v15', hash: 'sha1' }, digest: 'sha1' });
    expect(await verdictOf(message, keys.publicKey, { detached: content })).toMatchObject({
      outcome: 'weak',
      algorithm: 'rsa-pkcs1v15 sha1',
    });
    const options = { detached: content, policy: { ...lax, unsignedAttributes: false } };
    expect((await verdictOf(message, keys.publicKey, options)).outcome).toBe('good');
    expect((await verdictOf(message, keys.publicKey, { ...options, detached: utf8('other') })).outcome).toBe('bad');
  });

  it('are UNSUPPORTED where nobody implements them', async () => {
    expect(await codeOf(() => judge({ digestAlgorithm: derSequence(derOid(oids.md5)) }))).toBe('UNSUPPORTED');
    expect(await codeOf(() => judge({ digestAlgorithm: derSequence(derOid(oids.sha256), derInteger(1)) }))).toBe(
      'UNSUPPORTED',
    );
    expect(await codeOf(() => judge({ signatureAlgorithm: derSequence(derOid(oids.dsa)) }))).toBe('UNSUPPORTED');
  });
});
