/** SubjectPublicKeyInfo and PKCS #8, and every provider with the keys of every other. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  der,
  derBitString,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { oids } from '../../../src/asn1/oids.ts';
import { parseDer } from '../../../src/asn1/reader.ts';
import { parsePrivateKey } from '../../../src/crypto/private-key.ts';
import type { KeyPair, KeyPairKind, SignatureAlgorithm } from '../../../src/crypto/provider.ts';
import { parsePublicKey } from '../../../src/crypto/public-key.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { corpus, hasCorpus } from '../../shared-data.ts';
import { ecPrivateKey, octets, okpPrivateKey, okpPublicKey, providers, rsaSpki } from './providers.ts';

const kinds: readonly KeyPairKind[] = [
  { algorithm: 'rsa', bits: 2048 },
  { algorithm: 'rsa', bits: 3072 },
  { algorithm: 'ec', curve: 'p256' },
  { algorithm: 'ec', curve: 'p384' },
  { algorithm: 'ec', curve: 'p521' },
  { algorithm: 'ed25519' },
  { algorithm: 'x25519' },
];

function nameOf(kind: KeyPairKind): string {
  return [kind.algorithm, 'bits' in kind ? kind.bits : 'curve' in kind ? kind.curve : ''].join(' ').trim();
}

const hashes = ['sha1', 'sha256', 'sha384', 'sha512'] as const;

function schemesFor({ publicKey }: KeyPair): readonly SignatureAlgorithm[] {
  if (publicKey.algorithm === 'ec') return hashes.map((hash) => ({ scheme: 'ecdsa', hash }));
  if (publicKey.algorithm === 'ed25519') return [{ scheme: 'ed25519' }];
  if (publicKey.algorithm !== 'rsa') return [];
  const pss = hashes.flatMap((hash) =>
    [0, 20, 32].map((saltLength): SignatureAlgorithm => ({ scheme: 'rsa-pss', hash, saltLength })),
  );
  return [...hashes.map((hash): SignatureAlgorithm => ({ scheme: 'rsa-pkcs1v15', hash })), ...pss];
}

const message = Uint8Array.from(Buffer.from('Content-Type: text/plain\r\n\r\nhello\r\n'));

describe.each(Object.entries(providers))('key pairs of %s', (_maker, maker) => {
  it.each(kinds.map((kind) => [nameOf(kind), kind] as const))('%s', async (_name, kind) => {
    const pair = await maker.generateKeyPair(kind);
    const { publicKey, privateKey } = pair;
    expect(publicKey.algorithm).toBe(kind.algorithm);
    expect(privateKey.algorithm).toBe(kind.algorithm);
    if (kind.algorithm === 'rsa') expect([publicKey.bits, privateKey.bits]).toEqual([kind.bits, kind.bits]);
    // An independent reader takes both halves, and they belong together.
    const handle = createPrivateKey({ key: Buffer.from(privateKey.pkcs8), format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(handle).export({ format: 'der', type: 'spki' });
    expect(publicKey.spki).toEqual(new Uint8Array(spki));

    for (const scheme of schemesFor(pair)) {
      for (const [name, user] of Object.entries(providers)) {
        const signature = await user.sign(privateKey, scheme, message);
        for (const judge of Object.values(providers)) {
          const label = `${name} ${JSON.stringify(scheme)}`;
          expect(await judge.verify(publicKey, scheme, message, signature), label).toBe(true);
          const changed = signature.slice();
          changed[changed.length - 1]! ^= 1;
          expect(await judge.verify(publicKey, scheme, message, changed), label).toBe(false);
          expect(await judge.verify(publicKey, scheme, message.slice(1), signature), label).toBe(false);
        }
      }
    }
    if (publicKey.algorithm === 'ec' || publicKey.algorithm === 'x25519') {
      for (const sender of Object.values(providers)) {
        const ephemeral = (await sender.agreeEphemeral(publicKey))!;
        for (const recipient of Object.values(providers)) {
          expect(await recipient.agree(privateKey, ephemeral.publicPoint)).toEqual(ephemeral.secret);
        }
      }
    }
  });
});

describe('schemes and keys that do not belong together', () => {
  it.each(Object.entries(providers))('%s', async (_name, crypto) => {
    const pairs = await Promise.all(
      kinds
        .filter((kind) => kind.algorithm !== 'rsa' || kind.bits === 2048)
        .map(async (kind) => crypto.generateKeyPair(kind)),
    );
    for (const { publicKey, privateKey } of pairs) {
      for (const other of pairs) {
        for (const scheme of schemesFor(other)) {
          if (other.publicKey.algorithm === publicKey.algorithm) continue;
          expect(await crypto.verify(publicKey, scheme, message, new Uint8Array(64))).toBe(false);
          await expect((async () => crypto.sign(privateKey, scheme, message))()).rejects.toThrow(TypeError);
        }
      }
      if (publicKey.algorithm === 'rsa' || publicKey.algorithm === 'ed25519') {
        expect(await crypto.agreeEphemeral(publicKey)).toBeUndefined();
        expect(await crypto.agree(privateKey, new Uint8Array(32).fill(9))).toBeUndefined();
      }
    }
  });

  it.each(Object.entries(providers))('%s refuses a private key that is none', async (_name, crypto) => {
    const rsa = encodeDer(derSequence(derInteger(0), derInteger(Uint8Array.of(0x80, 1)), derInteger(3)));
    const none = parsePrivateKey(
      encodeDer(derSequence(derInteger(0), derSequence(derOid(oids.rsaEncryption), derNull), derOctetString(rsa))),
    );
    const scheme = { scheme: 'rsa-pkcs1v15', hash: 'sha256' } as const;
    await expect((async () => crypto.sign(none, scheme, message))()).rejects.toThrow(TypeError);
  });
});

describe('keys that only make PSS signatures (RFC 4055 section 1.2)', () => {
  const options = { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 };
  // The types want the salt length as a string, the function as a number.
  const restricted = generateKeyPairSync('rsa-pss', options as unknown as { modulusLength: number });
  const free = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  const read = ({ publicKey, privateKey }: typeof free) => ({
    publicKey: parsePublicKey(new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))),
    privateKey: parsePrivateKey(new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }))),
  });

  it.each(Object.entries(providers))('%s', async (_name, crypto) => {
    const pss = { scheme: 'rsa-pss', hash: 'sha256', saltLength: 32 } as const;
    for (const pair of [read(restricted), read(free)]) {
      expect(pair.publicKey.algorithm).toBe('rsa-pss');
      const signature = await crypto.sign(pair.privateKey, pss, message);
      expect(await crypto.verify(pair.publicKey, pss, message, signature)).toBe(true);
      const plain = { scheme: 'rsa-pkcs1v15', hash: 'sha256' } as const;
      expect(await crypto.verify(pair.publicKey, plain, message, signature)).toBe(false);
    }
    const { publicKey } = read(restricted);
    expect(publicKey.pss).toEqual({ hash: 'sha256', saltLength: 32 });
    expect(await crypto.verify(publicKey, { ...pss, saltLength: 20 }, message, new Uint8Array(256))).toBe(false);
    expect(await crypto.verify(publicKey, { ...pss, hash: 'sha512' }, message, new Uint8Array(256))).toBe(false);
  });
});

describe('SubjectPublicKeyInfo', () => {
  const modulus = Uint8Array.from({ length: 256 }, () => 0xff);

  it.each([
    ['an even modulus', [...modulus.slice(0, 255), 0xfe], [1, 0, 1]],
    ['an even exponent', modulus, [1, 0, 0]],
    ['the exponent one', modulus, [1]],
    ['the exponent zero', modulus, [0]],
    ['an exponent of 72 bits', modulus, [1, 0, 0, 0, 0, 0, 0, 0, 1]],
  ])('has no use for RSA with %s', async (_what, n, e) => {
    const key = parsePublicKey(rsaSpki(Uint8Array.from(n), Uint8Array.from(e)));
    expect(key.algorithm).toBe('unsupported');
    const scheme = { scheme: 'rsa-pkcs1v15', hash: 'sha256' } as const;
    for (const crypto of Object.values(providers)) {
      expect(await crypto.verify(key, scheme, message, new Uint8Array(256))).toBe(false);
    }
  });

  it('counts the bits of a modulus', () => {
    for (const [first, bits] of [
      [0xff, 2048],
      [0x80, 2048],
      [0x7f, 2047],
      [0x01, 2041],
    ] as const) {
      const n = modulus.slice();
      n[0] = first;
      expect(parsePublicKey(rsaSpki(n, Uint8Array.of(3))).bits).toBe(bits);
    }
  });

  it.each([
    ['an unknown algorithm', encodeDer(derSequence(derSequence(derOid('1.2.3')), derBitString(octets('00'))))],
    [
      'secp256k1',
      encodeDer(derSequence(derSequence(derOid(oids.ecPublicKey), derOid('1.3.132.0.10')), derBitString(octets('04')))),
    ],
    [
      'curve parameters spelled out',
      encodeDer(
        derSequence(derSequence(derOid(oids.ecPublicKey), derSequence(derInteger(1))), derBitString(octets('04'))),
      ),
    ],
    ['no curve', encodeDer(derSequence(derSequence(derOid(oids.ecPublicKey)), derBitString(octets('04'))))],
    [
      'a compressed point',
      encodeDer(
        derSequence(
          derSequence(derOid(oids.ecPublicKey), derOid(oids.p256)),
          derBitString(octets(`02${'11'.repeat(32)}`)),
        ),
      ),
    ],
    [
      'PSS with MD5',
      encodeDer(
        derSequence(
          derSequence(derOid(oids.rsassaPss), derSequence(octets('a00e300c06082a864886f70d02050500'))),
          derBitString(encodeDer(derSequence(derInteger(modulus), derInteger(3)))),
        ),
      ),
    ],
  ])('is unsupported, and no error, for %s', (_what, spki) => {
    expect(parsePublicKey(spki).algorithm).toBe('unsupported');
  });

  it.each([
    ['BER', octets('3080 3005 06032b6570 0321 00')],
    [
      'an Ed25519 key of 31 octets',
      encodeDer(derSequence(derSequence(derOid(oids.ed25519)), derBitString(new Uint8Array(31)))),
    ],
    ['unused bits', octets('300c 3005 06032b6570 0303 01aabe')],
    [
      'octets inside behind the key',
      encodeDer(derSequence(derSequence(derOid(oids.ed25519)), derBitString(new Uint8Array(32)), derNull)),
    ],
    [
      'a negative modulus',
      encodeDer(
        derSequence(derSequence(derOid(oids.rsaEncryption), derNull), derBitString(octets('3006 0201ff 020103'))),
      ),
    ],
    ['nothing', new Uint8Array()],
  ])('refuses %s', (_what, spki) => {
    expect(() => parsePublicKey(spki)).toThrow(E2eError);
  });
});

describe('PKCS #8', () => {
  it.each(Object.entries(providers))(
    'with attributes and public key is used: RFC 8410 section 10.3, %s',
    async (_name, crypto) => {
      const der = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'));
      const secret = parsePrivateKey(
        der(
          'MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC' +
            'oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB' +
            'Z9w7lshQhqowtrbLDFw4rXAxZuE=',
        ),
      );
      const publicKey = parsePublicKey(der('MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE='));
      const signature = await crypto.sign(secret, { scheme: 'ed25519' }, octets('00'));
      expect(await crypto.verify(publicKey, { scheme: 'ed25519' }, octets('00'), signature)).toBe(true);
    },
  );

  it.each(Object.entries(providers))('of version 2 with its public key is used, %s', async (_name, crypto) => {
    for (const kind of kinds) {
      const made = await crypto.generateKeyPair(kind);
      const [version, ...rest] = parseDer(made.privateKey.pkcs8, { limits: defaultLimits }).elements(3);
      expect(version!.content).toEqual(octets('00'));
      const half = der(0x81, Uint8Array.of(0), made.publicKey.subjectPublicKey);
      const more = encodeDer(derSequence(derInteger(1), ...rest.map(({ raw }) => raw), half));
      const read = parsePrivateKey(more);
      expect(Buffer.from(read.pkcs8)).toEqual(Buffer.from(made.privateKey.pkcs8));
    }
  });

  it('shows no secret to logs', () => {
    const seed = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
    const key = okpPrivateKey('ed25519', seed);
    expect(inspect(key, { depth: 9, showHidden: false }) + JSON.stringify(key)).not.toMatch(/4c|4ccd|76/);
    expect(Buffer.from(key.scalar!).toString('hex')).toBe(seed);
  });

  it.skipIf(!hasCorpus('rfc-personas'))(
    'reads the keys of RFC 9216 and pairs them with their certificates',
    async () => {
      for (const [name, algorithm] of [
        ['alice-sign', 'rsa'],
        ['bob-encrypt', 'rsa'],
        ['carlos-sign', 'ed25519'],
        ['dana-encrypt', 'x25519'],
      ] as const) {
        const pem = corpus(`rfc-personas/${name}.key.pem`).toString('latin1');
        const der = new Uint8Array(Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64'));
        expect(parsePrivateKey(der).algorithm).toBe(algorithm);
      }
      const agreed = okpPublicKey('x25519', '09'.padEnd(64, '0'));
      expect(await providers['node:crypto']!.agreeEphemeral(agreed)).toBeDefined();
    },
  );

  it.each([
    ['version 2', '302e 020102 300506032b6570 0422 0420'],
    ['a seed of 31 octets', '302d 020100 300506032b6570 0421 041f'],
    ['an encrypted one', '3006 3002 0500 0400'],
  ])('refuses %s', (_what, hex) => {
    const head = octets(hex);
    const length = head[1]! + 2;
    const input = new Uint8Array(length);
    input.set(head);
    expect(() => parsePrivateKey(input)).toThrow(E2eError);
  });

  it('wants an elliptic-curve scalar as long as the order (RFC 5915 section 3)', () => {
    expect(() => ecPrivateKey('p256', '11'.repeat(31))).toThrow(E2eError);
    expect(() => ecPrivateKey('p521', '01'.repeat(65))).toThrow(E2eError);
    expect(() => ecPrivateKey('p256', '00'.repeat(32))).toThrow(E2eError);
  });
});
