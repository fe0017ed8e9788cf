/** Every form of RFC 3156 that the backend writes or reads, with every kind of key. */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { concatBytes, toCrlf, utf8 } from '../../../src/bytes.ts';
import { ReplayGuard, openStanza, rfc3923Policy, sealStanza, serializeXml } from '../../../src/index.ts';
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
  mallory,
  open,
  person,
  type Person,
  refusal,
  romeo,
  seal,
} from './scene.ts';

const kinds = [
  ['v4 25519', 'ed25519', false],
  ['v4 P-256', 'p256', false],
  ['v4 P-384', 'p384', false],
  ['v4 RSA-2048', 'rsa2048', false],
  ['v4 RSA-3072', 'rsa3072', false],
  ['v6 25519', 'ed25519', true],
  ['v6 P-256', 'p256', true],
  ['v6 RSA-2048', 'rsa2048', true],
] as const;

const j = await person(juliet);
const r = await person(romeo);
const m = await person(mallory);
const sender = backendOf(j, [r]);
const reader = backendOf(r, [j]);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe.each(kinds)('%s', (_, algorithm, v6) => {
  it('signs, encrypts and does both, and opens them again', async () => {
    const [a, b] = await Promise.all([person(juliet, algorithm, { v6 }), person(romeo, algorithm, { v6 })]);
    const from = backendOf(a, [b]);
    const to = backendOf(b, [a]);
    for (const protection of ['sign', 'encrypt', 'sign+encrypt'] as const) {
      const opened = await open(to, await seal(from, protection));
      expect(opened.content).toEqual(content);
      if (protection === 'encrypt') {
        expect(opened.signatures).toBeUndefined();
        continue;
      }
      const result = expectOutcome(opened, 'good');
      expect(result.fingerprint).toBe(a.key.getFingerprint());
      expect(result.identities).toEqual([{ jid: juliet, source: 'user-id' }]);
      expect(result.signedAt).toEqual(at);
      expect(result.intendedFor).toBe('me');
      expect(result.trust).toBe('pinned');
      expect(result.chain[0]).toMatchObject({ fingerprint: a.key.getFingerprint(), jids: ['juliet@example.com'] });
    }
  });

  it('travels in a stanza', async () => {
    const [a, b] = await Promise.all([person(juliet, algorithm, { v6 }), person(romeo, algorithm, { v6 })]);
    const stanza = `<message from='${juliet.toString()}/balcony' to='${romeo.toString()}' type='chat'><body>\u00e9</body></message>`;
    const sealed = serializeXml(await sealStanza(stanza, { backend: backendOf(a, [b]), at }));
    // Servers turn line ends and CDATA into what they like.
    const relayed = sealed.replaceAll('\r\n', '\n');
    for (const wire of [sealed, relayed]) {
      const opened = await openStanza(wire, {
        backends: [backendOf(b, [a])],
        me: romeo,
        replay: new ReplayGuard(),
        at,
      });
      expect(serializeXml(opened.stanza)).toContain('<body>\u00e9</body>');
      expect(opened.verdict).toMatchObject({ protection: 'sign+encrypt', recipientBound: true, authenticated: true });
    }
    const sent = await openStanza(sealed, {
      backends: [backendOf(a, [b])],
      me: juliet,
      context: 'sent',
      replay: false,
      at,
    });
    expect(sent.verdict.sender?.jid).toBe(juliet.toString());
  });
});

describe('multipart/signed (RFC 3156 section 5)', () => {
  it('names the protocol, and the hash of the very signature, and is armored', async () => {
    for (const algorithm of ['ed25519', 'rsa2048', 'p384'] as const) {
      const signed = await seal(backendOf(await person(juliet, algorithm), [r]), 'sign');
      const { contentType, body } = entity(signed);
      expect(contentType!.type).toBe('multipart/signed');
      expect(contentType!.parameters.get('protocol')).toBe('application/pgp-signature');
      const armor = /-----BEGIN PGP SIGNATURE-----[^]*-----END PGP SIGNATURE-----/.exec(text(body))![0];
      const signature = await library.readSignature({ armoredSignature: armor });
      const hash = library.enums.read(library.enums.hash, signature.packets[0]!.hashAlgorithm!);
      expect(contentType!.parameters.get('micalg')).toBe(`pgp-${hash}`);
    }
  });

  it('verifies after its lines have become LF on the way', async () => {
    const signed = await seal(sender, 'sign');
    const relayed = toCrlf(utf8(Buffer.from(signed).toString('utf8').replaceAll('\r\n', '\n')));
    expectOutcome(await open(reader, relayed), 'good');
  });

  it('does not sign lines that XML would change', async () => {
    const lf = utf8('Content-Type: text/plain\r\n\r\none\ntwo');
    await refusal(seal(sender, 'sign', { content: lf }), 'ERR_E2E_UNMAPPABLE', 'sign');
    // Inside an encryption nothing touches them.
    expect((await open(reader, await seal(sender, 'sign+encrypt', { content: lf }))).content).toEqual(lf);
  });

  it('takes a text signature (0x01) over the canonical form', async () => {
    const type = library.enums.signature.text;
    const signature = await makeSignature(j.key.keyPacket, signedLiteral(content), { type, at });
    expectOutcome(await open(reader, multipartSigned(content, signaturePacket(signature))), 'good');
  });

  it('tells a changed octet, an unknown signer, and the wrong sender apart', async () => {
    const signed = await seal(sender, 'sign');
    const changed = Uint8Array.from(signed);
    changed[changed.findIndex((_, i) => text(changed.subarray(i, i + 9)) === 'Wherefore')]! ^= 1;
    expectOutcome(await open(reader, changed), 'bad', 'the signature does not fit');
    expectOutcome(await open(backendOf(r), signed), 'unknown-signer');
    expectOutcome(await open(backendOf(r, [j, m]), signed, { sender: mallory }), 'unknown-signer');
    expectOutcome(await open(reader, signed, { sender: undefined }), 'unknown-signer');
  });

  it('does not believe a certificate that merely arrived', async () => {
    const to = backendOf(r);
    to.store.addCandidate(juliet, 'openpgp', j.certificate);
    expectOutcome(await open(to, await seal(sender, 'sign')), 'untrusted');
  });

  it('refuses a second signature, an empty one and other packets', async () => {
    const type = library.enums.signature.binary;
    const one = signaturePacket(await makeSignature(j.key.keyPacket, signedLiteral(content), { type, at }));
    await refusal(open(reader, multipartSigned(content, concatBytes(one, one))), 'ERR_E2E_LIMIT', 'verify');
    await refusal(open(reader, multipartSigned(content, packet(10, utf8('PGP')))), 'ERR_E2E_MALFORMED', 'verify');
    await refusal(
      open(reader, multipartSigned(content, concatBytes(one, literal('x')))),
      'ERR_E2E_MALFORMED',
      'verify',
    );
    // Markers and unknown non-critical packets are ignored (RFC 9580 sections 4.3 and 5.8).
    const padded = concatBytes(packet(10, utf8('PGP')), one, packet(60, utf8('?')), packet(21, utf8('0')));
    expectOutcome(await open(reader, multipartSigned(content, padded)), 'good');
  });

  it('calls a signature bad that is none over a message', async () => {
    const { keyPacket, users } = j.key;
    const type = library.enums.signature.certGeneric;
    const thing = { key: keyPacket, userID: users[0]!.userID! };
    const certification = await makeSignature(keyPacket, thing, { type, at });
    const opened = await open(reader, multipartSigned(content, signaturePacket(certification)));
    expectOutcome(opened, 'bad', 'not a signature over a message');
  });

  it('calls a signature of an unknown version bad', async () => {
    const opened = await open(reader, multipartSigned(content, packet(2, Uint8Array.of(9, 0, 22, 10, 0, 0))));
    expectOutcome(opened, 'bad');
  });

  it('wants the protocol parameter and the type of the part', async () => {
    const signed = text(await seal(sender, 'sign'));
    const request = { ...call(), me: romeo, sender: juliet };
    for (const [from, to, code] of [
      ['protocol="application/pgp-signature"', 'protocol="application/pkcs7-signature"', 'ERR_E2E_UNSUPPORTED'],
      ['Content-Type: application/pgp-signature', 'Content-Type: text/plain', 'ERR_E2E_MALFORMED'],
      ['BEGIN PGP SIGNATURE', 'BEGIN PGP MESSAGE', 'ERR_E2E_MALFORMED'],
    ] as const) {
      expect(signed).toContain(from);
      const changed = entity(Buffer.from(signed.replace(from, to), 'latin1'));
      await refusal(reader.verify({ ...request, entity: changed }), code, 'unwrap');
    }
    await refusal(reader.verify({ ...request, entity: entity(content) }), 'ERR_E2E_UNSUPPORTED', 'unwrap');
  });
});

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

describe('recipients', () => {
  it('hides them by request, and finds itself among hidden ones', async () => {
    const to = backendOf(m, [j]);
    const both = await seal(backendOf(j, [r, m]), 'sign+encrypt', { recipients: [romeo, mallory], hidden: true });
    const shown = await reader.inspect(entity(both), call().limits);
    expect(shown.facts.filter(([name]) => name === 'recipient')).toEqual([
      ['recipient', 'hidden (ecdh)'],
      ['recipient', 'hidden (ecdh)'],
    ]);
    expectOutcome(await open(reader, both), 'good');
    expectOutcome(await open(to, both, { me: mallory }), 'good');
    expect(
      (await refusal(open(backendOf(await person(mallory), [j]), both, { me: mallory }), 'ERR_E2E_DECRYPTION_FAILED'))
        .stage,
    ).toBe('decrypt');
  });

  it('opens its own copy when it is among the recipients', async () => {
    const both = await seal(sender, 'sign+encrypt', { recipients: [romeo, juliet] });
    const result = expectOutcome(await open(sender, both, { me: juliet }), 'good');
    expect(result.identities[0]!.jid.equals(juliet)).toBe(true);
  });

  it('says by public ids alone that nothing is for it', async () => {
    const error = await refusal(
      open(backendOf(m, [j]), await seal(sender, 'sign+encrypt'), { me: mallory }),
      'ERR_E2E_NO_DECRYPTION_KEY',
    );
    expect(error.encryption).toMatchObject({ keyTransport: ['ecdh'] });
  });

  it('encrypts to every certificate of a recipient, one a device', async () => {
    const second = await person(romeo, 'p256');
    const both = await seal(backendOf(j, [r, second]), 'sign+encrypt');
    expectOutcome(await open(reader, both), 'good');
    expectOutcome(await open(backendOf(second, [j]), both), 'good');
  });

  it('refuses when any recipient has no key', async () => {
    const error = await refusal(seal(sender, 'encrypt', { recipients: [romeo, mallory] }), 'ERR_E2E_NO_RECIPIENT_KEY');
    expect(error.reason).toContain('mallory@example.org');
    await refusal(seal(sender, 'encrypt', { recipients: [] }), 'ERR_E2E_NO_RECIPIENT_KEY');
    await refusal(seal(reader, 'sign'), 'ERR_E2E_NO_SIGNING_KEY');
  });

  it('writes SEIPD version 2 only when every recipient announces it', async () => {
    const v6 = await person(mallory, 'ed25519', { v6: true });
    const from = backendOf(j, [r, v6]);
    const title = async (recipients: readonly Person[]): Promise<string> => {
      const sealed = await seal(from, 'encrypt', { recipients: recipients.map(({ jid }) => jid) });
      return (await reader.inspect(entity(sealed), call().limits)).title;
    };
    expect(await title([v6])).toBe('OpenPGP SEIPD v2');
    expect(await title([r])).toBe('OpenPGP SEIPD v1');
    expect(await title([r, v6])).toBe('OpenPGP SEIPD v1');
  });
});

describe('unsigned and rfc3923Policy', () => {
  it('opens an encrypted stanza that nobody signed only where the policy says so', async () => {
    const stanza = `<message from='${juliet.toString()}/b' to='${romeo.toString()}'><body>hi</body></message>`;
    const sealed = await sealStanza(stanza, { backend: sender, at, protection: 'encrypt' });
    const options = { backends: [reader], me: romeo, at, replay: false as const };
    await refusal(openStanza(sealed, options), 'ERR_E2E_UNSIGNED', 'verify');
    const opened = await openStanza(sealed, { ...options, policy: rfc3923Policy });
    expect(opened.verdict.sender).toBeNull();
  });
});

/** A multipart/signed around any signature packets, written by hand. */
function multipartSigned(signed: Uint8Array, packets: Uint8Array): Uint8Array {
  const armor = armored('signature', packets).replaceAll(/\r?\n/g, '\r\n');
  return concatBytes(
    utf8(
      'Content-Type: multipart/signed; boundary=b; micalg=pgp-sha512; protocol="application/pgp-signature"\r\n\r\n--b\r\n',
    ),
    signed,
    utf8(`\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n${armor}\r\n--b--\r\n`),
  );
}

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
