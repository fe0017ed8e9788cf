import { describe, expect, it } from 'vitest';
import { type PathValidation, type PathValidationInput, validatePath } from '../../../src/x509/path-validation.ts';
import { type RevocationWorld, revocationCases } from './revocation-cases.ts';
import { crypto, daysFromNow, defaultLimits, issue, issueCrl, now } from './support.ts';

function judge(world: RevocationWorld, options: Partial<PathValidationInput> = {}): Promise<PathValidation> {
  return validatePath({
    certificate: world.target.certificate,
    intermediates: [...world.others, world.ca].map(({ certificate }) => certificate),
    anchors: [world.root.certificate],
    crls: world.crls,
    revocation: 'required',
    at: now,
    limits: defaultLimits,
    crypto,
    purpose: 'sign',
    ...options,
  });
}

describe('revocation (RFC 5280 section 6.3)', () => {
  for (const { name, expected, build } of revocationCases) {
    it(`${name}: ${expected}`, async () => {
      const world = await build();
      const result = await judge(world);
      expect(result.outcome, result.reason).toBe(expected);
    });

    it(`${name}: never trusted where a list revokes, whatever the order of the lists`, async () => {
      const world = await build();
      const options = { revocation: 'if-available', crls: [...world.crls].reverse() } as const;
      const { outcome } = await judge(world, options);
      if (expected === 'revoked') expect(outcome).toBe('revoked');
      if (expected === 'trusted') expect(outcome).toBe('trusted');
    });
  }
});

describe('where revocation need not be known', () => {
  const base = { limits: defaultLimits, crypto, purpose: 'sign', at: now } as const;

  it('certificates without any list are taken', async () => {
    const world = await revocationCases.find(({ name }) => name === 'no list at all')!.build();
    expect((await judge(world, { revocation: 'if-available', crls: [] })).outcome).toBe('trusted');
  });

  it.each([
    'a list that another key signed',
    'nextUpdate has passed',
    'unknown critical extension of the list',
    'the CA may not sign lists',
  ])('a list that the caller gave must work: %s', async (name) => {
    const world = await revocationCases.find((one) => one.name === name)!.build();
    const { outcome, reason } = await judge(world, { revocation: 'if-available' });
    expect([outcome, reason]).toEqual(['untrusted', 'revocation status cannot be determined']);
  });

  it('a useless list that came with the message harms nobody', async () => {
    const world = await revocationCases.find(({ name }) => name === 'a list that another key signed')!.build();
    const options = { revocation: 'if-available', crls: [], carriedCrls: world.crls } as const;
    expect((await judge(world, options)).outcome).toBe('trusted');
  });

  it('a list that came with the message revokes', async () => {
    const world = await revocationCases.find(({ name }) => name === 'listed')!.build();
    const options = { revocation: 'if-available', crls: [], carriedCrls: world.crls } as const;
    expect((await judge(world, options)).outcome).toBe('revoked');
  });

  it('pinned certificates are revoked by lists of their issuer, and by no other', async () => {
    const ca = await issue({ subject: 'CA', ca: true });
    const stranger = await issue({ subject: 'CA', ca: true });
    const target = await issue({ subject: 'juliet', issuer: ca });
    const revoked = [{ serial: target.certificate.serial }];
    const { certificate } = target;
    const pinned = {
      ...base,
      certificate,
      intermediates: [stranger.certificate, ca.certificate],
      anchors: [],
      pinned: [certificate],
    };
    const list = await issueCrl({ issuer: ca, revoked });
    const forged = await issueCrl({ issuer: stranger, revoked });
    expect((await validatePath({ ...pinned, carriedCrls: [list] })).outcome).toBe('revoked');
    expect((await validatePath({ ...pinned, carriedCrls: [forged] })).outcome).toBe('trusted');
  });

  it('a list of another authority of the same name revokes nobody', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const other = await issue({ subject: 'Root', ca: true });
    const target = await issue({ subject: 'juliet', issuer: root });
    const forged = await issueCrl({ issuer: other, revoked: [{ serial: target.certificate.serial }] });
    const input = {
      ...base,
      certificate: target.certificate,
      intermediates: [other.certificate],
      anchors: [root.certificate],
    };
    expect((await validatePath({ ...input, carriedCrls: [forged] })).outcome).toBe('trusted');
  });
});

describe('the time of a revocation', () => {
  const cases: readonly (readonly [reason: number | undefined, revokedBefore: string])[] = [
    [1, 'revoked'],
    [2, 'revoked'],
    [10, 'revoked'],
    [undefined, 'revoked'],
    [3, 'trusted'],
    [4, 'trusted'],
    [5, 'trusted'],
    [9, 'trusted'],
  ];
  it.each(cases)('reason %s, judged at a time before it: %s', async (reason, before) => {
    const root = await issue({ subject: 'Root', ca: true });
    const target = await issue({ subject: 'juliet', issuer: root });
    const entry = { serial: target.certificate.serial, date: daysFromNow(-10), reason };
    const crls = [await issueCrl({ issuer: root, revoked: [entry] })];
    const input = {
      certificate: target.certificate,
      intermediates: [],
      anchors: [root.certificate],
      crls,
      limits: defaultLimits,
      crypto,
      purpose: 'sign',
    } as const;
    expect((await validatePath({ ...input, at: daysFromNow(-5) })).outcome).toBe('revoked');
    expect((await validatePath({ ...input, at: daysFromNow(-20) })).outcome).toBe(before);
  });

  it('counts from the invalidity date', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const target = await issue({ subject: 'juliet', issuer: root });
    const entry = {
      serial: target.certificate.serial,
      date: daysFromNow(-10),
      invalidityDate: daysFromNow(-30),
      reason: 5,
    };
    const crls = [await issueCrl({ issuer: root, revoked: [entry] })];
    const input = { certificate: target.certificate, intermediates: [], anchors: [root.certificate], crls };
    const result = await validatePath({
      ...input,
      limits: defaultLimits,
      crypto,
      purpose: 'sign',
      at: daysFromNow(-20),
    });
    expect(result.outcome).toBe('revoked');
  });

  it('a hold is over when the next list does not have it', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const target = await issue({ subject: 'juliet', issuer: root });
    const revoked = (reason: number) => [{ serial: target.certificate.serial, date: daysFromNow(-30), reason }];
    const newer = await issueCrl({ issuer: root, number: 3, thisUpdate: daysFromNow(-1) });
    const input = { certificate: target.certificate, intermediates: [], anchors: [root.certificate], at: now };
    for (const [reason, expected] of [
      [6, 'trusted'],
      [1, 'revoked'],
    ] as const) {
      const older = await issueCrl({ issuer: root, number: 2, thisUpdate: daysFromNow(-3), revoked: revoked(reason) });
      for (const crls of [
        [older, newer],
        [newer, older],
      ]) {
        const result = await validatePath({ ...input, crls, limits: defaultLimits, crypto, purpose: 'sign' });
        expect(result.outcome).toBe(expected);
      }
    }
  });
});
