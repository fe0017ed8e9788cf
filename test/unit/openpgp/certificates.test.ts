/** What makes a key of a certificate count, and when: RFC 9580 sections 5.2.3 and 10.1. */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import { concatBytes } from '../../../src/bytes.ts';
import { Jid } from '../../../src/index.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import type { SignatureOutcome } from '../../../src/backends/backend.ts';
import { inlineSigned, type KeyPacket, makeSignature, type SignatureFields } from './forge.ts';
import {
  at,
  backendOf,
  bare,
  born,
  content,
  copyOf,
  expectOutcome,
  juliet,
  nothing,
  open,
  person,
  type Person,
  personOf,
  refusal,
  romeo,
  seal,
} from './scene.ts';

const { signature: types, reasonForRevocation: reasons, keyFlags, hash } = library.enums;
const day = 86_400_000;
const later = (days: number, from = at): Date => new Date(from.getTime() + days * day);

const j = await person(juliet);
const r = await person(romeo);
/** EdDSA of openpgp.js signs with no short hash. */
const rsa = await person(juliet, 'rsa2048');

/** A key with a signing subkey and an encryption subkey, all bindings as openpgp.js makes them. */
async function withSigningSubkey(date = born, type: 'ecc' | 'rsa' = 'ecc'): Promise<library.PrivateKey> {
  const { privateKey } = await library.generateKey({
    ...(type === 'rsa' ? { type, rsaBits: 2048 } : { type, curve: 'curve25519Legacy' }),
    userIDs: [{ name: 'xmpp:juliet@example.com' }],
    date,
    subkeys: [{ sign: true }, {}],
    format: 'object',
  });
  return privateKey;
}

const self = (key: library.PrivateKey, fields: SignatureFields, user = 0): Promise<library.SignaturePacket> =>
  makeSignature(key.keyPacket, { key: key.keyPacket, userID: key.users[user]!.userID }, fields);
const overKey = (key: library.PrivateKey, fields: SignatureFields): Promise<library.SignaturePacket> =>
  makeSignature(key.keyPacket, { key: key.keyPacket }, fields);
const overSubkey = (
  key: library.PrivateKey,
  index: number,
  fields: SignatureFields,
  signer: KeyPacket = key.keyPacket,
): Promise<library.SignaturePacket> =>
  makeSignature(signer, { key: key.keyPacket, bind: key.subkeys[index]!.keyPacket }, fields);

/** What Romeo, who has this certificate of hers on file, says of a message signed with a key packet. */
async function judged(
  key: library.PrivateKey,
  {
    signer = key.keyPacket,
    signedAt = at,
    judgedAt = signedAt,
    filed = [key],
  }: { signer?: KeyPacket; signedAt?: Date; judgedAt?: Date; filed?: readonly library.PrivateKey[] } = {},
): Promise<[SignatureOutcome, string]> {
  const reader = backendOf(
    r,
    filed.map((one) => personOf(juliet, one)),
  );
  const message = await inlineSigned(content, signer, { at: signedAt });
  const opened = await open(reader, bare(message), { call: { at: judgedAt } });
  const { outcome, reason } = opened.signatures![0]!;
  expectOutcome(opened, outcome);
  return [outcome, reason];
}

/** Whether Romeo can seal to this certificate. */
const sealable = (key: library.PrivateKey, time = at): Promise<boolean> =>
  backendOf(r, [personOf(juliet, key)]).canSealTo(juliet, time);

describe('expiry', () => {
  it('ends signing and encrypting at the second it names, and starts with the key', async () => {
    const { key } = await person(juliet, 'ed25519', { expiresAfterSeconds: 3600 });
    const end = new Date(born.getTime() + 3_600_000);
    const last = new Date(end.getTime() - 1000);
    expect((await judged(key, { signedAt: last }))[0]).toBe('good');
    expect(await judged(key, { signedAt: end })).toEqual(['expired', 'the key has expired']);
    // A receiver judges by its own time: what a signature says of itself proves nothing once a key may be stolen.
    expect((await judged(key, { signedAt: last, judgedAt: end }))[0]).toBe('expired');
    expect(await sealable(key, last)).toBe(true);
    expect(await sealable(key, end)).toBe(false);
    const summary = (await backendOf(r, [personOf(juliet, key)]).certificates(juliet))[0]!;
    expect(summary.notAfter).toEqual(end);
  });

  it('does not hold for a key that was renewed', async () => {
    const made = await person(juliet, 'ed25519', { expiresAfterSeconds: 3600 });
    const key = await copyOf(made);
    key.users[0]!.selfCertifications.push(await self(key, { type: 0x13, at: later(1, born), flags: 3, keyExpires: 0 }));
    key.subkeys[0]!.bindingSignatures.push(
      await overSubkey(key, 0, { type: types.subkeyBinding, at: later(1, born), flags: 12 }),
    );
    expect((await judged(key))[0]).toBe('good');
    expect(await sealable(key)).toBe(true);
    // An old copy beside the new one: merged, in any order.
    for (const filed of [
      [made.key, key],
      [key, made.key],
    ]) {
      expect((await judged(key, { filed }))[0]).toBe('good');
    }
  });

  it('holds for a signature and for a self-signature as well', async () => {
    const message = await inlineSigned(content, j.key.keyPacket, { expires: 60 });
    const reader = backendOf(r, [j]);
    expectOutcome(await open(reader, bare(message), { call: { at: new Date(at.getTime() + 59_000) } }), 'good');
    const late = await open(reader, bare(message), { call: { at: new Date(at.getTime() + 60_000) } });
    expectOutcome(late, 'expired', 'the signature has expired');
    const key = await copyOf(j);
    key.users[0]!.selfCertifications = [await self(key, { type: 0x13, at: born, flags: 3, expires: 60 })];
    expect((await judged(key))[0]).toBe('expired');
  });

  it('allows a clock that runs behind, and no more', async () => {
    const { key } = j;
    const skew = 300;
    const ahead = (seconds: number): Date => new Date(at.getTime() + seconds * 1000);
    expect((await judged(key, { signedAt: ahead(skew), judgedAt: at }))[0]).toBe('good');
    const fresh = await withSigningSubkey(ahead(skew));
    expect((await judged(fresh, { signedAt: ahead(skew), judgedAt: at }))[0]).toBe('good');
    // How far a signature itself may be ahead is for the caller's window; a key that is not yet valid is not.
    const tooFresh = await withSigningSubkey(ahead(skew + 1));
    expect((await judged(tooFresh, { signedAt: ahead(skew + 1), judgedAt: at }))[0]).toBe('expired');
  });

  it('is asked for the time of signing too', async () => {
    // A signature older than its key was made by somebody who chose the date.
    expect((await judged(j.key, { signedAt: new Date(born.getTime() - 1000), judgedAt: at }))[0]).toBe('bad');
    const key = await copyOf(j);
    key.users[0]!.selfCertifications = [
      await self(key, { type: 0x13, at: born, flags: 3, keyExpires: 3600 }),
      await self(key, { type: 0x13, at: later(-1), flags: 3, keyExpires: 0 }),
    ];
    expect((await judged(key, { signedAt: later(-2), judgedAt: at }))[0]).toBe('expired');
    expect((await judged(key))[0]).toBe('good');
  });

  it('does not keep old messages from their reader', async () => {
    const me = await person(romeo, 'ed25519', { expiresAfterSeconds: 3600 });
    const early = later(0.01, born);
    const sealed = await seal(backendOf(j, [me]), 'sign+encrypt', { call: { at: early } });
    expectOutcome(await open(backendOf(me, [j]), sealed), 'good');
  });
});

describe('revocation', () => {
  it.each([
    ['no reason', reasons.noReason, true],
    ['compromised', reasons.keyCompromised, true],
    ['superseded', reasons.keySuperseded, false],
    ['retired', reasons.keyRetired, false],
  ])('of the key: %s', async (_, reason, hard) => {
    const key = await copyOf(j);
    key.revocationSignatures.push(await overKey(key, { type: types.keyRevocation, at: later(10), reason }));
    expect((await judged(key))[0]).toBe(hard ? 'revoked' : 'good');
    expect((await judged(key, { signedAt: at, judgedAt: later(11) }))[0]).toBe('revoked');
    expect((await judged(key, { signedAt: later(11) }))[0]).toBe('revoked');
    expect(await sealable(key)).toBe(!hard);
    expect(await sealable(key, later(11))).toBe(false);
    // Filed beside a copy from before: the revocation counts, whichever comes first.
    expect((await judged(key, { filed: [j.key, key], judgedAt: later(11) }))[0]).toBe('revoked');
    expect((await judged(key, { filed: [key, j.key], judgedAt: later(11) }))[0]).toBe('revoked');
  });

  it('of the key counts even with SHA-1', async () => {
    const key = await copyOf(rsa);
    const revoked = { type: types.keyRevocation, at: later(-1), reason: reasons.keyCompromised, hash: hash.sha1 };
    key.revocationSignatures.push(await overKey(key, revoked));
    expect((await judged(key))[0]).toBe('revoked');
  });

  it('by another key revokes nothing', async () => {
    const key = await copyOf(j);
    const type = types.keyRevocation;
    key.revocationSignatures.push(
      await makeSignature(
        r.key.keyPacket,
        { key: key.keyPacket },
        { type, at: later(-1), reason: reasons.keyCompromised },
      ),
    );
    expect((await judged(key))[0]).toBe('good');
  });

  it('of a subkey leaves the rest alone', async () => {
    const key = await withSigningSubkey();
    const signer = key.subkeys[0]!.keyPacket;
    expect((await judged(key, { signer }))[0]).toBe('good');
    key.subkeys[0]!.revocationSignatures.push(
      await overSubkey(key, 0, { type: types.subkeyRevocation, at: later(1), reason: reasons.keySuperseded }),
    );
    expect((await judged(key, { signer }))[0]).toBe('good');
    expect((await judged(key, { signer, signedAt: later(2) }))[0]).toBe('revoked');
    expect((await judged(key, { signedAt: later(2) }))[0]).toBe('good');
    key.subkeys[1]!.revocationSignatures.push(
      await overSubkey(key, 1, { type: types.subkeyRevocation, at: later(1), reason: reasons.keyCompromised }),
    );
    expect(await sealable(key)).toBe(false);
  });
});

describe('key flags', () => {
  it('let a key do what they say and nothing else', async () => {
    const key = await copyOf(j);
    key.users[0]!.selfCertifications = [await self(key, { type: 0x13, at: born, flags: keyFlags.certifyKeys })];
    expect(await judged(key)).toEqual(['bad', 'the key may not sign']);
    expect(await sealable(key)).toBe(true);
    key.subkeys[0]!.bindingSignatures = [
      await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags: keyFlags.authentication }),
    ];
    expect(await sealable(key)).toBe(false);
  });

  it('are needed', async () => {
    const key = await copyOf(j);
    key.users[0]!.selfCertifications = [await self(key, { type: 0x13, at: born })];
    expect((await judged(key))[0]).toBe('bad');
  });

  it('of the newest self-signature count', async () => {
    const key = await copyOf(j);
    key.users[0]!.selfCertifications.push(await self(key, { type: 0x13, at: later(1, born), flags: 1 }));
    expect((await judged(key))[0]).toBe('bad');
    expect((await judged(key, { signedAt: born }))[0]).toBe('good');
  });

  it('do not make an encryption-only algorithm sign', async () => {
    const key = await copyOf(j);
    const { keyPacket } = key.subkeys[0]!;
    // A signature that claims to be from the ECDH subkey.
    const message = await inlineSigned(content, j.key.keyPacket);
    const id = Buffer.from(j.key.getKeyID().toHex(), 'hex');
    const other = Buffer.from(keyPacket.getKeyID().toHex(), 'hex');
    const claimed = Buffer.from(message.toString().length === 0 ? [] : message);
    for (let i = claimed.indexOf(id); i !== -1; i = claimed.indexOf(id)) other.copy(claimed, i);
    const opened = await open(backendOf(r, [j]), bare(claimed));
    expect(opened.signatures![0]!.outcome).not.toBe('good');
  });
});

describe('binding of subkeys', () => {
  it('needs the back-signature of a signing subkey (type 0x19)', async () => {
    const key = await withSigningSubkey();
    const signer = key.subkeys[0]!.keyPacket;
    const flags = keyFlags.signData;
    key.subkeys[0]!.bindingSignatures = [await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags })];
    expect(await judged(key, { signer })).toEqual(['bad', 'the signing key is not bound to the certificate']);
    // One made with the primary key is none.
    const wrong = await overSubkey(key, 0, { type: types.keyBinding, at: born });
    key.subkeys[0]!.bindingSignatures = [
      await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags, embedded: wrong }),
    ];
    expect((await judged(key, { signer }))[0]).toBe('bad');
    const embedded = await overSubkey(key, 0, { type: types.keyBinding, at: born }, signer);
    key.subkeys[0]!.bindingSignatures = [
      await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags, embedded }),
    ];
    expect((await judged(key, { signer }))[0]).toBe('good');
  });

  it('with an expired or weak back-signature does not hold', async () => {
    const key = await withSigningSubkey(born, 'rsa');
    const signer = key.subkeys[0]!.keyPacket;
    for (const [fields, outcome] of [
      [{ expires: 60 }, 'expired'],
      [{ hash: hash.sha1 }, 'weak'],
    ] as const) {
      const embedded = await overSubkey(key, 0, { type: types.keyBinding, at: born, ...fields }, signer);
      key.subkeys[0]!.bindingSignatures = [
        await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags: keyFlags.signData, embedded }),
      ];
      expect((await judged(key, { signer }))[0]).toBe(outcome);
    }
  });

  it('expires with the subkey', async () => {
    const key = await withSigningSubkey();
    const signer = key.subkeys[0]!.keyPacket;
    const embedded = await overSubkey(key, 0, { type: types.keyBinding, at: born }, signer);
    const binding = { type: types.subkeyBinding, at: born, flags: keyFlags.signData, embedded, keyExpires: 3600 };
    key.subkeys[0]!.bindingSignatures = [await overSubkey(key, 0, binding)];
    expect((await judged(key, { signer, signedAt: new Date(born.getTime() + 3_599_000) }))[0]).toBe('good');
    expect((await judged(key, { signer }))[0]).toBe('expired');
  });

  it('that is damaged is none', async () => {
    const key = await copyOf(j);
    const other = await withSigningSubkey();
    key.subkeys[0]!.bindingSignatures = [...other.subkeys[1]!.bindingSignatures];
    expect(await sealable(key)).toBe(false);
  });
});

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

describe('weak keys and self-signatures', () => {
  it.each([
    ['SHA-1', hash.sha1],
    ['RIPEMD-160', hash.ripemd],
    ['MD5', hash.md5],
  ])('%s in the self-signature', async (_, weak) => {
    const key = await copyOf(rsa);
    key.users[0]!.selfCertifications = [await self(key, { type: 0x13, at: born, flags: 3, hash: weak })];
    expect((await judged(key))[0]).toBe('weak');
    expect(await sealable(key)).toBe(false);
  });

  it('SHA-1 in the binding of the encryption subkey', async () => {
    const key = await copyOf(rsa);
    key.subkeys[0]!.bindingSignatures = [
      await overSubkey(key, 0, { type: types.subkeyBinding, at: born, flags: 12, hash: hash.sha1 }),
    ];
    expect(await sealable(key)).toBe(false);
  });

  it.each([
    ['SHA-1', hash.sha1],
    ['MD5', hash.md5],
  ])('%s in a message signature', async (_, weak) => {
    const message = await inlineSigned(content, rsa.key.keyPacket, { hash: weak });
    expectOutcome(await open(backendOf(r, [rsa]), bare(message)), 'weak', 'the hash is too weak');
  });

  it('RSA of 1024 bits', async () => {
    const config = { ...library.config, minRSABits: 1024 };
    const { privateKey } = await library.generateKey({
      type: 'rsa',
      rsaBits: 1024,
      userIDs: [{ name: 'xmpp:juliet@example.com' }],
      date: born,
      format: 'object',
      config,
    });
    expect((await judged(privateKey))[0]).toBe('weak');
    expect(await sealable(privateKey)).toBe(false);
    await refusal(seal(backendOf(personOf(juliet, privateKey), [r]), 'sign'), 'ERR_E2E_NO_SIGNING_KEY');
  });

  it('a key over the limit of RSA is not computed with', async () => {
    const big = await person(juliet, 'rsa3072');
    const limits = { ...(await import('../../../src/limits.ts')).defaultLimits, rsaMaxBits: 3071 };
    const message = await inlineSigned(content, big.key.keyPacket);
    const opened = await open(backendOf(r, [big]), bare(message), { call: { limits } });
    expectOutcome(opened, 'weak');
  });
});

describe('several certificates', () => {
  it('of one JID: any may sign, all are encrypted to', async () => {
    const second = await person(juliet, 'p256');
    const reader = backendOf(r, [j, second]);
    for (const { key } of [j, second]) {
      const opened = await open(reader, bare(await inlineSigned(content, key.keyPacket)));
      expect(expectOutcome(opened, 'good').fingerprint).toBe(key.getFingerprint());
    }
    expect(await reader.certificates(juliet)).toHaveLength(2);
  });

  it('in one file, armored or binary', async () => {
    const second = await person(juliet, 'p256');
    const binary = concatBytes(j.key.toPublic().write(), second.key.toPublic().write());
    for (const certificate of [binary, concatBytes(j.certificate, second.certificate)]) {
      const reader = backendOf(r, [{ jid: juliet, key: j.key, secret: j.secret, certificate } satisfies Person]);
      expect(await reader.certificates(juliet)).toHaveLength(2);
    }
  });

  it('one that cannot be read does not hide the others', async () => {
    const reader = backendOf(r);
    const damaged = Uint8Array.from(j.key.toPublic().write());
    damaged[0] = 0;
    reader.store.fileCertificate(juliet, 'openpgp', damaged);
    reader.store.fileCertificate(juliet, 'openpgp', new Uint8Array(0));
    reader.store.fileCertificate(juliet, 'openpgp', j.certificate);
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket))), 'good');
  });

  it('a new version of one replaces what is cached', async () => {
    const reader = backendOf(r, [j]);
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket))), 'good');
    const key = await copyOf(j);
    key.revocationSignatures.push(await overKey(key, { type: types.keyRevocation, at: born, reason: 2 }));
    reader.store.fileCertificate(juliet, 'openpgp', key.toPublic().write());
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket))), 'revoked');
  });
});

describe('my own key', () => {
  const message = (): Promise<Uint8Array> => inlineSigned(content, j.key.keyPacket);

  it('counts as filed for me, without being among my contacts', async () => {
    const result = expectOutcome(await open(backendOf(j), bare(await message()), { me: juliet }), 'good');
    expect(result.identities[0]!.jid.equals(juliet)).toBe(true);
  });

  it('counts as filed where a mere candidate is at hand too', async () => {
    const mine = backendOf(j);
    mine.store.addCandidate(juliet, 'openpgp', j.certificate);
    expectOutcome(await open(mine, bare(await message()), { me: juliet }), 'good');
    expect(await mine.canSealTo(juliet, at)).toBe(true);
  });

  it('is revoked when either the key or a filed copy says so', async () => {
    const key = await copyOf(j);
    key.revocationSignatures.push(await overKey(key, { type: types.keyRevocation, at: born, reason: 2 }));
    const revoked = personOf(juliet, key);
    for (const mine of [backendOf(j, [revoked]), backendOf(revoked, [j])]) {
      expectOutcome(await open(mine, bare(await message()), { me: juliet }), 'revoked');
      expect(await mine.canSealTo(juliet, at)).toBe(false);
    }
  });

  it('may have names and subkeys that a filed copy lacks, and the other way round', async () => {
    const key = await withSigningSubkey();
    const stripped = await copyOf(personOf(juliet, key));
    stripped.subkeys = [];
    const signer = key.subkeys[0]!.keyPacket;
    const signed = await inlineSigned(content, signer);
    for (const mine of [
      backendOf(personOf(juliet, key), [personOf(juliet, stripped)]),
      backendOf(personOf(juliet, stripped), [personOf(juliet, key)]),
    ]) {
      expectOutcome(await open(mine, bare(signed), { me: juliet }), 'good');
    }
  });
});

describe('version 6', () => {
  it('takes flags and expiry from the direct-key signature', async () => {
    const made = await person(juliet, 'ed25519', { v6: true, expiresAfterSeconds: 3600 });
    expect((await judged(made.key, { signedAt: born }))[0]).toBe('good');
    expect((await judged(made.key))[0]).toBe('expired');
    const key = await copyOf(await person(juliet, 'ed25519', { v6: true }));
    (key as unknown as { directSignatures: unknown[] }).directSignatures = [];
    expect((await judged(key))[0]).not.toBe('good');
  });
});
