/** The recipe of a browser page: in Chromium, over a secure WebSocket, with somebody at xmpp.js on the other side. */
import { createServer, type Server } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, smime } from '../../src/backends/smime/index.ts';
import { E2eSession, Jid, ReplayGuard } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { ci } from '../shared-data.ts';
import { type Actor, until } from './actor.ts';
import { prosody } from './prosody.ts';
import { connectXmppJs } from './xmpp-js-actor.ts';
import { installed, type XmppServer } from './xmpp-server.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
if (ci && !existsSync(executablePath)) throw new Error(`a program is missing: ${executablePath}`);
const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(new URL('../../src/adapters/README.md', import.meta.url), 'utf8');
const recipe = /^### A browser page$.*?^```html\n(.*?)^```$.*?^```js\n(.*?)^```$/ms.exec(readme)!;

const alice = Jid.parse('alice@localhost');
const bob = Jid.parse('bob@localhost');

async function bundled(code: string): Promise<Uint8Array> {
  const src = (name: string): string => fileURLToPath(new URL(`../../src/${name}`, import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'js' },
    alias: {
      'xmpp-e2e/smime': src('backends/smime/index.ts'),
      'xmpp-e2e/stores/browser': src('stores/browser.ts'),
      'xmpp-e2e/strophe': src('adapters/strophe.ts'),
      'xmpp-e2e': src('index.ts'),
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['xmpp-e2e-source', 'browser'],
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.contents;
}

/** Whether the page has a certificate of somebody else in its store. */
function filed(): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('xmpp-e2e');
    request.onerror = () => reject(new Error('no database'));
    request.onsuccess = () => {
      const count = request.result.transaction('certificates').objectStore('certificates').count();
      count.onsuccess = () => {
        request.result.close();
        resolve(count.result > 0);
      };
    };
  });
}

describe.skipIf(!installed('prosodyctl') || !existsSync(executablePath))('the page of the recipe', () => {
  let server: XmppServer;
  let web: Server;
  let browser: Browser;
  let page: Page;
  let actor: Actor;
  const problems: string[] = [];
  const frames: string[] = [];
  const store = memoryStore();

  beforeAll(async () => {
    server = await prosody.start(['alice', 'bob']);
    const script = await bundled(recipe[2]!);
    const html = recipe[1]!.replace('<!doctype html>', `<!doctype html><html data-service="${server.websocket}">`);
    const policy = `default-src 'none'; script-src 'self'; connect-src ${server.websocket.replace(/(:\d+).*/, '$1')}`;
    web = createServer(({ url }, response) => {
      const [type, body] = url === '/page.js' ? ['text/javascript', script] : ['text/html', html];
      const known = url === '/' || url === '/page.js';
      const headers = { 'Content-Type': `${type}; charset=utf-8`, 'Content-Security-Policy': policy };
      response.writeHead(known ? 200 : 404, headers).end(known ? body : '');
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({
      executablePath,
      // The server's certificate is of the authority of this test.
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--ignore-certificate-errors'],
    });
    page = await browser.newPage();
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(String(payload))));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (line) => {
      if (line.type() === 'error' && !line.text().includes('404')) problems.push(line.text());
    });
    const at = new Date(Date.now() - 60_000);
    const { keysPem, certificatesPem } = await generateIdentity({ jid: alice, algorithm: 'p256', at });
    store.addIdentity(alice, 'smime', { keys: keysPem, certificates: certificatesPem });
    const session = new E2eSession({ jid: alice, backends: [smime({ store })], replay: new ReplayGuard() });
    actor = await connectXmppJs(server, 'alice', session, { resource: 'a' });
  });
  afterAll(async () => {
    await actor.stop();
    await browser.close();
    await new Promise((resolve) => web.close(resolve));
    await server.stop();
  });

  const connect = async (): Promise<string> => {
    await page.goto(`http://localhost:${(web.address() as AddressInfo).port}/`);
    await page.fill('#account [name=jid]', 'bob@localhost/page');
    await page.fill('#account [name=password]', 'bobpw');
    await page.click('#account button');
    // Strophe.Status.CONNECTED
    await page.waitForFunction(() => document.body.dataset['status'] === '5', undefined, { timeout: 60_000 });
    return page.locator('#certificate').innerText();
  };
  const received = (): Promise<string[]> => page.locator('#received li').allInnerTexts();

  it('seals and opens, and keeps its keys and what it received over a reload', { timeout: 180_000 }, async () => {
    const certificate = await connect();
    store.fileCertificate(bob, 'smime', Buffer.from(certificate));
    await page.fill('#contact [name=jid]', 'alice@localhost');
    const [mine] = await store.identities(alice, 'smime');
    await page.fill('#contact [name=pem]', Buffer.from(mine!.certificates).toString());
    await page.click('#contact button');
    // The click does not wait for it, and the disk may be slower than the message.
    await page.waitForFunction(filed, undefined, { timeout: 30_000 });

    await actor.say('bob@localhost/page', 'to the page \u{1f339}', 'p1');
    await page.waitForSelector('#received li', { timeout: 30_000 });
    expect(await received()).toEqual(['alice@localhost: to the page \u{1f339}']);

    await page.fill('#message [name=to]', 'alice@localhost');
    await page.fill('#message [name=text]', 'from the page');
    await page.click('#message button');
    await until('the message of the page', () => actor.messages.length === 1, 30);
    expect(actor.messages[0]).toMatchObject({ text: 'from the page', verdict: { sender: { jid: 'bob@localhost' } } });
    expect(actor.wire()).not.toContain('from the page');

    expect(await connect()).toBe(certificate);
    await actor.say('bob@localhost/page', 'after the reload', 'p2');
    await page.waitForSelector('#received li', { timeout: 30_000 });
    expect(await received()).toEqual(['alice@localhost: after the reload']);
    expect(problems).toEqual([]);
  });

  it('does not show again what a server delivers twice', { timeout: 60_000 }, async () => {
    const sealed = /<message[^>]*id="p2"[^]*?<\/message>/.exec(actor.wire())![0];
    await actor.send(sealed.replace(' id="p2"', ' id="p3"'));
    await actor.say('bob@localhost/page', 'last', 'p4');
    await page.waitForSelector('#received li:has-text("last")', { timeout: 30_000 });
    // It came, sealed as it was, and was not shown.
    const again = frames.filter((frame) => /id=["']p3["']/.test(frame));
    expect(again.map((frame) => frame.includes('urn:ietf:params:xml:ns:xmpp-e2e'))).toEqual([true]);
    expect(await received()).toEqual(['alice@localhost: after the reload', 'alice@localhost: last']);
  });
});
