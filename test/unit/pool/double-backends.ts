/** The double in a worker: slow where it is told to, and mortal. */
import type { SecurityBackend } from '../../../src/index.ts';
import { double } from '../e2e/scene.ts';

export function backends({ delay = 0, die = false, twice = false } = {}): readonly SecurityBackend[] {
  const backend: SecurityBackend = {
    ...double,
    async verify(request) {
      if (die) process.exit(3);
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * delay));
      return double.verify(request);
    },
  };
  return twice
    ? [{ ...backend, name: 'other', sign: () => Promise.reject(new Error('the other one')) }, backend]
    : [backend];
}
