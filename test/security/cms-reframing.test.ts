/**
 * The ciphertext of GCM is that of counter mode: put into EnvelopedData as CBC it would give an attacker the key stream,
 * if anything came back (RFC 9709 section 1; "Legacy Encryption Downgrade Attacks"). What comes back is the error of a
 * wrong key, or noise that nothing signed.
 */
import { expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import { der, derInteger, derOctetString, derOid, derSequence } from '../../src/asn1/writer.ts';
import { concatBytes, indexOfBytes, utf8 } from '../../src/bytes.ts';
import { assertDecryptionAllowed, decryptEnveloped } from '../../src/cms/decrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { defaultLimits } from '../../src/limits.ts';
import { runs } from '../shared-data.ts';
import { type Envelope, type RecipientWriter, keyAgreement, keyTransport, seal } from '../unit/cms/envelope.ts';
import { codeOf, content, contentInfo, crypto, failure, keyPair } from '../unit/cms/support.ts';

const rsa = await keyPair('rsa');
const p256 = await keyPair('p256');
const stranger = await keyPair('p256', 'stranger');

const recipients: readonly RecipientWriter[] = [
  keyAgreement({ publicKeys: [p256] }),
  keyTransport({ publicKey: rsa.publicKey }),
  keyTransport({ publicKey: rsa.publicKey, pkcs1v15: true }),
];

function reframed(writer: RecipientWriter, key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Uint8Array {
  const parameters = derSequence(derOid(oids.aes256Cbc), derOctetString(iv));
  const inner = derSequence(derOid(oids.data), parameters, der(0x80, blocks));
  return contentInfo(oids.envelopedData, derSequence(derInteger(2), der(0x31, writer(key)), inner));
}

it('GCM as CBC delivers nothing that was sealed', async () => {
  let failures = 0;
  const count = runs(100);
  for (let i = 0; i < count; i++) {
    const writer = recipients[i % recipients.length]!;
    const key = crypto.randomBytes(32);
    const text = concatBytes(content, utf8(`${i}`.padStart(80 - content.length, '.')));
    const message = seal({ cipher: 'aes256-gcm', recipients: [writer], content: text, key });
    const { ciphertext, iv } = parseEnveloped(message, defaultLimits);
    // The counter blocks of the message as initialization vector, and its ciphertext as blocks.
    const counter = concatBytes(iv, Uint8Array.of(0, 0, 0, 2));
    const forgery = reframed(writer, key, counter, ciphertext.subarray(0, 80));
    const enveloped = parseEnveloped(forgery, defaultLimits);
    expect(enveloped.encryption.aead).toBe(false);
    const [recipient] = enveloped.recipients;
    const policy = { rsaPkcs1v15: true, cbc: false, tripleDes: false };
    expect(await codeOf(() => assertDecryptionAllowed(enveloped, recipient!, policy))).toBe('WEAK_ALGORITHM');
    const { privateKey } = recipient!.kind === 'key-transport' ? rsa : p256;
    try {
      const noise = await decryptEnveloped({ enveloped, recipient: recipient!, privateKey, crypto });
      expect(indexOfBytes(noise, content.subarray(0, 16))).toBe(-1);
    } catch (error) {
      failures++;
      expect(error).toMatchObject({
        code: 'ERR_E2E_DECRYPTION_FAILED',
        stage: 'decrypt',
        message: 'the message cannot be decrypted',
        reason: undefined,
      });
    }
  }
  // One padding in 256 is right by chance.
  expect(failures).toBeGreaterThanOrEqual(count - 3 - count / 20);
});

it('the error is that of a wrong key', async () => {
  const envelope: Envelope = { cipher: 'aes128-gcm', recipients: [recipients[0]!] };
  const enveloped = parseEnveloped(seal(envelope), defaultLimits);
  const recipient = enveloped.recipients[0]!;
  const wrong = await failure(() =>
    decryptEnveloped({ enveloped, recipient, privateKey: stranger.privateKey, crypto }),
  );
  const key = crypto.randomBytes(32);
  // A padding that is wrong for certain: the last block of zeros under CBC with the block before it.
  const last = reframed(recipients[0]!, key, new Uint8Array(16), await zeroPadded(key));
  const forged = parseEnveloped(last, defaultLimits);
  const request = { enveloped: forged, recipient: forged.recipients[0]!, privateKey: p256.privateKey, crypto };
  const padding = await failure(() => decryptEnveloped(request));
  expect(padding.toJSON()).toEqual(wrong.toJSON());
  expect(Object.keys(padding).sort()).toEqual(Object.keys(wrong).sort());
});

/** CBC ciphertext that ends in a zero octet: no padding. */
async function zeroPadded(key: Uint8Array): Promise<Uint8Array> {
  return (await crypto.encryptAesCbc(key, new Uint8Array(16), new Uint8Array(32))).subarray(0, 32);
}
