import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { E2eError } from '../../../src/errors.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { corpusJson, hasCorpus, runs } from '../../shared-data.ts';

/** The enforced form, or undefined where it is refused with the documented error. */
function enforce(text: string): string | undefined {
  try {
    return Jid.parse(text).toString();
  } catch (error) {
    if (error instanceof E2eError && error.code === 'ERR_E2E_MALFORMED' && error.stage === 'parse') return undefined;
    throw error;
  }
}

interface Row {
  readonly example?: number;
  readonly jid: string;
  readonly local: string | null;
  readonly domain: string;
  readonly resource: string | null;
  readonly note?: string;
}

const hasRfc = hasCorpus('rfc-examples/rfc7622-jids.json');
const rfc = (
  hasRfc ? corpusJson('rfc-examples/rfc7622-jids.json') : { valid: [], invalid: [], equal: [], notEqual: [] }
) as {
  valid: Row[];
  invalid: Row[];
  equal: [number, number][];
  notEqual: [number, number][];
};

describe.skipIf(!hasRfc)('the examples of RFC 7622 section 3.5', () => {
  test.each(rfc.valid)('$example is valid: $jid', ({ jid, local, domain, resource }) => {
    const parsed = Jid.parse(jid);
    expect([parsed.local, parsed.domain, parsed.resource]).toEqual([local ?? '', domain, resource ?? '']);
  });
  test.each(rfc.invalid)('$example is invalid: $jid', ({ jid }) => expect(enforce(jid)).toBeUndefined());

  const byNumber = (n: number): string => rfc.valid.find(({ example }) => example === n)!.jid;
  test.each(rfc.equal)('%i equals %i', (a, b) => expect(enforce(byNumber(a))).toBe(enforce(byNumber(b))));
  test.each(rfc.notEqual)('%i does not equal %i', (a, b) =>
    expect(enforce(byNumber(a))).not.toBe(enforce(byNumber(b))),
  );
});

const hasJxmpp = hasCorpus('jids/jxmpp.json');
const jxmpp = (hasJxmpp ? corpusJson('jids/jxmpp.json') : { valid: [], invalid: [] }) as {
  valid: Row[];
  invalid: Row[];
};

describe.skipIf(!hasJxmpp)('the corpus of jxmpp', () => {
  test.each(jxmpp.valid.filter(({ note }) => note === undefined))('valid: $jid', ({ jid, local, domain, resource }) => {
    const parsed = Jid.parse(jid);
    expect([parsed.local, parsed.domain, parsed.resource]).toEqual([local ?? '', domain, resource ?? '']);
  });
  test.each(jxmpp.invalid)('invalid: $jid', ({ jid }) => expect(enforce(jid)).toBeUndefined());

  // The rows that the corpus marks as debatable.
  test.each([
    ['\u03A3@example.com', '\u03C3@example.com'],
    // RFC 7622 section 3.5 keeps the final sigma.
    ['\u03C2@example.com', '\u03C2@example.com'],
    // A zone means something on one machine only.
    ['user@[2001:638:a000:4134::ffff:40%eno1]', undefined],
    // No DNS name.
    ['user@averylongdomainpartisstillvalideventhoughitexceedsthesixtyfourbytelimitofdnslabels', undefined],
  ])('debatable: %s', (jid, expected) => {
    expect(jxmpp.valid.some((row) => row.jid === jid && row.note !== undefined)).toBe(true);
    expect(enforce(jid)).toBe(expected);
  });
});

describe('equality', () => {
  test.each([
    ['case', 'Juliet@Example.COM', 'juliet@example.com'],
    ['capital sigma', '\u03A3@example.com', '\u03C3@example.com'],
    ['fullwidth letters', '\uFF21\uFF22@example.com', 'ab@example.com'],
    ['composition', 'A\u030A@example.com', '\u00E5@example.com'],
    ['A-label and U-label', 'x@b\u00FCcher.example', 'x@xn--bcher-kva.example'],
    ['A-label in capitals', 'x@XN--BCHER-KVA.example', 'x@b\u00FCcher.example'],
    ['U-label in capitals', 'x@B\u00DCCHER.example', 'x@b\u00FCcher.example'],
    ['decomposed U-label', 'x@bu\u0308cher.example', 'x@b\u00FCcher.example'],
    ['sharp s in a label', 'x@fa\u00DF.example', 'x@xn--fa-hia.example'],
    ['final dot', 'x@example.com.', 'x@example.com'],
    ['final ideographic dot', 'x@b\u00FCcher\u3002', 'x@b\u00FCcher'],
    ['space in a resource', 'x@example.com/a\u00A0b', 'x@example.com/a b'],
    ['composition in a resource', 'x@example.com/e\u0301', 'x@example.com/\u00E9'],
    ['ideographic dot', 'x@\u3042\u3002jp', 'x@\u3042.jp'],
    ['fullwidth dot', 'x@\u3042\uFF0Ejp', 'x@\u3042.jp'],
    ['fullwidth domain', 'x@\uFF45\uFF58\uFF0E\uFF43\uFF4F\uFF4D', 'x@ex.com'],
    ['IPv6', 'x@[0:0:0:0:0:0:0:1]', 'x@[::1]'],
    ['IPv6 in capitals', 'x@[2001:DB8::A]', 'x@[2001:db8::a]'],
    ['IPv6 with IPv4', 'x@[::ffff:192.0.2.1]', 'x@[::ffff:c000:201]'],
    ['ligature sigma inside', '\u0391\u03A3\u0391@example.com', '\u03B1\u03C3\u03B1@example.com'],
    // By the context rule of whole-string lower case this would be a final sigma.
    ['capital sigma at the end', '\u0391\u03A3@example.com', '\u03B1\u03C3@example.com'],
  ])('%s', (_, a, b) => {
    expect(enforce(a)).toBeDefined();
    expect(Jid.parse(a).equals(Jid.parse(b))).toBe(true);
    expect(enforce(a)).toBe(enforce(b));
  });

  test.each([
    ['final sigma and sigma', '\u03C2@example.com', '\u03C3@example.com'],
    ['sharp s and ss', 'fu\u00DFball@example.com', 'fussball@example.com'],
    ['sharp s and ss in a label', 'x@fa\u00DF.example', 'x@fass.example'],
    ['case of a resource', 'x@example.com/A', 'x@example.com/a'],
    ['width of a resource', 'x@example.com/\uFF41', 'x@example.com/a'],
    ['dotless i', '\u0131@example.com', 'i@example.com'],
    ['Cyrillic a', '\u0430@example.com', 'a@example.com'],
    ['XEP-0106 escapes', 'a\\5cb@example.com', 'a\\b@example.com'],
    ['resource and none', 'x@example.com/a', 'x@example.com'],
    ['slash in a resource', 'x@example.com/im:romeo@example.net', 'romeo@example.net'],
  ])('not: %s', (_, a, b) => {
    expect(enforce(a)).toBeDefined();
    expect(enforce(b)).toBeDefined();
    expect(Jid.parse(a).equals(Jid.parse(b))).toBe(false);
  });
});

describe('look-alikes and other names that are refused', () => {
  test.each([
    ['KELVIN SIGN, which folds to k', '\u212Aate@example.com'],
    ['ANGSTROM SIGN', '\u212Bke@example.com'],
    ['right-to-left override', 'juliet\u202E@example.com'],
    ['left-to-right mark', 'juliet\u200E@example.com'],
    ['zero width joiner', 'jul\u200Diet@example.com'],
    ['zero width non-joiner', 'jul\u200Ciet@example.com'],
    ['zero width space', 'jul\u200Biet@example.com'],
    ['soft hyphen', 'jul\u00ADiet@example.com'],
    ['byte order mark', '\uFEFFjuliet@example.com'],
    ['variation selector', 'juliet\uFE0F@example.com'],
    ['combining grapheme joiner', 'jul\u034Fiet@example.com'],
    ['ligature', '\uFB01n@example.com'],
    ['roman numeral', 'henry\u2163@example.com'],
    ['superscript', 'x\u00B2@example.com'],
    ['emoji', '\u{1F600}@example.com'],
    ['infinity', '\u221E@example.com'],
    ['Hangul jamo', '\u1100\u1161@example.com'],
    ['Hangul filler', '\u3164@example.com'],
    ['Arabic tatweel', '\u0628\u0640@example.com'],
    ['middle dot outside l·l', 'l\u00B7x@example.com'],
    ['Katakana dot without Kana', 'a\u30FBb@example.com'],
    ['both kinds of Arabic digits', '\u0628\u0661\u06F1@example.com'],
    ['Greek keraia before Latin', '\u0375a@example.com'],
    ['Hebrew geresh after Latin', 'a\u05F3@example.com'],
    ['private use', '\uE000@example.com'],
    ['unassigned', '\u0378@example.com'],
    ['noncharacter', '\uFDD0@example.com'],
    ['language tag', 'a\u{E0061}@example.com'],
    ['right-to-left and left-to-right', '\u05D0b@example.com'],
    ['right-to-left after a digit', '1\u05D0@example.com'],
    ['lone surrogate', 'a\uD800@example.com'],
    ['lone surrogate in the resource', 'a@example.com/\uDC00'],
    ['lone surrogate in the domain', 'a@\uD800.example.com'],
    ['NUL', '\u0000@example.com'],
    ['space', 'a b@example.com'],
    ['no-break space', 'a\u00A0b@example.com'],
    ['quotation mark', '"a"@example.com'],
    ['ampersand', 'a&b@example.com'],
    ['apostrophe', "a'b@example.com"],
    ['colon', 'a:b@example.com'],
    ['angle brackets', '<a>@example.com'],
    ['fullwidth at sign', 'a\uFF20b@example.com'],
    ['fullwidth solidus', 'a\uFF0Fb@example.com'],
    ['fullwidth colon', 'a\uFF1Ab@example.com'],
    ['two at signs', 'a@b@c.com'],
    ['bell in a resource', 'x@example.com/\u0007'],
    ['tab in a resource', 'x@example.com/a\tb'],
    ['line end in a resource', 'x@example.com/a\nb'],
    ['Arabic letter mark in a resource', 'x@example.com/\u061Cx'],
    ['joiner in a resource', 'x@example.com/a\u200Db'],
    ['empty resource', 'x@example.com/'],
    ['empty localpart', '@example.com'],
    ['nothing', ''],
    ['space in the domain', 'x@exa mple.com'],
    ['markup in the domain', 'x@exam<ple.com'],
    ['percent sign in the domain', 'x@a%41.com'],
    ['port', 'x@example.com:5222'],
    ['hyphen first', 'x@-bad.com'],
    ['hyphen last', 'x@bad-.com'],
    ['hyphens in the third and fourth place', 'x@ab--cd.com'],
    ['hyphens in the third and fourth place of a U-label', 'x@ab--\u00FC.com'],
    ['empty label', 'x@a..b'],
    ['empty first label', 'x@.b'],
    ['dot alone', 'x@.'],
    ['two final dots', 'x@b..'],
    ['label of 64', `x@${'a'.repeat(64)}.com`],
    ['U-label whose A-label has 64', `x@\u00FC${'a'.repeat(58)}.com`],
    ['A-label of nothing', 'x@xn--'],
    ['A-label of ASCII', 'x@xn--abc-'],
    ['A-label that cannot be decoded', 'x@xn--99999999'],
    ['A-label with a digit cut off', 'x@xn--bcher-kv'],
    ['A-label of a capital', 'x@xn--bcher-2pa'],
    ['A-label of a surrogate', 'x@xn--ib9b'],
    ['A-label of an emoji', 'x@xn--ls8h.la'],
    ['A-label of a zero width joiner', 'x@xn--ab-m1t'],
    ['emoji domain', 'x@\u{1F4A9}.la'],
    ['soft hyphen in a domain', 'x@ex\u00ADample.com'],
    ['ligature in a domain', 'x@\uFB01.com'],
    ['roman numeral in a domain', 'x@\u2163.com'],
    ['circled digits', 'x@\u2460.com'],
    ['digit with a full stop', 'x@\u2488com'],
    ['account sign, which is a/c', 'x@\u2100.com'],
    ['mark first in a label', 'x@\u0301a.com'],
    ['newer mark first in a label', 'x@\u0898a.com'],
    ['mark for symbols', 'x@a\u20D0.com'],
    ['mixed directions in a label', 'x@\u05D0b.com'],
    ['label of digits beside a right-to-left label', 'x@\u05D0.1.com'],
    ['Arabic digits first', 'x@\u0661\u0662.com'],
    ['IPv6 zone', 'x@[fe80::1%eth0]'],
    ['IPv6 with too much', 'x@[1:2:3:4:5:6:7:8:9]'],
    ['IPv6 without its end', 'x@[::1'],
    ['IPv4 in brackets', 'x@[192.0.2.1]'],
    ['IPvFuture', 'x@[v1.a]'],
    ['IPv6 with a port', 'x@[::1]:5222'],
  ])('%s', (_, jid) => {
    expect(enforce(jid)).toBeUndefined();
    expect(Jid.isEnforced(jid)).toBe(false);
  });
});

describe('names that are allowed', () => {
  test.each([
    ['Catalan l·l', 'col\u00B7lega@example.com'],
    ['Katakana dot with Kana', '\u30A2\u30FB@example.com'],
    ['Arabic', '\u0645\u062B\u0627\u0644@example.com'],
    ['Hebrew with a digit at the end', '\u05D01@example.com'],
    ['Hebrew with a mark at the end', '\u05D0\u05B0@example.com'],
    ['Arabic digits after a letter', '\u0628\u0661@example.com'],
    ['joiner after a virama', '\u0915\u094D\u200D\u0937@example.com'],
    ['non-joiner between joining letters', '\u0646\u0627\u0645\u0647\u200C\u0627\u06CC@example.com'],
    ['Devanagari', '\u0928\u092E\u0938\u094D\u0924\u0947@example.com'],
    ['Han beyond the first plane', '\u{20000}@example.com'],
    ['Cherokee', '\uAB70@example.com'],
    ['punctuation', '!#$%()*+,-.;=?[\\]^_`{|}~@example.com'],
    ['1023 octets', `${'a'.repeat(1023)}@example.com`],
    ['emoji in a resource', 'x@example.com/\u{1F37A}'],
    ['anything in a resource', 'x@example.com/"&\':<>@ /\uFF21\u2163'],
    ['underscore in a domain', 'x@_a.example.com'],
    ['one label', 'x@localhost'],
    ['digits', 'x@1'],
    ['IPv4', 'x@192.0.2.1'],
    ['label of 63', `x@${'a'.repeat(63)}.com`],
    ['Hebrew domain', 'x@xn--4db.xn--4dbrk0ce'],
  ])('%s', (_, jid) => {
    expect(enforce(jid)).toBe(jid);
    expect(Jid.isEnforced(jid)).toBe(true);
  });

  // URL would make an IPv4 address of each of these.
  test.each([
    ['x@0x7f.1', 'x@0x7f.1'],
    ['x@\uFF11', 'x@1'],
    ['x@\uFF11\uFF12\uFF17.1', 'x@127.1'],
    ['x@0300.0250.1', 'x@0300.0250.1'],
  ])('numbers stay names: %s', (jid, expected) => expect(enforce(jid)).toBe(expected));

  it('has parts of 1023 octets at most', () => {
    for (const [unit, octets] of [
      ['a', 1],
      ['\u00E9', 2],
      ['\u3042', 3],
      ['\u{20000}', 4],
    ] as const) {
      const fits = unit.repeat(Math.floor(1023 / octets));
      expect(enforce(`${fits}@d`)).toBe(`${fits}@d`);
      expect(enforce(`d/${fits}`)).toBe(`d/${fits}`);
      expect(enforce(`${fits}${unit}@d`)).toBeUndefined();
      expect(enforce(`d/${fits}${unit}`)).toBeUndefined();
    }
    const domain = Array.from({ length: 16 }, () => 'a'.repeat(63)).join('.');
    expect(enforce(domain)).toBe(domain);
    expect(enforce(`${domain}.a`)).toBeUndefined();
  });
});

describe('an address', () => {
  const jid = Jid.parse('juliet@example.com/balcony');

  it('has parts', () => {
    expect([jid.local, jid.domain, jid.resource, jid.isBare]).toEqual(['juliet', 'example.com', 'balcony', false]);
    expect(jid.bare().toString()).toBe('juliet@example.com');
    const bare = jid.bare();
    expect(bare.bare()).toBe(bare);
    expect(jid.bare().isBare).toBe(true);
    expect(jid.withResource('x y').toString()).toBe('juliet@example.com/x y');
    expect(jid.withResource('').isBare).toBe(true);
    expect(() => jid.withResource('\u0000')).toThrow(E2eError);
    expect(Object.isFrozen(jid)).toBe(true);
  });

  it('is built from parts', () => {
    expect(Jid.of('Juliet', 'Example.COM.', 'balcony').equals(jid)).toBe(true);
    expect(Jid.of('', 'example.com').toString()).toBe('example.com');
    const wrong: [local: string, domain: string, resource?: string][] = [
      ['a@b', 'c'],
      ['a', 'b/c'],
      ['a', ''],
      ['a', 'b', '\uD800'],
      ['a'.repeat(5000), 'b'],
      ['a', 'b'.repeat(5000)],
    ];
    for (const parts of wrong) {
      expect(() => Jid.of(...parts)).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }) as Error);
    }
  });

  it('is enforced in either form of its domain', () => {
    for (const text of [
      'x@b\u00FCcher.example',
      'x@xn--bcher-kva.example/r',
      'x@b\u00FCcher.xn--bcher-kva',
      'b\u00FCcher/b\u00FCcher',
    ]) {
      expect(Jid.isEnforced(text)).toBe(true);
    }
    for (const text of [
      'X@b\u00FCcher',
      'x@B\u00FCcher',
      'x@b\u00FCcher.',
      'x@XN--bcher-kva',
      'x@bu\u0308cher',
      'x@a/\u00A0',
      'x@[0::1]',
      'nonsense@@',
    ]) {
      expect(Jid.isEnforced(text)).toBe(false);
    }
  });

  it('costs little whatever is parsed', () => {
    for (const unit of ['a', '@', '/', '.', '\u00FC', '\u0301', '\u200C', '\u30FB', '\u05D0', 'xn--', '[', '\uD800']) {
      expect(enforce(unit.repeat(5_000_000 / unit.length))).toBeUndefined();
      enforce(unit.repeat(3071 / unit.length));
      enforce(`x@${unit.repeat(3000 / unit.length)}`);
    }
  });

  // URL.canParse of Node 20 is right until it is compiled.
  it('is the same after many others', () => {
    for (let i = 0; i < 20_000; i++) expect(Jid.of(`u${i}`, '\u00E1.example').domain).toBe('xn--1ca.example');
  });

  it('does not come out of the cache for another text', () => {
    for (let i = 0; i < 2000; i++) expect(enforce(`u${i % 700}@example.com`)).toBe(`u${i % 700}@example.com`);
    expect(enforce('__proto__@constructor/toString')).toBe('__proto__@constructor/toString');
  });
});

describe('enforcement', () => {
  const interesting = fc.oneof(
    fc.constantFrom(
      ...Array.from(
        'aAzZ09._-@/ \u00DF\u1E9E\u0130\u0131\u03A3\u03C2\u03C3\u212A\uFF21\uFF0E\u3002\u0301\u200C\u200D\u05D0\u0628\u0661\u06F1\u094D\u30FB\u00B7l',
      ),
      'xn--',
      'xn--bcher-kva',
      '\u{10400}',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  );
  const part = fc.array(interesting, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  const text = fc.oneof(
    part,
    fc.tuple(part, part).map(([l, d]) => `${l}@${d}`),
    fc.tuple(part, part).map(([l, r]) => `${l}@example.com/${r}`),
  );

  it('is stable: an enforced address is its own enforced form', () => {
    let accepted = 0;
    fc.assert(
      fc.property(text, (input) => {
        const enforced = enforce(input);
        if (enforced === undefined) return;
        accepted++;
        expect(enforce(enforced)).toBe(enforced);
        expect(Jid.isEnforced(enforced)).toBe(true);
        const { local, domain, resource } = Jid.parse(input);
        expect(Jid.of(local, domain, resource).toString()).toBe(enforced);
        expect(domain).toMatch(/^[a-z0-9._-]+$|^\[[0-9a-f:]+\]$/);
      }),
      { numRuns: runs(100_000), seed: 7622 },
    );
    expect(accepted).toBeGreaterThan(runs(100_000) / 20);
  });

  it('decides equality', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [x, y] = [enforce(a), enforce(b)];
        if (x === undefined || y === undefined) return;
        expect(Jid.parse(a).equals(Jid.parse(b))).toBe(x === y);
      }),
      { numRuns: runs(20_000), seed: 7622 },
    );
  });

  it('throws nothing but its own error', () => {
    const unit = fc.integer({ min: 0, max: 0xffff }).map((u) => String.fromCharCode(u));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (noise) => {
        enforce(noise);
        enforce(`a@${noise}`);
        enforce(`a@b/${noise}`);
        Jid.isEnforced(noise);
      }),
      { numRuns: runs(50_000), seed: 7622 },
    );
  });
});
