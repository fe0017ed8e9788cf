import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import {
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { concatBytes, utf8 } from '../../../src/bytes.ts';
import { type Enveloped, parseEnveloped } from '../../../src/cms/enveloped-data.ts';
import { decryptEnveloped } from '../../../src/cms/decrypt.ts';
import { type Limits, defaultLimits, limitsWith } from '../../../src/limits.ts';
import { type Envelope, type RecipientWriter, kekRecipient, keyAgreement, keyTransport, seal } from './envelope.ts';
import {
  attribute,
  byIssuer,
  byKey,
  codeOf,
  content,
  contentInfo,
  contentTypeAttribute,
  crypto,
  failure,
  keyPair,
} from './support.ts';

const rsa = await keyPair('rsa');
const p256 = await keyPair('p256');
const toRsa = keyTransport({ publicKey: rsa.publicKey });
const toP256 = keyAgreement({ publicKeys: [{ publicKey: p256.publicKey }] });

function open(envelope: Partial<Envelope> = {}, limits: Limits = defaultLimits): Enveloped {
  return parseEnveloped(seal({ cipher: 'aes128-gcm', recipients: [toRsa], ...envelope }), limits);
}
const cbc = { cipher: 'aes128-cbc' } as const;

function decrypt(enveloped: Enveloped, index = 0) {
  const { privateKey } = enveloped.recipients[index]!.kind === 'key-transport' ? rsa : p256;
  return decryptEnveloped({ enveloped, recipient: enveloped.recipients[index]!, privateKey, crypto });
}

describe('parseEnveloped', () => {
  it('tells everything public', () => {
    const enveloped = open({ cipher: 'aes256-gcm', recipients: [toRsa, toP256, kekRecipient] });
    expect(enveloped).toMatchObject({
      kind: 'auth-enveloped-data',
      encryption: { cipher: 'aes256-gcm', aead: true, keyTransport: ['kek', 'rsa-oaep', 'ecdh'] },
      recipients: [
        { kind: 'key-transport', identifier: byIssuer, label: 'rsa-oaep' },
        { kind: 'key-agreement', identifier: byIssuer, label: 'ecdh' },
      ],
    });
    expect(enveloped.iv).toHaveLength(12);
    expect(enveloped.tag).toHaveLength(16);
  });

  it('tells that CBC is no AEAD', () => {
    const pkcs1 = keyTransport({ publicKey: rsa.publicKey, pkcs1v15: true, identifier: byKey });
    expect(open({ ...cbc, recipients: [pkcs1] })).toMatchObject({
      kind: 'enveloped-data',
      tag: undefined,
      encryption: { cipher: 'aes128-cbc', aead: false, keyTransport: ['rsa-pkcs1v15'] },
      recipients: [{ identifier: byKey, scheme: { name: 'rsa-pkcs1v15' } }],
    });
  });

  it.each([12, 13, 14, 15, 16])('takes a tag of %i octets (RFC 5084 section 3.2)', async (tagLength) => {
    const enveloped = open({ tagLength });
    expect(enveloped.tag).toHaveLength(tagLength);
    expect(await decrypt(enveloped)).toEqual(content);
  });

  it('reads an absent ICVlen as 12 (RFC 5084 section 3.2)', async () => {
    const enveloped = open({ tagLength: 12, parameters: (iv) => derSequence(derOctetString(iv)) });
    expect(await decrypt(enveloped)).toEqual(content);
    expect(await codeOf(() => open({ tagLength: 16, parameters: (iv) => derSequence(derOctetString(iv)) }))).toBe(
      'MALFORMED',
    );
  });

  it('skips originatorInfo and unprotected attributes', async () => {
    const originatorInfo = derContext(0, derContext(0, derSequence(derInteger(1))));
    const unauthAttrs = [attribute('1.2.3', derNull)];
    for (const cipher of ['aes128-cbc', 'aes128-gcm'] as const) {
      const enveloped = open({ cipher, originatorInfo, unauthAttrs });
      expect(await decrypt(enveloped)).toEqual(content);
    }
  });

  it('reads ciphertext in constructed, indefinite-length pieces', async () => {
    const element = (ciphertext: Uint8Array) =>
      concatBytes(
        Uint8Array.of(0xa0, 0x80),
        encodeDer(derOctetString(ciphertext.subarray(0, 5))),
        encodeDer(derOctetString(ciphertext.subarray(5))),
        Uint8Array.of(0, 0),
      );
    expect(await decrypt(open({ element }))).toEqual(content);
    expect(await decrypt(open({ ...cbc, element }))).toEqual(content);
  });

  it('authenticates authAttrs (RFC 5083 section 2.2)', async () => {
    const authAttrs = [contentTypeAttribute, attribute('1.2.3', derOctetString(utf8('hello')))];
    expect(await decrypt(open({ authAttrs }))).toEqual(content);
    const changed = seal({ cipher: 'aes128-gcm', recipients: [toRsa], authAttrs });
    const at = Buffer.from(changed).indexOf('hello');
    changed[at] = 'i'.charCodeAt(0);
    const enveloped = parseEnveloped(changed, defaultLimits);
    expect(await codeOf(() => decrypt(enveloped))).toBe('DECRYPTION_FAILED');
  });

  it.each<[string, Partial<Envelope>]>([
    ['CBC in AuthEnvelopedData (CVE-2026-34182)', { ...cbc, container: 'auth-enveloped-data' }],
    ['GCM in EnvelopedData', { container: 'enveloped-data' }],
    ['signed content type inside', { contentType: oids.signedData }],
  ])('refuses %s as UNSUPPORTED', async (_, envelope) => {
    const error = await failure(() => open(envelope));
    expect(error).toMatchObject({ code: 'ERR_E2E_UNSUPPORTED', stage: 'decrypt' });
    expect(error.encryption?.keyTransport).toEqual(['rsa-oaep']);
  });

  it('refuses unknown ciphers as UNSUPPORTED, by name', async () => {
    const message = Buffer.from(seal({ cipher: 'aes128-gcm', recipients: [toRsa] }));
    const ccm = encodeDer(derOid(oids.aes128Ccm));
    ccm.forEach((octet, i) => (message[message.indexOf(encodeDer(derOid(oids.aes128Gcm))) + i] = octet));
    const error = await failure(() => parseEnveloped(message, defaultLimits));
    expect(error).toMatchObject({
      code: 'ERR_E2E_UNSUPPORTED',
      encryption: { cipher: oids.aes128Ccm, aead: true, keyTransport: ['rsa-oaep'] },
    });
  });

  it.each<[string, Partial<Envelope>]>([
    ['a nonce of 11 octets', { ivLength: 11 }],
    ['a nonce of 17 octets', { ivLength: 17 }],
    ['a tag of 4 octets', { tagLength: 4 }],
    ['a tag of 8 octets', { tagLength: 8 }],
    ['a tag that is shorter than it says', { mac: (tag) => tag.subarray(0, 12) }],
    ['a tag that is longer than it says', { mac: (tag) => concatBytes(tag, tag) }],
    ['an empty tag', { mac: () => new Uint8Array() }],
    ['GCM without parameters', { parameters: () => undefined }],
    ['GCM with a bare nonce', { parameters: (iv) => derOctetString(iv) }],
    ['GCM with a third parameter', { parameters: (iv) => derSequence(derOctetString(iv), derInteger(16), derNull) }],
    ['a negative ICVlen', { parameters: (iv) => derSequence(derOctetString(iv), der(2, Uint8Array.of(0xf4))) }],
    ['a short initialization vector', { ...cbc, ivLength: 8 }],
    ['a long initialization vector', { ...cbc, ivLength: 17 }],
    ['CBC without initialization vector', { ...cbc, parameters: () => undefined }],
    ['CBC with NULL', { ...cbc, parameters: () => derNull }],
    ['no recipient', { recipients: [] }],
    ['no ciphertext', { element: () => undefined }],
    ['ciphertext of no block', { ...cbc, ciphertext: () => new Uint8Array() }],
    ['ciphertext of half a block', { ...cbc, ciphertext: (right) => right.subarray(0, -8) }],
    ['EnvelopedData of version 1', { ...cbc, version: 1 }],
    ['EnvelopedData of version 5', { ...cbc, version: 5 }],
    ['AuthEnvelopedData of version 2', { version: 2 }],
    ['an unknown kind of recipient', { recipients: [() => der(0xa5, derInteger(1))] }],
    ['key transport of version 1', { recipients: [keyTransport({ publicKey: rsa.publicKey, version: 1 })] }],
    ['key agreement of version 2', { recipients: [keyAgreement({ publicKeys: [p256], version: 2 })] }],
    ['authAttrs that are empty', { authAttrs: [] }],
    ['authAttrs with one twice', { authAttrs: [contentTypeAttribute, contentTypeAttribute] }],
    [
      'OAEP whose label has no value (CVE-2026-28390)',
      { recipients: [oaepWith(derContext(2, derSequence(derOid(oids.pSpecified))))] },
    ],
  ])('refuses %s', async (_, envelope) => {
    expect(await failure(() => open(envelope))).toMatchObject({ code: 'ERR_E2E_MALFORMED', stage: 'decrypt' });
  });

  it('refuses other content types as UNSUPPORTED', async () => {
    for (const type of [oids.data, oids.signedData, oids.encryptedData, oids.authData, '1.2.3']) {
      expect(await codeOf(() => parseEnveloped(contentInfo(type, derSequence()), defaultLimits))).toBe('UNSUPPORTED');
    }
  });

  it('refuses every truncation, and a trailing octet', async () => {
    const messages = [
      seal({ cipher: 'aes128-gcm', recipients: [toRsa, toP256], authAttrs: [contentTypeAttribute] }),
      seal({ ...cbc, recipients: [toRsa, toP256] }),
    ];
    for (const message of messages) {
      for (let length = 0; length < message.length; length++) {
        expect(await codeOf(() => parseEnveloped(message.subarray(0, length), defaultLimits))).toBe('MALFORMED');
      }
      const longer = concatBytes(message, Uint8Array.of(0));
      expect(await codeOf(() => parseEnveloped(longer, defaultLimits))).toBe('MALFORMED');
    }
  });

  it('keeps the limit on recipients, counting each RecipientEncryptedKey', async () => {
    const several = (count: number) => keyAgreement({ publicKeys: Array.from({ length: count }, () => p256) });
    const of = (...recipients: RecipientWriter[]) => codeOf(() => open({ recipients }));
    expect(open({ recipients: [several(64)] }).recipients).toHaveLength(64);
    expect(await of(several(65))).toBe('LIMIT');
    expect(await of(several(33), several(32))).toBe('LIMIT');
    expect(await of(several(64), kekRecipient)).toBe('LIMIT');
    expect(await of(...Array.from({ length: 65 }, () => kekRecipient))).toBe('LIMIT');
  });

  it('keeps the limit on decrypted octets before any key is used', async () => {
    const limits = limitsWith({ decryptedBytes: content.length });
    expect(await decrypt(open({}, limits))).toEqual(content);
    expect(await decrypt(open(cbc, limits))).toEqual(content);
    const less = limitsWith({ decryptedBytes: content.length - 1 });
    expect(await codeOf(() => open({}, less))).toBe('LIMIT');
    const muchLess = limitsWith({ decryptedBytes: content.length - 16 });
    expect(await codeOf(() => open(cbc, muchLess))).toBe('LIMIT');
    // Within the last block only decryption can tell, and then all errors are one.
    expect(await codeOf(() => decrypt(open(cbc, less)))).toBe('DECRYPTION_FAILED');
  });
});

function oaepWith(source: ReturnType<typeof derContext>): RecipientWriter {
  const algorithm = derSequence(derOid(oids.rsaesOaep), derSequence(source));
  return keyTransport({ publicKey: rsa.publicKey, algorithm });
}

describe('recipients that are not supported', () => {
  const originatorKey = (algorithm: Parameters<typeof derContext>[1]) =>
    keyAgreement({ publicKeys: [p256], originatorAlgorithm: algorithm });
  const label = derSequence(derOid(oids.pSpecified), derOctetString(utf8('label')));
  it.each<[string, RecipientWriter]>([
    [
      'an unknown key transport',
      keyTransport({ publicKey: rsa.publicKey, algorithm: derSequence(derOid('1.2.3'), derNull) }),
    ],
    [
      'RSA with parameters',
      keyTransport({ publicKey: rsa.publicKey, algorithm: derSequence(derOid(oids.rsaEncryption), derInteger(1)) }),
    ],
    ['OAEP with a label', oaepWith(derContext(2, label))],
    ['OAEP with an unknown hash', oaepWith(derContext(0, derSequence(derOid(oids.md5))))],
    [
      'an unknown scheme of agreement',
      keyAgreement({
        publicKeys: [p256],
        algorithm: derSequence(derOid('1.2.3'), derSequence(derOid(oids.aes128Wrap))),
      }),
    ],
    [
      'an agreement without key wrap (CVE-2026-28389)',
      keyAgreement({ publicKeys: [p256], algorithm: derSequence(derOid(oids.dhSinglePassStdDhSha256Kdf)) }),
    ],
    [
      'an unknown key wrap',
      keyAgreement({
        publicKeys: [p256],
        algorithm: derSequence(derOid(oids.dhSinglePassStdDhSha256Kdf), derSequence(derOid('1.2.3'))),
      }),
    ],
    ["a sender's key in a certificate", keyAgreement({ publicKeys: [p256], originator: der(0x80, Uint8Array.of(1)) })],
    [
      "a sender's key by issuer and serial number",
      keyAgreement({ publicKeys: [p256], originator: derSequence(derSequence(), derInteger(1)) }),
    ],
    [
      "a sender's key of another kind",
      originatorKey(derSequence(derOid(oids.dhPublicNumber), derSequence(derInteger(5)))),
    ],
    ['an unknown curve', originatorKey(derSequence(derOid(oids.ecPublicKey), derOid('1.3.132.0.10')))],
    [
      'a curve made up in the message',
      originatorKey(derSequence(derOid(oids.ecPublicKey), derSequence(derInteger(1)))),
    ],
  ])('%s: are listed, and UNSUPPORTED only when used', async (_, recipient) => {
    const enveloped = open({ recipients: [recipient, toRsa] });
    expect(enveloped.recipients).toHaveLength(2);
    expect(enveloped.recipients[0]!.scheme).toBeUndefined();
    expect(await decrypt(enveloped, 1)).toEqual(content);
    expect(await failure(() => decrypt(enveloped, 0))).toMatchObject({
      code: 'ERR_E2E_UNSUPPORTED',
      stage: 'decrypt',
      encryption: enveloped.encryption,
    });
  });
});
