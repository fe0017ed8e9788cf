/** Vectors of what only OpenPGP has: packets, their grammar, self-signatures, User IDs. Each has one fault at the most. */
import { randomBytes } from 'node:crypto';
import * as library from 'openpgp';
import type { Vector } from '../../src/cli/vector-file.ts';
import {
  compressed,
  encryptPackets,
  inlineSigned,
  intendedRecipient,
  type KeyPacket,
  literal,
  makeSignature,
  onePass,
  packet,
  sed,
  seipdV1,
  sessionKeys,
  type SignatureFields,
  signaturePacket,
  signedLiteral,
} from '../../test/unit/openpgp/forge.ts';
import { born, cpim, file, folder, generate, now, rfc, stanza, write } from './openpgp-cast.ts';
import { certificateVectors } from './openpgp-certificates.ts';
import { juliet, mallory, romeo } from './people.ts';
import { invalid, type Suite, valid } from './suite.ts';

const { signature: types } = library.enums;

/** The suite, with its keys. */
export async function openpgpSuite(): Promise<Suite> {
  const j = await generate(`xmpp:${juliet}`);
  const m = await generate(`xmpp:${mallory}`);
  const r = await generate(`xmpp:${romeo}`);
  write(`identities/${romeo}/openpgp.key.asc`, Buffer.from(r.armor()));
  file(juliet, j);
  file(mallory, m);

  const text = cpim(juliet);
  const at = now;
  const type = types.binary;
  const signedBy = (key: KeyPacket, fields: Partial<SignatureFields> = {}, content = text): Promise<Uint8Array> =>
    inlineSigned(content, key, { at, ...fields });
  const signed = await signedBy(j.keyPacket);
  const signature = await makeSignature(j.keyPacket, signedLiteral(text), { type, at });
  const one = signaturePacket(signature);
  const evil = literal(cpim(juliet, 'EVIL'));
  const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

  const opens = (id: string, comment: string, section: string, message: Uint8Array): Vector =>
    valid(`openpgp::${id}`, comment, rfc(section), {
      input: stanza(juliet, message),
      expect: { sender: juliet, backend: 'openpgp' },
    });
  const fails = (
    id: string,
    comment: string,
    section: string,
    message: Uint8Array,
    code = 'DECRYPTION_FAILED',
    stage = 'decrypt',
  ): Vector => invalid(`openpgp::${id}`, comment, rfc(section), code, stage, { input: stanza(juliet, message) });
  const encrypted = (packets: Uint8Array): Promise<Uint8Array> => encryptPackets(packets, [r]);

  const textSignature = await makeSignature(j.keyPacket, signedLiteral(text), { type: types.text, at });
  const forms = [
    opens('form::signed', 'one-pass signature, literal, signature', '10.3', signed),
    opens('form::sign-encrypt', 'the same inside SEIPD version 1', '10.3', await encrypted(signed)),
    opens(
      'form::signature-first',
      'the old order: signature, literal',
      '10.3',
      await encrypted(joined(one, literal(text))),
    ),
    opens(
      'form::text-signature',
      'a signature over canonical text',
      '5.2.1.2',
      joined(onePass(textSignature), literal(text, 't'), signaturePacket(textSignature)),
    ),
    opens('form::zip', 'ZIP inside the encryption', '5.6', await encrypted(compressed('zip', signed))),
    opens('form::zlib', 'ZLIB inside the encryption', '5.6', await encrypted(compressed('zlib', signed))),
    opens('form::bzip2', 'BZip2 inside the encryption', '5.6', await encrypted(compressed('bzip2', signed))),
    opens(
      'form::hidden',
      'a session key packet without key id',
      '5.1',
      await encryptPackets(signed, [r], { wildcard: true }),
    ),
    opens(
      'form::hidden-others',
      'hidden recipients of whom I am the second',
      '5.1',
      await encryptPackets(signed, [m, r], { wildcard: true }),
    ),
    opens(
      'form::padding',
      'padding, marker and unknown packets',
      '5.14',
      await encrypted(
        joined(packet(10, Buffer.from('PGP')), signed, packet(21, randomBytes(40)), packet(60, randomBytes(4))),
      ),
    ),
    opens(
      'form::critical-recipient',
      'a critical subpacket that names me',
      '5.2.3.36',
      await encrypted(await signedBy(j.keyPacket, { hashed: [intendedRecipient(r, true)] })),
    ),
    opens(
      'form::unknown-subpacket',
      'a subpacket that nobody knows',
      '5.2.3.7',
      await encrypted(await signedBy(j.keyPacket, { hashed: [Uint8Array.of(2, 101, 1)] })),
    ),
  ];

  const grammar = await Promise.all(
    (
      [
        ['literal-after', 'a literal after the signature', joined(signed, evil)],
        ['literal-before', 'a literal before the one-pass signature', joined(evil, signed)],
        ['two-literals', 'two literals under one signature', joined(onePass(signature), literal(text), evil, one)],
        ['compressed-after', 'a compressed literal after the signature', joined(signed, compressed('zip', evil))],
        ['compressed-before', 'a compressed message before a literal', joined(compressed('zip', signed), evil)],
        ['compressed-twice', 'compressed twice', compressed('zip', compressed('zip', signed))],
        ['one-pass-alone', 'a one-pass signature without its signature', joined(onePass(signature), literal(text))],
        ['signature-alone', 'no literal', joined(onePass(signature), one)],
        ['not-announced', 'more signatures than announced', joined(onePass(signature), literal(text), one, one)],
        ['both-sides', 'signatures before and after the literal', joined(one, literal(text), one)],
        [
          'session-key-inside',
          'a session key packet inside',
          joined(packet(1, Buffer.from('030000000000000000016162', 'hex')), signed),
        ],
        ['key-inside', 'a certificate beside the signed literal', joined(signed, j.toPublic().write())],
        ['empty', 'nothing inside', new Uint8Array(0)],
      ] as const
    ).map(async ([id, comment, packets]) => fails(`grammar::${id}`, comment, '10.3', await encrypted(packets))),
  );

  const key = randomBytes(32);
  const keys = await sessionKeys(key, [r]);
  const body = seipdV1(signed, key).subarray(6);
  const integrity = [
    fails(
      'integrity::sed',
      'data without integrity protection',
      '5.7',
      joined(keys, sed(signed, key)),
      'WEAK_ALGORITHM',
    ),
    fails(
      'integrity::tag-9',
      'SEIPD under the tag of unprotected data',
      '5.7',
      joined(keys, packet(9, body.subarray(1))),
      'WEAK_ALGORITHM',
    ),
    fails('integrity::no-mdc', 'no MDC', '5.13.1', joined(keys, seipdV1(signed, key, { mdc: false }))),
    fails('integrity::mdc-cut', 'the MDC cut off', '5.13.1', joined(keys, packet(18, body.subarray(0, -22)))),
    fails(
      'integrity::mdc-wrong',
      'a wrong MDC',
      '5.13.1',
      joined(keys, packet(18, Buffer.from(body).fill(0, body.length - 20))),
    ),
    fails('integrity::trailing', 'an octet after the MDC', '5.13.1', joined(keys, packet(18, body, Uint8Array.of(0)))),
    fails(
      'integrity::first-octet',
      'the first octet of the ciphertext changed',
      '5.13.1',
      joined(keys, packet(18, body.subarray(0, 1), Uint8Array.of(body[1]! ^ 1), body.subarray(2))),
    ),
    fails(
      'integrity::other-key',
      'a session key of another message',
      '5.1',
      joined(await sessionKeys(randomBytes(32), [r]), packet(18, body)),
    ),
    fails(
      'integrity::not-for-me',
      'encrypted to somebody else',
      '5.1',
      await encryptPackets(signed, [m]),
      'NO_DECRYPTION_KEY',
    ),
    fails(
      'integrity::two-messages',
      'two encrypted messages in one',
      '10.3',
      joined(keys, packet(18, body), packet(18, body)),
      'MALFORMED',
    ),
    fails(
      'integrity::literal-beside',
      'a literal beside the encrypted data',
      '10.3',
      joined(keys, packet(18, body), evil),
      'MALFORMED',
    ),
    fails(
      'integrity::version',
      'SEIPD of an unknown version',
      '5.13',
      joined(keys, packet(18, Uint8Array.of(3), body.subarray(1))),
      'UNSUPPORTED',
    ),
    fails(
      'limit::session-keys',
      '65 session key packets',
      '5.1',
      joined(...Array.from({ length: 65 }, () => keys), packet(18, body)),
      'LIMIT',
    ),
    fails(
      'limit::unknown-packets',
      '200 packets that nobody knows',
      '4.3',
      joined(keys, ...Array.from({ length: 200 }, () => packet(60)), packet(18, body)),
      'LIMIT',
    ),
    fails(
      'limit::compression',
      '8 MiB out of 8 KiB',
      '5.6',
      await encrypted(compressed('zip', literal(Buffer.alloc(8 << 20)))),
    ),
    fails(
      'framing::partial',
      'a first partial length of 256 octets',
      '4.2.1.4',
      joined(keys, Uint8Array.of(0xd2, 224 + 8), body.subarray(0, 256), packet(18, body.subarray(256)).subarray(1)),
      'MALFORMED',
    ),
    fails('framing::cut', 'cut off in the middle', '4.2', joined(keys, packet(18, body).subarray(0, 100)), 'MALFORMED'),
  ];

  const bad = (
    id: string,
    comment: string,
    section: string,
    message: Uint8Array,
    code = 'SIGNATURE_INVALID',
    stage = 'verify',
  ): Vector => fails(`signature::${id}`, comment, section, message, code, stage);
  const damaged = Buffer.from(signed);
  damaged[damaged.indexOf('Wherefore')]! ^= 0x20;
  const thing = { key: j.keyPacket, userID: j.users[0]!.userID };
  const certification = await makeSignature(j.keyPacket, thing, { type: types.certGeneric, at });
  const fingerprint = Buffer.from(`04${m.getFingerprint()}`, 'hex');
  const signatures = [
    bad('content', 'another content', '5.2.4', await encrypted(damaged)),
    bad(
      'certification',
      'a certification in place of a signature over a message',
      '5.2.1',
      await encrypted(joined(onePass(certification), literal(text), signaturePacket(certification))),
    ),
    bad(
      'critical',
      'a critical subpacket that nobody knows',
      '5.2.3.7',
      await encrypted(await signedBy(j.keyPacket, { hashed: [Uint8Array.of(2, 101 | 0x80, 1)] })),
    ),
    bad(
      'critical-notation',
      'a critical notation that nobody knows',
      '5.2.3.24',
      await encrypted(await signedBy(j.keyPacket, { notation: { name: 'x@example.com', critical: true } })),
    ),
    bad(
      'version',
      'a signature of an unknown version',
      '5.2',
      await encrypted(joined(packet(2, Uint8Array.of(9, 0, 22, 10, 0, 0)), literal(text))),
    ),
    bad(
      'before-key',
      'a signature older than its key',
      '5.2.3.11',
      await encrypted(await signedBy(j.keyPacket, { at: new Date(born.getTime() - 1000) })),
    ),
    bad(
      'expired',
      'a signature that has expired',
      '5.2.3.18',
      await encrypted(await signedBy(j.keyPacket, { at: new Date(now.getTime() - 61_000), expires: 60 })),
      'SIGNER_UNTRUSTED',
    ),
    bad(
      'several',
      'two good signatures',
      '10.3',
      await encrypted(joined(onePass(signature, false), onePass(signature), literal(text), one, one)),
    ),
    bad('none', 'nobody signed', '10.3', await encrypted(literal(text)), 'UNSIGNED'),
    bad(
      'mallory',
      'signed by a contact who is not the sender',
      '10.3',
      await encrypted(await signedBy(m.keyPacket)),
      'SIGNER_UNKNOWN',
    ),
    bad(
      'renamed-issuer',
      'an unhashed issuer that names a contact',
      '5.2.3.35',
      await encrypted(await signedBy(j.keyPacket, { unhashed: [{ type: 33, body: fingerprint }] })),
      'SIGNER_UNKNOWN',
    ),
    bad(
      'forwarded',
      'signed for a contact who encrypts it again to me',
      '5.2.3.36',
      await encrypted(await signedBy(j.keyPacket, { hashed: [intendedRecipient(m)] })),
      'RECIPIENT_MISMATCH',
      'check',
    ),
    bad(
      'forwarded-unhashed',
      'the same, with my name in the unhashed area',
      '5.2.3.36',
      await encrypted(
        await signedBy(j.keyPacket, {
          hashed: [intendedRecipient(m)],
          unhashed: [{ type: 35, body: intendedRecipient(r).subarray(2) }],
        }),
      ),
      'RECIPIENT_MISMATCH',
      'check',
    ),
  ];

  const certificates = await certificateVectors(r, m);
  const surroundings = {
    operation: 'open' as const,
    backends: ['openpgp' as const],
    keys: folder,
    me: romeo,
    policy: 'strict' as const,
    at: now.toISOString(),
  };
  return {
    suite: 'openpgp/packets',
    description: 'OpenPGP packets, their grammar, signatures and certificates, made by hand.',
    groups: [{ ...surroundings, tests: [...forms, ...grammar, ...integrity, ...signatures, ...certificates] }],
  };
}
