/** Bad use: one line on stderr that says what to do, nothing on stdout, the right exit code, and nothing changed. */
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { homePath } from '../../../src/cli/context.ts';
import { exitCodes, exitOf } from '../../../src/cli/exit-codes.ts';
import { report } from '../../../src/cli/report.ts';
import { E2eError, errorCodes } from '../../../src/errors.ts';
import {
  cli,
  message,
  ok,
  pair,
  type Pair,
  removeDirectories,
  type Result,
  snapshot,
  type Surroundings,
  temporaryDirectory,
} from './fixtures.ts';

afterAll(removeDirectories);

let homes: Pair;
beforeAll(async () => {
  homes = await pair('openpgp', 'smime');
});

/** Expects a refusal that leaves the home as it was. */
async function refused(
  code: number,
  argv: readonly string[],
  surroundings: Surroundings,
  words: string | RegExp,
): Promise<Result> {
  const home = surroundings.home;
  const before = home !== undefined && existsSync(home) ? snapshot(home) : undefined;
  const result = await cli(argv, surroundings);
  expect(result.code, result.stderr).toBe(code);
  expect(result.stdout).toBe('');
  expect(result.stderr).toMatch(/^xmpp-e2e: [^\n]+\n$/);
  expect(result.stderr).toMatch(words);
  if (home !== undefined) expect(existsSync(home) ? snapshot(home) : undefined).toEqual(before);
  return result;
}

describe('missing keys', () => {
  it('of a contact: whom to ask, and the command for the answer', async () => {
    const stdin = message.replaceAll('romeo@example.net', 'mercutio@example.net');
    const { stderr } = await refused(17, ['seal'], { home: homes.juliet, stdin }, '');
    expect(stderr).toBe(
      'xmpp-e2e: no certificate for mercutio@example.net: ask for it and run `xmpp-e2e import --jid mercutio@example.net FILE`\n',
    );
  });

  it('of my own: the command that makes them', async () => {
    const home = join(temporaryDirectory(), 'home');
    await refused(
      79,
      ['seal'],
      { home, stdin: message },
      'run `xmpp-e2e keygen --jid juliet@example.com --backend smime`',
    );
    await refused(
      79,
      ['seal', '--backend', 'openpgp', '--protection', 'sign'],
      { home, stdin: message },
      '--backend openpgp`',
    );
    await refused(
      61,
      ['export', '--jid', 'juliet@example.com'],
      { home },
      'neither keys nor a certificate for juliet@example.com',
    );
    await refused(61, ['export', '--secret', '--jid', 'romeo@example.net'], { home: homes.juliet }, 'no private keys');
  });

  it('a key file that others can read', async () => {
    const { juliet } = await pair('openpgp');
    chmodSync(join(juliet, 'identities/juliet@example.com/openpgp.key.asc'), 0o644);
    await refused(
      67,
      ['seal'],
      { home: juliet, stdin: message },
      /other users can use this private key file \(make it mode 600\): openpgp\.key\.asc/,
    );
  });
});

describe('input', () => {
  it.each(['seal', 'open', 'inspect', 'map', 'import'])('%s: nothing on stdin, or a terminal', async (command) => {
    const more: Record<string, string[]> = {
      open: ['--as', 'romeo@example.net'],
      map: ['to-cpim'],
      import: ['--jid', 'a@b.example', '-'],
    };
    const argv = [command, ...(more[command] ?? [])];
    for (const stdin of ['', '\n', ' \t\r\n'])
      await refused(61, argv, { home: homes.juliet, stdin }, /stdin is empty.*for example: xmpp-e2e/);
    await refused(61, argv, { home: homes.juliet, typing: true }, /pipe .* in, for example: xmpp-e2e/);
  });

  it('two stanzas, half a stanza, no stanza, no XML, no UTF-8', async () => {
    const { juliet: home } = homes;
    await refused(41, ['seal'], { home, stdin: message + message }, 'second root element');
    await refused(41, ['seal'], { home, stdin: `${message}\n${message}\n` }, 'second root element');
    await refused(41, ['seal'], { home, stdin: message.slice(0, -4) }, /./);
    await refused(41, ['seal'], { home, stdin: '<stream xmlns="jabber:client"/>' }, 'not a message, presence or iq');
    await refused(41, ['seal'], { home, stdin: 'hello' }, /./);
    await refused(41, ['seal'], { home, stdin: Buffer.from([0x3c, 0x61, 0xff, 0x2f, 0x3e]) }, 'UTF-8');
    await refused(41, ['seal'], { home, stdin: '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>' }, /./);
    await refused(116, ['seal'], { home, stdin: message.replace('thou', 'x'.repeat(300_000)) }, '262144');
    await refused(116, ['seal'], { home, stdin: Buffer.alloc(5_000_000, 0x61) }, '4 MiB');
  });

  it('what cannot be sealed is told before missing keys', async () => {
    const { juliet: home } = homes;
    const seal = (stdin: string, words: string | RegExp): Promise<Result> =>
      refused(41, ['seal'], { home, stdin }, words);
    await seal(
      '<message from="juliet@example.com/x" to="room@chat.example" type="groupchat"><body>hi</body></message>',
      'group chat',
    );
    await seal('<presence from="juliet@example.com/x"/>', 'broadcast presence');
    await seal(
      '<presence from="juliet@example.com/x" to="new@example.org" type="subscribe"/>',
      'presence that servers must read',
    );
    await seal('<message from="juliet@example.com/x" to="new@example.org" type="error"/>', 'error stanza');
    await seal('<message from="juliet@example.com/x"><body>hi</body></message>', 'no "to"');
    await seal('<message to="romeo@example.net"><body>hi</body></message>', 'no "from"');
    await seal('<message from="@" to="romeo@example.net"><body>hi</body></message>', /XMPP address|JID/);
    const sealed = await ok(['seal'], { home, stdin: message });
    await seal(sealed.stdout, 'sealed already');
  });

  it('a stanza that is not sealed', async () => {
    await refused(114, ['open', '--as', 'romeo@example.net'], { home: homes.romeo, stdin: message }, 'not sealed');
  });

  it('files that hold something else', async () => {
    const { juliet: home } = homes;
    const certificate = (
      await ok(['export', '--jid', 'romeo@example.net', '--backend', 'smime'], { home: homes.romeo })
    ).stdout;
    const secret = (
      await ok(['export', '--secret', '--jid', 'romeo@example.net', '--backend', 'smime'], { home: homes.romeo })
    ).stdout;
    const armored = (await ok(['export', '--jid', 'romeo@example.net', '--backend', 'openpgp'], { home: homes.romeo }))
      .stdout;
    const armoredSecret = (
      await ok(['export', '--secret', '--jid', 'romeo@example.net', '--backend', 'openpgp'], { home: homes.romeo })
    ).stdout;
    const bring = (
      jid: string,
      stdin: string | Uint8Array,
      words: string | RegExp,
      code = 41,
      ...more: string[]
    ): Promise<Result> => refused(code, ['import', '--jid', jid, ...more, '-'], { home, stdin }, words);
    for (const one of [certificate, armored])
      await bring('mercutio@example.net', one, /does not name mercutio@example\.net, but .*romeo@example\.net/);
    for (const one of [secret + certificate, armoredSecret])
      await bring('romeo@example.net', one, /private key: --identity/);
    for (const one of [certificate, armored]) await bring('romeo@example.net', one, /no private key/, 41, '--identity');
    await bring('romeo@example.net', secret, /the certificate is missing/, 41, '--identity');
    for (const junk of [
      'hello',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      Buffer.from([0x30, 0x03, 1, 2, 3]),
      Buffer.from([0x99, 0, 1, 0]),
      '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n',
    ]) {
      const result = await cli(['import', '--jid', 'romeo@example.net', '-'], { home, stdin: junk });
      expect([13, 41], result.stderr).toContain(result.code);
    }
    await refused(61, ['import', '--jid', 'romeo@example.net', '/nonexistent'], { home }, 'ENOENT');
    // A key that does not belong to the certificate.
    const other = (await ok(['export', '--secret', '--jid', 'juliet@example.com', '--backend', 'smime'], { home }))
      .stdout;
    const mixed = await cli(['import', '--identity', '--jid', 'romeo@example.net', '-'], {
      home,
      stdin: other + certificate,
    });
    expect([67, 79, 41]).toContain(mixed.code);
    expect(existsSync(join(home, 'identities/romeo@example.net'))).toBe(false);
  });
});

describe('a home that is not ours', () => {
  it('is refused by every command and not changed by a bit', async () => {
    const foreign = temporaryDirectory();
    writeFileSync(join(foreign, 'pubring.kbx'), 'not ours');
    const newer = temporaryDirectory();
    writeFileSync(join(newer, 'xmpp-e2e-home'), 'xmpp-e2e home 2\n');
    const linked = join(temporaryDirectory(), 'link');
    symlinkSync(foreign, linked);
    const open = temporaryDirectory();
    writeFileSync(join(open, 'xmpp-e2e-home'), 'xmpp-e2e home 1\n');
    chmodSync(open, 0o777);
    for (const [home, words] of [
      [foreign, 'not a home of xmpp-e2e'],
      [newer, 'version 2'],
      [linked, 'symbolic link'],
      [open, 'other users can write'],
    ] as const) {
      await refused(1, ['keygen', '--jid', 'juliet@example.com', '--backend', 'openpgp'], { home }, words);
      await refused(1, ['seal'], { home, stdin: message }, words);
      await refused(1, ['open', '--as', 'romeo@example.net'], { home, stdin: message }, words);
      await refused(1, ['export', '--jid', 'romeo@example.net'], { home }, words);
      await refused(1, ['import', '--jid', 'romeo@example.net', '/dev/null'], { home }, words);
    }
  });

  it('a damaged replay file refuses', async () => {
    const { juliet, romeo } = await pair('openpgp');
    const first = await ok(['seal'], { home: juliet, stdin: message });
    await ok(['open', '--as', 'romeo@example.net'], { home: romeo, stdin: first.stdout });
    const file = join(romeo, 'replay');
    writeFileSync(file, readFileSync(file, 'latin1').replace('+ ', '- '));
    await refused(1, ['open', '--as', 'romeo@example.net'], { home: romeo, stdin: first.stdout }, 'damaged');
  });
});

describe('the command line itself', () => {
  it.each<[number, string, string[]]>([
    [69, 'no such command', ['frobnicate']],
    [19, 'no command', []],
    [37, 'no such option', ['seal', '--frobnicate']],
    [37, 'no such choice', ['seal', '--backend', 'rot13']],
    [37, 'contradicting options', ['open', '--as', 'a@b.example', '--archive', '--offline']],
    [37, 'no number', ['keygen', '--jid', 'a@b.example', '--backend', 'smime', '--days', '-3']],
    [37, 'too many words', ['demo', 'now']],
    [19, 'no value', ['open', '--as']],
    [19, 'a mandatory option missing', ['open']],
    [19, 'no backend', ['keygen', '--jid', 'a@b.example']],
    [19, 'an argument missing', ['import', '--jid', 'a@b.example']],
    [41, 'no JID', ['open', '--as', 'a@@b']],
    [41, 'no JID', ['keygen', '--jid', '', '--backend', 'smime']],
    [41, 'no time', ['open', '--as', 'a@b.example', '--at', '2026-02-30T00:00:00Z']],
  ])('exit code %i: %s', async (code, _, argv) => {
    const home = join(temporaryDirectory(), 'home');
    await refused(code, argv, { home, stdin: message }, /./);
    expect(existsSync(home)).toBe(false);
  });

  it('reports usage errors as JSON where JSON was asked for', async () => {
    const result = await cli(['open', '--json'], { stdin: message });
    expect(JSON.parse(result.stderr)).toMatchObject({ v: 1, ok: false, error: { code: 'MISSING_ARGUMENT' } });
  });

  it('has an exit code for every error code, the numbers of the Stateless OpenPGP CLI below 110', () => {
    expect(Object.keys(exitOf).sort()).toEqual([...errorCodes].sort());
    const values = Object.values(exitCodes);
    expect(new Set(values).size).toBe(values.length);
    expect(exitCodes).toMatchObject({
      NO_VALID_SIGNATURE: 3,
      UNSUPPORTED_ALGORITHM: 13,
      CANNOT_ENCRYPT: 17,
      MISSING_ARGUMENT: 19,
      CANNOT_DECRYPT: 29,
      PASSPHRASE: 31,
      UNSUPPORTED_OPTION: 37,
      BAD_DATA: 41,
      OUTPUT_EXISTS: 59,
      MISSING_INPUT: 61,
      KEY_LOCKED: 67,
      UNKNOWN_COMMAND: 69,
      SENDER_MISMATCH: 110,
      RECIPIENT_MISMATCH: 111,
      TIMESTAMP: 112,
      REPLAYED: 113,
      NOT_SEALED: 114,
      UNTRUSTED: 115,
      LIMIT: 116,
      INTERRUPTED: 130,
    });
  });

  it('documents every exit code', () => {
    const page = readFileSync(new URL('../../../src/cli/README.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| (\d+) +\| (\w+) +\| ([\w, ]*?) *\|$/gm)].map((row) => row.slice(1));
    const expected = Object.entries(exitCodes).map(([name, code]) => {
      const of = errorCodes.filter((error) => exitOf[error] === name).map((error) => error.replace('ERR_E2E_', ''));
      return [String(code), name, of.join(', ')];
    });
    expect(rows).toEqual(expected);
  });

  it('finds its home without guessing at those of others', () => {
    const home = (env: Record<string, string>, option?: string): string =>
      homePath({ env } as unknown as Parameters<typeof homePath>[0], option);
    expect(home({ XMPP_E2E_HOME: '/b', XDG_DATA_HOME: '/c', HOME: '/d' }, '/a')).toBe('/a');
    expect(home({ XMPP_E2E_HOME: '/b', XDG_DATA_HOME: '/c', HOME: '/d' })).toBe('/b');
    expect(home({ XDG_DATA_HOME: '/c', HOME: '/d' })).toBe('/c/xmpp-e2e');
    expect(home({ XDG_DATA_HOME: 'relative', HOME: '/d' })).toBe('/d/.local/share/xmpp-e2e');
    expect(home({ XMPP_E2E_HOME: '', HOME: '/d' })).toBe('/d/.local/share/xmpp-e2e');
    expect(() => home({ HOME: '' })).toThrow('--home');
  });

  it('tells of a defect only its kind and place', () => {
    let line = '';
    const io = { stderr: { write: (text: string) => (line += text) } } as unknown as Parameters<typeof report>[0];
    expect(report(io, new TypeError('secret content'), false)).toBe(1);
    expect(line).toMatch(/^xmpp-e2e: internal error \(TypeError at .*\); please report it\n$/);
    expect(line).not.toContain('secret');
    expect(report(io, 'thrown text', true)).toBe(1);
    expect(report(io, new E2eError('ERR_E2E_REPLAYED', 'check'), true)).toBe(113);
  });
});

describe('attacks on the eye', () => {
  const controls = [...Array(32).keys(), 0x7f, ...Array.from({ length: 32 }, (_, i) => 0x80 + i)];
  const bidi = [0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069];
  const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

  it('no control or bidi character of a message reaches a terminal', async () => {
    const legal = [...controls.filter((c) => c >= 0x7f || c === 9 || c === 10 || c === 13), ...bidi];
    const nasty = legal.map((c) => `&#${c};`).join('x');
    const stdin = message.replace('thou?', nasty).replace('<body>', `<subject>${nasty}</subject><body>`);
    const wire = await ok(['seal'], { home: homes.juliet, stdin });
    for (const json of [[], ['--json']]) {
      const shown = await ok(['open', '--as', 'romeo@example.net', '--no-replay', ...json], {
        home: homes.romeo,
        stdin: wire.stdout,
        terminal: true,
        env: { NO_COLOR: '1' },
      });
      expect(shown.stdout.trimEnd()).not.toMatch(unsafe);
      expect(shown.stdout.trimEnd()).not.toContain('\n');
      expect(shown.stderr).not.toMatch(unsafe);
    }
    const piped = await ok(['open', '--as', 'romeo@example.net', '--no-replay'], {
      home: homes.romeo,
      stdin: wire.stdout,
    });
    expect(piped.stdout, 'a pipe gets the characters themselves').toContain('\u202e');
  });

  it('no control character of an address, a name or a file reaches stderr', async () => {
    for (const code of [...controls.slice(1), ...bidi]) {
      const character = String.fromCharCode(code);
      const attempts = await Promise.all([
        cli(['open', '--as', `a${character}@`], { stdin: message }),
        cli([`x${character}`], {}),
        cli(['seal', `--${character}`], {}),
        cli(['seal', '--from', `${character}@@`], { stdin: message, home: homes.juliet }),
        cli(['map', `to${character}`], { stdin: message }),
        cli(['import', '--jid', 'a@b.example', `/nonexistent/${character}`], {}),
        cli(['open', '--as', 'romeo@example.net'], {
          stdin: message.replace('m1', 'm').replace('juliet@example.com', `&#${code < 32 ? 0x9b : code};@`),
          home: homes.romeo,
        }),
      ]);
      for (const { stderr, code: exit } of attempts) {
        expect(exit).not.toBe(0);
        expect(stderr.trimEnd()).not.toMatch(unsafe);
        expect(stderr.trimEnd()).not.toContain('\n');
      }
    }
  });

  it('a body that imitates the verdict stays inside the line of the stanza', async () => {
    const fake =
      '\nxmpp-e2e: signed by pope@vatican.example (ed25519, a certificate filed for this address, User ID)\n';
    const wire = await ok(['seal'], { home: homes.juliet, stdin: message.replace('thou?', fake) });
    const shown = await ok(['open', '--as', 'romeo@example.net'], { home: homes.romeo, stdin: wire.stdout });
    for (const line of `${shown.stderr}${shown.stdout}`.split('\n')) {
      if (line.startsWith('xmpp-e2e:')) expect(line).not.toContain('vatican');
    }
    expect(shown.stdout).toMatch(/^<message[^\n]*&#xA;xmpp-e2e: signed by pope[^\n]*\n$/);
  });

  it('secrets stay out of every report', async () => {
    const home = join(temporaryDirectory(), 'home');
    const file = join(temporaryDirectory(), 'passphrase');
    const secrets = ['hunter2-passphrase', 'the-planted-body', 'the-planted-subject'];
    writeFileSync(file, secrets[0]!);
    const env = { XMPP_E2E_PASSPHRASE_FILE: file };
    await ok(['keygen', '--jid', 'juliet@example.com', '--backend', 'openpgp'], { home, env });
    const key = readFileSync(join(home, 'identities/juliet@example.com/openpgp.key.asc'), 'utf8').split('\n')[4]!;
    const secretMessage = message
      .replace('<body>', `<subject>${secrets[2]!}</subject><body>${secrets[1]!}`)
      .replace('romeo@example.net/orchard', 'juliet@example.com');
    const wire = (await ok(['seal'], { home, env, stdin: secretMessage })).stdout;
    mkdirSync(join(home, 'anchors'), { mode: 0o700 });
    const outputs: string[] = [];
    for (let i = 0; i < 60; i++) {
      const at = Math.floor((wire.length * i) / 60);
      const broken = wire.slice(0, at) + (wire[at] === 'A' ? 'B' : 'A') + wire.slice(at + 1);
      const result = await cli(['open', '--as', 'juliet@example.com', ...(i % 2 === 0 ? ['--json'] : [])], {
        home,
        env,
        stdin: broken,
      });
      if (result.code === 0) continue;
      outputs.push(result.stdout, result.stderr);
    }
    outputs.push((await cli(['seal', '--payload', 'pidf'], { home, env, stdin: secretMessage })).stderr);
    expect(outputs.length).toBeGreaterThan(80);
    for (const secret of [...secrets, key]) expect(outputs.join('')).not.toContain(secret);
  });
});
