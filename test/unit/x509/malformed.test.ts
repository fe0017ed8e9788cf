/** Certificates, lists and names that are no such thing (RFC 5280 sections 4.1 and 5.1): one fault each. */
import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import {
  type DerPart,
  der,
  derBitString,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { utf8 } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { limitsWith } from '../../../src/limits.ts';
import { parseCertificate } from '../../../src/x509/certificate.ts';
import { commonName } from '../../../src/x509/certificate-writer.ts';
import { parseCrl } from '../../../src/x509/crl.ts';
import { serializeExtension } from '../../../src/x509/extension.ts';

const algorithm = derSequence(derOid('1.3.101.112'));
const other = derSequence(derOid('1.3.101.113'));
const signature = derBitString(new Uint8Array(64));
const time = der(0x17, utf8('260101000000Z'));
const name = commonName('CA');
const spki = derSequence(algorithm, derBitString(new Uint8Array(32)));
const version = (number: number): DerPart => derContext(0, derInteger(number));
const extension = serializeExtension('1.2.3.4', false, derNull);

function codeOf(parse: () => unknown): string {
  try {
    parse();
    return 'read';
  } catch (error) {
    if (error instanceof E2eError) return error.code.replace('ERR_E2E_', '');
    throw error;
  }
}

type Rows = Readonly<Record<string, readonly [DerPart | readonly DerPart[], string]>>;

describe('certificates', () => {
  const fields = (...change: readonly (readonly [number, DerPart | readonly DerPart[]])[]): DerPart[] => {
    const all: (DerPart | readonly DerPart[])[] = [
      version(2),
      derInteger(1),
      algorithm,
      name,
      derSequence(time, time),
      name,
      spki,
      [derContext(3, derSequence(extension))],
    ];
    for (const [index, part] of change) all[index] = part;
    return ([] as DerPart[]).concat(...all);
  };
  const signed = (tbs: readonly DerPart[], ...rest: readonly DerPart[]): DerPart =>
    derSequence(derSequence(...tbs), ...(rest.length === 0 ? [algorithm, signature] : rest));
  const id = der(0x81, Uint8Array.of(0, 1));

  const rows: Rows = {
    'nothing wrong': [signed(fields()), 'read'],
    'version 2 with a unique identifier': [signed(fields([0, version(1)], [7, id])), 'read'],
    'version 1, left out': [signed(fields([0, []], [7, []])), 'read'],
    'version 4': [signed(fields([0, version(3)])), 'MALFORMED'],
    'extensions in version 2': [signed(fields([0, version(1)])), 'MALFORMED'],
    'extensions in version 1': [signed(fields([0, []])), 'MALFORMED'],
    'a unique identifier in version 1': [signed(fields([0, []], [7, id])), 'MALFORMED'],
    'no serial number': [signed(fields([1, []])), 'MALFORMED'],
    'another algorithm inside': [signed(fields([2, other])), 'MALFORMED'],
    'another algorithm outside': [signed(fields(), other, signature), 'MALFORMED'],
    'parameters outside alone': [signed(fields(), derSequence(derOid('1.3.101.112'), derNull), signature), 'MALFORMED'],
    'an issuer that is no name': [signed(fields([3, derInteger(1)])), 'MALFORMED'],
    'one time alone': [signed(fields([4, derSequence(time)])), 'MALFORMED'],
    'three times': [signed(fields([4, derSequence(time, time, time)])), 'MALFORMED'],
    'no key': [signed(fields([6, []])), 'MALFORMED'],
    'an empty list of extensions': [signed(fields([7, derContext(3, derSequence())])), 'MALFORMED'],
    'extensions twice': [
      signed(fields([7, [derContext(3, derSequence(extension)), derContext(3, derSequence(extension))]])),
      'MALFORMED',
    ],
    'a field behind the extensions': [
      signed(fields([7, [derContext(3, derSequence(extension)), derNull]])),
      'MALFORMED',
    ],
    'no signature': [signed(fields(), algorithm), 'MALFORMED'],
    'a signature of bits': [signed(fields(), algorithm, der(3, Uint8Array.of(3, 8))), 'MALFORMED'],
    'a signature in an OCTET STRING': [signed(fields(), algorithm, derOctetString(new Uint8Array(64))), 'MALFORMED'],
    'a field behind the signature': [signed(fields(), algorithm, signature, derNull), 'MALFORMED'],
    'no SEQUENCE': [derOctetString(new Uint8Array(9)), 'MALFORMED'],
  };
  it.each(Object.entries(rows))('%s', (_, [part, code]) => {
    expect(codeOf(() => parseCertificate(encodeDer(part as DerPart)))).toBe(code);
  });

  it('too large, and too large only for whoever says so', () => {
    const octets = encodeDer(
      signed(
        fields([
          7,
          derContext(3, derSequence(serializeExtension('1.2.3', false, derOctetString(new Uint8Array(900))))),
        ]),
      ),
    );
    expect(codeOf(() => parseCertificate(octets))).toBe('read');
    expect(codeOf(() => parseCertificate(octets, limitsWith({ certificateBytes: 900 })))).toBe('LIMIT');
    // What was read under wide limits is not handed out of the cache under narrow ones.
    expect(codeOf(() => parseCertificate(octets, limitsWith({ asn1Depth: 3 })))).toBe('LIMIT');
  });
});

describe('revocation lists', () => {
  const scope = (...parts: readonly DerPart[]): DerPart =>
    serializeExtension(oids.issuingDistributionPoint, true, derSequence(...parts));
  const list = (tbs: readonly DerPart[], ...rest: readonly DerPart[]): DerPart =>
    derSequence(derSequence(...tbs), ...(rest.length === 0 ? [algorithm, signature] : rest));
  const extensions = (...parts: readonly DerPart[]): DerPart => derContext(0, derSequence(...parts));
  const entry = (...parts: readonly DerPart[]): DerPart => derSequence(derSequence(derInteger(7), time, ...parts));
  const two = derInteger(1);
  const head = [two, algorithm, name, time, time];
  const reason = (value: DerPart): DerPart => derSequence(serializeExtension(oids.reasonCode, false, value));

  const rows: Rows = {
    'nothing wrong': [list([...head, entry(), extensions(extension)]), 'read'],
    'version 1': [list([algorithm, name, time, time, entry()]), 'read'],
    'no nextUpdate, nothing revoked': [list([two, algorithm, name, time]), 'read'],
    'version 1 written out': [list([derInteger(0), algorithm, name, time]), 'MALFORMED'],
    'version 3': [list([derInteger(2), algorithm, name, time]), 'MALFORMED'],
    'extensions in version 1': [list([algorithm, name, time, extensions(extension)]), 'MALFORMED'],
    'another algorithm inside': [list([two, other, name, time]), 'MALFORMED'],
    'no issuer': [list([two, algorithm, time]), 'MALFORMED'],
    'no thisUpdate': [list([two, algorithm, name]), 'MALFORMED'],
    'an entry without a date': [list([...head, derSequence(derSequence(derInteger(7)))]), 'MALFORMED'],
    'an entry with more fields': [list([...head, entry(derSequence(extension), derNull)]), 'MALFORMED'],
    'an entry with an empty list of extensions': [list([...head, entry(derSequence())]), 'MALFORMED'],
    'a reason that is a number': [list([...head, entry(reason(derInteger(1)))]), 'MALFORMED'],
    'a reason': [list([...head, entry(reason(der(0x0a, Uint8Array.of(1))))]), 'read'],
    'an invalidity date that is none': [
      list([...head, entry(derSequence(serializeExtension(oids.invalidityDate, false, derInteger(1))))]),
      'MALFORMED',
    ],
    'an issuer of an entry that is no name': [
      list([...head, entry(derSequence(serializeExtension(oids.certificateIssuer, true, derSequence())))]),
      'MALFORMED',
    ],
    'a number that is a string': [
      list([...head, extensions(serializeExtension(oids.crlNumber, false, derOctetString(new Uint8Array(1))))]),
      'MALFORMED',
    ],
    'a scope with a field that nobody knows': [
      list([...head, extensions(scope(der(0x89, Uint8Array.of(0xff))))]),
      'MALFORMED',
    ],
    'a scope out of order': [
      list([...head, extensions(scope(der(0x82, Uint8Array.of(0xff)), der(0x81, Uint8Array.of(0xff))))]),
      'MALFORMED',
    ],
    'a scope with a truth that is none': [list([...head, extensions(scope(der(0x81, Uint8Array.of(1))))]), 'MALFORMED'],
    'a scope with an empty name': [list([...head, extensions(scope(derContext(0, derContext(0))))]), 'MALFORMED'],
    'a scope with a name of no kind': [list([...head, extensions(scope(derContext(0, derContext(2))))]), 'MALFORMED'],
    'extensions twice': [list([...head, extensions(extension), extensions(extension)]), 'MALFORMED'],
    'no signature': [list(head, algorithm), 'MALFORMED'],
    'a field behind the signature': [list(head, algorithm, signature, derNull), 'MALFORMED'],
  };
  it.each(Object.entries(rows))('%s', (_, [part, code]) => {
    expect(codeOf(() => parseCrl(encodeDer(part as DerPart)))).toBe(code);
  });
});

describe('names', () => {
  const named = (...rdns: readonly DerPart[]): Uint8Array =>
    encodeDer(derSequence(derSequence(derInteger(1), algorithm, derSequence(...rdns), time), algorithm, signature));
  const value = derSequence(derOid(oids.commonName), der(0x0c, utf8('a')));
  const rows: Rows = {
    'nothing wrong': [[der(0x31, value)], 'read'],
    'a value that is no text': [[der(0x31, derSequence(derOid(oids.commonName), derInteger(1)))], 'read'],
    'an RDN without attributes': [[der(0x31)], 'MALFORMED'],
    'an RDN that is a SEQUENCE': [[derSequence(value)], 'MALFORMED'],
    'an attribute without a value': [[der(0x31, derSequence(derOid(oids.commonName)))], 'MALFORMED'],
    'an attribute of two values': [[der(0x31, derSequence(derOid(oids.commonName), derNull, derNull))], 'MALFORMED'],
    'text that is no UTF-8': [
      [der(0x31, derSequence(derOid(oids.commonName), der(0x0c, Uint8Array.of(0xff))))],
      'MALFORMED',
    ],
    'half a character of BMPString': [
      [der(0x31, derSequence(derOid(oids.commonName), der(0x1e, Uint8Array.of(1))))],
      'MALFORMED',
    ],
    'four thousand RDNs': [Array.from({ length: 4096 }, () => der(0x31, value)), 'read'],
    'one more': [Array.from({ length: 4097 }, () => der(0x31, value)), 'MALFORMED'],
  };
  it.each(Object.entries(rows))('%s', (_, [parts, code]) => {
    expect(codeOf(() => parseCrl(named(...(parts as readonly DerPart[]))))).toBe(code);
  });
});
