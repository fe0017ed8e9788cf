/** `batch`: every line gets one answer, in order, whatever the line and whatever becomes of the others. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxLineBytes, readBatchLine } from '../../../src/cli/batch-line.ts';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { linesOf } from '../../../src/cli/lines.ts';
import { run } from '../../../src/cli/run.ts';
import { fileClock } from '../../../src/stores/node.ts';
import { runs } from '../../shared-data.ts';
import { cli, message, ok, type Pair, pair, snapshot, temporaryDirectory, removeDirectories } from './fixtures.ts';

let both: Pair;
beforeAll(async () => {
  both = await pair('smime', 'openpgp');
});
afterAll(removeDirectories);

interface Answer {
  readonly v: number;
  readonly line: number;
  readonly id?: unknown;
  readonly input: string;
  readonly ok: boolean;
  readonly stanza?: string;
  readonly verdict?: { readonly sender: { readonly jid: string }; readonly replay: string };
  readonly error?: { readonly code: string; readonly stage: string };
}

function answers(text: string): Answer[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer);
}

function plain(n: number): string {
  return message.replace('Wherefore', String(n));
}

function ndjson(...lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

async function seal(lines: string, ...argv: string[]): Promise<Answer[]> {
  return answers((await cli(['batch', 'seal', ...argv], { home: both.juliet, stdin: lines })).stdout);
}

/** So many sealed stanzas, one JSON object a line. */
async function sealed(count: number, ...argv: string[]): Promise<string> {
  const lines = ndjson(...Array.from({ length: count }, (_, n) => ({ id: n, stanza: plain(n) })));
  return ndjson(...(await seal(lines, ...argv)).map(({ id, stanza }) => ({ id, stanza })));
}

const openArgv = ['batch', 'open', '--as', 'romeo@example.net'];

describe('batch seal and batch open', () => {
  it.each(['smime', 'openpgp'])('are inverse, line by line and in order, with %s', async (backend) => {
    const wire = await sealed(9, '--backend', backend);
    const result = await ok(openArgv, { home: both.romeo, stdin: wire });
    expect(result.stderr).toBe('');
    const opened = answers(result.stdout);
    expect(opened.map(({ v, line, id, ok }) => [v, line, id, ok])).toEqual(
      Array.from({ length: 9 }, (_, n) => [1, n + 1, n, true]),
    );
    for (const [n, { stanza, verdict, input }] of opened.entries()) {
      expect(stanza).toContain(`<body>${n} art thou?</body>`);
      expect(verdict?.sender.jid).toBe('juliet@example.com');
      expect(input).toBe(createHash('sha256').update(wire.split('\n')[n]!).digest('hex'));
    }
  });

  it('takes addresses from the line, and chooses the backend by them', async () => {
    const stanza = "<message type='chat'><body>x</body></message>";
    const [good, noKeys, noContact, noJid] = await seal(
      ndjson(
        { stanza, from: 'juliet@example.com/a', to: 'romeo@example.net' },
        { stanza, from: 'nurse@example.com', to: 'romeo@example.net' },
        { stanza, from: 'juliet@example.com/a', to: 'tybalt@example.net' },
        { stanza, from: 'juliet@example.com/a', to: '@' },
      ),
    );
    expect(good!.stanza).toContain('to="romeo@example.net"');
    expect([noKeys, noContact, noJid].map((one) => one!.error!.code)).toEqual([
      'ERR_E2E_NO_SIGNING_KEY',
      'ERR_E2E_NO_RECIPIENT_KEY',
      'ERR_E2E_MALFORMED',
    ]);
    const openpgpOnly = await pair('openpgp');
    const lines = ndjson({ stanza: message });
    const { stdout } = await ok(['batch', 'seal'], { home: openpgpOnly.juliet, stdin: lines });
    expect(answers(stdout)[0]!.stanza).toContain('BEGIN PGP MESSAGE');
    for (const protection of ['sign', 'encrypt']) {
      const more = await ok(['batch', 'seal', '--protection', protection], { home: openpgpOnly.juliet, stdin: lines });
      expect(answers(more.stdout)[0]!.ok).toBe(true);
    }
  });

  it('opens as from an archive and leaves no trace, unless live', async () => {
    const wire = await sealed(2);
    const before = snapshot(both.romeo);
    for (let i = 0; i < 2; i++) await ok(openArgv, { home: both.romeo, stdin: wire });
    expect(snapshot(both.romeo)).toEqual(before);
    const live = await ok([...openArgv, '--live'], { home: both.romeo, stdin: wire });
    expect(answers(live.stdout).map((one) => one.verdict!.replay)).toEqual(['checked', 'checked']);
    const again = await cli([...openArgv, '--live'], { home: both.romeo, stdin: wire });
    expect(again.code).toBe(exitCodes.BATCH_FAILED);
    expect(answers(again.stdout).map((one) => one.error!.code)).toEqual(['ERR_E2E_REPLAYED', 'ERR_E2E_REPLAYED']);
  });

  it('gives sealed lines times that increase, also against sealing one by one', async () => {
    const wire = [
      await sealed(70),
      ndjson({ stanza: (await ok(['seal'], { home: both.juliet, stdin: message })).stdout }),
    ];
    const { stdout } = await ok([...openArgv, '--live'], { home: both.romeo, stdin: wire.join('') });
    expect(answers(stdout)).toHaveLength(71);
  });
});

describe('hostile lines', () => {
  const bad: [string, string | Buffer, string][] = [
    ['no JSON', 'garbage', 'MALFORMED'],
    ['JSON cut short', '{"stanza":"<mess', 'MALFORMED'],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"stanza":"'), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]),
      'MALFORMED',
    ],
    ['a list', '[{"stanza":"<a/>"}]', 'MALFORMED'],
    ['null', 'null', 'MALFORMED'],
    ['a number', '17', 'MALFORMED'],
    ['no stanza', '{"id":1}', 'MALFORMED'],
    ['a stanza that is an object', '{"stanza":{"name":"message","attrs":{},"children":[]}}', 'MALFORMED'],
    ['an id that is an object', '{"id":{},"stanza":"<a/>"}', 'MALFORMED'],
    ['an id of 2,000 characters', JSON.stringify({ id: 'x'.repeat(2000), stanza: '<a/>' }), 'MALFORMED'],
    ['an address that is a number', '{"stanza":"<a/>","from":1}', 'MALFORMED'],
    ['a stanza that is no XML', '{"stanza":"<message"}', 'MALFORMED'],
    ['two stanzas', '{"stanza":"<message/><message/>"}', 'MALFORMED'],
    ['a plain stanza', JSON.stringify({ stanza: message }), 'NOT_SEALED'],
    ['an escaped NUL', '{"stanza":"\\u0000"}', 'MALFORMED'],
    ['a lone surrogate', '{"stanza":"<a>\\ud800</a>"}', 'MALFORMED'],
    ['100,000 nested lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'MALFORMED'],
    ['nesting in another member', `{"stanza":1,"x":${'{"x":'.repeat(50_000)}1${'}'.repeat(50_000)}}`, 'MALFORMED'],
    ['a __proto__', '{"__proto__":{"stanza":"<a/>"}}', 'MALFORMED'],
    ['a stanza over the limit', JSON.stringify({ stanza: `<message>${'x'.repeat(300_000)}</message>` }), 'LIMIT'],
    ['3 MiB on one line', `{"stanza":"${'x'.repeat(3_145_728)}"}`, 'LIMIT'],
  ];

  it.each(bad)('%s costs one error line and nothing else', async (_, line, code) => {
    const [first, second] = (await sealed(2)).split('\n');
    const stdin = Buffer.concat([Buffer.from(`${first!}\n`), Buffer.from(line), Buffer.from(`\n${second!}\n`)]);
    const { stdout, stderr, code: exit } = await cli(openArgv, { home: both.romeo, stdin });
    expect(exit).toBe(exitCodes.BATCH_FAILED);
    expect(stderr).toBe('xmpp-e2e: 1 of the lines got an error\n');
    const all = answers(stdout);
    expect(all.map((one) => one.ok)).toEqual([true, false, true]);
    expect(all[1]!.error!.code).toBe(`ERR_E2E_${code}`);
    expect(stdout.length).toBeLessThan(20_000);
  });

  it('whatever octets come, there is one answer for each line that is not blank', async () => {
    const octets = fc.uint8Array({ maxLength: 60 });
    const piece = fc.oneof(
      octets,
      fc.constantFrom('\n', '\r\n', '{"stanza":"<a/>"}', ' ').map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
        const stdin = Buffer.concat(pieces);
        const lines = stdin.toString('latin1').split('\n');
        const { stdout, code } = await cli(openArgv, { home: both.romeo, stdin });
        const expected = lines.filter((line) => /[^ \t\r]/.test(line)).length;
        expect(answers(stdout)).toHaveLength(expected);
        expect(code).toBe(expected === 0 ? 0 : exitCodes.BATCH_FAILED);
      }),
      { numRuns: runs(500), seed: 3923 },
    );
  });

  it('an answer shows no more of an id than JSON can say on one line', async () => {
    const id = 'a\nb\u001b[2J\u2028"';
    const { stdout } = await cli(openArgv, { home: both.romeo, stdin: ndjson({ id, stanza: '' }) });
    expect(stdout.split('\n')).toHaveLength(2);
    expect(answers(stdout)[0]!.id).toBe(id);
  });
});

describe('lines', () => {
  async function split(chunks: readonly string[], longest: number): Promise<(string | undefined)[]> {
    const input = {
      async *[Symbol.asyncIterator]() {
        for (const one of chunks) yield await Promise.resolve(one);
      },
    };
    const lines: (string | undefined)[] = [];
    for await (const line of linesOf(input, longest)) lines.push(line && Buffer.from(line).toString());
    return lines;
  }

  it('are the same however the stream is cut', async () => {
    const text = 'a\r\nbb\n\nccccc\ndddd\n\r\nlast';
    const whole = ['a', 'bb', '', undefined, 'dddd', '', 'last'];
    for (let i = 0; i <= text.length; i++) {
      for (let k = i; k <= text.length; k++) {
        expect(await split([text.slice(0, i), text.slice(i, k), text.slice(k)], 4)).toEqual(whole);
      }
    }
  });

  it('are taken at the limit and refused above it', () => {
    const line = (size: number) => Buffer.from(JSON.stringify({ stanza: '' }).padEnd(size));
    expect(readBatchLine(line(maxLineBytes), 1).stanza).toBe('');
    expect(readBatchLine(undefined, 1).stanza).toMatchObject({ code: 'ERR_E2E_LIMIT' });
  });
});

describe('--resume', () => {
  it('goes on after any number of octets that were written, and the whole is as if never stopped', async () => {
    const wire = await sealed(6);
    const stdin = wire.replace('\n', '\n\n') + 'garbage\n';
    const all = await cli(openArgv, { home: both.romeo, stdin });
    const file = join(temporaryDirectory(), 'out');
    const cuts = [0, 1, 100, all.stdout.length - 1, all.stdout.length];
    for (let i = 0; i < runs(60); i++) cuts.push(Math.floor((all.stdout.length * i) / runs(60)));
    for (const cut of cuts) {
      writeFileSync(file, all.stdout.slice(0, cut));
      const { stdout, code } = await cli([...openArgv, '--resume', file], { home: both.romeo, stdin });
      expect(stdout).toBe('');
      expect([0, exitCodes.BATCH_FAILED]).toContain(code);
      expect(readFileSync(file, 'utf8')).toBe(all.stdout);
    }
  });

  it('seals what is left and nothing twice', async () => {
    const lines = Array.from({ length: 8 }, (_, n) => ({ id: `m${n}`, stanza: plain(n) }));
    const file = join(temporaryDirectory(), 'out');
    const resume = ['batch', 'seal', '--resume', file];
    await ok(resume, { home: both.juliet, stdin: ndjson(...lines.slice(0, 5)) });
    const first = readFileSync(file, 'utf8');
    appendFileSync(file, '{"v":1,"line":6,"id":"m5","inp');
    await ok(resume, { home: both.juliet, stdin: ndjson(...lines) });
    const whole = readFileSync(file, 'utf8');
    expect(whole.startsWith(first)).toBe(true);
    expect(answers(whole).map(({ id }) => id)).toEqual(lines.map(({ id }) => id));
  });

  it('refuses the answers to another input, and a file that holds none', async () => {
    const wire = await sealed(3);
    const file = join(temporaryDirectory(), 'out');
    await ok([...openArgv, '--resume', file], { home: both.romeo, stdin: wire });
    const written = readFileSync(file, 'utf8');
    const turned = wire.split('\n').slice(1).join('\n');
    const other = await cli([...openArgv, '--resume', file], { home: both.romeo, stdin: turned });
    expect([other.code, readFileSync(file, 'utf8')]).toEqual([exitCodes.BAD_DATA, written]);
    writeFileSync(file, 'My diary\n');
    const diary = await cli([...openArgv, '--resume', file], { home: both.romeo, stdin: wire });
    expect([diary.code, readFileSync(file, 'utf8')]).toEqual([exitCodes.BAD_DATA, 'My diary\n']);
    const nowhere = await cli([...openArgv, '--resume', '/nonexistent/x'], { home: both.romeo, stdin: wire });
    expect([nowhere.code, existsSync('/nonexistent')]).toEqual([exitCodes.MISSING_INPUT, false]);
  });

  it('is refused with --live: what was recorded before a kill would be lost', async () => {
    const { code } = await cli([...openArgv, '--live', '--resume', 'x'], { home: both.romeo });
    expect(code).toBe(exitCodes.UNSUPPORTED_OPTION);
  });
});

describe('the surroundings', () => {
  it('hints instead of waiting at a terminal', async () => {
    const { code, stderr } = await cli(openArgv, { home: both.romeo, typing: true });
    expect(code).toBe(exitCodes.MISSING_INPUT);
    expect(stderr).toContain('batch open');
  });

  it('writes no faster than somebody reads', async () => {
    const wire = await sealed(20);
    let read = 0;
    let held: (() => void) | undefined;
    let most = 0;
    const code = await run([...openArgv], {
      stdin: {
        async *[Symbol.asyncIterator]() {
          for (; read < 200; read++) yield await Promise.resolve(Buffer.from(wire));
        },
      },
      stdout: {
        write: () => false,
        once(_event, listener) {
          if (read < 5 || held !== undefined) return void setImmediate(listener);
          // Nobody reads for a while: what is read from stdin meanwhile must come to an end.
          held = listener;
          setTimeout(() => {
            most = read;
            listener();
          }, 1500);
        },
      },
      stderr: { write: () => true },
      env: { XMPP_E2E_HOME: both.romeo },
    });
    expect([code, read]).toEqual([0, 200]);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(30);
  });

  it('ends on an interruption with an answer to every line that was begun', async () => {
    const wire = await sealed(5);
    let interrupt: () => void = () => undefined;
    const calls = new Set<() => void>();
    let stdout = '';
    const code = await run([...openArgv], {
      stdin: {
        async *[Symbol.asyncIterator]() {
          yield await Promise.resolve(Buffer.from(wire));
          await new Promise(() => undefined);
        },
      },
      stdout: {
        write(data) {
          stdout += String(data);
          // However long the five take: a line that is not begun by then has no answer.
          if (stdout.split('\n').length > 5) setTimeout(() => interrupt(), 10);
          return true;
        },
      },
      stderr: { write: () => true },
      env: { XMPP_E2E_HOME: both.romeo },
      onInterrupt(call) {
        calls.add(call);
        interrupt = () => calls.forEach((one) => one());
        return () => calls.delete(call);
      },
    });
    expect(code).toBe(exitCodes.INTERRUPTED);
    expect(answers(stdout).map((one) => one.ok)).toEqual([true, true, true, true, true]);
    expect(calls.size).toBe(0);
  });

  it.each(['0', '65', '1.5', 'x', '-1'])('refuses --jobs %s', async (jobs) => {
    expect((await cli([...openArgv, '--jobs', jobs])).code).toBe(exitCodes.UNSUPPORTED_OPTION);
  });
});

describe('a clock that takes times ahead', () => {
  it('never gives one twice, whoever else takes from the file', async () => {
    const path = join(temporaryDirectory(), 'clock');
    let now = 1_000_000;
    const clocks = [fileClock(path, () => now, 4), fileClock(path, () => now, 4), fileClock(path, () => now)];
    const given: bigint[][] = [[], [], []];
    for (let i = 0; i < 60; i++) {
      const which = (i * i) % 3;
      given[which]!.push(await clocks[which]!.next());
      if (i % 7 === 0) now += 700;
    }
    for (const own of given) for (let i = 1; i < own.length; i++) expect(own[i]! > own[i - 1]!).toBe(true);
    expect(new Set(given.flat()).size).toBe(60);
  });

  it('gives up what it did not use within a second', async () => {
    let now = 1_000_000;
    const clock = fileClock(join(temporaryDirectory(), 'clock'), () => now, 4);
    await clock.next();
    now += 60_000;
    expect(await clock.next()).toBe(BigInt(now) * 1_000_000n);
    expect(await Promise.all([clock.next(), clock.next()])).toEqual([
      BigInt(now) * 1_000_000n + 1000n,
      BigInt(now) * 1_000_000n + 2000n,
    ]);
  });
});
