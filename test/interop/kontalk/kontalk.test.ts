/**
 * The profile `kontalk` against a peer that was made for it: keys, packets, payloads and checks of those clients with
 * Bouncy Castle (`KontalkPeer.java`).
 */
import * as library from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import type { SecurityBackend } from '../../../src/backends/backend.ts';
import {
  E2eError,
  memoryReplayStore,
  openStanza,
  type OpenOptions,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  type SealOptions,
  sealStanza,
  strictPolicy,
  type XmlElement,
} from '../../../src/index.ts';
import { kontalk } from '../../../src/profiles/index.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { makeSignature } from '../../unit/openpgp/forge.ts';
import { hasKontalkPeer, type KontalkKeys, type KontalkPeer, startKontalkPeer } from './peer.ts';

const at = new Date('2026-11-22T12:00:00Z');
const born = new Date('2026-01-01T00:00:00Z');
const e2eNamespace = 'urn:ietf:params:xml:ns:xmpp-e2e';
const jids = { alice: 'a1ce@example.com', bob: 'b0b@example.net', carol: 'ca401@example.org' } as const;
type Name = keyof typeof jids;

let peer: KontalkPeer;
let keys: Record<Name, KontalkKeys>;

const hasPeer = hasKontalkPeer();

beforeAll(async () => {
  if (!hasPeer) return;
  peer = startKontalkPeer();
  keys = {
    alice: await peer.keygen(jids.alice, born),
    bob: await peer.keygen(`Bob <${jids.bob}>`, born),
    carol: await peer.keygen(jids.carol, born),
  };
}, 60_000);
afterAll(() => {
  if (hasPeer) peer.stop();
});

/** A backend with the keys of one, and the certificates of the others filed for their JIDs. */
function backendOf(me: Name, filed: Partial<Record<Name, Uint8Array>> = {}): SecurityBackend {
  const store = memoryStore();
  store.addIdentity(Jid.parse(jids[me]), 'openpgp', { keys: keys[me].secret, certificates: new Uint8Array() });
  for (const name of Object.keys(jids) as Name[]) {
    if (name !== me) store.fileCertificate(Jid.parse(jids[name]), 'openpgp', filed[name] ?? keys[name].certificate);
  }
  return openpgp({ store });
}

function payload(fields: { from?: string; to?: string; time?: string; type?: string; body?: string } = {}): string {
  const { from = keys.alice.userId, to = keys.bob.userId, time = '2026-11-22T12:00:00+00:00' } = fields;
  const { type = 'text/plain; charset=utf-8', body = 'Wherefore art thou?\n\n\u00e9' } = fields;
  const headers = `From: ${from}\nTo: ${to}\nDateTime: ${time}\n`;
  return `Content-type: Message/CPIM\n\n${headers}\nContent-type: ${type}\n\n${body}`;
}

/** As Kontalk sends it: from Alice to Bob. */
function stanza(text: string, from: Name = 'alice', to: Name = 'bob'): string {
  const e2e = `<e2e xmlns='${e2eNamespace}'>${text}</e2e>`;
  return `<message xmlns='jabber:client' from='${jids[from]}/r' to='${jids[to]}' id='k1' type='chat'><body>(encrypted)</body>${e2e}<request xmlns='urn:xmpp:receipts'/></message>`;
}

function open(sealed: string | XmlElement, options: Partial<OpenOptions> = {}) {
  return openStanza(sealed, {
    backends: [backendOf('bob')],
    me: jids.bob,
    replay: new ReplayGuard(memoryReplayStore()),
    profile: kontalk,
    at,
    ...options,
  });
}

async function refused(doing: Promise<unknown>, code: string): Promise<E2eError> {
  const error = await doing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(E2eError);
  expect((error as E2eError).code).toBe(code);
  return error as E2eError;
}

const message = `<message xmlns='jabber:client' from='${jids.bob}/x' to='${jids.alice}' id='m1' type='chat'><body>O, she doth teach\n\nthe torches \u00e9</body></message>`;

function seal(text: string = message, options: Partial<SealOptions> = {}): Promise<XmlElement> {
  return sealStanza(text, { backend: backendOf('bob'), profile: kontalk, at, ...options });
}

function textOf(sealed: XmlElement): string {
  return sealed.first('e2e', e2eNamespace)!.text;
}

describe.skipIf(!hasPeer)('what the peer seals', () => {
  it.each([
    ['AES-192, compressed, in short parts, as the client does', {}],
    ['AES-256', { cipher: 'aes256' }],
    ['without compression, as the desktop client may', { compress: false }],
  ] as const)('text is opened: %s', async (_, how) => {
    const sealed = await peer.seal(keys.alice, [keys.bob], payload(), at, how);
    const { stanza: opened, verdict } = await open(stanza(sealed));
    expect(opened.first('body', 'jabber:client')!.text).toBe('Wherefore art thou?\n\n\u00e9');
    expect(opened.attribute('id')).toBe('k1');
    expect(verdict).toMatchObject({
      policy: 'strict',
      profile: 'kontalk',
      protection: 'sign+encrypt',
      payload: 'cpim',
      level: 'good',
      sender: { jid: jids.alice, source: 'user-id' },
      recipientBound: true,
      recipients: [jids.bob],
      time: { status: 'ok', source: 'cpim' },
      replay: 'checked',
      exceptions: ['the back-signature of the signing subkey covers the primary key alone'],
    });
    expect(verdict.words).toContain('read by the rules of kontalk');
    expect(verdict.words.filter((line) => line.startsWith('EXCEPTION MADE'))).toHaveLength(1);
    // What stands beside is not what was said.
    expect(verdict.outside.map(({ name }) => name)).toEqual(['body', 'request']);
  });

  it('of a stanza with extensions, long and several kinds of characters', async () => {
    const body = `${'x'.repeat(5000)} <\u4e2d\u{1f600}>`;
    const inner = `<message type='chat' id='k1'><body>${body.replaceAll('<', '&lt;')}</body><x xmlns='jabber:x:oob'><url>https://example.com/1</url></x></message>`;
    const type = 'application/xmpp+xml; charset=utf-8';
    const whole = payload({ type, body: `<xmpp xmlns='jabber:client'>${inner}</xmpp>` });
    const { stanza: opened, verdict } = await open(stanza(await peer.seal(keys.alice, [keys.bob], whole, at)));
    expect(verdict).toMatchObject({ payload: 'xmpp+xml', recipients: [jids.bob] });
    expect(opened.first('body', 'jabber:client')!.text).toBe(body);
    expect(opened.first('x', 'jabber:x:oob')).toBeDefined();
    expect(opened.attribute('from')).toBe(`${jids.alice}/r`);
  });

  it('to two recipients is opened by either, and by nobody else', async () => {
    const to = `${keys.bob.userId}; ${keys.carol.userId}`;
    const sealed = await peer.seal(keys.alice, [keys.bob, keys.carol], payload({ to }), at);
    const forBob = await open(stanza(sealed));
    expect(forBob.verdict.recipients).toEqual([jids.bob, jids.carol]);
    const carol = { backends: [backendOf('carol')], me: jids.carol };
    const forCarol = await open(stanza(sealed, 'alice', 'carol'), carol);
    expect(forCarol.verdict).toMatchObject({ recipientBound: true, recipients: [jids.bob, jids.carol] });
    const only = await peer.seal(keys.alice, [keys.bob], payload({ to }), at);
    await refused(open(stanza(only, 'alice', 'carol'), carol), 'ERR_E2E_NO_DECRYPTION_KEY');
  });

  it('by a key whose back-signature is right needs no exception', async () => {
    const alice = await peer.keygen(jids.alice, born, 'right');
    const sealed = await peer.seal(alice, [keys.bob], payload(), at);
    const { verdict } = await open(stanza(sealed), { backends: [backendOf('bob', { alice: alice.certificate })] });
    expect(verdict).toMatchObject({ level: 'good', exceptions: [] });
  });

  it.each([
    ['a wrong recipient', { to: jids.carol }, 'ERR_E2E_RECIPIENT_MISMATCH', ['recipient']],
    ['a wrong sender', { from: jids.carol }, 'ERR_E2E_SENDER_MISMATCH', ['sender']],
    ['a time a day and a second ago', { time: '2026-11-21T11:59:59+00:00' }, 'ERR_E2E_TIMESTAMP', ['time']],
    ['a time in a day and a second', { time: '2026-11-23T12:00:01+00:00' }, 'ERR_E2E_TIMESTAMP', ['time']],
    ['no time', { time: '' }, 'ERR_E2E_PAYLOAD_INVALID', ['time']],
  ])('with %s is refused, and flagged by the client', async (_, fields, code, flags) => {
    const sealed = await peer.seal(keys.alice, [keys.bob], payload(fields), at);
    await refused(open(stanza(sealed)), code);
    const reading = await peer.open(keys.bob, keys.alice, sealed, at);
    expect(reading.flags).toEqual(flags);
  });

  it('within a day on either side is taken by both', async () => {
    for (const time of ['2026-11-21T12:00:01+00:00', '2026-11-23T11:59:59+00:00', '2026-11-22T12:00:00+0000']) {
      const sealed = await peer.seal(keys.alice, [keys.bob], payload({ time }), at);
      expect((await open(stanza(sealed))).verdict.time.status).toBe('ok');
    }
  });

  it('twice in a second is delivered, and marked as out of order; the same again is not', async () => {
    const replay = new ReplayGuard(memoryReplayStore());
    const first = stanza(await peer.seal(keys.alice, [keys.bob], payload({ body: 'one' }), at));
    const second = stanza(await peer.seal(keys.alice, [keys.bob], payload({ body: 'two' }), at));
    expect((await open(first, { replay })).verdict.time.status).toBe('ok');
    expect((await open(second, { replay })).verdict.time.status).toBe('decreasing');
    await refused(open(first, { replay }), 'ERR_E2E_REPLAYED');
  });

  it('old is delivered by the lenient policy only, marked', async () => {
    const time = '2026-11-20T12:00:00+00:00';
    const sealed = stanza(await peer.seal(keys.alice, [keys.bob], payload({ time }), new Date(time)));
    await refused(open(sealed), 'ERR_E2E_TIMESTAMP');
    expect((await open(sealed, { policy: rfc3923Policy })).verdict.time.status).toBe('old');
  });

  it('by a stranger, or by another than the sender, is refused', async () => {
    const mallory = await peer.keygen(jids.alice, born);
    const forged = await peer.seal(mallory, [keys.bob], payload(), at);
    await refused(open(stanza(forged)), 'ERR_E2E_SIGNER_UNKNOWN');
    const byCarol = await peer.seal(keys.carol, [keys.bob], payload(), at);
    await refused(open(stanza(byCarol)), 'ERR_E2E_SIGNER_UNKNOWN');
    await refused(open(stanza(byCarol, 'carol')), 'ERR_E2E_SENDER_MISMATCH');
  });

  it('and that was moved under another address is refused', async () => {
    const sealed = await peer.seal(keys.alice, [keys.bob], payload(), at);
    await refused(open(stanza(sealed, 'carol')), 'ERR_E2E_SIGNER_UNKNOWN');
    const elsewhere = { backends: [backendOf('carol')], me: jids.carol };
    const forwarded = await peer.seal(keys.alice, [keys.bob, keys.carol], payload(), at);
    await refused(open(stanza(forwarded, 'alice', 'carol'), elsewhere), 'ERR_E2E_RECIPIENT_MISMATCH');
  });

  it('is refused octet by octet where it was changed', async () => {
    const sealed = Buffer.from(await peer.seal(keys.alice, [keys.bob], payload(), at), 'base64');
    const backends = [backendOf('bob')];
    for (let i = 0; i < sealed.length; i += 5) {
      const changed = Buffer.from(sealed);
      changed[i]! ^= 0x10;
      await expect(open(stanza(changed.toString('base64')), { backends }), `octet ${i}`).rejects.toBeInstanceOf(
        E2eError,
      );
    }
  });
});

describe.skipIf(!hasPeer)('what is sealed for the peer', () => {
  it('is text, read without a flag', async () => {
    const sealed = await seal();
    expect(sealed.first('body', 'jabber:client')!.text).toBe('(encrypted)');
    expect(textOf(sealed)).toMatch(/^[A-Za-z0-9+/]+=*$/);
    const { flags, payload: read } = await peer.open(keys.alice, keys.bob, textOf(sealed), at);
    expect(flags).toEqual([]);
    expect(read).toBe(
      [
        'Content-type: Message/CPIM\n\n',
        `From: Bob <${jids.bob}>\nTo: ${jids.alice}\nDateTime: 2026-11-22T12:00:00+00:00\n\n`,
        'Content-type: text/plain; charset=utf-8\n\n',
        'O, she doth teach\n\nthe torches \u00e9',
      ].join(''),
    );
  });

  it('is a stanza with extensions, read without a flag', async () => {
    const text = message.replace('</message>', "<x xmlns='jabber:x:oob'><url>https://example.com</url></x></message>");
    const { flags, payload: read } = await peer.open(keys.alice, keys.bob, textOf(await seal(text)), at);
    expect(flags).toEqual([]);
    expect(read).toContain(
      '\n\nContent-type: application/xmpp+xml; charset=utf-8\n\n<xmpp xmlns="jabber:client"><message ',
    );
    const inner = parseXml(read.slice(read.indexOf('<xmpp'))).elements[0]!;
    expect(inner.first('x', 'jabber:x:oob')!.elements[0]!.text).toBe('https://example.com');
    expect(inner.attribute('from')).toBeUndefined();
    expect(inner.attribute('to')).toBeUndefined();
  });

  it('is for two recipients, each of whom reads it without a flag', async () => {
    const sealed = textOf(await seal(message, { alsoTo: [jids.carol] }));
    for (const me of [keys.alice, keys.carol]) {
      const { flags, payload: read } = await peer.open(me, keys.bob, sealed, at);
      expect(flags).toEqual([]);
      expect(read).toContain(`\nTo: ${jids.alice}; ${jids.carol}\n`);
    }
  });

  it('is readable by the sender too, and by nobody else', async () => {
    const sealed = await seal();
    await expect(peer.open(keys.carol, keys.bob, textOf(sealed), at)).rejects.toThrow('Not encrypted to this key');
    const mine = await open(sealed, { context: 'sent' });
    expect(mine.stanza.first('body', 'jabber:client')!.text).toContain('torches');
    const alone = textOf(await seal(message, { encryptToSelf: false }));
    await expect(peer.open(keys.bob, keys.bob, alone, at)).rejects.toThrow('Not encrypted to this key');
  });

  it('is flagged by the client where recipient, sender or time are not its own', async () => {
    const sealed = textOf(await seal());
    expect((await peer.open({ ...keys.alice, userId: 'Alice' }, keys.bob, sealed, at)).flags).toEqual(['recipient']);
    expect((await peer.open(keys.alice, keys.carol, sealed, at)).flags).toEqual(['unknown-signer', 'sender']);
    const late = new Date(at.getTime() + 86_401_000);
    expect((await peer.open(keys.alice, keys.bob, sealed, late)).flags).toEqual(['time']);
  });

  it('comes back through the profile', async () => {
    const opened = await open(await seal(), { backends: [backendOf('alice')], me: jids.alice });
    expect(opened.stanza.first('body', 'jabber:client')!.text).toBe('O, she doth teach\n\nthe torches \u00e9');
    expect(opened.verdict).toMatchObject({ level: 'good', recipientBound: true });
  });
});

describe.skipIf(!hasPeer)('a signing subkey of Alice that Carol adopts', () => {
  it('does not sign for Carol, with or without the profile', async () => {
    const alice = await library.readPrivateKey({ binaryKey: keys.alice.secret });
    const carol = await library.readPrivateKey({ binaryKey: keys.carol.secret });
    const [hers] = alice.subkeys;
    const [own] = carol.subkeys;
    const embedded = hers!.bindingSignatures[0]!.embeddedSignature!;
    const things = { key: carol.keyPacket, bind: hers!.keyPacket };
    const type = library.enums.signature.subkeyBinding;
    const flags = library.enums.keyFlags.signData;
    const binding = await makeSignature(carol.keyPacket, things, { type, at: born, flags, embedded });
    Object.assign(own!, { keyPacket: hers!.keyPacket, bindingSignatures: [binding] });
    const stolen = carol.toPublic().write();
    const sealed = await peer.seal(keys.alice, [keys.bob], payload({ from: keys.carol.userId }), at);
    const error = await refused(
      open(stanza(sealed, 'carol'), { backends: [backendOf('bob', { carol: stolen })] }),
      'ERR_E2E_SIGNATURE_INVALID',
    );
    expect(error.reason).toBe('the signing key is not bound to the certificate');
  });
});

describe.skipIf(!hasPeer)('without the profile', () => {
  const none = { profile: undefined };

  it('short first parts are malformed', async () => {
    const sealed = await peer.seal(keys.alice, [keys.bob], payload(), at);
    for (const policy of [strictPolicy, rfc3923Policy]) {
      await refused(open(stanza(sealed), { ...none, policy }), 'ERR_E2E_MALFORMED');
    }
  });

  /** What any client may say in Message/CPIM, with line ends of MIME. */
  const proper = [
    'Content-Type: Message/CPIM\r\n\r\n',
    `From: <im:${jids.alice}>\r\nTo: <im:${jids.bob}>\r\nDateTime: 2026-11-22T12:00:00Z\r\n\r\n`,
    'Content-Type: text/plain; charset=utf-8\r\n\r\nHark',
  ].join('');

  /** What Bob makes of it, who takes mail addresses for JIDs by his own choice. */
  function openPlainly(text: string, certificate: Uint8Array, options: Partial<OpenOptions> = {}) {
    const store = memoryStore();
    store.addIdentity(Jid.parse(jids.bob), 'openpgp', { keys: keys.bob.secret, certificates: new Uint8Array() });
    store.fileCertificate(Jid.parse(jids.alice), 'openpgp', certificate);
    return open(stanza(text), { ...none, backends: [openpgp({ store, userIds: 'mail' })], ...options });
  }

  it('a signing subkey that vouches for too little is not bound', async () => {
    for (const policy of [strictPolicy, rfc3923Policy]) {
      const sealed = await peer.seal(keys.alice, [keys.bob], proper, at, { part: 512 });
      const error = await refused(openPlainly(sealed, keys.alice.certificate, { policy }), 'ERR_E2E_SIGNATURE_INVALID');
      expect(error.reason).toBe('the signing key is not bound to the certificate');
    }
    const alice = await peer.keygen(jids.alice, born, 'right');
    const sealed = await peer.seal(alice, [keys.bob], proper, at, { part: 512 });
    const { verdict } = await openPlainly(sealed, alice.certificate);
    expect(verdict).toMatchObject({ level: 'good', profile: undefined, exceptions: [] });
    expect(verdict.encryption?.cipher).toBe('aes192-cfb-mdc');
  });

  it('User IDs are no addresses, LF is no line end of MIME, and a mail address no JID', async () => {
    const alice = await peer.keygen(jids.alice, born, 'right');
    const theirs = await peer.seal(alice, [keys.bob], payload(), at, { part: 512 });
    for (const policy of [strictPolicy, rfc3923Policy]) {
      await refused(openPlainly(theirs, alice.certificate, { policy }), 'ERR_E2E_MALFORMED');
    }
    const crlf = await peer.seal(alice, [keys.bob], payload().replaceAll('\n', '\r\n'), at, { part: 512 });
    await refused(openPlainly(crlf, alice.certificate), 'ERR_E2E_PAYLOAD_INVALID');
    const sealed = await peer.seal(alice, [keys.bob], proper, at, { part: 512 });
    const backends = [backendOf('bob', { alice: alice.certificate })];
    await refused(open(stanza(sealed), { ...none, backends }), 'ERR_E2E_SIGNER_UNTRUSTED');
  });

  it('nor are things as elsewhere taken with it', async () => {
    const sealed = await peer.seal(keys.alice, [keys.bob], proper, at);
    await refused(open(stanza(sealed)), 'ERR_E2E_PAYLOAD_INVALID');
  });

  it('the keys neither sign nor are encrypted to', async () => {
    const modern = { profile: 'modern' } as const;
    await refused(seal(message, modern), 'ERR_E2E_NO_SIGNING_KEY');
    await refused(seal(message, { ...modern, protection: 'encrypt' }), 'ERR_E2E_NO_RECIPIENT_KEY');
    const backend = backendOf('bob');
    expect(await backend.canSealTo(Jid.parse(jids.alice), at)).toBe(false);
    // Nor after the profile was used with the very same backend, keys and certificates.
    await seal(message, { backend });
    await refused(seal(message, { ...modern, backend }), 'ERR_E2E_NO_SIGNING_KEY');
    const sealed = await peer.seal(keys.alice, [keys.bob], payload(), at);
    await open(stanza(sealed), { backends: [backend] });
    await refused(open(stanza(sealed), { ...none, backends: [backend] }), 'ERR_E2E_MALFORMED');
  });
});
