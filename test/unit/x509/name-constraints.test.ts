import { describe, expect, it } from 'vitest';
import { parseDer } from '../../../src/asn1/reader.ts';
import { assertDer } from '../../../src/asn1/strict.ts';
import { indexOfBytes, utf8 } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { type DistinguishedName, parseDistinguishedName } from '../../../src/x509/distinguished-name.ts';
import { type GeneralName, parseGeneralNames } from '../../../src/x509/general-names.ts';
import {
  checkNameConstraints,
  mostComparisons,
  type NameConstraints,
  parseNameConstraints,
} from '../../../src/x509/name-constraints.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { corpus, corpusJson, hasCorpus } from '../../shared-data.ts';
import { stricterVerdicts } from './published-verdicts.ts';
import { wideLimits as limits } from './support.ts';

interface Check {
  readonly type: 'dns' | 'ip' | 'directoryName' | 'certificate' | 'parse';
  readonly name?: string;
  readonly octets?: string;
  readonly subject?: string | null;
  readonly subjectAltName?: string | null;
  readonly permitted?: boolean | { readonly critical: boolean; readonly nonCritical: boolean };
  readonly constraints?: string | null;
  readonly accepted?: boolean;
  readonly modification?: string;
}

interface Test {
  readonly test: string;
  readonly constraints: string;
  readonly checks: readonly Check[];
}

const folder = 'chain-validation/';

const stricter = stricterVerdicts.nameConstraints;
const emptyName = parseDistinguishedName(parseDer(Uint8Array.of(0x30, 0), { limits }));

function der(file: string): Uint8Array {
  return parsePem(corpus(`${folder}name-constraints/${file}`))[0]!.der;
}

function constraintsOf(value: Uint8Array): ReturnType<typeof parseNameConstraints> {
  return parseNameConstraints(assertDer(value, { limits }));
}

function namesOf(file: string): readonly GeneralName[] {
  return parseGeneralNames(assertDer(der(file), { limits }));
}

function permitted(
  constraints: string,
  subjectAltName: readonly GeneralName[] | undefined,
  subject: DistinguishedName = emptyName,
): boolean {
  const budget = { left: mostComparisons };
  return checkNameConstraints({ subject, subjectAltName }, [constraintsOf(der(constraints))], budget) === undefined;
}

function nameOf(file: string): DistinguishedName {
  return parseDistinguishedName(parseDer(der(file), { limits }));
}

function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function judge(constraints: string, check: Check): boolean {
  try {
    return permit(constraints, check);
  } catch (error) {
    // The published otherName values lack their [0] EXPLICIT tag: such a certificate is malformed.
    if (error instanceof E2eError) return false;
    throw error;
  }
}

function permit(constraints: string, check: Check): boolean {
  switch (check.type) {
    case 'dns':
      return permitted(constraints, [{ form: 'dNSName', text: check.name! }]);
    case 'ip':
      return permitted(constraints, [{ form: 'iPAddress', octets: octets(check.octets!) }]);
    case 'directoryName':
      return permitted(constraints, [{ form: 'directoryName', name: nameOf(check.name!) }]);
    default: {
      const subject = check.subject == null ? emptyName : nameOf(check.subject);
      return permitted(constraints, check.subjectAltName == null ? undefined : namesOf(check.subjectAltName), subject);
    }
  }
}

describe.skipIf(!hasCorpus(folder))('name constraints with published verdicts', () => {
  const data = hasCorpus(folder)
    ? (corpusJson(`${folder}expected-name-constraints.json`) as {
        readonly tests: readonly Test[];
        readonly subjectAltNameParse: readonly { readonly file: string; readonly accepted: boolean }[];
      })
    : { tests: [], subjectAltNameParse: [] };

  for (const { test, constraints, checks } of data.tests) {
    it(test, () => {
      for (const [index, check] of checks.entries()) {
        const what = `${test}/${index}`;
        if (check.type === 'parse') {
          expect(() => constraintsOf(asModified(check)), what).toThrow(E2eError);
          continue;
        }
        // A constraint that cannot be evaluated refuses here whether it is critical or not.
        const expected = typeof check.permitted === 'object' ? check.permitted.critical : check.permitted;
        expect(judge(constraints, check), what).toBe(expected === true && !(what in stricter));
      }
    });
  }

  it('covers every published check', () => {
    expect(data.tests.flatMap(({ checks }) => checks)).toHaveLength(260);
    for (const listed of Object.keys(stricter)) {
      const [name, index] = listed.split('/');
      expect(data.tests.find(({ test }) => test === name)?.checks[Number(index)]?.permitted, listed).toBe(true);
    }
  });

  it.each(data.subjectAltNameParse.map(({ file, accepted }) => [file, accepted] as const))(
    '%s as subjectAltName: accepted %s',
    (file, accepted) => {
      if (accepted) expect(namesOf(file).length).toBeGreaterThan(0);
      else expect(() => namesOf(file)).toThrow(E2eError);
    },
  );
});

/** The value to parse, with the change that the check describes. */
function asModified(check: Check): Uint8Array {
  if (check.constraints == null) return new Uint8Array();
  const value = der(check.constraints).slice();
  if (check.modification !== undefined) value[indexOfBytes(value, utf8('permitted.example2.com'))] = 0xff;
  return value;
}

describe('URI constraints (RFC 5280 section 4.2.1.10)', () => {
  const constraint = (base: string): NameConstraints => ({
    permitted: new Map([['uniformResourceIdentifier', [{ form: 'uniformResourceIdentifier', text: base }]]]),
    excluded: new Map(),
  });
  const check = (base: string, uri: string): string | undefined =>
    checkNameConstraints(
      { subject: emptyName, subjectAltName: [{ form: 'uniformResourceIdentifier', text: uri }] },
      [constraint(base)],
      { left: 10 },
    );

  it.each([
    ['example.com', 'https://example.com/a'],
    ['.example.com', 'https://a.example.com:8443/?x'],
    ['.example.com', 'https://user@A.B.EXAMPLE.com#x'],
  ])('%s permits %s', (base, uri) => {
    expect(check(base, uri)).toBeUndefined();
  });

  it.each([
    ['example.com', 'https://a.example.com/'],
    ['.example.com', 'https://example.com/'],
    ['.example.com', 'https://example.com@evil.test/'],
    ['.example.com', 'https://evil.test/.example.com'],
    ['.example.com', 'im:juliet@capulet.example.com'],
    ['.example.com', 'pres:juliet@capulet.example.com'],
    ['.example.com', 'https://10.0.0.1/'],
    ['.example.com', 'https://[::1]/'],
    ['https://a.example.com', 'https://a.example.com/'],
  ])('%s refuses %s', (base, uri) => {
    expect(check(base, uri)).toBeTypeOf('string');
  });

  it('stops after a bounded number of comparisons', () => {
    const many = Array.from({ length: 50 }, (_, i) => ({ form: 'dNSName' as const, text: `h${i}.test` }));
    const constraints = { permitted: new Map([['dNSName' as const, many]]), excluded: new Map() };
    const names = { subject: emptyName, subjectAltName: many };
    expect(checkNameConstraints(names, [constraints], { left: 2500 })).toBeUndefined();
    expect(checkNameConstraints(names, [constraints], { left: 2499 })).toContain('too many');
  });
});
