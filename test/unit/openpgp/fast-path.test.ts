/** The fast path itself: that it is taken for what is common, and leaves the rest alone. */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openPacketsFast, sealV1Fast } from '../../../src/backends/openpgp/fast/encrypted-data.ts';
import { readInteger, writeInteger } from '../../../src/backends/openpgp/fast/integers.ts';
import { privateKeyOf, publicKeyOf } from '../../../src/backends/openpgp/fast/keys.ts';
import { fastPrimitives, withoutFastPath } from '../../../src/backends/openpgp/fast/path.ts';
import { recoverSessionKeyFast, sealSessionKeyFast } from '../../../src/backends/openpgp/fast/session-key.ts';
import { signFast } from '../../../src/backends/openpgp/fast/sign.ts';
import { isSurelyRight } from '../../../src/backends/openpgp/fast/verify.ts';
import { readEncryptedData } from '../../../src/backends/openpgp/encrypted-data.ts';
import { type KeyPacket, newSignature, type Signature } from '../../../src/backends/openpgp/library.ts';
import { newSessionKey, readRecipient } from '../../../src/backends/openpgp/session-key.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { compressed, inlineSigned, literal, makeSignature, packet, seipdV1, signedLiteral } from './forge.ts';
import { at, content, nothing, person, romeo } from './scene.ts';

type Options = Parameters<typeof library.generateKey>[0];
const kinds: Readonly<Record<string, Partial<Options>>> = {
  'RSA-2048': { type: 'rsa', rsaBits: 2048 },
  'P-256': { type: 'ecc', curve: 'nistP256' },
  'P-384': { type: 'ecc', curve: 'nistP384' },
  'P-521': { type: 'ecc', curve: 'nistP521' },
  'Curve25519, older numbers': { type: 'ecc', curve: 'curve25519Legacy' },
  Curve25519: { type: 'curve25519' },
  'version 6': { type: 'curve25519', config: { v6Keys: true } },
};

async function keyOf(options: Partial<Options>): Promise<{ primary: KeyPacket; subkey: KeyPacket }> {
  const { privateKey } = await library.generateKey({ userIDs: { name: 'a' }, date: at, ...options, format: 'object' });
  return {
    primary: privateKey.keyPacket as unknown as KeyPacket,
    subkey: privateKey.subkeys[0]!.keyPacket as unknown as KeyPacket,
  };
}

function parsed(body: Uint8Array): Signature {
  const signature = newSignature();
  signature.read(body);
  return signature;
}

const options = { time: at.getTime() / 1000, hashAlgorithm: library.enums.hash.sha512, recipients: [] };

describe.each(Object.entries(kinds))('%s', (_name, kind) => {
  it('signs and verifies, and sees every change', async () => {
    const { primary } = await keyOf(kind);
    const { body } = (await signFast(content, primary, options))!;
    expect(await isSurelyRight(parsed(body), content, primary)).toBe(true);
    const other = Uint8Array.from(content);
    other[5]! ^= 1;
    expect(await isSurelyRight(parsed(body), other, primary)).toBe(false);
    expect(await isSurelyRight(parsed(body), content, (await keyOf(kind)).primary)).toBe(false);
    let right = 0;
    for (let i = 0; i < body.length; i++) {
      const changed = Uint8Array.from(body);
      changed[i]! ^= 1;
      let signature: Signature;
      try {
        signature = parsed(changed);
      } catch {
        continue;
      }
      right += Number(await isSurelyRight(signature, content, primary));
    }
    // The counts of bits of integers, whose low bits say nothing about how many octets follow, are not signed.
    expect(right).toBeLessThanOrEqual(2);
  });

  it('sends session keys and recovers them', async () => {
    const { subkey } = await keyOf(kind);
    for (const version of [3, 6] as const) {
      for (const hidden of [false, true]) {
        const session = newSessionKey(9);
        const recipient = readRecipient((await sealSessionKeyFast(session, subkey, version, hidden))!)!;
        expect(recipient).toMatchObject({ version, algorithm: subkey.algorithm });
        expect(recipient.id === undefined).toBe(hidden);
        const recovered = await recoverSessionKeyFast(recipient, subkey, version === 6 ? 9 : undefined);
        // RSA has its own way, the same for both paths.
        expect(recovered).toEqual(kind.type === 'rsa' ? undefined : session);
        if (kind.type === 'rsa') continue;
        for (let i = 0; i < recipient.ciphertext.length; i += 3) {
          const ciphertext = Uint8Array.from(recipient.ciphertext);
          // Not the highest bit, which X25519 leaves out of the last octet of a point.
          ciphertext[i]! ^= 0x40;
          expect(await recoverSessionKeyFast({ ...recipient, ciphertext }, subkey, 9), `octet ${i}`).toBeUndefined();
          const cut = { ...recipient, ciphertext: recipient.ciphertext.subarray(0, i) };
          expect(await recoverSessionKeyFast(cut, subkey, 9)).toBeUndefined();
        }
      }
    }
  });

  it('leaves everything alone when it is turned off', async () => {
    const { primary, subkey } = await keyOf(kind);
    const { body } = (await signFast(content, primary, options))!;
    await withoutFastPath(async () => {
      expect(fastPrimitives()).toBeUndefined();
      expect(await signFast(content, primary, options)).toBeUndefined();
      expect(await isSurelyRight(parsed(body), content, primary)).toBe(false);
      expect(await sealSessionKeyFast(newSessionKey(9), subkey, 3, false)).toBeUndefined();
    });
    expect(fastPrimitives()).toBeDefined();
  });
});

describe('keys', () => {
  it('are imported once, and locked ones not at all', async () => {
    const { primary } = await keyOf(kinds['P-256']!);
    expect(publicKeyOf(primary)).toBe(publicKeyOf(primary));
    expect(privateKeyOf(primary)).toBe(privateKeyOf(primary));
    for (const privateParams of [null, undefined]) {
      const locked = Object.create(primary, { privateParams: { value: privateParams } }) as KeyPacket;
      expect(privateKeyOf(locked)).toBeUndefined();
    }
  });

  it('of other kinds go the long way', async () => {
    const { primary, subkey } = await keyOf({ type: 'curve448' });
    for (const key of [primary, subkey]) expect([publicKeyOf(key), privateKeyOf(key)]).toEqual([undefined, undefined]);
    expect(await signFast(content, primary, options)).toBeUndefined();
    expect(await sealSessionKeyFast(newSessionKey(9), subkey, 3, false)).toBeUndefined();
  });

  it('that the runtime does not take go the long way', async () => {
    const { subkey } = await keyOf(kinds['RSA-2048']!);
    // Too short for a session key and its padding.
    const n = Uint8Array.from({ length: 32 }, () => 0xff);
    const bent = Object.create(subkey, { publicParams: { value: { ...subkey.publicParams, n } } }) as KeyPacket;
    expect(publicKeyOf(bent)?.algorithm).toBe('rsa');
    expect(await sealSessionKeyFast(newSessionKey(9), bent, 3, false)).toBeUndefined();
  });

  it('that are no keys go the long way', async () => {
    const { primary } = await keyOf(kinds['P-256']!);
    const bent = Object.create(primary, {
      publicParams: { value: { ...primary.publicParams, Q: new Uint8Array(64) } },
      privateParams: { value: { d: new Uint8Array(32) } },
    }) as KeyPacket;
    expect([publicKeyOf(bent)?.algorithm, privateKeyOf(bent)]).toEqual(['unsupported', undefined]);
    expect(await signFast(content, bent, options)).toBeUndefined();
    const { body } = (await signFast(content, primary, options))!;
    expect(await isSurelyRight(parsed(body), content, bent)).toBe(false);
  });
});

describe('signatures that openpgp.js judges', async () => {
  const { key } = await person(romeo, 'p256');
  const packetOf = key.keyPacket as unknown as KeyPacket;
  const made = (fields: Partial<Parameters<typeof makeSignature>[2]>) =>
    makeSignature(key.keyPacket, signedLiteral(content), { type: 0, at, ...fields }) as unknown as Promise<Signature>;

  it('are not those that everybody makes', async () => {
    expect(await isSurelyRight(await made({}), content, packetOf)).toBe(true);
  });

  it.each<[string, Partial<Parameters<typeof makeSignature>[2]>]>([
    ['over text', { type: 1 }],
    ['with SHA-224', { hash: library.enums.hash.sha224 }],
    ['with SHA-3', { hash: library.enums.hash.sha3_256 }],
    ['with SHA-1', { hash: library.enums.hash.sha1 }],
    ['with a critical notation', { notation: { name: 'a@example.org', critical: true } }],
    ['with a critical subpacket that is not known', { hashed: [Uint8Array.of(2, 0xe4, 0)] }],
    ['with a revocation key', { hashed: [Uint8Array.of(23, 12, 0x80, 1, ...new Uint8Array(20))] }],
  ])('%s', async (_name, fields) => {
    expect(await isSurelyRight(await made(fields), content, packetOf)).toBe(false);
  });
});

describe('messages', () => {
  const session = newSessionKey(9);
  const dataOf = (octets: Uint8Array) => {
    const { length } = octets;
    const body = octets.subarray(6, length);
    return readEncryptedData({ tag: 18, body }, defaultLimits);
  };
  const opened = (inside: Uint8Array) => openPacketsFast(dataOf(seipdV1(inside, session.key)), session, 34);

  it('with a literal alone, or with one signature, are common', async () => {
    expect(await opened(literal(content))).toEqual([{ tag: 11, data: content }]);
    const { key } = await person(romeo);
    const packets = await opened(await inlineSigned(content, key.keyPacket));
    expect(packets).toMatchObject([{ tag: 4 }, { tag: 11, data: content }, { signatureType: 0 }]);
  });

  it('of our own are', async () => {
    const body = Buffer.concat((await sealV1Fast([literal(content)], session))!);
    const data = readEncryptedData({ tag: 18, body }, defaultLimits);
    expect(await openPacketsFast(data, session, 34)).toEqual([{ tag: 11, data: content }]);
    for (let i = 1; i < body.length; i++) {
      const changed = Uint8Array.from(body);
      changed[i]! ^= 1;
      const mutant = readEncryptedData({ tag: 18, body: changed }, defaultLimits);
      expect(await openPacketsFast(mutant, session, 34), `octet ${i}`).toBeUndefined();
    }
  });

  it.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['compressed', () => compressed('zip', literal(content))],
    ['nothing', () => nothing],
    ['two literals', () => Buffer.concat([literal(content), literal(content)])],
    ['a marker', () => Buffer.concat([packet(10, Buffer.from('PGP')), literal(content)])],
    ['padding', () => Buffer.concat([literal(content), packet(21, Buffer.alloc(9))])],
    ['a literal that is cut off', () => packet(11, Buffer.from('b\0\0\0'))],
    ['a name of a literal that is no text', () => packet(11, Buffer.from('b\u0001\xff\0\0\0\0x', 'latin1'))],
    ['a signature that is cut off', () => Buffer.concat([onePass(), literal(content), packet(2, Buffer.of(4, 0))])],
    ['a signature of version 5', () => Buffer.concat([onePass(), literal(content), packet(2, Buffer.of(5, 0, 1, 8))])],
    ['a one-pass packet that is cut off', () => Buffer.concat([packet(4, Buffer.of(3)), literal(content), packet(2)])],
    ['no packets', () => Buffer.from('no packets')],
  ])('with %s inside go the long way', async (_name, inside) => {
    expect(await opened(await inside())).toBeUndefined();
  });

  const onePass = (): Uint8Array => packet(4, Buffer.of(3, 0, 10, 22, 1, 2, 3, 4, 5, 6, 7, 8, 1));
});

describe('integers', () => {
  it.each([
    [[0], [0, 0]],
    [[1], [0, 1, 1]],
    [
      [0, 0, 0x80],
      [0, 8, 0x80],
    ],
    [
      [1, 0],
      [0, 9, 1, 0],
    ],
    [
      [0x01, 0xff],
      [0, 9, 1, 0xff],
    ],
  ])('%j', (octets, written) => {
    expect([...writeInteger(Uint8Array.from(octets))]).toEqual(written);
    expect(readInteger(Uint8Array.from(written))!.end).toBe(written.length);
  });

  it('cut off are none', () => {
    for (const cut of [[], [0], [0, 9, 1]]) expect(readInteger(Uint8Array.from(cut))).toBeUndefined();
  });
});
