/** Asking a contact for certificates, and keeping what arrives (RFC 3923 sections 6.2 and 6.6). */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import { derSequence } from '../../src/asn1/writer.ts';
import { openpgp } from '../../src/backends/openpgp/index.ts';
import { smime } from '../../src/backends/smime/index.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import {
  type ArrivedCertificates,
  type CertificatePolicy,
  defaultLimits,
  E2E_NAMESPACE,
  E2eSession,
  type Glance,
  inspectStanza,
  Jid,
  openStanza,
  parseXml,
  ReplayGuard,
  type SessionOptions,
  strictPolicy,
  TransparentStream,
  type XmlElement,
} from '../../src/index.ts';
import { memoryStore, type MemoryStore } from '../../src/stores/index.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { type BackendName, backendNames, juliet, mallory, people, romeo } from '../people.ts';
import { refusal } from '../unit/e2e/scene.ts';
import { crypto, issue, serializeExtension, uriName } from '../unit/x509/support.ts';

const now = new Date('2026-11-22T12:00:00Z');
beforeEach(() => void vi.useFakeTimers({ now, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** One account: a session that keeps what arrives in its store, on a stream. */
interface Account {
  readonly store: MemoryStore;
  readonly session: E2eSession;
  readonly arrived: ArrivedCertificates[];
  readonly refused: string[];
  readonly opened: string[];
  receive(stanza: XmlElement): ReturnType<TransparentStream['receive']>;
}

function account(jid: string, store: MemoryStore, name: BackendName, certificates?: CertificatePolicy): Account {
  const backend = name === 'smime' ? smime({ store }) : openpgp({ store });
  const options: SessionOptions = { jid, backends: [backend], replay: new ReplayGuard(), certificates };
  const session = new E2eSession(options);
  const arrived: ArrivedCertificates[] = [];
  const refused: string[] = [];
  const opened: string[] = [];
  session.on('certificates', (event) => void arrived.push(event.arrived));
  session.on('refused', ({ error }) => void refused.push(error.code));
  session.on('opened', ({ opened: { verdict } }) => void opened.push(verdict.level));
  const stream = new TransparentStream(session);
  const receive = (stanza: XmlElement) => stream.receive(glance(stanza), stanza);
  return { store, session, arrived, refused, opened, receive };
}

function glance(stanza: XmlElement): Glance {
  const get = (attribute: string): string | undefined => stanza.attribute(attribute);
  const { name, elements: children } = stanza;
  return { name, from: get('from'), to: get('to'), type: get('type'), id: get('id'), children };
}

const from = (jid: string, stanza: XmlElement): XmlElement => stanza.withAttribute('from', jid);

/** Romeo knows nobody's certificate; Juliet knows his. Both keep what arrives. */
async function scene(name: BackendName, hers: CertificatePolicy = { answer: true }) {
  const all = await people(name);
  const his = memoryStore();
  for (const one of await all.romeo.store.identities(all.romeo.jid, name)) his.addIdentity(all.romeo.jid, name, one);
  return {
    her: account(juliet, all.juliet.store, name, hers),
    him: account(romeo, his, name, { store: his }),
    certificates: (await all.romeo.store.find(all.juliet.jid, name))[0]!.certificates,
  };
}

describe.each(backendNames)('with %s', (name) => {
  it('the certificate of a contact is asked for, sent, and kept as a candidate that nobody trusts', async () => {
    const { her, him } = await scene(name);
    const request = from(`${romeo}/orchard`, await him.session.requestCertificates(juliet));
    expect(request.attribute('to')).toBe(juliet);
    const answer = await her.receive(request);
    expect(answer.action).toBe('drop');
    const reply = from(`${juliet}/balcony`, (answer as { reply: XmlElement }).reply);
    expect(reply.attribute('to')).toBe(`${romeo}/orchard`);

    // What goes over the wire is what the format knows, under a signature.
    const tree = await inspectStanza(reply, { backends: [her.session, him.session].map(() => backendOf(her, name)) });
    expect(JSON.stringify(tree)).toContain(name === 'smime' ? 'certificates)' : 'OpenPGP certificates');

    expect(await him.receive(reply)).toEqual({ action: 'drop', reply: undefined });
    expect(him.refused).toEqual([]);
    expect(him.arrived).toHaveLength(1);
    const [arrived] = him.arrived;
    expect(arrived?.from.toString()).toBe(juliet);
    expect(arrived?.backend).toBe(name);
    expect(arrived?.certificates.map(({ summary }) => summary.jids)).toEqual([[juliet]]);
    const [kept] = await him.store.find(Jid.parse(juliet), name);
    expect(kept?.filed).toBe(false);
    expect(await backendOf(him, name).canSealTo(Jid.parse(juliet), now)).toBe(false);

    // Filed by an explicit act it speaks for her.
    him.store.fileCertificate(Jid.parse(juliet), name, kept!.certificates);
    expect(await backendOf(him, name).canSealTo(Jid.parse(juliet), now)).toBe(true);
    const hi = await her.session.seal(`<message to='${romeo}' type='chat'><body>Hi</body></message>`);
    expect((await him.session.open(from(juliet, hi))).verdict.level).toBe('good');
  });

  it('each contact is answered once in five minutes', async () => {
    const { her, him } = await scene(name);
    const ask = async (resource: string) => {
      vi.advanceTimersByTime(1000);
      const answer = await her.receive(from(`${romeo}/${resource}`, await him.session.requestCertificates(juliet)));
      return answer.action === 'drop' && answer.reply !== undefined;
    };
    expect([await ask('a'), await ask('b'), await ask('a')]).toEqual([true, false, false]);
    vi.advanceTimersByTime(300_000);
    expect(await ask('c')).toBe(true);
  });

  it('no request is answered without the policy, of a stranger, badly signed, or twice', async () => {
    const silent = await scene(name, {});
    const request = from(`${romeo}/a`, await silent.him.session.requestCertificates(juliet));
    expect((await silent.her.receive(request)).action).toBe('replace');

    const { her } = await scene(name);
    const all = await people(name);
    // Well signed, by somebody on file, who is no contact any more.
    const opened = await openStanza(request, {
      ...{ backends: [backendOf(her, name)], me: juliet, replay: new ReplayGuard(), at: now },
    });
    const strict = new E2eSession({
      ...{ jid: juliet, backends: [backendOf(her, name)], replay: new ReplayGuard() },
      ...{ certificates: { answer: true }, isContact: () => false },
    });
    expect(await strict.answerRequest(opened)).toBeUndefined();

    const unknown = account(mallory, all.mallory.store, name);
    her.store.forget(Jid.parse(mallory), name);
    const stranger = from(mallory, await unknown.session.requestCertificates(juliet));
    expect(await her.receive(stranger)).toMatchObject({ action: 'drop', reply: undefined });
    expect(her.refused).toHaveLength(1);
    expect(await her.receive(request)).toMatchObject({ action: 'drop' });
    const again = (await her.receive(request)) as { reply: XmlElement };
    expect(again.reply.first('e2e', E2E_NAMESPACE)).toBeUndefined();
    expect(her.refused.at(-1)).toBe('ERR_E2E_REPLAYED');
  });

  it('only a bare request is one: beside a body it is a message like any other', async () => {
    const { her, him } = await scene(name);
    const certificates = "<certificate-request xmlns='urn:xmpp-e2e:certificates:0'/>";
    const store = him.store;
    const asked = `<message to='${juliet}' type='chat'><body>Hi</body>${certificates}</message>`;
    store.fileCertificate(Jid.parse(juliet), name, (await scene(name)).certificates);
    const sealed = from(romeo, await him.session.seal(asked));
    const received = await her.receive(sealed);
    expect(received).toMatchObject({ action: 'replace' });
  });

  it('what was not asked for is refused, and so is what is forged or names another', async () => {
    const { her, him } = await scene(name);
    const answerTo = async (asker: Account) => {
      const request = from(`${romeo}/a`, await asker.session.requestCertificates(juliet));
      return (await her.receive(request)) as { reply: XmlElement };
    };
    const elsewhere = account(romeo, him.store, name);
    const reply = from(juliet, (await answerTo(elsewhere)).reply);
    expect(await him.receive(reply)).toMatchObject({ action: 'drop' });
    expect(him.refused).toEqual(['ERR_E2E_LAYERS_REFUSED']);
    expect(await him.store.find(Jid.parse(juliet), name)).toHaveLength(0);

    // Asked for now, but under Mallory's name: it does not name her.
    await him.session.requestCertificates(mallory);
    await him.receive(from(mallory, reply));
    await him.session.requestCertificates(juliet);
    const e2e = reply.elements[0]!;
    const text = e2e.text;
    const forged = reply.withChildren([e2e.withChildren([text.replace(/(?<=\n)[A-Za-z0-9+/]{8}/, 'AAAAAAAA')])]);
    expect(forged.elements[0]!.text).not.toBe(text);
    await him.receive(forged);
    expect(him.arrived).toHaveLength(0);
    expect(await him.store.find(Jid.parse(juliet), name)).toHaveLength(0);
    expect(await him.store.find(Jid.parse(mallory), name)).toHaveLength(0);

    // The right one is kept, and one answer is all that a request is good for.
    await him.receive(reply);
    expect(him.arrived).toHaveLength(1);
    await him.receive(reply);
    expect(him.arrived).toHaveLength(1);
  });

  it('an answer is welcome for a day, and a bare object without a signature too', async () => {
    const { her, him } = await scene(name);
    const exported = await backendOf(her, name).exportCertificates!(Jid.parse(juliet), now);
    const bare = wrap(parseXml(`<message xmlns='jabber:client' from='${juliet}' to='${romeo}'/>`), exported);
    await refusal(him.session.open(bare), 'ERR_E2E_LAYERS_REFUSED', 'unwrap');
    await him.session.requestCertificates(juliet);
    vi.advanceTimersByTime(86_400_001);
    await refusal(him.session.open(bare), 'ERR_E2E_LAYERS_REFUSED', 'unwrap');
    expect(him.arrived).toHaveLength(0);
    await him.session.requestCertificates(juliet);
    await refusal(him.session.open(bare), 'ERR_E2E_LAYERS_REFUSED', 'unwrap');
    expect(him.arrived.map(({ level }) => level)).toEqual(['unsigned']);
  });

  it('no private key goes along, and who has none has nothing to send', async () => {
    const { her } = await scene(name);
    const exported = await backendOf(her, name).exportCertificates!(Jid.parse(juliet), now);
    const text = new TextDecoder().decode(exported);
    expect(text).toContain(name === 'smime' ? 'smime-type=certs-only' : 'application/pgp-keys');
    expect(text).not.toContain('PRIVATE');
    const [identity] = await her.store.identities(Jid.parse(juliet), name);
    for (const line of Buffer.from(identity!.keys as Uint8Array)
      .toString('latin1')
      .split('\n')) {
      if (name === 'smime' && line.length > 40) expect(text).not.toContain(line.slice(0, 40));
    }
    const nobody = Jid.parse('nobody@example.com');
    await refusal(backendOf(her, name).exportCertificates!(nobody, now), 'ERR_E2E_NO_SIGNING_KEY', 'sign');
  });
});

describe('certificates beside signatures (section 6.6)', () => {
  it('are kept where that is chosen, and encrypt to the contact if an anchor vouches for them', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const name = serializeExtension(oids.subjectAltName, false, derSequence(uriName(`im:${juliet}`)));
    const leaf = await issue({
      ...{ subject: 'Juliet', issuer: root, extensions: [name], keyUsage: ['digitalSignature', 'keyAgreement'] },
      keys: await crypto.generateKeyPair({ algorithm: 'ec', curve: 'p256' }),
    });
    const pem = (label: string, der: Uint8Array): Uint8Array => serializePem(label, der);
    const hers = memoryStore();
    hers.addIdentity(Jid.parse(juliet), 'smime', {
      keys: pem('PRIVATE KEY', leaf.keys.privateKey.pkcs8),
      certificates: pem('CERTIFICATE', leaf.certificate.der),
    });
    const all = await people('smime');
    hers.fileCertificate(
      all.romeo.jid,
      'smime',
      (await all.juliet.store.find(all.romeo.jid, 'smime'))[0]!.certificates,
    );
    const her = account(juliet, hers, 'smime');
    for (const keep of ['requested', 'signed'] as const) {
      const his = memoryStore();
      for (const one of await all.romeo.store.identities(all.romeo.jid, 'smime')) {
        his.addIdentity(all.romeo.jid, 'smime', one);
      }
      const backend = smime({ store: his, trust: { anchors: [root.certificate.der] } });
      const session = new E2eSession({
        ...{ jid: romeo, backends: [backend], replay: new ReplayGuard(), certificates: { store: his, keep } },
      });
      const arrived: ArrivedCertificates[] = [];
      session.on('certificates', (event) => void arrived.push(event.arrived));
      vi.advanceTimersByTime(300_001);
      const hi = await her.session.seal(`<message to='${romeo}' type='chat'><body>Hi</body></message>`);
      expect((await session.open(from(juliet, hi))).verdict.sender?.trust).toBe('anchor');
      expect(arrived).toHaveLength(keep === 'signed' ? 1 : 0);
      expect(await backend.canSealTo(Jid.parse(juliet), now)).toBe(keep === 'signed');
      // Kept once, however often it comes.
      vi.advanceTimersByTime(300_001);
      const again = await her.session.seal(`<message to='${romeo}' type='chat'><body>Hi</body></message>`);
      await session.open(from(juliet, again));
      expect(await his.find(Jid.parse(juliet), 'smime')).toHaveLength(keep === 'signed' ? 1 : 0);
    }
  });

  it('that cannot be kept cost no stanza', async () => {
    const all = await people('smime');
    const failing = { addCandidate: () => Promise.reject(new Error('full')) };
    const her = account(juliet, all.juliet.store, 'smime');
    const him = account(romeo, all.romeo.store, 'smime', { store: failing, keep: 'signed' });
    const hi = await her.session.seal(`<message to='${romeo}' type='chat'><body>Hi</body></message>`);
    expect((await him.session.open(from(juliet, hi))).verdict.level).toBe('good');
  });

  it('of a wrong policy are a wrong argument', () => {
    const options = { jid: romeo, backends: [smime({ store: memoryStore() })], replay: new ReplayGuard() };
    for (const certificates of [{ keep: 'all' }, { answer: 'yes' }, { store: {} }, { trust: true }]) {
      expect(() => new E2eSession({ ...options, certificates: certificates as CertificatePolicy })).toThrow(TypeError);
    }
    const session = new E2eSession(options);
    return expect(session.requestCertificates(juliet, 'openpgp')).rejects.toThrow(TypeError);
  });
});

function backendOf({ store }: Account, name: BackendName) {
  return name === 'smime' ? smime({ store }) : openpgp({ store });
}

it('a candidate store in memory holds sixteen of a contact, and every one that was filed', async () => {
  const store = memoryStore();
  const jid = Jid.parse(juliet);
  store.fileCertificate(jid, 'smime', Uint8Array.of(255));
  for (let i = 0; i < 40; i++) store.addCandidate(jid, 'smime', Uint8Array.of(i));
  store.addCandidate(jid, 'smime', Uint8Array.of(39));
  store.addCandidate(jid, 'smime', Uint8Array.of(255));
  const found = await store.find(jid, 'smime');
  expect(found.map(({ certificates }) => certificates[0])).toEqual([
    255,
    ...Array.from({ length: 16 }, (_, i) => i + 24),
  ]);
  expect(defaultLimits.certificates).toBeGreaterThanOrEqual(16);
  expect(strictPolicy.untrustedSigner).toBe('refuse');
});
