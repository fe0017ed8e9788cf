/** Passphrase-protected PKCS #8 (RFC 8018): what openssl writes, and what is wrong with others. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import {
  type DerPart,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { decryptPrivateKey, encryptPrivateKey } from '../../../src/backends/smime/encrypted-private-key.ts';
import { E2eError } from '../../../src/errors.ts';
import { provider as crypto } from '../../../src/crypto/node.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { serializePem } from '../../../src/x509/pem.ts';
import { hasProgram } from '../../shared-data.ts';
import { openssl } from './openssl.ts';

const pkcs8 = new Uint8Array(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'der' }),
);

function codeOf(der: Uint8Array, passphrase = 'word'): Promise<string> {
  return decryptPrivateKey(der, passphrase, defaultLimits, crypto).then(
    () => 'read',
    (error: unknown) => (error instanceof E2eError ? error.code.replace('ERR_E2E_', '') : String(error)),
  );
}

describe.skipIf(!hasProgram('openssl', 'version'))('files of openssl', () => {
  const program = openssl();
  const encrypted = (...options: readonly string[]): Uint8Array => {
    const input = program.file('key.pem', serializePem('PRIVATE KEY', pkcs8));
    return program.run(['pkcs8', '-topk8', '-in', input, '-outform', 'DER', '-passout', 'pass:word', ...options]);
  };

  it.each([
    [],
    ['-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA1'],
    ['-v2', 'aes-192-cbc', '-v2prf', 'hmacWithSHA384'],
    ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512', '-iter', '1'],
  ])('%s %s %s %s', async (...options) => {
    const file = encrypted(...options);
    const found = await decryptPrivateKey(file, 'word', defaultLimits, crypto);
    expect(createPrivateKey({ key: Buffer.from(found), format: 'der', type: 'pkcs8' }).asymmetricKeyType).toBe('ec');
    expect(found).toEqual(pkcs8);
    expect(await codeOf(file, 'wrong')).toBe('KEY_UNAVAILABLE');
    expect(await codeOf(file, '')).toBe('KEY_UNAVAILABLE');
  });

  it.each([
    ['scrypt', ['-scrypt']],
    ['Triple DES', ['-v2', 'des3']],
    ['Camellia', ['-v2', 'camellia-256-cbc']],
    ['an HMAC of SHA-224', ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA224']],
    ['PBES1', ['-v1', 'PBE-SHA1-3DES']],
  ])('%s is UNSUPPORTED', async (_, options) => {
    expect(await codeOf(encrypted(...options))).toBe('UNSUPPORTED');
  });

  it('reads what was encrypted here', async () => {
    const file = program.file('ours.der', await encryptPrivateKey(pkcs8, 'word', crypto, 1000));
    const found = program.run(['pkey', '-inform', 'DER', '-in', file, '-passin', 'pass:word']);
    const key = createPrivateKey(Buffer.from(found));
    expect(new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))).toEqual(pkcs8);
  });
});

describe('files built by hand', () => {
  const iv = derOctetString(new Uint8Array(16));
  const cipher = derSequence(derOid(oids.aes256Cbc), iv);
  const kdf = (...fields: readonly DerPart[]): DerPart =>
    derSequence(derOid('1.2.840.113549.1.5.12'), derSequence(...fields));
  const salt = derOctetString(new Uint8Array(8));
  const derivation = kdf(salt, derInteger(1));
  const file = (
    parameters: DerPart | undefined,
    content = new Uint8Array(32),
    scheme = '1.2.840.113549.1.5.13',
  ): Uint8Array =>
    encodeDer(
      derSequence(
        derSequence(derOid(scheme), ...(parameters === undefined ? [] : [parameters])),
        derOctetString(content),
      ),
    );

  it.each<readonly [string, Uint8Array, string]>([
    ['another scheme', file(derNull, undefined, '1.2.840.113549.1.5.10'), 'UNSUPPORTED'],
    ['no parameters', file(undefined), 'UNSUPPORTED'],
    ['another key derivation', file(derSequence(derSequence(derOid('1.2.3')), cipher)), 'UNSUPPORTED'],
    [
      'a key derivation without parameters',
      file(derSequence(derSequence(derOid('1.2.840.113549.1.5.12')), cipher)),
      'UNSUPPORTED',
    ],
    ['a cipher without parameters', file(derSequence(derivation, derSequence(derOid(oids.aes256Cbc)))), 'UNSUPPORTED'],
    [
      'an initialization vector of 15 octets',
      file(derSequence(derivation, derSequence(derOid(oids.aes256Cbc), derOctetString(new Uint8Array(15))))),
      'MALFORMED',
    ],
    [
      'an initialization vector that is a number',
      file(derSequence(derivation, derSequence(derOid(oids.aes256Cbc), derInteger(1)))),
      'UNSUPPORTED',
    ],
    [
      'a key length that is not that of the cipher',
      file(derSequence(kdf(salt, derInteger(1), derInteger(16)), cipher)),
      'MALFORMED',
    ],
    [
      'the key length of the cipher',
      file(derSequence(kdf(salt, derInteger(1), derInteger(32)), cipher)),
      'KEY_UNAVAILABLE',
    ],
    ['no iteration', file(derSequence(kdf(salt, derInteger(0)), cipher)), 'LIMIT'],
    ['ten million iterations and one', file(derSequence(kdf(salt, derInteger(10_000_001)), cipher)), 'LIMIT'],
    ['a ciphertext of no whole blocks', file(derSequence(derivation, cipher), new Uint8Array(31)), 'KEY_UNAVAILABLE'],
    ['an empty ciphertext', file(derSequence(derivation, cipher), new Uint8Array()), 'KEY_UNAVAILABLE'],
    ['a cut file', file(derSequence(derivation, cipher)).slice(0, -1), 'MALFORMED'],
    ['nothing', new Uint8Array(), 'MALFORMED'],
  ])('%s', async (_, der, code) => {
    expect(await codeOf(der)).toBe(code);
  });
});
