/** Certificates that arrive (RFC 3156 section 7), and what is said of one. */
import { beforeAll, describe, expect, it } from 'vitest';
import { describeCertificate, generateIdentity, openpgp } from '../../../src/backends/openpgp/index.ts';
import { readOneArmor, writeArmor } from '../../../src/backends/openpgp/armor.ts';
import { concatBytes, utf8 } from '../../../src/bytes.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import { bareEntity, type Entity } from '../../../src/mime/entity.ts';
import { Jid } from '../../../src/jid/jid.ts';
import {
  content,
  entity as entityOf,
  juliet as julietJid,
  at as noon,
  type Person,
  person,
  romeo as romeoJid,
  storeOf,
  text,
} from './scene.ts';

let juliet: Person;
let romeo: Person;
let binary: Uint8Array;

beforeAll(async () => {
  juliet = await person(julietJid);
  romeo = await person(romeoJid, 'rsa2048', { expiresAfterSeconds: 86_400 });
  binary = readOneArmor(juliet.certificate, 'PUBLIC KEY BLOCK', 'parse');
});

function keys(body: string): Entity {
  return entityOf(utf8(`Content-Type: application/pgp-keys\r\n\r\n${body}`));
}

describe('importCertificates', () => {
  const backend = () => openpgp({ store: storeOf(juliet, []) });
  const read = (entity: Entity, limits = defaultLimits) => backend().importCertificates(entity, limits);

  it('reads application/pgp-keys, armor and octets', async () => {
    for (const entity of [keys(text(juliet.certificate)), bareEntity(juliet.certificate), bareEntity(binary)]) {
      expect(backend().recognize(entity)).toBe('certificates');
      const [candidate, ...more] = await read(entity);
      expect(more).toEqual([]);
      expect(candidate!.summary).toMatchObject({ fingerprint: juliet.fingerprint, jids: ['juliet@example.com'] });
      expect(candidate!.data).toEqual(binary);
    }
  });

  it('reads several, and a transfer encoding', async () => {
    const both = text(juliet.certificate) + text(romeo.certificate);
    const encoded = utf8(
      `Content-Type: application/pgp-keys\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(both).toString('base64')}`,
    );
    for (const entity of [keys(both), entityOf(encoded)]) {
      const found = (await read(entity)).map(({ summary }) => summary.fingerprint);
      expect(found).toEqual([juliet.fingerprint, romeo.fingerprint]);
    }
  });

  it('gives none for other entities', async () => {
    expect(await read(entityOf(content))).toEqual([]);
    expect(await read(bareEntity(utf8('hello')))).toEqual([]);
  });

  it.each([
    ['a secret key', () => text(juliet.secret), 'ERR_E2E_MALFORMED'],
    ['no armor', () => 'hello', 'ERR_E2E_MALFORMED'],
    ['a message', () => text(juliet.certificate).replaceAll('PUBLIC KEY BLOCK', 'MESSAGE'), 'ERR_E2E_MALFORMED'],
    ['text between', () => `${text(juliet.certificate)}hello\r\n${text(romeo.certificate)}`, 'ERR_E2E_MALFORMED'],
    // At the end: what follows a cut at the start is random octets of the key, which are packets now and then.
    ['a cut key', () => text(writeArmor('PUBLIC KEY BLOCK', binary.subarray(0, -48), false)), 'ERR_E2E_MALFORMED'],
  ])('refuses %s', async (_, body, code) => {
    await expect(read(keys(body()))).rejects.toMatchObject({ name: 'E2eError', code, stage: 'parse' });
  });

  it('keeps the limits', async () => {
    const { certificate } = juliet;
    const exact = limitsWith({ certificateBytes: binary.length, certificates: 1 });
    expect(await read(bareEntity(certificate), exact)).toHaveLength(1);
    const limit = { code: 'ERR_E2E_LIMIT' };
    const smaller = limitsWith({ certificateBytes: binary.length - 1 });
    await expect(read(bareEntity(certificate), smaller)).rejects.toMatchObject(limit);
    const two = bareEntity(concatBytes(certificate, romeo.certificate));
    await expect(read(two, limitsWith({ certificates: 1 }))).rejects.toMatchObject(limit);
    const huge = keys(text(certificate) + ' '.repeat(40_000));
    await expect(read(huge, limitsWith({ certificates: 1 }))).rejects.toMatchObject(limit);
  });
});

describe('describeCertificate', () => {
  it('says what a certificate is', async () => {
    expect(await describeCertificate(romeo.certificate, { at: noon })).toEqual({
      fingerprint: romeo.fingerprint,
      subject: 'xmpp:romeo@example.net',
      issuer: undefined,
      jids: ['romeo@example.net'],
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2026-01-02T00:00:00Z'),
      algorithm: 'rsa2048',
    });
    expect(await describeCertificate(binary, { at: noon })).toMatchObject({
      notAfter: undefined,
      algorithm: 'ed25519',
    });
  });

  it('takes exactly one certificate', async () => {
    for (const data of [
      juliet.secret,
      concatBytes(juliet.certificate, romeo.certificate),
      utf8('x'),
      new Uint8Array(),
    ]) {
      await expect(describeCertificate(data)).rejects.toMatchObject({ code: 'ERR_E2E_MALFORMED' });
    }
  });
});

describe('generateIdentity', () => {
  it.each([
    ['ed25519', false, 'ed25519'],
    ['ed25519', true, 'ed25519'],
    ['p256', false, 'p256'],
    ['p384', false, 'p384'],
    ['p256', true, 'p256'],
  ] as const)('%s, version 6: %s', async (algorithm, v6, name) => {
    const made = await generateIdentity({ jid: julietJid, algorithm, v6, at: noon });
    const summary = await describeCertificate(utf8(made.certificateArmored), { at: noon });
    expect(summary).toMatchObject({ algorithm: name, fingerprint: made.fingerprint, jids: ['juliet@example.com'] });
    expect(summary.fingerprint).toHaveLength(v6 ? 64 : 40);
    expect(summary.notBefore).toEqual(noon);
    expect(made.secretKeyArmored).toMatch(/^-----BEGIN PGP PRIVATE KEY BLOCK-----\r\n\r\n/);
  });

  it('writes an internationalized JID', async () => {
    const jid = Jid.parse('jürgen@example.com');
    const made = await generateIdentity({ jid, at: noon });
    const summary = await describeCertificate(utf8(made.certificateArmored), { at: noon });
    expect(summary.jids).toEqual([jid.toString()]);
  });

  it.each([
    ['an unknown option', { jid: julietJid, size: 1 }, TypeError],
    ['an unknown algorithm', { jid: julietJid, algorithm: 'dsa' }, TypeError],
    ['a full JID', { jid: Jid.parse('juliet@example.com/balcony') }, TypeError],
    ['no lifetime', { jid: julietJid, expiresAfterSeconds: 0 }, RangeError],
    ['half a second', { jid: julietJid, expiresAfterSeconds: 0.5 }, RangeError],
  ])('refuses %s', async (_, options, type) => {
    await expect(generateIdentity(options as Parameters<typeof generateIdentity>[0])).rejects.toThrow(type);
  });
});

describe('openpgp', () => {
  it('refuses unknown options and a store that is none', () => {
    const store = storeOf(juliet, []);
    expect(() => openpgp({ store, extra: 1 } as unknown as Parameters<typeof openpgp>[0])).toThrow(TypeError);
    expect(() => openpgp({ store: {} } as unknown as Parameters<typeof openpgp>[0])).toThrow(TypeError);
    expect(openpgp({ store }).name).toBe('openpgp');
  });
});
