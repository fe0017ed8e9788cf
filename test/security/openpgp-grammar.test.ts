/**
 * Messages of other shapes than RFC 9580 section 10.3 allows: whatever stands beside the signed literal would be shown
 * as if it were signed (CVE-2025-47934), and of several signatures nobody can say which one counts.
 */
import { describe, expect, it } from 'vitest';
import * as library from 'openpgp';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { E2eError } from '../../src/errors.ts';
import {
  compressed,
  encryptPackets,
  inlineSigned,
  literal,
  makeSignature,
  onePass,
  packet,
  sed,
  signaturePacket,
  signedLiteral,
} from '../unit/openpgp/forge.ts';
import {
  at,
  backendOf,
  bare,
  call,
  content,
  expectOutcome,
  juliet,
  open,
  person,
  refusal,
  romeo,
} from '../unit/openpgp/scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const reader = backendOf(r, [j]);
const signed = await inlineSigned(content, j.key.keyPacket);
const types = library.enums.signature;
const type = types.binary;
const signature = await makeSignature(j.key.keyPacket, signedLiteral(content), { type, at });
const one = signaturePacket(signature);
const evil = literal(utf8('Content-Type: text/plain\r\n\r\nEVIL'));

const shapes: readonly (readonly [string, Uint8Array])[] = [
  ['a literal after the signature', concatBytes(signed, evil)],
  ['a literal before the one-pass signature', concatBytes(evil, signed)],
  ['two literals under one signature', concatBytes(onePass(signature), literal(content), evil, one)],
  ['a compressed literal after the signature', concatBytes(signed, compressed('zip', evil))],
  ['a compressed message before a literal', concatBytes(compressed('zip', signed), evil)],
  ['compressed twice', compressed('zip', compressed('zip', signed))],
  ['a one-pass signature without its signature', concatBytes(onePass(signature), literal(content))],
  ['a signature without one-pass after the literal', concatBytes(literal(content), one)],
  ['more signatures than announced', concatBytes(onePass(signature), literal(content), one, one)],
  ['signatures before and after', concatBytes(one, literal(content), one)],
  ['a session key inside', concatBytes(packet(1, Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0, 1)), signed)],
  ['a key inside', concatBytes(signed, j.key.toPublic().write())],
  ['an encryption inside', await encryptPackets(signed, [r.key])],
  ['an encryption after the signature', concatBytes(signed, await encryptPackets(signed, [r.key]))],
  ['data without integrity inside', sed(signed, new Uint8Array(32))],
  ['a password inside', concatBytes(packet(3, Uint8Array.of(4, 9, 0, 8)), signed)],
  ['a critical unknown packet', concatBytes(packet(39, utf8('x')), signed)],
  ['octets after the signature', concatBytes(signed, utf8('EVIL'))],
  ['the signature cut off', signed.subarray(0, -3)],
  ['a User ID between', concatBytes(onePass(signature), literal(content), packet(13, utf8('x')), one)],
  ['no literal', concatBytes(onePass(signature), one)],
  ['nothing', new Uint8Array(0)],
  ['an empty compressed packet', compressed('zip', new Uint8Array(0))],
];

describe.each(shapes)('%s', (_, packets) => {
  it('is refused inside an encryption, like every other damage', async () => {
    const error = await refusal(
      open(reader, bare(await encryptPackets(packets, [r.key]))),
      'ERR_E2E_DECRYPTION_FAILED',
    );
    expect(error).toMatchObject({ stage: 'decrypt', reason: undefined, message: 'the message cannot be decrypted' });
  });

  it('is refused in the clear', async () => {
    const layer = bare(packets);
    if (reader.recognize(layer) !== 'signed') {
      expect(reader.recognize(layer)).not.toBe('certificates');
      return;
    }
    // A key after a message, and too many signatures, show before anything is read.
    const error = await refusal(open(reader, layer), 'ERR_E2E_MALFORMED', 'verify').catch(() =>
      refusal(open(reader, layer), 'ERR_E2E_LIMIT', 'verify'),
    );
    expect(error.stage).toBe('verify');
  });
});

describe('two signatures', () => {
  const two = concatBytes(onePass(signature, false), onePass(signature), literal(content), one, one);

  it('make none of them good', async () => {
    await refusal(open(reader, bare(two)), 'ERR_E2E_LIMIT', 'verify');
    const opened = await open(reader, bare(await encryptPackets(two, [r.key])));
    expect(opened.signatures).toHaveLength(2);
    for (const result of opened.signatures!) expect(result).toMatchObject({ outcome: 'bad', identities: [] });
  });

  it('of which one is of an unknown version do not either', async () => {
    const strange = packet(2, Uint8Array.of(9, 0, 22, 10, 0, 0));
    const mixed = concatBytes(strange, one, literal(content));
    const opened = await open(reader, bare(await encryptPackets(mixed, [r.key])));
    expect(opened.signatures!.map(({ outcome }) => outcome)).toEqual(['bad', 'bad']);
  });
});

describe('a one-pass packet that says something else than the signature', () => {
  const wrong = (at: number, octet: number): Uint8Array => {
    const changed = Uint8Array.from(onePass(signature));
    // Behind six octets of header: version, type, hash, algorithm, key id, nested.
    changed[6 + at] = octet;
    return changed;
  };
  const { hash } = library.enums;

  it.each([
    ['the type of a text signature', wrong(1, library.enums.signature.text)],
    ['another hash', wrong(2, hash.sha256)],
    ['a broken hash', wrong(2, hash.md5)],
    ['another algorithm', wrong(3, 1)],
    ['another key', wrong(4, 0xff)],
    ['that another follows', wrong(12, 0)],
  ])('%s: the signature alone counts, over the content as it is', async (_, announced) => {
    for (const [text, outcome] of [
      [content, 'good'],
      [concatBytes(content, utf8(' EVIL')), 'bad'],
    ] as const) {
      const message = bare(await encryptPackets(concatBytes(announced, literal(text), one), [r.key]));
      const opened = await open(reader, message).catch((error: unknown) => error);
      // Refused, or told apart: never good over something else.
      if (opened instanceof E2eError) expect(opened.code).toBe('ERR_E2E_DECRYPTION_FAILED');
      else {
        const result = expectOutcome(opened as Awaited<ReturnType<typeof open>>, outcome);
        expect(result.algorithm).toBe('ed25519 sha512');
      }
    }
  });
});

describe('signatures made for something else', () => {
  const key = j.key.keyPacket;
  const thing = { key, userID: j.key.users[0]!.userID };
  it.each([
    ['a certification of a User ID', types.certGeneric, thing],
    ['a direct-key signature', types.key, thing],
    ['a revocation of a key', types.keyRevocation, thing],
    ['a standalone signature', types.standalone, thing],
    ['a timestamp', types.timestamp, signedLiteral(content)],
  ])('%s signs no message', async (_, made, about) => {
    const other = await makeSignature(key, about, { type: made, at });
    const packets = concatBytes(onePass(other), literal(content), signaturePacket(other));
    expectOutcome(await open(reader, bare(packets)), 'bad', 'not a signature over a message');
    expectOutcome(await open(reader, bare(await encryptPackets(packets, [r.key]))), 'bad');
    // Nor with its type octet changed to that of a message.
    const renamed = Uint8Array.from(packets);
    // Behind six octets of header and the version.
    const place = renamed.length - signaturePacket(other).length + 7;
    expect(renamed[place]).toBe(made);
    renamed[place] = types.binary;
    const opened = await open(reader, bare(renamed)).catch((error: unknown) => error);
    if (!(opened instanceof E2eError)) expectOutcome(opened as Awaited<ReturnType<typeof open>>, 'bad');
  });
});

describe('a detached signature and an inline one', () => {
  it('are over the same octets or none', async () => {
    const lf = utf8(new TextDecoder().decode(content).replaceAll('\r\n', '\n'));
    const message = concatBytes(onePass(signature), literal(lf), one);
    expectOutcome(await open(reader, bare(message)), 'bad', 'the signature does not fit');
    const asText = await makeSignature(j.key.keyPacket, signedLiteral(content), { type: types.text, at });
    const text = concatBytes(onePass(asText), literal(lf, 't'), signaturePacket(asText));
    const opened = await open(reader, bare(text));
    expectOutcome(opened, 'good');
    expect(opened.content).toEqual(content);
  });
});

it('the name, date and format of a literal are not signed and not shown', async () => {
  const body = concatBytes(utf8('b\x08evil.exe'), Uint8Array.of(1, 2, 3, 4), content);
  const named = concatBytes(onePass(signature), packet(11, body), one);
  const opened = await open(reader, bare(named));
  const result = expectOutcome(opened, 'good');
  expect(JSON.stringify([opened.content, result])).not.toContain('evil');
});

describe('around the encrypted data', () => {
  it('nothing may stand', async () => {
    const message = await encryptPackets(signed, [r.key]);
    for (const other of [
      concatBytes(message, evil),
      concatBytes(evil, message),
      concatBytes(message, message),
      concatBytes(message, one),
    ]) {
      const layer = bare(other);
      const opening = reader.decrypt({ ...call(), entity: layer, me: romeo, sender: juliet });
      await refusal(opening, 'ERR_E2E_MALFORMED', 'decrypt');
    }
  });
});
