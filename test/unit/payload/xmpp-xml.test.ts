import { describe, expect, test } from 'vitest';
import { toCrlf, utf8 } from '../../../src/bytes.ts';
import { defaultLimits as limits } from '../../../src/limits.ts';
import { parseXmppXml, serializeXmppXml } from '../../../src/payload/xmpp-xml.ts';
import { sameXml } from '../../../src/xml/canonical.ts';
import { element } from '../../../src/xml/element.ts';
import { CLIENT, E2E, E2E_MISSPELT } from '../../../src/xml/namespaces.ts';
import { corpusJson, hasCorpus } from '../../shared-data.ts';

const parse = (text: string): ReturnType<typeof parseXmppXml> => parseXmppXml(utf8(text), limits);
const xmpp = (inside: string, attributes = "xmlns='jabber:client'"): string => `<xmpp ${attributes}>${inside}</xmpp>`;
const invalid = expect.objectContaining({ code: 'ERR_E2E_PAYLOAD_INVALID', stage: 'parse' });

describe.skipIf(!hasCorpus('rfc-examples/rfc3923.json'))('RFC 3923 section 5', () => {
  const { examples } = (
    hasCorpus('rfc-examples/rfc3923.json') ? corpusJson('rfc-examples/rfc3923.json') : { examples: [] }
  ) as {
    examples: { example: number; kind: string; text: string }[];
  };
  const cases = examples.filter((example) => example.kind === 'xmpp+xml');

  test('has three examples', () => expect(cases.map((row) => row.example)).toEqual([13, 14, 15]));

  test.each(cases.map((row) => [row.example, row.text] as const))('example %i', (example, text) => {
    const stanza = parse(text);
    expect(stanza.name).toBe(['message', 'presence', 'iq'][example - 13]);
    expect(stanza.attribute('from')).toBe('iago@example.com/pda');
    expect(stanza.first('evil', 'http://jabber.org/protocol/evil')).toBeDefined();
    const bytes = serializeXmppXml(stanza);
    expect(sameXml(parseXmppXml(bytes, limits), stanza)).toBe(true);
    expect(toCrlf(bytes)).toBe(bytes);
  });
});

describe('refused (stanza smuggling)', () => {
  test.each<[string, string]>([
    ['no stanza', xmpp('')],
    ['no stanza but white space', xmpp(' \n ')],
    ['two stanzas', xmpp('<message/><message/>')],
    ['three stanzas', xmpp('<message/><presence/><iq/>')],
    ['a stanza and a stranger', xmpp("<message/><x xmlns='y'/>")],
    ['text before the stanza', xmpp('x<message/>')],
    ['text after the stanza', xmpp('<message/>x')],
    ['text in CDATA', xmpp('<message/><![CDATA[x]]>')],
    ['a no-break space', xmpp('\u00a0<message/>')],
    ['an attribute on the root', xmpp('<message/>', "xmlns='jabber:client' to='a@b'")],
    ['a prefixed attribute on the root', xmpp('<message/>', "xmlns='jabber:client' xmlns:x='y' x:lang='en'")],
    ['a bare stanza', "<message xmlns='jabber:client'/>"],
    ['another child of jabber:client', xmpp('<body/>')],
    ['a stanza with another name', xmpp('<Message/>')],
    ['a comment', xmpp('<!-- x --><message/>')],
    ['a second root', `${xmpp('<message/>')}<xmpp/>`],
    ['a byte order mark', `\ufeff${xmpp('<message/>')}`],
    ['a document type', `<!DOCTYPE xmpp>${xmpp('<message/>')}`],
  ])('%s', (_, text) => {
    expect(() => parse(text)).toThrow(invalid);
  });

  const namespaces = [
    '',
    'jabber:server',
    'jabber:component:accept',
    'jabber:Client',
    'jabber:client ',
    'JABBER:CLIENT',
    'jabber:client#',
    'jabber:iq:roster',
    'http://etherx.jabber.org/streams',
    'urn:ietf:params:xml:ns:xmpp-e2e',
    'urn:ietf:params:xml:ns:pidf',
    'urn:xmpp:forward:0',
    'urn:xmpp:carbons:2',
    'urn:xmpp:mam:2',
    'http://www.w3.org/1999/xhtml',
  ];
  test.each(namespaces)('a stanza in %j', (namespace) => {
    expect(() => parse(xmpp(`<message xmlns='${namespace}'/>`))).toThrow(invalid);
    expect(() => parse(`<xmpp xmlns='${namespace}'><message xmlns='jabber:client'/></xmpp>`)).toThrow(invalid);
  });

  test.each([
    `<message><e2e xmlns='${E2E}'/></message>`,
    `<message><e2e xmlns='${E2E_MISSPELT}'/></message>`,
    `<message><x xmlns='y'><z><p:e2e xmlns:p='${E2E}'/></z></x></message>`,
  ])('an <e2e/> inside: %s', (stanza) => {
    expect(() => parse(xmpp(stanza))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LAYERS_REFUSED', stage: 'parse' }),
    );
  });

  test('an <e2e/> of another namespace is content', () => {
    expect(parse(xmpp("<message><e2e xmlns='y'/></message>")).name).toBe('message');
  });

  test('not UTF-8', () => {
    expect(() => parseXmppXml(Buffer.from(xmpp('<message>\xff</message>'), 'latin1'), limits)).toThrow(invalid);
  });

  test('too deep', () => {
    expect(() => parse(xmpp(`<message>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</message>`))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }),
    );
  });
});

test("the root's language is the stanza's where it names none", () => {
  const root = "xmlns='jabber:client' xml:lang='cs'";
  expect(parse(xmpp('<message/>', root)).lang).toBe('cs');
  expect(parse(xmpp("<message xml:lang='en'/>", root)).lang).toBe('en');
});

describe('serializeXmppXml', () => {
  test('one line, references for CR and LF', () => {
    const bytes = serializeXmppXml(
      element('message', CLIENT, {}, [element('body', CLIENT, {}, ['a\r\nb\n]]>'])]),
      'en',
    );
    expect(Buffer.from(bytes).toString()).toBe(
      `<?xml version='1.0' encoding='UTF-8'?><xmpp xmlns="jabber:client"><message xml:lang="en"><body>a&#xD;&#xA;b&#xA;]]&gt;</body></message></xmpp>`,
    );
  });

  test('refuses an <e2e/> inside', () => {
    expect(() => serializeXmppXml(element('message', CLIENT, {}, [element('e2e', E2E)]))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LAYERS_REFUSED', stage: 'map' }),
    );
  });

  test.each(['\0', '\ud800', '\ufffe'])('refuses text that XML cannot hold: %j', (text) => {
    expect(() => serializeXmppXml(element('message', CLIENT, {}, [element('body', CLIENT, {}, [text])]))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_UNMAPPABLE' }),
    );
  });
});
