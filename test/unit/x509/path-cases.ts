/**
 * Paths as RFC 5280 section 6.1 judges them: chains by test CAs with their verdict, from the text of the RFC.
 */
import { oids } from '../../../src/asn1/oids.ts';
import { type DerPart, der, derContext, derSequence } from '../../../src/asn1/writer.ts';
import { utf8 } from '../../../src/bytes.ts';
import type { PathOutcome, PathValidationInput } from '../../../src/x509/path-validation.ts';
import {
  daysFromNow,
  inhibitAnyExtension,
  issue,
  type Issued,
  type IssueOptions,
  mappingsExtension,
  policiesExtension,
  policyConstraintsExtension,
  serializeExtension,
  uriName,
} from './support.ts';

export interface PathCase {
  readonly name: string;
  readonly expected: PathOutcome;
  readonly policies?: PathValidationInput['policies'];
  /** The user-constrained policy set, where it matters. */
  readonly found?: readonly string[] | undefined;
  /** From the certificate under the root down to the target. */
  readonly chain: readonly Link[];
  readonly root?: Partial<IssueOptions> | undefined;
}

/** One certificate; `again` for a self-issued one: the same name, a new key. */
export type Link = Partial<IssueOptions> & { readonly again?: boolean };

export interface PathWorld {
  readonly root: Issued;
  readonly chain: readonly Issued[];
}

export async function buildPath({ chain, root: options }: PathCase): Promise<PathWorld> {
  const root = await issue({ subject: 'Root', ca: true, ...options });
  const issued: Issued[] = [];
  let issuer = root;
  let name = 'Root';
  for (const [index, { again, ...link }] of chain.entries()) {
    const last = index === chain.length - 1;
    name = again === true ? name : last ? 'target' : `CA ${index + 1}`;
    issuer = await issue({ subject: name, issuer, ca: !last, ...link });
    issued.push(issuer);
  }
  return { root, chain: issued };
}

const a = '1.3.6.1.4.1.55555.1';
const b = '1.3.6.1.4.1.55555.2';
const c = '1.3.6.1.4.1.55555.3';
const any = oids.anyPolicy;
const policies = (...list: readonly string[]): Link => ({ extensions: [policiesExtension(...list)] });
const withExtensions = (...extensions: readonly DerPart[]): Link => ({ extensions });
const explicit = { requireExplicitPolicy: true } as const;
const wants = (...list: readonly string[]) => ({ ...explicit, initialPolicies: list });
const again = (link: Link = {}): Link => ({ ...link, again: true });

function constraints(kind: 'permitted' | 'excluded', ...names: readonly DerPart[]): Link {
  const subtrees = derContext(kind === 'permitted' ? 0 : 1, ...names.map((name) => derSequence(name)));
  return withExtensions(serializeExtension(oids.nameConstraints, true, derSequence(subtrees)));
}

function altNames(...names: readonly DerPart[]): Link {
  return withExtensions(serializeExtension(oids.subjectAltName, false, derSequence(...names)));
}

const dns = (text: string): DerPart => der(0x82, utf8(text));
const mail = (text: string): DerPart => der(0x81, utf8(text));
const ip = (...octets: readonly number[]): DerPart => der(0x87, Uint8Array.from(octets));
const directory = (name: string): DerPart =>
  derContext(4, derSequence(der(0x31, derSequence(der(0x06, Uint8Array.of(0x55, 4, 3)), der(0x0c, utf8(name))))));
const xmpp = (text: string): DerPart =>
  derContext(0, der(0x06, Uint8Array.of(0x2b, 6, 1, 5, 5, 7, 8, 5)), derContext(0, der(0x0c, utf8(text))));

const basic: readonly PathCase[] = [
  { name: 'issued by the anchor', expected: 'trusted', chain: [{}] },
  { name: 'two CAs', expected: 'trusted', chain: [{}, {}, {}] },
  { name: 'a CA has expired', expected: 'expired', chain: [{ notAfter: daysFromNow(-1) }, {}] },
  { name: 'a CA is not valid yet', expected: 'expired', chain: [{ notBefore: daysFromNow(1) }, {}] },
  { name: 'the target has expired', expected: 'expired', chain: [{}, { notAfter: daysFromNow(-1) }] },
  { name: 'the anchor has expired', expected: 'expired', root: { notAfter: daysFromNow(-1) }, chain: [{}] },
  { name: 'the issuer is an end entity', expected: 'untrusted', chain: [{ ca: false }, {}] },
  { name: 'the issuer has no basicConstraints', expected: 'untrusted', chain: [{ noBasicConstraints: true }, {}] },
  {
    name: 'the issuer may not sign certificates',
    expected: 'untrusted',
    chain: [{ keyUsage: ['cRLSign', 'digitalSignature'] }, {}],
  },
  { name: 'the issuer has no keyUsage', expected: 'trusted', chain: [{ keyUsage: [] }, {}] },
  {
    name: 'unknown critical extension of the target',
    expected: 'untrusted',
    chain: [{}, withExtensions(serializeExtension('1.2.3.4', true, derSequence()))],
  },
  {
    name: 'unknown critical extension of a CA',
    expected: 'untrusted',
    chain: [withExtensions(serializeExtension('1.2.3.4', true, derSequence())), {}],
  },
  {
    name: 'unknown extension that is not critical',
    expected: 'trusted',
    chain: [{}, withExtensions(serializeExtension('1.2.3.4', false, derSequence()))],
  },
  { name: 'pathLen 0 and no further CA', expected: 'trusted', chain: [{ ca: 0 }, {}] },
  { name: 'pathLen 0 and a further CA', expected: 'untrusted', chain: [{ ca: 0 }, {}, {}] },
  { name: 'pathLen 0 and a CA as target', expected: 'trusted', chain: [{ ca: 0 }, { ca: true }] },
  { name: 'pathLen 1 and two further CAs', expected: 'untrusted', chain: [{ ca: 1 }, {}, {}, {}] },
  { name: 'pathLen 6, then 0, and a further CA', expected: 'untrusted', chain: [{ ca: 6 }, { ca: 0 }, {}, {}] },
  { name: 'pathLen 0, then 6, and a further CA', expected: 'untrusted', chain: [{ ca: 0 }, { ca: 6 }, {}, {}] },
  { name: 'pathLen 0 and a self-issued CA', expected: 'trusted', chain: [{ ca: 0 }, again({ ca: true }), {}] },
  {
    name: 'pathLen 0, a self-issued CA, and a further CA',
    expected: 'untrusted',
    chain: [{ ca: 0 }, again({ ca: true }), {}, {}],
  },
  {
    name: 'pathLen 1, self-issued CAs on both levels',
    expected: 'trusted',
    chain: [{ ca: 1 }, again({ ca: true }), {}, again({ ca: true }), {}],
  },
  { name: 'pathLen of the anchor', expected: 'untrusted', root: { ca: 0 }, chain: [{}, {}] },
];

const policyCases: readonly PathCase[] = [
  {
    name: 'one policy throughout',
    expected: 'trusted',
    policies: explicit,
    found: [a],
    chain: [policies(a), policies(a)],
  },
  {
    name: 'one policy throughout, asked for',
    expected: 'trusted',
    policies: wants(a),
    found: [a],
    chain: [policies(a), policies(a)],
  },
  {
    name: 'one policy throughout, another asked for',
    expected: 'untrusted',
    policies: wants(b),
    chain: [policies(a), policies(a)],
  },
  { name: 'no policies and none required', expected: 'trusted', chain: [{}, {}] },
  { name: 'no policies and one required', expected: 'untrusted', policies: explicit, chain: [{}, {}] },
  { name: 'different policies, none required', expected: 'trusted', found: [], chain: [policies(a), policies(b)] },
  {
    name: 'different policies, one required',
    expected: 'untrusted',
    policies: explicit,
    chain: [policies(a), policies(b)],
  },
  {
    name: 'overlapping policies',
    expected: 'trusted',
    policies: explicit,
    found: [b],
    chain: [policies(a, b), policies(b, c)],
  },
  {
    name: 'anyPolicy in the CA',
    expected: 'trusted',
    policies: explicit,
    found: [a],
    chain: [policies(any), policies(a)],
  },
  {
    name: 'anyPolicy throughout',
    expected: 'trusted',
    policies: wants(a),
    found: [a],
    chain: [policies(any), policies(any)],
  },
  {
    name: 'anyPolicy in the target',
    expected: 'trusted',
    policies: wants(a),
    found: [a],
    chain: [policies(a), policies(any)],
  },
  {
    name: 'requireExplicitPolicy at once',
    expected: 'untrusted',
    chain: [withExtensions(policyConstraintsExtension(0)), {}],
  },
  {
    name: 'requireExplicitPolicy after more certificates than there are',
    expected: 'trusted',
    chain: [withExtensions(policyConstraintsExtension(5)), {}, {}],
  },
  {
    name: 'requireExplicitPolicy after one further certificate',
    expected: 'untrusted',
    chain: [withExtensions(policyConstraintsExtension(1), policiesExtension(a)), policies(a), policies(b)],
  },
  {
    name: 'requireExplicitPolicy 0 in the target',
    expected: 'untrusted',
    chain: [{}, withExtensions(policyConstraintsExtension(0))],
  },
  {
    name: 'self-issued certificates do not count for requireExplicitPolicy',
    expected: 'trusted',
    chain: [
      withExtensions(policyConstraintsExtension(2), policiesExtension(a)),
      again({ ca: true, ...policies(a) }),
      policies(b),
    ],
  },
  {
    name: 'mapping',
    expected: 'trusted',
    policies: explicit,
    found: [a],
    chain: [withExtensions(policiesExtension(a), mappingsExtension([a, b])), policies(b)],
  },
  {
    name: 'mapping, the policy of the subject asked for',
    expected: 'untrusted',
    policies: wants(b),
    chain: [withExtensions(policiesExtension(a), mappingsExtension([a, b])), policies(b)],
  },
  {
    name: 'mapping, the target has the policy of the issuer',
    expected: 'untrusted',
    policies: explicit,
    chain: [withExtensions(policiesExtension(a), mappingsExtension([a, b])), policies(a)],
  },
  {
    name: 'mapping to two policies',
    expected: 'trusted',
    policies: wants(a),
    found: [a],
    chain: [withExtensions(policiesExtension(a), mappingsExtension([a, b], [a, c])), policies(c)],
  },
  {
    name: 'two mappings in a row',
    expected: 'trusted',
    policies: wants(a),
    found: [a],
    chain: [
      withExtensions(policiesExtension(a), mappingsExtension([a, b])),
      withExtensions(policiesExtension(b), mappingsExtension([b, c])),
      policies(c),
    ],
  },
  {
    name: 'mapping of a policy that anyPolicy covers',
    expected: 'trusted',
    policies: wants(a),
    found: [a],
    chain: [withExtensions(policiesExtension(any), mappingsExtension([a, b])), policies(b)],
  },
  {
    name: 'mapping to anyPolicy',
    expected: 'untrusted',
    chain: [withExtensions(policiesExtension(a), mappingsExtension([a, any])), policies(b)],
  },
  {
    name: 'mapping from anyPolicy',
    expected: 'untrusted',
    chain: [withExtensions(policiesExtension(a), mappingsExtension([any, b])), policies(b)],
  },
  {
    name: 'mapping to anyPolicy of a policy that nobody expects, and the target has an expected one',
    expected: 'untrusted',
    chain: [policies(a), withExtensions(policiesExtension(b), mappingsExtension([b, any])), policies(a)],
  },
  {
    name: 'no expected policy on the way, and one in the target',
    expected: 'untrusted',
    policies: explicit,
    chain: [policies(a), policies(b), policies(a)],
  },
  {
    name: 'mapping inhibited by the user',
    expected: 'untrusted',
    policies: { ...explicit, inhibitPolicyMapping: true },
    chain: [withExtensions(policiesExtension(a), mappingsExtension([a, b])), policies(b)],
  },
  {
    name: 'mapping inhibited by a CA above',
    expected: 'untrusted',
    policies: explicit,
    chain: [
      withExtensions(policiesExtension(a), policyConstraintsExtension(undefined, 0)),
      withExtensions(policiesExtension(a), mappingsExtension([a, b])),
      policies(b),
    ],
  },
  {
    name: 'mapping allowed once more',
    expected: 'trusted',
    policies: explicit,
    found: [a],
    chain: [
      withExtensions(policiesExtension(a), policyConstraintsExtension(undefined, 1)),
      withExtensions(policiesExtension(a), mappingsExtension([a, b])),
      policies(b),
    ],
  },
  {
    name: 'anyPolicy inhibited by the user',
    expected: 'untrusted',
    policies: { ...explicit, inhibitAnyPolicy: true },
    chain: [policies(any), policies(a)],
  },
  {
    name: 'anyPolicy inhibited by a CA above',
    expected: 'untrusted',
    policies: explicit,
    chain: [withExtensions(policiesExtension(any), inhibitAnyExtension(0)), policies(any)],
  },
  {
    name: 'anyPolicy allowed once more',
    expected: 'trusted',
    policies: explicit,
    found: [any],
    chain: [withExtensions(policiesExtension(any), inhibitAnyExtension(1)), policies(any)],
  },
  {
    name: 'anyPolicy inhibited but in a self-issued certificate',
    expected: 'trusted',
    policies: explicit,
    found: [a],
    chain: [
      withExtensions(policiesExtension(a), inhibitAnyExtension(0)),
      again({ ca: true, ...policies(any) }),
      policies(a),
    ],
  },
];

const nameCases: readonly PathCase[] = [
  {
    name: 'permitted host',
    expected: 'trusted',
    chain: [constraints('permitted', dns('example.com')), altNames(dns('a.example.com'))],
  },
  {
    name: 'host that is not permitted',
    expected: 'untrusted',
    chain: [constraints('permitted', dns('example.com')), altNames(dns('example.org'))],
  },
  {
    name: 'excluded host',
    expected: 'untrusted',
    chain: [constraints('excluded', dns('example.com')), altNames(dns('a.example.com'))],
  },
  {
    name: 'permitted by one CA, not by the next',
    expected: 'untrusted',
    chain: [
      constraints('permitted', dns('example.com')),
      constraints('permitted', dns('b.example.com')),
      altNames(dns('a.example.com')),
    ],
  },
  {
    name: 'permitted mail host',
    expected: 'trusted',
    chain: [constraints('permitted', mail('example.com')), altNames(mail('juliet@example.com'))],
  },
  {
    name: 'mail below a permitted host',
    expected: 'untrusted',
    chain: [constraints('permitted', mail('example.com')), altNames(mail('juliet@a.example.com'))],
  },
  {
    name: 'permitted address',
    expected: 'trusted',
    chain: [constraints('permitted', ip(10, 0, 0, 0, 255, 0, 0, 0)), altNames(ip(10, 1, 2, 3))],
  },
  {
    name: 'address that is not permitted',
    expected: 'untrusted',
    chain: [constraints('permitted', ip(10, 0, 0, 0, 255, 0, 0, 0)), altNames(ip(11, 1, 2, 3))],
  },
  { name: 'permitted subject', expected: 'trusted', chain: [constraints('permitted', directory('target')), {}] },
  {
    name: 'subject that is not permitted',
    expected: 'untrusted',
    chain: [constraints('permitted', directory('romeo')), {}],
  },
  { name: 'excluded subject', expected: 'untrusted', chain: [constraints('excluded', directory('target')), {}] },
  {
    name: 'subject that differs by case alone is excluded',
    expected: 'untrusted',
    chain: [constraints('excluded', directory('TARGET')), {}],
  },
  {
    name: 'constraints do not hold for a self-issued CA',
    expected: 'trusted',
    chain: [constraints('permitted', directory('target')), again({ ca: true }), {}],
  },
  {
    name: 'an im: URI under a URI constraint',
    expected: 'untrusted',
    chain: [constraints('permitted', uriName('.example.com')), altNames(uriName('im:juliet@example.com'))],
  },
  {
    name: 'an im: URI under an exclusion of another host',
    expected: 'untrusted',
    chain: [constraints('excluded', uriName('.example.org')), altNames(uriName('im:juliet@example.com'))],
  },
  {
    name: 'an XMPP address under a constraint on otherName',
    expected: 'untrusted',
    chain: [constraints('permitted', xmpp('juliet@example.com')), altNames(xmpp('juliet@example.com'))],
  },
  {
    name: 'an XMPP address under constraints of other forms',
    expected: 'trusted',
    chain: [
      constraints('permitted', dns('example.org')),
      altNames(xmpp('juliet@example.com'), uriName('im:juliet@example.com')),
    ],
  },
  {
    name: 'constraints of the anchor',
    expected: 'untrusted',
    root: constraints('permitted', dns('example.com')),
    chain: [altNames(dns('example.org'))],
  },
];

export const pathCases: readonly PathCase[] = [...basic, ...policyCases, ...nameCases];
