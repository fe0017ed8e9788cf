/** What real servers do to a stanza on its way (measured on Prosody and ejabberd) never breaks verification. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameXml } from '../../src/xml/canonical.ts';
import { element, openStanza, parseXml, ReplayGuard, sealStanza, serializeXml, XmlElement } from '../../src/index.ts';
import { backendNames, juliet, people, romeo } from '../people.ts';
import { runs } from '../shared-data.ts';

const cdata = { cdata: (one: XmlElement): boolean => one.name === 'e2e' };
const E2E = 'urn:ietf:params:xml:ns:xmpp-e2e';

/** Rewrites the text of `<e2e/>` as it stands in the XML. */
function rewritten(xml: string, change: (text: string) => string): string {
  return xml.replace(
    /(<e2e [^>]*>)(.*)(<\/e2e>)/s,
    (_, open: string, text: string, close: string) => open + change(text) + close,
  );
}

function withAttributes(one: XmlElement, attributes: XmlElement['attributes']): XmlElement {
  return new XmlElement(one.prefix, one.namespace, one.name, attributes, one.children);
}

const transports: Record<string, (sealed: XmlElement) => string> = {
  'CDATA as sent': (sealed) => serializeXml(sealed, cdata),
  'CDATA turned into escaped text': (sealed) => serializeXml(sealed),
  'LF turned into CRLF': (sealed) => rewritten(serializeXml(sealed, cdata), (text) => text.replaceAll('\n', '\r\n')),
  'LF turned into CR': (sealed) => rewritten(serializeXml(sealed), (text) => text.replaceAll('\n', '\r')),
  'CR by reference before LF': (sealed) => rewritten(serializeXml(sealed), (text) => text.replaceAll('\n', '&#13;\n')),
  'attributes in another order': (sealed) => serializeXml(withAttributes(sealed, [...sealed.attributes].reverse())),
  'xml:lang of the stream stamped': (sealed) =>
    serializeXml(sealed.withAttribute('lang', 'en', 'http://www.w3.org/XML/1998/namespace')),
  'children in another order': (sealed) => serializeXml(sealed.withChildren([...sealed.children].reverse())),
  'white space between children': (sealed) =>
    serializeXml(sealed.withChildren(sealed.children.flatMap((one) => ['\n  ', one]))),
  'white space around the object': (sealed) => rewritten(serializeXml(sealed), (text) => `\n  ${text}\n\t`),
  'stamps added': (sealed) =>
    serializeXml(
      sealed.withChildren([
        element('delay', 'urn:xmpp:delay', { stamp: '2020-01-01T00:00:00Z', from: 'example.net' }),
        ...sealed.children,
        element('stanza-id', 'urn:xmpp:sid:0', { id: '1', by: romeo }),
      ]),
    ),
  'prefixes for namespaces': (sealed) =>
    serializeXml(sealed)
      .replace(/<e2e [^>]*>/, `<x:e2e xmlns:x="${E2E}">`)
      .replace('</e2e>', '</x:e2e>'),
};

/** Text as people and attackers write it, with every line end, section end and boundary-like line. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\t',
        ']]>',
        '--boundary',
        '-- ',
        '- -',
        '&',
        '<e2e>',
        ' ',
        '\u0085',
        '\u2028',
        '\ufeff',
        'e\u0301',
        '😀',
        'From ',
        '.',
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((pieces) => pieces.join('').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gu, ''))
  .filter((whole) => whole.isWellFormed());

describe.each(backendNames)('a stanza sealed with %s', (name) => {
  it.each(Object.entries(transports))('survives: %s', { timeout: 120_000 }, async (_, transport) => {
    const { juliet: her, romeo: him } = await people(name);
    await fc.assert(
      fc.asyncProperty(text, text, fc.constantFrom('sign', 'sign+encrypt'), async (subject, body, protection) => {
        const stanza = element('message', 'jabber:client', { from: `${juliet}/b`, to: romeo, type: 'chat' }, [
          element('subject', 'jabber:client', {}, [subject]),
          element('body', 'jabber:client', {}, [body]),
        ]);
        const sealed = await sealStanza(stanza, { backend: her.backend, protection });
        const options = { backends: [him.backend], me: romeo, replay: new ReplayGuard() };
        const { stanza: opened, verdict } = await openStanza(transport(sealed), options);
        expect(sameXml(opened, stanza)).toBe(true);
        expect(verdict.sender?.jid).toBe(juliet);
      }),
      { numRuns: runs(200), seed: 3923 },
    );
  });

  it('gives the same stanza when the stream brings its own language', async () => {
    const { juliet: her, romeo: him } = await people(name);
    const stanza = parseXml(
      `<message xmlns='jabber:client' from='${juliet}/b' to='${romeo}'><body>Hi</body></message>`,
    );
    const sealed = await sealStanza(stanza, { backend: her.backend });
    const stamped = sealed.withAttribute('lang', 'en', 'http://www.w3.org/XML/1998/namespace');
    const opened = await openStanza(stamped, { backends: [him.backend], me: romeo, replay: new ReplayGuard() });
    expect(opened.stanza.lang).toBeUndefined();
  });
});
