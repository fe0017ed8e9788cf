/**
 * Times (RFC 3923 section 6.9): old, early and reordered stanzas, delay stamps that a server makes up, and a sender who
 * tries to shut others out by a clock of his own.
 */
import { describe, expect, it } from 'vitest';
import { memoryReplayStore, ReplayGuard, rfc3923Policy, strictPolicy } from '../../src/index.ts';
import { backendNames, juliet, mallory, type Person, people, romeo } from '../people.ts';
import { cpim, shell } from '../unit/e2e/scene.ts';
import { at, crafted, openAs, refused } from './crafted.ts';

const time = (seconds: number): string => new Date(at.getTime() + seconds * 1000).toISOString();
const day = 86_400;

function sent(by: Person, to: Person, seconds: number, body = 'Hi', outer = shell) {
  return crafted(by, to, cpim({ From: `<im:${by.jid.toString()}>`, DateTime: time(seconds) }, body), outer);
}

const delayed = (...stamps: readonly string[]): string =>
  shell.replace('/>', `>${stamps.map((one) => `<delay xmlns='urn:xmpp:delay' stamp='${one}'/>`).join('')}</message>`);

const oldGuard = (): ReplayGuard => new ReplayGuard(memoryReplayStore({ since: new Date('2020-01-01T00:00:00Z') }));

describe.each(backendNames)('with %s', (name) => {
  it.each([
    [299.999, 'ok'],
    [300, 'ok'],
    [300.001, 'future'],
    [-299.999, 'ok'],
    [-300, 'ok'],
    [-300.001, 'old'],
  ])('%d s from now is %s', async (seconds, status) => {
    const all = await people(name);
    // Signed at the time of the clock: only the claimed time is off.
    const stanza = await sent(all.juliet, all.romeo, seconds);
    const close = Math.abs(seconds) <= 300;
    if (close) expect((await openAs(all.romeo, stanza)).verdict.time.status).toBe(status);
    else {
      await refused(openAs(all.romeo, stanza), 'ERR_E2E_TIMESTAMP');
      await refused(openAs(all.romeo, stanza, { policy: rfc3923Policy }), 'ERR_E2E_TIMESTAMP');
    }
  });

  it('200 stanzas in a shuffled order: each is delivered or refused as decreasing, and marked by the RFC policy', async () => {
    const all = await people(name);
    const order = Array.from({ length: 200 }, (_, i) => (i * 73) % 200);
    const stanzas = await Promise.all(order.map((i) => sent(all.juliet, all.romeo, i - 100, `number ${i}`)));
    for (const policy of [strictPolicy, rfc3923Policy]) {
      const replay = new ReplayGuard();
      let newest = -1;
      for (const [place, i] of order.entries()) {
        const opening = openAs(all.romeo, stanzas[place]!, { policy, replay });
        if (i > newest) expect((await opening).verdict.time.status).toBe('ok');
        else if (policy === strictPolicy) await refused(opening, 'ERR_E2E_TIMESTAMP');
        else expect((await opening).verdict.time.status).toBe('decreasing');
        newest = Math.max(newest, i);
      }
    }
  });

  it('a sender with an early clock shuts out nobody but himself', async () => {
    const all = await people(name);
    const replay = new ReplayGuard();
    const early = await sent(all.mallory, all.romeo, 299, 'Hi', shell.replace(juliet, mallory));
    for (let i = 0; i < 20; i++) {
      if (i === 5) await openAs(all.romeo, early, { replay });
      const stanza = await sent(all.juliet, all.romeo, i, `number ${i}`);
      expect((await openAs(all.romeo, stanza, { replay })).verdict.time.status).toBe('ok');
    }
    const later = await sent(all.mallory, all.romeo, 0, 'Hi', shell.replace(juliet, mallory));
    await refused(openAs(all.romeo, later, { replay }), 'ERR_E2E_TIMESTAMP');
  });

  it('a forged delay stamp never makes an old stanza punctual', async () => {
    const { juliet: her, romeo: him } = await people(name);
    const content = cpim({ DateTime: time(-day) });
    const stamps = [[time(0)], [time(-day)], [time(-day), time(0)], [time(day)], ['nonsense'], [time(-2 * day)]];
    for (const forged of stamps) {
      const stanza = await crafted(her, him, content, delayed(...forged));
      for (const policy of [strictPolicy, rfc3923Policy]) {
        const status = await openAs(him, stanza, { policy, replay: oldGuard() }).then(
          ({ verdict }) => verdict.time.status,
          (error: unknown) => (error as { code: string }).code,
        );
        // The times in CPIM and in the signature are a day apart, so that this is refused in any case.
        expect(['ERR_E2E_TIMESTAMP', 'delayed', 'old']).toContain(status);
      }
    }
  });
});

describe('a stanza that was a day on its way', () => {
  it.each(backendNames)('is delayed at best, and only once, with %s', async (name) => {
    const { juliet: her, romeo: him } = await people(name);
    const stanza = await crafted(her, him, cpim(), delayed(time(2)));
    const later = new Date(at.getTime() + day * 1000);
    const replay = oldGuard();
    const { verdict } = await openAs(him, stanza, { at: later, replay });
    expect(verdict.time).toMatchObject({ status: 'delayed', signed: time(0), delay: time(2) });
    await refused(openAs(him, stanza, { at: later, replay }), 'ERR_E2E_REPLAYED');
    for (const stamp of [time(day), time(400), time(-400), 'nonsense', '']) {
      const forged = await crafted(her, him, cpim(), delayed(stamp));
      await refused(openAs(him, forged, { at: later, replay: oldGuard() }), 'ERR_E2E_TIMESTAMP');
      const marked = await openAs(him, forged, { at: later, replay: oldGuard(), policy: rfc3923Policy });
      expect(marked.verdict.time.status).toBe('old');
    }
    // A store that began after the stanza was signed cannot know it, and neither can a stamp say so.
    const young = new ReplayGuard(memoryReplayStore({ since: new Date(at.getTime() + 3_600_000) }));
    await refused(openAs(him, stanza, { at: later, replay: young }), 'ERR_E2E_TIMESTAMP');
    // The archive is asked for by the caller, never by the stanza.
    const archived = await openAs(him, stanza, { at: later, replay: oldGuard(), context: 'archive' });
    expect(archived.verdict.time.status).toBe('delayed');
    expect(archived.verdict.recipients).toEqual([romeo]);
  });
});
