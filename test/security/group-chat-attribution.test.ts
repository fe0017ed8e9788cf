/**
 * Group chat (RFC 3923 section 2 leaves it out): a room, or a server that changes the type of a message, must not make
 * what Juliet wrote to Romeo look like a word of hers in a room, nor a nickname look like her.
 */
import { describe, expect, it } from 'vitest';
import {
  E2eSession,
  errorReply,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  sealStanza,
  strictPolicy,
} from '../../src/index.ts';
import { backendNames, juliet, mallory, people, romeo } from '../people.ts';
import { cpim, refusal, shell, wrappedXmppXml } from '../unit/e2e/scene.ts';
import { at, crafted, openAs } from './crafted.ts';

const room = 'verona@conference.example.net';

describe.each(backendNames)('with %s', (name) => {
  it('a sealed message as group chat is refused, whoever signed it and whatever is inside', async () => {
    const { juliet: her, romeo: him, mallory: she } = await people(name);
    const chat = shell.replace("type='chat'", "type='groupchat'");
    const inner = wrappedXmppXml(`<message type='groupchat' id='m1'><body>Hi</body></message>`);
    const stanzas = [
      await crafted(her, him, cpim(), chat),
      await crafted(her, him, inner, chat),
      await crafted(her, him, cpim(), chat.replace(`${juliet}/balcony`, `${room}/juliet`)),
      await crafted(she, him, cpim(), chat.replace(`${juliet}/balcony`, `${room}/${juliet}`)),
      await crafted(her, him, cpim({ To: `<im:${room}>` }), chat),
      await crafted(her, him, cpim(), chat.replace(romeo, room)),
    ];
    for (const stanza of stanzas) {
      for (const policy of [strictPolicy, rfc3923Policy]) {
        const replay = new ReplayGuard();
        const error = await refusal(openAs(him, stanza, { policy, replay }), 'ERR_E2E_LAYERS_REFUSED', 'unwrap');
        for (const mode of ['off', 'safe', 'rfc3923'] as const)
          expect(errorReply(stanza, error, { mode, knownContact: true })).toBeUndefined();
      }
    }
  });

  it('a nickname speaks for nobody: the room is the sender of what comes from it', async () => {
    const { juliet: her, romeo: him, mallory: she } = await people(name);
    for (const nick of [juliet, `${juliet}/balcony`, 'juliet']) {
      const outer = shell.replace(`${juliet}/balcony`, `${room}/${nick}`);
      for (const [by, from] of [
        [her, juliet],
        [she, juliet],
        [she, mallory],
        [she, room],
      ] as const) {
        const stanza = await crafted(by, him, cpim({ From: `<im:${from}>` }), outer);
        for (const policy of [strictPolicy, rfc3923Policy]) {
          await expect(openAs(him, stanza, { policy })).rejects.toMatchObject({
            code: expect.stringMatching(/SENDER_MISMATCH|SIGNER_UNTRUSTED|SIGNER_UNKNOWN/) as string,
          });
        }
      }
    }
  });

  it('nothing is sealed for a room', async () => {
    const { juliet: her } = await people(name);
    const plain = `<message xmlns='jabber:client' from='${juliet}' to='${room}' type='groupchat'><body>Hi</body></message>`;
    await refusal(sealStanza(plain, { backend: her.backend, at }), 'ERR_E2E_UNMAPPABLE', 'map');
    const session = new E2eSession({ jid: juliet, backends: [her.backend], replay: new ReplayGuard() });
    await refusal(session.seal(parseXml(plain)), 'ERR_E2E_NO_RECIPIENT_KEY', 'encrypt');
  });
});
