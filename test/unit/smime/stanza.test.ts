import { describe, expect, it } from 'vitest';
import { openStanza } from '../../../src/e2e/open.ts';
import { rfc3923Policy, strictPolicy } from '../../../src/e2e/policy.ts';
import { sealStanza } from '../../../src/e2e/seal.ts';
import type { IdentityAlgorithm } from '../../../src/backends/smime/index.ts';
import { serializeXml } from '../../../src/xml/serialize.ts';
import { at, backendOf, person } from './support.ts';

const message =
  "<message xmlns='jabber:client' from='juliet@capulet.example/balcony' to='romeo@montague.example' type='chat' id='a1'><body>Wherefore art thou, Romeo?</body></message>";

describe('stanzas through the S/MIME backend', () => {
  it.each<[IdentityAlgorithm, IdentityAlgorithm]>([
    ['p256', 'ed25519'],
    ['ed25519', 'p384'],
    ['rsa2048', 'p256'],
    ['p384', 'rsa2048'],
  ])('%s to %s: sealed, opened, verified', async (mine, theirs) => {
    const juliet = await person('juliet@capulet.example', mine);
    const romeo = await person('romeo@montague.example', theirs);
    const sealed = await sealStanza(message, { backend: backendOf({ own: [juliet], filed: [romeo] }), at });
    expect(serializeXml(sealed)).not.toContain('Wherefore');
    const backends = [backendOf({ own: [romeo], filed: [juliet] })];
    const opened = await openStanza(serializeXml(sealed), {
      backends,
      me: romeo.jid,
      policy: strictPolicy,
      replay: false,
      at,
    });
    expect(opened.stanza.elements[0]!.text).toBe('Wherefore art thou, Romeo?');
    expect(opened.verdict.sender).toMatchObject({ jid: 'juliet@capulet.example', trust: 'pinned' });
    expect(opened.verdict.encryption).toMatchObject({ cipher: 'aes256-gcm', aead: true });
  });

  it('the profile of RFC 3923 is opened by its policy and refused by the strict one', async () => {
    const juliet = await person('juliet@capulet.example', 'rsa2048');
    const romeo = await person('romeo@montague.example', 'rsa2048');
    const backend = backendOf({ own: [juliet], filed: [romeo] });
    const sealed = await sealStanza(message, { backend, at, profile: 'rfc3923' });
    const backends = [backendOf({ own: [romeo], filed: [juliet] })];
    const options = { backends, me: romeo.jid, replay: false, at } as const;
    const opened = await openStanza(sealed, { ...options, policy: rfc3923Policy });
    expect(opened.verdict.sender?.jid).toBe('juliet@capulet.example');
    expect(opened.verdict.encryption).toEqual({ cipher: 'aes128-cbc', aead: false, keyTransport: ['rsa-pkcs1v15'] });
    await expect(openStanza(sealed, { ...options, policy: strictPolicy })).rejects.toMatchObject({
      code: 'ERR_E2E_WEAK_ALGORITHM',
    });
  });

  it('a signer whose certificate is filed for somebody else is no sender', async () => {
    const mallory = await person('juliet@capulet.example', 'p256');
    const romeo = await person('romeo@montague.example', 'p256');
    const sealed = await sealStanza(message, { backend: backendOf({ own: [mallory], filed: [romeo] }), at });
    const juliet = await person('juliet@capulet.example', 'p256');
    for (const filed of [[juliet], [], [{ ...mallory, jid: romeo.jid }]]) {
      const backends = [backendOf({ own: [romeo], filed })];
      await expect(openStanza(sealed, { backends, me: romeo.jid, replay: false, at })).rejects.toMatchObject({
        code: 'ERR_E2E_SIGNER_UNTRUSTED',
      });
    }
  });
});
