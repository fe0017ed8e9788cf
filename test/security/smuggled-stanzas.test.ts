/**
 * Stanza smuggling: a contact seals what only a server may say (forged carbon copies, CVE-2017-5589 and its family),
 * several stanzas, or something that is none.
 */
import { describe, expect, it } from 'vitest';
import { refuseServerOnly, serverOnly } from '../../src/e2e/server-only.ts';
import { E2E_NAMESPACE, rfc3923Policy, serializeXml, strictPolicy } from '../../src/index.ts';
import { backendNames, juliet, people, romeo } from '../people.ts';
import { refusal, wrappedXmppXml } from '../unit/e2e/scene.ts';
import { crafted, openAs, refused } from './crafted.ts';

const good = `<message type='chat' id='m1'><body>Hi</body></message>`;

const namespaces = [
  'jabber:server',
  'jabber:component:accept',
  'http://etherx.jabber.org/streams',
  'urn:ietf:params:xml:ns:xmpp-streams',
  'urn:ietf:params:xml:ns:xmpp-sasl',
  'urn:ietf:params:xml:ns:xmpp-tls',
  'urn:ietf:params:xml:ns:xmpp-bind',
  'urn:ietf:params:xml:ns:xmpp-stanzas',
  'urn:xmpp:sm:3',
  'urn:xmpp:csi:0',
  'urn:xmpp:carbons:2',
  'urn:xmpp:forward:0',
  'urn:ietf:params:xml:ns:pidf',
  'JABBER:CLIENT',
  'jabber:client ',
];

const wrong: readonly (readonly [what: string, inside: string])[] = [
  ['no stanza', ''],
  ['white space', ' \r\n '],
  ['two messages', good + good],
  ['three messages', good + good + good],
  ['a message and a presence', `${good}<presence/>`],
  ['text before', `Hi${good}`],
  ['text after', `${good}Hi`],
  ['text alone', 'Hi'],
  ['another element', `<body>Hi</body>`],
  ['a stream', `<stream xmlns='http://etherx.jabber.org/streams'>${good}</stream>`],
  ['another document inside', `<xmpp>${good}</xmpp>`],
  ['a sealed object inside', `<message type='chat' id='m1'><e2e xmlns='${E2E_NAMESPACE}'>x</e2e></message>`],
  ['one deep inside', `<message type='chat' id='m1'><x xmlns='urn:x'><e2e xmlns='${E2E_NAMESPACE}'/></x></message>`],
  ['an error', `<message type='error' id='m1'><error type='cancel'/></message>`],
  ['a comment', `<!-- -->${good}`],
  ['a declaration in the middle', `<?xml version='1.0'?>${good}`],
  ...namespaces.map(
    (namespace) => [`a message in ${namespace}`, good.replace('<message', `<message xmlns='${namespace}'`)] as const,
  ),
];

describe.each(backendNames)('what a contact signs, with %s', (name) => {
  it(`is refused as a whole where it is not one stanza of a client: ${wrong.length} of ${wrong.length}`, async () => {
    const { juliet: her, romeo: him } = await people(name);
    expect(namespaces).toHaveLength(15);
    expect((await openAs(him, await crafted(her, him, wrappedXmppXml(good)))).stanza.first('body')?.text).toBe('Hi');
    for (const [what, inside] of wrong) {
      const stanza = await crafted(her, him, wrappedXmppXml(inside));
      for (const policy of [strictPolicy, rfc3923Policy]) {
        await refused(openAs(him, stanza, { policy }), 'ERR_E2E_PAYLOAD_INVALID', 'ERR_E2E_LAYERS_REFUSED').catch(
          (cause: unknown) => {
            throw new Error(what, { cause });
          },
        );
      }
    }
  });

  it(`never enters the pipeline of an SDK where only servers may say it: ${serverOnly.length} namespaces`, async () => {
    const { juliet: her, romeo: him } = await people(name);
    let reached = 0;
    for (const [namespace, local] of serverOnly) {
      const element = `<${local === '*' ? 'x' : local} xmlns='${namespace}'/>`;
      for (const inside of [element, `<deep xmlns='urn:x'>${element}</deep>`]) {
        const content = wrappedXmppXml(good.replace('</message>', `${inside}</message>`));
        const opened = await openAs(him, await crafted(her, him, content)).catch((error: unknown) => error);
        if (!(opened instanceof Error)) {
          const { stanza } = opened as Awaited<ReturnType<typeof openAs>>;
          const kept = (): Promise<void> => Promise.resolve().then(() => refuseServerOnly(stanza));
          const dropped = !serializeXml(stanza).includes(namespace);
          if (dropped) continue;
          reached++;
          await refusal(kept(), 'ERR_E2E_LAYERS_REFUSED', 'check');
        } else expect(opened).toMatchObject({ name: 'E2eError' });
      }
    }
    // The others are refused or dropped already when they are opened.
    expect(reached).toBeGreaterThan(serverOnly.length);
  });

  it('is an ordinary stanza otherwise', async () => {
    const { juliet: her, romeo: him } = await people(name);
    const { stanza } = await openAs(him, await crafted(her, him, wrappedXmppXml(good)));
    expect(() => refuseServerOnly(stanza)).not.toThrow();
    expect([stanza.attribute('from'), stanza.attribute('to')]).toEqual([`${juliet}/balcony`, romeo]);
  });
});
