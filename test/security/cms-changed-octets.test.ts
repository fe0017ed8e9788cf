/**
 * Every octet of sealed messages changed, one by one: nothing but the content that was signed comes out (RFC 8551
 * section 6; EFAIL). GCM fails as a whole; CBC delivers noise, which no signature covers.
 */
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, utf8 } from '../../src/bytes.ts';
import { decryptEnveloped } from '../../src/cms/decrypt.ts';
import { encryptContent } from '../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { signData } from '../../src/cms/sign.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { verifySigner } from '../../src/cms/verify.ts';
import { E2eError } from '../../src/errors.ts';
import { defaultLimits } from '../../src/limits.ts';
import { runs } from '../shared-data.ts';
import { byIssuer, byKey, content, crypto, keyPair, seeded, strict } from '../unit/cms/support.ts';

const signer = await keyPair('p256', 'signer');
const reader = await keyPair('p256', 'reader');

async function signed(text: Uint8Array): Promise<Uint8Array> {
  const { privateKey } = signer;
  return signData({ content: text, detached: false, signer: { privateKey, identifier: byIssuer }, crypto });
}

async function sealed(inner: Uint8Array, cipher: 'aes128-cbc' | 'aes256-gcm'): Promise<Uint8Array> {
  const recipients = [{ publicKey: reader.publicKey, identifier: byKey }];
  return encryptContent({ content: inner, cipher, recipients, crypto });
}

/** What comes out of the encryption; undefined for an error. */
async function decrypt(message: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const enveloped = parseEnveloped(message, defaultLimits);
    const [recipient] = enveloped.recipients;
    if (recipient === undefined) return undefined;
    return await decryptEnveloped({ enveloped, recipient, privateKey: reader.privateKey, crypto });
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

/** The content that a good signature of the signer covers; undefined for none. */
async function delivered(plain: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const signedData = parseSignedData(plain, defaultLimits);
    const [signerInfo] = signedData.signerInfos;
    if (signerInfo === undefined) return undefined;
    const request = { signedData, signerInfo, content: undefined };
    const { outcome } = await verifySigner({ ...request, publicKey: signer.publicKey, crypto, policy: strict });
    return outcome === 'good' ? signedData.eContent : undefined;
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

describe.each(['aes128-cbc', 'aes256-gcm'] as const)('%s', (cipher) => {
  it('delivers nothing changed', async () => {
    const next = seeded(8551);
    let mutants = 0;
    let noise = 0;
    let renamed = 0;
    for (let i = 0; i < runs(50); i++) {
      // Three more octets put the issuer's name in a block of its own.
      const text = concatBytes(content, utf8(`${100 + i}`));
      const inner = await signed(text);
      const message = await sealed(inner, cipher);
      for (let at = 0; at < message.length; at++) {
        const mutant = message.slice();
        mutant[at]! ^= 1 + (next() % 255);
        mutants++;
        const plain = await decrypt(mutant);
        // Octets that nobody reads, the identifier of the recipient and unprotected fields among them, may change.
        if (plain === undefined || equalBytes(plain, inner)) continue;
        expect(cipher).toBe('aes128-cbc');
        noise++;
        const out = await delivered(plain);
        if (out === undefined) continue;
        // Which key to look for is not signed (RFC 5652 section 5.3); what the key then finds good is as it was.
        renamed++;
        expect(out).toEqual(text);
      }
    }
    expect(mutants).toBeGreaterThan(runs(50) * 400);
    // CBC does deliver changed content before the signature is looked at: that is what the signature is for.
    expect(noise > 0).toBe(cipher === 'aes128-cbc');
    expect(renamed).toBeLessThanOrEqual(noise / 100);
  });
});
