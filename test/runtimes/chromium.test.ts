/** The public API in Chromium: WebCrypto only, a strict content security policy, IndexedDB, a worker. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright';
import { describe, expect, it } from 'vitest';
import { ci } from '../shared-data.ts';
import { bundle } from './bundle.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
if (ci && !existsSync(executablePath)) throw new Error(`a program is missing: ${executablePath}`);

const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'none'";

describe.skipIf(!existsSync(executablePath))('Chromium', () => {
  it('runs everything in a page and in a worker', { timeout: 120_000 }, async () => {
    const files: Record<string, readonly [type: string, content: Uint8Array | string]> = {
      '/': ['text/html', '<!doctype html><script type="module" src="/page.js"></script>'],
      '/page.js': ['text/javascript', await bundle({ file: 'test/runtimes/page.ts' })],
      '/worker.js': ['text/javascript', await bundle({ file: 'test/runtimes/worker.ts' })],
    };
    const server = createServer((request, response) => {
      const file = files[request.url ?? ''];
      const headers = { 'Content-Type': file?.[0] ?? 'text/plain', 'Content-Security-Policy': policy };
      response.writeHead(file === undefined ? 404 : 200, headers).end(file?.[1]);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
    });
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('console', (line) => {
        if (line.type() === 'error') problems.push(line.text());
      });
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await page.waitForFunction(() => window.report !== undefined || window.failure !== undefined, undefined, {
        timeout: 90_000,
      });
      expect(await page.evaluate(() => window.failure)).toBeUndefined();
      const report = await page.evaluate(() => window.report!);
      const trip = [true, 'juliet@example.com', 'sign+encrypt', true];
      const expected = {
        p256: [trip, true, 'ERR_E2E_NO_RECIPIENT_KEY'],
        p384: [trip, true, 'ERR_E2E_NO_RECIPIENT_KEY'],
        rsa2048: [trip, true, 'ERR_E2E_NO_RECIPIENT_KEY'],
        openpgp: trip,
        extraction: [2, false, ['InvalidAccessError']],
        reopened: [1, true, true, 0, [20, false, undefined]],
        replay: [['decreasing', 'known', 'new'], [], 1, 'known', true, 'ERR_E2E_STORE_FAILED', 'RangeError'],
        'wrong key': 'RangeError',
      };
      expect(report.page).toEqual({ ...expected, dom: true });
      expect(report.worker).toEqual({ ...expected, dom: false });
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('bundle sizes', () => {
  /** Thousands of octets, minified and compressed, that each entry may reach. */
  const table = JSON.parse(readFileSync(new URL('bundle-sizes.json', import.meta.url), 'utf8')) as {
    readonly gzip: Readonly<Record<string, number>>;
  };
  const entries: Readonly<Record<string, string>> = {
    core: "export * from './src/index.ts';",
    'core + smime': "export * from './src/index.ts'; export { smime } from './src/backends/smime/index.ts';",
    'core + openpgp': "export * from './src/index.ts'; export { openpgp } from './src/backends/openpgp/index.ts';",
    'stores/browser': "export * from './src/stores/browser.ts';",
    'xmpp-js': "export * from './src/adapters/xmpp-js.ts';",
    'stanza-js': "export * from './src/adapters/stanza-js.ts';",
    strophe: "export * from './src/adapters/strophe.ts';",
  };

  it.each(Object.entries(entries))('%s', async (name, code) => {
    const size = gzipSync(await bundle({ code }), { level: 9 }).length / 1000;
    console.info(`${name}: ${size.toFixed(1)} kB compressed`);
    expect(size).toBeLessThanOrEqual(table.gzip[name]!);
    // A table that promises too little shows no growth.
    expect(size).toBeGreaterThan(table.gzip[name]! * 0.8);
  });

  it('the core needs neither backend', async () => {
    const code = new TextDecoder().decode(await bundle({ code: entries['core']! }));
    expect(code).not.toContain('BEGIN PGP');
    expect(code.length).toBeLessThan(200_000);
  });
});
