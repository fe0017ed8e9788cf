/** Encrypted data in AEAD modes on the primitives of the runtime, against openpgp.js's own. */
import { randomBytes } from 'node:crypto';
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openAeadData, sealAeadData } from '../../../src/backends/openpgp/aead-data.ts';
import { literal } from './forge.ts';

const { aead, symmetric } = library.enums;
const ciphers = [
  [symmetric.aes128, 16],
  [symmetric.aes192, 24],
  [symmetric.aes256, 32],
] as const;
const lengths = [0, 1, 15, 16, 17, 55, 56, 57, 63, 64, 65, 119, 120, 121, 1000, 70_000];

/** What openpgp.js has at run time. */
interface Data {
  packets: { write(): Uint8Array } | null;
  aeadAlgorithm: number;
  encrypt(cipher: number, key: Uint8Array, config: object): Promise<unknown>;
  decrypt(cipher: number, key: Uint8Array, config: object): Promise<unknown>;
  read(body: Uint8Array, config: object): Promise<void>;
  write(): Uint8Array | { getReader(): ReadableStreamDefaultReader<Uint8Array> };
}

async function octets(written: ReturnType<Data['write']>): Promise<Uint8Array> {
  if (written instanceof Uint8Array) return written;
  const chunks: Uint8Array[] = [];
  const reader = written.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) chunks.push(step.value);
  return Buffer.concat(chunks);
}

function emptySeipd(): Data {
  const Packet = library.SymEncryptedIntegrityProtectedDataPacket as unknown as {
    fromObject(o: { version: number; aeadAlgorithm: number }): Data;
  };
  return Packet.fromObject({ version: 2, aeadAlgorithm: aead.ocb });
}

function emptyLibre(): Data {
  const made = new library.AEADEncryptedDataPacket() as unknown as Data;
  made.aeadAlgorithm = aead.ocb;
  return made;
}

async function libraryBody(made: Data, inside: Uint8Array, cipher: number, key: Uint8Array, chunkSize: number) {
  made.packets = (await library.readMessage({ binaryMessage: inside })).packets;
  await made.encrypt(cipher, key, { ...library.config, aeadChunkSizeByte: chunkSize });
  return octets(made.write());
}

describe.each(ciphers)('AES number %i', (cipher, keyLength) => {
  it.each([0, 1, 6])('opens what the library seals in chunks of size %i', async (chunkSize) => {
    for (const length of lengths) {
      const key = randomBytes(keyLength);
      const inside = literal(randomBytes(length));
      // The library writes the literal again, with lengths of its own.
      const written = (await library.readMessage({ binaryMessage: inside })).packets.write();
      const seipd = await libraryBody(emptySeipd(), inside, cipher, key, chunkSize);
      expect(Buffer.from((await openAeadData(seipd, 2, key))!).equals(written)).toBe(true);
      const libre = await libraryBody(emptyLibre(), inside, cipher, key, chunkSize);
      expect(Buffer.from((await openAeadData(libre, 'libre', key))!).equals(written)).toBe(true);
    }
  });

  it('seals what the library opens', async () => {
    for (const length of [...lengths, 65_536 - 8, 65_536, 131_072]) {
      const key = randomBytes(keyLength);
      const content = randomBytes(length);
      // No Buffer, whose slice is no copy: the library would decrypt it in place.
      const body = Uint8Array.from(Buffer.concat(await sealAeadData(literal(content), cipher, aead.ocb, key)));
      const data = emptySeipd();
      await data.read(body, library.config);
      await data.decrypt(cipher, key, library.config);
      const message = new library.Message(data.packets as never);
      expect(Buffer.from(await octets(message.getLiteralData() as never)).equals(content)).toBe(true);
      expect(Buffer.from((await openAeadData(body, 2, key))!).equals(literal(content))).toBe(true);
    }
  });
});

describe('an attacker', () => {
  const key = randomBytes(16);
  /** Four full chunks of 64 octets and a rest. */
  const inside = literal(randomBytes(270));

  it.each(['seipd', 'libre'] as const)('changes, cuts, drops, swaps and adds chunks of %s in vain', async (kind) => {
    const version = kind === 'seipd' ? 2 : 'libre';
    const body = await libraryBody(kind === 'seipd' ? emptySeipd() : emptyLibre(), inside, symmetric.aes128, key, 0);
    expect(await openAeadData(body, version, key)).toBeDefined();
    const start = kind === 'seipd' ? 36 : 19;
    const chunk = (i: number): Uint8Array => body.subarray(start + 80 * i, start + 80 * (i + 1));
    const rest = body.subarray(start + 80 * 4);
    const head = body.subarray(0, start);
    for (let i = kind === 'seipd' ? 0 : 1; i < body.length; i++) {
      // The cipher is known from the key, and the version is how the caller came here.
      if (i < 3) continue;
      const changed = Uint8Array.from(body);
      changed[i]! ^= i === 3 ? 1 : 0x80;
      expect(await openAeadData(changed, version, key), `octet ${i}`).toBeUndefined();
    }
    for (let length = start + 16; length < body.length; length++) {
      expect(await openAeadData(body.subarray(0, length), version, key), `${length} octets`).toBeUndefined();
    }
    const arranged = (...parts: readonly Uint8Array[]) => openAeadData(Buffer.concat([head, ...parts]), version, key);
    expect(await arranged(chunk(0), chunk(1), chunk(2), chunk(3), rest)).toBeDefined();
    expect(await arranged(chunk(1), chunk(0), chunk(2), chunk(3), rest)).toBeUndefined();
    expect(await arranged(chunk(0), chunk(1), chunk(2), rest)).toBeUndefined();
    expect(await arranged(chunk(0), chunk(0), chunk(1), chunk(2), chunk(3), rest)).toBeUndefined();
    expect(await arranged(rest)).toBeUndefined();
    expect(await arranged(rest.subarray(-16))).toBeUndefined();
    expect(await openAeadData(body, version, randomBytes(16))).toBeUndefined();
  });
});
