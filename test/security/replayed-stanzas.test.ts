/** A server sends a recorded stanza again (RFC 3923 section 6.9): at once, often, changed, and after a restart. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2E_NAMESPACE, openMany, ReplayGuard, rfc3923Policy, serializeXml, strictPolicy } from '../../src/index.ts';
import { fileReplayStore } from '../../src/stores/node.ts';
import { backendNames, people, romeo } from '../people.ts';
import { runs } from '../shared-data.ts';
import { cpim } from '../unit/e2e/scene.ts';
import { at, crafted, openAs, refused } from './crafted.ts';

let directory: string;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'xmpp-e2e-replay-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(backendNames)('one stanza sent again and again, with %s', (name) => {
  const count = runs(1000);

  it.each([strictPolicy, rfc3923Policy])(`is delivered once of ${count} times, policy $name`, async (policy) => {
    const all = await people(name);
    const stanza = serializeXml(await crafted(all.juliet, all.romeo, cpim()));
    const replay = new ReplayGuard();
    const source = Array.from({ length: count }, () => stanza);
    const outcomes: string[] = [];
    for await (const one of openMany(source, {
      backends: [all.romeo.backend],
      me: romeo,
      at,
      policy,
      replay,
      concurrency: 8,
    })) {
      outcomes.push(one.ok ? 'delivered' : one.error.code);
    }
    expect(outcomes[0]).toBe('delivered');
    expect(outcomes.slice(1)).toEqual(Array.from({ length: count - 1 }, () => 'ERR_E2E_REPLAYED'));
  });

  it('is not delivered again after a restart with the file store', async () => {
    const all = await people(name);
    const stanza = await crafted(all.juliet, all.romeo, cpim({}, name));
    const path = join(directory, name);
    const before = new ReplayGuard(fileReplayStore(path));
    await openAs(all.romeo, stanza, { replay: before });
    await refused(openAs(all.romeo, stanza, { replay: before }), 'ERR_E2E_REPLAYED');
    for (let restart = 0; restart < 3; restart++) {
      const replay = new ReplayGuard(fileReplayStore(path));
      await refused(openAs(all.romeo, stanza, { replay }), 'ERR_E2E_REPLAYED');
    }
  });

  it('is known through two stores on one file that race for it', async () => {
    const all = await people(name);
    const stanza = await crafted(all.juliet, all.romeo, cpim({}, `${name} race`));
    const path = join(directory, `${name}-race`);
    const guards = [1, 2, 3, 4].map(() => new ReplayGuard(fileReplayStore(path)));
    const outcomes = await Promise.allSettled(guards.map((replay) => openAs(all.romeo, stanza, { replay })));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is known under another envelope: what is signed counts, not how it is written', async () => {
    const all = await people(name);
    const stanza = await crafted(all.juliet, all.romeo, cpim());
    const replay = new ReplayGuard();
    await openAs(all.romeo, stanza, { replay });
    const e2e = stanza.first('e2e', E2E_NAMESPACE)!;
    const forms = [
      stanza.withAttribute('id', 'other'),
      stanza.withAttribute('from', 'juliet@example.com/other-device'),
      stanza.withAttribute('to', `${romeo}/orchard`),
      stanza.withAttribute('type', 'normal'),
      stanza.withChildren([e2e.withChildren([`\n\n${e2e.text}`])]),
      stanza.withChildren([e2e.withChildren([`X-More: 1\n${e2e.text}`])]),
    ];
    for (const form of forms)
      await refused(openAs(all.romeo, form, { replay }), 'ERR_E2E_REPLAYED', 'ERR_E2E_TIMESTAMP');
  });

  it('is not swallowed by an attacker who sends a damaged copy first', async () => {
    const all = await people(name);
    const stanza = await crafted(all.juliet, all.romeo, cpim());
    const replay = new ReplayGuard();
    await refused(
      openAs(all.romeo, stanza.withAttribute('from', 'mallory@example.org'), { replay }),
      'ERR_E2E_SENDER_MISMATCH',
      'ERR_E2E_SIGNER_UNTRUSTED',
      'ERR_E2E_SIGNER_UNKNOWN',
    );
    await openAs(all.romeo, stanza, { replay });
  });
});
