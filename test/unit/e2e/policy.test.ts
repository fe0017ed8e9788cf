/** The two policies as they are documented: a change of one value is a change of what is promised. */
import { expect, it } from 'vitest';
import { rfc3923Policy, strictPolicy } from '../../../src/index.ts';

it('strict: signed, bound, on time, modern', () => {
  expect(strictPolicy).toEqual({
    ...{ name: 'strict', unsigned: 'refuse', untrustedSigner: 'refuse', unknownSigner: 'refuse' },
    ...{ unboundRecipient: 'refuse', replay: 'required' },
    time: { deliver: ['ok', 'delayed'], windowSeconds: 300, decreasingSeconds: 600, requireUtc: true },
    algorithms: {
      ...{ sha1Signatures: false, unsignedAttributes: false, rsaPkcs1v15: false, cbc: false, tripleDes: false },
      clockSkewSeconds: 300,
    },
  });
});

it('RFC 3923: its algorithms and bare forms, everything odd marked, and no signer but a trusted one', () => {
  expect(rfc3923Policy).toEqual({
    ...{ name: 'rfc3923', unsigned: 'deliver', untrustedSigner: 'refuse', unknownSigner: 'refuse' },
    ...{ unboundRecipient: 'deliver', replay: 'optional' },
    time: {
      deliver: ['ok', 'delayed', 'old', 'future', 'decreasing', 'absent'],
      ...{ windowSeconds: 300, decreasingSeconds: 600, requireUtc: false },
    },
    algorithms: {
      ...{ sha1Signatures: true, unsignedAttributes: true, rsaPkcs1v15: true, cbc: true, tripleDes: true },
      clockSkewSeconds: 300,
    },
  });
});

it.each([strictPolicy, rfc3923Policy])('$name cannot be changed by anybody who shares it', (policy) => {
  for (const part of [policy, policy.time, policy.time.deliver, policy.algorithms])
    expect(Object.isFrozen(part)).toBe(true);
});
