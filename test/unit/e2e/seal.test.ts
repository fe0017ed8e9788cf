import { describe, expect, it } from 'vitest';
import {
  inspectStanza,
  openStanza,
  parseXml,
  ReplayGuard,
  type SealOptions,
  sealStanza,
  sendingClock,
  type XmlElement,
} from '../../../src/index.ts';
import { limitsWith } from '../../../src/limits.ts';
import { doubleBackend } from '../../double-backend.ts';
import { at, cpim, double, juliet, open, refusal, romeo, sealedIn, shell, signedBy } from './scene.ts';
import { doubleSigned } from '../../double-backend.ts';

const message = (children = '<body>Hi</body>', attributes = ''): XmlElement =>
  parseXml(`<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' ${attributes}>${children}</message>`);

const seal = (stanza: XmlElement | string = message(), options: Partial<SealOptions> = {}): Promise<XmlElement> =>
  sealStanza(stanza, { backend: double, at, ...options });

const names = (stanza: XmlElement): string[] => stanza.elements.map((child) => child.name);

describe('what can be sealed (RFC 3923 section 2)', () => {
  it.each([
    ['group chat', message('', "type='groupchat'"), 'group chat'],
    ['an error', message('', "type='error'"), 'error stanza'],
    ['broadcast presence', parseXml(`<presence xmlns='jabber:client' from='${juliet}/b'/>`), 'broadcast presence'],
    [
      'a subscription',
      parseXml(`<presence xmlns='jabber:client' from='${juliet}' to='${romeo}' type='subscribe'/>`),
      'presence that servers must read',
    ],
    [
      'a probe',
      parseXml(`<presence xmlns='jabber:client' from='${juliet}' to='${romeo}' type='probe'/>`),
      'presence that servers must read',
    ],
    ['a sealed stanza', sealedIn(cpim()), 'the stanza is sealed already'],
    [
      'a stanza from nobody',
      parseXml(`<message xmlns='jabber:client' to='${romeo}'/>`),
      'the stanza has no "from" and none was given',
    ],
    [
      'a message to nobody',
      parseXml(`<message xmlns='jabber:client' from='${juliet}'/>`),
      'the stanza has no "to" and none was given',
    ],
    ['something else', parseXml(`<query xmlns='jabber:iq:roster'/>`), 'not a message, presence or iq stanza'],
  ])('not %s', async (_, stanza, reason) => {
    expect((await refusal(seal(stanza), 'ERR_E2E_UNMAPPABLE', 'map')).reason).toBe(reason);
  });

  it('not an address that is none', async () => {
    await refusal(seal(`<message from='@' to='${romeo}'><body>Hi</body></message>`), 'ERR_E2E_MALFORMED', 'map');
  });

  it('not what its form would lose', async () => {
    await refusal(seal(message('<body>Hi</body><thread>t</thread>'), { payload: 'cpim' }), 'ERR_E2E_UNMAPPABLE', 'map');
  });

  it('not without keys', async () => {
    await refusal(
      seal(message(), { backend: doubleBackend([romeo]), protection: 'sign' }),
      'ERR_E2E_NO_SIGNING_KEY',
      'sign',
    );
    const error = await refusal(
      seal(message(), { backend: doubleBackend([juliet]) }),
      'ERR_E2E_NO_RECIPIENT_KEY',
      'encrypt',
    );
    expect(error.reason).toBe(romeo);
  });

  it('not more than a server takes', async () => {
    const length = 400;
    const body = 'x'.repeat(length);
    const size = new TextEncoder().encode(
      (await import('../../../src/index.ts')).serializeXml(await seal(message(`<body>${body}</body>`))),
    ).length;
    await seal(message(`<body>${body}</body>`), { limits: limitsWith({ stanzaBytes: size }) });
    const error = await refusal(
      seal(message(`<body>${body}</body>`), { limits: limitsWith({ stanzaBytes: size - 1 }) }),
      'ERR_E2E_LIMIT',
      'encrypt',
    );
    expect(error.reason).toContain(String(size - 1));
  });
});

describe('what stays outside', () => {
  it('addresses, id, type, and the children meant for servers', async () => {
    const stanza = message(
      `<body>Hi</body><no-store xmlns='urn:xmpp:hints'/><request xmlns='urn:xmpp:receipts'/>`,
      "id='m1' type='chat'",
    );
    const sealed = await seal(stanza);
    expect(names(sealed)).toEqual(['e2e', 'no-store', 'request']);
    expect(sealed.attributes.map(({ name, value }) => [name, value]).sort()).toEqual([
      ['from', `${juliet}/balcony`],
      ['id', 'm1'],
      ['to', romeo],
      ['type', 'chat'],
    ]);
    const { verdict, stanza: opened } = await open(sealed);
    expect(names(opened)).toEqual(['body']);
    expect(verdict.outside.map(({ name }) => name)).toEqual(['no-store', 'request']);
  });

  it('a hint to store it, unless somebody knows better', async () => {
    expect(names(await seal())).toEqual(['e2e', 'store']);
    expect(names(await seal(message(), { store: false }))).toEqual(['e2e']);
    const iq = `<iq from='${juliet}/b' to='${romeo}/o' id='q' type='get'><query xmlns='urn:x'/></iq>`;
    expect(names(await seal(iq))).toEqual(['e2e']);
  });
});

describe('options', () => {
  it('replace the addresses', async () => {
    const stanza = await seal(`<message><body>Hi</body></message>`, { from: `${juliet}/x`, to: romeo });
    expect([stanza.attribute('from'), stanza.attribute('to')]).toEqual([`${juliet}/x`, romeo]);
    expect((await open(stanza)).verdict.sender?.jid).toBe(juliet);
  });

  it.each(['sign', 'encrypt', 'sign+encrypt'] as const)(
    'protection %s is what the verdict says',
    async (protection) => {
      const { rfc3923Policy } = await import('../../../src/index.ts');
      expect((await open(await seal(message(), { protection }), { policy: rfc3923Policy })).verdict.protection).toBe(
        protection,
      );
    },
  );

  it('take my own key as a reader, or not', async () => {
    const mine = { backends: [double], me: juliet, replay: new ReplayGuard(), at, context: 'sent' } as const;
    await openStanza(await seal(), mine);
    await refusal(openStanza(await seal(message(), { encryptToSelf: false }), mine), 'ERR_E2E_NO_DECRYPTION_KEY');
  });

  it.each<[string, object]>([
    ['an unknown one', { protectoin: 'sign' }],
    ['an unknown protection', { protection: 'seal' }],
    ['an unknown payload', { payload: 'html' }],
    ['an unknown profile', { profile: 'best' }],
    ['no JID', { to: '@' }],
    ['no date', { at: new Date(Number.NaN) }],
  ])('that are wrong are a TypeError: %s', async (_, options) => {
    await expect(seal(message(), options)).rejects.toBeInstanceOf(TypeError);
  });

  it('must be an object', async () => {
    await expect(sealStanza(message(), undefined as unknown as SealOptions)).rejects.toBeInstanceOf(TypeError);
  });

  it('are read once: a getter cannot change its mind', async () => {
    let reads = 0;
    const options = Object.defineProperty({ backend: double, at }, 'protection', {
      enumerable: true,
      get: () => (reads++ === 0 ? 'sign+encrypt' : 'sign'),
    });
    expect((await open(await sealStanza(message(), options))).verdict.protection).toBe('sign+encrypt');
    expect(reads).toBe(1);
  });

  it('stop at an abort', async () => {
    await expect(seal(message(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    await expect(open(await seal(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    const replay = new ReplayGuard();
    const controller = new AbortController();
    const opening = open(await seal(), { signal: controller.signal, replay });
    controller.abort();
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
    // An aborted call leaves no state behind.
    await open(await seal(), { replay });
  });
});

describe('the sending clock (RFC 3923 section 6.9)', () => {
  it('increases strictly, whatever the system clock does', async () => {
    let now = 1_000_000;
    const clock = sendingClock(() => now);
    let last = 0n;
    for (let i = 0; i < 10_000; i++) {
      if (i % 100 === 0) now += i % 300 === 0 ? -5000 : 1000;
      const next = await clock.next();
      expect(next > last).toBe(true);
      expect(next % 1000n).toBe(0n);
      last = next;
    }
  });

  it('gives each stanza of a process its own time', async () => {
    const guard = new ReplayGuard();
    const sealed = await Promise.all(Array.from({ length: 20 }, () => sealStanza(message(), { backend: double })));
    for (const stanza of sealed) await openStanza(stanza, { backends: [double], me: romeo, replay: guard });
  });
});

describe('inspection', () => {
  it('shows the layers in each other, without keys', async () => {
    const tree = await inspectStanza(signedBy({}), { backends: [double] });
    expect(tree.title).toBe('message');
    expect(tree.facts).toContainEqual(['from', `${juliet}/balcony`]);
    expect(tree.inside?.title).toBe('e2e');
    expect(tree.inside?.inside?.title).toBe('double (signed)');
    expect(tree.inside?.inside?.inside?.facts).toContainEqual(['CPIM From', juliet]);
  });

  it('ends where it cannot read on', async () => {
    const broken = await inspectStanza(
      sealedIn(doubleSigned(new TextEncoder().encode('Content-Type: Message/CPIM\r\n\r\nx'))),
      { backends: [double] },
    );
    expect(broken.inside?.inside?.inside?.warnings.length).toBe(1);
    const nested = sealedIn(doubleSigned(doubleSigned(doubleSigned(cpim()))));
    const tree = await inspectStanza(nested, { backends: [double] });
    expect(tree.inside?.inside?.inside?.title).toBe('unreadable');
    await refusal(inspectStanza(shell, { backends: [double] }), 'ERR_E2E_NOT_SEALED');
  });
});
