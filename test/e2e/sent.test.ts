/** My own copies (RFC 6121 carbons and archives bring them back): opened with my own keys. */
import { describe, expect, it } from 'vitest';
import { openStanza, parseXml, ReplayGuard, sealStanza } from '../../src/index.ts';
import { backendNames, juliet, mallory, people, romeo } from '../people.ts';

const stanza = parseXml(
  `<message xmlns='jabber:client' from='${juliet}/b' to='${romeo}' id='m1'><body>Hi</body></message>`,
);

describe.each(backendNames)('a copy of what I sealed with %s', (name) => {
  it.each(['sign', 'sign+encrypt'] as const)('opens in the context sent, protection %s', async (protection) => {
    const { juliet: her } = await people(name);
    const sealed = await sealStanza(stanza, { backend: her.backend, protection });
    const options = { backends: [her.backend], me: juliet, replay: new ReplayGuard() };
    const { verdict } = await openStanza(sealed, { ...options, context: 'sent' });
    expect(verdict.sender?.jid).toBe(juliet);
    expect(verdict.recipients).toEqual([romeo]);
    await expect(openStanza(sealed, options)).rejects.toMatchObject({ code: 'ERR_E2E_RECIPIENT_MISMATCH' });
  });

  it('is not taken from somebody who signs in my name', async () => {
    const { juliet: her, mallory: him } = await people(name);
    const copy = parseXml(
      `<message xmlns='jabber:client' from='${mallory}/x' to='${romeo}' id='m1'><body>Hi</body></message>`,
    );
    const sealed = await sealStanza(copy, { backend: him.backend, protection: 'sign' });
    const forged = sealed.withAttribute('from', `${juliet}/b`);
    const options = { backends: [her.backend], me: juliet, replay: new ReplayGuard(), context: 'sent' as const };
    await expect(openStanza(forged, options)).rejects.toMatchObject({
      code: expect.stringMatching(/SIGNER_|SENDER_/) as string,
    });
  });

  it('cannot be opened when it was not encrypted to me', async () => {
    const { juliet: her } = await people(name);
    const sealed = await sealStanza(stanza, { backend: her.backend, encryptToSelf: false });
    const options = { backends: [her.backend], me: juliet, replay: new ReplayGuard(), context: 'sent' as const };
    await expect(openStanza(sealed, options)).rejects.toMatchObject({ code: 'ERR_E2E_NO_DECRYPTION_KEY' });
  });

  it('opens for a note to myself, live', async () => {
    const { juliet: her } = await people(name);
    const note = stanza.withAttribute('to', juliet);
    const sealed = await sealStanza(note, { backend: her.backend });
    const { verdict } = await openStanza(sealed, { backends: [her.backend], me: juliet, replay: new ReplayGuard() });
    expect(verdict.sender?.jid).toBe(juliet);
  });
});
