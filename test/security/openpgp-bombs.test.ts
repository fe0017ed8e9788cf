/** Small messages that cost much: compression, session keys, key derivation, packets without end. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as library from 'openpgp';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { openEntity } from '../../src/backends/openpgp/index.ts';
import { limitsWith } from '../../src/limits.ts';
import {
  compressed,
  encryptPackets,
  inlineSigned,
  literal,
  makeSignature,
  packet,
  seipdV1,
  sessionKeys,
} from '../unit/openpgp/forge.ts';
import {
  at,
  backendOf,
  bare,
  born,
  call,
  content,
  copyOf,
  expectOutcome,
  juliet,
  nothing,
  open,
  person,
  refusal,
  romeo,
  seal,
} from '../unit/openpgp/scene.ts';
import { cpuTime } from '../cpu-time.ts';

const j = await person(juliet);
const r = await person(romeo);
const reader = backendOf(r, [j]);

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = cpuTime();
  await work();
  return cpuTime() - start;
};

describe('compression', () => {
  it.each(['zip', 'zlib', 'bzip2'] as const)('100 MB out of %s stop at the limit', async (algorithm) => {
    const bomb = compressed(algorithm, literal(Buffer.alloc(100_000_000)));
    expect(bomb.length).toBeLessThan(110_000);
    const sealed = await encryptPackets(bomb, [r.key]);
    const before = process.memoryUsage().rss;
    const time = await timed(() => refusal(open(reader, bare(sealed)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt'));
    expect(time).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
    await refusal(open(reader, bare(bomb)), 'ERR_E2E_LIMIT', 'verify');
  });

  it('the limit is exact', async () => {
    const message = compressed('zip', await inlineSigned(content, j.key.keyPacket));
    const inside = (await inlineSigned(content, j.key.keyPacket)).length;
    for (const [decompressedBytes, fits] of [
      [inside - 1, false],
      [inside, true],
      [inside + 1, true],
    ] as const) {
      const call = { limits: limitsWith({ decompressedBytes }) };
      const opening = open(reader, bare(message), { call });
      if (fits) expectOutcome(await opening, 'good');
      else await refusal(opening, 'ERR_E2E_LIMIT', 'verify');
    }
  });
});

describe('session key packets', () => {
  it('2,000 of them are counted, not tried', async () => {
    const key = randomBytes(32);
    const [one] = [await sessionKeys(key, [r.key])];
    const signed = await inlineSigned(content, j.key.keyPacket);
    const many = (count: number): Uint8Array =>
      concatBytes(...Array.from({ length: count }, () => one), seipdV1(signed, key));
    const time = await timed(() => refusal(open(reader, bare(many(2000))), 'ERR_E2E_LIMIT', 'decrypt'));
    expect(time).toBeLessThan(100);
    expectOutcome(await open(reader, bare(many(63))), 'good');
    expectOutcome(await open(reader, bare(many(64))), 'good');
    await refusal(open(reader, bare(many(65))), 'ERR_E2E_LIMIT', 'decrypt');
  });

  it('64 hidden ones that are not for me end soon', async () => {
    const key = randomBytes(32);
    const other = await person(juliet);
    const one = await sessionKeys(key, [other.key], { wildcard: true });
    const message = concatBytes(...Array.from({ length: 64 }, () => one), seipdV1(literal('x'), key));
    const time = await timed(() => refusal(open(reader, bare(message)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt'));
    expect(time).toBeLessThan(3000);
  });

  it('65 recipients are refused when sealing too', async () => {
    const devices = await Promise.all(Array.from({ length: 3 }, () => person(romeo)));
    const from = backendOf(j, devices);
    for (const [recipients, fits] of [
      [2, false],
      [3, true],
      [4, true],
    ] as const) {
      const sealing = seal(from, 'encrypt', { call: { limits: limitsWith({ recipients }) } });
      if (fits) expect(await sealing).toBeInstanceOf(Uint8Array);
      else await refusal(sealing, 'ERR_E2E_LIMIT', 'encrypt');
    }
  });

  it('for a password are no way in: no password is ever asked for', async () => {
    const message = await library.createMessage({ binary: content });
    const sealed = (await library.encrypt({ message, passwords: 'x', format: 'binary' })) as Uint8Array;
    await refusal(open(reader, bare(sealed)), 'ERR_E2E_NO_DECRYPTION_KEY', 'decrypt');
  });
});

describe('packets without end', () => {
  it('100,000 unknown packets inside are not read one by one', async () => {
    const unknown = Buffer.alloc(200_000);
    for (let i = 0; i < unknown.length; i += 2) unknown[i] = 0xc0 | 60;
    const inside = concatBytes(await inlineSigned(content, j.key.keyPacket), unknown);
    const sealed = await encryptPackets(inside, [r.key]);
    const time = await timed(() => refusal(open(reader, bare(sealed)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt'));
    expect(time).toBeLessThan(1000);
    await refusal(open(reader, bare(inside)), 'ERR_E2E_LIMIT', 'verify');
    await refusal(open(reader, bare(concatBytes(sealed, unknown))), 'ERR_E2E_LIMIT', 'decrypt');
  });

  it('100,000 one-pass signatures neither', async () => {
    const onePass = packet(4, Uint8Array.of(3, 0, 10, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    const many = Buffer.concat(Array.from({ length: 50_000 }, () => onePass));
    const time = await timed(() => refusal(open(reader, bare(many)), 'ERR_E2E_LIMIT', 'verify'));
    expect(time).toBeLessThan(500);
  });

  it('half a million parts of one octet are put together outside, and at once inside', async () => {
    const first = Buffer.concat([Buffer.from([0xe9]), Buffer.from('b\0\0\0\0\0'), Buffer.alloc(506, 65)]);
    const parts = (tag: number, count: number): Buffer =>
      Buffer.concat([Buffer.from([0xc0 | tag]), first, Buffer.alloc(2 * count, Buffer.of(0xe0, 65)), Buffer.of(1, 65)]);
    const data = bare(parts(18, 500_000));
    await refusal(reader.decrypt({ ...call(), entity: data, me: romeo, sender: juliet }), 'ERR_E2E_UNSUPPORTED');
    await refusal(openEntity(data, { at }), 'ERR_E2E_UNSUPPORTED');
    const message = bare(await encryptPackets(parts(11, 100_000), [r.key]));
    let opened: Awaited<ReturnType<typeof open>> | undefined;
    const time = await timed(async () => void (opened = await open(reader, message)));
    expect(opened!.content).toHaveLength(506 + 100_001);
    // Packet by packet in openpgp.js it takes nine microseconds a part.
    expect(time).toBeLessThan(450);
  });

  it('a megabyte of one-octet partial lengths is refused', async () => {
    const partial = Buffer.concat([Buffer.from([0xd2]), Buffer.alloc(1_000_000, 0xe0)]);
    await refusal(open(reader, bare(partial)), 'ERR_E2E_MALFORMED').catch(() =>
      expect(reader.recognize(bare(partial))).toBeUndefined(),
    );
  });
});

describe('content over the limit', () => {
  it('is refused at n + 1 and taken at n', async () => {
    for (const [decryptedBytes, fits] of [
      [content.length - 1, false],
      [content.length, true],
      [content.length + 1, true],
    ] as const) {
      const call = { limits: limitsWith({ decryptedBytes }) };
      const sealing = seal(backendOf(j, [r]), 'sign+encrypt', { call });
      if (!fits) await refusal(sealing, 'ERR_E2E_LIMIT', 'encrypt');
      const opening = open(reader, await seal(backendOf(j, [r]), 'sign+encrypt'), { call });
      if (fits) expectOutcome(await opening, 'good');
      else await refusal(opening, 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
    }
    // Much too long shows without a key.
    const call = { limits: limitsWith({ decryptedBytes: 100 }) };
    const long = utf8(`Content-Type: text/plain\r\n\r\n${'x'.repeat(10_000)}`);
    await refusal(
      open(reader, await seal(backendOf(j, [r]), 'encrypt', { content: long }), { call }),
      'ERR_E2E_LIMIT',
      'decrypt',
    );
  });
});

describe('Argon2', () => {
  /** A key protected with Argon2 of a memory exponent in KiB. */
  const protectedKey = async (memoryExponent: number): Promise<Uint8Array> => {
    const key = await copyOf(r);
    const config = {
      ...library.config,
      s2kType: library.enums.s2k.argon2,
      aeadProtect: true,
      s2kArgon2Params: { passes: 1, parallelism: 1, memoryExponent },
    } as unknown as library.Config;
    return (await library.encryptKey({ privateKey: key, passphrase: 'x', config })).write();
  };

  it('opens a key within the limit, and none over it', async () => {
    const sealed = await seal(backendOf(j, [r]), 'sign+encrypt');
    const opening = async (secret: Uint8Array, argon2KiB: number): Promise<unknown> => {
      const to = backendOf({ ...r, secret }, [j], () => Promise.resolve('x'));
      return open(to, sealed, { call: { limits: limitsWith({ argon2KiB }) } });
    };
    const secret = await protectedKey(10);
    expectOutcome((await opening(secret, 1024)) as never, 'good');
    await refusal(opening(secret, 1023), 'ERR_E2E_KEY_UNAVAILABLE', 'decrypt');
    // A tebibyte by name, refused without an attempt.
    const greedy = Buffer.from(secret);
    const at = greedy.indexOf(Buffer.from([1, 1, 10, 9]));
    expect(at === -1 ? greedy.indexOf(Buffer.from([1, 1, 10])) : at).toBeGreaterThan(0);
    for (let i = greedy.indexOf(Buffer.from([1, 1, 10])); i !== -1; i = greedy.indexOf(Buffer.from([1, 1, 10])))
      greedy[i + 2] = 30;
    const time = await timed(() => refusal(opening(greedy, 65_536), 'ERR_E2E_KEY_UNAVAILABLE', 'decrypt'));
    expect(time).toBeLessThan(500);
  });
});

describe('certificates', () => {
  it('with too many self-signatures are not believed at all: junk would hide a revocation', async () => {
    const key = await copyOf(j);
    const thing = { key: key.keyPacket, userID: key.users[0]!.userID };
    const one = await makeSignature(key.keyPacket, thing, { type: 0x13, at: born, flags: 3 });
    key.users[0]!.selfCertifications = Array.from({ length: 300 }, () => one);
    const to = backendOf(r, [{ ...j, certificate: key.toPublic().write() }]);
    const opened = await open(to, bare(await inlineSigned(content, j.key.keyPacket)));
    expectOutcome(opened, 'unknown-signer');
    expect(await to.canSealTo(juliet, born)).toBe(false);
  });
});

it('an unreadable key file of mine is KEY_UNAVAILABLE, not a crash', async () => {
  const to = backendOf({ ...r, secret: nothing }, [j]);
  await refusal(open(to, await seal(backendOf(j, [r]), 'sign+encrypt')), 'ERR_E2E_KEY_UNAVAILABLE', 'decrypt');
});
