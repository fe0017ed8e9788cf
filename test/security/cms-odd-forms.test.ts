/**
 * Seeded damage to the forms that others write and this library does not: constructed and indefinite-length BER, several
 * keys in one agreement, other kinds of recipients, authenticated attributes, triple DES. And nesting, and 16 MiB.
 */
import { describe, expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import {
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../src/asn1/writer.ts';
import { concatBytes, equalBytes } from '../../src/bytes.ts';
import { decryptEnveloped } from '../../src/cms/decrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { signData } from '../../src/cms/sign.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { E2eError } from '../../src/errors.ts';
import { defaultLimits, limitsWith } from '../../src/limits.ts';
import { runs } from '../shared-data.ts';
import { kekRecipient, keyAgreement, keyTransport, seal } from '../unit/cms/envelope.ts';
import {
  attribute,
  byIssuer,
  byKey,
  content,
  contentTypeAttribute,
  crypto,
  keyPair,
  lax,
  seeded,
  signedMessage,
  verdictOf,
} from '../unit/cms/support.ts';
import { cpuTime } from '../cpu-time.ts';

const rsa = await keyPair('rsa');
const p256 = await keyPair('p256');
const x25519 = await keyPair('x25519');

/** undefined for an E2eError; anything else that is thrown fails the test. */
async function outcome<T>(operation: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

async function openAll(message: Uint8Array): Promise<readonly Uint8Array[]> {
  const enveloped = await outcome(() => parseEnveloped(message, defaultLimits));
  const opened: Uint8Array[] = [];
  for (const recipient of enveloped?.recipients ?? []) {
    const { privateKey } = recipient.kind === 'key-transport' ? rsa : recipient.label === 'x25519' ? x25519 : p256;
    const plain = await outcome(() => decryptEnveloped({ enveloped: enveloped!, recipient, privateKey, crypto }));
    if (plain !== undefined) opened.push(plain);
  }
  return opened;
}

describe('seeded damage', () => {
  type Random = () => number;
  const changes: readonly ((octets: Uint8Array, next: Random) => Uint8Array)[] = [
    (octets, next) => changeAt(octets, next, (octet) => octet ^ (1 << (next() % 8))),
    (octets, next) => changeAt(octets, next, () => next() & 0xff),
    (octets, next) => changeAt(octets, next, () => [0, 0x7f, 0x80, 0x81, 0x84, 0xff, 0x30, 0x31, 0xa0][next() % 9]!),
    (octets, next) => octets.slice(0, next() % octets.length),
    (octets, next) => {
      const at = next() % octets.length;
      return concatBytes(octets.subarray(0, at), crypto.randomBytes(1 + (next() % 4)), octets.subarray(at));
    },
    (octets, next) => {
      const at = next() % octets.length;
      return concatBytes(octets.subarray(0, at), octets.subarray(at + 1 + (next() % 8)));
    },
    (octets, next) => {
      const out = octets.slice();
      const length = next() % 64;
      out.copyWithin(next() % octets.length, next() % octets.length, (next() % octets.length) + length);
      return out;
    },
  ];

  function changeAt(octets: Uint8Array, next: Random, change: (octet: number) => number): Uint8Array {
    const out = octets.slice();
    const at = next() % out.length;
    out[at] = change(out[at]!);
    return out;
  }

  function damage(octets: Uint8Array, next: Random): Uint8Array {
    let out = octets;
    for (let count = next() % 4; count >= 0 && out.length > 0; count--)
      out = changes[next() % changes.length]!(out, next);
    return out;
  }

  it('to signed objects', async () => {
    const seeds: readonly (readonly [Uint8Array, typeof rsa])[] = [
      [
        await signData({
          content,
          detached: false,
          signer: { privateKey: p256.privateKey, identifier: byIssuer },
          crypto,
        }),
        p256,
      ],
      [
        await signData({
          content,
          detached: false,
          signer: { privateKey: rsa.privateKey, identifier: byKey },
          signingTime: new Date(),
          crypto,
        }),
        rsa,
      ],
      [
        await signedMessage({
          keys: p256,
          scheme: { scheme: 'ecdsa', hash: 'sha256' },
          digest: 'sha256',
          attributes: null,
          eContent: concatBytes(Uint8Array.of(0x24, 0x80), encodeDer(derOctetString(content)), Uint8Array.of(0, 0)),
          certificates: [derSequence(derInteger(1)), derContext(3, derOid('1.2.3'))],
          crls: [derSequence(derInteger(1))],
          unsigned: [attribute('1.2.3', derNull)],
        }),
        p256,
      ],
    ];
    const next = seeded(3852);
    for (let i = 0; i < runs(60_000); i++) {
      const [seed, { publicKey }] = seeds[i % seeds.length]!;
      const mutant = damage(seed, next);
      const signedData = await outcome(() => parseSignedData(mutant, defaultLimits));
      if (signedData?.signerInfos[0] === undefined) continue;
      const verdict = await outcome(() => verdictOf(mutant, publicKey, { policy: lax }));
      if (verdict?.outcome === 'good') expect(equalBytes(signedData.eContent!, content)).toBe(true);
      await outcome(() => verdictOf(mutant, publicKey, { detached: content }));
    }
  });

  it('to encrypted objects', async () => {
    const everybody = [
      keyAgreement({ publicKeys: [p256, { publicKey: p256.publicKey, identifier: byKey }], ukm: Uint8Array.of(1) }),
      keyAgreement({ publicKeys: [x25519] }),
      kekRecipient,
    ];
    const authAttrs = [contentTypeAttribute, attribute('1.2.3', derNull)];
    const seeds = [
      seal({ cipher: 'aes256-gcm', recipients: everybody, authAttrs, unauthAttrs: authAttrs }),
      seal({ cipher: 'aes128-gcm', recipients: [keyAgreement({ publicKeys: [p256] })], tagLength: 12 }),
      seal({ cipher: 'aes128-cbc', recipients: everybody }),
      seal({ cipher: 'des-ede3-cbc', recipients: [keyAgreement({ publicKeys: [p256], wrap: 'des3', hash: 'sha1' })] }),
    ];
    const slow = [
      seal({ cipher: 'aes128-gcm', recipients: [keyTransport({ publicKey: rsa.publicKey, oaepHash: 'sha256' })] }),
      seal({ cipher: 'aes128-cbc', recipients: [keyTransport({ publicKey: rsa.publicKey, pkcs1v15: true })] }),
    ];
    const next = seeded(6148);
    for (let i = 0; i < runs(40_000); i++) {
      const seed = i % 8 === 0 ? slow[(i / 8) % 2]! : seeds[i % seeds.length]!;
      const aead = seed === seeds[0] || seed === seeds[1] || seed === slow[0];
      for (const plain of await openAll(damage(seed, next))) {
        if (aead) expect(equalBytes(plain, content)).toBe(true);
      }
    }
  });

  it('nothing but noise', async () => {
    const next = seeded(9);
    for (let i = 0; i < runs(20_000); i++) {
      const noise = Uint8Array.from({ length: next() % 200 }, () => next() & 0xff);
      if (i % 2 === 0 && noise.length > 1) noise.set([0x30, noise.length - 2 < 128 ? noise.length - 2 : 0x80]);
      expect(await outcome(() => parseSignedData(noise, defaultLimits))).toBeUndefined();
      expect(await outcome(() => parseEnveloped(noise, defaultLimits))).toBeUndefined();
    }
  });
});

/** An element with a length of four octets. */
function element(identifier: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const inside = concatBytes(...parts);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, inside.length);
  return concatBytes(Uint8Array.of(identifier, 0x84), length, inside);
}

const data = encodeDer(derOid(oids.data));

function signedWith(fields: {
  digests?: Uint8Array;
  eContent?: Uint8Array;
  certificates?: Uint8Array;
  infos?: Uint8Array;
}): Uint8Array {
  const { digests = new Uint8Array(), eContent, certificates, infos = new Uint8Array() } = fields;
  const signed = element(
    0x30,
    encodeDer(derInteger(1)),
    element(0x31, digests),
    element(0x30, data, ...(eContent === undefined ? [] : [element(0xa0, eContent)])),
    ...(certificates === undefined ? [] : [element(0xa0, certificates)]),
    element(0x31, infos),
  );
  return element(0x30, encodeDer(derOid(oids.signedData)), element(0xa0, signed));
}

function envelopedWith(fields: { recipients?: Uint8Array; ciphertext?: Uint8Array; extra?: Uint8Array }): Uint8Array {
  const { recipients = encodeDer(kekRecipient(new Uint8Array(16))), ciphertext = element(0x80, new Uint8Array(16)) } =
    fields;
  const algorithm = encodeDer(derSequence(derOid(oids.aes128Cbc), derOctetString(new Uint8Array(16))));
  const enveloped = element(
    0x30,
    encodeDer(derInteger(2)),
    element(0x31, recipients),
    element(0x30, data, algorithm, ciphertext),
    ...(fields.extra === undefined ? [] : [fields.extra]),
  );
  return element(0x30, encodeDer(derOid(oids.envelopedData)), element(0xa0, enveloped));
}

const wide = limitsWith({ decryptedBytes: 1 << 26 });

describe('large and hostile', () => {
  const refused = async (operation: () => unknown, code: string, most = 1000) => {
    const start = cpuTime();
    let error: unknown;
    try {
      await operation();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: `ERR_E2E_${code}` });
    expect(cpuTime() - start).toBeLessThan(most);
  };

  it('nesting without end', async () => {
    const deep = new Uint8Array(Buffer.alloc(1 << 20, Buffer.from('2480', 'hex')));
    await refused(() => parseSignedData(deep, defaultLimits), 'LIMIT');
    await refused(() => parseSignedData(signedWith({ eContent: deep }), defaultLimits), 'LIMIT');
    await refused(() => parseEnveloped(envelopedWith({ ciphertext: deep }), defaultLimits), 'LIMIT');
  });

  it('16 MiB of content are read; as ciphertext they are over the limit', async () => {
    const large = element(4, new Uint8Array(1 << 24));
    const start = cpuTime();
    expect(parseSignedData(signedWith({ eContent: large }), defaultLimits).eContent).toHaveLength(1 << 24);
    expect(cpuTime() - start).toBeLessThan(1000);
    const ciphertext = element(0x80, new Uint8Array(1 << 24));
    await refused(() => parseEnveloped(envelopedWith({ ciphertext }), defaultLimits), 'LIMIT');
    await refused(() => parseSignedData(new Uint8Array(1 << 24), defaultLimits), 'MALFORMED');
    await refused(() => parseSignedData(new Uint8Array(1 << 24).fill(0x30), defaultLimits), 'MALFORMED');
  });

  it('16 MiB are signed, sealed, opened and verified', async () => {
    const large = new Uint8Array(1 << 24).fill(0x41);
    const signer = { privateKey: p256.privateKey, identifier: byIssuer };
    const message = await signData({ content: large, detached: false, signer, crypto });
    expect((await verdictOf(message, p256.publicKey)).outcome).toBe('good');
    const sealed = seal({ cipher: 'aes128-gcm', recipients: [keyAgreement({ publicKeys: [p256] })], content: large });
    const enveloped = parseEnveloped(sealed, wide);
    const [recipient] = enveloped.recipients;
    const { privateKey } = p256;
    const opened = await decryptEnveloped({ enveloped, recipient: recipient!, privateKey, crypto });
    expect(Buffer.compare(opened, large)).toBe(0);
  });
});
