/** The checksum of ASCII armor (RFC 4880 section 6.1), eight octets at a time. */

const generator = 0x864cfb00;
const start = 0xb704ce00;

/** tables[k][octet]: what an octet is worth with k more octets behind it, in the upper 24 bits of a word. */
const tables: readonly Int32Array[] = Array.from({ length: 8 }, () => new Int32Array(256));
for (let octet = 0; octet < 256; octet++) {
  let crc = octet << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? generator : 0);
  tables[0]![octet] = crc;
}
for (let octet = 0; octet < 256; octet++) {
  let crc = tables[0]![octet]!;
  for (const table of tables.slice(1)) {
    crc = (crc << 8) ^ tables[0]![crc >>> 24]!;
    table[octet] = crc;
  }
}

/** The CRC-24 of octets, in three octets. */
export function crc24(data: Uint8Array): Uint8Array {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [Int32Array, ...Int32Array[]];
  let crc = start;
  let i = 0;
  for (const last = data.length - 7; i < last; i += 8) {
    crc =
      t7![(crc >>> 24) ^ data[i]!]! ^
      t6![((crc >>> 16) & 255) ^ data[i + 1]!]! ^
      t5![((crc >>> 8) & 255) ^ data[i + 2]!]! ^
      t4![data[i + 3]!]! ^
      t3![data[i + 4]!]! ^
      t2![data[i + 5]!]! ^
      t1![data[i + 6]!]! ^
      t0[data[i + 7]!]!;
  }
  for (; i < data.length; i++) crc = (crc << 8) ^ t0[(crc >>> 24) ^ data[i]!]!;
  return Uint8Array.of(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255);
}
