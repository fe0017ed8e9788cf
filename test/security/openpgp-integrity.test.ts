/** Ciphertext that somebody changed (EFAIL and older): nothing of it is released, and every failure looks the same. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encryptPackets, inlineSigned, literal, packet, sed, seipdV1, sessionKeys } from '../unit/openpgp/forge.ts';
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
import { readPackets, writePacket } from '../../src/backends/openpgp/packets.ts';
import { E2eError } from '../../src/errors.ts';

const j = await person(juliet);
const r = await person(romeo);
const his = backendOf(r, [j]);
const signed = await inlineSigned(content, j.key.keyPacket);

describe('no integrity protection', () => {
  it('the old packet (tag 9) is refused before a key is touched', async () => {
    const key = randomBytes(32);
    const message = Buffer.concat([await sessionKeys(key, [r.key]), sed(signed, key)]);
    await refusal(open(his, bare(message)), 'ERR_E2E_WEAK_ALGORITHM', 'decrypt');
  });

  it('the new packet under the tag of the old one is refused too', async () => {
    const message = await encryptPackets(signed, [r.key]);
    const [keys, data] = readPackets(message, { stage: 'decrypt', maxPackets: 2 });
    const changed = Buffer.concat([writePacket(keys!.tag, keys!.body), packet(9, data!.body.subarray(1))]);
    await refusal(open(his, bare(changed)), 'ERR_E2E_WEAK_ALGORITHM', 'decrypt');
  });

  it('without MDC nothing decrypts', async () => {
    const message = await encryptPackets(signed, [r.key], { mdc: false });
    await refusal(open(his, bare(message)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
  });

  it('with the MDC cut off nothing decrypts', async () => {
    const key = randomBytes(32);
    const whole = seipdV1(signed, key).subarray(6);
    for (const cut of [1, 20, 22, 100]) {
      const message = Buffer.concat([await sessionKeys(key, [r.key]), packet(18, whole.subarray(0, -cut))]);
      await refusal(open(his, bare(message)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
    }
    const stub = Buffer.concat([await sessionKeys(key, [r.key]), packet(18, whole.subarray(0, 30))]);
    await refusal(open(his, bare(stub)), 'ERR_E2E_MALFORMED', 'decrypt');
  });

  it('with the right MDC it opens', async () => {
    expectOutcome(await open(his, bare(await encryptPackets(signed, [r.key]))), 'good');
  });
});

describe('flipped bits', () => {
  it('every octet of the encrypted data: never delivered, always the same words', async () => {
    const message = await encryptPackets(literal(content), [r.key]);
    const start = message.length - seipdV1(literal(content), randomBytes(32)).length + 7;
    const words = new Set<string>();
    for (let i = start; i < message.length; i++) {
      const changed = Uint8Array.from(message);
      changed[i]! ^= 1 << (i % 8);
      const error = await refusal(open(his, bare(changed)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
      words.add(JSON.stringify([error, error.message, error.encryption]));
    }
    expect(words.size).toBe(1);
  });

  it('every octet of the session key packet: refused, or not for me', async () => {
    const message = await encryptPackets(signed, [r.key]);
    const end = message.length - seipdV1(signed, randomBytes(32)).length;
    const codes = new Map<string, number>();
    for (let i = 0; i < end; i++) {
      const changed = Uint8Array.from(message);
      changed[i]! ^= 1 << (i % 8);
      const error: unknown = await Promise.resolve()
        .then(() => open(his, bare(changed)))
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(E2eError);
      const { code } = error as E2eError;
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(codes.get('ERR_E2E_DECRYPTION_FAILED')).toBeGreaterThan(50);
    expect(codes.get('ERR_E2E_NO_DECRYPTION_KEY')).toBeGreaterThanOrEqual(8);
  });
});
