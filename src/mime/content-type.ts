/**
 * The Content-Type field (RFC 2045 section 5).
 *
 *     content   := "Content-Type" ":" type "/" subtype *(";" parameter)
 *     parameter := attribute "=" value
 *     value     := token / quoted-string
 *
 * Stricter than mail readers: no comments, no white space around "=", no empty parameter, and no attribute twice,
 * since two readers could each take the other one.
 */

import { E2eError, type E2eStage } from '../errors.ts';

/** A parsed Content-Type. */
export interface ContentType {
  /** Lower-case `type/subtype`. */
  readonly type: string;
  /** Parameters by lower-case name, values as written. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** The type of an entity whose header block names none (RFC 2045 section 5.2). */
export const defaultContentType: ContentType = Object.freeze({
  type: 'text/plain',
  parameters: new Map([['charset', 'us-ascii']]),
});

const tspecials = '()<>@,;:\\"/[]?=';
const isToken = new Uint8Array(128);
for (let code = 0x21; code < 0x7f; code++) if (!tspecials.includes(String.fromCharCode(code))) isToken[code] = 1;

/**
 * Unquoted values may also hold these: RFC 3862 section 5.2 and every example of RFC 3923 write
 * `protocol=application/pkcs7-signature`, and mail programs leave the quotes of a boundary out.
 */
const isLooseValue = isToken.slice();
for (const character of '/:=?') isLooseValue[character.charCodeAt(0)] = 1;

/**
 * Parses the value of a Content-Type field.
 *
 * @param value unfolded field value
 * @throws {E2eError} MALFORMED
 */
export function parseContentType(value: string, stage: E2eStage = 'parse'): ContentType {
  let position = 0;
  const malformed = (reason: string): E2eError => new E2eError('ERR_E2E_MALFORMED', stage, { reason });
  const run = (allowed: Uint8Array): string => {
    const start = position;
    while (position < value.length && allowed[value.charCodeAt(position)] === 1) position++;
    if (position === start) throw malformed('Content-Type syntax');
    return value.slice(start, position);
  };
  const skipBlanks = (): void => {
    while (value[position] === ' ' || value[position] === '\t') position++;
  };
  const quoted = (): string => {
    const pieces: string[] = [];
    let start = ++position;
    for (; position < value.length; position++) {
      const character = value[position];
      if (character === '"') {
        pieces.push(value.slice(start, position++));
        return pieces.join('');
      }
      if (character !== '\\') continue;
      pieces.push(value.slice(start, position));
      start = ++position;
    }
    throw malformed('Content-Type quoted string without end');
  };

  const main = run(isToken);
  if (value[position++] !== '/') throw malformed('Content-Type without subtype');
  const type = `${main}/${run(isToken)}`.toLowerCase();
  const parameters = new Map<string, string>();
  for (;;) {
    skipBlanks();
    if (position === value.length) return { type, parameters };
    if (value[position++] !== ';') throw malformed('Content-Type syntax');
    // The examples of RFC 3923 put a backslash before the line break of a folded field.
    if (value[position] === '\\' && (value[position + 1] === ' ' || value[position + 1] === '\t')) position++;
    skipBlanks();
    const name = run(isToken).toLowerCase();
    if (value[position++] !== '=') throw malformed('Content-Type parameter without value');
    if (parameters.has(name)) throw malformed('Content-Type parameter twice');
    parameters.set(name, value[position] === '"' ? quoted() : run(isLooseValue));
  }
}

/**
 * Writes the value of a Content-Type field, on one line. Inverse of {@link parseContentType}.
 *
 * @param type `type/subtype`
 * @param parameters in the order to write them; values of printable US-ASCII
 * @throws {TypeError} for a type, name or value that the grammar cannot express
 */
export function serializeContentType(
  type: string,
  parameters: Readonly<Record<string, string>> | ReadonlyMap<string, string> = {},
): string {
  const halves = type.split('/');
  if (halves.length !== 2 || !halves.every(token)) throw new TypeError(`not a media type: ${type}`);
  const entries: Iterable<readonly [string, string]> = isMap(parameters) ? parameters : Object.entries(parameters);
  let text = type;
  for (const [name, value] of entries) {
    if (!token(name) || !/^[\x20-\x7e]*$/.test(value)) throw new TypeError(`not a Content-Type parameter: ${name}`);
    text += `; ${name}=${token(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`;
  }
  return text;
}

function isMap(
  parameters: Readonly<Record<string, string>> | ReadonlyMap<string, string>,
): parameters is ReadonlyMap<string, string> {
  return parameters instanceof Map;
}

function token(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isToken[text.charCodeAt(i)] !== 1) return false;
  return text !== '';
}
