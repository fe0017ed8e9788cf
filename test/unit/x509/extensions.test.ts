import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { parseDer } from '../../../src/asn1/reader.ts';
import { type DerPart, der, derContext, derInteger, derOid, derSequence, encodeDer } from '../../../src/asn1/writer.ts';
import { utf8 } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { decodeCertificateExtensions } from '../../../src/x509/certificate-extensions.ts';
import { keyUsageExtension } from '../../../src/x509/certificate-writer.ts';
import { parseExtensions } from '../../../src/x509/extension.ts';
import { parseGeneralNames, serializeGeneralNames } from '../../../src/x509/general-names.ts';
import { defaultLimits as limits, serializeExtension } from './support.ts';

function decode(...extensions: readonly DerPart[]): ReturnType<typeof decodeCertificateExtensions> {
  const parsed = parseExtensions(parseDer(encodeDer(derSequence(...extensions)), { limits }));
  return decodeCertificateExtensions(parsed, { limits });
}

const one = (oid: string, value: DerPart, critical = false): DerPart => serializeExtension(oid, critical, value);
const policy = (oid: string, ...qualifiers: readonly string[]): DerPart =>
  qualifiers.length === 0
    ? derSequence(derOid(oid))
    : derSequence(
        derOid(oid),
        derSequence(...qualifiers.map((id) => derSequence(derOid(id), der(0x16, utf8('https://x.example'))))),
      );
const small = (tag: number, value: number): DerPart => der(tag, Uint8Array.of(value));
const yes = der(1, Uint8Array.of(0xff));
const no = der(1, Uint8Array.of(0));
const name = der(0x82, utf8('a.example'));
const rdn = derContext(1, derSequence(derOid('2.5.4.3'), der(0x0c, utf8('x'))));

describe('extensions (RFC 5280 section 4.2)', () => {
  it('decodes what they say', () => {
    expect(decode(one(oids.basicConstraints, derSequence())).basicConstraints).toEqual({
      ca: false,
      pathLength: undefined,
    });
    expect(decode(one(oids.basicConstraints, derSequence(yes, derInteger(3)))).basicConstraints).toEqual({
      ca: true,
      pathLength: 3,
    });
    const huge = derInteger(new Uint8Array(9).fill(0x7f));
    expect(decode(one(oids.basicConstraints, derSequence(yes, huge))).basicConstraints?.pathLength).toBe(0x7fff_ffff);
    expect([...decode(keyUsageExtension(['digitalSignature', 'decipherOnly'])).keyUsage!]).toEqual([
      'digitalSignature',
      'decipherOnly',
    ]);
    expect(decode(one(oids.policyConstraints, derSequence(small(0x80, 1), small(0x81, 2)))).policyConstraints).toEqual({
      requireExplicitPolicy: 1,
      inhibitPolicyMapping: 2,
    });
    expect(decode(one(oids.inhibitAnyPolicy, derInteger(4))).inhibitAnyPolicy).toBe(4);
    const authority = decode(
      one(oids.authorityKeyIdentifier, derSequence(small(0x80, 9), derContext(1, name), small(0x82, 5))),
    ).authorityKeyId;
    expect(authority).toEqual({ keyId: Uint8Array.of(9), serial: Uint8Array.of(5) });
    expect(
      decode(one(oids.certificatePolicies, derSequence(policy('1.2.3'), policy('1.2.4', '1.3.6.1.5.5.7.2.1'))))
        .certificatePolicies,
    ).toEqual(['1.2.3', '1.2.4']);
    expect(
      decode(one('1.2.3.4', derSequence()), one(oids.issuerAltName, derSequence(name), true)).unknownCritical,
    ).toEqual([]);
  });

  it('records critical ones that nothing processes, and unknown policy qualifiers in a critical extension', () => {
    expect(decode(one('1.2.3.4', derSequence(), true)).unknownCritical).toEqual(['1.2.3.4']);
    const qualified = derSequence(policy('1.2.3', '1.2.3.9'));
    expect(decode(one(oids.certificatePolicies, qualified, true)).unknownCritical).toEqual(['1.2.3.9']);
    expect(decode(one(oids.certificatePolicies, qualified)).unknownCritical).toEqual([]);
    // An extension of lists has no meaning in a certificate.
    expect(decode(one(oids.issuingDistributionPoint, derSequence(), true)).unknownCritical).toHaveLength(1);
  });

  it('reads distribution points', () => {
    const points = decode(
      one(
        oids.crlDistributionPoints,
        derSequence(
          derSequence(derContext(0, derContext(0, name)), der(0x81, Uint8Array.of(7, 0, 0x80))),
          derSequence(derContext(0, rdn), derContext(2, name)),
        ),
      ),
    ).crlDistributionPoints!;
    expect(points[0]).toMatchObject({ reasons: 1 << 8, crlIssuer: undefined });
    expect(points[1]!.name?.relativeName).toBeDefined();
    expect(points[1]!.crlIssuer).toHaveLength(1);
  });

  const malformed: Readonly<Record<string, readonly DerPart[]>> = {
    'an empty list of extensions': [],
    'two of one kind': [one('1.2.3.4', derSequence()), one('1.2.3.4', derSequence())],
    'an extension with more fields': [derSequence(derOid('1.2.3.4'), der(4, derSequence()), der(4, derSequence()))],
    'a value with trailing octets': [derSequence(derOid(oids.inhibitAnyPolicy), der(4, derInteger(1), derInteger(1)))],
    'keyUsage without a usage': [one(oids.keyUsage, der(3, Uint8Array.of(0)))],
    'inhibitAnyPolicy of another type': [one(oids.inhibitAnyPolicy, der(4, Uint8Array.of(1)))],
    'keyUsage of another type': [one(oids.keyUsage, derInteger(1))],
    'a negative path length': [one(oids.basicConstraints, derSequence(yes, small(2, 0xff)))],
    'basicConstraints with more fields': [one(oids.basicConstraints, derSequence(yes, derInteger(1), no))],
    'an empty extendedKeyUsage': [one(oids.extKeyUsage, derSequence())],
    'an extendedKeyUsage of another type': [one(oids.extKeyUsage, derOid('1.2.3'))],
    'an empty subjectAltName': [one(oids.subjectAltName, derSequence())],
    'a subjectAltName of another type': [one(oids.subjectAltName, name)],
    'a subjectKeyIdentifier of another type': [one(oids.subjectKeyIdentifier, derInteger(1))],
    'an authority serial number without issuer': [one(oids.authorityKeyIdentifier, derSequence(small(0x82, 5)))],
    'an empty certificatePolicies': [one(oids.certificatePolicies, derSequence())],
    'a certificatePolicies of another type': [one(oids.certificatePolicies, derInteger(1))],
    'a policy twice': [one(oids.certificatePolicies, derSequence(policy('1.2.3'), policy('1.2.3')))],
    'an empty policyMappings': [one(oids.policyMappings, derSequence())],
    'a policyMappings of another type': [one(oids.policyMappings, derInteger(1))],
    'half a policy mapping': [one(oids.policyMappings, derSequence(derSequence(derOid('1.2.3'))))],
    'an empty policyConstraints': [one(oids.policyConstraints, derSequence())],
    'an empty nameConstraints': [one(oids.nameConstraints, derSequence())],
    'a distribution point of reasons alone': [
      one(oids.crlDistributionPoints, derSequence(derSequence(der(0x81, Uint8Array.of(6, 0x40))))),
    ],
    'no distribution point': [one(oids.crlDistributionPoints, derSequence())],
    'distribution points of another type': [one(oids.crlDistributionPoints, derInteger(1))],
    'a distribution point name of another kind': [
      one(oids.crlDistributionPoints, derSequence(derSequence(derContext(0, derContext(2, name))))),
    ],
  };
  it.each(Object.entries(malformed))('refuses %s', (_what, extensions) => {
    expect(() => decode(...extensions)).toThrow(E2eError);
  });

  it('refuses what is no list of extensions', () => {
    expect(() => parseExtensions(parseDer(Uint8Array.of(0x31, 0), { limits }))).toThrow(E2eError);
  });
});

describe('general names (RFC 5280 section 4.2.1.6)', () => {
  const parse = (...names: readonly DerPart[]) =>
    parseGeneralNames(parseDer(encodeDer(derSequence(...names)), { limits }));

  it('reads every form', () => {
    const forms = parse(
      derContext(0, derOid('1.2.3'), derContext(0, derInteger(1))),
      der(0x81, utf8('a@b.example')),
      name,
      derContext(3, derInteger(1)),
      derContext(4, derSequence()),
      derContext(5, derInteger(1)),
      der(0x86, utf8('im:a@b.example')),
      der(0x87, Uint8Array.of(10, 0, 0, 1)),
      der(0x88, Uint8Array.of(0x2a, 3)),
    ).map(({ form }) => form);
    expect(forms).toEqual([
      'otherName',
      'rfc822Name',
      'dNSName',
      'x400Address',
      'directoryName',
      'ediPartyName',
      'uniformResourceIdentifier',
      'iPAddress',
      'registeredID',
    ]);
  });

  it.each([
    ['characters outside IA5String', der(0x86, Uint8Array.of(0xc3, 0xa4))],
    ['a constructed string', der(0xa2, name)],
    ['an address of another length', der(0x87, Uint8Array.of(1, 2, 3))],
    ['an address with a mask outside of constraints', der(0x87, new Uint8Array(8))],
    ['an otherName without value', derContext(0, derOid('1.2.3'))],
    ['an unknown form', der(0x89, Uint8Array.of(1))],
    ['a universal type', der(0x0c, utf8('a'))],
  ])('refuses %s', (_what, bad) => {
    expect(() => parse(bad)).toThrow(E2eError);
  });

  it('writes what it reads', () => {
    const octets = serializeGeneralNames([
      { form: 'rfc822Name', text: 'a@b.example' },
      { form: 'dNSName', text: 'b.example' },
      { form: 'uniformResourceIdentifier', text: 'im:a@b.example' },
      { form: 'xmppAddr', text: 'ä@b.example' },
    ]);
    expect(parseGeneralNames(parseDer(octets, { limits })).map(({ form }) => form)).toEqual([
      'rfc822Name',
      'dNSName',
      'uniformResourceIdentifier',
      'otherName',
    ]);
    expect(() => serializeGeneralNames([])).toThrow(RangeError);
    expect(() => serializeGeneralNames([{ form: 'dNSName', text: 'ä.example' }])).toThrow(RangeError);
  });
});
