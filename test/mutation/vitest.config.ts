import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The unit tests of what judges, without the rest: each mutant runs those that reach it. */
export default defineConfig({
  resolve: { conditions: ['xmpp-e2e-source', 'node'] },
  ssr: { resolve: { conditions: ['xmpp-e2e-source', 'node'] } },
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: [
      'test/unit/e2e/{check,error-reply,expectation,policy,replay,signature-levels,timeliness,timing,verdict}.test.ts',
      'test/unit/e2e/layers.test.ts',
    ],
    testTimeout: 20_000,
  },
});
