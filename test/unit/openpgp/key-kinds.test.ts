/** Every kind of key: to itself, through stanzas, and both ways with openpgp.js. */
import { describe, expect, it } from 'vitest';
import { ReplayGuard, openStanza, sealStanza, serializeXml } from '../../../src/index.ts';
import { at, backendOf, content, expectOutcome, juliet, open, person, romeo, seal } from './scene.ts';

const kinds = [
  ['v4 25519', 'ed25519', false],
  ['v4 P-256', 'p256', false],
  ['v4 P-384', 'p384', false],
  ['v4 RSA-2048', 'rsa2048', false],
  ['v4 RSA-3072', 'rsa3072', false],
  ['v6 25519', 'ed25519', true],
  ['v6 P-256', 'p256', true],
  ['v6 RSA-2048', 'rsa2048', true],
] as const;

describe.each(kinds)('%s', (_, algorithm, v6) => {
  it('signs, encrypts and does both, and opens them again', async () => {
    const [a, b] = await Promise.all([person(juliet, algorithm, { v6 }), person(romeo, algorithm, { v6 })]);
    const from = backendOf(a, [b]);
    const to = backendOf(b, [a]);
    for (const protection of ['sign', 'encrypt', 'sign+encrypt'] as const) {
      const opened = await open(to, await seal(from, protection));
      expect(opened.content).toEqual(content);
      if (protection === 'encrypt') {
        expect(opened.signatures).toBeUndefined();
        continue;
      }
      const result = expectOutcome(opened, 'good');
      expect(result.fingerprint).toBe(a.key.getFingerprint());
      expect(result.identities).toEqual([{ jid: juliet, source: 'user-id' }]);
      expect(result.signedAt).toEqual(at);
      expect(result.intendedFor).toBe('me');
      expect(result.trust).toBe('pinned');
      expect(result.chain[0]).toMatchObject({ fingerprint: a.key.getFingerprint(), jids: ['juliet@example.com'] });
    }
  });

  it('travels in a stanza', async () => {
    const [a, b] = await Promise.all([person(juliet, algorithm, { v6 }), person(romeo, algorithm, { v6 })]);
    const stanza = `<message from='${juliet.toString()}/balcony' to='${romeo.toString()}' type='chat'><body>\u00e9</body></message>`;
    const sealed = serializeXml(await sealStanza(stanza, { backend: backendOf(a, [b]), at }));
    // Servers turn line ends and CDATA into what they like.
    const relayed = sealed.replaceAll('\r\n', '\n');
    for (const wire of [sealed, relayed]) {
      const opened = await openStanza(wire, {
        backends: [backendOf(b, [a])],
        me: romeo,
        replay: new ReplayGuard(),
        at,
      });
      expect(serializeXml(opened.stanza)).toContain('<body>\u00e9</body>');
      expect(opened.verdict).toMatchObject({ protection: 'sign+encrypt', recipientBound: true, authenticated: true });
    }
    const sent = await openStanza(sealed, {
      backends: [backendOf(a, [b])],
      me: juliet,
      context: 'sent',
      replay: false,
      at,
    });
    expect(sent.verdict.sender?.jid).toBe(juliet.toString());
  });
});
