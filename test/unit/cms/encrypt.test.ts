import { Crypto as PeculiarCrypto } from '@peculiar/webcrypto';
import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { derOid, encodeDer } from '../../../src/asn1/writer.ts';
import { hex, indexOfBytes } from '../../../src/bytes.ts';
import { decryptEnveloped } from '../../../src/cms/decrypt.ts';
import { type EncryptContentRequest, encryptContent } from '../../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../../src/cms/enveloped-data.ts';
import type { CertificateIdentifier } from '../../../src/cms/certificate-identifier.ts';
import type { CryptoProvider } from '../../../src/crypto/provider.ts';
import { webCrypto } from '../../../src/crypto/web.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { type KeyName, byIssuer, byKey, codeOf, content, crypto, keyPair } from './support.ts';

const providers: Readonly<Record<string, CryptoProvider>> = {
  node: crypto,
  web: webCrypto(),
  peculiar: webCrypto(new PeculiarCrypto()),
};
const names: readonly KeyName[] = ['rsa', 'p256', 'p384', 'p521', 'x25519'];

async function encryptTo(
  name: KeyName,
  change: Partial<EncryptContentRequest> & { identifier?: CertificateIdentifier } = {},
): Promise<Uint8Array> {
  const { publicKey } = await keyPair(name);
  const { identifier = byIssuer, ...rest } = change;
  return encryptContent({ content, cipher: 'aes256-gcm', crypto, recipients: [{ publicKey, identifier }], ...rest });
}

function version(message: Uint8Array): number {
  // ContentInfo, contentType, [0], SEQUENCE, INTEGER: the first INTEGER of the message.
  return message[indexOfBytes(message, Uint8Array.of(2, 1)) + 2]!;
}

describe('encryptContent', () => {
  for (const [writer, writing] of Object.entries(providers)) {
    for (const [reader, reading] of Object.entries(providers)) {
      it.each(names)(`what ${writer} writes ${reader} reads, for %s`, async (name) => {
        const keys = await keyPair(name);
        for (const cipher of [
          'aes128-gcm',
          'aes192-gcm',
          'aes256-gcm',
          'aes128-cbc',
          'aes192-cbc',
          'aes256-cbc',
        ] as const) {
          for (const identifier of [byIssuer, byKey]) {
            const message = await encryptTo(name, { cipher, identifier, crypto: writing });
            const enveloped = parseEnveloped(message, defaultLimits);
            const recipient = enveloped.recipients[0]!;
            expect(recipient.identifier).toEqual(identifier);
            expect(enveloped.encryption).toEqual({
              cipher,
              aead: cipher.endsWith('gcm'),
              keyTransport: [name === 'rsa' ? 'rsa-oaep' : name === 'x25519' ? 'x25519' : 'ecdh'],
            });
            const { privateKey } = keys;
            expect(await decryptEnveloped({ enveloped, recipient, privateKey, crypto: reading })).toEqual(content);
          }
        }
      });
    }
  }

  it('writes to several, and each can read', async () => {
    const keys = await Promise.all(names.map((name) => keyPair(name)));
    const recipients = keys.map(({ publicKey }, i) => ({
      publicKey,
      identifier: { ...byKey, keyIdentifier: Uint8Array.of(i) },
    }));
    const message = await encryptContent({ content, cipher: 'aes256-gcm', crypto, recipients });
    const enveloped = parseEnveloped(message, defaultLimits);
    expect(enveloped.recipients).toHaveLength(names.length);
    expect(new Set(enveloped.encryption.keyTransport)).toEqual(new Set(['rsa-oaep', 'ecdh', 'x25519']));
    for (const recipient of enveloped.recipients) {
      const { identifier } = recipient;
      const { privateKey } = keys[identifier.kind === 'key-identifier' ? identifier.keyIdentifier[0]! : 0]!;
      expect(await decryptEnveloped({ enveloped, recipient, privateKey, crypto })).toEqual(content);
    }
  });

  it('writes PKCS #1 v1.5 on request (RFC 3923 section 6.10)', async () => {
    const { privateKey } = await keyPair('rsa');
    const message = await encryptTo('rsa', { cipher: 'aes128-cbc', keyTransport: 'rsa-pkcs1v15' });
    const enveloped = parseEnveloped(message, defaultLimits);
    expect(enveloped.encryption).toEqual({ cipher: 'aes128-cbc', aead: false, keyTransport: ['rsa-pkcs1v15'] });
    expect(await decryptEnveloped({ enveloped, recipient: enveloped.recipients[0]!, privateKey, crypto })).toEqual(
      content,
    );
  });

  it('numbers versions as RFC 5652 section 6.1 and RFC 5083 section 2.1 do', async () => {
    expect(version(await encryptTo('rsa', { cipher: 'aes128-cbc' }))).toBe(0);
    expect(version(await encryptTo('rsa', { cipher: 'aes128-cbc', identifier: byKey }))).toBe(2);
    expect(version(await encryptTo('p256', { cipher: 'aes128-cbc' }))).toBe(2);
    expect(version(await encryptTo('p256', { cipher: 'aes128-gcm' }))).toBe(0);
  });

  it('writes the length of the tag, SHA-256 for OAEP, and the KDF of the curve', async () => {
    const has = (message: Uint8Array, oid: string) => indexOfBytes(message, encodeDer(derOid(oid))) > 0;
    const toRsa = await encryptTo('rsa');
    expect(hex(toRsa)).toMatch(/040c[0-9a-f]{24}020110/);
    expect(has(toRsa, oids.sha256)).toBe(true);
    for (const [name, kdf] of [
      ['p256', oids.dhSinglePassStdDhSha256Kdf],
      ['p384', oids.dhSinglePassStdDhSha384Kdf],
      ['p521', oids.dhSinglePassStdDhSha512Kdf],
      ['x25519', oids.dhSinglePassStdDhHkdfSha256],
    ] as const) {
      expect(has(await encryptTo(name), kdf)).toBe(true);
      expect(has(await encryptTo(name, { cipher: 'aes128-gcm' }), oids.aes128Wrap)).toBe(true);
      expect(has(await encryptTo(name, { cipher: 'aes256-gcm' }), oids.aes256Wrap)).toBe(true);
    }
  });

  it('never repeats itself', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const { iv, ciphertext } = parseEnveloped(await encryptTo('p256'), defaultLimits);
      seen.add(hex(iv)).add(hex(ciphertext));
    }
    expect(seen.size).toBe(100);
  });

  it('refuses keys that cannot be encrypted to', async () => {
    expect(await codeOf(() => encryptTo('ed25519'))).toBe('NO_RECIPIENT_KEY');
    const { publicKey } = await keyPair('p256');
    const off = {
      ...publicKey,
      subjectPublicKey: publicKey.subjectPublicKey.map((octet, i) => (i === 64 ? octet ^ 1 : octet)),
    };
    const x = (await keyPair('x25519')).publicKey;
    const zero = { ...x, subjectPublicKey: new Uint8Array(32) };
    for (const provider of [crypto, webCrypto()]) {
      for (const key of [off, zero]) {
        const recipients = [{ publicKey: key, identifier: byIssuer }];
        expect(
          await codeOf(() => encryptContent({ content, cipher: 'aes256-gcm', crypto: provider, recipients })),
        ).toBe('NO_RECIPIENT_KEY');
      }
    }
  });

  it('refuses RSA keys that are too short or none at all', async () => {
    const short = await crypto.generateKeyPair({ algorithm: 'rsa', bits: 512 });
    const { publicKey } = await keyPair('rsa');
    const none = { ...publicKey, rsa: { modulus: Uint8Array.of(15), exponent: Uint8Array.of(3) } };
    for (const provider of [crypto, webCrypto()]) {
      for (const key of provider === crypto ? [short.publicKey, none] : [short.publicKey]) {
        const recipients = [{ publicKey: key, identifier: byIssuer }];
        const sealing = { content, cipher: 'aes256-gcm', crypto: provider, recipients } as const;
        expect(await codeOf(() => encryptContent(sealing))).toBe('NO_RECIPIENT_KEY');
      }
    }
  });

  it('refuses PKCS #1 v1.5 where the runtime has none', async () => {
    expect(await codeOf(() => encryptTo('rsa', { keyTransport: 'rsa-pkcs1v15', crypto: webCrypto() }))).toBe(
      'UNSUPPORTED',
    );
  });

  it('needs a recipient', () => {
    expect(() => encryptContent({ content, cipher: 'aes256-gcm', crypto, recipients: [] })).toThrow(RangeError);
  });

  it('takes empty content', async () => {
    const { privateKey } = await keyPair('p256');
    for (const cipher of ['aes256-gcm', 'aes256-cbc'] as const) {
      const enveloped = parseEnveloped(await encryptTo('p256', { cipher, content: new Uint8Array() }), defaultLimits);
      expect(
        await decryptEnveloped({ enveloped, recipient: enveloped.recipients[0]!, privateKey, crypto }),
      ).toHaveLength(0);
    }
  });
});
