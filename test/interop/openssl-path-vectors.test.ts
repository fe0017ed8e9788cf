/** The verdicts of the path vectors, asked of OpenSSL: what it judges differently is listed with the reason. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes.ts';
import { parseVectorFile } from '../../src/cli/vector-file.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { hasProgram } from '../shared-data.ts';
import { openssl } from '../unit/smime/openssl.ts';

const { groups } = parseVectorFile(readFileSync(new URL('../../vectors/x509/paths.json', import.meta.url), 'utf8'));

/** Vectors on which OpenSSL says otherwise. */
const otherwise: Readonly<Record<string, string>> = {
  'path::basic::cross-certificates': 'it follows the first certificate of a name, and does not come back',
  'path::basic::empty-issuer': 'accepted there; RFC 5280 section 4.1.2.4 wants a name',
  'path::validity::last-instant': 'refused there; RFC 5280 section 4.1.2.5 includes it',
  'path::key-usage::agreement': 'its purpose for encryption asks for keyEncipherment',
  'path::extended-key-usage::any': 'its purposes for mail do not take anyExtendedKeyUsage, RFC 8550 section 4.4.4 does',
  'path::extension::unknown-critical-qualifier': 'it looks at no qualifier',
  'path::der::octets-behind': 'it skips them',
  'path::der::indefinite-length': 'it reads BER',
  'path::names::empty': 'it does not look at constraints that nothing is below of',
  'path::names::minimum': 'it does not look at constraints that nothing is below of',
  'path::weak::rsa-exponent-one': 'it does not look at the exponent of a key that signs nothing here',
  'path::revocation::no-next-update': 'it takes a list without nextUpdate for ever',
  'path::revocation::delta': 'it looks for delta lists only where freshestCRL says that there are some',
  'path::revocation::delta-ends-hold': 'it looks for delta lists only where freshestCRL says that there are some',
  'path::revocation::version-missing': 'it takes extensions in a list of version 1',
};

describe.skipIf(!hasProgram('openssl', 'version'))('OpenSSL on the path vectors', () => {
  const program = openssl();
  const file = (name: string, objects: readonly string[], label = 'CERTIFICATE'): string =>
    program.file(name, concatBytes(...objects.map((one) => serializePem(label, Buffer.from(one, 'base64')))));

  for (const { at, anchors: common = [], tests } of groups) {
    it.each(tests.map((vector) => [vector.id, vector] as const))('%s', (id, vector) => {
      const {
        input,
        intermediates = [],
        anchors = common,
        certificates = [],
        crls,
        policies = {},
        purpose = 'sign',
      } = vector;
      const trusted = [...anchors, ...certificates];
      const run = program.attempt([
        'verify',
        ...['-attime', String(Date.parse(vector.at ?? at!) / 1000), '-policy_check'],
        ...(id.includes('::weak::') ? ['-auth_level', '2'] : []),
        ...['-purpose', purpose === 'sign' ? 'smimesign' : 'smimeencrypt'],
        ...(policies.initialPolicies ?? ['2.5.29.32.0']).flatMap((policy) => ['-policy', policy]),
        ...(policies.requireExplicitPolicy === true ? ['-explicit_policy'] : []),
        ...(policies.inhibitAnyPolicy === true ? ['-inhibit_any'] : []),
        ...(crls === undefined ? [] : ['-crl_check', '-extended_crl', '-use_deltas']),
        ...(vector.id.includes('ca-revoked') ? ['-crl_check_all'] : []),
        ...(crls === undefined || crls.length === 0 ? [] : ['-CRLfile', file('crls.pem', crls, 'X509 CRL')]),
        ...(certificates.length === 0 ? [] : ['-partial_chain']),
        ...(trusted.length === 0
          ? ['-no-CAfile', '-no-CApath', '-no-CAstore']
          : ['-CAfile', file('anchors.pem', trusted)]),
        ...(intermediates.length === 0 ? [] : ['-untrusted', file('others.pem', intermediates)]),
        file('target.pem', [input]),
      ]);
      // A name in a trusted certificate is none of its business.
      const valid = vector.result !== 'invalid' || vector.expect?.code === 'ERR_E2E_SENDER_MISMATCH';
      if (vector.result === 'acceptable') return;
      expect(run.ok, run.stderr).toBe(id in otherwise ? !valid : valid);
    });
  }
});
