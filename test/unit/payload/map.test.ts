import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { toCrlf, utf8 } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { defaultLimits as limits } from '../../../src/limits.ts';
import { isForServers } from '../../../src/payload/for-servers.ts';
import {
  type Mapped,
  mapStanza,
  type MapStanzaOptions,
  mapToCpim,
  mapToPidf,
  mapToXmppXml,
} from '../../../src/payload/map.ts';
import { parsePayload } from '../../../src/payload/payload.ts';
import { reconstruct, type Reconstructed } from '../../../src/payload/reconstruct.ts';
import { sameXml } from '../../../src/xml/canonical.ts';
import { element, type XmlElement, type XmlNode } from '../../../src/xml/element.ts';
import { CLIENT, E2E } from '../../../src/xml/namespaces.ts';
import { parseXml } from '../../../src/xml/parse.ts';
import { corpus, corpusJson, hasCorpus, runs } from '../../shared-data.ts';

const juliet = Jid.parse('juliet@example.com/balcony');
const romeo = Jid.parse('romeo@example.net/orchard');
const at = BigInt(Date.UTC(2003, 11, 9, 11, 45, 36, 660)) * 1_000_000n;
const options: MapStanzaOptions = { form: 'auto', loss: 'refuse', from: juliet, to: [romeo], at, wrapped: true };
const stanza = (text: string): XmlElement => parseXml(text, { defaultNamespace: CLIENT });
const map = (text: string, more: Partial<MapStanzaOptions> = {}): Mapped =>
  mapStanza(stanza(text), { ...options, ...more });
const text = (mapped: Mapped): string => Buffer.from(mapped.entity).toString();
const back = (mapped: Mapped, outer: XmlElement): Reconstructed =>
  reconstruct(parsePayload(mapped.entity, limits), {
    from: juliet,
    to: romeo,
    type: outer.attribute('type'),
    id: outer.attribute('id'),
  });
/** What sealing keeps: the stanza as sent, addressed. */
const addressed = (tree: XmlElement): XmlElement =>
  tree.withAttribute('from', juliet.toString()).withAttribute('to', romeo.toString());
const unmappable = expect.objectContaining({ code: 'ERR_E2E_UNMAPPABLE', stage: 'map' });

describe('the bytes', () => {
  test('of a message (RFC 3923 example 1)', () => {
    const mapped = map('<message><subject>Imploring</subject><body>Wherefore art thou, Romeo?</body></message>');
    expect(mapped).toMatchObject({ form: 'cpim', dropped: [] });
    expect(text(mapped)).toBe(
      [
        'Content-Type: Message/CPIM',
        '',
        'From: <im:juliet@example.com>',
        'To: <im:romeo@example.net>',
        'DateTime: 2003-12-09T11:45:36.660Z',
        'Subject: Imploring',
        '',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'Wherefore art thou, Romeo?',
      ].join('\r\n'),
    );
  });

  const pidf =
    `<?xml version='1.0' encoding='UTF-8'?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:juliet@example.com">` +
    `<tuple id="ID-balcony"><status><basic>open</basic><show xmlns="jabber:client">away</show></status>` +
    `<note xml:lang="en">retired to the chamber</note><timestamp>2003-12-09T11:45:36.660Z</timestamp></tuple></presence>`;
  const away = "<presence><show>away</show><status xml:lang='en'>retired to the chamber</status></presence>";

  test('of a presence, wrapped (RFC 3922 section 5) and bare (RFC 3923 example 8)', () => {
    const head =
      'From: <im:juliet@example.com>\r\nTo: <im:romeo@example.net>\r\nDateTime: 2003-12-09T11:45:36.660Z\r\n\r\n';
    const inner = `Content-Type: application/pidf+xml; charset=utf-8\r\n\r\n${pidf}`;
    expect(text(map(away))).toBe(`Content-Type: Message/CPIM\r\n\r\n${head}${inner}`);
    expect(text(map(away, { wrapped: false }))).toBe(inner);
    expect(map(away).form).toBe('pidf');
  });

  test('of an iq, wrapped and bare (RFC 3923 section 5)', () => {
    const iq =
      "<iq type='get' id='1' from='juliet@example.com/balcony' to='romeo@example.net/orchard'><query xmlns='jabber:iq:version'/></iq>";
    const document =
      `<?xml version='1.0' encoding='UTF-8'?><xmpp xmlns="jabber:client"><iq from="juliet@example.com/balcony" id="1" to="romeo@example.net/orchard" type="get">` +
      `<query xmlns="jabber:iq:version"></query></iq></xmpp>`;
    const inner = `Content-Type: application/xmpp+xml; charset=utf-8\r\n\r\n${document}`;
    expect(text(map(iq, { wrapped: false }))).toBe(inner);
    expect(text(map(iq)).endsWith(`\r\n\r\n${inner}`)).toBe(true);
    expect(map(iq).form).toBe('xmpp+xml');
  });
});

describe('addresses', () => {
  test('several recipients: no inner "to"', () => {
    const mapped = map("<message to='romeo@example.net/orchard'><body>x</body><x xmlns='y'/></message>", {
      to: [romeo, Jid.parse('nurse@example.com')],
    });
    const payload = parsePayload(mapped.entity, limits);
    expect(payload.recipients.map(String)).toEqual(['romeo@example.net', 'nurse@example.com']);
    expect(payload.innerTo).toBeUndefined();
  });

  test('bare application/xmpp+xml always names the recipient', () => {
    const payload = parsePayload(map("<message><x xmlns='y'/></message>", { wrapped: false }).entity, limits);
    expect(payload.innerTo?.toString()).toBe('romeo@example.net/orchard');
    expect(payload.recipients).toEqual([]);
  });

  test('an address without localpart has no im: URI', () => {
    const service = Jid.parse('bot.example.net');
    const mapped = map('<message><body>x</body></message>', { to: [service] });
    expect(mapped.form).toBe('xmpp+xml');
    expect(text(mapped)).toContain('To: <xmpp:bot.example.net>\r\n');
    expect(parsePayload(mapped.entity, limits).recipients.map(String)).toEqual(['bot.example.net']);
    expect(() => map('<message/>', { to: [service], form: 'cpim' })).toThrow(unmappable);
    expect(() => map('<presence/>', { from: service, form: 'pidf' })).toThrow(unmappable);
  });

  test('characters that need escapes', () => {
    const from = Jid.parse('d\\27artagnan@musketeers.example/x');
    const payload = parsePayload(map('<message><body>x</body></message>', { from }).entity, limits);
    expect(payload.senders).toEqual([['CPIM From', from.bare()]]);
  });

  test("the tuple's id is the sender's resource", () => {
    const id = (more: Partial<MapStanzaOptions>, presence = '<presence/>'): string | undefined =>
      parsePayload(map(presence, more).entity, limits).pidf?.tuples[0]?.id;
    expect(id({})).toBe('ID-balcony');
    expect(id({ from: juliet.bare() }, "<presence from='juliet@example.com/chamber'/>")).toBe('ID-chamber');
    expect(id({ from: juliet.bare() })).toBe('ID-');
    expect(id({ from: juliet.bare() }, "<presence from='@'/>")).toBe('ID-');
    expect(id({ from: Jid.parse('juliet@example.com/two words') })).toBe('IDX-74776f20776f726473');
  });
});

describe('auto takes', () => {
  const cases: [form: string, stanza: string][] = [
    ['cpim', '<message/>'],
    ['cpim', "<message type='chat' id='1'><body>x</body></message>"],
    [
      'cpim',
      "<message type='normal'><subject>a</subject><subject xml:lang='cs'>b</subject><body xml:lang='en'>x\ny\n</body></message>",
    ],
    ['cpim', '<message><subject>a</subject></message>'],
    ['cpim', '<message><body> \t x \n\n</body></message>'],
    ['cpim', '<message><subject>\t&#13;\n</subject><body>x</body></message>'],
    ['xmpp+xml', "<message type='headline'><body>x</body></message>"],
    ['xmpp+xml', "<message type='groupchat'><body>x</body></message>"],
    ['xmpp+xml', "<message xml:lang='en'><body>x</body></message>"],
    ['xmpp+xml', "<message x='y'><body>x</body></message>"],
    ['xmpp+xml', '<message><body>x</body><subject>a</subject></message>'],
    ['xmpp+xml', '<message> <body>x</body></message>'],
    ['xmpp+xml', '<message>x<body>x</body></message>'],
    ['xmpp+xml', '<message><body/></message>'],
    ['xmpp+xml', '<message><body>&#13;</body></message>'],
    ['xmpp+xml', '<message><body>\ufeffx</body></message>'],
    ['xmpp+xml', "<message><body>x</body><body xml:lang='cs'>y</body></message>"],
    ['xmpp+xml', "<message><body x='y'>x</body></message>"],
    ['xmpp+xml', "<message><body xml:lang=''>x</body></message>"],
    ['xmpp+xml', "<message><body>x<b xmlns='y'/></body></message>"],
    ['xmpp+xml', "<message><body xmlns='jabber:x'>x</body></message>"],
    ['xmpp+xml', '<message><subject/></message>'],
    ['xmpp+xml', '<message><subject> a</subject></message>'],
    ['xmpp+xml', '<message><subject>a </subject></message>'],
    ['xmpp+xml', '<message><subject>a</subject><subject>b</subject></message>'],
    ['xmpp+xml', "<message><subject xml:lang='en'>a</subject><subject xml:lang='EN'>b</subject></message>"],
    ['xmpp+xml', `<message><subject>${'x'.repeat(5000)}</subject></message>`],
    [
      'xmpp+xml',
      `<message>${Array.from({ length: 40 }, (_, i) => `<subject xml:lang='x-${i}'>a</subject>`).join('')}</message>`,
    ],
    ['xmpp+xml', '<message><body>x</body><thread>t</thread></message>'],
    ['xmpp+xml', "<message><active xmlns='http://jabber.org/protocol/chatstates'/></message>"],
    ['pidf', '<presence/>'],
    ['pidf', "<presence type='unavailable' id='1'><status>gone</status></presence>"],
    [
      'pidf',
      "<presence><show>xa</show><status>a&#13;\nb</status><status xml:lang='cs'/><priority>0</priority></presence>",
    ],
    ['xmpp+xml', "<presence type='subscribe'/>"],
    ['xmpp+xml', "<presence xml:lang='en'><status>x</status></presence>"],
    ['xmpp+xml', '<presence><status>x</status><show>xa</show></presence>'],
    ['xmpp+xml', '<presence><priority>1</priority><show>xa</show></presence>'],
    ['xmpp+xml', '<presence><priority>1</priority><status>x</status></presence>'],
    ['xmpp+xml', '<presence><priority>-1</priority></presence>'],
    ['xmpp+xml', '<presence><priority>128</priority></presence>'],
    ['xmpp+xml', '<presence><priority>01</priority></presence>'],
    ['xmpp+xml', '<presence><priority>+1</priority></presence>'],
    ['xmpp+xml', '<presence><priority>x</priority></presence>'],
    ['xmpp+xml', "<presence><priority x='y'>1</priority></presence>"],
    ['xmpp+xml', '<presence><priority>1</priority><priority>1</priority></presence>'],
    ['xmpp+xml', '<presence><show>busy</show></presence>'],
    ['xmpp+xml', "<presence><show xml:lang='en'>xa</show></presence>"],
    ['xmpp+xml', '<presence><show>xa</show><show>xa</show></presence>'],
    ['xmpp+xml', "<presence><c xmlns='http://jabber.org/protocol/caps'/></presence>"],
    ['xmpp+xml', "<iq type='get'><query xmlns='jabber:iq:version'/></iq>"],
  ];

  test.each(cases)('%s for %s, and it comes back', (form, source) => {
    const mapped = map(source);
    expect(mapped.form).toBe(form);
    expect(mapped.dropped).toEqual([]);
    expect(toCrlf(mapped.entity)).toBe(mapped.entity);
    const outer = stanza(source);
    const again = back(mapped, outer);
    expect(again.dropped).toEqual([]);
    expect(sameXml(again.stanza, addressed(outer))).toBe(true);
  });

  test('the same for a stanza of a server or component stream', () => {
    for (const namespace of ['', 'jabber:server', 'jabber:component:accept']) {
      const tree = element('message', namespace, {}, [element('body', namespace, {}, ['x'])]);
      expect(mapStanza(tree, options).form).toBe('cpim');
    }
  });
});

describe('loss', () => {
  const cases: [form: 'cpim' | 'pidf', stanza: string, dropped: string[], result: string][] = [
    [
      'cpim',
      "<message id='1' type='chat'>\n<body>x</body><thread>t</thread><x xmlns='y'/></message>",
      ['thread', '{y}x', 'id', 'type'],
      '<message><body>x</body></message>',
    ],
    [
      'cpim',
      "<message><body>x</body><body xml:lang='cs'>y</body></message>",
      ['body'],
      '<message><body>x</body></message>',
    ],
    [
      'cpim',
      '<message><body>a&#13;b</body></message>',
      ['carriage return in the body'],
      '<message><body>a\nb</body></message>',
    ],
    [
      'cpim',
      '<message><body>\ufeffa</body></message>',
      ['byte order mark in the body'],
      '<message><body>a</body></message>',
    ],
    [
      'cpim',
      "<message xml:lang='en'><subject>s</subject><body xml:lang='de'>x</body></message>",
      [],
      "<message><subject xml:lang='en'>s</subject><body xml:lang='de'>x</body></message>",
    ],
    [
      'cpim',
      '<message><subject> s </subject></message>',
      ['space around the subject'],
      '<message><subject>s</subject></message>',
    ],
    ['cpim', '<message><subject/><body>x</body></message>', ['subject'], '<message><body>x</body></message>'],
    [
      'cpim',
      "<message x='y'>t<body a='b'>x<b xmlns='c'/></body></message>",
      ['attribute x of message', 'text beside the children', 'markup in body', 'attribute a of body'],
      '<message><body>x</body></message>',
    ],
    [
      'cpim',
      "<message><body xml:lang='a_b'>x</body></message>",
      ['xml:lang that is no language tag'],
      '<message><body>x</body></message>',
    ],
    [
      'pidf',
      "<presence id='1'><show>busy</show><priority>-5</priority><c xmlns='d'/></presence>",
      ['show', 'priority', '{d}c', 'id'],
      '<presence/>',
    ],
    [
      'pidf',
      "<presence xml:lang='en'><status>s</status><show x='y'>dnd</show></presence>",
      ['attribute x of show'],
      "<presence><show>dnd</show><status xml:lang='en'>s</status></presence>",
    ],
  ];

  test.each(cases)('%s of %s reports %j', (form, source, dropped, result) => {
    const mapped = map(source, { form, loss: 'report' });
    expect(mapped.dropped).toEqual(dropped);
    expect(sameXml(back(mapped, stanza('<message/>')).stanza, addressed(stanza(result)))).toBe(true);
    const kept = dropped.filter((what) => what !== 'id' && what !== 'type');
    if (kept.length > 0) expect(() => map(source, { form })).toThrow(unmappable);
    else expect(map(source, { form }).dropped).toEqual([]);
  });

  test('a second priority counts where the first is none', () => {
    const mapped = map('<presence><priority>x</priority><priority>7</priority></presence>', {
      form: 'pidf',
      loss: 'report',
    });
    expect(mapped.dropped).toEqual(['priority']);
  });

  test.each(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe', 'error'])(
    'presence of type %s has no mapping to PIDF, reported or not',
    (type) => {
      expect(() => map(`<presence type='${type}'/>`, { form: 'pidf', loss: 'report' })).toThrow(unmappable);
    },
  );

  test.each<[Partial<MapStanzaOptions>, string]>([
    [{ form: 'cpim' }, '<presence/>'],
    [{ form: 'cpim' }, "<iq type='get'/>"],
    [{ form: 'pidf' }, '<message/>'],
    [{ form: 'auto' }, "<x xmlns='y'/>"],
    [{ form: 'xmpp+xml' }, '<body/>'],
  ])('%j for %s', (more, source) => {
    expect(() => map(source, { ...more, loss: 'report' })).toThrow(unmappable);
  });
});

test.each(['auto', 'cpim', 'xmpp+xml'] as const)('a sealed stanza is refused (%s)', (form) => {
  const sealed = `<message><body>x</body><x xmlns='y'><e2e xmlns='${E2E}'/></x></message>`;
  expect(() => map(sealed, { form, loss: 'report' })).toThrow(
    expect.objectContaining({ code: 'ERR_E2E_LAYERS_REFUSED', stage: 'map' }),
  );
});

test('a sealed presence is refused as PIDF', () => {
  expect(() => map(`<presence><e2e xmlns='${E2E}'/></presence>`, { form: 'pidf', loss: 'report' })).toThrow(
    expect.objectContaining({ code: 'ERR_E2E_LAYERS_REFUSED' }),
  );
});

test.each(['\0', '\ud800', '\ufffe'])('text that XML cannot hold is refused: %j', (bad) => {
  for (const tree of [
    element('message', CLIENT, {}, [element('body', CLIENT, {}, [bad])]),
    element('message', CLIENT, {}, [element('subject', CLIENT, {}, [bad])]),
    element('presence', CLIENT, {}, [element('status', CLIENT, {}, [bad])]),
    element('iq', CLIENT, {}, [element('x', 'y', {}, [bad])]),
  ]) {
    expect(() => mapStanza(tree, options)).toThrow(unmappable);
  }
});

describe.skipIf(!hasCorpus('rfc-examples/rfc3922.json'))('RFC 3922, XMPP to CPIM', () => {
  interface Example {
    readonly section: string;
    readonly title: string;
    readonly direction: string;
    readonly input: { readonly text: string };
    readonly output: { readonly text: string; readonly fragment?: boolean };
  }
  const { examples } = (
    hasCorpus('rfc-examples/rfc3922.json') ? corpusJson('rfc-examples/rfc3922.json') : { examples: [] }
  ) as { examples: Example[] };
  const cases = examples.filter((example) => example.direction === 'xmpp-to-cpim');
  /** The examples' stanzas have no white space of their own. */
  const tidy = (tree: XmlElement): XmlElement =>
    tree.withChildren(
      tree.children.filter((child) => typeof child !== 'string' || (child.trim() !== '' && child.trim() !== '...')),
    );
  const read = (source: string): XmlElement => {
    const wrapped = stanza(`<wrap xmlns='jabber:client'>${source}</wrap>`);
    const first = wrapped.elements[0]!;
    return tidy(first.name === 'subject' ? element('message', CLIENT, {}, wrapped.elements) : first);
  };

  test('there are 13', () => expect(cases).toHaveLength(13));

  test.each(cases.map((row) => [row.section, row.title, row] as const))('%s %s', (section, _, { input, output }) => {
    const tree = read(input.text);
    const from = Jid.parse(tree.attribute('from') ?? 'juliet@example.com/balcony');
    const mapped = mapStanza(tree, {
      ...options,
      from,
      loss: 'report',
      form: tree.name === 'presence' ? 'pidf' : 'cpim',
    });
    const { cpim, pidf } = parsePayload(mapped.entity, limits);
    const lines = text(mapped).split('\r\n');
    if (section === '4.1.7') {
      // The Content-ID has no source in the stanza; the header line is written with a capital T.
      expect(lines.slice(-3)).toEqual(['Content-Type: text/plain; charset=utf-8', '', 'Wherefore art thou, Romeo?']);
      return;
    }
    if (!output.text.includes('<presence')) {
      // The RFC adds names for people, which a stanza does not hold.
      for (const line of output.text.trim().split('\n'))
        expect(lines).toContain(line.replace(/ [A-Z][a-z]+ [A-Z][a-z]+ /, ' '));
      return;
    }
    expect(pidf).toBeDefined();
    expect(cpim!.from!.uri).toBe('im:juliet@example.com');
    const expected = read(output.text.replace(/<\?xml[^>]*>\n/, ''));
    // "CLOSED" names the presence of somebody else by mistake.
    const entity = section === '5.1.4' ? 'pres:juliet@example.com' : expected.attribute('entity');
    expect(pidf!.entity).toBe(entity);
    const tuple = expected.elements[0];
    if (tuple === undefined) return;
    const ours = pidf!.tuples[0]!;
    // RFC 8048 section 6.2 puts "ID-" before the resource.
    expect(ours.id).toBe(`ID-${tuple.attribute('id')!}`);
    const status = tuple.elements.find((child) => child.name === 'status');
    const value = (name: string): string | undefined => status?.elements.find((child) => child.name === name)?.text;
    if (status !== undefined) expect(ours.basic).toBe(value('basic'));
    // RFC 8048 has <show/> where the undefined namespace of RFC 3922 has <im/>.
    expect(ours.statusExtensions.map((child) => [child.name, child.namespace, child.text])).toEqual(
      value('im') === undefined ? [] : [['show', CLIENT, value('im')]],
    );
    expect(ours.notes.map((note) => note.text)).toEqual(
      tuple.elements.filter((child) => child.name === 'note').map((child) => child.text),
    );
    const contact = tuple.elements.find((child) => child.name === 'contact');
    expect(ours.contact).toEqual(
      contact === undefined ? undefined : { uri: contact.text, priority: contact.attribute('priority') },
    );
  });
});

describe.skipIf(!hasCorpus('stanzas/index.json'))('stanzas of another project', () => {
  const files = hasCorpus('stanzas/index.json')
    ? (corpusJson('stanzas/index.json') as { files?: { file: string; comments: boolean }[] } & {
        file: string;
        comments: boolean;
      }[])
    : [];
  const cases = Array.isArray(files)
    ? files
    : (Object.values(files).find((value) => Array.isArray(value)) as { file: string; comments: boolean }[]);

  test('the set is whole', () => expect(cases).toHaveLength(153));

  test.each(cases.map((row) => [row.file, row.comments] as const))('%s', (file, comments) => {
    const source = corpus(`stanzas/${file}`).toString('utf8').trim();
    if (comments) {
      expect(() => stanza(source)).toThrow(E2eError);
      return;
    }
    const tree = stanza(source);
    const inner = addressed(
      tree.withChildren(tree.children.filter((child) => typeof child === 'string' || !isForServers(child))),
    );
    for (const [form, wrapped] of [
      ['auto', true],
      ['auto', false],
      ['xmpp+xml', true],
      ['xmpp+xml', false],
    ] as const) {
      const mapped = mapStanza(inner, { ...options, form, wrapped });
      expect(toCrlf(mapped.entity)).toBe(mapped.entity);
      const again = back(mapped, inner);
      expect(again.dropped).toEqual([]);
      expect(sameXml(again.stanza, inner)).toBe(true);
    }
    // A gateway reports its losses; sealing in the same form refuses exactly where there are some.
    if (tree.name === 'message') {
      const { dropped } = mapToCpim(inner, { ...options, loss: 'report' });
      const lost = dropped.filter((what) => what !== 'id' && what !== 'type');
      if (lost.length > 0) expect(() => mapToCpim(inner, options)).toThrow(unmappable);
      else
        expect(sameXml(back(mapToCpim(inner, options), inner).stanza.withChildren([]), inner.withChildren([]))).toBe(
          true,
        );
    }
  });
});

describe('auto comes back as the same stanza', () => {
  const characters = fc.oneof(
    fc.string({
      unit: fc.constantFrom(
        'a',
        ' ',
        '\n',
        '\r',
        '\t',
        '\\',
        ']]>',
        '--',
        'é',
        '😀',
        '\ufeff',
        '\u0085',
        '\u2028',
        '<',
        '&',
        '"',
      ),
    }),
    fc
      .string({ unit: 'grapheme' })
      .filter((value) => value.isWellFormed() && !/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(value)),
  );
  const lang = fc.constantFrom(undefined, undefined, 'en', 'cs', 'de-CH');
  const child = (name: string): fc.Arbitrary<XmlElement> =>
    fc
      .record({ lang, value: characters })
      .map(({ lang: tag, value }) => element(name, CLIENT, { 'xml:lang': tag }, [value]));
  const extension = fc.constant(
    element('x', 'urn:example:x', { a: '1' }, [element('y', 'urn:example:y', {}, ['\r\n'])]),
  );
  const message = fc
    .record({
      type: fc.constantFrom(undefined, 'chat', 'normal', 'headline'),
      lang: fc.constantFrom(undefined, undefined, undefined, 'en'),
      children: fc.array(fc.oneof(child('subject'), child('body'), child('body'), child('thread'), extension), {
        maxLength: 4,
      }),
    })
    .map(({ type, lang: tag, children }) => element('message', CLIENT, { type, 'xml:lang': tag, id: 'i' }, children));
  const presence = fc
    .record({
      type: fc.constantFrom(undefined, undefined, 'unavailable'),
      children: fc.array(
        fc.oneof(
          child('status'),
          fc.constantFrom('away', 'chat', 'dnd', 'xa', 'no').map((value) => element('show', CLIENT, {}, [value])),
          fc.integer({ min: -3, max: 130 }).map((value) => element('priority', CLIENT, {}, [String(value)])),
          extension,
        ) as fc.Arbitrary<XmlNode>,
        { maxLength: 4 },
      ),
    })
    .map(({ type, children }) => element('presence', CLIENT, { type }, children));

  test.each([true, false])('wrapped: %s', (wrapped) => {
    const forms = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(message, presence), (tree) => {
        const mapped = mapStanza(tree, { ...options, wrapped });
        forms.add(mapped.form);
        expect(toCrlf(mapped.entity)).toBe(mapped.entity);
        const again = back(mapped, tree);
        expect(again.dropped).toEqual([]);
        expect(sameXml(again.stanza, addressed(tree))).toBe(true);
        // Servers turn CRLF into LF; unwrapping maps it back.
        const travelled = toCrlf(utf8(Buffer.from(mapped.entity).toString().replaceAll('\r\n', '\n')));
        expect(Buffer.from(travelled).equals(mapped.entity)).toBe(true);
      }),
      { numRuns: runs(10_000), seed: 31 },
    );
    expect([...forms].sort()).toEqual(['cpim', 'pidf', 'xmpp+xml']);
  });
});

test('the forms by name', () => {
  const message = stanza('<message><body>x</body></message>');
  expect(mapToCpim(message, options).form).toBe('cpim');
  expect(mapToPidf(stanza('<presence/>'), options).form).toBe('pidf');
  expect(mapToXmppXml(message, { ...options, streamLang: 'en' }).form).toBe('xmpp+xml');
  expect(text(mapToXmppXml(message, { ...options, streamLang: 'en' }))).toContain('<message xml:lang="en">');
});
