/** `send` and `listen` against Prosody, as processes: from one terminal to another, and past servers that cheat. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './actor.ts';
import { prosodyOffline } from './prosody.ts';
import { installed, type XmppServer } from './xmpp-server.ts';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface Running {
  readonly child: ChildProcess;
  out: string;
  err: string;
  readonly code: Promise<number | null>;
}

describe.skipIf(!installed('prosodyctl'))('send and listen', () => {
  let server: XmppServer;
  const scratch = mkdtempSync(join(tmpdir(), 'xmpp-e2e-test-'));
  const homeOf = (name: string): string => join(scratch, name);
  const children: ChildProcess[] = [];

  /** Starts the program; every secret comes by file descriptor 3. */
  const start = (
    name: string,
    args: readonly string[],
    more: { input?: string; env?: NodeJS.ProcessEnv; secret?: string } = {},
  ): Running => {
    const { input, env = {}, secret = `${name}pw\n` } = more;
    const file = join(scratch, `secret-${children.length}`);
    writeFileSync(file, secret, { mode: 0o600 });
    const fd = openSync(file, 'r');
    const child = spawn(process.execPath, [program, ...args], {
      env: {
        ...process.env,
        XMPP_E2E_HOME: homeOf(name),
        NODE_EXTRA_CA_CERTS: server.authority,
        NO_COLOR: '1',
        ...env,
      },
      stdio: ['pipe', 'pipe', 'pipe', fd],
    });
    closeSync(fd);
    children.push(child);
    child.stdin!.on('error', () => undefined);
    child.stdin!.end(input ?? '');
    const code = new Promise<number | null>((resolve) => child.on('close', resolve));
    const running: Running = { child, out: '', err: '', code };
    child.stdout!.on('data', (data) => (running.out += String(data)));
    child.stderr!.on('data', (data) => (running.err += String(data)));
    return running;
  };
  const finish = async (name: string, args: readonly string[], more: Parameters<typeof start>[2] = {}) => {
    const running = start(name, args, more);
    return { code: await running.code, out: running.out, err: running.err };
  };
  const account = (name: string): string[] => [
    '--user',
    `${name}@localhost`,
    '--service',
    `xmpp://localhost:${server.starttlsPort}`,
    '--password-fd',
    '3',
  ];
  const listening = async (name: string, ...more: string[]): Promise<Running> => {
    // The log also has those who listened before under this name.
    const before = server.log().length;
    const running = start(name, ['listen', ...account(name), ...more]);
    const presence = new RegExp(`c2s.*Authenticated as ${name}@localhost`);
    const online = (): boolean => presence.test(server.log().slice(before));
    await until('the listener to be online', () => online() || running.child.exitCode !== null, 60);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return running;
  };

  beforeAll(async () => {
    server = await prosodyOffline.start(['alice', 'bob', 'carol', 'dave']);
    const names = ['alice', 'bob', 'carol', 'dave'];
    const certificates = new Map<string, string>();
    for (const name of names) {
      const jid = `${name}@localhost`;
      await finish(name, ['keygen', '--jid', jid, '--backend', 'smime']);
      certificates.set(name, (await finish(name, ['export', '--jid', jid])).out);
    }
    const knows: readonly (readonly [string, string])[] = [
      ['alice', 'bob'],
      ['bob', 'alice'],
      ['carol', 'bob'],
      ['alice', 'dave'],
      ['dave', 'alice'],
    ];
    for (const [name, other] of knows) {
      const input = certificates.get(other)!;
      const { code, err } = await finish(name, ['import', '--jid', `${other}@localhost`, '-'], { input });
      expect(code, err).toBe(0);
    }
  });
  afterAll(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('hand a message from one terminal to another, as text and as JSON', async () => {
    const text = await listening('bob', '--max', '1', '--timeout', '60');
    const sent = await finish('alice', ['send', ...account('alice'), 'bob@localhost'], {
      input: 'Wherefore\nart thou?\n',
    });
    expect(sent, sent.err).toEqual({ code: 0, out: '', err: '' });
    expect(await text.code, text.err).toBe(0);
    // One line, though the text has two.
    expect(text.out).toMatch(/^\d{4}-\S+Z alice@localhost: Wherefore\\u\{a\}art thou\?\n$/);

    const service = `xmpps://localhost:${server.tlsPort}`;
    const json = start('dave', [
      'listen',
      ...account('dave'),
      '--service',
      service,
      '--json',
      '--max',
      '1',
      '--timeout',
      '60',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const again = await finish('alice', ['send', ...account('alice'), '--text', 'Soft!', 'dave@localhost']);
    expect(again.code, again.err).toBe(0);
    expect(await json.code, json.err).toBe(0);
    const object = JSON.parse(json.out) as { ok: boolean; verdict: { sender: { jid: string } }; stanza: string };
    expect(object).toMatchObject({
      v: 1,
      ok: true,
      verdict: { sender: { jid: 'alice@localhost' }, protection: 'sign+encrypt' },
    });
    expect(object.stanza).toContain('<body>Soft!</body>');
    expect(server.log()).not.toContain('Soft!');
  });

  it('get a message that waited at the server, once', async () => {
    const sent = await finish('alice', ['send', ...account('alice'), 'bob@localhost'], { input: 'later' });
    expect(sent.code, sent.err).toBe(0);
    const first = await finish('bob', ['listen', ...account('bob'), '--max', '1', '--timeout', '60']);
    expect([first.code, first.out.includes('alice@localhost: later')]).toEqual([0, true]);
    const second = await finish('bob', ['listen', ...account('bob'), '--max', '1', '--timeout', '2']);
    expect([second.code, second.out]).toEqual([61, '']);
  });

  it('print nothing of what cannot be believed', async () => {
    const bob = await listening('bob', '--timeout', '8');
    // Bob has no certificate of Carol.
    const sent = await finish('carol', ['send', ...account('carol'), 'bob@localhost'], { input: 'It is me, Alice' });
    expect(sent.code, sent.err).toBe(0);
    expect(await bob.code).toBe(0);
    expect(bob.out).toBe('');
    expect(bob.err).toMatch(/^xmpp-e2e: refused from carol@localhost\/\S+: the signer's certificate is not trusted/m);
    expect(bob.err).not.toContain('It is me');
  });

  it('send nothing without the keys of the recipient, and ask no server before', async () => {
    const before = server.log().length;
    const { code } = await finish('carol', ['send', ...account('carol'), 'dave@localhost'], { input: 'x' });
    expect(code).toBe(17);
    expect(server.log().slice(before)).not.toContain('carol@localhost');
  });

  it('say what came back', async () => {
    const certificate = (await finish('dave', ['export', '--jid', 'dave@localhost'])).out;
    await finish('alice', ['import', '--jid', 'nobody@localhost', '-'], { input: certificate });
    const { code, err } = await finish('alice', ['send', ...account('alice'), 'nobody@localhost'], { input: 'x' });
    // The certificate of another speaks for nobody here.
    expect([17, 118]).toContain(code);
    expect(err).toMatch(/^xmpp-e2e: [^\n]+\n$/);
  });

  it('end with 118 and one line where the password, the certificate or the address is wrong', async () => {
    const argv = ['listen', ...account('bob'), '--timeout', '5'];
    const password = await finish('bob', argv, { secret: 'wrong' });
    expect([password.code, password.err]).toEqual([118, 'xmpp-e2e: the server refused the user or the password\n']);
    const authority = await finish('bob', argv, { env: { NODE_EXTRA_CA_CERTS: '' } });
    expect([authority.code, authority.err]).toEqual([
      118,
      expect.stringMatching(/^xmpp-e2e: no connection[^\n]+(CERT|SIGN|ISSUER)[^\n]*\n$/),
    ]);
    const direct = await finish('bob', [...argv, '--service', `xmpps://127.0.0.2:${server.tlsPort}`]);
    expect(direct.code).toBe(118);
    const plain = await finish('bob', [...argv, '--service', 'ws://localhost:1']);
    expect(plain.code).toBe(41);
    const closed = await finish('bob', [...argv, '--service', 'xmpp://localhost:1']);
    expect([closed.code, closed.err]).toEqual([118, expect.stringContaining('ECONNREFUSED')]);
  });

  it('never tell the password to a server without TLS, or one that offers only PLAIN', async () => {
    const heard: string[] = [];
    const features = (inside: string): string =>
      `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='x' from='localhost' version='1.0'><stream:features>${inside}</stream:features>`;
    const mechanisms =
      "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms>";
    const cheat: Server = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        heard.push(String(data));
        if (String(data).includes('<stream:stream')) socket.write(features(mechanisms));
      });
    });
    await new Promise<void>((resolve) => cheat.listen(0, '127.0.0.1', resolve));
    const { port } = cheat.address() as { port: number };
    const { code, err } = await finish('bob', ['listen', ...account('bob'), '--service', `xmpp://localhost:${port}`]);
    cheat.close();
    expect([code, err]).toEqual([118, 'xmpp-e2e: the server offers no TLS\n']);
    expect(heard.join('')).not.toMatch(/<auth|<authenticate|bobpw|n=bob/);
  });

  it('take the password from the environment too, and never from the arguments', async () => {
    const argv = account('alice').slice(0, 4);
    const env = { XMPP_E2E_PASSWORD: 'alicepw' };
    const sent = await finish('alice', ['send', ...argv, '--text', 'x', 'bob@localhost'], { env });
    expect(sent.code, sent.err).toBe(0);
    writeFileSync(join(scratch, 'password'), 'alicepw\n');
    const file = { XMPP_E2E_PASSWORD_FILE: join(scratch, 'password') };
    expect((await finish('alice', ['send', ...argv, '--text', 'x', 'bob@localhost'], { env: file })).code).toBe(0);
    const help = (await finish('alice', ['send', '--help'])).out;
    expect(help).not.toMatch(/--password[ =<]/);
    expect((await finish('alice', ['send', ...argv, '--password', 'alicepw', 'bob@localhost'])).code).toBe(37);
  });

  it('end on an interruption', async () => {
    const bob = await listening('bob');
    bob.child.kill('SIGINT');
    expect(await bob.code).toBe(130);
  });

  it('keep the memory of contacts where the other state is', () => {
    expect(readFileSync(join(homeOf('bob'), 'known-contacts'), 'utf8')).toMatch(
      /^xmpp-e2e contacts 1\n\w+@localhost\n/,
    );
  });
});
