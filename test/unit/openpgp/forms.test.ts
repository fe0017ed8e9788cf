/** multipart/encrypted (RFC 3156 section 4), bare messages, and how they are told apart. */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { concatBytes, toCrlf, utf8 } from '../../../src/bytes.ts';
import {
  armored,
  compressed,
  encryptPackets,
  inlineSigned,
  literal,
  makeSignature,
  onePass,
  packet,
  signaturePacket,
  signedLiteral,
} from './forge.ts';
import {
  at,
  backendOf,
  bare,
  call,
  content,
  entity,
  expectOutcome,
  juliet,
  open,
  person,
  refusal,
  romeo,
  seal,
} from './scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const sender = backendOf(j, [r]);
const reader = backendOf(r, [j]);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('multipart/encrypted (RFC 3156 section 4)', () => {
  it('has the two parts, armored, and shows nothing of the content', async () => {
    const sealed = await seal(sender, 'sign+encrypt');
    const shown = text(sealed);
    expect(entity(sealed).contentType!.parameters.get('protocol')).toBe('application/pgp-encrypted');
    expect(shown).toMatch(/Content-Type: application\/pgp-encrypted\r\n\r\nVersion: 1\r\n/);
    expect(shown).toMatch(/Content-Type: application\/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n/);
    expect(shown).not.toContain('Wherefore');
  });

  it('wants "Version: 1" and octet-stream', async () => {
    const sealed = text(await seal(sender, 'encrypt'));
    for (const [from, to, code] of [
      ['Version: 1', 'Version: 2', 'ERR_E2E_UNSUPPORTED'],
      ['protocol="application/pgp-encrypted"', 'protocol="application/x"', 'ERR_E2E_UNSUPPORTED'],
      ['Content-Type: application/octet-stream', 'Content-Type: text/html', 'ERR_E2E_MALFORMED'],
      ['MESSAGE-----\r\n\r\n', 'MESSAGE-----\r\nno header\r\n\r\n', 'ERR_E2E_MALFORMED'],
    ] as const) {
      expect(sealed).toContain(from);
      const changed = entity(Buffer.from(sealed.replace(from, to), 'latin1'));
      await refusal(reader.decrypt({ ...call(), entity: changed, me: romeo, sender: juliet }), code, 'unwrap');
    }
    const plain = reader.decrypt({ ...call(), entity: entity(content), me: romeo, sender: juliet });
    await refusal(plain, 'ERR_E2E_UNSUPPORTED', 'unwrap');
  });

  it('takes a multipart/signed inside (section 6.1)', async () => {
    const inner = await seal(sender, 'sign');
    const outer = await open(reader, await seal(sender, 'encrypt', { content: inner }));
    expect(outer.signatures).toBeUndefined();
    expectOutcome(await open(reader, outer.content), 'good');
  });

  it('keeps every octet of the content', async () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
    expect((await open(reader, await seal(sender, 'sign+encrypt', { content: bytes }))).content).toEqual(bytes);
  });
});

describe('bare messages', () => {
  it.each(['binary', 'armored'])('%s: signed, encrypted, and both', async (form) => {
    const wire = (message: Uint8Array): Uint8Array => (form === 'binary' ? message : utf8(armored('message', message)));
    const signed = await inlineSigned(content, j.key.keyPacket);
    const inline = await open(reader, bare(wire(signed)));
    expect(inline.content).toEqual(content);
    expectOutcome(inline, 'good');
    const both = await open(reader, bare(wire(await encryptPackets(signed, [r.key]))));
    expect(both.content).toEqual(content);
    expectOutcome(both, 'good');
    const unsigned = await open(reader, bare(wire(await encryptPackets(literal(content), [r.key]))));
    expect(unsigned).toMatchObject({ content, signatures: undefined });
  });

  it('reads what openpgp.js writes by itself', async () => {
    const message = await library.createMessage({ binary: content });
    const options = { message, encryptionKeys: r.key, signingKeys: j.key, date: at };
    const encrypted = (await library.encrypt({ ...options, format: 'binary' })) as Uint8Array;
    expectOutcome(await open(reader, bare(encrypted)), 'good');
  });

  it('reads the old form, signature before literal', async () => {
    const type = library.enums.signature.binary;
    const signature = await makeSignature(j.key.keyPacket, signedLiteral(content), { type, at });
    const old = concatBytes(signaturePacket(signature), literal(content));
    expectOutcome(await open(reader, bare(old)), 'good');
    expectOutcome(await open(reader, bare(await encryptPackets(old, [r.key]))), 'good');
  });

  it('delivers a text signature in canonical form', async () => {
    const lf = utf8('Content-Type: text/plain\n\none\ntwo\n');
    const type = library.enums.signature.text;
    const signature = await makeSignature(j.key.keyPacket, signedLiteral(toCrlf(lf)), { type, at });
    const message = concatBytes(onePass(signature), literal(lf, 't'), signaturePacket(signature));
    const opened = await open(reader, bare(message));
    expectOutcome(opened, 'good');
    expect(opened.content).toEqual(toCrlf(lf));
  });

  it.each(['zip', 'zlib', 'bzip2'] as const)('reads %s inside an encryption', async (algorithm) => {
    const signed = await inlineSigned(content, j.key.keyPacket);
    const octets = compressed(algorithm, signed);
    expectOutcome(await open(reader, bare(await encryptPackets(octets, [r.key]))), 'good');
    expectOutcome(await open(reader, bare(octets)), 'good');
  });

  it('reads padding, markers and unknown packets beside the data', async () => {
    const signed = await inlineSigned(content, j.key.keyPacket);
    const inside = concatBytes(packet(10, utf8('PGP')), signed, packet(21, new Uint8Array(99)), packet(61, utf8('x')));
    const message = await encryptPackets(inside, [r.key]);
    const outside = concatBytes(packet(10, utf8('PGP')), packet(59, utf8('x')), message, packet(21, utf8('00')));
    expectOutcome(await open(reader, bare(outside)), 'good');
  });

  it('reads partial lengths from 512 octets on, and refuses shorter first parts', async () => {
    const long = utf8(`Content-Type: text/plain\r\n\r\n${'x'.repeat(2000)}`);
    const message = await encryptPackets(await inlineSigned(long, j.key.keyPacket), [r.key]);
    expectOutcome(await open(reader, bare(partial(message, 9))), 'good');
    // RFC 4880 section 4.2.2.4: at least 512.
    await refusal(open(reader, bare(partial(message, 8))), 'ERR_E2E_MALFORMED');
  });

  it('is no cleartext signature', () => {
    const cleartext = '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nhi\n-----BEGIN PGP SIGNATURE-----\n\nx\n';
    expect(reader.recognize(bare(utf8(cleartext)))).toBeUndefined();
  });
});

describe('recognize', () => {
  it('goes by content', async () => {
    const signed = await seal(sender, 'sign');
    const encrypted = await seal(sender, 'encrypt');
    expect(reader.recognize(entity(signed))).toBe('signed');
    expect(reader.recognize(entity(encrypted))).toBe('encrypted');
    expect(reader.recognize(bare(r.certificate))).toBe('certificates');
    expect(reader.recognize(bare(Buffer.from(r.key.toPublic().write())))).toBe('certificates');
    expect(reader.recognize(entity(utf8('Content-Type: application/pgp-keys\r\n\r\nx')))).toBe('certificates');
    const smime = text(signed).replace(
      'Content-Type: application/pgp-signature',
      'Content-Type: application/pkcs7-signature',
    );
    for (const other of [
      entity(content),
      entity(Buffer.from(smime, 'latin1')),
      bare(utf8('hello')),
      bare(new Uint8Array(0)),
      bare(Uint8Array.of(0x30, 0x82, 1, 2)),
      bare(Uint8Array.of(0xff, 0xff)),
      bare(r.secret),
      bare(packet(11, utf8('b'))),
      entity(utf8('Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--\r\n')),
      entity(utf8('Content-Type: multipart/encrypted; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x\r\n\r\nb\r\n--x--\r\n')),
    ]) {
      expect(reader.recognize(other)).toBeUndefined();
    }
  });
});

/** Cuts the last packet, which has a five-octet length, into one partial length and the rest. */
function partial(message: Uint8Array, power: number): Uint8Array {
  let start = 0;
  for (;;) {
    const view = new DataView(message.buffer, message.byteOffset + start);
    const short = view.getUint8(1) < 192;
    const length = short
      ? view.getUint8(1) + 2
      : view.getUint8(1) < 224
        ? view.getUint16(1) - 0xc000 + 192 + 3
        : view.getUint32(2) + 6;
    if (start + length === message.length) break;
    start += length;
  }
  const body = message.subarray(start + 6);
  const first = 2 ** power;
  return concatBytes(
    message.subarray(0, start),
    Uint8Array.of(message[start]!, 224 + power),
    body.subarray(0, first),
    packet(0, body.subarray(first)).subarray(1),
  );
}
