/**
 * Revocation as RFC 5280 section 6.3 judges it, case by case: certificates and lists by test CAs with the verdict when
 * revocation must be known. The verdicts follow from the RFC; `openssl` tells where that program says otherwise.
 */
import { derContext, derSequence, derOid, derSetOf, der } from '../../../src/asn1/writer.ts';
import { utf8 } from '../../../src/bytes.ts';
import type { Crl } from '../../../src/x509/crl.ts';
import type { PathOutcome } from '../../../src/x509/path-validation.ts';
import {
  crypto,
  daysFromNow,
  directoryName,
  distributionPoints,
  flag,
  fullName,
  issue,
  issueCrl,
  type CrlInput,
  type Issued,
  type IssueOptions,
  reasonFlags,
  serializeExtension,
  uriName,
} from './support.ts';

export interface RevocationWorld {
  readonly root: Issued;
  readonly ca: Issued;
  readonly target: Issued;
  readonly others: readonly Issued[];
  readonly crls: readonly Crl[];
}

export interface RevocationCase {
  readonly name: string;
  readonly expected: PathOutcome;
  /** Where OpenSSL's verdict differs, and why. */
  readonly openssl?: string | undefined;
  readonly build: () => Promise<RevocationWorld>;
}

interface Parts {
  readonly target?: Partial<IssueOptions> | undefined;
  readonly ca?: Partial<IssueOptions> | undefined;
  readonly rootCrl?: Partial<CrlInput> | null | undefined;
  /** The lists about the target. */
  crls(world: { readonly root: Issued; readonly ca: Issued; readonly target: Issued }): Promise<{
    readonly lists: readonly Crl[];
    readonly others?: readonly Issued[];
  }>;
}

function world(parts: Parts): () => Promise<RevocationWorld> {
  return async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const ca = await issue({ subject: 'CA', issuer: root, ca: true, ...parts.ca });
    const target = await issue({ subject: 'juliet', issuer: ca, ...parts.target });
    const rootLists = parts.rootCrl === null ? [] : [await issueCrl({ issuer: root, ...parts.rootCrl })];
    const { lists, others = [] } = await parts.crls({ root, ca, target });
    return { root, ca, target, others, crls: [...rootLists, ...lists] };
  };
}

/** One list by the CA. */
function one(
  input: (target: Issued, ca: Issued) => Partial<CrlInput>,
  parts: Partial<Parts> = {},
): () => Promise<RevocationWorld> {
  return world({
    ...parts,
    crls: async ({ ca, target }) => ({ lists: [await issueCrl({ issuer: ca, ...input(target, ca) })] }),
  });
}

const revoke = (target: Issued, reason?: number): NonNullable<CrlInput['revoked']> => [
  { serial: target.certificate.serial, reason },
];
const point = uriName('http://crl.example/1.crl');
const otherPoint = uriName('http://crl.example/2.crl');
const unknownExtension = serializeExtension('1.2.3.4.5', true, derSequence());
/** Tells that there are delta lists (section 5.2.6); OpenSSL looks for none without it. */
const freshest = serializeExtension('2.5.29.46', false, derSequence(derSequence(fullName(otherPoint))));
const notReasons = reasonFlags(3, 1, 2);
const restOfReasons = der(0x83, Uint8Array.of(7, 0x1f, 0x80));

export const revocationCases: readonly RevocationCase[] = [
  { name: 'not listed', expected: 'trusted', build: one(() => ({})) },
  { name: 'listed', expected: 'revoked', build: one((target) => ({ revoked: revoke(target) })) },
  { name: 'listed with a reason', expected: 'revoked', build: one((target) => ({ revoked: revoke(target, 1) })) },
  { name: 'on hold', expected: 'revoked', build: one((target) => ({ revoked: revoke(target, 6) })) },
  {
    name: 'another serial number listed',
    expected: 'trusted',
    build: one(() => ({ revoked: [{ serial: Uint8Array.of(7) }] })),
  },
  {
    name: 'the CA is listed by the root',
    expected: 'revoked',
    build: async () => {
      const root = await issue({ subject: 'Root', ca: true });
      const ca = await issue({ subject: 'CA', issuer: root, ca: true });
      const target = await issue({ subject: 'juliet', issuer: ca });
      const crls = [await issueCrl({ issuer: root, revoked: revoke(ca) }), await issueCrl({ issuer: ca })];
      return { root, ca, target, others: [], crls };
    },
  },
  { name: 'no list at all', expected: 'untrusted', build: world({ crls: () => Promise.resolve({ lists: [] }) }) },
  { name: 'no list of the root', expected: 'untrusted', build: one(() => ({}), { rootCrl: null }) },
  {
    name: 'a list that another key signed',
    expected: 'untrusted',
    build: world({
      crls: async ({ ca }) => {
        const stranger = await crypto.generateKeyPair({ algorithm: 'ed25519' });
        return { lists: [await issueCrl({ issuer: ca, signWith: stranger })] };
      },
    }),
  },
  {
    name: 'a list of another issuer',
    expected: 'untrusted',
    build: world({
      crls: async ({ ca }) => ({
        lists: [await issueCrl({ issuer: { ...ca, name: (await issue({ subject: 'Other' })).name } })],
      }),
    }),
  },
  {
    name: 'nextUpdate has passed',
    expected: 'untrusted',
    build: one(() => ({ thisUpdate: daysFromNow(-40), nextUpdate: daysFromNow(-1) })),
  },
  {
    name: 'listed, and nextUpdate has passed',
    expected: 'revoked',
    build: one((target) => ({ revoked: revoke(target), thisUpdate: daysFromNow(-5), nextUpdate: daysFromNow(-1) })),
  },
  { name: 'version 1', expected: 'trusted', build: one(() => ({ version1: true })) },
  {
    name: 'version 1, listed',
    expected: 'revoked',
    build: one((target) => ({ version1: true, revoked: revoke(target) })),
  },
  {
    name: 'unknown critical extension of the list',
    expected: 'untrusted',
    build: one(() => ({ extensions: [unknownExtension] })),
  },
  {
    name: 'unknown critical extension of an entry about another certificate',
    expected: 'untrusted',
    build: one(() => ({ revoked: [{ serial: Uint8Array.of(7), extensions: [unknownExtension] }] })),
  },
  {
    name: 'the CA may not sign lists',
    expected: 'untrusted',
    build: one(() => ({}), { ca: { keyUsage: ['keyCertSign'] } }),
  },
  {
    name: 'a second key of the CA signs lists',
    expected: 'trusted',
    build: world({
      crls: async ({ root, ca }) => {
        const signer = await issue({ subject: 'CA', issuer: root, keyUsage: ['cRLSign'] });
        return { lists: [await issueCrl({ issuer: { ...signer, name: ca.name } })], others: [signer] };
      },
    }),
  },
  {
    name: 'a second key of the CA that may not sign lists',
    expected: 'untrusted',
    openssl: 'the program reports the error and goes on',
    build: world({
      crls: async ({ root, ca }) => {
        const signer = await issue({ subject: 'CA', issuer: root, keyUsage: ['digitalSignature'] });
        return { lists: [await issueCrl({ issuer: { ...signer, name: ca.name } })], others: [signer] };
      },
    }),
  },
  {
    name: 'a key of the name of the CA that nobody vouches for',
    expected: 'untrusted',
    build: world({
      crls: async ({ ca }) => {
        const signer = await issue({ subject: 'CA', keyUsage: ['cRLSign'] });
        return { lists: [await issueCrl({ issuer: { ...signer, name: ca.name } })], others: [signer] };
      },
    }),
  },
  { name: 'scope: user certificates', expected: 'trusted', build: one(() => ({ scope: [flag(1)] })) },
  { name: 'scope: CA certificates', expected: 'untrusted', build: one(() => ({ scope: [flag(2)] })) },
  { name: 'scope: attribute certificates', expected: 'untrusted', build: one(() => ({ scope: [flag(5)] })) },
  {
    name: 'scope of the root: CA certificates',
    expected: 'trusted',
    build: one(() => ({}), { rootCrl: { scope: [flag(2)] } }),
  },
  {
    name: 'scope of the root: user certificates',
    expected: 'untrusted',
    build: one(() => ({}), { rootCrl: { scope: [flag(1)] } }),
  },
  {
    name: 'distribution point of the same name',
    expected: 'trusted',
    build: one(() => ({ scope: [fullName(point)] }), {
      target: { extensions: [distributionPoints([fullName(point)])] },
    }),
  },
  {
    name: 'distribution point of the same name, listed',
    expected: 'revoked',
    build: one((target) => ({ scope: [fullName(point)], revoked: revoke(target) }), {
      target: { extensions: [distributionPoints([fullName(point)])] },
    }),
  },
  {
    name: 'distribution point of another name',
    expected: 'untrusted',
    build: one(() => ({ scope: [fullName(otherPoint)] }), {
      target: { extensions: [distributionPoints([fullName(point)])] },
    }),
  },
  {
    name: 'distribution point of another name, listed there',
    expected: 'untrusted',
    build: one((target) => ({ scope: [fullName(otherPoint)], revoked: revoke(target) }), {
      target: { extensions: [distributionPoints([fullName(point)])] },
    }),
  },
  {
    name: 'one of two names of a distribution point',
    expected: 'trusted',
    build: one(() => ({ scope: [fullName(otherPoint, point)] }), {
      target: { extensions: [distributionPoints([fullName(point)])] },
    }),
  },
  {
    name: 'distribution point by a name relative to the issuer',
    expected: 'trusted',
    build: async () => {
      const rdn = derSetOf([derSequence(derOid('2.5.4.11'), der(0x0c, utf8('list 1')))]);
      const relative = derContext(0, derContext(1, ...rdn.parts));
      const build = one((_target, ca) => ({ scope: [relative], issuer: ca }), {
        target: { extensions: [distributionPoints([relative])] },
      });
      return build();
    },
  },
  {
    name: 'distribution point in the list alone',
    expected: 'untrusted',
    build: one(() => ({ scope: [fullName(point)] })),
  },
  { name: 'some reasons', expected: 'untrusted', build: one(() => ({ scope: [notReasons] })) },
  {
    name: 'some reasons, listed',
    expected: 'revoked',
    build: one((target) => ({ scope: [notReasons], revoked: revoke(target, 1) })),
  },
  {
    name: 'all reasons by two lists',
    expected: 'trusted',
    build: world({
      crls: async ({ ca }) => ({
        lists: [
          await issueCrl({ issuer: ca, scope: [notReasons] }),
          await issueCrl({ issuer: ca, scope: [restOfReasons] }),
        ],
      }),
    }),
  },
  {
    name: 'all reasons by two lists, listed in the second',
    expected: 'revoked',
    build: world({
      crls: async ({ ca, target }) => ({
        lists: [
          await issueCrl({ issuer: ca, scope: [notReasons] }),
          await issueCrl({ issuer: ca, scope: [restOfReasons], revoked: revoke(target, 4) }),
        ],
      }),
    }),
  },
  {
    name: 'a delta list revokes',
    expected: 'revoked',
    build: world({
      crls: async ({ ca, target }) => ({
        lists: [
          await issueCrl({ issuer: ca, number: 5, extensions: [freshest] }),
          await issueCrl({ issuer: ca, number: 6, baseNumber: 5, revoked: revoke(target, 1) }),
        ],
      }),
    }),
  },
  {
    name: 'a delta list that does not name it',
    expected: 'trusted',
    build: world({
      crls: async ({ ca }) => ({
        lists: [
          await issueCrl({ issuer: ca, number: 5, extensions: [freshest] }),
          await issueCrl({ issuer: ca, number: 6, baseNumber: 5 }),
        ],
      }),
    }),
  },
  {
    name: 'a delta list ends a hold',
    expected: 'trusted',
    build: world({
      crls: async ({ ca, target }) => ({
        lists: [
          await issueCrl({ issuer: ca, number: 5, extensions: [freshest], revoked: revoke(target, 6) }),
          await issueCrl({ issuer: ca, number: 6, baseNumber: 5, revoked: revoke(target, 8) }),
        ],
      }),
    }),
  },
  {
    name: 'a delta list of another scope ends no hold',
    expected: 'revoked',
    build: world({
      crls: async ({ ca, target }) => ({
        lists: [
          await issueCrl({ issuer: ca, number: 5, extensions: [freshest], revoked: revoke(target, 6) }),
          await issueCrl({ issuer: ca, number: 6, baseNumber: 5, scope: [flag(1)], revoked: revoke(target, 8) }),
        ],
      }),
    }),
  },
  {
    name: 'a delta list to a newer base ends no hold',
    expected: 'revoked',
    build: world({
      crls: async ({ ca, target }) => ({
        lists: [
          await issueCrl({ issuer: ca, number: 5, extensions: [freshest], revoked: revoke(target, 6) }),
          await issueCrl({ issuer: ca, number: 9, baseNumber: 8, revoked: revoke(target, 8) }),
        ],
      }),
    }),
  },
  {
    name: 'a delta list alone',
    expected: 'untrusted',
    build: one(() => ({ number: 6, baseNumber: 5 })),
  },
  {
    name: 'an indirect list',
    expected: 'trusted',
    build: indirect(() => []),
  },
  {
    name: 'an indirect list that names the certificate and its issuer',
    expected: 'revoked',
    build: indirect((target, ca) => [{ serial: target.certificate.serial, certificateIssuer: ca.name }]),
  },
  {
    name: 'an indirect list that names the serial number of its own issuer',
    expected: 'trusted',
    build: indirect((target) => [{ serial: target.certificate.serial }]),
  },
  {
    name: 'an indirect list whose entry inherits the issuer of the entry before it',
    expected: 'revoked',
    build: indirect((target, ca) => [
      { serial: Uint8Array.of(9), certificateIssuer: ca.name },
      { serial: target.certificate.serial },
    ]),
  },
  {
    name: 'a list of an issuer that the certificate names, not marked as indirect',
    expected: 'untrusted',
    build: indirect(() => [], []),
  },
];

/** The root issues another authority, whose list speaks for the certificates of the CA. */
function indirect(
  revoked: (target: Issued, ca: Issued) => NonNullable<CrlInput['revoked']>,
  scope: CrlInput['scope'] = [flag(4)],
): () => Promise<RevocationWorld> {
  return async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const ca = await issue({ subject: 'CA', issuer: root, ca: true });
    const lister = await issue({ subject: 'List authority', issuer: root, keyUsage: ['cRLSign'] });
    const target = await issue({
      subject: 'juliet',
      issuer: ca,
      extensions: [distributionPoints([fullName(point), derContext(2, directoryName(lister.name))])],
    });
    const list = await issueCrl({
      issuer: lister,
      scope: scope.length === 0 ? undefined : scope,
      revoked: revoked(target, ca),
    });
    const crls = [await issueCrl({ issuer: root }), list];
    return { root, ca, target, others: [lister], crls };
  };
}
