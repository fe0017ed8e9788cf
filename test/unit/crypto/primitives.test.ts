/** One suite of published vectors for all providers. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/bytes.ts';
import type { CryptoFeature, GcmParameters, HashName } from '../../../src/crypto/provider.ts';
import { ecPrivateKey, ecPublicKey, octets, okpPrivateKey, okpPublicKey, providers } from './providers.ts';

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));

describe.each(Object.entries(providers))('%s', (_name, crypto) => {
  it('draws random octets', () => {
    expect(crypto.randomBytes(0)).toHaveLength(0);
    const a = crypto.randomBytes(32);
    expect(a).toHaveLength(32);
    expect(crypto.randomBytes(32)).not.toEqual(a);
    expect(Object.getPrototypeOf(a)).toBe(Uint8Array.prototype);
  });

  // FIPS 180-4 examples.
  it.each<[HashName, string]>([
    ['sha1', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['sha384', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'],
    [
      'sha512',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
  ])('digests by %s, in one piece or several', async (hash, digest) => {
    expect(await crypto.digest(hash, text('abc'))).toEqual(octets(digest));
    expect(await crypto.digest(hash, text('a'), text(''), text('bc'))).toEqual(octets(digest));
  });

  it('makes an HMAC (RFC 4231 section 4.3), also with an empty key', async () => {
    expect(await crypto.hmac('sha256', text('Jefe'), text('what do ya want for nothing?'))).toEqual(
      octets('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
    );
    expect(await crypto.hmac('sha256', text(''), text(''))).toEqual(
      octets('b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad'),
    );
  });

  it('derives by HKDF (RFC 5869 appendix A.1 and A.3)', async () => {
    const secret = octets('0b'.repeat(22));
    expect(
      await crypto.hkdf('sha256', secret, octets('000102030405060708090a0b0c'), octets('f0f1f2f3f4f5f6f7f8f9'), 42),
    ).toEqual(octets('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'));
    expect(await crypto.hkdf('sha256', secret, octets(''), octets(''), 42)).toEqual(
      octets('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'),
    );
  });

  describe('AES key wrap (RFC 3394 section 4)', () => {
    const kek = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
    it.each([
      [16, '00112233445566778899aabbccddeeff', '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'],
      [24, '00112233445566778899aabbccddeeff', '96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d'],
      [32, '00112233445566778899aabbccddeeff', '64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7'],
      [
        32,
        '00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f',
        '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21',
      ],
    ])('with %i octets', async (length, key, wrapped) => {
      const outer = octets(kek).slice(0, length);
      expect(await crypto.wrapKey(outer, octets(key))).toEqual(octets(wrapped));
      expect(await crypto.unwrapKey(outer, octets(wrapped))).toEqual(octets(key));
      const changed = octets(wrapped);
      changed[3]! ^= 1;
      expect(await crypto.unwrapKey(outer, changed)).toBeUndefined();
    });

    it.each([0, 8, 16, 23, 25, 31])('gives nothing for %i octets', async (length) => {
      expect(await crypto.unwrapKey(octets(kek), new Uint8Array(length))).toBeUndefined();
    });
  });

  describe('AES-GCM (test case 4 of the GCM specification)', () => {
    const parameters: GcmParameters = {
      key: octets('feffe9928665731c6d6a8f9467308308'),
      nonce: octets('cafebabefacedbaddecaf888'),
      additionalData: octets('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
      tagLength: 16,
    };
    const plaintext = octets(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    );
    const ciphertext = octets(
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091',
    );
    const tag = octets('5bc94fbc3221a5db94fae95ae7121a47');

    it('encrypts and decrypts', async () => {
      const inPieces = [16, 1].map((cut) => [plaintext.subarray(0, cut), new Uint8Array(), plaintext.subarray(cut)]);
      for (const pieces of [[plaintext], ...inPieces]) {
        const sealed = await crypto.encryptAesGcm(parameters, pieces);
        expect({ ciphertext: concatBytes(...sealed.ciphertext), tag: sealed.tag }).toEqual({ ciphertext, tag });
      }
      expect(await crypto.decryptAesGcm(parameters, ciphertext, tag)).toEqual(plaintext);
    });

    it.each([12, 13, 14, 15])('takes a tag of %i octets where that is agreed, and not otherwise', async (tagLength) => {
      const short = tag.slice(0, tagLength);
      expect(await crypto.decryptAesGcm({ ...parameters, tagLength }, ciphertext, short)).toEqual(plaintext);
      expect(await crypto.decryptAesGcm(parameters, ciphertext, short)).toBeUndefined();
      expect(await crypto.decryptAesGcm({ ...parameters, tagLength }, ciphertext, tag)).toBeUndefined();
    });

    it('gives nothing for a changed ciphertext, tag, nonce or additional data', async () => {
      const flip = (bytes: Uint8Array): Uint8Array =>
        Uint8Array.from(bytes, (octet, i) => (i === 5 ? octet ^ 1 : octet));
      const bare = { ...parameters, additionalData: undefined };
      expect(await crypto.decryptAesGcm(parameters, flip(ciphertext), tag)).toBeUndefined();
      expect(await crypto.decryptAesGcm(parameters, ciphertext, flip(tag))).toBeUndefined();
      expect(
        await crypto.decryptAesGcm({ ...parameters, nonce: flip(parameters.nonce) }, ciphertext, tag),
      ).toBeUndefined();
      expect(await crypto.decryptAesGcm(bare, ciphertext, tag)).toBeUndefined();
    });

    it('takes empty content and other key sizes', async () => {
      for (const size of [16, 24, 32]) {
        const own = { key: crypto.randomBytes(size), nonce: crypto.randomBytes(12), tagLength: 16 };
        const sealed = await crypto.encryptAesGcm(own, [new Uint8Array()]);
        const ciphertext = concatBytes(...sealed.ciphertext);
        expect(ciphertext).toHaveLength(0);
        expect(await crypto.decryptAesGcm(own, ciphertext, sealed.tag)).toEqual(new Uint8Array());
      }
    });
  });

  describe('AES-CBC (NIST SP 800-38A appendix F.2)', () => {
    const iv = octets('000102030405060708090a0b0c0d0e0f');
    it.each([
      ['2b7e151628aed2a6abf7158809cf4f3c', '7649abac8119b246cee98e9b12e9197d'],
      ['8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b', '4f021db243bc633d7178183a9fa071e8'],
      ['603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'f58c4c04d6e5f1ba779eabfb5f7bfbd6'],
    ])('%s', async (key, first) => {
      const plaintext = octets('6bc1bee22e409f96e93d7e117393172a');
      const ciphertext = await crypto.encryptAesCbc(octets(key), iv, plaintext);
      // RFC 5652 section 6.3: a whole block of padding behind a whole block.
      expect(ciphertext).toHaveLength(32);
      expect(ciphertext.slice(0, 16)).toEqual(octets(first));
      expect(await crypto.decryptAesCbc(octets(key), iv, ciphertext)).toEqual(plaintext);
      for (const end of [0, 15, 16, 31]) {
        expect(await crypto.decryptAesCbc(octets(key), iv, ciphertext.slice(0, end))).toBeUndefined();
      }
    });
  });

  describe('Ed25519 (RFC 8032 section 7.1, test 2)', () => {
    const privateKey = okpPrivateKey('ed25519', '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    const publicKey = okpPublicKey('ed25519', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    const signature = octets(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
    const scheme = { scheme: 'ed25519' } as const;

    it('signs and verifies', async () => {
      expect(await crypto.sign(privateKey, scheme, octets('72'))).toEqual(signature);
      expect(await crypto.verify(publicKey, scheme, octets('72'), signature)).toBe(true);
      expect(await crypto.verify(publicKey, scheme, octets('73'), signature)).toBe(false);
      expect(await crypto.verify(publicKey, scheme, octets('72'), signature.slice(0, 63))).toBe(false);
    });

    it('refuses S + L, the second form of the same signature (RFC 8032 section 5.1.7)', async () => {
      const order = 2n ** 252n + 27742317777372353535851937790883648493n;
      let s = 0n;
      for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i]!);
      const second = signature.slice();
      for (let i = 32, left = s + order; i < 64; i++, left >>= 8n) second[i] = Number(left & 255n);
      expect(await crypto.verify(publicKey, scheme, octets('72'), second)).toBe(false);
    });
  });

  describe('X25519 (RFC 7748 section 5.2)', () => {
    const key = okpPrivateKey('x25519', 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4');

    it('agrees', async () => {
      expect(
        await crypto.agree(key, octets('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')),
      ).toEqual(octets('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'));
    });

    // Points of small order: the output is zero whatever the private key (RFC 7748 section 6.1).
    it.each([
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ])('gives nothing for %s', async (point) => {
      expect(await crypto.agree(key, octets(point))).toBeUndefined();
      expect(await crypto.agreeEphemeral(okpPublicKey('x25519', point))).toBeUndefined();
    });

    it.each([0, 31, 33])('gives nothing for %i octets', async (length) => {
      expect(await crypto.agree(key, new Uint8Array(length).fill(9))).toBeUndefined();
    });
  });

  describe('ECDH (NIST CAVS, P-256, count 0)', () => {
    const key = ecPrivateKey('p256', '7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534');
    const x = '700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287';
    const y = 'db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac';
    const secret = octets('46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b');

    it('agrees', async () => {
      expect(await crypto.agree(key, octets(`04${x}${y}`))).toEqual(secret);
    });

    it.each([
      ['off the curve', `04${x}${y.slice(0, -2)}ad`],
      ['of zeros', `04${'00'.repeat(64)}`],
      ['beyond the field', `04${'ff'.repeat(64)}`],
      ['compressed', `02${x}`],
      ['hybrid', `06${x}${y}`],
      ['at infinity', '00'],
      ['too short', `04${x}${y.slice(2)}`],
      ['too long', `04${x}${y}00`],
      ['empty', ''],
    ])('gives nothing for a point %s', async (_what, point) => {
      expect(await crypto.agree(key, octets(point))).toBeUndefined();
    });

    it('gives nothing for a peer whose key is off the curve', async () => {
      expect(await crypto.agreeEphemeral(ecPublicKey('p256', x, `${y.slice(0, -2)}ad`))).toBeUndefined();
    });
  });

  describe('ECDSA (RFC 6979 appendix A.2.5, P-256, SHA-256, "sample")', () => {
    const publicKey = ecPublicKey(
      'p256',
      '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6',
      '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
    );
    const r = 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716';
    const s = 'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8';
    const scheme = { scheme: 'ecdsa', hash: 'sha256' } as const;
    const verify = (signature: string) => crypto.verify(publicKey, scheme, text('sample'), octets(signature));

    it('verifies', async () => {
      expect(await verify(`3046 022100${r} 022100${s}`)).toBe(true);
      expect(await crypto.verify(publicKey, scheme, text('test'), octets(`3046022100${r}022100${s}`))).toBe(false);
      expect(
        await crypto.verify(
          publicKey,
          { ...scheme, hash: 'sha512' },
          text('sample'),
          octets(`3046022100${r}022100${s}`),
        ),
      ).toBe(false);
    });

    it.each([
      ['a long length form', `308146 022100${r} 022100${s}`],
      ['indefinite length', `3080 022100${r} 022100${s} 0000`],
      ['a padded r', `3047 02220000${r} 022100${s}`],
      ['a negative r', `3045 0220${r} 022100${s}`],
      ['a negative s', `3045 022100${r} 0220${s}`],
      ['octets behind the sequence', `3046 022100${r} 022100${s} 00`],
      ['octets inside behind s', `3048 022100${r} 022100${s} 0500`],
      ['a third integer', `3049 022100${r} 022100${s} 020101`],
      ['s missing', `3023 022100${r}`],
      ['an empty integer', `3025 022100${r} 0200`],
      ['zero and zero', '3006 020100 020100'],
      ['one and one', '3006 020101 020101'],
      ['an r of 256 bits more', `3047 022201${'00'.repeat(33)} 022100${s}`],
      ['a BIT STRING for r', `3046 032100${r} 022100${s}`],
      ['a SET', `3146 022100${r} 022100${s}`],
      ['the fixed form', `${r}${s}`],
      ['nothing', ''],
      ['a header alone', '30'],
      ['an empty sequence', '3000'],
    ])('refuses %s', async (_what, signature) => {
      expect(await verify(signature)).toBe(false);
    });
  });

  it('knows what it lacks, and says so by UNSUPPORTED', async () => {
    const web = crypto.name === 'web';
    const features: readonly CryptoFeature[] = [
      'rsa-pkcs1v15-encrypt',
      'rsa-pkcs1v15-decrypt',
      'oaep-mixed-hash',
      'triple-des',
    ];
    for (const feature of features) expect(crypto.supports(feature)).toBe(!web);
    for (const feature of ['ed25519', 'x25519', 'aes192'] as const) expect(crypto.supports(feature)).toBe(true);
    const unsupported = expect.objectContaining({ code: 'ERR_E2E_UNSUPPORTED' }) as Error;
    if (!web) return;
    const pair = await crypto.generateKeyPair({ algorithm: 'rsa', bits: 2048 });
    const block = new Uint8Array(256);
    const mixed = { hash: 'sha256', mgfHash: 'sha1' } as const;
    for (const operation of [
      async () => crypto.encryptRsaPkcs1v15(pair.publicKey, block),
      async () => crypto.decryptRsaPkcs1v15(pair.privateKey, block, 16),
      async () => crypto.decryptTripleDesCbc(block.slice(0, 24), block.slice(0, 8), block),
      async () => crypto.unwrapTripleDesKey(block.slice(0, 24), block.slice(0, 40)),
      async () => crypto.encryptRsaOaep(pair.publicKey, mixed, text('key')),
      async () => crypto.decryptRsaOaep(pair.privateKey, mixed, block),
    ]) {
      await expect(operation()).rejects.toThrow(unsupported);
    }
  });
});

describe('triple DES on node:crypto', () => {
  const crypto = providers['node:crypto']!;

  it('unwraps a key (RFC 3217 section 5.1)', async () => {
    expect(
      await crypto.unwrapTripleDesKey(
        octets('255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f'),
        octets('690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4'),
      ),
    ).toEqual(octets('2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98'));
  });

  it('gives nothing for a changed one', async () => {
    const wrapped = octets('690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d5');
    const kek = octets('255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f');
    expect(await crypto.unwrapTripleDesKey(kek, wrapped)).toBeUndefined();
    expect(await crypto.unwrapTripleDesKey(kek, wrapped.slice(1))).toBeUndefined();
    expect(await crypto.unwrapTripleDesKey(kek, new Uint8Array())).toBeUndefined();
  });
});
