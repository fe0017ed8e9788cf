import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The unit tests of what judges, without the rest: each mutant runs those that reach it. */
export default defineConfig({
  resolve: { conditions: ['xmpp-e2e-source', 'node'] },
  ssr: { resolve: { conditions: ['xmpp-e2e-source', 'node'] } },
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/unit/e2e/{check,error-reply,layers,policy,reasons,replay,timeliness,timing,verdict}.test.ts'],
    testTimeout: 20_000,
  },
});
