import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { Jid } from '../../../src/jid/jid.ts';
import { fromUri, identityFromUri, toUri, type UriOptions } from '../../../src/jid/uri.ts';
import { corpusJson, hasCorpus, runs } from '../../shared-data.ts';

const gateway: UriOptions = { escapes: 'rfc3922' };
const address = (uri: string, options?: UriOptions): string | undefined => fromUri(uri, options)?.jid.toString();
const identity = (uri: string): string | undefined => identityFromUri(uri)?.jid.toString();

// Localpart, as URI by XEP-0106, as URI by RFC 3922 section 3.2.
const localparts: readonly (readonly [local: string, uri: string, gatewayUri: string])[] = [
  ['juliet', 'juliet', 'juliet'],
  ['m\\26m', 'm%26m', 'm%5C26m'],
  ['m#26;m', 'm%2326%3Bm', 'm%26m'],
  ['d\\27artagnan', 'd%27artagnan', 'd%5C27artagnan'],
  ['d#27;artagnan', 'd%2327%3Bartagnan', 'd%27artagnan'],
  ['\\2ffanboy', '%2Ffanboy', '%5C2ffanboy'],
  ['#2f;fanboy', '%232f%3Bfanboy', '%2Ffanboy'],
  ['foo\\20bar', 'foo%20bar', 'foo%5C20bar'],
  ['user\\40host', 'user%40host', 'user%5C40host'],
  ['call\\20me\\20\\22ishmael\\22', 'call%20me%20%22ishmael%22', 'call%5C20me%5C20%5C22ishmael%5C22'],
  ['\\3a\\3afoo\\3a\\3a', '%3A%3Afoo%3A%3A', '%5C3a%5C3afoo%5C3a%5C3a'],
  ['\\3cfoo\\3e', '%3Cfoo%3E', '%5C3cfoo%5C3e'],
  ['a-b', 'a-b', 'a%2Db'],
  ['a.b', 'a.b', 'a.b'],
  ['50%off', '50%25off', '50%25off'],
  ['a?b', 'a%3Fb', 'a%3Fb'],
  ['a!$*_~+=b', 'a!$*_~+=b', 'a!$*_~+=b'],
  ['tsch\u00FCss', 'tsch%C3%BCss', 'tsch%C3%BCss'],
  ['\u3042\u{20000}', '%E3%81%82%F0%A0%80%80', '%E3%81%82%F0%A0%80%80'],
  // A backslash is only a character: two localparts never share a URI.
  ['c\\3a\\5ccool', 'c%3A%5C5ccool', 'c%5C3a%5C5ccool'],
  ['a\\5cb', 'a%5C5cb', 'a%5C5cb'],
  ['a\\b', 'a%5Cb', 'a%5Cb'],
  ['a\\5c20b', 'a%5C5c20b', 'a%5C5c20b'],
  ['\\\\20', '%5C%20', '%5C%5C20'],
];

describe('im: and pres: URIs', () => {
  test.each(localparts)('%s', (local, uri, gatewayUri) => {
    const jid = Jid.of(local, 'b\u00FCcher.example');
    for (const scheme of ['im', 'pres'] as const) {
      expect(toUri(jid.withResource('r'), scheme)).toBe(`${scheme}:${uri}@xn--bcher-kva.example`);
      expect(toUri(jid, scheme, gateway)).toBe(`${scheme}:${gatewayUri}@xn--bcher-kva.example`);
      expect(fromUri(toUri(jid, scheme))).toEqual({ scheme, jid });
      expect(fromUri(toUri(jid, scheme, gateway), gateway)).toEqual({ scheme, jid });
      expect(identityFromUri(toUri(jid, scheme))?.jid.equals(jid)).toBe(true);
    }
  });

  // What others write, RFC 7247 section 4 among them: characters that need no encoding, and other encodings.
  test.each([
    ['im:m&m@example.com', 'm\\26m@example.com'],
    ["im:d'artagnan@example.com", 'd\\27artagnan@example.com'],
    ['im:/fanboy@example.com', '\\2ffanboy@example.com'],
    ['im:foo%5C20bar@example.com', 'foo\\20bar@example.com'],
    ['im:user%5C40host@example.com', 'user\\40host@example.com'],
    ['im:a%2Eb@example.com', 'a.b@example.com'],
    ['im:%6Auliet@example.com', 'juliet@example.com'],
    ['im:tsch%c3%bcss@example.com', 'tsch\u00FCss@example.com'],
    ['im:tsch\u00FCss@b\u00FCcher.example', 'tsch\u00FCss@xn--bcher-kva.example'],
    ['im:juliet@b%C3%BCcher.example', 'juliet@xn--bcher-kva.example'],
    ['IM:Juliet@Example.COM.', 'juliet@example.com'],
    ['pres:juliet@[::1]', 'juliet@[::1]'],
  ])('reads %s', (uri, expected) => expect(address(uri)).toBe(expected));

  test.each([
    'im:juliet@example.com?Subject=x',
    'im:juliet@example.com?',
    'im:juliet@example.com#x',
    'im:juliet',
    'im:example.com',
    'im:@example.com',
    'im:juliet@',
    'im:',
    'im',
    '',
    ':',
    'im:a@b@example.com',
    'im:juliet@example.com,romeo@example.net',
    'im:juliet@example.com/balcony',
    'im:juliet@example.com%2Fbalcony',
    'im:juliet@example.com%00.evil.example',
    'im:juliet%00@example.com',
    'im:juliet@evil%40example.com',
    'im://juliet@example.com/',
    'Juliet <im:juliet@example.com>',
    '<im:juliet@example.com>',
    ' im:juliet@example.com',
    'im: juliet@example.com',
    'im:juliet@example.com ',
    'im:juliet@example.com\n',
    'im:"juliet"@example.com',
    'im:%zz@example.com',
    'im:50%@example.com',
    'im:50%2@example.com',
    'im:%FF@example.com',
    'im:%C0%AF@example.com',
    'im:%ED%A0%80@example.com',
    'im:\uD800@example.com',
    'im:%F0%9F%98%80@example.com',
    'mailto:juliet@example.com',
    'sip:juliet@example.com',
    'imx:juliet@example.com',
    'impres:juliet@example.com',
    `im:${'a'.repeat(2000)}@example.com`,
    `im:${'%61'.repeat(5_000_000)}@example.com`,
  ])('does not read %#', (uri) => {
    expect(fromUri(uri)).toBeUndefined();
    expect(identityFromUri(uri)).toBeUndefined();
  });

  it('cannot be written without a localpart', () => {
    for (const scheme of ['im', 'pres'] as const) {
      expect(() => toUri(Jid.parse('example.com'), scheme)).toThrow(
        expect.objectContaining({ code: 'ERR_E2E_UNMAPPABLE', stage: 'map' }) as Error,
      );
    }
  });
});

describe('xmpp: URIs', () => {
  test.each([
    ['juliet@example.com', 'xmpp:juliet@example.com'],
    ['example.com', 'xmpp:example.com'],
    ['juliet@example.com/balcony', 'xmpp:juliet@example.com/balcony'],
    ['juliet@example.com/a/b c', 'xmpp:juliet@example.com/a%2Fb%20c'],
    // RFC 5122 encodes the address as it is: escapes of XEP-0106 stay.
    ['call\\20me@example.com', 'xmpp:call%5C20me@example.com'],
    ['ji\u0159i@\u010Dechy.example/v Praze', 'xmpp:ji%C5%99i@xn--echy-fua.example/v%20Praze'],
  ])('%s', (text, uri) => {
    const jid = Jid.parse(text);
    expect(toUri(jid, 'xmpp')).toBe(uri);
    expect(fromUri(uri)).toEqual({ scheme: 'xmpp', jid });
  });

  test.each([
    'xmpp:juliet@example.com?message',
    'xmpp://guest@example.com/support@example.com',
    'xmpp:',
    'xmpp:@example.com',
    'xmpp:juliet@example.com/',
    'xmpp:a@b@example.com',
    "xmpp:d'artagnan@example.com",
    'xmpp:m%26m@example.com',
    'xmpp:juliet@example.com/%00',
    'xmpp:juliet@example.com/%',
  ])('does not read %s', (uri) => expect(fromUri(uri)).toBeUndefined());
});

describe('names in certificates', () => {
  test.each([
    ['im:juliet@example.com', 'juliet@example.com'],
    ['pres:juliet@example.com', 'juliet@example.com'],
    ['xmpp:juliet@example.com', 'juliet@example.com'],
    ['xmpp:example.com', 'example.com'],
    ['IM:juliet@example.com', 'juliet@example.com'],
    ['im:%6Auliet@example.com', 'juliet@example.com'],
    ['im:juliet@b\u00FCcher.example', 'juliet@xn--bcher-kva.example'],
    ['im:juliet@xn--bcher-kva.example', 'juliet@xn--bcher-kva.example'],
    // RFC 3923 section 6.3 can be read as the address itself behind the scheme.
    ['im:foo\\20bar@example.com', 'foo\\20bar@example.com'],
    ['im:tsch\u00FCss@example.com', 'tsch\u00FCss@example.com'],
  ])('%s names %s', (uri, expected) => expect(identity(uri)).toBe(expected));

  test.each([
    'im:Juliet@example.com',
    'im:juliet@Example.com',
    'im:%4Auliet@example.com',
    'im:juliet@example.com.',
    'im:\uFF4Auliet@example.com',
    'im:%EF%BD%8Auliet@example.com',
    'im:\u212Aate@example.com',
    'im:e\u0301@example.com',
    'im:juliet@B\u00DCCHER.example',
    'im:juliet@XN--BCHER-KVA.example',
    'im:juliet@bu\u0308cher.example',
    'im:jul\u200Diet@example.com',
    'im:juliet%E2%80%AE@example.com',
    'im:juliet@example%E3%80%82com',
    'xmpp:juliet@example.com/balcony',
    'xmpp:juliet@[0::1]',
    'juliet@example.com',
  ])('%s matches nothing', (uri) => expect(identityFromUri(uri)).toBeUndefined());
});

const hasRules = hasCorpus('rfc-examples/rfc3922.json');
describe.skipIf(!hasRules)('the address rules of RFC 3922 sections 3.2 and 3.3', () => {
  const { rules } = (hasRules ? corpusJson('rfc-examples/rfc3922.json') : { rules: {} }) as {
    rules: { addressMapping: { xmppToCpim: string[]; cpimToXmpp: string[] } };
  };

  it('names the octets that stay, but for the question mark that starts headers', () => {
    const rule = rules.addressMapping.xmppToCpim.find((step) => step.includes('every octet outside'))!;
    const set = new RegExp(`[${/outside (\S+)/.exec(rule)![1]!}]`);
    for (let octet = 0x21; octet < 0x7f; octet++) {
      const character = String.fromCharCode(octet);
      if (/["&'/:<>@A-Z]/.test(character)) continue;
      const written = toUri(Jid.of(`x${character}x`, 'd'), 'im', gateway);
      const stays = set.test(character) && character !== '?';
      expect(written).toBe(`im:x${stays ? character : `%${octet.toString(16).toUpperCase()}`}x@d`);
    }
  });

  it('maps & \u2019 / both ways', () => {
    expect(rules.addressMapping.xmppToCpim).toContain("#26; #27; #2f; become & ' /");
    expect(rules.addressMapping.cpimToXmpp).toContain("& ' / become #26; #27; #2f;");
    expect(toUri(Jid.of('a#26;b#27;c#2f;d', 'd'), 'pres', gateway)).toBe('pres:a%26b%27c%2Fd@d');
    expect(address("im:a&b'c/d@d", gateway)).toBe('a#26;b#27;c#2f;d@d');
    expect(address('im:a b@d', gateway)).toBeUndefined();
    expect(address('im:a%40b@d', gateway)).toBeUndefined();
  });
});

describe('both ways', () => {
  const local = fc
    .array(
      fc.oneof(
        fc.constantFrom('\\', '\\20', '\\5c', '\\40', '%', '#26;', '5c', '2f', '?', 'a', '\u00FC', '-'),
        fc.string({ unit: 'grapheme', maxLength: 2 }),
      ),
      {
        minLength: 1,
        maxLength: 6,
      },
    )
    .map((pieces) => pieces.join(''))
    .filter((text) => text !== '');

  it('give the same address', () => {
    let compared = 0;
    fc.assert(
      fc.property(local, (text) => {
        let jid: Jid;
        try {
          jid = Jid.of(text, 'example.com');
        } catch {
          return;
        }
        compared++;
        for (const options of [{}, gateway]) {
          for (const scheme of ['im', 'pres', 'xmpp'] as const) {
            const uri = toUri(jid, scheme, options);
            expect(uri).toMatch(/^[a-z]+:[A-Za-z0-9!$*._~+=%-]+@example\.com$/);
            expect(fromUri(uri, options)?.jid.toString()).toBe(jid.toString());
          }
        }
        expect(identityFromUri(toUri(jid, 'im'))?.jid.equals(jid)).toBe(true);
      }),
      { numRuns: runs(20_000), seed: 3922 },
    );
    expect(compared).toBeGreaterThan(runs(20_000) / 4);
  });

  it('name an identity only in enforced form', () => {
    fc.assert(
      fc.property(local, (text) => {
        const found = identityFromUri(`xmpp:${encodeURIComponent(text.toWellFormed())}@example.com`);
        if (found !== undefined) expect(found.jid.local).toBe(text);
      }),
      { numRuns: runs(20_000), seed: 3923 },
    );
  });
});
