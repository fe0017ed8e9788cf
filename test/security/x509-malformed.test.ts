/** Damaged certificates and lists: an E2eError or an object, and never one that anybody vouches for. */
import { describe, expect, it } from 'vitest';
import { E2eError } from '../../src/errors.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import { parseCrl } from '../../src/x509/crl.ts';
import { validatePath } from '../../src/x509/path-validation.ts';
import { hasCorpus, runs } from '../shared-data.ts';
import { random } from '../unit/x509/random.ts';
import { certificatesOf, crypto, defaultLimits, flag, issue, issueCrl, now, wideLimits } from '../unit/x509/support.ts';
import { cpuTime } from '../cpu-time.ts';

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    expect(error).toBeInstanceOf(E2eError);
    return undefined;
  }
}

describe('seeded damage', () => {
  it('to a certificate: no change of one octet leaves a trusted certificate', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const { certificate } = await issue({ subject: 'juliet', issuer: root });
    let parsed = 0;
    for (let i = 0; i < certificate.der.length; i++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const octets = certificate.der.slice();
        octets[i]! ^= change;
        const damaged = attempt(() => parseCertificate(octets, defaultLimits));
        if (damaged === undefined) continue;
        parsed++;
        const { outcome } = await validatePath({
          certificate: damaged,
          intermediates: [],
          anchors: [root.certificate],
          pinned: [certificate],
          at: now,
          limits: defaultLimits,
          crypto,
          purpose: 'any',
        });
        expect(outcome).not.toBe('trusted');
      }
    }
    expect(parsed).toBeGreaterThan(100);
  });

  it.skipIf(!hasCorpus('openssl-cms/'))('to certificates of others: splices, cuts and noise', () => {
    const next = random(5280);
    const seeds = [
      'alt1-cert',
      'ncca1-cert',
      'ee-pss-cert',
      'ca-pol-cert',
      'ee-cert-policies',
      'bad-othername-cert',
      'some-names1',
    ]
      .flatMap((name) => certificatesOf(`openssl-cms/verify/${name}.pem`))
      .map(({ der }) => der);
    for (let run = 0; run < runs(60_000); run++) {
      const seed = seeds[next(seeds.length)]!;
      let octets = seed.slice();
      for (let k = next(6); k >= 0; k--) {
        const at = next(octets.length);
        const kind = next(4);
        if (kind === 0) octets[at] = next(256);
        else if (kind === 1) octets[at]! ^= 1 << next(8);
        else if (kind === 2) octets = octets.slice(0, at + 1);
        else octets.copyWithin(at, next(octets.length), next(octets.length));
      }
      attempt(() => parseCertificate(octets, wideLimits));
    }
  });

  it('to a revocation list', async () => {
    const issuer = await issue({ subject: 'CA', ca: true });
    const list = await issueCrl({
      issuer,
      number: 9,
      baseNumber: 8,
      scope: [flag(1), flag(4)],
      revoked: [{ serial: Uint8Array.of(1), reason: 1, invalidityDate: now, certificateIssuer: issuer.name }],
    });
    const next = random(5281);
    for (let run = 0; run < runs(30_000); run++) {
      const octets = list.der.slice();
      for (let k = next(4); k >= 0; k--) octets[next(octets.length)] = next(256);
      attempt(() => parseCrl(octets, defaultLimits))?.entry(issuer.certificate.subject.key, Uint8Array.of(1));
    }
  });
});

describe('cost', () => {
  it('of a certificate full of names grows with its size only', () => {
    const measure = (names: number): number => {
      const name = [0x82, 1, 0x61];
      const body = Array.from({ length: names }, () => name).flat();
      expect(body.length).toBe(names * 3);
      const started = cpuTime();
      attempt(() =>
        parseCertificate(
          Uint8Array.from([0x30, 0x83, body.length >> 16, (body.length >> 8) & 255, body.length & 255, ...body]),
          wideLimits,
        ),
      );
      return cpuTime() - started;
    };
    measure(1000);
    expect(measure(100_000)).toBeLessThan(500);
  });
});
