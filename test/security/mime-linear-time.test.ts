/** No input of a megabyte costs more than its size: four times the input, about four times the time. */
import { expect, test } from 'vitest';
import { limitsWith } from '../../src/limits.ts';
import { parseContentType } from '../../src/mime/content-type.ts';
import { parseEntity } from '../../src/mime/entity.ts';
import { parseMultipart } from '../../src/mime/multipart.ts';
import { decodeBody } from '../../src/mime/transfer-encoding.ts';
import { parsePayload } from '../../src/payload/payload.ts';
import { escapeCpim, unescapeCpim } from '../../src/payload/cpim-header.ts';
import { cpuTime } from '../cpu-time.ts';

const wide = 1 << 30;
const limits = limitsWith({
  mimeHeaderBytes: wide,
  mimeHeaders: wide,
  cpimHeaders: wide,
  cpimHeaderBytes: wide,
  decryptedBytes: wide,
  mimeAlternatives: wide,
});
const attempt = (run: () => unknown): void => {
  try {
    run();
  } catch {
    // Most of these are refused; what counts is when.
  }
};
const entity = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const cpim = (header: string): Uint8Array =>
  entity(`Content-Type: Message/CPIM\r\n\r\n${header}\r\n\r\nContent-Type: text/plain\r\n\r\nx`);

const cases: [name: string, prepare: (n: number) => () => unknown][] = [
  ['folded lines', (n) => () => parseEntity(entity(`A: b${'\r\n x'.repeat(n / 4)}\r\n\r\n`), { limits })],
  ['spaces in a field', (n) => () => parseEntity(entity(`A: ${' '.repeat(n)}x\r\n\r\n`), { limits })],
  ['many fields', (n) => () => parseEntity(entity(`${'A: b\r\n'.repeat(n / 6)}\r\n`), { limits })],
  ['blanks in a Content-Type', (n) => () => parseContentType(`a/b${' '.repeat(n)}x`)],
  ['escapes in a quoted string', (n) => () => parseContentType(`a/b; c="${'\\"'.repeat(n / 2)}`)],
  ['parameters', (n) => () => parseContentType(`a/b${Array.from({ length: n / 10 }, (_, i) => `; p${i}=1`).join('')}`)],
  [
    'near delimiters',
    (n) => () =>
      parseMultipart(
        parseEntity(entity(`Content-Type: a/b; boundary=bb\r\n\r\n--bb\r\n${'\r\n--b'.repeat(n / 5)}`), { limits }),
        { limits },
      ),
  ],
  [
    'near delimiters of full length',
    (n) => () =>
      parseMultipart(
        parseEntity(
          entity(`Content-Type: a/b; boundary=${'-'.repeat(69)}x\r\n\r\n${'\r\n'.padEnd(100, '-').repeat(n / 100)}`),
          { limits },
        ),
        { limits },
      ),
  ],
  [
    'delimiters with padding',
    (n) => () =>
      parseMultipart(parseEntity(entity(`Content-Type: a/b; boundary=b\r\n\r\n--b${' '.repeat(n)}x`), { limits }), {
        limits,
      }),
  ],
  [
    'quoted-printable',
    (n) => () =>
      decodeBody(
        parseEntity(entity(`Content-Transfer-Encoding: quoted-printable\r\n\r\n${'=\r\n'.repeat(n / 3)}`), { limits }),
      ),
  ],
  [
    'CPIM lines',
    (n) => () => parsePayload(cpim(Array.from({ length: n / 10 }, (_, i) => `X${i}: y`).join('\r\n')), limits),
  ],
  ['CPIM spaces', (n) => () => parsePayload(cpim(`X: y${' '.repeat(n)}`), limits)],
  ['CPIM backslashes', (n) => () => unescapeCpim('\\'.repeat(n))],
  ['CPIM escapes', (n) => () => escapeCpim('\n'.repeat(n))],
  ['CPIM formal name', (n) => () => parsePayload(cpim(`From: ${'a '.repeat(n / 2)}<im:a@b>`), limits)],
  ['CPIM quoted name', (n) => () => parsePayload(cpim(`From: "${'\\"'.repeat(n / 2)}`), limits)],
  ['CPIM parameters', (n) => () => parsePayload(cpim(`X:${';a='.repeat(n / 3)} y`), limits)],
  ['CPIM URI', (n) => () => parsePayload(cpim(`From: <im:${'a'.repeat(n)}>`), limits)],
  ['CPIM Require', (n) => () => parsePayload(cpim(`Require: ${'a,'.repeat(n / 2)}a`), limits)],
];

test.each(cases)('%s', (_, prepare) => {
  const time = (n: number): number => {
    const run = prepare(n);
    const start = cpuTime();
    attempt(run);
    return cpuTime() - start;
  };
  time(50_000);
  // Four times the input: linear work takes 4 times as long, quadratic work 16 times. The best of several runs keeps a
  // busy machine from failing what is linear.
  const best = Math.min(...Array.from({ length: 4 }, () => time(1_000_000) / Math.max(time(250_000), 0.5)));
  expect(best).toBeLessThan(8);
});
