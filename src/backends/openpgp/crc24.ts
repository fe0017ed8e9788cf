/** The checksum of ASCII armor (RFC 4880 section 6.1), eight octets at a time. */

const generator = 0x864cfb00;
const start = 0xb704ce00;

/** At 256 k + octet: what an octet is worth with k more octets behind it, in the upper 24 bits of a word. */
const table = new Int32Array(8 * 256);
for (let octet = 0; octet < 256; octet++) {
  let crc = octet << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? generator : 0);
  table[octet] = crc;
}
for (let i = 256; i < table.length; i++) {
  const crc = table[i - 256]!;
  table[i] = (crc << 8) ^ table[crc >>> 24]!;
}

/** The CRC-24 of octets, in one piece or one after the other, in three octets. */
export function crc24(data: Uint8Array | readonly Uint8Array[]): Uint8Array {
  let crc = start;
  for (const piece of data instanceof Uint8Array ? [data] : data) crc = continueCrc(crc, piece);
  return Uint8Array.of(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255);
}

function continueCrc(before: number, data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const t = table;
  let crc = before;
  let i = 0;
  for (const last = data.length - 7; i < last; i += 8) {
    const first = crc ^ view.getInt32(i);
    const second = view.getInt32(i + 4);
    crc =
      t[0x700 + (first >>> 24)]! ^
      t[0x600 + ((first >>> 16) & 255)]! ^
      t[0x500 + ((first >>> 8) & 255)]! ^
      t[0x400 + (first & 255)]! ^
      t[0x300 + (second >>> 24)]! ^
      t[0x200 + ((second >>> 16) & 255)]! ^
      t[0x100 + ((second >>> 8) & 255)]! ^
      t[second & 255]!;
  }
  for (; i < data.length; i++) crc = (crc << 8) ^ t[(crc >>> 24) ^ data[i]!]!;
  return crc;
}
