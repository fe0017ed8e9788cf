/**
 * ML-DSA and ML-KEM where they are: the tests that concern them run in a Node that has both, which the environment
 * variable LATTICE_NODE names, unless this one has. Without either they are skipped, and fail where CI=true.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { ci } from '../shared-data.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env['LATTICE_NODE'];
const capable = nodeCrypto.supports('ml-dsa') && nodeCrypto.supports('ml-kem');

const files = [
  'test/unit/crypto/lattice-keys.test.ts',
  'test/unit/smime/lattice.test.ts',
  'test/unit/smime/keygen.test.ts',
  'test/unit/cli/lattice.test.ts',
  'test/contract/backend-contract.test.ts',
  'test/interop/smime-fixtures.test.ts',
];

describe('ML-DSA and ML-KEM', () => {
  it.skipIf(capable || (program === undefined && !ci))('in a Node that has them', () => {
    expect(program, 'LATTICE_NODE names no Node with ML-DSA and ML-KEM').toBeDefined();
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', '--reporter', 'json'];
    const env = { ...process.env, LATTICE_NODE: undefined, VITEST: undefined };
    const run = spawnSync(program!, [...vitest, ...files], { cwd: root, env, maxBuffer: 1 << 26 });
    const report = JSON.parse(run.stdout.toString().slice(run.stdout.indexOf('{'))) as {
      readonly success: boolean;
      readonly numPassedTests: number;
      readonly testResults: readonly {
        readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
      }[];
    };
    const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    expect(results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)).toEqual([]);
    expect(report.success, run.stderr.toString()).toBe(true);
    // That it was a runtime with the algorithms, and no typed refusal was all that ran.
    const passed = results.filter(({ status }) => status === 'passed').map(({ fullName }) => fullName);
    for (const set of ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87', 'ml-kem-512', 'ml-kem-768', 'ml-kem-1024']) {
      const opened = passed.filter((name) => name.includes(set) && /\bopens\b/.test(name));
      expect(opened.length, set).toBeGreaterThanOrEqual(3);
    }
  });
});
