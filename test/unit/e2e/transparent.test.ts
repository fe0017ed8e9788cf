/** What enters an SDK and what leaves it, stanza by stanza, against servers and contacts that cheat. */
import { beforeEach, describe, expect, it } from 'vitest';
import { doubleBackend, doubleEncrypted, doubleSigned } from '../../double-backend.ts';
import type { SecurityBackend } from '../../../src/backends/backend.ts';
import { serverOnly } from '../../../src/e2e/server-only.ts';
import {
  type E2eErrorCode,
  E2eSession,
  element,
  type Glance,
  parseXml,
  type Received,
  ReplayGuard,
  rfc3923Policy,
  serializeXml,
  type SessionOptions,
  TransparentStream,
  type XmlElement,
} from '../../../src/index.ts';
import { juliet, mallory, refusal, romeo, sealedIn, wrappedXmppXml } from './scene.ts';

const balcony = `${juliet}/balcony`;
const orchard = `${romeo}/orchard`;

/** A double that has a certificate for everybody it has keys for. */
function backend(jids: readonly string[] = [juliet, romeo, mallory]): SecurityBackend {
  const summary = { fingerprint: 'f' } as never;
  return {
    ...doubleBackend(jids),
    certificates: (jid) => Promise.resolve(jids.includes(String(jid)) ? [summary] : []),
  };
}

function glance(stanza: XmlElement): Glance {
  const get = (name: string): string | undefined => stanza.attribute(name);
  return {
    name: stanza.name,
    from: get('from'),
    to: get('to'),
    type: get('type'),
    id: get('id'),
    children: stanza.elements,
  };
}

/** One account on one stream. */
class Party {
  readonly session: E2eSession;
  readonly stream: TransparentStream;
  readonly refused: E2eErrorCode[] = [];
  readonly unsent: E2eErrorCode[] = [];

  readonly jid: string;

  constructor(jid: string, options: Partial<SessionOptions> = {}) {
    this.jid = jid;
    this.session = new E2eSession({ jid, backends: [backend()], replay: new ReplayGuard(), ...options });
    this.stream = new TransparentStream(this.session);
    this.session.on('refused', ({ error }) => this.refused.push(error.code));
    this.session.on('unsent', ({ error }) => this.unsent.push(error.code));
  }

  /** What goes on the wire, with the address that the server stamps. */
  async send(stanza: string): Promise<XmlElement> {
    const tree = parseXml(stanza);
    const sent = this.stream.concernsSent(glance(tree)) ? await this.stream.send(glance(tree), tree) : undefined;
    return (sent ?? tree).withAttribute('from', this.jid);
  }

  receive(stanza: XmlElement): Promise<Received> {
    if (!this.stream.concernsReceived(glance(stanza))) return Promise.resolve({ action: 'pass' });
    return this.stream.receive(glance(stanza), stanza);
  }
}

const stanza = (name: string, attributes: string, content = ''): string =>
  `<${name} xmlns='jabber:client' ${attributes}>${content}</${name}>`;
const hi = stanza('message', `to='${orchard}' type='chat' id='m1'`, '<body>Hi</body>');
const ask = (type = 'get', id = 'q1'): string =>
  stanza('iq', `to='${orchard}' type='${type}' id='${id}'`, "<q xmlns='urn:example:q'/>");
const answer = (id = 'q1', text = 'yes'): string =>
  stanza('iq', `to='${balcony}' type='result' id='${id}'`, `<q xmlns='urn:example:q'>${text}</q>`);

let a: Party;
let b: Party;

beforeEach(() => {
  a = new Party(balcony);
  b = new Party(orchard);
});

const isSealed = (tree: XmlElement): boolean => tree.first('e2e', 'urn:ietf:params:xml:ns:xmpp-e2e') !== undefined;

function replaced(received: Received): XmlElement {
  if (received.action !== 'replace') throw new Error(`not replaced but ${received.action}`);
  return received.stanza;
}

describe('what is sent', () => {
  it.each([
    ['a message', hi],
    ['a message to the bare address', hi.replace('/orchard', '')],
    ['a headline', hi.replace('chat', 'headline')],
    ['a request to a resource', ask()],
    ['directed presence', stanza('presence', `to='${orchard}'`, '<show>away</show>')],
    ['directed unavailable presence', stanza('presence', `to='${orchard}' type='unavailable'`)],
  ])('sealed: %s', async (_what, text) => {
    const wire = await a.send(text);
    expect(isSealed(wire)).toBe(true);
    expect(wire.elements.every((child) => child.name === 'e2e' || child.name === 'store')).toBe(true);
  });

  it.each([
    ['broadcast presence', stanza('presence', '', '<show>away</show>')],
    ['a subscription', stanza('presence', `to='${romeo}' type='subscribe'`)],
    ['its answer', stanza('presence', `to='${romeo}' type='unsubscribed'`)],
    ['a probe', stanza('presence', `to='${romeo}' type='probe'`)],
    ['group chat', stanza('message', `to='${romeo}' type='groupchat'`, '<body>Hi</body>')],
    ['the roster', stanza('iq', "type='get' id='r'", "<query xmlns='jabber:iq:roster'/>")],
    ['a request to my account', stanza('iq', `to='${juliet}' type='get' id='r'`, "<x xmlns='urn:x'/>")],
    ['a request to my server', stanza('iq', "to='example.com' type='get' id='r'", "<x xmlns='urn:x'/>")],
    ["a request to the contact's account", ask().replace('/orchard', '')],
    [
      'service discovery',
      stanza('iq', `to='${orchard}' type='get' id='d'`, "<query xmlns='http://jabber.org/protocol/disco#info'/>"),
    ],
    ['a ping', stanza('iq', `to='${orchard}' type='get' id='d'`, "<ping xmlns='urn:xmpp:ping'/>")],
    ['a message to a stranger', hi.replace(romeo, 'nurse@example.com')],
    ['a stream element', "<r xmlns='urn:xmpp:sm:3'/>"],
  ])('plain: %s', async (_what, text) => {
    const wire = await a.send(text);
    expect(serializeXml(wire)).toBe(serializeXml(parseXml(text).withAttribute('from', balcony)));
  });

  it('never plain once a key was stored, unless allowed (attack 22)', async () => {
    let keys = [juliet, romeo];
    const changing = {
      ...backend(),
      canSealTo: () => Promise.resolve(keys.includes(romeo)),
      certificates: (jid: unknown) => backend(keys).certificates(jid as never),
    };
    a = new Party(balcony, { backends: [changing] });
    expect(isSealed(await a.send(hi))).toBe(true);
    keys = [juliet];
    await refusal(a.send(hi), 'ERR_E2E_NO_RECIPIENT_KEY');
    expect(a.unsent).toEqual(['ERR_E2E_NO_RECIPIENT_KEY']);
    a.session.allowPlain(romeo);
    expect((await a.send(hi)).first('body')?.text).toBe('Hi');
    keys = [juliet, romeo];
    expect(isSealed(await a.send(hi))).toBe(true);
    a.session.requireSealed(romeo);
    keys = [];
    await refusal(a.send(hi), 'ERR_E2E_NO_RECIPIENT_KEY');
  });

  it('never where it cannot be told whether a key was stored, nor to what is no address', async () => {
    const contacts = { has: () => Promise.reject(new Error('disk')), add: () => undefined };
    await refusal(new Party(balcony, { contacts }).send(hi), 'ERR_E2E_STORE_FAILED');
    await refusal(a.send(hi.replace(orchard, 'romeo@@example')), 'ERR_E2E_MALFORMED');
  });

  it('as the rule of the application says', async () => {
    const asked: string[] = [];
    a = new Party(balcony, {
      sealing: (tree, { direction, usual }) => {
        asked.push(`${direction} ${usual}`);
        return tree.first('body')?.text === 'Hi' ? 'plain' : usual;
      },
    });
    expect(isSealed(await a.send(hi))).toBe(false);
    expect(isSealed(await a.send(hi.replace('Hi<', 'Ho<')))).toBe(true);
    expect(asked).toEqual(['outgoing seal', 'outgoing seal']);
  });

  it('without what an application puts into an error', async () => {
    const error =
      "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>secret</text><secret xmlns='urn:example'/></error>";
    const wire = await b.send(
      stanza('iq', `to='${balcony}' type='error' id='q1'`, `<q xmlns='urn:example:q'>secret</q>${error}`),
    );
    expect(serializeXml(wire)).not.toContain('secret');
    expect(wire.first('error')?.elements.map(({ name }) => name)).toEqual(['item-not-found']);
    expect(wire.first('error')?.attribute('type')).toBe('cancel');
  });

  it('sealed for an answer exactly if its request came sealed', async () => {
    const sealed = await a.send(ask());
    await b.receive(sealed);
    expect(isSealed(await b.send(answer()))).toBe(true);
    b.session.allowPlain(juliet);
    await b.receive(parseXml(ask('get', 'q2')).withAttribute('from', balcony));
    expect(isSealed(await b.send(answer('q2')))).toBe(false);
    expect(isSealed(await b.send(answer('q3')))).toBe(true);
  });
});

describe('what is received', () => {
  it('sealed reaches the SDK plain, with its verdict', async () => {
    const received = await b.receive(await a.send(hi));
    expect(replaced(received).first('body')?.text).toBe('Hi');
    expect(received).toMatchObject({ verdict: { sender: { jid: juliet } } });
  });

  it.each([
    ['from my account', stanza('message', `from='${romeo}'`, '<body>Hi</body>')],
    ['from my server', stanza('message', "from='example.net'", '<body>Hi</body>')],
    ['without "from"', stanza('iq', "type='set' id='p'", "<query xmlns='jabber:iq:roster'/>")],
    ['from a stranger', stanza('message', "from='nurse@example.com/x'", '<body>Hi</body>')],
    ['group chat', stanza('message', "from='room@muc.example.com/nick' type='groupchat'", '<body>Hi</body>')],
    ['presence', stanza('presence', `from='${balcony}'`, '<show>away</show>')],
    ['a subscription', stanza('presence', `from='${juliet}' type='subscribe'`)],
    [
      'service discovery',
      stanza('iq', `from='${balcony}' type='get' id='d'`, "<query xmlns='http://jabber.org/protocol/disco#info'/>"),
    ],
    [
      'an event of the account',
      stanza('message', `from='${juliet}' type='headline'`, "<event xmlns='http://jabber.org/protocol/pubsub#event'/>"),
    ],
    ['hints only', stanza('message', `from='${balcony}'`, "<store xmlns='urn:xmpp:hints'/>")],
    [
      'a sealed object of a room',
      stanza(
        'message',
        "from='room@muc.example.com/nick' type='groupchat'",
        "<e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>x</e2e>",
      ),
    ],
  ])('plain passes: %s', async (_what, text) => {
    expect(await b.receive(parseXml(text))).toEqual({ action: 'pass' });
    expect(b.refused).toEqual([]);
  });

  it.each([
    ['a message', stanza('message', `from='${balcony}' type='chat'`, '<body>Hi</body>')],
    ['a message with group chat type', stanza('message', `from='${balcony}' type='groupchat'`, '<body>Hi</body>')],
    [
      'a body beside an event',
      stanza('message', `from='${juliet}'`, "<event xmlns='http://jabber.org/protocol/pubsub#event'/><body>Hi</body>"),
    ],
    [
      'an event from a resource',
      stanza('message', `from='${balcony}'`, "<event xmlns='http://jabber.org/protocol/pubsub#event'/>"),
    ],
    [
      'a message beside hints',
      stanza('message', `from='${balcony}'`, "<store xmlns='urn:xmpp:hints'/><x xmlns='urn:x'/>"),
    ],
    ['a request', stanza('iq', `from='${balcony}' type='set' id='s'`, "<x xmlns='urn:x'/>")],
  ])('plain from a contact with keys is a DOWNGRADE: %s', async (_what, text) => {
    const received = await b.receive(parseXml(text));
    expect(received.action).toBe('drop');
    expect(b.refused).toEqual(['ERR_E2E_DOWNGRADE']);
    b.session.allowPlain(juliet);
    expect(await b.receive(parseXml(text))).toEqual({ action: 'pass' });
  });

  it('plain requests that are refused get exactly one error', async () => {
    const request = parseXml(
      stanza('iq', `from='${balcony}' to='${orchard}' type='set' id='s'`, "<x xmlns='urn:x'>secret</x>"),
    );
    const received = await b.receive(request);
    if (received.action !== 'drop' || received.reply === undefined) throw new Error('no reply');
    expect(received.reply.attribute('type')).toBe('error');
    expect(received.reply.attribute('id')).toBe('s');
    expect(serializeXml(received.reply)).toContain('service-unavailable');
    expect(serializeXml(received.reply)).not.toContain('secret');
  });

  it('what does not open never reaches the SDK, and does not block what follows', async () => {
    const damaged = (await a.send(hi)).withAttribute('from', mallory);
    const first = b.receive(damaged);
    const second = b.receive(await a.send(hi));
    expect((await first).action).toBe('drop');
    expect(replaced(await second).first('body')?.text).toBe('Hi');
    expect(b.refused).toEqual(['ERR_E2E_SENDER_MISMATCH']);
  });

  it('twice is delivered once', async () => {
    const wire = await a.send(hi);
    expect((await b.receive(wire)).action).toBe('replace');
    expect((await b.receive(wire)).action).toBe('drop');
  });

  it('unsigned enters under no policy', async () => {
    b = new Party(orchard, { policy: rfc3923Policy });
    const content = wrappedXmppXml("<message id='m1' type='chat'><body>Hi</body></message>", {
      DateTime: new Date().toISOString(),
    });
    const wire = sealedIn(
      doubleEncrypted(content, [romeo]),
      stanza('message', `from='${balcony}' to='${romeo}' id='m1' type='chat'`),
    );
    expect((await b.receive(wire)).action).toBe('drop');
    expect(b.refused).toEqual(['ERR_E2E_UNSIGNED']);
  });

  it('failures of stores and backends drop the stanza and say so', async () => {
    const broken = { ...backend(), verify: () => Promise.reject(new Error('card removed')) };
    b = new Party(orchard, { backends: [broken] });
    let cause: unknown;
    b.session.on('refused', ({ error }) => (cause = error.cause));
    expect((await b.receive(await a.send(hi))).action).toBe('drop');
    expect(b.refused).toEqual(['ERR_E2E_STORE_FAILED']);
    expect(cause).toEqual(new Error('card removed'));
  });

  it('errors reach the SDK as errors only', async () => {
    const wire = await a.send(hi);
    const bounced = wire
      .withAttribute('from', orchard)
      .withAttribute('to', balcony)
      .withAttribute('type', 'error')
      .withChildren([
        ...wire.children,
        element('body', 'jabber:client', {}, ['forged']),
        element('error', 'jabber:client', { type: 'cancel' }, [
          element('service-unavailable', 'urn:ietf:params:xml:ns:xmpp-stanzas'),
          element('text', 'urn:ietf:params:xml:ns:xmpp-stanzas', {}, ['forged']),
        ]),
      ]);
    const error = replaced(await a.receive(bounced));
    expect(error.elements.map(({ name }) => name)).toEqual(['error']);
    expect(serializeXml(error)).not.toContain('forged');
    const bare = replaced(
      await a.receive(parseXml(stanza('message', `from='${orchard}' type='error'`, '<body>x</body>'))),
    );
    expect(serializeXml(bare)).toContain('undefined-condition');
  });
});

describe('requests and answers (attack 18)', () => {
  /** A request on its way and its answer. */
  async function exchange(id = 'q1', text = 'yes'): Promise<XmlElement> {
    await b.receive(await a.send(ask('get', id)));
    return b.send(answer(id, text));
  }

  it('meet', async () => {
    const opened = replaced(await a.receive(await exchange()));
    expect(opened.first('q', 'urn:example:q')?.text).toBe('yes');
    expect(opened.attribute('id')).toBe('q1');
  });

  it('answered once: a second answer is none', async () => {
    const wire = await exchange();
    await a.receive(wire);
    expect((await a.receive(wire)).action).toBe('drop');
    expect(a.refused).toEqual(['ERR_E2E_LAYERS_REFUSED']);
  });

  it('two answers exchanged by the server are refused, and the requests fail', async () => {
    const one = await exchange('q1', 'one');
    const two = await exchange('q2', 'two');
    for (const swapped of [one.withAttribute('id', 'q2'), two.withAttribute('id', 'q1')]) {
      const failed = replaced(await a.receive(swapped));
      expect(failed.attribute('type')).toBe('error');
      expect(serializeXml(failed)).not.toMatch(/one|two/);
    }
    expect(a.refused).toEqual(['ERR_E2E_PAYLOAD_INVALID', 'ERR_E2E_PAYLOAD_INVALID']);
  });

  it('"get" turned into "set" is refused, and the other way round', async () => {
    for (const [type, other] of [
      ['get', 'set'],
      ['set', 'get'],
      ['get', 'result'],
    ] as const) {
      const wire = (await a.send(ask(type, `q-${type}`))).withAttribute('type', other);
      expect((await b.receive(wire)).action).toBe('drop');
    }
    expect(b.refused.slice(0, 2)).toEqual(['ERR_E2E_PAYLOAD_INVALID', 'ERR_E2E_PAYLOAD_INVALID']);
  });

  it('a plain answer to a sealed request is a DOWNGRADE, and the request fails', async () => {
    await a.send(ask());
    const failed = replaced(await a.receive(parseXml(answer()).withAttribute('from', orchard)));
    expect(failed.attribute('type')).toBe('error');
    expect(a.refused).toEqual(['ERR_E2E_DOWNGRADE']);
    a.session.allowPlain(romeo);
    await a.send(ask('get', 'q2'));
    const again = replaced(await a.receive(parseXml(answer('q2')).withAttribute('from', orchard)));
    expect(again.attribute('type')).toBe('error');
  });

  it('an answer of another contact is none, sealed or plain, and the request goes on', async () => {
    const real = await exchange();
    const m = new Party(`${mallory}/x`);
    await m.receive(parseXml(ask()).withAttribute('from', balcony));
    const sealed = await m.send(answer());
    const plain = parseXml(answer()).withAttribute('from', 'nurse@example.com/x');
    const error = parseXml(stanza('iq', `from='${mallory}/x' type='error' id='q1'`));
    for (const forged of [sealed, plain, error]) expect((await a.receive(forged)).action).toBe('drop');
    expect(replaced(await a.receive(real)).attribute('type')).toBe('result');
  });

  it('an answer to a plain request may be plain', async () => {
    const disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    await a.send(stanza('iq', `to='${orchard}' type='get' id='d'`, disco));
    const plain = parseXml(stanza('iq', `from='${orchard}' to='${balcony}' type='result' id='d'`, disco));
    expect(await a.receive(plain)).toEqual({ action: 'pass' });
  });

  it('an error ends the request', async () => {
    await a.send(ask());
    const error = parseXml(
      stanza('iq', `from='${orchard}' to='${balcony}' type='error' id='q1'`, "<error type='cancel'/>"),
    );
    expect(replaced(await a.receive(error)).attribute('type')).toBe('error');
    const late = await b.send(answer());
    expect((await a.receive(late)).action).toBe('drop');
  });

  it('a sealed iq without its id or type inside is refused', async () => {
    for (const [later, inner] of ["<iq type='get'>", "<iq id='q9'>"].entries()) {
      // Two stanzas of one sender never have one time.
      const time = new Date(Date.now() + later).toISOString();
      const content = wrappedXmppXml(`${inner}<q xmlns='urn:example:q'/></iq>`, { DateTime: time });
      const object = doubleEncrypted(doubleSigned(content, { signers: [juliet] }), [romeo]);
      const wire = sealedIn(object, stanza('iq', `from='${balcony}' to='${orchard}' type='get' id='q9'`));
      expect((await b.receive(wire)).action).toBe('drop');
    }
    expect(b.refused).toEqual(['ERR_E2E_PAYLOAD_INVALID', 'ERR_E2E_PAYLOAD_INVALID']);
  });
});

describe('what only servers may say (attack 29)', () => {
  it.each(serverOnly)('%s %s inside is refused', async (namespace, name) => {
    const local = name === '*' ? 'query' : name;
    const wire = await a.send(
      stanza('message', `to='${orchard}' id='m1' type='chat'`, `<body>Hi</body><${local} xmlns='${namespace}'/>`),
    );
    const received = await b.receive(wire);
    // What is meant for servers never goes inside, and is dropped where it comes from inside.
    if (received.action === 'replace') expect(received.stanza.elements.map((child) => child.name)).toEqual(['body']);
    else expect(b.refused).toEqual(['ERR_E2E_LAYERS_REFUSED']);
  });

  it('nor deeper inside', async () => {
    const nested = "<x xmlns='urn:x'><y><forwarded xmlns='urn:xmpp:forward:0'/></y></x>";
    const received = await b.receive(await a.send(stanza('message', `to='${orchard}' id='m1'`, nested)));
    expect(received.action).toBe('drop');
    expect(b.refused).toEqual(['ERR_E2E_LAYERS_REFUSED']);
  });

  it('a roster push inside a sealed iq', async () => {
    const push = "<query xmlns='jabber:iq:roster'><item jid='mallory@example.org' subscription='both'/></query>";
    const received = await b.receive(await a.send(stanza('iq', `to='${orchard}' type='set' id='p'`, push)));
    expect(received).toMatchObject({ action: 'drop', reply: { name: 'iq' } });
    expect(b.refused).toEqual(['ERR_E2E_LAYERS_REFUSED']);
  });

  it.each([
    "<query xmlns='jabber:iq:roster'/>",
    "<received xmlns='urn:xmpp:carbons:2'/>".replace('received', 'private'),
    "<verdict xmlns='urn:xmpp-e2e'>verified</verdict>",
    '<body>forged</body>',
  ])('beside the sealed object it does not reach the SDK: %s', async (child) => {
    const wire = await a.send(hi);
    const beside = wire.withChildren([...wire.children, parseXml(child, { defaultNamespace: 'jabber:client' })]);
    const received = await b.receive(beside);
    expect(replaced(received).elements.map(({ name }) => name)).toEqual(['body']);
    expect(replaced(received).first('body')?.text).toBe('Hi');
    expect(received).toMatchObject({ verdict: { sender: { jid: juliet } } });
  });

  it('a carbon copy beside a sealed object is taken for a copy, and refused', async () => {
    const wire = await a.send(hi);
    const copy =
      "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='mallory@example.org'><body>x</body></message></forwarded></received>";
    const received = await b.receive(wire.withChildren([...wire.children, parseXml(copy)]));
    expect(received.action).toBe('drop');
  });

  it('subscriptions stay the business of servers, whatever they carry', async () => {
    const wire = await a.send(stanza('presence', `to='${orchard}'`));
    expect(await b.receive(wire.withAttribute('type', 'subscribe'))).toEqual({ action: 'pass' });
    const grouped = (await a.send(hi)).withAttribute('type', 'groupchat');
    expect((await b.receive(grouped)).action).toBe('drop');
  });
});

describe('copies and archives', () => {
  const copy = (inner: XmlElement, kind: 'received' | 'sent' | 'result', from = romeo): XmlElement => {
    const namespace = kind === 'result' ? 'urn:xmpp:mam:2' : 'urn:xmpp:carbons:2';
    const forwarded = element('forwarded', 'urn:xmpp:forward:0', {}, [inner]);
    return element('message', 'jabber:client', { from, to: `${romeo}/garden` }, [
      element(kind, namespace, {}, [forwarded]),
    ]);
  };
  const inside = (received: Received): XmlElement | undefined => {
    const wrapper = replaced(received).elements[0];
    return wrapper?.elements[0]?.elements[0];
  };

  it.each(['received', 'result'] as const)('%s: the stanza inside is opened in its place', async (kind) => {
    const received = await b.receive(copy(await a.send(hi), kind));
    expect(inside(received)?.first('body')?.text).toBe('Hi');
    expect(received).toMatchObject({ verdict: { sender: { jid: juliet } } });
  });

  it.each(['sent', 'result'] as const)('%s: mine too', async (kind) => {
    const mine = await new Party(`${romeo}/other`).send(
      stanza('message', `to='${balcony}' type='chat' id='m2'`, '<body>Ho</body>'),
    );
    const received = await b.receive(copy(mine, kind));
    expect(inside(received)?.first('body')?.text).toBe('Ho');
    expect(received).toMatchObject({ verdict: { sender: { jid: romeo } } });
  });

  it.each(['received', 'sent', 'result'] as const)('%s from another is refused', async (kind) => {
    expect((await b.receive(copy(await a.send(hi), kind, mallory))).action).toBe('drop');
    expect((await b.receive(copy(await a.send(hi), kind, balcony))).action).toBe('drop');
    expect(b.refused).toEqual(['ERR_E2E_SENDER_MISMATCH', 'ERR_E2E_SENDER_MISMATCH']);
  });

  it.each(['received', 'sent'] as const)('%s from another is refused for strangers too', async (kind) => {
    const plain = parseXml(hi).withAttribute('from', 'nurse@example.com/x').withAttribute('to', 'nurse@example.com');
    expect((await b.receive(copy(plain, kind, mallory))).action).toBe('drop');
    expect(b.refused).toEqual(['ERR_E2E_SENDER_MISMATCH']);
  });

  it('plain ones of contacts with keys are a DOWNGRADE', async () => {
    const plain = parseXml(hi).withAttribute('from', balcony);
    const mine = parseXml(hi).withAttribute('from', orchard).withAttribute('to', balcony);
    for (const whole of [copy(plain, 'received'), copy(plain, 'result'), copy(mine, 'sent')]) {
      expect((await b.receive(whole)).action).toBe('drop');
    }
    expect(b.refused).toEqual(['ERR_E2E_DOWNGRADE', 'ERR_E2E_DOWNGRADE', 'ERR_E2E_DOWNGRADE']);
    b.session.allowPlain(juliet);
    expect(await b.receive(copy(plain, 'received'))).toEqual({ action: 'pass' });
  });

  it('of strangers and rooms pass as they are', async () => {
    const plain = parseXml(hi).withAttribute('from', 'nurse@example.com/x');
    const room = parseXml(hi.replace('chat', 'groupchat')).withAttribute('from', 'room@muc.example.com/nick');
    const sealed = (await a.send(hi))
      .withAttribute('from', 'room@muc.example.com/nick')
      .withAttribute('type', 'groupchat');
    for (const one of [plain, room, sealed]) expect(await b.receive(copy(one, 'result'))).toEqual({ action: 'pass' });
  });

  it('errors inside are bare', async () => {
    const wire = (await a.send(hi)).withAttribute('type', 'error');
    const received = await b.receive(
      copy(wire.withChildren([...wire.children, element('body', 'jabber:client')]), 'received'),
    );
    expect(inside(received)?.elements.map(({ name }) => name)).toEqual(['error']);
  });
});
