/** PKCS #12 files of RFC 9216 and of openssl, and what is wrong with others. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { derContext, derInteger, derOctetString, derOid, derSequence, encodeDer } from '../../../src/asn1/writer.ts';
import { generateIdentity, parsePem, readPkcs12 } from '../../../src/backends/smime/index.ts';
import { E2eError } from '../../../src/errors.ts';
import { limitsWith } from '../../../src/limits.ts';
import { corpus, hasCorpus, hasProgram } from '../../shared-data.ts';

const scratch = mkdtempSync(join(tmpdir(), 'xmpp-e2e-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
const certificatesIn = (file: Uint8Array): string[] =>
  parsePem(file).map(({ der }) => new X509Certificate(der).fingerprint256);
const publicKeysIn = (file: Uint8Array): string[] =>
  parsePem(file).map(({ der }) =>
    createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
      .export({ type: 'pkcs8', format: 'der' })
      .toString('hex'),
  );

async function codeOf(file: Uint8Array, passphrase: string): Promise<string> {
  return readPkcs12(file, passphrase).then(
    () => 'read',
    (error: unknown) => (error instanceof E2eError ? error.code : String(error)),
  );
}

describe.skipIf(!hasCorpus('rfc-personas'))('the files of RFC 9216', () => {
  it.each(['alice', 'bob', 'carlos', 'dana'])('%s', async (name) => {
    const found = await readPkcs12(corpus(`rfc-personas/${name}.p12`), name);
    const of = (kind: string): Buffer =>
      Buffer.concat(['sign', 'encrypt'].map((use) => corpus(`rfc-personas/${name}-${use}.${kind}.pem`)));
    expect(publicKeysIn(found.keysPem).sort()).toEqual(publicKeysIn(of('key')).sort());
    expect(certificatesIn(found.certificatesPem)).toEqual(expect.arrayContaining(certificatesIn(of('cert'))));
    expect(certificatesIn(found.certificatesPem)).toHaveLength(3);
  });

  it('needs the right passphrase, and reads nothing before', async () => {
    const file = corpus('rfc-personas/alice.p12');
    for (const wrong of ['', 'Alice', 'alice ', 'bob']) {
      expect(await codeOf(file, wrong), wrong).toBe('ERR_E2E_KEY_UNAVAILABLE');
    }
  });

  it('ends every damage in one E2eError, mostly by the MAC', async () => {
    const file = corpus('rfc-personas/dana.p12');
    const seen = new Map<string, number>();
    for (let i = 0; i < file.length; i += 23) {
      const damaged = Uint8Array.from(file);
      damaged[i]! ^= 0x10;
      const code = await codeOf(damaged, 'dana');
      expect(code, `octet ${i}`).toMatch(/^ERR_E2E_(MALFORMED|LIMIT|UNSUPPORTED|KEY_UNAVAILABLE)$/);
      seen.set(code, (seen.get(code) ?? 0) + 1);
    }
    expect(seen.get('ERR_E2E_KEY_UNAVAILABLE')).toBeGreaterThan(80);
    for (const length of [0, 1, 4, 100, file.length - 1]) {
      expect(await codeOf(file.subarray(0, length), 'dana'), `${length} octets`).toBe('ERR_E2E_MALFORMED');
    }
  });

  it('is bounded in size before it is parsed', async () => {
    const limits = limitsWith({ certificateBytes: 100, certificates: 4 });
    await expect(readPkcs12(corpus('rfc-personas/dana.p12'), 'dana', { limits })).rejects.toMatchObject({
      code: 'ERR_E2E_LIMIT',
    });
  });
});

describe('files that are built by hand', () => {
  const pfx = (version: number, contentType: string, macHash?: string): Uint8Array => {
    const content = derSequence(derOid(contentType), derContext(0, derOctetString(encodeDer(derSequence()))));
    if (macHash === undefined) return encodeDer(derSequence(derInteger(version), content));
    const digest = derSequence(derSequence(derOid(macHash)), derOctetString(new Uint8Array(32)));
    const mac = derSequence(digest, derOctetString(new Uint8Array(8)));
    return encodeDer(derSequence(derInteger(version), content, mac));
  };
  const data = '1.2.840.113549.1.7.1';
  const sha256 = '2.16.840.1.101.3.4.2.1';

  it.each([
    ['another version', pfx(4, data, sha256), 'MALFORMED'],
    ['integrity by a signature (RFC 7292 section 3.1)', pfx(3, '1.2.840.113549.1.7.2', sha256), 'UNSUPPORTED'],
    ['no integrity at all', pfx(3, data), 'UNSUPPORTED'],
    ['MD5', pfx(3, data, '1.2.840.113549.2.5'), 'UNSUPPORTED'],
    ['PBMAC1 (RFC 9579)', pfx(3, data, '1.2.840.113549.1.5.14'), 'UNSUPPORTED'],
    ['a MAC of nothing, with the one iteration of the DEFAULT', pfx(3, data, sha256), 'KEY_UNAVAILABLE'],
  ])('%s', async (_name, file, code) => {
    expect(await codeOf(file, 'passphrase')).toBe(`ERR_E2E_${code}`);
  });
});

describe.skipIf(!hasProgram('openssl', 'version'))('files of openssl', () => {
  const passphrase = 'correct h\u00f6rse';

  async function exported(...options: readonly string[]): Promise<{ file: Buffer; keys: Uint8Array }> {
    const made = await generateIdentity({ jid: 'juliet@example.com', algorithm: 'p256' });
    const input = join(scratch, 'both.pem');
    writeFileSync(input, text(made.keysPem) + text(made.certificatesPem));
    const run = spawnSync('openssl', ['pkcs12', '-export', '-in', input, '-passout', `pass:${passphrase}`, ...options]);
    expect(run.status, run.stderr.toString()).toBe(0);
    return { file: run.stdout, keys: made.keysPem };
  }

  const tripleDes = 'PBE-SHA1-3DES';
  it.each([
    ['of today: PBES2', []],
    ['with SHA-512', ['-macalg', 'sha512', '-keypbe', 'AES-128-CBC', '-certpbe', 'AES-256-CBC']],
    ['of former times', ['-macalg', 'sha1', '-keypbe', tripleDes, '-certpbe', tripleDes]],
    ['with certificates in the clear', ['-certpbe', 'NONE']],
    ['with keys in the clear', ['-keypbe', 'NONE']],
  ])('%s', async (_name, options) => {
    const { file, keys } = await exported(...options);
    const found = await readPkcs12(file, passphrase);
    expect(publicKeysIn(found.keysPem)).toEqual(publicKeysIn(keys));
    expect(certificatesIn(found.certificatesPem)).toHaveLength(1);
    expect(await codeOf(file, 'wrong')).toBe('ERR_E2E_KEY_UNAVAILABLE');
  });

  it('refuses a file without MAC, one with too many iterations, and RC2', async () => {
    expect(await codeOf((await exported('-nomac')).file, passphrase)).toBe('ERR_E2E_UNSUPPORTED');
    const slow = Buffer.from((await exported('-iter', '2048')).file);
    // The iterations of the MAC are the last INTEGER: 02 02 08 00.
    expect(slow.subarray(-4).toString('hex')).toBe('02020800');
    const endless = Buffer.concat([slow.subarray(0, -4), Buffer.from('02047fffffff', 'hex')]);
    // PFX and MacData grow by two octets.
    endless.writeUInt16BE(endless.readUInt16BE(2) + 2, 2);
    const macData = endless.lastIndexOf(Buffer.from('3031300d0609', 'hex')) - 2;
    expect(endless[macData]).toBe(0x30);
    endless[macData + 1]! += 2;
    expect(await codeOf(endless, passphrase)).toBe('ERR_E2E_LIMIT');
    const legacy = await exported('-legacy').catch(() => undefined);
    if (legacy !== undefined) expect(await codeOf(legacy.file, passphrase)).toBe('ERR_E2E_UNSUPPORTED');
  });
});
