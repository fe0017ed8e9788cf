/** A signer who is not the sender (RFC 3923 section 6.3): every place that can name another is tried, with real keys. */
import { describe, expect, it } from 'vitest';
import { rfc3923Policy, strictPolicy } from '../../src/index.ts';
import { backendNames, juliet, mallory, people, romeo } from '../people.ts';
import { cpim, shell, wrappedXmppXml } from '../unit/e2e/scene.ts';
import { crafted, openAs, refused } from './crafted.ts';

const fromMallory = shell.replace(juliet, mallory);
const me = `<im:${mallory}>`;
const her = `<im:${juliet}>`;

/** What Mallory signs and sends. The outer stanza claims to come from Juliet unless said otherwise. */
const variants: readonly (readonly [what: string, content: Uint8Array, outer?: string])[] = [
  ['the From of Juliet', cpim()],
  ['her own From', cpim({ From: me })],
  ['two From, Juliet first', cpim({ From: [her, me] })],
  ['two From, Juliet last', cpim({ From: [me, her] })],
  ['two From, both Juliet', cpim({ From: [her, her] })],
  ['no From', cpim({ From: [] })],
  ['an empty From', cpim({ From: '<>' })],
  ['the From without im:', cpim({ From: `<${juliet}>` })],
  ['the From as mailto:', cpim({ From: `<mailto:${juliet}>` })],
  ['the From as xmpp:', cpim({ From: `<xmpp:${juliet}>` })],
  ['the From as pres:', cpim({ From: `<pres:${juliet}>` })],
  ['Juliet as display name', cpim({ From: `"${juliet}" ${me}` })],
  ['Juliet as unquoted display name', cpim({ From: `Juliet ${me}` })],
  ['Juliet as URI in the display name', cpim({ From: `"<im:${juliet}>" ${me}` })],
  ['both in one URI', cpim({ From: `<im:${juliet},${mallory}>` })],
  ['both after another', cpim({ From: `${her} ${me}` })],
  ['Mallory as query', cpim({ From: `<im:${juliet}?from=${mallory}>` })],
  ['Mallory as resource', cpim({ From: `<im:${juliet}/${mallory}>` })],
  ['an escaped at sign', cpim({ From: `<im:juliet%40example.com>` })],
  ['an upper-case From', cpim({ From: `<im:JULIET@EXAMPLE.COM>` })],
  ['a lower-case header name beside From', cpim({ From: her, from: me })],
  ['an alias of the header namespace', cpim({ NS: 'x <urn:ietf:params:cpim-headers:>', From: her, 'x.From': me })],
  ['her own inner from', wrappedXmppXml(`<message from='${mallory}' type='chat' id='m1'/>`)],
  ['the inner from of Juliet', wrappedXmppXml(`<message from='${juliet}' type='chat' id='m1'/>`)],
  [
    'her From around the inner from of Juliet',
    wrappedXmppXml(`<message from='${juliet}' type='chat' id='m1'/>`, { From: me }),
  ],
  [
    'the From of Juliet around her own inner from',
    wrappedXmppXml(`<message from='${mallory}' type='chat' id='m1'/>`, { From: her }),
  ],
  ['her own outer from around the From of Juliet', cpim(), fromMallory],
  ['her own outer from, Juliet as display name', cpim({ From: `"${mallory}" ${her}` }), fromMallory],
  [
    'her own outer from around an inner one of Juliet',
    wrappedXmppXml(`<message from='${juliet}' type='chat' id='m1'/>`, { From: me }),
    fromMallory,
  ],
  ['no outer from', cpim(), shell.replace(` from='${juliet}/balcony'`, '')],
];

describe.each(backendNames)('Mallory in the name of Juliet, with %s', (name) => {
  it(`is refused in ${variants.length} of ${variants.length} ways`, async () => {
    const all = await people(name);
    expect(variants).toHaveLength(30);
    for (const [what, content, outer] of variants) {
      const stanza = await crafted(all.mallory, all.romeo, content, outer);
      for (const policy of [strictPolicy, rfc3923Policy]) {
        const opening = openAs(all.romeo, stanza, { policy });
        await refused(
          opening,
          'ERR_E2E_SENDER_MISMATCH',
          'ERR_E2E_PAYLOAD_INVALID',
          'ERR_E2E_SIGNER_UNKNOWN',
          'ERR_E2E_SIGNER_UNTRUSTED',
          'ERR_E2E_SIGNATURE_INVALID',
        ).catch((error: unknown) => {
          throw new Error(what, { cause: error });
        });
      }
    }
  });

  it('is shown as Mallory where she says so herself, whatever display name she takes', async () => {
    const all = await people(name);
    const stanza = await crafted(all.mallory, all.romeo, cpim({ From: `"${juliet}" ${me}` }), fromMallory);
    const { stanza: opened, verdict } = await openAs(all.romeo, stanza);
    expect(verdict.sender?.jid).toBe(mallory);
    expect(opened.attribute('from')).toBe(`${mallory}/balcony`);
    expect(JSON.stringify([verdict.words, verdict.sender, verdict.claimedFrom])).not.toContain(juliet);
    expect(verdict.recipients).toEqual([romeo]);
  });
});
