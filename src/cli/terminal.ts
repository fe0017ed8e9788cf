/** Text for terminals: no control characters of others, and emphasis where the terminal wants it. */

import { styleText } from 'node:util';
import type { Io, Output } from './io.ts';

const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes what acts on a terminal: control, bidirectional, invisible and line-separating characters.
 *
 * @param escape makes the replacement from the hexadecimal code point
 */
export function forTerminal(text: string, escape = (code: string): string => `\\u{${code}}`): string {
  return text.replace(unsafe, (character) => escape(character.codePointAt(0)!.toString(16)));
}

/** How a piece of text stands out. */
export type Emphasis = 'title' | 'good' | 'bad' | 'faint';

const styles = { title: ['bold', 'cyan'], good: ['green'], bad: ['bold', 'red'], faint: ['dim'] } as const;

/**
 * Makes the function that emphasizes text on an output: with color on a terminal, unless NO_COLOR is set.
 *
 * @see https://no-color.org
 */
export function emphasisOn(output: Output, env: Io['env']): (emphasis: Emphasis, text: string) => string {
  const color = output.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return (emphasis, text) => (color ? styleText([...styles[emphasis]], text, { validateStream: false }) : text);
}
