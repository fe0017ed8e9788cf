/** Multiparts that try to show unsigned text beside signed text, or to make two readers see two structures. */
import { describe, expect, test } from 'vitest';
import { defaultLimits as limits } from '../../src/limits.ts';
import { parseEntity } from '../../src/mime/entity.ts';
import { parseMultipart } from '../../src/mime/multipart.ts';

const part = 'Content-Type: text/plain\r\n\r\nsigned';
const signature = 'Content-Type: application/pkcs7-signature\r\n\r\nAAAA';
const signed = (body: string, boundary = 'b'): string =>
  `Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=${boundary}\r\n\r\n${body}`;
const sound = `--b\r\n${part}\r\n--b\r\n${signature}\r\n--b--\r\n`;
const read = (text: string): readonly Uint8Array[] =>
  parseMultipart(parseEntity(Buffer.from(text, 'latin1'), { limits }), { limits, parts: 2 });

test('the sound tree is read', () => {
  expect(read(signed(sound)).map((bytes) => Buffer.from(bytes).toString())).toEqual([part, signature]);
});

describe('refused', () => {
  test.each<[string, string]>([
    ['text before the first part', signed(`Pay Mallory.\r\n${sound}`)],
    ['an entity before the first part', signed(`${part}\r\n\r\n${sound}`)],
    ['a NUL before the first part', signed(`\0\r\n${sound}`)],
    ['text after the last part', signed(`${sound}Pay Mallory.`)],
    ['an entity after the last part', signed(`${sound}${part}`)],
    ['a second multipart after the last part', signed(`${sound}\r\n${sound}`)],
    ['a third part behind', signed(`--b\r\n${part}\r\n--b\r\n${signature}\r\n--b\r\n${part}\r\n--b--`)],
    ['a third part in front', signed(`--b\r\n${part}\r\n--b\r\n${part}\r\n--b\r\n${signature}\r\n--b--`)],
    ['one part', signed(`--b\r\n${part}\r\n--b--`)],
    ['no part', signed('--b--')],
    ['an empty body', signed('')],
    ['a hundred parts', signed(`${`--b\r\n${part}\r\n`.repeat(100)}--b--`)],
    ['no close delimiter', signed(`--b\r\n${part}\r\n--b\r\n${signature}\r\n`)],
    ['a close delimiter in the middle', signed(`--b\r\n${part}\r\n--b--\r\n--b\r\n${signature}\r\n--b--`)],
    ['two close delimiters', signed(`${sound}--b--\r\n`)],
    ['a delimiter twice', signed(`--b\r\n--b\r\n${part}\r\n--b\r\n${signature}\r\n--b--`)],
    ['delimiters ended by LF', signed(sound.replaceAll('\r\n', '\n'))],
    ['a first delimiter ended by LF', signed(sound.replace('--b\r\n', '--b\n'))],
    ['delimiters ended by CR', signed(sound.replaceAll('--b\r\n', '--b\r'))],
    ['a delimiter after text on its line', signed(sound.replace('\r\n--b\r\n', ' --b\r\n'))],
    [
      'the outer boundary inside the signed part',
      signed(`--b\r\n${part}\r\n--b\r\nmore\r\n--b\r\n${signature}\r\n--b--`),
    ],
    [
      'a nested multipart with the same boundary',
      signed(
        `--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${part}\r\n--b--\r\n--b\r\n${signature}\r\n--b--`,
      ),
    ],
    ['a boundary that is a prefix of the one used', signed(sound.replaceAll('--b', '--bb'))],
    ['a boundary longer than the one used', signed(sound, 'bb')],
    ['a boundary in the other case', signed(sound, 'B')],
    ['no boundary', signed(sound).replace('; boundary=b', '')],
    ['an empty boundary', signed(sound.replaceAll('--b', '--'), '""')],
    ['a boundary that ends in space', signed(sound.replaceAll('--b', '--b '), '"b "')],
    ['a boundary of 71 characters', signed(sound.replaceAll('--b', `--${'b'.repeat(71)}`), 'b'.repeat(71))],
    ['two boundaries', signed(sound, 'b; boundary=c')],
    ['two boundaries, the second extended as RFC 2231 does', signed(sound.replaceAll('--b', '--c'), 'b; boundary*=c')],
    ['two Content-Type fields', `Content-Type: text/plain\r\n${signed(sound)}`],
    ['a Content-Type hidden behind a blank folded line', `X: y\r\n \r\n${signed(sound)}`],
    ['a base64 multipart', `Content-Transfer-Encoding: base64\r\n${signed(Buffer.from(sound).toString('base64'))}`],
    ['a quoted-printable multipart', `Content-Transfer-Encoding: quoted-printable\r\n${signed(sound)}`],
  ])('%s', (_, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ name: 'E2eError', code: 'ERR_E2E_MALFORMED' }));
  });
});
