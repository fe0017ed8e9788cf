/** Which certificates are sent to who asks (RFC 3923 section 6.2), and which are kept. */
import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { derSequence } from '../../../src/asn1/writer.ts';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import { smime } from '../../../src/backends/smime/index.ts';
import { certificateDesk } from '../../../src/e2e/certificate-policy.ts';
import { sealCertificates } from '../../../src/e2e/certificate-exchange.ts';
import {
  type CandidateCertificate,
  defaultLimits,
  E2eSession,
  type Glance,
  Jid,
  ReplayGuard,
  type SecurityBackend,
  TransparentStream,
  type XmlElement,
} from '../../../src/index.ts';
import { parseEntity } from '../../../src/mime/entity.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import { serializePem } from '../../../src/x509/pem.ts';
import { doubleBackend, doubleSigned } from '../../double-backend.ts';
import { daysFromNow, issue, type Issued, now, serializeExtension, uriName } from '../x509/support.ts';
import { cpim, juliet, refusal, romeo, sealedIn, wrappedXmppXml } from './scene.ts';

const her = Jid.parse(juliet);

function named(jid: string) {
  return [serializeExtension(oids.subjectAltName, false, derSequence(uriName(`im:${jid}`)))];
}

function pem(...issued: readonly Issued[]): Uint8Array {
  return Buffer.concat(issued.map(({ certificate }) => serializePem('CERTIFICATE', certificate.der)));
}

async function exportedBy(certificates: Uint8Array): Promise<readonly string[]> {
  const store = memoryStore();
  store.addIdentity(her, 'smime', { keys: new Uint8Array(), certificates });
  const backend = smime({ store });
  const octets = await backend.exportCertificates!(her, now);
  const entity = parseEntity(octets, { limits: defaultLimits, stage: 'parse' });
  return (await backend.importCertificates(entity, defaultLimits)).map(({ summary }) => summary.subject);
}

describe('the certificates that are sent', () => {
  it('are mine, valid now, and those between them and an anchor', async () => {
    const root = await issue({ subject: 'Root', ca: true });
    const middle = await issue({ subject: 'Middle', ca: true, issuer: root });
    const mine = await issue({ subject: 'Juliet', issuer: middle, extensions: named(juliet) });
    const other = await issue({ subject: 'Romeo', issuer: middle, extensions: named(romeo) });
    const old = await issue({ subject: 'Old', issuer: middle, extensions: named(juliet), notAfter: daysFromNow(-1) });
    const next = await issue({ subject: 'Next', issuer: middle, extensions: named(juliet), notBefore: daysFromNow(1) });
    const subjects = await exportedBy(pem(root, other, old, mine, mine, next, middle));
    expect(subjects.map((subject) => subject.replace('CN=', '')).sort()).toEqual(['Juliet', 'Middle']);
    await refusal(exportedBy(pem(root, other, old, next, middle)), 'ERR_E2E_NO_SIGNING_KEY', 'sign');
    await refusal(exportedBy(Buffer.from('no certificate')), 'ERR_E2E_NO_SIGNING_KEY', 'sign');
  });

  it('of OpenPGP are none where keys do their own work, and an error where their file cannot be read', async () => {
    const store = memoryStore();
    const backend = openpgp({ store });
    store.addIdentity(her, 'openpgp', {
      keys: { agree: () => Promise.reject(new Error()) },
      certificates: new Uint8Array(),
    });
    await refusal(backend.exportCertificates!(her, now), 'ERR_E2E_NO_SIGNING_KEY', 'sign');
    store.addIdentity(her, 'openpgp', { keys: Buffer.from('no key'), certificates: new Uint8Array() });
    await refusal(backend.exportCertificates!(her, now), 'ERR_E2E_KEY_UNAVAILABLE', 'sign');
  });

  it('are none of a backend that exports none', async () => {
    const answer = { backend: doubleBackend([juliet]), from: her, to: Jid.parse(romeo), limits: defaultLimits };
    await refusal(sealCertificates(answer), 'ERR_E2E_UNSUPPORTED', 'sign');
  });

  it('that cannot be written leave the request without an answer, and are told of', async () => {
    const summary = { fingerprint: 'f' } as never;
    const backend: SecurityBackend = {
      ...doubleBackend([juliet, romeo]),
      certificates: () => Promise.resolve([summary]),
    };
    const certificates = { answer: true };
    const at = { jid: romeo, backends: [backend], replay: new ReplayGuard(), certificates, policy: undefined };
    const session = new E2eSession(at);
    const unsent: string[] = [];
    session.on('unsent', ({ error }) => void unsent.push(error.code));
    const stream = new TransparentStream(session);
    const request = "<message><certificate-request xmlns='urn:xmpp-e2e:certificates:0'/></message>";
    const time = { DateTime: new Date().toISOString() };
    const stanza = sealedIn(doubleSigned(wrappedXmppXml(request, time), { signers: [juliet] }));
    expect(await stream.receive(glance(stanza), stanza)).toMatchObject({ action: 'replace' });
    expect(unsent).toEqual(['ERR_E2E_UNSUPPORTED']);
    const later = { DateTime: new Date(Date.now() + 1000).toISOString() };
    const plain = sealedIn(doubleSigned(cpim(later), { signers: [juliet] }));
    expect(await stream.receive(glance(plain), plain)).toMatchObject({ action: 'replace' });
    expect(unsent).toHaveLength(1);
  });
});

function glance(stanza: XmlElement): Glance {
  const get = (name: string): string | undefined => stanza.attribute(name);
  const { name, elements: children } = stanza;
  return { name, from: get('from'), to: get('to'), type: get('type'), id: get('id'), children };
}

describe('the desk', () => {
  const candidate = { data: Uint8Array.of(1), summary: { jids: [juliet] } } as unknown as CandidateCertificate;
  const arrived = { from: her, backend: 'smime', level: 'good', certificates: [candidate] } as const;

  it('awaits an answer for a day, also when the clock is set back by no more, and one answer only', async () => {
    let time = 1_000_000_000;
    const kept: Jid[] = [];
    const desk = certificateDesk({ store: { addCandidate: (jid) => void kept.push(jid) } }, () => time);
    expect(desk.awaits(her)).toBe(false);
    desk.asked(Jid.parse(`${juliet}/balcony`));
    time += 86_400_000;
    expect(desk.awaits(her)).toBe(true);
    time += 1;
    expect(desk.awaits(her)).toBe(false);
    time -= 2 * 86_400_000;
    expect(desk.awaits(her)).toBe(true);
    expect(await desk.keep(arrived)).toBe(true);
    expect(desk.awaits(her)).toBe(false);
    expect(kept.map(String)).toEqual([juliet]);
  });

  it('keeps nothing without a store or without certificates', async () => {
    expect(await certificateDesk().keep(arrived)).toBe(false);
    const store = { addCandidate: () => expect.unreachable() };
    expect(await certificateDesk({ store }).keep({ ...arrived, certificates: [] })).toBe(false);
    expect(certificateDesk({ keep: 'signed' }).keepsSigned).toBe(false);
    expect(certificateDesk({ keep: 'signed', store }).keepsSigned).toBe(true);
  });

  it('remembers the last thousand that were asked', () => {
    const desk = certificateDesk();
    const contact = (i: number): Jid => Jid.parse(`contact${i}@example.com`);
    for (let i = 0; i < 1001; i++) desk.asked(contact(i));
    expect([desk.awaits(contact(0)), desk.awaits(contact(1)), desk.awaits(contact(1000))]).toEqual([false, true, true]);
  });
});
