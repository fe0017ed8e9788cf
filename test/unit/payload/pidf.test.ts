import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { utf8 } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits as limits } from '../../../src/limits.ts';
import {
  isPidfPriority,
  parsePidf,
  type PidfPresence,
  serializePidf,
  tupleInstant,
} from '../../../src/payload/pidf.ts';
import { pidfPriority, resourceOfTuple, tupleId, xmppPriority } from '../../../src/payload/presence.ts';
import { canonicalXml } from '../../../src/xml/canonical.ts';
import { corpusJson, hasCorpus, runs } from '../../shared-data.ts';

const parse = (text: string): PidfPresence => parsePidf(utf8(text), limits);
const document = (inside: string, attributes = "entity='pres:a@b'"): string =>
  `<presence xmlns='urn:ietf:params:xml:ns:pidf' ${attributes}>${inside}</presence>`;
const tuple = (inside: string): string => document(`<tuple id='t'>${inside}</tuple>`);
const open = '<status><basic>open</basic></status>';
const invalid = expect.objectContaining({ code: 'ERR_E2E_PAYLOAD_INVALID', stage: 'parse' });

interface Rfc3863 {
  readonly documents: readonly {
    readonly title: string;
    readonly text: string;
    readonly expected: {
      readonly entity: string;
      readonly tuples: readonly {
        readonly id: string;
        readonly basic: string;
        readonly statusExtensions: readonly (readonly string[])[];
        readonly contact: { readonly uri: string; readonly priority: string | null } | null;
        readonly notes: readonly (readonly (string | null)[])[];
        readonly timestamp: string | null;
        readonly otherElements: readonly (readonly string[])[];
      }[];
      readonly notes: readonly (readonly (string | null)[])[];
      readonly extensions: readonly (readonly string[])[];
    };
  }[];
  readonly contactPriority: { readonly valid: readonly string[]; readonly invalid: readonly string[] };
}

describe.skipIf(!hasCorpus('rfc-examples/rfc3863.json'))('RFC 3863', () => {
  const rfc = (
    hasCorpus('rfc-examples/rfc3863.json')
      ? corpusJson('rfc-examples/rfc3863.json')
      : { documents: [], contactPriority: { valid: [], invalid: [] } }
  ) as Rfc3863;

  /** The shape of the corpus. */
  const summary = (presence: PidfPresence): unknown => ({
    entity: presence.entity,
    tuples: presence.tuples.map((one) => ({
      id: one.id,
      basic: one.basic,
      statusExtensions: one.statusExtensions.map((child) => [child.namespace, child.name, child.text]),
      contact: one.contact === undefined ? null : { uri: one.contact.uri, priority: one.contact.priority ?? null },
      notes: one.notes.map(({ lang, text }) => [lang ?? null, text]),
      timestamp: one.timestamp ?? null,
      otherElements: one.extensions.map((child) => [child.namespace, child.name]),
    })),
    notes: presence.notes.map(({ lang, text }) => [lang ?? null, text]),
    extensions: presence.extensions.map((child) => [child.namespace, child.name]),
  });

  test('has six documents', () => expect(rfc.documents).toHaveLength(6));

  test.each(rfc.documents.map((row) => [row.title, row] as const))('%s', (_, { text, expected }) => {
    const presence = parse(text);
    expect(summary(presence)).toEqual(expected);
    const bytes = serializePidf(presence);
    expect(summary(parsePidf(bytes, limits))).toEqual(expected);
    expect(Buffer.from(bytes).toString()).not.toMatch(/[\r\n]/);
  });

  test('contact priorities (erratum 1606)', () => {
    for (const priority of rfc.contactPriority.valid) expect(isPidfPriority(priority)).toBe(true);
    for (const priority of rfc.contactPriority.invalid) {
      expect(isPidfPriority(priority)).toBe(false);
      expect(() => parse(tuple(`${open}<contact priority='${priority}'>im:a@b</contact>`))).toThrow(invalid);
    }
  });
});

describe('refused', () => {
  test.each<[string, string]>([
    ['no root of PIDF', "<presence xmlns='jabber:client' entity='pres:a@b'/>"],
    ['the misspelt namespace of section 4.1.1', "<presence xmlns='urn:ietf:params:xml:ns:pidf:' entity='pres:a@b'/>"],
    ['no entity', document('', '')],
    ['an empty entity', document('', "entity=''")],
    ['text between elements', document('x')],
    ['text in a tuple', tuple(`${open}x`)],
    ['text in a status', tuple('<status>open</status>')],
    ['an unknown element of PIDF', document('<tupel/>')],
    ['a tuple without id', document(`<tuple>${open}</tuple>`)],
    ['a tuple with an empty id', document(`<tuple id=''>${open}</tuple>`)],
    ['an id twice', document(`<tuple id='t'>${open}</tuple><tuple id='t'>${open}</tuple>`)],
    ['no status', tuple('')],
    ['two statuses', tuple(open + open)],
    ['two basics', tuple('<status><basic>open</basic><basic>closed</basic></status>')],
    ['another basic', tuple('<status><basic>OPEN</basic></status>')],
    ['markup in basic', tuple("<status><basic>open<x xmlns='y'/></basic></status>")],
    ['a comment in basic', tuple('<status><basic>op<!-- -->en</basic></status>')],
    ['two contacts', tuple(`${open}<contact>im:a@b</contact><contact>im:c@d</contact>`)],
    ['a comment in a contact', tuple(`${open}<contact>im:a<!-- x -->@b</contact>`)],
    ['markup in a note', tuple(`${open}<note>a<b xmlns='x'/></note>`)],
    [
      'two timestamps',
      tuple(`${open}<timestamp>2003-12-09T23:53:11Z</timestamp><timestamp>2003-12-09T23:53:11Z</timestamp>`),
    ],
    ['a timestamp without offset', tuple(`${open}<timestamp>2003-12-09T23:53:11.31</timestamp>`)],
    ['30 February', tuple(`${open}<timestamp>2003-02-30T00:00:00Z</timestamp>`)],
    ['hour 24', tuple(`${open}<timestamp>2003-02-03T24:00:00Z</timestamp>`)],
    ['a document type', `<!DOCTYPE presence>${document('')}`],
    ['a processing instruction', `<?x?>${document('')}`],
    ['UTF-16 declared', `<?xml version='1.0' encoding='UTF-16'?>${document('')}`],
    ['a byte order mark', `\ufeff${document('')}`],
    ['two roots', document('') + document('')],
  ])('%s', (_, text) => {
    expect(() => parse(text)).toThrow(invalid);
  });

  test('octets that are not UTF-8', () => {
    expect(() => parsePidf(Buffer.from(document('<note>\xff</note>'), 'latin1'), limits)).toThrow(invalid);
  });
});

test('comments are skipped where no value is cut by one', () => {
  const presence = parse(`<!-- a -->${tuple(`<!-- b -->${open}<!-- c -->`)}<!-- d -->`);
  expect(presence.tuples[0]).toMatchObject({ id: 't', basic: 'open' });
});

test('a value keeps its inner white space and loses the outer', () => {
  const one = parse(
    tuple(`${open}<contact>\n  im:a@b\t</contact><note> a  b </note><timestamp> 2003-12-09T23:53:11.31Z\n</timestamp>`),
  ).tuples[0]!;
  expect(one.contact?.uri).toBe('im:a@b');
  expect(one.notes).toEqual([{ lang: undefined, text: ' a  b ' }]);
  expect(tupleInstant(one)).toEqual({
    nanoseconds: BigInt(Date.UTC(2003, 11, 9, 23, 53, 11, 310)) * 1_000_000n,
    utc: true,
  });
});

describe('priority (RFC 3922 sections 5.1.7 and 5.2.13)', () => {
  test('0 to 127 come back', () => {
    const written = Array.from({ length: 128 }, (_, priority) => pidfPriority(priority));
    expect(new Set(written).size).toBe(128);
    written.forEach((text, priority) => {
      expect(isPidfPriority(text)).toBe(true);
      expect(xmppPriority(text)).toBe(priority);
    });
  });

  test.skipIf(!hasCorpus('rfc-examples/rfc3922.json'))("the RFC's table", () => {
    const { rules } = corpusJson('rfc-examples/rfc3922.json') as {
      rules: {
        priority: { xmppToPidf: { pairs: [number, string][] }; pidfToXmpp: { ranges: [string, string, number][] } };
      };
    };
    for (const [priority, text] of rules.priority.xmppToPidf.pairs) expect(pidfPriority(priority)).toBe(text);
    for (const [low, high, priority] of rules.priority.pidfToXmpp.ranges) {
      for (let q = Math.round(Number(low) * 1000); q <= Math.round(Number(high) * 1000); q++) {
        expect(xmppPriority(q === 1000 ? '1' : `0.${String(q).padStart(3, '0')}`)).toBe(priority);
      }
    }
  });

  test.each<[string, number]>([
    ['0', 0],
    ['0.', 0],
    ['0.0', 0],
    ['0.000', 0],
    ['0.001', 1],
    ['0.5', 64],
    ['0.50', 64],
    ['0.999', 126],
    ['1', 127],
    ['1.', 127],
    ['1.000', 127],
  ])('%s is %i', (text, priority) => expect(xmppPriority(text)).toBe(priority));
});

describe('tuple ids', () => {
  test.each([
    ['balcony', 'ID-balcony'],
    ['1', 'ID-1'],
    ['Bücher.2', 'ID-Bücher.2'],
    ['a b', 'IDX-612062'],
    ['a:b', 'IDX-613a62'],
    ['', 'ID-'],
  ])('%j is %s', (resource, id) => expect(tupleId(resource)).toBe(id));

  test('as resources', () => {
    const one = parse(tuple(open)).tuples[0]!;
    expect(resourceOfTuple(one)).toBe('t');
    expect(resourceOfTuple({ ...one, id: 'ID-balcony' })).toBe('balcony');
  });
});

test('documents come back from their bytes', () => {
  const text = fc
    .string({ unit: 'grapheme' })
    .filter((value) => !/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(value) && value.isWellFormed());
  const note = fc.record({
    lang: fc.constantFrom(undefined, 'en', 'cs'),
    text: fc.oneof(text, fc.constant('a\r\n\tb\rc\nd')),
  });
  const arbitrary = fc.record({
    id: fc.constantFrom('t', 'ID-1', 'ID-é'),
    basic: fc.constantFrom(undefined, 'open' as const, 'closed' as const),
    statusExtensions: fc.constant([]),
    contact: fc.constantFrom(undefined, { uri: 'im:a@b', priority: undefined }, { uri: 'tel:+1', priority: '0.65' }),
    notes: fc.array(note, { maxLength: 3 }),
    timestamp: fc.constantFrom(undefined, '2003-12-09T23:53:11.31Z'),
    extensions: fc.constant([]),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(arbitrary, { selector: (one) => one.id }),
      fc.array(note, { maxLength: 2 }),
      (tuples, notes) => {
        const presence = { entity: 'pres:a@b', tuples, notes, extensions: [] };
        const bytes = serializePidf(presence);
        expect(Buffer.from(bytes).toString()).not.toMatch(/[\r\n]/);
        expect(parsePidf(bytes, limits)).toEqual(presence);
      },
    ),
    { numRuns: runs(3000), seed: 21 },
  );
});

test('damaged documents give a document or an E2eError', () => {
  const sample = utf8(
    `<?xml version='1.0'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'><tuple id='t'><status><basic>open</basic><im xmlns='urn:x'>busy</im></status><contact priority='0.5'>im:a@b</contact><note xml:lang='en'>n</note><timestamp>2003-12-09T23:53:11Z</timestamp></tuple><!-- c --></presence>`,
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 5 }), (edits) => {
      const bytes = sample.slice();
      for (const [at, byte] of edits) bytes[at] = byte;
      try {
        const { extensions } = parsePidf(bytes, limits);
        extensions.forEach((child) => canonicalXml(child));
      } catch (error) {
        expect(error).toBeInstanceOf(E2eError);
      }
    }),
    { numRuns: runs(20_000), seed: 22 },
  );
});
