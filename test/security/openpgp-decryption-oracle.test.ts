/**
 * Bleichenbacher and padding oracles: whatever goes wrong after the private key was used gives one error, word for
 * word, and the same amount of work.
 */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { limitsWith } from '../../src/limits.ts';
import { inlineSigned, literal, packet, seipdV1 } from '../unit/openpgp/forge.ts';
import {
  backendOf,
  bare,
  content,
  expectOutcome,
  juliet,
  open,
  person,
  refusal,
  romeo,
} from '../unit/openpgp/scene.ts';

const j = await person(juliet);
const r = await person(romeo, 'rsa2048');
const his = backendOf(r, [j]);
const limits = limitsWith({ decryptedBytes: 20_000, decompressedBytes: 20_000 });

const { n, e } = r.key.subkeys[0]!.keyPacket.publicParams as unknown as { n: Uint8Array; e: Uint8Array };
const word = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const publicKey = createPublicKey({ key: { kty: 'RSA', n: word(n), e: word(e) }, format: 'jwk' });
const keyId = Buffer.from(r.key.subkeys[0]!.getKeyID().toHex(), 'hex');

const session = randomBytes(32);

function checksum(key: Uint8Array): Buffer {
  const sum = key.reduce((total, octet) => total + octet, 0) & 0xffff;
  return Buffer.of(sum >> 8, sum & 255);
}

/** A session key packet around a padded block, or a block that is padded right around a session key. */
function sessionPacket(block: Uint8Array, raw = false): Buffer {
  const padding = raw ? constants.RSA_NO_PADDING : constants.RSA_PKCS1_PADDING;
  const octets = publicEncrypt({ key: publicKey, padding }, block);
  return packet(1, Buffer.of(3), keyId, Buffer.of(1, 8, 0), octets) as Buffer;
}

/** EM of RFC 8017 section 7.2.1 with whatever first octets, padding and end. */
function padded(start: readonly number[], message: Uint8Array, zero = 0, filler = 7): Uint8Array {
  const length = 256 - start.length - 1 - message.length;
  return Buffer.concat([Buffer.from(start), Buffer.alloc(length, filler), Buffer.of(zero), message]);
}

const right = Buffer.concat([Buffer.of(9), session, checksum(session)]);
const signed = await inlineSigned(content, j.key.keyPacket);
const good = seipdV1(signed, session);

/**
 * No packet, since the highest bit of a tag is set (RFC 9580 section 4.2), and no deflated data, since that has no block
 * of type 3 (RFC 1951 section 3.2.3). Random octets are a message now and then.
 */
const nonsense = (length: number): Buffer => Buffer.alloc(length, 7);

const wrong: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
  ['another session key', sessionPacket(Buffer.concat([Buffer.of(9), randomBytes(32), Buffer.of(1, 2)])), good],
  ['wrong checksum', sessionPacket(Buffer.concat([Buffer.of(9), session, Buffer.of(1, 2)])), good],
  ['another cipher of that length', sessionPacket(Buffer.concat([Buffer.of(10), session, checksum(session)])), good],
  ['no such cipher', sessionPacket(Buffer.concat([Buffer.of(99), session, checksum(session)])), good],
  ['a session key too short', sessionPacket(right.subarray(0, 20)), good],
  ['an empty session key', sessionPacket(Buffer.alloc(0)), good],
  ['a session key too long', sessionPacket(Buffer.concat([right, right])), good],
  ['block type 1', sessionPacket(padded([0, 1], right), true), good],
  ['first octet not zero', sessionPacket(padded([1, 2], right), true), good],
  ['no zero after the padding', sessionPacket(padded([0, 2], right, 5), true), good],
  ['zero inside the padding', sessionPacket(padded([0, 2, 7, 7, 7, 7, 0], right), true), good],
  ['no padding at all', sessionPacket(padded([0, 2, 0], right), true), good],
  ['all zeros', sessionPacket(Buffer.concat([Buffer.alloc(255), Buffer.of(1)]), true), good],
  ['wrong MDC', sessionPacket(right), flipped(good)],
  ['no MDC', sessionPacket(right), seipdV1(signed, session, { mdc: false })],
  ['no packets inside', sessionPacket(right), seipdV1(nonsense(200), session)],
  ['another message inside', sessionPacket(right), seipdV1(Buffer.concat([signed, signed]), session)],
  ['content over the limit', sessionPacket(right), seipdV1(literal(Buffer.alloc(20_001)), session)],
  [
    'content over the limit once decompressed',
    sessionPacket(right),
    seipdV1(packet(8, Buffer.of(1), deflateRawSync(literal(Buffer.alloc(20_001)))), session),
  ],
  ['compressed nonsense', sessionPacket(right), seipdV1(packet(8, Buffer.of(1), nonsense(50)), session)],
  ['an unknown compression', sessionPacket(right), seipdV1(packet(8, Buffer.of(77), randomBytes(50)), session)],
];

function flipped(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[changed.length - 1]! ^= 1;
  return changed;
}

describe('RSA', () => {
  it('with everything right opens', async () => {
    const opened = await open(his, bare(Buffer.concat([sessionPacket(right), good])), { call: { limits } });
    expectOutcome(opened, 'good');
    const raw = Buffer.concat([sessionPacket(padded([0, 2], right), true), good]);
    expectOutcome(await open(his, bare(raw), { call: { limits } }), 'good');
  });

  it('with anything wrong gives one error, word for word', async () => {
    const words = new Map<string, string>();
    for (const [name, key, data] of wrong) {
      const message = bare(Buffer.concat([key, data]));
      const error = await refusal(open(his, message, { call: { limits } }), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
      const shape = JSON.stringify([error, error.message, error.reason, error.encryption, Object.keys(error).sort()]);
      words.set(shape, name);
    }
    expect([...words]).toHaveLength(1);
  });

  it('takes the same time for a right and a wrong padding', async () => {
    const kinds = [
      Buffer.concat([sessionPacket(right), flipped(good)]),
      Buffer.concat([sessionPacket(padded([0, 1], right), true), flipped(good)]),
      Buffer.concat([sessionPacket(padded([0, 2], right, 5), true), flipped(good)]),
    ];
    const times: number[][] = kinds.map(() => []);
    for (let i = 0; i < 120; i++) {
      for (const [k, message] of kinds.entries()) {
        const start = performance.now();
        await refusal(open(his, bare(message)), 'ERR_E2E_DECRYPTION_FAILED');
        times[k]!.push(performance.now() - start);
      }
    }
    // The quickest tenth: what the machine does beside this only ever adds.
    const quick = (list: number[]): number => list.sort((a, b) => a - b)[list.length / 10]!;
    const [first, ...others] = times.map(quick);
    // The primitive itself is measured with the primitives; here a branch of milliseconds would show.
    for (const other of others) expect(Math.abs(other - first!)).toBeLessThan(Math.max(0.25 * first!, 0.3));
  });
});
