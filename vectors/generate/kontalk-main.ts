/** Writes the vectors of the Kontalk profile and of bare messages, made by the test peer (Java and Bouncy Castle). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as library from 'openpgp';
import type { Vector } from '../../src/cli/vector-file.ts';
import { type KontalkKeys, startKontalkPeer } from '../../test/interop/kontalk/peer.ts';
import { encryptPackets, inlineSigned, packet } from '../../test/unit/openpgp/forge.ts';
import { invalid, valid, writeSuite } from './suite.ts';

const folder = 'openpgp-kontalk';
const born = new Date('2026-01-01T00:00:00Z');
const now = new Date('2026-11-22T12:00:00Z');
const alice = 'a1ce@example.com';
const bob = 'b0b@example.net';
const carol = 'ca401@example.org';
const juliet = 'juliet@example.com';
const exceptions = ['the back-signature of the signing subkey covers the primary key alone'];

function write(path: string, content: Uint8Array): void {
  const file = fileURLToPath(new URL(`../keys/${folder}/${path}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

const armored = (secret: boolean, octets: Uint8Array): Uint8Array =>
  Buffer.from(library.armor(secret ? library.enums.armor.privateKey : library.enums.armor.publicKey, octets));

const peer = startKontalkPeer();
const keys = {
  alice: await peer.keygen(alice, born),
  right: await peer.keygen(`Carol <${carol}>`, born, 'right'),
  bob: await peer.keygen(`Bob <${bob}>`, born),
};
write(`identities/${bob}/openpgp.key.asc`, armored(true, keys.bob.secret));
write(`contacts/${alice}/openpgp.cert.asc`, armored(false, keys.alice.certificate));
write(`contacts/${carol}/openpgp.cert.asc`, armored(false, keys.right.certificate));
const { privateKey: hers } = await library.generateKey({
  userIDs: [{ name: `xmpp:${juliet}` }],
  date: born,
  format: 'object',
});
write(`contacts/${juliet}/openpgp.cert.asc`, Buffer.from(hers.toPublic().armor()));
const his = await library.readKey({ binaryKey: keys.bob.certificate });

function payload(fields: { from?: string; to?: string; time?: string; type?: string; body?: string } = {}): string {
  const { from = alice, to = keys.bob.userId, time = '2026-11-22T12:00:00+00:00' } = fields;
  const { type = 'text/plain; charset=utf-8', body = 'Hark' } = fields;
  const headers = `From: ${from}\nTo: ${to}\nDateTime: ${time}\n`;
  return `Content-type: Message/CPIM\n\n${headers}\nContent-type: ${type}\n\n${body}`;
}

function stanza(text: string, from = alice): string {
  const e2e = `<e2e xmlns="urn:ietf:params:xml:ns:xmpp-e2e">${text}</e2e>`;
  return `<message xmlns="jabber:client" from="${from}/x" to="${bob}" type="chat"><body>(encrypted)</body>${e2e}</message>`;
}

const seal = (text: string, sender: KontalkKeys = keys.alice, how = {}): Promise<string> =>
  peer.seal(sender, [keys.bob], text, now, how);
const profile = 'kontalk' as const;
const section = 'RFC 9580 §4.2.1.4';
const tests: Vector[] = [];
const opens = (id: string, comment: string, text: string, expect: Vector['expect'], from = alice): void => {
  const rest = { input: stanza(text, from), profile, expect: { sender: from, backend: 'openpgp', ...expect } };
  tests.push(valid(`openpgp::kontalk::${id}`, comment, section, rest));
};
const fails = (
  id: string,
  comment: string,
  text: string,
  code: string,
  stage: string,
  rest: Partial<Vector> = {},
): void => {
  tests.push(
    invalid(`openpgp::kontalk::${id}`, comment, section, code, stage, { input: stanza(text), profile, ...rest }),
  );
};

const plain = await seal(payload());
opens('text', 'text, compressed, AES-192, short parts, a back-signature over too little', plain, { exceptions });
opens('aes256', 'AES-256', await seal(payload(), keys.alice, { cipher: 'aes256' }), { exceptions });
opens('uncompressed', 'no compression', await seal(payload(), keys.alice, { compress: false }), { exceptions });
opens(
  'right-back-signature',
  'a key that needs no exception',
  await seal(payload({ from: `Carol <${carol}>` }), keys.right),
  { exceptions: [] },
  carol,
);
opens('two-recipients', 'two recipients in one header', await seal(payload({ to: `${carol}; ${keys.bob.userId}` })), {
  recipients: [carol, bob],
});
opens('colonless-offset', 'an offset without colon', await seal(payload({ time: '2026-11-22T12:00:00+0000' })), {
  time: 'ok',
});
opens('day-late', 'a day old, but for a second', await seal(payload({ time: '2026-11-21T12:00:01+00:00' })), {
  time: 'ok',
});
const xmpp = (inner: string): string =>
  payload({ type: 'application/xmpp+xml', body: `<xmpp xmlns='jabber:client'>${inner}</xmpp>` });
opens(
  'stanza',
  'a stanza with an extension',
  await seal(xmpp("<message type='chat'><x xmlns='jabber:x:oob'/></message>")),
  { form: 'xmpp+xml' },
);
fails('wrong-recipient', 'for somebody else', await seal(payload({ to: carol })), 'RECIPIENT_MISMATCH', 'check');
fails('wrong-sender', 'by another than it says', await seal(payload({ from: carol })), 'SENDER_MISMATCH', 'check');
fails(
  'too-late',
  'a day and a second old',
  await seal(payload({ time: '2026-11-21T11:59:59+00:00' })),
  'TIMESTAMP',
  'check',
);
fails(
  'stranger',
  'by a key that nobody filed',
  await seal(payload(), await peer.keygen(alice, born)),
  'SIGNER_UNKNOWN',
  'verify',
);
fails(
  'two-to',
  'two To headers, of which that client believes the last',
  await seal(payload({ to: `${carol}\nTo: ${bob}` })),
  'PAYLOAD_INVALID',
  'parse',
);
fails(
  'unknown-header',
  'a header that the dialect has not',
  await seal(payload({ to: `${bob}\nRequire: x` })),
  'PAYLOAD_INVALID',
  'parse',
);
fails(
  'uri',
  'an im: URI in the place of a User ID',
  await seal(payload({ to: `<im:${bob}>` })),
  'PAYLOAD_INVALID',
  'parse',
);
fails('presence', 'presence inside', await seal(xmpp('<presence/>')), 'PAYLOAD_INVALID', 'parse');
fails(
  'inner-to',
  'an inner "to" that no header names',
  await seal(xmpp(`<message to='${carol}'/>`)),
  'PAYLOAD_INVALID',
  'parse',
);
const changed = Buffer.from(plain, 'base64');
changed[changed.length - 40]! ^= 1;
fails('changed', 'a changed octet', changed.toString('base64'), 'DECRYPTION_FAILED', 'decrypt');
const none = { profile: undefined };
fails('no-profile', 'the first vector without the profile', plain, 'MALFORMED', 'decrypt', none);
const proper = [
  'Content-Type: Message/CPIM\r\n\r\n',
  `From: <im:${alice}>\r\nTo: <im:${bob}>\r\nDateTime: 2026-11-22T12:00:00Z\r\n\r\n`,
  'Content-Type: text/plain; charset=utf-8\r\n\r\nHark',
].join('');
fails(
  'no-profile-back-signature',
  'a back-signature over too little, all else as it should be',
  await seal(proper, keys.alice, { part: 512 }),
  'SIGNATURE_INVALID',
  'verify',
  none,
);
fails(
  'no-profile-user-id',
  'a User ID in mail form',
  await seal(proper.replace(alice, carol), keys.right, { part: 512 }),
  'SIGNER_UNTRUSTED',
  'verify',
  { ...none, input: stanza(await seal(proper.replace(alice, carol), keys.right, { part: 512 }), carol) },
);
fails(
  'profile-on-others',
  'Message/CPIM as it should be, under the profile',
  await seal(proper),
  'PAYLOAD_INVALID',
  'parse',
);
peer.stop();

const text = Buffer.from(proper.replaceAll(alice, juliet));
const inside = await inlineSigned(text, hers.keyPacket, { at: now });
const message = await encryptPackets(inside, [his]);
const marker = packet(10, Buffer.from('PGP'));
const bare = (id: string, comment: string, octets: readonly Uint8Array[]): Vector =>
  valid(`openpgp::bare::${id}`, comment, 'RFC 9580 §5.8', {
    input: stanza(Buffer.concat(octets).toString('base64'), juliet),
    expect: { sender: juliet, backend: 'openpgp', protection: 'sign+encrypt' },
  });
const many = Array.from({ length: 17 }, () => marker);
writeSuite({
  suite: 'openpgp/kontalk',
  description: 'Messages of the Kontalk clients, and bare messages behind packets to be ignored',
  groups: [
    {
      operation: 'open',
      backends: ['openpgp'],
      keys: folder,
      me: bob,
      policy: 'strict',
      at: now.toISOString(),
      tests: [
        ...tests.map(({ profile: name, ...rest }) => (name === undefined ? rest : { ...rest, profile: name })),
        bare('marker', 'a marker before the message', [marker, message]),
        bare('padding', 'padding before the message', [packet(21, new Uint8Array(300)), message]),
        bare('unknown', 'an unknown packet that is not critical before the message', [packet(40, text), message]),
        bare('sixteen', 'sixteen markers before the message', [...many.slice(1), message]),
        invalid(
          'openpgp::bare::seventeen',
          'seventeen markers before the message',
          'RFC 9580 §5.8',
          'MALFORMED',
          'unwrap',
          {
            input: stanza(Buffer.concat([...many, message]).toString('base64'), juliet),
          },
        ),
        invalid(
          'openpgp::bare::critical',
          'an unknown critical packet before the message',
          'RFC 9580 §4.3',
          'MALFORMED',
          'unwrap',
          {
            input: stanza(Buffer.concat([packet(39, text), message]).toString('base64'), juliet),
          },
        ),
      ],
    },
  ],
});
