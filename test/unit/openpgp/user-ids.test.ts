/** Which User IDs of a certificate name whom (XEP-0373 section 4.2, RFC 9580 section 5.11). */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import { Jid } from '../../../src/index.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import { inlineSigned, makeSignature } from './forge.ts';
import {
  at,
  backendOf,
  bare,
  born,
  content,
  expectOutcome,
  juliet,
  nothing,
  open,
  person,
  personOf,
  refusal,
  romeo,
  seal,
} from './scene.ts';

import { types, reasons, later, r, self, judged, sealable } from './certificate-scene.ts';

describe('User IDs', () => {
  const named = async (...names: readonly string[]): Promise<library.PrivateKey> => {
    const { privateKey } = await library.generateKey({
      type: 'ecc',
      curve: 'curve25519Legacy',
      userIDs: names.map((name) => ({ name })),
      date: born,
      format: 'object',
    });
    return privateKey;
  };

  it.each(['xmpp:juliet@example.com', 'Juliet Capulet <xmpp:juliet@example.com>', '<xmpp:juliet@example.com>'])(
    '%s names her',
    async (name) => {
      const key = await named(name);
      expect((await judged(key))[0]).toBe('good');
      expect(await sealable(key)).toBe(true);
    },
  );

  it.each([
    'juliet@example.com',
    'Juliet <juliet@example.com>',
    'mailto:juliet@example.com',
    'xmpp:Juliet@example.com',
    'xmpp:juliet@EXAMPLE.com',
    'xmpp:juliet@example.com/balcony',
    'xmpp:juliet@example.com?message',
    'xmpp://juliet@example.com',
    'xmpp:juliet@example.com.evil.example',
    'xmpp:romeo@example.net',
    'xmpp:juliet@example.com <xmpp:romeo@example.net>',
    'A <xmpp:juliet@example.com> <xmpp:romeo@example.net>',
    '<xmpp:romeo@example.net> xmpp:juliet@example.com',
    'xmpp:juliet@example.com ',
    ' xmpp:juliet@example.com',
    'XMPP:juliet@example.com',
  ])('%s does not', async (name) => {
    const key = await named(name);
    expect(await judged(key)).toEqual(['untrusted', 'the certificate does not speak for the sender']);
    expect(await sealable(key)).toBe(false);
  });

  it.each([
    ['juliet@example.com', true],
    ['Juliet <juliet@example.com>', true],
    ['xmpp:juliet@example.com', true],
    ['Juliet@example.com', false],
    ['juliet@example.com/balcony', false],
    ['mailto:juliet@example.com', false],
    ['example.com', false],
    ['Juliet', false],
    ['juliet@example.com <romeo@example.net>', false],
    ['romeo@example.net', false],
  ])('%s in the form of mail: %s, where that is chosen', async (name, names) => {
    const key = await named(name);
    const store = memoryStore();
    store.addIdentity(romeo, 'openpgp', { keys: r.secret, certificates: nothing });
    store.fileCertificate(juliet, 'openpgp', key.toPublic().write());
    const reader = openpgp({ store, userIds: 'mail' });
    const opened = await open(reader, bare(await inlineSigned(content, key.keyPacket)));
    expectOutcome(opened, names ? 'good' : 'untrusted');
    expect(await reader.canSealTo(juliet, at)).toBe(names);
  });

  it('of another form than the two do not exist', () => {
    expect(() => openpgp({ store: memoryStore(), userIds: 'any' as 'mail' })).toThrow(TypeError);
  });

  it('must name the signer, or nobody would believe the signature', async () => {
    const key = await named('Juliet <juliet@example.com>');
    await refusal(seal(backendOf(personOf(juliet, key), [r]), 'sign'), 'ERR_E2E_NO_SIGNING_KEY', 'sign');
  });

  it.each(['50%@example.com', 'a%40b@example.com', 'who?@example.com', 'a#b@example.com', '\u00fc@example.com'])(
    'of a new key name %s',
    async (address) => {
      const jid = Jid.parse(address);
      const own = await person(jid);
      const reader = backendOf(r, [own]);
      expect(await reader.canSealTo(jid, at)).toBe(true);
      expect((await reader.certificates(jid))[0]!.jids).toEqual([jid.toString()]);
    },
  );

  it('count wherever they stand in the certificate, whichever is the primary one', async () => {
    expect((await judged(await named('Juliet <juliet@example.com>', 'xmpp:juliet@example.com')))[0]).toBe('good');
  });

  it('do not count once revoked, until certified again', async () => {
    const key = await named('Juliet <juliet@example.com>', 'xmpp:juliet@example.com');
    const user = key.users[1]!;
    const revocation = { type: types.certRevocation, at: later(1), reason: reasons.userIDInvalid };
    user.revocationSignatures.push(await self(key, revocation, 1));
    expect((await judged(key))[0]).toBe('good');
    expect((await judged(key, { signedAt: later(2) }))[0]).toBe('untrusted');
    user.selfCertifications.push(await self(key, { type: 0x10, at: later(3), flags: 3 }, 1));
    expect((await judged(key, { signedAt: later(4) }))[0]).toBe('good');
  });

  it('revoked all of them leave a key that speaks for nobody', async () => {
    const key = await named('xmpp:juliet@example.com');
    const revocation = { type: types.certRevocation, at: later(-1), reason: reasons.userIDInvalid };
    key.users[0]!.revocationSignatures.push(await self(key, revocation));
    expect((await judged(key))[0]).toBe('revoked');
    expect(await sealable(key)).toBe(false);
  });

  it('do not count without certification, or with that of somebody else', async () => {
    const key = await named('Juliet', 'xmpp:juliet@example.com');
    const thing = { key: key.keyPacket, userID: key.users[1]!.userID };
    key.users[1]!.selfCertifications = [];
    expect((await judged(key))[0]).toBe('untrusted');
    key.users[1]!.selfCertifications = [
      await makeSignature(r.key.keyPacket, thing, { type: 0x13, at: born, flags: 3 }),
    ];
    expect((await judged(key))[0]).toBe('untrusted');
    // One that certifies the other name is no certification of this one.
    key.users[1]!.selfCertifications = [...key.users[0]!.selfCertifications];
    expect((await judged(key))[0]).toBe('untrusted');
  });
});
