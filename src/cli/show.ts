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

const base64Line = /^[A-Za-z0-9+/]{40,76}={0,2}$/;

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
      const left = run.slice(keep).join('');
      const bytes = Math.floor((left.replaceAll('=', '').length * 3) / 4);
      shown.push(...run.slice(0, keep), `[${bytes} more bytes in base64]`);
    }
    run = [];
  };
  for (const line of text.split(/\r?\n/)) {
    // The last line of a run is short.
    if (base64Line.test(line) || (run.length > 0 && /^[A-Za-z0-9+/]{2,76}={0,2}$/.test(line))) run.push(line);
    else {
      flush();
      shown.push(line);
    }
  }
  flush();
  return shown.join('\n');
}

/**
 * Indents text and folds its lines to a width.
 *
 * @param width columns, at least 40
 */
export function frame(text: string, width: number): string {
  const room = Math.max(width, 40) - 4;
  const lines: string[] = [];
  for (const line of text.replace(/\n+$/, '').split('\n')) {
    const characters = [...forTerminal(line).split('')];
    for (let i = 0; i === 0 || i < characters.length; i += room) {
      lines.push(`${i === 0 ? '  | ' : '  : '}${characters.slice(i, i + room).join('')}`.trimEnd());
    }
  }
  return `${lines.join('\n')}\n`;
}
