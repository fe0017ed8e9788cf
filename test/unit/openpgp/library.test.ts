/** What openpgp.js must have at run time, and what it is told. */
import * as openpgp from 'openpgp';
import { describe, expect, it } from 'vitest';
import * as library from '../../../src/backends/openpgp/library.ts';
import { boundedConfig, lenientConfig, safeConfig } from '../../../src/backends/openpgp/safe-config.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import { at as noon } from './scene.ts';

describe('the version', () => {
  it.each(['OpenPGP.js 6.3.2', 'OpenPGP.js 6.3.10', 'OpenPGP.js 6.4.0', 'OpenPGP.js 7.0.0'])('takes %s', (version) => {
    expect(() => library.checkVersion(version)).not.toThrow();
  });

  it.each([
    'OpenPGP.js 6.3.1',
    'OpenPGP.js 6.2.99',
    'OpenPGP.js 5.11.3',
    'OpenPGP.js 6.3.2-beta',
    'OpenPGP.js',
    '6.3.2',
    '',
  ])('refuses "%s"', (version) => {
    expect(() => library.checkVersion(version)).toThrow(/6\.3\.2 or newer/);
  });

  it('of the installed one is good', () => {
    expect(() => library.checkVersion()).not.toThrow();
  });
});

describe('members that its declarations leave out', () => {
  const packet = (name: string) => (openpgp as unknown as Record<string, { prototype: object }>)[name]!;

  it.each([
    ['SignaturePacket', ['read', 'write', 'sign', 'verify', 'writeHashedSubPackets']],
    ['PublicKeyEncryptedSessionKeyPacket', ['read', 'write', 'encrypt', 'decrypt']],
    ['SymEncryptedIntegrityProtectedDataPacket', ['read', 'write', 'encrypt', 'decrypt']],
    ['AEADEncryptedDataPacket', ['read', 'decrypt']],
    ['LiteralDataPacket', ['setBytes', 'getBytes']],
    ['SecretKeyPacket', ['decrypt', 'validate', 'isDecrypted', 'isMissingSecretKeyMaterial']],
  ])('%s has them', (name, members) => {
    for (const member of members) expect(packet(name).prototype, member).toHaveProperty(member);
  });

  it.each(['PublicKeyEncryptedSessionKeyPacket', 'SymEncryptedIntegrityProtectedDataPacket'])(
    '%s.fromObject',
    (name) => {
      expect(packet(name)).toHaveProperty('fromObject');
    },
  );

  it('OnePassSignaturePacket.fromSignaturePacket', () => {
    expect(packet('OnePassSignaturePacket')).toHaveProperty('fromSignaturePacket');
  });

  it('the fields of a parsed key', async () => {
    const made = await openpgp.generateKey({ userIDs: { name: 'a' }, format: 'binary', date: noon });
    const publicKey = await openpgp.readKey({ binaryKey: made.publicKey });
    const { keyPacket, directSignatures, revocationSignatures, users, subkeys } = library.structureOf(publicKey);
    expect(keyPacket.getFingerprintBytes()).toHaveLength(20);
    expect([directSignatures, revocationSignatures]).toEqual([[], []]);
    expect(users[0]!.selfCertifications[0]!.keyFlags?.[0]).toBe(0x03);
    expect(library.isDated(users[0]!.selfCertifications[0]!)).toBe(true);
    expect(subkeys[0]!.bindingSignatures[0]!.unknownSubpackets).toEqual([]);
    const { signatureData, signedHashValue, salt, rawNotations, revocationKeyClass } = users[0]!.selfCertifications[0]!;
    expect([signatureData![0], signedHashValue!.length, salt, revocationKeyClass]).toEqual([4, 2, null, null]);
    expect(rawNotations).toMatchObject([{ name: 'salt@notations.openpgpjs.org', critical: false }]);
  });
});

describe('the configuration', () => {
  it('knows every switch that the library has, so that a new one is looked at', () => {
    expect(Object.keys(safeConfig()).sort()).toEqual(Object.keys(openpgp.config).sort());
  });

  it('overrides every unsafe default', () => {
    expect(safeConfig()).toMatchObject({
      maxDecompressedMessageSize: defaultLimits.decompressedBytes,
      maxArgon2MemoryExponent: 16,
      minRSABits: 2048,
      constantTimePKCS1Decryption: true,
      enforceGrammar: true,
      allowUnauthenticatedMessages: false,
      allowUnauthenticatedStream: false,
      allowMissingKeyFlags: false,
      allowInsecureDecryptionWithSigningKeys: false,
      allowInsecureVerificationWithReformattedKeys: false,
      ignoreMalformedPackets: false,
      preferredCompressionAlgorithm: openpgp.enums.compression.uncompressed,
      showVersion: false,
      showComment: false,
    });
    const { rejectHashAlgorithms, rejectPublicKeyAlgorithms, rejectCurves } = safeConfig();
    const { hash, publicKey, curve } = openpgp.enums;
    expect(rejectHashAlgorithms).toEqual(new Set([hash.md5, hash.sha1, hash.ripemd]));
    expect(rejectPublicKeyAlgorithms).toEqual(new Set([publicKey.elgamal, publicKey.dsa]));
    expect(rejectCurves).toEqual(new Set([curve.secp256k1]));
  });

  it('follows the limits, is frozen and made once', () => {
    const limits = limitsWith({ decompressedBytes: 1000, argon2KiB: 1024, rsaMinBits: 3072 });
    expect(safeConfig(limits)).toMatchObject({
      maxDecompressedMessageSize: 1000,
      maxArgon2MemoryExponent: 10,
      minRSABits: 3072,
    });
    expect(safeConfig(limits)).toBe(safeConfig(limits));
    for (const config of [safeConfig(), boundedConfig(limits), lenientConfig])
      expect(Object.isFrozen(config)).toBe(true);
  });

  it('is not the one that an application can change', () => {
    const before = openpgp.config.enforceGrammar;
    openpgp.config.enforceGrammar = false;
    try {
      expect(safeConfig(limitsWith({})).enforceGrammar).toBe(true);
    } finally {
      openpgp.config.enforceGrammar = before;
    }
  });
});

describe('allOctets', () => {
  it('reads bytes and streams of bytes', async () => {
    const chunks = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    expect(await library.allOctets(chunks[0]!)).toBe(chunks[0]);
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    expect(await library.allOctets(stream as library.OctetStream)).toEqual(Uint8Array.of(1, 2, 3));
  });
});
