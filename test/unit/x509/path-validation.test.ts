import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { commonName } from '../../../src/x509/certificate-writer.ts';
import { type KeyPurpose, type PathValidationInput, validatePath } from '../../../src/x509/path-validation.ts';
import { buildPath, pathCases } from './path-cases.ts';
import {
  crypto,
  daysFromNow,
  defaultLimits,
  issue,
  type Issued,
  mappingsExtension,
  now,
  policiesExtension,
} from './support.ts';
import { cpuTime } from '../../cpu-time.ts';

const base = { at: now, limits: defaultLimits, crypto, purpose: 'any' } as const;

function input(target: Issued, others: readonly Issued[], anchors: readonly Issued[]): PathValidationInput {
  return {
    ...base,
    certificate: target.certificate,
    intermediates: others.map(({ certificate }) => certificate),
    anchors: anchors.map(({ certificate }) => certificate),
  };
}

describe('path validation (RFC 5280 section 6.1)', () => {
  for (const one of pathCases) {
    it(`${one.name}: ${one.expected}`, async () => {
      const { root, chain } = await buildPath(one);
      const target = chain.at(-1)!;
      const result = await validatePath({
        ...input(target, chain.slice(0, -1).reverse(), [root]),
        policies: one.policies,
      });
      expect(result.outcome, result.reason).toBe(one.expected);
      if (one.expected === 'trusted') {
        expect(result.chain.map(({ der }) => der)).toEqual(
          [...chain]
            .reverse()
            .concat(root)
            .map(({ certificate }) => certificate.der),
        );
        expect(result.trust).toBe('anchor');
        if (one.found !== undefined) expect([...result.policies].sort()).toEqual([...one.found].sort());
      } else {
        expect(result.failing).toBeDefined();
        expect(result.trust).toBeUndefined();
        expect(result.policies.size).toBe(0);
      }
    });
  }

  it('takes the extensions and the validity of an anchor out on request (RFC 5280 section 6.1.1 (d))', async () => {
    const root = await issue({ subject: 'Root', ca: 0, notAfter: daysFromNow(-1) });
    const ca = await issue({ subject: 'CA', issuer: root, ca: true });
    const target = await issue({ subject: 'target', issuer: ca });
    const question = input(target, [ca], [root]);
    expect((await validatePath(question)).outcome).toBe('untrusted');
    expect((await validatePath({ ...question, anchorConstraints: false })).outcome).toBe('expired');
    expect((await validatePath({ ...question, anchorConstraints: false, anchorValidity: false })).outcome).toBe(
      'trusted',
    );
  });

  it('allows for clocks that differ at the start of validity only', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const target = await issue({
      subject: 'target',
      issuer: root,
      notBefore: daysFromNow(0),
      notAfter: daysFromNow(1),
    });
    const judge = async (at: Date, clockSkewSeconds: number) =>
      (await validatePath({ ...input(target, [], [root]), at, clockSkewSeconds })).outcome;
    expect(await judge(new Date(now.getTime() - 1000), 0)).toBe('expired');
    expect(await judge(new Date(now.getTime() - 1000), 1)).toBe('trusted');
    expect(await judge(new Date(now.getTime() - 1001), 1)).toBe('expired');
    expect(await judge(daysFromNow(1), 300)).toBe('trusted');
    expect(await judge(new Date(daysFromNow(1).getTime() + 1), 300)).toBe('expired');
  });
});

describe('what a key may be used for (RFC 8550 section 4.4)', () => {
  const usages = [
    'digitalSignature',
    'nonRepudiation',
    'keyEncipherment',
    'keyAgreement',
    'keyCertSign',
    'cRLSign',
  ] as const;
  const allowed: Record<Exclude<KeyPurpose, 'any'>, readonly string[]> = {
    sign: ['digitalSignature', 'nonRepudiation'],
    'key-transport': ['keyEncipherment'],
    'key-agreement': ['keyAgreement'],
    'sign-crls': ['cRLSign'],
  };
  for (const [purpose, good] of Object.entries(allowed) as [KeyPurpose, readonly string[]][]) {
    it(`${purpose} needs one of ${good.join(', ')}, or no keyUsage at all`, async () => {
      const root = await issue({ subject: 'Root', ca: true });
      for (const usage of [...usages, undefined]) {
        const target = await issue({ subject: 'target', issuer: root, keyUsage: usage === undefined ? [] : [usage] });
        const expected = usage === undefined || good.includes(usage) ? 'trusted' : 'untrusted';
        expect((await validatePath({ ...input(target, [], [root]), purpose })).outcome, usage).toBe(expected);
        const pinned = { ...input(target, [], []), purpose, pinned: [target.certificate] };
        expect((await validatePath(pinned)).outcome, `pinned ${usage}`).toBe(expected);
      }
    });
  }

  it.each([
    [undefined, 'trusted'],
    [[oids.emailProtection], 'trusted'],
    [[oids.anyExtendedKeyUsage], 'trusted'],
    [['1.3.6.1.5.5.7.3.1'], 'untrusted'],
    [['1.3.6.1.5.5.7.3.1', oids.emailProtection], 'trusted'],
  ] as const)('extendedKeyUsage %j: %s', async (extendedKeyUsage, expected) => {
    const root = await issue({ subject: 'Root', ca: true });
    const ca = await issue({ subject: 'CA', issuer: root, ca: true, extendedKeyUsage });
    const target = await issue({ subject: 'target', issuer: root, extendedKeyUsage });
    const below = await issue({ subject: 'below', issuer: ca });
    const asked = { extendedKeyUsages: [oids.emailProtection] };
    expect((await validatePath({ ...input(target, [], [root]), ...asked })).outcome).toBe(expected);
    expect((await validatePath({ ...input(below, [ca], [root]), ...asked })).outcome).toBe(expected);
    expect((await validatePath({ ...input(target, [], [root]) })).outcome).toBe('trusted');
  });
});

describe('weak keys and hashes', () => {
  const sha1 = { scheme: 'rsa-pkcs1v15', hash: 'sha1' } as const;
  const sha256 = { scheme: 'rsa-pkcs1v15', hash: 'sha256' } as const;

  it('RSA below 2048 bits is weak anywhere in the path', async () => {
    const small = await crypto.generateKeyPair({ algorithm: 'rsa', bits: 1024 });
    const root = await issue({ subject: 'Root', ca: true });
    const weakTarget = await issue({ subject: 'target', issuer: root, keys: small });
    expect((await validatePath(input(weakTarget, [], [root]))).outcome).toBe('weak');
    const weakCa = await issue({ subject: 'CA', issuer: root, ca: true, keys: small });
    const below = await issue({ subject: 'target', issuer: weakCa, algorithm: sha256 });
    expect((await validatePath(input(below, [weakCa], [root]))).outcome).toBe('weak');
    const weakRoot = await issue({ subject: 'Weak root', ca: true, keys: small, algorithm: sha256 });
    const underRoot = await issue({ subject: 'target', issuer: weakRoot, algorithm: sha256 });
    expect((await validatePath(input(underRoot, [], [weakRoot]))).outcome).toBe('weak');
    const pinned = { ...input(weakTarget, [], []), pinned: [weakTarget.certificate] };
    expect((await validatePath(pinned)).outcome).toBe('weak');
  });

  it('SHA-1 certifies nothing unless allowed; on an anchor it does not matter', async () => {
    const keys = await crypto.generateKeyPair({ algorithm: 'rsa', bits: 2048 });
    const root = await issue({ subject: 'Root', ca: true, keys, algorithm: sha1 });
    const target = await issue({ subject: 'target', issuer: root, algorithm: sha1 });
    const modern = await issue({ subject: 'target', issuer: root, algorithm: sha256 });
    expect((await validatePath(input(target, [], [root]))).outcome).toBe('weak');
    expect((await validatePath({ ...input(target, [], [root]), sha1Signatures: true })).outcome).toBe('trusted');
    expect((await validatePath(input(modern, [], [root]))).outcome).toBe('trusted');
  });

  it('says untrusted rather than weak or expired where both are true', async () => {
    const small = await crypto.generateKeyPair({ algorithm: 'rsa', bits: 1024 });
    const root = await issue({ subject: 'Root', ca: true });
    const leaf = await issue({
      subject: 'Leaf',
      issuer: root,
      keys: small,
      notAfter: daysFromNow(-1),
      extendedKeyUsage: ['1.2.3'],
    });
    const question = { ...input(leaf, [], [root]), extendedKeyUsages: [oids.emailProtection] };
    expect((await validatePath(question)).outcome).toBe('untrusted');
  });
});

describe('path building', () => {
  it('never takes an anchor from the message, nor a self-signed certificate for its own issuer', async () => {
    const self = await issue({ subject: 'mallory' });
    expect((await validatePath(input(self, [self], []))).outcome).toBe('untrusted');
    const root = await issue({ subject: 'Root', ca: true });
    const fake = await issue({ subject: 'Root', ca: true });
    const target = await issue({ subject: 'target', issuer: fake });
    expect((await validatePath(input(target, [fake], [root]))).outcome).toBe('untrusted');
  });

  it('finds the right one of several CAs with one name', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const wrong = [];
    for (let i = 0; i < 5; i++) wrong.push(await issue({ subject: 'CA', issuer: root, ca: true }));
    const right = await issue({ subject: 'CA', issuer: root, ca: true });
    const target = await issue({ subject: 'target', issuer: right });
    expect((await validatePath(input(target, [...wrong, right], [root]))).outcome).toBe('trusted');
    expect((await validatePath(input(target, [right, ...wrong], [root]))).outcome).toBe('trusted');
    expect((await validatePath(input(target, wrong, [root]))).outcome).toBe('untrusted');
  });

  it('finds the valid one of two certificates of one CA with one name and key', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const expired = await issue({ subject: 'CA', issuer: root, ca: true, notAfter: daysFromNow(-1) });
    const valid = await issue({ subject: 'CA', issuer: root, ca: true, keys: expired.keys });
    const target = await issue({ subject: 'target', issuer: valid });
    expect((await validatePath(input(target, [expired, valid], [root]))).outcome).toBe('trusted');
    expect((await validatePath(input(target, [valid, expired], [root]))).outcome).toBe('trusted');
    expect((await validatePath(input(target, [expired], [root]))).outcome).toBe('expired');
  });

  it('crosses over between CAs and ends where they certify each other', async () => {
    const rootA = await issue({ subject: 'A', ca: true });
    const rootB = await issue({ subject: 'B', ca: true });
    const bByA = await issue({ subject: 'B', issuer: rootA, ca: true, keys: rootB.keys });
    const aByB = await issue({ subject: 'A', issuer: rootB, ca: true, keys: rootA.keys });
    const target = await issue({ subject: 'target', issuer: rootB });
    const mesh = [bByA, aByB, rootA, rootB];
    expect((await validatePath(input(target, mesh, [rootA]))).outcome).toBe('trusted');
    const stranger = await issue({ subject: 'C', ca: true });
    expect((await validatePath(input(target, mesh, [stranger]))).outcome).toBe('untrusted');
  });

  it('refuses a path beyond the limit and takes one at it', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const chain = [root];
    for (let i = 0; i < 4; i++) chain.push(await issue({ subject: `CA ${i}`, issuer: chain.at(-1)!, ca: true }));
    const target = await issue({ subject: 'target', issuer: chain.at(-1)! });
    const question = input(target, chain.slice(1), [root]);
    expect((await validatePath({ ...question, limits: { ...defaultLimits, pathLength: 4 } })).outcome).toBe('trusted');
    const long = await validatePath({ ...question, limits: { ...defaultLimits, pathLength: 3 } });
    expect([long.outcome, long.reason]).toEqual(['untrusted', 'the path is too long']);
  });

  it('does bounded work on a mesh of CAs that all certify each other', async () => {
    const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
    const cas = await Promise.all(names.map((subject) => issue({ subject, ca: true })));
    const mesh: Issued[] = [];
    for (const [i, subject] of cas.entries()) {
      for (const [k, issuer] of cas.entries()) {
        if (i !== k) mesh.push(await issue({ subject: names[i]!, issuer, ca: true, keys: subject.keys }));
      }
    }
    const target = await issue({ subject: 'target', issuer: cas[0]! });
    const stranger = await issue({ subject: 'Z', ca: true });
    const started = cpuTime();
    const result = await validatePath(input(target, mesh, [stranger]));
    expect(result.outcome).toBe('untrusted');
    expect(cpuTime() - started).toBeLessThan(2000);
  });

  it('keeps policy graphs small where a tree would grow exponentially (CVE-2023-0464)', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const list = Array.from({ length: 40 }, (_, i) => `1.3.6.1.4.1.55555.9.${i}`);
    const pairs = list.slice(0, 12).flatMap((from) => list.slice(0, 12).map((to) => [from, to] as const));
    const extensions = [policiesExtension(...list), mappingsExtension(...pairs)];
    const chain = [root];
    for (let i = 0; i < 9; i++)
      chain.push(await issue({ subject: `CA ${i}`, issuer: chain.at(-1)!, ca: true, extensions }));
    const target = await issue({ subject: 'target', issuer: chain.at(-1)!, extensions: [policiesExtension(...list)] });
    const started = cpuTime();
    const policies = { requireExplicitPolicy: true, initialPolicies: ['1.2.3'] };
    const result = await validatePath({ ...input(target, chain.slice(1), [root]), policies });
    expect(result.outcome).toBe('untrusted');
    expect(cpuTime() - started).toBeLessThan(500);
  });

  it('chains by names that differ in case, space and string type (RFC 5280 section 7.1)', async () => {
    const root = await issue({ subject: 'Example  Root', ca: true });
    const target = await issue({ subject: 'target', issuer: { ...root, name: commonName(' EXAMPLE root ') } });
    expect((await validatePath(input(target, [], [root]))).outcome).toBe('trusted');
    const other = await issue({ subject: 'target', issuer: { ...root, name: commonName('ExampleRoot') } });
    expect((await validatePath(input(other, [], [root]))).outcome).toBe('untrusted');
  });
});

describe('pinned certificates', () => {
  it('are compared by their octets, not by name or key', async () => {
    const pinned = await issue({ subject: 'juliet' });
    const sameKey = await issue({ subject: 'juliet', keys: pinned.keys });
    const question = { ...input(sameKey, [], []), pinned: [pinned.certificate] };
    expect((await validatePath(question)).outcome).toBe('untrusted');
    expect(await validatePath({ ...question, certificate: pinned.certificate })).toMatchObject({
      outcome: 'trusted',
      trust: 'pinned',
    });
  });

  it('issue nothing', async () => {
    const pinned = await issue({ subject: 'CA', ca: true });
    const target = await issue({ subject: 'juliet', issuer: pinned });
    expect((await validatePath({ ...input(target, [pinned], []), pinned: [pinned.certificate] })).outcome).toBe(
      'untrusted',
    );
  });

  it('expire', async () => {
    const pinned = await issue({ subject: 'juliet', notAfter: daysFromNow(-1) });
    expect((await validatePath({ ...input(pinned, [], []), pinned: [pinned.certificate] })).outcome).toBe('expired');
  });
});
