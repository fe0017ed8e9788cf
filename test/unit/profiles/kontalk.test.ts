/** The dialect of the Kontalk clients: what is written, what is read, and where it reaches. The peer is in test/interop. */
import fc from 'fast-check';
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import { utf8 } from '../../../src/bytes.ts';
import {
  defaultLimits,
  E2eError,
  E2eSession,
  element,
  Jid,
  limitsWith,
  memoryReplayStore,
  openStanza,
  parseXml,
  ReplayGuard,
  sealStanza,
  type SealOptions,
  type SecurityBackend,
  type XmlElement,
} from '../../../src/index.ts';
import { kontalk } from '../../../src/profiles/index.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import { runs } from '../../shared-data.ts';
import { people } from '../../people.ts';

const alice = 'a1ce@example.com';
const bob = 'b0b@example.net';
const carol = 'ca401@example.org';
const at = new Date('2026-11-22T12:00:00.987Z');
const born = new Date('2026-01-01T00:00:00Z');
const client = 'jabber:client';

function read(text: string, limits = defaultLimits) {
  return kontalk.parse(utf8(text), limits);
}

function payload(
  headers: string = `From: ${alice}\nTo: ${bob}\nDateTime: 2026-11-22T12:00:00+00:00\n`,
  type = 'Content-type: text/plain; charset=utf-8',
  body = 'Hi',
): string {
  return `Content-type: Message/CPIM\n\n${headers}\n${type}\n\n${body}`;
}

function code(doing: () => unknown): string {
  try {
    doing();
  } catch (error) {
    if (error instanceof E2eError) return error.code;
    throw error;
  }
  return 'none';
}

describe('reading', () => {
  it('takes names, lists, either line end and either offset', () => {
    const headers = `From: Alice (a) <${alice}>\nTo: ${bob}; C. <${carol}>\nDateTime: 2026-11-22T14:00:00+0200\n`;
    const seen = read(payload(headers).replaceAll('\n', '\r\n'));
    expect(seen).toMatchObject({ form: 'cpim', kind: 'message', bodies: [{ lang: undefined, text: 'Hi' }] });
    expect(seen.senders.map(([where, jid]) => [where, jid.toString()])).toEqual([['CPIM From', alice]]);
    expect(seen.recipients.map(String)).toEqual([bob, carol]);
    expect(seen.dateTime?.nanoseconds).toBe(1_795_348_800_000_000_000n);
    expect(read(payload(undefined, 'content-TYPE:TEXT/PLAIN')).bodies[0]!.text).toBe('Hi');
    expect(read(payload(undefined, undefined, '\n\nHi\n\n')).bodies[0]!.text).toBe('\n\nHi\n\n');
  });

  const from = `From: ${alice}\n`;
  const to = `To: ${bob}\n`;
  const time = 'DateTime: 2026-11-22T12:00:00+00:00\n';
  it.each([
    ['two To, of which that client believes the last', from + to + `To: ${carol}\n` + time],
    ['two From', from + `From: ${carol}\n` + to + time],
    ['two DateTime', from + to + time + time],
    ['no From', to + time],
    ['no To', from + time],
    ['no DateTime', from + to],
    ['a header in lower case', from.toLowerCase() + to + time],
    ['a header that nobody there knows', from + to + time + 'Require: Nothing\n'],
    ['a subject', from + to + time + 'Subject: Hi\n'],
    ['a header without its space', `From:${alice}\n${to}${time}`],
    ['a folded line', from + to + time + ' more\n'],
    ['an im: URI', `From: <im:${alice}>\n${to}${time}`],
    ['no address', `From: Alice\n${to}${time}`],
    ['an address with resource', `From: ${alice}/r\n${to}${time}`],
    ['an address that is not enforced', `From: ${alice.toUpperCase()}\n${to}${time}`],
    ['two addresses in one name', `From: <${carol}> <${alice}>\n${to}${time}`],
    ['an address after the brackets', `From: <${carol}> ${alice}\n${to}${time}`],
    ['an empty item in To', `${from}To: ${bob}; \n${time}`],
    ['another separator in To', `${from}To: ${bob}, ${carol}\n${time}`],
    ['a control character', `From: \u0000${alice}\n${to}${time}`],
    ['a bare CR', `From: ${alice}\rTo: ${carol}\n${to}${time}`],
    ['a day that does not exist', `${from}${to}DateTime: 2026-02-30T12:00:00+00:00\n`],
  ])('refuses %s', (_, headers) => {
    expect(code(() => read(payload(headers)))).toBe('ERR_E2E_PAYLOAD_INVALID');
  });

  it.each([
    ['nothing', '', 'ERR_E2E_PAYLOAD_INVALID'],
    ['no end of the first block', 'Content-type: Message/CPIM', 'ERR_E2E_PAYLOAD_INVALID'],
    ['another header beside the first', payload().replace('\n', '\nX: y\n'), 'ERR_E2E_PAYLOAD_INVALID'],
    ['a parameter on the first', payload().replace('CPIM\n', 'CPIM; x=y\n'), 'ERR_E2E_PAYLOAD_INVALID'],
    ['MIME around another type', payload().replace('Message/CPIM', 'text/plain'), 'ERR_E2E_PAYLOAD_INVALID'],
    ['no body', payload(undefined, undefined, '').slice(0, -2), 'ERR_E2E_PAYLOAD_INVALID'],
    ['HTML', payload(undefined, 'Content-type: text/html'), 'ERR_E2E_UNSUPPORTED'],
    ['a signed part', payload(undefined, 'Content-type: multipart/signed'), 'ERR_E2E_UNSUPPORTED'],
    ['another charset', payload(undefined, 'Content-type: text/plain; charset=utf-7'), 'ERR_E2E_UNSUPPORTED'],
    ['a transfer encoding', payload(undefined, 'Content-type: text/plain\nX: y'), 'ERR_E2E_PAYLOAD_INVALID'],
    ['a byte order mark', payload(undefined, undefined, '\ufeffHi'), 'ERR_E2E_PAYLOAD_INVALID'],
  ])('refuses %s', (_, text, expected) => {
    expect(code(() => read(text))).toBe(expected);
  });

  it('refuses octets that are no UTF-8', () => {
    const bytes = utf8(payload());
    bytes[bytes.length - 1] = 0xff;
    expect(code(() => kontalk.parse(bytes, defaultLimits))).toBe('ERR_E2E_PAYLOAD_INVALID');
  });

  const stanza = (inner: string) =>
    payload(
      `From: ${alice}\nTo: ${bob}; ${carol}\nDateTime: 2026-11-22T12:00:00Z\n`,
      'Content-type: application/xmpp+xml',
      `<xmpp xmlns='jabber:client'>${inner}</xmpp>`,
    );

  it.each([
    ['presence', '<presence/>', 'ERR_E2E_PAYLOAD_INVALID'],
    ['an iq', "<iq type='set'/>", 'ERR_E2E_PAYLOAD_INVALID'],
    ['two messages', '<message/><message/>', 'ERR_E2E_PAYLOAD_INVALID'],
    ['a message to a third', "<message to='mallory@example.org'/>", 'ERR_E2E_PAYLOAD_INVALID'],
    ['a sealed message', "<message><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'/></message>", 'ERR_E2E_LAYERS_REFUSED'],
    ['no XML', '<message>', 'ERR_E2E_PAYLOAD_INVALID'],
  ])('refuses %s in a stanza payload', (_, inner, expected) => {
    expect(code(() => read(stanza(inner)))).toBe(expected);
  });

  it('names the sender of an inner stanza beside the one in the headers', () => {
    const seen = read(stanza(`<message from='${carol}' to='${bob}/x'><body>Hi</body></message>`));
    expect(seen.senders.map(([where, jid]) => `${where} ${jid.toString()}`)).toEqual([
      `CPIM From ${alice}`,
      `inner from ${carol}`,
    ]);
    expect(seen.innerTo).toBeUndefined();
  });

  it('stays within the limits', () => {
    const many = Array.from({ length: 65 }, (_, i) => `m${i}@example.org`).join('; ');
    const headers = (to: string) => `From: ${alice}\nTo: ${to}\nDateTime: 2026-11-22T12:00:00Z\n`;
    expect(code(() => read(payload(headers(many))))).toBe('ERR_E2E_LIMIT');
    expect(code(() => read(payload(headers(many)), limitsWith({ recipients: 65 })))).toBe('none');
    expect(code(() => read(payload(headers(`${'x'.repeat(5000)} <${bob}>`))))).toBe('ERR_E2E_LIMIT');
    expect(code(() => read(payload(`${'x'.repeat(300_000)}\n`)))).toBe('ERR_E2E_LIMIT');
  });

  it('answers anything with a payload or one error', () => {
    const whole = utf8(payload());
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = whole.slice();
        for (const [where, what] of changes) bytes[where % bytes.length] = what;
        code(() => kontalk.parse(bytes, defaultLimits));
      }),
      { numRuns: runs(20_000), seed: 20_211 },
    );
  });
});

describe('writing', () => {
  const names = { sender: alice, recipients: [bob], at: 1_795_348_800_987_654_000n, form: 'auto' } as const;
  const message = (...children: readonly XmlElement[]) =>
    element('message', client, { from: `${alice}/r`, to: bob, type: 'chat', id: 'i' }, children);
  const body = (text: string) => element('body', client, {}, [text]);
  const write = (stanza: XmlElement, given: Partial<Parameters<typeof kontalk.serialize>[1]> = {}) =>
    new TextDecoder().decode(kontalk.serialize(stanza, { ...names, ...given }));

  it('gives text for a body alone, in whole seconds', () => {
    expect(write(message(body('a\n\nb ')))).toBe(
      payload(`From: ${alice}\nTo: ${bob}\nDateTime: 2026-11-22T12:00:00+00:00\n`, undefined, 'a\n\nb '),
    );
  });

  it.each([
    ['a subject', [element('subject', client, {}, ['s']), body('b')]],
    ['a language', [element('body', client, { 'xml:lang': 'en' }, ['b'])]],
    ['an extension', [body('b'), element('x', 'jabber:x:oob')]],
    ['no body', [element('x', 'jabber:x:oob')]],
    ['a carriage return', [body('a\rb')]],
  ])('gives a stanza for %s', (_, children) => {
    const stanza = message(...children);
    expect(write(stanza)).toContain('\n\nContent-type: application/xmpp+xml; charset=utf-8\n\n<xmpp xmlns=');
    expect(code(() => write(stanza, { form: 'cpim' }))).toBe('ERR_E2E_UNMAPPABLE');
    const seen = kontalk.parse(kontalk.serialize(stanza, names), defaultLimits);
    expect(seen.stanza!.elements).toHaveLength(children.length);
    expect(seen.stanza!.attribute('to')).toBeUndefined();
  });

  it.each([
    ['presence', element('presence', client, { to: bob })],
    ['an iq', element('iq', client, { to: bob, type: 'get', id: '1' }, [element('query', 'x')])],
  ])('refuses %s', (_, stanza) => {
    expect(code(() => write(stanza))).toBe('ERR_E2E_UNMAPPABLE');
  });

  it.each(['a; <b@example.net>', 'a\nTo: x@y', 'nobody', '', 'xmpp', `${alice}/r`])(
    'refuses a User ID that would not come back: %j',
    (name) => {
      expect(code(() => write(message(body('b')), { sender: name }))).toBe('ERR_E2E_UNMAPPABLE');
      expect(code(() => write(message(body('b')), { recipients: [bob, name] }))).toBe('ERR_E2E_UNMAPPABLE');
    },
  );

  it('comes back, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        fc.pre(!/[\p{Cc}\ufffe\uffff]/u.test(text) && text.isWellFormed());
        const seen = kontalk.parse(kontalk.serialize(message(body(text)), names), defaultLimits);
        expect(seen.bodies[0]?.text ?? seen.stanza!.first('body')!.text).toBe(text);
      }),
      { numRuns: runs(2000), seed: 3923 },
    );
  });
});

async function backendOf(me: string, others: readonly string[]): Promise<SecurityBackend> {
  const store = memoryStore();
  for (const jid of [me, ...others]) {
    const key = await keyOf(jid);
    const parsed = Jid.parse(jid);
    if (jid === me) store.addIdentity(parsed, 'openpgp', { keys: key.write(), certificates: new Uint8Array() });
    else store.fileCertificate(parsed, 'openpgp', key.toPublic().write());
  }
  return openpgp({ store });
}

const made = new Map<string, Promise<library.PrivateKey>>();
function keyOf(jid: string): Promise<library.PrivateKey> {
  let key = made.get(jid);
  if (key === undefined) {
    key = library
      .generateKey({ userIDs: [{ name: 'N', email: jid }], date: born, format: 'object' })
      .then(({ privateKey }) => privateKey);
    made.set(jid, key);
  }
  return key;
}

const a = await backendOf(alice, [bob, carol]);
const b = await backendOf(bob, [alice, carol]);
const text = `<message xmlns='${client}' from='${alice}/r' to='${bob}/phone' type='chat' id='1'><body>Hi</body></message>`;
const seal = (options: Partial<SealOptions> = {}) => sealStanza(text, { backend: a, profile: kontalk, at, ...options });

describe('the option', () => {
  it('seals and opens', async () => {
    const sealed = await seal({ alsoTo: [carol, `${carol}/x`, bob] });
    const { stanza, verdict } = await openStanza(sealed, {
      backends: [b],
      me: bob,
      replay: false,
      profile: kontalk,
      at,
    });
    expect(stanza.first('body')!.text).toBe('Hi');
    expect(verdict).toMatchObject({
      profile: 'kontalk',
      recipients: [bob, carol],
      exceptions: [],
      time: { status: 'ok' },
    });
  });

  it.each([
    { protection: 'sign' },
    { protection: 'encrypt' },
    { wrapped: false },
    { hidden: true },
    { profile: {} },
    { profile: 'kontalk' },
    { profile: null },
  ])('is a TypeError with %j', async (wrong) => {
    await expect(seal(wrong as Partial<SealOptions>)).rejects.toThrow(TypeError);
  });

  it('is a TypeError with another backend', async () => {
    const { juliet } = await people('smime');
    await expect(seal({ backend: juliet.backend })).rejects.toThrow(TypeError);
    const options = { backends: [juliet.backend], me: bob, replay: false, profile: kontalk } as const;
    await expect(openStanza(text, options)).rejects.toThrow(TypeError);
  });

  it('takes nothing but the message itself: neither PGP/MIME nor what is only signed', async () => {
    const { romeo, juliet } = await people('openpgp');
    const message = text.replace(alice, 'juliet@example.com').replace(bob, 'romeo@example.net');
    for (const protection of ['sign', 'sign+encrypt'] as const) {
      const sealed = await sealStanza(message, { backend: juliet.backend, protection, at });
      const options = { backends: [romeo.backend], me: 'romeo@example.net', replay: false, at } as const;
      expect((await openStanza(sealed, options)).verdict.level).toBe('good');
      await expect(openStanza(sealed, { ...options, profile: kontalk })).rejects.toMatchObject({
        code: 'ERR_E2E_UNSUPPORTED',
      });
    }
  });

  it('refuses names that its form cannot hold, and what is encrypted but not signed', async () => {
    const inside = payload();
    const message = await library.createMessage({ binary: utf8(inside) });
    const encrypted = await library.encrypt({
      message,
      encryptionKeys: (await keyOf(bob)).toPublic(),
      format: 'binary',
      date: at,
    });
    const e2e = `<e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>${Buffer.from(encrypted).toString('base64')}</e2e>`;
    const sealed = `<message xmlns='${client}' from='${alice}/r' to='${bob}'>${e2e}</message>`;
    await expect(
      openStanza(sealed, { backends: [b], me: bob, replay: false, profile: kontalk, at }),
    ).rejects.toMatchObject({ code: 'ERR_E2E_UNSIGNED' });
  });
});

describe('several recipients without the profile', () => {
  it('are named in Message/CPIM, and each of them opens the same', async () => {
    const { juliet, romeo, mallory } = await people('openpgp');
    const message = text.replace(alice, 'juliet@example.com').replace(bob, 'romeo@example.net');
    const alsoTo = ['mallory@example.org'];
    for (const payloadForm of ['cpim', 'xmpp+xml'] as const) {
      const options = { backend: juliet.backend, payload: payloadForm, at, alsoTo };
      const sealed = await sealStanza(message, options);
      for (const { jid, backend } of [romeo, mallory]) {
        const received = sealed.withAttribute('to', jid.toString());
        const { verdict } = await openStanza(received, { backends: [backend], me: jid, replay: false, at });
        expect(verdict.recipients).toEqual(['romeo@example.net', 'mallory@example.org']);
        expect(verdict.recipientBound).toBe(true);
      }
      await expect(sealStanza(message, { ...options, wrapped: false })).rejects.toThrow(TypeError);
      await expect(sealStanza(message, { ...options, alsoTo: ['a b@c'] })).rejects.toThrow(TypeError);
    }
  });
});

describe('a session', () => {
  it('seals to and opens from those contacts for whom the profile is chosen', async () => {
    const { juliet } = await people('openpgp');
    const profile = (contact: Jid) => (contact.domain === 'example.net' ? kontalk : undefined);
    const replay = () => new ReplayGuard(memoryReplayStore());
    const hers = new E2eSession({ jid: alice, backends: [a, juliet.backend], replay: replay(), profile });
    const his = new E2eSession({ jid: bob, backends: [b], replay: replay(), profile: kontalk, fallbackBody: 'x' });
    const sealed = await hers.seal(text);
    expect(sealed.all('body').map((child) => child.text)).toEqual(['(encrypted)']);
    const { verdict } = await his.open(sealed);
    expect(verdict).toMatchObject({ profile: 'kontalk', level: 'good' });
    const sent = await hers.open(sealed, { context: 'sent' });
    expect(sent.stanza.first('body')!.text).toBe('Hi');
    const back = text.replace(alice, 'x@example.org').replaceAll(bob, alice).replace('x@example.org', bob);
    const answer = await his.seal(back);
    expect(answer.all('body').map((child) => child.text)).toEqual(['(encrypted)']);
    expect((await hers.open(answer)).verdict.profile).toBe('kontalk');
    // Carol is at another place: nothing of the profile is taken from there.
    const c = await backendOf(carol, [alice]);
    const fromCarol = await sealStanza(text.replace(alice, carol).replace(bob, alice), {
      backend: c,
      profile: kontalk,
    });
    await expect(hers.open(fromCarol)).rejects.toBeInstanceOf(E2eError);
    expect(parseXml(text).attribute('id')).toBe('1');
  });
});
