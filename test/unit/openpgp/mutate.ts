/** Seeded mutations of octets. */

/** Mulberry32: the same mutants everywhere. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export type Next = ReturnType<typeof random>;

/** One change, sometimes several: bits, octets, runs cut out, doubled or moved, lengths that lie, a cut end. */
export function mutate(original: Uint8Array, next: Next, landmarks: readonly number[] = [0]): Uint8Array {
  let bytes = Buffer.from(original);
  for (let count = next(4) === 0 ? 1 + next(4) : 1; count > 0; count--) {
    const at = next(bytes.length);
    const length = 1 + next(Math.min(24, bytes.length));
    const run = bytes.subarray(at, at + length);
    switch (next(9)) {
      case 0:
        bytes[at]! ^= 1 << next(8);
        break;
      case 1:
        bytes[at] = next(256);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), run, bytes.subarray(at)]);
        break;
      case 4:
        bytes = bytes.subarray(0, Math.max(1, at));
        break;
      case 5:
        bytes.fill([0, 0xff, 0x80, 0x7f][next(4)]!, at, Math.min(bytes.length, at + length));
        break;
      case 6: {
        // Where tags, lengths, versions and algorithms are.
        const landmark = landmarks[next(landmarks.length)]! + next(16);
        bytes[Math.min(bytes.length - 1, landmark)] = next(256);
        break;
      }
      case 7:
        bytes = Buffer.concat([bytes, bytes.subarray(at)]);
        break;
      default: {
        const other = next(bytes.length);
        const moved = Buffer.from(run);
        bytes.copy(bytes, at, other, other + length);
        moved.copy(bytes, other);
      }
    }
    if (bytes.length === 0) bytes = Buffer.of(0);
  }
  return new Uint8Array(bytes);
}
