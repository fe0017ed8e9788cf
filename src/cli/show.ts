/** XML and MIME objects laid out for reading. For the eye only: what is shown is not what was signed. */

import { serializeXml, type XmlElement } from '../index.ts';
import { forTerminal } from './terminal.ts';

/**
 * Lays an element out with one child element a line.
 *
 * @param element of few levels; deeper ones stay on their line
 */
export function layOut(element: XmlElement): string {
  const nested = element.elements;
  if (nested.length === 0 || element.text.trim() !== '') return serializeXml(element, { namespace: 'jabber:client' });
  // The tags are those of the element with a placeholder between them.
  const tags = serializeXml(element.withChildren(['\u2026']), { namespace: 'jabber:client' });
  const [start, end] = tags.split('\u2026') as [string, string];
  const lines = nested.map((child) =>
    serializeXml(child, { namespace: element.namespace })
      .split('\n')
      .map((line) => `  ${line}`)
      .join('\n'),
  );
  return [start, ...lines, end].join('\n');
}

const fullLine = /^ {0,8}[A-Za-z0-9+/]{40,76}={0,2}$/;
const shortLine = /^ {0,8}[A-Za-z0-9+/]{2,76}={0,2}$/;

/**
 * Shortens runs of base64 to their first lines, with a count of what is left out.
 *
 * @param text any text
 * @param keep lines to show of each run
 */
export function shortenBase64(text: string, keep = 2): string {
  const shown: string[] = [];
  let run: string[] = [];
  const flush = (): void => {
    if (run.length <= keep + 1) shown.push(...run);
    else {
      const left = run.slice(keep).map((line) => line.trim().replaceAll('=', ''));
      const bytes = Math.floor((left.join('').length * 3) / 4);
      const indent = ' '.repeat(run[0]!.search(/\S/));
      shown.push(...run.slice(0, keep), `${indent}[${bytes} more bytes in base64]`);
    }
    run = [];
  };
  for (const line of text.split(/\r?\n/)) {
    // The last line of a run is short.
    const continues = run.length > 0 && run.at(-1)!.length === run[0]!.length && shortLine.test(line);
    if (!continues) flush();
    if (continues || fullLine.test(line)) run.push(line);
    else shown.push(line);
  }
  flush();
  return shown.join('\n');
}

/**
 * Indents text and folds its lines to a width, at a space or between two tags where there is one.
 *
 * @param width columns, at least 40
 */
export function frame(text: string, width: number): string {
  const room = Math.max(width, 40) - 4;
  const lines: string[] = [];
  for (const line of text.replace(/\n+$/, '').split('\n')) {
    let rest = [...graphemes.segment(forTerminal(line))].map(({ segment }) => segment);
    let mark = '  | ';
    do {
      const cut = rest.length <= room ? rest.length : foldAt(rest, room);
      lines.push(`${mark}${rest.slice(0, cut).join('')}`.trimEnd());
      rest = rest.slice(cut);
      mark = '  : ';
    } while (rest.length > 0);
  }
  return `${lines.join('\n')}\n`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function foldAt(characters: readonly string[], room: number): number {
  for (let i = room; i > room / 2; i--) {
    if (characters[i - 1] === ' ' || (characters[i - 1] === '>' && characters[i] === '<')) return i;
  }
  return room;
}
