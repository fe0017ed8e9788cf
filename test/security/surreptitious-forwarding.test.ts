/**
 * Surreptitious forwarding (Davis 2001): Mallory gets a message that Juliet signed for her, and encrypts the signed
 * part anew to Romeo, who shall believe that Juliet wrote to him.
 */
import { describe, expect, it } from 'vitest';
import { wrap } from '../../src/e2e/wrap.ts';
import { parseXml, rfc3923Policy, strictPolicy } from '../../src/index.ts';
import { backendNames, juliet, mallory, people, romeo } from '../people.ts';
import { cpim, refusal, shell, wrappedXmppXml, xmppXml } from '../unit/e2e/scene.ts';
import { encryptedFor, openAs, signedBy } from './crafted.ts';

const inner = (to: string): string => `<message${to} type='chat' id='m1'><body>I love you</body></message>`;

describe.each(backendNames)('a message of Juliet to Mallory that Mallory encrypts to Romeo, with %s', (name) => {
  it.each([
    ['CPIM', cpim({ To: `<im:${mallory}>` })],
    ['application/xmpp+xml in CPIM', wrappedXmppXml(inner(''), { To: `<im:${mallory}>` })],
    ['application/xmpp+xml with its recipient', xmppXml(inner(` to='${mallory}'`))],
  ])('is refused: %s', async (_, content) => {
    const all = await people(name);
    const signed = await signedBy(all.juliet, content, [all.mallory]);
    for (const entity of [await encryptedFor(all.mallory, signed, [all.romeo]), signed]) {
      const stanza = wrap(parseXml(shell), entity);
      for (const policy of [strictPolicy, rfc3923Policy]) {
        await refusal(openAs(all.romeo, stanza, { policy }), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
      }
    }
  });

  it('that names nobody is never said to be made for him', async () => {
    const all = await people(name);
    const signed = await signedBy(all.juliet, xmppXml(inner('')), [all.mallory]);
    const stanza = wrap(parseXml(shell), await encryptedFor(all.mallory, signed, [all.romeo]));
    await refusal(openAs(all.romeo, stanza), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
    if (name === 'openpgp') {
      // The signature itself names Mallory (RFC 9580 section 5.2.3.36).
      await refusal(openAs(all.romeo, stanza, { policy: rfc3923Policy }), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
      return;
    }
    const { verdict } = await openAs(all.romeo, stanza, { policy: rfc3923Policy });
    expect(verdict.recipientBound).toBe(false);
    expect(verdict.words.join()).toContain('NOT BOUND');
  });

  it('opens for Mallory herself', async () => {
    const all = await people(name);
    const signed = await signedBy(all.juliet, cpim({ To: `<im:${mallory}>` }), [all.mallory]);
    const stanza = wrap(parseXml(shell.replace(romeo, mallory)), await encryptedFor(all.juliet, signed, [all.mallory]));
    const { verdict } = await openAs(all.mallory, stanza);
    expect(verdict).toMatchObject({ recipientBound: true, sender: { jid: juliet } });
  });
});
