/**
 * Seeded damage to CMS objects of every kind. Whatever is done to one, it ends in a verdict or one E2eError, soon; a
 * good signature and an authenticated decryption give the very content that went in.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { decryptEnveloped } from '../../src/cms/decrypt.ts';
import { type EncryptContentRequest, encryptContent } from '../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { signData } from '../../src/cms/sign.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { verifySigner } from '../../src/cms/verify.ts';
import { equalBytes } from '../../src/bytes.ts';
import type { PrivateKey, PublicKey } from '../../src/crypto/provider.ts';
import { E2eError } from '../../src/errors.ts';
import { defaultLimits } from '../../src/limits.ts';
import { ci, runs } from '../shared-data.ts';
import { byIssuer, byKey, content, crypto, keyPair, lax, seeded } from '../unit/cms/support.ts';
import { cpuTime } from '../cpu-time.ts';

interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What comes of octets; counted. */
  readonly judge: (bytes: Uint8Array) => Promise<string>;
}

const samples: Sample[] = [];

async function verdict(bytes: Uint8Array, detached: Uint8Array | undefined, publicKey: PublicKey): Promise<string> {
  const signedData = parseSignedData(bytes, defaultLimits);
  const [signerInfo] = signedData.signerInfos;
  if (signerInfo === undefined) return 'no signer';
  const request = { signedData, signerInfo, content: detached, publicKey, crypto, policy: lax };
  const { outcome } = await verifySigner(request);
  if (outcome !== 'bad') expect(equalBytes(detached ?? signedData.eContent!, content)).toBe(true);
  return outcome;
}

async function delivery(bytes: Uint8Array, privateKey: PrivateKey): Promise<string> {
  const enveloped = parseEnveloped(bytes, defaultLimits);
  const [recipient] = enveloped.recipients;
  if (recipient === undefined) return 'no recipient';
  const plain = await decryptEnveloped({ enveloped, recipient, privateKey, crypto });
  const same = equalBytes(plain, content);
  if (enveloped.encryption.aead) expect(same).toBe(true);
  return same ? 'opened' : 'opened, other content';
}

beforeAll(async () => {
  for (const name of ['rsa', 'p256', 'ed25519'] as const) {
    for (const detached of [true, false]) {
      const { privateKey, publicKey } = await keyPair(name);
      const signer = { privateKey, identifier: detached ? byIssuer : byKey };
      const bytes = await signData({ content, detached, signer, signingTime: new Date(0), crypto });
      const beside = detached ? content : undefined;
      samples.push({ name: `signed ${name}`, bytes, judge: (changed) => verdict(changed, beside, publicKey) });
    }
  }
  const sealings: readonly (readonly ['rsa' | 'p256' | 'x25519', Partial<EncryptContentRequest>])[] = [
    ['rsa', {}],
    ['rsa', { keyTransport: 'rsa-pkcs1v15' }],
    ['p256', {}],
    ['x25519', {}],
  ];
  for (const [name, options] of sealings) {
    for (const cipher of ['aes128-gcm', 'aes256-cbc'] as const) {
      const { privateKey, publicKey } = await keyPair(name);
      const recipients = [{ publicKey, identifier: byIssuer }];
      const bytes = await encryptContent({ content, recipients, cipher, crypto, ...options });
      samples.push({ name: `${cipher} ${name}`, bytes, judge: (changed) => delivery(changed, privateKey) });
    }
  }
});

async function outcome(sample: Sample, bytes: Uint8Array): Promise<string> {
  const start = cpuTime();
  let what: string;
  try {
    what = await sample.judge(bytes);
  } catch (error) {
    if (!(error instanceof E2eError)) throw error;
    what = `${error.code} ${error.stage}`;
  }
  expect(cpuTime() - start).toBeLessThan(500);
  return what;
}

/** Each way of damage: from octets to octets. */
const damages: readonly ((bytes: Uint8Array, random: () => number) => Uint8Array)[] = [
  // One bit.
  (bytes, random) => {
    const out = bytes.slice();
    out[random() % out.length]! ^= 1 << (random() & 7);
    return out;
  },
  // One octet out of those that mean something to BER.
  (bytes, random) => {
    const telling = [0x00, 0x02, 0x04, 0x05, 0x06, 0x24, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xa1, 0xff];
    const out = bytes.slice();
    out[random() % out.length] = telling[random() % telling.length]!;
    return out;
  },
  // Octets left out.
  (bytes, random) => {
    const at = random() % bytes.length;
    return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + (random() % 8))]);
  },
  // Octets of elsewhere put in.
  (bytes, random) => {
    const at = random() % bytes.length;
    const from = random() % bytes.length;
    const piece = bytes.subarray(from, from + (random() % 32));
    return Uint8Array.from([...bytes.subarray(0, at), ...piece, ...bytes.subarray(at)]);
  },
  // The end cut off.
  (bytes, random) => bytes.slice(0, random() % bytes.length),
  // One element in place of another of the same length or not: lengths put right are rare, so that parsing goes deep.
  (bytes, random) => {
    const out = bytes.slice();
    const at = random() % out.length;
    const from = random() % out.length;
    out.copyWithin(at, from, from + 1 + (random() % 16));
    return out;
  },
];

describe('seeded damage', () => {
  it('ends in a verdict or an E2eError, and reaches every stage', async () => {
    const random = seeded(5652);
    const counts = new Map<string, number>();
    for (let i = 0; i < runs(60_000); i++) {
      const sample = samples[i % samples.length]!;
      const bytes = damages[random() % damages.length]!(sample.bytes, random);
      const what = await outcome(sample, bytes);
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    const least = runs(60_000) / 3000;
    for (const stage of [
      'ERR_E2E_MALFORMED verify',
      'ERR_E2E_MALFORMED decrypt',
      'ERR_E2E_UNSUPPORTED verify',
      'ERR_E2E_UNSUPPORTED decrypt',
      'ERR_E2E_DECRYPTION_FAILED decrypt',
      'bad',
      'good',
      'opened',
      'opened, other content',
    ]) {
      expect(counts.get(stage) ?? 0, `${stage} of ${JSON.stringify([...counts])}`).toBeGreaterThan(least);
    }
  });
});

describe('every octet changed', () => {
  it('of authenticated ciphertexts: nothing but the content that went in is ever delivered', async () => {
    let mutants = 0;
    const counts = new Map<string, number>();
    for (const sample of samples.filter(({ name }) => name.includes('gcm'))) {
      const changes = ci ? Array.from({ length: 50 }, (_, i) => (i * 37 + 1) & 0xff || 1) : [0x01, 0x80];
      for (let at = 0; at < sample.bytes.length; at++) {
        for (const change of changes) {
          const bytes = sample.bytes.slice();
          bytes[at]! ^= change;
          const what = await outcome(sample, bytes);
          counts.set(what, (counts.get(what) ?? 0) + 1);
          mutants++;
        }
      }
    }
    expect(counts.get('opened, other content')).toBeUndefined();
    // The recipient's name and some lengths and versions are not under the tag.
    expect(counts.get('ERR_E2E_DECRYPTION_FAILED decrypt')).toBeGreaterThan(mutants / 4);
    expect(mutants).toBeGreaterThan(ci ? 40_000 : 2000);
  });

  it('of signed objects: a changed signature, attribute or content is never good', async () => {
    for (const sample of samples.filter(({ name }) => name.startsWith('signed'))) {
      for (let at = 0; at < sample.bytes.length; at++) {
        const bytes = sample.bytes.slice();
        bytes[at]! ^= 0x01;
        // `verdict` compares the content of whatever is good.
        await outcome(sample, bytes);
      }
    }
  });
});
