/** Packets that are to be ignored (RFC 9580 sections 4.3, 5.8 and 5.14) before a bare message or certificate. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstTag, readPackets } from '../../../src/backends/openpgp/packets.ts';
import { describeCertificate } from '../../../src/backends/openpgp/index.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { runs } from '../../shared-data.ts';
import { armored, encryptPackets, inlineSigned, packet } from './forge.ts';
import { backendOf, bare, content, expectOutcome, juliet, open, person, refusal, romeo } from './scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const his = backendOf(r, [j]);

/** One packet with a length of 1, 2, 4 or 5 octets, in the old or the new format. */
function framed(tag: number, form: 'old1' | 'old2' | 'old4' | 'new1' | 'new2' | 'new5', length: number): Buffer {
  const body = randomBytes(length);
  const old = { old1: 0, old2: 1, old4: 2 };
  if (form === 'new5') return Buffer.from(packet(tag, body));
  if (form === 'new1') return Buffer.concat([Buffer.of(0xc0 | tag, length), body]);
  if (form === 'new2') {
    return Buffer.concat([Buffer.of(0xc0 | tag, 192 + ((length - 192) >> 8), (length - 192) & 255), body]);
  }
  const octets = form === 'old1' ? 1 : form === 'old2' ? 2 : 4;
  const size = Buffer.alloc(4);
  size.writeUInt32BE(length);
  return Buffer.concat([Buffer.of(0x80 | (tag << 2) | old[form], ...size.subarray(4 - octets)), body]);
}

const marker = Buffer.concat([Buffer.of(0xca, 3), Buffer.from('PGP')]);
const starts: readonly (readonly [string, Buffer])[] = [
  ['a marker', marker],
  ['a marker in the old format', Buffer.concat([Buffer.of(0xa8, 3), Buffer.from('PGP')])],
  ['padding', framed(21, 'new1', 150)],
  ['padding of two length octets', framed(21, 'new2', 192)],
  ['more of it', framed(21, 'new2', 8383)],
  ['padding of five length octets', framed(21, 'new5', 70_000)],
  ['empty padding', framed(21, 'new1', 0)],
  ['an unknown packet', framed(40, 'new1', 7)],
  ['a private packet', framed(63, 'new5', 300)],
  ['sixteen of them', Buffer.concat(Array.from({ length: 16 }, () => marker))],
];

describe.each(starts)('before a bare message: %s', (_, start) => {
  it('does not hide that it is encrypted', async () => {
    const inside = await inlineSigned(content, j.key.keyPacket);
    const message = Buffer.concat([start, await encryptPackets(inside, [r.key])]);
    expect(his.recognize(bare(message))).toBe('encrypted');
    expect(his.recognize(bare(Buffer.from(armored('message', message))))).toBe('encrypted');
    const opened = await open(his, bare(message));
    expect(Buffer.from(opened.content)).toEqual(Buffer.from(content));
    expectOutcome(opened, 'good');
  });

  it('does not hide that it is signed', async () => {
    const message = Buffer.concat([start, await inlineSigned(content, j.key.keyPacket)]);
    expect(his.recognize(bare(message))).toBe('signed');
    expectOutcome(await open(his, bare(message)), 'good');
  });

  it('does not hide that it is a certificate', async () => {
    const certificate = j.key.toPublic().write();
    const file = Buffer.concat([start, certificate]);
    expect(his.recognize(bare(file))).toBe('certificates');
    expect(await his.importCertificates(bare(file), defaultLimits)).toMatchObject([
      { summary: { fingerprint: j.key.getFingerprint() } },
    ]);
    expect((await describeCertificate(file)).fingerprint).toBe(j.key.getFingerprint());
  });
});

describe('what is no message', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['DER', Buffer.of(0x30, 0x80)],
    ['a marker alone', marker],
    ['seventeen markers', Buffer.concat([...Array.from({ length: 17 }, () => marker), packet(1)])],
    ['a marker that is cut off', Buffer.of(0xca)],
    ['a length beyond the end', Buffer.of(0xd5, 255, 255, 255, 255, 255, 0xc1)],
    ['a partial length', Buffer.of(0xd5, 0xe9, ...Buffer.alloc(512), 0, 0xc1)],
    ['a marker up to the end', Buffer.of(0xab, 1, 0xc1)],
    ['a marker before text', Buffer.concat([marker, Buffer.from('Hi')])],
    ['a critical unknown packet', packet(39)],
    ['a marker before a User ID', Buffer.concat([marker, packet(13)])],
  ])('%s', (_, octets) => {
    expect(his.recognize(bare(octets))).toBeUndefined();
  });

  it('seventeen markers before a message are not recognized, and refused in PGP/MIME', async () => {
    const message = Buffer.concat([
      ...Array.from({ length: 100 }, () => marker),
      await encryptPackets(await inlineSigned(content, j.key.keyPacket), [r.key]),
    ]);
    expect(firstTag(message)).toBeUndefined();
    await refusal(his.decrypt({ ...requestOf(message) }), 'ERR_E2E_LIMIT', 'decrypt');
  });
});

function requestOf(message: Uint8Array): Parameters<typeof his.decrypt>[0] {
  const algorithms = {
    sha1Signatures: false,
    unsignedAttributes: false,
    rsaPkcs1v15: false,
    cbc: false,
    tripleDes: false,
    clockSkewSeconds: 0,
  };
  return { at: new Date(), limits: defaultLimits, algorithms, entity: bare(message), me: romeo, sender: juliet };
}

it('agrees with a full reading of the packets', () => {
  const forms = ['old1', 'old2', 'old4', 'new1', 'new2', 'new5'] as const;
  const one = fc
    .tuple(fc.nat(63), fc.constantFrom(...forms), fc.integer({ min: 192, max: 255 }))
    .map(([tag, form, n]) => {
      const length = form === 'new1' ? n - 192 : n;
      return framed(form.startsWith('old') ? tag & 15 : tag, form, length);
    });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 16 }), (packets) => {
      const bytes = Buffer.concat(packets);
      const all = readPackets(bytes, { stage: 'unwrap', maxPackets: 16 });
      expect(firstTag(bytes)).toBe(all.find(({ tag }) => tag !== 10 && tag !== 21 && tag < 40)?.tag);
    }),
    { numRuns: runs(5000), seed: 9580 },
  );
});
