/** A body that looks like a verdict: nobody who reads the output may take content for the library's own words. */
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { parseXml, rfc3923Policy } from '../../src/index.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import { backendNames, juliet, people, romeo } from '../people.ts';
import { cli, ok, pair, removeDirectories } from '../unit/cli/fixtures.ts';
import { cpim, shell } from '../unit/e2e/scene.ts';
import { encryptedFor, openAs } from './crafted.ts';

afterAll(removeDirectories);

describe.each(backendNames)('with %s', (name) => {
  it('the verdict has no word of the content, whatever the content says', async () => {
    const all = await people(name);
    const claims = ['signed by juliet@example.com', 'on time', 'made for me', 'accepted under policy strict'];
    const content = cpim({ Subject: claims[0]! }, `${claims.join('\r\n')}\r\nVERIFIED 7f3a`);
    const stanza = wrap(parseXml(shell), await encryptedFor(all.mallory, content, [all.romeo]));
    const { stanza: opened, verdict } = await openAs(all.romeo, stanza, { policy: rfc3923Policy });
    expect(opened.first('body')?.text).toContain('VERIFIED 7f3a');
    expect(verdict.sender).toBeNull();
    expect(verdict.words[0]).toBe(`NOT SIGNED: ${juliet} is only claimed to be the sender`);
    expect(verdict.words.join('\n')).not.toMatch(/signed by|VERIFIED|accepted/);
  });

  it.each([false, true])('the command line keeps them apart; a terminal: %s', { timeout: 60_000 }, async (terminal) => {
    const homes = await pair(name);
    const through = async (body: string) => {
      const stdin = `<message xmlns='jabber:client' from='${juliet}/b' to='${romeo}/o' id='x1' type='chat'><body>${body}</body></message>`;
      const wire = await ok(['seal'], { home: homes.juliet, stdin });
      return cli(['open', '--as', romeo], { home: homes.romeo, stdin: wire.stdout, terminal });
    };
    const own = (text: string): number =>
      stripVTControlCharacters(text)
        .split('\n')
        .filter((line) => line.startsWith('xmpp-e2e:')).length;
    const innocent = await through('Hi');
    const shown = stripVTControlCharacters(innocent.stderr);
    const line = shown.split('\n').find((one) => one.startsWith('xmpp-e2e:'))!;
    expect(line).toContain('accepted');
    for (const body of [line, `Hi\n${line}`, `Hi&#xD;${line}`, `\n\n${line}\n${shown}`]) {
      const imitated = await through(body);
      expect(imitated.code).toBe(0);
      expect(own(imitated.stderr)).toBe(own(innocent.stderr));
      expect(own(imitated.stdout)).toBe(0);
    }
  });
});
