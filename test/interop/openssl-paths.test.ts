import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { hasProgram } from '../shared-data.ts';
import { buildPath, pathCases } from '../unit/x509/path-cases.ts';
import { type Issued, now } from '../unit/x509/support.ts';

const folder = mkdtempSync(join(tmpdir(), 'paths-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pem(certificates: readonly Issued[], as: string): string {
  const path = join(folder, as);
  writeFileSync(
    path,
    concatBytes(...certificates.map(({ certificate }) => serializePem('CERTIFICATE', certificate.der))),
  );
  return path;
}

describe.skipIf(!hasProgram('openssl', 'version'))('OpenSSL judges paths alike', () => {
  for (const one of pathCases) {
    it(`${one.name}: ${one.expected}`, async () => {
      const { root, chain } = await buildPath(one);
      const others = chain.slice(0, -1);
      const { policies = {} } = one;
      const run = spawnSync('openssl', [
        'verify',
        ...['-attime', String(now.getTime() / 1000), '-policy_check'],
        ...(policies.initialPolicies ?? ['2.5.29.32.0']).flatMap((policy) => ['-policy', policy]),
        ...(policies.requireExplicitPolicy === true ? ['-explicit_policy'] : []),
        ...(policies.inhibitPolicyMapping === true ? ['-inhibit_map'] : []),
        ...(policies.inhibitAnyPolicy === true ? ['-inhibit_any'] : []),
        ...['-CAfile', pem([root], 'root.pem')],
        ...(others.length === 0 ? [] : ['-untrusted', pem(others, 'others.pem')]),
        pem(chain.slice(-1), 'target.pem'),
      ]);
      const stderr = run.stderr.toString();
      expect(run.status === 0, stderr).toBe(one.expected === 'trusted');
    });
  }
});
