/** Sequoia (sqop) and openpgp, both ways; and keys that sq made. */
import { afterAll, describe, expect, it } from 'vitest';
import { backendOf, call, content, entity as entityOf, romeo as romeoJid } from '../unit/openpgp/scene.ts';
import { hasProgram } from '../shared-data.ts';
import { Files, julietJid, testPeer } from './openpgp-peer.ts';
import { sop } from './sop.ts';

testPeer('sqop', 'version', () => sop('sqop'));

describe.skipIf(!hasProgram('sq', '--version'))('keys that sq made', () => {
  const files = new Files();
  afterAll(() => files.remove());

  it.each(['cv25519', 'rsa3k'])('%s', async (suite) => {
    const people = [
      { jid: julietJid, uid: 'xmpp:juliet@example.com' },
      { jid: romeoJid, uid: 'xmpp:romeo@example.net' },
    ].map(({ jid, uid }) => {
      const file = files.path(`${suite}-${jid.local}.key`);
      files.run('sq', ['key', 'generate', '--cipher-suite', suite, '--userid', uid, '--export', file]);
      const certificate = files.run('sq', ['key', 'extract-cert', file]);
      return { jid, secret: files.read(file), certificate, fingerprint: '' };
    });
    const [juliet, romeo] = people as [(typeof people)[number], (typeof people)[number]];
    const common = {
      ...call({ at: new Date() }),
      includeCertificate: false,
      hidden: false,
      profile: 'modern' as const,
    };
    const sealed = await backendOf(juliet, [romeo]).signAndEncrypt!({
      ...common,
      content,
      signer: julietJid,
      recipients: [romeoJid],
    });
    const request = { ...common, entity: entityOf(sealed), sender: julietJid, me: romeoJid };
    const opened = await backendOf(romeo, [juliet]).decrypt(request);
    expect(opened.content).toEqual(content);
    expect(opened.signatures).toMatchObject([{ outcome: 'good', intendedFor: 'me' }]);
  });
});
