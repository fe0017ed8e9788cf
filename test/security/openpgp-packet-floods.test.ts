/** Packets that say nothing, by the hundred thousand, and signatures in signatures: the reader must not follow. */
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { encryptPackets, literal, packet, seipdV1, sessionKeys } from '../unit/openpgp/forge.ts';
import { backendOf, bare, content, juliet, open, person, refusal, romeo } from '../unit/openpgp/scene.ts';
import { cpuTime } from '../cpu-time.ts';

const j = await person(juliet);
const r = await person(romeo);
const his = backendOf(r, [j]);

/** The best of three, in milliseconds. */
async function timed(doing: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const start = cpuTime();
    await doing();
    best = Math.min(best, cpuTime() - start);
  }
  return best;
}

describe('session keys', () => {
  const key = randomBytes(32);
  const data = seipdV1(literal(content), key);

  it('64 are read, 65 are not', async () => {
    const strange = packet(1, Buffer.of(3), randomBytes(8), Buffer.of(18), Buffer.alloc(40));
    const own = await sessionKeys(key, [r.key]);
    const message = (count: number) =>
      bare(Buffer.concat([...Array.from({ length: count - 1 }, () => strange), own, data]));
    expect((await open(his, message(64))).content).toEqual(content);
    await refusal(open(his, message(65)), 'ERR_E2E_LIMIT', 'decrypt');
  });

  it('session keys for passwords count, and Argon2 is never computed', async () => {
    // Version 4, AES-256, Argon2 with 2^31 KiB.
    const argon2 = packet(3, Buffer.of(4, 9, 4), randomBytes(16), Buffer.of(255, 1, 31), randomBytes(33));
    const alone = bare(Buffer.concat([argon2, data]));
    expect(await timed(() => refusal(open(his, alone), 'ERR_E2E_NO_DECRYPTION_KEY', 'decrypt'))).toBeLessThan(50);
    const flood = bare(Buffer.concat([...Array.from({ length: 65 }, () => argon2), data]));
    await refusal(open(his, flood), 'ERR_E2E_LIMIT', 'decrypt');
  });
});

const floods = [
  ['unknown packets', Buffer.of(0xfc, 0)],
  ['padding', Buffer.of(0xd5, 0)],
  ['markers', Buffer.of(0xca, 3, 0x50, 0x47, 0x50)],
] as const;

describe('floods of packets', () => {
  it.each(floods)('%s outside are refused at once', async (_, one) => {
    const many = Buffer.alloc(100_000, one);
    const message = bare(Buffer.concat([await encryptPackets(literal(content), [r.key]), many]));
    expect(await timed(() => refusal(open(his, message), 'ERR_E2E_LIMIT', 'decrypt'))).toBeLessThan(50);
  });

  it.each(floods)('%s inside are counted, not read', async (_, one) => {
    const many = Buffer.concat([literal(content), Buffer.alloc(500_000, one)]);
    const compressed = packet(8, Buffer.of(1), deflateRawSync(many));
    expect(compressed.length).toBeLessThan(5000);
    for (const inside of [many, compressed]) {
      const message = bare(await encryptPackets(inside, [r.key]));
      await refusal(open(his, message), 'ERR_E2E_DECRYPTION_FAILED');
      expect(await timed(() => refusal(open(his, message), 'ERR_E2E_DECRYPTION_FAILED'))).toBeLessThan(200);
    }
    await refusal(open(his, bare(compressed)), 'ERR_E2E_LIMIT', 'verify');
  });

  it('a few of each do no harm', async () => {
    const few = Buffer.concat(floods.map(([, one]) => Buffer.alloc(one.length * 5, one)));
    const message = await encryptPackets(Buffer.concat([few, literal(content), few]), [r.key]);
    expect((await open(his, bare(message))).content).toEqual(content);
  });

  it('counting does not touch what an application does with openpgp.js itself', async () => {
    const message = Buffer.concat([literal(content), Buffer.alloc(2 * 500, Buffer.of(0xd5, 0))]);
    const sealed = await encryptPackets(message, [r.key]);
    const opened = await library.decrypt({
      message: await library.readMessage({ binaryMessage: sealed }),
      decryptionKeys: r.key,
      format: 'binary',
    });
    expect(opened.data).toEqual(content);
  });

  it('signatures in signatures do not overflow the stack', async () => {
    let embedded: Uint8Array = Buffer.of(4, 0x18, 22, 10, 0, 6, 5, 2, 0, 0, 0, 1, 0, 0, 0, 0);
    while (embedded.length < 60_000) {
      const length = Buffer.alloc(5);
      length[0] = 255;
      length.writeUInt32BE(embedded.length + 1, 1);
      const area = Buffer.concat([Buffer.of(5, 2, 0, 0, 0, 1), length, Buffer.of(32), embedded]);
      const size = Buffer.of(area.length >> 8, area.length & 255);
      embedded = Buffer.concat([Buffer.of(4, 0x18, 22, 10), size, area, Buffer.of(0, 0, 0, 0)]);
    }
    const message = Buffer.concat([packet(2, embedded), literal(content)]);
    const opened = await open(his, bare(message)).catch((error: unknown) => error);
    expect(opened).toMatchObject(opened instanceof Error ? { name: 'E2eError' } : { signatures: [{ outcome: 'bad' }] });
  });
});
