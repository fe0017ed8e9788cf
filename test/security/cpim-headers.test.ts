/** Second senders, case twins, aliases, folds and injected lines in Message/CPIM (RFC 3862 sections 2.2, 3.4, 4). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { Jid } from '../../src/jid/jid.ts';
import { defaultLimits as limits } from '../../src/limits.ts';
import { CPIM_HEADERS, type CpimMessage, parseCpim, serializeCpim } from '../../src/payload/cpim.ts';
import { mapStanza } from '../../src/payload/map.ts';
import { parsePayload } from '../../src/payload/payload.ts';
import { reconstruct } from '../../src/payload/reconstruct.ts';
import { element } from '../../src/xml/element.ts';
import { CLIENT } from '../../src/xml/namespaces.ts';
import { runs } from '../shared-data.ts';

const content = 'Content-Type: text/plain; charset=utf-8\r\n\r\nhi';
const parse = (headers: readonly string[]): CpimMessage =>
  parseCpim(utf8([...headers, '', content].join('\r\n')), limits);
const from = 'From: <im:juliet@example.com>';
const forged = '<im:mallory@example.org>';
const alias = `NS: x <${CPIM_HEADERS}>`;

describe('header sets that are refused', () => {
  const sets: [string, readonly string[]][] = [
    ['From twice', [from, `From: ${forged}`]],
    ['the same From twice', [from, from]],
    ['From behind an alias', [from, alias, `x.From: ${forged}`]],
    ['From behind an alias first', [alias, `x.From: ${forged}`, from]],
    ['From behind two aliases', [alias, `NS: y <${CPIM_HEADERS}>`, `x.From: ${forged}`, `y.From: ${forged}`]],
    ['From behind an alias without space', [from, `NS: x<${CPIM_HEADERS}>`, `x.From: ${forged}`]],
    ['From after the default was moved and back', [from, 'NS: <urn:y>', `NS: <${CPIM_HEADERS}>`, `From: ${forged}`]],
    ['From under another default', ['NS: <urn:y>', `From: ${forged}`]],
    ['from', [from, `from: ${forged}`]],
    ['FROM', [from, `FROM: ${forged}`]],
    ['from alone', [`from: ${forged}`]],
    ['x.from', [from, alias, `x.from: ${forged}`]],
    ['to', [from, `to: ${forged}`]],
    ['CC', [from, `CC: ${forged}`]],
    ['Datetime', [from, 'Datetime: 2003-12-09T11:45:36Z']],
    ['SUBJECT', [from, 'SUBJECT: x']],
    ['ns', [from, `ns: x <${CPIM_HEADERS}>`]],
    ['require', [from, 'require: x']],
    ['DateTime twice', [from, 'DateTime: 2003-12-09T11:45:36Z', 'DateTime: 2004-12-09T11:45:36Z']],
    ['DateTime behind an alias', [from, 'DateTime: 2003-12-09T11:45:36Z', alias, 'x.DateTime: 2004-12-09T11:45:36Z']],
    ['DateTime of V8', [from, 'DateTime: 2003-02-30T00:00:00Z']],
    ['DateTime at hour 24', [from, 'DateTime: 2003-02-03T24:00:00Z']],
    ['DateTime without offset', [from, 'DateTime: 2003-02-03T00:00:00']],
    ['DateTime with text behind', [from, 'DateTime: 2003-02-03T00:00:00Z x']],
    ['Subject twice', [from, 'Subject: a', 'Subject: b']],
    ['Subject twice in a language', [from, 'Subject:;lang=en a', 'Subject:;lang=EN b']],
    ['Subject behind an alias', [from, 'Subject: a', alias, 'x.Subject: b']],
    ['lang twice', [from, 'Subject:;lang=en;lang=fr a']],
    ['a prefix twice', [from, 'NS: p <urn:a>', 'NS: p <urn:b>', 'p.x: y']],
    ['a prefix before its NS', [from, 'p.x: y', 'NS: p <urn:a>']],
    ['a prefix without NS', [from, 'p.x: y']],
    ['Require with a prefix without NS', [from, 'Require: Locale.MustRenderKanji']],
    ['Require of nothing', [from, 'Require: ']],
    ['Require with an empty item', [from, 'NS: p <urn:p>', 'Require: p.x,,p.y']],
    ['Require in another case', [from, 'Require: from']],
    ['NS without URI', [from, 'NS: p']],
    ['NS with a relative URI', [from, 'NS: p <urn>']],
    ['NS with two URIs', [from, 'NS: p <urn:a> <urn:b>']],
    ['NS with a bad prefix', [from, 'NS: p.q <urn:a>']],
    ['a folded line', ['From: <im:juliet@example.com>', ` ${forged}`]],
    ['a line folded with a tab', [from, '\tSubject: x']],
    ['a header without space', [`From:${forged}`]],
    ['a space before the colon', [`From : ${forged}`]],
    ['two addresses', [`From: <im:juliet@example.com> ${forged}`]],
    ['two addresses with a comma', [`From: <im:juliet@example.com>, ${forged}`]],
    ['an address in the name', [`From: ${forged} <im:juliet@example.com>`]],
    ['an escaped address', ['From: <im:mallory\\u0040example.org>']],
    ['a lone CR', [`Subject: a\rFrom: ${forged}`]],
    ['a lone LF', [`Subject: a\nFrom: ${forged}`]],
    ['NUL', ['Subject: a\0b']],
  ];

  test('are at least forty', () => expect(sets.length).toBeGreaterThanOrEqual(40));

  test.each(sets)('%s', (_, headers) => {
    expect(() => parse(headers)).toThrow(
      expect.objectContaining({ name: 'E2eError', code: 'ERR_E2E_PAYLOAD_INVALID', stage: 'parse' }),
    );
  });
});

test('a From of another namespace is nobody', () => {
  const message = parse([from, 'NS: z <urn:z>', `z.From: ${forged}`, 'z.from: x']);
  expect(message.from?.uri).toBe('im:juliet@example.com');
});

test('a From inside the content is text', () => {
  const message = parseCpim(
    utf8(`${from}\r\n\r\nContent-Type: text/plain\r\nFrom: ${forged}\r\n\r\nFrom: ${forged}`),
    limits,
  );
  expect(message.from?.uri).toBe('im:juliet@example.com');
});

describe('no text becomes a line', () => {
  const juliet = Jid.parse('juliet@example.com/balcony');
  const romeo = Jid.parse('romeo@example.net');
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        '\r',
        '\n',
        '\0',
        '\\',
        '"',
        "'",
        '\u0085',
        '\u2028',
        ':',
        ' ',
        'From',
        'u000a',
        '<',
        '>',
        '\x7f',
      ),
    }),
  );

  test('as subject or formal name: the number of lines stays and the value comes back', () => {
    fc.assert(
      fc.property(hostile, hostile, (subject, formalName) => {
        const plain = subject.replace(/^ +| +$/g, '');
        const bytes = serializeCpim({
          from: { formalName, uri: 'im:juliet@example.com' },
          to: [{ formalName: undefined, uri: 'im:romeo@example.net' }],
          subjects: plain === '' ? [] : [{ lang: 'en', text: plain }],
          content: { raw: utf8(content) },
        });
        const block = Buffer.from(bytes).toString().slice(0, -content.length);
        expect(block.split('\r\n')).toHaveLength(plain === '' ? 4 : 5);
        expect(block.replaceAll('\r\n', '')).not.toMatch(/[\x00-\x1f\x7f]/);
        const message = parseCpim(bytes, limits);
        expect(message.from).toEqual({ formalName, uri: 'im:juliet@example.com' });
        expect(message.subjects).toEqual(plain === '' ? [] : [{ lang: 'en', text: plain }]);
      }),
      { numRuns: runs(5000), seed: 51 },
    );
  });

  test('as subject or body of a stanza', () => {
    const xmlText = hostile.map((value) =>
      value.toWellFormed().replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, ''),
    );
    fc.assert(
      fc.property(xmlText, xmlText, (subject, body) => {
        const stanza = element('message', CLIENT, {}, [
          element('subject', CLIENT, {}, [subject]),
          element('body', CLIENT, {}, [`${body}\n\nFrom: ${forged}\r\n--b\r\n`]),
        ]);
        const at = 1_070_970_336_660_000_000n;
        const { entity } = mapStanza(stanza, {
          form: 'auto',
          loss: 'refuse',
          from: juliet,
          to: [romeo],
          at,
          wrapped: true,
        });
        const payload = parsePayload(entity, limits);
        expect(payload.senders).toEqual([['CPIM From', juliet.bare()]]);
        expect(payload.recipients).toEqual([romeo]);
        const again = reconstruct(payload, { from: juliet, to: romeo }).stanza;
        expect(again.first('subject')?.text ?? '').toBe(subject);
        expect(again.first('body')?.text).toBe(`${body}\n\nFrom: ${forged}\r\n--b\r\n`);
      }),
      { numRuns: runs(5000), seed: 52 },
    );
  });
});

describe('names of Object.prototype are names', () => {
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    'hasOwnProperty',
    'toString',
    'valueOf',
    'isPrototypeOf',
    'propertyIsEnumerable',
    'toLocaleString',
    '__defineGetter__',
    '__defineSetter__',
    '__lookupGetter__',
    '__lookupSetter__',
    'length',
    'name',
    'then',
    'get',
    'set',
    'size',
    'undefined',
  ];

  test.each(names)('%s', (name) => {
    const message = parse([
      `${name}: 1`,
      `NS: ${name} <urn:${name}>`,
      `${name}.${name}: 2`,
      `X:;${name}=3 4`,
      `Require: ${name}.${name}`,
    ]);
    expect(message.headers.map((header) => [header.namespace, header.name, header.value])).toEqual([
      [CPIM_HEADERS, name, '1'],
      [CPIM_HEADERS, 'NS', `${name} <urn:${name}>`],
      [`urn:${name}`, name, '2'],
      [CPIM_HEADERS, 'X', '4'],
      [CPIM_HEADERS, 'Require', `${name}.${name}`],
    ]);
    expect(message.headers[3]!.parameters).toEqual([[name, '3']]);
    expect(message.unsupportedRequires).toEqual([{ namespace: `urn:${name}`, name }]);
    expect(Object.hasOwn(Object.prototype, '1')).toBe(false);
  });
});
