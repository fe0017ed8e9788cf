/** Secrets in errors: six of them are planted, and no failing opening shows one, however its error is printed. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { wrap } from '../../src/e2e/wrap.ts';
import {
  E2E_NAMESPACE,
  errorReply,
  type E2eError,
  inspectStanza,
  parseXml,
  rfc3923Policy,
  serializeXml,
  strictPolicy,
} from '../../src/index.ts';
import { backendNames, mallory, people, romeo } from '../people.ts';
import { cpim, shell, wrappedXmppXml } from '../unit/e2e/scene.ts';
import { at, crafted, encryptedFor, openAs, signedBy } from './crafted.ts';

const secrets = {
  body: 'secret-body-5d1f',
  subject: 'secret-subject-8c2a',
  attribute: 'secret-attribute-71be',
  extension: 'secret-extension-0f94',
  header: 'secret-header-e3d7',
};

const inner = (more = ''): string =>
  `<message type='chat' id='m1'${more}><subject>${secrets.subject}</subject><body>${secrets.body}</body>` +
  `<x xmlns='urn:x' a='${secrets.attribute}'>${secrets.extension}</x></message>`;
const headers = { 'X-Note': secrets.header };
const content = (more = '', others: Record<string, string> = {}): Uint8Array =>
  wrappedXmppXml(inner(more), { NS: 'X <urn:x>', 'X.Note': secrets.header, ...others });

const output: string[] = [];
beforeEach(() => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => void output.push(inspect(words)));
  }
});
afterEach(() => vi.restoreAllMocks());

/** Everything that a program could print of an error. */
function printed(error: Error): string {
  const deep = { depth: Infinity, showHidden: true, getters: true, maxStringLength: null, maxArrayLength: null };
  return [inspect(error, deep), JSON.stringify(error), String(error), error.stack, inspect(error.cause, deep)].join(
    '\n',
  );
}

describe.each(backendNames)('200 failing openings with %s', (name) => {
  it('show none of the six secrets', async () => {
    const all = await people(name);
    const { juliet: her, romeo: him } = all;
    const [identity] = await him.store.identities(him.jid, name);
    const key = Buffer.from(identity!.keys as Uint8Array)
      .toString('latin1')
      .split(/\r?\n/);
    // The sixth: a line out of the middle of his private key.
    const keyLine = key
      .filter((line) => /^[A-Za-z0-9+/]{24,}={0,2}$/.test(line))
      .at(1)!
      .slice(0, 40);
    const planted = [...Object.values(secrets), keyLine];
    expect(planted).toHaveLength(6);
    expect(planted.every((one) => one.length >= 16)).toBe(true);

    const good = await crafted(her, him, content());
    expect(serializeXml((await openAs(him, good)).stanza)).toContain(secrets.extension);
    const e2e = good.first('e2e', E2E_NAMESPACE)!;
    const damaged = (place: number) => {
      const at = 200 + ((place * 7919) % (e2e.text.length - 400));
      const text = e2e.text.slice(0, at) + (e2e.text[at] === 'A' ? 'B' : 'A') + e2e.text.slice(at + 1);
      return good.withChildren([e2e.withChildren([text])]);
    };
    const unsigned = wrap(parseXml(shell), await encryptedFor(her, content(), [him]));
    const foreign = wrap(
      parseXml(shell),
      await encryptedFor(her, await signedBy(her, content(), [him]), [all.mallory]),
    );
    const wrongStanzas = [
      unsigned,
      foreign,
      await crafted(her, him, content(` from='${mallory}'`)),
      await crafted(her, him, content(` to='${mallory}'`)),
      await crafted(her, him, content(` from='${secrets.attribute}@@'`)),
      await crafted(her, him, content('', { From: `<im:${mallory}>` })),
      await crafted(her, him, content('', { DateTime: '2026-13-01T00:00:00Z' })),
      await crafted(her, him, content('', { DateTime: '2020-01-01T00:00:00Z' })),
      await crafted(her, him, content('', { Require: secrets.header })),
      await crafted(her, him, cpim(headers, secrets.body)),
      await crafted(her, him, wrappedXmppXml(`${inner()}${inner()}`)),
      await crafted(her, him, wrappedXmppXml(`<${secrets.body}`)),
      await crafted(her, him, wrappedXmppXml(`<message id='m1'><body>${secrets.body}</x></message>`)),
      await crafted(her, him, wrappedXmppXml(`<message id='m1'><body>&${secrets.body};</body></message>`)),
      good.withAttribute('from', mallory),
      good.withAttribute('to', mallory),
      good.withAttribute('id', 'm2'),
      good.withAttribute('type', 'normal'),
    ];
    let failures = 0;
    for (let place = 0; failures < 200; place++) {
      expect(place).toBeLessThan(600);
      const stanza = place < wrongStanzas.length ? wrongStanzas[place]! : damaged(place);
      const policy = place % 2 === 0 ? strictPolicy : rfc3923Policy;
      const error = await openAs(him, stanza, { policy, at }).then(
        () => undefined,
        (reason: unknown) => reason as E2eError,
      );
      if (error === undefined) continue;
      failures++;
      expect(error.name).toBe('E2eError');
      output.push(printed(error));
      const reply = errorReply(stanza, error, { mode: 'rfc3923', knownContact: true });
      if (reply !== undefined) output.push(serializeXml(reply));
      const tree = await inspectStanza(stanza, { backends: [him.backend] }).catch((reason: unknown) => reason);
      output.push(tree instanceof Error ? printed(tree) : JSON.stringify(tree));
    }
    output.push(inspect(him.backend, { depth: Infinity, showHidden: true }));
    const everything = output.splice(0).join('\n');
    expect(everything).toContain(romeo.split('@')[0]);
    for (const secret of planted) expect(everything.includes(secret), secret).toBe(false);
  });
});
