import { describe, expect, it } from 'vitest';
import {
  memoryReplayStore,
  type OpenOptions,
  ReplayGuard,
  type ReplayStore,
  rfc3923Policy,
} from '../../../src/index.ts';
import { runs } from '../../shared-data.ts';
import { doubleEncrypted } from '../../double-backend.ts';
import { E2eError } from '../../../src/errors.ts';
import { at, cpim, juliet, open, refusal, romeo, sealedIn, shell, signedBy, xmppXml } from './scene.ts';

const lax = { policy: rfc3923Policy };

function shifted(seconds: number): string {
  return new Date(at.getTime() + seconds * 1000).toISOString();
}

/** A signed message whose DateTime is so many seconds from now. */
function sent(seconds: number, from = `${juliet}/balcony`, body = 'Hi'): ReturnType<typeof signedBy> {
  return signedBy({}, cpim({ DateTime: shifted(seconds) }, body), shell.replace(`${juliet}/balcony`, from));
}

function oldGuard(): ReplayGuard {
  return new ReplayGuard(memoryReplayStore({ since: new Date('2020-01-01T00:00:00Z') }));
}

describe('the window of five minutes (RFC 3923 section 6.9)', () => {
  it.each([
    [-299.999, 'ok'],
    [-300, 'ok'],
    [-300.001, 'old'],
    [299.999, 'ok'],
    [300, 'ok'],
    [300.001, 'future'],
  ])('%d s is %s', async (seconds, status) => {
    const { verdict } = await open(sent(seconds), lax);
    expect(verdict.time.status).toBe(status);
    if (status === 'ok') await open(sent(seconds));
    else await refusal(open(sent(seconds)), 'ERR_E2E_TIMESTAMP', 'check');
  });

  it('is not widened by a delay stamp in the future direction', async () => {
    const outer = shell.replace('/>', `><delay xmlns='urn:xmpp:delay' stamp='${shifted(3600)}'/></message>`);
    const stanza = signedBy({}, cpim({ DateTime: shifted(3600) }), outer);
    await refusal(open(stanza, { replay: oldGuard() }), 'ERR_E2E_TIMESTAMP');
  });
});

describe('an old stanza', () => {
  const dayOld = -86_400;
  const delayed = (stamp: string, ...more: readonly string[]): ReturnType<typeof signedBy> => {
    const stamps = [stamp, ...more].map((one) => `<delay xmlns='urn:xmpp:delay' stamp='${one}'/>`).join('');
    return signedBy({}, cpim({ DateTime: shifted(dayOld) }), shell.replace('/>', `>${stamps}</message>`));
  };

  it('is delivered as delayed when a delay stamp agrees', async () => {
    const { verdict } = await open(delayed(shifted(dayOld + 2)), { replay: oldGuard() });
    expect(verdict.time).toMatchObject({ status: 'delayed', delay: shifted(dayOld + 2) });
  });

  it('is never ok, however the stamp is forged; the latest stamp counts', async () => {
    await refusal(open(delayed(shifted(0)), { replay: oldGuard() }), 'ERR_E2E_TIMESTAMP');
    await refusal(open(delayed(shifted(dayOld), shifted(0)), { replay: oldGuard() }), 'ERR_E2E_TIMESTAMP');
    await refusal(open(delayed('yesterday'), { replay: oldGuard() }), 'ERR_E2E_TIMESTAMP');
  });

  it('is not excused when the store is younger: nobody can know whether it was seen', async () => {
    const replay = new ReplayGuard(memoryReplayStore({ since: new Date(shifted(dayOld + 1)) }));
    await refusal(open(delayed(shifted(dayOld)), { replay }), 'ERR_E2E_TIMESTAMP');
  });

  it('is delivered in the offline and archive contexts', async () => {
    for (const context of ['offline', 'archive'] as const) {
      const { verdict } = await open(sent(dayOld), { context, replay: oldGuard() });
      expect(verdict.time.status).toBe('delayed');
    }
  });

  it('is judged at the time of its arrival when it is tried again', async () => {
    const options = { context: { retry: new Date(shifted(dayOld + 10)) }, replay: oldGuard() };
    expect((await open(sent(dayOld), options)).verdict.time.status).toBe('ok');
  });
});

describe('order', () => {
  it('must increase for one key and full JID', async () => {
    const replay = new ReplayGuard();
    await open(sent(10), { replay });
    await refusal(open(sent(10, undefined, 'other'), { replay }), 'ERR_E2E_TIMESTAMP');
    await refusal(open(sent(9), { replay }), 'ERR_E2E_TIMESTAMP');
    await open(sent(11), { replay });
  });

  it('is marked by the RFC policy', async () => {
    const replay = new ReplayGuard();
    await open(sent(10), { replay, ...lax });
    expect((await open(sent(9), { replay, ...lax })).verdict.time.status).toBe('decreasing');
    await refusal(open(sent(9), { replay, ...lax }), 'ERR_E2E_REPLAYED');
  });

  it('of one sender does not touch another, nor another device', async () => {
    const replay = new ReplayGuard();
    await open(sent(299), { replay });
    await open(sent(0, `${juliet}/phone`), { replay });
  });

  it('is forgotten after ten minutes', async () => {
    const replay = new ReplayGuard();
    await open(sent(299), { replay });
    const later = new Date(at.getTime() + 601_000);
    await open(sent(298 + 5), { replay, at: later });
  });

  it('does not matter offline', async () => {
    const replay = oldGuard();
    await open(sent(-400), { replay, context: 'offline' });
    await open(sent(-500), { replay, context: 'offline' });
  });
});

describe('replays', () => {
  it('of one stanza: 1 of many is delivered', async () => {
    const replay = new ReplayGuard();
    let delivered = 0;
    for (let i = 0; i < runs(1000); i++) {
      await open(sent(0), { replay }).then(
        () => delivered++,
        (error: unknown) => expect(error).toMatchObject({ code: 'ERR_E2E_REPLAYED' }),
      );
    }
    expect(delivered).toBe(1);
  });

  it('are refused by the RFC policy too', async () => {
    const replay = new ReplayGuard();
    await open(sent(0), { replay, ...lax });
    await refusal(open(sent(0), { replay, ...lax }), 'ERR_E2E_REPLAYED', 'check');
  });

  it('are no error in an archive, which records nothing', async () => {
    const replay = new ReplayGuard();
    expect((await open(sent(0), { replay, context: 'archive' })).verdict.replay).toBe('checked');
    await open(sent(0), { replay });
    expect((await open(sent(0), { replay, context: 'archive' })).verdict.replay).toBe('known');
  });

  it('are not recorded for what fails a check', async () => {
    const replay = new ReplayGuard();
    const misaddressed = signedBy({}, cpim(), shell.replace(romeo, 'mallory@example.org'));
    await refusal(open(misaddressed, { replay }), 'ERR_E2E_RECIPIENT_MISMATCH');
    await open(signedBy({}, cpim()), { replay });
  });

  it('stay refused after eviction: the floor of the key rises', async () => {
    const replay = new ReplayGuard(memoryReplayStore({ maxEntries: 2 }));
    for (const second of [1, 2, 3, 4]) await open(sent(second), { replay });
    await refusal(open(sent(1), { replay, ...lax }), 'ERR_E2E_REPLAYED');
    await refusal(open(sent(2, `${juliet}/phone`), { replay, ...lax }), 'ERR_E2E_REPLAYED');
  });

  it('stay refused after 30 days by the floor that the forgotten entry leaves behind', async () => {
    const replay = oldGuard();
    await open(sent(0), { replay });
    const later = new Date(at.getTime() + 31 * 86_400_000);
    await refusal(open(sent(0), { replay, at: later }), 'ERR_E2E_TIMESTAMP');
    await refusal(open(sent(0), { replay, at: later, context: 'offline' }), 'ERR_E2E_REPLAYED');
  });

  it('are refused by a store that cannot answer', async () => {
    const broken: ReplayStore = {
      since: () => 0n,
      record: () => Promise.reject(new Error('disk')),
      has: () => {
        throw new Error('disk');
      },
    };
    const replay = new ReplayGuard(broken);
    await refusal(open(sent(0), { replay }), 'ERR_E2E_STORE_FAILED', 'check');
    await refusal(open(sent(0), { replay, context: 'archive' }), 'ERR_E2E_STORE_FAILED', 'check');
  });
});

describe('the guard', () => {
  it('is required by the strict policy; false is an explicit choice, shown in the verdict', async () => {
    const options = { replay: undefined } as Partial<OpenOptions>;
    await expect(open(sent(0), options)).rejects.toBeInstanceOf(TypeError);
    await expect(open(sent(0), { replay: Object.create(null) as ReplayGuard })).rejects.toBeInstanceOf(TypeError);
    const { verdict } = await open(sent(0), { replay: false });
    expect(verdict.replay).toBe('off');
    expect((await open(sent(0), { ...options, ...lax })).verdict.replay).toBe('off');
  });
});

describe('the signed time', () => {
  const bare = xmppXml(`<message type='chat' id='m1' to='${romeo}'><body>Hi</body></message>`);

  it('is the signature time for a bare form', async () => {
    const { verdict } = await open(signedBy({ signedAt: shifted(-5) }, bare));
    expect(verdict.time).toMatchObject({ source: 'signature', status: 'ok', signed: shifted(-5) });
  });

  it('may be absent by the RFC policy alone', async () => {
    await refusal(open(signedBy({}, bare)), 'ERR_E2E_TIMESTAMP');
    expect((await open(signedBy({}, bare), lax)).verdict.time.status).toBe('absent');
  });

  it('must agree with the time in the signature within 300 s', async () => {
    await open(signedBy({ signedAt: shifted(-250) }, cpim({ DateTime: shifted(50) })));
    await refusal(open(signedBy({ signedAt: shifted(-251) }, cpim({ DateTime: shifted(50) }))), 'ERR_E2E_TIMESTAMP');
  });

  it('must be in UTC', async () => {
    const zone = cpim({ DateTime: '2026-11-22T13:00:00+01:00' });
    await refusal(open(signedBy({}, zone)), 'ERR_E2E_TIMESTAMP');
    expect((await open(signedBy({}, zone), lax)).verdict.time.status).toBe('ok');
  });
});

describe('my own copies', () => {
  const mine = `<message xmlns='jabber:client' from='${romeo}/orchard' to='${juliet}' id='m1' type='chat'/>`;
  const toJuliet = cpim({ From: `<im:${romeo}>`, To: `<im:${juliet}>` });

  it('are signed by me and made for whom they were sent to', async () => {
    const stanza = signedBy({ signers: [romeo], intendedFor: 'others' }, toJuliet, mine);
    const { verdict } = await open(stanza, { context: 'sent' });
    expect(verdict.sender?.jid).toBe(romeo);
    await refusal(open(stanza), 'ERR_E2E_RECIPIENT_MISMATCH');
  });

  it('are refused when another sent them, or they were sent to another', async () => {
    await refusal(open(signedBy({}), { context: 'sent' }), 'ERR_E2E_SENDER_MISMATCH');
    const forged = signedBy({ signers: [romeo] }, toJuliet, mine.replace(juliet, 'mallory@example.org'));
    await refusal(open(forged, { context: 'sent' }), 'ERR_E2E_RECIPIENT_MISMATCH');
    const nowhere = signedBy({ signers: [romeo] }, toJuliet, mine.replace(`to='${juliet}'`, ''));
    await refusal(open(nowhere, { context: 'sent' }), 'ERR_E2E_RECIPIENT_MISMATCH');
  });
});

describe('a store that fails', () => {
  const failing = (error: Error): ReplayStore => ({
    since: () => 0n,
    record: () => Promise.reject(error),
    has: () => false,
  });

  it('tells what is wrong where the error is of its own kind, and nothing else', async () => {
    const own = new E2eError('ERR_E2E_STORE_FAILED', 'check', { reason: 'the file is damaged' });
    const error = await refusal(open(sent(0), { replay: new ReplayGuard(failing(own)) }), 'ERR_E2E_STORE_FAILED');
    expect(error.reason).toBe('the file is damaged');
    for (const other of [new E2eError('ERR_E2E_LIMIT', 'check', { reason: 'secret' }), new Error('secret')]) {
      const hidden = await refusal(open(sent(0), { replay: new ReplayGuard(failing(other)) }), 'ERR_E2E_STORE_FAILED');
      expect(hidden.reason).toBeUndefined();
    }
  });
});

describe('what reaches the store', () => {
  async function asked(stanza: Parameters<typeof open>[0], options: Partial<OpenOptions> = {}): Promise<object[]> {
    const calls: object[] = [];
    const store: ReplayStore = {
      since: () => 0n,
      record: (_, how) => {
        calls.push(how);
        return 'new';
      },
      has: () => false,
    };
    await open(stanza, { replay: new ReplayGuard(store), ...options });
    return calls;
  }
  const window = 600_000_000_000n;
  const dayOld = -86_400;

  it('is in order only what is live and on time', async () => {
    const strictly = { ordered: true, refuseDecreasing: true, decreasingWindow: window };
    expect(await asked(sent(0))).toEqual([strictly]);
    expect(await asked(sent(0), lax)).toEqual([{ ...strictly, refuseDecreasing: false }]);
    for (const context of ['offline', { retry: at }] as const)
      expect(await asked(sent(0), { context })).toEqual([{ ...strictly, ordered: false }]);
    expect(await asked(sent(dayOld), { context: 'offline' })).toEqual([{ ...strictly, ordered: false }]);
    expect(await asked(sent(dayOld), lax)).toEqual([{ ...strictly, refuseDecreasing: false, ordered: false }]);
    expect(await asked(sent(0), { context: 'archive' })).toEqual([]);
  });

  it('is nothing where nobody signed, or nothing has a time', async () => {
    expect(await asked(sealedIn(doubleEncrypted(cpim(), [romeo])), lax)).toEqual([]);
    expect(await asked(signedBy({}, xmppXml(`<message id='m1'/>`)), lax)).toEqual([]);
  });
});

describe('a stanza that is judged again, once a certificate has come', () => {
  const verify = { context: { verify: at } };

  it('is recorded from then on, and no error where it was', async () => {
    const replay = new ReplayGuard();
    expect((await open(sent(0), { replay, ...verify })).verdict.replay).toBe('checked');
    expect((await open(sent(0), { replay, ...verify })).verdict.replay).toBe('known');
    await refusal(open(sent(0), { replay }), 'ERR_E2E_REPLAYED');
    const other = new ReplayGuard();
    await open(sent(0), { replay: other });
    expect((await open(sent(0), { replay: other, ...verify })).verdict.replay).toBe('known');
  });

  it('has no place in the order of its sender', async () => {
    const replay = new ReplayGuard();
    await open(sent(20), { replay });
    expect((await open(sent(10), { replay, ...verify })).verdict.time.status).toBe('ok');
    expect((await open(sent(30), { replay, ...verify })).verdict.time.status).toBe('ok');
    await open(sent(25), { replay });
    const error = await refusal(open(sent(24), { replay }), 'ERR_E2E_TIMESTAMP');
    expect(error.reason).toBe('the signed time is decreasing');
  });
});
