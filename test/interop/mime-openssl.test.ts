/** Multiparts between us and openssl: its verifier tells whether our part is byte for byte what was signed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toCrlf } from '../../src/bytes.ts';
import { E2eError } from '../../src/errors.ts';
import { Jid } from '../../src/jid/jid.ts';
import { defaultLimits as limits } from '../../src/limits.ts';
import { parseEntity, serializeEntity } from '../../src/mime/entity.ts';
import { parseMultipart, serializeMultipart } from '../../src/mime/multipart.ts';
import { decodeBody, encodeBase64Body } from '../../src/mime/transfer-encoding.ts';
import { mapStanza } from '../../src/payload/map.ts';
import { CLIENT } from '../../src/xml/namespaces.ts';
import { parseXml } from '../../src/xml/parse.ts';
import { hasProgram } from '../shared-data.ts';

describe.skipIf(!hasProgram('openssl', 'version'))('openssl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mime-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): number => {
    const { status } = spawnSync('openssl', args, { cwd: folder });
    return status ?? -1;
  };
  const signer = (): string[] => ['-signer', path('c.pem'), '-inkey', path('k.pem')];
  const ready =
    hasProgram('openssl', 'version') &&
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      path('k.pem'),
      '-out',
      path('c.pem'),
      '-subj',
      '/CN=x',
    ) === 0;

  const payload = (body: string): Uint8Array =>
    mapStanza(parseXml(body, { defaultNamespace: CLIENT }), {
      form: 'auto',
      loss: 'refuse',
      from: Jid.parse('juliet@example.com'),
      to: [Jid.parse('romeo@example.net')],
      at: 1_070_970_336_660_000_000n,
      wrapped: true,
    }).entity;
  const contents: [string, Uint8Array][] = [
    ['text', payload('<message><body>Wherefore art thou, Romeo? é😀</body></message>')],
    ['trailing white space and lines', payload('<message><body>a \n\t\n\n</body></message>')],
    ['lines like delimiters', payload('<message><body>--\n--b\n--b--\n------\nFrom x</body></message>')],
    ['presence', payload('<presence><show>dnd</show><status>x\ny</status></presence>')],
    ['an iq', payload("<iq type='get' id='1'><query xmlns='jabber:iq:version'>\n</query></iq>")],
  ];

  test.each(contents)('reads our multipart/signed: %s', (_, content) => {
    expect(ready).toBe(true);
    writeFileSync(path('in'), content);
    expect(
      openssl('cms', '-sign', '-binary', '-in', path('in'), ...signer(), '-outform', 'DER', '-out', path('sig')),
    ).toBe(0);
    const signature = serializeEntity(
      [
        { name: 'Content-Type', value: 'application/pkcs7-signature; name="smime.p7s"' },
        { name: 'Content-Transfer-Encoding', value: 'base64' },
      ],
      encodeBase64Body(readFileSync(path('sig'))),
    );
    const parameters = { protocol: 'application/pkcs7-signature', micalg: 'sha-256' };
    const message = serializeMultipart('signed', parameters, [content, signature]);
    writeFileSync(path('message'), message);
    // Without -binary openssl reads lines and hashes them with CRLF, as RFC 8551 section 3.1.1 wants.
    const verify = ['cms', '-verify', '-noverify', '-in', path('message'), '-out', path('out')];
    expect(openssl(...verify)).toBe(0);
    expect(Buffer.from(toCrlf(readFileSync(path('out')))).equals(content)).toBe(true);
    // A changed octet of the content must not verify, or the comparison proves nothing.
    const changed = message.slice();
    changed[changed.indexOf(0x40)] = 0x41;
    writeFileSync(path('message'), changed);
    expect(openssl(...verify)).not.toBe(0);
  });

  test.each(contents)('writes a multipart/signed that we read: %s', (_, content) => {
    writeFileSync(path('in'), content);
    expect(
      openssl('cms', '-sign', '-binary', '-crlfeol', '-in', path('in'), ...signer(), '-out', path('message')),
    ).toBe(0);
    const entity = parseEntity(readFileSync(path('message')), { limits });
    expect(entity.contentType?.type).toBe('multipart/signed');
    // "This is an S/MIME signed message" stands before the first part.
    expect(() => parseMultipart(entity, { limits, parts: 2 })).toThrow(E2eError);
    const [part, signature] = parseMultipart(entity, { limits, parts: 2, surround: 'skip' });
    expect(Buffer.from(part!).equals(content)).toBe(true);
    writeFileSync(path('content'), part!);
    writeFileSync(path('sig'), decodeBody(parseEntity(signature!, { limits })));
    const verify = ['cms', '-verify', '-binary', '-noverify', '-inform', 'DER', '-in', path('sig'), '-content'];
    expect(openssl(...verify, path('content'), '-out', path('out'))).toBe(0);
  });
});
