/** The recipes of the adapters' README, run as they stand against a real server, in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { client, type Client, type Element, xml } from '@xmpp/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, smime } from '../../src/backends/smime/index.ts';
import { E2E_NAMESPACE, E2eSession, Jid, openStanza, ReplayGuard, sealStanza, toElement } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { directoryStore, prepareHome } from '../../src/stores/node.ts';
import { type Actor, until } from './actor.ts';
import { prosody } from './prosody.ts';
import { connectXmppJs } from './xmpp-js-actor.ts';
import { installed, type XmppServer } from './xmpp-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'src/adapters/README.md'), 'utf8');
const recipes = [...readme.matchAll(/^### (.*?)$.*?^```js\n(.*?)^```$/gms)].map(
  (match) => [match[1]!, match[2]!] as const,
);
const recipe = (title: string): string => recipes.find(([name]) => name.includes(title))![1];

const alice = Jid.parse('alice@localhost');
const bot = Jid.parse('bot@localhost');

describe.skipIf(!installed('prosodyctl'))('recipes', () => {
  let server: XmppServer;
  let home: string;
  const store = memoryStore();
  const stops: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await prosody.start(['alice', 'bot']);
    home = join(mkdtempSync(join(tmpdir(), 'recipes-')), 'home');
    await prepareHome(home);
    const at = new Date(Date.now() - 60_000);
    const [hers, its] = await Promise.all([alice, bot].map((jid) => generateIdentity({ jid, algorithm: 'p256', at })));
    store.addIdentity(alice, 'smime', { keys: hers!.keysPem, certificates: hers!.certificatesPem });
    store.fileCertificate(bot, 'smime', its!.certificatesPem);
    const files = await directoryStore(home);
    await files.fileIdentity(bot, 'smime', { keys: its!.keysPem, certificates: its!.certificatesPem });
    await files.fileCertificate(alice, 'smime', hers!.certificatesPem);
  });
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  afterAll(async () => {
    rmSync(join(home, '..'), { recursive: true, force: true });
    await server.stop();
  });

  /** Runs a recipe where the package's own name resolves, until it says that it is online. */
  const run = async (name: string, code: string, environment: Record<string, string>): Promise<void> => {
    const file = join(root, 'dist', `recipe-${name}.mjs`);
    writeFileSync(file, code);
    const child: ChildProcess = spawn(process.execPath, [file], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: server.authority, XMPP_E2E_HOME: home, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let closed = false;
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (data) => (output += String(data)));
    child.on('close', () => (closed = true));
    stops.push(() => {
      child.kill('SIGKILL');
      rmSync(file, { force: true });
    });
    await until('the recipe to be online', () => /^online/m.test(output) || closed, 30);
    // What a client of xmpp.js ends with that waited two seconds for a busy machine.
    if (output.includes('TimeoutError')) throw new Error('timeout: an answer to the recipe');
    expect(output).toMatch(/^online/m);
  };

  const enter = async (): Promise<Actor> => {
    const session = new E2eSession({ jid: alice, backends: [smime({ store })], replay: new ReplayGuard() });
    const actor = await connectXmppJs(server, 'alice', session, { resource: 'a' });
    stops.push(() => actor.stop());
    return actor;
  };

  it.each([
    ['An echo bot in xmpp.js', 'xmpp-js', () => `xmpps://localhost:${server.tlsPort}`],
    ['in stanza', 'stanza', () => server.websocket],
    ['in strophe.js', 'strophe', () => server.websocket],
  ])('%s', async (title, name, service) => {
    const code = recipe(title);
    if (name === 'xmpp-js') expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThan(20);
    const account = { XMPP_USER: 'bot', XMPP_DOMAIN: 'localhost', XMPP_PASSWORD: 'botpw' };
    await run(name, code, { XMPP_SERVICE: service(), ...account });
    const me = await enter();
    await me.say('bot@localhost', 'echo this', 'e1');
    await until('the echo', () => me.messages.length === 1, 30);
    expect(me.messages[0]).toMatchObject({ text: 'echo this', verdict: { sender: { jid: 'bot@localhost' } } });
  });

  it('a component that hands sealed objects on untouched', async () => {
    const service = `xmpp://localhost:${server.componentPort}`;
    const account = { XMPP_DOMAIN: 'bridge.localhost', XMPP_PASSWORD: 'bridgepw' };
    await run('bridge', recipe('A component'), { XMPP_SERVICE: service, ...account });
    const plainClient = async (user: string): Promise<Client> => {
      const options = { service: `xmpps://localhost:${server.tlsPort}`, domain: 'localhost' };
      const one = client({ ...options, username: user, password: `${user}pw` });
      // Two seconds are short on a machine that runs other tests too, and the client does not try again.
      one.timeout = 20_000;
      stops.push(() => one.stop());
      one.on('error', () => undefined);
      await one.start();
      await one.send(xml('presence'));
      return one;
    };
    const [sender, recipient] = await Promise.all(['alice', 'bot'].map(plainClient));
    const seen: Element[] = [];
    recipient!.on('stanza', (stanza: Element) => void seen.push(stanza));

    const plain = "<message xmlns='jabber:client' id='g1' type='chat'><body>across</body></message>";
    const sealed = await sealStanza(plain, { backend: smime({ store }), from: alice, to: bot });
    const text = sealed.first('e2e', E2E_NAMESPACE)!.text;
    const to = 'bot%localhost@bridge.localhost';
    await sender!.send(xml('message', { to, id: 'g1', type: 'chat' }, xml('e2e', { xmlns: E2E_NAMESPACE }, text)));
    await until('the message', () => seen.some((stanza) => stanza.getChild('e2e') !== undefined), 30);
    const passed = toElement(seen.find((stanza) => stanza.getChild('e2e') !== undefined));
    expect(passed.attribute('from')).toBe('alice%localhost@bridge.localhost');
    expect(passed.first('e2e', E2E_NAMESPACE)?.text.trim()).toBe(text.trim());
    // Who knows the mapping of the bridge opens what the sender sealed.
    const addressed = passed.withAttribute('from', 'alice@localhost/a').withAttribute('to', 'bot@localhost');
    const backends = [smime({ store: await directoryStore(home) })];
    const { stanza, verdict } = await openStanza(addressed, { backends, me: bot, replay: new ReplayGuard() });
    expect(stanza.first('body')?.text).toBe('across');
    expect(verdict.sender?.jid).toBe('alice@localhost');
  });
});
