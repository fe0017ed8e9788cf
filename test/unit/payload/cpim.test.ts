import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { equalBytes, utf8 } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits as limits, limitsWith } from '../../../src/limits.ts';
import { CPIM_HEADERS, type CpimDraft, type CpimMessage, parseCpim, serializeCpim } from '../../../src/payload/cpim.ts';
import {
  escapeCpim,
  parseCpimAddress,
  parseCpimHeaderLine,
  serializeCpimAddress,
  unescapeCpim,
} from '../../../src/payload/cpim-header.ts';
import { corpusJson, hasCorpus, runs } from '../../shared-data.ts';

const content = 'Content-Type: text/plain; charset=utf-8\r\n\r\nhi';
const parse = (headers: readonly string[], rest = content): CpimMessage =>
  parseCpim(utf8([...headers, '', rest].join('\r\n')), limits);
const line = (text: string): ReturnType<typeof parseCpimHeaderLine> => parseCpimHeaderLine(text);
const draft = (parts: Partial<CpimDraft> = {}): CpimDraft => ({ to: [], content: { raw: utf8(content) }, ...parts });
const invalid = expect.objectContaining({ code: 'ERR_E2E_PAYLOAD_INVALID', stage: 'parse' });

interface HeaderExample {
  readonly line: string;
  readonly name: string;
  readonly prefix: string | null;
  readonly params: Record<string, string>;
  readonly value: string;
  readonly formalName?: string | null;
  readonly uri?: string;
  readonly declares?: { readonly prefix: string | null; readonly namespace: string };
  readonly requires?: readonly string[];
}
interface Rfc3862 {
  readonly headerExamples: readonly { readonly section: string; readonly headers: readonly HeaderExample[] }[];
  readonly equivalent: { readonly headerExampleIndexes: readonly number[] };
  readonly contentExample: { readonly text: string };
  readonly messages: readonly {
    readonly section: string;
    readonly text: string;
    readonly headers: readonly HeaderExample[];
    readonly content?: string;
    readonly resolved?: Record<string, readonly [string, string]>;
  }[];
  readonly escapes: { readonly rows: readonly (readonly [string, string])[] };
}

describe.skipIf(!hasCorpus('rfc-examples/rfc3862.json'))('RFC 3862', () => {
  const rfc = (hasCorpus('rfc-examples/rfc3862.json') ? corpusJson('rfc-examples/rfc3862.json') : {}) as Rfc3862;

  test('every header line', () => {
    const examples = [...rfc.headerExamples, ...rfc.messages].flatMap((example) => example.headers);
    expect(examples).toHaveLength(44);
    for (const example of examples) {
      const header = line(example.line);
      expect(header.name).toBe(example.name);
      expect(header.prefix).toBe(example.prefix ?? '');
      expect(header.lang).toBe(example.params['lang']);
      expect(header.parameters).toEqual([]);
      expect(header.value).toBe(example.value);
      if (example.uri !== undefined) {
        const address = { formalName: example.formalName ?? undefined, uri: example.uri };
        expect(parseCpimAddress(header.value)).toEqual(address);
        expect(serializeCpimAddress(address)).toBe(example.value);
      }
    }
  });

  test('a declared prefix and a moved default mean the same header (section 3.4)', () => {
    const meanings = rfc.equivalent.headerExampleIndexes.map((index) => {
      const { headers } = parse(rfc.headerExamples[index]!.headers.map((header) => header.line));
      const { namespace, name, value } = headers.at(-1)!;
      return { namespace, name, value };
    });
    expect(meanings).toEqual(meanings.map(() => meanings[0]));
    expect(meanings[0]).toEqual({
      namespace: 'http://id.acme.widgets/wily-headers/',
      name: 'runner-trap',
      value: 'set',
    });
  });

  test('the escapes of section 2.3', () => {
    for (const [escaped, decoded] of rfc.escapes.rows) expect(unescapeCpim(escaped)).toBe(decoded);
  });

  test('the content of section 2.4', () => {
    const message = parse(['From: <im:a@b>'], rfc.contentExample.text.replaceAll('\n', '\r\n'));
    expect(message.content.contentType?.type).toBe('text/plain');
    expect(Buffer.from(message.content.body).toString()).toBe('This is my encapsulated text message content\r\n');
  });

  test('the message of section 5.1', () => {
    const { text, headers, content: expected, resolved } = rfc.messages[0]!;
    const body = text.replaceAll('\n', '\r\n').replace('Content-type: Message/CPIM\r\n\r\n', '');
    const message = parseCpim(utf8(body), limits);
    expect(message.from).toEqual({ formalName: 'MR SANDERS', uri: 'im:piglet@100akerwood.com' });
    expect(message.to).toEqual([{ formalName: 'Depressed Donkey', uri: 'im:eeyore@100akerwood.com' }]);
    expect(message.dateTime).toBe('2000-12-13T13:40:00-08:00');
    expect(message.instant).toEqual({ nanoseconds: BigInt(Date.UTC(2000, 11, 13, 21, 40)) * 1_000_000n, utc: false });
    expect(message.subjects).toEqual([
      { lang: undefined, text: 'the weather will be fine today' },
      { lang: 'fr', text: "beau temps prevu pour aujourd'hui" },
    ]);
    expect(message.headers).toHaveLength(headers.length);
    for (const header of message.headers) {
      const key = header.prefix === '' ? header.name : `${header.prefix}.${header.name}`;
      if (resolved?.[key] !== undefined) expect([header.namespace, header.name]).toEqual(resolved[key]);
    }
    const required = [{ namespace: 'mid:MessageFeatures@id.foo.com', name: 'VitalMessageOption' }];
    expect(message.requires).toEqual(required);
    expect(message.unsupportedRequires).toEqual(required);
    expect(Buffer.from(message.content.body).toString()).toBe(expected!.replaceAll('\n', '\r\n'));
    // Written again it says the same, and once more the same bytes.
    const again = parseCpim(serializeCpim(message), limits);
    expect({ ...again, headers: again.headers.length }).toEqual({ ...message, headers: message.headers.length });
    expect(equalBytes(serializeCpim(again), serializeCpim(message))).toBe(true);
  });
});

describe('header lines', () => {
  test.each<[string, string, [string, string][]]>([
    ['Subject:;lang=fr Objet', 'fr', []],
    ['Subject:;lang=fr;x=1 Objet', 'fr', [['x', '1']]],
    ['Subject:;x="a;b \\" c";lang=i-default Objet', 'i-default', [['x', 'a;b " c']]],
    ['Subject:;x=é.1 Objet', undefined as unknown as string, [['x', 'é.1']]],
  ])('%s', (text, lang, parameters) => {
    expect(line(text)).toMatchObject({ name: 'Subject', lang, parameters, value: 'Objet' });
  });

  test('white space at the end is tolerated, at the beginning not', () => {
    expect(line('Subject: x  ').value).toBe('x');
    expect(line('Subject: ').value).toBe('');
    expect(() => line('Subject:  x')).toThrow(invalid);
  });

  test.each([
    '',
    'Subject',
    ': x',
    ' Subject: x',
    '\tfold',
    'Subject:x',
    'Subject:\tx',
    'Subject:',
    'Sub ject: x',
    'Sub@ject: x',
    'Sübject: x',
    'a.b.c: x',
    '.b: x',
    'a.: x',
    'Subject:;lang x',
    'Subject:;lang= x',
    'Subject:;=fr x',
    'Subject:;lang=fr;lang=en x',
    'Subject:;x=1;x=2 x',
    'Subject:;lang=fr_FR x',
    'Subject:;lang=é x',
    'Subject:;lang=fr',
    'Subject:;x="open y',
    'Subject:;x="a\\',
    'Subject: a\tb',
    'Subject: a\0b',
    'Subject: a\x7fb',
    'Subject: a\rb',
  ])('refuses %j', (text) => {
    expect(() => line(text)).toThrow(invalid);
  });
});

describe('addresses', () => {
  test.each<[string, string | undefined, string]>([
    ['<im:a@b>', undefined, 'im:a@b'],
    ['Winnie the Pooh <im:a@b>', 'Winnie the Pooh', 'im:a@b'],
    ['J.D. Müller-Größe <im:a@b>', 'J.D. Müller-Größe', 'im:a@b'],
    ['"Doe, \\"J\\"" <im:a@b>', 'Doe, "J"', 'im:a@b'],
    ['"Doe, J"<im:a@b>', 'Doe, J', 'im:a@b'],
    ['"tab\\tnul\\u0000" <im:a@b>', 'tab\tnul\0', 'im:a@b'],
    ['"<im:evil@x>" <im:a@b>', '<im:evil@x>', 'im:a@b'],
    ['<im:j%C3%BCl@b>', undefined, 'im:j%C3%BCl@b'],
  ])('%s', (text, formalName, uri) => {
    expect(parseCpimAddress(text)).toEqual({ formalName, uri });
    expect(parseCpimAddress(serializeCpimAddress({ formalName, uri }))).toEqual({ formalName, uri });
  });

  test.each([
    '',
    'im:a@b',
    '<im:a@b',
    'im:a@b>',
    '<>',
    '<a@b>',
    '<im:a@b> x',
    '<im:a@b><im:c@d>',
    'A B<im:a@b>',
    'A  B <im:a@b>',
    ' <im:a@b>',
    'Doe, J <im:a@b>',
    '"x"  <im:a@b>',
    '"x <im:a@b>',
    '<im:a b@c>',
    '<im:a\\u0040b@c>',
    '<im:"a"@c>',
  ])('refuses %j', (text) => {
    expect(() => parseCpimAddress(text)).toThrow(invalid);
  });

  test('no URI cannot be written', () => {
    expect(() => serializeCpimAddress({ formalName: undefined, uri: 'a@b>\r\nTo: <im:c@d' })).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_UNMAPPABLE', stage: 'map' }),
    );
  });
});

describe('escapes', () => {
  test('surrogate pairs, and half of one', () => {
    expect(unescapeCpim('\\uD83D\\uDE00')).toBe('😀');
    expect(unescapeCpim('\\ud83d\\ude00x')).toBe('😀x');
    expect(() => unescapeCpim('\\uD83D')).toThrow(invalid);
    expect(() => unescapeCpim('\\uDE00\\uD83D')).toThrow(invalid);
  });

  test('an unknown escape is the character, a final backslash nothing', () => {
    expect(unescapeCpim('\\q\\😀\\u12\\')).toBe('q😀u12');
  });

  test('what must be escaped is, and nothing else (section 2.3.1)', () => {
    expect(escapeCpim('a\\b\b\t\n\r\0\x1f\x7f"\'é€😀')).toBe('a\\\\b\\b\\t\\n\\r\\u0000\\u001f\\u007f"\'é€😀');
  });

  test('undo each other for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = escapeCpim(text);
        expect(value).not.toMatch(/[\x00-\x1f\x7f]/);
        expect(unescapeCpim(value)).toBe(text);
      }),
      { numRuns: runs(20_000), seed: 11 },
    );
  });
});

describe('messages', () => {
  test('several recipients, copies, unknown headers in order', () => {
    const message = parse([
      'From: <im:a@b>',
      'To: <im:c@d>',
      'X-Colour: green',
      'cc: E <im:e@f>',
      'To: <im:g@h>',
      'Subject: s',
    ]);
    expect(message.to.map(({ uri }) => uri)).toEqual(['im:c@d', 'im:g@h']);
    expect(message.cc).toEqual([{ formalName: 'E', uri: 'im:e@f' }]);
    expect(message.headers.map(({ name }) => name)).toEqual(['From', 'To', 'X-Colour', 'cc', 'To', 'Subject']);
    expect(message.dateTime).toBeUndefined();
    expect(message.instant).toBeUndefined();
  });

  test('a Require of what RFC 3862 defines is understood', () => {
    const message = parse(['NS: f <urn:f>', 'Require: From, f.x,Subject']);
    expect(message.requires).toHaveLength(3);
    expect(message.unsupportedRequires).toEqual([{ namespace: 'urn:f', name: 'x' }]);
  });

  test('an alias of the default namespace names the same headers', () => {
    expect(parse([`NS: x <${CPIM_HEADERS}>`, 'x.From: <im:a@b>', 'x.To: <im:c@d>'])).toMatchObject({
      from: { uri: 'im:a@b' },
      to: [{ uri: 'im:c@d' }],
    });
  });

  test.each<[string, string]>([
    ['no Content-Type', 'Content-ID: <1@b>\r\n\r\nhi'],
    ['no header block', '\r\nhi'],
    ['nothing', ''],
    ['a header without end', 'Content-Type: text/plain'],
  ])('refuses content with %s', (_, rest) => {
    expect(() => parse(['From: <im:a@b>'], rest)).toThrow(invalid);
  });

  test.each<[string, string]>([
    ['LF line ends', `From: <im:a@b>\nTo: <im:c@d>\n\n${content}`],
    ['no end of the headers', 'From: <im:a@b>\r\n'],
    ['no line end', 'From: <im:a@b>'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => parseCpim(utf8(text), limits)).toThrow(invalid);
  });

  test('refuses octets that are not UTF-8', () => {
    expect(() => parseCpim(Buffer.from(`Subject: \xff\r\n\r\n${content}`, 'latin1'), limits)).toThrow(invalid);
  });
});

describe('limits', () => {
  test.each([
    [63, true],
    [64, true],
    [65, false],
  ])('%i headers', (count, ok) => {
    const attempt = (): unknown => parse(Array.from({ length: count }, (_, i) => `X-${i}: y`));
    if (ok) expect(attempt).not.toThrow();
    else expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_E2E_LIMIT', stage: 'parse' }));
  });

  test.each([
    [4095, true],
    [4096, true],
    [4097, false],
  ])('a line of %i octets', (length, ok) => {
    const attempt = (): unknown => parse([`Subject: ${'é'.repeat(2000)}${'x'.repeat(length - 4009)}`]);
    if (ok) expect(attempt).not.toThrow();
    else expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_E2E_LIMIT' }));
  });

  test('a megabyte without line end', () => {
    expect(() => parseCpim(new Uint8Array(1 << 20).fill(0x61), limits)).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }),
    );
  });

  test('the header block of the content', () => {
    const rest = `Content-Type: text/plain\r\nX: ${'y'.repeat(100)}\r\n\r\n`;
    expect(() => parseCpim(utf8(`\r\n${rest}`), limitsWith({ mimeHeaderBytes: 100 }))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }),
    );
  });
});

describe('serializeCpim', () => {
  test('the order of RFC 3923 example 1', () => {
    const bytes = serializeCpim(
      draft({
        from: { formalName: 'Juliet Capulet', uri: 'im:juliet@example.com' },
        to: [{ formalName: 'Romeo Montague', uri: 'im:romeo@example.net' }],
        dateTime: '2003-12-09T11:45:36.66Z',
        subjects: [{ text: 'Imploring' }],
        content: {
          raw: utf8(
            'Content-type: text/plain; charset=utf-8\r\nContent-ID: <1234567890@example.com>\r\n\r\nWherefore art thou, Romeo?\r\n',
          ),
        },
      }),
    );
    expect(Buffer.from(bytes).toString()).toBe(
      [
        'From: Juliet Capulet <im:juliet@example.com>',
        'To: Romeo Montague <im:romeo@example.net>',
        'DateTime: 2003-12-09T11:45:36.66Z',
        'Subject: Imploring',
        '',
        'Content-type: text/plain; charset=utf-8',
        'Content-ID: <1234567890@example.com>',
        '',
        'Wherefore art thou, Romeo?',
        '',
      ].join('\r\n'),
    );
  });

  test('declares each namespace once, before its use', () => {
    const extension = { lang: undefined, parameters: [] };
    const text = Buffer.from(
      serializeCpim(
        draft({
          requires: [
            { namespace: 'urn:a', name: 'x' },
            { namespace: CPIM_HEADERS, name: 'From' },
            { namespace: 'urn:c', name: 'z' },
          ],
          headers: [
            { ...extension, namespace: 'urn:a', prefix: 'p', name: 'x', value: '1' },
            { ...extension, namespace: 'urn:b', prefix: 'p', name: 'y', value: '2' },
            { ...extension, namespace: CPIM_HEADERS, prefix: '', name: 'From', value: '<im:forged@b>' },
          ],
        }),
      ),
    ).toString();
    expect(text.split('\r\n\r\n')[0]!.split('\r\n')).toEqual([
      'NS: p <urn:a>',
      'NS: n1 <urn:b>',
      'NS: n2 <urn:c>',
      'Require: p.x,From,n2.z',
      'p.x: 1',
      'n1.y: 2',
    ]);
  });

  test.each<[string, Partial<CpimDraft>]>([
    ['an empty subject', { subjects: [{ text: '' }] }],
    ['a subject that begins with a space', { subjects: [{ text: ' x' }] }],
    ['a subject that ends with a space', { subjects: [{ text: 'x ' }] }],
    ['half a surrogate pair', { subjects: [{ text: '\ud83d' }] }],
    ['a language that is none', { subjects: [{ lang: 'fr x\r\n', text: 'x' }] }],
    ['a DateTime that is none', { dateTime: 'yesterday' }],
    ['a Require that is no name', { requires: [{ namespace: 'urn:a', name: 'x,y' }] }],
    ['a namespace that is no URI', { requires: [{ namespace: 'a>\r\n', name: 'x' }] }],
    [
      'an extension with a line end',
      {
        headers: [
          { namespace: 'urn:a', prefix: 'p', name: 'x', lang: undefined, parameters: [], value: 'a\r\nFrom: <im:x@y>' },
        ],
      },
    ],
    [
      'an extension without a name',
      { headers: [{ namespace: 'urn:a', prefix: 'p', name: '', lang: undefined, parameters: [], value: 'a' }] },
    ],
  ])('refuses %s', (_, parts) => {
    expect(() => serializeCpim(draft(parts))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_UNMAPPABLE', stage: 'map' }),
    );
  });

  test('is undone by parseCpim', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter((value) => !/^ | $/.test(value));
    const formalName = fc.option(text, { nil: undefined });
    const uri = fc.constantFrom('im:a@b.example', 'im:j%C3%BC@example.com', 'sip:x@y', 'xmpp:z');
    const address = fc.record({ formalName, uri });
    const lang = fc.constantFrom('en', 'de-CH', 'x-klingon', undefined);
    const arbitrary = fc.record({
      from: fc.option(address, { nil: undefined }),
      to: fc.array(address, { maxLength: 4 }),
      cc: fc.array(address, { maxLength: 3 }),
      dateTime: fc.constantFrom(undefined, '2003-12-09T11:45:36.66Z', '2000-12-13T13:40:00-08:00'),
      subjects: fc.uniqueArray(fc.record({ lang, text }), { selector: (subject) => subject.lang, maxLength: 4 }),
      requires: fc.array(fc.record({ namespace: fc.constantFrom('urn:a', 'urn:b'), name: fc.constantFrom('x', 'y') }), {
        maxLength: 3,
      }),
      body: fc.uint8Array(),
    });
    fc.assert(
      fc.property(arbitrary, ({ body, ...parts }) => {
        const raw = Buffer.concat([utf8('Content-Type: text/plain\r\n\r\n'), body]);
        const again = parseCpim(serializeCpim({ ...parts, content: { raw } }), limits);
        const { from, to, cc, dateTime, subjects, requires } = again;
        expect({ from, to, cc, dateTime, subjects, requires }).toEqual(parts);
        expect(equalBytes(again.content.raw, raw)).toBe(true);
        expect(equalBytes(serializeCpim(again), serializeCpim({ ...parts, content: { raw } }))).toBe(true);
      }),
      { numRuns: runs(3000), seed: 12 },
    );
  });
});

test('damaged messages give a message or an E2eError', () => {
  const sample = utf8(
    `From: "A" <im:a@b>\r\nTo: C D <im:c@d>\r\nDateTime: 2003-12-09T11:45:36Z\r\nSubject:;lang=fr a\\u0041\r\nNS: p <urn:p>\r\nRequire: p.x\r\np.x: 1\r\n\r\n${content}`,
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 6 }), (edits) => {
      const bytes = sample.slice();
      for (const [at, byte] of edits) bytes[at] = byte;
      try {
        parseCpim(bytes, limits);
      } catch (error) {
        expect(error).toBeInstanceOf(E2eError);
      }
    }),
    { numRuns: runs(20_000), seed: 13 },
  );
});
