/** The commands as people use them, inside this process. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, message, ok, pair, type Pair, removeDirectories, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const romeo = 'romeo@example.net';

describe.each(['smime', 'openpgp'] as const)('with %s', (backend) => {
  let homes: Pair;
  beforeAll(async () => {
    homes = await pair(backend);
  });

  const sealed = async (...options: string[]): Promise<string> =>
    (await ok(['seal', ...options], { home: homes.juliet, stdin: message })).stdout;

  it('seals and opens: the stanza on stdout, the verdict on stderr', async () => {
    const wire = await sealed();
    expect(wire).not.toContain('Wherefore');
    const opened = await ok(['open', '--as', romeo], { home: homes.romeo, stdin: wire });
    expect(opened.stdout.split('\n')).toHaveLength(2);
    expect(opened.stdout).toContain('<body>Wherefore art thou?</body>');
    expect(opened.stderr).toContain(`accepted under policy strict: sign+encrypt by ${backend}`);
    expect(opened.stderr).toContain('signed by juliet@example.com');
    for (const line of opened.stderr.trim().split('\n')) expect(line).toMatch(/^xmpp-e2e: /);
  });

  it('remembers in the home what it accepted: the second time is a replay, except from an archive', async () => {
    const stdin = await sealed();
    const open = (...options: string[]): ReturnType<typeof cli> =>
      cli(['open', '--as', romeo, ...options], { home: homes.romeo, stdin });
    expect((await open()).code).toBe(0);
    const again = await open();
    expect([again.code, again.stdout]).toEqual([113, '']);
    expect(again.stderr).toContain('--archive');
    expect((await open('--offline')).code).toBe(113);
    for (let i = 0; i < 2; i++) expect((await open('--archive')).code).toBe(0);
    const unguarded = await open('--no-replay');
    expect(unguarded.code).toBe(0);
    expect(unguarded.stderr).toContain('replays were not looked for');
  });

  it('seals each stanza with a later time, also in one millisecond', async () => {
    for (let i = 0; i < 4; i++) {
      expect((await cli(['open', '--as', romeo], { home: homes.romeo, stdin: await sealed() })).code).toBe(0);
    }
  });

  it('prints the verdict as JSON', async () => {
    const opened = await ok(['open', '--as', romeo, '--json'], { home: homes.romeo, stdin: await sealed() });
    expect(opened.stderr).toBe('');
    const result = JSON.parse(opened.stdout) as {
      v: number;
      ok: boolean;
      verdict: Record<string, unknown>;
      stanza: string;
    };
    expect([result.v, result.ok]).toEqual([1, true]);
    expect(result.stanza).toContain('Wherefore');
    expect(result.verdict).toMatchObject({
      policy: 'strict',
      backend,
      protection: 'sign+encrypt',
      payload: 'cpim',
      sender: { jid: 'juliet@example.com', trust: 'pinned' },
      recipientBound: true,
      time: { status: 'ok' },
      outside: ['<store xmlns="urn:xmpp:hints"/>'],
    });
    const failed = await cli(['open', '--as', romeo, '--json'], { home: homes.romeo, stdin: message });
    expect([failed.code, failed.stdout]).toEqual([114, '']);
    expect(JSON.parse(failed.stderr)).toMatchObject({
      v: 1,
      ok: false,
      error: { code: 'ERR_E2E_NOT_SEALED', stage: 'unwrap' },
    });
  });

  it('signs only, encrypts only, takes each form of payload', async () => {
    const open = async (stdin: string, ...options: string[]): Promise<{ code: number; stderr: string }> =>
      cli(['open', '--as', romeo, ...options], { home: homes.romeo, stdin });
    expect((await open(await sealed('--protection', 'sign'))).code).toBe(0);
    const encrypted = await sealed('--protection', 'encrypt');
    expect((await open(encrypted)).code, 'unsigned').toBe(3);
    const told = JSON.parse((await open(encrypted, '--json')).stderr) as { error: { verdict: object } };
    expect(told.error.verdict).toMatchObject({
      level: 'unsigned',
      claimedFrom: 'juliet@example.com',
      words: expect.arrayContaining(['NOT SIGNED: juliet@example.com is only claimed to be the sender']) as object,
    });
    const lenient = await open(encrypted, '--policy', 'rfc3923');
    expect(lenient.code).toBe(0);
    expect(lenient.stderr).toContain('NOT SIGNED');
    for (const payload of ['cpim', 'xmpp+xml']) {
      expect((await open(await sealed('--payload', payload))).stderr).toContain(`payload ${payload}`);
    }
    expect((await cli(['seal', '--payload', 'pidf'], { home: homes.juliet, stdin: message })).code).toBe(41);
  });

  it('takes addresses from the command line', async () => {
    const bare = '<message type="chat"><body>hi</body></message>';
    const wire = await ok(['seal', '--from', 'juliet@example.com/x', '--to', romeo], {
      home: homes.juliet,
      stdin: bare,
    });
    expect(wire.stdout).toContain('from="juliet@example.com/x" to="romeo@example.net"');
    expect((await cli(['open', '--as', `${romeo}/any`], { home: homes.romeo, stdin: wire.stdout })).code).toBe(0);
  });

  it('opens old messages by --at or from the archive', async () => {
    const stdin = await sealed();
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const late = await cli(['open', '--as', romeo, '--at', later], { home: homes.romeo, stdin });
    expect([late.code, late.stdout]).toEqual([112, '']);
    const archived = await ok(['open', '--as', romeo, '--at', later, '--archive'], { home: homes.romeo, stdin });
    expect(archived.stderr).toContain('delayed');
  });

  it('refuses, with nothing on stdout: tampering, wrong sender, wrong recipient, unknown signer', async () => {
    const wire = await sealed();
    const cases: [string, number[], string, string?][] = [
      ['the sender changed', [3, 110, 115], wire.replace('juliet@example.com', 'mallory@example.org')],
      ['another of my addresses', [29], wire, 'tybalt@example.com'],
      ['a body byte changed', [29, 41], flipped(wire)],
      ['opened by a stranger', [29], wire, 'juliet@example.com'],
    ];
    for (const [what, codes, stdin, as = romeo] of cases) {
      const result = await cli(['open', '--as', as], { home: homes.romeo, stdin });
      expect(codes, `${what}: ${result.stderr}`).toContain(result.code);
      expect(result.stdout, what).toBe('');
      expect(result.stderr.split('\n'), what).toHaveLength(2);
    }
    const stranger = join(temporaryDirectory(), 'home');
    const signed = await sealed('--protection', 'sign');
    const unknown = await cli(['open', '--as', romeo], { home: stranger, stdin: signed });
    expect([3, 115]).toContain(unknown.code);
    expect(unknown.stderr).toContain('xmpp-e2e import --jid JID FILE');
    expect(existsSync(stranger), 'a refused stanza makes no home').toBe(false);
  });

  it('inspects without keys, and says first that nothing is verified', async () => {
    const wire = await sealed('--protection', 'sign');
    const shown = await ok(['inspect'], { stdin: wire });
    expect(shown.stdout.split('\n')[0]).toMatch(/^NOT VERIFIED/);
    expect(shown.stdout).toMatch(/signed/);
    expect(shown.stdout).toContain('message/cpim');
    const json = JSON.parse((await ok(['inspect', '--json'], { stdin: await sealed() })).stdout) as {
      layers: { title: string }[];
    };
    expect(json).toMatchObject({ v: 1, verified: false });
    expect(json.layers.map(({ title }) => title).join()).toMatch(/^message,e2e,.*encrypted/);
    expect((await cli(['inspect'], { stdin: message })).code).toBe(114);
  });

  it('protects keys with a passphrase that never is in argv', async () => {
    const home = join(temporaryDirectory(), 'home');
    const file = join(temporaryDirectory(), 'passphrase');
    writeFileSync(file, 'correct horse\n');
    const env = { XMPP_E2E_PASSPHRASE_FILE: file };
    await ok(['keygen', '--jid', 'juliet@example.com', '--backend', backend], { home, env });
    const self = message.replace('romeo@example.net/orchard', 'juliet@example.com');
    const wire = await ok(['seal'], { home, env, stdin: self });
    expect((await ok(['open', '--as', 'juliet@example.com'], { home, env, stdin: wire.stdout })).stdout).toContain(
      'Wherefore',
    );
    writeFileSync(file, 'wrong\n');
    const wrong = await cli(['open', '--as', 'juliet@example.com'], { home, env, stdin: wire.stdout });
    expect([wrong.code, wrong.stdout]).toEqual([67, '']);
    expect(wrong.stderr).not.toMatch(/wrong\n|horse/);
    writeFileSync(file, '');
    expect((await cli(['seal'], { home, env, stdin: self })).code).toBe(31);
    const absent = await cli(['keygen', '--jid', 'x@example.com', '--backend', backend], {
      home,
      env: { XMPP_E2E_PASSPHRASE_FILE: '/nonexistent' },
    });
    expect(absent.code).toBe(31);
    // Protected keys move between homes as they are.
    writeFileSync(file, 'correct horse\n');
    const secret = await ok(['export', '--secret', '--jid', 'juliet@example.com'], { home });
    const certificate =
      backend === 'smime' ? (await ok(['export', '--jid', 'juliet@example.com'], { home })).stdout : '';
    const second = join(temporaryDirectory(), 'second');
    const identity = secret.stdout + certificate;
    await ok(['import', '--identity', '--jid', 'juliet@example.com', '-'], { home: second, env, stdin: identity });
    expect(
      (await ok(['open', '--as', 'juliet@example.com', '--no-replay'], { home: second, env, stdin: wire.stdout }))
        .stdout,
    ).toContain('Wherefore');
  });

  it('does not replace keys unasked', async () => {
    const home = join(temporaryDirectory(), 'home');
    const keygen = ['keygen', '--jid', 'juliet@example.com', '--backend', backend];
    await ok(keygen, { home });
    const before = (await ok(['export', '--jid', 'juliet@example.com'], { home })).stdout;
    const refused = await cli(keygen, { home });
    expect(refused.code).toBe(59);
    expect(refused.stderr).toContain('--force');
    expect((await ok(['export', '--jid', 'juliet@example.com'], { home })).stdout).toBe(before);
    await ok([...keygen, '--force'], { home });
    expect((await ok(['export', '--jid', 'juliet@example.com'], { home })).stdout).not.toBe(before);
  });

  it.each(['ed25519', 'p256', 'p384', 'rsa2048'])('makes %s keys that seal and open', async (algorithm) => {
    const home = join(temporaryDirectory(), 'home');
    const inAWeek = (): string => new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
    const before = inAWeek();
    const made = await ok(
      ['keygen', '--jid', 'juliet@example.com', '--backend', backend, '--algorithm', algorithm, '--days', '7'],
      { home },
    );
    expect(made.stdout).toBe('');
    expect(made.stderr).toContain(`(${algorithm})`);
    // Midnight may have passed.
    expect(made.stderr).toMatch(new RegExp(`valid until (${before}|${inAWeek()})`));
    const self = message.replace('romeo@example.net/orchard', 'juliet@example.com');
    const wire = await ok(['seal'], { home, stdin: self });
    await ok(['open', '--as', 'juliet@example.com'], { home, stdin: wire.stdout });
  });
});

/** One character of the ciphertext changed. */
function flipped(wire: string): string {
  const lines = wire.split('\n');
  const full = lines.map((line, i) => (/^[A-Za-z0-9+/]{60,76}$/.test(line) ? i : -1)).filter((i) => i !== -1);
  const target = full[Math.floor(full.length * 0.7)]!;
  const line = lines[target]!;
  lines[target] = line.slice(0, 20) + (line[20] === 'A' ? 'B' : 'A') + line.slice(21);
  return lines.join('\n');
}

describe('contacts', () => {
  const fingerprints = (text: string): string[] => text.match(/certificate [0-9a-f]{40,64}/g) ?? [];

  it.each(['smime', 'openpgp'] as const)(
    'a further %s certificate is told of, and --replace forgets the old one',
    async (backend) => {
      const homes = await pair(backend);
      const old = (await ok(['seal'], { home: homes.romeo, stdin: toJuliet })).stdout;
      const made = await ok(['keygen', '--jid', romeo, '--backend', backend, '--force'], { home: homes.romeo });
      const certificate = (await ok(['export', '--jid', romeo], { home: homes.romeo })).stdout;
      const bring = (...more: string[]): ReturnType<typeof ok> =>
        ok(['import', '--jid', romeo, ...more, '-'], { home: homes.juliet, stdin: certificate });
      const added = await bring();
      expect(fingerprints(added.stderr)).toEqual(fingerprints(made.stderr));
      expect(added.stderr).toContain('1 other certificate(s) speak for this address too');
      const open = ['open', '--as', 'juliet@example.com', '--no-replay'];
      expect((await cli(open, { home: homes.juliet, stdin: old })).code, 'both speak').toBe(0);
      expect((await bring('--replace')).stderr).not.toContain('other certificate');
      expect([3, 115]).toContain((await cli(open, { home: homes.juliet, stdin: old })).code);
      const fresh = (await ok(['seal'], { home: homes.romeo, stdin: toJuliet })).stdout;
      expect((await cli(open, { home: homes.juliet, stdin: fresh })).code).toBe(0);
    },
  );

  const toJuliet = '<message from="romeo@example.net/x" to="juliet@example.com" type="chat"><body>hi</body></message>';
});

describe('the algorithms of the RFC', () => {
  it('are written and read on request, refused otherwise, and warned of', async () => {
    const home = join(temporaryDirectory(), 'home');
    await ok(['keygen', '--jid', 'juliet@example.com', '--backend', 'smime', '--algorithm', 'rsa2048'], { home });
    const stdin = message.replace('romeo@example.net/orchard', 'juliet@example.com');
    const wire = (await ok(['seal', '--profile', 'rfc3923'], { home, stdin })).stdout;
    const open = ['open', '--as', 'juliet@example.com'];
    const strict = await cli(open, { home, stdin: wire });
    expect([strict.code, strict.stdout]).toEqual([13, '']);
    expect(strict.stderr).toContain('--policy rfc3923');
    expect((await ok([...open, '--policy', 'rfc3923'], { home, stdin: wire })).stdout).toContain('Wherefore');
    expect((await ok(['inspect'], { stdin: wire })).stdout).toContain('warning: ');
  });
});

describe('two backends', () => {
  it('the one for which both sides have keys is chosen', async () => {
    const homes = await pair('openpgp');
    await ok(['keygen', '--jid', 'juliet@example.com', '--backend', 'smime'], { home: homes.juliet });
    const wire = await ok(['seal'], { home: homes.juliet, stdin: message });
    expect(wire.stdout).toContain('pgp-encrypted');
    const asked = await cli(['seal', '--backend', 'smime'], { home: homes.juliet, stdin: message });
    expect(asked.code).toBe(17);
    expect(asked.stderr).toContain('no smime certificate for romeo@example.net');
    const which = await cli(['export', '--jid', 'juliet@example.com'], { home: homes.juliet });
    expect(which.code).toBe(19);
    const mismatch = join(temporaryDirectory(), 'home');
    await ok(['keygen', '--jid', 'juliet@example.com', '--backend', 'smime'], { home: mismatch });
    const certificate = await ok(['export', '--jid', romeo, '--backend', 'openpgp'], { home: homes.romeo });
    await ok(['import', '--jid', romeo, '-'], { home: mismatch, stdin: certificate.stdout });
    const apart = await cli(['seal'], { home: mismatch, stdin: message });
    expect(apart.code).toBe(17);
    expect(apart.stderr).toContain('keygen --jid juliet@example.com --backend openpgp');
  });

  it('both work in one home', async () => {
    const homes = await pair('openpgp', 'smime');
    for (const backend of ['smime', 'openpgp']) {
      const wire = await ok(['seal', '--backend', backend], { home: homes.juliet, stdin: message });
      expect((await ok(['open', '--as', romeo], { home: homes.romeo, stdin: wire.stdout })).stderr).toContain(
        `by ${backend}`,
      );
    }
    expect((await ok(['seal'], { home: homes.juliet, stdin: message })).stdout).toContain('pkcs7');
  });
});

describe('map', () => {
  const rich =
    '<message from="juliet@example.com/balcony" to="romeo@example.net" type="chat" id="m1"><subject>S</subject>' +
    '<body>hello\nthere</body><thread>t1</thread><active xmlns="http://jabber.org/protocol/chatstates"/></message>';

  it('to-cpim reports each item that is lost', async () => {
    const mapped = await ok(['map', 'to-cpim', '--at', '2026-01-31T12:00:00Z'], { stdin: rich });
    expect(mapped.stdout).toMatch(/^Content-Type: Message\/CPIM\r\n/i);
    expect(mapped.stdout).toContain('DateTime: 2026-01-31T12:00:00.000Z\r\n');
    expect(mapped.stdout).toContain('\r\n\r\nhello\r\nthere');
    const dropped = mapped.stderr.trim().split('\n');
    for (const item of ['thread', 'type', '{http://jabber.org/protocol/chatstates}active']) {
      expect(dropped).toContain(`xmpp-e2e: dropped: ${item}`);
    }
    const back = await ok(['map', 'to-stanza'], { stdin: mapped.stdout.replaceAll('\r\n', '\n') });
    expect(back.stdout).toContain('<subject>S</subject><body>hello&#xA;there</body>');
  });

  it('to-pidf and to-xmpp-xml come back whole', async () => {
    const presence =
      '<presence from="juliet@example.com/balcony" to="romeo@example.net"><show>dnd</show><status>Wooing</status><priority>1</priority></presence>';
    for (const bare of [[], ['--bare']]) {
      const pidf = await ok(['map', 'to-pidf', ...bare], { stdin: presence });
      expect(pidf.stdout.includes('Message/CPIM')).toBe(bare.length === 0);
      const back = await ok(['map', 'to-stanza', '--to', romeo], { stdin: pidf.stdout });
      expect(back.stdout).toContain('from="juliet@example.com/balcony"');
      expect(back.stdout).toContain('<show>dnd</show><status>Wooing</status><priority>1</priority>');
      const xml = await ok(['map', 'to-xmpp-xml', ...bare], { stdin: rich });
      expect((await ok(['map', 'to-stanza'], { stdin: xml.stdout })).stdout).toContain('<thread>t1</thread>');
    }
  });

  it('says what to do where a form does not fit', async () => {
    expect((await cli(['map', 'to-pidf'], { stdin: rich })).stderr).toContain('to-xmpp-xml');
    expect((await cli(['map', 'to-pidf'], { stdin: rich })).code).toBe(41);
    expect((await cli(['map', 'to-moon'], { stdin: rich })).code).toBe(69);
    expect((await cli(['map', 'to-cpim'], { stdin: '<message><body/></message>' })).code).toBe(19);
    expect((await cli(['map', 'to-stanza'], { stdin: 'Content-Type: text/html\n\n<p/>' })).code).toBe(13);
    expect((await cli(['map', 'to-cpim', '--at', 'yesterday'], { stdin: rich })).code).toBe(41);
  });
});

describe('the demonstration', () => {
  it('shows every stage with both backends and three refusals each, and leaves nothing behind', async () => {
    const temporary = temporaryDirectory();
    const shown = await ok(['demo'], { columns: 80, env: { TMPDIR: temporary } });
    expect(readdirSync(temporary)).toEqual([]);
    for (const line of shown.stdout.split('\n')) {
      if (/^ {2}[|:] /.test(line)) expect(line.length).toBeLessThanOrEqual(80);
    }
    expect(shown.stdout).not.toMatch(/\u001b/);
    expect(shown.stdout).toMatch(/\[\d+ more bytes in base64\]/);
    expect(shown.stdout.match(/the same stanza came back/g)).toHaveLength(6);
    expect(shown.stdout.match(/: refused, ERR_E2E_/g)).toHaveLength(6);
    expect(shown.stdout.match(/ERR_E2E_REPLAYED/g)).toHaveLength(2);
    for (const part of [
      'Message/CPIM',
      'application/pidf+xml',
      'application/xmpp+xml',
      'multipart/signed',
      '<e2e ',
      'jabber:iq:roster',
    ]) {
      expect(shown.stdout).toContain(part);
    }
  });

  it('is in color on a terminal, unless NO_COLOR says no', async () => {
    expect((await ok(['demo'], { terminal: true })).stdout).toContain('\u001b[');
    expect((await ok(['demo'], { terminal: true, env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b');
  });
});

describe('help', () => {
  const commands = ['keygen', 'import', 'export', 'seal', 'open', 'inspect', 'map', 'demo', 'vectors'];

  it.each(commands)('%s --help begins with examples and says what each option is for', async (command) => {
    const { stdout } = await ok([command, '--help']);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('Examples:');
    expect(lines[1]).toContain(`xmpp-e2e ${command}`);
    expect(stdout).toContain('--home <dir>');
    for (const line of lines) expect(line, 'an option without a word').not.toMatch(/^ {2}-\S+ <\S+>$/);
  });

  it('of the program begins with examples and lists every command', async () => {
    const { stdout } = await ok(['--help']);
    expect(stdout.split('\n')[0]).toBe('Examples:');
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect((await ok(['--version'])).stdout).toBe(`${version}\n`);
  });
});
