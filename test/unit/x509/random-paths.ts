/**
 * Seeded certification graphs: CAs that certify one another in any way (also in loops, under names that others have,
 * with two certificates for one key), a target, and extensions that are now and then wrong. Nobody knows the verdict.
 */
import { oids } from '../../../src/asn1/oids.ts';
import { type DerPart, der, derContext, derOid, derSequence } from '../../../src/asn1/writer.ts';
import { utf8 } from '../../../src/bytes.ts';
import type { KeyPair } from '../../../src/crypto/provider.ts';
import type { Certificate } from '../../../src/x509/certificate.ts';
import type { KeyUsage } from '../../../src/x509/certificate-extensions.ts';
import type { Crl } from '../../../src/x509/crl.ts';
import type { PolicyInputs } from '../../../src/x509/policy-graph.ts';
import { random } from './random.ts';
import {
  crypto,
  daysFromNow,
  directoryName,
  inhibitAnyExtension,
  issue,
  issueCrl,
  type CrlInput,
  type Issued,
  type IssueOptions,
  mappingsExtension,
  policiesExtension,
  policyConstraintsExtension,
  flag,
  serializeExtension,
  uriName,
} from './support.ts';

export interface RandomGraph {
  readonly seed: number;
  readonly target: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  /** Undefined where revocation is not asked about. */
  readonly crls: readonly Crl[] | undefined;
  readonly policies: Partial<PolicyInputs>;
}

type Next = (below: number) => number;

const policyNames = ['1.3.6.1.4.1.55555.1', '1.3.6.1.4.1.55555.2', oids.anyPolicy];

const subtrees: readonly DerPart[] = [
  der(0x82, utf8('example.com')),
  der(0x82, utf8('a.example.com')),
  der(0x81, utf8('example.com')),
  der(0x81, utf8('.example.com')),
  der(0x81, utf8('juliet@example.com')),
  der(0x86, utf8('.example.com')),
  der(0x87, Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0)),
];

const names: readonly DerPart[] = [
  der(0x82, utf8('example.com')),
  der(0x82, utf8('a.example.com')),
  der(0x82, utf8('b.example.org')),
  der(0x81, utf8('juliet@example.com')),
  der(0x81, utf8('juliet@a.example.com')),
  der(0x81, utf8('romeo@example.net')),
  uriName('https://a.example.com/'),
  uriName('im:juliet@example.com'),
  der(0x87, Uint8Array.of(10, 1, 2, 3)),
  der(0x87, Uint8Array.of(11, 1, 2, 3)),
  derContext(0, derOid(oids.xmppAddr), derContext(0, der(0x0c, utf8('juliet@example.com')))),
];

/** Once in so many times. */
function seldom(next: Next, often: number): boolean {
  return next(often) === 0;
}

function some<T>(next: Next, list: readonly T[], most: number): readonly T[] {
  return Array.from({ length: 1 + next(most) }, () => list[next(list.length)]!);
}

function caOptions(next: Next): Partial<IssueOptions> {
  const extensions: DerPart[] = [];
  if (seldom(next, 6)) {
    const subject = directoryName((next(2) === 0 ? nameA : nameB)());
    const bases = seldom(next, 4) ? [subject] : some(next, subtrees, 2);
    const field = derContext(next(2), ...bases.map((base) => derSequence(base)));
    extensions.push(serializeExtension(oids.nameConstraints, true, derSequence(field)));
  }
  if (next(3) > 0) extensions.push(policiesOf(next));
  if (seldom(next, 10)) {
    extensions.push(mappingsExtension([policyNames[next(2)]!, policyNames[seldom(next, 6) ? 2 : next(2)]!]));
  }
  const constraint = next(12);
  if (constraint === 0) extensions.push(policyConstraintsExtension(next(3)));
  if (constraint === 1) extensions.push(policyConstraintsExtension(undefined, next(2)));
  if (seldom(next, 12)) extensions.push(inhibitAnyExtension(next(2)));
  if (seldom(next, 25)) extensions.push(serializeExtension('1.2.3.4', next(2) === 0, derSequence()));
  const usages: readonly KeyUsage[][] = [['keyCertSign', 'cRLSign'], ['keyCertSign'], [], ['cRLSign']];
  return {
    ca: seldom(next, 20) ? false : seldom(next, 4) ? next(3) : true,
    noBasicConstraints: seldom(next, 25),
    keyUsage: usages[seldom(next, 8) ? next(4) : 0],
    extendedKeyUsage: seldom(next, 12) ? [next(2) === 0 ? oids.emailProtection : '1.3.6.1.5.5.7.3.1'] : undefined,
    notAfter: daysFromNow(seldom(next, 25) ? -1 : 180),
    notBefore: daysFromNow(seldom(next, 25) ? 1 : -180),
    extensions,
  };
}

/** OpenSSL 3.0 lets anyPolicy cover nothing where another policy stands beside it; `policy-graph.test.ts` has that. */
function policiesOf(next: Next): DerPart {
  return policiesExtension(...(seldom(next, 3) ? [oids.anyPolicy] : new Set(some(next, policyNames.slice(0, 2), 2))));
}

function nameA(): Uint8Array {
  return distinguished('A');
}

function nameB(): Uint8Array {
  return distinguished('target');
}

function distinguished(text: string): Uint8Array {
  const value = Uint8Array.of(0x0c, text.length, ...utf8(text));
  const attribute = Uint8Array.of(0x30, 5 + value.length, 6, 3, 0x55, 4, 3, ...value);
  return Uint8Array.of(0x30, 2 + attribute.length, 0x31, attribute.length, ...attribute);
}

function targetOptions(next: Next): Partial<IssueOptions> {
  const extensions: DerPart[] = [];
  if (next(2) === 0) {
    extensions.push(serializeExtension(oids.subjectAltName, false, derSequence(...some(next, names, 2))));
  }
  if (next(3) > 0) extensions.push(policiesOf(next));
  if (seldom(next, 25)) extensions.push(serializeExtension('1.2.3.4', next(2) === 0, derSequence()));
  const usages: readonly KeyUsage[][] = [['digitalSignature'], ['nonRepudiation'], [], ['keyAgreement']];
  return {
    keyUsage: usages[seldom(next, 5) ? next(4) : 0],
    extendedKeyUsage: seldom(next, 8) ? [next(2) === 0 ? oids.emailProtection : '1.3.6.1.5.5.7.3.1'] : undefined,
    notAfter: daysFromNow(seldom(next, 20) ? -1 : 180),
    extensions,
  };
}

/** The graph of a seed; keys are new each time. */
export async function randomGraph(seed: number): Promise<RandomGraph> {
  const next = random(seed);
  for (let i = 0; i < 3; i++) next(2);
  const keys: KeyPair[] = [];
  for (let i = 0; i < 5; i++) keys.push(await crypto.generateKeyPair({ algorithm: 'ed25519' }));
  const root = await issue({ subject: 'Root', ca: seldom(next, 8) ? next(3) : true });
  const cas: Issued[] = [];
  const certificates: Issued[] = [];
  const count = 1 + next(4);
  for (let i = 0; i < count; i++) {
    const issuer = i === 0 || seldom(next, 4) ? root : cas[i - 1]!;
    const again = seldom(next, 8) && issuer !== root;
    const subject = again ? nameOf(issuer) : seldom(next, 10) ? 'A' : String.fromCharCode(65 + i);
    const one = await issue({ subject, issuer, keys: keys[i], ...caOptions(next) });
    cas.push(one);
    certificates.push(one);
  }
  // Cross-certificates, also from below to above, and others for the same key.
  for (let i = next(4); i > 0; i--) {
    const subject = cas[next(cas.length)]!;
    const issuer = [root, ...cas][next(cas.length + 1)]!;
    if (subject === issuer) continue;
    certificates.push(await issue({ subject: nameOf(subject), issuer, keys: subject.keys, ...caOptions(next) }));
  }
  const issuer = cas.at(-1)!;
  const forged = seldom(next, 25) ? { ...issuer, keys: keys[4]! } : issuer;
  const target = await issue({ subject: 'target', issuer: forged, ...targetOptions(next) });
  const intermediates = certificates.map(({ certificate }) => certificate);
  for (let i = intermediates.length - 1; i > 0; i--) {
    const j = next(i + 1);
    [intermediates[i], intermediates[j]] = [intermediates[j]!, intermediates[i]!];
  }
  if (seldom(next, 20)) intermediates.pop();
  // Of two lists by one name OpenSSL takes one, and does not try the other.
  const distinct = new Set(cas.map(nameOf)).size === cas.length;
  const crls = distinct && seldom(next, 3) ? await lists(next, [root, ...cas], [...certificates, target]) : undefined;
  const policies = seldom(next, 3)
    ? {
        requireExplicitPolicy: true,
        initialPolicies: [policyNames[next(3)]!],
        inhibitAnyPolicy: seldom(next, 4),
        inhibitPolicyMapping: seldom(next, 4),
      }
    : {};
  const { certificate } = target;
  return { seed, target: certificate, intermediates, anchors: [root.certificate], crls, policies };
}

function nameOf({ certificate }: Issued): string {
  return certificate.subject.rdns[0]![0]!.text!;
}

async function lists(next: Next, cas: readonly Issued[], all: readonly Issued[]): Promise<readonly Crl[]> {
  const crls: Crl[] = [];
  for (const issuer of cas) {
    if (seldom(next, 15)) continue;
    const below = all.filter(({ certificate }) => certificate.issuer.key === issuer.certificate.subject.key);
    const revoked: NonNullable<CrlInput['revoked']> = seldom(next, 6)
      ? below.slice(0, 1).map(({ certificate }) => ({ serial: certificate.serial, reason: [1, 4, 6][next(3)] }))
      : [];
    crls.push(
      await issueCrl({
        issuer,
        revoked,
        nextUpdate: daysFromNow(seldom(next, 15) ? -1 : 30),
        scope: seldom(next, 12) ? [flag(1 + next(2))] : undefined,
      }),
    );
  }
  return crls;
}
