/** The policies that test vectors state. */

import { type Policy, rfc3923Policy, strictPolicy } from '../index.ts';
import type { VectorPolicy } from './vector-file.ts';

/** The policy of a vector: one of the two, or one with some of its rules replaced. */
export function policyOf(policy: VectorPolicy = 'strict'): Policy {
  if (policy === 'strict') return strictPolicy;
  if (policy === 'rfc3923') return rfc3923Policy;
  const { base, time, algorithms, ...rules } = policy;
  const from = policyOf(base);
  const merged = { time: { ...from.time, ...time }, algorithms: { ...from.algorithms, ...algorithms } };
  return { ...from, ...rules, ...merged, name: 'custom' };
}
