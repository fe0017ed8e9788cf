/** Multiparts and transfer encodings between us and Python's email package. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { defaultLimits as limits } from '../../src/limits.ts';
import { headerValue, parseEntity, serializeEntity } from '../../src/mime/entity.ts';
import { parseMultipart, serializeMultipart } from '../../src/mime/multipart.ts';
import { decodeBody, encodeBase64Body } from '../../src/mime/transfer-encoding.ts';
import { hasProgram } from '../shared-data.ts';

const python = (script: string, input: string): string => {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
};

/** Writes messages of two parts: quoted-printable and base64, with seeded content; one JSON row each. */
const write = `
import json, random, email.policy, email.encoders
from email.mime.multipart import MIMEMultipart
from email.mime.base import MIMEBase
policy = email.policy.SMTP
for seed in range(200):
    r = random.Random(seed)
    whole = MIMEMultipart('mixed', boundary=r.choice(['bb', '=_x?y', "a'b c", None]))
    rows = []
    for encode in (email.encoders.encode_quopri, email.encoders.encode_base64):
        data = b''.join(r.choice([b' ', b'=', b'\\r\\n', b'--b', b'\\xc3\\xa9', b'x' * r.randrange(90), b'From ', b'\\t']) for _ in range(r.randrange(30)))
        part = MIMEBase('application', 'octet-stream', x='a"b\\\\c')
        part.set_payload(data)
        encode(part)
        whole.attach(part)
        rows.append(data.hex())
    print(json.dumps({'message': whole.as_bytes(policy=policy).hex(), 'parts': rows}))
`;

/** Reads one message of hexadecimal a line; writes its parts as type, parameter x and hexadecimal content. */
const read = `
import sys, json, email, email.policy
for line in sys.stdin:
    message = email.message_from_bytes(bytes.fromhex(line.strip()), policy=email.policy.compat32)
    assert not message.defects, message.defects
    rows = [[p.get_content_type(), p.get_param('x'), p.get_payload(decode=True).hex()] for p in message.get_payload()]
    print(json.dumps([message.get_content_type(), message.get_param('micalg'), rows]))
`;

describe.skipIf(!hasProgram('python3'))("Python's email", () => {
  test('writes what we read', () => {
    const lines = python(write, '').trim().split('\n');
    expect(lines).toHaveLength(200);
    for (const line of lines) {
      const { message, parts } = JSON.parse(line) as { message: string; parts: string[] };
      const entity = parseEntity(Buffer.from(message, 'hex'), { limits });
      const read = parseMultipart(entity, { limits, parts: 2 }).map((part) => parseEntity(part, { limits }));
      expect(read.map((part) => headerValue(part, 'content-transfer-encoding'))).toEqual([
        'quoted-printable',
        'base64',
      ]);
      expect(read.map((part) => part.contentType?.parameters.get('x'))).toEqual(['a"b\\c', 'a"b\\c']);
      const contents = read.map((part) => Buffer.from(decodeBody(part)).toString('hex'));
      expect(contents[1]).toBe(parts[1]);
      expect(contents[0]).toBe(parts[0]);
    }
  });

  test('reads what we write', () => {
    const rows = Array.from({ length: 100 }, (_, i) => {
      const data = Buffer.from(Array.from({ length: (i * 7) % 150 }, (__, k) => (i * 31 + k * k * 17) & 255));
      const part = (x: string): Uint8Array =>
        serializeEntity(
          [
            { name: 'Content-Type', value: `application/octet-stream; x=${x}` },
            { name: 'Content-Transfer-Encoding', value: 'base64' },
          ],
          encodeBase64Body(data),
        );
      const plain = serializeEntity(
        [{ name: 'Content-Type', value: 'text/plain' }],
        Buffer.from(`--${'-'.repeat(i)}\r\n\r\n`),
      );
      return { data, bytes: serializeMultipart('mixed', { micalg: 'a b;c' }, [part('1'), plain, part('2')]) };
    });
    const lines = python(read, rows.map(({ bytes }) => Buffer.from(bytes).toString('hex')).join('\n'))
      .trim()
      .split('\n');
    rows.forEach(({ data }, i) => {
      expect(JSON.parse(lines[i]!)).toEqual([
        'multipart/mixed',
        'a b;c',
        [
          ['application/octet-stream', '1', data.toString('hex')],
          ['text/plain', null, Buffer.from(`--${'-'.repeat(i)}\r\n\r\n`).toString('hex')],
          ['application/octet-stream', '2', data.toString('hex')],
        ],
      ]);
    });
  });
});
