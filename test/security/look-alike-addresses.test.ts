/** Look-alike addresses (RFC 7622 section 8): who signs as one of them is never taken for Juliet, nor she for them. */
import { describe, expect, it } from 'vitest';
import { E2E_NAMESPACE, Jid, rfc3923Policy, strictPolicy } from '../../src/index.ts';
import { backendNames, juliet, people } from '../people.ts';
import { cpim, shell, wrappedXmppXml } from '../unit/e2e/scene.ts';
import { crafted, openAs, refused } from './crafted.ts';

const lookAlikes = [
  '\u0458uliet@example.com', // Cyrillic je
  'jul\u0456et@example.com', // Cyrillic i
  'juIiet@example.com', // capital I for l
  'jul1et@example.com',
  'juliet\u200d@example.com', // zero width joiner
  'juliet\u202e@example.com', // right-to-left override
  'ju\u00adliet@example.com', // soft hyphen
  'jul\u00edet@example.com',
  'juliet\u0301@example.com', // combining accent
  'juliet @example.com',
  'juliet@ex\u0430mple.com', // Cyrillic a
  'juliet@examp1e.com',
  'juliet@example.com.example.org',
  'juliet@example\u3002org', // ideographic full stop
] as const;

const refusals = [
  'ERR_E2E_SENDER_MISMATCH',
  'ERR_E2E_MALFORMED',
  'ERR_E2E_SIGNER_UNKNOWN',
  'ERR_E2E_SIGNER_UNTRUSTED',
  'ERR_E2E_PAYLOAD_INVALID',
  'ERR_E2E_SIGNATURE_INVALID',
] as const;

describe.each(backendNames)('with %s', (name) => {
  it(`${lookAlikes.length} look-alikes of the sender are refused, outside and inside`, async () => {
    const { juliet: her, romeo: him } = await people(name);
    expect(new Set(lookAlikes).size).toBe(14);
    const sealed = await crafted(her, him, cpim());
    const e2e = sealed.first('e2e', E2E_NAMESPACE)!;
    for (const jid of lookAlikes) {
      const inside = [
        cpim({ From: `<im:${encodeURI(jid)}>` }),
        cpim({ From: `<im:${jid}>` }),
        wrappedXmppXml(`<message from='${jid}' type='chat' id='m1'/>`),
      ];
      const stanzas = [
        sealed.withAttribute('from', `${jid}/balcony`).withChildren([e2e]),
        sealed.withAttribute('from', jid),
        ...(await Promise.all(inside.map((content) => crafted(her, him, content)))),
      ];
      for (const [place, stanza] of stanzas.entries()) {
        for (const policy of [strictPolicy, rfc3923Policy]) {
          await refused(openAs(him, stanza, { policy }), ...refusals).catch((cause: unknown) => {
            throw new Error(`${JSON.stringify(jid)} at ${place}`, { cause });
          });
        }
      }
    }
  });

  it('the spellings of one address are one sender, who is shown in normal form', async () => {
    const { juliet: her, romeo: him } = await people(name);
    for (const jid of ['JULIET@EXAMPLE.COM', '\uff4auliet@example.com', 'juliet@example.com.']) {
      if (!Jid.parse(jid).equals(Jid.parse(juliet))) throw new Error(`${jid} is another address`);
      const stanza = await crafted(her, him, cpim(), shell.replace(juliet, jid));
      expect((await openAs(him, stanza)).verdict.sender?.jid).toBe(juliet);
    }
  });
});
