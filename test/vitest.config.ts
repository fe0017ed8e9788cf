import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const full = process.env['CI'] === 'true';

export default defineConfig({
  resolve: { conditions: ['xmpp-e2e-source', 'node'] },
  ssr: { resolve: { conditions: ['xmpp-e2e-source', 'node'] } },
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    // The long seeded runs use a tenth of their counts unless CI=true.
    testTimeout: full ? 1_800_000 : 300_000,
    hookTimeout: 120_000,
    // Growth of cost is compared by processor time, which noise can only lengthen: a quadratic step fails every time.
    // Servers and SDKs that did not answer in time on a busy machine are asked again: one that never answers fails too.
    retry: { count: 4, condition: /to be less than|^timeout: / },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Run where this counter does not see them: in Chromium.
      exclude: ['src/stores/browser*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 95, branches: 90 },
    },
  },
});
