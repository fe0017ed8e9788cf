import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { derNull, derOid, derSequence } from '../../../src/asn1/writer.ts';
import type { ContentCipher } from '../../../src/cms/algorithms.ts';
import { type DecryptionFunctions, assertDecryptionAllowed, decryptEnveloped } from '../../../src/cms/decrypt.ts';
import { parseEnveloped } from '../../../src/cms/enveloped-data.ts';
import type { CryptoProvider, HashName, PrivateKey } from '../../../src/crypto/provider.ts';
import { webCrypto } from '../../../src/crypto/web.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { type Envelope, keyAgreement, keyTransport, seal } from './envelope.ts';
import { type KeyName, byIssuer, byKey, codeOf, content, crypto, failure, keyPair } from './support.ts';

const rsa = await keyPair('rsa');
const p256 = await keyPair('p256');
const x25519 = await keyPair('x25519');
const web = webCrypto();

interface Opening {
  readonly index?: number;
  readonly privateKey?: PrivateKey | DecryptionFunctions;
  readonly with?: CryptoProvider;
}

async function open(envelope: Envelope, opening: Opening = {}): Promise<Uint8Array> {
  const enveloped = parseEnveloped(seal(envelope), defaultLimits);
  const recipient = enveloped.recipients[opening.index ?? 0]!;
  const privateKey =
    opening.privateKey ??
    (recipient.kind === 'key-transport' ? rsa : recipient.label === 'x25519' ? x25519 : p256).privateKey;
  return decryptEnveloped({ enveloped, recipient, privateKey, crypto: opening.with ?? crypto });
}

const everyCipher: readonly ContentCipher[] = [
  'aes128-cbc',
  'aes192-cbc',
  'aes256-cbc',
  'des-ede3-cbc',
  'aes128-gcm',
  'aes192-gcm',
  'aes256-gcm',
];

describe('reads what another hand wrote', () => {
  it.each(everyCipher)('%s', async (cipher) => {
    const recipients = [
      keyTransport({ publicKey: rsa.publicKey }),
      keyTransport({ publicKey: rsa.publicKey, pkcs1v15: true, identifier: byKey }),
      keyAgreement({ publicKeys: [p256] }),
      keyAgreement({ publicKeys: [x25519] }),
    ];
    for (let index = 0; index < recipients.length; index++) {
      expect(await open({ cipher, recipients }, { index })).toEqual(content);
      if (cipher === 'des-ede3-cbc' || index === 1) continue;
      expect(await open({ cipher, recipients }, { index, with: web })).toEqual(content);
    }
  });

  it.each<HashName>(['sha1', 'sha256', 'sha384', 'sha512'])('RSAES-OAEP with %s', async (oaepHash) => {
    const recipients = [keyTransport({ publicKey: rsa.publicKey, oaepHash })];
    expect(await open({ cipher: 'aes128-gcm', recipients })).toEqual(content);
    expect(await open({ cipher: 'aes128-gcm', recipients }, { with: web })).toEqual(content);
  });

  const curves: readonly KeyName[] = ['p256', 'p384', 'p521', 'x25519'];
  const hashes: readonly HashName[] = ['sha1', 'sha256', 'sha384', 'sha512'];
  const wraps = ['aes128', 'aes192', 'aes256', 'des3'] as const;
  for (const curve of curves) {
    it(`key agreement with ${curve}: every hash, key wrap and ukm`, async () => {
      const keys = await keyPair(curve);
      for (const kdf of ['x963', 'hkdf'] as const) {
        for (const hash of hashes) {
          for (const wrap of wraps) {
            if (kdf === 'hkdf' && hash === 'sha1') continue;
            const cipher: ContentCipher = wrap === 'des3' ? 'des-ede3-cbc' : `${wrap}-gcm`;
            for (const ukm of [undefined, Uint8Array.of(1, 2, 3)]) {
              const recipient = keyAgreement({
                publicKeys: [keys],
                hash,
                kdf,
                wrap,
                ...(ukm === undefined ? {} : { ukm }),
              });
              const { privateKey } = keys;
              expect(await open({ cipher, recipients: [recipient] }, { privateKey })).toEqual(content);
            }
          }
        }
      }
    });
  }

  it.each([
    [false, false],
    [true, true],
    [true, false],
    [false, true],
  ])('key wrap with NULL in the message: %s, in SharedInfo: %s', async (nullInMessage, nullInSharedInfo) => {
    const recipients = [keyAgreement({ publicKeys: [p256], nullInMessage, nullInSharedInfo })];
    expect(await open({ cipher: 'aes256-gcm', recipients })).toEqual(content);
  });

  it("takes the recipient's curve where the sender's key names none (RFC 5753 section 3.1.1)", async () => {
    for (const parameters of [[], [derNull]]) {
      const originatorAlgorithm = derSequence(derOid(oids.ecPublicKey), ...parameters);
      const recipients = [keyAgreement({ publicKeys: [p256], originatorAlgorithm })];
      expect(await open({ cipher: 'aes256-gcm', recipients })).toEqual(content);
    }
  });

  it('each of several RecipientEncryptedKeys of one KeyAgreeRecipientInfo', async () => {
    const other = await keyPair('p256', 'other');
    const publicKeys = [
      { publicKey: other.publicKey, identifier: byKey },
      { publicKey: p256.publicKey, identifier: byIssuer },
    ];
    const envelope: Envelope = { cipher: 'aes256-gcm', recipients: [keyAgreement({ publicKeys })] };
    expect(parseEnveloped(seal(envelope), defaultLimits).recipients.map((one) => one.identifier)).toEqual([
      byKey,
      byIssuer,
    ]);
    expect(await open(envelope, { index: 1 })).toEqual(content);
    expect(await open(envelope, { index: 0, privateKey: other.privateKey })).toEqual(content);
    expect(await codeOf(() => open(envelope, { index: 0 }))).toBe('DECRYPTION_FAILED');
  });

  it('with keys that are elsewhere', async () => {
    const envelope: Envelope = {
      cipher: 'aes256-gcm',
      recipients: [
        keyTransport({ publicKey: rsa.publicKey, oaepHash: 'sha256' }),
        keyAgreement({ publicKeys: [p256] }),
      ],
    };
    const functions: DecryptionFunctions = {
      decryptKey: async (encryptedKey, parameters) =>
        (await crypto.decryptRsaOaep(rsa.privateKey, parameters, encryptedKey))!,
      agree: async (point) => (await crypto.agree(p256.privateKey, point))!,
    };
    expect(await open(envelope, { index: 0, privateKey: functions })).toEqual(content);
    expect(await open(envelope, { index: 1, privateKey: functions })).toEqual(content);
    for (const fault of [
      () => Promise.reject(new Error('no such card')),
      () => {
        throw new Error('no such card');
      },
      () => new Uint8Array(5),
    ]) {
      const broken = { decryptKey: fault, agree: fault };
      expect(await codeOf(() => open(envelope, { index: 0, privateKey: broken }))).toBe('DECRYPTION_FAILED');
      expect(await codeOf(() => open(envelope, { index: 1, privateKey: broken }))).toBe('DECRYPTION_FAILED');
    }
    const locked = () => Promise.reject(new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'decrypt'));
    const lockedNow = () => {
      throw new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'decrypt');
    };
    for (const fault of [locked, lockedNow]) {
      const key = { decryptKey: fault, agree: fault };
      expect(await codeOf(() => open(envelope, { index: 0, privateKey: key }))).toBe('KEY_UNAVAILABLE');
      expect(await codeOf(() => open(envelope, { index: 1, privateKey: key }))).toBe('KEY_UNAVAILABLE');
    }
    expect(await codeOf(() => open(envelope, { index: 0, privateKey: { agree: locked } }))).toBe('UNSUPPORTED');
    expect(await codeOf(() => open(envelope, { index: 1, privateKey: { decryptKey: locked } }))).toBe('UNSUPPORTED');
  });
});

describe('one failure for everything after the private key (RFC 8551 section 6)', () => {
  const pkcs1 = { publicKey: rsa.publicKey, pkcs1v15: true };
  const gcm = 'aes128-gcm' as const;
  const flip = (right: Uint8Array) => right.map((octet, i) => (i === right.length - 1 ? octet ^ 1 : octet));
  const faults: readonly (readonly [string, Envelope])[] = [
    ['changed OAEP', { cipher: gcm, recipients: [keyTransport({ publicKey: rsa.publicKey, encryptedKey: flip })] }],
    [
      'empty OAEP',
      { cipher: gcm, recipients: [keyTransport({ publicKey: rsa.publicKey, encryptedKey: () => new Uint8Array() })] },
    ],
    [
      'OAEP of a short key',
      { cipher: gcm, recipients: [keyTransport({ publicKey: rsa.publicKey, replaced: new Uint8Array(15) })] },
    ],
    [
      'OAEP of a long key',
      { cipher: gcm, recipients: [keyTransport({ publicKey: rsa.publicKey, replaced: new Uint8Array(32) })] },
    ],
    [
      'OAEP of nothing',
      { cipher: gcm, recipients: [keyTransport({ publicKey: rsa.publicKey, replaced: new Uint8Array() })] },
    ],
    ['changed PKCS #1 v1.5', { cipher: gcm, recipients: [keyTransport({ ...pkcs1, encryptedKey: flip })] }],
    [
      'PKCS #1 v1.5 of a short key',
      { cipher: gcm, recipients: [keyTransport({ ...pkcs1, replaced: new Uint8Array(15) })] },
    ],
    [
      'PKCS #1 v1.5 of another size',
      { cipher: gcm, recipients: [keyTransport({ ...pkcs1, encryptedKey: (right) => right.subarray(1) })] },
    ],
    ['a changed key wrap', { cipher: gcm, recipients: [keyAgreement({ publicKeys: [p256], encryptedKey: flip })] }],
    [
      'a short key wrap',
      { cipher: gcm, recipients: [keyAgreement({ publicKeys: [p256], encryptedKey: (right) => right.subarray(3) })] },
    ],
    [
      'an empty key wrap',
      { cipher: gcm, recipients: [keyAgreement({ publicKeys: [p256], encryptedKey: () => new Uint8Array() })] },
    ],
    [
      'a wrapped key of another length',
      {
        cipher: gcm,
        key: new Uint8Array(16),
        recipients: [() => keyAgreement({ publicKeys: [p256] })(new Uint8Array(32))],
      },
    ],
    [
      'a changed key wrap of X25519',
      { cipher: gcm, recipients: [keyAgreement({ publicKeys: [x25519], encryptedKey: flip })] },
    ],
    [
      'a changed triple DES key wrap',
      {
        cipher: 'aes192-gcm',
        recipients: [keyAgreement({ publicKeys: [p256], wrap: 'des3', encryptedKey: (right) => right.subarray(1) })],
      },
    ],
    [
      'a point off the curve',
      { cipher: gcm, recipients: [keyAgreement({ publicKeys: [p256], publicPoint: new Uint8Array(65).fill(4) })] },
    ],
    [
      'a short point',
      { cipher: gcm, recipients: [keyAgreement({ publicKeys: [p256], publicPoint: Uint8Array.of(4, 1) })] },
    ],
    [
      'a point at infinity',
      { cipher: gcm, recipients: [keyAgreement({ publicKeys: [p256], publicPoint: Uint8Array.of(0) })] },
    ],
    [
      'a zero X25519 point (RFC 7748 section 6.1)',
      { cipher: gcm, recipients: [keyAgreement({ publicKeys: [x25519], publicPoint: new Uint8Array(32) })] },
    ],
    ['a changed tag', { cipher: gcm, recipients: [keyTransport(pkcs1)], mac: flip }],
    ['changed GCM ciphertext', { cipher: gcm, recipients: [keyTransport(pkcs1)], ciphertext: flip }],
    [
      'a wrong CBC padding',
      {
        cipher: 'aes128-cbc',
        recipients: [keyTransport(pkcs1)],
        content: new Uint8Array(32),
        ciphertext: (right) => right.subarray(0, 32),
      },
    ],
    [
      'a wrong triple DES padding',
      {
        cipher: 'des-ede3-cbc',
        recipients: [keyTransport(pkcs1)],
        content: new Uint8Array(32),
        ciphertext: (right) => right.subarray(0, 32),
      },
    ],
  ];

  it.each(faults)('%s', async (_, envelope) => {
    const errors: E2eError[] = [await failure(() => open(envelope))];
    if (
      !usesTripleDes(envelope) &&
      parseEnveloped(seal(envelope), defaultLimits).encryption.keyTransport[0] !== 'rsa-pkcs1v15'
    ) {
      errors.push(await failure(() => open(envelope, { with: web })));
    }
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'ERR_E2E_DECRYPTION_FAILED', stage: 'decrypt', reason: undefined });
      expect(error.message).toBe('the message cannot be decrypted');
      expect(error.cause).toBeUndefined();
      expect(error.encryption?.cipher).toBe(envelope.cipher);
    }
  });

  it('also for the wrong key', async () => {
    for (const [name, recipient] of [
      ['rsa', keyTransport({ publicKey: rsa.publicKey })],
      ['rsa', keyTransport(pkcs1)],
      ['p256', keyAgreement({ publicKeys: [p256] })],
      ['x25519', keyAgreement({ publicKeys: [x25519] })],
    ] as const) {
      const { privateKey } = await keyPair(name, 'stranger');
      expect(await codeOf(() => open({ cipher: gcm, recipients: [recipient] }, { privateKey }))).toBe(
        'DECRYPTION_FAILED',
      );
    }
  });
});

function usesTripleDes({ cipher }: Envelope): boolean {
  return cipher === 'des-ede3-cbc' || cipher === 'aes192-gcm';
}

describe('what can be seen without a key', () => {
  it('is told: a key of another kind or curve', async () => {
    const p384 = await keyPair('p384');
    const cases = [
      [keyTransport({ publicKey: rsa.publicKey }), p256],
      [keyAgreement({ publicKeys: [p256] }), rsa],
      [keyAgreement({ publicKeys: [p256] }), p384],
      [keyAgreement({ publicKeys: [x25519] }), p256],
    ] as const;
    for (const [recipient, { privateKey }] of cases) {
      const envelope: Envelope = { cipher: 'aes128-gcm', recipients: [recipient] };
      expect(await codeOf(() => open(envelope, { privateKey }))).toBe('UNSUPPORTED');
    }
  });

  it('is told: what the runtime lacks', async () => {
    const pkcs1 = keyTransport({ publicKey: rsa.publicKey, pkcs1v15: true });
    const mixed = keyTransport({
      publicKey: rsa.publicKey,
      algorithm: derSequence(derOid(oids.rsaesOaep), derSequence(oaepHashField())),
    });
    const oaep = keyTransport({ publicKey: rsa.publicKey });
    const wrapped = keyAgreement({ publicKeys: [p256], wrap: 'des3' });
    for (const [cipher, recipient] of [
      ['aes128-gcm', pkcs1],
      ['aes128-gcm', mixed],
      ['des-ede3-cbc', oaep],
      ['des-ede3-cbc', wrapped],
    ] as const) {
      expect(await codeOf(() => open({ cipher, recipients: [recipient] }, { with: web }))).toBe('UNSUPPORTED');
    }
  });

  it('is judged by the policy first', async () => {
    const all = { rsaPkcs1v15: true, cbc: true, tripleDes: true };
    const pkcs1 = keyTransport({ publicKey: rsa.publicKey, pkcs1v15: true });
    const oaep = keyTransport({ publicKey: rsa.publicKey });
    const des3 = keyAgreement({ publicKeys: [p256], wrap: 'des3' });
    const check = (envelope: Envelope, policy: Partial<typeof all>) => {
      const enveloped = parseEnveloped(seal(envelope), defaultLimits);
      assertDecryptionAllowed(enveloped, enveloped.recipients[0]!, { ...all, ...policy });
    };
    for (const [envelope, policy] of [
      [{ cipher: 'aes128-cbc', recipients: [oaep] }, { cbc: false }],
      [{ cipher: 'des-ede3-cbc', recipients: [oaep] }, { tripleDes: false }],
      [{ cipher: 'des-ede3-cbc', recipients: [oaep] }, { cbc: false }],
      [{ cipher: 'aes128-gcm', recipients: [pkcs1] }, { rsaPkcs1v15: false }],
      [{ cipher: 'aes192-gcm', recipients: [des3] }, { tripleDes: false }],
    ] as const) {
      const error = await failure(() => check(envelope, policy));
      expect(error).toMatchObject({ code: 'ERR_E2E_WEAK_ALGORITHM', stage: 'decrypt' });
      expect(error.encryption?.cipher).toBe(envelope.cipher);
      expect(() => check(envelope, {})).not.toThrow();
    }
    expect(() =>
      check({ cipher: 'aes128-gcm', recipients: [oaep] }, { rsaPkcs1v15: false, cbc: false, tripleDes: false }),
    ).not.toThrow();
  });
});

/** hashFunc [0] SHA-256 beside the default mask, which is of SHA-1. */
function oaepHashField() {
  return Uint8Array.from(Buffer.from('a00d300b0609608648016503040201', 'hex'));
}
