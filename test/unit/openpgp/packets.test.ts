/** Packet framing (RFC 4880 section 4.2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPackets, tag, writePacket } from '../../../src/backends/openpgp/packets.ts';
import { concatBytes } from '../../../src/bytes.ts';

const options = { stage: 'decrypt', maxPackets: 4 } as const;
const body = (length: number): Uint8Array => new Uint8Array(length).fill(7);

describe('packets', () => {
  // The examples of RFC 4880 section 4.2.3.
  it.each([
    [100, [0x64]],
    [1723, [0xc5, 0xfb]],
    [100_000, [0xff, 0x00, 0x01, 0x86, 0xa0]],
  ])('a length of %i octets', (length, encoded) => {
    const written = writePacket(tag.literal, body(length));
    expect([...written.subarray(1, 1 + encoded.length)]).toEqual(encoded);
    expect(readPackets(written, options)).toEqual([{ tag: tag.literal, body: body(length) }]);
  });

  it('reads its own writing', () => {
    const packet = fc.record({ tag: fc.integer({ min: 0, max: 63 }), body: fc.uint8Array({ maxLength: 9000 }) });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 4 }), (packets) => {
        const bytes = concatBytes(...packets.map((one) => writePacket(one.tag, one.body)));
        expect(readPackets(bytes, options)).toEqual(packets);
      }),
    );
  });

  it.each([
    [[0x80 | (2 << 2), 3], 3],
    [[0x80 | (2 << 2) | 1, 0, 3], 3],
    [[0x80 | (2 << 2) | 2, 0, 0, 0, 3], 3],
    [[0x80 | (2 << 2) | 3], 3],
  ])('old format %j', (header, length) => {
    const bytes = concatBytes(Uint8Array.from(header), body(length));
    expect(readPackets(bytes, options)).toEqual([{ tag: tag.signature, body: body(length) }]);
  });

  it('partial lengths, the first of 512 octets or more', () => {
    const parts = [
      Uint8Array.of(0xc0 | tag.literal, 224 + 9),
      body(512),
      Uint8Array.of(224),
      body(1),
      Uint8Array.of(2),
    ];
    const bytes = concatBytes(...parts, body(2));
    expect(readPackets(bytes, options)).toEqual([{ tag: tag.literal, body: body(515) }]);
  });

  it.each([
    ['no packet', [0x30, 0]],
    ['no length', [0xc2]],
    ['cut length', [0xc2, 0xc5]],
    ['cut body', [0xc2, 5, 1]],
    ['a length of 2 GiB', [0xc2, 0xff, 0x80, 0, 0, 0]],
    ['cut old length', [0x80 | (2 << 2) | 2, 0, 0]],
    ['partial length of a signature', [0xc2, 224 + 9, ...body(512), 0]],
    ['short first part', [0xc0 | tag.literal, 224 + 8, ...body(256), 0]],
    ['cut after a part', [0xc0 | tag.literal, 224 + 9, ...body(512)]],
  ])('refuses: %s', (_, bytes) => {
    expect(() => readPackets(Uint8Array.from(bytes), options)).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED', stage: 'decrypt' }) as Error,
    );
  });

  it('counts', () => {
    const four = concatBytes(...Array.from({ length: 4 }, () => writePacket(tag.marker, body(3))));
    expect(readPackets(four, options)).toHaveLength(4);
    expect(() => readPackets(concatBytes(four, four), options)).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }) as Error,
    );
  });
});
