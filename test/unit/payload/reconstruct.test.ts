import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { utf8 } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { defaultLimits as limits } from '../../../src/limits.ts';
import { parseEntity } from '../../../src/mime/entity.ts';
import { parseMultipart } from '../../../src/mime/multipart.ts';
import { forServers, isForServers } from '../../../src/payload/for-servers.ts';
import { parsePayload, type Payload } from '../../../src/payload/payload.ts';
import { reconstruct, type ReconstructOptions, reconstructTuples } from '../../../src/payload/reconstruct.ts';
import { sameXml } from '../../../src/xml/canonical.ts';
import { element, type XmlElement } from '../../../src/xml/element.ts';
import { CLIENT } from '../../../src/xml/namespaces.ts';
import { parseXml } from '../../../src/xml/parse.ts';
import { serializeXml } from '../../../src/xml/serialize.ts';
import { corpusJson, hasCorpus, runs } from '../../shared-data.ts';

const romeo = Jid.parse('romeo@example.net/orchard');
const juliet = Jid.parse('juliet@example.com/balcony');
const crlf = (...lines: readonly string[]): string => lines.join('\r\n');
const head = ['From: Romeo Montague <im:romeo@example.net>', 'To: Juliet Capulet <im:juliet@example.com>'];
const cpim = (inner: string, headers: readonly string[] = head): string =>
  crlf('Content-Type: Message/CPIM', '', ...headers, '', inner);
const plain = (body: string, type = 'text/plain; charset=utf-8'): string => crlf(`Content-Type: ${type}`, '', body);
const pidf = (inside: string, entity = 'pres:romeo@example.net'): string =>
  plain(
    `<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='${entity}'>${inside}</presence>`,
    'application/pidf+xml',
  );
const tuple = (id: string, inside = '<status><basic>open</basic></status>'): string =>
  `<tuple id='${id}'>${inside}</tuple>`;
const xmpp = (inside: string): string => plain(`<xmpp xmlns='jabber:client'>${inside}</xmpp>`, 'application/xmpp+xml');
const parse = (text: string | Uint8Array): Payload =>
  parsePayload(typeof text === 'string' ? utf8(text) : text, limits);
const options: ReconstructOptions = { from: romeo, to: juliet };
const open = (text: string, more: Partial<ReconstructOptions> = {}): ReturnType<typeof reconstruct> =>
  reconstruct(parse(text), { ...options, ...more });
const same = (tree: XmlElement, expected: string): void => {
  if (!sameXml(tree, parseXml(expected, { defaultNamespace: CLIENT }))) expect(serializeXml(tree)).toBe(expected);
};
const error = (code: string): unknown => expect.objectContaining({ name: 'E2eError', code: `ERR_E2E_${code}` });
const who = "from='romeo@example.net/orchard' to='juliet@example.com/balcony'";

describe('what a payload says', () => {
  test('text in Message/CPIM', () => {
    const payload = parse(
      cpim(plain('Wherefore?'), [...head, 'cc: <im:nurse@example.com>', 'DateTime: 2003-12-09T11:45:36.66Z']),
    );
    expect(payload).toMatchObject({
      form: 'cpim',
      kind: 'message',
      innerFrom: undefined,
      stanza: undefined,
      pidf: undefined,
    });
    expect(payload.senders).toEqual([['CPIM From', romeo.bare()]]);
    expect(payload.recipients.map(String)).toEqual(['juliet@example.com', 'nurse@example.com']);
    expect(payload.dateTime).toEqual({
      nanoseconds: BigInt(Date.UTC(2003, 11, 9, 11, 45, 36, 660)) * 1_000_000n,
      utc: true,
    });
    expect(payload.bodies).toEqual([{ lang: undefined, text: 'Wherefore?' }]);
  });

  test('PIDF: the newest timestamp, bare and wrapped', () => {
    const document = pidf(
      tuple('a', '<status/><timestamp>2003-12-09T11:45:36Z</timestamp>') +
        tuple('b', '<status/><timestamp>2003-12-09T11:45:38Z</timestamp>') +
        tuple('c', '<status/><timestamp>2003-12-09T11:45:37Z</timestamp>') +
        tuple('d'),
    );
    for (const text of [document, cpim(document)]) {
      const payload = parse(text);
      expect(payload).toMatchObject({ form: 'pidf', kind: 'presence' });
      expect(payload.timestamp?.nanoseconds).toBe(BigInt(Date.UTC(2003, 11, 9, 11, 45, 38)) * 1_000_000n);
      expect(payload.senders.at(-1)).toEqual(['PIDF entity', romeo.bare()]);
      expect(payload.cpim === undefined).toBe(text === document);
      expect(payload.recipients).toHaveLength(text === document ? 0 : 1);
    }
  });

  test('application/xmpp+xml: inner addresses', () => {
    const payload = parse(cpim(xmpp(`<iq type='get' ${who}/>`)));
    expect(payload).toMatchObject({ form: 'xmpp+xml', kind: 'iq', innerFrom: romeo, innerTo: juliet });
    expect(payload.senders).toEqual([
      ['CPIM From', romeo.bare()],
      ['inner from', romeo],
    ]);
    expect(parse(xmpp('<message/>'))).toMatchObject({ kind: 'message', senders: [], recipients: [] });
  });

  test('transfer encodings are undone at both levels', () => {
    const inner = plain(
      Buffer.from('é').toString('base64'),
      'text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64',
    );
    const whole = crlf(
      'Content-Type: message/cpim',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from(crlf(...head, '', inner)).toString('base64'),
    );
    expect(parse(whole).bodies).toEqual([{ lang: undefined, text: 'é' }]);
    expect(
      parse(cpim(plain('=C3=A9=\r\n!', 'text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable')))
        .bodies[0]?.text,
    ).toBe('é!');
  });
});

describe('several languages', () => {
  const alternative = (...parts: readonly string[]): string =>
    plain(crlf(...parts.flatMap((part) => ['--b', part]), '--b--', ''), 'multipart/alternative; boundary=b');
  const part = (body: string, lang?: string): string =>
    plain(body, `text/plain; charset=utf-8${lang === undefined ? '' : `\r\nContent-Language: ${lang}`}`);

  test('become several bodies', () => {
    const { stanza } = open(
      cpim(alternative(part('Ahoj', 'cs'), part('Hi'), plain('<b/>', 'text/html')), [...head, 'Subject:;lang=cs S']),
    );
    same(
      stanza,
      `<message ${who}><subject xml:lang='cs'>S</subject><body xml:lang='cs'>Ahoj</body><body>Hi</body></message>`,
    );
  });

  test('a list of languages is no xml:lang', () => {
    same(open(cpim(part('x', 'en, de'))).stanza, `<message ${who}><body>x</body></message>`);
    same(open(cpim(part('x', 'en'))).stanza, `<message ${who}><body xml:lang='en'>x</body></message>`);
  });

  test.each<[string, string, string]>([
    ['PAYLOAD_INVALID', 'one language twice', alternative(part('a', 'cs'), part('b', 'CS'))],
    ['PAYLOAD_INVALID', 'no language twice', alternative(part('a'), part('b'))],
    ['PAYLOAD_INVALID', 'no close delimiter', alternative(part('a')).replace('--b--', '')],
    ['PAYLOAD_INVALID', 'text around the parts', alternative(part('a')).replace('--b', 'x\r\n--b')],
    ['UNSUPPORTED', 'no text', alternative(plain('x', 'text/html'))],
    [
      'UNSUPPORTED',
      'an alternative of alternatives',
      alternative(part('a'), alternative(part('b')).replaceAll('--b', '--c').replace('=b', '=c')),
    ],
    ['LAYERS_REFUSED', 'a signed alternative', alternative(part('a'), plain('x', 'multipart/signed; boundary=s'))],
    ['LAYERS_REFUSED', 'Message/CPIM', alternative(part('a'), cpim(part('b')))],
    ['LIMIT', 'many', alternative(...Array.from({ length: 17 }, (_, i) => part('a', `x-${i}`)))],
  ])('%s for %s', (code, _, text) => {
    expect(() => parse(cpim(text))).toThrow(error(code));
  });
});

describe('refused', () => {
  test.each<[string, string, string]>([
    ['LAYERS_REFUSED', 'CPIM in CPIM', cpim(cpim(plain('x')))],
    ['LAYERS_REFUSED', 'a signed part in CPIM', cpim(plain('x', 'multipart/signed; boundary=b'))],
    ['LAYERS_REFUSED', 'an encrypted part in CPIM', cpim(plain('x', 'multipart/encrypted; boundary=b'))],
    ['LAYERS_REFUSED', 'CMS in CPIM', cpim(plain('x', 'application/pkcs7-mime; smime-type=signed-data'))],
    ['LAYERS_REFUSED', 'CMS alone', plain('x', 'application/x-pkcs7-mime')],
    [
      'LAYERS_REFUSED',
      'an <e2e/> inside',
      cpim(xmpp("<message><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'/></message>")),
    ],
    ['UNSUPPORTED', 'text alone', plain('x')],
    ['UNSUPPORTED', 'another type', plain('x', 'application/octet-stream')],
    ['UNSUPPORTED', 'another type in CPIM', cpim(plain('x', 'text/html'))],
    ['UNSUPPORTED', 'a mail', cpim(plain('x', 'message/rfc822'))],
    ['UNSUPPORTED', 'an unknown transfer encoding', cpim(plain('x', 'text/plain\r\nContent-Transfer-Encoding: x-y'))],
    ['PAYLOAD_INVALID', 'no header block', 'x'],
    ['PAYLOAD_INVALID', 'damaged base64', cpim(plain('*', 'text/plain\r\nContent-Transfer-Encoding: base64'))],
    ['PAYLOAD_INVALID', 'From of another system', cpim(plain('x'), ['From: <sip:romeo@example.net>'])],
    ['PAYLOAD_INVALID', 'To of other systems only', cpim(plain('x'), ['To: <sip:a@b>', 'cc: <mailto:c@d>'])],
    ['PAYLOAD_INVALID', 'entity of another system', pidf('', 'sip:romeo@example.net')],
    ['PAYLOAD_INVALID', 'an inner "from" that is no JID', xmpp("<message from='@'/>")],
    ['PAYLOAD_INVALID', 'an inner "to" that is no JID', xmpp("<message to='a@b@c'/>")],
    ['LIMIT', 'a long header block', `${'X: y\r\n'.repeat(65)}\r\n`],
  ])('%s for %s', (code, _, text) => {
    expect(() => parse(text)).toThrow(error(code));
  });

  test('one address of another system among ours is left out', () => {
    expect(parse(cpim(plain('x'), [...head, 'cc: <sip:a@b>'])).recipients).toHaveLength(1);
  });
});

describe('reconstruct', () => {
  test('routing comes from outside, content from inside', () => {
    const { stanza, dropped } = open(cpim(plain('x\r\ny')), { type: 'chat', id: '7' });
    same(stanza, `<message ${who} type='chat' id='7'><body>x\ny</body></message>`);
    expect(dropped).toEqual([]);
  });

  test('application/xmpp+xml keeps its own type, id and language', () => {
    const { stanza } = open(cpim(xmpp("<message type='chat' id='in' xml:lang='cs'><body>x</body></message>")), {
      type: 'headline',
      id: 'out',
    });
    same(stanza, `<message ${who} type='chat' id='in' xml:lang='cs'><body>x</body></message>`);
  });

  test('a type that came from outside only does not enter', () => {
    expect(open(xmpp('<message/>'), { type: 'groupchat', id: 'x' }).stanza.attributes.map(({ name }) => name)).toEqual([
      'from',
      'to',
    ]);
    expect(open(pidf(tuple('t')), { type: 'unavailable' }).stanza.attribute('type')).toBeUndefined();
  });

  test('children meant for servers are dropped and named', () => {
    const { stanza, dropped } = open(
      xmpp(
        "<message><delay xmlns='urn:xmpp:delay' stamp='2003-12-09T11:45:36Z'/><body>x</body><store xmlns='urn:xmpp:hints'/></message>",
      ),
    );
    same(stanza, `<message ${who}><body>x</body></message>`);
    expect(dropped).toEqual(['{urn:xmpp:delay}delay', '{urn:xmpp:hints}store']);
  });

  test('Require of something unknown', () => {
    const text = cpim(plain('x'), [...head, 'NS: f <urn:f>', 'Require: f.wonder']);
    expect(parse(text).cpim?.unsupportedRequires).toEqual([{ namespace: 'urn:f', name: 'wonder' }]);
    expect(() => open(text)).toThrow(error('UNSUPPORTED'));
    expect(open(text, { requires: 'report' }).dropped).toEqual(['Require {urn:f}wonder']);
  });

  test.each<[string, string]>([
    ['NUL in a subject', cpim(plain('x'), [...head, 'Subject: a\\u0000b'])],
    ['U+FFFE in a subject', cpim(plain('x'), [...head, 'Subject: \\ufffe'])],
    ['escape in a body', cpim(plain('\x1b[2J'))],
    ['NUL in a body', cpim(plain('AA==', 'text/plain\r\nContent-Transfer-Encoding: base64'))],
  ])('refuses %s', (_, text) => {
    expect(parse(text).kind).toBe('message');
    expect(() => open(text)).toThrow(error('PAYLOAD_INVALID'));
  });
});

describe('PIDF', () => {
  const away = '<status><basic>open</basic><show xmlns="jabber:client">away</show></status>';

  test('one tuple is the presence, whatever its id', () => {
    same(open(pidf(tuple('anything', away))).stanza, `<presence ${who}><show>away</show></presence>`);
  });

  test("of several tuples the sender's resource counts", () => {
    const { stanza, dropped } = open(pidf(tuple('ID-cell') + tuple('ID-orchard', away)));
    same(stanza, `<presence ${who}><show>away</show></presence>`);
    expect(dropped).toEqual(['tuple ID-cell']);
    // RFC 3922 has the resource itself as the id.
    same(open(pidf(tuple('orchard', away) + tuple('cell'))).stanza, `<presence ${who}><show>away</show></presence>`);
    expect(() => open(pidf(tuple('ID-cell') + tuple('ID-pda')))).toThrow(error('PAYLOAD_INVALID'));
    expect(() => open(pidf(tuple('ID-cell') + tuple('ID-')), { from: romeo.bare() })).toThrow(error('PAYLOAD_INVALID'));
  });

  test('a gateway makes one presence of each (RFC 3922 section 6.3.1)', () => {
    const all = reconstructTuples(parse(pidf(`${tuple('cell')}${tuple('ID-1', away)}<note>n</note>`)), {
      ...options,
      from: romeo.bare(),
    });
    same(all[0]!.stanza, "<presence from='romeo@example.net/cell' to='juliet@example.com/balcony'/>");
    same(
      all[1]!.stanza,
      "<presence from='romeo@example.net/1' to='juliet@example.com/balcony'><show>away</show></presence>",
    );
    expect(all.map(({ dropped }) => dropped)).toEqual([['note on all tuples'], ['note on all tuples']]);
    const message = reconstructTuples(parse(cpim(plain('x'))), options);
    expect(message.map(({ stanza }) => stanza.name)).toEqual(['message']);
  });

  test('no tuple (RFC 3922 section 6.3.2), and no tuple with notes (section 5.2.11)', () => {
    const { stanza, dropped } = open(pidf("<x xmlns='y'/>"));
    same(stanza, "<presence from='romeo@example.net' to='juliet@example.com/balcony'/>");
    expect(dropped).toEqual(['{y}x']);
    expect(() => open(pidf('<note>n</note>'))).toThrow(error('UNSUPPORTED'));
  });

  test('a tuple without basic status says nothing of availability', () => {
    expect(() => open(pidf(tuple('t', '<status/>')))).toThrow(error('UNSUPPORTED'));
  });

  test.each<[string, string | undefined]>([
    ['<show xmlns="jabber:client">xa</show>', 'xa'],
    ['<show xmlns="jabber:client"> dnd\n</show>', 'dnd'],
    ['<im xmlns="urn:ietf:params:xml:ns:pidf:im">busy</im>', 'dnd'],
    ['<im xmlns="urn:ietf:params:xml:ns:pidf:im">away</im>', 'away'],
    ['<im xmlns="urn:ietf:params:xml:ns:pidf:im">out</im>', undefined],
    ['<show xmlns="jabber:client">busy</show>', undefined],
    ['<show xmlns="jabber:client">xa<x/></show>', undefined],
    ['<show xmlns="urn:x">xa</show>', undefined],
  ])('%s shows %s', (extension, show) => {
    const { stanza, dropped } = open(pidf(tuple('t', `<status><basic>open</basic>${extension}</status>`)));
    expect(stanza.first('show')?.text).toBe(show);
    expect(dropped).toHaveLength(show === undefined ? 1 : 0);
  });

  test('the first of two shows counts', () => {
    const two = '<show xmlns="jabber:client">xa</show><im xmlns="urn:ietf:params:xml:ns:pidf:im">away</im>';
    const { stanza, dropped } = open(pidf(tuple('t', `<status><basic>open</basic>${two}</status><y xmlns='z'/>`)));
    same(stanza, `<presence ${who}><show>xa</show></presence>`);
    expect(dropped).toEqual(['{urn:ietf:params:xml:ns:pidf:im}im', '{z}y']);
  });
});

describe.skipIf(!hasCorpus('rfc-examples/rfc3922.json'))('RFC 3922, CPIM to XMPP', () => {
  interface Example {
    readonly section: string;
    readonly title: string;
    readonly direction: string;
    readonly input: { readonly text: string };
    readonly output: { readonly text: string };
  }
  const { examples, rules } = (
    hasCorpus('rfc-examples/rfc3922.json') ? corpusJson('rfc-examples/rfc3922.json') : { examples: [] }
  ) as { examples: Example[]; rules: { zeroTuples: { text: string } } };
  const cases = examples.filter((example) => example.direction === 'cpim-to-xmpp');
  const lines = (text: string): string => text.trim().replaceAll('\n', '\r\n');

  test('there are 14', () => expect(cases).toHaveLength(14));

  test.each(cases.map((row) => [row.section, row.title, row] as const))('%s %s', (section, _, { input, output }) => {
    const whole = output.text.startsWith('<subject') ? `<message>${output.text}</message>` : output.text;
    const expected = parseXml(whole, { defaultNamespace: CLIENT });
    const presence = section.startsWith('5.');
    const parts = (tree: XmlElement): unknown => tree.elements.map((child) => [child.name, child.lang, child.text]);
    const route = (address: string | undefined): Jid => Jid.parse(address ?? 'juliet@example.com');
    if (input.text.startsWith('Content-ID')) {
      // OPTIONAL: the Content-ID is there for a gateway to use as id.
      const payload = parse(cpim(crlf('Content-Type: text/plain', input.text.trim(), '', '')));
      const id = payload.cpim!.content.headers.find((header) => header.name === 'Content-ID')!.value.slice(1, -1);
      expect(id).toBe(expected.attribute('id'));
      return;
    }
    if (input.text.includes('<presence')) {
      // "..." stands for the status.
      const document = input.text
        .replace('...', '<status><basic>open</basic></status>')
        .replace('<presence entity', "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity");
      const payload = parse(crlf('Content-Type: application/pidf+xml; charset=utf-8', '', lines(document)));
      const [only, ...more] = reconstructTuples(payload, { from: payload.senders[0]![1], to: juliet });
      expect(more).toEqual([]);
      expect(only!.stanza.attribute('from')).toBe(expected.attribute('from'));
      expect(only!.stanza.attribute('type')).toBe(expected.attribute('type'));
      expect(parts(only!.stanza)).toEqual(parts(expected));
      return;
    }
    const isContent = input.text.startsWith('Content-type');
    const payload = parse(
      isContent
        ? cpim(lines(input.text))
        : cpim(presence ? pidf(tuple('t')) : plain(''), input.text.trim().split('\n')),
    );
    const { stanza } = reconstruct(payload, {
      from: payload.senders[0]?.[1] ?? romeo,
      to: route(expected.attribute('to')),
    });
    expect(parts(stanza)).toEqual(parts(expected));
    if (section.endsWith('.2.1')) expect(stanza.attribute('from')).toBe(expected.attribute('from'));
    if (section.endsWith('.2.2'))
      expect(payload.recipients[0]!.equals(route(expected.attribute('to')).bare())).toBe(true);
  });

  test('zero tuples (section 6.3.2)', () => {
    const payload = parse(crlf('Content-Type: application/pidf+xml', '', lines(rules.zeroTuples.text)));
    same(
      reconstruct(payload, { from: juliet, to: romeo }).stanza,
      "<presence from='juliet@example.com' to='romeo@example.net/orchard'/>",
    );
  });
});

describe.skipIf(!hasCorpus('rfc-examples/rfc3923.json'))('RFC 3923', () => {
  const { examples } = (
    hasCorpus('rfc-examples/rfc3923.json') ? corpusJson('rfc-examples/rfc3923.json') : { examples: [] }
  ) as {
    examples: { example: number; kind: string; text: string }[];
  };
  const text = (example: number): Buffer =>
    Buffer.from(examples.find((row) => row.example === example)!.text.replaceAll('\n', '\r\n'));

  test.each([1, 4])('example %i', (example) => {
    const payload = parse(text(example));
    expect(payload.cpim).toMatchObject({ from: { formalName: 'Juliet Capulet' }, dateTime: '2003-12-09T11:45:36.66Z' });
    const { stanza } = reconstruct(payload, { from: juliet, to: romeo, type: 'chat' });
    expect(stanza.first('subject')?.text).toBe('Imploring');
    expect(stanza.first('body')?.text.trimEnd()).toBe('Wherefore art thou, Romeo?');
  });

  const parts = (example: number): readonly Uint8Array[] =>
    parseMultipart(parseEntity(text(example), { limits }), { limits, parts: 2 });

  test('the signed part of example 2', () => {
    const { stanza } = reconstruct(parse(parts(2)[0]!), { from: juliet, to: romeo });
    expect(stanza.first('body')?.text).toBe('Wherefore art thou, Romeo?');
  });

  test.each([7, 10])('example %i is not well-formed, its timestamp not UTC', (example) => {
    const document = (body: string): string => crlf('Content-Type: application/pidf+xml', '', body);
    const body = text(example).toString();
    expect(() => parse(document(body))).toThrow(error('PAYLOAD_INVALID'));
    const mended = body.replace('"hr0zny"', '"hr0zny">');
    expect(() => parse(document(mended))).toThrow(error('PAYLOAD_INVALID'));
    const whole = parse(document(mended.replace('11.31<', '11.31Z<')));
    same(
      reconstruct(whole, { from: juliet, to: romeo }).stanza,
      "<presence from='juliet@example.com/balcony' to='romeo@example.net/orchard'><show>away</show><status xml:lang='en'>retired to the chamber</status></presence>",
    );
  });

  test('the signed part of example 8 is not well-formed', () => {
    expect(() => parse(parts(8)[0]!)).toThrow(error('PAYLOAD_INVALID'));
  });

  test.each([13, 14, 15])('example %i', (example) => {
    const payload = parse(Buffer.concat([Buffer.from('Content-Type: application/xmpp+xml\r\n\r\n'), text(example)]));
    expect(payload.senders).toEqual([['inner from', Jid.parse('iago@example.com/pda')]]);
    expect(payload.innerTo?.toString()).toBe(example === 14 ? undefined : 'emilia@example.com/cell');
  });
});

describe('children meant for servers', () => {
  test('the table', () => {
    for (const [namespace, name] of forServers) {
      expect(isForServers(element(name === '*' ? 'anything' : name, namespace))).toBe(true);
      expect(isForServers(element(name === '*' ? 'anything' : name, `${namespace}x`))).toBe(false);
      if (name !== '*') expect(isForServers(element(`${name}x`, namespace))).toBe(false);
    }
  });

  test.each([
    ['body', CLIENT],
    ['received', 'urn:xmpp:receipts'],
    ['active', 'http://jabber.org/protocol/chatstates'],
    ['*', 'urn:xmpp:delay'],
  ])('%s of %s is content', (name, namespace) => expect(isForServers(element(name, namespace))).toBe(false));
});

test('damaged payloads give a stanza or an E2eError', () => {
  const samples = [
    cpim(plain('é\r\nx'), [...head, 'Subject:;lang=fr a', 'NS: p <urn:p>', 'Require: p.x']),
    cpim(
      pidf(tuple('t', '<status><basic>open</basic></status><contact priority="0.5">im:a@b</contact><note>n</note>')),
    ),
    cpim(xmpp(`<message type='chat' ${who}><body>x</body></message>`)),
    cpim(plain(crlf('--b', plain('x'), '--b--'), 'multipart/alternative; boundary=b')),
  ].map((text) => utf8(text));
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 5 }),
      (sample, edits) => {
        const bytes = sample.slice();
        for (const [at, byte] of edits) bytes[Math.floor(at * (bytes.length - 1))] = byte;
        try {
          reconstruct(parse(bytes), { ...options, requires: 'report' });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(E2eError);
        }
      },
    ),
    { numRuns: runs(30_000), seed: 41 },
  );
});
