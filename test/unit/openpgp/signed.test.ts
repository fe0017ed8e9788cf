/** multipart/signed, written and read (RFC 3156 section 5). */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { concatBytes, toCrlf, utf8 } from '../../../src/bytes.ts';
import { armored, literal, makeSignature, packet, signaturePacket, signedLiteral } from './forge.ts';
import {
  at,
  backendOf,
  call,
  content,
  entity,
  expectOutcome,
  juliet,
  mallory,
  open,
  person,
  refusal,
  romeo,
  seal,
} from './scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const m = await person(mallory);
const sender = backendOf(j, [r]);
const reader = backendOf(r, [j]);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

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
