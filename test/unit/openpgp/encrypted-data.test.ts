/** Versions, ciphers and modes of encrypted data (RFC 9580 section 5.13, and the packet of LibrePGP). */
import { randomBytes } from 'node:crypto';
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { literal, makeSignature, packet, sessionKeys, signaturePacket, signedLiteral } from './forge.ts';
import { at, backendOf, bare, call, content, expectOutcome, juliet, open, person, refusal, romeo } from './scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const his = backendOf(r, [j]);
const { aead, symmetric, signature: types } = library.enums;
// The library's packet list stops at the first data packet, so that the signature comes first.
const signed = Buffer.concat([
  signaturePacket(await makeSignature(j.key.keyPacket, signedLiteral(content), { type: types.binary, at })),
  literal(content),
]);

interface Writable {
  packets: unknown;
  aeadAlgorithm: number;
  encrypt(cipher: number, key: Uint8Array, config: object): Promise<unknown>;
  write(): Uint8Array | { getReader(): ReadableStreamDefaultReader<Uint8Array> };
}

async function octets(written: ReturnType<Writable['write']>): Promise<Uint8Array> {
  if (written instanceof Uint8Array) return written;
  const chunks: Uint8Array[] = [];
  const reader = written.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) chunks.push(step.value);
  return Buffer.concat(chunks);
}

/** The message inside an encrypted data packet that the library writes. */
async function sealedBy(made: Writable, tag: number, chunkSize = 6, inside: Uint8Array = signed): Promise<Uint8Array> {
  const message = await library.readMessage({ binaryMessage: inside });
  made.packets = message.packets;
  const key = randomBytes(32);
  const config = { ...library.config, aeadChunkSizeByte: chunkSize };
  await made.encrypt(symmetric.aes256, key, config);
  return Buffer.concat([await sessionKeys(key, [r.key]), packet(tag, await octets(made.write()))]);
}

describe('the packet of LibrePGP (tag 20)', () => {
  it.each([
    ['ocb', aead.ocb],
    ['eax', aead.eax],
  ])('%s is read', async (name, algorithm) => {
    const made = new library.AEADEncryptedDataPacket() as unknown as Writable;
    made.aeadAlgorithm = algorithm;
    const message = await sealedBy(made, 20);
    const layer = bare(message);
    const request = { ...call(), entity: layer, me: romeo, sender: juliet };
    const opened = await his.decrypt(request);
    expectOutcome(opened, 'good');
    expect(opened.encryption).toEqual({ cipher: `aes256-${name}`, aead: true, keyTransport: ['ecdh'] });
    for (let i = message.length - 1; i > message.length - 200; i -= 7) {
      const changed = Uint8Array.from(message);
      changed[i]! ^= 1;
      await refusal(open(his, bare(changed)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
    }
    expect(await his.inspect(layer, call().limits)).toMatchObject({ title: 'LibrePGP AEAD' });
  });
});

describe('what is not read', () => {
  const key = randomBytes(32);
  const body = (...start: readonly number[]) => Buffer.concat([Buffer.from(start), Buffer.alloc(100)]);

  it.each([
    ['SEIPD version 3', 18, body(3), 'ERR_E2E_UNSUPPORTED'],
    ['SEIPD version 0', 18, body(0), 'ERR_E2E_UNSUPPORTED'],
    ['AEAD packet version 2 of no kind', 20, body(9, 9, 2, 6), 'ERR_E2E_UNSUPPORTED'],
    ['Camellia', 18, body(2, 13, 2, 6), 'ERR_E2E_UNSUPPORTED'],
    ['Triple DES', 18, body(2, 2, 2, 6), 'ERR_E2E_UNSUPPORTED'],
    ['an unknown AEAD mode', 18, body(2, 9, 4, 6), 'ERR_E2E_UNSUPPORTED'],
    ['chunks of 8 MiB', 18, body(2, 9, 2, 17), 'ERR_E2E_UNSUPPORTED'],
    ['nothing', 18, Buffer.alloc(0), 'ERR_E2E_UNSUPPORTED'],
    ['version 2 cut off', 18, Buffer.of(2, 9, 2, 6, 0), 'ERR_E2E_MALFORMED'],
    ['version 1 cut off', 18, Buffer.of(1, 9, 2, 6, 0), 'ERR_E2E_MALFORMED'],
  ])('%s', async (_, tag, data, code) => {
    const message = bare(Buffer.concat([await sessionKeys(key, [r.key]), packet(tag, data)]));
    await refusal(open(his, message), code as 'ERR_E2E_MALFORMED', 'decrypt');
  });

  it('session keys of the other version are left aside', async () => {
    const data = packet(18, Buffer.concat([Buffer.of(2, 9, 2, 6), randomBytes(200)]));
    const message = bare(Buffer.concat([await sessionKeys(key, [r.key]), data]));
    await refusal(open(his, message), 'ERR_E2E_NO_DECRYPTION_KEY', 'decrypt');
  });

  it.each([
    ['version 4', Buffer.of(4, 0, 0, 0, 0, 0, 0, 0, 0, 18)],
    ['cut off', Buffer.of(3, 0, 0, 0, 0)],
    ['a fingerprint of another length', Buffer.of(6, 10, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25)],
    ['version 6 cut off', Buffer.of(6, 33, 6)],
    ['empty', Buffer.alloc(0)],
  ])('a session key packet: %s', async (_, strange) => {
    const data = packet(18, Buffer.concat([Buffer.of(1), randomBytes(200)]));
    await refusal(open(his, bare(Buffer.concat([packet(1, strange), data]))), 'ERR_E2E_NO_DECRYPTION_KEY', 'decrypt');
  });

  it('a session key for another cipher than it is long', async () => {
    const data = packet(18, Buffer.concat([Buffer.of(1), randomBytes(200)]));
    const short = await sessionKeys(randomBytes(16), [r.key], { algorithm: 'aes128' });
    await refusal(open(his, bare(Buffer.concat([short, data]))), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
  });

  it('an empty content is content', async () => {
    const made = new library.AEADEncryptedDataPacket() as unknown as Writable;
    made.aeadAlgorithm = aead.ocb;
    const opened = await open(his, bare(await sealedBy(made, 20, 6, literal(''))));
    expect(opened.content).toHaveLength(0);
    expect(opened.signatures).toBeUndefined();
  });
});
