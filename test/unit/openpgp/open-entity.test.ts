/** Opening PGP/MIME without stanzas and JIDs: mail, files, whatever somebody else wrote. */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openEntity, type OpenEntityOptions } from '../../../src/backends/openpgp/index.ts';
import { concatBytes, utf8 } from '../../../src/bytes.ts';
import { limitsWith } from '../../../src/limits.ts';
import { armored, encryptPackets, inlineSigned, literal, makeSignature } from './forge.ts';
import {
  at,
  backendOf,
  born,
  content,
  copyOf,
  entity,
  juliet,
  mallory,
  nothing,
  open,
  person,
  personOf,
  refusal,
  romeo,
  seal,
} from './scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const m = await person(mallory);
const sender = backendOf(j, [r]);
const options: OpenEntityOptions = {
  at,
  certificates: [j.certificate],
  keys: [{ keys: r.secret, certificates: nothing }],
};
const later = new Date(at.getTime() + 1000);

/** Mail as a mail program writes it: more header fields, a preamble, an epilogue. */
function mail(sealed: Uint8Array, { notice = '' } = {}): Uint8Array {
  const text = Buffer.from(sealed).toString('latin1');
  const [head, ...rest] = text.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const fields = 'From: Juliet <juliet@example.com>\r\nSubject: =?utf-8?q?balcony?=\r\nMIME-Version: 1.0\r\n';
  return Buffer.from(`${fields}${head!}\r\n\r\n${notice}${body}${notice}`, 'latin1');
}

describe('mail', () => {
  it.each(['sign', 'encrypt', 'sign+encrypt'] as const)('%s', async (protection) => {
    const sealed = await seal(sender, protection);
    const policy = { unsigned: protection === 'encrypt' ? 'accept' : 'refuse' } as const;
    for (const wire of [mail(sealed), entity(sealed)]) {
      const opened = await openEntity(wire, { ...options, policy });
      expect(Uint8Array.from(opened.content)).toEqual(content);
      expect(opened.encryption === undefined).toBe(protection === 'sign');
      expect(opened.signatures.map(({ outcome, fingerprint }) => [outcome, fingerprint])).toEqual(
        protection === 'encrypt' ? [] : [['good', j.key.getFingerprint()]],
      );
      expect(opened.userIds).toEqual(protection === 'encrypt' ? [] : ['xmpp:juliet@example.com']);
    }
  });

  it('with LF line ends, as it lies in a file', async () => {
    const file = Buffer.from(
      mail(await seal(sender, 'sign'))
        .toString()
        .replaceAll('\r\n', '\n'),
    );
    expect((await openEntity(file, options)).content).toEqual(content);
  });

  it('with text around the parts only where that is asked for', async () => {
    const noticed = mail(await seal(sender, 'sign+encrypt'), { notice: 'This is an encrypted message.\r\n' });
    await expect(openEntity(noticed, options)).rejects.toMatchObject({ name: 'E2eError' });
    const opened = await openEntity(noticed, { ...options, policy: { surround: 'skip' } });
    expect(Buffer.from(opened.content).includes('encrypted message')).toBe(false);
    expect(opened.content).toEqual(content);
  });

  it('nested and combined: every signature must be good', async () => {
    const inner = await seal(sender, 'sign');
    const nested = await openEntity(await seal(sender, 'encrypt', { content: inner }), options);
    expect(nested.content).toEqual(content);
    expect(nested.signatures).toHaveLength(1);
    const twice = await openEntity(await seal(sender, 'sign+encrypt', { content: inner }), options);
    expect(twice.signatures).toHaveLength(2);
    const foreign = await seal(backendOf(m, [r]), 'sign', { signer: mallory });
    await refusal(
      openEntity(await seal(sender, 'sign+encrypt', { content: foreign }), options),
      'ERR_E2E_SIGNER_UNKNOWN',
    );
  });

  it('an encrypted file that is no entity', async () => {
    const file = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 255);
    const message = await encryptPackets(await inlineSigned(file, j.key.keyPacket), [r.key]);
    expect((await openEntity(message, options)).content).toEqual(file);
    expect((await openEntity(utf8(armored('message', message)), options)).content).toEqual(file);
  });
});

describe('who signed', () => {
  it('is decided by certified User IDs', async () => {
    const key = await copyOf(j);
    const sealed = await seal(sender, 'sign');
    const seen: (readonly string[])[] = [];
    const identity = (userIds: readonly string[]): boolean => seen.push(userIds) > 0;
    await openEntity(sealed, { ...options, identity });
    expect(seen).toEqual([['xmpp:juliet@example.com']]);
    await refusal(openEntity(sealed, { ...options, identity: () => false }), 'ERR_E2E_SENDER_MISMATCH', 'check');
    // A name that Mallory wrote into the certificate without the key is not shown.
    const thing = { key: key.keyPacket, userID: m.key.users[0]!.userID };
    const added = (await copyOf(m)).users[0]!;
    added.selfCertifications = [await makeSignature(m.key.keyPacket, thing, { type: 0x13, at: born, flags: 3 })];
    key.users.push(added);
    const { userIds } = await openEntity(sealed, { ...options, certificates: [personOf(juliet, key).certificate] });
    expect(userIds).toEqual(['xmpp:juliet@example.com']);
  });

  it.each([
    ['nobody I know', 'ERR_E2E_SIGNER_UNKNOWN'],
    ['nobody', 'ERR_E2E_UNSIGNED'],
    ['somebody else over other octets', 'ERR_E2E_SIGNATURE_INVALID'],
    ['an old hash', 'ERR_E2E_WEAK_ALGORITHM'],
    ['a revoked key', 'ERR_E2E_SIGNER_UNTRUSTED'],
    ['tomorrow', 'ERR_E2E_TIMESTAMP'],
  ])('%s: %s', async (who, code) => {
    const rsa = await person(juliet, 'rsa2048');
    const revoked = await copyOf(j);
    const type = library.enums.signature.keyRevocation;
    revoked.revocationSignatures.push(
      await makeSignature(revoked.keyPacket, { key: revoked.keyPacket }, { type, at: born, reason: 2 }),
    );
    const wire = {
      'nobody I know': (): Promise<Uint8Array> => inlineSigned(content, m.key.keyPacket),
      nobody: (): Promise<Uint8Array> => encryptPackets(literal(content), [r.key]),
      'somebody else over other octets': async (): Promise<Uint8Array> => {
        const message = Buffer.from(await inlineSigned(content, j.key.keyPacket));
        message[message.indexOf('Wherefore')]! ^= 0x20;
        return message;
      },
      'an old hash': (): Promise<Uint8Array> =>
        inlineSigned(content, rsa.key.keyPacket, { hash: library.enums.hash.sha1 }),
      'a revoked key': (): Promise<Uint8Array> => inlineSigned(content, revoked.keyPacket),
      tomorrow: (): Promise<Uint8Array> =>
        inlineSigned(content, j.key.keyPacket, { at: new Date(at.getTime() + 86_400_000) }),
    }[who]!;
    const certificates =
      who === 'an old hash'
        ? [rsa.certificate]
        : [who === 'a revoked key' ? revoked.toPublic().write() : j.certificate];
    const error = await openEntity(await wire(), { ...options, certificates }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code });
  });

  it('a second ahead only with an allowance', async () => {
    const message = await inlineSigned(content, j.key.keyPacket, { at: later });
    await refusal(openEntity(message, options), 'ERR_E2E_TIMESTAMP');
    expect((await openEntity(message, { ...options, policy: { clockSkewSeconds: 1 } })).content).toEqual(content);
  });
});

describe('what is not opened', () => {
  it.each([
    ['plain mail', utf8('Content-Type: text/plain\r\n\r\nhi'), 'ERR_E2E_NOT_SEALED'],
    ['keys', utf8('Content-Type: application/pgp-keys\r\n\r\nx'), 'ERR_E2E_NOT_SEALED'],
    ['no entity', utf8('hello world'), 'ERR_E2E_MALFORMED'],
    ['nothing', nothing, 'ERR_E2E_MALFORMED'],
  ])('%s', async (_, wire, code) => {
    await expect(openEntity(wire, options)).rejects.toMatchObject({ code });
  });

  it('what is for somebody else, or over a limit', async () => {
    const sealed = await seal(sender, 'sign+encrypt');
    await refusal(openEntity(sealed, { at, certificates: [j.certificate] }), 'ERR_E2E_NO_DECRYPTION_KEY');
    await refusal(
      openEntity(sealed, { ...options, keys: [{ keys: m.secret, certificates: nothing }] }),
      'ERR_E2E_NO_DECRYPTION_KEY',
    );
    const long = concatBytes(content, new Uint8Array(20_000));
    const limits = limitsWith({ decryptedBytes: 1000 });
    await refusal(
      openEntity(await seal(sender, 'encrypt', { content: long }), { ...options, limits }),
      'ERR_E2E_LIMIT',
    );
  });

  it('anything for a programmer who is wrong', async () => {
    const sealed = await seal(sender, 'sign');
    for (const wrong of [
      { ...options, when: at },
      { ...options, at: new Date(Number.NaN) },
      { ...options, at: at.getTime() },
      { ...options, policy: { unsigned: 'refuse', lenient: true } },
    ]) {
      await expect(openEntity(sealed, wrong as unknown as OpenEntityOptions)).rejects.toThrow(TypeError);
    }
    const aborted = openEntity(sealed, { ...options, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toThrow(/abort/i);
  });
});

it('a locked key asks for its passphrase', async () => {
  const locked = await person(romeo, 'ed25519', { passphrase: 'wherefore' });
  const sealed = await seal(backendOf(j, [locked]), 'sign+encrypt');
  const withKey = (passphrase?: () => Promise<string>): OpenEntityOptions => ({
    ...options,
    keys: [{ keys: locked.secret, certificates: nothing, passphrase }],
  });
  await refusal(openEntity(sealed, withKey()), 'ERR_E2E_KEY_UNAVAILABLE', 'decrypt');
  await refusal(
    openEntity(
      sealed,
      withKey(() => Promise.resolve('no')),
    ),
    'ERR_E2E_KEY_UNAVAILABLE',
    'decrypt',
  );
  const opened = await openEntity(
    sealed,
    withKey(() => Promise.resolve('wherefore')),
  );
  expect(opened.content).toEqual(content);
  // The backend and the entry agree.
  const viaBackend = await open(
    backendOf(locked, [j], () => Promise.resolve('wherefore')),
    sealed,
  );
  expect(viaBackend.content).toEqual(opened.content);
});
