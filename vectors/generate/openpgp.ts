/** Vectors of what only OpenPGP has: packets, their grammar, self-signatures, User IDs. Each has one fault at the most. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as library from 'openpgp';
import type { Vector } from '../../src/cli/vector-file.ts';
import {
  armored,
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
import { juliet, mallory, romeo } from './people.ts';
import { invalid, type Suite, valid } from './suite.ts';

const folder = 'openpgp-packets';
const born = new Date('2026-01-01T00:00:00Z');
const now = new Date('2026-11-22T12:00:00Z');
const { signature: types, reasonForRevocation: reasons, keyFlags, hash } = library.enums;
const rfc = (section: string): string => `RFC 9580 §${section}`;

function write(path: string, content: Uint8Array): void {
  const file = fileURLToPath(new URL(`../keys/${folder}/${path}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

async function generate(
  userId: string,
  { rsa = false, signing = false, lifetime = 0 } = {},
): Promise<library.PrivateKey> {
  const { privateKey } = await library.generateKey({
    ...(rsa ? { type: 'rsa', rsaBits: 2048 } : { type: 'ecc', curve: 'curve25519Legacy' }),
    userIDs: [{ name: userId }],
    date: born,
    subkeys: signing ? [{ sign: true }, {}] : [{}],
    keyExpirationTime: lifetime,
    format: 'object',
  });
  return privateKey;
}

/** A stanza around one bare OpenPGP message. */
function stanza(from: string, message: Uint8Array): string {
  const armor = armored('message', message).replaceAll('\r', '');
  return `<message xmlns="jabber:client" from="${from}/x" to="${romeo}" type="chat"><e2e xmlns="urn:ietf:params:xml:ns:xmpp-e2e">${armor}</e2e></message>`;
}

function cpim(from: string, body = 'Wherefore art thou, Romeo?'): Uint8Array {
  const headers = `From: <im:${from}>\r\nTo: <im:${romeo}>\r\nDateTime: ${now.toISOString()}\r\n`;
  return Buffer.from(
    `Content-Type: Message/CPIM\r\n\r\n${headers}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}`,
  );
}

/** The suite, with its keys. */
export async function openpgpSuite(): Promise<Suite> {
  const j = await generate(`xmpp:${juliet}`);
  const m = await generate(`xmpp:${mallory}`);
  const r = await generate(`xmpp:${romeo}`);
  write(`identities/${romeo}/openpgp.key.asc`, Buffer.from(r.armor()));
  const file = (jid: string, key: library.PrivateKey): void =>
    write(`contacts/${jid}/openpgp.cert.asc`, Buffer.from(key.toPublic().armor()));
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

  const certificates: Vector[] = [];
  /** A sender whose certificate has one peculiarity. */
  const sender = async (
    id: string,
    comment: string,
    section: string,
    verdict: readonly [code: string, stage: string] | undefined,
    spoil: (key: library.PrivateKey, jid: string) => Promise<KeyPacket | undefined>,
    { userId, options = {} }: { userId?: (jid: string) => string; options?: object } = {},
  ): Promise<void> => {
    const jid = `${id}@example.com`;
    const own = await generate(userId?.(jid) ?? `xmpp:${jid}`, options);
    const signer = (await spoil(own, jid)) ?? own.keyPacket;
    file(jid, own);
    const input = stanza(jid, await encrypted(await signedBy(signer, {}, cpim(jid))));
    const name = `openpgp::certificate::${id}`;
    certificates.push(
      verdict === undefined
        ? valid(name, comment, rfc(section), { input, expect: { sender: jid } })
        : invalid(name, comment, rfc(section), verdict[0], verdict[1], { input }),
    );
  };
  const untrusted = ['SIGNER_UNTRUSTED', 'verify'] as const;
  const wrong = ['SIGNATURE_INVALID', 'verify'] as const;
  const weak = ['WEAK_ALGORITHM', 'verify'] as const;
  const nothing = (): Promise<undefined> => Promise.resolve(undefined);
  const certify = async (own: library.PrivateKey, fields: Partial<SignatureFields>): Promise<undefined> => {
    const over = { key: own.keyPacket, userID: own.users[0]!.userID };
    own.users[0]!.selfCertifications = [
      await makeSignature(own.keyPacket, over, { type: 0x13, at: born, flags: 3, ...fields }),
    ];
    return undefined;
  };
  const revoke = async (own: library.PrivateKey, fields: Partial<SignatureFields>): Promise<undefined> => {
    const fieldsOf = { type: types.keyRevocation, at: new Date('2026-06-01T00:00:00Z'), ...fields };
    own.revocationSignatures.push(await makeSignature(own.keyPacket, { key: own.keyPacket }, fieldsOf));
    return undefined;
  };
  const after = new Date('2026-12-01T00:00:00Z');
  await sender('named', 'a User ID in angle brackets after a name', '5.11', undefined, nothing, {
    userId: (jid) => `N <xmpp:${jid}>`,
  });
  await sender('mail', 'a mail address is no JID', '5.11', untrusted, nothing, { userId: (jid) => `M <${jid}>` });
  await sender('plain', 'a JID without xmpp:', '5.11', untrusted, nothing, { userId: (jid) => jid });
  await sender('upper', 'a JID that is not in enforced form', '5.11', untrusted, nothing, {
    userId: (jid) => `xmpp:${jid.toUpperCase()}`,
  });
  await sender('other', 'a certificate that names Juliet', '5.11', untrusted, nothing, {
    userId: () => `xmpp:${juliet}`,
  });
  await sender('uid-revoked', 'a revoked User ID', '5.2.1.14', untrusted, async (own) => {
    const over = { key: own.keyPacket, userID: own.users[0]!.userID };
    const fields = { type: types.certRevocation, at: born, reason: reasons.userIDInvalid };
    own.users[0]!.revocationSignatures.push(await makeSignature(own.keyPacket, over, fields));
    return undefined;
  });
  await sender('uid-foreign', 'a User ID certified by somebody else', '10.1', wrong, async (own) => {
    const over = { key: own.keyPacket, userID: own.users[0]!.userID };
    own.users[0]!.selfCertifications = [await makeSignature(m.keyPacket, over, { type: 0x13, at: born, flags: 3 })];
    return undefined;
  });
  await sender('expired', 'a key that has expired', '5.2.3.13', untrusted, nothing, { options: { lifetime: 3600 } });
  await sender('compromised', 'a key revoked as compromised', '5.2.3.31', untrusted, (own) =>
    revoke(own, { reason: reasons.keyCompromised }),
  );
  await sender('compromised-later', 'compromise has no time limit', '5.2.3.31', untrusted, (own) =>
    revoke(own, { reason: reasons.keyCompromised, at: after }),
  );
  await sender('superseded', 'a key superseded before', '5.2.3.31', untrusted, (own) =>
    revoke(own, { reason: reasons.keySuperseded }),
  );
  await sender('superseded-later', 'a key superseded afterwards', '5.2.3.31', undefined, (own) =>
    revoke(own, { reason: reasons.keySuperseded, at: after }),
  );
  await sender('no-flags', 'a key without flags', '5.2.3.29', wrong, (own) => certify(own, { flags: 0 }));
  await sender('certify-only', 'a key that may only certify', '5.2.3.29', wrong, (own) =>
    certify(own, { flags: keyFlags.certifyKeys }),
  );
  await sender('unhashed-flags', 'flags in the unhashed area', '5.2.3.29', wrong, (own) =>
    certify(own, { flags: 1, unhashed: [{ type: 27, body: Uint8Array.of(3) }] }),
  );
  await sender('sha1', 'a self-signature with SHA-1', '9.5', weak, (own) => certify(own, { hash: hash.sha1 }), {
    options: { rsa: true },
  });
  const bind = async (own: library.PrivateKey, back: 'none' | 'primary' | 'subkey'): Promise<KeyPacket> => {
    const subkey = own.subkeys[0]!;
    const over = { key: own.keyPacket, bind: subkey.keyPacket };
    const signer = back === 'subkey' ? subkey.keyPacket : own.keyPacket;
    const embedded =
      back === 'none' ? {} : { embedded: await makeSignature(signer, over, { type: types.keyBinding, at: born }) };
    subkey.bindingSignatures = [
      await makeSignature(own.keyPacket, over, {
        type: types.subkeyBinding,
        at: born,
        flags: keyFlags.signData,
        ...embedded,
      }),
    ];
    return subkey.keyPacket;
  };
  const signing = { options: { signing: true } };
  await sender(
    'subkey',
    'a signing subkey that signed back',
    '5.2.1.9',
    undefined,
    (own) => bind(own, 'subkey'),
    signing,
  );
  await sender(
    'subkey-alone',
    'a signing subkey without back-signature',
    '5.2.1.9',
    wrong,
    (own) => bind(own, 'none'),
    signing,
  );
  await sender(
    'subkey-primary',
    'a back-signature by the primary key',
    '5.2.1.9',
    wrong,
    (own) => bind(own, 'primary'),
    signing,
  );

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
