/** What a layer shows without any key, and what it must not claim. */
import { randomBytes } from 'node:crypto';
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import type { LayerDescription } from '../../../src/backends/backend.ts';
import { concatBytes, utf8 } from '../../../src/bytes.ts';
import { defaultLimits } from '../../../src/limits.ts';
import type { Entity } from '../../../src/mime/entity.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import { encryptPackets, inlineSigned, literal, packet, sed, seipdV1 } from './forge.ts';
import { at, backendOf, bare, content, entity, juliet, mallory, person, refusal, romeo, seal } from './scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const m = await person(mallory, 'rsa2048');
const six = await person(mallory, 'ed25519', { v6: true });
const sender = backendOf(j, [r, m]);
/** Somebody who has no keys and no contacts. */
const stranger = openpgp({ store: memoryStore() });

const inspect = (layer: Entity): Promise<LayerDescription> => stranger.inspect(layer, defaultLimits);
const factsOf = ({ facts }: LayerDescription, name: string): readonly string[] =>
  facts.filter(([one]) => one === name).map(([, value]) => value);

describe('encrypted', () => {
  it('names recipients, cipher and key transport', async () => {
    const shown = await inspect(entity(await seal(sender, 'sign+encrypt', { recipients: [romeo, mallory] })));
    expect(shown).toMatchObject({ kind: 'encrypted', title: 'OpenPGP SEIPD v1', content: undefined, warnings: [] });
    expect(factsOf(shown, 'form')).toEqual(['multipart/encrypted']);
    expect(factsOf(shown, 'recipient')).toEqual([
      `${r.key.subkeys[0]!.getKeyID().toHex()} (ecdh)`,
      `${m.key.subkeys[0]!.getKeyID().toHex()} (rsa-pkcs1v15)`,
    ]);
    expect(factsOf(shown, 'key transport')).toEqual(['ecdh, rsa-pkcs1v15']);
    expect(JSON.stringify(shown)).not.toContain('Wherefore');
    // Nothing says whether it is signed: that is inside.
    expect(factsOf(shown, 'signer')).toEqual([]);
  });

  it('version 2 shows its cipher in the clear', async () => {
    const shown = await inspect(entity(await seal(backendOf(j, [six]), 'encrypt', { recipients: [mallory] })));
    expect(shown.title).toBe('OpenPGP SEIPD v2');
    expect(factsOf(shown, 'cipher')[0]).toMatch(/^aes(128|256)-(gcm|ocb)$/);
    expect(factsOf(shown, 'recipient')).toEqual([`${six.key.subkeys[0]!.getFingerprint()} (x25519)`]);
  });

  it('warns of passwords and of recipients that cannot be read', async () => {
    const message = await library.createMessage({ binary: content });
    const sealed = (await library.encrypt({ message, passwords: 'x', format: 'binary' })) as Uint8Array;
    const shown = await inspect(bare(sealed));
    expect(shown.warnings).toEqual(['can be opened with a password', 'names no recipient that can be read']);
    const key = randomBytes(32);
    const strange = concatBytes(packet(1, Uint8Array.of(9, 9)), seipdV1(literal('x'), key));
    expect((await inspect(bare(strange))).warnings).toEqual(['names no recipient that can be read']);
  });

  it('does not describe what has no integrity protection, and calls it unsupported: no policy is asked', async () => {
    const error = await refusal(inspect(bare(sed(literal('x'), randomBytes(32)))), 'ERR_E2E_UNSUPPORTED', 'decrypt');
    expect(error.reason).toBe('encryption without integrity protection');
  });
});

describe('signed', () => {
  it('shows the signer by fingerprint, the recipients, and the content', async () => {
    const shown = await inspect(entity(await seal(sender, 'sign')));
    expect(shown).toMatchObject({ kind: 'signed', title: 'OpenPGP signature', content, warnings: [] });
    expect(factsOf(shown, 'signer')).toEqual([j.key.getFingerprint()]);
    expect(factsOf(shown, 'hash')).toEqual(['sha512']);
    expect(factsOf(shown, 'signed at')).toEqual([at.toISOString()]);
    expect(factsOf(shown, 'intended recipient')).toEqual([r.key.getFingerprint(), j.key.getFingerprint()]);
  });

  it('says nothing of good or bad: it has no certificate', async () => {
    const signed = Buffer.from(await seal(sender, 'sign'));
    signed[signed.indexOf('Wherefore')]! ^= 0x20;
    const shown = await inspect(entity(signed));
    expect(JSON.stringify([shown.facts, shown.warnings, shown.title])).not.toMatch(/good|valid|verified/i);
  });

  it('warns of a wrong micalg, a weak hash, a strange or missing signature', async () => {
    const signed = Buffer.from(await seal(sender, 'sign')).toString('latin1');
    const wrong = Buffer.from(signed.replace('micalg=pgp-sha512', 'micalg=pgp-sha256'), 'latin1');
    expect(wrong.toString('latin1')).not.toBe(signed);
    expect((await inspect(entity(wrong))).warnings).toEqual(['micalg names another hash than the signature']);
    const weak = await inlineSigned(content, m.key.keyPacket, { hash: library.enums.hash.sha1 });
    expect((await inspect(bare(weak))).warnings).toEqual(['the hash is too weak']);
    const strange = concatBytes(packet(2, Uint8Array.of(9, 0, 22, 10, 0, 0)), literal(content));
    expect((await inspect(bare(strange))).warnings).toEqual(['a signature of unknown version or algorithm']);
  });
});

describe('certificates', () => {
  it('shows fingerprints and names as what they are: claims', async () => {
    const shown = await inspect(bare(concatBytes(j.certificate, six.certificate)));
    expect(shown.kind).toBe('certificates');
    expect(factsOf(shown, 'certificate')).toEqual([j.key.getFingerprint(), six.key.getFingerprint()]);
    expect(factsOf(shown, 'jid')).toEqual([juliet.toString(), mallory.toString()]);
    expect(factsOf(shown, 'algorithm')).toEqual(['ed25519', 'ed25519']);
  });
});

describe('what is no layer, or damaged', () => {
  it.each([
    ['text', (): Entity => entity(content), 'ERR_E2E_NOT_SEALED'],
    [
      'a cut message',
      async (): Promise<Entity> => bare((await encryptPackets(literal('x'), [r.key])).subarray(0, 60)),
      'ERR_E2E_MALFORMED',
    ],
    ['a damaged certificate', (): Entity => bare(j.key.toPublic().write().subarray(0, 40)), 'ERR_E2E_MALFORMED'],
    [
      'keys of another kind',
      (): Entity => entity(utf8('Content-Type: application/pgp-keys\r\n\r\nx')),
      'ERR_E2E_MALFORMED',
    ],
  ] as const)('%s', async (_, make, code) => {
    await refusal(inspect(await make()), code);
  });
});
