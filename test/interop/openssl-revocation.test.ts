import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { hasProgram } from '../shared-data.ts';
import { revocationCases } from '../unit/x509/revocation-cases.ts';
import { now } from '../unit/x509/support.ts';

const folder = mkdtempSync(join(tmpdir(), 'revocation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasProgram('openssl', 'version'))('OpenSSL judges revocation alike', () => {
  for (const { name, expected, openssl, build } of revocationCases) {
    it(`${name}: ${expected}`, async () => {
      const { root, ca, target, others, crls } = await build();
      const file = (label: string, objects: readonly { readonly der: Uint8Array }[], as: string): string => {
        const path = join(folder, as);
        writeFileSync(path, concatBytes(...objects.map(({ der }) => serializePem(label, der))));
        return path;
      };
      const certificate = (one: typeof root) => one.certificate;
      const run = spawnSync('openssl', [
        'verify',
        ...['-attime', String(now.getTime() / 1000), '-crl_check_all', '-extended_crl', '-use_deltas'],
        ...['-CAfile', file('CERTIFICATE', [root.certificate], 'root.pem')],
        ...['-untrusted', file('CERTIFICATE', [ca, ...others].map(certificate), 'others.pem')],
        ...(crls.length === 0 ? [] : ['-CRLfile', file('X509 CRL', crls, 'crls.pem')]),
        file('CERTIFICATE', [target.certificate], 'target.pem'),
      ]);
      const stderr = run.stderr.toString();
      if (openssl === undefined) expect(run.status === 0, stderr).toBe(expected === 'trusted');
      else expect(stderr, openssl).toContain('error');
    });
  }
});
