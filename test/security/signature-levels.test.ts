/**
 * The levels of a signature stay apart (RFC 3923 sections 6.3 and 6.7): good, right but untrusted, signer unknown,
 * forged, none. What is not good is delivered by choice alone and never looks good; what is forged, by no choice.
 */
import { describe, expect, it } from 'vitest';
import { openpgp } from '../../src/backends/openpgp/index.ts';
import { smime } from '../../src/backends/smime/index.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import {
  defaultLimits,
  describeVerdict,
  E2E_NAMESPACE,
  E2eSession,
  memoryPinStore,
  openStanza,
  type Opened,
  type OpenOptions,
  parseXml,
  PinGuard,
  type Policy,
  ReplayGuard,
  rfc3923Policy,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { type BackendName, backendNames, juliet, mallory, type Person, people } from '../people.ts';
import { cpim, refusal, shell, wrappedXmppXml } from '../unit/e2e/scene.ts';
import { at, encryptedFor, refused } from './crafted.ts';

/** Romeo with his keys, and nobody's certificate. */
async function alone(name: BackendName): Promise<Person> {
  const { romeo } = await people(name);
  const store = memoryStore();
  for (const identity of await romeo.store.identities(romeo.jid, name)) store.addIdentity(romeo.jid, name, identity);
  return { jid: romeo.jid, store, backend: name === 'smime' ? smime({ store }) : openpgp({ store }) };
}

async function certificatesOf(person: Person, of: Person, name: BackendName): Promise<Uint8Array> {
  return (await person.store.find(of.jid, name))[0]!.certificates;
}

async function stanzaFrom(
  by: Person,
  to: Person,
  options: { certificate: boolean; content?: Uint8Array; outer?: string },
): Promise<XmlElement> {
  const { certificate, content = cpim(), outer = shell } = options;
  const call = { at, algorithms: strictPolicy.algorithms, limits, profile: 'modern' as const };
  const request = { ...call, signer: by.jid, recipients: [to.jid], includeCertificate: certificate, content };
  return wrap(parseXml(outer), await encryptedFor(by, await by.backend.sign(request), [to]));
}

const limits = defaultLimits;

function open(him: Person, stanza: XmlElement, options: Partial<OpenOptions> = {}): Promise<Opened> {
  return openStanza(stanza, { backends: [him.backend], me: him.jid, at, replay: new ReplayGuard(), ...options });
}

const takesUnknown: Policy = { ...strictPolicy, unknownSigner: 'deliver' };
const takesUntrusted: Policy = { ...strictPolicy, untrustedSigner: 'deliver' };
const takesAll: Policy = {
  ...rfc3923Policy,
  unknownSigner: 'deliver',
  untrustedSigner: 'deliver',
  time: {
    ...rfc3923Policy.time,
    deliver: ['ok', 'old', 'future', 'decreasing', 'delayed', 'replayed', 'absent'],
    windowSeconds: 1e9,
  },
};

/** Romeo and a stanza whose signer he does not know. */
async function unknown(name: BackendName): Promise<{ him: Person; stanza: XmlElement; certificates: Uint8Array }> {
  const all = await people(name);
  const stanza = await stanzaFrom(all.juliet, all.romeo, { certificate: false });
  return { him: await alone(name), stanza, certificates: await certificatesOf(all.romeo, all.juliet, name) };
}

/** Romeo and a stanza whose certificate is at hand, but vouched for by nobody. */
async function untrusted(name: BackendName): Promise<{ him: Person; stanza: XmlElement; certificates: Uint8Array }> {
  const all = await people(name);
  const him = await alone(name);
  const certificates = await certificatesOf(all.romeo, all.juliet, name);
  him.store.addCandidate(all.juliet.jid, name, certificates);
  return { him, stanza: await stanzaFrom(all.juliet, all.romeo, { certificate: true }), certificates };
}

function neverLooksGood({ verdict }: Opened): void {
  expect(verdict.sender).toBeNull();
  expect(verdict.claimedFrom).toBe(juliet);
  expect(verdict.pin).not.toMatch(/match|first/);
  expect(verdict.words.join('\n')).not.toMatch(/^signed by /m);
  expect(verdict.words[0]).toContain('only claimed');
}

describe.each(backendNames)('with %s', (name) => {
  it('good: delivered with a sender', async () => {
    const all = await people(name);
    const { verdict } = await open(all.romeo, await stanzaFrom(all.juliet, all.romeo, { certificate: true }));
    expect(verdict.level).toBe('good');
    expect(verdict.sender?.jid).toBe(juliet);
    expect(verdict.signature).toMatchObject({ fingerprint: verdict.sender?.fingerprint, names: [juliet] });
  });

  it('signer unknown: refused with its level, delivered by choice without a sender', async () => {
    const { him, stanza } = await unknown(name);
    for (const policy of [strictPolicy, rfc3923Policy, takesUntrusted]) {
      const error = await refusal(open(him, stanza, { policy }), 'ERR_E2E_SIGNER_UNKNOWN', 'verify');
      expect(error.verdict).toMatchObject({ level: 'unknown-signer', claimedFrom: juliet, sender: undefined });
    }
    const opened = await open(him, stanza, { policy: takesUnknown });
    expect(opened.verdict.level).toBe('unknown-signer');
    neverLooksGood(opened);
  });

  it('untrusted: refused with its level, delivered by choice without a sender, with the name it claims', async () => {
    const { him, stanza } = await untrusted(name);
    for (const policy of [strictPolicy, rfc3923Policy, takesUnknown]) {
      const error = await refusal(open(him, stanza, { policy }), 'ERR_E2E_SIGNER_UNTRUSTED', 'verify');
      expect(error.verdict).toMatchObject({ level: 'untrusted', signature: { names: [juliet] }, sender: undefined });
    }
    const opened = await open(him, stanza, { policy: takesUntrusted });
    expect(opened.verdict.level).toBe('untrusted');
    expect(opened.verdict.signature).toMatchObject({ names: [juliet] });
    expect(opened.verdict.signature?.fingerprint).toMatch(/^[0-9a-f]{40,64}$/);
    neverLooksGood(opened);
  });

  it('untrusted, by a certificate that names another: refused by every choice', async () => {
    const all = await people(name);
    const him = await alone(name);
    const certificates = await certificatesOf(all.romeo, all.mallory, name);
    him.store.addCandidate(all.juliet.jid, name, certificates);
    const stanza = await stanzaFrom(all.mallory, all.romeo, { certificate: true });
    await refusal(open(him, stanza, { policy: takesUntrusted }), 'ERR_E2E_SENDER_MISMATCH', 'check');
    await refusal(open(him, stanza, { policy: takesAll }), 'ERR_E2E_SENDER_MISMATCH', 'check');
  });

  it('what is delivered by choice is not what a transparent adapter, a pin or a strict expectation takes', async () => {
    for (const [make, policy] of [
      [unknown, takesUnknown],
      [untrusted, takesUntrusted],
    ] as const) {
      const { him, stanza } = await make(name);
      const code = make === unknown ? 'ERR_E2E_SIGNER_UNKNOWN' : 'ERR_E2E_SIGNER_UNTRUSTED';
      await refusal(open(him, stanza, { policy, expect: { sealed: true } }), code);
      const pins = new PinGuard(memoryPinStore(), { firstUse: 'pin' });
      expect((await open(him, stanza, { policy, expect: pins })).verdict.pin).toBe('none');
      expect(await pins.pinsOf(juliet)).toBeUndefined();
      // No state of the claimed sender is touched: the same stanza is no replay for it.
      const replay = new ReplayGuard();
      await open(him, stanza, { policy, replay });
      expect((await open(him, stanza, { policy, replay })).verdict.replay).toBe('off');
    }
  });

  it('is judged again when the certificate has come: good, no second delivery, and a replay from then on', async () => {
    for (const [make, policy] of [
      [unknown, takesUnknown],
      [untrusted, takesUntrusted],
    ] as const) {
      const { him, stanza, certificates } = await make(name);
      const replay = new ReplayGuard();
      const first = await open(him, stanza, { policy, replay });
      neverLooksGood(first);
      const days = new Date(at.getTime() + 3 * 86_400_000);
      const again = { at: days, replay, context: { verify: at } } as const;
      await refused(open(him, stanza, again), 'ERR_E2E_SIGNER_UNKNOWN', 'ERR_E2E_SIGNER_UNTRUSTED');
      him.store.fileCertificate((await people(name)).juliet.jid, name, certificates);

      const opened = await open(him, stanza, again);
      expect(opened.verdict).toMatchObject({ level: 'good', sender: { jid: juliet }, replay: 'checked' });
      expect(opened.verdict.time.status).toBe('ok');
      expect(opened.stanza.first('body')?.text).toBe(first.stanza.first('body')?.text);
      // As often as wanted; but live, offline or as a retry the same stanza is a replay.
      expect((await open(him, stanza, again)).verdict.replay).toBe('known');
      await refusal(open(him, stanza, { replay }), 'ERR_E2E_REPLAYED');
      await refusal(open(him, stanza, { replay, context: 'offline' }), 'ERR_E2E_REPLAYED');
      await refusal(open(him, stanza, { replay, context: { retry: at } }), 'ERR_E2E_REPLAYED');
    }
  });

  it('a session tells of it as verified, not as opened', async () => {
    const { him, stanza, certificates } = await unknown(name);
    const told: string[] = [];
    const options = { jid: him.jid, backends: [him.backend], replay: new ReplayGuard(), policy: takesUnknown };
    const session = new E2eSession(options);
    session.on('opened', ({ opened }) => void told.push(`opened ${opened.verdict.level}`));
    session.on('verified', ({ opened }) => void told.push(`verified ${opened.verdict.level}`));
    await session.open(stanza, { at });
    him.store.fileCertificate((await people(name)).juliet.jid, name, certificates);
    await session.open(stanza, { context: { verify: at } });
    expect(told).toEqual(['opened unknown-signer', 'verified good']);
  });

  it('forged: refused by every policy there is, with its level and nothing of the content', async () => {
    const all = await people(name);
    const clear = (content: Uint8Array, by = all.juliet): Promise<Uint8Array> =>
      by.backend.sign({
        ...{ at, algorithms: strictPolicy.algorithms, limits, profile: 'modern' as const },
        ...{ signer: by.jid, recipients: [all.romeo.jid], includeCertificate: true, content },
      });
    const secret = 'the balcony at nine';
    const signed = new TextDecoder().decode(await clear(cpim({}, secret)));
    const otherSignature = new TextDecoder().decode(await clear(cpim({}, 'other')));
    const forgeries = [
      signed.replace(secret, 'the balcony at ten!'),
      signed.replace('Message/CPIM', 'Message/cpim'),
      swapContent(otherSignature, signed),
    ];
    for (const forged of forgeries) {
      expect(forged).not.toBe(signed);
      const octets = new TextEncoder().encode(forged);
      const stanzas = [
        wrap(parseXml(shell), octets),
        wrap(parseXml(shell), await encryptedFor(all.juliet, octets, [all.romeo])),
      ];
      for (const stanza of stanzas) {
        for (const policy of everyPolicy()) {
          const error = await refusal(open(all.romeo, stanza, { policy }), 'ERR_E2E_SIGNATURE_INVALID', 'verify');
          expect(error.verdict?.level).toBe('forged');
          expect(describeVerdict(error.verdict!)[0]).toContain('FORGED OR DAMAGED');
          expect(JSON.stringify(error.verdict)).not.toContain('balcony at');
        }
      }
    }
  });
});

/** Another's parts after the signature: both boundaries are there, so the content is what changes. */
function swapContent(signed: string, content: string): string {
  const body = (text: string): string => /\r\n\r\n((?:Hi|other|the balcony)[^\r]*)\r\n/.exec(text)![1]!;
  return signed.replace(body(signed), body(content));
}

/** Every choice that a policy has, with every other. */
function everyPolicy(): readonly Policy[] {
  const choices = ['refuse', 'deliver'] as const;
  const policies: Policy[] = [];
  for (const base of [strictPolicy, takesAll]) {
    for (const unsigned of choices) {
      for (const untrustedSigner of choices) {
        for (const unknownSigner of choices) policies.push({ ...base, unsigned, untrustedSigner, unknownSigner });
      }
    }
  }
  return policies;
}

describe('an error', () => {
  it('carries the verdict so far, as far as it was known', async () => {
    const all = await people('smime');
    const seen = async (options: Partial<OpenOptions>, content = cpim(), outer = shell) =>
      (
        await refusalOf(
          open(all.romeo, await stanzaFrom(all.juliet, all.romeo, { certificate: true, content, outer }), options),
        )
      ).verdict;
    const later = new Date(at.getTime() + 3_600_000);
    expect(await seen({ at: later })).toMatchObject({
      ...{ policy: 'strict', backend: 'smime', protection: 'sign+encrypt', level: 'good', claimedFrom: juliet },
      ...{ sender: juliet, pin: 'off', time: { status: 'old', signed: at.toISOString() } },
    });
    const beside = shell.replace('/>', `><body xmlns='jabber:client'>beside</body></message>`);
    expect(await seen({}, cpim({ From: `<im:${mallory}>` }), beside)).toMatchObject({
      ...{ level: 'good', sender: undefined, time: undefined, outside: ['{jabber:client}body'] },
    });
    const replay = new ReplayGuard();
    const stanza = await stanzaFrom(all.juliet, all.romeo, { certificate: true });
    await open(all.romeo, stanza, { replay });
    expect((await refusalOf(open(all.romeo, stanza, { replay }))).verdict?.time?.status).toBe('replayed');
    const earlier = await stanzaFrom(all.juliet, all.romeo, {
      certificate: true,
      content: cpim({ DateTime: new Date(at.getTime() - 1000).toISOString() }),
    });
    expect((await refusalOf(open(all.romeo, earlier, { replay }))).verdict?.time?.status).toBe('decreasing');
  });

  it('has none where nothing was opened, and none where a failure must look like every other', async () => {
    const all = await people('smime');
    const stanza = await stanzaFrom(all.juliet, all.romeo, { certificate: true });
    expect((await refusalOf(open(all.mallory, stanza, { me: mallory }))).verdict).toBeUndefined();
    const e2e = stanza.first('e2e', E2E_NAMESPACE)!;
    const place = e2e.text.lastIndexOf('\n', e2e.text.length - 100) - 10;
    const changed = e2e.text[place] === 'A' ? 'B' : 'A';
    const text = e2e.text.slice(0, place) + changed + e2e.text.slice(place + 1);
    const damaged = stanza.withChildren([e2e.withChildren([text])]);
    expect((await refusalOf(open(all.romeo, damaged))).verdict).toBeUndefined();
    const inner = wrappedXmppXml(`<message from='${mallory}' type='chat' id='m1'/>`);
    const old = await people('smime', 'rsa2048');
    const call = { at, algorithms: rfc3923Policy.algorithms, limits, profile: 'rfc3923' as const };
    const request = { ...call, recipients: [old.romeo.jid], hidden: false, content: inner };
    const unsignedCbc = await old.juliet.backend.encrypt(request);
    const error = await refusalOf(open(old.romeo, wrap(parseXml(shell), unsignedCbc), { policy: rfc3923Policy }));
    expect(error.code).toBe('ERR_E2E_DECRYPTION_FAILED');
    expect(error.verdict).toBeUndefined();
  });
});

async function refusalOf(opening: Promise<unknown>) {
  return refusal(opening, (await code(opening)) as never);
}

function code(opening: Promise<unknown>): Promise<string | undefined> {
  return opening.then(
    () => undefined,
    (error: unknown) => (error as { code: string }).code,
  );
}
