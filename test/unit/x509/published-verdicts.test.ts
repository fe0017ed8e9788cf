/** The list of verdicts that differ is the same for readers and for tests. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { outOfScopeVerdicts, stricterVerdicts } from './published-verdicts.ts';

const readme = readFileSync(new URL('../../../src/x509/README.md', import.meta.url), 'utf8');

it('README.md lists what is stricter here, and nothing else', () => {
  const [, section = ''] = readme.split('## Published verdicts\n');
  const rows = [...section.matchAll(/^\| (chains|name constraints|OpenSSL) +\| `([^`]+)` +\| (.+?) +\|$/gm)];
  const { chains, nameConstraints, openssl } = stricterVerdicts;
  const expected = Object.entries({ chains, 'name constraints': nameConstraints, OpenSSL: openssl });
  expect(rows.map(([, where, name, why]) => [where, name, why])).toEqual(
    expected.flatMap(([where, list]) => Object.entries(list).map(([name, why]) => [where, name, why])),
  );
  const { chains: left, openssl: others } = outOfScopeVerdicts;
  expect(section).toContain(`${Object.keys(left).length} chains and ${Object.keys(others).length} certificates`);
});
