/**
 * Name constraints of one CA over one name, judged by OpenSSL and here: usual names alike, odd ones never more freely,
 * but for what is listed. (What a constraint is to be for an odd name, no RFC says; refusing is the safe answer.)
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import { der, derContext, derSequence } from '../../src/asn1/writer.ts';
import { utf8 } from '../../src/bytes.ts';
import { validatePath } from '../../src/x509/path-validation.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { ci, hasProgram } from '../shared-data.ts';
import { openssl } from '../unit/smime/openssl.ts';
import { crypto, defaultLimits, issue, type Issued, now, serializeExtension } from '../unit/x509/support.ts';

interface Form {
  readonly tag: number;
  readonly bases: readonly string[];
  readonly names: readonly string[];
  readonly oddBases: readonly string[];
  readonly oddNames: readonly string[];
}

const forms: Readonly<Record<string, Form>> = {
  dNSName: {
    tag: 0x82,
    bases: ['example.com', 'a.example.com', 'EXAMPLE.com', '.example.com', ''],
    names: ['example.com', 'a.example.com', 'b.a.example.com', 'A.EXAMPLE.COM', 'badexample.com', 'example.org'],
    oddBases: ['.', 'example.com.', '*.example.com'],
    oddNames: ['', '.example.com', 'a..example.com', 'example.com\0.evil.org', '*.example.com', 'example.com.'],
  },
  rfc822Name: {
    tag: 0x81,
    bases: ['example.com', '.example.com', 'EXAMPLE.com', 'juliet@example.com'],
    names: ['juliet@example.com', 'juliet@EXAMPLE.COM', 'juliet@a.example.com', 'romeo@example.org'],
    oddBases: ['', '.', '@example.com', 'juliet@'],
    oddNames: [
      'Juliet@example.com',
      'juliet@example.com.',
      '"juliet"@example.com',
      'juliet@@example.com',
      'a@b@example.com',
      '@example.com',
      'juliet',
    ],
  },
  uniformResourceIdentifier: {
    tag: 0x86,
    bases: ['example.com', '.example.com', 'EXAMPLE.com'],
    names: [
      'https://example.com/',
      'https://a.example.com',
      'https://a.example.com:8/',
      'HTTPS://A.EXAMPLE.COM',
      'https://evil.org/a.example.com',
      'im:juliet@example.com',
    ],
    oddBases: ['', '.', 'https://example.com'],
    oddNames: [
      'https://u@a.example.com/',
      'https://a.example.com@evil.org/',
      'https://evil.org:80@a.example.com/',
      'https://evil.org#@a.example.com',
      'https://evil.org?@a.example.com',
      'https://evil.org\\@a.example.com',
      'https://a.example.com%00.evil.org/',
      'https://[::1]/',
      '//example.com',
      '',
    ],
  },
};

/** Accepted here and refused by OpenSSL, with reason. */
const freer: readonly (readonly [RegExp, string])[] = [
  [
    /^excluded dNSName \. example\.com\.$/,
    'a lone dot is above no name, as the published verdicts of BoringSSL have it',
  ],
  [/^permitted dNSName .*example\.com\. /i, 'a final dot of the base: the same domain'],
  [/^permitted dNSName .* example\.com\.$/i, 'a final dot of the name: the same domain'],
  [/ https:\/\/evil\.org:80@a\.example\.com\/$/, 'evil.org:80 is the user, and not the host (RFC 3986 section 3.2.1)'],
  [/ https:\/\/evil\.org#@a\.example\.com$/, '@a.example.com is the fragment, and not the host (RFC 3986 section 3.5)'],
  [/ https:\/\/evil\.org\?@a\.example\.com$/, '@a.example.com is the query, and not the host (RFC 3986 section 3.4)'],
];

describe.skipIf(!hasProgram('openssl', 'version'))('OpenSSL and this validator on name constraints', () => {
  const program = openssl();
  let root: Issued;
  beforeAll(async () => {
    root = await issue({ subject: 'Root', ca: true });
  });

  async function judge(
    tag: number,
    kind: number,
    base: string,
    name: string,
  ): Promise<{ ours: boolean; theirs: boolean }> {
    const subtrees = derSequence(derContext(kind, derSequence(der(tag, utf8(base)))));
    const ca = await issue({
      subject: 'CA',
      issuer: root,
      ca: true,
      extensions: [serializeExtension(oids.nameConstraints, true, subtrees)],
    });
    const names = serializeExtension(oids.subjectAltName, false, derSequence(der(tag, utf8(name))));
    const target = await issue({ subject: 'target', issuer: ca, extensions: [names] });
    const { outcome } = await validatePath({
      certificate: target.certificate,
      intermediates: [ca.certificate],
      anchors: [root.certificate],
      at: now,
      limits: defaultLimits,
      crypto,
      purpose: 'sign',
    });
    const file = (as: string, { certificate }: Issued): string =>
      program.file(as, serializePem('CERTIFICATE', certificate.der));
    const { ok } = program.attempt([
      'verify',
      ...['-attime', String(now.getTime() / 1000), '-CAfile', file('root.pem', root)],
      ...['-untrusted', file('ca.pem', ca), file('target.pem', target)],
    ]);
    return { ours: outcome === 'trusted', theirs: ok };
  }

  for (const [form, { tag, bases, names, oddBases, oddNames }] of Object.entries(forms)) {
    it(`${form}: alike where base and name are usual`, { timeout: 120_000 }, async () => {
      for (const [kind, word] of ['permitted', 'excluded'].entries()) {
        for (const base of bases) {
          for (const name of names) {
            const { ours, theirs } = await judge(tag, kind, base, name);
            expect(ours, `${word} ${base} ${name}`).toBe(theirs);
          }
        }
      }
    });

    it(`${form}: no freer where one is odd`, { timeout: 120_000 }, async () => {
      const pairs = [
        ...oddBases.flatMap((base) => [...names, ...oddNames].map((name) => [base, name] as const)),
        ...bases.flatMap((base) => oddNames.map((name) => [base, name] as const)),
      ];
      for (const [kind, word] of ['permitted', 'excluded'].entries()) {
        // One process each: all of them in CI, else a tenth.
        for (const [base, name] of pairs.filter((_, index) => ci || index % 10 === kind)) {
          const what = `${word} ${form} ${base} ${name}`;
          const { ours, theirs } = await judge(tag, kind, base, name);
          if (ours && !theirs)
            expect(
              freer.some(([pattern]) => pattern.test(what)),
              what,
            ).toBe(true);
        }
      }
    });
  }
});
