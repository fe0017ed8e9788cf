import { describe, expect, it } from 'vitest';
import { frame, layOut, shortenBase64 } from '../../../src/cli/show.ts';
import { emphasisOn, forTerminal } from '../../../src/cli/terminal.ts';
import { pemBlocks } from '../../../src/cli/pem.ts';
import { jsonLine } from '../../../src/cli/open.ts';
import { parseXml } from '../../../src/index.ts';
import { cpuTime } from '../../cpu-time.ts';

describe('layOut', () => {
  it('puts each child on its own line and leaves text alone', () => {
    const stanza = parseXml('<a xmlns="jabber:client" b="c"><d>text &lt;</d><e xmlns="x"><f/></e></a>');
    expect(layOut(stanza)).toBe('<a b="c">\n  <d>text &lt;</d>\n  <e xmlns="x"><f/></e>\n</a>');
    expect(layOut(parseXml('<a>mixed<b/></a>'))).toBe('<a xmlns="">mixed<b/></a>');
    expect(layOut(parseXml('<a xmlns="jabber:client"/>'))).toBe('<a/>');
  });
});

describe('shortenBase64', () => {
  it('counts the bytes that it leaves out', () => {
    const bytes = Buffer.alloc(1000, 7);
    const lines = bytes.toString('base64').match(/.{1,64}/g)!;
    for (const indent of ['', '    ']) {
      const shown = shortenBase64(['head', ...lines.map((line) => indent + line), 'tail'].join('\r\n'));
      expect(shown.split('\n')).toEqual([
        'head',
        indent + lines[0],
        indent + lines[1]!,
        `${indent}[904 more bytes in base64]`,
        'tail',
      ]);
    }
  });

  it('leaves short runs and other text as they are', () => {
    const line = 'A'.repeat(64);
    for (const text of ['', 'a\nb', `${line}\n${line}\n${line}`, `${line}\n\n${line}`, 'A'.repeat(100)])
      expect(shortenBase64(text)).toBe(text);
  });
});

describe('frame', () => {
  it('folds to the width, between tags or at spaces where it can', () => {
    const shown = frame(`${'<tag>x</tag>'.repeat(20)}\n\n${'y'.repeat(100)}\n`, 50);
    for (const line of shown.trimEnd().split('\n')) expect(line.length).toBeLessThanOrEqual(50);
    expect(shown.split('\n')[0]).toMatch(/^ {2}\| <tag>.*<\/tag>$/);
    expect(shown.split('\n')[1]).toMatch(/^ {2}: <tag>/);
    const joined = shown
      .split('\n')
      .map((line) => line.slice(4))
      .join('');
    expect(joined).toBe('<tag>x</tag>'.repeat(20) + 'y'.repeat(100));
  });

  it('lets nothing act on the terminal', () => {
    expect(frame('a\u001b[2Jb\u202ec', 80)).toBe('  | a\\u{1b}[2Jb\\u{202e}c\n');
  });
});

describe('text for terminals', () => {
  it('shows every control, format and separator character as an escape', () => {
    for (let code = 0; code < 0x3000; code++) {
      const character = String.fromCodePoint(code);
      const shown = forTerminal(`a${character}b`);
      if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character)) expect(shown).toBe(`a\\u{${code.toString(16)}}b`);
      else expect(shown).toBe(`a${character}b`);
    }
    expect(forTerminal('\ud800')).toBe('\\u{d800}');
    expect(forTerminal('😀')).toBe('😀');
  });

  it('JSON for a terminal is the same JSON', () => {
    const value = { text: '\u0000\u001b\u009b\u202e\u{e0001}é😀"\\' };
    const line = jsonLine(value, true);
    expect(line).toMatch(/^[^\p{Cc}\p{Cf}]*$/u);
    expect(JSON.parse(line)).toEqual(value);
    expect(JSON.parse(jsonLine(value, false))).toEqual(value);
  });

  it('color is for terminals that want it', () => {
    const on = (isTTY: boolean, env: Record<string, string> = {}): string =>
      emphasisOn({ isTTY, write: () => true }, env)('bad', 'x');
    expect(on(true)).toContain('\u001b[');
    for (const plain of [on(false), on(true, { NO_COLOR: '1' }), on(true, { TERM: 'dumb' })]) expect(plain).toBe('x');
    expect(on(true, { NO_COLOR: '' })).not.toBe('x');
  });
});

describe('pemBlocks', () => {
  it('finds blocks and skips what is between, with any line ends', () => {
    const block = (label: string): string => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
    const file = `Bag Attributes\n${block('CERTIFICATE')}noise\n${block('PRIVATE KEY')}`;
    for (const text of [file, file.replaceAll('\n', '\r\n')]) {
      expect(pemBlocks(text)).toEqual([
        { label: 'CERTIFICATE', text: block('CERTIFICATE') },
        { label: 'PRIVATE KEY', text: block('PRIVATE KEY') },
      ]);
    }
  });

  it('takes damaged and hostile files for empty, in linear time', () => {
    for (const text of ['', '-----BEGIN ', '-----BEGIN A-----', '-----BEGIN A-----\n-----END B-----'])
      expect(pemBlocks(text)).toEqual([]);
    const start = cpuTime();
    expect(pemBlocks('-----BEGIN A-----'.repeat(200_000))).toEqual([]);
    expect(cpuTime() - start).toBeLessThan(2000);
  });
});
