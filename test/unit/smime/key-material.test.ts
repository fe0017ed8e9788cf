import { describe, expect, it, vi } from 'vitest';
import type { ExternalPrivateKey, StoredIdentity } from '../../../src/backends/backend.ts';
import { decryptPrivateKey, encryptPrivateKey } from '../../../src/backends/smime/encrypted-private-key.ts';
import { canEncryptTo, canSign, loadIdentity } from '../../../src/backends/smime/key-material.ts';
import { generateIdentity, type IdentityAlgorithm } from '../../../src/backends/smime/keygen.ts';
import { concatBytes, utf8 } from '../../../src/bytes.ts';
import { parsePem, serializePem } from '../../../src/x509/pem.ts';
import { corpus, hasCorpus, hasProgram } from '../../shared-data.ts';
import { crypto, defaultLimits } from '../x509/support.ts';
import { openssl } from './openssl.ts';

const none = new Uint8Array();
const at = new Date('2026-05-01T12:00:00Z');
const load = (stored: StoredIdentity) => loadIdentity(stored, defaultLimits, crypto);
const labels = async (stored: StoredIdentity) =>
  (await load(stored)).keys.map(({ certificate }) => certificate.publicKey.algorithm);

describe('pairing keys with certificates', () => {
  it.each<IdentityAlgorithm>(['ed25519', 'p256', 'p384', 'rsa2048'])('%s', async (algorithm) => {
    const { keysPem: keys, certificatesPem: certificates } = await generateIdentity({
      jid: 'a@b.example',
      algorithm,
      at,
    });
    const expected = algorithm === 'ed25519' ? ['ed25519', 'x25519'] : [algorithm.startsWith('rsa') ? 'rsa' : 'ec'];
    expect(await labels({ keys, certificates })).toEqual(expected);
    // Keys and certificates in one file, in any order.
    expect(await labels({ keys: concatBytes(certificates, keys), certificates: none })).toEqual(expected);
    const reversed = parsePem(keys)
      .map(({ label, der }) => serializePem(label, der))
      .reverse();
    expect(await labels({ keys: concatBytes(...reversed), certificates })).toEqual(expected);
    // A key of somebody else pairs with nothing.
    const other = await generateIdentity({ jid: 'a@b.example', algorithm, at });
    expect(await labels({ keys: other.keysPem, certificates })).toEqual([]);
  });

  it.skipIf(!hasCorpus('rfc-personas/'))('the personas of RFC 9216', async () => {
    const read = (name: string) => new Uint8Array(corpus(`rfc-personas/${name}.pem`));
    for (const who of ['alice', 'bob', 'carlos', 'dana']) {
      const keys = concatBytes(read(`${who}-encrypt.key`), read(`${who}-sign.key`));
      const certificates = concatBytes(read(`${who}-sign.cert`), read(`${who}-encrypt.cert`));
      const identity = await load({ keys, certificates });
      expect(identity.keys).toHaveLength(2);
      const [signing, encryption] = identity.keys.map(({ certificate }) => certificate);
      expect([canSign(signing!), canEncryptTo(signing!)]).toEqual([true, false]);
      expect([canSign(encryption!), canEncryptTo(encryption!)]).toEqual([false, true]);
    }
  });

  it('external keys belong to every end-entity certificate of the identity', async () => {
    const { certificatesPem: certificates } = await generateIdentity({ jid: 'a@b.example', algorithm: 'p256', at });
    const keys: ExternalPrivateKey = { sign: () => Promise.resolve(none) };
    expect((await load({ keys, certificates })).keys[0]!.key).toBe(keys);
  });

  it('reads a file once for as long as its arrays stay the same', async () => {
    const { keysPem: keys, certificatesPem: certificates } = await generateIdentity({ jid: 'a@b.example', at });
    const first = await load({ keys, certificates });
    expect(await load({ keys, certificates })).toBe(first);
    expect(await load({ keys, certificates: certificates.slice() })).not.toBe(first);
  });

  it('a file that cannot be read is KEY_UNAVAILABLE', async () => {
    await expect(
      load({ keys: utf8('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'), certificates: none }),
    ).rejects.toMatchObject({ code: 'ERR_E2E_KEY_UNAVAILABLE' });
    await expect(load({ keys: utf8('nonsense'), certificates: none })).rejects.toMatchObject({
      code: 'ERR_E2E_KEY_UNAVAILABLE',
    });
  });
});

describe.skipIf(!hasProgram('openssl', 'version'))('private keys as openssl writes them', () => {
  const tool = openssl();
  const pkcs8 = (pem: Uint8Array) => parsePem(pem)[0]!.der;
  const selfSigned = (key: Uint8Array) =>
    tool.run(['req', '-x509', '-new', '-key', tool.file('key.pem', key), '-subj', '/CN=a', '-days', '30']);

  it.each([
    ['genrsa', ['genrsa', '-traditional', '2048'], 'rsa'],
    ['ecparam', ['ecparam', '-name', 'prime256v1', '-genkey'], 'ec'],
    ['genpkey', ['genpkey', '-algorithm', 'ed25519'], 'ed25519'],
  ])('%s', async (_what, args, algorithm) => {
    const keys = tool.run(args);
    const certificate = selfSigned(keys);
    expect(await labels({ keys, certificates: certificate })).toEqual([algorithm]);
  });

  const plain = tool.run(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
  const protect = (...options: readonly string[]) =>
    tool.run(['pkcs8', '-topk8', '-passout', 'pass:pÄss word', ...options], plain);

  it.each([
    [[]],
    [['-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA1']],
    [['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512', '-iter', '10000']],
    [['-v2', 'aes-192-cbc', '-v2prf', 'hmacWithSHA384']],
  ])('PBES2 %j', async (options) => {
    const der = pkcs8(protect(...options));
    expect(await decryptPrivateKey(der, 'pÄss word', defaultLimits, crypto)).toEqual(pkcs8(plain));
    await expect(decryptPrivateKey(der, 'pass word', defaultLimits, crypto)).rejects.toMatchObject({
      code: 'ERR_E2E_KEY_UNAVAILABLE',
    });
  });

  it('other schemes are UNSUPPORTED', async () => {
    for (const options of [['-v1', 'PBE-SHA1-3DES'], ['-v2', 'des3'], ['-scrypt']]) {
      await expect(decryptPrivateKey(pkcs8(protect(...options)), 'x', defaultLimits, crypto)).rejects.toMatchObject({
        code: 'ERR_E2E_UNSUPPORTED',
      });
    }
  });

  it('openssl reads what we encrypt', async () => {
    const der = await encryptPrivateKey(pkcs8(plain), 'pÄss word', crypto, 5000);
    const read = tool.run(['pkey', '-passin', 'pass:pÄss word'], serializePem('ENCRYPTED PRIVATE KEY', der));
    expect(pkcs8(read)).toEqual(pkcs8(plain));
    await expect(encryptPrivateKey(pkcs8(plain), '', crypto)).rejects.toThrow(RangeError);
  });

  it('asks for a passphrase once, and again after a wrong one', async () => {
    const certificates = selfSigned(plain);
    const keys = protect();
    const passphrase = vi.fn(() => Promise.resolve('wrong'));
    await expect(load({ keys, certificates, passphrase })).rejects.toMatchObject({ code: 'ERR_E2E_KEY_UNAVAILABLE' });
    passphrase.mockResolvedValue('pÄss word');
    expect((await load({ keys, certificates, passphrase })).keys).toHaveLength(1);
    expect((await load({ keys, certificates, passphrase })).keys).toHaveLength(1);
    expect(passphrase).toHaveBeenCalledTimes(2);
    await expect(load({ keys: keys.slice(), certificates })).rejects.toMatchObject({ code: 'ERR_E2E_KEY_UNAVAILABLE' });
  });

  it('a derivation of more iterations than anybody waits for is LIMIT', async () => {
    const der = pkcs8(protect('-iter', '65537')).slice();
    // INTEGER 010001 becomes 7f0001, over eight million; INTEGER of four octets goes beyond the limit.
    const found = Buffer.from(der).indexOf(Buffer.from([2, 3, 1, 0, 1]));
    expect(found).toBeGreaterThan(0);
    const longer = Uint8Array.from([...der.subarray(0, found), 2, 4, 0x7f, 0, 0, 1, ...der.subarray(found + 5)]);
    // The lengths of the five elements around it grow by one.
    for (const at of lengthOctetsAround(longer, found)) longer[at]!++;
    await expect(decryptPrivateKey(longer, 'x', defaultLimits, crypto)).rejects.toMatchObject({
      code: 'ERR_E2E_LIMIT',
    });
  });
});

/** Where the last length octet of each constructed element around a position stands. */
function lengthOctetsAround(der: Uint8Array, position: number): number[] {
  const found: number[] = [];
  let at = 0;
  while (at < position) {
    const long = der[at + 1]! > 0x80 ? der[at + 1]! & 0x7f : 0;
    let length = long === 0 ? der[at + 1]! : 0;
    for (let i = 0; i < long; i++) length = length * 256 + der[at + 2 + i]!;
    const content = at + 2 + long;
    if (content + length >= position && (der[at]! & 0x20) !== 0) {
      found.push(content - 1);
      at = content;
    } else at = content + length;
  }
  return found;
}
