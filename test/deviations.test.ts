/** Every departure from RFC 3923 is marked where it is made and listed with its reason in SECURITY.md, and no other is. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);
const sources = (readdirSync(new URL('src/', root), { recursive: true }) as string[]).filter((name) =>
  name.endsWith('.ts'),
);

/** The sections that the comments name, with the files. */
const marked = sources.flatMap((name) => {
  const text = readFileSync(new URL(`src/${name}`, root), 'utf8');
  return [...text.matchAll(/RFC 3923 deviation:(.*)/g)].map(([, rest]) => {
    const section = /^ section (\d+(?:\.\d+)?): \S/.exec(rest!)?.[1];
    if (section === undefined) throw new Error(`src/${name} marks a departure without its section`);
    return { name, section };
  });
});

const page = readFileSync(new URL('SECURITY.md', root), 'utf8');
const rows = page
  .slice(page.indexOf('## Deviations from RFC 3923'))
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );

describe('departures from RFC 3923', () => {
  it('are marked in the source wherever they are listed, and listed wherever they are marked', () => {
    const listed = rows.map(([section]) => section!);
    expect([...new Set(marked.map(({ section }) => section))].sort()).toEqual([...new Set(listed)].sort());
    expect(marked.length).toBeGreaterThanOrEqual(10);
  });

  it('are listed with what the RFC says, what is done here, and why', () => {
    expect(rows.length).toBeGreaterThanOrEqual(10);
    for (const row of rows) {
      expect(row, row[0]).toHaveLength(4);
      for (const cell of row) expect(cell.length, row[0]).toBeGreaterThan(0);
    }
  });
});

describe('SECURITY.md', () => {
  it.each([
    'Reporting',
    'Threat model',
    'What is promised',
    'What is not protected',
    'Trust',
    'Replies',
    'Deviations from RFC 3923',
  ])('has a chapter on %s', (heading) => {
    const start = page.indexOf(`## ${heading}\n`);
    expect(start).toBeGreaterThan(0);
    expect(page.slice(start).split('\n## ')[0]!.length).toBeGreaterThan(100);
  });

  it('names the guarantees that tests hold', () => {
    for (const word of ['strictPolicy', 'limits.ts', 'E2eError', 'decrypted content', 'forward secrecy'])
      expect(page.toLowerCase()).toContain(word.toLowerCase());
  });
});
