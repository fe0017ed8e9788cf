/**
 * Messages of other shapes than RFC 9580 section 10.3 allows: whatever stands beside the signed literal would be shown
 * as if it were signed (CVE-2025-47934), and of several signatures nobody can say which one counts.
 */
import { describe, expect, it } from 'vitest';
import * as library from 'openpgp';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import {
  compressed,
  encryptPackets,
  inlineSigned,
  literal,
  makeSignature,
  onePass,
  packet,
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
const type = library.enums.signature.binary;
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
