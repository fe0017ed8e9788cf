/** Who signed: subpackets that nobody signed, names that nobody certified, keys that belong to somebody else. */
import { describe, expect, it } from 'vitest';
import * as library from 'openpgp';
import { hex } from '../../src/bytes.ts';
import { openStanza, ReplayGuard, sealStanza, serializeXml } from '../../src/index.ts';
import { inlineSigned, makeSignature } from '../unit/openpgp/forge.ts';
import {
  at,
  backendOf,
  bare,
  born,
  call,
  content,
  copyOf,
  entity,
  expectOutcome,
  juliet,
  mallory,
  open,
  person,
  personOf,
  refusal,
  romeo,
} from '../unit/openpgp/scene.ts';

const { signature: types, keyFlags } = library.enums;
const j = await person(juliet);
const r = await person(romeo);
const m = await person(mallory);
const reader = backendOf(r, [j, m]);

describe('unsigned subpackets', () => {
  it('do not change when a signature expires, or was made', async () => {
    const fields = {
      expires: 60,
      unhashed: [
        { type: 3, body: Uint8Array.of(0, 0, 0, 0) },
        { type: 2, body: Uint8Array.of(0x70, 0, 0, 0) },
      ],
    };
    const message = await inlineSigned(content, j.key.keyPacket, fields);
    const opened = await open(reader, bare(message), { call: { at: new Date(at.getTime() + 3_600_000) } });
    expect(expectOutcome(opened, 'expired').signedAt).toEqual(at);
  });

  it('do not give a key flags, a longer life or another primary name', async () => {
    const key = await copyOf(j);
    const thing = { key: key.keyPacket, userID: key.users[0]!.userID };
    const unhashed = [
      { type: 27, body: Uint8Array.of(3) },
      { type: 9, body: Uint8Array.of(0, 0, 0, 0) },
    ];
    key.users[0]!.selfCertifications = [
      await makeSignature(key.keyPacket, thing, { type: 0x13, at: born, flags: 1, unhashed }),
    ];
    const noFlags = await open(backendOf(r, [personOf(juliet, key)]), bare(await inlineSigned(content, key.keyPacket)));
    expectOutcome(noFlags, 'bad', 'the key may not sign');
    key.users[0]!.selfCertifications = [
      await makeSignature(key.keyPacket, thing, { type: 0x13, at: born, flags: 3, keyExpires: 60, unhashed }),
    ];
    const expired = await open(backendOf(r, [personOf(juliet, key)]), bare(await inlineSigned(content, key.keyPacket)));
    expectOutcome(expired, 'expired');
  });

  it('that name another issuer lead to no other signer', async () => {
    const fingerprint = Buffer.concat([Buffer.from([4]), Buffer.from(m.key.getFingerprint(), 'hex')]);
    const unhashed = [
      { type: 33, body: fingerprint },
      { type: 16, body: fingerprint.subarray(-8) },
    ];
    const message = await inlineSigned(content, j.key.keyPacket, { unhashed });
    for (const sender of [juliet, mallory]) {
      const result = (await open(reader, bare(message), { sender })).signatures![0]!;
      expect(result.outcome).not.toBe('good');
    }
  });

  it('that nobody understands are ignored, unless they are hashed and critical', async () => {
    const strange = { unhashed: [{ type: 101, body: Uint8Array.of(1) }] };
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket, strange))), 'good');
    const hashed = { hashed: [Uint8Array.of(2, 101, 1)] };
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket, hashed))), 'good');
    // RFC 9580 section 5.2.3.7: an unknown critical subpacket makes the signature an error.
    const critical = { hashed: [Uint8Array.of(2, 101 | 0x80, 1)] };
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket, critical))), 'bad');
    const notation = { notation: { name: 'x@example.com', critical: true } };
    expectOutcome(await open(reader, bare(await inlineSigned(content, j.key.keyPacket, notation))), 'bad');
  });
});

describe('names', () => {
  it('that Mallory gives herself do not speak for Juliet', async () => {
    const { privateKey } = await library.generateKey({
      type: 'ecc',
      curve: 'curve25519Legacy',
      userIDs: [{ name: 'xmpp:juliet@example.com' }, { name: 'xmpp:mallory@example.org' }],
      date: born,
      format: 'object',
    });
    // Filed for Mallory, as the contact that she is: her key does not speak for Juliet by naming her.
    const to = backendOf(r, [j, personOf(mallory, privateKey)]);
    const message = await inlineSigned(content, privateKey.keyPacket);
    expectOutcome(await open(to, bare(message)), 'unknown-signer');
    const own = expectOutcome(await open(to, bare(message), { sender: mallory }), 'good');
    expect(own.identities.map(({ jid }) => jid.toString())).toEqual(['mallory@example.org']);
    // The same in a stanza.
    const stanza = `<message from='${juliet.toString()}/b' to='${romeo.toString()}'><body>hi</body></message>`;
    const forger = backendOf(personOf(juliet, privateKey), [r]);
    const sealed = await sealStanza(stanza, { backend: forger, at });
    const opening = openStanza(serializeXml(sealed), { backends: [to], me: romeo, at, replay: new ReplayGuard() });
    await refusal(opening, 'ERR_E2E_SIGNER_UNKNOWN', 'verify');
  });

  it('revoked do not speak for anybody', async () => {
    const key = await copyOf(j);
    const thing = { key: key.keyPacket, userID: key.users[0]!.userID };
    key.users[0]!.revocationSignatures.push(
      await makeSignature(key.keyPacket, thing, { type: types.certRevocation, at: born, reason: 32 }),
    );
    const to = backendOf(r, [personOf(juliet, key)]);
    const { outcome } = (await open(to, bare(await inlineSigned(content, key.keyPacket)))).signatures![0]!;
    expect(outcome).not.toBe('good');
    expect(await to.canSealTo(juliet, at)).toBe(false);
  });
});

describe('subkeys', () => {
  it('of Juliet that Mallory adopts do not make her the signer', async () => {
    const { privateKey: victim } = await library.generateKey({
      type: 'ecc',
      curve: 'curve25519Legacy',
      userIDs: [{ name: 'xmpp:juliet@example.com' }],
      date: born,
      subkeys: [{ sign: true }],
      format: 'object',
    });
    const signing = victim.subkeys[0]!.keyPacket;
    const thief = await copyOf(m);
    const stolen = await copyOf({ ...m, secret: victim.write() });
    const thing = { key: thief.keyPacket, bind: signing };
    const binding = { type: types.subkeyBinding, at: born, flags: keyFlags.signData };
    const adopted = stolen.subkeys[0]!;
    // Without back-signature, with the one that was made for Juliet, and with one of Mallory's own.
    const borrowed = adopted.bindingSignatures[0]!.embeddedSignature!;
    const forged = await makeSignature(thief.keyPacket, thing, { type: types.keyBinding, at: born });
    for (const embedded of [undefined, borrowed, forged]) {
      adopted.bindingSignatures = [
        await makeSignature(thief.keyPacket, thing, { ...binding, ...(embedded === undefined ? {} : { embedded }) }),
      ];
      thief.subkeys = [adopted];
      const to = backendOf(r, [personOf(mallory, thief)]);
      const message = await inlineSigned(content, signing);
      expectOutcome(await open(to, bare(message), { sender: mallory }), 'bad');
    }
  });

  it('that nobody bound neither sign nor are encrypted to', async () => {
    const key = await copyOf(j);
    const other = await copyOf(m);
    const thing = { key: key.keyPacket, bind: other.subkeys[0]!.keyPacket };
    // Mallory adds her own encryption subkey to Juliet's certificate.
    const added = other.subkeys[0]!;
    added.bindingSignatures = [
      await makeSignature(m.key.keyPacket, thing, {
        type: types.subkeyBinding,
        at: new Date(born.getTime() + 1000),
        flags: 12,
      }),
    ];
    key.subkeys.push(added);
    const from = backendOf(r, [personOf(juliet, key)]);
    const sealed = await from.encrypt({
      ...call(),
      content,
      recipients: [juliet],
      hidden: false,
      profile: 'modern',
    });
    const { facts } = await from.inspect(entity(sealed), call().limits);
    const ids = facts.filter(([name]) => name === 'recipient').map(([, value]) => value.slice(0, 16));
    expect(ids).toEqual([hex(Buffer.from(j.key.subkeys[0]!.getKeyID().toHex(), 'hex'))]);
  });
});

it('two keys with the same 64-bit id are told apart', async () => {
  // A signature whose unhashed issuer is Juliet's id, made by Mallory: the key decides, not its name.
  const id = Buffer.from(j.key.getKeyID().toHex(), 'hex');
  const message = Buffer.from(await inlineSigned(content, m.key.keyPacket));
  const own = Buffer.from(m.key.getKeyID().toHex(), 'hex');
  for (let i = message.indexOf(own); i !== -1; i = message.indexOf(own)) id.copy(message, i);
  const { outcome } = (await open(reader, bare(message))).signatures![0]!;
  expect(outcome).not.toBe('good');
});
