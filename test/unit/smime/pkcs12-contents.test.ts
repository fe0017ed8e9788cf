/** What lies under the MAC of a PKCS #12 file: every kind of bag and encryption (RFC 7292 section 4), and faults in them. */
import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { generateIdentity, parsePem, readPkcs12, serializePem } from '../../../src/backends/smime/index.ts';
import { concatBytes, equalBytes } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { limitsWith } from '../../../src/limits.ts';
import { corpus, hasCorpus, hasProgram } from '../../shared-data.ts';
import { openssl } from './openssl.ts';
import {
  bag,
  certificateBag,
  contents,
  encryptedSafe,
  keyBag,
  nestedBags,
  pbes2,
  pfx,
  plainSafe,
  secretBag,
  shroudedKeyBag,
  tripleDes,
} from './pkcs12-writer.ts';

const passphrase = 'correct h\u00f6rse';
let key: Uint8Array;
let certificate: Uint8Array;
let other: Uint8Array;

beforeAll(async () => {
  const made = await generateIdentity({ jid: 'juliet@example.com', algorithm: 'p256' });
  key = parsePem(made.keysPem)[0]!.der;
  certificate = parsePem(made.certificatesPem)[0]!.der;
  const second = await generateIdentity({ jid: 'romeo@example.net', algorithm: 'p256' });
  other = parsePem(second.certificatesPem)[0]!.der;
});

/** What was found, or the code of the refusal. */
async function read(file: Uint8Array, word = passphrase): Promise<{ keys: Uint8Array[]; certificates: Uint8Array[] }> {
  const { keysPem, certificatesPem } = await readPkcs12(file, word);
  const ders = (pem: Uint8Array): Uint8Array[] => parsePem(pem).map((block) => block.der);
  return { keys: ders(keysPem), certificates: ders(certificatesPem) };
}

async function codeOf(file: Uint8Array, word = passphrase): Promise<string> {
  return read(file, word).then(
    () => 'read',
    (error: unknown) => (error instanceof E2eError ? error.code.replace('ERR_E2E_', '') : String(error)),
  );
}

describe('bags', () => {
  it.each([
    ['key and certificate in the clear', () => [plainSafe(keyBag(key), certificateBag(certificate))]],
    ['the certificate first', () => [plainSafe(certificateBag(certificate), keyBag(key))]],
    ['the certificate in another safe', () => [plainSafe(keyBag(key)), plainSafe(certificateBag(certificate))]],
    [
      'PBES2 for both',
      () => [
        encryptedSafe(pbes2(contents(certificateBag(certificate)), passphrase)),
        plainSafe(shroudedKeyBag(pbes2(key, passphrase))),
      ],
    ],
    [
      'Triple DES for both, after many iterations',
      () => [
        encryptedSafe(tripleDes(contents(certificateBag(certificate)), passphrase, 2048)),
        plainSafe(shroudedKeyBag(tripleDes(key, passphrase, 1000))),
      ],
    ],
    [
      'a shrouded key in an encrypted safe',
      () => [
        encryptedSafe(
          pbes2(contents(shroudedKeyBag(tripleDes(key, passphrase)), certificateBag(certificate)), passphrase),
        ),
      ],
    ],
    [
      'bags of other kinds beside: a secret, an SDSI certificate, one that nobody knows',
      () => [
        plainSafe(
          secretBag(),
          certificateBag(certificate, '1.2.840.113549.1.9.22.2'),
          bag('1.2.3.4', derNull),
          keyBag(key),
          certificateBag(certificate),
        ),
      ],
    ],
    [
      'attributes of bags',
      () => [
        plainSafe(
          bag(
            '1.2.840.113549.1.12.10.1.1',
            key,
            derSequence(derOid('1.2.840.113549.1.9.20'), der(0x31, der(0x1e, Uint8Array.of(0, 65)))),
          ),
          certificateBag(certificate),
        ),
      ],
    ],
  ] as const)('%s', async (_, safes) => {
    for (const hash of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
      expect(await read(pfx(safes(), passphrase, { hash, iterations: 3 }))).toEqual({
        keys: [key],
        certificates: [certificate],
      });
    }
  });

  it('keep their order', async () => {
    const found = await read(pfx([plainSafe(certificateBag(other), certificateBag(certificate))], passphrase));
    expect(found).toEqual({ keys: [], certificates: [other, certificate] });
  });

  it('may be none', async () => {
    expect(await read(pfx([], passphrase))).toEqual({ keys: [], certificates: [] });
    expect(await read(pfx([plainSafe()], passphrase))).toEqual({ keys: [], certificates: [] });
  });

  it('are counted', async () => {
    const bags = (count: number): Uint8Array =>
      pfx([plainSafe(...Array.from({ length: count }, () => certificateBag(certificate)))], passphrase);
    expect(await codeOf(bags(32))).toBe('read');
    expect(await codeOf(bags(33))).toBe('LIMIT');
    const limits = limitsWith({ certificates: 2 });
    await expect(readPkcs12(bags(2), passphrase, { limits })).resolves.toBeDefined();
    await expect(readPkcs12(bags(3), passphrase, { limits })).rejects.toMatchObject({ code: 'ERR_E2E_LIMIT' });
  });
});

describe('faults under a MAC that fits', () => {
  const shrouded = (algorithm: DerPart): Uint8Array =>
    pfx([plainSafe(shroudedKeyBag({ algorithm, octets: new Uint8Array(16) }))], passphrase);
  const sha1TripleDes = derOid('1.2.840.113549.1.12.1.3');
  const iterations = (count: Uint8Array): Uint8Array =>
    shrouded(derSequence(sha1TripleDes, derSequence(derOctetString(new Uint8Array(8)), der(2, count))));

  it.each<readonly [string, () => Uint8Array, string]>([
    ['an AuthenticatedSafe that is no SEQUENCE', () => pfx(encodeDer(derOctetString(key)), passphrase), 'MALFORMED'],
    ['no AuthenticatedSafe', () => pfx(new Uint8Array(), passphrase), 'MALFORMED'],
    ['octets behind it', () => pfx(Uint8Array.of(0x30, 0, 0), passphrase), 'MALFORMED'],
    [
      'a safe under a public key',
      () => pfx([derSequence(derOid(oids.envelopedData), derContext(0, derSequence()))], passphrase),
      'UNSUPPORTED',
    ],
    ['nested bags', () => pfx([plainSafe(nestedBags(keyBag(key)))], passphrase), 'UNSUPPORTED'],
    ['a key that is no key', () => pfx([plainSafe(keyBag(encodeDer(derSequence())))], passphrase), 'MALFORMED'],
    ['a certificate that is none', () => pfx([plainSafe(certificateBag(key))], passphrase), 'MALFORMED'],
    ['RC2 with 40 bits', () => shrouded(derSequence(derOid('1.2.840.113549.1.12.1.6'), derNull)), 'UNSUPPORTED'],
    [
      'Triple DES with two keys',
      () => shrouded(derSequence(derOid('1.2.840.113549.1.12.1.4'), derNull)),
      'UNSUPPORTED',
    ],
    ['Triple DES without parameters', () => shrouded(derSequence(sha1TripleDes)), 'UNSUPPORTED'],
    ['no iterations', () => iterations(Uint8Array.of(0)), 'LIMIT'],
    ['a million iterations and one', () => iterations(Uint8Array.of(0x0f, 0x42, 0x41)), 'LIMIT'],
    ['iterations that no integer holds', () => iterations(new Uint8Array(9).fill(1)), 'MALFORMED'],
    ['a negative number of iterations', () => iterations(Uint8Array.of(0xff)), 'MALFORMED'],
    [
      'a key under another passphrase, Triple DES',
      () => pfx([plainSafe(shroudedKeyBag(tripleDes(key, 'another one')))], passphrase),
      'MALFORMED',
    ],
    [
      'a key under another passphrase, PBES2',
      () => pfx([plainSafe(shroudedKeyBag(pbes2(key, 'another one')))], passphrase),
      'KEY_UNAVAILABLE',
    ],
    [
      'an encrypted safe without content',
      () =>
        pfx(
          [
            derSequence(
              derOid(oids.encryptedData),
              derContext(0, derSequence(derInteger(0), derSequence(derOid(oids.data), derSequence(sha1TripleDes)))),
            ),
          ],
          passphrase,
        ),
      'MALFORMED',
    ],
  ])('%s', async (_, file, code) => {
    expect(await codeOf(file())).toBe(code);
  });

  it('a MAC without octets to derive from, and one of another length', async () => {
    const file = (salt: Uint8Array, mac: Uint8Array): Uint8Array =>
      encodeDer(
        derSequence(
          derInteger(3),
          derSequence(derOid(oids.data), derContext(0, derOctetString(encodeDer(derSequence())))),
          derSequence(derSequence(derSequence(derOid(oids.sha256)), derOctetString(mac)), derOctetString(salt)),
        ),
      );
    for (const salt of [0, 1, 64, 65]) {
      for (const mac of [0, 31, 32, 33]) {
        expect(await codeOf(file(new Uint8Array(salt), new Uint8Array(mac)))).toBe('KEY_UNAVAILABLE');
      }
    }
  });
});

describe.skipIf(!hasCorpus('xmppaddr-certs'))('files of another XMPP library', () => {
  it.each([
    ['password', 'abc123'],
    ['empty-password', ''],
    ['no-password', ''],
  ])('%s', async (name, word) => {
    const file = corpus(`xmppaddr-certs/strophe.${name}.p12`);
    const [expected] = parsePem(corpus('xmppaddr-certs/strophe.cert.pem'));
    const found = await read(file, word);
    expect(found.keys).toHaveLength(1);
    expect(found.certificates).toContainEqual(expected!.der);
    expect(await codeOf(file, 'wrong')).toBe('KEY_UNAVAILABLE');
  });
});

describe.skipIf(!hasProgram('openssl', 'version'))('files that openssl writes', () => {
  const program = openssl();
  const both = (): string =>
    program.file(
      'both.pem',
      concatBytes(
        serializePem('PRIVATE KEY', key),
        serializePem('CERTIFICATE', certificate),
        serializePem('CERTIFICATE', other),
      ),
    );
  const export12 = (...options: readonly string[]): Uint8Array | undefined => {
    const made = program.attempt(['pkcs12', '-export', '-in', both(), '-passout', `pass:${passphrase}`, ...options]);
    return made.ok ? made.stdout : undefined;
  };

  const des = 'PBE-SHA1-3DES';
  it.each([
    ['AES-128, AES-256', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-256-CBC']],
    ['AES-192 twice', ['-keypbe', 'AES-192-CBC', '-certpbe', 'AES-192-CBC']],
    ['Triple DES for the key, AES for the certificates', ['-keypbe', des, '-certpbe', 'AES-256-CBC']],
    ['one iteration', ['-noiter', '-nomaciter']],
    ['MAC of SHA-1', ['-macalg', 'sha1']],
    ['MAC of SHA-384', ['-macalg', 'sha384']],
    ['a friendly name and a CSP', ['-name', 'Juliet', '-CSP', 'x', '-caname', 'Romeo']],
    ['a long salt', ['-macsaltlen', '64']],
  ])('%s', async (_, options) => {
    // Older ones do not have every option.
    const file = export12(...options) ?? (options[0] === '-macsaltlen' ? export12() : undefined);
    expect(file).toBeDefined();
    const found = await read(file!);
    expect(found.keys.map((one) => equalBytes(one, key))).toEqual([true]);
    expect(found.certificates).toEqual([certificate, other]);
    expect(await codeOf(file!, 'wrong')).toBe('KEY_UNAVAILABLE');
    // The MAC is the last OCTET STRING but the salt: any octet of what it covers spoils it.
    const damaged = file!.slice();
    damaged[60]! ^= 1;
    expect(await codeOf(damaged)).toMatch(/^(KEY_UNAVAILABLE|MALFORMED|UNSUPPORTED)$/);
  });

  it.each([
    ['RC2 with 40 bits for the certificates', ['-legacy', '-certpbe', 'PBE-SHA1-RC2-40']],
    ['RC2 with 128 bits for the key', ['-legacy', '-keypbe', 'PBE-SHA1-RC2-128']],
    ['RC4 for the key', ['-legacy', '-keypbe', 'PBE-SHA1-RC4-128']],
    ['two-key Triple DES', ['-legacy', '-keypbe', 'PBE-SHA1-2DES']],
    ['no MAC', ['-nomac']],
    ['Camellia', ['-keypbe', 'CAMELLIA-256-CBC']],
    ['another KDF', ['-keypbe', 'ARIA-256-CBC']],
  ])('%s: UNSUPPORTED, before anything is handed out', async (_, options) => {
    const file = export12(...options);
    // A build without the legacy provider cannot write them.
    if (file === undefined) expect(options[0]).toMatch(/-legacy|-keypbe/);
    else expect(await codeOf(file)).toBe('UNSUPPORTED');
  });

  it('reads back what was written here', () => {
    const file = pfx(
      [
        encryptedSafe(pbes2(contents(certificateBag(certificate)), 'word', 2048)),
        plainSafe(shroudedKeyBag(tripleDes(key, 'word', 2048))),
      ],
      'word',
      { iterations: 2048 },
    );
    const run = spawnSync('openssl', [
      'pkcs12',
      '-in',
      program.file('ours.p12', file),
      '-passin',
      'pass:word',
      '-noenc',
    ]);
    expect(run.stdout.toString()).toContain('BEGIN PRIVATE KEY');
    expect(run.stdout.toString()).toContain('BEGIN CERTIFICATE');
  });
});
