import { describe, expect, it, vi } from 'vitest';
import { doubleBackend } from '../../double-backend.ts';
import type { SecurityBackend, SignRequest } from '../../../src/backends/backend.ts';
import {
  contactMemory,
  E2eError,
  E2eSession,
  element,
  Jid,
  memoryReplayStore,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  type SessionOptions,
  type XmlElement,
} from '../../../src/index.ts';
import { parseInstant } from '../../../src/time.ts';
import { juliet, mallory, refusal, romeo } from './scene.ts';

const everybody = [juliet, romeo, mallory];

function session(jid: string, options: Partial<SessionOptions> = {}): E2eSession {
  return new E2eSession({ jid, backends: [doubleBackend(everybody)], replay: new ReplayGuard(), ...options });
}

function message(text: string, attributes: Record<string, string> = {}): XmlElement {
  const all = { to: `${romeo}/orchard`, id: 'm1', type: 'chat', ...attributes };
  return element('message', 'jabber:client', all, [element('body', 'jabber:client', {}, [text])]);
}

/** What the server of the recipient delivers. */
const delivered = (sealed: XmlElement, from = `${juliet}/balcony`): XmlElement => sealed.withAttribute('from', from);

describe('options', () => {
  it('ask for a replay guard under the strict policy', () => {
    expect(() => new E2eSession({ jid: romeo, backends: [doubleBackend([])] })).toThrow(TypeError);
    expect(new E2eSession({ jid: romeo, backends: [doubleBackend([])], policy: rfc3923Policy }).jid.toString()).toBe(
      romeo,
    );
  });

  it.each([{ backends: [] }, { jid: 'a b@c d' }, { unknown: 1 }, { backends: undefined }])(
    'that are wrong are a TypeError: %j',
    (wrong) => {
      expect(() => session(romeo, wrong as never)).toThrow(TypeError);
    },
  );

  it('that are out of range are a RangeError', () => {
    expect(() => session(romeo, { timeout: 0 })).toThrow(RangeError);
    expect(() => session(romeo, { timeout: Number.NaN })).toThrow(RangeError);
  });
});

describe('seal and open', () => {
  it('bring a message across', async () => {
    const sealed = await session(juliet).seal(message('Hi'));
    expect(sealed.attribute('from')).toBeUndefined();
    expect(sealed.first('body')).toBeUndefined();
    const { stanza, verdict } = await session(romeo).open(delivered(sealed));
    expect(stanza.first('body')?.text).toBe('Hi');
    expect(verdict.sender?.jid).toBe(juliet);
  });

  it('keep an address that was given, and refuse that of another', async () => {
    const from = `${juliet}/balcony`;
    expect((await session(juliet).seal(message('Hi', { from }))).attribute('from')).toBe(from);
    await refusal(session(juliet).seal(message('Hi', { from: mallory })), 'ERR_E2E_NO_SIGNING_KEY', 'sign');
  });

  it('give increasing times in the order of the calls, and open in order', async () => {
    const a = session(juliet);
    const b = session(romeo);
    const sealed = await Promise.all(Array.from({ length: 50 }, (_, i) => a.seal(message(String(i)))));
    const opened = await Promise.all(sealed.map((one) => b.open(delivered(one))));
    const times = opened.map(({ verdict }) => parseInstant(verdict.time.signed!)!.nanoseconds);
    expect(times.every((time, i) => i === 0 || time > times[i - 1]!)).toBe(true);
    expect(opened.map(({ stanza }) => stanza.first('body')?.text)).toEqual(
      Array.from({ length: 50 }, (_, i) => `${i}`),
    );
  });

  it('open once', async () => {
    const sealed = delivered(await session(juliet).seal(message('Hi')));
    const b = session(romeo);
    await b.open(sealed);
    await refusal(b.open(sealed), 'ERR_E2E_REPLAYED');
  });

  it('take the first backend that has a key for the contact', async () => {
    const backends = [doubleBackend([juliet], 'one'), doubleBackend([juliet, romeo], 'two')];
    const sign = vi.spyOn(backends[1]!, 'sign');
    await session(juliet, { backends }).seal(message('Hi'));
    expect(sign).toHaveBeenCalledOnce();
    await refusal(
      session(juliet, { backends: [backends[0]!] }).seal(message('Hi')),
      'ERR_E2E_NO_RECIPIENT_KEY',
      'encrypt',
    );
  });

  it('need no key of the contact to sign only', async () => {
    const a = session(juliet, { backends: [doubleBackend([juliet])], protection: 'sign' });
    const { verdict } = await session(romeo).open(delivered(await a.seal(message('Hi'))));
    expect(verdict.protection).toBe('sign');
  });

  it('refuse what a server would close the stream for, with the limit', async () => {
    const error = await refusal(session(juliet).seal(message('x'.repeat(200_000))), 'ERR_E2E_LIMIT', 'encrypt');
    expect(error.reason).toContain('262144');
  });

  it('count what the host writes: quotes as entities, octets and not characters', async () => {
    const a = session(juliet, { protection: 'sign', fallbackBody: '"'.repeat(50_000) });
    await refusal(a.seal(message('Hi')), 'ERR_E2E_LIMIT', 'encrypt');
    const b = session(juliet, { protection: 'sign', fallbackBody: '日'.repeat(90_000) });
    await refusal(b.seal(message('Hi')), 'ERR_E2E_LIMIT', 'encrypt');
    const c = session(juliet, { protection: 'sign', fallbackBody: '日'.repeat(80_000) });
    await expect(c.seal(message('Hi'))).resolves.toBeDefined();
  });

  it('announce themselves to other clients where asked to', async () => {
    const a = session(juliet, { announce: true, fallbackBody: 'sealed' });
    const sealed = await a.seal(message('Hi'));
    expect(sealed.first('encryption', 'urn:xmpp:eme:0')?.attribute('namespace')).toBe(
      'urn:ietf:params:xml:ns:xmpp-e2e',
    );
    expect(sealed.first('body')?.text).toBe('sealed');
    expect(sealed.first('store', 'urn:xmpp:hints')).toBeDefined();
    const { stanza } = await session(romeo).open(delivered(sealed));
    expect(stanza.first('body')?.text).toBe('Hi');
    const presence = await a.seal(`<presence xmlns='jabber:client' to='${romeo}/x'/>`);
    expect(presence.elements.map(({ name }) => name)).toEqual(['e2e']);
  });
});

describe('order', () => {
  it('lost on the way is refused, whatever a server says: a delay stamp is forgeable', async () => {
    const a = session(juliet);
    const [first, second] = [delivered(await a.seal(message('1'))), delivered(await a.seal(message('2')))];
    const b = session(romeo);
    await b.open(second);
    await refusal(b.open(first), 'ERR_E2E_TIMESTAMP');
    const stamp = element('delay', 'urn:xmpp:delay', { stamp: new Date().toISOString() });
    await refusal(b.open(first.withChildren([...first.children, stamp])), 'ERR_E2E_TIMESTAMP');
  });
});

describe('the certificate (RFC 3923 section 6.6)', () => {
  it('goes along with the first stanza to a contact, and at most once in five minutes', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-22T12:00:00Z') });
    try {
      const backend = doubleBackend(everybody);
      const signed: [string, boolean][] = [];
      const sign = backend.sign.bind(backend);
      const watching: SecurityBackend = {
        ...backend,
        sign: (request: SignRequest) => {
          signed.push([String(request.recipients[0]), request.includeCertificate]);
          return sign(request);
        },
      };
      const a = session(juliet, { backends: [watching] });
      await a.seal(message('1'));
      await a.seal(message('2', { to: romeo }));
      await a.seal(message('3', { to: mallory }));
      vi.setSystemTime(new Date('2026-11-22T12:04:59.999Z'));
      await a.seal(message('4'));
      vi.setSystemTime(new Date('2026-11-22T12:05:00.001Z'));
      await a.seal(message('5'));
      await a.seal(message('6'));
      expect(signed).toEqual([
        [romeo, true],
        [romeo, false],
        [mallory, true],
        [romeo, false],
        [romeo, true],
        [romeo, false],
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('events', () => {
  it('tell what was opened and what was refused, without content', async () => {
    const b = session(romeo, { isContact: (jid) => String(jid) === juliet });
    const events: unknown[] = [];
    b.on('opened', ({ opened, forward }) => events.push(['opened', opened.verdict.sender?.jid, forward]));
    b.on('refused', ({ error, reply, received }) => {
      events.push(['refused', error.code, reply?.first('error')?.elements.map(({ name }) => name), received?.name]);
    });
    const sealed = delivered(await session(juliet).seal(message('Hi')));
    await b.open(sealed);
    await b.open(sealed).catch(() => undefined);
    expect(events).toEqual([
      ['opened', juliet, undefined],
      ['refused', 'ERR_E2E_REPLAYED', ['not-acceptable', 'bad-timestamp'], 'message'],
    ]);
  });

  it('stop when asked to', async () => {
    const b = session(romeo);
    const heard: string[] = [];
    const listener = (): void => void heard.push('x');
    const stop = b.on('opened', listener);
    b.on('opened', listener);
    stop();
    await b.open(delivered(await session(juliet).seal(message('Hi'))));
    expect(heard).toEqual(['x']);
  });

  it('answer nobody but contacts', async () => {
    const b = session(romeo, { isContact: () => false });
    const replies: unknown[] = [];
    b.on('refused', ({ reply }) => replies.push(reply));
    const sealed = delivered(await session(juliet).seal(message('Hi')));
    await b.open(sealed);
    await b.open(sealed).catch(() => undefined);
    const failing = session(romeo, { isContact: () => Promise.reject(new Error('down')) });
    failing.on('refused', ({ reply }) => replies.push(reply));
    await failing.open(sealed.withAttribute('to', juliet)).catch(() => undefined);
    expect(replies).toEqual([undefined, undefined]);
  });
});

describe('time', () => {
  it('given up, a stanza does not block the ones behind it', async () => {
    const never = { ...doubleBackend(everybody), verify: () => new Promise<never>(() => undefined) };
    const sealed = delivered(await session(juliet).seal(message('Hi')));
    const b = session(romeo, { backends: [never], timeout: 0.05 });
    const first = refusal(b.open(sealed), 'ERR_E2E_KEY_UNAVAILABLE');
    const second = refusal(b.open(sealed.withAttribute('to', juliet)), 'ERR_E2E_RECIPIENT_MISMATCH').catch(() => 'no');
    await first;
    await second;
  });

  it('ends with an abort', async () => {
    const never = { ...doubleBackend(everybody), sign: () => new Promise<never>(() => undefined) };
    const a = session(juliet, { backends: [never] });
    const abort = new AbortController();
    const sealing = a.seal(message('Hi'), { signal: abort.signal });
    const waiting = a.seal(message('Hi'), { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await expect(sealing).rejects.toThrow('enough');
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('who is known', () => {
  it('is everybody for whom a key was ever stored, also after it is gone', async () => {
    const backend = doubleBackend([juliet]);
    let keys = 1;
    const summary = { fingerprint: 'f' } as never;
    const certificates = (jid: Jid): Promise<never[]> =>
      Promise.resolve(String(jid) === romeo && keys > 0 ? [summary] : []);
    const contacts = contactMemory();
    const a = session(juliet, { backends: [{ ...backend, certificates }], contacts });
    expect(await a.knows(mallory)).toBe(false);
    expect(await a.knows(`${romeo}/orchard`)).toBe(true);
    keys = 0;
    expect(await a.knows(romeo)).toBe(true);
    const restarted = session(juliet, { backends: [{ ...backend, certificates }], contacts });
    expect(await restarted.knows(romeo)).toBe(true);
  });

  it('cannot be told without the memory', async () => {
    const contacts = { has: () => Promise.reject(new Error('disk')), add: () => undefined };
    await refusal(session(juliet, { contacts }).knows(romeo), 'ERR_E2E_STORE_FAILED');
  });

  it('may be let off by name', () => {
    const a = session(juliet);
    a.allowPlain(`${romeo}/orchard`);
    expect(a.allowsPlain(Jid.parse(romeo))).toBe(true);
    a.requireSealed(romeo);
    expect(a.allowsPlain(romeo)).toBe(false);
  });
});

describe('forwarded stanzas', () => {
  const forward = (inner: XmlElement, wrapper: string, from: string | undefined = romeo): XmlElement => {
    const forwarded = element('forwarded', 'urn:xmpp:forward:0', {}, [
      element('delay', 'urn:xmpp:delay', { stamp: '2026-11-20T12:00:00Z' }),
      inner,
    ]);
    const carbons = 'urn:xmpp:carbons:2';
    const inside =
      wrapper === 'forwarded'
        ? forwarded
        : element(wrapper, wrapper === 'result' ? 'urn:xmpp:mam:2' : carbons, {}, [forwarded]);
    return element('message', 'jabber:client', { from, to: `${romeo}/garden` }, [inside]);
  };
  const received = async (): Promise<XmlElement> => delivered(await session(juliet).seal(message('Hi')));
  /** What another device of mine sent. */
  const sent = async (): Promise<XmlElement> =>
    delivered(await session(romeo).seal(message('Ho', { to: `${juliet}/balcony` })), `${romeo}/orchard`);

  it.each([
    ['received', received, 'carbon-received', 'Hi'],
    ['sent', sent, 'carbon-sent', 'Ho'],
    ['result', received, 'archive', 'Hi'],
    ['result', sent, 'archive', 'Ho'],
    ['forwarded', received, 'forward', 'Hi'],
  ] as const)('%s', async (wrapper, inner, kind, text) => {
    const whole = forward(await inner(), wrapper);
    const { opened, message: around, stamp, ...rest } = await session(romeo).openForwarded(whole);
    expect(rest).toEqual({ kind });
    expect(opened.stanza.first('body')?.text).toBe(text);
    expect(stamp?.toISOString()).toBe('2026-11-20T12:00:00.000Z');
    expect(JSON.stringify(around)).not.toContain('e2e');
    expect(around.attribute('from')).toBe(romeo);
  });

  it('from an archive open as often as wanted, however old; directly they do not', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T12:00:00Z') });
    const theirs = await received();
    const mine = await sent();
    const store = memoryReplayStore({ since: new Date('2025-01-01T00:00:00Z') });
    vi.useRealTimers();
    const b = session(romeo, { replay: new ReplayGuard(store) });
    for (const inner of [theirs, mine, theirs, mine]) {
      const { opened } = await b.openForwarded(forward(inner, 'result'));
      expect(opened.verdict.time.status).toBe('delayed');
    }
    await refusal(b.open(theirs), 'ERR_E2E_TIMESTAMP');
    await refusal(b.openForwarded(forward(theirs, 'received')), 'ERR_E2E_TIMESTAMP');
  });

  it.each([
    ['received', mallory],
    ['sent', mallory],
    ['received', `${romeo}/orchard`],
    ['received', 'example.net'],
    ['result', mallory],
    ['result', juliet],
  ])('%s from %s are refused (CVE-2017-5589)', async (wrapper, from) => {
    const inner = wrapper === 'sent' ? await sent() : await received();
    const whole = forward(inner, wrapper, from);
    await refusal(session(romeo).openForwarded(whole), 'ERR_E2E_SENDER_MISMATCH', 'unwrap');
  });

  it('of another archive are taken where it was asked', async () => {
    const whole = forward(await received(), 'result', 'archive.example.net');
    const { kind } = await session(romeo).openForwarded(whole, { archive: 'archive.example.net' });
    expect(kind).toBe('archive');
  });

  it('without "from" are from my own account', async () => {
    const whole = forward(await received(), 'received').withAttribute('from', undefined);
    await expect(session(romeo).openForwarded(whole)).resolves.toBeDefined();
  });

  it('of my own must be signed by me, and made for whom they went to', async () => {
    const forged = await received();
    await refusal(session(romeo).openForwarded(forward(forged, 'sent')), 'ERR_E2E_SENDER_MISMATCH');
    const redirected = (await sent()).withAttribute('to', mallory);
    await refusal(session(romeo).openForwarded(forward(redirected, 'sent')), 'ERR_E2E_RECIPIENT_MISMATCH');
  });

  it.each([
    ['no stanza', "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>"],
    ['no forwarded', "<received xmlns='urn:xmpp:carbons:2'/>"],
    [
      'two stanzas',
      "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/><message xmlns='jabber:client'/></forwarded></received>",
    ],
    [
      'two wrappers',
      "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded></received><sent xmlns='urn:xmpp:carbons:2'/>",
    ],
  ])('with %s are refused', async (_what, children) => {
    const whole = parseXml(`<message xmlns='jabber:client' from='${romeo}'>${children}</message>`);
    await refusal(session(romeo).openForwarded(whole), 'ERR_E2E_LAYERS_REFUSED');
  });

  it('are something else than a message', async () => {
    await refusal(session(romeo).openForwarded(await received()), 'ERR_E2E_NOT_SEALED');
  });

  it('can be refused by a check of the caller', async () => {
    const no = (): never => {
      throw new E2eError('ERR_E2E_LAYERS_REFUSED', 'check');
    };
    const b = session(romeo);
    const opened = vi.fn();
    b.on('opened', opened);
    const a = session(juliet);
    const [first, second] = [delivered(await a.seal(message('1'))), delivered(await a.seal(message('2')))];
    await refusal(b.open(first, { accept: no }), 'ERR_E2E_LAYERS_REFUSED');
    await refusal(b.openForwarded(forward(second, 'received'), { accept: no }), 'ERR_E2E_LAYERS_REFUSED');
    expect(opened).not.toHaveBeenCalled();
  });
});
