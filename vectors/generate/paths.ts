/**
 * Vectors of certification paths (RFC 5280 section 6, RFC 8550 section 4, RFC 3923 section 6.3). Verdicts are written
 * by hand from the text; a case has one fault at the most. Longer than other files since it is a table.
 */
import { oids } from '../../src/asn1/oids.ts';
import { type DerPart, der, derContext, derInteger, derOid, derSequence, encodeDer } from '../../src/asn1/writer.ts';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import type { Vector } from '../../src/cli/vector-file.ts';
import { commonName } from '../../src/x509/certificate-writer.ts';
import { serializeExtension } from '../../src/x509/extension.ts';
import {
  type Authority,
  base64,
  type CertificateOptions,
  daysFromNow,
  ed25519Keys,
  issue,
  issueList,
  type ListOptions,
  nameOf,
  now,
  rsaKeys,
} from './authorities.ts';
import type { Suite } from './suite.ts';

/** One certificate; `again` for a self-issued one: the same name, a new key. */
type Link = Partial<CertificateOptions> & { readonly again?: boolean };

interface World {
  readonly root: Authority;
  /** From the certificate below the root down to the target. */
  readonly chain: readonly Authority[];
  readonly target: Authority;
  /** What issued the target. */
  readonly ca: Authority;
}

interface Case {
  readonly id: string;
  readonly comment: string;
  readonly rfc: string;
  /** `mismatch`: a valid path to a certificate of somebody else. */
  readonly outcome: 'trusted' | 'untrusted' | 'expired' | 'revoked' | 'weak' | 'malformed' | 'mismatch';
  readonly result?: Vector['result'];
  readonly chain?: readonly Link[];
  readonly root?: Partial<CertificateOptions>;
  /** 0 for the target. */
  readonly failing?: number;
  readonly lists?: (world: World) => readonly Uint8Array[];
  readonly more?: (world: World) => Partial<Vector>;
  readonly flags?: readonly string[];
  /** Changes the octets of the target. */
  readonly spoil?: (target: Uint8Array) => Uint8Array;
  readonly policies?: readonly string[];
}

const commonRoot = issue({ name: 'Root', ca: true });

function build({ chain = [{}], root: options }: Case): World {
  const root = options === undefined ? commonRoot : issue({ name: 'Root', ca: true, ...options });
  const issued: Authority[] = [];
  let issuer = root;
  let name = 'Root';
  for (const [index, { again, ...link }] of chain.entries()) {
    const last = index === chain.length - 1;
    name = again === true ? name : last ? 'target' : `CA ${index + 1}`;
    const keys = again === true ? ed25519Keys(`again ${name}`) : undefined;
    issuer = issue({ name, issuer, ca: !last, keys, ...link });
    issued.push(issuer);
  }
  return { root, chain: issued, target: issuer, ca: issued.at(-2) ?? root };
}

const codes = {
  untrusted: ['SIGNER_UNTRUSTED', 'verify'],
  expired: ['SIGNER_UNTRUSTED', 'verify'],
  revoked: ['SIGNER_UNTRUSTED', 'verify'],
  weak: ['WEAK_ALGORITHM', 'verify'],
  malformed: ['MALFORMED', 'parse'],
  mismatch: ['SENDER_MISMATCH', 'check'],
} as const;

function vector(one: Case): Vector {
  const world = build(one);
  const { outcome, failing } = one;
  const lists = one.lists?.(world);
  const common = {
    id: `path::${one.id}`,
    comment: one.comment,
    rfc: [one.rfc],
    ...(one.flags && { flags: one.flags }),
    input: base64(one.spoil?.(world.target.der) ?? world.target.der),
    ...(world.chain.length > 1 && { intermediates: world.chain.slice(0, -1).map(({ der: octets }) => base64(octets)) }),
    ...(one.root && { anchors: [base64(world.root.der)] }),
    ...(lists && { crls: lists.map(base64), revocation: 'required' as const }),
    ...one.more?.(world),
  };
  if (outcome === 'trusted') {
    const expect = { outcome, ...(one.policies && { policies: one.policies }) };
    return { ...common, result: one.result ?? 'valid', expect };
  }
  const [code, stage] = codes[outcome];
  const facts = outcome === 'malformed' || outcome === 'mismatch' ? {} : { outcome };
  const place = failing === undefined ? {} : { failing };
  return { ...common, result: 'invalid', expect: { code: `ERR_E2E_${code}`, stage, ...facts, ...place } };
}

const extension = (...extensions: readonly DerPart[]): Link => ({ extensions });
const unknownCritical = serializeExtension('1.3.6.1.4.1.55555.99', true, derSequence());

const dns = (text: string): DerPart => der(0x82, utf8(text));
const mail = (text: string): DerPart => der(0x81, utf8(text));
const uri = (text: string): DerPart => der(0x86, utf8(text));
const ip = (...octets: readonly number[]): DerPart => der(0x87, Uint8Array.from(octets));
const registeredId = (oid: string): DerPart => der(0x88, derOid(oid).subarray(2));
const directory = (name: Uint8Array): DerPart => derContext(4, name);
const otherName = (oid: string, value: DerPart): DerPart => derContext(0, derOid(oid), derContext(0, value));
const xmpp = (text: string): DerPart => otherName(oids.xmppAddr, der(0x0c, utf8(text)));
const altNames = (...names: readonly DerPart[]): Link =>
  extension(serializeExtension(oids.subjectAltName, false, derSequence(...names)));

function constraints(kind: 'permitted' | 'excluded', ...names: readonly DerPart[]): Link {
  const subtrees = derContext(kind === 'permitted' ? 0 : 1, ...names.map((name) => derSequence(name)));
  return extension(serializeExtension(oids.nameConstraints, true, derSequence(subtrees)));
}

const basic: readonly Case[] = [
  { id: 'basic::anchor-issues-target', comment: 'issued by the anchor', rfc: 'RFC 5280 6.1', outcome: 'trusted' },
  {
    id: 'basic::two-intermediates',
    comment: 'two intermediate certificates, in the wrong order',
    rfc: 'RFC 8550 2.3',
    outcome: 'trusted',
    chain: [{}, {}, {}],
    more: ({ chain }) => ({ intermediates: [base64(chain[1]!.der), base64(chain[0]!.der)] }),
  },
  {
    id: 'basic::no-anchor',
    comment: 'no anchor at all: a chain to a root that came with the message',
    rfc: 'RFC 8550 2.3',
    outcome: 'untrusted',
    flags: ['forgery'],
    more: ({ root }) => ({ anchors: [], intermediates: [base64(root.der)] }),
  },
  {
    id: 'basic::intermediate-missing',
    comment: 'the certificate of the issuer is missing',
    rfc: 'RFC 5280 6.1',
    outcome: 'untrusted',
    failing: 0,
    chain: [{}, {}],
    more: () => ({ intermediates: [] }),
  },
  {
    id: 'basic::self-signed-target',
    comment: 'a self-signed certificate that nobody filed',
    rfc: 'RFC 8550 2.3',
    outcome: 'untrusted',
    failing: 0,
    flags: ['forgery'],
    more: () => ({ input: base64(issue({ name: 'juliet' }).der) }),
  },
  {
    id: 'basic::pinned-target',
    comment: 'a self-signed certificate that is believed itself',
    rfc: 'RFC 8550 4',
    outcome: 'trusted',
    more: () => {
      const octets = base64(issue({ name: 'juliet' }).der);
      return { input: octets, certificates: [octets], expect: { outcome: 'trusted', trust: 'pinned', chain: 1 } };
    },
  },
  {
    id: 'basic::pinned-other',
    comment: 'another certificate with the name and serial number of the one that is believed',
    rfc: 'RFC 8550 4',
    outcome: 'untrusted',
    failing: 0,
    flags: ['forgery'],
    more: () => {
      const pinned = issue({ name: 'juliet' });
      const forged = issue({ name: 'juliet', serial: pinned.serial, keys: ed25519Keys('mallory') });
      return { input: base64(forged.der), certificates: [base64(pinned.der)] };
    },
  },
  {
    id: 'basic::signature-of-another-key',
    comment: 'signed by a key that is not that of the issuer',
    rfc: 'RFC 5280 6.1.3 (a) (1)',
    outcome: 'untrusted',
    failing: 0,
    flags: ['forgery'],
    chain: [{ signWith: ed25519Keys('mallory') }],
  },
  {
    id: 'basic::anchor-of-the-same-name',
    comment: 'two anchors of one name, of which the second issued the target',
    rfc: 'RFC 8550 2.3',
    outcome: 'trusted',
    more: ({ root }) => ({
      anchors: [base64(issue({ name: 'Root', ca: true, keys: ed25519Keys('old root') }).der), base64(root.der)],
    }),
  },
  {
    id: 'basic::cross-certificates',
    comment: 'two CAs that certified one another, beside the way to the anchor',
    rfc: 'RFC 4158 2.4.2',
    outcome: 'trusted',
    chain: [{}, {}, {}],
    more: ({ chain }) => {
      const [first, second] = chain as [Authority, Authority];
      const back = issue({ name: first.name, keys: first.keys, issuer: second, ca: true });
      return { intermediates: [back, second, first].map(({ der: octets }) => base64(octets)) };
    },
  },
  {
    id: 'basic::loop',
    comment: 'two CAs that certified one another and nobody else',
    rfc: 'RFC 4158 2.4.2',
    outcome: 'untrusted',
    chain: [{}, {}, {}],
    more: ({ chain }) => {
      const [first, second] = chain as [Authority, Authority];
      const back = issue({ name: first.name, keys: first.keys, issuer: second, ca: true });
      return { intermediates: [base64(back.der), base64(second.der)] };
    },
  },
  {
    id: 'basic::issuer-name-case-and-space',
    comment: 'the issuer is named in other letters and with more space',
    rfc: 'RFC 5280 7.1',
    outcome: 'trusted',
    chain: [{ name: commonName('Capulet  CA') }, {}],
    more: ({ chain, root }) => {
      const ca = { ...chain[0]!, name: nameOf([[oids.commonName, ' capulet cA']], 0x13) };
      return { input: base64(issue({ name: 'target', issuer: ca }).der), anchors: [base64(root.der)] };
    },
  },
  {
    id: 'basic::issuer-name-of-two-parts',
    comment: 'the issuer is named by two attributes in one order, and calls itself by them in the other',
    rfc: 'RFC 5280 7.1',
    outcome: 'untrusted',
    failing: 0,
    chain: [
      {
        name: nameOf([
          [oids.organizationName, 'Capulet'],
          [oids.commonName, 'CA'],
        ]),
      },
      {},
    ],
    more: ({ chain }) => {
      const other = nameOf([
        [oids.commonName, 'CA'],
        [oids.organizationName, 'Capulet'],
      ]);
      return { input: base64(issue({ name: 'target', issuer: { ...chain[0]!, name: other } }).der) };
    },
  },
  {
    id: 'basic::empty-issuer',
    comment: 'the issuer has no name',
    rfc: 'RFC 5280 4.1.2.4',
    outcome: 'untrusted',
    failing: 0,
    root: { name: encodeDer(derSequence()) },
  },
];

const instants: readonly Case[] = [
  ['first-instant', 'the very second at which validity begins', { notBefore: now }, 'trusted'],
  ['second-before', 'a second before validity begins', { notBefore: new Date(now.getTime() + 1000) }, 'expired'],
  ['last-instant', 'the very second at which validity ends', { notAfter: now }, 'trusted'],
  ['second-after', 'a second after validity ended', { notAfter: new Date(now.getTime() - 1000) }, 'expired'],
  ['no-end', '99991231235959Z: no well-defined end', { notAfter: der(0x18, utf8('99991231235959Z')) }, 'trusted'],
  ['year-50', 'a UTCTime of the year 50 means 1950', { notAfter: der(0x17, utf8('500101000000Z')) }, 'expired'],
  ['year-49', 'a UTCTime of the year 49 means 2049', { notAfter: der(0x17, utf8('491231235959Z')) }, 'trusted'],
  ['no-seconds', 'a UTCTime without seconds', { notAfter: der(0x17, utf8('4912312359Z')) }, 'malformed'],
  ['zone', 'a UTCTime of another zone', { notAfter: der(0x17, utf8('491231235959+0000')) }, 'malformed'],
  ['fraction', 'a GeneralizedTime with a fraction', { notAfter: der(0x18, utf8('20501231235959.5Z')) }, 'malformed'],
  ['no-such-day', '30 February', { notAfter: der(0x17, utf8('300230000000Z')) }, 'malformed'],
].map(([id, comment, link, outcome]) => ({
  id: `validity::${id as string}`,
  comment: comment as string,
  rfc: 'RFC 5280 4.1.2.5',
  outcome: outcome as Case['outcome'],
  ...(outcome === 'expired' && { failing: 0 }),
  chain: [link as Link],
}));

const validity: readonly Case[] = [
  ...instants,
  {
    id: 'validity::ca-expired',
    comment: 'the issuer has expired',
    rfc: 'RFC 5280 6.1.3 (a) (2)',
    outcome: 'expired',
    failing: 1,
    chain: [{ notAfter: daysFromNow(-1) }, {}],
  },
  {
    id: 'validity::ca-not-yet',
    comment: 'the issuer is not valid yet',
    rfc: 'RFC 5280 6.1.3 (a) (2)',
    outcome: 'expired',
    failing: 1,
    chain: [{ notBefore: daysFromNow(1) }, {}],
  },
  {
    id: 'validity::anchor-expired',
    comment: 'the anchor has expired: the RFC looks at its name and key only',
    rfc: 'RFC 5280 6.1.1 (d)',
    outcome: 'trusted',
    result: 'acceptable',
    root: { notAfter: daysFromNow(-1) },
  },
];

const authorities: readonly Case[] = [
  {
    id: 'ca::end-entity-issues',
    comment: 'the issuer is an end entity',
    rfc: 'RFC 5280 6.1.4 (k)',
    outcome: 'untrusted',
    failing: 1,
    flags: ['forgery'],
    chain: [{ ca: false, keyUsage: ['keyCertSign', 'digitalSignature'] }, {}],
  },
  {
    id: 'ca::no-basic-constraints',
    comment: 'the issuer has no basicConstraints',
    rfc: 'RFC 5280 6.1.4 (k)',
    outcome: 'untrusted',
    failing: 1,
    flags: ['forgery'],
    chain: [{ basicConstraints: null }, {}],
  },
  {
    id: 'ca::version-1',
    comment: 'the issuer has a certificate of version 1',
    rfc: 'RFC 5280 6.1.4 (k)',
    outcome: 'untrusted',
    failing: 1,
    chain: [{ version1: true }, {}],
  },
  {
    id: 'ca::no-key-cert-sign',
    comment: 'the issuer may sign lists but no certificates',
    rfc: 'RFC 5280 6.1.4 (n)',
    outcome: 'untrusted',
    failing: 1,
    chain: [{ keyUsage: ['cRLSign'] }, {}],
  },
  {
    id: 'ca::no-key-usage',
    comment: 'the issuer has no keyUsage',
    rfc: 'RFC 5280 6.1.4 (n)',
    outcome: 'trusted',
    chain: [{ keyUsage: [] }, {}],
  },
  {
    id: 'path-length::zero',
    comment: 'pathLenConstraint 0 above the target',
    rfc: 'RFC 5280 4.2.1.9',
    outcome: 'trusted',
    chain: [{ ca: 0 }, {}],
  },
  {
    id: 'path-length::zero-exceeded',
    comment: 'pathLenConstraint 0 above another CA',
    rfc: 'RFC 5280 6.1.4 (l)',
    outcome: 'untrusted',
    failing: 1,
    flags: ['forgery'],
    chain: [{ ca: 0 }, {}, {}],
  },
  {
    id: 'path-length::one-exceeded',
    comment: 'pathLenConstraint 1 above two CAs',
    rfc: 'RFC 5280 6.1.4 (l)',
    outcome: 'untrusted',
    failing: 1,
    chain: [{ ca: 1 }, {}, {}, {}],
  },
  {
    id: 'path-length::raised-below',
    comment: 'pathLenConstraint 0 cannot be raised by the CA below',
    rfc: 'RFC 5280 6.1.4 (m)',
    outcome: 'untrusted',
    failing: 1,
    flags: ['forgery'],
    chain: [{ ca: 0 }, { ca: 6 }, {}],
  },
  {
    id: 'path-length::self-issued',
    comment: 'a self-issued certificate does not count',
    rfc: 'RFC 5280 6.1.4 (l)',
    outcome: 'trusted',
    chain: [{ ca: 0 }, { again: true, ca: true }, {}],
  },
  {
    id: 'path-length::ca-as-target',
    comment: 'pathLenConstraint 0 above a CA that is the target',
    rfc: 'RFC 5280 4.2.1.9',
    outcome: 'trusted',
    chain: [{ ca: 0 }, { ca: true, keyUsage: ['digitalSignature', 'keyCertSign'] }],
  },
  {
    id: 'path-length::negative',
    comment: 'pathLenConstraint -1',
    rfc: 'RFC 5280 4.2.1.9',
    outcome: 'malformed',
    chain: [
      {
        basicConstraints: serializeExtension(
          oids.basicConstraints,
          true,
          derSequence(der(1, Uint8Array.of(0xff)), der(2, Uint8Array.of(0xff))),
        ),
      },
    ],
  },
];

const usages: readonly Case[] = [
  {
    id: 'key-usage::encryption-only',
    comment: 'a key for encryption signs',
    rfc: 'RFC 8550 4.4.2',
    outcome: 'untrusted',
    failing: 0,
    flags: ['forgery'],
    chain: [{ keyUsage: ['keyEncipherment', 'keyAgreement'] }],
  },
  {
    id: 'key-usage::non-repudiation',
    comment: 'nonRepudiation alone is enough for a signature',
    rfc: 'RFC 8550 4.4.2',
    outcome: 'trusted',
    chain: [{ keyUsage: ['nonRepudiation'] }],
  },
  {
    id: 'key-usage::absent',
    comment: 'no keyUsage: the key is for everything',
    rfc: 'RFC 8550 4.4.2',
    outcome: 'trusted',
    chain: [{ keyUsage: [] }],
  },
  {
    id: 'key-usage::signature-key-for-agreement',
    comment: 'a key for signatures is to agree on keys',
    rfc: 'RFC 8550 4.4.2',
    outcome: 'untrusted',
    failing: 0,
    more: () => ({ purpose: 'key-agreement' }),
  },
  {
    id: 'key-usage::agreement',
    comment: 'a key for agreement is to agree on keys',
    rfc: 'RFC 8550 4.4.2',
    outcome: 'trusted',
    chain: [{ keyUsage: ['keyAgreement'] }],
    more: () => ({ purpose: 'key-agreement' }),
  },
  {
    id: 'key-usage::empty',
    comment: 'a keyUsage without any bit',
    rfc: 'RFC 5280 4.2.1.3',
    outcome: 'malformed',
    chain: [{ keyUsage: [], extensions: [serializeExtension(oids.keyUsage, true, der(3, Uint8Array.of(0)))] }],
  },
  {
    id: 'extended-key-usage::email-protection',
    comment: 'emailProtection is there',
    rfc: 'RFC 8550 4.4.4',
    outcome: 'trusted',
    chain: [{ extendedKeyUsage: ['1.3.6.1.5.5.7.3.2', oids.emailProtection] }],
  },
  {
    id: 'extended-key-usage::any',
    comment: 'anyExtendedKeyUsage is there',
    rfc: 'RFC 8550 4.4.4',
    outcome: 'trusted',
    chain: [{ extendedKeyUsage: [oids.anyExtendedKeyUsage] }],
  },
  {
    id: 'extended-key-usage::server',
    comment: 'a certificate for TLS servers signs',
    rfc: 'RFC 8550 4.4.4',
    outcome: 'untrusted',
    failing: 0,
    flags: ['forgery'],
    chain: [{ extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }],
  },
  {
    id: 'extended-key-usage::ca-for-servers',
    comment: 'a CA for TLS servers certifies a person; RFC 5280 leaves open what the extension means in a CA',
    rfc: 'RFC 5280 4.2.1.12',
    outcome: 'untrusted',
    failing: 1,
    chain: [{ extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, {}],
  },
  {
    id: 'extended-key-usage::empty',
    comment: 'an extendedKeyUsage without any purpose',
    rfc: 'RFC 5280 4.2.1.12',
    outcome: 'malformed',
    chain: [extension(serializeExtension(oids.extKeyUsage, false, derSequence()))],
  },
];

const extensions: readonly Case[] = [
  {
    id: 'extension::unknown-critical-target',
    comment: 'an unknown critical extension of the target',
    rfc: 'RFC 5280 6.1.5 (e)',
    outcome: 'untrusted',
    failing: 0,
    flags: ['forgery'],
    chain: [{}, extension(unknownCritical)],
  },
  {
    id: 'extension::unknown-critical-ca',
    comment: 'an unknown critical extension of a CA',
    rfc: 'RFC 5280 6.1.4 (o)',
    outcome: 'untrusted',
    failing: 1,
    flags: ['forgery'],
    chain: [extension(unknownCritical), {}],
  },
  {
    id: 'extension::unknown',
    comment: 'an unknown extension that is not critical',
    rfc: 'RFC 5280 4.2',
    outcome: 'trusted',
    chain: [extension(serializeExtension('1.3.6.1.4.1.55555.99', false, derSequence()))],
  },
  {
    id: 'extension::twice',
    comment: 'two extensions of one kind, of which one makes it a CA',
    rfc: 'RFC 5280 4.2',
    outcome: 'malformed',
    flags: ['forgery'],
    chain: [extension(serializeExtension(oids.basicConstraints, true, derSequence(der(1, Uint8Array.of(0xff)))))],
  },
  {
    id: 'extension::default-written',
    comment: 'cA FALSE is written out: no DER, and harmless',
    rfc: 'RFC 5280 4.1',
    outcome: 'trusted',
    result: 'acceptable',
    chain: [
      { basicConstraints: serializeExtension(oids.basicConstraints, true, derSequence(der(1, Uint8Array.of(0)))) },
    ],
  },
  {
    id: 'extension::unknown-critical-qualifier',
    comment: 'a critical policy with a qualifier that nobody can process',
    rfc: 'RFC 5280 4.2.1.4',
    outcome: 'untrusted',
    failing: 0,
    chain: [
      extension(
        serializeExtension(
          oids.certificatePolicies,
          true,
          derSequence(
            derSequence(derOid('1.3.6.1.4.1.55555.1'), derSequence(derSequence(derOid('1.2.3.4'), derInteger(1)))),
          ),
        ),
      ),
    ],
  },
];

const structure: readonly Case[] = [
  {
    id: 'der::octets-behind',
    comment: 'an octet behind the certificate',
    rfc: 'RFC 5280 4.1',
    outcome: 'malformed',
    spoil: (target) => concatBytes(target, Uint8Array.of(0)),
  },
  {
    id: 'der::indefinite-length',
    comment: 'a certificate of indefinite length',
    rfc: 'RFC 5280 4.1',
    outcome: 'malformed',
    spoil: (target) => concatBytes(Uint8Array.of(0x30, 0x80), target.subarray(4), Uint8Array.of(0, 0)),
  },
  {
    id: 'der::algorithms-differ',
    comment: 'the algorithm outside is not the one that is signed',
    rfc: 'RFC 5280 4.1.1.2',
    outcome: 'malformed',
    chain: [{ outerAlgorithm: derSequence(derOid('1.3.101.113')) }],
  },
  {
    id: 'der::serial-empty',
    comment: 'a serial number without octets',
    rfc: 'RFC 5280 4.1.2.2',
    outcome: 'malformed',
    chain: [{ serial: new Uint8Array() }],
  },
  {
    id: 'der::serial-padded',
    comment: 'a serial number with a superfluous zero',
    rfc: 'RFC 5280 4.1',
    outcome: 'malformed',
    chain: [{ serial: Uint8Array.of(0, 1) }],
  },
];

const limited = (comment: string, id: string, link: Link, name: Link, outcome: 'trusted' | 'untrusted'): Case => ({
  id: `names::${id}`,
  comment,
  rfc: 'RFC 5280 4.2.1.10',
  outcome,
  ...(outcome === 'untrusted' && { failing: 0 }),
  chain: [link, name],
});

const mailSubject: Link = { name: nameOf([[oids.emailAddress, 'juliet@example.org']], 0x16) };

const names: readonly Case[] = [
  limited(
    'a host below a permitted one',
    'dns-permitted',
    constraints('permitted', dns('example.com')),
    altNames(dns('a.example.com')),
    'trusted',
  ),
  limited(
    'a host that ends like a permitted one',
    'dns-not-permitted',
    constraints('permitted', dns('example.com')),
    altNames(dns('badexample.com')),
    'untrusted',
  ),
  limited(
    'a host below an excluded one',
    'dns-excluded',
    constraints('excluded', dns('example.com')),
    altNames(dns('A.EXAMPLE.com')),
    'untrusted',
  ),
  limited(
    'mail at a permitted host',
    'mail-host-permitted',
    constraints('permitted', mail('example.com')),
    altNames(mail('juliet@EXAMPLE.com')),
    'trusted',
  ),
  limited(
    'mail at a host below a permitted one',
    'mail-host-not-permitted',
    constraints('permitted', mail('example.com')),
    altNames(mail('juliet@a.example.com')),
    'untrusted',
  ),
  limited(
    'mail at a host of a permitted domain',
    'mail-domain-permitted',
    constraints('permitted', mail('.example.com')),
    altNames(mail('juliet@a.example.com')),
    'trusted',
  ),
  limited(
    'a permitted mailbox',
    'mailbox-permitted',
    constraints('permitted', mail('juliet@example.com')),
    altNames(mail('juliet@example.com')),
    'trusted',
  ),
  limited(
    'an excluded mailbox',
    'mailbox-excluded',
    constraints('excluded', mail('juliet@example.com')),
    altNames(mail('juliet@example.com')),
    'untrusted',
  ),
  limited(
    'a mail address in the subject name',
    'mail-in-subject',
    constraints('permitted', mail('example.com')),
    mailSubject,
    'untrusted',
  ),
  limited(
    'an IPv4 address in a permitted network',
    'ipv4-permitted',
    constraints('permitted', ip(10, 0, 0, 0, 255, 0, 0, 0)),
    altNames(ip(10, 9, 8, 7)),
    'trusted',
  ),
  limited(
    'an IPv4 address outside of it',
    'ipv4-not-permitted',
    constraints('permitted', ip(10, 0, 0, 0, 255, 0, 0, 0)),
    altNames(ip(11, 9, 8, 7)),
    'untrusted',
  ),
  limited(
    'an IPv6 address in an excluded network',
    'ipv6-excluded',
    constraints(
      'excluded',
      ip(
        0x20,
        1,
        0x0d,
        0xb8,
        ...Array<number>(12).fill(0),
        ...Array<number>(4).fill(255),
        ...Array<number>(12).fill(0),
      ),
    ),
    altNames(ip(0x20, 1, 0x0d, 0xb8, ...Array<number>(12).fill(7))),
    'untrusted',
  ),
  limited(
    'a subject in a permitted subtree',
    'directory-permitted',
    constraints('permitted', directory(nameOf([[oids.organizationName, 'capulet']]))),
    {
      name: nameOf([
        [oids.organizationName, 'Capulet'],
        [oids.commonName, 'Juliet'],
      ]),
    },
    'trusted',
  ),
  limited(
    'a subject in no permitted subtree',
    'directory-not-permitted',
    constraints('permitted', directory(nameOf([[oids.organizationName, 'Capulet']]))),
    {
      name: nameOf([
        [oids.commonName, 'Juliet'],
        [oids.organizationName, 'Capulet'],
      ]),
    },
    'untrusted',
  ),
  limited(
    'a subject in an excluded subtree',
    'directory-excluded',
    constraints('excluded', directory(nameOf([[oids.organizationName, 'Capulet']]))),
    {
      name: nameOf([
        [oids.organizationName, 'CAPULET'],
        [oids.commonName, 'Juliet'],
      ]),
    },
    'untrusted',
  ),
  limited(
    'a URI with a host in a permitted domain',
    'uri-permitted',
    constraints('permitted', uri('.example.com')),
    altNames(uri('https://a.example.com/juliet')),
    'trusted',
  ),
  limited(
    'a URI whose user information looks like the permitted host',
    'uri-user-information',
    constraints('permitted', uri('.example.com')),
    altNames(uri('https://a.example.com@example.org/')),
    'untrusted',
  ),
  limited(
    'an im: URI has no host that a URI constraint could be applied to',
    'uri-im',
    constraints('permitted', uri('.example.com')),
    altNames(uri('im:juliet@example.com')),
    'untrusted',
  ),
  limited(
    'an exclusion of another URI host refuses an im: URI too',
    'uri-im-excluded',
    constraints('excluded', uri('.example.org')),
    altNames(uri('im:juliet@example.com')),
    'untrusted',
  ),
  limited(
    'an XMPP address under a constraint on otherName',
    'other-name',
    constraints('permitted', xmpp('juliet@example.com')),
    altNames(xmpp('juliet@example.com')),
    'untrusted',
  ),
  limited(
    'an XMPP address under constraints of other forms',
    'other-form',
    constraints('permitted', dns('example.org')),
    altNames(xmpp('juliet@example.com')),
    'trusted',
  ),
  limited(
    'a registered identifier under a constraint of its form',
    'registered-id',
    constraints('excluded', registeredId('1.2.3')),
    altNames(registeredId('1.2.3.4')),
    'untrusted',
  ),
  {
    id: 'names::intersection',
    comment: 'permitted by the upper CA, not by the lower one',
    rfc: 'RFC 5280 6.1.4 (g)',
    outcome: 'untrusted',
    failing: 0,
    chain: [
      constraints('permitted', dns('example.com')),
      constraints('permitted', dns('b.example.com')),
      altNames(dns('a.example.com')),
    ],
  },
  {
    id: 'names::widened-below',
    comment: 'the lower CA cannot permit more than the upper one',
    rfc: 'RFC 5280 6.1.4 (g)',
    outcome: 'untrusted',
    failing: 0,
    flags: ['forgery'],
    chain: [
      constraints('permitted', dns('example.com')),
      constraints('permitted', dns('example.org')),
      altNames(dns('example.org')),
    ],
  },
  {
    id: 'names::ca-outside',
    comment: 'a CA whose own name is not permitted',
    rfc: 'RFC 5280 6.1.3 (b)',
    outcome: 'untrusted',
    failing: 1,
    chain: [constraints('permitted', directory(commonName('target'))), {}, {}],
  },
  {
    id: 'names::self-issued',
    comment: 'constraints do not hold for a self-issued CA',
    rfc: 'RFC 5280 6.1.3 (b)',
    outcome: 'trusted',
    chain: [constraints('permitted', directory(commonName('target'))), { again: true, ca: true }, {}],
  },
  {
    id: 'names::empty',
    comment: 'a constraint of nothing',
    rfc: 'RFC 5280 4.2.1.10',
    outcome: 'malformed',
    chain: [extension(serializeExtension(oids.nameConstraints, true, derSequence()))],
  },
  {
    id: 'names::minimum',
    comment: 'a constraint from a distance',
    rfc: 'RFC 5280 4.2.1.10',
    outcome: 'malformed',
    chain: [
      extension(
        serializeExtension(
          oids.nameConstraints,
          true,
          derSequence(derContext(0, derSequence(dns('example.com'), der(0x80, Uint8Array.of(1))))),
        ),
      ),
    ],
  },
];

const a = '1.3.6.1.4.1.55555.1';
const b = '1.3.6.1.4.1.55555.2';
const any = oids.anyPolicy;
const policiesOf = (...list: readonly string[]): DerPart =>
  serializeExtension(oids.certificatePolicies, false, derSequence(...list.map((oid) => derSequence(derOid(oid)))));
const policies = (...list: readonly string[]): Link => extension(policiesOf(...list));
const mapping = (from: string, to: string): DerPart =>
  serializeExtension(oids.policyMappings, true, derSequence(derSequence(derOid(from), derOid(to))));
const policyConstraints = (field: 0 | 1, skip: number): DerPart =>
  serializeExtension(oids.policyConstraints, true, derSequence(der(0x80 | field, Uint8Array.of(skip))));
const inhibitAny = (skip: number): DerPart => serializeExtension(oids.inhibitAnyPolicy, true, derInteger(skip));
const explicit = { requireExplicitPolicy: true };

const policyCases: readonly Case[] = [
  {
    id: 'policy::one',
    comment: 'one policy in every certificate',
    rfc: 'RFC 5280 6.1.5 (g)',
    outcome: 'trusted',
    policies: [a],
    chain: [policies(a), policies(a)],
    more: () => ({ policies: explicit }),
  },
  {
    id: 'policy::other-asked-for',
    comment: 'another policy is asked for',
    rfc: 'RFC 5280 6.1.5 (g)',
    outcome: 'untrusted',
    failing: 0,
    chain: [policies(a), policies(a)],
    more: () => ({ policies: { ...explicit, initialPolicies: [b] } }),
  },
  {
    id: 'policy::none',
    comment: 'a policy is asked for and there is none',
    rfc: 'RFC 5280 6.1.5 (g)',
    outcome: 'untrusted',
    chain: [{}, {}],
    more: () => ({ policies: explicit }),
  },
  {
    id: 'policy::different',
    comment: 'different policies where none is asked for',
    rfc: 'RFC 5280 6.1.5 (g)',
    outcome: 'trusted',
    policies: [],
    chain: [policies(a), policies(b)],
  },
  {
    id: 'policy::required-by-ca',
    comment: 'a CA asks for a policy and there is none',
    rfc: 'RFC 5280 6.1.4 (i)',
    outcome: 'untrusted',
    chain: [extension(policyConstraints(0, 0)), {}],
  },
  {
    id: 'policy::mapped',
    comment: 'the policy of the target is mapped to the one asked for',
    rfc: 'RFC 5280 6.1.4 (b)',
    outcome: 'trusted',
    policies: [a],
    chain: [extension(policiesOf(a), mapping(a, b)), policies(b)],
    more: () => ({ policies: { ...explicit, initialPolicies: [a] } }),
  },
  {
    id: 'policy::mapping-inhibited',
    comment: 'mapping is inhibited by the CA above',
    rfc: 'RFC 5280 6.1.4 (b) (2)',
    outcome: 'untrusted',
    chain: [extension(policiesOf(a), policyConstraints(1, 0)), extension(policiesOf(a), mapping(a, b)), policies(b)],
    more: () => ({ policies: explicit }),
  },
  {
    id: 'policy::mapping-to-any',
    comment: 'a policy is mapped to anyPolicy',
    rfc: 'RFC 5280 6.1.4 (a)',
    outcome: 'untrusted',
    failing: 1,
    chain: [extension(policiesOf(a), mapping(a, any)), policies(b)],
  },
  {
    id: 'policy::any',
    comment: 'anyPolicy of a CA stands for that of the target',
    rfc: 'RFC 5280 6.1.3 (d) (2)',
    outcome: 'trusted',
    policies: [a],
    chain: [policies(any), policies(a)],
    more: () => ({ policies: { ...explicit, initialPolicies: [a] } }),
  },
  {
    id: 'policy::any-inhibited',
    comment: 'anyPolicy is inhibited by the CA above',
    rfc: 'RFC 5280 6.1.4 (j)',
    outcome: 'untrusted',
    chain: [extension(policiesOf(any), inhibitAny(0)), policies(any)],
    more: () => ({ policies: explicit }),
  },
  {
    id: 'policy::any-inhibited-by-user',
    comment: 'anyPolicy is inhibited by the user',
    rfc: 'RFC 5280 6.1.1 (g)',
    outcome: 'untrusted',
    chain: [policies(any), policies(a)],
    more: () => ({ policies: { ...explicit, inhibitAnyPolicy: true } }),
  },
  {
    id: 'policy::twice',
    comment: 'one policy twice',
    rfc: 'RFC 5280 4.2.1.4',
    outcome: 'malformed',
    chain: [policies(a, a)],
  },
];

const weakness: readonly Case[] = [
  {
    id: 'weak::rsa-1024',
    comment: 'an RSA key of 1024 bits',
    rfc: 'RFC 8550 4.3',
    outcome: 'weak',
    failing: 0,
    chain: [{ spki: rsaKeys('short', 1024).spki }],
  },
  {
    id: 'weak::rsa-1024-ca',
    comment: 'a CA with an RSA key of 1024 bits',
    rfc: 'RFC 8550 4.3',
    outcome: 'weak',
    failing: 1,
    chain: [{ keys: rsaKeys('short', 1024) }, {}],
  },
  {
    id: 'weak::rsa-exponent-one',
    comment: 'an RSA key with the exponent 1, for which every octet string signs itself',
    rfc: 'RFC 8017 3.1',
    outcome: 'weak',
    failing: 0,
    chain: [
      {
        spki: encodeDer(
          derSequence(
            derSequence(derOid(oids.rsaEncryption), Uint8Array.of(5, 0)),
            der(
              3,
              Uint8Array.of(0),
              derSequence(derInteger(Uint8Array.from({ length: 256 }, () => 0xa5)), derInteger(1)),
            ),
          ),
        ),
      },
    ],
  },
  {
    id: 'weak::sha1',
    comment: 'a certificate signed with SHA-1',
    rfc: 'RFC 8550 4.3',
    outcome: 'weak',
    failing: 0,
    chain: [{ keys: rsaKeys('ca', 2048) }, { hash: 'sha1' }],
  },
  {
    id: 'weak::sha256',
    comment: 'the same with SHA-256',
    rfc: 'RFC 8550 4.3',
    outcome: 'trusted',
    chain: [{ keys: rsaKeys('ca', 2048) }, {}],
  },
  {
    id: 'weak::md5',
    comment: 'a certificate signed with MD5, which nothing here verifies',
    rfc: 'RFC 8550 4.3',
    outcome: 'untrusted',
    failing: 0,
    chain: [{ keys: rsaKeys('ca', 2048) }, { hash: 'md5' }],
  },
  {
    id: 'weak::explicit-curve',
    comment: 'a curve by explicit parameters (CVE-2020-0601)',
    rfc: 'RFC 5480 2.1.1',
    outcome: 'untrusted',
    failing: 0,
    flags: ['forgery'],
    chain: [
      {
        spki: encodeDer(
          derSequence(
            derSequence(derOid(oids.ecPublicKey), derSequence(derInteger(1))),
            der(3, Uint8Array.of(0, 4, ...Array<number>(64).fill(1))),
          ),
        ),
      },
    ],
  },
];

const point = uri('http://crl.example/1.crl');
const otherPoint = uri('http://crl.example/2.crl');
const fullName = (...fields: readonly DerPart[]): DerPart => derContext(0, derContext(0, ...fields));
const flag = (number: number): DerPart => der(0x80 | number, Uint8Array.of(0xff));
const points = (...fields: readonly DerPart[]): Link =>
  extension(serializeExtension(oids.crlDistributionPoints, false, derSequence(derSequence(...fields))));

/** One list about the target, which the root issued. */
function listed(
  id: string,
  comment: string,
  rfc: string,
  outcome: Case['outcome'],
  lists: (target: Authority, root: Authority) => readonly Partial<ListOptions>[],
  link: Link = {},
  more: Partial<Case> = {},
): Case {
  return {
    id: `revocation::${id}`,
    comment,
    rfc,
    outcome,
    ...(outcome !== 'trusted' && outcome !== 'malformed' && { failing: 0 }),
    chain: [link],
    lists: ({ root, target }) => lists(target, root).map((list) => issueList({ issuer: root, ...list })),
    ...more,
  };
}

const revoke = ({ serial }: Authority, reason?: number): ListOptions['revoked'] => [{ serial, reason }];

const revocation: readonly Case[] = [
  listed('good', 'not on the list', 'RFC 5280 6.3.3', 'trusted', () => [{}]),
  listed('no-list', 'no list', 'RFC 5280 6.3.3', 'untrusted', () => []),
  listed('listed', 'on the list', 'RFC 5280 6.3.3 (i)', 'revoked', (target) => [{ revoked: revoke(target) }]),
  listed(
    'compromised',
    'on the list since tomorrow, for compromise of the key: signatures of today prove nothing',
    'RFC 5280 5.3.2',
    'revoked',
    ({ serial }) => [{ revoked: [{ serial, reason: 1, date: daysFromNow(1) }] }],
  ),
  listed(
    'superseded-later',
    'on a current list as superseded, from tomorrow',
    'RFC 5280 6.3.3 (i)',
    'revoked',
    ({ serial }) => [{ revoked: [{ serial, reason: 4, date: daysFromNow(1) }] }],
  ),
  listed(
    'later-list',
    'superseded tomorrow, says a list of the day after: an archive may still take what was signed today',
    'RFC 5280 5.3.1',
    'trusted',
    ({ serial }) => [{ thisUpdate: daysFromNow(2), revoked: [{ serial, reason: 4, date: daysFromNow(1) }] }],
    {},
    { result: 'acceptable' },
  ),
  listed(
    'later-list-invalidity-date',
    'superseded tomorrow, says a list of the day after, and invalid since yesterday',
    'RFC 5280 5.3.2',
    'revoked',
    ({ serial }) => [
      {
        thisUpdate: daysFromNow(2),
        revoked: [{ serial, reason: 4, date: daysFromNow(1), invalidityDate: daysFromNow(-1) }],
      },
    ],
  ),
  listed(
    'later-list-compromised',
    'compromised tomorrow, says a list of the day after: nobody can tell when the key was lost',
    'RFC 5280 5.3.1',
    'revoked',
    ({ serial }) => [{ thisUpdate: daysFromNow(2), revoked: [{ serial, reason: 1, date: daysFromNow(1) }] }],
  ),
  listed('outdated', 'nextUpdate has passed', 'RFC 5280 6.3.3 (a)', 'untrusted', () => [
    { thisUpdate: daysFromNow(-40), nextUpdate: daysFromNow(-1) },
  ]),
  listed('outdated-listed', 'on a list whose nextUpdate has passed', 'RFC 5280 6.3.3', 'revoked', (target) => [
    { thisUpdate: daysFromNow(-40), nextUpdate: daysFromNow(-1), revoked: revoke(target) },
  ]),
  listed('no-next-update', 'a list without nextUpdate', 'RFC 5280 5.1.2.5', 'untrusted', () => [{ nextUpdate: null }]),
  listed('forged', 'a list that another key signed', 'RFC 5280 6.3.3 (g)', 'untrusted', () => [
    { signWith: ed25519Keys('mallory') },
  ]),
  listed('unknown-critical', 'a list with an unknown critical extension', 'RFC 5280 5.2', 'untrusted', () => [
    { extensions: [unknownCritical] },
  ]),
  listed(
    'unknown-critical-entry',
    'a list with an unknown critical extension of an entry',
    'RFC 5280 5.3',
    'untrusted',
    () => [{ revoked: [{ serial: Uint8Array.of(7), extensions: [unknownCritical] }] }],
  ),
  listed('user-certificates', 'a list of user certificates', 'RFC 5280 6.3.3 (b) (2) (iii)', 'trusted', () => [
    { scope: [flag(1)] },
  ]),
  listed('ca-certificates', 'a list of CA certificates', 'RFC 5280 6.3.3 (b) (2) (ii)', 'untrusted', () => [
    { scope: [flag(2)] },
  ]),
  listed(
    'attribute-certificates',
    'a list of attribute certificates',
    'RFC 5280 6.3.3 (b) (2) (iv)',
    'untrusted',
    () => [{ scope: [flag(5)] }],
  ),
  listed(
    'distribution-point',
    'the distribution point that the certificate names',
    'RFC 5280 6.3.3 (b) (2) (i)',
    'trusted',
    () => [{ scope: [fullName(point)] }],
    points(fullName(point)),
  ),
  listed(
    'other-distribution-point',
    'another distribution point',
    'RFC 5280 6.3.3 (b) (2) (i)',
    'untrusted',
    () => [{ scope: [fullName(otherPoint)] }],
    points(fullName(point)),
  ),
  listed('some-reasons', 'a list for some reasons', 'RFC 5280 6.3.3 (e)', 'untrusted', () => [
    { scope: [der(0x83, Uint8Array.of(5, 0x60))] },
  ]),
  listed('all-reasons', 'two lists for all reasons', 'RFC 5280 6.3.3 (e)', 'trusted', () => [
    { scope: [der(0x83, Uint8Array.of(5, 0x60))] },
    { scope: [der(0x83, Uint8Array.of(7, 0x1f, 0x80))] },
  ]),
  listed('delta', 'a delta list revokes', 'RFC 5280 6.3.3 (i)', 'revoked', (target) => [
    { number: 5 },
    { number: 6, baseNumber: 5, revoked: revoke(target, 1) },
  ]),
  listed('delta-ends-hold', 'a delta list ends a hold', 'RFC 5280 5.3.1', 'trusted', (target) => [
    { number: 5, revoked: revoke(target, 6) },
    { number: 6, baseNumber: 5, revoked: revoke(target, 8) },
  ]),
  listed(
    'delta-of-another-scope',
    'a delta list of another scope ends no hold',
    'RFC 5280 6.3.3 (c) (2)',
    'revoked',
    (target) => [
      { number: 5, revoked: revoke(target, 6) },
      { number: 6, baseNumber: 5, scope: [flag(1)], revoked: revoke(target, 8) },
    ],
  ),
  listed('delta-alone', 'a delta list without its base', 'RFC 5280 6.3.3 (c)', 'untrusted', () => [
    { number: 6, baseNumber: 5 },
  ]),
  listed('hold', 'on hold', 'RFC 5280 5.3.1', 'revoked', (target) => [{ revoked: revoke(target, 6) }]),
  listed('version-missing', 'extensions in a list of version 1', 'RFC 5280 5.1.2.1', 'malformed', () => [
    { noVersion: true },
  ]),
  {
    id: 'revocation::ca-revoked',
    comment: 'the CA is revoked by the root',
    rfc: 'RFC 5280 6.1.3 (a) (3)',
    outcome: 'revoked',
    failing: 1,
    chain: [{}, {}],
    lists: ({ root, ca }) => [issueList({ issuer: root, revoked: revoke(ca) }), issueList({ issuer: ca })],
  },
  {
    id: 'revocation::ca-may-not-sign-lists',
    comment: 'the CA may not sign lists',
    rfc: 'RFC 5280 6.3.3 (f)',
    outcome: 'untrusted',
    failing: 0,
    chain: [{ keyUsage: ['keyCertSign'] }, {}],
    lists: ({ root, ca }) => [issueList({ issuer: root }), issueList({ issuer: ca })],
  },
  ...(['indirect', 'indirect-listed', 'indirect-not-marked'] as const).map((id): Case => {
    const lister = issue({ name: 'List authority', issuer: commonRoot, keyUsage: ['cRLSign'] });
    return {
      id: `revocation::${id}`,
      comment: {
        indirect: 'an indirect list of the authority that the certificate names',
        'indirect-listed': 'the same with the certificate on it',
        'indirect-not-marked': 'a list of that authority that is not marked as indirect',
      }[id],
      rfc: 'RFC 5280 5.2.5',
      outcome: ({ indirect: 'trusted', 'indirect-listed': 'revoked', 'indirect-not-marked': 'untrusted' } as const)[id],
      ...(id !== 'indirect' && { failing: 0 }),
      chain: [points(fullName(point), derContext(2, derContext(4, lister.name)))],
      lists: ({ root, target }) => [
        issueList({
          issuer: lister,
          ...(id !== 'indirect-not-marked' && { scope: [flag(4)] }),
          ...(id === 'indirect-listed' && { revoked: [{ serial: target.serial, issuer: root.name }] }),
        }),
      ],
      more: () => ({ intermediates: [base64(lister.der)] }),
    };
  }),
];

const juliet = 'juliet@example.com';

/** A certificate with these names, which is to speak for Juliet. */
function speaks(
  id: string,
  comment: string,
  outcome: 'trusted' | 'mismatch',
  link: Link,
  from = juliet,
  rfc = 'RFC 3923 6.3',
): Case {
  return { id: `identity::${id}`, comment, rfc, outcome, chain: [link], more: () => ({ from }) };
}

const identity: readonly Case[] = [
  speaks('im', 'an im: URI', 'trusted', altNames(uri('im:juliet@example.com'))),
  speaks('pres', 'a pres: URI', 'trusted', altNames(uri('pres:juliet@example.com'))),
  speaks('xmpp-uri', 'an xmpp: URI', 'trusted', altNames(uri('xmpp:juliet@example.com'))),
  speaks('xmpp-addr', 'an id-on-xmppAddr', 'trusted', altNames(xmpp(juliet)), juliet, 'RFC 6120 13.7.1.4'),
  speaks(
    'second-name',
    'the name of somebody else, and then hers',
    'trusted',
    altNames(xmpp('nurse@example.com'), xmpp(juliet)),
  ),
  speaks('other', 'the name of somebody else', 'mismatch', altNames(xmpp('romeo@example.net'))),
  speaks('none', 'no subjectAltName', 'mismatch', {}),
  speaks('common-name', 'her address as common name', 'mismatch', { name: juliet }),
  speaks('mail', 'her address as mail address', 'mismatch', altNames(mail(juliet))),
  speaks('dns', 'her domain as host name', 'mismatch', altNames(dns('example.com'))),
  speaks('upper-case', 'an address that is not in enforced form', 'mismatch', altNames(xmpp('Juliet@example.com'))),
  speaks('final-dot', 'a domain with a final dot', 'mismatch', altNames(xmpp('juliet@example.com.'))),
  speaks(
    'kelvin',
    'a Kelvin sign that prepares to k',
    'mismatch',
    altNames(xmpp('\u212aate@example.com')),
    'kate@example.com',
    'RFC 7622 3.3',
  ),
  speaks(
    'ia5',
    'an id-on-xmppAddr that is no UTF8String',
    'mismatch',
    altNames(otherName(oids.xmppAddr, der(0x16, utf8(juliet)))),
  ),
  speaks(
    'other-type',
    'her address under another type of otherName',
    'mismatch',
    altNames(otherName('1.3.6.1.4.1.311.20.2.3', der(0x0c, utf8(juliet)))),
  ),
  speaks(
    'percent',
    'a percent-encoded letter',
    'trusted',
    altNames(uri('im:%6Auliet@example.com')),
    juliet,
    'RFC 3986 2.3',
  ),
  speaks(
    'percent-nul',
    'a percent-encoded NUL behind her name',
    'mismatch',
    altNames(uri('im:juliet%00.mallory@example.com')),
  ),
  speaks(
    'percent-at',
    'a percent-encoded @ in the local part',
    'mismatch',
    altNames(uri('im:juliet%40example.com@example.org')),
  ),
  speaks('query', 'a query behind the address', 'mismatch', altNames(uri('im:juliet@example.com?subject=hi'))),
  speaks('resource', 'a full address', 'mismatch', altNames(xmpp('juliet@example.com/balcony'))),
  speaks(
    'u-label',
    'a domain in letters',
    'trusted',
    altNames(xmpp('juliet@b\u00fccher.example')),
    'juliet@xn--bcher-kva.example',
    'RFC 7622 3.2',
  ),
  speaks(
    'a-label',
    'the same domain in ASCII',
    'trusted',
    altNames(uri('im:juliet@xn--bcher-kva.example')),
    'juliet@b\u00fccher.example',
    'RFC 7622 3.2',
  ),
  {
    id: 'identity::critical-without-subject',
    comment: 'no subject name, and a critical subjectAltName',
    rfc: 'RFC 5280 4.1.2.6',
    outcome: 'trusted',
    chain: [
      {
        name: encodeDer(derSequence()),
        extensions: [serializeExtension(oids.subjectAltName, true, derSequence(xmpp(juliet)))],
      },
    ],
    more: () => ({ from: juliet }),
  },
  {
    id: 'identity::untrusted-issuer',
    comment: 'her name by a CA that nobody trusts',
    rfc: 'RFC 3923 6.3',
    outcome: 'untrusted',
    flags: ['forgery'],
    chain: [altNames(xmpp(juliet))],
    more: () => {
      const own = issue({ name: 'Root', ca: true, keys: ed25519Keys('mallory') });
      const forged = issue({ name: 'target', issuer: own, extensions: altNames(xmpp(juliet)).extensions });
      return { input: base64(forged.der), intermediates: [base64(own.der)], from: juliet };
    },
  },
];

const cases = [
  ...basic,
  ...validity,
  ...authorities,
  ...usages,
  ...extensions,
  ...structure,
  ...names,
  ...policyCases,
  ...weakness,
  ...revocation,
  ...identity,
];

/** All vectors of paths. */
export function pathSuite(): Suite {
  return {
    suite: 'x509/paths',
    description: 'Certification paths: certificates, revocation lists and the names in them.',
    notes: {
      forgery: {
        kind: 'attack',
        description: 'Somebody who has a certificate makes another, or calls himself somebody else.',
      },
    },
    groups: [
      {
        operation: 'path',
        at: generalizedTimeText(now),
        anchors: [base64(commonRoot.der)],
        extendedKeyUsages: [oids.emailProtection],
        tests: cases.map(vector),
      },
    ],
  };
}

function generalizedTimeText(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}
