/**
 * What is expected of a contact: sealed stanzas, and the key that was pinned. A server that gets a second key accepted,
 * strips `<e2e/>` or races for the first use changes nothing of that.
 */
import { describe, expect, it } from 'vitest';
import { generateIdentity as generateOpenpgp, openpgp } from '../../src/backends/openpgp/index.ts';
import { generateIdentity as generateSmime, smime } from '../../src/backends/smime/index.ts';
import {
  type E2eError,
  E2eSession,
  type Expectation,
  Jid,
  memoryPinStore,
  memoryReplayStore,
  parseXml,
  PinGuard,
  type PinStore,
  ReplayGuard,
  rfc3923Policy,
  strictPolicy,
  TransparentStream,
  type XmlElement,
} from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import { type BackendName, backendNames, juliet, type Person, people, romeo } from '../people.ts';
import { cpim, refusal, shell } from '../unit/e2e/scene.ts';
import { at, crafted, encryptedFor, openAs, signedBy } from './crafted.ts';

const started = new Date('2026-01-01T00:00:00Z');

/** Juliet with a second key, which Romeo's store has on file too: a key that every check but the pin takes. */
async function second(name: BackendName): Promise<{ juliets: readonly [Person, Person]; him: Person }> {
  const all = await people(name);
  const jid = all.juliet.jid;
  const store = memoryStore();
  let certificates: Uint8Array;
  if (name === 'smime') {
    const made = await generateSmime({ jid, at: started, days: 3650 });
    certificates = made.certificatesPem;
    store.addIdentity(jid, name, { keys: made.keysPem, certificates });
  } else {
    const made = await generateOpenpgp({ jid, at: started });
    certificates = Buffer.from(made.certificateArmored);
    store.addIdentity(jid, name, { keys: Buffer.from(made.secretKeyArmored), certificates: new Uint8Array() });
  }
  const backend = (of: typeof store) => (name === 'smime' ? smime({ store: of }) : openpgp({ store: of }));
  const [hers] = await all.juliet.store.find(all.romeo.jid, name);
  store.fileCertificate(all.romeo.jid, name, hers!.certificates);
  const his = memoryStore();
  for (const identity of await all.romeo.store.identities(all.romeo.jid, name)) {
    his.addIdentity(all.romeo.jid, name, identity);
  }
  for (const filed of await all.romeo.store.find(jid, name)) his.fileCertificate(jid, name, filed.certificates);
  his.fileCertificate(jid, name, certificates);
  return {
    juliets: [all.juliet, { jid, store, backend: backend(store) }],
    him: { jid: all.romeo.jid, store: his, backend: backend(his) },
  };
}

const time = (seconds: number): string => new Date(at.getTime() + seconds * 1000).toISOString();

function from(by: Person, to: Person, seconds = 0): Promise<XmlElement> {
  return crafted(by, to, cpim({ DateTime: time(seconds) }));
}

async function outcome(opening: Promise<{ verdict: { pin: string } }>): Promise<string> {
  return opening.then(
    ({ verdict }) => verdict.pin,
    (error: unknown) => `${(error as E2eError).code} ${(error as E2eError).verdict?.pin}`,
  );
}
const changed = 'ERR_E2E_SIGNER_UNTRUSTED changed';

describe.each(backendNames)('with %s', (name) => {
  it('a changed key is refused though its certificate is on file, until it is pinned by an explicit act', async () => {
    const { juliets, him } = await second(name);
    const first = (await openAs(him, await from(juliets[0], him))).verdict.sender!.fingerprint;
    const other = (await openAs(him, await from(juliets[1], him))).verdict.sender!.fingerprint;
    expect(other).not.toBe(first);
    const expect_ = new PinGuard();
    await expect_.pin(juliet, first);
    for (const policy of [strictPolicy, rfc3923Policy, { ...strictPolicy, untrustedSigner: 'deliver' as const }]) {
      const open = async (by: Person) => outcome(openAs(him, await from(by, him), { expect: expect_, policy }));
      expect(await open(juliets[0])).toBe('match');
      expect(await open(juliets[1])).toBe(changed);
      expect((await expect_.pinsOf(juliet))?.keys).toEqual([first]);
    }
    await expect_.pin(juliet, other, 'add');
    expect(await outcome(openAs(him, await from(juliets[1], him), { expect: expect_ }))).toBe('match');
    expect(await outcome(openAs(him, await from(juliets[0], him), { expect: expect_ }))).toBe('match');
    await expect_.pin(juliet, other);
    expect(await outcome(openAs(him, await from(juliets[0], him), { expect: expect_ }))).toBe(changed);
    expect(await outcome(openAs(him, await from(juliets[0], him), { expect: { keys: [other] } }))).toBe(changed);
    expect(await outcome(openAs(him, await from(juliets[0], him), { expect: { keys: [other, first] } }))).toBe('match');
  });

  it('a refused key leaves no trace in the replay state', async () => {
    const { juliets, him } = await second(name);
    const replay = new ReplayGuard();
    const pins = new PinGuard();
    const stanza = await from(juliets[1], him);
    await pins.pin(juliet, (await openAs(him, await from(juliets[0], him))).verdict.sender!.fingerprint);
    expect(await outcome(openAs(him, stanza, { expect: pins, replay }))).toBe(changed);
    expect((await openAs(him, stanza, { replay })).verdict.replay).toBe('checked');
  });

  it('first use: refused, delivered, or pinned, as chosen', async () => {
    const { juliets, him } = await second(name);
    const stanza = await from(juliets[0], him);
    const refusing = new PinGuard(memoryPinStore(), { firstUse: 'refuse' });
    expect(await outcome(openAs(him, stanza, { expect: refusing }))).toBe('ERR_E2E_SIGNER_UNTRUSTED none');
    const delivering = new PinGuard();
    expect(await outcome(openAs(him, stanza, { expect: delivering }))).toBe('none');
    expect(await delivering.pinsOf(juliet)).toBeUndefined();
    const pinning = new PinGuard(memoryPinStore(), { firstUse: 'pin' });
    const { verdict } = await openAs(him, stanza, { expect: pinning });
    expect(verdict.pin).toBe('first');
    expect(verdict.words.join()).toContain('FIRST USE');
    expect((await pinning.pinsOf(juliet))?.keys).toEqual([verdict.sender!.fingerprint]);
    expect(await outcome(openAs(him, stanza, { expect: pinning }))).toBe('match');
    expect(await outcome(openAs(him, await from(juliets[1], him), { expect: pinning }))).toBe(changed);
    // A requirement to seal stays, and the first key is pinned beside it.
    const sealing = new PinGuard(memoryPinStore(), { firstUse: 'pin' });
    await sealing.requireSealed(juliet);
    expect(await outcome(openAs(him, stanza, { expect: sealing }))).toBe('first');
    expect(await sealing.pinsOf(juliet)).toEqual({ keys: [verdict.sender!.fingerprint], sealed: true });
  });

  it('of two keys at first use at the same moment one is pinned, and the other refused', async () => {
    const { juliets, him } = await second(name);
    for (let round = 0; round < 10; round++) {
      const pins = new PinGuard(memoryPinStore(), { firstUse: 'pin' });
      const stanzas = await Promise.all([from(juliets[round % 2]!, him), from(juliets[1 - (round % 2)]!, him)]);
      const outcomes = await Promise.all(stanzas.map((stanza) => outcome(openAs(him, stanza, { expect: pins }))));
      expect(outcomes.sort()).toEqual([changed, 'first']);
      expect((await pins.pinsOf(juliet))?.keys).toHaveLength(1);
    }
  });

  it('nothing is pinned by what is late, early, seen before, misdirected, from an archive or mine', async () => {
    const { juliets, him } = await second(name);
    const pins = new PinGuard(memoryPinStore(), { firstUse: 'pin' });
    const replay = new ReplayGuard(memoryReplayStore({ since: started }));
    const stanza = await from(juliets[0], him);
    await openAs(him, stanza, { replay });
    const signed = await signedBy(juliets[0], cpim(), [him]);
    const copy = wrap(parseXml(shell), await encryptedFor(juliets[0], signed, [him, juliets[0]]));
    const openings = [
      openAs(him, stanza, { expect: pins, replay }),
      openAs(him, stanza, { expect: pins, at: new Date(at.getTime() + 301_000) }),
      openAs(him, stanza, { expect: pins, at: new Date(at.getTime() - 290_000), policy: tight }),
      openAs(him, await crafted(juliets[0], him, cpim({ To: '<im:nurse@example.com>' })), { expect: pins }),
      openAs(him, stanza, { expect: pins, context: 'archive' }),
      openAs(juliets[0], copy, { me: juliet, context: 'sent', expect: pins }),
    ];
    const outcomes = await Promise.allSettled(openings);
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array<string>(4).fill('rejected'),
      'fulfilled',
      'fulfilled',
    ]);
    expect(await pins.pinsOf(juliet)).toBeUndefined();
  });

  it('unsigned content never satisfies an expectation, whatever the policy delivers', async () => {
    const all = await people(name);
    const unsigned = wrap(parseXml(shell), await encryptedFor(all.juliet, cpim(), [all.romeo]));
    const lax = { policy: rfc3923Policy, replay: undefined };
    expect((await openAs(all.romeo, unsigned, lax)).verdict).toMatchObject({ level: 'unsigned', pin: 'off' });
    const pins = new PinGuard();
    await pins.pin(juliet, 'a'.repeat(40));
    for (const expect of [{ sealed: true }, { keys: ['a'.repeat(40)] }, pins]) {
      await refusal(openAs(all.romeo, unsigned, { ...lax, expect }), 'ERR_E2E_UNSIGNED', 'verify');
    }
  });
});

const tight = { ...strictPolicy, time: { ...strictPolicy.time, windowSeconds: 60 } };

describe('a plain stanza', () => {
  const plain = [
    `<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' type='chat'><body>Hi</body></message>`,
    `<iq xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' type='result' id='q1'/>`,
    `<iq xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' type='set' id='q2'><q xmlns='urn:q'/></iq>`,
    `<presence xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}'/>`,
    `<message xmlns='jabber:client' from='${juliet}' to='${romeo}'><e2e xmlns='urn:other'>x</e2e></message>`,
    `<message xmlns='jabber:client' from='${juliet}' to='${romeo}'><x xmlns='urn:x'><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>x</e2e></x></message>`,
  ];

  it.each(plain)('is a downgrade where a sealed one is expected: %s', async (stanza) => {
    const { romeo: him } = await people('smime');
    await refusal(openAs(him, stanza), 'ERR_E2E_NOT_SEALED', 'unwrap');
    const sealed = new PinGuard();
    await sealed.requireSealed(juliet);
    const pinned = new PinGuard();
    await pinned.pin(juliet, 'a'.repeat(64));
    for (const expect of [{ sealed: true }, { keys: ['a'.repeat(64)] }, sealed, pinned]) {
      await refusal(openAs(him, stanza, { expect }), 'ERR_E2E_DOWNGRADE', 'unwrap');
    }
    const other = new PinGuard();
    await other.requireSealed('nurse@example.com');
    for (const expect of [{ sealed: false }, {}, other]) {
      await refusal(openAs(him, stanza, { expect }), 'ERR_E2E_NOT_SEALED', 'unwrap');
    }
  });

  it('of a contact of whom sealed ones are required is refused by a session without any key of that contact', async () => {
    const { romeo: him } = await people('smime');
    const backends = [smime({ store: memoryStore() })];
    const pins = new PinGuard();
    const session = new E2eSession({ jid: him.jid, backends, replay: new ReplayGuard(), expect: pins });
    const stream = new TransparentStream(session);
    const tree = parseXml(plain[0]!);
    const glance = {
      ...{ name: 'message', from: `${juliet}/balcony`, to: romeo, type: 'chat', id: 'm1' },
      children: tree.elements,
    };
    const codes: string[] = [];
    session.on('refused', ({ error }) => void codes.push(error.code));
    expect(await stream.receive(glance, tree)).toEqual({ action: 'pass' });
    await pins.requireSealed(juliet);
    expect(await stream.receive(glance, tree)).toEqual({ action: 'drop', reply: undefined });
    expect(codes).toEqual(['ERR_E2E_DOWNGRADE']);
    // And nothing goes out plain to that contact either.
    const out = { ...glance, from: undefined, to: `${juliet}/balcony` };
    const sent = tree.withAttribute('from', undefined).withAttribute('to', out.to);
    await refusal(stream.send(out, sent), 'ERR_E2E_NO_RECIPIENT_KEY');
  });
});

describe('pins that cannot be told', () => {
  const failing: PinStore = {
    get: () => Promise.reject(new Error('secret path')),
    update: () => Promise.reject(new Error('secret path')),
  };

  it('refuse every stanza', async () => {
    const all = await people('smime');
    const stanza = await from(all.juliet, all.romeo);
    const error = await refusal(openAs(all.romeo, stanza, { expect: new PinGuard(failing) }), 'ERR_E2E_STORE_FAILED');
    expect(JSON.stringify(error)).not.toContain('secret');
    const half = new PinGuard({ ...failing, get: () => undefined }, { firstUse: 'pin' });
    await refusal(openAs(all.romeo, stanza, { expect: half }), 'ERR_E2E_STORE_FAILED');
    const plain = `<message xmlns='jabber:client' from='${juliet}' to='${romeo}'/>`;
    await refusal(openAs(all.romeo, plain, { expect: new PinGuard(failing) }), 'ERR_E2E_STORE_FAILED');
  });

  it('are no excuse for a wrong argument', async () => {
    const all = await people('smime');
    const stanza = await from(all.juliet, all.romeo);
    const wrong = [null, [], 'sealed', { seal: true }, { keys: [] }, { keys: ['A'.repeat(40)] }, { sealed: 'yes' }];
    for (const expect_ of wrong) {
      await expect(openAs(all.romeo, stanza, { expect: expect_ as Expectation })).rejects.toThrow(TypeError);
    }
    const options = { jid: Jid.parse(romeo), backends: [all.romeo.backend], replay: new ReplayGuard() };
    expect(() => new E2eSession({ ...options, expect: { sealed: true } as never })).toThrow(TypeError);
    for (const context of ['later', { retry: 1 }, {}, { verify: new Date(Number.NaN) }, { retry: at, verify: at }]) {
      await expect(openAs(all.romeo, stanza, { context: context as 'live' })).rejects.toThrow(TypeError);
    }
  });
});
