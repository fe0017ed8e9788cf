/** A server changes what stands outside: from, to, type, id and language of the stanza around a sealed object. */
import { describe, expect, it } from 'vitest';
import { E2E_NAMESPACE, parseXml, rfc3923Policy, strictPolicy } from '../../src/index.ts';
import { backendNames, juliet, mallory, people, romeo } from '../people.ts';
import { cpim, wrappedXmppXml } from '../unit/e2e/scene.ts';
import { crafted, openAs, refused } from './crafted.ts';

const others = [
  mallory,
  'jul1et@example.com',
  'juliet@example.org',
  'romeo@example.com',
  'example.com',
  'juliet@example.com.evil.example',
];
const resources = ['', '/balcony', '/orchard', '/x', `/${juliet}`, `/${romeo}`];
const full = wrappedXmppXml(
  `<message from='${juliet}/balcony' to='${romeo}' type='chat' id='m1' xml:lang='en'><body>Hi</body></message>`,
);

const outer = (attributes: Readonly<Record<string, string | undefined>>): string => {
  const all: Record<string, string | undefined> = {
    from: `${juliet}/balcony`,
    to: romeo,
    type: 'chat',
    id: 'm1',
    ...attributes,
  };
  const text = Object.entries(all).map(([name, value]) => (value === undefined ? '' : ` ${name}='${value}'`));
  return `<message xmlns='jabber:client'${text.join('')}/>`;
};

/** Refused with either payload. */
const wrong = [
  ...others.flatMap((jid) => resources.map((resource) => outer({ from: jid + resource }))),
  ...others.flatMap((jid) => resources.map((resource) => outer({ to: jid + resource }))),
  outer({ from: undefined }),
  outer({ from: '' }),
  outer({ to: '' }),
  ...['message', 'presence', 'iq'].slice(1).map((kind) => outer({}).replace('<message', `<${kind}`)),
];
/** Refused where the inner stanza says otherwise. */
const contradicted = [
  ...['', '/tomb', '/Balcony', '/balcony2'].map((resource) => outer({ from: juliet + resource })),
  ...['normal', 'headline', 'groupchat', 'error', undefined].map((type) => outer({ type })),
  ...['m2', 'M1', '', undefined].map((id) => outer({ id })),
];
/** Delivered, and nothing of it is believed. */
const harmless = [
  ...['de', 'en-GB', 'x-none', '', 'fr', 'it', 'la', 'es', 'pt'].map((lang) => outer({ 'xml:lang': lang })),
  ...['/orchard', '/tomb', '/a b'].map((resource) => outer({ to: romeo + resource })),
  outer({ to: undefined }),
  outer({}).replace('/>', '><body>Flee!</body><subject>Flee</subject></message>'),
  outer({}).replace('/>', "><html xmlns='http://jabber.org/protocol/xhtml-im'/><x xmlns='jabber:x:oob'/></message>"),
];

describe.each(backendNames)('swaps by a server, with %s', (name) => {
  it(`${wrong.length + contradicted.length + harmless.length} of them change nothing that is believed`, async () => {
    expect(wrong.length + contradicted.length + harmless.length).toBeGreaterThanOrEqual(100);
    const all = await people(name);
    const codes = ['ERR_E2E_SENDER_MISMATCH', 'ERR_E2E_RECIPIENT_MISMATCH', 'ERR_E2E_PAYLOAD_INVALID'] as const;
    for (const content of [full, cpim()]) {
      const sealed = await crafted(all.juliet, all.romeo, content);
      const e2e = sealed.first('e2e', E2E_NAMESPACE)!;
      const under = (text: string) => {
        const shellOf = parseXml(text);
        return shellOf.withChildren([e2e, ...shellOf.children]);
      };
      for (const policy of [strictPolicy, rfc3923Policy]) {
        for (const text of wrong) {
          await refused(
            openAs(all.romeo, under(text), { policy }),
            ...codes,
            'ERR_E2E_MALFORMED',
            'ERR_E2E_SIGNER_UNKNOWN',
            'ERR_E2E_SIGNER_UNTRUSTED',
            'ERR_E2E_SIGNATURE_INVALID',
          ).catch((cause: unknown) => {
            throw new Error(text, { cause });
          });
        }
        for (const text of content === full ? contradicted : []) {
          await refused(openAs(all.romeo, under(text), { policy }), ...codes, 'ERR_E2E_LAYERS_REFUSED').catch(
            (cause: unknown) => {
              throw new Error(text, { cause });
            },
          );
        }
        for (const text of harmless) {
          const { stanza, verdict } = await openAs(all.romeo, under(text), { policy });
          expect(
            stanza.elements.map((child) => `${child.name} ${child.text}`),
            text,
          ).toEqual(['body Hi']);
          expect(stanza.lang ?? 'en').toBe('en');
          expect(verdict.sender?.jid).toBe(juliet);
        }
      }
    }
  });
});

describe('two sealed objects in one stanza', () => {
  it('are refused, so that no reader can take the other one', async () => {
    const all = await people('smime');
    const one = await crafted(all.juliet, all.romeo, cpim());
    await refused(openAs(all.romeo, one.withChildren([...one.children, ...one.children])), 'ERR_E2E_LAYERS_REFUSED');
  });
});
